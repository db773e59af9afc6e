//! Reads the steps of entries out of a history: the commits in which an entry's file differs from a parent's, and how.

use super::Record;
use crate::git::{History, Mode, Oid, Store, Tree, tree_at};
use crate::registry::{Layout, Upstream, read_entry};
use crate::types::{RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};

/// An entry: its file below the folder of skills, and what it follows.
#[derive(Debug)]
pub(super) struct Stand {
    pub(super) file: RelPath,
    pub(super) record: Record,
}

/// One entry that differs between a commit and one of its parents; a root has none.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) commit: usize,
    pub(super) parent: Option<usize>,
    pub(super) old: Option<Stand>,
    pub(super) new: Option<Stand>,
}

impl Step {
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.old.iter().chain(&self.new).map(|stand| &stand.record)
    }
}

/// A history, as far as entries go.
pub(super) struct Walked {
    /// The commits, every one after its parents.
    pub(super) commits: Vec<Oid>,
    pub(super) parents: Vec<Vec<usize>>,
    pub(super) first_parents: BTreeSet<usize>,
    pub(super) steps: Vec<Step>,
}

/// Walks the history of its head.
pub(super) fn walk(store: &Store, layout: &Layout, main: &History<'_>) -> Result<Walked> {
    let commits = parents_first(store, main.head())?;
    let index: BTreeMap<Oid, usize> = commits.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let mut folders = Vec::with_capacity(commits.len());
    let mut parents = Vec::with_capacity(commits.len());
    let mut steps = Vec::new();
    let mut reader = Reader { store, layout, known: BTreeMap::new() };
    let mut then = layout.clone();
    for (at, id) in commits.iter().enumerate() {
        let commit = store.commit(*id)?;
        then = then.then(store, commit.tree)?;
        let folder = tree_at(store, commit.tree, &then.skills)?;
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
    Ok(Walked { commits, parents, first_parents, steps })
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
