//! Carries people's edits of a candidate to the new one: a merge commit on top, so always a fast-forward and never a
//! force (RULES, "Edited", "carried").

use super::candidate::{Ground, Made, Maker};
use super::merge::{Merged, merge_trees};
use crate::git::{Changes, Mode, NewCommit, Oid, Place, with_changes};
use crate::registry::{Conflict, entry, identity_at};
use crate::types::{Result, SkillId};

/// What became of a candidate that has to be carried.
pub enum Carried {
    /// The merge commit, with what it leaves for a person to decide.
    Done(Oid, Vec<Conflict>),
    /// A conflict of an earlier carry is not resolved yet.
    Waits,
    /// The edits outside of the skill conflict with what the default branch has now; these paths.
    Refused(Vec<String>),
}

impl Maker<'_> {
    /// Carries the edits of `head` to `wanted`, the candidate that the tool would make now.
    ///
    /// `base` is the ground of the merge base, `old` what the tool made there.
    pub fn carry(&self, id: &SkillId, head: Oid, base: &Ground, old: &Made, wanted: Oid) -> Result<Carried> {
        let (proposed, new) = (self.ground_of(id, head)?, self.ground_of(id, wanted)?);
        let (before, there, after) = (self.conflicts_of(old.entry, id)?, conflicts(&proposed), conflicts(&new));
        if there.iter().any(|conflict| !before.contains(conflict)) {
            return Ok(Carried::Waits);
        }
        let old_tree = with_changes(self.store, base.tree, &self.changes_with_licenses_of(id, old, proposed.tree)?)?;
        let Merged { tree, conflicts: found } = merge_trees(self.store, old_tree, proposed.tree, new.tree)?;
        let (skill, file) = (format!("{}/", self.layout.skill(id)), self.layout.entry(id));
        let elsewhere = |conflict: &&Conflict| conflict.path != file.as_str() && !conflict.path.starts_with(&skill);
        let outside: Vec<String> = found.iter().filter(elsewhere).map(|conflict| conflict.path.clone()).collect();
        if !outside.is_empty() {
            return Ok(Carried::Refused(outside));
        }
        let own = found.into_iter().filter_map(|conflict| {
            let path = conflict.path.strip_prefix(&skill)?.to_owned();
            Some(Conflict { path, ..conflict })
        });
        let listed = merge_lists(&before, &there, &after, own.collect());
        let text = entry::carried(&self.text(old.entry)?, text_of(&proposed), text_of(&new), &listed)?;
        let place = Place { mode: Mode::File, id: self.store.write_blob(text.as_bytes())? };
        let tree = with_changes(self.store, tree, &Changes::from([(file, Some(place))]))?;
        let date = self.store.commit(head)?.committed.max(self.store.commit(wanted)?.committed);
        let identity = identity_at(date);
        let subject = self.store.commit(wanted)?.subject().to_owned();
        let message = format!(
            "{subject}, edits carried on\n\nThe edits on this branch are applied to the new candidate {wanted}.\n"
        );
        let (author, parents) = (identity.clone(), vec![head, wanted]);
        let commit = self.store.write_commit(&NewCommit { tree, parents, author, committer: identity, message })?;
        Ok(Carried::Done(commit, listed))
    }

    fn ground_of(&self, id: &SkillId, commit: Oid) -> Result<Ground> {
        Ground::at(self.store, self.layout, id, commit)
    }

    fn text(&self, blob: Oid) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.store.blob(blob)?).into_owned())
    }

    fn conflicts_of(&self, entry: Oid, id: &SkillId) -> Result<Vec<Conflict>> {
        let read = crate::registry::read_entry(self.store, self.layout.entry(id).as_str(), entry)?;
        Ok(read.entry.map(|entry| entry.conflicts).unwrap_or_default())
    }

    /// What the tool made, with the licence files as the branch has them: those are not a person's edits.
    pub(super) fn changes_with_licenses_of(&self, id: &SkillId, made: &Made, tree: Oid) -> Result<Changes> {
        let folder = self.layout.licenses(self.source);
        let mut changes = self.changes(tree, id, made)?;
        changes.retain(|path, _| !path.is_within(&folder));
        let licenses = crate::git::tree_at(self.store, tree, &folder)?;
        changes.insert(folder, licenses.map(|id| Place { mode: Mode::Tree, id }));
        Ok(changes)
    }
}

fn conflicts(ground: &Ground) -> Vec<Conflict> {
    ground
        .entry
        .as_ref()
        .and_then(|entry| entry.entry.as_ref().ok())
        .map_or(Vec::new(), |entry| entry.conflicts.clone())
}

fn text_of(ground: &Ground) -> &str {
    ground.entry.as_ref().map_or("", |entry| entry.text.as_str())
}

/// `[[conflict]]` is merged as a set, plus the carry's own. Where a path has both, its markers are nested, and it is
/// resolved when both are gone.
fn merge_lists(old: &[Conflict], head: &[Conflict], new: &[Conflict], own: Vec<Conflict>) -> Vec<Conflict> {
    let mut listed: Vec<Conflict> = head.iter().chain(new).cloned().collect();
    listed.sort();
    listed.dedup();
    listed.retain(|conflict| {
        let (in_old, in_head, in_new) = (old.contains(conflict), head.contains(conflict), new.contains(conflict));
        in_head && in_new || !in_old
    });
    listed.extend(own);
    listed.sort();
    listed.dedup();
    listed
}
