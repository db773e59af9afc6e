//! Paths in trees: look one up, change some. Both cost the depth of the path, not the size of the tree.

use super::objects::{BString, Mode, Oid, TreeEntry, tree_bytes};
use super::store::Store;
use crate::types::{RelPath, Result};
use std::collections::BTreeMap;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub mode: Mode,
    /// The object.
    pub id: Oid,
}

/// What to put at paths; `None` removes. A directory that loses its last entry goes too.
pub type Changes = BTreeMap<RelPath, Option<Place>>;

/// Returns what stands at `path` below the tree `root`; the root path is the tree itself.
pub fn entry_at(store: &Store, root: Oid, path: &RelPath) -> Result<Option<Place>> {
    let mut place = Place { mode: Mode::Tree, id: root };
    for component in path.components() {
        if place.mode != Mode::Tree {
            return Ok(None);
        }
        match store.tree(place.id)?.get(component.as_bytes()) {
            Some(entry) => place = Place { mode: entry.mode, id: entry.id },
            None => return Ok(None),
        }
    }
    Ok(Some(place))
}

/// Returns the tree at `path` below `root`, or none where there is no directory.
pub fn tree_at(store: &Store, root: Oid, path: &RelPath) -> Result<Option<Oid>> {
    Ok(entry_at(store, root, path)?.filter(|place| place.mode == Mode::Tree).map(|place| place.id))
}

/// Returns the tree that `root` becomes with `changes` put in.
pub fn with_changes(store: &Store, root: Oid, changes: &Changes) -> Result<Oid> {
    let steps: Vec<_> = changes.iter().map(|(path, place)| (path.components().collect::<Vec<_>>(), *place)).collect();
    if let [(path, place)] = steps.as_slice()
        && path.is_empty()
    {
        return Ok(place.map_or(store.empty_tree(), |place| place.id));
    }
    Ok(change_tree(store, Some(root), &steps, 0)?.unwrap_or(store.empty_tree()))
}

type Step<'a> = (Vec<&'a str>, Option<Place>);

/// Changes the tree `old`, whose path is the first `depth` components of every step; none where nothing is left.
fn change_tree(store: &Store, old: Option<Oid>, steps: &[Step<'_>], depth: usize) -> Result<Option<Oid>> {
    let before = old.map(|id| store.tree(id)).transpose()?;
    let mut changed: BTreeMap<&[u8], Option<Place>> = BTreeMap::new();
    for group in steps.chunk_by(|a, b| a.0[depth] == b.0[depth]) {
        let name = group[0].0[depth].as_bytes();
        let here = group.iter().find(|(path, _)| path.len() == depth + 1).map(|(_, place)| *place);
        let below: Vec<_> = group.iter().filter(|(path, _)| path.len() > depth + 1).cloned().collect();
        let standing = match here {
            Some(place) => place,
            None => before.as_ref().and_then(|tree| tree.get(name)).map(|e| Place { mode: e.mode, id: e.id }),
        };
        let place = if below.is_empty() {
            standing
        } else {
            let inside = standing.filter(|place| place.mode == Mode::Tree).map(|place| place.id);
            // What a removal below a file leaves is the file.
            if inside.is_none() && standing.is_some() && below.iter().all(|(_, place)| place.is_none()) {
                standing
            } else {
                change_tree(store, inside, &below, depth + 1)?.map(|id| Place { mode: Mode::Tree, id })
            }
        };
        changed.insert(name, place);
    }
    let new = changed.iter().filter_map(|(name, place)| {
        place.map(|place| TreeEntry { mode: place.mode, name: BString::from(*name), id: place.id })
    });
    let new: Vec<TreeEntry> = new.collect();
    let old_entries = before.as_ref().map_or(&[][..], |tree| tree.entries());
    // References: the tree may be that of a thousand skills, made again for each candidate.
    let mut entries: Vec<&TreeEntry> = Vec::with_capacity(old_entries.len() + new.len());
    entries.extend(old_entries.iter().filter(|entry| !changed.contains_key(entry.name.as_slice())));
    entries.extend(&new);
    if entries.is_empty() {
        return Ok(None);
    }
    let bytes = tree_bytes(entries);
    let id = match old {
        Some(old) => store.write_tree_bytes_like(&bytes, old)?,
        None => store.write_tree_bytes(&bytes)?,
    };
    Ok(Some(id))
}

/// Tells whether the trees `a` and `b` are the same everywhere but at and below the paths `except`.
pub fn same_except(store: &Store, a: Oid, b: Oid, except: &[RelPath]) -> Result<bool> {
    let except: Vec<Vec<&str>> = except.iter().map(|path| path.components().collect()).collect();
    same_below(store, a, b, &except.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn same_below(store: &Store, a: Oid, b: Oid, except: &[&[&str]]) -> Result<bool> {
    if a == b || except.iter().any(|path| path.is_empty()) {
        return Ok(true);
    }
    if except.is_empty() {
        return Ok(false);
    }
    let (a, b) = (store.tree(a)?, store.tree(b)?);
    let below = |name: &[u8]| -> Vec<&[&str]> {
        except.iter().filter(|path| path[0].as_bytes() == name).map(|path| &path[1..]).collect()
    };
    let (mut left, mut right) = (a.entries().iter().peekable(), b.entries().iter().peekable());
    loop {
        let (one, two) = match (left.peek(), right.peek()) {
            (None, None) => return Ok(true),
            (Some(one), Some(two)) if one == two => {
                left.next();
                right.next();
                continue;
            }
            (one, two) => (one.copied(), two.copied()),
        };
        // Only entries on the way to an exception may differ; whichever of the two is one is stepped over.
        let matching = one.zip(two).filter(|(one, two)| one.name == two.name);
        if let Some((one, two)) = matching {
            let inner = below(&one.name);
            let both_trees = one.mode == Mode::Tree && two.mode == Mode::Tree;
            let excepted = inner.iter().any(|path| path.is_empty());
            if !(excepted || both_trees && same_below(store, one.id, two.id, &inner)?) {
                return Ok(false);
            }
            left.next();
            right.next();
        } else if let Some(one) = one.filter(|entry| is_excepted(store, entry, &below(&entry.name))) {
            debug_assert!(a.get(&one.name).is_some());
            left.next();
        } else if let Some(two) = two.filter(|entry| is_excepted(store, entry, &below(&entry.name))) {
            debug_assert!(b.get(&two.name).is_some());
            right.next();
        } else {
            return Ok(false);
        }
    }
}

/// Tells whether everything in an entry that only one side has is excepted: it is, or it only leads there.
fn is_excepted(store: &Store, entry: &TreeEntry, inner: &[&[&str]]) -> bool {
    if inner.iter().any(|path| path.is_empty()) {
        return true;
    }
    !inner.is_empty()
        && entry.mode == Mode::Tree
        && same_below(store, entry.id, store.empty_tree(), inner).unwrap_or(false)
}
