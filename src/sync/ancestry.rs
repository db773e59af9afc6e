//! Finds the upstream state that a skill was copied from: trees first, blobs only to choose between near ones.

use crate::git::{Commit, Mode, Oid, Store, first_parents, tree_at};
use crate::skill::SKILL_MD;
use crate::source::Snapshot;
use crate::types::{RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};

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

/// A skill that was copied: its path upstream, and its tree here.
#[derive(Debug, Clone)]
pub struct Copied {
    /// Where upstream has it now.
    pub path: RelPath,
    /// The skill here, a tree of the registry's store.
    pub local: Oid,
}

/// Searches the first-parent history of `snapshot` for the state that each of `skills` is nearest to: identical, else
/// with the most identical files, then with the fewest changed lines; of equals, the newest. Where upstream moved a
/// directory, the search goes on at its former path. The history is walked once, and blobs are asked for once.
pub fn find_origins(snapshot: &Snapshot, store: &Store, skills: &[Copied]) -> Result<Vec<Option<Origin>>> {
    let Some(head) = snapshot.revision.as_deref().map(Oid::parse).transpose()? else {
        // A plain directory has one state.
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
    let mut differing = BTreeSet::new();
    for search in &mut searches {
        search.keep_the_nearest();
        for origin in search.near_ones.iter().filter(|origin| origin.other_files > 0) {
            let there = files(upstream, origin.tree)?;
            let differ = |(path, id): &(&String, &Oid)| search.here.get(*path) != Some(*id);
            differing.extend(there.iter().filter(differ).map(|(_, id)| *id));
        }
    }
    snapshot.need(differing)?;
    searches.into_iter().map(|search| search.nearest(snapshot, store)).collect()
}

/// Returns the files of a state, so that they can be asked for together with those of others.
pub fn blobs(snapshot: &Snapshot, origin: &Origin) -> Result<Vec<Oid>> {
    Ok(files(snapshot.store(), origin.tree)?.into_values().collect())
}

/// The search for one skill's origin.
struct Search {
    here: Files,
    path: RelPath,
    /// The tree in the commit that was looked at before, as long as the skill stands there.
    newer: Option<Oid>,
    seen: BTreeSet<Oid>,
    near_ones: Vec<Origin>,
    is_over: bool,
}

impl Search {
    fn new(store: &Store, skill: &Copied) -> Result<Self> {
        let (here, path) = (files(store, skill.local)?, skill.path.clone());
        Ok(Search { here, path, newer: None, seen: BTreeSet::new(), near_ones: Vec::new(), is_over: false })
    }

    fn look(&mut self, upstream: &Store, commit: Oid, data: &Commit) -> Result<()> {
        let mut found = skill_tree(upstream, data.tree, &self.path)?;
        if let (None, Some(newer)) = (found, self.newer)
            && let Some((former, tree)) = former_place(upstream, data.tree, &self.path, newer)?
        {
            (self.path, found) = (former, Some(tree));
        }
        self.newer = found;
        let Some(tree) = found.filter(|tree| self.seen.insert(*tree)) else { return Ok(()) };
        let origin = near(&self.here, &files(upstream, tree)?, commit, &self.path, tree, data.committed);
        if origin.other_files == 0 {
            self.is_over = true;
            self.near_ones.clear();
        }
        self.near_ones.push(origin);
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
        // Of equals, the newest comes first, and `min_by_key` takes the first.
        Ok(self.near_ones.into_iter().min_by_key(|origin| origin.changed_lines))
    }
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
        count_changed_lines(snapshot, store, &here, std::slice::from_mut(&mut origin))?;
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

/// Counts for each state the lines that differ. What upstream must send for that is asked for at once, and each version
/// of a file is compared once.
fn count_changed_lines(snapshot: &Snapshot, store: &Store, here: &Files, origins: &mut [Origin]) -> Result<()> {
    let upstream = snapshot.store();
    let mut differing = Vec::new();
    for origin in &*origins {
        let there = files(upstream, origin.tree)?;
        let paths: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
        let differs = |path: &&&String| here.get(**path) != there.get(**path);
        let versions = paths.iter().filter(differs).map(|path| ((*path).clone(), there.get(*path).copied()));
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
                    let (old, new) = (read(upstream, version.1)?, read(store, here.get(&version.0).copied())?);
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
        new.keys().chain(old.keys()).filter(|path| new.get(*path) != old.get(*path)).collect();
    let read = |id: Option<&Oid>| -> Result<String> {
        let bytes = id.map_or(Ok(Vec::new()), |id| store.blob(*id))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let lines = |path: &String| Ok(lines_between(&read(old.get(path))?, &read(new.get(path))?));
    differing.into_iter().map(lines).sum()
}

fn lines_between(old: &str, new: &str) -> usize {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal).count()
}
