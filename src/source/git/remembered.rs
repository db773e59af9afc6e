//! What a repository of the cache remembers of its upstream, as refs: where a ref was, and which commits are not there.

use crate::git::{FETCHED, Oid, RefChange, RefName, Repository};
use crate::registry::identity_at;
use crate::types::Result;
use sha2::{Digest as _, Sha256};

/// The refs of the cache that name what upstream has not: each points at the tip at which it was asked.
const MISSING: &str = "refs/skillgraft/missing/";

/// What `--offline` goes by: the commit that a ref was at when it was last asked for.
pub(super) fn tip_name(reference: Option<&str>) -> Result<RefName> {
    let hash = Sha256::digest(reference.unwrap_or("HEAD").as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    RefName::parse(format!("refs/skillgraft/tip/{hex}"))
}

/// A cache may forget: a failure to remember costs `--offline`, not this run.
pub(super) fn remember_tip(repository: &Repository, reference: Option<&str>, commit: Oid) {
    let Ok(name) = tip_name(reference) else { return };
    let Ok(expected) = repository.refs.get(name.as_str()) else { return };
    if expected != Some(commit) {
        let change = RefChange { name, expected, new: Some(commit) };
        let _ = repository.refs.apply(&[change], "skillgraft: fetched", &identity_at(0));
    }
}

/// Tells whether upstream was asked for `revision` in vain when `reference` was where it is now.
pub(super) fn is_known_missing(repository: &Repository, reference: Option<&str>, revision: &str) -> Result<bool> {
    let asked_at = repository.refs.get(missing_name(revision)?.as_str())?;
    Ok(asked_at.is_some() && asked_at == repository.refs.get(tip_name(reference)?.as_str())?)
}

/// Remembers it, so that each sync does not ask in vain. A cache may forget: then the next one asks again.
pub(super) fn remember_missing(repository: &Repository, reference: Option<&str>, revision: &str) {
    let Ok(name) = missing_name(revision) else { return };
    let tip = tip_name(reference).and_then(|tip| repository.refs.get(tip.as_str()));
    let (Ok(Some(tip)), Ok(expected)) = (tip, repository.refs.get(name.as_str())) else { return };
    let change = RefChange { name, expected, new: Some(tip) };
    let _ = repository.refs.apply(&[change], "skillgraft: not there", &identity_at(0));
}

fn missing_name(revision: &str) -> Result<RefName> {
    RefName::parse(format!("{MISSING}{revision}"))
}

/// Drops the refs of snapshots that no tip names, so that git can sweep up their objects.
pub(super) fn forget_others(repository: &Repository, fetched: Oid) {
    let Ok(tips) = repository.refs.list("refs/skillgraft/tip/") else { return };
    let Ok(all) = repository.refs.list(FETCHED) else { return };
    let missing = repository.refs.list(MISSING).unwrap_or_default();
    let old = all.into_iter().chain(missing).filter(|(_, id)| *id != fetched && !tips.values().any(|tip| tip == id));
    let changes: Vec<RefChange> = old
        .filter_map(|(name, id)| Some(RefChange { name: RefName::parse(name).ok()?, expected: Some(id), new: None }))
        .collect();
    let _ = repository.refs.apply(&changes, "skillgraft: fetched", &identity_at(0));
}
