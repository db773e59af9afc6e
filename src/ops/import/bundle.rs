//! What is to be imported: skills found in the roots of this machine, in a folder or in an archive, each as part of a
//! snapshot like any upstream's.

use super::{Ask, Choice, Options};
use crate::ops::Outside;
use crate::ops::discover::{Seen, SeenSkill};
use crate::skill::{Limits, SKILL_MD, frontmatter};
use crate::source::local::{self, LocalSkill};
use crate::source::peers::{self, Place, Record, Records};
use crate::source::roots::{Layer, Root, RootKind, project_folders, roots_from, shown};
use crate::source::{FETCH_BYTES, Found, Snapshot, archive, observe_bundle};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How a file begins that `git bundle` wrote; the version follows.
const GIT_BUNDLE: &[u8; 3] = b"# v";

/// A skill that a person wants, before it is read.
pub struct Wanted {
    /// Its key.
    pub key: String,
    /// Where it comes from, as the entry says it.
    pub origin: Origin,
    /// What an installer recorded about it.
    pub record: Option<Result<Record>>,
    /// Other skills of the same key, which do not count.
    pub shadowed: Vec<String>,
    /// Whether a skill of the registry follows it: then it is here, and comes again only where a person names it.
    is_followed: bool,
    place: Stands,
}

/// Where a skill comes from: what may be committed, and nothing that names the machine.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The root's kind, `provider` or `universal`; or `folder`, `archive` or `bundle`, which a person named.
    pub kind: &'static str,
    /// The root's place in the order; none of what a person named.
    pub layer: Option<Layer>,
    /// The agent whose own root it is.
    pub provider: Option<&'static str>,
    /// The directory: relative to the project, below `~`, or within its root.
    pub path: String,
    /// The installer that put it there, where one said so.
    pub tool: Option<&'static str>,
    /// The repository that the installer recorded.
    pub source: Option<String>,
}

impl Origin {
    /// Returns the keys of the entry's `[origin]`, in their order.
    pub fn keys(&self) -> Vec<(&'static str, &str)> {
        let keys = [
            ("kind", Some(self.kind)),
            ("layer", self.layer.map(Layer::as_str)),
            ("provider", self.provider),
            ("path", Some(self.path.as_str())),
            ("tool", self.tool),
            ("source", self.source.as_deref()),
        ];
        keys.into_iter().filter_map(|(key, text)| Some((key, text?))).collect()
    }
}

enum Stands {
    /// With the folder that a person named: nothing outside of it is read.
    OnDisk(Root, LocalSkill, Option<PathBuf>),
    InArchive(Rc<Snapshot>, Found),
}

impl Wanted {
    /// Reads the skill.
    pub fn read(&self, limits: &Limits) -> Result<(Rc<Snapshot>, Found)> {
        match &self.place {
            Stands::OnDisk(root, skill, named) => {
                let (snapshot, found) = local::load(root, skill, named.as_deref(), limits)?;
                Ok((Rc::new(snapshot), found))
            }
            Stands::InArchive(snapshot, found) => Ok((snapshot.clone(), found.clone())),
        }
    }
}

/// Finds the skills that the person named, or those that are then chosen.
///
/// # Errors
/// [`ErrorKind::Usage`] where nobody says which; [`ErrorKind::NotFound`] for a key that no root has.
pub fn select(outside: &Outside, limits: &Limits, options: &Options, ask: &Ask<'_>) -> Result<Vec<Wanted>> {
    let mut all = match &options.from {
        Some(from) => from_path(outside, limits, &outside.directory.join(from))?,
        None => from_roots(outside),
    };
    let keys = if !options.keys.is_empty() { options.keys.clone() } else { choose(&all, options, ask)? };
    let mut wanted = Vec::new();
    for key in keys {
        let key = key.trim_end_matches('/');
        match all.remove(key) {
            Some(found) => wanted.push(found),
            // Named twice.
            None if wanted.iter().any(|found: &Wanted| found.key == key) => {}
            None => return Err(unknown(key, options)),
        }
    }
    Ok(wanted)
}

/// Of one skill in a folder that was named nobody need be asked; without a terminal, all of the folder are meant.
fn choose(all: &BTreeMap<String, Wanted>, options: &Options, ask: &Ask<'_>) -> Result<Vec<String>> {
    let keys = all.keys().cloned().collect();
    if options.from.is_some() && all.len() == 1 {
        return Ok(keys);
    }
    let choice = |wanted: &Wanted| Choice { key: wanted.key.clone(), path: wanted.origin.path.clone() };
    let choices: Vec<Choice> = all.values().filter(|wanted| !wanted.is_followed).map(choice).collect();
    let chosen = if choices.is_empty() { None } else { (ask.choose)(&choices)? };
    match chosen {
        Some(chosen) => Ok(chosen),
        None if options.from.is_some() => Ok(keys),
        None if choices.is_empty() => Err(Error::new(ErrorKind::Usage, "agents see no skill that is not here already")
            .hint("name a folder: --from DIR")),
        None => Err(Error::new(ErrorKind::Usage, "no skill is named, and nobody can be asked without a terminal")
            .hint("name skills that `skillgraft discover` lists, or a folder: --from DIR")),
    }
}

fn unknown(key: &str, options: &Options) -> Error {
    let place = if options.from.is_some() { "there" } else { "in any folder that agents read" };
    let error = Error::new(ErrorKind::NotFound, format!("no skill `{}` {place}", one_line(key, 120)));
    error.hint("see them all, and what is wrong with the others: skillgraft discover --doctor")
}

/// The first of each key counts: also where its `SKILL.md` cannot be read.
fn from_roots(outside: &Outside) -> BTreeMap<String, Wanted> {
    let seen = Seen::on(outside, &[]);
    let project = project_folders(&outside.directory);
    let of_project = records_of(&project);
    let of_user = peers::of_user(&outside.machine);
    let top = project.last().copied().unwrap_or(&outside.directory);
    let mut all = BTreeMap::new();
    // The registry's own are here already.
    for SeenSkill { root, skill, mirror, is_followed } in
        seen.skills().filter(|seen| seen.root.layer != Layer::Registry)
    {
        if let Some((snapshot, found)) = mirror {
            let (kind, layer) = (root.kind.as_str(), Some(root.layer));
            let path = skill.directory.display().to_string();
            let origin = Origin { kind, layer, provider: None, path, tool: None, source: None };
            let (key, place) = (skill.key.clone(), Stands::InArchive(snapshot.clone(), found.clone()));
            take_first(&mut all, Wanted { key, origin, record: None, shadowed: Vec::new(), is_followed, place });
            continue;
        }
        let records = if root.layer == Layer::User { &of_user } else { &of_project };
        let path = shown(&outside.machine, top, &skill.directory, &skill.key);
        take_first(&mut all, on_disk(root, skill, records, Some(root.layer), path));
    }
    all
}

fn from_path(outside: &Outside, limits: &Limits, path: &Path) -> Result<BTreeMap<String, Wanted>> {
    let path = &path.canonicalize().map_err(|error| {
        Error::new(ErrorKind::Usage, format!("--from {}: there is nothing", path.display())).because(error)
    })?;
    let all = match () {
        () if path.is_dir() => from_folder(outside, path),
        () if is_git_bundle(path) => {
            from_snapshot(path, "bundle", observe_bundle(&outside.access(false, false), path)?)?
        }
        () => from_snapshot(path, "archive", read_archive(path, limits)?)?,
    };
    if all.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("--from {}: there is no skill in it", path.display()))
            .hint(format!("a skill is a folder with a {SKILL_MD}")));
    }
    Ok(all)
}

fn from_folder(outside: &Outside, folder: &Path) -> BTreeMap<String, Wanted> {
    let seen = Seen::of(roots_from(folder));
    let project = project_folders(folder);
    let records = records_of(&project);
    let of_user = peers::of_user(&outside.machine);
    let is_users = outside.machine.home.as_ref().is_some_and(|home| folder.starts_with(home));
    let records = if records.is_empty() && is_users { of_user } else { records };
    let mut all = BTreeMap::new();
    for SeenSkill { root, skill, .. } in seen.skills() {
        // Of a folder that a person names only what is within it says something to others.
        let path = shown(&outside.machine, folder, &skill.directory, &skill.key);
        let path = if path == "." { skill.key.clone() } else { path };
        let wanted = Wanted {
            place: Stands::OnDisk(root.clone(), skill.clone(), Some(folder.to_owned())),
            ..on_disk(root, skill, &records, None, path)
        };
        take_first(&mut all, wanted);
    }
    all
}

fn on_disk(root: &Root, skill: &LocalSkill, records: &Records, layer: Option<Layer>, path: String) -> Wanted {
    let skill_md = skill.skill_md.as_deref().unwrap_or_default();
    let named = frontmatter::read(skill_md).name;
    let directory = skill.key.rsplit('/').next().unwrap_or_default();
    let listed = || named.and_then(|name| records.get(&name)).or_else(|| records.get(directory)).cloned();
    let record = peers::of_frontmatter(skill_md).or_else(listed);
    let known = record.as_ref().and_then(|record| record.as_ref().ok());
    let provider = root.agents.first().map(|reader| reader.id).filter(|_| root.kind == RootKind::Provider);
    let kind = if root.may_be_skill { "folder" } else { root.kind.as_str() };
    let source = known.and_then(|record| match &record.place {
        Place::Url(url) | Place::Index(url) => Some(url.clone()),
        Place::Folder(_) => None,
    });
    let origin = Origin { kind, layer, provider, path, tool: known.map(|record| record.tool), source };
    let place = Stands::OnDisk(root.clone(), skill.clone(), None);
    Wanted { key: skill.key.clone(), origin, record, shadowed: Vec::new(), is_followed: false, place }
}

/// Of one key the first counts, and the others are told; the same directory under another name is no other.
fn take_first(all: &mut BTreeMap<String, Wanted>, wanted: Wanted) {
    match all.get_mut(&wanted.key) {
        None => drop(all.insert(wanted.key.clone(), wanted)),
        Some(first) => match (&first.place, &wanted.place) {
            (Stands::OnDisk(_, one, _), Stands::OnDisk(_, other, _)) if one.real == other.real => {}
            _ => first.shadowed.push(wanted.origin.path),
        },
    }
}

fn records_of(folders: &[&Path]) -> Records {
    let mut all = Records::new();
    // The nearest one counts.
    for folder in folders {
        for (name, record) in peers::of_project(folder) {
            all.entry(name).or_insert(record);
        }
    }
    all
}

/// A file that begins as `git bundle` begins one (gitformat-bundle).
fn is_git_bundle(path: &Path) -> bool {
    let mut start = [0; GIT_BUNDLE.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *GIT_BUNDLE
}

fn from_snapshot(path: &Path, kind: &'static str, snapshot: Snapshot) -> Result<BTreeMap<String, Wanted>> {
    let snapshot = Rc::new(snapshot);
    let mut all = BTreeMap::new();
    for found in crate::source::discover(&snapshot, &[RelPath::root()])?.found {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let key = found.path.name().map_or(stem, str::to_owned);
        let path = found.path.to_string();
        let origin = Origin { kind, layer: None, provider: None, path, tool: None, source: None };
        let place = Stands::InArchive(snapshot.clone(), found);
        take_first(&mut all, Wanted { key, origin, record: None, shadowed: Vec::new(), is_followed: false, place });
    }
    Ok(all)
}

/// Reads an archive of this machine, without the folder that only wraps it.
fn read_archive(path: &Path, limits: &Limits) -> Result<Snapshot> {
    let failed = || format!("cannot read {}", path.display());
    let size = path.metadata().context(ErrorKind::Io, failed)?.len();
    if size > FETCH_BYTES {
        return Err(Error::new(ErrorKind::Limit, format!("{} has more than {FETCH_BYTES} bytes", path.display())));
    }
    let bytes = std::fs::read(path).context(ErrorKind::Io, failed)?;
    let unpacked = archive::unpack(&bytes, limits, archive::Top::Unwrap, &archive::Budget::default());
    let archive::Unpacked { store, files } =
        unpacked.context(ErrorKind::Rejected, || format!("--from {}", path.display()))?;
    Snapshot::of_files(store, &files)
}
