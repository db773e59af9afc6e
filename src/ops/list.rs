//! `list`: the skills of a registry.

use super::Outside;
use crate::git::{Oid, Store};
use crate::registry::Paused;
use crate::registry::{SkillState, State, Status};
use crate::skill::{SKILL_MD, TreeHasher, frontmatter, license};
use crate::types::{Result, SkillId, SourceName, TreeHash, one_line};
use jiff::civil::Date;
use serde::Serialize;

/// The skills of a registry.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skills, by id.
    pub skills: Vec<Item>,
}

/// One skill.
#[derive(Debug, Serialize)]
pub struct Item {
    /// Its id.
    pub id: SkillId,
    /// What its frontmatter says it is for.
    pub description: Option<String>,
    /// Its status.
    pub status: Status,
    /// Whether it is paused today.
    pub paused: bool,
    /// Who paused it, where it is paused today, why, and until when.
    pub pause: Option<Paused>,
    /// The source it follows; none: the team's own.
    pub source: Option<SourceName>,
    /// Its path there.
    pub path: Option<String>,
    /// Upstream's own version.
    pub version: Option<String>,
    /// Upstream's commit.
    pub revision: Option<String>,
    /// Its licence: an SPDX expression, or upstream's own words; none where nothing is stated or known.
    pub license: Option<String>,
    /// The hash of its tree; none where the directory is gone.
    pub tree: Option<TreeHash>,
    /// Whether the team has edited it; none for its own.
    pub edited: Option<bool>,
    /// How many conflicts its entry lists.
    pub conflicts: usize,
    /// What is wrong with its entry.
    pub error: Option<String>,
}

/// Lists the skills of the default branch.
pub fn list(outside: &Outside) -> Result<Report> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    Ok(Report { format: 1, skills: items(&registry.repository.store, &state, outside.today)? })
}

/// Describes every skill.
pub(super) fn items(store: &Store, state: &State, today: Date) -> Result<Vec<Item>> {
    use rayon::prelude::*;
    let hasher = TreeHasher::new(store);
    state
        .skills
        .iter()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(id, skill)| describe(store, &hasher, state, state.tree, id, skill, today))
        .collect()
}

/// Describes one skill as it stands in the registry's tree `root`.
pub(super) fn describe(
    store: &Store,
    hasher: &TreeHasher<'_>,
    state: &State,
    root: Oid,
    id: &SkillId,
    skill: &SkillState,
    today: Date,
) -> Result<Item> {
    let entry = skill.entry();
    let upstream = entry.and_then(|entry| entry.upstream.as_ref());
    let skill_md = match skill.tree {
        Some(tree) => store.tree(tree)?.get(SKILL_MD.as_bytes()).filter(|e| e.mode.is_file()).map(|e| e.id),
        None => None,
    };
    let read = skill_md.map(|blob| store.blob(blob)).transpose()?.map(|bytes| frontmatter::read(&bytes));
    let tree = skill.tree.map(|tree| hasher.hash(tree)).transpose()?;
    Ok(Item {
        id: id.clone(),
        description: read.as_ref().and_then(|read| read.description.as_deref()).map(|text| one_line(text, 300)),
        status: entry.map_or(Status::Active, |entry| entry.status),
        paused: entry.is_some_and(|entry| entry.paused_on(today)),
        pause: entry.and_then(|entry| entry.paused.clone()).filter(|paused| paused.holds_on(today)),
        source: upstream.map(|up| up.source.clone()),
        path: upstream.map(|up| up.path.to_string()),
        version: upstream.and_then(|up| up.version.clone()),
        revision: upstream.and_then(|up| up.revision.clone()),
        license: license_of(store, state, root, skill)?,
        tree,
        edited: upstream.map(|up| tree.unwrap_or(TreeHash::EMPTY) != up.accepted),
        conflicts: entry.map_or(0, |entry| entry.conflicts.len()),
        error: skill
            .entry
            .as_ref()
            .and_then(|e| e.entry.as_ref().err())
            .map(|e| crate::types::escape(&e.full_message())),
    })
}

/// Returns the licence of a skill: what its entry recorded when its present state was accepted, else what the skill and the
/// licence files in the registry's tree `root` are, else what the team wrote into the entry.
pub(super) fn license_of(store: &Store, state: &State, root: Oid, skill: &SkillState) -> Result<Option<String>> {
    let upstream = skill.entry().and_then(|entry| entry.upstream.as_ref());
    let recorded = upstream.and_then(|up| up.license.clone()).filter(|license| license::is_known(license));
    let Some(tree) = skill.tree.filter(|_| recorded.is_none()) else { return Ok(recorded) };
    // Of the team's own skills only what is in them counts: the registry's own licence is the team's affair.
    let kept = upstream.map(|up| crate::git::tree_at(store, root, &state.layout.licenses(&up.source)));
    let path = upstream.map(|up| up.path.clone()).unwrap_or_default();
    let known = license::of_skill(store, tree, kept.transpose()?.flatten(), &path)?;
    let word = skill.entry().and_then(|entry| entry.license.as_deref()).and_then(license::statement);
    // Words that only send the reader elsewhere are better than none.
    Ok(known.clone().filter(|license| license::is_known(license)).or(word).or(known))
}
