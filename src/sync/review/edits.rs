//! What people did on a candidate's branch, beyond what the tool made there.

use crate::git::{Mode, Oid, Store, first_parents, with_changes};
use crate::registry::IDENTITY;
use crate::sync::contained::name;
use crate::sync::verdict::Judge;
use crate::types::{Result, SkillId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What people did on a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BranchEdits {
    /// How many commits on the branch's own line are theirs; none where they amended the tool's.
    pub commits: usize,
    /// Who, without addresses.
    pub by: Vec<String>,
    /// The files in which the branch differs from what the tool makes of its entry, as paths of the repository; none where
    /// that can no longer be made.
    pub files: Option<Vec<String>>,
}

impl Judge<'_> {
    /// Returns what people did on the branch whose head is `head`.
    pub fn branch_edits(&self, head: Oid, id: &SkillId) -> Result<BranchEdits> {
        let store = self.maker.store;
        let (mut commits, mut by) = (0, BTreeSet::new());
        for commit in first_parents(store, head) {
            let commit = commit?;
            if self.main.contains(commit)? {
                break;
            }
            let data = store.commit(commit)?;
            // A merge of the default branch ("Update branch") brings nothing of its own; a carry is the tool's.
            if data.author != IDENTITY && data.parents.len() == 1 {
                commits += 1;
                by.insert(name(&data.author));
            }
        }
        let files = match self.old_candidate(head, id)? {
            Some((base, old)) => {
                let tree = store.commit(head)?.tree;
                let changes = self.maker.changes_with_licenses_of(id, &old, tree)?;
                Some(differing(store, with_changes(store, base.tree, &changes)?, tree)?)
            }
            None => None,
        };
        Ok(BranchEdits { commits, by: by.into_iter().collect(), files })
    }
}

/// Returns the paths of the files that differ between two trees, in order.
fn differing(store: &Store, old: Oid, new: Oid) -> Result<Vec<String>> {
    let mut found = Vec::new();
    collect(store, (Some(old), Some(new)), "", &mut found)?;
    Ok(found)
}

fn collect(store: &Store, trees: (Option<Oid>, Option<Oid>), above: &str, found: &mut Vec<String>) -> Result<()> {
    let mut names: BTreeMap<String, [Option<(Mode, Oid)>; 2]> = BTreeMap::new();
    for (side, tree) in [trees.0, trees.1].into_iter().enumerate() {
        let Some(tree) = tree else { continue };
        for entry in store.tree(tree)?.entries() {
            names.entry(entry.name.to_string()).or_default()[side] = Some((entry.mode, entry.id));
        }
    }
    for (name, [old, new]) in names.into_iter().filter(|(_, [old, new])| old != new) {
        let path = if above.is_empty() { name } else { format!("{above}/{name}") };
        let folder = |side: Option<(Mode, Oid)>| side.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id);
        let is_file = |side: Option<(Mode, Oid)>| side.is_some_and(|(mode, _)| mode != Mode::Tree);
        if is_file(old) || is_file(new) {
            found.push(path.clone());
        }
        if folder(old).is_some() || folder(new).is_some() {
            collect(store, (folder(old), folder(new)), &path, found)?;
        }
    }
    Ok(())
}
