//! `source ...`: the sources of a registry, and what moves along with them.

use super::adopt::{self, Adopted};
use super::{Commit, Outside, add};
use crate::git::{Changes, Mode, Oid, Place, RefChange, RefName, tree_at, with_changes};
use crate::registry::{
    Changed, Destination, IDENTITY, Origin, Paused, Registry, SourceFile, SourceState, State, entry, source_file,
};
use crate::source::observe;
use crate::sync::{Branches, Reviewer, standing_mirror};
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName};
use serde::Serialize;

/// The sources of a registry.
#[derive(Debug, Serialize)]
pub struct List {
    /// The format of this document.
    pub format: u32,
    /// The sources, by name.
    pub sources: Vec<Item>,
}

/// One source.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// Its name.
    pub name: SourceName,
    /// The kind of its origin; none where its file cannot be read.
    pub kind: Option<&'static str>,
    /// Its URL or path; of a plugin, its marketplace's.
    pub location: Option<String>,
    /// The plugin that it follows.
    pub plugin: Option<String>,
    /// The plugin's version in the mirror, where stated.
    pub version: Option<String>,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// Whether sync looks at it.
    pub enabled: bool,
    /// Whether it is paused today.
    pub paused: bool,
    /// Who paused it, where it is paused today, why, and until when.
    pub pause: Option<Paused>,
    /// How many skills follow it.
    pub skills: usize,
    /// What is wrong with its file.
    pub error: Option<String>,
}

/// Lists the sources.
pub fn list(outside: &Outside) -> Result<List> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let sources = state.sources.iter().map(|(name, source)| {
        let file = source.file.as_ref().ok();
        Item {
            name: name.clone(),
            kind: file.map(SourceFile::kind),
            location: file.map(|file| file.origin.location()),
            version: file.and_then(|file| plugin_of(file).and_then(|_| version(&registry, file))),
            plugin: file.and_then(plugin_of),
            reference: file.and_then(|file| file.reference.clone()),
            enabled: file.is_some_and(|file| file.enabled),
            paused: file.is_some_and(|file| file.paused_on(outside.today)),
            pause: file.and_then(|file| file.paused.clone()).filter(|paused| paused.holds_on(outside.today)),
            skills: state.followers(name).count(),
            error: source.file.as_ref().err().map(Error::full_message),
        }
    });
    Ok(List { format: 1, sources: sources.collect() })
}

fn plugin_of(file: &SourceFile) -> Option<String> {
    match &file.origin {
        Origin::Plugin { plugin, .. } => Some(plugin.clone()),
        _ => None,
    }
}

/// The version of the plugin as the mirror has it.
fn version(registry: &Registry, file: &SourceFile) -> Option<String> {
    let mirror = standing_mirror(registry, &file.name).ok()??;
    mirror.plugins.iter().next()?.version.clone()
}

/// A source's file.
#[derive(Debug, Serialize)]
pub struct Show {
    /// The format of this document.
    pub format: u32,
    /// The source.
    pub source: SourceName,
    /// The kind of its origin; none where its file cannot be read.
    pub kind: Option<&'static str>,
    /// The plugin that it follows.
    pub plugin: Option<String>,
    /// The plugin's version in the mirror, where stated.
    pub version: Option<String>,
    /// The text of its file; of one that cannot be read, without credentials.
    pub text: String,
    /// The skills that follow it.
    pub skills: Vec<SkillId>,
}

/// Shows the file of a source.
pub fn show(outside: &Outside, name: &str) -> Result<Show> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let (source, file) = find(&state, name)?;
    let skills = state.followers(&source).map(|(id, ..)| id.clone()).collect();
    let read = file.file.as_ref().ok();
    let plugin = read.and_then(plugin_of);
    let version = read.filter(|_| plugin.is_some()).and_then(|read| version(&registry, read));
    // What was refused may have been refused for a credential.
    let text = if read.is_some() { file.text.clone() } else { crate::git::redact(&file.text) };
    Ok(Show { format: 1, kind: read.map(SourceFile::kind), plugin, version, text, skills, source })
}

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

/// What becomes of the skills of a source that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They stay, as the team's own.
    Adopt,
    /// They go.
    Delete,
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
    let mut text = source_file::edit::with_enabled(&source.text, true)?;
    if state.followers(&name).next().is_some() {
        let message = format!("Enable source {name}\n");
        report.changed = Some(put(outside, &registry, &state, &name, &text, commit, "enable", &message)?);
        return Ok(report);
    }
    let mut file = SourceFile::parse(name, &text)?;
    let access = outside.access(false, false);
    let look = || observe(&access, &file, &registry.directory, &state.settings.limits);
    let folder = add::folder_of_registry(&file, look)?;
    if let Some(folder) = &folder {
        text = source_file::edit::with_path(&text, folder)?;
        file = SourceFile::parse(file.name, &text)?;
    }
    let what = add::Follow { access: &access, file: &file, text: &text, command: "enable", link: None };
    Ok(add::Report { registry: folder, ..add::follow(outside, &registry, &state, &what, commit)? })
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

/// Gives a source another name: its file, its entries, its licence files and its mirror move along.
pub fn rename(outside: &Outside, old: &str, new: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let (old, source) = find(&state, old)?;
    let new = SourceName::parse(new)?;
    if state.sources.contains_key(&new) {
        return Err(Error::new(ErrorKind::Ownership, format!("there is a source `{new}` already")));
    }
    let open = open_candidates(outside, &registry, &state, &old)?;
    source.file.as_ref().map_err(Clone::clone)?;
    let text = source_file::edit::with_former_name(&source.text, &old)?;
    let mut changes = Changes::from([
        (state.layout.source(&old), None),
        (state.layout.source(&new), Some(blob(store.write_blob(text.as_bytes())?))),
    ]);
    let mut skills = Vec::new();
    for (id, skill, _) in state.followers(&old) {
        let standing = skill.entry.as_ref().expect("a follower has an entry");
        let text = entry::with_source(&standing.text, &new)?;
        changes.insert(state.layout.entry(id), Some(blob(store.write_blob(text.as_bytes())?)));
        skills.push(id.clone());
    }
    if let Some(licenses) = tree_at(store, state.tree, &state.layout.licenses(&old))? {
        changes.insert(state.layout.licenses(&old), None);
        changes.insert(state.layout.licenses(&new), Some(Place { mode: Mode::Tree, id: licenses }));
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let changed =
        commit.commit(&registry, outside, "source-rename", tree, &format!("Rename source {old} to {new}\n"))?;
    if commit.destination == Destination::DefaultBranch {
        let (from, to) = (registry.names.mirror(&old)?, registry.names.mirror(&new)?);
        let head = registry.repository.refs.get(from.as_str())?;
        let mut moves = close(open);
        moves.extend(withdrawn_offers(&registry, &old, &new, &moves)?);
        if let Some(head) = head.filter(|_| matches!(registry.repository.refs.get(to.as_str()), Ok(None))) {
            moves.push(RefChange { name: to, expected: None, new: Some(head) });
            moves.push(RefChange { name: from, expected: Some(head), new: None });
        }
        apply(outside, &registry, &moves, "skillgraft: source rename")?;
    }
    Ok(Report { format: 1, source: new, changed: Some(changed), done: Done::Renamed { from: old }, skills })
}

/// Removes a source; its skills become the team's own, or go. The mirror stays: merge bases live there.
pub fn remove(outside: &Outside, name: &str, fate: Fate, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let (name, _) = find(&state, name)?;
    let open = open_candidates(outside, &registry, &state, &name)?;
    let mut changes = Changes::from([(state.layout.source(&name), None)]);
    let mut skills = Vec::new();
    for (id, skill, _) in state.followers(&name) {
        match fate {
            Fate::Adopt => {
                let Adopted { text, .. } = adopt::adopted(id, skill)?;
                changes.insert(state.layout.entry(id), Some(blob(store.write_blob(text.as_bytes())?)));
            }
            Fate::Delete => {
                changes.insert(state.layout.skill(id), None);
                changes.insert(state.layout.entry(id), None);
            }
        }
        skills.push(id.clone());
    }
    if fate == Fate::Delete {
        changes.insert(state.layout.licenses(&name), None);
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let what = if fate == Fate::Adopt { "its skills are our own from now on" } else { "its skills with it" };
    let changed =
        commit.commit(&registry, outside, "source-remove", tree, &format!("Remove source {name}\n\n{what}\n"))?;
    if commit.destination == Destination::DefaultBranch {
        apply(outside, &registry, &close(open), "skillgraft: source remove")?;
    }
    let done = if fate == Fate::Adopt { Done::RemovedAndAdopted } else { Done::RemovedAndDeleted };
    Ok(Report { format: 1, source: name, changed: Some(changed), done, skills })
}

/// The refs of the open candidates of a source, which go when it does.
///
/// # Errors
/// Where somebody has edited one: nobody's work goes with a source.
fn open_candidates(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    source: &SourceName,
) -> Result<Vec<(RefName, Oid)>> {
    let branches = Branches::load(registry)?;
    let reviewer = Reviewer::new(registry, state, &branches, outside.today)?;
    let mut refs = Vec::new();
    for id in branches.of_source(registry, source) {
        let branch = branches.get(&registry.repository.store, &registry.names.candidate(source, &id)?)?;
        let why = match reviewer.review(source, &id) {
            Ok(review) if review.edited => Some("has edits"),
            // What is no candidate is somebody's own.
            Err(_) => Some("is no candidate that this tool made"),
            Ok(_) if branch.diverged => Some("differs from the remote's"),
            Ok(_) => branch.checked_out.then_some("is checked out"),
        };
        if let Some(why) = why {
            return Err(Error::new(ErrorKind::Conflict, format!("{} {why}", branch.name.short()))
                .hint("merge it or delete it first, then run the command again"));
        }
        refs.extend(branch.local.map(|head| (branch.name, head)));
        let offered = registry.names.offered(source, &id)?;
        refs.extend(branches.own(&offered).map(|head| (offered, head)));
    }
    Ok(refs)
}

/// The moves of what remembers that a branch was deleted by hand: those updates stay away under the new name, too.
fn withdrawn_offers(
    registry: &Registry,
    old: &SourceName,
    new: &SourceName,
    closed: &[RefChange],
) -> Result<Vec<RefChange>> {
    let refs = &registry.repository.refs;
    let (from, to) = (registry.names.offers(old), registry.names.offers(new));
    let mut moves = Vec::new();
    for (name, offered) in refs.list(&from)? {
        if closed.iter().any(|change| change.name.as_str() == name) {
            continue;
        }
        let renamed = RefName::parse(name.replacen(&from, &to, 1))?;
        moves.push(RefChange { expected: refs.get(renamed.as_str())?, name: renamed, new: Some(offered) });
        moves.push(RefChange { name: RefName::parse(name)?, expected: Some(offered), new: None });
    }
    Ok(moves)
}

fn close(refs: Vec<(RefName, Oid)>) -> Vec<RefChange> {
    refs.into_iter().map(|(name, head)| RefChange { name, expected: Some(head), new: None }).collect()
}

fn apply(outside: &Outside, registry: &Registry, changes: &[RefChange], message: &str) -> Result<()> {
    registry.repository.refs.apply(changes, message, &format!("{IDENTITY} {} +0000", outside.now))
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
