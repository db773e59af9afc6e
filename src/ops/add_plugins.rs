//! `add --plugin`: follows plugins of a marketplace, each as a source of its own, all of them in one commit.
//!
//! A plugin that cannot be reached, or has nothing to bring, fails alone: a marketplace lists what hundreds of people keep.

use super::Outside;
use super::add::{self, Described, MovedMirror, Options};
use crate::git::{Changes, Mode, Place, with_changes};
use crate::registry::{Changed, NewSource, Origin, Person, Registry, SourceFile, State};
use crate::source::marketplace::{Listed, Marketplace};
use crate::source::{Access, Found, Remark, Shop, discover, observe};
use crate::sync::report::ErrorReport;
use crate::sync::{Admission, JOBS, admit, in_parallel};
use crate::types::{Context as _, Error, ErrorKind, Result, SkillId, SourceName, inert};
use globset::{Glob, GlobSetBuilder};
use serde::Serialize;
use std::collections::BTreeSet;

/// How many names an error lists.
const SHOWN: usize = 12;

/// What became of the plugins.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The marketplace, as the source files write it.
    pub marketplace: String,
    /// What was committed; none where nothing was.
    #[serde(flatten)]
    pub changed: Option<Changed>,
    /// Whether the sources are enabled.
    pub enabled: bool,
    /// The plugins that are followed from now on.
    pub plugins: Vec<Added>,
    /// The plugins that were followed already.
    pub unchanged: Vec<Known>,
    /// The plugins that have nothing to follow.
    pub skipped: Vec<Skipped>,
    /// The plugins that failed.
    pub failed: Vec<Failed>,
}

/// A plugin that is followed from now on.
#[derive(Debug, Serialize)]
pub struct Added {
    /// Its name.
    pub plugin: String,
    /// Its version, where stated.
    pub version: Option<String>,
    /// The name of its source.
    pub source: SourceName,
    /// The skills that came in.
    pub skills: Vec<SkillId>,
    /// Skills that were not taken.
    pub rejected: Vec<Remark>,
    /// What is odd about skills that were taken.
    pub warnings: Vec<Remark>,
}

/// A plugin that was followed already.
#[derive(Debug, Serialize)]
pub struct Known {
    /// Its name.
    pub plugin: String,
    /// The name of its source.
    pub source: SourceName,
}

/// A plugin that has nothing to follow: commands or hooks only, or no skill that the selection fits.
#[derive(Debug, Serialize)]
pub struct Skipped {
    /// Its name.
    pub plugin: String,
    /// Why, for scripts.
    pub reason: Nothing,
    /// Why, for people.
    pub message: &'static str,
}

/// Why a plugin has nothing to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nothing {
    /// It has no skills.
    NoSkills,
    /// It has skills, and none is selected.
    NoneSelected,
    /// The marketplace lists another plugin of its name before it.
    NamedTwice,
}

impl Nothing {
    fn message(self) -> &'static str {
        match self {
            Nothing::NoSkills => "it has no skills",
            Nothing::NoneSelected => "none of its skills is selected",
            Nothing::NamedTwice => "the marketplace lists two plugins of this name, and the first one counts",
        }
    }
}

/// A plugin that failed.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// Its name.
    pub plugin: String,
    /// Why.
    pub error: ErrorReport,
    /// Skills of it that were not taken.
    pub rejected: Vec<Remark>,
}

impl Report {
    /// Tells whether a plugin failed, none is followed, or a skill was left out because its name belongs to another.
    pub fn failed(&self) -> bool {
        let owned = |remark: &Remark| remark.reason == "ownership";
        let none = self.plugins.is_empty() && self.unchanged.is_empty();
        none || !self.failed.is_empty() || self.plugins.iter().any(|added| added.rejected.iter().any(owned))
    }
}

/// A source that is to be made.
struct New {
    plugin: String,
    file: SourceFile,
    text: String,
}

/// Adds a source for each plugin whose name matches.
///
/// # Errors
/// Where the marketplace cannot be read, or no plugin matches; nothing is written. What fails in a plugin is part of
/// the report.
pub fn add(outside: &Outside, options: &Options, globs: &[String]) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let mut state = registry.state()?;
    let described = add::describe(outside, &registry, options)?;
    let marketplace = marketplace_of(&described)?;
    let access = outside.access(false, false);
    let limits = state.settings.limits;
    let shop = Shop {
        access: &access,
        written: &marketplace,
        reference: described.new.reference.as_deref(),
        insecure: options.insecure,
        registry: &registry.directory,
        limits: &limits,
    };
    let listing = shop.listing()?;
    let (chosen, twins) = choose(&listing, globs)?;
    if options.name.is_some() && chosen.len() > 1 {
        return Err(Error::new(ErrorKind::Usage, format!("--name is for one plugin, and {} match", chosen.len()))
            .hint("leave --name out: each source gets its plugin's name"));
    }
    let enabled = options.enable;
    let (plugins, unchanged, failed) = Default::default();
    let skip = |plugin: String, reason: Nothing| Skipped { plugin, reason, message: reason.message() };
    let skipped = twins.into_iter().map(|twin| skip(twin.stated.name.clone(), Nothing::NamedTwice)).collect();
    let mut report = Report {
        format: 1,
        marketplace: marketplace.clone(),
        changed: None,
        enabled,
        plugins,
        unchanged,
        skipped,
        failed,
    };
    let mut new = Vec::new();
    for listed in chosen {
        let plugin = listed.stated.name.clone();
        if let Some(source) = followed(&state, &marketplace, &plugin, &described.new) {
            report.unchanged.push(Known { plugin, source });
            continue;
        }
        match name(&state, &new, listed, &listing, &described, options) {
            Ok(name) => new.push(describe(name, plugin, &marketplace, &described.new)?),
            Err(error) => report.failed.push(failure(plugin, &error, Vec::new())),
        }
    }
    let mut mirrors = Vec::new();
    let seen = if enabled { look(&access, &registry, &state, &new) } else { new.iter().map(|_| Ok(None)).collect() };
    for (new, seen) in new.into_iter().zip(seen) {
        access.git.check_cancelled()?;
        let admitted = match (seen, enabled) {
            (Err(error), _) => Err(error),
            (Ok(Some(reason)), _) => {
                report.skipped.push(skip(new.plugin, reason));
                continue;
            }
            (Ok(None), true) => admit(&registry, &state, &new.file, &access).map(Some),
            (Ok(None), false) => Ok(None),
        };
        match admitted {
            Ok(Some(admission)) if admission.skills.is_empty() => {
                let error = Error::new(ErrorKind::Rejected, "none of its skills can come in")
                    .hint("where others have their names, give the ids a namespace: --namespace plugin");
                report.failed.push(failure(new.plugin, &error, admission.rejected));
            }
            Ok(admission) => {
                let added = take_in(&registry, &mut state, &mut mirrors, &new, admission)?;
                report.plugins.push(added);
            }
            Err(error) => report.failed.push(failure(new.plugin, &error, Vec::new())),
        }
    }
    report.failed.sort_by(|a, b| a.plugin.cmp(&b.plugin));
    if !report.plugins.is_empty() {
        report.changed = Some(commit(outside, &registry, options, &state, &mirrors, &report)?);
    }
    Ok(report)
}

fn marketplace_of(described: &Described) -> Result<String> {
    if !described.new.path.is_root() {
        return Err(Error::new(ErrorKind::Usage, "a plugin has no --path: its marketplace says where it is")
            .hint("leave the folder out"));
    }
    match &described.new.origin {
        Origin::Git(place) | Origin::Directory(place) => Ok(place.clone()),
        Origin::Bundle(_) => Err(Error::new(ErrorKind::Usage, "a bundle cannot be a marketplace")
            .hint("clone it, and name the clone: git clone FILE.bundle DIR")),
        other => Err(Error::new(ErrorKind::Usage, format!("a source of kind {} is no marketplace", other.kind()))
            .hint("name the repository that has the marketplace's file")),
    }
}

/// Returns the plugins that are meant, and those that have the name of an earlier one.
fn choose<'l>(listing: &'l Marketplace, globs: &[String]) -> Result<(Vec<&'l Listed>, Vec<&'l Listed>)> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob).context(ErrorKind::Usage, || "--plugin is not a glob")?);
    }
    let set = set.build().context(ErrorKind::Usage, || "the globs are too large")?;
    let mut seen = BTreeSet::new();
    let fits = |listed: &&Listed| set.is_match(&listed.stated.name);
    let (chosen, twins): (Vec<_>, Vec<_>) =
        listing.plugins.iter().filter(fits).partition(|listed| seen.insert(listed.stated.name.clone()));
    if chosen.is_empty() {
        let names: Vec<_> = listing.plugins.iter().take(SHOWN).map(|listed| listed.stated.name.as_str()).collect();
        let more = if listing.plugins.len() > SHOWN { ", ..." } else { "" };
        return Err(Error::new(ErrorKind::NotFound, "no plugin of the marketplace matches")
            .hint(format!("it lists {}{more}", names.join(", "))));
    }
    Ok((chosen, twins))
}

/// The source that follows this very plugin, where there is one.
fn followed(state: &State, marketplace: &str, plugin: &str, new: &NewSource) -> Option<SourceName> {
    let origin = Origin::Plugin { marketplace: marketplace.to_owned(), plugin: plugin.to_owned() };
    let is_it = |file: &SourceFile| file.origin == origin && file.reference == new.reference;
    let mut sources = state.sources.iter();
    sources.find(|(_, source)| source.file.as_ref().is_ok_and(is_it)).map(|(name, _)| name.clone())
}

/// The plugin's name, or with the marketplace's before it where that is taken.
fn name(
    state: &State,
    new: &[New],
    listed: &Listed,
    listing: &Marketplace,
    described: &Described,
    options: &Options,
) -> Result<SourceName> {
    let plugin = &listed.stated.name;
    let market = listing.name.as_deref().unwrap_or(described.name.as_str());
    let names = match &options.name {
        Some(name) => vec![Some(SourceName::parse(name)?)],
        None => vec![SourceName::made_valid(plugin), SourceName::made_valid(&format!("{market}-{plugin}"))],
    };
    let is_free =
        |name: &SourceName| !state.sources.contains_key(name) && !new.iter().any(|new| new.file.name == *name);
    names.into_iter().flatten().find(is_free).ok_or_else(|| {
        Error::new(ErrorKind::Ownership, format!("every name for the source of `{plugin}` is taken"))
            .hint("name this plugin alone, and choose a name: --plugin PLUGIN --name NAME")
    })
}

fn describe(name: SourceName, plugin: String, marketplace: &str, like: &NewSource) -> Result<New> {
    let origin = Origin::Plugin { marketplace: marketplace.to_owned(), plugin: plugin.clone() };
    let text = NewSource { origin, ..like.clone() }.render();
    Ok(New { plugin, file: SourceFile::parse(name, &text)?, text })
}

/// Fetches what all of them need, many at once; what is then read again is here. Returns why one has nothing to follow.
fn look(access: &Access<'_>, registry: &Registry, state: &State, new: &[New]) -> Vec<Result<Option<Nothing>>> {
    access.memo.expect(new.iter().map(|new| &new.file));
    let limits = &state.settings.limits;
    in_parallel(new, JOBS, |New { file, .. }| {
        let snapshot = observe(access, file, &registry.directory, limits)?;
        let there = discover(&snapshot, snapshot.folders(&file.selection.path))?;
        let is_selected = |found: &Found| file.selection.selects(&found.path, &file.name);
        Ok(match () {
            () if !there.unusable.is_empty() || there.found.iter().any(is_selected) => None,
            () if there.found.is_empty() => Some(Nothing::NoSkills),
            () => Some(Nothing::NoneSelected),
        })
    })
}

fn failure(plugin: String, error: &Error, rejected: Vec<Remark>) -> Failed {
    Failed { plugin, error: ErrorReport::from(error), rejected }
}

fn take_in(
    registry: &Registry,
    state: &mut State,
    mirrors: &mut Vec<MovedMirror>,
    new: &New,
    admission: Option<Admission>,
) -> Result<Added> {
    let store = &registry.repository.store;
    let source = new.file.name.clone();
    let text = Place { mode: Mode::File, id: store.write_blob(new.text.as_bytes())? };
    let mut brought = Changes::from([(state.layout.source(&source), Some(text))]);
    let plugin = new.plugin.clone();
    let mut added =
        Added { plugin, version: None, source, skills: Vec::new(), rejected: Vec::new(), warnings: Vec::new() };
    if let Some(admission) = admission {
        mirrors.push((new.file.name.clone(), admission.local_mirror, admission.mirror));
        for (id, what) in admission.skills {
            brought.extend(what);
            added.skills.push(id);
        }
        added.version = admission.plugins.iter().next().and_then(|plugin| plugin.version.clone());
        (added.rejected, added.warnings) = (admission.rejected, admission.warnings);
    }
    let tree = with_changes(store, state.tree, &brought)?;
    state.take_in(store, tree, added.skills.iter())?;
    Ok(added)
}

fn commit(
    outside: &Outside,
    registry: &Registry,
    options: &Options,
    state: &State,
    mirrors: &[MovedMirror],
    report: &Report,
) -> Result<Changed> {
    let verb = if report.enabled { "Follow" } else { "Register" };
    let what = match report.plugins.as_slice() {
        [one] => format!("plugin {}", inert(&one.plugin)),
        many => format!("{} plugins", many.len()),
    };
    let mut message = format!("{verb} {what} of {}\n\n", inert(&report.marketplace));
    for added in &report.plugins {
        let version = added.version.as_deref().map_or(String::new(), |version| format!(" {}", inert(version)));
        message.push_str(&format!("{}{version} as {}\n", inert(&added.plugin), added.source));
        added.skills.iter().for_each(|id| message.push_str(&format!("  {id}\n")));
    }
    let person = Person::ask(&outside.git, &registry.repository)?;
    let change = options.commit.change(registry, outside, "add");
    let new = change.build(&person, state.tree, vec![registry.head], &options.commit.message(&message))?;
    add::publish(outside, registry, mirrors, || change.publish(&person, new))
}
