//! The object database, with what this run adds kept in memory until [`Store::flush`].
//!
//! Nothing that a run makes is on disk before the run knows that it wants it: a dry run never flushes, and one flush
//! writes one pack. Large trees that differ little from another tree (a candidate's `skills` folder) are kept as a
//! delta, so that memory and disk follow the change and not the size of the registry.

#![expect(clippy::disallowed_types, reason = "objects looked up by id; what is written is sorted first")]

mod flush;

use super::objects::{Commit, NewCommit, ObjectKind, Oid, Tree};
use super::pack::Delta;
use crate::types::{Context as _, Error, ErrorKind, Result};
use gix::objs::Find as _;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A tree with this many entries is remembered only for a while.
const LARGE_TREE: usize = 256;
/// How many of them are remembered.
const LARGE_TREES: usize = 32;
/// A tree at least this long, in bytes, is worth a delta.
const DELTA_FROM: usize = 4096;

/// An object that is not on disk yet.
pub(super) enum Pending {
    Full { kind: ObjectKind, data: Arc<[u8]> },
    Delta { base: Oid, delta: Delta },
}

/// A git object database: reads from any thread, writes to memory until flushed.
pub struct Store {
    /// None for a store that is in memory only.
    repository: Option<gix::ThreadSafeRepository>,
    handles: Mutex<Vec<gix::OdbHandle>>,
    pending: RwLock<HashMap<Oid, Pending>>,
    trees: RwLock<HashMap<Oid, Arc<Tree>>>,
    /// The last few large trees: every candidate and every commit has one of its own, and all of them would fill the
    /// memory.
    large_trees: RwLock<VecDeque<(Oid, Arc<Tree>)>>,
    commits: RwLock<HashMap<Oid, Arc<Commit>>>,
    bases: RwLock<HashMap<Oid, Arc<[u8]>>>,
    kind: gix::hash::Kind,
}

impl Store {
    pub(super) fn new(repository: gix::ThreadSafeRepository) -> Self {
        let kind = repository.to_thread_local().object_hash();
        Store { repository: Some(repository), ..Store::in_memory(kind == gix::hash::Kind::Sha256) }
    }

    /// Returns an empty store that never touches a disk: what upstream content becomes that is not git yet.
    pub fn in_memory(sha256: bool) -> Self {
        Store {
            repository: None,
            handles: Mutex::default(),
            pending: RwLock::default(),
            trees: RwLock::default(),
            large_trees: RwLock::default(),
            commits: RwLock::default(),
            bases: RwLock::default(),
            kind: if sha256 { gix::hash::Kind::Sha256 } else { gix::hash::Kind::Sha1 },
        }
    }

    /// Returns the id of the empty tree.
    pub fn empty_tree(&self) -> Oid {
        Oid(gix::ObjectId::empty_tree(self.kind))
    }

    /// Tells whether ids are SHA-256.
    pub fn is_sha256(&self) -> bool {
        self.kind == gix::hash::Kind::Sha256
    }

    /// Returns the content of a blob.
    pub fn blob(&self, id: Oid) -> Result<Vec<u8>> {
        self.read(id, ObjectKind::Blob)
    }

    /// Returns a tree.
    pub fn tree(&self, id: Oid) -> Result<Arc<Tree>> {
        if let Some(tree) = read(&self.trees).get(&id) {
            return Ok(tree.clone());
        }
        if let Some((_, tree)) = read(&self.large_trees).iter().find(|(known, _)| *known == id) {
            return Ok(tree.clone());
        }
        let bytes = self.read(id, ObjectKind::Tree)?;
        let tree = Tree::parse(&bytes, self.kind.len_in_bytes()).ok_or_else(|| damaged(id, "tree"))?;
        let tree = Arc::new(tree);
        if tree.entries().len() < LARGE_TREE {
            write(&self.trees).insert(id, tree.clone());
        } else {
            let mut large = write(&self.large_trees);
            large.truncate(LARGE_TREES - 1);
            large.push_front((id, tree.clone()));
        }
        Ok(tree)
    }

    /// Returns a commit.
    pub fn commit(&self, id: Oid) -> Result<Arc<Commit>> {
        if let Some(commit) = read(&self.commits).get(&id) {
            return Ok(commit.clone());
        }
        let bytes = self.read(id, ObjectKind::Commit)?;
        let commit = Commit::parse(&bytes, self.kind).ok_or_else(|| damaged(id, "commit"))?;
        let commit = Arc::new(commit);
        write(&self.commits).insert(id, commit.clone());
        Ok(commit)
    }

    /// Returns what `id` names once annotated tags are followed: the object itself where it is none.
    pub fn peel(&self, mut id: Oid) -> Result<Oid> {
        // Ids cannot go in circles.
        while matches!(self.header(id)?, Some((ObjectKind::Tag, _))) {
            id = tagged_by(id, &self.read(id, ObjectKind::Tag)?)?;
        }
        Ok(id)
    }

    /// Returns the kind and size in bytes of an object, or none where it is not here.
    pub fn header(&self, id: Oid) -> Result<Option<(ObjectKind, u64)>> {
        if let Some((kind, data)) = self.read_pending(id)? {
            return Ok(Some((kind, data.len() as u64)));
        }
        use gix::prelude::HeaderExt as _;
        let header = |handle: &gix::OdbHandle| handle.header(id.0).ok().map(|header| (header.kind(), header.size()));
        Ok(self.with_handle(|handle| handle.and_then(header)))
    }

    /// Tells whether the object is here. Packs that another process adds meanwhile may go unseen: the answer is a
    /// reason to write an object again, never evidence that one is missing.
    pub fn contains(&self, id: Oid) -> bool {
        read(&self.pending).contains_key(&id)
            || self.with_handle(|handle| handle.is_some_and(|handle| handle.exists_without_refresh(&id.0)))
    }

    /// Adds a blob and returns its id.
    pub fn write_blob(&self, data: &[u8]) -> Result<Oid> {
        self.write(ObjectKind::Blob, data)
    }

    /// Adds a tree and returns its id.
    pub fn write_tree(&self, tree: &Tree) -> Result<Oid> {
        self.write(ObjectKind::Tree, &tree.to_bytes())
    }

    /// Adds a tree as git writes it, and returns its id.
    pub(super) fn write_tree_bytes(&self, data: &[u8]) -> Result<Oid> {
        self.write(ObjectKind::Tree, data)
    }

    /// Adds a tree that differs little from the tree `like`, which must be in the database.
    pub fn write_tree_like(&self, tree: &Tree, like: Oid) -> Result<Oid> {
        self.write_tree_bytes_like(&tree.to_bytes(), like)
    }

    /// Adds a tree, as git writes it, that differs little from the tree `like`, which must be in the database.
    pub(super) fn write_tree_bytes_like(&self, data: &[u8], like: Oid) -> Result<Oid> {
        // The empty tree is known without being there, so nothing stands upon it.
        if data.len() < DELTA_FROM || like == self.empty_tree() {
            return self.write(ObjectKind::Tree, data);
        }
        let id = self.hash(ObjectKind::Tree, data)?;
        if !self.contains(id) {
            // The base is one whole object: a delta upon a delta would make every reader walk a chain.
            let base = match read(&self.pending).get(&like) {
                Some(Pending::Delta { base, .. }) => *base,
                _ => like,
            };
            let delta = Delta::between(&self.base(base)?, data);
            write(&self.pending).insert(id, Pending::Delta { base, delta });
        }
        Ok(id)
    }

    /// Returns the bytes of a tree that deltas stand upon: one, for all candidates of a run.
    fn base(&self, id: Oid) -> Result<Arc<[u8]>> {
        if let Some(base) = read(&self.bases).get(&id) {
            return Ok(base.clone());
        }
        let base: Arc<[u8]> = self.read(id, ObjectKind::Tree)?.into();
        write(&self.bases).insert(id, base.clone());
        Ok(base)
    }

    /// Adds a commit and returns its id.
    pub fn write_commit(&self, commit: &NewCommit) -> Result<Oid> {
        if commit.tree == self.empty_tree() {
            // Known to every git without being there; `git fsck` still misses it where a commit names it.
            self.write_tree(&Tree::default())?;
        }
        self.write(ObjectKind::Commit, &commit.to_bytes()?)
    }

    /// Adds an annotated tag of a commit and returns its id. `tagger` is `Name <email> seconds zone`.
    pub fn write_tag(&self, name: &str, commit: Oid, tagger: &str, message: &str) -> Result<Oid> {
        let text = format!("object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}");
        self.write(ObjectKind::Tag, text.as_bytes())
    }

    /// Returns the commit that an id leads to: itself, or what an annotated tag points to. None for anything else.
    pub fn peel_to_commit(&self, id: Oid) -> Result<Option<Oid>> {
        let id = self.peel(id)?;
        Ok(self.header(id)?.filter(|(kind, _)| *kind == ObjectKind::Commit).map(|_| id))
    }

    /// Copies a blob from another database of either hash kind; returns its id here.
    pub fn copy_blob(&self, from: &Store, id: Oid) -> Result<Oid> {
        if self.kind == from.kind && self.contains(id) {
            return Ok(id);
        }
        self.write_blob(&from.blob(id)?)
    }

    /// Returns the best common ancestors of two commits, best first.
    pub(super) fn merge_bases(&self, one: Oid, two: Oid) -> Result<Vec<Oid>> {
        let Some(repository) = self.repository.as_ref().map(gix::ThreadSafeRepository::to_thread_local) else {
            return Ok(Vec::new());
        };
        let bases = repository.merge_bases_many(one.0, &[two.0]);
        let bases = bases.context(ErrorKind::Git, || format!("cannot compare the histories of {one} and {two}"))?;
        Ok(bases.into_iter().map(|id| Oid(id.detach())).collect())
    }

    /// Looks at the disk again, so that packs another process wrote are seen.
    pub fn refresh(&self) {
        self.lock_handles().clear();
        if let Some(repository) = &self.repository {
            use gix::objs::Exists as _;
            // What is known of the disk is shared by all handles, and only a look-up that fails makes gix look again.
            let _ = repository.to_thread_local().objects.exists(&self.kind.null());
        }
    }

    fn write(&self, kind: ObjectKind, data: &[u8]) -> Result<Oid> {
        let id = self.hash(kind, data)?;
        if !self.contains(id) {
            write(&self.pending).insert(id, Pending::Full { kind, data: data.into() });
        }
        Ok(id)
    }

    fn hash(&self, kind: ObjectKind, data: &[u8]) -> Result<Oid> {
        gix::objs::compute_hash(self.kind, kind, data).map(Oid).context(ErrorKind::Git, || "cannot hash an object")
    }

    fn read(&self, id: Oid, expected: ObjectKind) -> Result<Vec<u8>> {
        let found = match self.read_pending(id)? {
            Some(found) => Some(found),
            None => self.read_on_disk(id)?,
        };
        match found {
            Some((kind, data)) if kind == expected => Ok(data),
            Some((kind, _)) => Err(Error::new(ErrorKind::Git, format!("object {id} is a {kind}, not a {expected}"))),
            None if id == self.empty_tree() => Ok(Vec::new()),
            None => Err(Error::new(ErrorKind::NotFound, format!("object {id} is not in the repository"))
                .hint("in a shallow or partial clone, fetch the rest first: git fetch --unshallow")),
        }
    }

    fn read_pending(&self, id: Oid) -> Result<Option<(ObjectKind, Vec<u8>)>> {
        let (base, delta) = match read(&self.pending).get(&id) {
            None => return Ok(None),
            Some(Pending::Full { kind, data }) => return Ok(Some((*kind, data.to_vec()))),
            Some(Pending::Delta { base, delta }) => (*base, delta.clone()),
        };
        Ok(Some((ObjectKind::Tree, delta.apply(&self.read(base, ObjectKind::Tree)?))))
    }

    fn read_on_disk(&self, id: Oid) -> Result<Option<(ObjectKind, Vec<u8>)>> {
        let find = |handle: &gix::OdbHandle| {
            let mut data = Vec::new();
            let found =
                handle.try_find(&id.0, &mut data).context(ErrorKind::Git, || format!("cannot read object {id}"))?;
            let kind = found.map(|found| found.kind);
            Ok(kind.map(|kind| (kind, data)))
        };
        match (self.with_handle(|handle| handle.map_or(Ok(None), find))?, &self.repository) {
            // A fresh handle sees the packs that `git fetch` or a colleague's `git gc` wrote meanwhile.
            (None, Some(repository)) => find(&repository.to_thread_local().objects),
            (found, _) => Ok(found),
        }
    }

    fn with_handle<T>(&self, act: impl FnOnce(Option<&gix::OdbHandle>) -> T) -> T {
        let Some(repository) = &self.repository else { return act(None) };
        let idle = self.lock_handles().pop();
        let handle = idle.unwrap_or_else(|| {
            let mut handle = repository.to_thread_local().objects;
            handle.refresh_never();
            handle
        });
        let result = act(Some(&handle));
        self.lock_handles().push(handle);
        result
    }

    fn lock_handles(&self) -> std::sync::MutexGuard<'_, Vec<gix::OdbHandle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what an annotated tag points to.
fn tagged_by(id: Oid, bytes: &[u8]) -> Result<Oid> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let target = line.strip_prefix(b"object ").and_then(|hex| std::str::from_utf8(hex).ok());
    Oid::parse(target.ok_or_else(|| damaged(id, "tag"))?)
}

fn damaged(id: Oid, kind: &str) -> Error {
    Error::new(ErrorKind::Git, format!("{kind} {id} is damaged")).hint("run: git fsck")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests may")]

    use super::*;
    use crate::git::{Environment, Git, Repository, Where};

    #[test]
    fn a_refresh_shows_packs_that_git_wrote_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let environment = Environment(std::env::vars_os().filter(|(name, _)| name == "PATH").collect());
        let git = Git::new("git", &environment);
        crate::git::init_bare(&git, dir.path(), false).unwrap();
        let pack = |text: &str| {
            // A pack in the repository itself, as a fetch makes it, and no loose object.
            let stream = format!("blob\ndata {}\n{text}\n", text.len());
            let import = git.command(Where::GitDir(dir.path())).config("fastimport.unpackLimit", "0");
            import.args(["fast-import", "--quiet"]).stdin_bytes(stream.into_bytes()).run_ok().unwrap();
            Store::in_memory(false).write_blob(text.as_bytes()).unwrap()
        };
        let first = pack("first");
        let store = Repository::open(dir.path()).unwrap().store;
        assert!(store.header(first).unwrap().is_some());
        let second = pack("second");
        assert!(store.header(second).unwrap().is_none(), "nothing looks at the disk for every object");
        store.refresh();
        assert_eq!(store.header(second).unwrap(), Some((ObjectKind::Blob, 6)));
        assert!(store.contains(second));
    }
}
