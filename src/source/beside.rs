//! What is read beside the skills of a repository, so that it is fetched together with them: each request to a server is
//! a connection of its own, and a runner without a cache makes all of them in each run.

use super::discover::license_files;
use super::{Snapshot, marketplace, plugin};
use crate::git::{Oid, entry_at};
use crate::types::{RelPath, Result};
use std::collections::BTreeSet;

/// Returns the blobs of the licence files, plugins' manifests and the marketplace's file that cover the skills at `paths`;
/// nothing where upstream is here anyway.
pub fn beside(snapshot: &Snapshot, scope: &RelPath, paths: &[&RelPath]) -> Result<Vec<Oid>> {
    if snapshot.fetch.is_none() {
        return Ok(Vec::new());
    }
    let mut blobs: Vec<Oid> =
        license_files(snapshot, scope, paths.iter().copied())?.into_iter().map(|(_, id)| id).collect();
    if snapshot.scope.is_some() {
        // A plugin of a marketplace was looked at with it.
        return Ok(blobs);
    }
    let (store, tree) = (snapshot.store(), snapshot.tree);
    let above = |path: &&RelPath| std::iter::successors(Some((*path).clone()), RelPath::parent);
    for folder in paths.iter().flat_map(above).collect::<BTreeSet<RelPath>>() {
        blobs.extend(plugin::manifests_in(store, tree, &folder)?.into_iter().map(|(_, id)| id));
    }
    for file in marketplace::FILES {
        let place = entry_at(store, tree, &RelPath::parse(file).expect("a fixed name"))?;
        blobs.extend(place.filter(|place| place.mode.is_file()).map(|place| place.id));
    }
    Ok(blobs)
}
