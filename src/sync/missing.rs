//! A skill whose entry stands and whose directory is gone: the ways out of it.

use crate::git::{Oid, Store, first_parents, tree_at};
use crate::registry::Layout;
use crate::types::{Result, SkillId};

/// Returns the commands that settle it: bring the directory back, let the entry follow where it went, or let the skill go.
pub fn way_back(store: &Store, layout: &Layout, head: Oid, id: &SkillId) -> String {
    let (directory, entry) = (layout.skill(id), layout.entry(id));
    // History that cannot be read takes one of the ways away, and no other.
    let back = match last_with(store, layout, head, id) {
        Ok(Some(commit)) => format!("bring it back: git checkout {commit} -- {directory}, or "),
        _ => String::new(),
    };
    format!(
        "{back}let its entry go along with a directory that was renamed: git mv {entry} NEW.toml, or take it off: \
         skillgraft disable {id} --reason \"it is gone\", or remove the entry too: git rm {entry}"
    )
}

/// Returns the newest first-parent commit that has the skill's directory.
fn last_with(store: &Store, layout: &Layout, head: Oid, id: &SkillId) -> Result<Option<Oid>> {
    for commit in first_parents(store, head) {
        let commit = commit?;
        if tree_at(store, store.commit(commit)?.tree, &layout.skill(id))?.is_some() {
            return Ok(Some(commit));
        }
    }
    Ok(None)
}
