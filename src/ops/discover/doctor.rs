//! What a person may want to put right: in skills, in roots, and between them.

use super::shadows::{Shadow, shadows};
use super::{COUNTED, Finding, Seen, SeenSkill};
use crate::git::Store;
use crate::skill::spec::{self, Severity};
use crate::skill::{Limits, SKILL_MD, TreeHasher};
use crate::source::local::LocalSkill;
use crate::source::roots::Root;
use crate::source::{flatten, is_skipped};
use crate::types::{TreeHash, escape};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How many names a sentence has.
const NAMES: usize = 3;

/// Returns what the doctor finds, by path.
pub fn examined(seen: &Seen) -> Vec<Finding> {
    let mut found = seen.wrong_sources.clone();
    for SeenSkill { root, skill, mirror, .. } in seen.skills() {
        let files = if mirror.is_none() { unusable_files(root, skill) } else { Vec::new() };
        found.extend(files.into_iter().map(|(path, rule, message)| warning(&path, rule, &message)));
        let file = skill.directory.join(SKILL_MD);
        match &skill.skill_md {
            Ok(bytes) => found.extend(spec::check_skill_md(bytes, name_of(skill)).into_iter().map(|finding| Finding {
                path: file.clone(),
                line: finding.line,
                rule: finding.rule,
                severity: finding.severity,
                message: escape(&finding.message),
            })),
            Err(error) => {
                let message = format!("{}; no other skill named `{}` is taken for it", error.full_message(), skill.key);
                found.push(Finding { severity: Severity::Error, ..warning(&file, "unreadable", &message) });
            }
        }
    }
    seen.by_key().values().for_each(|same| found.extend(copies(same)));
    let oddities = seen.roots.iter().flat_map(|held| &held.listing.oddities);
    found.extend(oddities.map(|oddity| warning(&oddity.path, oddity.rule, &oddity.message)));
    found.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    found.dedup();
    found
}

fn warning(path: &Path, rule: &'static str, message: &str) -> Finding {
    Finding { path: path.to_owned(), line: None, rule, severity: Severity::Warning, message: escape(message) }
}

/// The directory's name: the last part of its key, but for a root that is a skill itself.
fn name_of(skill: &LocalSkill) -> &str {
    skill.key.rsplit('/').next().unwrap_or_default()
}

/// Skills of one key: shadowed ones, and different ones that no agent sees side by side. Where the content is the same,
/// nobody can tell them apart, and there is nothing to put right.
fn copies(same: &[SeenSkill<'_>]) -> Vec<Finding> {
    if same.len() < 2 {
        return Vec::new();
    }
    let content: Vec<Option<TreeHash>> = same.iter().map(content).collect();
    let is_same = |a: usize, b: usize| content[a].is_some() && content[a] == content[b];
    let mut found = Vec::new();
    for (at, shadow) in shadows(same).into_iter().enumerate() {
        let SeenSkill { root, skill, .. } = same[at];
        match shadow {
            Some(Shadow { by, .. }) if is_same(at, by) => {}
            Some(shadow) => {
                let message = shadowed(&skill.key, &same[shadow.by].skill.directory, &shadow.agents, root);
                found.push(warning(&skill.directory, "shadowed", &message));
            }
            None if is_same(at, 0) || skill.real == same[0].skill.real => {}
            None => {
                let first = same[0].skill.directory.display();
                let message = format!("a `{}` with other content is in {first}; no agent reads both", skill.key);
                found.push(warning(&skill.directory, "copy", &message));
            }
        }
    }
    found
}

fn shadowed(key: &str, first: &Path, agents: &[&str], root: &Root) -> String {
    let first = first.display();
    if agents.is_empty() {
        return format!("`{key}` is found first in {first}, so this one is not seen");
    }
    let others: Vec<&str> = root.agent_ids().into_iter().filter(|agent| !agents.contains(agent)).collect();
    let but = if others.is_empty() { String::new() } else { format!("; still seen by {}", names(&others)) };
    format!("the `{key}` in {first} hides this one from {}{but}", names(agents))
}

fn names(agents: &[&str]) -> String {
    match agents.len().checked_sub(NAMES) {
        Some(more @ 1..) => format!("{} and {more} more", agents[..NAMES].join(", ")),
        _ => agents.join(", "),
    }
}

/// The tree hash of a skill as an import would take it; none where it would not.
fn content(seen: &SeenSkill<'_>) -> Option<TreeHash> {
    let limits = Limits::default();
    let (snapshot, found) = seen.load(&limits).ok()?;
    let store = Store::in_memory(false);
    let flat = flatten(&snapshot, &found, &limits).ok()?.ok()?;
    let (tree, _) = flat.copy_into(&snapshot, &store, &limits).ok()?.ok()?;
    TreeHasher::new(&store).hash(tree).ok()
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
