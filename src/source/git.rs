//! A git repository as a source.
//!
//! A URL is asked through the user's git and fetched into the cache: one `ls-remote` where nothing moved. A path is a
//! repository on this machine and is read where it is, in-process: nothing is copied but what a skill needs. A bundle is
//! a remote that lies in one file: git itself reads it.

mod bundle;
mod place;
mod remembered;

pub use place::{Address, Place};

use super::Access;
use super::cache::{self, CacheRepository};
use super::memo::{Asked, locked};
use super::snapshot::{FetchBlobs, Listed, Objects, Snapshot};
use crate::git::{
    FETCHED, FetchRequest, Oid, Remote, Repository, Want, Where, fetch_blobs, fetch_commit, fetch_history, is_full_id,
    is_short_ref_name, ls_remote,
};
use crate::types::{Context as _, Error, ErrorKind, Result, one_line};
use remembered::{forget_others, is_known_missing, remember_missing, remember_tip, tip_name};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Returns the state of a repository at `reference`.
pub fn observe(access: &Access<'_>, place: &Place, reference: Option<&str>) -> Result<Snapshot> {
    match place {
        Place::Here(path) => observe_local(access, path, reference),
        Place::Asked(address) => observe_remote(access, address, reference),
    }
}

fn observe_local(access: &Access<'_>, path: &Path, reference: Option<&str>) -> Result<Snapshot> {
    let (repository, commit) = access.memo.here(path.to_owned(), reference, || open_local(path, reference))?;
    snapshot(repository, commit, None)
}

fn open_local(path: &Path, reference: Option<&str>) -> Result<(Arc<Repository>, Oid)> {
    let repository = Repository::open(path).map_err(|cause| {
        Error::new(ErrorKind::Io, format!("there is no git repository at {}", path.display()))
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
    Ok((Arc::new(repository), commit))
}

fn observe_remote(access: &Access<'_>, address: &Address, reference: Option<&str>) -> Result<Snapshot> {
    if access.offline && !address.is_bundle {
        return observe_cached(access, &address.url, reference);
    }
    let upstream = access.memo.upstream(&address.url);
    let mut asked = locked(&upstream);
    let (name, id) = resolve(access, address, reference, &mut asked)?;
    if let Some(refusal) = asked.refused.get(&id) {
        return Err(refusal.clone());
    }
    let is_here = |repository: &Repository| Ok(repository.refs.get(&format!("{FETCHED}{id}"))?.is_some());
    if let Some(held) = asked.held()
        && let Ok(repository) = Repository::open(&held.git_dir)
        && is_here(&repository)?
    {
        return snapshot(Arc::new(repository), Oid::parse(&id)?, Some(fetch_more(access, address, held)));
    }
    if let Ok(repository) = Repository::open(&cache::path_of(access.cache, &address.url))
        && is_here(&repository)?
    {
        let repository = Arc::new(repository);
        if !access.dry_run {
            remember_tip(&repository, reference, Oid::parse(&id)?);
        }
        let git_dir = repository.git_dir().to_owned();
        let fetch = fetch_later(access, address, git_dir);
        return snapshot(repository, Oid::parse(&id)?, Some(fetch));
    }
    let fetched = fetch(access, address, reference, name.as_deref(), &id, &mut asked);
    if let Err(refusal) = &fetched {
        asked.refused.insert(id, refusal.clone());
    }
    fetched
}

/// Returns the commit that `reference` stands for, and the ref that is at it; a pin stands for itself.
fn resolve(
    access: &Access<'_>,
    address: &Address,
    reference: Option<&str>,
    asked: &mut Asked,
) -> Result<(Option<String>, String)> {
    if let Some(pin) = reference.filter(|reference| is_commit_id(reference)) {
        return Ok((None, pin.to_owned()));
    }
    ask(access, address, reference, asked).map(|(name, id)| (Some(name), id))
}

/// Asks which ref and commit `reference` stands for; a run asks once.
fn ask(access: &Access<'_>, address: &Address, reference: Option<&str>, asked: &mut Asked) -> Result<(String, String)> {
    let key = reference.map(str::to_owned);
    if let Some(known) = asked.resolved.get(&key) {
        return known.clone();
    }
    let one = [reference.unwrap_or("HEAD")];
    // A bundle is on this disk: to ask for all of it costs nothing.
    let names = if address.is_bundle { &[] } else { one.as_slice() };
    let answer = ls_remote(access.git, Where::Nowhere, &access.remote(address), names);
    let found = answer.map_err(|error| address.explain(error)).and_then(|refs| {
        if address.is_bundle && (reference.is_none() || refs.refs.is_empty()) {
            return bundle::whole(&shown(&address.url), &refs);
        }
        let found = refs.resolve(reference).map(|(name, id)| (name, id.to_owned()));
        found.ok_or_else(|| no_such_ref(&address.url, reference))
    });
    asked.resolved.insert(key, found.clone());
    found
}

/// Splits `<ref>/<path>` as a forge's page writes it, where a ref may contain slashes: the longest one that the remote
/// has. Asks once.
pub fn split_reference(access: &Access<'_>, url: &str, insecure: bool, rest: &str) -> Result<(String, String)> {
    let address = Address { url: url.to_owned(), insecure, is_bundle: false };
    let ends = rest.match_indices('/').map(|(at, _)| at).chain([rest.len()]);
    // What follows the ref is a folder's name, which may be none of a ref: `.claude`.
    let names: Vec<&str> = ends.map(|end| &rest[..end]).filter(|name| is_short_ref_name(name)).collect();
    if names.is_empty() {
        return Err(no_such_ref(url, rest.split('/').next()));
    }
    let refs = ls_remote(access.git, Where::Nowhere, &access.remote(&address), &names)?;
    let longest = names.into_iter().rev().find(|name| refs.resolve(Some(name)).is_some());
    let name = longest.ok_or_else(|| no_such_ref(url, rest.split('/').next()))?;
    Ok((name.to_owned(), rest[name.len()..].trim_start_matches('/').to_owned()))
}

fn fetch(
    access: &Access<'_>,
    address: &Address,
    reference: Option<&str>,
    name: Option<&str>,
    id: &str,
    asked: &mut Asked,
) -> Result<Snapshot> {
    // The id that was asked for tells which hash upstream has.
    let held = asked.hold(access, &address.url, id.len() == 64)?;
    let want = want(name, id);
    let (git_dir, remote) = (&held.git_dir, access.remote(address));
    let request = FetchRequest { git_dir, remote, want, filter: true, max_bytes: access.max_bytes };
    let fetched = Oid::parse(&fetch_commit(access.git, &request).map_err(|error| address.explain(error))?)?;
    let repository = Arc::new(Repository::open(git_dir)?);
    if !access.dry_run {
        remember_tip(&repository, reference, fetched);
        forget_others(&repository, fetched);
    }
    snapshot(repository, fetched, Some(fetch_more(access, address, held)))
}

fn want<'w>(name: Option<&'w str>, id: &'w str) -> Want<'w> {
    match name {
        Some(name) => Want::Ref { name, id },
        None => Want::Commit(id),
    }
}

fn observe_cached(access: &Access<'_>, url: &str, reference: Option<&str>) -> Result<Snapshot> {
    let not_cached = || {
        Error::new(ErrorKind::Network, format!("{} is not in the cache", shown(url))).hint("run once without --offline")
    };
    let repository = Repository::open(&cache::path_of(access.cache, url)).map_err(|_| not_cached())?;
    let commit = match reference.filter(|reference| is_commit_id(reference)) {
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
        listed: Listed::default(),
        fetch,
        scope: None,
    })
}

/// Fetches blobs by id. The lock, or the temporary folder, is held as long as the snapshot may fetch more.
fn fetch_more(access: &Access<'_>, address: &Address, held: Arc<CacheRepository>) -> FetchBlobs {
    let later = fetch_later(access, address, held.git_dir.clone());
    Arc::new(move |ids| {
        let _held = &held;
        later(ids)
    })
}

/// Fetches blobs by id into a repository that has their commit.
fn fetch_later(access: &Access<'_>, address: &Address, git_dir: PathBuf) -> FetchBlobs {
    let (git, address, max_bytes, deadline) = (access.git.clone(), address.clone(), access.max_bytes, access.deadline);
    let upstream = access.memo.upstream(&address.url);
    Arc::new(move |ids| {
        let _one_at_a_time = locked(&upstream);
        let remote = Remote { url: &address.url, allow: address.allow(), deadline };
        let hex: Vec<String> = ids.iter().map(ToString::to_string).collect();
        fetch_blobs(&git, &git_dir, &remote, &hex, max_bytes)
    })
}

impl<'a> Access<'a> {
    fn remote<'u>(&self, address: &'u Address) -> Remote<'u> {
        Remote { url: &address.url, allow: address.allow(), deadline: self.deadline }
    }
}

/// Returns the tree that upstream had at `revision`: the last step of the base look-up. What upstream has not is asked for
/// again when `reference` has moved.
pub fn observe_revision(
    access: &Access<'_>,
    place: &Place,
    reference: Option<&str>,
    revision: &str,
) -> Result<Snapshot> {
    if !is_commit_id(revision) {
        return Err(Error::new(ErrorKind::UnknownBase, format!("`{}` is not a commit id", one_line(revision, 80))));
    }
    let cached = match place {
        Place::Asked(address) => Repository::open(&cache::path_of(access.cache, &address.url)).ok(),
        Place::Here(_) => None,
    };
    if let Some(repository) = &cached
        && is_known_missing(repository, reference, revision)?
    {
        let message = format!("upstream did not have {revision} when it was asked, and has not moved since");
        return Err(Error::new(ErrorKind::UnknownBase, message));
    }
    let observed = observe(access, place, Some(revision));
    if let (Some(repository), Err(error)) = (&cached, &observed)
        && !access.dry_run
        && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NoEvidence)
    {
        remember_missing(repository, reference, revision);
    }
    observed.context(ErrorKind::UnknownBase, || format!("cannot fetch {revision}"))
}

/// Returns the present state of a repository with its whole history: commits and trees.
pub fn observe_history(access: &Access<'_>, place: &Place, reference: Option<&str>) -> Result<Snapshot> {
    let address = match place {
        Place::Here(path) => return observe_local(access, path, reference),
        Place::Asked(address) => address,
    };
    let upstream = access.memo.upstream(&address.url);
    let mut asked = locked(&upstream);
    let (name, id) = resolve(access, address, reference, &mut asked)?;
    let held = asked.hold(access, &address.url, id.len() == 64)?;
    let want = want(name.as_deref(), &id);
    let (remote, max_bytes) = (access.remote(address), access.max_bytes);
    fetch_history(access.git, &FetchRequest { git_dir: &held.git_dir, remote, want, filter: true, max_bytes })?;
    let repository = Arc::new(Repository::open(&held.git_dir)?);
    snapshot(repository, Oid::parse(&id)?, Some(fetch_more(access, address, held)))
}

/// Tells whether a reference is a full commit id: a pin, which never moves.
pub fn is_commit_id(reference: &str) -> bool {
    is_full_id(reference)
}

fn no_such_ref(place: &str, reference: Option<&str>) -> Error {
    let place = shown(place);
    match reference {
        Some(name) => {
            Error::new(ErrorKind::NoEvidence, format!("{place} has no branch, tag or commit `{}`", one_line(name, 120)))
                .hint(match (4..40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    true => "a commit is named by its full id, of 40 or 64 digits; nothing was closed or removed",
                    false => {
                        "name another branch or tag, or a commit's full id (a source has it as `ref`); nothing was closed or removed"
                    }
                })
        }
        None => Error::new(ErrorKind::NoEvidence, format!("{place} has no commit yet")),
    }
}

/// A URL as people may see it: no credentials, and no letter of another script that looks like one of ours.
pub(super) fn shown(url: &str) -> String {
    crate::types::visible(&crate::git::redact(url))
}
