//! The open candidates of a source whose name goes: they are closed, unless somebody's work is in one.

use crate::git::{Oid, RefChange, RefName};
use crate::ops::{Outside, identity};
use crate::registry::{Registry, State};
use crate::sync::{Branches, Reviewer};
use crate::types::{Error, ErrorKind, Result, SourceName};

/// The refs of the open candidates of a source, which go when it does.
///
/// # Errors
/// Where somebody has edited one: nobody's work goes with a source.
pub(super) fn open_candidates(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    source: &SourceName,
) -> Result<Vec<(RefName, Oid)>> {
    let branches = Branches::load(registry)?;
    let reviewer = Reviewer::new(registry, state, &branches, outside.today)?;
    let mut refs = Vec::new();
    for id in branches.of_source(registry, source) {
        let branch = branches.get(&registry.repository.store, &registry.names.candidate(source, &id)?)?;
        let why = match reviewer.review(source, &id) {
            Ok(review) if review.edited => Some("has edits"),
            // What is no candidate is somebody's own.
            Err(_) => Some("is no candidate that this tool made"),
            Ok(_) => branch.diverged.then_some("differs from the remote's"),
        };
        if let Some(why) = why {
            return Err(Error::new(ErrorKind::Conflict, format!("{} {why}", branch.name.short()))
                .hint("merge it or delete it first, then run the command again"));
        }
        if branch.checked_out {
            let there = registry.repository.work_tree_of_branch(&branch.name)?.unwrap_or_default();
            return Err(Error::new(ErrorKind::Conflict, format!("{} is checked out", branch.name.short()))
                .hint(format!("leave it there first: git -C '{}' switch --detach", there.display())));
        }
        refs.extend(branch.local.map(|head| (branch.name, head)));
        let offered = registry.names.offered(source, &id)?;
        refs.extend(branches.own(&offered).map(|head| (offered, head)));
    }
    Ok(refs)
}

pub(super) fn close(refs: Vec<(RefName, Oid)>) -> Vec<RefChange> {
    refs.into_iter().map(|(name, head)| RefChange { name, expected: Some(head), new: None }).collect()
}

pub(super) fn apply(outside: &Outside, registry: &Registry, changes: &[RefChange], message: &str) -> Result<()> {
    registry.repository.refs.apply(changes, message, &identity(outside))
}
