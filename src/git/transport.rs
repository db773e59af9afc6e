//! Asks remote repositories what they have, and brings single snapshots into a bare cache repository.
//!
//! A remote's URL is given to each call and never stored: the cache knows one remote without a URL, preset as a promisor
//! so that `fetch --filter` finds nothing to write to its configuration. A fetch starts with the cheapest request (one
//! commit by id, no history, no blobs) and gives up one demand at a time where the server refuses it.

mod cleanup;
mod failure;
mod ls_remote;
mod names;
#[cfg(test)]
mod overhead;
#[cfg(test)]
mod tests;

pub use cleanup::clean_temporary_files;
pub use ls_remote::{RemoteRefs, ls_remote};
pub use names::{is_full_id, is_short_ref_name};

use super::process::{Git, GitCommand, Output, Protocols, Where, redact};
use crate::types::error::{Context, Error, ErrorKind, Result};
pub(super) use cleanup::entries;
use cleanup::file_name;
use failure::Refusal;
pub(super) use failure::failure;
pub(super) use names::is_ref_name;
use names::{check_id, check_url};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// The cache's name for whatever URL a call brings. Unlikely to be a remote in anybody's global configuration.
const REMOTE: &str = "skillgraft-upstream";
/// Followed by a commit id: what [`fetch_commit`] brought.
pub const FETCHED: &str = "refs/skillgraft/fetched/";
/// A ref fetched by name, until its id is checked.
const FETCHING: &str = "refs/skillgraft/fetching";
/// All branches and tags of a server that gives out nothing else.
const EVERYTHING: &str = "refs/skillgraft/everything/";
/// What git calls an unlimited `--depth`; unlike `--unshallow` it may be given in a complete repository.
const UNLIMITED: &str = "2147483647";

/// A repository elsewhere, and how it may be reached.
#[derive(Clone, Copy)]
pub struct Remote<'a> {
    /// As git takes it; a local path must be absolute. For [`ls_remote`] in a work tree also a remote's name.
    pub url: &'a str,
    /// The protocols that git may use for it.
    pub allow: Protocols,
    /// For the whole call, however many processes it takes.
    pub deadline: Duration,
}

/// What to fetch.
#[derive(Debug, Clone, Copy)]
pub enum Want<'a> {
    /// The commit `id`, which [`ls_remote`] found under the full ref name `name`.
    Ref {
        /// The full name.
        name: &'a str,
        /// The commit.
        id: &'a str,
    },
    /// A commit that someone wrote down.
    Commit(&'a str),
}

impl<'a> Want<'a> {
    fn id(&self) -> &'a str {
        match self {
            Want::Ref { id, .. } | Want::Commit(id) => id,
        }
    }
}

/// A commit to be brought into a cache repository.
pub struct FetchRequest<'a> {
    /// Made by [`init_bare`]; the caller holds its lock.
    pub git_dir: &'a Path,
    /// Where it is fetched from.
    pub remote: Remote<'a>,
    /// What is fetched.
    pub want: Want<'a>,
    /// Leave out the blobs, where the server can: [`fetch_blobs`] brings those that are needed. Without, blobs that
    /// earlier fetches left out come too.
    pub filter: bool,
    /// How much the cache may grow, for each of at most five attempts.
    pub max_bytes: u64,
}

/// What one attempt asks for.
#[derive(Clone, Copy)]
struct Attempt {
    by: By,
    shallow: bool,
    filter: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    Id,
    Name,
    Everything,
}

/// Fetches one commit without its history, points [`FETCHED`]`<id>` at it, and returns its id. That it is a commit, and
/// not another kind of object, is for the caller to check.
///
/// # Errors
/// `NoEvidence` if the ref moved since it was resolved, `NotFound` if no branch or tag reaches the commit, `Limit` if it
/// is too large; else as `failure::classify_failure` says. Nothing temporary stays behind.
pub fn fetch_commit(git: &Git, request: &FetchRequest<'_>) -> Result<String> {
    let id = request.want.id();
    check_url(request.remote.url)?;
    check_id(id)?;
    cleaned(request.git_dir, fetch_stepwise(git, request, id)).map(|()| id.to_owned())
}

fn fetch_stepwise(git: &Git, request: &FetchRequest<'_>, id: &str) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a time limit: it decides nothing but when to give up")]
    let started = Instant::now();
    let mut attempt = Attempt { by: By::Id, shallow: true, filter: request.filter };
    loop {
        let left = request.remote.deadline.saturating_sub(started.elapsed());
        let output = try_fetch(git, request, attempt, id, left)?;
        if output.status.success() {
            break;
        }
        let next = Refusal::read(&output.stderr).and_then(|refusal| match (refusal, request.want) {
            (Refusal::Filter, _) if attempt.filter => Some(Attempt { filter: false, ..attempt }),
            (Refusal::Shallow, _) if attempt.shallow => Some(Attempt { shallow: false, ..attempt }),
            (Refusal::Id, Want::Ref { .. }) if attempt.by == By::Id => Some(Attempt { by: By::Name, ..attempt }),
            (Refusal::Id, Want::Commit(_)) if attempt.by == By::Id => {
                Some(Attempt { by: By::Everything, shallow: false, ..attempt })
            }
            _ => None,
        });
        let url = redact(request.remote.url);
        attempt = next.ok_or_else(|| failure(&output, format!("cannot fetch {id} from {url}")))?;
    }
    if attempt.by == By::Id {
        return Ok(());
    }
    let transaction = format!("update {FETCHED}{id} {id}\ndelete {FETCHING}\n");
    let update = git.command(Where::GitDir(request.git_dir)).args(["update-ref", "--stdin"]);
    let output = update.stdin_bytes(transaction.into_bytes()).run()?;
    if output.status.success() {
        return Ok(());
    }
    let url = redact(request.remote.url);
    if !String::from_utf8_lossy(&output.stderr).contains("nonexistent object") {
        return Err(failure(&output, format!("cannot keep {id} from {url}")));
    }
    Err(match request.want {
        Want::Ref { name, .. } => {
            Error::new(ErrorKind::NoEvidence, format!("{name} of {url} moved while it was fetched"))
                .hint("run the command again")
        }
        Want::Commit(_) => Error::new(ErrorKind::NotFound, format!("no branch or tag of {url} contains commit {id}"))
            .hint("look at the id; nothing was closed or removed"),
    })
}

fn try_fetch(git: &Git, request: &FetchRequest<'_>, attempt: Attempt, id: &str, left: Duration) -> Result<Output> {
    let remote = Remote { deadline: left, ..request.remote };
    let mut command = fetches(git, request.git_dir, &remote, request.max_bytes).args(FETCH);
    command = match (attempt.shallow, attempt.by) {
        (true, _) => command.arg("--depth=1"),
        (false, By::Everything) => command.arg("--prune"),
        (false, _) => command,
    };
    // Earlier fetches cut the history where this one needs it. Only then, as not every server knows depths.
    command = if !attempt.shallow && request.git_dir.join("shallow").exists() {
        command.joined("--depth=", UNLIMITED)
    } else {
        command
    };
    command = if attempt.filter {
        command.arg("--filter=blob:none")
    } else if has_promised_objects(request.git_dir) {
        // Else the server takes it that we have the blobs of the commits we have.
        command.args(["--no-filter", "--refetch"])
    } else {
        command.arg("--no-filter")
    };
    let refspecs = match (attempt.by, request.want) {
        (By::Name, Want::Ref { name, .. }) => vec![format!("+{name}:{FETCHING}")],
        (By::Everything, _) => ["heads", "tags"].map(|kind| format!("+refs/{kind}/*:{EVERYTHING}{kind}/*")).into(),
        _ => vec![format!("+{id}:{FETCHED}{id}")],
    };
    command.operands(std::iter::once(REMOTE.to_owned()).chain(refspecs)).run()
}

/// Starts describing a fetch from `remote` into the cache, which has its URL from here only.
fn fetches<'g>(git: &'g Git, git_dir: &'g Path, remote: &Remote<'_>, max_bytes: u64) -> GitCommand<'g> {
    git.command(Where::GitDir(git_dir))
        .allow(remote.allow)
        .deadline(remote.deadline)
        .watch_growth(git_dir, max_bytes)
        .config(&format!("remote.{REMOTE}.url"), remote.url)
}

const FETCH: [&str; 6] =
    ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"];

/// Fetches the whole history of a commit, trees and no blobs where the server can filter: what `link` searches.
pub fn fetch_history(git: &Git, request: &FetchRequest<'_>) -> Result<()> {
    let id = request.want.id();
    check_url(request.remote.url)?;
    check_id(id)?;
    let fetch = |filter: bool| {
        let mut command = fetches(git, request.git_dir, &request.remote, request.max_bytes).args(FETCH);
        if request.git_dir.join("shallow").exists() {
            command = command.joined("--depth=", UNLIMITED);
        }
        command = if filter { command.arg("--filter=blob:none") } else { command.arg("--no-filter") };
        let refspec = match request.want {
            Want::Ref { name, .. } => format!("+{name}:{FETCHED}{id}"),
            Want::Commit(id) => format!("+{id}:{FETCHED}{id}"),
        };
        command.operands([REMOTE.to_owned(), refspec]).run()
    };
    let done = fetch(request.filter).and_then(|output| match Refusal::read(&output.stderr) {
        _ if output.status.success() => Ok(output),
        Some(Refusal::Filter) => fetch(false),
        _ => Ok(output),
    });
    let done = done.and_then(|output| match output.status.success() {
        true => Ok(()),
        false => Err(failure(&output, format!("cannot fetch the history of {}", redact(request.remote.url)))),
    });
    cleaned(request.git_dir, done)
}

/// Fetches blobs that a filtered fetch left out, in one process, the way git's own lazy fetch does.
///
/// A server that filters but refuses objects by id answers with an error (kind `Network`); [`fetch_commit`] without
/// `filter` brings them from there.
pub fn fetch_blobs(git: &Git, git_dir: &Path, remote: &Remote<'_>, ids: &[String], max_bytes: u64) -> Result<()> {
    check_url(remote.url)?;
    let mut list = String::new();
    for id in ids {
        check_id(id)?;
        list.push_str(id);
        list.push('\n');
    }
    if list.is_empty() {
        return Ok(());
    }
    let command = fetches(git, git_dir, remote, max_bytes)
        .config("fetch.negotiationAlgorithm", "noop")
        .args(FETCH)
        .args(["--filter=blob:none", "--stdin"])
        .operands([REMOTE])
        .stdin_bytes(list.into_bytes());
    let done = command.run().and_then(|output| match output.status.success() {
        true => Ok(()),
        false => Err(failure(&output, format!("cannot fetch {} files from {}", ids.len(), redact(remote.url)))),
    });
    cleaned(git_dir, done)
}

/// Makes the bare repository `dir` (an absolute path) for the functions above: no hooks, no templates, nothing that runs by itself.
pub fn init_bare(git: &Git, dir: &Path, sha256: bool) -> Result<()> {
    let format = if sha256 { "--object-format=sha256" } else { "--object-format=sha1" };
    git.command(Where::Nowhere)
        // gix reads no other; an option for it exists only in newer versions of git.
        .config("init.defaultRefFormat", "files")
        .args(["init", "--bare", "--quiet", "--template=", "--initial-branch=main"])
        .arg(format)
        .operands([dir])
        .run_ok()?;
    let path = dir.join("config");
    let preset = format!(
        "[core]\n\tlogAllRefUpdates = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
         [remote \"{REMOTE}\"]\n\tpromisor = true\n\tpartialclonefilter = blob:none\n"
    );
    let written =
        fs::OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(preset.as_bytes()));
    written.context(ErrorKind::Io, || format!("cannot write {}", path.display()))
}

/// Passes `done` on, after removing what a failure left behind. The failure is the news, not that cleaning failed too.
fn cleaned<T>(git_dir: &Path, done: Result<T>) -> Result<T> {
    if done.is_err() {
        let _ = clean_temporary_files(git_dir);
    }
    done
}

fn has_promised_objects(git_dir: &Path) -> bool {
    entries(&git_dir.join("objects").join("pack")).any(|file| file_name(&file).ends_with(".promisor"))
}
