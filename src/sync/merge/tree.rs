//! Walking three trees at once, and writing the merged one.
//!
//! A file and a directory of one name are walked as two paths, as git sorts them: whether they clash is known only
//! when every file has been merged.

use super::{Paths, Side, Versions};
use crate::git::{BStr, BString, ByteSlice as _, Mode, Oid, Place, Store, Tree, TreeEntry};
use crate::types::Result;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What to put at paths; `None` removes.
pub(super) type Changes = BTreeMap<BString, Option<Place>>;

/// Where three trees differ.
pub(super) struct Walk<'a> {
    store: &'a Store,
    /// The paths with a file that is not the same on all three.
    pub(super) paths: Paths,
    /// Directories that no more than one side changed, unread.
    whole: BTreeMap<BString, Versions<Option<Oid>>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(store: &'a Store, roots: Versions<Oid>) -> Result<Self> {
        let mut walk = Walk { store, paths: Paths::new(), whole: BTreeMap::new() };
        let roots = Versions { base: Some(roots.base), local: Some(roots.local), upstream: Some(roots.upstream) };
        walk.directory(BStr::new(""), roots, Unread::Allowed)?;
        Ok(walk)
    }

    /// Reads also what could be taken whole: renames go into and out of it.
    pub(super) fn open_whole_directories(&mut self) -> Result<()> {
        let whole = std::mem::take(&mut self.whole);
        whole.iter().try_for_each(|(path, ids)| self.directory(path.as_bstr(), *ids, Unread::Refused))
    }

    /// Returns the changes to local that the directories taken whole amount to.
    pub(super) fn taken_from_upstream(self) -> Changes {
        let changed = self.whole.into_iter().filter(|(_, ids)| ids.base == ids.local);
        changed.map(|(path, ids)| (path, ids.upstream.map(|id| Place { mode: Mode::Tree, id }))).collect()
    }

    fn directory(&mut self, path: &BStr, ids: Versions<Option<Oid>>, unread: Unread) -> Result<()> {
        let read = |id: Option<Oid>| id.map_or(Ok(Arc::default()), |id| self.store.tree(id));
        let trees = Versions { base: read(ids.base)?, local: read(ids.local)?, upstream: read(ids.upstream)? };
        for (name, is_directory, places) in Joined::new(&trees) {
            if places.local == places.base && places.upstream == places.base {
                continue;
            }
            let mut below = path.to_owned();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(name);
            if !is_directory {
                self.paths.insert(below, places);
                continue;
            }
            let id = |place: Option<Place>| place.map(|place| place.id);
            let ids = Versions { base: id(places.base), local: id(places.local), upstream: id(places.upstream) };
            let is_file = |tree: &Tree| tree.get(name).is_some_and(|entry| entry.mode != Mode::Tree);
            // Below a name that is a file elsewhere, every file has to be known to see what clashes.
            let unread = match unread {
                Unread::Allowed if [&trees.base, &trees.local, &trees.upstream].into_iter().any(|t| is_file(t)) => {
                    Unread::Refused
                }
                unread => unread,
            };
            // What both sides changed alike is read, because either may have renamed out of it to different places.
            let one_sided = Side::BOTH.into_iter().any(|side| *ids.of(side) == ids.base);
            let added_alike = ids.base.is_none() && ids.local == ids.upstream;
            if unread == Unread::Allowed && (one_sided || added_alike) {
                self.whole.insert(below, ids);
            } else {
                self.directory(below.as_bstr(), ids, unread)?;
            }
        }
        Ok(())
    }
}

/// Whether a directory may stay unread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unread {
    Allowed,
    Refused,
}

/// The entries of three trees in git's order, those of one name and sort together.
struct Joined<'a>(Versions<&'a [TreeEntry]>);

impl<'a> Joined<'a> {
    fn new(trees: &'a Versions<Arc<Tree>>) -> Self {
        Joined(Versions {
            base: trees.base.entries(),
            local: trees.local.entries(),
            upstream: trees.upstream.entries(),
        })
    }
}

impl<'a> Iterator for Joined<'a> {
    type Item = (&'a BStr, bool, Versions<Option<Place>>);

    fn next(&mut self) -> Option<Self::Item> {
        let firsts = [self.0.base.first(), self.0.local.first(), self.0.upstream.first()];
        let next = firsts.into_iter().flatten().min_by(|a, b| git_order(a, b))?;
        let take = |entries: &mut &'a [TreeEntry]| {
            let (first, rest) = entries.split_first()?;
            if git_order(first, next) != Ordering::Equal {
                return None;
            }
            *entries = rest;
            Some(Place { mode: first.mode, id: first.id })
        };
        let places = Versions {
            base: take(&mut self.0.base),
            local: take(&mut self.0.local),
            upstream: take(&mut self.0.upstream),
        };
        Some((next.name.as_bstr(), next.mode == Mode::Tree, places))
    }
}

/// A directory sorts as if its name ended with a slash.
fn git_order(a: &TreeEntry, b: &TreeEntry) -> Ordering {
    let common = a.name.len().min(b.name.len());
    a.name[..common].cmp(&b.name[..common]).then_with(|| {
        let after = |entry: &TreeEntry| entry.name.get(common).copied().or((entry.mode == Mode::Tree).then_some(b'/'));
        after(a).cmp(&after(b))
    })
}

/// Returns the tree at `path` below `root`, or none where there is no directory.
pub(super) fn directory_at(store: &Store, root: Oid, path: &BStr) -> Result<Option<Oid>> {
    let mut at = root;
    for name in path.split(|byte| *byte == b'/') {
        match store.tree(at)?.get(name) {
            Some(entry) if entry.mode == Mode::Tree => at = entry.id,
            _ => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Returns the tree that `root` becomes with `changes` put in; the empty tree where nothing is left.
pub(super) fn with_changes(store: &Store, root: Oid, changes: &Changes) -> Result<Oid> {
    let changes: Vec<_> = changes.iter().map(|(path, place)| (path.as_slice(), *place)).collect();
    Ok(change_directory(store, Some(root), &changes)?.unwrap_or(store.empty_tree()))
}

/// What to do at one name: to the entry itself, and below it.
#[derive(Default)]
struct AtName<'a> {
    here: Option<Option<Place>>,
    below: Vec<(&'a [u8], Option<Place>)>,
}

fn change_directory(store: &Store, old: Option<Oid>, changes: &[(&[u8], Option<Place>)]) -> Result<Option<Oid>> {
    let before = old.map_or(Ok(Arc::default()), |id| store.tree(id))?;
    let mut by_name: BTreeMap<&[u8], AtName<'_>> = BTreeMap::new();
    for (path, place) in changes {
        match path.split_once_str(b"/") {
            Some((name, rest)) => by_name.entry(name).or_default().below.push((rest, *place)),
            None => by_name.entry(path).or_default().here = Some(*place),
        }
    }
    let kept = before.entries().iter().filter(|entry| !by_name.contains_key(entry.name.as_slice()));
    let mut entries: Vec<TreeEntry> = kept.cloned().collect();
    for (name, AtName { here, below }) in by_name {
        let standing = here.unwrap_or_else(|| before.get(name).map(|e| Place { mode: e.mode, id: e.id }));
        let stays = below.iter().all(|(_, place)| place.is_none()) && standing.is_some_and(|p| p.mode != Mode::Tree);
        // What is removed below a file went with the directory that the file replaces.
        let place = if below.is_empty() || stays {
            standing
        } else {
            let directory = before.get(name).filter(|entry| entry.mode == Mode::Tree).map(|entry| entry.id);
            change_directory(store, directory, &below)?.map(|id| Place { mode: Mode::Tree, id })
        };
        entries.extend(place.map(|place| TreeEntry { mode: place.mode, name: BString::from(name), id: place.id }));
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let tree = Tree::from_entries(entries);
    Ok(Some(match old {
        Some(old) => store.write_tree_like(&tree, old)?,
        None => store.write_tree(&tree)?,
    }))
}
