//! Where skills come from: every kind of source becomes a [`Snapshot`], and everything after that is the same.

mod assemble;
mod cache;
mod directory;
mod discover;
mod forge;
mod git;
mod links;
mod listed;
pub mod location;
pub mod marketplace;
mod memo;
pub mod plugin;
mod snapshot;

pub use assemble::{Flat, Remark, flatten};
pub use discover::{Discovery, Found, discover, has_skill_md, is_license, licenses};
pub use forge::compare_url;
pub use git::{is_commit_id, split_reference};
pub use listed::{Shop, read as read_marketplace};
pub use memo::Memo;
pub use snapshot::Snapshot;

use crate::git::Git;
use crate::registry::{Origin, SourceFile};
use crate::skill::Limits;
use crate::types::{Error, ErrorKind, Result};
use git::Place;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long one upstream may take.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// How much one fetch may bring, in bytes.
pub const FETCH_BYTES: u64 = 2 << 30;

/// How sources are reached.
#[derive(Clone)]
pub struct Access<'a> {
    /// The user's git.
    pub git: &'a Git,
    /// The folder of the cache.
    pub cache: &'a Path,
    /// Contact nothing.
    pub offline: bool,
    /// Write nothing.
    pub dry_run: bool,
    /// How long one upstream may take.
    pub deadline: Duration,
    /// How much one fetch may bring, in bytes.
    pub max_bytes: u64,
    /// What this run has asked already.
    pub memo: Arc<Memo>,
}

/// Returns the present state of a source. `registry` is the directory that relative paths start at.
pub fn observe(access: &Access<'_>, source: &SourceFile, registry: &Path, limits: &Limits) -> Result<Snapshot> {
    let reference = source.reference.as_deref();
    match of(access, source, registry, limits)? {
        Kind::Git(place) => git::observe(access, &place, reference),
        Kind::Directory(path) => directory::read(&path, limits),
        Kind::Plugin(shop, plugin) => shop.observe(plugin),
    }
}

/// Returns the state of a source at another branch, tag or commit than its own; of a plugin, that of its repository.
pub fn observe_at(
    access: &Access<'_>,
    source: &SourceFile,
    reference: &str,
    registry: &Path,
    limits: &Limits,
) -> Result<Snapshot> {
    match of(access, source, registry, limits)? {
        Kind::Git(place) => git::observe(access, &place, Some(reference)),
        Kind::Directory(path) => directory::read(&path, limits),
        Kind::Plugin(shop, plugin) => shop.observe_at(plugin, reference),
    }
}

/// Returns the present state of a source with its whole history: commits and trees, blobs on demand.
pub fn observe_history(access: &Access<'_>, source: &SourceFile, registry: &Path, limits: &Limits) -> Result<Snapshot> {
    match of(access, source, registry, limits)? {
        Kind::Git(place) => git::observe_history(access, &place, source.reference.as_deref()),
        Kind::Directory(path) => directory::read(&path, limits),
        Kind::Plugin(shop, plugin) => shop.observe_history(plugin),
    }
}

/// Returns the state of a source at an upstream commit that an entry recorded.
pub fn observe_revision(
    access: &Access<'_>,
    source: &SourceFile,
    revision: &str,
    registry: &Path,
    limits: &Limits,
) -> Result<Snapshot> {
    match of(access, source, registry, limits)? {
        Kind::Git(place) => git::observe_revision(access, &place, source.reference.as_deref(), revision),
        Kind::Directory(_) => Err(Error::new(ErrorKind::UnknownBase, "a plain directory has no earlier states")),
        Kind::Plugin(shop, plugin) => shop.observe_revision(plugin, revision),
    }
}

/// How a source is read.
enum Kind<'a> {
    Git(Place),
    Directory(PathBuf),
    Plugin(Shop<'a>, &'a str),
}

fn of<'a>(access: &'a Access<'a>, source: &'a SourceFile, registry: &'a Path, limits: &'a Limits) -> Result<Kind<'a>> {
    Ok(match &source.origin {
        Origin::Git(written) => Kind::Git(Place::repository(written, source.insecure, registry)?),
        Origin::Bundle(path) => Kind::Git(Place::bundle(path, registry)?),
        Origin::Directory(path) => Kind::Directory(registry.join(path)),
        Origin::Plugin { marketplace, plugin } => {
            let (reference, insecure) = (source.reference.as_deref(), source.insecure);
            Kind::Plugin(Shop { access, written: marketplace, reference, insecure, registry, limits }, plugin)
        }
    })
}
