//! `source ...`: the sources of a registry, what is said of them and what changes them.

mod look;
mod open;
mod remove;
mod rename;

pub use look::{Item, List, Show, list, show};
pub use remove::{Fate, remove};
pub use rename::rename;

use super::{Commit, Outside, add};
use crate::git::{Changes, Mode, Oid, Place, with_changes};
use crate::registry::{Changed, Origin, Registry, SourceFile, SourceState, State, source_file};
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName};
use serde::Serialize;

/// What may run on this machine.
#[derive(Debug, Serialize)]
pub struct Trusted {
    /// The format of this document.
    pub format: u32,
    /// The source.
    pub source: SourceName,
    /// Its program and arguments.
    pub command: Vec<String>,
    /// Whether this machine did not trust it before.
    pub new: bool,
}

/// Lets the program of a source run on this machine, once the person has seen the whole of it and agrees. Nothing in the
/// registry changes.
pub fn trust(outside: &Outside, name: &str, agree: impl FnOnce(&[String]) -> Result<bool>) -> Result<Trusted> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let (source, file) = find(&state, name)?;
    let origin = file.file.as_ref().map_err(Clone::clone)?.origin.clone();
    let Origin::Command(command) = origin else {
        return Err(Error::new(ErrorKind::Usage, format!("source `{source}` runs no program"))
            .hint("only a source with `command` needs trust"));
    };
    if !agree(&command)? {
        return Err(Error::new(ErrorKind::Usage, format!("the program of `{source}` was not trusted"))
            .hint("nothing was changed"));
    }
    let new = outside.trust.record(&command)?;
    Ok(Trusted { format: 1, source, command, new })
}

/// A change of a source.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The source.
    pub source: SourceName,
    /// What was committed; none where it was so already.
    #[serde(flatten)]
    pub changed: Option<Changed>,
    /// What was done to it.
    #[serde(flatten)]
    pub done: Done,
    /// The skills that it is about: those that follow it, or moved along.
    pub skills: Vec<SkillId>,
}

/// What was done to a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Done {
    /// Sync passes it by.
    Disabled,
    /// One key of its file says something else.
    Set {
        /// The key.
        key: String,
        /// What it said, where it said something.
        before: Option<String>,
        /// What it says.
        value: Option<String>,
    },
    /// It has another name.
    Renamed {
        /// The name before.
        from: SourceName,
    },
    /// It is gone, and its skills are the team's own.
    RemovedAndAdopted,
    /// It is gone, and its skills with it.
    RemovedAndDeleted,
}

/// Enables a source. Where it was only registered (`add --no-enable`) its skills come in, in the same commit; where
/// skills follow it already, what is new since comes as candidates.
pub fn enable(outside: &Outside, name: &str, commit: &Commit) -> Result<add::Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let (name, source) = find(&state, name)?;
    let file = source.file.as_ref().map_err(Clone::clone)?;
    let mut report = add::unchanged(name.clone(), true);
    if file.enabled {
        return Ok(report);
    }
    let text = source_file::edit::with_enabled(&source.text, true)?;
    report.followers = state.followers(&name).map(|(id, ..)| id.clone()).collect();
    if !report.followers.is_empty() {
        let message = format!("Enable source {name}\n");
        report.changed = Some(put(outside, &registry, &state, &name, &text, commit, "enable", &message)?);
        return Ok(report);
    }
    let file = SourceFile::parse(name, &text)?;
    let access = outside.access(false, false);
    let what = add::Follow { access: &access, file: &file, text: &text, command: "enable", link: None };
    add::follow(outside, &registry, &state, &what, commit)
}

/// Disables a source: sync passes it by. Its skills and candidates stay as they are.
pub fn disable(outside: &Outside, name: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let (name, source) = find(&state, name)?;
    let skills = state.followers(&name).map(|(id, ..)| id.clone()).collect();
    let mut report = Report { format: 1, source: name.clone(), changed: None, done: Done::Disabled, skills };
    if source.file.as_ref().map_err(Clone::clone)?.enabled {
        let text = source_file::edit::with_enabled(&source.text, false)?;
        let message = format!("Disable source {name}\n");
        report.changed = Some(put(outside, &registry, &state, &name, &text, commit, "disable", &message)?);
    }
    Ok(report)
}

/// Sets one key of a source file, comments and order kept.
pub fn set(outside: &Outside, name: &str, assignment: &str, commit: &Commit) -> Result<Report> {
    let (key, typed) = assignment.split_once('=').ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("`{}` is not KEY=VALUE", crate::types::one_line(assignment, 80)))
            .hint("for example: skillgraft source set NAME ref=v2")
    })?;
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let (name, source) = find(&state, name)?;
    // Of a file that is no TOML, its own error says where.
    let unreadable = |error| source.file.as_ref().err().cloned().unwrap_or(error);
    let text = source_file::edit::with_key(&source.text, key.trim(), typed.trim()).map_err(unreadable)?;
    // What cannot be read back is not written.
    SourceFile::parse(name.clone(), &text).map_err(|error| match source.file {
        Ok(_) => error.hint("nothing was changed; sources/README.md explains the keys and what each may be"),
        Err(_) => error,
    })?;
    let key = key.trim();
    let (before, value) = (source_file::edit::value_of(&source.text, key), source_file::edit::value_of(&text, key));
    let done = Done::Set { key: key.to_owned(), before, value };
    let mut report = Report { format: 1, source: name.clone(), changed: None, done, skills: Vec::new() };
    if text != source.text {
        let message = format!("Set {key} of source {name}\n\n{}\n", assignment.trim());
        report.changed = Some(put(outside, &registry, &state, &name, &text, commit, "source-set", &message)?);
    }
    Ok(report)
}

fn blob(id: Oid) -> Place {
    Place { mode: Mode::File, id }
}

fn find<'s>(state: &'s State, name: &str) -> Result<(SourceName, &'s SourceState)> {
    let name = SourceName::parse(name)?;
    match state.sources.get(&name) {
        Some(source) => Ok((name, source)),
        None => Err(Error::new(ErrorKind::Usage, format!("there is no source `{name}`"))
            .hint("see them all: skillgraft source list")),
    }
}

#[expect(clippy::too_many_arguments, reason = "all of them are the one change")]
fn put(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    name: &SourceName,
    text: &str,
    commit: &Commit,
    command: &str,
    message: &str,
) -> Result<Changed> {
    let store = &registry.repository.store;
    let change = (state.layout.source(name), Some(blob(store.write_blob(text.as_bytes())?)));
    let tree = with_changes(store, state.tree, &Changes::from([change]))?;
    commit.commit(registry, outside, command, tree, message)
}
