//! `sync`: takes the lock and runs the engine, on this clone or on its remote.

use super::Outside;
use crate::git::{OwnRemote, Where};
use crate::registry::Registry;
use crate::source::DEADLINE;
use crate::sync::report::PushReport;
use crate::sync::{self, Delivery, Report};
use crate::types::{Error, ErrorKind, Result, SourceName};
use std::time::Duration;

/// How often a push is decided anew where the remote moves meanwhile.
const TRIES: u32 = 8;
/// What lies between two tries; each one waits longer.
const PAUSE: Duration = Duration::from_millis(50);

/// What `sync` is to do.
pub struct Options<'a> {
    /// The sources to look at; empty means all.
    pub sources: &'a [String],
    /// Write nothing at all.
    pub dry_run: bool,
    /// Contact nothing; use the cache.
    pub offline: bool,
    /// Work on the remote's refs, and push: the remote's name, or empty for the one that this clone follows.
    pub push: Option<&'a str>,
    /// What the remote's hooks are told of each candidate that is pushed.
    pub push_options: &'a [String],
    /// How many sources are asked at once.
    pub jobs: usize,
    /// Is told what is being waited for.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Syncs the registry.
pub fn sync(outside: &Outside, options: &Options<'_>) -> Result<Report> {
    let sources = options.sources.iter().map(|name| SourceName::parse(name)).collect::<Result<Vec<_>>>()?;
    let registry = outside.registry()?;
    if options.push.is_some() && options.offline {
        return Err(Error::new(ErrorKind::Usage, "--push asks the remote, so it cannot be --offline"));
    }
    // A lock is a file: a dry run takes none, and reads a state that is consistent because commits never change.
    let lock = if options.dry_run { None } else { Some(registry.lock(outside.lock_wait)?) };
    let uncommitted = registry.uncommitted()?;
    if let Some(remote) = options.push {
        return Ok(Report { uncommitted, ..push(outside, options, registry, remote, sources)? });
    }
    let registry = if lock.is_some() { outside.registry()? } else { registry };
    if registry.repository.is_shallow() {
        return Err(Error::new(
            ErrorKind::Git,
            "this clone is shallow, and what was merged or taken back is in its history",
        )
        .hint("fetch the rest first: git fetch --unshallow"));
    }
    let engine = engine(outside, options, &sources);
    let mut report = Report { uncommitted, ..sync::sync(&registry, &engine)? };
    // Where there is a remote, versions are the remote's: a push tags them.
    if registry.remote.is_none() {
        let tagged = super::tag::tag_moved(outside, &registry, options.dry_run)?;
        (report.versions, report.untagged) = (tagged.versions, tagged.failed);
    }
    Ok(report)
}

fn engine<'a>(outside: &'a Outside, options: &Options<'a>, sources: &'a [SourceName]) -> sync::Options<'a> {
    sync::Options {
        sources,
        access: outside.access(options.offline, options.dry_run),
        jobs: options.jobs,
        today: outside.today,
        now: outside.now,
        progress: options.progress,
    }
}

/// Fetches, decides and pushes, again and again as long as somebody else moves what is to be moved.
fn push(
    outside: &Outside,
    options: &Options<'_>,
    registry: Registry,
    remote: &str,
    mut sources: Vec<SourceName>,
) -> Result<Report> {
    let name = match (remote, &registry.remote) {
        ("", Some(followed)) => followed.clone(),
        ("", None) => return Err(no_remote()),
        (named, _) => named.to_owned(),
    };
    let (work_dir, git_dir) = (registry.repository.work_dir(), registry.repository.git_dir());
    let at = work_dir.map_or(Where::GitDir(git_dir), Where::WorkTree);
    let remote = OwnRemote { git: &outside.git, at, name: &name, deadline: DEADLINE };
    let (mut whole, mut settled, mut refs): (Option<Report>, bool, usize) = (None, false, 0);
    for attempt in 1..=TRIES {
        (options.progress)(&format!("asking {name}"));
        let registry = outside.registry()?.on_remote(&remote)?;
        let delivery = Delivery::new(&registry, remote, attempt == TRIES, super::identity(outside))
            .with_options(options.push_options);
        if !settled {
            let (report, again) = sync::push(&registry, &engine(outside, options, &sources), &delivery)?;
            whole = Some(join(whole.take(), report));
            settled = again.is_empty();
            sources = again.into_iter().collect();
        }
        let report = whole.as_mut().expect("the first attempt decides");
        if settled {
            let tagged = super::tag::tag_remote(outside, &registry, &delivery, options.dry_run)?;
            report.versions.extend(tagged.report.versions);
            report.untagged = tagged.report.failed;
            settled = !tagged.moved;
        }
        refs += delivery.delivered();
        report.pushed = Some(PushReport { remote: name.clone(), refs, fetch: fetch(&registry, &name) });
        if settled {
            break;
        }
        settled = sources.is_empty();
        std::thread::sleep(PAUSE * attempt);
    }
    Ok(whole.expect("there is a first attempt"))
}

/// Returns the command that brings what was pushed into this clone. A bare one fetches nothing by itself.
fn fetch(registry: &Registry, remote: &str) -> String {
    match registry.repository.work_dir() {
        Some(_) => "git fetch".into(),
        None => format!("git fetch {remote} {}", registry.names.refspecs()),
    }
}

/// Puts the sources that were decided anew in the place of what was decided before.
fn join(before: Option<Report>, mut now: Report) -> Report {
    let Some(mut before) = before else { return now };
    for source in now.sources.drain(..) {
        match before.sources.iter_mut().find(|there| there.name == source.name) {
            Some(there) => *there = source,
            None => before.sources.push(source),
        }
    }
    before.candidates = sync::count(&before.sources);
    (before.branch, before.head) = (now.branch, now.head);
    before
}

fn no_remote() -> Error {
    Error::new(ErrorKind::Usage, "there is nowhere to push to: this clone has no remote that it follows")
        .hint("add one: git remote add origin <url>, or name one: skillgraft sync --push REMOTE")
}
