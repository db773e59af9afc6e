//! The class of a skill, from three trees and a few facts. Pure: no I/O (RULES, "Class, in this order").

use crate::types::TreeHash;
use serde::Serialize;

/// What an update is to a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The entry says that the skill is disabled or declined.
    Disabled,
    /// The entry says that the skill is paused.
    Paused,
    /// The entry on the default branch lists a conflict: skipped and reported.
    Conflicted,
    /// The entry stands, its directory is gone.
    MissingLocal,
    /// The source's settings no longer select the skill's path.
    Unselected,
    /// Upstream is the base.
    Unchanged,
    /// Upstream is the base, at another path; only the entry has to move.
    Moved,
    /// The skill left a source that still lists others.
    Removed,
    /// Local is upstream already; only the entry has to move.
    AlreadyApplied,
    /// Local is the base.
    FastForward,
    /// All three differ.
    ThreeWay,
    /// The skill appeared upstream.
    New,
}

impl Class {
    /// Returns the name, as JSON and messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Disabled => "disabled",
            Class::Paused => "paused",
            Class::Conflicted => "conflicted",
            Class::MissingLocal => "missing_local",
            Class::Unselected => "unselected",
            Class::Unchanged => "unchanged",
            Class::Moved => "moved",
            Class::Removed => "removed",
            Class::AlreadyApplied => "already_applied",
            Class::FastForward => "fast_forward",
            Class::ThreeWay => "three_way",
            Class::New => "new",
        }
    }

    /// Tells whether this class asks for a candidate.
    pub fn wants_candidate(self) -> bool {
        !matches!(
            self,
            Class::Disabled
                | Class::Paused
                | Class::Conflicted
                | Class::MissingLocal
                | Class::Unselected
                | Class::Unchanged
        )
    }
}

/// What a skill with an entry is classified by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The entry's status is not `active`.
    pub disabled: bool,
    /// The entry is paused today.
    pub paused: bool,
    /// The entry lists a conflict.
    pub conflicted: bool,
    /// The source's settings select the skill.
    pub selected: bool,
    /// Upstream has the skill at another path than the entry's.
    pub moved: bool,
    /// The entry's `accepted`; [`TreeHash::EMPTY`] where a removal was accepted.
    pub base: TreeHash,
    /// The skill on the default branch.
    pub local: Option<TreeHash>,
    /// The skill in the mirror's head.
    pub upstream: Option<TreeHash>,
}

/// Returns the class of a skill that has an entry.
pub fn classify(facts: &Facts) -> Class {
    let base = (facts.base != TreeHash::EMPTY).then_some(facts.base);
    match facts {
        Facts { disabled: true, .. } => Class::Disabled,
        Facts { paused: true, .. } => Class::Paused,
        Facts { conflicted: true, .. } => Class::Conflicted,
        Facts { local: None, .. } if base.is_some() => Class::MissingLocal,
        Facts { selected: false, .. } => Class::Unselected,
        Facts { upstream, moved: true, .. } if *upstream == base => Class::Moved,
        Facts { upstream, .. } if *upstream == base => Class::Unchanged,
        Facts { upstream: None, .. } => Class::Removed,
        Facts { upstream, local, .. } if local == upstream => Class::AlreadyApplied,
        Facts { local, .. } if *local == base => Class::FastForward,
        _ => Class::ThreeWay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> Option<TreeHash> {
        (n > 0).then(|| TreeHash::from_bytes([n; 32]))
    }

    #[test]
    fn the_order_of_the_classes_is_the_order_of_the_rules() {
        let all = |base, local, upstream| {
            let base = hash(base).unwrap_or(TreeHash::EMPTY);
            let (local, upstream) = (hash(local), hash(upstream));
            Facts {
                disabled: false,
                paused: false,
                conflicted: false,
                selected: true,
                moved: false,
                base,
                local,
                upstream,
            }
        };
        for ((base, local, upstream), class) in [
            ((1, 1, 1), Class::Unchanged),
            ((1, 2, 1), Class::Unchanged),
            ((1, 1, 2), Class::FastForward),
            ((1, 2, 2), Class::AlreadyApplied),
            ((1, 2, 3), Class::ThreeWay),
            ((1, 1, 0), Class::Removed),
            ((1, 2, 0), Class::Removed),
            ((1, 0, 2), Class::MissingLocal),
            ((1, 0, 1), Class::MissingLocal),
            ((0, 0, 0), Class::Unchanged),
            ((0, 0, 2), Class::FastForward),
            ((0, 2, 0), Class::Unchanged),
            ((0, 2, 2), Class::AlreadyApplied),
            ((0, 1, 2), Class::ThreeWay),
        ] {
            assert_eq!(classify(&all(base, local, upstream)), class, "{base} {local} {upstream}");
        }
        for ((base, local, upstream), class) in [
            ((1, 1, 1), Class::Moved),
            ((1, 2, 1), Class::Moved),
            ((1, 1, 2), Class::FastForward),
            ((1, 2, 2), Class::AlreadyApplied),
            ((1, 2, 3), Class::ThreeWay),
            ((1, 0, 1), Class::MissingLocal),
        ] {
            let facts = Facts { moved: true, ..all(base, local, upstream) };
            assert_eq!(classify(&facts), class, "moved: {base} {local} {upstream}");
        }
        let facts = all(1, 0, 2);
        assert_eq!(classify(&Facts { conflicted: true, ..facts }), Class::Conflicted);
        assert_eq!(classify(&Facts { paused: true, conflicted: true, ..facts }), Class::Paused);
        assert_eq!(classify(&Facts { selected: false, ..facts }), Class::MissingLocal);
        assert_eq!(classify(&Facts { selected: false, ..all(1, 1, 2) }), Class::Unselected);
    }
}
