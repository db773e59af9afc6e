//! The verdict on a candidate: what is true of the branch as it stands, in words of ours only.

use super::BranchEdits;
use crate::sync::candidate_state::CandidateState;
use crate::sync::classify::Class;
use crate::sync::held::Held;
use crate::types::TreeHash;

/// What a verdict follows from.
pub struct Facts<'a> {
    /// What the update is to the skill on the default branch now.
    pub class: Class,
    /// What has become of the branch.
    pub state: CandidateState,
    /// The merge base.
    pub base: Option<TreeHash>,
    /// The skill on the default branch.
    pub local: Option<TreeHash>,
    /// The skill upstream.
    pub upstream: TreeHash,
    /// How many conflicts the branch lists.
    pub conflicts: usize,
    /// Whether the next sync makes it again.
    pub stale: bool,
    /// Whether people's edits were carried to it.
    pub carried: bool,
    /// Whether people edited it.
    pub edited: bool,
    /// What they did.
    pub branch_edits: Option<&'a BranchEdits>,
    /// The decision that holds the update back.
    pub held: Option<&'a Held>,
}

/// Returns the verdict: what moved, what was decided, and what people did on the branch.
pub fn verdict(facts: &Facts<'_>) -> String {
    let sentences = [moved(facts), decided(facts), edits(facts)];
    sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" ")
}

fn moved(facts: &Facts<'_>) -> String {
    let short = |hash: Option<TreeHash>| match hash.filter(|hash| *hash != TreeHash::EMPTY) {
        Some(hash) => hash.to_string().split_once(':').map_or(String::new(), |(_, hex)| hex[..10].to_owned()),
        None => "nothing".into(),
    };
    let (base, local, upstream) = (short(facts.base), short(facts.local), short(Some(facts.upstream)));
    let left = match facts.conflicts {
        0 => String::new(),
        1 => "; 1 conflict is left to a person".into(),
        n => format!("; {n} conflicts are left to a person"),
    };
    // What follows from the class follows only for a branch that is the tool's own, and wanted.
    let follows = |what: &str| if facts.edited || facts.held.is_some() { String::new() } else { what.to_owned() };
    match facts.class {
        Class::New => {
            format!("The skill is new upstream ({upstream}){}{left}.", follows("; the entry makes that its base"))
        }
        Class::Removed if local == base => {
            format!("Upstream removed the skill; here it is still the base ({base}){}{left}.", follows(", so it goes"))
        }
        Class::Removed => format!("Upstream removed the skill (base {base}); here it was edited ({local}){left}."),
        Class::AlreadyApplied => format!(
            "Upstream moved from the base {base} to {upstream}, and that is what stands here already{}{left}.",
            follows("; only the entry moves, to be the next merge base")
        ),
        Class::FastForward => format!(
            "Upstream moved from the base {base} to {upstream}; here the base still stands{}{left}.",
            follows(", so the skill becomes what upstream has")
        ),
        Class::ThreeWay => format!(
            "Upstream moved from the base {base} to {upstream}, and the skill was edited here ({local}): all three \
             differ, and both changes are merged{left}."
        ),
        Class::Moved => {
            let follows = follows("; only the entry moves, to where it is now");
            format!("Upstream still has the base {base}, at another path{follows}{left}.")
        }
        Class::Disabled => {
            format!("The skill is disabled here, so sync proposes nothing; the branch offers {upstream}{left}.")
        }
        Class::Paused => {
            format!("The skill is paused here, so sync leaves the branch alone; it offers {upstream}{left}.")
        }
        Class::Conflicted => {
            format!(
                "The entry on the default branch lists a conflict, which comes first; the branch offers {upstream}{left}."
            )
        }
        Class::MissingLocal => {
            format!(
                "The entry stands here and its directory is gone, so sync proposes nothing; the branch offers {upstream}{left}."
            )
        }
        Class::Unselected => {
            format!("The source's settings do not select the skill's path; the branch offers {upstream}{left}.")
        }
        Class::Unchanged => {
            format!("The default branch has this update: its base is {upstream}, and {local} stands here{left}.")
        }
    }
}

fn decided(facts: &Facts<'_>) -> String {
    let until = facts.held.and_then(|held| held.until).map_or(String::new(), |day| format!(" (or past {})", day.0));
    match facts.state {
        CandidateState::Declined if facts.class == Class::Unselected => String::new(),
        CandidateState::Declined => {
            format!("The team declined this very update: it is held until upstream moves on{until}.")
        }
        CandidateState::Reverted => {
            format!("The team had this very update and took it back: it is held until upstream moves on{until}.")
        }
        CandidateState::Accepted if facts.class != Class::Unchanged => {
            "All of it is on the default branch; only the branch is left.".into()
        }
        CandidateState::PartlyAccepted => "A part of the branch is on the default branch, not all.".into(),
        _ if facts.stale && facts.class.wants_candidate() => {
            let next =
                if facts.edited { "carries its edits on, or says why not" } else { "makes it again, or closes it" };
            format!("Upstream or the default branch has moved since: the next sync {next}.")
        }
        _ => String::new(),
    }
}

fn edits(facts: &Facts<'_>) -> String {
    let n = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    if !facts.edited {
        return String::new();
    }
    let Some(edits) = facts.branch_edits else {
        return "The mirror is not here, so that nobody can tell what people edited on the branch.".into();
    };
    let who = match edits.commits {
        0 => "People edited the branch by amending the tool's commit".to_owned(),
        commits => format!("People edited the branch in {}", n(commits, "commit")),
    };
    let carried = if facts.carried { ", and that was carried on to this update" } else { "" };
    let fared = match edits.files.as_ref().map(Vec::len) {
        None => "what of it stands can no longer be told".to_owned(),
        Some(0) => "nothing of it differs from what the tool makes".into(),
        Some(1) => "1 file differs from what the tool makes, and merging brings it as it stands on the branch".into(),
        Some(files) => format!(
            "{files} files differ from what the tool makes, and merging brings them as they stand on the branch"
        ),
    };
    format!("{who}{carried}: {fared}.")
}
