//! `discover`: the skills that agents on this machine see, and who shadows whom. Reads; writes nothing.

use super::Outside;
use crate::registry::settings;
use crate::skill::spec::{self, Severity};
use crate::skill::{SKILL_MD, frontmatter};
use crate::source::is_skipped;
use crate::source::local::{self, LocalSkill};
use crate::source::roots::{Layer, Root, RootKind, roots};
use crate::types::{ErrorKind, Result, escape, one_line};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
    /// The directories of the same key that come later, and count for nothing.
    pub shadows: Vec<PathBuf>,
    /// The directory of the same key that comes first.
    pub shadowed_by: Option<PathBuf>,
    /// Why its `SKILL.md` cannot be read.
    pub error: Option<String>,
}

/// Something that a person may want to put right.
#[derive(Debug, PartialEq, Eq, Serialize)]
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
    /// Each root with its skills, in order.
    pub roots: Vec<(Root, local::Listing)>,
    /// Why the registry at hand cannot be read.
    registry_error: Option<crate::types::Error>,
}

impl Seen {
    /// Lists all roots; `named` are those of the command line.
    pub fn on(outside: &Outside, named: &[PathBuf]) -> Self {
        let (registry, registry_error) = match registry_folder(outside) {
            Ok(folder) => (folder, None),
            Err(error) => (None, Some(error)),
        };
        let all = roots(&outside.machine, &outside.directory, named, registry.as_deref());
        Seen { registry_error, ..Seen::of(all) }
    }

    /// Lists these roots.
    pub fn of(roots: Vec<Root>) -> Self {
        let list = |root: Root| {
            let listing = local::list(&root);
            (root, listing)
        };
        Seen { roots: roots.into_iter().map(list).collect(), registry_error: None }
    }

    /// Returns every skill with its root, in the order in which they count.
    pub fn skills(&self) -> impl Iterator<Item = (&Root, &LocalSkill)> {
        self.roots.iter().flat_map(|(root, listing)| listing.skills.iter().map(move |skill| (root, skill)))
    }

    /// Returns the skills by key; of one key, the one that counts first.
    pub fn by_key(&self) -> BTreeMap<&str, Vec<(&Root, &LocalSkill)>> {
        let mut keys: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        self.skills().for_each(|(root, skill)| keys.entry(&skill.key).or_default().push((root, skill)));
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
    let findings = doctor.then(|| examined(&seen));
    let registry_error = seen.registry_error.as_ref().map(|error| escape(&error.full_message()));
    Ok(Report { format: 1, skills, registry_error, findings })
}

/// The folder of the skills of the registry at hand; none outside of any, and in a bare one.
fn registry_folder(outside: &Outside) -> Result<Option<PathBuf>> {
    let registry = match outside.registry() {
        Ok(registry) => registry,
        Err(error) if matches!(error.kind(), ErrorKind::NoRegistry | ErrorKind::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    if !registry.directory.join(settings::FILE).is_file() {
        return Ok(None);
    }
    Ok(Some(registry.directory.join(registry.state()?.settings.skills.as_str())))
}

fn described(same: &[(&Root, &LocalSkill)]) -> Vec<Skill> {
    let first = same[0].1;
    let describe = |(at, (root, skill)): (usize, &(&Root, &LocalSkill))| {
        let read = skill.skill_md.as_ref().ok().map(|bytes| frontmatter::read(bytes));
        let later = same[at + 1..].iter().map(|(_, skill)| skill.directory.clone());
        Skill {
            id: skill.key.clone(),
            layer: root.layer,
            kind: root.kind,
            agents: root.agents.clone(),
            root: root.path.clone(),
            path: skill.directory.clone(),
            links_to: is_link(root, skill).then(|| skill.real.clone()),
            files: count_files(&skill.real),
            description: read.and_then(|read| read.description).map(|text| one_line(&text, 300)),
            shadows: if at == 0 { later.collect() } else { Vec::new() },
            shadowed_by: (at > 0).then(|| first.directory.clone()),
            error: skill.skill_md.as_ref().err().map(|error| escape(&error.full_message())),
        }
    };
    same.iter().enumerate().map(describe).collect()
}

/// A link somewhere between the root and the skill; one above the root is the machine's own affair.
fn is_link(root: &Root, skill: &LocalSkill) -> bool {
    let below = skill.directory.strip_prefix(&root.path).unwrap_or(Path::new(""));
    root.path.canonicalize().is_ok_and(|real| real.join(below) != skill.real)
}

fn count_files(directory: &Path) -> usize {
    let walk = WalkDir::new(directory).min_depth(1).follow_links(false).into_iter();
    let walk = walk.filter_entry(|entry| !is_skipped(entry.file_name())).flatten();
    walk.filter(|entry| !entry.file_type().is_dir()).take(COUNTED).count()
}

/// Files of a skill that no agent can read, and links that `import` would refuse.
fn unusable_files(root: &Root, skill: &LocalSkill) -> Vec<(PathBuf, &'static str, String)> {
    let within = root.path.canonicalize().unwrap_or_default();
    let within = if skill.real.starts_with(&within) { &within } else { &skill.real };
    let walk = WalkDir::new(&skill.directory).follow_root_links(true).min_depth(1).into_iter();
    let look = |entry: walkdir::Result<walkdir::DirEntry>| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(&skill.directory).to_owned();
                return Some((path, "unreadable", "it cannot be read".to_owned()));
            }
        };
        let path = entry.path().to_owned();
        if path.parent() == Some(&skill.directory) && entry.file_name() == SKILL_MD {
            return None;
        }
        if entry.file_type().is_symlink() {
            return match path.canonicalize() {
                Err(_) => Some((path, "dangling_link", "the link leads nowhere".into())),
                Ok(target) if !target.starts_with(within) => Some((
                    path,
                    "symlink_escapes",
                    "the link leads out of its root, so import refuses the skill".into(),
                )),
                Ok(_) => None,
            };
        }
        let unreadable = entry.file_type().is_file() && std::fs::File::open(&path).is_err();
        unreadable.then(|| (path, "unreadable", "it cannot be read".into()))
    };
    walk.filter_entry(|entry| !is_skipped(entry.file_name())).take(COUNTED).filter_map(look).collect()
}

fn examined(seen: &Seen) -> Vec<Finding> {
    let mut found = Vec::new();
    let warning = |path: &Path, rule, message: String| Finding {
        path: path.to_owned(),
        line: None,
        rule,
        severity: Severity::Warning,
        message: escape(&message),
    };
    for (root, skill) in seen.skills() {
        found
            .extend(unusable_files(root, skill).into_iter().map(|(path, rule, message)| warning(&path, rule, message)));
        let file = skill.directory.join(SKILL_MD);
        match &skill.skill_md {
            Ok(bytes) => {
                let name = skill.directory.file_name().unwrap_or_default().to_string_lossy();
                found.extend(spec::check_skill_md(bytes, &name).into_iter().map(|finding| Finding {
                    path: file.clone(),
                    line: finding.line,
                    rule: finding.rule,
                    severity: finding.severity,
                    message: escape(&finding.message),
                }));
            }
            Err(error) => found.push(Finding {
                severity: Severity::Error,
                ..warning(
                    &file,
                    "unreadable",
                    format!("{}; no other skill named `{}` is taken for it", error.full_message(), skill.key),
                )
            }),
        }
    }
    for (key, same) in seen.by_key() {
        let first = same[0].1;
        // The same directory under another name is what installers make on purpose.
        for (_, later) in same[1..].iter().filter(|(_, later)| later.real != first.real) {
            let message = format!("`{key}` is found first in {}, so this one is not seen", first.directory.display());
            found.push(warning(&later.directory, "shadowed", message));
        }
    }
    let oddities = seen.roots.iter().flat_map(|(_, listing)| &listing.oddities);
    found.extend(oddities.map(|oddity| warning(&oddity.path, oddity.rule, oddity.message.clone())));
    found.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    found.dedup();
    found
}
