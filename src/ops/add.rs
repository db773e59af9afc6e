//! `add`: follows a source. Everything is checked before anything is written.

mod by_name;

use super::link::{self, Consent, Linked, Proposal};
use super::{Commit, Outside, identity};
use crate::git::{Changes, Mode, Oid, Place, RefChange, Repository, entry_at, with_changes};
use crate::registry::settings::{self, Settings};
use crate::registry::{Changed, NewSource, Origin, Registry, SourceFile, State};
use crate::source::location::{self, GitLocation, Location};
use crate::source::{Access, Remark, Snapshot, observe, split_reference};
use crate::sync::{Admission, admit};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SkillId, SourceName, one_line, visible};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What `add` is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The source as the person typed it; of a command, its program.
    pub source: String,
    /// A program that serves skills, with its arguments; none where `source` is a place.
    pub command: Option<Vec<String>>,
    /// Its name; none takes the last part of what was typed.
    pub name: Option<String>,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// The folder to look in.
    pub path: Option<String>,
    /// Globs; empty means everything.
    pub skills: Vec<String>,
    /// Globs.
    pub exclude: Vec<String>,
    /// The namespace of the ids; empty for none, `plugin` for each skill's plugin.
    pub namespace: String,
    /// Whether it may come over unencrypted http.
    pub insecure: bool,
    /// Whether the skills come in now.
    pub enable: bool,
    /// Whether skills of the team's own that have the name of an upstream one follow it from now on.
    pub link: bool,
    /// How it is committed.
    pub commit: Commit,
}

/// What `add` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The source's name.
    pub source: SourceName,
    /// What was committed; none where everything was there already.
    #[serde(flatten)]
    pub changed: Option<Changed>,
    /// Whether the source is enabled.
    pub enabled: bool,
    /// The skills that came in.
    pub skills: Vec<SkillId>,
    /// The skills of the team's own that follow it from now on, and what each was copied from.
    pub linked: Vec<Proposal>,
    /// The folder that is looked in, where upstream is a registry and says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RelPath>,
    /// The guide of upstream's own registry, where it is one: about that repository, so it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide: Option<RelPath>,
    /// Skills that were not taken.
    pub rejected: Vec<Remark>,
    /// What is odd about skills that were taken.
    pub warnings: Vec<Remark>,
}

/// Adds a source. Where `options` says to link, `consent` is asked once, with all that was found.
///
/// # Errors
/// [`ErrorKind::Ownership`] where the source's name, or a skill's id, belongs to someone else; nothing is written.
pub fn add(outside: &Outside, options: &Options, consent: Consent<'_>) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let Described { mut new, name } = describe(outside, &registry, options)?;
    let access = outside.access(false, false);
    let (folder, by_name) = match options.enable {
        true => look(&access, &registry, &state, &name, &mut new)?,
        false => Default::default(),
    };
    let text = new.render();
    let file = SourceFile::parse(name.clone(), &text)?;
    if let Some(existing) = state.sources.get(&name) {
        if existing.text == text || existing.file.as_ref().is_ok_and(|there| same_source(there, &new)) {
            trust_what_was_typed(outside, options)?;
            return Ok(unchanged(name, file.enabled));
        }
        return Err(Error::new(
            ErrorKind::Ownership,
            format!("there is a source `{name}` already, and it is another one"),
        )
        .hint(format!("choose a name with --name, or edit {}", state.layout.source(&name))));
    }
    trust_what_was_typed(outside, options)?;
    let link = options.link.then_some(consent);
    let what = Follow { access: &access, file: &file, text: &text, command: "add", link };
    let report = follow(outside, &registry, &state, &what, &options.commit)?;
    let warnings = by_name.into_iter().chain(report.warnings).collect();
    Ok(Report { registry: folder, warnings, ..report })
}

/// A source that is to be followed.
pub(super) struct Follow<'a> {
    pub(super) access: &'a Access<'a>,
    pub(super) file: &'a SourceFile,
    /// The text of its file.
    pub(super) text: &'a str,
    pub(super) command: &'a str,
    /// Who says that skills are to be linked; none leaves them alone.
    pub(super) link: Option<Consent<'a>>,
}

/// A command that a person typed on this machine, word for word, may run on it.
fn trust_what_was_typed(outside: &Outside, options: &Options) -> Result<()> {
    options.command.iter().try_for_each(|command| outside.trust.record(command).map(drop))
}

/// Writes a source file and, where it is enabled, brings its skills in: one commit, or nothing.
pub(super) fn follow(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    what: &Follow<'_>,
    commit: &Commit,
) -> Result<Report> {
    let Follow { access, file, text, command, link } = *what;
    let store = &registry.repository.store;
    let source_file = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    let mut changes = Changes::from([(state.layout.source(&file.name), Some(source_file))]);
    let mut report = unchanged(file.name.clone(), file.enabled);
    let mut mirrors = Vec::new();
    let verb = if command == "add" { "Follow" } else { "Enable" };
    let mut message = format!("{verb} source {}\n", file.name);
    if file.enabled {
        let mut admission = admit(registry, state, file, access)?;
        let source = file;
        let file = state.layout.source(&file.name);
        if link.is_some() {
            admission.rejected.retain(|remark| !(remark.reason == "ownership" && is_own(&admission.own, remark)));
        }
        refuse_what_is_owned(&admission).map_err(|error| match command {
            "add" if !admission.own.is_empty() && link.is_none() => error.hint(
                "where the team's own were copied from there, let them follow it with --link; else leave these skills \
                 out with --exclude NAME, or give all ids a namespace with --namespace NS",
            ),
            "add" => error
                .hint("leave these skills out with --exclude NAME, or give all ids a namespace with --namespace NS"),
            _ => {
                error.hint(format!("set `exclude` or `namespace` in {file} and commit it, then run the command again"))
            }
        })?;
        refuse_what_brings_nothing(state, source, &admission, link.is_some())?;
        message.push('\n');
        for (id, what) in &admission.skills {
            message.push_str(&format!("{id}\n"));
            changes.extend(what.clone());
        }
        if let Some(consent) = link.filter(|_| !admission.own.is_empty()) {
            let found = link::find_all(outside, registry, state, source, &admission.own)?;
            report.linked = found.iter().map(|linked| linked.proposal.clone()).collect();
            if !consent.is_given(&report.linked, || leave_out(&report.linked))? {
                return Ok(report);
            }
            changes.extend(admission.licenses);
            message.push_str("\nLinked, because they were copied from there:\n");
            for Linked { proposal, entry: (path, place), .. } in found {
                let at = proposal.revision.as_deref().and_then(|id| id.get(..7)).unwrap_or("its present state");
                message.push_str(&format!("{} at {at}\n", proposal.skill));
                if proposal.unrelated {
                    let words = format!(
                        "`{0}` was linked, but has hardly anything in common with upstream's; if it is another skill: \
                         skillgraft adopt {0}",
                        proposal.skill
                    );
                    admission.warnings.push(Remark::new(&proposal.path, "unrelated", words));
                }
                changes.insert(path, place);
            }
        }
        mirrors.push((source.name.clone(), admission.local_mirror, admission.mirror));
        report.skills = admission.skills.into_iter().map(|(id, _)| id).collect();
        report.guide = admission.guide;
        report.rejected = admission.rejected;
        report.warnings = admission.warnings;
    } else {
        message = format!("Register source {}, not yet enabled\n", file.name);
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let person = crate::registry::Person::ask(&outside.git, &registry.repository)?;
    let change = commit.change(registry, outside, command);
    let new = change.build(&person, tree, vec![registry.head], &commit.message(&message))?;
    report.changed = Some(publish(outside, registry, &mirrors, || change.publish(&person, new))?);
    Ok(report)
}

/// What to do about skills that only have the names of upstream's.
fn leave_out(linked: &[Proposal]) -> String {
    let names = linked.iter().filter(|proposal| proposal.unrelated);
    let exclude: Vec<String> = names.map(|proposal| format!("--exclude {}", proposal.skill.name())).collect();
    let exclude = exclude.join(" ");
    format!("leave upstream's out: {exclude}; or look at what was found and decide, at a terminal and without --yes")
}

/// A mirror that a source brings: the source, where its branch is, and where it goes.
pub(super) type MovedMirror = (SourceName, Option<Oid>, Oid);

/// Moves mirrors, all or none, publishes the commit, and takes the mirrors back where that fails.
pub(super) fn publish(
    outside: &Outside,
    registry: &Registry,
    mirrors: &[MovedMirror],
    commit: impl FnOnce() -> Result<Changed>,
) -> Result<Changed> {
    let mut there = Vec::new();
    for (name, from, to) in mirrors.iter().filter(|(_, from, to)| *from != Some(*to)) {
        there.push(RefChange { name: registry.names.mirror(name)?, expected: *from, new: Some(*to) });
    }
    // The mirrors first: an entry never names a commit that nothing keeps.
    if !there.is_empty() {
        registry.repository.store.flush()?;
        registry.repository.refs.apply(&there, "skillgraft: add", &identity(outside))?;
    }
    commit().inspect_err(|_| {
        let back = there.into_iter().map(|moved| RefChange { expected: moved.new, new: moved.expected, ..moved });
        let _ = registry.repository.refs.apply(&back.collect::<Vec<_>>(), "skillgraft: undo", &identity(outside));
    })
}

pub(super) fn unchanged(source: SourceName, enabled: bool) -> Report {
    let (skills, linked, registry, guide, rejected, warnings) = Default::default();
    Report { format: 1, source, changed: None, enabled, skills, linked, registry, guide, rejected, warnings }
}

/// Tells whether a remark is about a skill that has the name of one of the team's own.
fn is_own(own: &BTreeMap<SkillId, RelPath>, remark: &Remark) -> bool {
    own.values().any(|path| remark.path == crate::types::escape(path.as_str()))
}

/// A source of which nothing can come in is none: it would be there, and do nothing.
fn refuse_what_brings_nothing(state: &State, source: &SourceFile, admission: &Admission, links: bool) -> Result<()> {
    let brings = !admission.skills.is_empty() || links && !admission.own.is_empty();
    if brings || admission.rejected.is_empty() || state.followers(&source.name).next().is_some() {
        return Ok(());
    }
    let why: Vec<_> = admission.rejected.iter().map(|remark| format!("{}: {}", remark.path, remark.message)).collect();
    Err(Error::new(ErrorKind::Rejected, "nothing was added: no skill of the source can come in")
        .because(why.join("\n"))
        .hint("tell its owner; or register it as it is with --no-enable"))
}

/// All-or-nothing: a name that somebody else owns stops the whole command, and every such name is listed.
fn refuse_what_is_owned(admission: &Admission) -> Result<()> {
    let owned: Vec<&Remark> = admission.rejected.iter().filter(|remark| remark.reason == "ownership").collect();
    if owned.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = owned.iter().map(|remark| format!("{}: {}", remark.path, remark.message)).collect();
    let names = if owned.len() == 1 { "a name belongs".to_owned() } else { format!("{} names belong", owned.len()) };
    Err(Error::new(ErrorKind::Ownership, format!("nothing was added: {names} to others")).because(list.join("\n")))
}

/// Looks at a repository or folder before its source file is written, and puts right what that will say. Returns the folder of
/// a registry's skills, and what is to be said of skills that were named.
fn look(
    access: &Access<'_>,
    registry: &Registry,
    state: &State,
    name: &SourceName,
    new: &mut NewSource,
) -> Result<(Option<RelPath>, Vec<Remark>)> {
    if !matches!(new.origin, Origin::Git(_) | Origin::Bundle(_) | Origin::Directory(_)) {
        return Ok(Default::default());
    }
    let limits = &state.settings.limits;
    let source = SourceFile::parse(name.clone(), &new.render())?;
    let snapshot = observe(access, &source, &registry.directory, limits)?;
    let folder = folder_of_registry(&source, || Ok(snapshot.clone()))?;
    new.path = folder.clone().unwrap_or(std::mem::take(&mut new.path));
    let by_name = by_name::as_directories(new, name, &snapshot, limits)?;
    Ok((folder, by_name))
}

/// Returns the folder of the skills, where a repository is a registry itself and no folder was named: what lies beside is
/// not for others.
pub(super) fn folder_of_registry(
    source: &SourceFile,
    observe: impl FnOnce() -> Result<Snapshot>,
) -> Result<Option<RelPath>> {
    if !matches!(source.origin, Origin::Git(_) | Origin::Bundle(_)) || !source.selection.path.is_root() {
        return Ok(None);
    }
    let snapshot = observe()?;
    let file = RelPath::parse(settings::FILE).expect("a fixed name");
    let Some(place) = entry_at(snapshot.store(), snapshot.tree, &file)?.filter(|place| place.mode.is_file()) else {
        return Ok(None);
    };
    snapshot.need([place.id])?;
    // Settings that cannot be read, as those of a newer version, are upstream's affair.
    let text = String::from_utf8(snapshot.store().blob(place.id)?).unwrap_or_default();
    Ok(Settings::parse(&text).ok().map(|settings| settings.skills))
}

fn same_source(there: &SourceFile, new: &NewSource) -> bool {
    there.origin == new.origin
        && there.reference == new.reference
        && there.selection.path == new.path
        && there.namespace == new.namespace
}

/// What a spelling and the options beside it come to.
pub(super) struct Described {
    pub(super) new: NewSource,
    pub(super) name: SourceName,
}

pub(super) fn describe(outside: &Outside, registry: &Registry, options: &Options) -> Result<Described> {
    let (default_name, (origin, said)) = match &options.command {
        // A program is called by its name, or by its path.
        Some(command) => (
            location::default_name(&Location::Path(options.source.clone())),
            (Origin::Command(command.clone()), GitLocation::default()),
        ),
        None => {
            let location = location::parse(&options.source)?;
            refuse_ambiguous(outside, &options.source, &location)?;
            (location::default_name(&location), origin(outside, registry, options, location)?)
        }
    };
    let name = match &options.name {
        Some(name) => SourceName::parse(name)?,
        None => default_name.ok_or_else(|| {
            Error::new(ErrorKind::Usage, "no name can be made of this source").hint("choose one with --name")
        })?,
    };
    let has_folders = matches!(origin, Origin::Git(_) | Origin::Bundle(_));
    if options.path.is_some() && !has_folders
        || options.reference.is_some() && !has_folders && !matches!(origin, Origin::ClawHub { .. })
    {
        let kind = origin.kind();
        return Err(Error::new(ErrorKind::Usage, format!("a source of kind {kind} has no --ref and no --path"))
            .hint("only a repository has both, and a skill on ClawHub a version: --ref 1.2.0"));
    }
    let typed_path = options.path.as_deref().map(RelPath::parse).transpose();
    let typed_path = typed_path.context(ErrorKind::Usage, || "--path is not a folder inside the source")?;
    let mut skills = options.skills.clone();
    if let Some(skill) = said.skill {
        let both = match skills.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(skills.join(", ")),
        };
        skills = agreed("--skill", both, Some(skill))?.into_iter().collect();
    }
    let new = NewSource {
        origin,
        reference: agreed("--ref", options.reference.clone(), said.reference)?,
        path: agreed("--path", typed_path, said.path)?.unwrap_or_default(),
        skills,
        exclude: options.exclude.clone(),
        namespace: options.namespace.clone(),
        insecure: options.insecure,
        enabled: options.enable,
    };
    Ok(Described { new, name })
}

/// The one value of an option and of what the spelling says.
fn agreed<T: PartialEq + ToString>(option: &str, typed: Option<T>, said: Option<T>) -> Result<Option<T>> {
    match (typed, said) {
        (Some(typed), Some(said)) if typed != said => {
            let (typed, said) = (one_line(&typed.to_string(), 80), one_line(&said.to_string(), 80));
            Err(Error::new(ErrorKind::Usage, format!("the source says `{said}`, and {option} says `{typed}`"))
                .hint(format!("say it once: leave {option} out, or name the repository alone")))
        }
        (typed, said) => Ok(typed.or(said)),
    }
}

/// `owner/repo` is on GitHub, unless it is a folder here: then nobody can say which one was meant.
fn refuse_ambiguous(outside: &Outside, typed: &str, location: &Location) -> Result<()> {
    match location::path_meant(typed) {
        Some(path) if outside.directory.join(path).exists() => {
            let url = match location {
                Location::Git(GitLocation { url, .. }) | Location::GitTree { url, .. } => url.clone(),
                _ => format!("https://{typed}"),
            };
            Err(Error::new(
                ErrorKind::Usage,
                format!("`{typed}` is a folder here, and could be a repository elsewhere"),
            )
            .hint(format!("write ./{path} for the folder, or {url} for the repository")))
        }
        _ => Ok(()),
    }
}

/// Returns where a location is, as the source file writes it, and what else the spelling says.
fn origin(
    outside: &Outside,
    registry: &Registry,
    options: &Options,
    location: Location,
) -> Result<(Origin, GitLocation)> {
    let git = match location {
        Location::Path(path) => return Ok((on_disk(outside, registry, &path)?, GitLocation::default())),
        Location::Bundle(path) => return Ok((on_disk(outside, registry, &path)?, GitLocation::default())),
        Location::Git(git) => git,
        Location::GitTree { url, rest } => {
            refuse_insecure(&url, options)?;
            let access = outside.access(false, false);
            let (reference, path) = split_reference(&access, &url, options.insecure, &rest)?;
            let path = RelPath::parse(&path)?;
            GitLocation {
                url,
                reference: Some(reference),
                path: Some(path).filter(|path| !path.is_root()),
                skill: None,
            }
        }
        Location::Index(url) => {
            refuse_insecure(&url, options)?;
            return Ok((Origin::Index(url), GitLocation::default()));
        }
        Location::ClawHub { owner, slug } => {
            let skill = owner.map_or(slug.clone(), |owner| format!("{owner}/{slug}"));
            return Ok((Origin::ClawHub { skill, registry: None }, GitLocation::default()));
        }
    };
    refuse_insecure(&git.url, options)?;
    Ok((Origin::Git(git.url.clone()), git))
}

fn refuse_insecure(url: &str, options: &Options) -> Result<()> {
    if !location::is_insecure(url) || options.insecure {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!("{} comes unprotected, so anybody on the way could change what your agents load", visible(url)),
    )
    .hint("use https; or allow it with --insecure"))
}

/// A path is written down relative to the registry where it was typed relative, so that a clone beside another copy of
/// the source finds it.
fn on_disk(outside: &Outside, registry: &Registry, typed: &str) -> Result<Origin> {
    let path = outside.directory.join(typed);
    let missing = || {
        let what = if typed.ends_with(".bundle") { "file" } else { "folder" };
        Error::new(ErrorKind::Usage, format!("there is no {what} {}", path.display()))
            .hint(format!("a source is one of: {}", location::UNDERSTOOD))
    };
    let real = path.canonicalize().map_err(|error| missing().because(error))?;
    let is_bundle = real.is_file() && typed.ends_with(".bundle");
    if !real.is_dir() && !is_bundle {
        return Err(missing());
    }
    let relative = if Path::new(typed).is_absolute() { real.clone() } else { relative_to(&registry.directory, &real) };
    let text = relative.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let text = text.ok_or_else(|| Error::new(ErrorKind::Usage, format!("{} is not UTF-8", real.display())))?;
    let own = registry.repository.work_dir().and_then(|dir| dir.canonicalize().ok());
    let is_repository = Repository::open(&real).is_ok() && own.as_deref() != Some(real.as_path());
    // In a source file a plain word is a path too; the dot says so to people.
    let text = if text.starts_with(['.', '/']) { text } else { format!("./{text}") };
    if is_bundle {
        return Ok(Origin::Bundle(text));
    }
    Ok(if is_repository { Origin::Git(text) } else { Origin::Directory(text) })
}

pub(super) fn relative_to(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_relative_to_the_registry() {
        let relative = |from: &str, to: &str| relative_to(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(relative("/a/registry", "/a/upstream"), "../upstream");
        assert_eq!(relative("/a", "/a/b"), "b");
        assert_eq!(relative("/a", "/a"), ".");
    }
}
