//! `candidate list` and `candidate show`.

use super::Outside;
use crate::registry::{Registry, State};
use crate::sync::{Branches, Review, review};
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName};
use serde::Serialize;

/// The open candidates.
#[derive(Debug, Serialize)]
pub struct List {
    /// The format of this document.
    pub format: u32,
    /// The candidates, by source and skill.
    pub candidates: Vec<Review>,
    /// Branches that cannot be read as candidates.
    pub unreadable: Vec<String>,
}

/// One candidate.
#[derive(Debug, Serialize)]
pub struct Show {
    /// The format of this document.
    pub format: u32,
    /// The candidate.
    #[serde(flatten)]
    pub review: Review,
    /// The files that merging changes on the default branch.
    pub files: Vec<super::diff::FileSummary>,
}

/// Lists the open candidates.
pub fn list(outside: &Outside) -> Result<List> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    open(&registry, &state)
}

/// Reads all open candidates.
pub(super) fn open(registry: &Registry, state: &State) -> Result<List> {
    let branches = Branches::load(registry)?;
    let mut list = List { format: 1, candidates: Vec::new(), unreadable: Vec::new() };
    let mut known: Vec<(SourceName, SkillId)> =
        branches.names().filter_map(|name| registry.names.parse_candidate(name)).collect();
    known.sort();
    for (source, id) in known {
        match review(registry, state, &branches, &source, &id) {
            // A branch of the remote that was merged and is not yet pruned proposes nothing.
            Ok(review) if review.class == crate::sync::Class::Unchanged && !review.edited => {}
            Ok(review) => list.candidates.push(review),
            Err(error) => list.unreadable.push(crate::types::escape(&error.full_message())),
        }
    }
    Ok(list)
}

/// Reads one candidate.
pub fn show(outside: &Outside, id: &str) -> Result<Show> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let branches = Branches::load(&registry)?;
    let (source, skill) = find(&registry, &branches, id)?;
    let review = review(&registry, &state, &branches, &source, &skill)?;
    let store = &registry.repository.store;
    let files = super::diff::summarize(store, review.trees.local, review.trees.proposed)?;
    Ok(Show { format: 1, review, files })
}

/// Finds the candidate that `id` names: a branch, with or without `refs/heads/`, or a skill.
pub(super) fn find(registry: &Registry, branches: &Branches, id: &str) -> Result<(SourceName, SkillId)> {
    let none = || {
        Error::new(ErrorKind::NotFound, format!("there is no candidate `{}`", crate::types::one_line(id, 120)))
            .hint("see them all: skillgraft candidate list")
    };
    let full = if id.starts_with("refs/heads/") { id.to_owned() } else { format!("refs/heads/{id}") };
    let all: Vec<(&str, (SourceName, SkillId))> =
        branches.names().filter_map(|name| Some((name, registry.names.parse_candidate(name)?))).collect();
    if let Some((_, found)) = all.iter().find(|(name, _)| *name == full) {
        return Ok(found.clone());
    }
    let mut of_skill = all.iter().filter(|(_, (_, skill))| skill.as_str() == id);
    let first = of_skill.next().ok_or_else(none)?;
    match of_skill.next() {
        None => Ok(first.1.clone()),
        Some(second) => Err(Error::new(ErrorKind::Usage, format!("`{id}` has more than one candidate")).hint(format!(
            "name the branch: {} or {}",
            first.0.trim_start_matches("refs/heads/"),
            second.0.trim_start_matches("refs/heads/")
        ))),
    }
}
