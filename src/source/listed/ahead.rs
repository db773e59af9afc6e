//! Fetches in one request what the plugins of a run will want of one repository.

use super::{Found, Repo, Shop};
use crate::git::{Mode, Oid, Store, tree_at};
use crate::source::plugin;
use crate::source::snapshot::Snapshot;
use crate::types::{Error, ErrorKind, RelPath, Result};

/// How many blobs one request may ask for ahead of time, and how many tree entries are looked at to find them.
const AHEAD: usize = 50_000;

/// How deep folders are looked into: no deeper than a path that can be used.
const DEPTH: usize = 32;

impl Shop<'_> {
    /// Fetches in one request what the plugins of this run will want of a repository. A failure is each plugin's own.
    pub(super) fn fetch_ahead(&self, repo: &Repo, snapshot: &Snapshot) {
        if snapshot.fetch.is_none() {
            return;
        }
        self.access.memo.once_for(self.written, snapshot.tree, || {
            let names = self.access.memo.expected(self.written, self.reference);
            let mut ahead = Ahead { store: snapshot.store(), blobs: Vec::new(), left: AHEAD };
            for found in names.iter().filter_map(|name| self.find(name).ok()).filter(|found| found.repo == *repo) {
                if ahead.collect(snapshot.tree, &found).is_err() {
                    return;
                }
            }
            let _ = snapshot.need(ahead.blobs);
        });
        // What another thread has fetched into a repository that this one had opened before.
        snapshot.store().refresh();
    }
}

/// Collects blobs that will be wanted.
struct Ahead<'s> {
    store: &'s Store,
    blobs: Vec<Oid>,
    left: usize,
}

impl Ahead<'_> {
    fn collect(&mut self, tree: Oid, found: &Found) -> Result<()> {
        let manifests = plugin::manifests_in(self.store, tree, &found.root)?;
        self.blobs.extend(manifests.into_iter().map(|(_, id)| id));
        let skills = RelPath::parse(plugin::SKILLS).expect("a fixed name");
        for folder in found.stated.skills.iter().flatten().chain([&skills]) {
            if let Some(folder) = tree_at(self.store, tree, &found.root.join_path(folder))? {
                self.below(folder, DEPTH)?;
            }
        }
        for above in std::iter::successors(Some(found.root.clone()), RelPath::parent) {
            let Some(folder) = tree_at(self.store, tree, &above)? else { continue };
            let entries = self.store.tree(folder)?;
            let licenses = entries.entries().iter().filter(|entry| entry.mode.is_file());
            self.blobs.extend(licenses.filter(|entry| crate::source::is_license(&entry.name)).map(|entry| entry.id));
        }
        Ok(())
    }

    fn below(&mut self, tree: Oid, depth: usize) -> Result<()> {
        for entry in self.store.tree(tree)?.entries() {
            self.left = self.left.checked_sub(1).ok_or_else(|| Error::new(ErrorKind::Limit, "too many files"))?;
            match entry.mode {
                Mode::Tree if depth > 0 => self.below(entry.id, depth - 1)?,
                Mode::Tree | Mode::Submodule => {}
                _ => self.blobs.push(entry.id),
            }
        }
        Ok(())
    }
}
