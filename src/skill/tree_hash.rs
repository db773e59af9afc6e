//! Computes tree hashes from git objects: what `git write-tree` prints in a SHA-256 repository.

#![expect(clippy::disallowed_types, reason = "hashes looked up by id; nobody walks them in order")]

use crate::git::{Mode, Oid, Store};
use crate::types::{Error, ErrorKind, Result, TreeHash};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Computes and remembers tree hashes; one for a run, shared by its threads.
pub struct TreeHasher<'s> {
    store: &'s Store,
    known: RwLock<HashMap<Oid, [u8; 32]>>,
}

impl<'s> TreeHasher<'s> {
    /// Returns a hasher for the objects of `store`.
    pub fn new(store: &'s Store) -> Self {
        TreeHasher { store, known: RwLock::default() }
    }

    /// Returns the hash of a tree.
    ///
    /// # Errors
    /// Where an object is missing, or the tree holds a submodule (which has no SHA-256 id).
    pub fn hash(&self, tree: Oid) -> Result<TreeHash> {
        self.id(tree, Mode::Tree).map(TreeHash::from_bytes)
    }

    fn id(&self, id: Oid, mode: Mode) -> Result<[u8; 32]> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(*known);
        }
        let (kind, data) = match mode {
            Mode::Tree => ("tree", self.tree_bytes(id)?),
            Mode::File | Mode::Executable | Mode::Link => ("blob", self.store.blob(id)?),
            Mode::Submodule => {
                return Err(Error::new(ErrorKind::Rejected, "a submodule has no tree hash")
                    .hint("copy the submodule's files into the skill"));
            }
        };
        let mut hasher = Sha256::new();
        hasher.update(format!("{kind} {}\0", data.len()));
        hasher.update(&data);
        let hash: [u8; 32] = hasher.finalize().into();
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id, hash);
        Ok(hash)
    }

    fn tree_bytes(&self, id: Oid) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for entry in self.store.tree(id)?.entries() {
            bytes.extend_from_slice(entry.mode.octal().as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(&entry.name);
            bytes.push(0);
            bytes.extend_from_slice(&self.id(entry.id, entry.mode)?);
        }
        Ok(bytes)
    }
}
