//! The licence files that a candidate wants: those of the mirror's head, and those that upstream dropped together with all the
//! skills that they cover, as long as one of these is here still.

use super::candidate::{Made, Maker};
use crate::git::{Changes, Mode, Oid, Place, tree_at, with_changes};
use crate::types::{RelPath, Result, SkillId, TreeHash};

impl Maker<'_> {
    /// Returns what a candidate of `about` puts in the place of the source's licence files. Where upstream still has a skill that a
    /// file covered, and the file no more, that is what upstream says now: the file goes.
    pub fn license_changes(&self, about: Option<(&SkillId, &Made)>) -> Result<Changes> {
        let place = |id| Some(Place { mode: Mode::File, id });
        let mut files: Changes = self.mirror.licenses.iter().map(|(path, id)| (path.clone(), place(*id))).collect();
        let folder = self.layout.licenses(self.source);
        if let Some(here) = tree_at(self.store, self.state.tree, &folder)? {
            self.keep(here, &RelPath::root(), about, &mut files)?;
        }
        let id = with_changes(self.store, self.store.empty_tree(), &files)?;
        let tree = (id != self.store.empty_tree()).then_some(Place { mode: Mode::Tree, id });
        Ok(Changes::from([(folder, tree)]))
    }

    /// Puts in the files below `folder` of the default branch that stay.
    fn keep(&self, tree: Oid, folder: &RelPath, about: Option<(&SkillId, &Made)>, files: &mut Changes) -> Result<()> {
        for entry in self.store.tree(tree)?.entries() {
            let Ok(path) = folder.join(&entry.name) else { continue };
            match entry.mode {
                Mode::Tree => self.keep(entry.id, &path, about, files)?,
                Mode::File if !files.contains_key(&path) && self.still_covers(folder, about) => {
                    files.insert(path, Some(Place { mode: Mode::File, id: entry.id }));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells whether upstream has no skill in `folder` any more, and one that came from there is here. A candidate's own one
    /// counts where it stays although upstream removed it.
    fn still_covers(&self, folder: &RelPath, about: Option<(&SkillId, &Made)>) -> bool {
        let has_skills = self.mirror.skills.keys().any(|path| path.is_within(folder));
        !has_skills
            && self.state.followers(self.source).any(|(id, skill, entry)| {
                let is_here = |accepted| match about {
                    Some((own, made)) if own == id => made.gone && made.skill.is_some(),
                    _ => skill.tree.is_some() || accepted != TreeHash::EMPTY,
                };
                entry.upstream.as_ref().is_some_and(|up| up.path.is_within(folder) && is_here(up.accepted))
            })
    }
}
