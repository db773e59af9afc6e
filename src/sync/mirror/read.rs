//! What a mirror's commits hold: skills, licence files, plugins, and which upstream commit each recorded.

use super::{Mirror, OWN, REVISION, plugins_file};
use crate::git::{History, Mode, Oid, Place, Store, entry_at, first_parents, tree_at, with_changes};
use crate::skill::SKILL_MD;
use crate::source::is_license;
use crate::source::plugin::{self, Plugins};
use crate::types::{RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the plugins that the skills of a mirror commit belong to.
pub fn plugins_at(store: &Store, commit: Oid) -> Result<Plugins> {
    let tree = store.commit(commit)?.tree;
    match entry_at(store, tree, &plugins_file())?.filter(|place| place.mode.is_file()) {
        Some(place) => Ok(Plugins::from_json(&store.blob(place.id)?)),
        None if upstream_at(store, tree, &RelPath::root())?.is_some() => plugin::in_tree(store, tree),
        None => Ok(Plugins::default()),
    }
}

/// Returns a mirror as it stands, where upstream was not looked at.
pub fn standing(store: &Store, head: Oid) -> Result<Mirror> {
    let Content { skills, licenses } = content(store, head)?;
    let tree = store.commit(head)?.tree;
    let plugins = plugins_at(store, head)?;
    Ok(Mirror { head, tree, skills, licenses, grew: false, rejected: Vec::new(), remarks: Vec::new(), plugins })
}

#[derive(Default)]
pub(super) struct Content {
    pub(super) skills: BTreeMap<RelPath, Oid>,
    pub(super) licenses: Vec<(RelPath, Oid)>,
}

/// Reads a mirror commit: directories with a `SKILL.md` are skills, files outside of them are licence files.
pub(super) fn content(store: &Store, commit: Oid) -> Result<Content> {
    let mut content = Content::default();
    collect(store, store.commit(commit)?.tree, &RelPath::root(), &mut content)?;
    if content.skills.contains_key(&RelPath::root()) {
        let tree = store.tree(store.commit(commit)?.tree)?;
        for entry in tree.entries().iter().filter(|entry| entry.mode.is_file() && is_license(&entry.name)) {
            if let Ok(path) = RelPath::root().join(&entry.name) {
                content.licenses.push((path, entry.id));
            }
        }
    }
    Ok(content)
}

/// Returns the licence files of a mirror commit as one folder; none where it has none.
pub fn licenses_at(store: &Store, commit: Oid) -> Result<Option<Oid>> {
    let file = |(path, id)| (path, Some(Place { mode: Mode::File, id }));
    let files = content(store, commit)?.licenses.into_iter().map(file).collect();
    Ok(Some(with_changes(store, store.empty_tree(), &files)?).filter(|tree| *tree != store.empty_tree()))
}

fn collect(store: &Store, tree: Oid, path: &RelPath, content: &mut Content) -> Result<()> {
    let entries = store.tree(tree)?;
    if entries.get(SKILL_MD.as_bytes()).is_some_and(|entry| entry.mode.is_file()) {
        content.skills.insert(path.clone(), tree);
        return Ok(());
    }
    for entry in entries.entries() {
        // What breaks a rule was not put there by this program, and nothing of ours depends on it.
        let Ok(below) = path.join(&entry.name) else { continue };
        if below.as_str() == OWN {
            continue;
        }
        match entry.mode {
            Mode::Tree => collect(store, entry.id, &below, content)?,
            Mode::File | Mode::Executable => content.licenses.push((below, entry.id)),
            Mode::Link | Mode::Submodule => {}
        }
    }
    Ok(())
}

/// Returns the skills that the tree of a mirror commit holds, by upstream path.
pub fn skills_in(store: &Store, mirror_tree: Oid) -> Result<BTreeMap<RelPath, Oid>> {
    let mut content = Content::default();
    collect(store, mirror_tree, &RelPath::root(), &mut content)?;
    Ok(content.skills)
}

/// Mirror 2: the directory at the entry's path in the mirror's tree if it holds a `SKILL.md` itself; else nothing.
pub fn upstream_at(store: &Store, mirror_tree: Oid, path: &RelPath) -> Result<Option<Oid>> {
    let Some(tree) = tree_at(store, mirror_tree, path)? else { return Ok(None) };
    let is_skill = store.tree(tree)?.get(SKILL_MD.as_bytes()).is_some_and(|entry| entry.mode.is_file());
    Ok(is_skill.then_some(tree))
}

/// Mirror 3: the oldest commit of the newest run of first-parent commits that hold `tree` (or nothing) at `path`.
pub fn oldest_of_newest_run(store: &Store, head: Oid, path: &RelPath, tree: Option<Oid>) -> Result<Oid> {
    let mut oldest = head;
    for commit in first_parents(store, head) {
        let commit = commit?;
        if upstream_at(store, store.commit(commit)?.tree, path)? != tree {
            break;
        }
        oldest = commit;
    }
    Ok(oldest)
}

/// Returns the upstream commit that a mirror commit recorded.
pub fn revision_of(store: &Store, mirror_commit: Oid) -> Result<Option<String>> {
    Ok(store.commit(mirror_commit)?.trailer(REVISION).map(str::to_owned))
}

/// Searches the mirror's history for a skill's tree with this hash: the second step of the base look-up.
pub fn find_base(store: &Store, head: Oid, path: &RelPath, is_it: impl Fn(Oid) -> Result<bool>) -> Result<Option<Oid>> {
    let mut tried = BTreeSet::new();
    let mut found = None;
    History::of(store, head)?.visit(|_, commit| {
        if let Some(tree) = upstream_at(store, commit.tree, path)?
            && tried.insert(tree)
            && is_it(tree)?
        {
            found = Some(tree);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}
