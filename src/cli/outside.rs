//! Reads the world once: environment, clock, terminal. Everything below gets it as arguments.

use super::args::Global;
use super::output;
use crate::git::{Environment, Git};
use crate::ops::Outside;
use crate::registry::WAIT;
use crate::source::roots::Machine;
use crate::source::{Trust, agents};
use crate::types::{Context as _, Error, ErrorKind, Result};
use etcetera::BaseStrategy as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Reads environment and clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads environment and clock")]
pub fn read(global: &Global) -> Result<Outside> {
    let environment = Environment(std::env::vars_os().collect());
    let here = std::env::current_dir().context(ErrorKind::Io, || "the current directory cannot be read")?;
    let now = jiff::Zoned::now();
    let base = etcetera::choose_base_strategy().ok();
    let named = |name| environment.get(name).filter(|dir| !dir.is_empty()).map(|dir| here.join(PathBuf::from(dir)));
    // A service without a home still has a place for what may be lost, and nothing that it trusts.
    let temporary = || std::env::temp_dir().join("skillgraft-cache");
    let cache = named("SKILLGRAFT_CACHE_DIR")
        .or_else(|| Some(base.as_ref()?.cache_dir().join("skillgraft")))
        .unwrap_or_else(temporary);
    let config = named("SKILLGRAFT_CONFIG_DIR").or_else(|| Some(base.as_ref()?.config_dir().join("skillgraft")));
    let directory = match &global.directory {
        Some(directory) => here.join(directory),
        None => here,
    };
    if !directory.is_dir() {
        return Err(Error::new(ErrorKind::Usage, format!("-C {}: there is no such folder", directory.display())));
    }
    Ok(Outside {
        directory,
        git: Git::new("git", &environment).cancelled_by(on_interrupt()),
        machine: machine(&environment),
        environment,
        trust: config.map(|config| Trust::in_folder(&config)).unwrap_or_default(),
        cache,
        today: now.date(),
        now: now.timestamp().as_second(),
        lock_wait: if global.no_wait { Duration::ZERO } else { WAIT },
    })
}

/// Returns what the environment says about the folders that agents read. A home that does not exist is an empty one.
fn machine(environment: &Environment) -> Machine {
    let folder = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let skills_path = environment.get("SKILLGRAFT_SKILLS_PATH").into_iter().flat_map(std::env::split_paths);
    let names = agents::variables().chain(["XDG_STATE_HOME"]);
    Machine {
        home: etcetera::home_dir().ok().filter(|home| home.is_absolute()),
        variables: names.filter_map(|name| Some((name.to_owned(), folder(name)?))).collect(),
        skills_path: skills_path.filter(|path| !path.as_os_str().is_empty()).collect(),
        system: folder("SKILLGRAFT_SYSTEM_ROOT").unwrap_or_else(|| PathBuf::from("/")),
    }
}

/// Returns a flag that ^C, SIGTERM and a closed terminal set. Commands look at it before they write; asked twice, or at a
/// question, the program ends at once: what it writes, it writes whole.
fn on_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let handler = move || {
        if set.swap(true, Ordering::Relaxed) || output::ASKING.load(Ordering::Relaxed) {
            #[expect(clippy::exit, reason = "the person does not want to wait, or nobody else ends the waiting")]
            std::process::exit(i32::from(super::INTERRUPTED));
        }
    };
    // Without a handler ^C still ends the program, only less politely.
    let _ = ctrlc::set_handler(handler);
    flag
}
