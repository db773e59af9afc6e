//! `source rename`: a source gets another name, and what is its own moves along.

use super::open::{apply, close, open_candidates};
use super::{Done, Report, blob, find};
use crate::git::{Changes, Mode, Place, RefChange, RefName, tree_at, with_changes};
use crate::ops::{Commit, Outside};
use crate::registry::{Destination, Registry, entry, source_file};
use crate::types::{Error, ErrorKind, Result, SourceName};

/// Gives a source another name: its file, its entries, its licence files and its mirror move along.
pub fn rename(outside: &Outside, old: &str, new: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let (old, source) = find(&state, old)?;
    let new = SourceName::parse(new)?;
    if state.sources.contains_key(&new) {
        return Err(Error::new(ErrorKind::Ownership, format!("there is a source `{new}` already")));
    }
    let open = open_candidates(outside, &registry, &state, &old)?;
    source.file.as_ref().map_err(Clone::clone)?;
    let text = source_file::edit::with_former_name(&source.text, &old)?;
    let mut changes = Changes::from([
        (state.layout.source(&old), None),
        (state.layout.source(&new), Some(blob(store.write_blob(text.as_bytes())?))),
    ]);
    let mut skills = Vec::new();
    for (id, skill, _) in state.followers(&old) {
        let standing = skill.entry.as_ref().expect("a follower has an entry");
        let text = entry::with_source(&standing.text, &new)?;
        changes.insert(state.layout.entry(id), Some(blob(store.write_blob(text.as_bytes())?)));
        skills.push(id.clone());
    }
    if let Some(licenses) = tree_at(store, state.tree, &state.layout.licenses(&old))? {
        changes.insert(state.layout.licenses(&old), None);
        changes.insert(state.layout.licenses(&new), Some(Place { mode: Mode::Tree, id: licenses }));
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let changed =
        commit.commit(&registry, outside, "source-rename", tree, &format!("Rename source {old} to {new}\n"))?;
    if commit.destination == Destination::DefaultBranch {
        let (from, to) = (registry.names.mirror(&old)?, registry.names.mirror(&new)?);
        let head = registry.repository.refs.get(from.as_str())?;
        let mut moves = close(open);
        moves.extend(withdrawn_offers(&registry, &old, &new, &moves)?);
        if let Some(head) = head.filter(|_| matches!(registry.repository.refs.get(to.as_str()), Ok(None))) {
            moves.push(RefChange { name: to, expected: None, new: Some(head) });
            moves.push(RefChange { name: from, expected: Some(head), new: None });
        }
        apply(outside, &registry, &moves, "skillgraft: source rename")?;
    }
    Ok(Report { format: 1, source: new, changed: Some(changed), done: Done::Renamed { from: old }, skills })
}

/// The moves of what remembers that a branch was deleted by hand: those updates stay away under the new name, too.
fn withdrawn_offers(
    registry: &Registry,
    old: &SourceName,
    new: &SourceName,
    closed: &[RefChange],
) -> Result<Vec<RefChange>> {
    let refs = &registry.repository.refs;
    let (from, to) = (registry.names.offers(old), registry.names.offers(new));
    let mut moves = Vec::new();
    for (name, offered) in refs.list(&from)? {
        if closed.iter().any(|change| change.name.as_str() == name) {
            continue;
        }
        let renamed = RefName::parse(name.replacen(&from, &to, 1))?;
        moves.push(RefChange { expected: refs.get(renamed.as_str())?, name: renamed, new: Some(offered) });
        moves.push(RefChange { name: RefName::parse(name)?, expected: Some(offered), new: None });
    }
    Ok(moves)
}
