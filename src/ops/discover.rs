//! `discover`: the skills that agents on this machine see, and who shadows whom. Reads; writes nothing.

mod doctor;
mod hosts;
mod shadows;

use super::Outside;
use crate::registry::{Registry, State, settings};
use crate::skill::spec::Severity;
use crate::skill::{Limits, frontmatter};
use crate::source::local::{self, LocalSkill};
use crate::source::roots::{Layer, Root, RootKind, roots};
use crate::source::{Found, Snapshot, is_skipped};
use crate::types::{ErrorKind, RelPath, Result, escape, one_line};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use walkdir::WalkDir;

/// How many files of a skill are counted.
const COUNTED: usize = 10_000;

/// What is on this machine.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skills, by key; of one key, the one that counts first.
    pub skills: Vec<Skill>,
    /// Why the registry at hand cannot be read; its skills are then not among these.
    pub registry_error: Option<String>,
    /// What the doctor found; none where nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
}

/// A skill in a root.
#[derive(Debug, Serialize)]
pub struct Skill {
    /// Its key.
    pub id: String,
    /// Where its root stands in the order.
    pub layer: Layer,
    /// Whose its root is.
    pub kind: RootKind,
    /// The agents that read its root.
    pub agents: Vec<&'static str>,
    /// The root.
    pub root: PathBuf,
    /// The directory.
    pub path: PathBuf,
    /// Where a link leads to; none where the directory is itself.
    pub links_to: Option<PathBuf>,
    /// How many files it has.
    pub files: usize,
    /// What it says it is for.
    pub description: Option<String>,
    /// The directories of the same key that an agent does not see because it finds this one first.
    pub shadows: Vec<PathBuf>,
    /// The directory of the same key that an agent finds first, of those that read both.
    pub shadowed_by: Option<PathBuf>,
    /// The agents that find another one first; the others that read its root see this one.
    pub shadowed_for: Vec<&'static str>,
    /// Why its `SKILL.md` cannot be read.
    pub error: Option<String>,
}

/// Something that a person may want to put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file or directory.
    pub path: PathBuf,
    /// The line, where there is one.
    pub line: Option<usize>,
    /// The rule's name.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
}

/// The roots of this machine with what is in them: what `discover` tells, and what `import` takes from.
pub(super) struct Seen {
    /// The roots, in order.
    roots: Vec<Held>,
    /// Why the registry at hand cannot be read.
    registry_error: Option<crate::types::Error>,
    /// What is wrong with sources whose programs answer for skills.
    wrong_sources: Vec<Finding>,
}

/// A root with what is in it.
struct Held {
    root: Root,
    listing: local::Listing,
    /// Of skills that a mirror holds: where each one of the listing stands there.
    mirror: Option<(Rc<Snapshot>, Vec<Found>)>,
    /// The paths there that skills of the registry follow.
    followed: BTreeSet<RelPath>,
}

/// A skill that was seen, in its root.
#[derive(Clone, Copy)]
pub(super) struct SeenSkill<'s> {
    /// The root.
    pub(super) root: &'s Root,
    /// The skill.
    pub(super) skill: &'s LocalSkill,
    /// Where it stands in a mirror; none where it is on the disk.
    pub(super) mirror: Option<(&'s Rc<Snapshot>, &'s Found)>,
    /// Whether a skill of the registry follows it there.
    pub(super) is_followed: bool,
}

impl SeenSkill<'_> {
    /// Reads the skill that was listed.
    fn load(&self, limits: &Limits) -> Result<(Rc<Snapshot>, Found)> {
        match self.mirror {
            Some((snapshot, found)) => Ok((snapshot.clone(), found.clone())),
            None => local::load(self.root, self.skill, None, limits).map(|(read, found)| (Rc::new(read), found)),
        }
    }
}

impl Seen {
    /// Lists all roots; `named` are those of the command line.
    pub fn on(outside: &Outside, named: &[PathBuf]) -> Self {
        let (registry, registry_error) = match registry_at_hand(outside) {
            Ok(registry) => (registry, None),
            Err(error) => (None, Some(error)),
        };
        let folder = registry.as_ref().and_then(|(registry, state)| folder_of(registry, state));
        let mut seen = Seen::of(roots(&outside.machine, &outside.directory, named, folder.as_deref()));
        if let Some((registry, state)) = &registry {
            let (held, wrong) = hosts::hosts(registry, state, &outside.trust);
            seen.roots.extend(held);
            seen.wrong_sources = wrong;
        }
        Seen { registry_error, ..seen }
    }

    /// Lists these roots.
    pub fn of(roots: Vec<Root>) -> Self {
        let list = |root: Root| {
            let listing = local::list(&root);
            Held { root, listing, mirror: None, followed: BTreeSet::new() }
        };
        Seen { roots: roots.into_iter().map(list).collect(), registry_error: None, wrong_sources: Vec::new() }
    }

    /// Returns every skill, in the order in which they count.
    pub fn skills(&self) -> impl Iterator<Item = SeenSkill<'_>> {
        self.roots.iter().flat_map(|Held { root, listing, mirror, followed }| {
            let each = listing.skills.iter().enumerate();
            each.map(move |(at, skill)| {
                let mirror = mirror.as_ref().map(|(snapshot, found)| (snapshot, &found[at]));
                let is_followed = mirror.is_some_and(|(_, found)| followed.contains(&found.path));
                SeenSkill { root, skill, mirror, is_followed }
            })
        })
    }

    /// Returns the skills by key; of one key, the one that counts first.
    fn by_key(&self) -> BTreeMap<&str, Vec<SeenSkill<'_>>> {
        let mut keys: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        self.skills().for_each(|seen| keys.entry(&seen.skill.key).or_default().push(seen));
        keys
    }
}

/// Lists the skills that agents see from the working directory; `named` are the folders of `--skill-dir`.
///
/// # Errors
/// [`ErrorKind::Usage`] where a folder of `--skill-dir` does not exist.
pub fn discover(outside: &Outside, named: &[PathBuf], doctor: bool) -> Result<Report> {
    for folder in named {
        let folder = outside.directory.join(folder);
        if !folder.is_dir() {
            let message = format!("--skill-dir {}: there is no such folder", folder.display());
            return Err(crate::types::Error::new(ErrorKind::Usage, message));
        }
    }
    let seen = Seen::on(outside, named);
    let skills = seen.by_key().into_values().flat_map(|same| described(&same)).collect();
    let findings = doctor.then(|| doctor::examined(&seen));
    let registry_error = seen.registry_error.as_ref().map(|error| escape(&error.full_message()));
    Ok(Report { format: 1, skills, registry_error, findings })
}

/// The registry at hand; none outside of any.
fn registry_at_hand(outside: &Outside) -> Result<Option<(Registry, State)>> {
    match outside.registry() {
        Ok(registry) => {
            let state = registry.state()?;
            Ok(Some((registry, state)))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NoRegistry | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folder of a registry's skills; a bare one has none.
fn folder_of(registry: &Registry, state: &State) -> Option<PathBuf> {
    let is_there = registry.directory.join(settings::FILE).is_file();
    is_there.then(|| registry.directory.join(state.settings.skills.as_str()))
}

fn described(same: &[SeenSkill<'_>]) -> Vec<Skill> {
    let shadows = shadows::shadows(same);
    let path = |at: usize| same[at].skill.directory.clone();
    let describe = |(at, seen): (usize, &SeenSkill<'_>)| {
        let SeenSkill { root, skill, .. } = *seen;
        let read = skill.skill_md.as_ref().ok().map(|bytes| frontmatter::read(bytes));
        let shadow = shadows[at].as_ref();
        let is_by_this = |other: &usize| shadows[*other].as_ref().is_some_and(|shadow| shadow.by == at);
        Skill {
            id: skill.key.clone(),
            layer: root.layer,
            kind: root.kind,
            agents: root.agent_ids(),
            root: root.path.clone(),
            path: skill.directory.clone(),
            links_to: is_link(seen).then(|| skill.real.clone()),
            files: count_files(seen),
            description: read.and_then(|read| read.description).map(|text| one_line(&text, 300)),
            shadows: (0..same.len()).filter(is_by_this).map(path).collect(),
            shadowed_by: shadow.map(|shadow| path(shadow.by)),
            shadowed_for: shadow.map_or(Vec::new(), |shadow| shadow.agents.clone()),
            error: skill.skill_md.as_ref().err().map(|error| escape(&error.full_message())),
        }
    };
    same.iter().enumerate().map(describe).collect()
}

/// A link somewhere between the root and the skill; one above the root is the machine's own affair.
fn is_link(SeenSkill { root, skill, mirror, .. }: &SeenSkill<'_>) -> bool {
    let below = skill.directory.strip_prefix(&root.path).unwrap_or(Path::new(""));
    mirror.is_none() && root.path.canonicalize().is_ok_and(|real| real.join(below) != skill.real)
}

fn count_files(seen: &SeenSkill<'_>) -> usize {
    if let Some((snapshot, found)) = seen.mirror {
        return super::diff::summarize(snapshot.store(), None, Some(found.tree)).map_or(0, |files| files.len());
    }
    let walk = WalkDir::new(&seen.skill.real).min_depth(1).follow_links(false).into_iter();
    let walk = walk.filter_entry(|entry| !is_skipped(entry.file_name())).flatten();
    walk.filter(|entry| !entry.file_type().is_dir()).take(COUNTED).count()
}
