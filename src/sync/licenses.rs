//! The licence files that a candidate wants: those of the mirror's head, and those that upstream dropped together with all the
//! skills that they cover, as long as one of these is here still.
//!
//! A record, which stands in the mirror for a registry's entry, is about one skill, and moves with that skill's candidates only.

use super::candidate::{Made, Maker};
use crate::git::{Changes, Mode, Oid, Place, tree_at, with_changes};
use crate::skill::license::{record_of, recorded_by};
use crate::types::{RelPath, Result, SkillId, TreeHash};
use std::collections::BTreeSet;

/// The skill that a candidate is about.
type About<'a> = Option<(&'a SkillId, &'a Made)>;

impl Maker<'_> {
    /// Returns what a candidate of `about`, on a commit with the tree `ground`, does to the source's licence files. Where upstream
    /// still has a skill that a file covered, and the file no more, that is what upstream says now: the file goes.
    pub fn license_changes(&self, ground: Oid, about: About<'_>) -> Result<Changes> {
        let common = self.mirror.licenses.iter().filter(|(path, _)| !self.is_record(path));
        let mut files: Changes = common.map(|(path, id)| (path.clone(), file(*id))).collect();
        let folder = self.layout.licenses(self.source);
        let tree_of = |files: &Changes| with_changes(self.store, self.store.empty_tree(), files);
        let mut tree = tree_of(&files)?;
        if let Some(standing) = tree_at(self.store, ground, &folder)?.filter(|standing| *standing != tree) {
            self.keep(standing, &RelPath::root(), &self.here(about), &mut files)?;
            tree = tree_of(&files)?;
        }
        let tree = (tree != self.store.empty_tree()).then_some(Place { mode: Mode::Tree, id: tree });
        let own = about.and_then(|(_, made)| self.record(made.at.as_ref()?));
        Ok(Changes::from([(folder, tree)]).into_iter().chain(own).collect())
    }

    /// Returns the record of the skill that upstream has at `path`, with its place here; none where there is none.
    pub fn record(&self, path: &RelPath) -> Option<(RelPath, Option<Place>)> {
        let record = record_of(path)?;
        let (_, id) = self.mirror.licenses.iter().find(|(there, _)| *there == record)?;
        Some((self.layout.licenses(self.source).join_path(&record), file(*id)))
    }

    fn is_record(&self, path: &RelPath) -> bool {
        recorded_by(path).is_some_and(|skill| self.mirror.skills.contains_key(&skill))
    }

    /// Puts in the files below `folder` of the ground that stay: common ones whose folder has no skills upstream any more, and
    /// records of other skills, as long as a skill that they are about is `here`.
    fn keep(&self, tree: Oid, folder: &RelPath, here: &BTreeSet<&RelPath>, files: &mut Changes) -> Result<()> {
        let has_skills = || self.mirror.skills.keys().any(|path| path.is_within(folder));
        for entry in self.store.tree(tree)?.entries() {
            let Ok(path) = folder.join(&entry.name) else { continue };
            if entry.mode == Mode::Tree {
                self.keep(entry.id, &path, here, files)?;
            } else if entry.mode == Mode::File && !files.contains_key(&path) {
                let is_about = recorded_by(&path).is_some_and(|skill| here.contains(&skill));
                if is_about || here.iter().any(|path| path.is_within(folder)) && !has_skills() {
                    files.insert(path, file(entry.id));
                }
            }
        }
        Ok(())
    }

    /// Returns where the skills that are here stand upstream. A candidate's own one counts where it stays although upstream
    /// removed it.
    fn here(&self, about: About<'_>) -> BTreeSet<&RelPath> {
        let skills = self.state.followers(self.source).filter_map(|(id, skill, entry)| {
            let upstream = entry.upstream.as_ref()?;
            let is_here = match about {
                Some((own, made)) if own == id => made.at.is_none() && made.skill.is_some(),
                _ => skill.tree.is_some() || upstream.accepted != TreeHash::EMPTY,
            };
            is_here.then_some(&upstream.path)
        });
        skills.collect()
    }
}

fn file(id: Oid) -> Option<Place> {
    Some(Place { mode: Mode::File, id })
}
