//! How the records of entries went through the default branch's history: all parents, one walk for all skills.
//!
//! Only commits in which an entry's file differs from a parent's are looked into, so that the walk costs the history
//! of the entries. It is made once in a run, when the first skill asks.

mod line;
mod steps;

use crate::git::{History, Oid, Store};
use crate::registry::Layout;
use crate::types::{RelPath, Result, SkillId, TreeHash};
use line::Line;
use std::collections::{BTreeMap, BTreeSet};
use steps::{Stand, Step, Walked};

/// What an entry followed at a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The upstream path.
    pub path: RelPath,
    /// The tree that was accepted.
    pub accepted: TreeHash,
    /// The mirror commit that brought it.
    pub mirror: Oid,
}

/// An update that may have been taken back.
#[derive(Debug, Clone, Copy)]
pub struct Update<'u> {
    /// The skill whose entry stands now; where none stands, every entry's past counts.
    pub entry: Option<&'u SkillId>,
    /// The tree that it brings.
    pub accepted: TreeHash,
    /// The only upstream path at which it counts; where there is none, all that the entry ever followed.
    pub only_at: Option<&'u RelPath>,
}

/// The records in the history of the default branch.
pub struct Records {
    /// The commits, every one after its parents.
    commits: Vec<Oid>,
    parents: Vec<Vec<usize>>,
    first_parents: BTreeSet<usize>,
    steps: Vec<Step>,
    /// The steps that lead from or to an upstream path.
    steps_at: BTreeMap<RelPath, Vec<usize>>,
    /// The steps that lead from or to an accepted tree.
    steps_with: BTreeMap<TreeHash, Vec<usize>>,
    /// By upstream path, what entries accepted before they went to a record that some commit had earlier.
    went_back: BTreeMap<RelPath, BTreeSet<TreeHash>>,
}

impl Records {
    /// Walks the history of `head`.
    pub fn walk(store: &Store, layout: &Layout, main: &History<'_>) -> Result<Self> {
        let Walked { commits, parents, first_parents, steps } = steps::walk(store, layout, main)?;
        let went_back = went_back(&steps);
        let mut steps_at: BTreeMap<RelPath, Vec<usize>> = BTreeMap::new();
        let mut steps_with: BTreeMap<TreeHash, Vec<usize>> = BTreeMap::new();
        for (at, step) in steps.iter().enumerate() {
            let paths: BTreeSet<_> = step.records().map(|record| &record.path).collect();
            paths.into_iter().for_each(|path| steps_at.entry(path.clone()).or_default().push(at));
            let trees: BTreeSet<_> = step.records().map(|record| record.accepted).collect();
            trees.into_iter().for_each(|tree| steps_with.entry(tree).or_default().push(at));
        }
        Ok(Records { commits, parents, first_parents, steps, steps_at, steps_with, went_back })
    }

    /// Returns the steps that lead from or to `path`, in their order.
    fn steps_at(&self, path: &RelPath) -> impl Iterator<Item = &Step> {
        self.steps_at.get(path).into_iter().flatten().map(|at| &self.steps[*at])
    }

    /// Returns what an entry that follows `path` now may have been taken back from; [`Records::taken_back`] says which of
    /// it was.
    pub fn went_back(&self, path: &RelPath) -> BTreeSet<TreeHash> {
        let paths = self.paths_of(path);
        let at = self.went_back.iter().filter(|(path, _)| paths.contains(path));
        at.flat_map(|(_, accepted)| accepted).copied().collect()
    }

    /// RULES, "reverted": the commits in which the entry went from this update back to a record it had before (or, where
    /// no entry stands now, to none), and after which no first-parent commit has it again.
    pub fn taken_back(&self, update: Update<'_>) -> Vec<Oid> {
        let at = |path: &RelPath| update.only_at.is_none_or(|only| only == path);
        let is_it = |record: &Record| record.accepted == update.accepted && at(&record.path);
        let left = |step: &Step| {
            step.old.as_ref().is_some_and(|old| is_it(&old.record))
                && !step.new.as_ref().is_some_and(|new| is_it(&new.record))
        };
        let with_it = self.steps_with.get(&update.accepted).into_iter().flatten().copied();
        let mut leaving: Vec<usize> = with_it.filter(|index| left(&self.steps[*index])).collect();
        if leaving.is_empty() {
            return Vec::new();
        }
        let file = update.entry.map(file_of);
        let line = file.as_ref().map(|file| self.line(file));
        leaving.retain(|index| line.as_ref().is_none_or(|line| line.steps.contains(index)));
        let came_back: Vec<&Step> = line.iter().flat_map(|line| self.came_back(line)).collect();
        let leaving: Vec<&Step> = leaving.into_iter().map(|index| &self.steps[index]).collect();
        let records = leaving.iter().chain(&came_back).flat_map(|step| step.records()).collect();
        let had = self.records_had(&records, line.as_ref());
        let is_back = |old: &Stand, new: &Stand| self.was_before(&had, &new.record, &old.record);
        let gone_back = |step: &Step| match (&step.old, &step.new) {
            (Some(old), Some(new)) if is_back(old, new) => Some(step.commit),
            // Deleted, and what was there before it was restored later.
            (Some(old), None) if line.is_some() => {
                let after = self.descendants(step.commit);
                let mut restored = came_back.iter().filter(|step| after[step.commit]);
                restored.find(|step| step.new.as_ref().is_some_and(|new| is_back(old, new))).map(|step| step.commit)
            }
            // Another path, or none, is where it went: what is offered at this one is a new skill.
            (_, Some(new)) if at(&new.record.path) => None,
            _ => update.entry.is_none().then_some(step.commit),
        };
        let went_back: BTreeSet<usize> = leaving.iter().copied().filter_map(gone_back).collect();
        let stands = self.stands(is_it, line.as_ref());
        let again = |commit: &usize| {
            let after = self.descendants(*commit);
            self.first_parents.iter().any(|first| first != commit && after[*first] && stands[*first])
        };
        let rests_on =
            went_back.iter().filter(|commit| !self.takes_over(**commit, &leaving, &went_back) && !again(commit));
        rests_on.map(|commit| self.commits[*commit]).collect()
    }

    /// Tells whether a commit is a merge that only has what one of its parents had gone back to already.
    fn takes_over(&self, commit: usize, leaving: &[&Step], went_back: &BTreeSet<usize>) -> bool {
        let left = |parent: &usize| leaving.iter().any(|step| step.commit == commit && step.parent == Some(*parent));
        let mut others = self.parents[commit].iter().filter(|parent| !left(parent));
        others.any(|parent| went_back.range(..=parent).any(|earlier| self.descendants(*earlier)[*parent]))
    }

    /// Returns the steps in which the entry came out of nothing, in their order.
    fn came_back(&self, line: &Line<'_>) -> impl Iterator<Item = &Step> {
        line.steps.iter().map(|index| &self.steps[*index]).filter(|step| step.old.is_none())
    }

    /// Returns the newest first-parent commit in which the entry at `path` came to accept this tree instead of another.
    pub fn newest_move(&self, path: &RelPath, accepted: TreeHash) -> Option<Oid> {
        let moved = |step: &&Step| {
            let is = |stand: &Option<Stand>| {
                stand.as_ref().is_some_and(|it| it.record.path == *path && it.record.accepted == accepted)
            };
            is(&step.new) && step.old.is_some() && !is(&step.old) && self.first_parents.contains(&step.commit)
        };
        self.steps_at(path).filter(moved).map(|step| step.commit).max().map(|commit| self.commits[commit])
    }

    /// Returns the paths that the entry at `path` has followed: those that one step leads to from another.
    fn paths_of<'p>(&'p self, path: &'p RelPath) -> BTreeSet<&'p RelPath> {
        let (mut paths, mut open) = (BTreeSet::from([path]), vec![path]);
        while let Some(path) = open.pop() {
            for step in self.steps_at(path) {
                let (Some(old), Some(new)) = (&step.old, &step.new) else { continue };
                open.extend([&old.record.path, &new.record.path].into_iter().filter(|path| paths.insert(*path)));
            }
        }
        paths
    }

    /// For every commit, which of these records it or an ancestor had; where a line is given, on that line.
    fn records_had<'r>(&'r self, records: &BTreeSet<&'r Record>, line: Option<&Line<'_>>) -> Vec<BTreeSet<&'r Record>> {
        let mut new_at: BTreeMap<usize, Vec<&Record>> = BTreeMap::new();
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(Stand { record, .. }) = step.new.as_ref().filter(|new| records.contains(&new.record))
                && line.is_none_or(|line| line.steps.contains(&index))
            {
                new_at.entry(step.commit).or_default().push(record);
            }
        }
        let mut had: Vec<BTreeSet<&Record>> = Vec::with_capacity(self.commits.len());
        for at in 0..self.commits.len() {
            let mut here: BTreeSet<&Record> =
                self.parents[at].iter().flat_map(|parent| had[*parent].iter().copied()).collect();
            here.extend(new_at.get(&at).into_iter().flatten());
            had.push(here);
        }
        had
    }

    /// Tells whether `earlier` was there before some commit brought `later`.
    fn was_before(&self, had: &[BTreeSet<&Record>], earlier: &Record, later: &Record) -> bool {
        (0..self.commits.len()).any(|at| {
            let above = |record: &Record| self.parents[at].iter().any(|parent| had[*parent].contains(record));
            had[at].contains(later) && !above(later) && above(earlier)
        })
    }

    /// For every commit, whether an entry has such a record there; where a line is given, the entry on that line.
    fn stands(&self, is_it: impl Fn(&Record) -> bool, line: Option<&Line<'_>>) -> Vec<bool> {
        let mut files: Vec<BTreeSet<&RelPath>> = Vec::with_capacity(self.commits.len());
        let mut steps = self.steps.iter().peekable();
        for at in 0..self.commits.len() {
            let first = self.parents[at].first();
            let mut here = first.map_or(BTreeSet::new(), |parent| files[*parent].clone());
            let mut came = Vec::new();
            while let Some(step) = steps.next_if(|step| step.commit == at) {
                if step.parent == first.copied() {
                    step.old.as_ref().map(|old| here.remove(&old.file));
                    came.extend(step.new.as_ref().filter(|new| is_it(&new.record)).map(|new| &new.file));
                }
            }
            here.extend(came);
            files.push(here);
        }
        let on_line = |(at, here): (usize, BTreeSet<&RelPath>)| match line {
            None => !here.is_empty(),
            Some(line) => !here.is_disjoint(&line.files[at]),
        };
        files.into_iter().enumerate().map(on_line).collect()
    }

    fn descendants(&self, of: usize) -> Vec<bool> {
        let mut after = vec![false; self.commits.len()];
        after[of] = true;
        for at in of + 1..self.commits.len() {
            after[at] = self.parents[at].iter().any(|parent| after[*parent]);
        }
        after
    }
}

/// Returns the file of an entry, below the folder of skills.
fn file_of(id: &SkillId) -> RelPath {
    RelPath::parse(&format!("{id}.toml")).expect("an id and an ending make a path")
}

fn went_back(steps: &[Step]) -> BTreeMap<RelPath, BTreeSet<TreeHash>> {
    let mut seen: BTreeMap<&Record, usize> = BTreeMap::new();
    let mut went_back: BTreeMap<RelPath, BTreeSet<TreeHash>> = BTreeMap::new();
    // Steps are in the order of their commits, and a commit comes after its parents.
    for step in steps {
        let (old, new) = (step.old.as_ref().map(|old| &old.record), step.new.as_ref().map(|new| &new.record));
        // What was deleted may be there again later, as it was before.
        let is_back = new.is_none_or(|new| *seen.entry(new).or_insert(step.commit) < step.commit);
        let accepted = new.map(|new| new.accepted);
        if let Some(old) = old.filter(|old| is_back && Some(old.accepted) != accepted) {
            went_back.entry(old.path.clone()).or_default().insert(old.accepted);
        }
    }
    went_back
}
