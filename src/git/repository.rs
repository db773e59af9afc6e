//! A repository on disk: where its parts are, what is checked out where.

use super::objects::Oid;
use super::refs::{RefName, Refs};
use super::store::Store;
use crate::types::{Context as _, Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A git repository, opened without the user's configuration and without environment variables.
pub struct Repository {
    /// Its objects.
    pub store: Store,
    /// Its refs.
    pub refs: Refs,
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_dir: Option<PathBuf>,
}

impl Repository {
    /// Opens the repository that `dir` lies in.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none.
    pub fn discover(dir: &Path) -> Result<Self> {
        let (found, _trust) = gix::discover::upwards(dir).map_err(|cause| {
            Error::new(ErrorKind::NotFound, format!("{} is not in a git repository", dir.display()))
                .because(Box::new(cause) as Box<dyn std::error::Error + Send + Sync>)
        })?;
        let (git_dir, _work_dir) = found.into_repository_and_work_tree_directories();
        Self::open(&git_dir)
    }

    /// Opens the repository at `path`: a `.git` directory, a bare repository, or a directory with `.git` in it.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = gix::ThreadSafeRepository::open_opts(path, gix::open::Options::isolated());
        let repository =
            opened.context(ErrorKind::Git, || format!("cannot open the git repository {}", path.display()))?;
        let local = repository.to_thread_local();
        Ok(Repository {
            git_dir: local.git_dir().to_owned(),
            common_dir: local.common_dir().to_owned(),
            work_dir: local.workdir().map(Path::to_owned),
            store: Store::new(repository.clone()),
            refs: Refs { repository },
        })
    }

    /// Returns the directory with `HEAD` and `index`: for a linked work tree, its own.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Returns the directory that all work trees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the work tree; none in a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// Returns the branch that `HEAD` names, born or not; none where `HEAD` is detached.
    pub fn head_branch(&self) -> Result<Option<RefName>> {
        self.refs.symbolic_target("HEAD")?.map(RefName::parse).transpose()
    }

    /// Returns the commit that `HEAD` is at; none on an unborn branch.
    pub fn head_commit(&self) -> Result<Option<Oid>> {
        self.refs.get("HEAD")
    }

    /// Returns the branches that some work tree has checked out, or is in the middle of rebasing or bisecting, with
    /// that work tree's git directory. Such a branch is never moved behind a person's back.
    pub fn checked_out_branches(&self) -> BTreeMap<String, PathBuf> {
        let mut branches = BTreeMap::new();
        let linked = std::fs::read_dir(self.common_dir.join("worktrees")).into_iter().flatten().flatten();
        let mut git_dirs: Vec<PathBuf> = linked.map(|entry| entry.path()).collect();
        if self.has_main_work_tree() {
            git_dirs.push(self.common_dir.clone());
        }
        for git_dir in git_dirs {
            for file in ["HEAD", "rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"] {
                let Ok(text) = std::fs::read_to_string(git_dir.join(file)) else { continue };
                let name = text.trim().trim_start_matches("ref: ");
                let name = if file == "BISECT_START" { format!("refs/heads/{name}") } else { name.into() };
                if name.starts_with("refs/heads/") {
                    branches.entry(name).or_insert_with(|| git_dir.clone());
                }
            }
        }
        branches
    }

    /// Returns the work tree that has `branch` checked out, where one has.
    pub fn work_tree_of_branch(&self, branch: &RefName) -> Result<Option<PathBuf>> {
        let Some(git_dir) = self.checked_out_branches().remove(branch.as_str()) else { return Ok(None) };
        let head = std::fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
        if head.trim() != format!("ref: {branch}") {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{} is being rebased or bisected in a work tree", branch.short()),
            )
            .hint("finish that first, or give it up: git rebase --abort, git bisect reset"));
        }
        if git_dir == self.git_dir
            && let Some(work_dir) = &self.work_dir
        {
            return Ok(Some(work_dir.clone()));
        }
        if git_dir == self.common_dir {
            let unknown =
                || Error::new(ErrorKind::Git, format!("the work tree of {} cannot be found", git_dir.display()));
            return Self::open(&git_dir)?.work_dir.map(Some).ok_or_else(unknown);
        }
        // A linked work tree's `gitdir` file names its `.git` file.
        let file = git_dir.join("gitdir");
        let text =
            std::fs::read_to_string(&file).context(ErrorKind::Io, || format!("cannot read {}", file.display()))?;
        let dot_git = git_dir.join(text.trim());
        Ok(dot_git.parent().map(Path::to_owned))
    }

    /// Tells whether history is cut off (`git clone --depth`).
    pub fn is_shallow(&self) -> bool {
        self.common_dir.join("shallow").exists()
    }

    fn has_main_work_tree(&self) -> bool {
        let bare = self.refs.repository.to_thread_local().config_snapshot().boolean("core.bare");
        !bare.unwrap_or(false)
    }

    /// Returns the value of a key of the repository's own configuration (not the user's).
    pub fn config(&self, key: &str) -> Option<String> {
        self.refs.repository.to_thread_local().config_snapshot().string(key).map(|value| value.to_string())
    }

    /// Returns the names of the remotes in the repository's own configuration.
    pub fn remotes(&self) -> Vec<String> {
        self.refs.repository.to_thread_local().remote_names().iter().map(ToString::to_string).collect()
    }
}
