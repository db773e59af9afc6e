//! `candidate list` and `candidate show`.

mod edits;
mod merging;
mod pull_request;

pub use edits::{Fate, LocalEdit, Region};
pub use merging::Merging;
pub use pull_request::{LONGEST, PullRequest};

use super::Outside;
use crate::registry::{Origin, Registry, State};
use crate::source::compare_url;
use crate::sync::{Branches, Review, Reviewer};
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName};
use rayon::prelude::*;
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
    /// The files that were edited here since the base, with what becomes of the edits.
    pub local_edits: Vec<LocalEdit>,
    /// The places with conflict markers.
    pub regions: Vec<Region>,
    /// What merging the branch does as it stands.
    pub merging: Merging,
    /// What a pull request for it says.
    pub pull_request: PullRequest,
}

/// Lists the open candidates.
pub fn list(outside: &Outside) -> Result<List> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    open(outside, &registry, &state)
}

/// Reads all open candidates.
pub(super) fn open(outside: &Outside, registry: &Registry, state: &State) -> Result<List> {
    let branches = Branches::load(registry)?;
    let mut list = List { format: 1, candidates: Vec::new(), unreadable: Vec::new() };
    let mut known: Vec<(SourceName, SkillId)> =
        branches.names().filter_map(|name| registry.names.parse_candidate(name)).collect();
    known.sort();
    let reviewer = Reviewer::new(registry, state, &branches, outside.today)?;
    let reviews: Vec<Result<Review>> = known.par_iter().map(|(source, id)| reviewer.review(source, id)).collect();
    for review in reviews {
        match review {
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
    let review = Reviewer::new(&registry, &state, &branches, outside.today)?.review(&source, &skill)?;
    let store = &registry.repository.store;
    let files = super::diff::summarize(store, review.trees.local, review.trees.proposed)?;
    let (local_edits, regions) = (edits::local_edits(store, &review)?, edits::regions(store, &review)?);
    let source = state.sources.get(&source).and_then(|source| source.file.as_ref().ok());
    let compare = match (source.map(|source| &source.origin), &review.base_revision, &review.revision) {
        (Some(Origin::Git(url)), Some(old), Some(new)) => compare_url(url, old, new),
        _ => None,
    };
    let pull_request = PullRequest { title: String::new(), body: String::new() };
    let merging = Merging::of(&review);
    let mut show = Show { format: 1, review, files, local_edits, regions, merging, pull_request };
    show.pull_request = PullRequest::of(&show, compare.as_deref());
    Ok(show)
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
