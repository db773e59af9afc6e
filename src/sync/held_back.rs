//! What sync does not propose, and why, from the mirrors as they stand. No network, nothing moves.

use super::classify::Class;
use super::report::SkillReport;
use super::run::Run;
use super::{Options, moved, standing_mirror};
use crate::registry::{Registry, State};
use crate::types::{Result, SkillId};

/// Returns the skills whose update is held, that are paused or not selected, or whose base can be found nowhere, as a sync
/// reports them; of `only` one, where it is given. A source that is disabled, paused or not readable is passed by, as sync does.
pub fn held_back(
    registry: &Registry,
    state: &State,
    options: &Options<'_>,
    only: Option<&SkillId>,
) -> Result<Vec<SkillReport>> {
    let run = Run::new(registry, state, options)?;
    let mut found = Vec::new();
    for source in state.sources.values().filter_map(|source| source.file.as_ref().ok()) {
        let mut asked = state.followers(&source.name).filter(|(id, ..)| only.is_none_or(|only| only == *id)).peekable();
        if !source.enabled || source.paused_on(options.today) || asked.peek().is_none() {
            continue;
        }
        let Some(mirror) = standing_mirror(registry, &source.name)? else { continue };
        let moved = moved::find(&registry.repository.store, &run.hasher, state, source, &mirror)?;
        run.with_planner(source, &mirror, &moved, |planner| {
            found.extend(asked.map(|(id, skill, entry)| planner.followed(id, skill, entry).report));
        });
    }
    let is_held = |skill: &SkillReport| {
        let kept = matches!(skill.class, Some(Class::Paused | Class::Unselected));
        kept || skill.hold.is_some() || skill.error.is_some()
    };
    found.retain(is_held);
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}
