//! Putting the merged files in place: two at one path, or one where another needs a directory.
//!
//! Local's tree is valid by itself. So of two that clash, the one that is not where local has it gives way: it goes back
//! to what it is in local, and its upstream version is listed. That can make room for nothing but local's own files,
//! hence it ends.

use super::conflict::{Conflict, ConflictKind};
use super::file::Merger;
use super::{File, Version, directories_above};
use crate::git::{BStr, ByteSlice as _, Oid};
use crate::types::Result;
use std::collections::BTreeMap;

/// Changes the results until they can stand together in one tree.
pub(super) fn settle(merger: &Merger<'_>, files: &mut [File]) -> Result<()> {
    loop {
        let clashes = clashes(files);
        if clashes.is_empty() {
            return Ok(());
        }
        for Clash { yields, stays } in clashes {
            if !meet(merger, files, yields, stays)? {
                give_way(files, yields, stays);
            }
        }
    }
}

/// Two files, by index, that cannot stand together.
struct Clash {
    yields: usize,
    stays: usize,
}

fn clashes(files: &[File]) -> Vec<Clash> {
    let mut standing: BTreeMap<&BStr, usize> = BTreeMap::new();
    // By the one that yields, as each can give way but once.
    let mut clashes: BTreeMap<usize, usize> = BTreeMap::new();
    let mut clash = |one: usize, two: usize| {
        let (yields, stays) = if is_where_local_has_it(&files[one]) { (two, one) } else { (one, two) };
        clashes.entry(yields).or_insert(stays);
    };
    for (index, result) in results(files) {
        if let Some(other) = standing.insert(result.path.as_bstr(), index) {
            clash(other, index);
        }
    }
    for (index, result) in results(files) {
        for above in directories_above(result.path.as_bstr()) {
            if let Some(other) = standing.get(above) {
                clash(*other, index);
            }
        }
    }
    clashes.into_iter().map(|(yields, stays)| Clash { yields, stays }).collect()
}

/// Two at one path that are the same, or merge without a conflict, are one file.
fn meet(merger: &Merger<'_>, files: &mut [File], yields: usize, stays: usize) -> Result<bool> {
    let (Some(upstream), Some(local)) = (&files[yields].result, &files[stays].result) else { return Ok(false) };
    let settled = files[yields].conflicts.is_empty() && files[stays].conflicts.is_empty();
    if upstream.path != local.path || !settled {
        return Ok(false);
    }
    let Some(place) = merger.agreed(local.place, upstream.place)? else { return Ok(false) };
    let path = local.path.clone();
    files[stays].result = Some(Version { path, place });
    files[yields].result = None;
    Ok(true)
}

fn give_way(files: &mut [File], yields: usize, stays: usize) {
    let Some(result) = files[yields].result.take() else { return };
    let in_the_way = &files[stays];
    let same_path = in_the_way.result.as_ref().is_some_and(|stays| stays.path == result.path);
    let local = in_the_way.versions.local.as_ref().filter(|_| same_path).map(|local| local.place.id);
    let file = &mut files[yields];
    let conflict = file.versions.conflict(&result.path, ConflictKind::AddAdd);
    file.conflicts = vec![Conflict { base: None, local, ..conflict }];
    file.result = file.versions.local.clone();
}

/// Where upstream renamed a file that local deleted, local may have another one at the new path. That one stays, so it is
/// local's version there: who takes local's side keeps it.
pub(super) fn name_what_stands(files: &mut [File]) {
    let standing: BTreeMap<String, Oid> =
        results(files).map(|(_, result)| (result.path.to_string(), result.place.id)).collect();
    for conflict in files.iter_mut().flat_map(|file| &mut file.conflicts) {
        if conflict.kind == ConflictKind::ModifyDelete && conflict.local.is_none() {
            conflict.local = standing.get(&conflict.path).copied();
        }
    }
}

fn results(files: &[File]) -> impl Iterator<Item = (usize, &Version)> {
    files.iter().enumerate().filter_map(|(index, file)| Some((index, file.result.as_ref()?)))
}

fn is_where_local_has_it(file: &File) -> bool {
    let path = |version: &Option<Version>| version.as_ref().map(|version| version.path.clone());
    path(&file.versions.local) == path(&file.result)
}
