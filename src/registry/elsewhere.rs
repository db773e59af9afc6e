//! Skills and entries in another folder than `[registry] skills` names, where that one is not there.

use super::{Entry, State, settings, source_file, toml_file};
use crate::git::{Mode, Oid, Store, TreeEntry, tree_at};
use crate::skill::SKILL_MD;
use crate::types::{Error, ErrorKind, RelPath, Result, escape};

/// How deep below the registry they are looked for.
const DEEPEST: u32 = 6;

/// Returns the first folder in which entries of skills that follow an upstream stand, where the folder of the skills is not
/// there: then nothing of them would be seen.
pub fn entries(store: &Store, state: &State) -> Result<Option<RelPath>> {
    find(store, state, &is_entry)
}

/// Returns the first folder in which skills stand, or entries of skills that follow an upstream, where the folder of the skills
/// is not there.
pub fn skills(store: &Store, state: &State) -> Result<Option<RelPath>> {
    find(store, state, &|store, place, path| Ok(is_skill(store, place)? || is_entry(store, place, path)?))
}

/// Returns the error for entries that were found in `found`.
pub(super) fn refused(state: &State, found: &RelPath) -> Error {
    let place = toml_file::place(settings::FILE, &state.settings_text, "registry.skills");
    let message = format!("{place}: `registry.skills` is `{}`, and there is no such folder", state.settings.skills);
    Error::new(ErrorKind::Config, message)
        .because(format!("there are entries in `{}`", escape(found.as_str())))
        .hint(format!("name that folder in {}, or git mv it, and commit; then run: skillgraft check", settings::FILE))
}

type Sought<'a> = &'a dyn Fn(&Store, &TreeEntry, &RelPath) -> Result<bool>;

fn find(store: &Store, state: &State, sought: Sought<'_>) -> Result<Option<RelPath>> {
    if tree_at(store, state.tree, &state.layout.skills)?.is_some() {
        return Ok(None);
    }
    let Some(root) = tree_at(store, state.tree, &state.layout.folder)? else { return Ok(None) };
    find_below(store, root, &RelPath::root(), DEEPEST, sought)
}

/// Sources, which are no entries, are passed over, and so is a registry of its own.
fn find_below(store: &Store, tree: Oid, path: &RelPath, depth: u32, sought: Sought<'_>) -> Result<Option<RelPath>> {
    let tree = store.tree(tree)?;
    if !path.is_root() && tree.get(settings::FILE.as_bytes()).is_some() {
        return Ok(None);
    }
    let mut below = Vec::new();
    for entry in tree.entries() {
        let Ok(inside) = path.join(&entry.name) else { continue };
        if sought(store, entry, &inside)? {
            return Ok(Some(path.clone()));
        }
        if entry.mode == Mode::Tree && inside.as_str() != source_file::FOLDER {
            below.push((entry.id, inside));
        }
    }
    for (tree, inside) in below.into_iter().filter(|_| depth > 0) {
        if let Some(found) = find_below(store, tree, &inside, depth - 1, sought)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_skill(store: &Store, place: &TreeEntry) -> Result<bool> {
    Ok(place.mode == Mode::Tree && store.tree(place.id)?.get(SKILL_MD.as_bytes()).is_some())
}

fn is_entry(store: &Store, place: &TreeEntry, path: &RelPath) -> Result<bool> {
    if !place.mode.is_file() || !path.as_str().ends_with(".toml") {
        return Ok(false);
    }
    let bytes = store.blob(place.id)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Ok(Entry::parse(path.as_str(), text).is_ok_and(|entry| entry.upstream.is_some()))
}
