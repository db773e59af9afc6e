//! The last layer: skills of programs. They have no folder; the mirrors of the registry's sources with `command` hold what
//! the programs answered last. No program is run for it.

use super::{Finding, Held};
use crate::git::Repository;
use crate::registry::{Origin, Registry, State};
use crate::skill::SKILL_MD;
use crate::skill::spec::Severity;
use crate::source::local::{Listing, LocalSkill};
use crate::source::roots::Root;
use crate::source::{Found, Snapshot, Trust, discover};
use crate::sync::standing_mirror;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName, escape};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// Returns what the mirrors hold, and what is wrong with the sources.
pub fn hosts(registry: &Registry, state: &State, trust: &Trust) -> (Vec<Held>, Vec<Finding>) {
    let (mut held, mut wrong) = (Vec::new(), Vec::new());
    for (name, source) in &state.sources {
        let Ok(file) = &source.file else { continue };
        let Origin::Command(command) = &file.origin else { continue };
        if !file.enabled {
            continue;
        }
        let finding = |rule, severity, message: String| Finding {
            path: registry.directory.join(format!("sources/{name}.toml")),
            line: None,
            rule,
            severity,
            message: escape(&message),
        };
        if let Err(error) = trust.require(command, name) {
            let hint = error.hint_text().map_or(String::new(), |hint| format!("; {hint}"));
            wrong.push(finding("untrusted", Severity::Warning, format!("{}{hint}", error.full_message())));
        }
        match of_mirror(registry, state, name) {
            Ok(Some(mirror)) => held.push(mirror),
            Ok(None) => {
                let message = format!("it was never synced, so nobody knows its skills: skillgraft sync {name}");
                wrong.push(finding("never_synced", Severity::Warning, message));
            }
            Err(error) => wrong.push(finding("unreadable", Severity::Error, error.full_message())),
        }
    }
    (held, wrong)
}

fn of_mirror(registry: &Registry, state: &State, name: &SourceName) -> Result<Option<Held>> {
    let Some(mirror) = standing_mirror(registry, name)? else { return Ok(None) };
    // Its own handle, as long-lived as what is listed.
    let repository = Arc::new(Repository::open(registry.repository.git_dir())?);
    let snapshot = Rc::new(Snapshot::of_tree(repository, mirror.tree));
    let branch = registry.names.mirror(name)?.short().to_owned();
    let found = discover(&snapshot, &[RelPath::root()])?.found;
    let listed = |found: &Found| {
        let directory = PathBuf::from(format!("{branch}:{}", found.path));
        let key = found.path.to_string();
        LocalSkill { key, real: directory.clone(), directory, skill_md: skill_md(&snapshot, found) }
    };
    let listing = Listing { skills: found.iter().map(listed).collect(), oddities: Vec::new() };
    let followed =
        state.followers(name).filter_map(|(_, _, entry)| Some(entry.upstream.as_ref()?.path.clone())).collect();
    Ok(Some(Held { root: Root::of_host(&branch), listing, mirror: Some((snapshot.clone(), found)), followed }))
}

fn skill_md(snapshot: &Snapshot, found: &Found) -> Result<Vec<u8>> {
    let missing = || Error::new(ErrorKind::NotFound, format!("`{}` has no {SKILL_MD}", found.path));
    let tree = snapshot.store().tree(found.tree)?;
    let entry = tree.get(SKILL_MD.as_bytes()).filter(|entry| entry.mode.is_file()).ok_or_else(missing)?;
    snapshot
        .store()
        .blob(entry.id)
        .context(ErrorKind::Git, || format!("cannot read the {SKILL_MD} of `{}`", found.path))
}
