//! Files of the work tree that are not committed as they stand: what counts is what is committed, and
//! whoever edits a file is told so.

use super::{Layout, Registry, settings, source_file};
use crate::git::{Git, Oid, Where, entry_at, tree_at};
use crate::types::{RelPath, Result, escape};
use serde::Serialize;
use std::collections::BTreeSet;

/// A file of the work tree that is not as the commit that is checked out has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncommitted {
    /// The file, relative to the registry.
    pub file: String,
    /// What was done with it.
    pub change: How,
}

/// What was done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It is new.
    Added,
    /// It reads otherwise.
    Changed,
    /// It is gone.
    Deleted,
}

impl Uncommitted {
    /// Says so, for the person who edited the file; `reads` is the branch that counts.
    pub fn sentence(&self, reads: &str) -> String {
        let done = match self.change {
            How::Added => "new",
            How::Changed => "changed",
            How::Deleted => "deleted",
        };
        format!("{} is {done} but not committed; sync reads {reads}", escape(&self.file))
    }
}

impl Registry {
    /// Returns the settings and source files of the work tree that are not committed as they stand; none of a bare
    /// repository. Reads files, and starts no process.
    pub fn uncommitted(&self) -> Result<Vec<Uncommitted>> {
        let (Some(_), Some(head)) = (self.repository.work_dir(), self.repository.head_commit()?) else {
            return Ok(Vec::new());
        };
        let root = self.repository.store.commit(head)?.tree;
        let mut found = Vec::new();
        for file in std::iter::once(settings::FILE.to_owned()).chain(self.source_files(root)?) {
            let path = RelPath::parse(&file).ok().map(|path| self.folder.join_path(&path));
            let committed = path.map(|path| entry_at(&self.repository.store, root, &path)).transpose()?.flatten();
            let change = self.change(&file, committed.filter(|place| place.mode.is_file()).map(|place| place.id))?;
            found.extend(change.map(|change| Uncommitted { file, change }));
        }
        Ok(found)
    }

    /// Returns all files of the registry, skills included, that the work tree does not have as the commit that is checked out; git
    /// knows what counts as an edit, and what is ignored. Nothing where git cannot say, or there is no work tree.
    pub fn uncommitted_files(&self, git: &Git, layout: &Layout) -> Vec<Uncommitted> {
        let Some(work_dir) = self.repository.work_dir() else { return Vec::new() };
        let paths = [source_file::FOLDER, settings::LICENSES, settings::FILE].map(|name| layout.top(name));
        let paths = paths.iter().chain([&layout.skills]).map(|path| format!(":(literal){path}"));
        let status =
            git.command(Where::WorkTree(work_dir)).args(["--no-optional-locks", "status", "--porcelain", "-z"]);
        let status = status.args(["--untracked-files=all", "--no-renames"]).operands(paths).run_ok();
        let stdout = status.map(|output| output.stdout).unwrap_or_default();
        let found = stdout.split(|byte| *byte == 0).filter_map(|line| {
            let (how, path) = line.split_at_checked(3)?;
            let path = String::from_utf8_lossy(path);
            let file = path.strip_prefix(&format!("{}/", self.folder)).unwrap_or(&path).to_owned();
            let change = match &how[..2] {
                [b'?' | b'A', _] => How::Added,
                [b'D', _] | [_, b'D'] => How::Deleted,
                _ => How::Changed,
            };
            Some(Uncommitted { file, change })
        });
        found.collect()
    }

    /// The source files that the work tree or the commit has. A folder that is not checked out (sparse) says nothing.
    fn source_files(&self, root: Oid) -> Result<BTreeSet<String>> {
        let Ok(folder) = std::fs::read_dir(self.directory.join(source_file::FOLDER)) else {
            return Ok(BTreeSet::new());
        };
        let mut names: BTreeSet<String> =
            folder.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let store = &self.repository.store;
        let committed = self.folder.join_path(&RelPath::parse(source_file::FOLDER).expect("a fixed name"));
        if let Some(tree) = tree_at(store, root, &committed)? {
            names.extend(store.tree(tree)?.entries().iter().map(|entry| entry.name.to_string()));
        }
        let names = names.into_iter().filter(|name| name.ends_with(".toml"));
        Ok(names.map(|name| format!("{}/{name}", source_file::FOLDER)).collect())
    }

    fn change(&self, file: &str, committed: Option<Oid>) -> Result<Option<How>> {
        // A file that cannot be read proves nothing.
        let here = match std::fs::read(self.directory.join(file)) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => return Ok(None),
        };
        Ok(match (here, committed) {
            (None, None) => None,
            (Some(_), None) => Some(How::Added),
            (None, Some(_)) => Some(How::Deleted),
            // git may have put its line ends on the way out.
            (Some(here), Some(id)) => {
                let committed = self.repository.store.blob(id)?;
                let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
                (here != committed && lines(&here) != lines(&committed)).then_some(How::Changed)
            }
        })
    }
}
