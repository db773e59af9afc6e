//! `disable` and `enable`: takes skills off the default branch, where no consumer can load them, and brings them back.

use super::{Commit, Outside};
use crate::git::{Changes, Mode, Oid, Place, first_parents, tree_at, with_changes};
use crate::registry::{Changed, Registry, State, Status, entry};
use crate::types::{Error, ErrorKind, Result, SkillId};
use serde::Serialize;

/// What `disable` or `enable` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skills that changed.
    pub skills: Vec<SkillId>,
    /// The skills that were so already.
    pub unchanged: Vec<SkillId>,
    /// Whether they are enabled now.
    pub enabled: bool,
    /// The commit; none where nothing changed.
    #[serde(flatten)]
    pub changed: Option<Changed>,
}

/// Takes skills off the default branch. Entry and versions stay.
pub fn disable(outside: &Outside, ids: &[String], reason: &str, commit: &Commit) -> Result<Report> {
    change(outside, ids, commit, "disable", |_, _, _| Ok(None), reason)
}

/// Brings skills back with the content that they had last.
pub fn enable(outside: &Outside, ids: &[String], commit: &Commit) -> Result<Report> {
    change(outside, ids, commit, "enable", |registry, state, id| last_content(registry, state, id).map(Some), "")
}

fn change(
    outside: &Outside,
    ids: &[String],
    commit: &Commit,
    command: &str,
    content: impl Fn(&Registry, &State, &SkillId) -> Result<Option<Oid>>,
    reason: &str,
) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let enabling = command == "enable";
    let (mut changes, mut skills, mut unchanged) = (Changes::new(), Vec::new(), Vec::new());
    for id in ids {
        let id = SkillId::parse(id)?;
        let skill = state.skills.get(&id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no skill `{id}`")).hint("see them all: skillgraft list")
        })?;
        if let Some(Err(wrong)) = skill.entry.as_ref().map(|standing| &standing.entry) {
            return Err(wrong.clone());
        }
        let is_disabled = skill.entry().is_some_and(|entry| entry.status == Status::Disabled);
        if is_disabled != enabling {
            unchanged.push(id);
            continue;
        }
        let text = entry::with_status(
            skill.entry.as_ref().map(|e| e.text.as_str()),
            if enabling { "active" } else { "disabled" },
        )?;
        changes
            .insert(state.layout.entry(&id), Some(Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? }));
        let tree = content(&registry, &state, &id)?;
        changes.insert(state.layout.skill(&id), tree.map(|id| Place { mode: Mode::Tree, id }));
        skills.push(id);
    }
    let mut report = Report { format: 1, skills, unchanged, enabled: enabling, changed: None };
    if !report.skills.is_empty() {
        let list: Vec<_> = report.skills.iter().map(SkillId::as_str).collect();
        let verb = if enabling { "Enable" } else { "Disable" };
        let message = format!("{verb} {}\n\n{}\n", list.join(", "), reason.trim());
        let tree = with_changes(store, state.tree, &changes)?;
        report.changed = Some(commit.commit(&registry, outside, command, tree, message.trim_end())?);
    }
    Ok(report)
}

fn last_content(registry: &Registry, state: &State, id: &SkillId) -> Result<Oid> {
    let store = &registry.repository.store;
    for commit in first_parents(store, registry.head) {
        if let Some(tree) = tree_at(store, store.commit(commit?)?.tree, &state.layout.skill(id))? {
            return Ok(tree);
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("no commit of {} has content of `{id}`", registry.branch.short())))
}
