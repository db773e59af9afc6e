//! `add`: follows a source. Everything is checked before anything is written.

use super::link::{self, Linked, Proposal};
use super::{Commit, Outside, identity};
use crate::git::{Changes, Mode, Oid, Place, RefChange, Repository, with_changes};
use crate::registry::{Changed, NewSource, Origin, Registry, SourceFile, State};
use crate::source::Remark;
use crate::source::location::{self, Location};
use crate::sync::{Admission, admit};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SkillId, SourceName};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What `add` is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The source as the person typed it.
    pub source: String,
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
    /// The namespace of the ids; empty for none.
    pub namespace: String,
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
    /// Skills that were not taken.
    pub rejected: Vec<Remark>,
    /// What is odd about skills that were taken.
    pub warnings: Vec<Remark>,
}

/// Asks a person whether what was found is right: what each skill was copied from.
pub type Agree<'a> = &'a dyn Fn(&[Proposal]) -> Result<bool>;

/// Adds a source. Where `options` says to link, `agree` is asked once, with all that was found.
///
/// # Errors
/// [`ErrorKind::Ownership`] where the source's name, or a skill's id, belongs to someone else; nothing is written.
pub fn add(outside: &Outside, options: &Options, agree: Agree<'_>) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let new = describe(outside, &registry, options)?;
    let name = match &options.name {
        Some(name) => SourceName::parse(name)?,
        None => location::default_name(&options.source).ok_or_else(|| {
            Error::new(ErrorKind::Usage, "no name can be made of this source").hint("choose one with --name")
        })?,
    };
    let text = new.render();
    let file = SourceFile::parse(name.clone(), &text)?;
    if let Some(existing) = state.sources.get(&name) {
        if existing.text == text || existing.file.as_ref().is_ok_and(|there| same_source(there, &new)) {
            return Ok(unchanged(name, file.enabled));
        }
        return Err(Error::new(
            ErrorKind::Ownership,
            format!("there is a source `{name}` already, and it is another one"),
        )
        .hint(format!("choose a name with --name, or edit {}", state.layout.source(&name))));
    }
    let link = options.link.then_some(agree);
    follow(outside, &registry, &state, &Follow { file: &file, text: &text, command: "add", link }, &options.commit)
}

/// A source that is to be followed.
pub(super) struct Follow<'a> {
    pub(super) file: &'a SourceFile,
    /// The text of its file.
    pub(super) text: &'a str,
    pub(super) command: &'a str,
    /// Whom to ask about skills that can be linked; none leaves them alone.
    pub(super) link: Option<Agree<'a>>,
}

/// Writes a source file and, where it is enabled, brings its skills in: one commit, or nothing.
pub(super) fn follow(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    what: &Follow<'_>,
    commit: &Commit,
) -> Result<Report> {
    let Follow { file, text, command, link } = *what;
    let store = &registry.repository.store;
    let source_file = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    let mut changes = Changes::from([(state.layout.source(&file.name), Some(source_file))]);
    let mut report = unchanged(file.name.clone(), file.enabled);
    let mut mirror = None;
    let verb = if command == "add" { "Follow" } else { "Enable" };
    let mut message = format!("{verb} source {}\n", file.name);
    if file.enabled {
        let mut admission = admit(registry, state, file, &outside.access(false, false))?;
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
        message.push('\n');
        for (id, what) in &admission.skills {
            message.push_str(&format!("{id}\n"));
            changes.extend(what.clone());
        }
        if let Some(agree) = link.filter(|_| !admission.own.is_empty()) {
            let found = link::find_all(outside, registry, state, source, &admission.own)?;
            report.linked = found.iter().map(|linked| linked.proposal.clone()).collect();
            if !agree(&report.linked)? {
                return Ok(report);
            }
            message.push_str("\nLinked, because they were copied from there:\n");
            for Linked { proposal, entry: (path, place), unrelated, .. } in found {
                let at = proposal.revision.as_deref().and_then(|id| id.get(..7)).unwrap_or("its present state");
                message.push_str(&format!("{} at {at}\n", proposal.skill));
                if unrelated {
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
        mirror = Some((admission.mirror, admission.local_mirror));
        report.skills = admission.skills.into_iter().map(|(id, _)| id).collect();
        report.rejected = admission.rejected;
        report.warnings = admission.warnings;
    } else {
        message = format!("Register source {}, not yet enabled\n", file.name);
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let person = crate::registry::Person::ask(&outside.git, &registry.repository)?;
    let change = commit.change(registry, outside, command);
    let new = change.build(&person, tree, vec![registry.head], &commit.message(&message))?;
    // The mirror first: an entry never names a commit that nothing keeps.
    let moved = mirror.map(|(head, local)| move_mirror(outside, registry, &file.name, local, head)).transpose()?;
    match change.publish(&person, new) {
        Ok(changed) => report.changed = Some(changed),
        Err(error) => {
            if let Some(Some(back)) = moved {
                let _ = registry.repository.refs.apply(&[back], "skillgraft: undo", &identity(outside));
            }
            return Err(error);
        }
    }
    Ok(report)
}

/// Moves the mirror and returns the change that takes it back, where it moved.
fn move_mirror(
    outside: &Outside,
    registry: &Registry,
    name: &SourceName,
    from: Option<Oid>,
    to: Oid,
) -> Result<Option<RefChange>> {
    if from == Some(to) {
        return Ok(None);
    }
    registry.repository.store.flush()?;
    let name = registry.names.mirror(name)?;
    let change = RefChange { name: name.clone(), expected: from, new: Some(to) };
    registry.repository.refs.apply(&[change], "skillgraft: add", &identity(outside))?;
    Ok(Some(RefChange { name, expected: Some(to), new: from }))
}

pub(super) fn unchanged(source: SourceName, enabled: bool) -> Report {
    let (skills, linked, rejected, warnings) = Default::default();
    Report { format: 1, source, changed: None, enabled, skills, linked, rejected, warnings }
}

/// Tells whether a remark is about a skill that has the name of one of the team's own.
fn is_own(own: &BTreeMap<SkillId, RelPath>, remark: &Remark) -> bool {
    own.values().any(|path| remark.path == crate::types::escape(path.as_str()))
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

fn same_source(there: &SourceFile, new: &NewSource) -> bool {
    there.origin == new.origin
        && there.reference == new.reference
        && there.selection.path == new.path
        && there.namespace == new.namespace
}

fn describe(outside: &Outside, registry: &Registry, options: &Options) -> Result<NewSource> {
    let origin = match location::parse(&options.source)? {
        Location::Url(url) => Origin::Git(url),
        Location::Path(path) => on_disk(outside, registry, &path)?,
    };
    if matches!(origin, Origin::Directory(_)) && (options.reference.is_some() || options.path.is_some()) {
        return Err(Error::new(ErrorKind::Usage, "a plain folder has no --ref and no --path")
            .hint("name the folder that holds the skills"));
    }
    Ok(NewSource {
        origin,
        reference: options.reference.clone(),
        path: RelPath::parse(options.path.as_deref().unwrap_or("."))
            .context(ErrorKind::Usage, || "--path is not a folder inside the source")?,
        skills: options.skills.clone(),
        exclude: options.exclude.clone(),
        namespace: options.namespace.clone(),
        enabled: options.enable,
    })
}

/// A path is written down relative to the registry where it was typed relative, so that a clone beside another copy of
/// the source finds it.
fn on_disk(outside: &Outside, registry: &Registry, typed: &str) -> Result<Origin> {
    let path = outside.directory.join(typed);
    let missing = || {
        Error::new(ErrorKind::Usage, format!("there is no folder {}", path.display())).hint(
            location::url_meant(typed)
                .map_or("a source is a URL, or the path of a repository or folder".into(), |url| {
                    format!("for the repository elsewhere, write its whole URL: skillgraft add {url}")
                }),
        )
    };
    let real = path.canonicalize().map_err(|error| missing().because(error))?;
    if !real.is_dir() {
        return Err(missing());
    }
    let relative = if Path::new(typed).is_absolute() { real.clone() } else { relative_to(&registry.directory, &real) };
    let text = relative.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let text = text.ok_or_else(|| Error::new(ErrorKind::Usage, format!("{} is not UTF-8", real.display())))?;
    let own = registry.repository.work_dir().and_then(|dir| dir.canonicalize().ok());
    let is_repository = Repository::open(&real).is_ok() && own.as_deref() != Some(real.as_path());
    // In a source file a plain word is a path too; the dot says so to people.
    let text = if text.starts_with(['.', '/']) { text } else { format!("./{text}") };
    Ok(if is_repository { Origin::Git(text) } else { Origin::Directory(text) })
}

fn relative_to(from: &Path, to: &Path) -> PathBuf {
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
