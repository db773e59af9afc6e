//! `tag`: tags the versions that have none yet.

use super::Outside;
use crate::git::{RefChange, RefName};
use crate::registry::{IDENTITY, Registry, State};
use crate::sync::report::{ErrorReport, VersionReport};
use crate::sync::versions::{NewVersion, Versions};
use crate::types::Result;
use serde::Serialize;

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

/// The head up to which this clone has tagged; only there to know without a walk that nothing is to be done.
const TAGGED: &str = "refs/skillgraft/tagged";

/// Tags what the default branch brought since the last time; a dry run only says what it would tag.
pub(super) fn tag_moved(outside: &Outside, registry: &Registry, dry_run: bool) -> Result<Report> {
    let refs = &registry.repository.refs;
    let tagged = refs.get(TAGGED)?;
    if tagged == Some(registry.head) {
        return Ok(Report { format: 1, versions: Vec::new(), failed: Vec::new(), unpublished: false });
    }
    let state = registry.state()?;
    if dry_run {
        let missing = Versions::load(&registry.repository, &state)?;
        let missing = missing.missing(&registry.repository.store, &state, registry.head)?;
        let versions = missing.into_iter().map(|version| version.report).collect();
        return Ok(Report { format: 1, versions, failed: Vec::new(), unpublished: false });
    }
    let report = tag_missing(outside, registry, &state)?;
    if report.failed.is_empty() {
        let change = RefChange { name: RefName::parse(TAGGED)?, expected: tagged, new: Some(registry.head) };
        refs.apply(&[change], "skillgraft: tag", &format!("{IDENTITY} {} +0000", outside.now))?;
    }
    Ok(report)
}

fn tag_missing(outside: &Outside, registry: &Registry, state: &State) -> Result<Report> {
    let repository = &registry.repository;
    let mut report = Report { format: 1, versions: Vec::new(), failed: Vec::new(), unpublished: false };
    let published = published(registry)?;
    report.unpublished = published != Some(registry.head);
    let Some(head) = published else { return Ok(report) };
    let missing = Versions::load(repository, state)?.missing(&repository.store, state, head)?;
    repository.store.flush()?;
    let identity = format!("{IDENTITY} {} +0000", outside.now);
    let all: Vec<_> = missing.iter().map(|version| version.change.clone()).collect();
    if repository.refs.apply(&all, "skillgraft: tag", &identity).is_ok() {
        report.versions = missing.into_iter().map(|version| version.report).collect();
        return Ok(report);
    }
    // A tag or branch in the way fails for that skill alone, and for its later versions.
    let mut blocked = Vec::new();
    for NewVersion { skill, change, report: version } in missing {
        if blocked.contains(&skill) {
            continue;
        }
        match repository.refs.apply(&[change], "skillgraft: tag", &identity) {
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
    match registry.remote_tracking(registry.branch.as_str()) {
        Some(tracking) => registry.repository.refs.get(&tracking),
        None => Ok(Some(registry.head)),
    }
}
