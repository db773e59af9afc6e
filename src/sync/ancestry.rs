//! Finds the upstream state that a skill was copied from: trees first, blobs only to choose between near ones.

use crate::git::{Commit, History, Mode, Oid, Store, first_parents, tree_at};
use crate::skill::SKILL_MD;
use crate::source::{Snapshot, beside_state, is_license};
use crate::types::{RelPath, Result};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// An upstream state that a skill may have been copied from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The upstream commit: the newest one that holds this state. Where upstream is no repository, the tree.
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
    /// How many files are executable, or links, on one side only.
    pub other_modes: usize,
    /// How many files stand there only: they were never copied, or have been deleted since.
    pub missing_files: usize,
    /// How many lines differ in the files that stand here; none where the trees are identical. Of those that stand there only
    /// nobody knows whether they were there to be copied, so they are counted apart.
    pub changed_lines: Option<usize>,
    /// The next states that are as near, or nearly, newest first; at most three.
    pub rivals: Vec<Rival>,
}

/// A state that is nearly as near as the one that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rival {
    /// The newest upstream commit that holds it.
    pub revision: Oid,
    /// Its date, in seconds since 1970.
    pub date: i64,
    /// How many lines differ.
    pub changed_lines: usize,
    /// How many files stand there only.
    pub missing_files: usize,
}

/// With at most so many lines more than the nearest state, another one is shown.
const NEARLY: usize = 5;
/// How many of those are shown.
const RIVALS: usize = 3;

/// A skill that was copied: its path upstream, and its tree here.
#[derive(Debug, Clone)]
pub struct Copied {
    /// Where upstream has it now.
    pub path: RelPath,
    /// The skill here, a tree of the registry's store.
    pub local: Oid,
}

/// Searches the history of `snapshot` for the state that each of `skills` is nearest to: identical, else, along first parents,
/// with the most identical files, then with the fewest changed lines in the files that are here, then with the fewest files that
/// are not, then with the fewest other modes; of equals, the newest. Where upstream moved a directory, the search goes on at
/// its former path. The history is walked once for all of them, and blobs are asked for once.
pub fn find_origins(snapshot: &Snapshot, store: &Store, skills: &[Copied]) -> Result<Vec<Option<Origin>>> {
    let Some(head) = snapshot.commit() else {
        // What is no repository has one state.
        return skills.iter().map(|skill| state_at(snapshot, store, &skill.path, skill.local)).collect();
    };
    let upstream = snapshot.store();
    let mut searches = skills.iter().map(|skill| Search::new(store, skill)).collect::<Result<Vec<_>>>()?;
    for commit in first_parents(upstream, head) {
        let commit = commit?;
        let data = upstream.commit(commit)?;
        for search in searches.iter_mut().filter(|search| !search.is_over) {
            search.look(upstream, commit, &data)?;
        }
        if searches.iter().all(|search| search.is_over) {
            break;
        }
    }
    // What was copied from a branch, or from one that was merged the wrong way round, never stood on a first parent.
    if searches.iter().any(|search| !search.is_over) {
        History::of(upstream, head)?.visit(|commit, data| {
            for search in searches.iter_mut().filter(|search| !search.is_over) {
                search.look_for_identical(upstream, commit, data)?;
            }
            Ok(searches.iter().any(|search| !search.is_over))
        })?;
    }
    let mut differing = BTreeSet::new();
    for search in &mut searches {
        search.keep_the_nearest();
        for origin in search.near_ones.iter().filter(|origin| origin.other_files > 0) {
            let there = files(upstream, origin.tree)?;
            let differs = |path: &&String| id_of(&there, path) != id_of(&search.here, path);
            differing.extend(search.here.keys().filter(differs).filter_map(|path| id_of(&there, path)));
        }
    }
    snapshot.need(differing)?;
    searches.into_iter().map(|search| search.nearest(snapshot, store)).collect()
}

/// Returns the files of a state, and what tells its licence and version, so that they can be asked for together with those
/// of others.
pub fn blobs(snapshot: &Snapshot, origin: &Origin) -> Result<Vec<Oid>> {
    let mut blobs: Vec<Oid> = files(snapshot.store(), origin.tree)?.into_values().map(|(id, _)| id).collect();
    blobs.extend(beside_state(snapshot.store(), root(snapshot, origin)?, &origin.path)?);
    Ok(blobs)
}

/// Returns the root tree of a state that was found in the history of `snapshot`.
pub fn root(snapshot: &Snapshot, origin: &Origin) -> Result<Oid> {
    Ok(if snapshot.commit().is_some() { snapshot.store().commit(origin.revision)?.tree } else { snapshot.tree })
}

/// The search for one skill's origin.
struct Search {
    here: Files,
    path: RelPath,
    /// The paths at which it stood after that one.
    later: Vec<RelPath>,
    /// The tree in the commit that was looked at before, as long as the skill stands there.
    newer: Option<Oid>,
    seen: BTreeSet<Oid>,
    near_ones: Vec<Origin>,
    is_over: bool,
}

impl Search {
    fn new(store: &Store, skill: &Copied) -> Result<Self> {
        let (here, path) = (files(store, skill.local)?, skill.path.clone());
        Ok(Search {
            here,
            path,
            later: Vec::new(),
            newer: None,
            seen: BTreeSet::new(),
            near_ones: Vec::new(),
            is_over: false,
        })
    }

    fn look(&mut self, upstream: &Store, commit: Oid, data: &Commit) -> Result<()> {
        let mut found = skill_tree(upstream, data.tree, &self.path)?;
        if let (None, Some(newer)) = (found, self.newer)
            && let Some((former, tree)) = former_place(upstream, data.tree, &self.path, newer)?
        {
            found = Some(tree);
            self.later.push(std::mem::replace(&mut self.path, former));
        }
        self.newer = found;
        let Some(tree) = found.filter(|tree| self.seen.insert(*tree)) else { return Ok(()) };
        let origin = near(&self.here, &files(upstream, tree)?, commit, &self.path, tree, data.committed);
        if origin.is_identical() {
            self.is_over = true;
            self.near_ones.clear();
        }
        self.near_ones.push(origin);
        Ok(())
    }

    /// Looks at a commit anywhere in history for the very same files.
    fn look_for_identical(&mut self, upstream: &Store, commit: Oid, data: &Commit) -> Result<()> {
        for path in self.later.iter().chain([&self.path]) {
            let Some(tree) = skill_tree(upstream, data.tree, path)?.filter(|tree| self.seen.insert(*tree)) else {
                continue;
            };
            let origin = near(&self.here, &files(upstream, tree)?, commit, path, tree, data.committed);
            if origin.is_identical() {
                (self.is_over, self.near_ones) = (true, vec![origin]);
                return Ok(());
            }
        }
        Ok(())
    }

    /// All of them that share the most files: a skill of one file that was edited shares none with any state, so lines
    /// alone tell.
    fn keep_the_nearest(&mut self) {
        let most = self.near_ones.iter().map(|origin| origin.same_files).max();
        self.near_ones.retain(|origin| Some(origin.same_files) == most);
    }

    fn nearest(mut self, snapshot: &Snapshot, store: &Store) -> Result<Option<Origin>> {
        if !self.is_over {
            count_changed_lines(snapshot, store, &self.here, &mut self.near_ones)?;
        }
        // Of equals the newest stays first.
        self.near_ones.sort_by_key(|origin| (origin.changed_lines, origin.missing_files, origin.other_modes));
        let mut near_ones = self.near_ones.into_iter();
        let Some(mut nearest) = near_ones.next() else { return Ok(None) };
        let most = nearest.changed_lines.unwrap_or_default() + NEARLY;
        nearest.rivals = near_ones.map_while(|other| other.rival(most)).take(RIVALS).collect();
        Ok(Some(nearest))
    }
}

impl Origin {
    fn is_identical(&self) -> bool {
        self.other_files == 0 && self.other_modes == 0
    }

    /// Returns what to tell of a state that was not chosen, if not more than `most` lines of it differ.
    fn rival(&self, most: usize) -> Option<Rival> {
        let Origin { revision, date, missing_files, .. } = *self;
        let changed_lines = self.changed_lines.filter(|lines| *lines <= most)?;
        Some(Rival { revision, date, changed_lines, missing_files })
    }
}

/// Searches the first-parent history of `snapshot` for the newest commit in which the skill is `recorded`, the tree that
/// an installer wrote down; none where history has no such state.
pub fn find_recorded(snapshot: &Snapshot, store: &Store, skill: &Copied, recorded: Oid) -> Result<Option<Origin>> {
    let Some(head) = snapshot.revision.as_deref().map(Oid::parse).transpose()? else { return Ok(None) };
    let upstream = snapshot.store();
    for commit in first_parents(upstream, head) {
        let commit = commit?;
        let data = upstream.commit(commit)?;
        if skill_tree(upstream, data.tree, &skill.path)? == Some(recorded) {
            let (here, there) = (files(store, skill.local)?, files(upstream, recorded)?);
            return Ok(Some(near(&here, &there, commit, &skill.path, recorded, data.committed)));
        }
    }
    Ok(None)
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
                let same = same_files(&files(store, tree)?, &there);
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
    let revision = snapshot.commit().unwrap_or(tree);
    let date = snapshot.date.unwrap_or_default();
    let mut origin = near(&here, &files(snapshot.store(), tree)?, revision, path, tree, date);
    if origin.other_files > 0 {
        count_changed_lines(snapshot, store, &here, std::slice::from_mut(&mut origin))?;
    }
    Ok(Some(origin))
}

fn skill_tree(store: &Store, root: Oid, path: &RelPath) -> Result<Option<Oid>> {
    let Some(tree) = tree_at(store, root, path)? else { return Ok(None) };
    let is_skill = store.tree(tree)?.get(SKILL_MD.as_bytes()).is_some_and(|entry| entry.mode != Mode::Tree);
    Ok(is_skill.then_some(tree))
}

type Files = BTreeMap<String, (Oid, Mode)>;

fn id_of(files: &Files, path: &str) -> Option<Oid> {
    files.get(path).map(|(id, _)| *id)
}

fn same_files(one: &Files, other: &Files) -> usize {
    one.iter().filter(|(path, (id, _))| id_of(other, path) == Some(*id)).count()
}

fn near(here: &Files, there: &Files, revision: Oid, path: &RelPath, tree: Oid, date: i64) -> Origin {
    let same_files = same_files(here, there);
    let other_modes =
        here.iter().filter(|(path, file)| there.get(*path).is_some_and(|there| there.1 != file.1)).count();
    let missing_files = there.keys().filter(|path| !here.contains_key(*path)).count();
    let other_files = here.len() + missing_files - same_files;
    let (path, changed_lines, rivals) = (path.clone(), None, Vec::new());
    Origin { revision, date, path, tree, same_files, other_files, other_modes, missing_files, changed_lines, rivals }
}

fn files(store: &Store, tree: Oid) -> Result<Files> {
    let mut files = Files::new();
    let mut open = vec![(String::new(), tree)];
    while let Some((above, tree)) = open.pop() {
        for entry in store.tree(tree)?.entries() {
            let path = format!("{above}{}", entry.name);
            match entry.mode {
                Mode::Tree => open.push((format!("{path}/"), entry.id)),
                mode => drop(files.insert(path, (entry.id, mode))),
            }
        }
    }
    Ok(files)
}

/// Tells whether two skills have a file in common, byte for byte and at one path. A licence does not count: many skills
/// share it.
pub fn share_a_file(store: &Store, one: Oid, other: Oid) -> Result<bool> {
    let (one, other) = (files(store, one)?, files(store, other)?);
    let is_license_file = |path: &str| is_license(path.rsplit('/').next().unwrap_or_default().as_bytes());
    Ok(one.iter().any(|(path, file)| id_of(&other, path) == Some(file.0) && !is_license_file(path)))
}

/// Counts for each state the lines that differ in the files that are here. What upstream must send for that is asked for
/// at once, and each version of a file is compared once.
fn count_changed_lines(snapshot: &Snapshot, store: &Store, here: &Files, origins: &mut [Origin]) -> Result<()> {
    let upstream = snapshot.store();
    let mut differing = Vec::new();
    for origin in &*origins {
        let there = files(upstream, origin.tree)?;
        let differs = |path: &&String| id_of(here, path) != id_of(&there, path);
        let versions = here.keys().filter(differs).map(|path| (path.clone(), id_of(&there, path)));
        differing.push(versions.collect::<Vec<(String, Option<Oid>)>>());
    }
    let needed: BTreeSet<Oid> = differing.iter().flatten().filter_map(|(_, id)| *id).collect();
    snapshot.need(needed)?;
    let read = |store: &Store, id: Option<Oid>| -> Result<String> {
        let bytes = id.map_or(Ok(Vec::new()), |id| store.blob(id))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut known: BTreeMap<(String, Option<Oid>), usize> = BTreeMap::new();
    for (origin, versions) in origins.iter_mut().zip(differing) {
        let mut lines = 0;
        for version in versions {
            lines += match known.get(&version) {
                Some(lines) => *lines,
                None => {
                    let (old, new) = (read(upstream, version.1)?, read(store, id_of(here, &version.0))?);
                    let lines = lines_between(&old, &new);
                    known.insert(version, lines);
                    lines
                }
            };
        }
        origin.changed_lines = Some(lines);
    }
    Ok(())
}

/// Returns how many lines differ between two trees.
pub fn changed_lines(store: &Store, old: Oid, new: Oid) -> Result<usize> {
    let (old, new) = (files(store, old)?, files(store, new)?);
    let differing: BTreeSet<&String> =
        new.keys().chain(old.keys()).filter(|path| id_of(&new, path) != id_of(&old, path)).collect();
    let read = |id: Option<Oid>| -> Result<String> {
        let bytes = id.map_or(Ok(Vec::new()), |id| store.blob(id))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let lines = |path: &String| Ok(lines_between(&read(id_of(&old, path))?, &read(id_of(&new, path))?));
    differing.into_iter().map(lines).sum()
}

fn lines_between(old: &str, new: &str) -> usize {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal).count()
}
