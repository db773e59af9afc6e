//! Differences between two trees of a skill, file by file.

use super::{Outside, spec};
use crate::git::{Mode, Oid, Store};
use crate::sync::versions::Versions;
use crate::sync::{Branches, Reviewer};
use crate::types::Result;
use serde::Serialize;
use std::collections::BTreeMap;

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSummary {
    /// Its path in the skill.
    pub path: String,
    /// What happened to it.
    pub change: FileChange,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content, or what it is, changed.
    Changed,
}

/// The differences of one candidate.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skill.
    pub skill: String,
    /// What the left side is; with the skill before it where the right one is another.
    pub from: String,
    /// What the right side is; likewise.
    pub to: String,
    /// The files.
    pub files: Vec<FileDiff>,
}

/// Both sides of a file.
#[derive(Debug, Serialize)]
pub struct FileDiff {
    /// Its path in the skill.
    pub path: String,
    /// Its mode before.
    pub old_mode: Option<&'static str>,
    /// Its mode after.
    pub new_mode: Option<&'static str>,
    /// Its content before; none where it is binary or not there.
    pub old: Option<String>,
    /// Its content after.
    pub new: Option<String>,
    /// Whether a side is no text.
    pub binary: bool,
}

/// Compares a candidate with the default branch, or (`upstream`) base and upstream.
pub fn candidate(outside: &Outside, id: &str, upstream: bool) -> Result<Report> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let branches = Branches::load(&registry)?;
    let (source, skill) = super::candidate::find(&registry, &branches, id)?;
    let review = Reviewer::new(&registry, &state, &branches, outside.today)?.review(&source, &skill)?;
    let store = &registry.repository.store;
    let trees = review.trees;
    let (from, to, old, new) = match upstream {
        true => ("base", "upstream", trees.base, trees.upstream),
        false => ("local", "candidate", trees.local, trees.proposed),
    };
    let (from, to) = (from.to_owned(), to.to_owned());
    Ok(Report { format: 1, skill: skill.to_string(), from, to, files: compare(store, old, new)? })
}

/// Compares two states of a skill, or of two skills. With one, the other is the default branch's.
pub fn states(outside: &Outside, from: &str, to: Option<&str>) -> Result<Report> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let versions = Versions::load(&registry, &state)?;
    let find = |text: &str| spec::find(&registry, &state, &versions, text);
    let from = find(from)?;
    let to = match to {
        Some(text) if text.starts_with('@') => find(&format!("{}{text}", from.id))?,
        Some(text) => find(text)?,
        // What was changed here since the base is what people look for first.
        None if from.label == "local" => find(&format!("{}@base", from.id))?,
        None => find(from.id.as_str())?,
    };
    let (from, to) = if to.label == "base" && from.label == "local" { (to, from) } else { (from, to) };
    let files = compare(&registry.repository.store, from.tree, to.tree)?;
    // Of two skills the state alone does not say which is which.
    let is_one = from.id == to.id;
    let name = |point: &spec::Point| if is_one { point.label.clone() } else { format!("{}@{}", point.id, point.label) };
    Ok(Report { format: 1, skill: from.id.to_string(), from: name(&from), to: name(&to), files })
}

/// Lists the files that differ.
pub fn summarize(store: &Store, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<FileSummary>> {
    let changed = changed(store, old, new)?.into_iter().map(|(path, (old, new))| FileSummary {
        path: crate::types::escape(&path),
        change: match (old, new) {
            (None, _) => FileChange::Added,
            (_, None) => FileChange::Removed,
            _ => FileChange::Changed,
        },
    });
    Ok(changed.collect())
}

/// Reads both sides of the files that differ.
pub fn compare(store: &Store, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<FileDiff>> {
    let mut files = Vec::new();
    for (path, (old, new)) in changed(store, old, new)? {
        let read = |side: Option<(Mode, Oid)>| match side {
            Some((Mode::Submodule, id)) => Ok(Some(format!("submodule {id}\n").into_bytes())),
            Some((_, id)) => store.blob(id).map(Some),
            None => Ok(None),
        };
        let (before, after) = (read(old)?, read(new)?);
        let binary =
            [&before, &after].into_iter().flatten().any(|bytes| bytes.iter().take(8000).any(|byte| *byte == 0));
        let text = |bytes: Option<Vec<u8>>| {
            bytes.filter(|_| !binary).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        files.push(FileDiff {
            path,
            old_mode: old.map(|(mode, _)| mode.octal()),
            new_mode: new.map(|(mode, _)| mode.octal()),
            old: text(before),
            new: text(after),
            binary,
        });
    }
    Ok(files)
}

/// Returns the file at a path of a tree.
pub(super) fn file_at(store: &Store, tree: Option<Oid>, path: &str) -> Result<Option<(Mode, Oid)>> {
    let Some(mut tree) = tree else { return Ok(None) };
    let mut components = path.split('/').peekable();
    while let Some(name) = components.next() {
        let Some((mode, id)) = store.tree(tree)?.get(name.as_bytes()).map(|entry| (entry.mode, entry.id)) else {
            return Ok(None);
        };
        if components.peek().is_none() {
            return Ok(Some((mode, id)).filter(|_| mode != Mode::Tree));
        }
        if mode != Mode::Tree {
            return Ok(None);
        }
        tree = id;
    }
    Ok(None)
}

pub(super) type Sides = (Option<(Mode, Oid)>, Option<(Mode, Oid)>);

pub(super) fn changed(store: &Store, old: Option<Oid>, new: Option<Oid>) -> Result<BTreeMap<String, Sides>> {
    let mut files: BTreeMap<String, Sides> = BTreeMap::new();
    if old == new {
        return Ok(files);
    }
    if let Some(old) = old {
        collect(store, old, "", &mut |path, side| files.entry(path).or_default().0 = Some(side))?;
    }
    if let Some(new) = new {
        collect(store, new, "", &mut |path, side| files.entry(path).or_default().1 = Some(side))?;
    }
    files.retain(|_, (old, new)| old != new);
    Ok(files)
}

fn collect(store: &Store, tree: Oid, above: &str, put: &mut impl FnMut(String, (Mode, Oid))) -> Result<()> {
    for entry in store.tree(tree)?.entries() {
        let path = if above.is_empty() { entry.name.to_string() } else { format!("{above}/{}", entry.name) };
        match entry.mode {
            Mode::Tree => collect(store, entry.id, &path, put)?,
            mode => put(path, (mode, entry.id)),
        }
    }
    Ok(())
}
