//! `status`: sources, skills and what waits, without asking anybody.

use super::{Outside, candidate, list, source};
use crate::registry::Uncommitted;
use crate::sync::report::SkillReport;
use crate::sync::{self, Review, failures};
use crate::types::{Result, SourceName};
use serde::Serialize;

/// The state of a registry.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The default branch.
    pub branch: String,
    /// Its head.
    pub head: crate::git::Oid,
    /// The sources.
    pub sources: Vec<source::Item>,
    /// How many skills there are.
    pub skills: usize,
    /// How many are the team's own.
    pub own: usize,
    /// How many follow an upstream and were edited here.
    pub edited: usize,
    /// What waits for review.
    pub candidates: Vec<Review>,
    /// What sync does not propose, as it reports it: held updates, paused and unselected skills, unknown bases.
    pub held_back: Vec<SkillReport>,
    /// The sources that failed in each of the last runs.
    pub failing: Vec<Failing>,
    /// What is wrong on the default branch: entries and sources that cannot be read, conflicts, missing directories.
    pub problems: Vec<String>,
    /// Settings and source files of the work tree that are not committed as they stand, so that nothing here tells of them.
    pub uncommitted: Vec<Uncommitted>,
}

/// A source that fails again and again.
#[derive(Debug, Serialize)]
pub struct Failing {
    /// The source.
    pub source: SourceName,
    /// How many runs in a row, at most [`failures::RUNS`].
    pub runs: u32,
    /// What kind of thing was wrong the first time, as errors name it.
    pub kind: String,
}

/// Looks at the registry.
pub fn status(outside: &Outside) -> Result<Report> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let sources = source::list(outside)?.sources;
    let skills = list::items(&registry.repository.store, &state, outside.today)?;
    let open = candidate::open(outside, &registry, &state)?;
    let mut problems: Vec<String> = sources.iter().filter_map(|source| source.error.clone()).collect();
    for skill in &skills {
        problems.extend(skill.error.clone());
        if skill.conflicts > 0 {
            problems.push(format!("`{}` lists unresolved conflicts on the default branch", skill.id));
        }
        let is_missing =
            skill.tree.is_none() && skill.edited == Some(true) && skill.status == crate::registry::Status::Active;
        if is_missing {
            problems.push(format!("`{}` has an entry, but its directory is gone", skill.id));
        }
        if skill.tree.is_some() && skill.status == crate::registry::Status::Disabled {
            problems.push(format!("`{}` is disabled, but its directory is there, so agents load it", skill.id));
        }
    }
    problems.extend(open.unreadable);
    let quiet = |_: &str| {};
    let held_back = sync::held_back(&registry, &state, &outside.offline(&quiet), None)?;
    let mut failing = Vec::new();
    for name in state.sources.keys() {
        if let Some(failure) = failures::failure(&registry, name)?.filter(|failure| failure.runs >= failures::RUNS) {
            failing.push(Failing { source: name.clone(), runs: failure.runs, kind: failure.kind });
        }
    }
    Ok(Report {
        format: 1,
        branch: registry.branch.short().to_owned(),
        head: registry.head,
        skills: skills.len(),
        own: skills.iter().filter(|skill| skill.source.is_none()).count(),
        edited: skills.iter().filter(|skill| skill.edited == Some(true)).count(),
        sources,
        // A branch of the remote that was merged and is not yet pruned proposes nothing.
        candidates: open.candidates.into_iter().filter(Review::awaits_decision).collect(),
        held_back,
        failing,
        problems,
        uncommitted: registry.uncommitted()?,
    })
}

impl Report {
    /// Tells whether something awaits a person.
    pub fn awaits_decision(&self) -> bool {
        // A held update and a pause were decided already.
        let open = |skill: &SkillReport| skill.error.is_some() || skill.hold.is_none() && skill.notice.is_some();
        let open = self.held_back.iter().any(open);
        open || !self.candidates.is_empty() || !self.failing.is_empty() || !self.problems.is_empty()
    }
}
