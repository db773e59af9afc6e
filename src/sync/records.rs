//! How the records of entries went through the default branch's history: all parents, one walk for all skills.
//!
//! Only commits in which an entry's file differs from a parent's are looked into, so that the walk costs the history
//! of the entries. It is made once in a run, when the first skill asks.

use crate::git::{History, Mode, Oid, Store, Tree, tree_at};
use crate::registry::{Layout, read_entry};
use crate::types::{RelPath, Result, TreeHash};
use std::collections::{BTreeMap, BTreeSet};

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

/// One entry whose record differs between a commit and one of its parents.
#[derive(Debug)]
struct Step {
    commit: usize,
    old: Option<Record>,
    new: Option<Record>,
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
        let commits = parents_first(store, main.head())?;
        let index: BTreeMap<Oid, usize> = commits.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut folders = Vec::with_capacity(commits.len());
        let mut parents = Vec::with_capacity(commits.len());
        let mut steps = Vec::new();
        let mut reader = Reader { store, layout, known: BTreeMap::new() };
        for (at, id) in commits.iter().enumerate() {
            let commit = store.commit(*id)?;
            let folder = tree_at(store, commit.tree, &layout.skills)?;
            let above: Vec<usize> = commit.parents.iter().filter_map(|parent| index.get(parent).copied()).collect();
            let before: Vec<Option<Oid>> =
                if above.is_empty() { vec![None] } else { above.iter().map(|p| folders[*p]).collect() };
            for before in before.into_iter().filter(|before| *before != folder) {
                let mut changed = Vec::new();
                reader.differences(before, folder, &RelPath::root(), &mut changed)?;
                steps.extend(pair_up(changed).into_iter().map(|(old, new)| Step { commit: at, old, new }));
            }
            folders.push(folder);
            parents.push(above);
        }
        let first_parents = main.first_parents().map(|id| Ok(index[&id?])).collect::<Result<_>>()?;
        let went_back = went_back(&steps);
        let mut steps_at: BTreeMap<RelPath, Vec<usize>> = BTreeMap::new();
        let mut steps_with: BTreeMap<TreeHash, Vec<usize>> = BTreeMap::new();
        for (at, step) in steps.iter().enumerate() {
            let (old, new) = (step.old.as_ref(), step.new.as_ref());
            let paths: BTreeSet<_> = old.iter().chain(&new).map(|record| &record.path).collect();
            paths.into_iter().for_each(|path| steps_at.entry(path.clone()).or_default().push(at));
            let trees: BTreeSet<_> = old.iter().chain(&new).map(|record| record.accepted).collect();
            trees.into_iter().for_each(|tree| steps_with.entry(tree).or_default().push(at));
        }
        Ok(Records { commits, parents, first_parents, steps, steps_at, steps_with, went_back })
    }

    /// Returns the steps that lead from or to `path`, in their order.
    fn steps_at(&self, path: &RelPath) -> impl Iterator<Item = &Step> {
        self.steps_at.get(path).into_iter().flatten().map(|at| &self.steps[*at])
    }

    /// Returns the steps that lead from or to `accepted`, in their order.
    fn steps_with(&self, accepted: TreeHash) -> impl Iterator<Item = &Step> {
        self.steps_with.get(&accepted).into_iter().flatten().map(|at| &self.steps[*at])
    }

    /// Returns what the entry at these paths may have been taken back from; [`Records::taken_back`] says which of it was.
    pub fn went_back(&self, paths: &BTreeSet<&RelPath>) -> BTreeSet<TreeHash> {
        paths.iter().filter_map(|path| self.went_back.get(*path)).flatten().copied().collect()
    }

    /// RULES, "reverted": the commits in which an entry at one of `paths` went from `accepted` back to a record it had
    /// before (or, where `no_entry_now`, to none), and after which no first-parent commit has it again at any of them.
    pub fn taken_back(&self, paths: &BTreeSet<&RelPath>, accepted: TreeHash, no_entry_now: bool) -> Vec<Oid> {
        let is_it = |record: &Record| paths.contains(&record.path) && record.accepted == accepted;
        let left = |step: &&Step| step.old.as_ref().is_some_and(is_it) && !step.new.as_ref().is_some_and(is_it);
        let leaving: Vec<&Step> = self.steps_with(accepted).filter(left).collect();
        if leaving.is_empty() {
            return Vec::new();
        }
        let linked = paths.iter().flat_map(|path| self.paths_of(path)).collect();
        let had = self.records_had(&linked);
        let went_back: BTreeSet<usize> = leaving
            .into_iter()
            .filter(|step| {
                let old = step.old.as_ref().expect("filtered above");
                match &step.new {
                    Some(new) if self.was_before(&had, new, old) => true,
                    Some(new) if paths.contains(&new.path) => false,
                    // Another path, or none, is where it went: what is offered at this one is a new skill.
                    _ => no_entry_now,
                }
            })
            .map(|step| step.commit)
            .collect();
        let stands = self.stands(is_it);
        let again = |commit: &usize| {
            let after = self.descendants(*commit);
            self.first_parents.iter().any(|first| first != commit && after[*first] && stands[*first])
        };
        went_back.into_iter().filter(|commit| !again(commit)).map(|commit| self.commits[commit]).collect()
    }

    /// Returns the newest first-parent commit in which the entry at `path` came to accept this tree instead of another.
    pub fn newest_move(&self, path: &RelPath, accepted: TreeHash) -> Option<Oid> {
        let moved = |step: &&Step| {
            let is =
                |record: &Option<Record>| record.as_ref().is_some_and(|r| r.path == *path && r.accepted == accepted);
            is(&step.new) && step.old.is_some() && !is(&step.old) && self.first_parents.contains(&step.commit)
        };
        self.steps_at(path).filter(moved).map(|step| step.commit).max().map(|commit| self.commits[commit])
    }

    /// Returns every path at which an entry accepted this tree.
    pub fn paths_with(&self, accepted: TreeHash) -> BTreeSet<&RelPath> {
        let records = self.steps_with(accepted).flat_map(|step| [&step.old, &step.new]).flatten();
        records.filter(|record| record.accepted == accepted).map(|record| &record.path).collect()
    }

    /// Returns the paths that the entry at `path` has followed: those that one step leads to from another.
    pub fn paths_of<'p>(&'p self, path: &'p RelPath) -> BTreeSet<&'p RelPath> {
        let (mut paths, mut open) = (BTreeSet::from([path]), vec![path]);
        while let Some(path) = open.pop() {
            for step in self.steps_at(path) {
                let (Some(old), Some(new)) = (&step.old, &step.new) else { continue };
                open.extend([&old.path, &new.path].into_iter().filter(|path| paths.insert(*path)));
            }
        }
        paths
    }

    /// For every commit, the records that it or an ancestor had at one of these paths.
    fn records_had(&self, paths: &BTreeSet<&RelPath>) -> Vec<BTreeSet<&Record>> {
        let mut new_at: BTreeMap<usize, Vec<&Record>> = BTreeMap::new();
        for step in &self.steps {
            if let Some(new) = step.new.as_ref().filter(|new| paths.contains(&new.path)) {
                new_at.entry(step.commit).or_default().push(new);
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

    /// For every commit, whether an entry has such a record there.
    fn stands(&self, is_it: impl Fn(&Record) -> bool) -> Vec<bool> {
        let is_it = |record: &&Record| is_it(record);
        let mut stands: Vec<BTreeSet<&RelPath>> = Vec::with_capacity(self.commits.len());
        let mut steps = self.steps.iter().peekable();
        for at in 0..self.commits.len() {
            let mut here = self.parents[at].first().map_or(BTreeSet::new(), |parent| stands[*parent].clone());
            while let Some(step) = steps.next_if(|step| step.commit == at) {
                // Steps against other parents say what they had, not what the first one had; what is new counts.
                if let Some(old) = step.old.as_ref().filter(is_it) {
                    here.remove(&old.path);
                }
                here.extend(step.new.as_ref().filter(is_it).map(|new| &new.path));
            }
            stands.push(here);
        }
        stands.into_iter().map(|paths| !paths.is_empty()).collect()
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

fn went_back(steps: &[Step]) -> BTreeMap<RelPath, BTreeSet<TreeHash>> {
    let mut seen: BTreeMap<&Record, usize> = BTreeMap::new();
    let mut went_back: BTreeMap<RelPath, BTreeSet<TreeHash>> = BTreeMap::new();
    // Steps are in the order of their commits, and a commit comes after its parents.
    for step in steps {
        let Some(new) = &step.new else { continue };
        let first = *seen.entry(new).or_insert(step.commit);
        if let Some(old) = step.old.as_ref().filter(|old| old.accepted != new.accepted && first < step.commit) {
            went_back.entry(old.path.clone()).or_default().insert(old.accepted);
        }
    }
    went_back
}

/// Returns all commits of a history, every one after its parents; the order is the same on every machine.
fn parents_first(store: &Store, head: Oid) -> Result<Vec<Oid>> {
    let mut order = Vec::new();
    let mut state: BTreeMap<Oid, bool> = BTreeMap::new();
    let mut stack = vec![head];
    while let Some(id) = stack.last().copied() {
        match state.get(&id) {
            Some(true) => {
                stack.pop();
            }
            Some(false) => {
                state.insert(id, true);
                order.push(id);
                stack.pop();
            }
            None => {
                state.insert(id, false);
                let commit = store.commit(id)?;
                stack.extend(commit.parents.iter().rev().filter(|parent| !state.contains_key(*parent)));
            }
        }
    }
    Ok(order)
}

type Changed = (RelPath, Option<Record>, Option<Record>);

struct Reader<'a> {
    store: &'a Store,
    layout: &'a Layout,
    known: BTreeMap<Oid, Option<Record>>,
}

impl Reader<'_> {
    /// Collects the entry files that differ between two `skills` folders.
    fn differences(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
        path: &RelPath,
        out: &mut Vec<Changed>,
    ) -> Result<()> {
        if old == new {
            return Ok(());
        }
        let read = |id: Option<Oid>| id.map_or(Ok(Default::default()), |id| self.store.tree(id));
        let (old, new): (std::sync::Arc<Tree>, std::sync::Arc<Tree>) = (read(old)?, read(new)?);
        let names: BTreeSet<&[u8]> =
            old.entries().iter().chain(new.entries()).map(|entry| entry.name.as_slice()).collect();
        for name in names {
            let (before, after) = (old.get(name), new.get(name));
            if before == after {
                continue;
            }
            let Ok(below) = path.join(name) else { continue };
            let file = |entry: Option<&crate::git::TreeEntry>| {
                entry.filter(|entry| entry.mode.is_file()).map(|entry| entry.id)
            };
            if name.ends_with(b".toml") {
                let (before, after) = (file(before), file(after));
                let (before, after) = (self.record(before)?, self.record(after)?);
                if before != after {
                    out.push((below, before, after));
                }
                continue;
            }
            // What is a skill has no entries below it; a namespace has.
            let is_skill =
                |tree: &Tree| tree.get(format!("{}.toml", String::from_utf8_lossy(name)).as_bytes()).is_some();
            if is_skill(&old) || is_skill(&new) {
                continue;
            }
            let folder = |entry: Option<&crate::git::TreeEntry>| entry.filter(|e| e.mode == Mode::Tree).map(|e| e.id);
            self.differences(folder(before), folder(after), &below, out)?;
        }
        Ok(())
    }

    fn record(&mut self, blob: Option<Oid>) -> Result<Option<Record>> {
        let Some(blob) = blob else { return Ok(None) };
        if let Some(known) = self.known.get(&blob) {
            return Ok(known.clone());
        }
        // An entry that cannot be read had no record.
        let entry = read_entry(self.store, self.layout.skills.as_str(), blob)?.entry.ok();
        let record = entry.and_then(|entry| entry.upstream).map(|up| Record {
            path: up.path,
            accepted: up.accepted,
            mirror: up.mirror,
        });
        self.known.insert(blob, record.clone());
        Ok(record)
    }
}

/// Follows an entry through `git mv`: a file that went and one that came with the same upstream path are one entry.
fn pair_up(changed: Vec<Changed>) -> Vec<(Option<Record>, Option<Record>)> {
    let (mut steps, mut came): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    let mut went = Vec::new();
    for (_, old, new) in changed {
        match (old, new) {
            (Some(old), None) => went.push(old),
            (None, Some(new)) => came.push(new),
            (old, new) => steps.push((old, new)),
        }
    }
    for old in went {
        let moved = came.iter().position(|new: &Record| new.path == old.path).map(|at| came.remove(at));
        if moved.as_ref() != Some(&old) {
            steps.push((Some(old), moved));
        }
    }
    steps.extend(came.into_iter().map(|new| (None, Some(new))));
    steps
}
