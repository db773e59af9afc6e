//! `add`: follows a source. Everything is checked before anything is written.

mod by_name;
mod follow;
mod typed;

pub(super) use follow::{Follow, MovedMirror, follow, publish, unchanged};
pub(super) use typed::{Described, describe, relative_to};

use super::link::{Consent, Proposal};
use super::{Commit, Outside};
use crate::git::entry_at;
use crate::registry::settings::{self, Settings};
use crate::registry::{Changed, NewSource, Origin, Registry, SourceFile, State};
use crate::source::{Access, Remark, Snapshot, observe};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName};
use serde::Serialize;

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
    /// The skills that followed it already, where it is enabled again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub followers: Vec<SkillId>,
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

/// A command that a person typed on this machine, word for word, may run on it.
fn trust_what_was_typed(outside: &Outside, options: &Options) -> Result<()> {
    options.command.iter().try_for_each(|command| outside.trust.record(command).map(drop))
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
    let is_repository = !matches!(new.origin, Origin::Directory(_));
    let folder = if is_repository && new.path.is_root() { folder_of_registry(&snapshot)? } else { None };
    new.path = folder.clone().unwrap_or(std::mem::take(&mut new.path));
    let by_name = by_name::as_directories(new, name, &snapshot, limits)?;
    Ok((folder, by_name))
}

/// Returns the folder of the skills, where a repository is a registry itself: what lies beside is not for others.
fn folder_of_registry(snapshot: &Snapshot) -> Result<Option<RelPath>> {
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
