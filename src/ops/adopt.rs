//! `adopt`: stops following an upstream. The content stays, as the team's own.

use super::{Commit, Outside, decline};
use crate::git::{Changes, Mode, Place, with_changes};
use crate::registry::{Changed, Destination, Entry, Registry, SkillState, State, Status, entry, source_file};
use crate::sync::{self, Branches, Reviewer};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName, short_revision};
use serde::Serialize;
use std::collections::BTreeMap;

/// What `adopt` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skills.
    pub skills: Vec<SkillId>,
    /// What each of them followed, in the same order: source and path.
    pub followed: Vec<Followed>,
    /// Sources that nothing follows any more; they were disabled.
    pub disabled: Vec<SourceName>,
    /// The commit.
    #[serde(flatten)]
    pub changed: Changed,
}

/// What a skill followed.
#[derive(Debug, Clone, Serialize)]
pub struct Followed {
    /// The source.
    pub source: SourceName,
    /// Where upstream has it now.
    pub path: RelPath,
}

/// An entry after adoption, and what it followed.
pub(super) struct Adopted {
    /// The entry's text.
    pub text: String,
    /// The source that it followed.
    pub source: SourceName,
    /// The path there.
    pub path: RelPath,
}

/// Adopts skills: their lineage is recorded, and their paths are excluded in the source, also those that upstream moved
/// them to, so that they do not come back as new ones.
pub fn adopt(outside: &Outside, ids: &[String], commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let mut changes = Changes::new();
    let mut skills: Vec<SkillId> = Vec::new();
    let (branches, mut unasked) = (Branches::load(&registry)?, Vec::new());
    let reviewer = Reviewer::new(&registry, &state, &branches, outside.today)?;
    let mut excluded: BTreeMap<SourceName, Vec<Vec<RelPath>>> = BTreeMap::new();
    let mut followed = Vec::new();
    for id in ids {
        let id = SkillId::parse(id)?;
        if skills.contains(&id) {
            continue;
        }
        let skill = state.skills.get(&id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no skill `{id}`")).hint("see them all: skillgraft list")
        })?;
        let Adopted { text, source, path } = adopted(&id, skill)?;
        let is_active = skill.entry().is_some_and(|entry| entry.status == Status::Active);
        if skill.tree.is_none() && is_active {
            let (directory, entry) = (state.layout.skill(&id), state.layout.entry(&id));
            return Err(Error::new(ErrorKind::NotFound, format!("{directory} is gone, so there is nothing to adopt"))
                .hint(format!(
                    "bring it back: skillgraft rollback {id} --reason TEXT, or take its entry away: git rm {entry}"
                )));
        }
        changes
            .insert(state.layout.entry(&id), Some(Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? }));
        // A source that is disabled below is not looked at again, so that no sync would close these.
        if branches.of_source(&registry, &source).contains(&id)
            && let Ok(review) = reviewer.review(&source, &id)
            && !review.edited
        {
            unasked.push(review);
        }
        let mut paths = vec![path];
        paths.extend(moved_to(&registry, &state, &id, skill)?.filter(|place| *place != paths[0]));
        let path = paths.last().expect("its entry names one").clone();
        followed.push(Followed { source: source.clone(), path });
        excluded.entry(source).or_default().push(paths);
        skills.push(id);
    }
    let mut disabled = Vec::new();
    for (name, paths) in excluded {
        // A source whose file is gone has nothing to exclude them in.
        let Some(source) = state.sources.get(&name) else { continue };
        source.file.as_ref().map_err(Clone::clone)?;
        let mut text = source.text.clone();
        // What another skill follows is no new one, and to exclude it would end that, too.
        let is_followed = |path: &RelPath| {
            let follows_it = |entry: &Entry| entry.upstream.as_ref().is_some_and(|up| up.path == *path);
            state.followers(&name).any(|(id, _, entry)| !skills.contains(id) && follows_it(entry))
        };
        for path in paths.iter().filter(|paths| !is_followed(&paths[0])).flatten().filter(|path| !is_followed(path)) {
            text = source_file::edit::with_excluded(&text, path)?;
        }
        if state.followers(&name).all(|(id, ..)| skills.contains(id)) {
            text = source_file::edit::with_enabled(&text, false)?;
            disabled.push(name.clone());
        }
        changes.insert(
            state.layout.source(&name),
            Some(Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? }),
        );
    }
    let list: Vec<_> = skills.iter().map(SkillId::as_str).collect();
    let message = format!("Adopt {}\n\nThe team's own from now on.\n", list.join(", "));
    let tree = with_changes(store, state.tree, &changes)?;
    let changed = commit.commit(&registry, outside, "adopt", tree, &message)?;
    if commit.destination == Destination::DefaultBranch {
        for review in &unasked {
            decline::close(outside, &registry, &branches, review, "skillgraft: adopt")?;
        }
    }
    Ok(Report { format: 1, skills, followed, disabled, changed })
}

/// Returns where upstream has the skill now, as far as its mirror tells.
fn moved_to(registry: &Registry, state: &State, id: &SkillId, skill: &SkillState) -> Result<Option<RelPath>> {
    let Some(upstream) = skill.entry().and_then(|entry| entry.upstream.as_ref()) else { return Ok(None) };
    let mirror = sync::standing_mirror(registry, &upstream.source)?;
    mirror.map(|mirror| sync::place_of(registry, state, &mirror, id, upstream)).transpose()
}

/// Returns a skill's entry without its upstream.
pub(super) fn adopted(id: &SkillId, skill: &SkillState) -> Result<Adopted> {
    let standing = skill
        .entry
        .as_ref()
        .map(|standing| standing.entry.as_ref().map_err(Clone::clone).map(|entry| (standing, entry)));
    let (standing, upstream) = match standing.transpose()? {
        Some((standing, entry)) if !entry.conflicts.is_empty() => {
            let _ = standing;
            return Err(Error::new(ErrorKind::Conflict, format!("`{id}` lists unresolved conflicts"))
                .hint(format!("resolve them first: skillgraft candidate resolve {id}")));
        }
        Some((standing, entry)) if entry.upstream.is_some() => (standing, entry.upstream.as_ref().expect("just asked")),
        _ => {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("`{id}` follows no upstream: it is the team's own already"),
            ));
        }
    };
    let at = upstream.revision.as_deref().map_or(String::new(), |id| format!("@{}", short_revision(id)));
    let text = entry::adopted(&standing.text, &format!("adopted_from:{}{at}", upstream.source))?;
    Ok(Adopted { text, source: upstream.source.clone(), path: upstream.path.clone() })
}
