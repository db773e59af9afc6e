//! `disable` and `enable`: takes skills off the default branch, where no consumer can load them, and brings them back.

use super::enable::bring_back;
use super::{Commit, Outside, decline};
use crate::git::{Changes, Mode, Place, with_changes};
use crate::registry::{Changed, Destination, Registry, SkillState, State, entry};
use crate::sync::{Branches, Reviewer};
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
    /// Those of which an update that was merged while they were disabled conflicts with their content, so that it was
    /// left out.
    pub left_out: Vec<SkillId>,
    /// The commit; none where nothing changed.
    #[serde(flatten)]
    pub changed: Option<Changed>,
}

/// Takes skills off the default branch, and closes their candidates unless people have edited them. Entry and versions
/// stay.
pub fn disable(outside: &Outside, ids: &[String], reason: &str, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let (mut changes, mut skills, mut unchanged) = (Changes::new(), Vec::new(), Vec::new());
    for id in ids {
        let id = SkillId::parse(id)?;
        let skill = standing(&state, &id)?;
        if skill.is_disabled() && skill.tree.is_none() {
            unchanged.push(id);
            continue;
        }
        let text = entry::with_status(skill.entry.as_ref().map(|e| e.text.as_str()), "disabled")?;
        let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
        changes.insert(state.layout.entry(&id), Some(place));
        changes.insert(state.layout.skill(&id), None);
        skills.push(id);
    }
    let mut report = Report { format: 1, skills, unchanged, enabled: false, left_out: Vec::new(), changed: None };
    if !report.skills.is_empty() {
        let message = format!("Disable {}\n\n{}\n", listed(&report.skills), reason.trim());
        let tree = with_changes(store, state.tree, &changes)?;
        report.changed = Some(commit.commit(&registry, outside, "disable", tree, message.trim_end())?);
        if commit.destination == Destination::DefaultBranch {
            // The skill is off the branch whatever becomes of its candidate; the next sync closes it.
            let _ = close_candidates(outside, &registry, &state, &report.skills);
        }
    }
    Ok(report)
}

/// Brings skills back with the content that they had last.
pub fn enable(outside: &Outside, ids: &[String], commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let (skills, unchanged, left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut report = Report { format: 1, skills, unchanged, enabled: true, left_out, changed: None };
    let mut changes = Changes::new();
    for id in ids {
        let id = SkillId::parse(id)?;
        if !standing(&state, &id)?.is_disabled() {
            report.unchanged.push(id);
            continue;
        }
        let back = bring_back(&registry, &state, &id)?;
        let entry = Place { mode: Mode::File, id: store.write_blob(back.entry.as_bytes())? };
        changes.insert(state.layout.entry(&id), Some(entry));
        changes.insert(state.layout.skill(&id), Some(Place { mode: Mode::Tree, id: back.tree }));
        report.left_out.extend(back.left_out.then(|| id.clone()));
        report.skills.push(id);
    }
    if !report.skills.is_empty() {
        let message = format!("Enable {}", listed(&report.skills));
        let tree = with_changes(store, state.tree, &changes)?;
        report.changed = Some(commit.commit(&registry, outside, "enable", tree, &message)?);
    }
    Ok(report)
}

fn standing<'s>(state: &'s State, id: &SkillId) -> Result<&'s SkillState> {
    let skill = state.skills.get(id).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no skill `{id}`")).hint("see them all: skillgraft list")
    })?;
    skill.unreadable().map_or(Ok(skill), |wrong| Err(wrong.clone()))
}

fn listed(skills: &[SkillId]) -> String {
    skills.iter().map(SkillId::as_str).collect::<Vec<_>>().join(", ")
}

fn close_candidates(outside: &Outside, registry: &Registry, before: &State, skills: &[SkillId]) -> Result<()> {
    let branches = Branches::load(registry)?;
    let reviewer = Reviewer::new(registry, before, &branches, outside.today)?;
    for id in skills {
        let upstream = before.skills.get(id).and_then(|skill| skill.entry()?.upstream.as_ref());
        let Some(source) = upstream.map(|upstream| &upstream.source) else { continue };
        let Ok(review) = reviewer.review(source, id) else { continue };
        if !review.edited {
            decline::close(outside, registry, &branches, &review, "skillgraft: disable")?;
        }
    }
    Ok(())
}
