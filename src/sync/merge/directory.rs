//! Files that arrive in a directory which the other side renamed away.
//!
//! Git moves them along, and calls that clean or asks, by configuration. For a skill nobody can know whether the new
//! file belongs to what moved: it stays where its author put it, and a person decides.

use super::conflict::{Conflict, ConflictKind};
use super::rename::Renames;
use super::{File, Side, Version, Versions, directories_above, file_name, tree};
use crate::git::{BStr, BString, ByteSlice as _, Oid, Store};
use crate::types::Result;
use std::collections::BTreeSet;

/// Lists a `Rename` conflict for every result that a directory rename would have moved.
pub(super) fn report(
    store: &Store,
    roots: Versions<Oid>,
    renames: &Versions<Renames>,
    files: &mut [File],
) -> Result<()> {
    for side in Side::BOTH {
        let renamed = renamed_away(store, roots, renames.of(side), side)?;
        if renamed.is_empty() {
            continue;
        }
        for file in files.iter_mut() {
            let Some(path) = arrived(file, side.other()) else { continue };
            if directories_above(path.as_bstr()).any(|above| renamed.contains(above)) {
                let Versions { local, upstream, .. } = &file.versions;
                let id = |version: &Option<Version>| version.as_ref().map(|version| version.place.id);
                let (local, upstream) = (id(local), id(upstream));
                file.conflicts.push(Conflict {
                    path: path.to_string(),
                    kind: ConflictKind::Rename,
                    base: None,
                    local,
                    upstream,
                });
            }
        }
    }
    Ok(())
}

/// Returns the path at which `side` put the file where nothing was before, if the file now stands there.
fn arrived(file: &File, side: Side) -> Option<BString> {
    let path = &file.result.as_ref()?.path;
    let arrived = file.versions.of(side).as_ref()?.path == *path;
    let was_there = [&file.versions.base, file.versions.of(side.other())];
    let is_new = was_there.into_iter().flatten().all(|version| version.path != *path);
    (arrived && is_new).then(|| path.clone())
}

/// Returns the directories that `side` no longer has and from which it renamed files to another one. As in git, a
/// rename counts for the directories above too, as far up as both paths end alike.
fn renamed_away(store: &Store, roots: Versions<Oid>, renames: &Renames, side: Side) -> Result<BTreeSet<BString>> {
    let mut renamed = BTreeSet::new();
    for (source, target) in renames.iter() {
        let targets = directories_above(target).chain([BStr::new("")]);
        for (from, to) in directories_above(source).zip(targets) {
            if from == to {
                break;
            }
            if is_gone(store, roots, from, side)? {
                renamed.insert(from.to_owned());
            }
            if file_name(from) != file_name(to) {
                break;
            }
        }
    }
    Ok(renamed)
}

/// Tells whether a directory of the base is no more on `side`.
pub(super) fn is_gone(store: &Store, roots: Versions<Oid>, directory: &BStr, side: Side) -> Result<bool> {
    let there = |root: Oid| tree::directory_at(store, root, directory).map(|found| found.is_some());
    Ok(there(roots.base)? && !there(*roots.of(side))?)
}
