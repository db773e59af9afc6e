//! Questions about history: ancestors, merge bases, first-parent walks.

#![expect(clippy::disallowed_types, reason = "sets of commits that were seen; nobody walks them in order")]

use super::objects::Oid;
use super::store::Store;
use crate::types::Result;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Mutex;

/// The history of one commit, walked no further than the questions asked of it need.
pub struct History<'s> {
    store: &'s Store,
    head: Oid,
    walk: Mutex<Walk>,
}

#[derive(Default)]
struct Walk {
    seen: HashSet<Oid>,
    /// Commits whose parents have not been looked at, newest first.
    frontier: BinaryHeap<(i64, Oid)>,
}

impl<'s> History<'s> {
    /// Returns the history of `head`.
    pub fn of(store: &'s Store, head: Oid) -> Result<Self> {
        let mut walk = Walk::default();
        walk.seen.insert(head);
        walk.frontier.push((store.commit(head)?.committed, head));
        Ok(History { store, head, walk: Mutex::new(walk) })
    }

    /// Returns the commit whose history this is.
    pub fn head(&self) -> Oid {
        self.head
    }

    /// Tells whether `commit` is the head or an ancestor of it.
    pub fn contains(&self, commit: Oid) -> Result<bool> {
        let mut walk = self.walk.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while !walk.seen.contains(&commit) {
            let Some((_, next)) = walk.frontier.pop() else { return Ok(false) };
            for parent in &self.store.commit(next)?.parents {
                if walk.seen.insert(*parent) {
                    let committed = self.store.commit(*parent)?.committed;
                    walk.frontier.push((committed, *parent));
                }
            }
        }
        Ok(true)
    }

    /// Tells whether `commit` is in this history; a commit that is not in the database is not.
    pub fn contains_if_present(&self, commit: Oid) -> Result<bool> {
        Ok(self.store.contains(commit) && self.contains(commit)?)
    }

    /// Calls `look` with every commit of the history, newest first, until it returns false.
    pub fn visit(&self, mut look: impl FnMut(Oid, &super::Commit) -> Result<bool>) -> Result<()> {
        let mut seen = HashSet::from([self.head]);
        let mut frontier = BinaryHeap::from([(self.store.commit(self.head)?.committed, self.head)]);
        while let Some((_, id)) = frontier.pop() {
            let commit = self.store.commit(id)?;
            if !look(id, &commit)? {
                return Ok(());
            }
            for parent in &commit.parents {
                if seen.insert(*parent) {
                    frontier.push((self.store.commit(*parent)?.committed, *parent));
                }
            }
        }
        Ok(())
    }

    /// Returns the merge base with `commit`: where there are several, the newest, then the one with the smallest id.
    pub fn merge_base(&self, commit: Oid) -> Result<Option<Oid>> {
        if self.contains(commit)? {
            return Ok(Some(commit));
        }
        // A candidate's only parent is nearly always on the branch it was made for.
        if let [parent] = self.store.commit(commit)?.parents.as_slice()
            && self.contains(*parent)?
        {
            return Ok(Some(*parent));
        }
        merge_base(self.store, self.head, commit)
    }

    /// Returns the head and its first-parent ancestors, newest first.
    pub fn first_parents(&self) -> impl Iterator<Item = Result<Oid>> + '_ {
        first_parents(self.store, self.head)
    }
}

/// Returns `head` and its first-parent ancestors, newest first.
pub fn first_parents(store: &Store, head: Oid) -> impl Iterator<Item = Result<Oid>> + '_ {
    let mut next = Some(head);
    std::iter::from_fn(move || {
        let current = next.take()?;
        match store.commit(current) {
            Ok(commit) => {
                next = commit.parents.first().copied();
                Some(Ok(current))
            }
            Err(error) => Some(Err(error)),
        }
    })
}

/// Returns the merge base of two commits: where there are several, the newest, then the one with the smallest id.
pub fn merge_base(store: &Store, one: Oid, two: Oid) -> Result<Option<Oid>> {
    let mut best: Option<(i64, Oid)> = None;
    for base in store.merge_bases(one, two)? {
        let candidate = (-store.commit(base)?.committed, base);
        best = Some(best.map_or(candidate, |best| best.min(candidate)));
    }
    Ok(best.map(|(_, base)| base))
}
