//! How often in a row a source has failed: kept in a ref, so that a runner with a fresh clone knows it too.
//!
//! `refs/skillgraft/failed/<source>` names a blob that says how often, and what was wrong. From the third time on nothing
//! is written any more; the first run that goes well removes it.

use super::publish::{Moves, Of};
use super::report::{Outcome, SourceReport};
use crate::git::{Oid, RefChange};
use crate::registry::Registry;
use crate::types::{Context as _, ErrorKind, Result, SourceName};
use serde::{Deserialize, Serialize};

/// From how many runs in a row on `status` says that a source fails. Not counted further.
pub const RUNS: u32 = 3;

/// What is known of a source that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    format: u32,
    /// How many runs in a row, at most [`RUNS`].
    pub runs: u32,
    /// What kind of thing was wrong the first time. No words: they may name this machine, and the ref is pushed.
    pub kind: String,
}

/// Returns what is known of a source's failures: here, or as far as this clone knows on its remote.
pub fn failure(registry: &Registry, source: &SourceName) -> Result<Option<Failure>> {
    let name = registry.names.failed(source)?;
    let here = registry.here(name.as_str())?;
    let id = here.map_or_else(|| registry.pushed_elsewhere(name.as_str()), |id| Ok(Some(id)))?;
    id.map(|id| read(registry, id)).transpose()
}

fn read(registry: &Registry, id: Oid) -> Result<Failure> {
    let bytes = registry.repository.store.blob(id)?;
    toml::from_str(&String::from_utf8_lossy(&bytes)).context(ErrorKind::Config, || format!("cannot read blob {id}"))
}

/// Returns what has to move so that the refs say which sources failed now, and how often.
pub(super) fn count_failures(registry: &Registry, reports: &[SourceReport]) -> Result<Vec<Moves>> {
    let mut moves = Vec::new();
    for (source, report) in reports.iter().enumerate() {
        let name = registry.names.failed(&report.name)?;
        let before = registry.here(name.as_str())?;
        let new = match (report.outcome, before) {
            (Outcome::Failed, before) => Some(failed_again(registry, before, report)?),
            (Outcome::Synced | Outcome::Unchanged | Outcome::Removed, _) => None,
            (Outcome::Paused | Outcome::Disabled | Outcome::Missing, before) => before,
        };
        if new != before {
            let changes = vec![RefChange { name, expected: before, new }];
            moves.push(Moves { source, of: Of::Memory, changes });
        }
    }
    Ok(moves)
}

fn failed_again(registry: &Registry, before: Option<Oid>, report: &SourceReport) -> Result<Oid> {
    let kind = report.error.as_ref().map(|error| serde_json::to_value(error.kind));
    let kind = kind.and_then(Result::ok).and_then(|kind| Some(kind.as_str()?.to_owned())).unwrap_or_default();
    // One that cannot be read is counted anew.
    let failure = match before.and_then(|id| Some((id, read(registry, id).ok()?))) {
        Some((id, failure)) if failure.runs >= RUNS => return Ok(id),
        Some((_, failure)) => Failure { runs: failure.runs + 1, ..failure },
        None => Failure { format: 1, runs: 1, kind },
    };
    let text = toml::to_string(&failure).context(ErrorKind::Git, || "cannot write down a failure")?;
    registry.repository.store.write_blob(text.as_bytes())
}
