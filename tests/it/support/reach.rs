//! How sources are reached, for scenarios that ask the library itself: with a short deadline, or without a source file.

use super::World;
use skillgraft::git::{Environment, Git};
use skillgraft::source::{Access, FETCH_BYTES, Trust};
use std::time::Duration;

/// What an [`Access`] borrows.
pub struct Reach {
    environment: Environment,
    git: Git,
    cache: std::path::PathBuf,
    /// What may run.
    pub trust: Trust,
}

impl Reach {
    /// Returns what reaches out from a world with these variables.
    pub fn from(world: &World, variables: &[(&str, &str)]) -> Self {
        let path = std::env::var_os("PATH").map(|path| ("PATH".into(), path));
        let own = variables.iter().map(|(name, value)| (name.into(), value.into()));
        let environment = Environment(path.into_iter().chain(own).collect());
        let git = Git::new("git", &environment);
        Reach { git, environment, cache: world.path("cache"), trust: Trust::in_folder(&world.path("config")) }
    }

    /// Returns the access.
    pub fn access(&self, deadline: Duration) -> Access<'_> {
        Access {
            git: &self.git,
            environment: &self.environment,
            cache: &self.cache,
            trust: &self.trust,
            offline: false,
            dry_run: false,
            deadline,
            first_answer: deadline,
            max_bytes: FETCH_BYTES,
            now: 0,
            memo: Default::default(),
        }
    }
}
