//! Questions about an open candidate: is it edited, kept, already on the default branch?

use super::ancestry::changed_lines;
use super::branches::Branch;
use super::candidate::{Ground, Made, Maker, Offer};
use super::merge::merge_trees;
use crate::git::{History, Oid, first_parents};
use crate::types::{Error, Result, SkillId};
use std::collections::BTreeSet;

/// Answers questions about the candidates of one source against the default branch.
pub struct Judge<'a> {
    /// What candidates are made with.
    pub maker: &'a Maker<'a>,
    /// The default branch's history.
    pub main: &'a History<'a>,
}

impl Judge<'_> {
    /// RULES, "Kept": its whole tree is the merge base's with the wanted files put in, the default branch has the same
    /// skill and entry now as there, and its head is not in the default branch.
    pub fn is_kept(&self, head: Oid, id: &SkillId, now: &Ground, wanted: &Made) -> Result<bool> {
        if self.main.contains(head)? {
            return Ok(false);
        }
        let Some(base) = self.base_ground(head, id)? else { return Ok(false) };
        let tree = self.maker.store.commit(head)?.tree;
        Ok(base.agrees_with(now) && self.maker.is_exactly(tree, id, &base, wanted)?)
    }

    /// RULES, "Edited": unless its head is the one that `offered` names, or its whole tree, licence files apart, is
    /// the tool's candidate re-made from the entry at head on the merge base or on its only parent.
    pub fn is_edited(&self, head: Oid, id: &SkillId, offered: Option<Oid>) -> Result<bool> {
        if offered == Some(head) || self.main.contains(head)? {
            return Ok(false);
        }
        let parents = &self.maker.store.commit(head)?.parents;
        let base = self.main.merge_base(head)?;
        let only_parent = if let [parent] = parents.as_slice() { Some(*parent) } else { None };
        if let Some(base) = base
            && self.maker.is_remade_on(head, base, id)?
        {
            return Ok(false);
        }
        match only_parent.filter(|parent| Some(*parent) != base) {
            // A commit that leaves skill and entry as they were is no candidate, but somebody's own.
            Some(parent) if !self.ground(parent, id)?.agrees_with(&self.ground(head, id)?) => {
                Ok(!self.maker.is_remade_on(head, parent, id)?)
            }
            _ => Ok(true),
        }
    }

    /// Tells whether a branch is somebody's own that only has a candidate's name: the tool did not make its head, nothing
    /// says that it ever offered one there, and the branch leaves the skill's entry as it was.
    pub fn is_foreign(&self, head: Oid, id: &SkillId, offered: Option<Oid>) -> Result<bool> {
        if offered.is_some() {
            return Ok(false);
        }
        let Some(base) = self.left_main_at(head)? else { return Ok(true) };
        // Merged by fast-forward, nobody can tell any more whose it was, and nothing is lost with it.
        let entry = |commit: Oid| Ok(self.ground(commit, id)?.entry.map(|entry| entry.blob));
        Ok(base != head && entry(base)? == entry(head)? && !self.has_moved_the_entry(head, id)?)
    }

    /// Tells whether a commit of the branch's own moved the entry: then it was a candidate, although the default branch
    /// has all of it, merged there and back into the branch.
    fn has_moved_the_entry(&self, head: Oid, id: &SkillId) -> Result<bool> {
        let store = self.maker.store;
        let main: BTreeSet<Oid> = first_parents(store, self.main.head()).collect::<Result<_>>()?;
        let entry = |commit: Oid| Ok::<_, Error>(self.ground(commit, id)?.entry.map(|entry| entry.blob));
        for commit in first_parents(store, head) {
            let commit = commit?;
            if main.contains(&commit) {
                break;
            }
            if let [parent] = store.commit(commit)?.parents[..]
                && entry(parent)? != entry(commit)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the commit on which a branch was begun, merged or not.
    fn left_main_at(&self, head: Oid) -> Result<Option<Oid>> {
        if !self.main.contains(head)? {
            return self.main.merge_base(head);
        }
        let main: BTreeSet<Oid> = first_parents(self.maker.store, self.main.head()).collect::<Result<_>>()?;
        let mut line = first_parents(self.maker.store, head);
        line.find(|commit| commit.as_ref().map_or(true, |commit| main.contains(commit))).transpose()
    }

    /// Tells whether the local branch has people's edits that the remote-tracking one, which counts, has not, nor it the
    /// other's.
    pub fn has_edits_apart(&self, branch: &Branch, id: &SkillId) -> Result<bool> {
        match branch.local.filter(|local| branch.diverged && Some(*local) != branch.head) {
            Some(local) => self.is_edited(local, id, None),
            None => Ok(false),
        }
    }

    /// Returns the merge base's ground and the old candidate: what the tool made there of the entry at `head`. None
    /// where that can no longer be made.
    pub fn old_candidate(&self, head: Oid, id: &SkillId) -> Result<Option<(Ground, Made)>> {
        let Some(base) = self.base_ground(head, id)? else { return Ok(None) };
        let old = self.maker.remake(&self.ground(head, id)?, &base)?;
        Ok(old.map(|old| (base, old)))
    }

    /// RULES, last line of "Holds": whether the branch offers this very update, its merge base contains the commits
    /// that the hold rests on, and its head is not in the default branch.
    pub fn is_asked_for(&self, head: Oid, id: &SkillId, offer: &Offer, rests_on: &[Oid]) -> Result<bool> {
        if self.main.contains(head)? {
            return Ok(false);
        }
        let offers_it = self.ground(head, id)?.upstream().is_some_and(|up| up.accepted == offer.accepted);
        let Some(base) = self.main.merge_base(head)?.filter(|_| offers_it) else { return Ok(false) };
        let before = History::of(self.maker.store, base)?;
        for commit in rests_on {
            if !before.contains(*commit)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// RULES, "Class wants nothing": whether the branch's change is on the default branch: its head is an ancestor, or
    /// merging it into some first-parent commit since the merge base changes nothing.
    pub fn is_contained(&self, head: Oid) -> Result<bool> {
        if self.main.contains(head)? {
            return Ok(true);
        }
        let store = self.maker.store;
        let Some(base) = self.main.merge_base(head)? else { return Ok(false) };
        let (base_commit, proposed) = (store.commit(base)?, store.commit(head)?.tree);
        let before = History::of(store, base)?;
        for commit in first_parents(store, self.main.head()) {
            let id = commit?;
            let commit = store.commit(id)?;
            // Dates only save the look-up: what is newer than the base cannot be behind it in an honest history.
            if id == base || commit.committed <= base_commit.committed && before.contains(id)? {
                break;
            }
            let merged = merge_trees(store, base_commit.tree, commit.tree, proposed)?;
            if merged.conflicts.is_empty() && merged.tree == commit.tree {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether people's edits were carried to the branch: on its first parents stands a merge of a candidate that
    /// is the tool's own, as nobody else makes one.
    pub fn is_carried(&self, head: Oid, id: &SkillId) -> Result<bool> {
        let store = self.maker.store;
        for commit in first_parents(store, head) {
            let commit = commit?;
            if self.main.contains(commit)? {
                break;
            }
            let [_, made] = store.commit(commit)?.parents[..] else { continue };
            let [on] = store.commit(made)?.parents[..] else { continue };
            if !self.main.contains(made)? && self.main.contains(on)? && self.maker.is_remade_on(made, on, id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether some, not all, of what the branch changes in the skill since `base` is on the default branch: what
    /// merging it would still change there is less. With conflicts nobody can tell.
    pub fn is_partly_on_main(&self, base: Option<&Ground>, now: &Ground, proposed: &Ground) -> Result<bool> {
        let store = self.maker.store;
        let record = |ground: &Ground| ground.upstream().map(|up| up.accepted);
        if record(now) == record(proposed) {
            // The entry is there, and what came with it is not all there any more or never was.
            return Ok(true);
        }
        let tree = |ground: Option<&Ground>| ground.and_then(|ground| ground.skill).unwrap_or(store.empty_tree());
        let (before, here, there) = (tree(base), tree(Some(now)), tree(Some(proposed)));
        let merged = merge_trees(store, before, here, there)?;
        let whole = changed_lines(store, before, there)?;
        let left = changed_lines(store, here, merged.tree)?;
        Ok(merged.conflicts.is_empty() && left < whole)
    }

    fn base_ground(&self, head: Oid, id: &SkillId) -> Result<Option<Ground>> {
        self.main.merge_base(head)?.map(|base| self.ground(base, id)).transpose()
    }

    fn ground(&self, commit: Oid, id: &SkillId) -> Result<Ground> {
        Ground::at(self.maker.store, self.maker.layout, id, commit)
    }
}
