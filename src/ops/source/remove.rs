//! `source remove`: a source goes, and its skills stay as the team's own or go with it.

use super::open::{apply, close, open_candidates};
use super::{Done, Report, blob, find};
use crate::git::{Changes, with_changes};
use crate::ops::adopt::{self, Adopted};
use crate::ops::{Commit, Outside};
use crate::registry::Destination;
use crate::types::Result;

/// What becomes of the skills of a source that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They stay, as the team's own.
    Adopt,
    /// They go.
    Delete,
}

/// Removes a source; its skills become the team's own, or go. The mirror stays: merge bases live there.
pub fn remove(outside: &Outside, name: &str, fate: Fate, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let (name, _) = find(&state, name)?;
    let open = open_candidates(outside, &registry, &state, &name)?;
    let mut changes = Changes::from([(state.layout.source(&name), None)]);
    let mut skills = Vec::new();
    for (id, skill, _) in state.followers(&name) {
        match fate {
            Fate::Adopt => {
                let Adopted { text, .. } = adopt::adopted(id, skill)?;
                changes.insert(state.layout.entry(id), Some(blob(store.write_blob(text.as_bytes())?)));
            }
            Fate::Delete => {
                changes.insert(state.layout.skill(id), None);
                changes.insert(state.layout.entry(id), None);
            }
        }
        skills.push(id.clone());
    }
    if fate == Fate::Delete {
        changes.insert(state.layout.licenses(&name), None);
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let what = if fate == Fate::Adopt { "its skills are our own from now on" } else { "its skills with it" };
    let changed =
        commit.commit(&registry, outside, "source-remove", tree, &format!("Remove source {name}\n\n{what}\n"))?;
    if commit.destination == Destination::DefaultBranch {
        apply(outside, &registry, &close(open), "skillgraft: source remove")?;
    }
    let done = if fate == Fate::Adopt { Done::RemovedAndAdopted } else { Done::RemovedAndDeleted };
    Ok(Report { format: 1, source: name, changed: Some(changed), done, skills })
}
