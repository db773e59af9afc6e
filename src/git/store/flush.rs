//! Writes what a run has added to disk: loose files, or one pack.

use super::{Pending, Store, damaged, tagged_by, write};
use crate::git::objects::{Commit, ObjectKind, Oid, Tree};
use crate::git::pack;
use crate::types::Result;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Up to this many new objects are written as loose files, more as one pack.
const LOOSE_OBJECTS: usize = 100;

impl Store {
    /// Writes everything added since the last flush to disk and syncs it: loose files, or one pack.
    pub fn flush(&self) -> Result<()> {
        let Some(repository) = &self.repository else { return Ok(()) };
        let pending = std::mem::take(&mut *write(&self.pending));
        if pending.is_empty() {
            return Ok(());
        }
        let objects = repository.to_thread_local().objects.store_ref().path().to_owned();
        let written = if pending.len() <= LOOSE_OBJECTS {
            self.write_loose(&objects, &pending)
        } else {
            pack::write(&objects.join("pack"), &pending, self.kind, |id| self.read_on_disk(id))
        };
        // Kept on failure, so that what was read so far stays readable.
        if written.is_err() {
            *write(&self.pending) = pending;
        }
        self.refresh();
        written
    }

    /// Writes what an object names before the object itself: whoever finds it, also after this process was killed in
    /// between, finds it whole.
    fn write_loose(&self, objects: &Path, pending: &HashMap<Oid, Pending>) -> Result<()> {
        let mut open: Vec<(Oid, bool)> = pending.keys().map(|id| (*id, false)).collect();
        let mut done: BTreeSet<Oid> = BTreeSet::new();
        while let Some((id, names_are_there)) = open.pop() {
            let Some(object) = pending.get(&id).filter(|_| !done.contains(&id)) else { continue };
            let (kind, data) = match object {
                Pending::Full { kind, data } => (*kind, data.to_vec()),
                Pending::Delta { base, delta } => {
                    let whole = match pending.get(base) {
                        Some(Pending::Full { data, .. }) => data.to_vec(),
                        _ => self.read(*base, ObjectKind::Tree)?,
                    };
                    (ObjectKind::Tree, delta.apply(&whole))
                }
            };
            if names_are_there {
                pack::write_loose(objects, id, kind, &data)?;
                done.insert(id);
            } else {
                open.push((id, true));
                open.extend(self.named_by(id, kind, &data)?.into_iter().map(|named| (named, false)));
            }
        }
        let folders: BTreeSet<String> = done.iter().map(|id| id.to_string()[..2].to_owned()).collect();
        folders.iter().try_for_each(|folder| pack::sync_directory(&objects.join(folder)))
    }

    fn named_by(&self, id: Oid, kind: ObjectKind, data: &[u8]) -> Result<Vec<Oid>> {
        Ok(match kind {
            ObjectKind::Blob => Vec::new(),
            ObjectKind::Tree => {
                let tree = Tree::parse(data, self.kind.len_in_bytes()).ok_or_else(|| damaged(id, "tree"))?;
                tree.entries().iter().map(|entry| entry.id).collect()
            }
            ObjectKind::Commit => {
                let commit = Commit::parse(data, self.kind).ok_or_else(|| damaged(id, "commit"))?;
                commit.parents.iter().copied().chain([commit.tree]).collect()
            }
            ObjectKind::Tag => vec![tagged_by(id, data)?],
        })
    }
}
