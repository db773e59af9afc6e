//! `pause` and `resume`, for a source or a skill.

use super::{Commit, Outside};
use crate::git::{Mode, Place, with_changes};
use crate::registry::source_file::{Day, Paused};
use crate::registry::{Changed, Person, Registry, State, entry};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName};
use jiff::civil::Date;
use serde::Serialize;

/// What `pause` or `resume` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The source or skill.
    pub name: String,
    /// Whether it is a source or a skill.
    pub kind: &'static str,
    /// The source: itself, or the one that the skill follows.
    pub source: Option<SourceName>,
    /// Whether it is paused now.
    pub paused: bool,
    /// What was committed; none where it was so already.
    #[serde(flatten)]
    pub changed: Option<Changed>,
}

/// A source or a skill, and the file that says whether it is paused.
struct Target {
    kind: &'static str,
    name: String,
    source: Option<SourceName>,
    file: RelPath,
    text: String,
    paused: bool,
}

/// Pauses a source or a skill: sync passes it by, and leaves its candidates as they are.
pub fn pause(
    outside: &Outside,
    name: &str,
    reason: Option<&str>,
    until: Option<Date>,
    commit: &Commit,
) -> Result<Report> {
    if let Some(until) = until.filter(|until| *until < outside.today) {
        return Err(Error::new(ErrorKind::Usage, format!("--until {until} is over already"))
            .hint("name today or a later day: it is the last one on which this holds"));
    }
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let target = find(&state, name)?;
    let person = Person::ask(&outside.git, &registry.repository)?;
    let paused = Paused {
        by: Some(person.name().to_owned()),
        reason: reason.map(str::to_owned),
        since: Some(Day(outside.today)),
        until: until.map(Day),
    };
    let until = until.map_or(String::new(), |until| format!(" until {until}"));
    let message = format!("Pause {}{until}\n\n{}\n", target.name, reason.unwrap_or("No reason given."));
    write(outside, &registry, &state, &target, Some(&paused), commit, "pause", &message).map(|changed| Report {
        format: 1,
        name: target.name.clone(),
        kind: target.kind,
        source: target.source,
        paused: true,
        changed,
    })
}

/// Ends a pause.
pub fn resume(outside: &Outside, name: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let target = find(&state, name)?;
    let report = |changed| {
        let source = target.source.clone();
        Report { format: 1, name: target.name.clone(), kind: target.kind, source, paused: false, changed }
    };
    if !target.paused {
        return Ok(report(None));
    }
    let message = format!("Resume {}\n", target.name);
    write(outside, &registry, &state, &target, None, commit, "resume", &message).map(report)
}

#[expect(clippy::too_many_arguments, reason = "all of them are the one change")]
fn write(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    target: &Target,
    paused: Option<&Paused>,
    commit: &Commit,
    command: &str,
    message: &str,
) -> Result<Option<Changed>> {
    let text = entry::with_paused(&target.text, paused)?;
    let store = &registry.repository.store;
    let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    let tree = with_changes(store, state.tree, &[(target.file.clone(), Some(place))].into())?;
    if tree == state.tree {
        return Ok(None);
    }
    commit.commit(registry, outside, command, tree, message).map(Some)
}

/// Finds what is meant by NAME, `source:NAME` or `skill:NAME`. No name of either has a colon.
fn find(state: &State, typed: &str) -> Result<Target> {
    let (kind, name) = match typed.split_once(':') {
        Some((kind @ ("source" | "skill"), name)) => (Some(kind), name),
        _ => (None, typed),
    };
    let source = if kind == Some("skill") { None } else { find_source(state, name)? };
    let skill = if kind == Some("source") { None } else { find_skill(state, name)? };
    let shown = crate::types::one_line(name, 80);
    match (source, skill) {
        (Some(_), Some(_)) => {
            Err(Error::new(ErrorKind::Usage, format!("there is a source `{shown}`, and a skill `{shown}`"))
                .hint(format!("say which: source:{shown}, or skill:{shown}")))
        }
        (Some(target), None) | (None, Some(target)) => Ok(target),
        (None, None) => {
            let missing = match kind {
                Some("source") => format!("there is no source `{shown}`"),
                Some(_) => format!("there is no skill `{shown}` that follows a source"),
                None => format!("there is no source `{shown}`, and no skill `{shown}` that follows one"),
            };
            // As everywhere: a source that is not there is a slip of the pen, a skill may have gone.
            let exit = if kind == Some("skill") { ErrorKind::NotFound } else { ErrorKind::Usage };
            Err(Error::new(exit, missing).hint("see what there is: skillgraft status, skillgraft list"))
        }
    }
}

fn find_source(state: &State, name: &str) -> Result<Option<Target>> {
    let Ok(name) = SourceName::parse(name) else { return Ok(None) };
    let Some(source) = state.sources.get(&name) else { return Ok(None) };
    let paused = source.file.as_ref().map_err(Clone::clone)?.paused.is_some();
    let (file, text, called) = (state.layout.source(&name), source.text.clone(), name.to_string());
    Ok(Some(Target { kind: "source", name: called, source: Some(name), file, text, paused }))
}

fn find_skill(state: &State, name: &str) -> Result<Option<Target>> {
    let Ok(id) = SkillId::parse(name) else { return Ok(None) };
    let Some(standing) = state.skills.get(&id).and_then(|skill| skill.entry.as_ref()) else { return Ok(None) };
    let entry = standing.entry.as_ref().map_err(Clone::clone)?;
    let paused = entry.paused.is_some();
    let source = entry.upstream.as_ref().map(|upstream| upstream.source.clone());
    let (file, text) = (state.layout.entry(&id), standing.text.clone());
    Ok(Some(Target { kind: "skill", name: id.to_string(), source, file, text, paused }))
}
