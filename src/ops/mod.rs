//! One verb per file: options in, report out. Nothing here prints, and nothing reads environment or clock.

pub mod accept;
pub mod add;
pub mod add_plugins;
pub mod adopt;
pub mod candidate;
pub mod check;
pub mod decline;
pub mod demo;
pub mod diff;
pub mod disable;
pub mod discover;
mod enable;
pub mod export;
pub mod import;
pub mod init;
pub mod link;
pub mod list;
pub mod pause;
pub mod resolve;
pub mod rollback;
pub mod show;
pub mod source;
pub mod spec;
pub mod status;
pub mod sync;
pub mod tag;

use crate::git::{Environment, Git};
use crate::registry::{Change, Changed, Destination, Lock, Person, Registry, identity_at};
use crate::source::roots::Machine;
use crate::source::{Access, DEADLINE, FETCH_BYTES, FIRST_ANSWER, Trust};
use crate::types::Result;
use jiff::civil::Date;
use std::path::PathBuf;
use std::time::Duration;

/// The world outside of the registry, as arguments.
#[derive(Clone)]
pub struct Outside {
    /// The directory that the command was started in, or that `-C` names.
    pub directory: PathBuf,
    /// The user's git.
    pub git: Git,
    /// The environment, for what is not git: proxies, and programs as sources.
    pub environment: Environment,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// The programs that may run on this machine.
    pub trust: Trust,
    /// What this machine says about the folders that agents read.
    pub machine: Machine,
    /// The day.
    pub today: Date,
    /// The time, in seconds since 1970.
    pub now: i64,
    /// How long to wait for another run's lock.
    pub lock_wait: Duration,
}

impl Outside {
    /// Opens the registry that the directory lies in.
    pub fn registry(&self) -> Result<Registry> {
        Registry::open(&self.directory)
    }

    /// Opens the registry and takes its lock. The state is read after the lock is held, never before.
    pub fn locked_registry(&self) -> Result<(Registry, Lock)> {
        let lock = self.registry()?.lock(self.lock_wait)?;
        Ok((self.registry()?, lock))
    }

    /// Returns how sources are reached in one run: what they answered is asked once.
    pub fn access(&self, offline: bool, dry_run: bool) -> Access<'_> {
        Access {
            git: &self.git,
            environment: &self.environment,
            cache: &self.cache,
            trust: &self.trust,
            offline,
            dry_run,
            deadline: DEADLINE,
            first_answer: FIRST_ANSWER,
            max_bytes: FETCH_BYTES,
            now: self.now,
            memo: Default::default(),
        }
    }
}

impl Outside {
    /// Returns the options of a look that asks nobody outside of this machine.
    pub(crate) fn offline<'a>(&'a self, progress: &'a (dyn Fn(&str) + Sync)) -> crate::sync::Options<'a> {
        let access = self.access(true, false);
        crate::sync::Options { sources: &[], access, jobs: 1, today: self.today, now: self.now, progress }
    }
}

/// Returns the identity under which the tool's own refs move, for reflogs.
fn identity(outside: &Outside) -> String {
    identity_at(outside.now)
}

/// How a command commits: what every command of DESIGN, section 3 takes.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Where the commit goes.
    pub destination: Destination,
    /// The person's own message, put before the tool's.
    pub message: Option<String>,
}

impl Commit {
    /// Returns the message: the person's own words first, where there are any.
    fn message(&self, own: &str) -> String {
        match &self.message {
            Some(words) => format!("{}\n\n{own}", words.trim_end()),
            None => own.to_owned(),
        }
    }

    fn change<'r>(&self, registry: &'r Registry, outside: &'r Outside, command: &'r str) -> Change<'r> {
        Change { registry, git: &outside.git, command, destination: self.destination }
    }

    /// Makes one commit of `tree` on the default branch, or on a proposal.
    fn commit(
        &self,
        registry: &Registry,
        outside: &Outside,
        command: &str,
        tree: crate::git::Oid,
        own: &str,
    ) -> Result<Changed> {
        let person = Person::ask(&outside.git, &registry.repository)?;
        self.change(registry, outside, command).commit(&person, tree, &self.message(own))
    }
}
