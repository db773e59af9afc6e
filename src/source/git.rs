//! A git repository as a source.
//!
//! A URL is asked through the user's git and fetched into the cache: one `ls-remote` where nothing moved. A path is a
//! repository on this machine and is read where it is, in-process: nothing is copied but what a skill needs.

use super::Access;
use super::cache;
use super::location::{self, Location};
use super::snapshot::{FetchBlobs, Objects, Snapshot};
use crate::git::{
    FETCHED, FetchRequest, Oid, Protocols, RefChange, RefName, Remote, Repository, Want, Where, fetch_blobs,
    fetch_commit, fetch_history, ls_remote,
};
use crate::registry::IDENTITY;
use crate::types::{Context as _, Error, ErrorKind, Result, one_line};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;

/// The refs of the cache that name what upstream has not: each points at the tip at which it was asked.
const MISSING: &str = "refs/skillgraft/missing/";

/// Returns the state of the repository `origin` (as the source file writes it) at `reference`.
pub fn observe(access: &Access<'_>, origin: &str, reference: Option<&str>, registry: &Path) -> Result<Snapshot> {
    match location::parse(origin)? {
        Location::Path(path) => observe_local(&registry.join(path), reference),
        Location::Url(url) => observe_remote(access, &url, reference),
    }
}

fn observe_local(path: &Path, reference: Option<&str>) -> Result<Snapshot> {
    let repository = Repository::open(path).map_err(|cause| {
        Error::new(ErrorKind::Network, format!("there is no git repository at {}", path.display()))
            .because(cause)
            .hint("look at `git` in the source file; relative paths start at the registry")
    })?;
    let found = match reference {
        None => repository.head_commit()?,
        Some(id) if is_commit_id(id) => Some(Oid::parse(id)?),
        Some(name) => {
            let refs = &repository.refs;
            let full = name.starts_with("refs/").then(|| refs.get(name)).transpose()?.flatten();
            let branch = || refs.get(&format!("refs/heads/{name}"));
            let tag = || refs.get(&format!("refs/tags/{name}"));
            match full.map_or_else(branch, |id| Ok(Some(id)))? {
                Some(id) => Some(id),
                None => tag()?,
            }
        }
    };
    let named = found.ok_or_else(|| no_such_ref(&path.display().to_string(), reference))?;
    let commit = repository.store.peel(named)?;
    snapshot(Arc::new(repository), commit, None)
}

fn observe_remote(access: &Access<'_>, url: &str, reference: Option<&str>) -> Result<Snapshot> {
    let pin = reference.filter(|reference| is_commit_id(reference));
    if access.offline {
        return observe_cached(access, url, reference, pin);
    }
    let remote = access.remote(url);
    let (name, id) = match pin {
        Some(id) => (None, id.to_owned()),
        None => {
            let names: Vec<&str> = reference.into_iter().collect();
            let refs =
                ls_remote(access.git, Where::Nowhere, &remote, if names.is_empty() { &["HEAD"] } else { &names })?;
            let (name, id) = refs.resolve(reference).ok_or_else(|| no_such_ref(url, reference))?;
            (Some(name), id.to_owned())
        }
    };
    let cached = Repository::open(&cache::path_of(access.cache, url)).ok();
    if let Some(repository) = cached
        && repository.refs.get(&format!("{FETCHED}{id}"))?.is_some()
    {
        let repository = Arc::new(repository);
        if !access.dry_run {
            remember_tip(&repository, reference, Oid::parse(&id)?);
        }
        let fetch = fetch_later(access, url, repository.git_dir().to_owned());
        return snapshot(repository, Oid::parse(&id)?, Some(fetch));
    }
    fetch(access, url, reference, name.as_deref(), &id)
}

fn fetch(access: &Access<'_>, url: &str, reference: Option<&str>, name: Option<&str>, id: &str) -> Result<Snapshot> {
    let open = if access.dry_run { cache::open_temporary } else { cache::open };
    // The id that was asked for tells which hash upstream has.
    let held = open(access.cache, url, access.git, id.len() == 64)?;
    let want = match name {
        Some(name) => Want::Ref { name, id },
        None => Want::Commit(id),
    };
    let git_dir = held.git_dir.clone();
    let request =
        FetchRequest { git_dir: &git_dir, remote: access.remote(url), want, filter: true, max_bytes: access.max_bytes };
    let fetched = Oid::parse(&fetch_commit(access.git, &request)?)?;
    let repository = Arc::new(Repository::open(&git_dir)?);
    if !access.dry_run {
        remember_tip(&repository, reference, fetched);
        forget_others(&repository, fetched);
    }
    let later = fetch_later(access, url, git_dir);
    // The lock, or the temporary folder, is held as long as the snapshot may fetch more.
    let fetch: FetchBlobs = Box::new(move |ids| {
        let _held = &held;
        later(ids)
    });
    snapshot(repository, fetched, Some(fetch))
}

fn observe_cached(access: &Access<'_>, url: &str, reference: Option<&str>, pin: Option<&str>) -> Result<Snapshot> {
    let not_cached = || {
        Error::new(ErrorKind::Network, format!("{} is not in the cache", crate::git::redact(url)))
            .hint("run once without --offline")
    };
    let repository = Repository::open(&cache::path_of(access.cache, url)).map_err(|_| not_cached())?;
    let commit = match pin {
        Some(id) => repository.refs.get(&format!("{FETCHED}{id}"))?,
        None => repository.refs.get(tip_name(reference)?.as_str())?,
    };
    snapshot(Arc::new(repository), commit.ok_or_else(not_cached)?, None)
}

fn snapshot(repository: Arc<Repository>, id: Oid, fetch: Option<FetchBlobs>) -> Result<Snapshot> {
    let commit = repository.store.commit(id).map_err(|cause| {
        Error::new(ErrorKind::NoEvidence, format!("{id} is not a commit that upstream has")).because(cause)
    })?;
    Ok(Snapshot {
        tree: commit.tree,
        revision: Some(id.to_string()),
        date: Some(commit.committed),
        objects: Objects::Repository(repository),
        fetch,
    })
}

/// Fetches blobs by id; a server that refuses that is asked for the whole snapshot.
fn fetch_later(access: &Access<'_>, url: &str, git_dir: std::path::PathBuf) -> FetchBlobs {
    let (git, url, max_bytes, deadline) = (access.git.clone(), url.to_owned(), access.max_bytes, access.deadline);
    let allow = protocols(&url);
    Box::new(move |ids| {
        let remote = Remote { url: &url, allow, deadline };
        let hex: Vec<String> = ids.iter().map(ToString::to_string).collect();
        fetch_blobs(&git, &git_dir, &remote, &hex, max_bytes)
    })
}

fn protocols(url: &str) -> Protocols {
    if location::is_local(url) { Protocols::Local } else { Protocols::Secure }
}

impl<'a> Access<'a> {
    fn remote<'u>(&self, url: &'u str) -> Remote<'u> {
        Remote { url, allow: protocols(url), deadline: self.deadline }
    }
}

/// What `--offline` goes by: the commit that a ref was at when it was last asked for.
fn tip_name(reference: Option<&str>) -> Result<RefName> {
    let hash = Sha256::digest(reference.unwrap_or("HEAD").as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    RefName::parse(format!("refs/skillgraft/tip/{hex}"))
}

/// A cache may forget: a failure to remember costs `--offline`, not this run.
fn remember_tip(repository: &Repository, reference: Option<&str>, commit: Oid) {
    let Ok(name) = tip_name(reference) else { return };
    let Ok(expected) = repository.refs.get(name.as_str()) else { return };
    if expected != Some(commit) {
        let change = RefChange { name, expected, new: Some(commit) };
        let _ = repository.refs.apply(&[change], "skillgraft: fetched", &format!("{IDENTITY} 0 +0000"));
    }
}

/// Tells whether upstream was asked for `revision` in vain when `reference` was where it is now.
fn is_known_missing(repository: &Repository, reference: Option<&str>, revision: &str) -> Result<bool> {
    let asked_at = repository.refs.get(missing_name(revision)?.as_str())?;
    Ok(asked_at.is_some() && asked_at == repository.refs.get(tip_name(reference)?.as_str())?)
}

/// Remembers it, so that each sync does not ask in vain. A cache may forget: then the next one asks again.
fn remember_missing(repository: &Repository, reference: Option<&str>, revision: &str) {
    let Ok(name) = missing_name(revision) else { return };
    let tip = tip_name(reference).and_then(|tip| repository.refs.get(tip.as_str()));
    let (Ok(Some(tip)), Ok(expected)) = (tip, repository.refs.get(name.as_str())) else { return };
    let change = RefChange { name, expected, new: Some(tip) };
    let _ = repository.refs.apply(&[change], "skillgraft: not there", &format!("{IDENTITY} 0 +0000"));
}

fn missing_name(revision: &str) -> Result<RefName> {
    RefName::parse(format!("{MISSING}{revision}"))
}

/// Drops the refs of snapshots that no tip names, so that git can sweep up their objects.
fn forget_others(repository: &Repository, fetched: Oid) {
    let Ok(tips) = repository.refs.list("refs/skillgraft/tip/") else { return };
    let Ok(all) = repository.refs.list(FETCHED) else { return };
    let missing = repository.refs.list(MISSING).unwrap_or_default();
    let old = all.into_iter().chain(missing).filter(|(_, id)| *id != fetched && !tips.values().any(|tip| tip == id));
    let changes: Vec<RefChange> = old
        .filter_map(|(name, id)| Some(RefChange { name: RefName::parse(name).ok()?, expected: Some(id), new: None }))
        .collect();
    let _ = repository.refs.apply(&changes, "skillgraft: fetched", &format!("{IDENTITY} 0 +0000"));
}

/// Returns the tree that upstream had at `revision`: the last step of the base look-up. What upstream has not is asked for
/// again when `reference` has moved.
pub fn observe_revision(
    access: &Access<'_>,
    origin: &str,
    reference: Option<&str>,
    revision: &str,
    registry: &Path,
) -> Result<Snapshot> {
    if !is_commit_id(revision) {
        return Err(Error::new(ErrorKind::UnknownBase, format!("`{}` is not a commit id", one_line(revision, 80))));
    }
    let cached = match location::parse(origin)? {
        Location::Url(url) => Repository::open(&cache::path_of(access.cache, &url)).ok(),
        Location::Path(_) => None,
    };
    if let Some(repository) = &cached
        && is_known_missing(repository, reference, revision)?
    {
        let message = format!("upstream did not have {revision} when it was asked, and has not moved since");
        return Err(Error::new(ErrorKind::UnknownBase, message));
    }
    let observed = observe(access, origin, Some(revision), registry);
    if let (Some(repository), Err(error)) = (&cached, &observed)
        && !access.dry_run
        && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NoEvidence)
    {
        remember_missing(repository, reference, revision);
    }
    observed.context(ErrorKind::UnknownBase, || format!("cannot fetch {revision}"))
}

/// Returns the present state of the repository `origin` with its whole history: commits and trees.
pub fn observe_history(
    access: &Access<'_>,
    origin: &str,
    reference: Option<&str>,
    registry: &Path,
) -> Result<Snapshot> {
    let url = match location::parse(origin)? {
        Location::Path(path) => return observe_local(&registry.join(path), reference),
        Location::Url(url) => url,
    };
    let remote = access.remote(&url);
    let pin = reference.filter(|reference| is_commit_id(reference));
    let (name, id) = match pin {
        Some(id) => (None, id.to_owned()),
        None => {
            let names = [reference.unwrap_or("HEAD")];
            let refs = ls_remote(access.git, Where::Nowhere, &remote, &names)?;
            let (name, id) = refs.resolve(reference).ok_or_else(|| no_such_ref(&url, reference))?;
            (Some(name), id.to_owned())
        }
    };
    let held = cache::open(access.cache, &url, access.git, id.len() == 64)?;
    let want = match &name {
        Some(name) => Want::Ref { name, id: &id },
        None => Want::Commit(&id),
    };
    let git_dir = held.git_dir.clone();
    let max_bytes = access.max_bytes;
    fetch_history(access.git, &FetchRequest { git_dir: &git_dir, remote, want, filter: true, max_bytes })?;
    let later = fetch_later(access, &url, git_dir.clone());
    let fetch: FetchBlobs = Box::new(move |ids| {
        let _held = &held;
        later(ids)
    });
    snapshot(Arc::new(Repository::open(&git_dir)?), Oid::parse(&id)?, Some(fetch))
}

/// Tells whether a reference is a full commit id: a pin, which never moves.
pub fn is_commit_id(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn no_such_ref(place: &str, reference: Option<&str>) -> Error {
    let place = crate::git::redact(place);
    match reference {
        Some(name) => {
            Error::new(ErrorKind::NoEvidence, format!("{place} has no branch, tag or commit `{}`", one_line(name, 120)))
                .hint(match (4..40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    true => "a commit is named by its full id, of 40 or 64 digits; nothing was closed or removed",
                    false => {
                        "name another one with --ref, or as `ref` in the source file; nothing was closed or removed"
                    }
                })
        }
        None => Error::new(ErrorKind::NoEvidence, format!("{place} has no commit yet")),
    }
}
