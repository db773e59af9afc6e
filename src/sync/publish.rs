//! Moves what was decided, on this clone: all at once where that goes, in an order that survives being killed.

use super::report::{ErrorReport, Outcome, SourceReport};
use super::run::Run;
use crate::git::{RefChange, Refs};
use crate::registry::identity_at;
use crate::types::Result;

/// Whose refs move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The source's mirror.
    Mirror,
    /// A skill's, by its place in the source's report.
    Skill(usize),
    /// What is remembered of the source itself: runs that failed, offers of one that was removed.
    Memory,
}

/// What moves together: a source's mirror, or one skill's refs.
pub(super) struct Moves {
    pub(super) source: usize,
    pub(super) of: Of,
    pub(super) changes: Vec<RefChange>,
}

/// The order in which refs move. Files of git move one by one, so a run may be killed between any two: a base that a
/// candidate needs is there before it, what a candidate was is kept before it moves on, and `offered` names a candidate
/// that is gone only where a person deleted it.
pub(super) fn step(of: Of, change: &RefChange) -> u8 {
    let name = change.name.as_str();
    let is_branch = name.starts_with("refs/heads/");
    match (of, is_branch, change.new) {
        (Of::Mirror, ..) => 0,
        (_, true, _) => 1,
        (_, false, Some(_)) if name.starts_with("refs/skillgraft/offered/") => 2,
        _ => 0,
    }
}

/// Returns changes in the order of their steps, those of one step together.
pub(super) fn in_steps<'a>(changes: impl IntoIterator<Item = (Of, &'a RefChange)>) -> Vec<Vec<&'a RefChange>> {
    let mut steps: [Vec<&RefChange>; 3] = Default::default();
    for (of, change) in changes {
        steps[usize::from(step(of, change))].push(change);
    }
    steps.into_iter().filter(|step| !step.is_empty()).collect()
}

impl Run<'_> {
    /// Moves all refs in one transaction for each step; where that fails, one by one, so that a ref in the way fails
    /// alone.
    pub(super) fn publish(&self, moves: &[Moves], sources: &mut [SourceReport]) -> Result<()> {
        let refs = &self.registry.repository.refs;
        let identity = identity_at(self.options.now);
        if apply(refs, moves, &identity).is_ok() {
            return Ok(());
        }
        for moved in moves {
            let source = &mut sources[moved.source];
            // No candidate without its mirror: its base would not be reachable.
            if source.error.is_none()
                && let Err(error) = apply(refs, std::slice::from_ref(moved), &identity)
            {
                refuse(source, moved.of, &error);
            }
        }
        Ok(())
    }
}

fn apply(refs: &Refs, moves: &[Moves], identity: &str) -> Result<()> {
    let all = moves.iter().flat_map(|moved| moved.changes.iter().map(move |change| (moved.of, change)));
    for step in in_steps(all) {
        // What an attempt before this one has moved stays.
        let open = |change: &&RefChange| Ok(refs.get(change.name.as_str())? != change.new);
        let mut changes = Vec::new();
        for change in step {
            if open(&change)? {
                changes.push(change.clone());
            }
        }
        refs.apply(&changes, "skillgraft: sync", identity)?;
    }
    Ok(())
}

/// Says that a source's mirror, or one skill's refs, could not be moved.
pub(super) fn refuse(source: &mut SourceReport, of: Of, error: &crate::types::Error) {
    match of {
        Of::Mirror => {
            source.outcome = Outcome::Failed;
            source.error = Some(ErrorReport::from(error));
            source.skills.iter_mut().for_each(|skill| skill.candidate = None);
        }
        // Of a source that failed that is said already.
        Of::Skill(_) if source.error.is_some() => {}
        Of::Skill(skill) => {
            source.skills[skill].error = Some(ErrorReport::from(error));
            source.skills[skill].candidate = None;
        }
        // It decides nothing; the next run tries again.
        Of::Memory => {}
    }
}
