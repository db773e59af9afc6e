//! `list`: the skills of a registry.

use super::Outside;
use crate::git::Store;
use crate::registry::{SkillState, State, Status};
use crate::skill::{SKILL_MD, TreeHasher, frontmatter};
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
    /// The source it follows; none: the team's own.
    pub source: Option<SourceName>,
    /// Its path there.
    pub path: Option<String>,
    /// Upstream's own version.
    pub version: Option<String>,
    /// Upstream's commit.
    pub revision: Option<String>,
    /// Its licence, where stated.
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
        .map(|(id, skill)| describe(store, &hasher, id, skill, today))
        .collect()
}

/// Describes one skill.
pub(super) fn describe(
    store: &Store,
    hasher: &TreeHasher<'_>,
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
    let stated = read.as_ref().and_then(|read| read.license.as_deref()).map(|text| one_line(text, 100));
    Ok(Item {
        id: id.clone(),
        description: read.as_ref().and_then(|read| read.description.as_deref()).map(|text| one_line(text, 300)),
        status: entry.map_or(Status::Active, |entry| entry.status),
        paused: entry.is_some_and(|entry| entry.paused_on(today)),
        source: upstream.map(|up| up.source.clone()),
        path: upstream.map(|up| up.path.to_string()),
        version: upstream.and_then(|up| up.version.clone()),
        revision: upstream.and_then(|up| up.revision.clone()),
        license: upstream.and_then(|up| up.license.clone()).or(stated),
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
