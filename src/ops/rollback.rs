//! `rollback`: content and entry of an earlier version in one commit (RULES, "Rollback").

use super::{Commit, Outside, spec};
use crate::git::{Changes, Mode, Oid, Place, first_parents, with_changes};
use crate::registry::{
    Changed, Day, Entry, EntryState, Person, Registry, SourceState, State, Upstream, entry, read_entry, skill_then,
};
use crate::skill::TreeHasher;
use crate::sync::versions::Versions;
use crate::sync::{place_of, standing_mirror};
use crate::types::{Error, ErrorKind, Result, SkillId, TreeHash};
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
    if let Some(wrong) = skill.unreadable() {
        return Err(wrong.clone());
    }
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
        is_place_free(&registry, &state, &id, now, then, to)?;
    }
    let person = Person::ask(&outside.git, &registry.repository)?;
    let mut changes = Changes::from([(state.layout.skill(&id), Some(Place { mode: Mode::Tree, id: tree }))]);
    let mut declined = false;
    if let (Some(then), Some(now), Some(before)) = (&then, now_up, then_up) {
        // A source that was renamed since keeps its present name.
        let mut text = entry::with_source(&then.text, &now.source)?;
        // What the team has declined, or asked for again, since then stays so. An entry declines one update only: where that
        // is what upstream has now, the abandoned one goes without, and is held as taken back.
        let holds = |declined: &entry::Declined| declined.until.is_none_or(|until| until.holds_on(outside.today));
        let mut decline = skill.entry().and_then(|entry| entry.declined.clone());
        if now.accepted != before.accepted
            && !is_offered(&registry, &state, &id, now, decline.as_ref().filter(|it| holds(it)))
        {
            decline = Some(entry::Declined {
                upstream: now.accepted.to_string(),
                reason: Some(reason.to_owned()),
                by: Some(person.name().to_owned()),
                until: None::<Day>,
            });
            declined = true;
        }
        if then.entry.as_ref().ok().and_then(|entry| entry.declined.as_ref()) != decline.as_ref() {
            text = entry::with_declined(&text, decline.as_ref())?;
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

/// Refuses to go back to an upstream path that another skill follows by now, or at which upstream has another one.
fn is_place_free(
    registry: &Registry,
    state: &State,
    id: &SkillId,
    now: &Upstream,
    then: &Upstream,
    to: u64,
) -> Result<()> {
    if then.path == now.path {
        return Ok(());
    }
    let follows_it = |entry: &Entry| entry.upstream.as_ref().is_some_and(|up| up.path == then.path);
    let mut others = state.followers(&now.source).filter(|(other, _, entry)| *other != id && follows_it(entry));
    let taken = match (others.next(), standing_mirror(registry, &now.source)?) {
        (Some((other, ..)), _) => Some(format!("`{other}` follows that now")),
        (None, Some(mirror)) if mirror.skills.contains_key(&then.path) => {
            let is_back = place_of(registry, state, &mirror, id, now)? == then.path;
            (!is_back).then(|| "upstream has another skill there now".to_owned())
        }
        _ => None,
    };
    match taken {
        None => Ok(()),
        Some(taken) => {
            Err(Error::new(ErrorKind::Usage, format!("`{id}` followed `{}` at v{to}, and {taken}", then.path))
                .hint(format!("to take the content only: skillgraft export {id}@v{to} --to DIR, and commit it")))
        }
    }
}

/// Tells whether the declined update is the one that upstream has now, as far as this clone knows.
fn is_offered(
    registry: &Registry,
    state: &State,
    id: &SkillId,
    now: &Upstream,
    declined: Option<&entry::Declined>,
) -> bool {
    let Some(declined) = declined else { return false };
    let offered = || -> Result<Option<TreeHash>> {
        let Some(mirror) = standing_mirror(registry, &now.source)? else { return Ok(None) };
        let tree = mirror.skills.get(&place_of(registry, state, &mirror, id, now)?);
        let hash = tree.map(|tree| TreeHasher::new(&registry.repository.store).hash(*tree)).transpose()?;
        Ok(Some(hash.unwrap_or(TreeHash::EMPTY)))
    };
    matches!(offered(), Ok(Some(hash)) if hash.to_string() == declined.upstream)
}

/// Returns the version before the first one that had the present content, else the newest: without a number a rollback
/// goes further back each time, and never to what an earlier one took back.
///
/// # Errors
/// Where that one has no tag yet: it is not passed over for an older one.
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
    let newest = before.ok_or_else(|| {
        spec::no_version(registry, format!("`{id}` has no version to go back to: none of it was tagged yet"))
    })?;
    let store = &registry.repository.store;
    let mut untagged = None;
    for version in versions.missing(store, state, registry.head)?.into_iter().filter(|version| version.skill == *id) {
        if skill_then(store, version.report.commit, &state.layout, id)?.0 == now {
            break;
        }
        untagged = Some(version.report.version);
    }
    match untagged {
        None => Ok(newest),
        Some(number) => Err(spec::no_version(
            registry,
            format!("`{id}` v{number}, the version before, was not tagged yet; the newest that was is v{newest}"),
        )),
    }
}

/// The entry of the last first-parent commit that still had that tree and was settled: what a conflict left as it was waits for
/// a decision there.
fn last_entry_with(registry: &Registry, state: &State, id: &SkillId, tree: Oid) -> Result<Option<EntryState>> {
    let store = &registry.repository.store;
    for commit in first_parents(store, registry.head) {
        let (skill, blob) = skill_then(store, commit?, &state.layout, id)?;
        if skill != Some(tree) {
            continue;
        }
        let state = blob.map(|blob| read_entry(store, state.layout.entry(id).as_str(), blob)).transpose()?;
        let is_open = |state: &EntryState| state.entry.as_ref().is_ok_and(|entry| !entry.conflicts.is_empty());
        if !state.as_ref().is_some_and(is_open) {
            return Ok(state);
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("no commit of {} had this content of `{id}`", registry.branch.short())))
}
