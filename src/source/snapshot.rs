//! One observed state of an upstream: a git tree, whatever the upstream is.
//!
//! Everything that is not git becomes a tree in memory before anyone looks at it, so that discovery, links and limits
//! are written once. Nothing is ever checked out.

use super::assemble::Remark;
use super::plugin::Scope;
use crate::git::{Mode, Oid, Place, Repository, Store, TreeEntry};
use crate::types::{RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};
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

/// What an upstream that lists its skills says, and what its tree cannot show.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Skills that upstream has, whether or not they could be read: what could not be read is not gone.
    pub skills: BTreeSet<RelPath>,
    /// Skills that could not be taken.
    pub rejected: Vec<Remark>,
    /// What is odd about the others.
    pub remarks: Vec<Remark>,
}

/// One observed state of an upstream.
#[derive(Clone)]
pub struct Snapshot {
    /// Its objects.
    pub objects: Objects,
    /// Its root tree.
    pub tree: Oid,
    /// Its commit, or the version that upstream gives it; a plain directory has none.
    pub revision: Option<String>,
    /// The revision's date, in seconds since 1970; a plain directory has none.
    pub date: Option<i64>,
    /// What upstream lists beside the tree.
    pub listed: Listed,
    /// How blobs that are not here are fetched, where that is possible.
    pub fetch: Option<FetchBlobs>,
    /// What of it is looked at, where that is one plugin.
    pub scope: Option<Scope>,
}

/// Files by the components of their paths. Names that break the rules of [`RelPath`] go in too: discovery must see them
/// to reject their skill.
pub type Files = BTreeMap<Vec<Vec<u8>>, Place>;

impl Snapshot {
    /// Returns a snapshot of files that are in memory. None of them stands where another has a folder.
    pub fn of_files(store: Store, files: &Files) -> Result<Self> {
        let tree = tree_of(&store, files)?;
        let (objects, listed) = (Objects::Memory(Arc::new(store)), Listed::default());
        Ok(Snapshot { objects, tree, revision: None, date: None, listed, fetch: None, scope: None })
    }

    /// Returns the objects.
    pub fn store(&self) -> &Store {
        match &self.objects {
            Objects::Repository(repository) => &repository.store,
            Objects::Memory(store) => store,
        }
    }

    /// Returns the commit that this is a state of, where upstream is a repository.
    pub fn commit(&self) -> Option<Oid> {
        match self.objects {
            Objects::Repository(_) => Oid::parse(self.revision.as_deref()?).ok(),
            Objects::Memory(_) => None,
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

/// Writes the trees of files, and returns the root.
pub fn tree_of(store: &Store, files: &Files) -> Result<Oid> {
    write_tree(store, &files.iter().collect::<Vec<_>>(), 0)
}

fn write_tree(store: &Store, files: &[(&Vec<Vec<u8>>, &Place)], depth: usize) -> Result<Oid> {
    let mut entries = Vec::new();
    for group in files.chunk_by(|a, b| a.0[depth] == b.0[depth]) {
        let name = group[0].0[depth].clone().into();
        let (mode, id) = match group {
            [(path, place)] if path.len() == depth + 1 => (place.mode, place.id),
            _ => (Mode::Tree, write_tree(store, group, depth + 1)?),
        };
        entries.push(TreeEntry { mode, name, id });
    }
    store.write_tree(&crate::git::Tree::from_entries(entries))
}
