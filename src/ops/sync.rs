//! `sync`: takes the lock and runs the engine.

use super::Outside;
use crate::sync::{self, Report};
use crate::types::{Result, SourceName};

/// What `sync` is to do.
pub struct Options<'a> {
    /// The sources to look at; empty means all.
    pub sources: &'a [String],
    /// Write nothing at all.
    pub dry_run: bool,
    /// Contact nothing; use the cache.
    pub offline: bool,
    /// How many sources are asked at once.
    pub jobs: usize,
    /// Is told what is being waited for.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Syncs the registry.
pub fn sync(outside: &Outside, options: &Options<'_>) -> Result<Report> {
    let sources = options.sources.iter().map(|name| SourceName::parse(name)).collect::<Result<Vec<_>>>()?;
    let registry = outside.registry()?;
    // A lock is a file: a dry run takes none, and reads a state that is consistent because commits never change.
    let lock = if options.dry_run { None } else { Some(registry.lock(outside.lock_wait)?) };
    let registry = if lock.is_some() { outside.registry()? } else { registry };
    let options = sync::Options {
        sources: &sources,
        access: outside.access(options.offline, options.dry_run),
        jobs: options.jobs,
        today: outside.today,
        now: outside.now,
        progress: options.progress,
    };
    let mut report = sync::sync(&registry, &options)?;
    // Where there is a remote, versions are the remote's: a push tags them.
    if registry.remote.is_none() {
        let tagged = super::tag::tag_moved(outside, &registry, options.access.dry_run)?;
        (report.versions, report.untagged) = (tagged.versions, tagged.failed);
    }
    Ok(report)
}
