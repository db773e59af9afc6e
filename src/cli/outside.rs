//! Reads the world once: environment, clock, terminal. Everything below gets it as arguments.

use super::args::Global;
use crate::git::{Environment, Git};
use crate::ops::Outside;
use crate::registry::WAIT;
use crate::types::{Context as _, Error, ErrorKind, Result};
use etcetera::BaseStrategy as _;
use std::path::PathBuf;
use std::time::Duration;

/// Reads environment and clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads environment and clock")]
pub fn read(global: &Global) -> Result<Outside> {
    let environment = Environment(std::env::vars_os().collect());
    let here = std::env::current_dir().context(ErrorKind::Io, || "the current directory cannot be read")?;
    let now = jiff::Zoned::now();
    let cache = match environment.get("SKILLGRAFT_CACHE_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => here.join(PathBuf::from(dir)),
        None => match etcetera::choose_base_strategy() {
            Ok(base) => base.cache_dir().join("skillgraft"),
            // A service without a home still has a place for what may be lost.
            Err(_) => std::env::temp_dir().join("skillgraft-cache"),
        },
    };
    let directory = match &global.directory {
        Some(directory) => here.join(directory),
        None => here,
    };
    if !directory.is_dir() {
        return Err(Error::new(ErrorKind::Usage, format!("-C {}: there is no such folder", directory.display())));
    }
    Ok(Outside {
        directory,
        git: Git::new("git", &environment),
        cache,
        today: now.date(),
        now: now.timestamp().as_second(),
        lock_wait: if global.no_wait { Duration::ZERO } else { WAIT },
    })
}
