//! Joins what a mirror's history lacks: bases that entries name, and the mirror of another clone.

use super::{FIRST_DATE, REVISION, trailer, tree_of, write};
use crate::git::{History, Oid, Store};
use crate::registry::Upstream;
use crate::types::{Result, SourceName, inert};
use std::collections::BTreeMap;

/// Mirror 4: joins the bases that the mirror's history lacks, so that every merge base stays reachable. Returns the
/// head to go on from, or none where nothing was missing.
pub fn join_missing_bases<'e>(
    store: &Store,
    head: Oid,
    source: &SourceName,
    followed: impl Iterator<Item = &'e Upstream>,
) -> Result<Option<Oid>> {
    let history = History::of(store, head)?;
    let mut missing = Vec::new();
    for upstream in followed {
        let is_removal = upstream.git_tree == store.empty_tree();
        if is_removal || history.contains_if_present(upstream.mirror)? || !store.contains(upstream.git_tree) {
            continue;
        }
        let base = commit_of_base(store, source, upstream)?;
        if !history.contains_if_present(base)? {
            missing.push(base);
        }
    }
    if missing.is_empty() {
        return Ok(None);
    }
    missing.sort_unstable();
    missing.dedup();
    let commit = store.commit(head)?;
    let parents = std::iter::once(head).chain(missing).collect();
    let trailer = trailer(commit.trailer(REVISION));
    let message = format!("mirror {source}: join bases\n{trailer}");
    write(store, commit.tree, parents, commit.committed, message).map(Some)
}

/// Returns the parentless commit that holds only a skill's base at its path. Its date is fixed, so that every clone
/// makes the same one without asking upstream.
pub fn commit_of_base(store: &Store, source: &SourceName, upstream: &Upstream) -> Result<Oid> {
    let tree = tree_of(store, &BTreeMap::from([(upstream.path.clone(), upstream.git_tree)]), &[])?;
    let trailer = trailer(upstream.revision.as_deref());
    write(
        store,
        tree,
        Vec::new(),
        FIRST_DATE,
        format!("mirror {source}: base of {}\n{trailer}", inert(upstream.path.as_str())),
    )
}

/// Mirror 5: joins two mirrors that have diverged; the remote's goes first and gives the tree.
pub fn join_diverged(store: &Store, source: &SourceName, remote: Oid, local: Oid) -> Result<Oid> {
    let commit = store.commit(remote)?;
    let trailer = trailer(commit.trailer(REVISION));
    let date = commit.committed.max(store.commit(local)?.committed);
    write(store, commit.tree, vec![remote, local], date, format!("mirror {source}: join diverged mirrors\n{trailer}"))
}
