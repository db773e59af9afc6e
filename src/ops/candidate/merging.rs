//! What merging a candidate's branch does as it stands, by any button.

use crate::sync::{CandidateState, Class, Review};
use serde::Serialize;

/// What merging a branch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Merging {
    /// Nothing is left to merge.
    Done,
    /// The branch lists conflicts.
    Refused,
    /// The team does not want this very update.
    Held,
    /// The skill is disabled, paused, in conflict, missing or not selected here.
    Blocked,
    /// The branch was made on another state of the skill.
    Stale,
    /// Merge and squash work, a rebase does not.
    NoRebase,
    /// Any button does.
    Any,
}

impl Merging {
    /// Returns what merging the branch of a candidate does.
    pub fn of(review: &Review) -> Self {
        match review.state {
            CandidateState::Accepted => Merging::Done,
            CandidateState::Reverted | CandidateState::Declined => Merging::Held,
            _ if !review.class.wants_candidate() && review.class != Class::Unchanged => Merging::Blocked,
            _ if !review.conflicts.is_empty() => Merging::Refused,
            _ if review.stale => Merging::Stale,
            _ if review.carried => Merging::NoRebase,
            _ => Merging::Any,
        }
    }

    /// Returns it in words.
    pub fn words(self) -> &'static str {
        match self {
            Merging::Done => "Merging it changes nothing.",
            Merging::Refused => "It is not to be merged before its conflicts are resolved on the branch.",
            Merging::Held => "Merging it takes in an update that the team does not want.",
            Merging::Blocked => "It is not to be merged as the skill stands on the default branch.",
            Merging::Stale => "It is not to be merged before a sync has brought it in step.",
            Merging::NoRebase => {
                "Merge it or squash it; git refuses to rebase it, because people's edits were carried on in a merge."
            }
            Merging::Any => "Any merge button does.",
        }
    }
}
