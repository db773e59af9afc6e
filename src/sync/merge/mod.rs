//! Three-way merge of directory trees, in-process and by git's own rules (merge-ort), with conflicts as data.
//!
//! The design decision: a merge is taken apart into files, a file being what base, local and upstream made of it
//! wherever each of them keeps it. Every file is merged alone ([`file`]); only then the results are put in place
//! ([`place`]), and where two cannot stand together local's stays. So the tree is always a valid one, a conflict without
//! markers always leaves local's version, and every upstream blob that is not in the tree is named in a conflict.
//!
//! Tested against `git merge-tree`: what git merges cleanly has the same tree id here, and what conflicts there
//! conflicts here, with the same text between the markers. The exceptions are meant:
//! - A file that arrives in a directory which the other side renamed away stays where its author put it, and is listed.
//! - A file over 5 MiB is not merged as text.
//! - `SKILL.md` is merged by its structure ([`frontmatter`]).
//! - Where git would write two files to one name, or a file aside as `name~branch`, local's state stays; local's file
//!   that upstream renamed onto such a name stays under its old one.
//! - A file that one side renamed and the other made a link or a submodule is one `mode` conflict.
//! - Where a renamed file meets another at its new path, git now and then calls clean what is not (it loses a version, or
//!   takes its own markers for text); here that is a conflict.
//! - Lines are merged by gix: where many repeat, a conflict may begin or end elsewhere, and where the sides disagree about
//!   line endings, those of the markers may differ.
//! - A text with lines like conflict markers gets longer markers.
//! - Modes that disagree over equal content are `mode`, where git says add/add; git's tree is the same.

mod alike;
mod conflict;
mod directory;
mod file;
mod frontmatter;
mod markers;
mod place;
mod rename;
mod similarity;
#[cfg(test)]
mod tests;
mod tree;

pub use alike::Alike;
pub use conflict::{Conflict, ConflictKind, still_conflicted};
pub use markers::{has_markers, marker_size};

use crate::git::{BStr, BString, Oid, Place, Store};
use crate::types::Result;
use rename::Renames;
use std::collections::BTreeMap;

/// What a merge gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged tree; the empty tree where nothing is left.
    pub tree: Oid,
    /// What a person has to decide, by path and kind.
    pub conflicts: Vec<Conflict>,
}

/// Merges one skill's directory; a side that has none is the empty tree.
pub fn merge_skill(store: &Store, base: Oid, local: Oid, upstream: Oid) -> Result<Merged> {
    merge(store, Versions { base, local, upstream }, |path| path == "SKILL.md")
}

/// Merges any three trees. Subtrees that one side left as they were are taken whole, and read only where a file that
/// vanished may have been renamed into or out of them.
pub fn merge_trees(store: &Store, base: Oid, local: Oid, upstream: Oid) -> Result<Merged> {
    merge(store, Versions { base, local, upstream }, |path| file_name(path) == b"SKILL.md")
}

fn merge(store: &Store, roots: Versions<Oid>, is_skill_md: fn(&BStr) -> bool) -> Result<Merged> {
    let Versions { base, local, upstream } = roots;
    if local == upstream || base == upstream {
        return Ok(Merged { tree: local, conflicts: Vec::new() });
    }
    if base == local {
        return Ok(Merged { tree: upstream, conflicts: Vec::new() });
    }
    let mut walk = tree::Walk::new(store, roots)?;
    if rename::may_matter(store, roots, &walk.paths)? {
        walk.open_whole_directories()?;
    }
    // The base is what the others renamed from.
    let renames = Versions {
        base: Renames::new(),
        local: rename::find(store, roots, &walk.paths, Side::Local)?,
        upstream: rename::find(store, roots, &walk.paths, Side::Upstream)?,
    };
    let merger = file::Merger { store, is_skill_md };
    let files = gather(&walk.paths, &renames).into_iter();
    let mut files = files.map(|versions| merger.merge(versions)).collect::<Result<Vec<_>>>()?;
    place::settle(&merger, &mut files)?;
    place::name_what_stands(&mut files);
    directory::report(store, roots, &renames, &mut files)?;

    let mut changes = walk.taken_from_upstream();
    for version in files.iter().filter_map(|file| file.versions.local.as_ref()) {
        changes.insert(version.path.clone(), None);
    }
    for result in files.iter().filter_map(|file| file.result.as_ref()) {
        changes.insert(result.path.clone(), Some(result.place));
    }
    let mut conflicts: Vec<Conflict> = files.into_iter().flat_map(|file| file.conflicts).collect();
    conflicts.sort();
    Ok(Merged { tree: tree::with_changes(store, local, &changes)?, conflicts })
}

/// One thing of each of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Versions<T> {
    base: T,
    local: T,
    upstream: T,
}

impl<T> Versions<T> {
    fn of(&self, side: Side) -> &T {
        match side {
            Side::Local => &self.local,
            Side::Upstream => &self.upstream,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Local,
    Upstream,
}

impl Side {
    const BOTH: [Side; 2] = [Side::Local, Side::Upstream];

    fn other(self) -> Side {
        match self {
            Side::Local => Side::Upstream,
            Side::Upstream => Side::Local,
        }
    }
}

/// The paths where the three differ, and what file (link, submodule) stands there on each.
type Paths = BTreeMap<BString, Versions<Option<Place>>>;

/// A file of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    path: BString,
    place: Place,
}

/// A file of all sides, and what became of it.
#[derive(Debug)]
struct File {
    versions: Versions<Option<Version>>,
    result: Option<Version>,
    conflicts: Vec<Conflict>,
}

/// Puts the versions of each file together, along the renames.
fn gather(paths: &Paths, renames: &Versions<Renames>) -> Vec<Versions<Option<Version>>> {
    let version = |path: &BString, place: Option<Place>| place.map(|place| Version { path: path.clone(), place });
    let is_target = |path: &BString, side: Side| renames.of(side).is_target(path);
    let mut files = Vec::new();
    for (path, places) in paths {
        if places.base.is_some() {
            let on = |side: Side| match renames.of(side).target(path) {
                Some(target) => version(target, *paths[target].of(side)),
                None => version(path, *places.of(side)),
            };
            files.push(Versions {
                base: version(path, places.base),
                local: on(Side::Local),
                upstream: on(Side::Upstream),
            });
            continue;
        }
        let added = |side: Side| if is_target(path, side) { None } else { version(path, *places.of(side)) };
        let file = Versions { base: None, local: added(Side::Local), upstream: added(Side::Upstream) };
        if file.local.is_some() || file.upstream.is_some() {
            files.push(file);
        }
    }
    files
}

/// Returns what follows the last slash.
fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Returns the directories above a path, nearest first, without the root.
fn directories_above(path: &BStr) -> impl Iterator<Item = &BStr> {
    let slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    slashes.map(move |(at, _)| BStr::new(&path[..at]))
}
