//! Finds the upstream state that a skill was copied from: trees first, blobs only to choose between near ones.

use crate::git::{Mode, Oid, Store, first_parents, tree_at};
use crate::skill::SKILL_MD;
use crate::source::Snapshot;
use crate::types::{RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};

/// How many near states are compared line by line.
const COMPARED: usize = 8;

/// An upstream state that a skill may have been copied from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The upstream commit: the newest one that holds this state.
    pub revision: Oid,
    /// Its date, in seconds since 1970.
    pub date: i64,
    /// The skill's path there.
    pub path: RelPath,
    /// The skill's tree there, links and all.
    pub tree: Oid,
    /// How many files are the same there and here.
    pub same_files: usize,
    /// How many files differ, or stand on one side only.
    pub other_files: usize,
    /// How many lines differ; none where the trees are identical.
    pub changed_lines: Option<usize>,
}

/// Searches the first-parent history of `snapshot` for the state of `path` that is nearest to the skill `local` (a
/// tree of `store`): identical, else with the most identical files, then with the fewest changed lines; of equals, the
/// newest. Where upstream moved the directory, the search goes on at its former path.
pub fn find_origin(snapshot: &Snapshot, store: &Store, path: &RelPath, local: Oid) -> Result<Option<Origin>> {
    let here = files(store, local)?;
    let upstream = snapshot.store();
    let Some(head) = snapshot.revision.as_deref().map(Oid::parse).transpose()? else {
        // A plain directory has one state.
        return state_at(snapshot, store, path, local);
    };
    let mut seen = BTreeSet::new();
    let mut near_ones: Vec<Origin> = Vec::new();
    let mut path = path.clone();
    // The tree in the commit that was looked at before, as long as the skill stands there.
    let mut newer: Option<Oid> = None;
    for commit in first_parents(upstream, head) {
        let commit = commit?;
        let data = upstream.commit(commit)?;
        let mut found = skill_tree(upstream, data.tree, &path)?;
        if let (None, Some(newer)) = (found, newer)
            && let Some((former, tree)) = former_place(upstream, data.tree, &path, newer)?
        {
            (path, found) = (former, Some(tree));
        }
        newer = found;
        let Some(tree) = found.filter(|tree| seen.insert(*tree)) else { continue };
        let origin = near(&here, &files(upstream, tree)?, commit, &path, tree, data.committed);
        if origin.other_files == 0 {
            return Ok(Some(origin));
        }
        near_ones.push(origin);
    }
    near_ones.sort_by_key(|origin| (usize::MAX - origin.same_files, origin.other_files));
    near_ones.truncate(COMPARED);
    for origin in &mut near_ones {
        origin.changed_lines = Some(lines_from(snapshot, store, &here, origin)?);
    }
    // A stable sort: of equals, the newest stays first.
    near_ones.sort_by_key(|origin| (usize::MAX - origin.same_files, origin.changed_lines));
    Ok(near_ones.into_iter().next())
}

/// Returns the directory of the same name that a skill stood in before it stands at `path` with the tree `newer`: the
/// one that shares most files with it, and at least half of them.
fn former_place(store: &Store, root: Oid, path: &RelPath, newer: Oid) -> Result<Option<(RelPath, Oid)>> {
    let there = files(store, newer)?;
    let mut best: Option<(usize, RelPath, Oid)> = None;
    let mut open = vec![(RelPath::root(), root)];
    while let Some((above, tree)) = open.pop() {
        for entry in store.tree(tree)?.entries().iter().filter(|entry| entry.mode == Mode::Tree) {
            let Ok(below) = above.join(&entry.name) else { continue };
            if below.name() == path.name()
                && let Some(tree) = skill_tree(store, root, &below)?
            {
                let same = files(store, tree)?.iter().filter(|(path, id)| there.get(*path) == Some(*id)).count();
                let better = best.as_ref().is_none_or(|(most, place, _)| (same, &below) > (*most, place));
                if same * 2 >= there.len() && better {
                    best = Some((same, below, tree));
                }
            } else {
                open.push((below, entry.id));
            }
        }
    }
    Ok(best.map(|(_, path, tree)| (path, tree)))
}

/// Compares the skill `local` with what stands at `path` in the snapshot itself.
pub fn state_at(snapshot: &Snapshot, store: &Store, path: &RelPath, local: Oid) -> Result<Option<Origin>> {
    let Some(tree) = skill_tree(snapshot.store(), snapshot.tree, path)? else { return Ok(None) };
    let here = files(store, local)?;
    let revision = snapshot.revision.as_deref().map_or(Ok(tree), Oid::parse)?;
    let date = snapshot.date.unwrap_or_default();
    let mut origin = near(&here, &files(snapshot.store(), tree)?, revision, path, tree, date);
    if origin.other_files > 0 {
        origin.changed_lines = Some(lines_from(snapshot, store, &here, &origin)?);
    }
    Ok(Some(origin))
}

fn skill_tree(store: &Store, root: Oid, path: &RelPath) -> Result<Option<Oid>> {
    let Some(tree) = tree_at(store, root, path)? else { return Ok(None) };
    let is_skill = store.tree(tree)?.get(SKILL_MD.as_bytes()).is_some_and(|entry| entry.mode != Mode::Tree);
    Ok(is_skill.then_some(tree))
}

type Files = BTreeMap<String, Oid>;

fn near(here: &Files, there: &Files, revision: Oid, path: &RelPath, tree: Oid, date: i64) -> Origin {
    let same_files = here.iter().filter(|(path, id)| there.get(*path) == Some(id)).count();
    let all: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    let other_files = all.len() - same_files;
    Origin { revision, date, path: path.clone(), tree, same_files, other_files, changed_lines: None }
}

fn files(store: &Store, tree: Oid) -> Result<Files> {
    let mut files = Files::new();
    let mut open = vec![(String::new(), tree)];
    while let Some((above, tree)) = open.pop() {
        for entry in store.tree(tree)?.entries() {
            let path = format!("{above}{}", entry.name);
            match entry.mode {
                Mode::Tree => open.push((format!("{path}/"), entry.id)),
                _ => drop(files.insert(path, entry.id)),
            }
        }
    }
    Ok(files)
}

/// Returns how many lines differ between a skill's tree as upstream has it and the files here.
fn lines_from(snapshot: &Snapshot, store: &Store, here: &Files, origin: &Origin) -> Result<usize> {
    let there = files(snapshot.store(), origin.tree)?;
    let wanted = here.keys().chain(there.keys()).filter(|path| here.get(*path) != there.get(*path));
    snapshot.need(wanted.filter_map(|path| there.get(path)).copied())?;
    differing_lines((snapshot.store(), &there), (store, here))
}

/// Returns how many lines differ between two trees.
pub fn changed_lines(store: &Store, old: Oid, new: Oid) -> Result<usize> {
    differing_lines((store, &files(store, old)?), (store, &files(store, new)?))
}

fn differing_lines((from, old): (&Store, &Files), (to, new): (&Store, &Files)) -> Result<usize> {
    let differing: BTreeSet<&String> =
        new.keys().chain(old.keys()).filter(|path| new.get(*path) != old.get(*path)).collect();
    let mut lines = 0;
    for path in differing {
        let read = |store: &Store, id: Option<&Oid>| -> Result<String> {
            let bytes = id.map_or(Ok(Vec::new()), |id| store.blob(*id))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let (old, new) = (read(from, old.get(path))?, read(to, new.get(path))?);
        let diff = similar::TextDiff::from_lines(&old, &new);
        lines += diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal).count();
    }
    Ok(lines)
}
