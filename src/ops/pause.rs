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
        return Err(Error::new(ErrorKind::Usage, format!("--until {until} is over already")));
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
    let message = format!("Pause {name}{until}\n\n{}\n", reason.unwrap_or("No reason given."));
    write(outside, &registry, &state, &target, Some(&paused), commit, "pause", &message).map(|changed| Report {
        format: 1,
        name: name.into(),
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
        Report { format: 1, name: name.into(), kind: target.kind, source, paused: false, changed }
    };
    if !target.paused {
        return Ok(report(None));
    }
    let message = format!("Resume {name}\n");
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

fn find(state: &State, name: &str) -> Result<Target> {
    let source = SourceName::parse(name).ok().and_then(|name| {
        let source = state.sources.get(&name)?;
        Some((state.layout.source(&name), name, source))
    });
    if let Some((file, name, source)) = source {
        let paused = source.file.as_ref().map_err(Clone::clone)?.paused.is_some();
        return Ok(Target { kind: "source", source: Some(name), file, text: source.text.clone(), paused });
    }
    let skill = SkillId::parse(name)
        .ok()
        .and_then(|id| Some((state.layout.entry(&id), state.skills.get(&id)?.entry.as_ref()?)));
    if let Some((file, standing)) = skill {
        let entry = standing.entry.as_ref().map_err(Clone::clone)?;
        let paused = entry.paused.is_some();
        let source = entry.upstream.as_ref().map(|upstream| upstream.source.clone());
        return Ok(Target { kind: "skill", source, file, text: standing.text.clone(), paused });
    }
    Err(Error::new(
        ErrorKind::NotFound,
        format!("there is no source `{0}`, and no skill `{0}` that follows one", crate::types::one_line(name, 80)),
    )
    .hint("see what there is: skillgraft status, skillgraft list"))
}
