//! What has become of a candidate: one word, the same on every clone.

use serde::Serialize;

/// The state of a candidate's branch, from refs, trees and entries alone. Where several are true, the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateState {
    /// The team had this very update on the default branch and took it back.
    Reverted,
    /// The entry's `[declined]` names this very update, or the source's settings exclude the skill.
    Declined,
    /// Its whole change is on the default branch; only the branch is left.
    Accepted,
    /// Some of its change is on the default branch, not all.
    PartlyAccepted,
    /// Upstream or the default branch has moved since: the next sync makes it again, carries its edits, or closes it.
    Stale,
    /// It lists a conflict that a person has to decide.
    Conflicted,
    /// People's edits of an earlier candidate were carried to it.
    Carried,
    /// People have edited it.
    Edited,
    /// It is the tool's own, and may be merged.
    Open,
}

impl CandidateState {
    /// Returns the name, as JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            CandidateState::Reverted => "reverted",
            CandidateState::Declined => "declined",
            CandidateState::Accepted => "accepted",
            CandidateState::PartlyAccepted => "partly_accepted",
            CandidateState::Stale => "stale",
            CandidateState::Conflicted => "conflicted",
            CandidateState::Carried => "carried",
            CandidateState::Edited => "edited",
            CandidateState::Open => "open",
        }
    }

    /// Tells whether it still asks a person for something.
    pub fn awaits_decision(self) -> bool {
        !matches!(self, CandidateState::Reverted | CandidateState::Declined | CandidateState::Accepted)
    }
}
