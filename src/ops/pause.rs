//! `pause` and `resume`, for a source or a skill.

use super::{Commit, Outside};
use crate::git::{Mode, Place, with_changes};
use crate::registry::{Changed, Person, Registry, State, entry};
use crate::registry::{Day, Paused};
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
    /// Why, until when, and who since when, as its note says.
    #[serde(flatten)]
    pub note: Note,
    /// What the note said before, where it was paused already.
    pub before: Option<Note>,
    /// What was committed; none where it was so already.
    #[serde(flatten)]
    pub changed: Option<Changed>,
}

/// The note of a pause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Why.
    pub reason: Option<String>,
    /// The last day.
    pub until: Option<String>,
    /// Who paused it.
    pub by: Option<String>,
    /// The first day.
    pub since: Option<String>,
}

impl Note {
    fn of(paused: &Paused) -> Self {
        let (reason, by) = (paused.reason.clone(), paused.by.clone());
        let text = |day: Option<Day>| day.map(|day| day.0.to_string());
        Note { reason, until: text(paused.until), by, since: text(paused.since) }
    }
}

/// A source or a skill, and the file that says whether it is paused.
struct Target {
    kind: &'static str,
    name: String,
    source: Option<SourceName>,
    file: RelPath,
    text: String,
    paused: Option<Paused>,
}

/// Pauses a source or a skill: sync passes it by, and leaves its candidates as they are. Of a pause that holds already only
/// what is given changes.
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
    // One that has ended by itself holds nothing any more: this is a new one.
    let standing = target.paused.clone().filter(|paused| paused.holds_on(outside.today));
    let (verb, before) = match &standing {
        Some(paused) => ("Change the pause of", Some(Note::of(paused))),
        None => ("Pause", None),
    };
    let mut paused = match standing {
        Some(paused) => paused,
        None => {
            let person = Person::ask(&outside.git, &registry.repository)?;
            Paused { by: Some(person.name().to_owned()), reason: None, since: Some(Day(outside.today)), until: None }
        }
    };
    paused.reason = reason.map(str::to_owned).or(paused.reason);
    paused.until = until.map(Day).or(paused.until);
    let note = Note::of(&paused);
    let until = note.until.as_ref().map_or(String::new(), |until| format!(" until {until}"));
    let why = note.reason.as_deref().unwrap_or("No reason given.");
    let message = format!("{verb} {}{until}\n\n{why}\n", target.name);
    let changed = write(outside, &registry, &state, &target, Some(&paused), commit, "pause", &message)?;
    let Target { name, kind, source, .. } = target;
    Ok(Report { format: 1, name, kind, source, paused: true, note, before, changed })
}

/// Ends a pause.
pub fn resume(outside: &Outside, name: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let target = find(&state, name)?;
    let report = |changed| {
        let (name, source, before) = (target.name.clone(), target.source.clone(), target.paused.as_ref().map(Note::of));
        let note = Note::default();
        Report { format: 1, name, kind: target.kind, source, paused: false, note, before, changed }
    };
    if target.paused.is_none() {
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
    let paused = source.file.as_ref().map_err(Clone::clone)?.paused.clone();
    let (file, text, called) = (state.layout.source(&name), source.text.clone(), name.to_string());
    Ok(Some(Target { kind: "source", name: called, source: Some(name), file, text, paused }))
}

fn find_skill(state: &State, name: &str) -> Result<Option<Target>> {
    let Ok(id) = SkillId::parse(name) else { return Ok(None) };
    let Some(standing) = state.skills.get(&id).and_then(|skill| skill.entry.as_ref()) else { return Ok(None) };
    let entry = standing.entry.as_ref().map_err(Clone::clone)?;
    let paused = entry.paused.clone();
    if entry.upstream.is_none() && paused.is_none() {
        return Ok(None);
    }
    let source = entry.upstream.as_ref().map(|upstream| upstream.source.clone());
    let (file, text) = (state.layout.entry(&id), standing.text.clone());
    Ok(Some(Target { kind: "skill", name: id.to_string(), source, file, text, paused }))
}
