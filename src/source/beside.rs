//! What is read beside the skills of a repository, so that it is fetched together with them: each request to a server is
//! a connection of its own, and a runner without a cache makes all of them in each run.

use super::discover::{and_above, license_files};
use super::{Snapshot, marketplace, plugin};
use crate::git::{Oid, Store, entry_at};
use crate::types::{RelPath, Result};

/// Returns the blobs of the licence files, plugins' manifests and the marketplace's file that cover the skills at `paths`;
/// nothing where upstream is here anyway.
pub fn beside(snapshot: &Snapshot, scope: &RelPath, paths: &[&RelPath]) -> Result<Vec<Oid>> {
    if snapshot.fetch.is_none() {
        return Ok(Vec::new());
    }
    let (store, tree) = (snapshot.store(), snapshot.tree);
    let mut blobs = licenses(store, tree, paths.iter().filter_map(|path| path.parent()).chain([scope.clone()]))?;
    // A plugin of a marketplace was looked at with it.
    if snapshot.scope.is_none() {
        blobs.extend(manifests(store, tree, paths)?);
    }
    Ok(blobs)
}

/// Returns those of the skill at `path` of the root `tree`, so that those of many states can be asked for at once.
pub fn beside_state(store: &Store, tree: Oid, path: &RelPath) -> Result<Vec<Oid>> {
    let mut blobs = licenses(store, tree, path.parent().into_iter())?;
    blobs.extend(manifests(store, tree, &[path])?);
    Ok(blobs)
}

fn licenses(store: &Store, tree: Oid, folders: impl Iterator<Item = RelPath>) -> Result<Vec<Oid>> {
    Ok(license_files(store, tree, and_above(folders))?.into_iter().map(|(_, id)| id).collect())
}

fn manifests(store: &Store, tree: Oid, skills: &[&RelPath]) -> Result<Vec<Oid>> {
    let mut blobs = Vec::new();
    for folder in and_above(skills.iter().map(|path| (*path).clone())) {
        blobs.extend(plugin::manifests_in(store, tree, &folder)?.into_iter().map(|(_, id)| id));
    }
    for file in marketplace::FILES {
        let place = entry_at(store, tree, &RelPath::parse(file).expect("a fixed name"))?;
        blobs.extend(place.filter(|place| place.mode.is_file()).map(|place| place.id));
    }
    Ok(blobs)
}
