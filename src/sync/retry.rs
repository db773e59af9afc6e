//! `candidate retry`: proposes a held update again, from the mirror as it stands. No network.

use super::report::SkillReport;
use super::run::Run;
use super::{Options, moved, offers, standing_mirror};
use crate::git::RefChange;
use crate::registry::{Registry, State, excludes_without, identity_at};
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName, shell_word};

/// Proposes the update of `id`, held or not. Writes only the branch and the ref that names it as offered.
pub fn retry(registry: &Registry, options: &Options<'_>, id: &SkillId) -> Result<SkillReport> {
    let state = registry.state()?;
    let store = &registry.repository.store;
    let run = Run::new(registry, &state, options)?;
    let followed = state.skills.get(id).and_then(|skill| Some((skill, skill.entry()?)));
    let upstream = followed.and_then(|(_, entry)| entry.upstream.as_ref());
    let (report, changes): (SkillReport, Vec<RefChange>) = match (followed, upstream) {
        (Some(existing), Some(upstream)) => {
            let source = run.readable_source(&upstream.source)?;
            let mirror = standing_mirror(registry, &source.name)?.ok_or_else(|| never_synced(&source.name))?;
            let moved = moved::find(store, &run.hasher, &state, source, &mirror)?;
            let path = moved.place(id).unwrap_or(&upstream.path);
            run.with_planner(source, &mirror, &moved, |planner| planner.asked_for(id, path, Some(existing)))?
        }
        _ => {
            // A new skill follows no source yet: the one whose mirror offers this id.
            let mut found = None;
            for name in state.sources.keys() {
                let source = run.readable_source(name)?;
                let Some(mirror) = standing_mirror(registry, name)? else { continue };
                let moved = moved::find(store, &run.hasher, &state, source, &mirror)?;
                let new = offers::new_skills(store, &state, source, &mirror, &moved)?;
                if let Some(path) = new.offered.get(id) {
                    let asked = run.with_planner(source, &mirror, &moved, |planner| planner.asked_for(id, path, None));
                    found = Some(asked?);
                    break;
                }
            }
            match found {
                Some(found) => found,
                None => return Err(nothing_offers(registry, &state, id)?),
            }
        }
    };
    store.flush()?;
    registry.repository.refs.apply(&changes, "skillgraft: retry", &identity_at(options.now))?;
    Ok(report)
}

/// Returns the error for a skill that no source offers. One that was declined when it was new is excluded in its source.
fn nothing_offers(registry: &Registry, state: &State, id: &SkillId) -> Result<Error> {
    let store = &registry.repository.store;
    for (name, source) in &state.sources {
        let Ok(file) = &source.file else { continue };
        let Some(mirror) = standing_mirror(registry, name)? else { continue };
        for (path, tree) in mirror.skills.iter().filter(|(path, _)| file.selection.excludes(path, name)) {
            if offers::id_of(store, file, &mirror, path, *tree)?.ok().as_ref() == Some(id) {
                let left = excludes_without(file, &source.text, path)?;
                let error =
                    Error::new(ErrorKind::Usage, format!("`exclude` of source `{name}` leaves `{id}` out ({path})"));
                return Ok(error.hint(format!(
                    "take it in again: skillgraft source set {name} {}, then: skillgraft sync {name}",
                    shell_word(&format!("exclude={left}"))
                )));
            }
        }
    }
    Ok(Error::new(ErrorKind::NotFound, format!("no source offers a skill `{id}`"))
        .hint("see what sources hold back: skillgraft sync --offline --verbose"))
}

fn never_synced(source: &SourceName) -> Error {
    Error::new(ErrorKind::NotFound, format!("source `{source}` was never synced here"))
        .hint(format!("run: skillgraft sync {source}"))
}
