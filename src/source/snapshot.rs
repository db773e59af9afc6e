//! One observed state of an upstream: a git tree, whatever the upstream is.
//!
//! Everything that is not git becomes a tree in memory before anyone looks at it, so that discovery, links and limits
//! are written once. Nothing is ever checked out.

use super::plugin::Scope;
use crate::git::{Mode, Oid, Repository, Store};
use crate::types::{RelPath, Result};
use std::sync::Arc;

/// Fetches blobs that a filtered fetch left out.
pub type FetchBlobs = Arc<dyn Fn(&[Oid]) -> Result<()> + Send + Sync>;

/// Where a snapshot's objects are.
#[derive(Clone)]
pub enum Objects {
    /// In a repository: upstream's own, or the cache.
    Repository(Arc<Repository>),
    /// In memory.
    Memory(Arc<Store>),
}

/// One observed state of an upstream.
#[derive(Clone)]
pub struct Snapshot {
    /// Its objects.
    pub objects: Objects,
    /// Its root tree.
    pub tree: Oid,
    /// Its commit; a plain directory has none.
    pub revision: Option<String>,
    /// The commit's date, in seconds since 1970; a plain directory has none.
    pub date: Option<i64>,
    /// How blobs that are not here are fetched, where that is possible.
    pub fetch: Option<FetchBlobs>,
    /// What of it is looked at, where that is one plugin.
    pub scope: Option<Scope>,
}

impl Snapshot {
    /// Returns the objects.
    pub fn store(&self) -> &Store {
        match &self.objects {
            Objects::Repository(repository) => &repository.store,
            Objects::Memory(store) => store,
        }
    }

    /// Makes sure that these blobs can be read, in one request.
    pub fn need(&self, blobs: impl IntoIterator<Item = Oid>) -> Result<()> {
        let Some(fetch) = &self.fetch else { return Ok(()) };
        let mut missing: Vec<Oid> = blobs.into_iter().filter(|id| !self.store().contains(*id)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        fetch(&missing)?;
        self.store().refresh();
        Ok(())
    }

    /// Returns the folders that have the skills of a source that looks in `folder`.
    pub fn folders<'s>(&'s self, folder: &'s RelPath) -> &'s [RelPath] {
        self.scope.as_ref().map_or(std::slice::from_ref(folder), |scope| &scope.folders)
    }

    /// Returns the target of a symbolic link.
    pub fn link_target(&self, link: Oid) -> Result<Vec<u8>> {
        self.need([link])?;
        self.store().blob(link)
    }

    /// Returns the tree's entries as modes, names and ids.
    pub fn list(&self, tree: Oid) -> Result<Vec<(Mode, Vec<u8>, Oid)>> {
        Ok(self.store().tree(tree)?.entries().iter().map(|e| (e.mode, e.name.to_vec(), e.id)).collect())
    }
}
