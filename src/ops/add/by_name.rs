//! The skills that a person names. A source file selects by upstream's directory names; people also say a skill by the `name`
//! of its frontmatter, as other installers do, and that becomes its directory here.

use crate::git::Oid;
use crate::registry::NewSource;
use crate::skill::{Limits, SKILL_MD, frontmatter};
use crate::source::{Found, Remark, Snapshot, discover};
use crate::types::{Error, ErrorKind, Result, SourceName, one_line};
use std::collections::{BTreeMap, BTreeSet};

/// How many skills an error names.
const SHOWN: usize = 12;

/// Puts the directory's name in the place of each name that only a frontmatter has, and tells of it.
///
/// # Errors
/// [`ErrorKind::NotFound`] for a name that no skill has, or several in directories of different names.
pub(super) fn as_directories(
    new: &mut NewSource,
    source: &SourceName,
    snapshot: &Snapshot,
    limits: &Limits,
) -> Result<Vec<Remark>> {
    let there = discover(snapshot, snapshot.folders(&new.path))?;
    let directory = |found: &Found| found.path.name().unwrap_or(source.as_str()).to_owned();
    let directories: BTreeSet<String> = there.found.iter().map(directory).collect();
    let is_known = |word: &str| {
        let is_unusable = |path: &str| path.rsplit('/').next() == Some(word);
        // With a slash or a special character it is a glob on paths or names.
        word.contains(['*', '?', '[', ']', '{', '}', '!', '\\', '/'])
            || directories.contains(word)
            || there.unusable.iter().any(|(path, _)| is_unusable(path))
    };
    if new.skills.iter().all(|word| is_known(word)) {
        return Ok(Vec::new());
    }
    let names = names(snapshot, &there.found, limits)?;
    let mut said = Vec::new();
    for word in new.skills.iter_mut().filter(|word| !is_known(word)) {
        let is_named = |found: &&Found| names.get(&found.tree).is_some_and(|name| name.eq_ignore_ascii_case(word));
        let named: Vec<&Found> = there.found.iter().filter(is_named).collect();
        // Copies for several agents stand in directories of one name.
        let meant: BTreeSet<String> = named.iter().copied().map(directory).collect();
        let (Some(found), 1) = (named.first(), meant.len()) else {
            return Err(no_such_skill(word, &named, &there.found, &names));
        };
        let name = directory(found);
        let message = format!(
            "`{}` is the name of the skill in the directory `{name}`, so `skills` selects that directory",
            one_line(word, 80)
        );
        said.push(Remark::new(&found.path, "by_name", message));
        *word = globset::escape(&name);
    }
    new.skills.dedup();
    Ok(said)
}

/// The frontmatter's `name` of each skill that has one, by the skill's tree; all are fetched in one request.
fn names(snapshot: &Snapshot, found: &[Found], limits: &Limits) -> Result<BTreeMap<Oid, String>> {
    let store = snapshot.store();
    let mut files = Vec::new();
    for skill in found {
        let file =
            store.tree(skill.tree)?.get(SKILL_MD.as_bytes()).filter(|entry| entry.mode.is_file()).map(|file| file.id);
        files.extend(file.map(|file| (skill.tree, file)));
    }
    snapshot.need(files.iter().map(|(_, file)| *file))?;
    let mut names = BTreeMap::new();
    for (tree, file) in files {
        if matches!(store.header(file)?, Some((_, size)) if size <= limits.file_bytes) {
            names.extend(frontmatter::read(&store.blob(file)?).name.map(|name| (tree, name)));
        }
    }
    Ok(names)
}

fn no_such_skill(word: &str, named: &[&Found], found: &[Found], names: &BTreeMap<Oid, String>) -> Error {
    let shown = |found: &Found| {
        let path = found.path.name().unwrap_or(".");
        match names.get(&found.tree).filter(|name| *name != path) {
            Some(name) => format!("{} ({})", one_line(path, 80), one_line(name, 80)),
            None => one_line(path, 80),
        }
    };
    let word = one_line(word, 80);
    if !named.is_empty() {
        let paths: Vec<_> = named.iter().map(|found| one_line(found.path.as_str(), 120)).collect();
        return Error::new(ErrorKind::NotFound, format!("several skills are named `{word}`: {}", paths.join(", ")))
            .hint("say which by its path: --skill PATH");
    }
    let all: BTreeSet<String> = found.iter().map(shown).collect();
    let more = if all.len() > SHOWN { ", ..." } else { "" };
    let all: Vec<_> = all.into_iter().take(SHOWN).collect();
    let error = Error::new(ErrorKind::NotFound, format!("the source has no skill `{word}`"));
    error.hint(format!("it has {}{more}", if all.is_empty() { "none".to_owned() } else { all.join(", ") }))
}
