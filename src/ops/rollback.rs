//! `rollback`: content and entry of an earlier version in one commit (RULES, "Rollback").

use super::{Commit, Outside, spec};
use crate::git::{Changes, Mode, Oid, Place, first_parents, with_changes};
use crate::registry::{
    Changed, Day, Entry, EntryState, Person, Registry, SourceState, State, Upstream, entry, read_entry, skill_then,
};
use crate::sync::versions::Versions;
use crate::types::{Error, ErrorKind, Result, SkillId};
use serde::Serialize;

/// What `rollback` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skill.
    pub skill: SkillId,
    /// The version that it went back to.
    pub to: u64,
    /// The commit.
    #[serde(flatten)]
    pub changed: Changed,
    /// Whether the abandoned update was recorded as declined.
    pub declined: bool,
}

/// Takes a skill back to version `to` (none: the one before the present content).
pub fn rollback(outside: &Outside, id: &str, to: Option<u64>, reason: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let id = SkillId::parse(id)?;
    let skill = state.skills.get(&id).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no skill `{id}`")).hint("see them all: skillgraft list")
    })?;
    let versions = Versions::load(&registry, &state)?;
    let to = match to {
        Some(to) => to,
        None => version_before(&registry, &state, &versions, &id, skill.tree)?,
    };
    let (tree, _) = spec::version_at(&registry, &state, &versions, &id, to)?;
    let tree = tree.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("`{id}` v{to} has no content")))?;
    if skill.tree == Some(tree) {
        return Err(Error::new(ErrorKind::Usage, format!("`{id}` is what v{to} was already")));
    }
    let then = last_entry_with(&registry, &state, &id, tree)?;
    let (now_up, then_up) = (
        skill.entry().and_then(|e| e.upstream.as_ref()),
        then.as_ref().and_then(|e| e.entry.as_ref().ok()?.upstream.as_ref()),
    );
    let is_the_same = match (now_up, then_up) {
        (Some(now), Some(then)) => is_same_source(&state, now, then),
        (now, then) => now.is_none() && then.is_none(),
    };
    if !is_the_same {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("`{id}` followed another upstream, or none, at v{to}; its entry cannot go back with the content"),
        )
        .hint(format!("to take the content only: skillgraft export {id}@v{to} --to DIR, and commit it")));
    }
    if let (Some(now), Some(then)) = (now_up, then_up) {
        is_place_free(&state, &id, now, then, to)?;
    }
    let person = Person::ask(&outside.git, &registry.repository)?;
    let mut changes = Changes::from([(state.layout.skill(&id), Some(Place { mode: Mode::Tree, id: tree }))]);
    let mut declined = false;
    if let (Some(then), Some(now), Some(before)) = (&then, now_up, then_up) {
        // A source that was renamed since keeps its present name.
        let mut text = entry::with_source(&then.text, &now.source)?;
        if now.accepted != before.accepted {
            let decline = entry::Declined {
                upstream: now.accepted.to_string(),
                reason: Some(reason.to_owned()),
                by: Some(person.name().to_owned()),
                until: None::<Day>,
            };
            text = entry::with_declined(&text, Some(&decline))?;
            declined = true;
        }
        // Who paused or resumed it since has not asked for that to be undone.
        let paused = skill.entry().and_then(|entry| entry.paused.as_ref());
        if then.entry.as_ref().ok().and_then(|entry| entry.paused.as_ref()) != paused {
            text = entry::with_paused(&text, paused)?;
        }
        let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
        changes.insert(state.layout.entry(&id), Some(place));
    }
    let message = format!("Roll {id} back to v{to}\n\n{}\n", reason.trim());
    let whole = with_changes(store, state.tree, &changes)?;
    let changed = commit.change(&registry, outside, "rollback").commit(&person, whole, &commit.message(&message))?;
    Ok(Report { format: 1, skill: id, to, changed, declined })
}

/// Tells whether an entry of before follows the source that it follows now: upstream may have moved the skill, and the
/// source may have been renamed.
fn is_same_source(state: &State, now: &Upstream, then: &Upstream) -> bool {
    let was = |source: &SourceState| source.file.as_ref().is_ok_and(|file| file.was.contains(&then.source));
    now.source == then.source || state.sources.get(&now.source).is_some_and(was)
}

/// Refuses to go back to an upstream path that another skill follows by now.
fn is_place_free(state: &State, id: &SkillId, now: &Upstream, then: &Upstream, to: u64) -> Result<()> {
    let follows_it = |entry: &Entry| entry.upstream.as_ref().is_some_and(|up| up.path == then.path);
    let mut others = state.followers(&now.source).filter(|(other, _, entry)| *other != id && follows_it(entry));
    match others.next().filter(|_| then.path != now.path) {
        None => Ok(()),
        Some((other, ..)) => Err(Error::new(
            ErrorKind::Usage,
            format!("`{id}` followed `{}` at v{to}, and `{other}` follows that now", then.path),
        )
        .hint(format!("to take the content only: skillgraft export {id}@v{to} --to DIR, and commit it"))),
    }
}

/// Returns the version before the first one that had the present content, else the newest: without a number a rollback
/// goes further back each time, and never to what an earlier one took back.
fn version_before(
    registry: &Registry,
    state: &State,
    versions: &Versions,
    id: &SkillId,
    now: Option<Oid>,
) -> Result<u64> {
    let mut before = None;
    for (number, _) in versions.of(id) {
        if spec::version_at(registry, state, versions, id, number)?.0 == now {
            return before.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("`{id}` is what v{number} was, and has no version before that"))
                    .hint(format!("name the version to go to: skillgraft log {id}, then rollback {id} --to vN"))
            });
        }
        before = Some(number);
    }
    before.ok_or_else(|| {
        spec::no_version(registry, format!("`{id}` has no version to go back to: none of it was tagged yet"))
    })
}

/// The entry of the last first-parent commit that still had that tree.
fn last_entry_with(registry: &Registry, state: &State, id: &SkillId, tree: Oid) -> Result<Option<EntryState>> {
    let store = &registry.repository.store;
    for commit in first_parents(store, registry.head) {
        let (skill, blob) = skill_then(store, store.commit(commit?)?.tree, &state.layout, id)?;
        if skill == Some(tree) {
            return blob.map(|blob| read_entry(store, state.layout.entry(id).as_str(), blob)).transpose();
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("no commit of {} had this content of `{id}`", registry.branch.short())))
}
