//! One commit on the default branch, made by a command that a person ran.
//!
//! The commit is built in the object database. Then the checkout moves to it with git's own fast-forward, which
//! refuses to overwrite uncommitted work; without a checkout of the branch, the branch moves by compare-and-swap.

use super::Registry;
use crate::git::{Git, NewCommit, Oid, RefChange, RefName, Repository, Where};
use crate::types::{Error, ErrorKind, Result};
use serde::Serialize;
use std::path::Path;

/// Where a command's commit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Onto the default branch.
    DefaultBranch,
    /// Onto a branch of its own, for review (`--propose`).
    Proposal,
}

/// A commit that a command has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The commit.
    pub commit: Oid,
    /// The branch that it is on now.
    #[serde(serialize_with = "short")]
    pub branch: RefName,
    /// Whether that is a branch for review, so that nothing has changed yet.
    #[serde(skip)]
    pub proposed: bool,
}

fn short<S: serde::Serializer>(name: &RefName, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(name.short())
}

/// Who runs the command and when, as git knows it.
#[derive(Debug, Clone)]
pub struct Person {
    author: String,
    committer: String,
}

impl Person {
    /// Asks git for the person's identity: their configuration and environment decide, and git's clock.
    pub fn ask(git: &Git, repository: &Repository) -> Result<Self> {
        let ident = |variable: &'static str| -> Result<String> {
            let output = git.command(Where::GitDir(repository.git_dir())).arg("var").arg(variable).run_ok();
            let output = output.map_err(|error| {
                error.hint("tell git who you are: git config --global user.name \"...\", and user.email")
            })?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Ok(Person { author: ident("GIT_AUTHOR_IDENT")?, committer: ident("GIT_COMMITTER_IDENT")? })
    }

    /// Returns this person's commit, to be written.
    pub fn new_commit(&self, tree: Oid, parents: Vec<Oid>, message: &str) -> NewCommit {
        let message = format!("{}\n", message.trim_end());
        NewCommit { tree, parents, author: self.author.clone(), committer: self.committer.clone(), message }
    }

    /// Returns `Name <email>`.
    pub fn name(&self) -> &str {
        self.author.rsplitn(3, ' ').last().unwrap_or(&self.author)
    }
}

/// A change of the default branch.
pub struct Change<'r> {
    /// The registry.
    pub registry: &'r Registry,
    /// The git to run.
    pub git: &'r Git,
    /// The command's name: the reflog shows it, and the proposal's branch has it.
    pub command: &'r str,
    /// Where the commit goes.
    pub destination: Destination,
}

impl Change<'_> {
    /// Makes one commit of `tree` on the default branch.
    pub fn commit(&self, person: &Person, tree: Oid, message: &str) -> Result<Changed> {
        let commit = self.build(person, tree, vec![self.registry.head], message)?;
        self.publish(person, commit)
    }

    /// Adds a commit object; it is on no branch yet.
    pub fn build(&self, person: &Person, tree: Oid, parents: Vec<Oid>, message: &str) -> Result<Oid> {
        self.registry.repository.store.write_commit(&person.new_commit(tree, parents, message))
    }

    /// Puts `commit`, a descendant of the default branch, where it belongs.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where the work tree has changes in the way, or the branch has moved. Nothing is lost.
    pub fn publish(&self, person: &Person, commit: Oid) -> Result<Changed> {
        let repository = &self.registry.repository;
        self.git.check_cancelled()?;
        repository.store.flush()?;
        let message = format!("skillgraft: {}", self.command);
        if self.destination == Destination::Proposal {
            let branch = self.registry.names.proposal(self.command, &commit.short())?;
            let change = RefChange { name: branch.clone(), expected: None, new: Some(commit) };
            repository.refs.apply(&[change], &message, &person.committer)?;
            return Ok(Changed { commit, branch, proposed: true });
        }
        let branch = &self.registry.branch;
        match repository.work_tree_of_branch(branch)? {
            Some(work_tree) => fast_forward(self.git, &work_tree, commit)?,
            None => {
                let expected = repository.refs.get(branch.as_str())?;
                if expected.is_some_and(|head| head != self.registry.head) {
                    return Err(Error::new(ErrorKind::Conflict, format!("`{}` has moved meanwhile", branch.short()))
                        .hint("run the command again"));
                }
                let change = RefChange { name: branch.clone(), expected, new: Some(commit) };
                repository.refs.apply(&[change], &message, &person.committer)?;
            }
        }
        Ok(Changed { commit, branch: branch.clone(), proposed: false })
    }
}

/// Moves the branch that is checked out in `work_tree` forward to `commit`, with its files.
pub fn fast_forward(git: &Git, work_tree: &Path, commit: Oid) -> Result<()> {
    let git = git.unstoppable();
    let command = git.command(Where::WorkTree(work_tree)).config("merge.verifySignatures", "false");
    let command = command.config("merge.autoStash", "false").config("advice.diverging", "false");
    let output = command.args(["merge", "--ff-only", "--quiet", "--no-stat"]).value(commit.to_string()).run()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("index.lock") {
        return Err(Error::new(ErrorKind::Conflict, "another git works on the index, so nothing was changed")
            .because(crate::types::escape(said.trim()))
            .hint("run the command again when it is done"));
    }
    Err(Error::new(ErrorKind::Conflict, "the work tree is in the way, so nothing was changed")
        .because(crate::types::escape(said.trim()))
        .hint("commit or stash your changes, then run the command again"))
}
