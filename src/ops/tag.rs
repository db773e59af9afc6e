//! `tag`: tags the versions that have none yet.

use super::{Outside, identity};
use crate::git::{RefChange, RefName};
use crate::registry::{Registry, State};
use crate::sync::report::{ErrorReport, VersionReport};
use crate::sync::versions::{NewVersion, Versions};
use crate::sync::{Delivery, Fate};
use crate::types::{Result, SkillId};
use serde::Serialize;
use std::collections::BTreeMap;

/// What `tag` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The versions, in the order of the commits that brought them.
    pub versions: Vec<VersionReport>,
    /// Versions whose tag could not be made.
    pub failed: Vec<ErrorReport>,
    /// Whether the default branch has commits that its remote is not known to have: those are not tagged yet.
    pub unpublished: bool,
}

/// Tags every version that has no tag. Where there is a remote, only commits that it has.
pub fn tag(outside: &Outside) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    tag_missing(outside, &registry, &state)
}

/// Tags what the default branch brought since the last time; a dry run only says what it would tag.
pub(super) fn tag_moved(outside: &Outside, registry: &Registry, dry_run: bool) -> Result<Report> {
    let refs = &registry.repository.refs;
    let tagged = refs.get(&registry.tagged())?;
    if tagged == Some(registry.head) {
        return Ok(Report { format: 1, versions: Vec::new(), failed: Vec::new(), unpublished: false });
    }
    let state = registry.state()?;
    if dry_run {
        let missing = Versions::load(registry, &state)?;
        let missing = missing.missing(&registry.repository.store, &state, registry.head)?;
        let versions = missing.into_iter().map(|version| version.report).collect();
        return Ok(Report { format: 1, versions, failed: Vec::new(), unpublished: false });
    }
    let report = tag_missing(outside, registry, &state)?;
    if report.failed.is_empty() {
        let change = RefChange { name: RefName::parse(registry.tagged())?, expected: tagged, new: Some(registry.head) };
        refs.apply(&[change], "skillgraft: tag", &identity(outside))?;
    }
    Ok(report)
}

/// What tagging on the remote came to.
pub(super) struct OnRemote {
    /// What was tagged, and what could not be.
    pub(super) report: Report,
    /// Somebody else tags there; it is to be looked at again.
    pub(super) moved: bool,
}

/// Tags on the remote what its default branch brought since the last time.
pub(super) fn tag_remote(
    outside: &Outside,
    registry: &Registry,
    delivery: &Delivery<'_>,
    dry_run: bool,
) -> Result<OnRemote> {
    let mut report = Report { format: 1, versions: Vec::new(), failed: Vec::new(), unpublished: false };
    let refs = &registry.repository.refs;
    let tagged = refs.get(&registry.tagged())?;
    if tagged == Some(registry.head) {
        return Ok(OnRemote { report, moved: false });
    }
    let state = registry.state()?;
    let store = &registry.repository.store;
    let mut of_skill: BTreeMap<SkillId, Vec<NewVersion>> = BTreeMap::new();
    for version in Versions::load(registry, &state)?.missing(store, &state, registry.head)? {
        of_skill.entry(version.skill.clone()).or_default().push(version);
    }
    if dry_run {
        report.versions = of_skill.into_values().flatten().map(|version| version.report).collect();
        return Ok(OnRemote { report, moved: false });
    }
    store.flush()?;
    // Of one skill all or none: where a tag is in the way, the later versions wait too.
    let changes = |versions: &Vec<NewVersion>| versions.iter().map(|v| v.change.clone()).collect::<Vec<_>>();
    let units: Vec<Vec<RefChange>> = of_skill.values().map(changes).collect();
    let fates = delivery.deliver(&units.iter().map(Vec::as_slice).collect::<Vec<_>>(), false)?;
    let mut moved = false;
    for (versions, fate) in of_skill.into_values().zip(fates) {
        match fate {
            Fate::Done => {
                report.versions.extend(versions.into_iter().map(|version| version.report));
            }
            Fate::Moved => moved = true,
            Fate::Refused(error) => report.failed.push(ErrorReport::from(&error)),
        }
    }
    if report.failed.is_empty() && !moved {
        let change = RefChange { name: RefName::parse(registry.tagged())?, expected: tagged, new: Some(registry.head) };
        refs.apply(&[change], "skillgraft: tag", &identity(outside))?;
    }
    Ok(OnRemote { report, moved })
}

fn tag_missing(outside: &Outside, registry: &Registry, state: &State) -> Result<Report> {
    let repository = &registry.repository;
    let mut report = Report { format: 1, versions: Vec::new(), failed: Vec::new(), unpublished: false };
    let published = published(registry)?;
    report.unpublished = published != Some(registry.head);
    let Some(head) = published else { return Ok(report) };
    let missing = Versions::load(registry, state)?.missing(&repository.store, state, head)?;
    repository.store.flush()?;
    let all: Vec<_> = missing.iter().map(|version| version.change.clone()).collect();
    if repository.refs.apply(&all, "skillgraft: tag", &identity(outside)).is_ok() {
        report.versions = missing.into_iter().map(|version| version.report).collect();
        return Ok(report);
    }
    // A tag or branch in the way fails for that skill alone, and for its later versions.
    let mut blocked = Vec::new();
    for NewVersion { skill, change, report: version } in missing {
        if blocked.contains(&skill) {
            continue;
        }
        match repository.refs.apply(&[change], "skillgraft: tag", &identity(outside)) {
            Ok(()) => report.versions.push(version),
            Err(error) => {
                report.failed.push(ErrorReport::from(&error));
                blocked.push(skill);
            }
        }
    }
    Ok(report)
}

/// The newest commit of the default branch that may be tagged: the remote's, where there is one, because a tag on a
/// commit that is not published yet would name something that may never be.
fn published(registry: &Registry) -> Result<Option<crate::git::Oid>> {
    match registry.remote {
        Some(_) => registry.elsewhere(registry.branch.as_str()),
        None => Ok(Some(registry.head)),
    }
}
