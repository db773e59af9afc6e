//! How the records of entries went through the default branch's history: all parents, one walk for all skills.
//!
//! Only commits in which an entry's file differs from a parent's are looked into, so that the walk costs the history
//! of the entries. It is made once in a run, when the first skill asks.

use crate::git::{History, Mode, Oid, Store, Tree, tree_at};
use crate::registry::{Layout, Upstream, read_entry};
use crate::types::{RelPath, Result, SkillId, TreeHash};
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

/// An entry: its file below the folder of skills, and what it follows.
#[derive(Debug)]
struct Stand {
    file: RelPath,
    record: Record,
}

/// One entry that differs between a commit and one of its parents; a root has none.
#[derive(Debug)]
struct Step {
    commit: usize,
    parent: Option<usize>,
    old: Option<Stand>,
    new: Option<Stand>,
}

impl Step {
    fn records(&self) -> impl Iterator<Item = &Record> {
        self.old.iter().chain(&self.new).map(|stand| &stand.record)
    }
}

/// One entry through the history. It stays the same one when the team renames the skill, when upstream moves it, and when
/// what was deleted is there again: under its name, or else at its upstream path.
struct Line<'r> {
    /// For every commit, the file that it stood in, or will again; before a merge of two renames there may be several.
    files: Vec<BTreeSet<&'r RelPath>>,
    steps: BTreeSet<usize>,
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
        let commits = parents_first(store, main.head())?;
        let index: BTreeMap<Oid, usize> = commits.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut folders = Vec::with_capacity(commits.len());
        let mut parents = Vec::with_capacity(commits.len());
        let mut steps = Vec::new();
        let mut reader = Reader { store, layout, known: BTreeMap::new() };
        for (at, id) in commits.iter().enumerate() {
            let commit = store.commit(*id)?;
            let folder = tree_at(store, commit.tree, &layout.at(store, commit.tree)?.skills)?;
            let above: Vec<usize> = commit.parents.iter().filter_map(|parent| index.get(parent).copied()).collect();
            let before: Vec<Option<Oid>> =
                if above.is_empty() { vec![None] } else { above.iter().map(|p| folders[*p]).collect() };
            for (index, before) in before.into_iter().enumerate().filter(|(_, before)| *before != folder) {
                let mut changed = Vec::new();
                reader.differences(before, folder, &RelPath::root(), &mut changed)?;
                let parent = above.get(index).copied();
                steps.extend(pair_up(changed).into_iter().map(|(old, new)| Step { commit: at, parent, old, new }));
            }
            folders.push(folder);
            parents.push(above);
        }
        let first_parents = main.first_parents().map(|id| Ok(index[&id?])).collect::<Result<_>>()?;
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
        let went_back: BTreeSet<usize> = leaving.into_iter().filter_map(gone_back).collect();
        let stands = self.stands(is_it, line.as_ref());
        let again = |commit: &usize| {
            let after = self.descendants(*commit);
            self.first_parents.iter().any(|first| first != commit && after[*first] && stands[*first])
        };
        went_back.into_iter().filter(|commit| !again(commit)).map(|commit| self.commits[commit]).collect()
    }

    /// Returns the steps in which the entry came out of nothing, in their order.
    fn came_back(&self, line: &Line<'_>) -> impl Iterator<Item = &Step> {
        line.steps.iter().map(|index| &self.steps[*index]).filter(|step| step.old.is_none())
    }

    /// Follows the entry that stands in `file` back through the history.
    fn line<'r>(&'r self, file: &'r RelPath) -> Line<'r> {
        let mut line = Line { files: vec![BTreeSet::new(); self.commits.len()], steps: BTreeSet::new() };
        // The upstream paths of what came out of nothing under a new name: it may have been deleted under another one.
        let mut sought: Vec<BTreeSet<&RelPath>> = vec![BTreeSet::new(); self.commits.len()];
        line.files.last_mut().expect("a history has a commit").insert(file);
        let mut end = self.steps.len();
        for at in (0..self.commits.len()).rev() {
            let start = self.steps[..end].partition_point(|step| step.commit < at);
            let is_on_it = |index: &usize| match &self.steps[*index] {
                Step { new: Some(new), .. } => line.files[at].contains(&new.file),
                Step { old, .. } => old
                    .as_ref()
                    .is_some_and(|old| line.files[at].contains(&old.file) || sought[at].contains(&old.record.path)),
            };
            let here: Vec<usize> = (start..end).filter(is_on_it).collect();
            for parent in &self.parents[at] {
                let (mut files, mut seek) = (line.files[at].clone(), sought[at].clone());
                let of_parent =
                    here.iter().map(|index| &self.steps[*index]).filter(|step| step.parent == Some(*parent));
                // All of them first: two skills may have swapped their names.
                of_parent.clone().filter_map(|step| step.new.as_ref()).for_each(|new| _ = files.remove(&new.file));
                for step in of_parent {
                    match (&step.old, &step.new) {
                        (Some(old), new) => {
                            files.insert(&old.file);
                            new.is_none().then(|| seek.remove(&old.record.path));
                        }
                        (None, Some(new)) if self.was_deleted(&new.file, start) => {
                            files.insert(&new.file);
                        }
                        (None, new) => seek.extend(new.iter().map(|new| &new.record.path)),
                    }
                }
                line.files[*parent].extend(files);
                sought[*parent].extend(seek);
            }
            line.steps.extend(here);
            end = start;
        }
        line
    }

    /// Tells whether the last entry that was in this file before step `end` was deleted, and not renamed.
    fn was_deleted(&self, file: &RelPath, end: usize) -> bool {
        let is_in = |stand: &Option<Stand>| stand.as_ref().is_some_and(|it| it.file == *file);
        let last = self.steps[..end].iter().rev().find(|step| is_in(&step.old) && !is_in(&step.new));
        last.is_some_and(|step| step.new.is_none())
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
                let before = self.record(before, None)?;
                let after = self.record(after, before.as_ref())?;
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

    /// Returns what an entry follows; one that cannot be read (markers of a conflict in it) what it followed `before`.
    fn record(&mut self, blob: Option<Oid>, before: Option<&Record>) -> Result<Option<Record>> {
        let Some(blob) = blob else { return Ok(None) };
        if let Some(known) = self.known.get(&blob) {
            return Ok(known.clone());
        }
        let of = |up: Upstream| Record { path: up.path, accepted: up.accepted, mirror: up.mirror };
        let record = match read_entry(self.store, self.layout.skills.as_str(), blob)?.entry {
            Ok(entry) => entry.upstream.map(of),
            Err(_) => before.cloned(),
        };
        self.known.insert(blob, record.clone());
        Ok(record)
    }
}

/// Follows an entry through `git mv`: what one file had and another one has now is one entry, also where two swapped their
/// names; and so are a file that went and one that came with the same upstream path.
fn pair_up(changed: Vec<Changed>) -> Vec<(Option<Stand>, Option<Stand>)> {
    let (mut went, mut came): (Vec<Stand>, Vec<Stand>) = (Vec::new(), Vec::new());
    for (file, old, new) in changed {
        went.extend(old.map(|record| Stand { file: file.clone(), record }));
        came.extend(new.map(|record| Stand { file, record }));
    }
    let mut steps = Vec::new();
    let is_one: [fn(&Stand, &Stand) -> bool; 3] = [
        |old, new| old.record == new.record,
        |old, new| old.file == new.file,
        |old, new| old.record.path == new.record.path,
    ];
    for is_one in is_one {
        let mut left = Vec::new();
        for old in went {
            match came.iter().position(|new| is_one(&old, new)) {
                Some(at) => steps.push((Some(old), Some(came.remove(at)))),
                None => left.push(old),
            }
        }
        went = left;
    }
    steps.extend(went.into_iter().map(|old| (Some(old), None)));
    steps.extend(came.into_iter().map(|new| (None, Some(new))));
    steps
}
