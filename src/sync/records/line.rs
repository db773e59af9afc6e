//! Follows one entry through the history.

use super::Records;
use super::steps::{Stand, Step};
use crate::types::RelPath;
use std::collections::BTreeSet;

/// One entry through the history. It stays the same one when the team renames the skill, when upstream moves it, and when
/// what was deleted is there again: under its name, or else at its upstream path.
pub(super) struct Line<'r> {
    /// For every commit, the file that it stood in, or will again; before a merge of two renames there may be several.
    pub(super) files: Vec<BTreeSet<&'r RelPath>>,
    pub(super) steps: BTreeSet<usize>,
}

impl Records {
    /// Follows the entry that stands in `file` back through the history.
    pub(super) fn line<'r>(&'r self, file: &'r RelPath) -> Line<'r> {
        let mut line = Line { files: vec![BTreeSet::new(); self.commits.len()], steps: BTreeSet::new() };
        // The upstream paths of what came out of nothing under a new name: it may have been deleted under another one.
        let mut sought: Vec<BTreeSet<&RelPath>> = vec![BTreeSet::new(); self.commits.len()];
        line.files.last_mut().expect("a history has a commit").insert(file);
        let mut end = self.steps.len();
        for at in (0..self.commits.len()).rev() {
            let start = self.steps[..end].partition_point(|step| step.commit < at);
            let is_on_it = |index: &usize| match &self.steps[*index] {
                Step { new: Some(new), .. } => line.files[at].contains(&new.file),
                Step { old, .. } => old
                    .as_ref()
                    .is_some_and(|old| line.files[at].contains(&old.file) || sought[at].contains(&old.record.path)),
            };
            let here: Vec<usize> = (start..end).filter(is_on_it).collect();
            for parent in &self.parents[at] {
                let (mut files, mut seek) = (line.files[at].clone(), sought[at].clone());
                let of_parent =
                    here.iter().map(|index| &self.steps[*index]).filter(|step| step.parent == Some(*parent));
                // All of them first: two skills may have swapped their names.
                of_parent.clone().filter_map(|step| step.new.as_ref()).for_each(|new| _ = files.remove(&new.file));
                for step in of_parent {
                    match (&step.old, &step.new) {
                        (Some(old), new) => {
                            files.insert(&old.file);
                            new.is_none().then(|| seek.remove(&old.record.path));
                        }
                        (None, Some(new)) if self.was_deleted(&new.file, start) => {
                            files.insert(&new.file);
                        }
                        (None, new) => seek.extend(new.iter().map(|new| &new.record.path)),
                    }
                }
                line.files[*parent].extend(files);
                sought[*parent].extend(seek);
            }
            line.steps.extend(here);
            end = start;
        }
        line
    }

    /// Tells whether the last entry that was in this file before step `end` was deleted, and not renamed.
    fn was_deleted(&self, file: &RelPath, end: usize) -> bool {
        let is_in = |stand: &Option<Stand>| stand.as_ref().is_some_and(|it| it.file == *file);
        let last = self.steps[..end].iter().rev().find(|step| is_in(&step.old) && !is_in(&step.new));
        last.is_some_and(|step| step.new.is_none())
    }
}
