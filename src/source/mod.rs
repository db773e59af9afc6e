//! Where skills come from: every kind of source becomes a [`Snapshot`], and everything after that is the same.

mod assemble;
mod cache;
mod directory;
mod discover;
mod forge;
mod git;
mod links;
pub mod location;
mod snapshot;

pub use assemble::{Flat, Remark, flatten};
pub use discover::{Discovery, Found, discover, has_skill_md, is_license, licenses};
pub use forge::compare_url;
pub use git::is_commit_id;
pub use snapshot::Snapshot;

use crate::git::Git;
use crate::registry::{Origin, SourceFile};
use crate::skill::Limits;
use crate::types::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;

/// How long one upstream may take.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// How much one fetch may bring, in bytes.
pub const FETCH_BYTES: u64 = 2 << 30;

/// How sources are reached.
#[derive(Clone, Copy)]
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
}

/// Returns the present state of a source. `registry` is the directory that relative paths start at.
pub fn observe(access: &Access<'_>, source: &SourceFile, registry: &Path, limits: &Limits) -> Result<Snapshot> {
    match &source.origin {
        Origin::Git(origin) => git::observe(access, origin, source.reference.as_deref(), registry),
        Origin::Directory(path) => directory::read(&registry.join(path), limits),
    }
}

/// Returns the present state of a source with its whole history: commits and trees, blobs on demand.
pub fn observe_history(access: &Access<'_>, source: &SourceFile, registry: &Path, limits: &Limits) -> Result<Snapshot> {
    match &source.origin {
        Origin::Git(origin) => git::observe_history(access, origin, source.reference.as_deref(), registry),
        Origin::Directory(path) => directory::read(&registry.join(path), limits),
    }
}

/// Returns the state of a source at an upstream commit that an entry recorded.
pub fn observe_revision(access: &Access<'_>, source: &SourceFile, revision: &str, registry: &Path) -> Result<Snapshot> {
    match &source.origin {
        Origin::Git(origin) => git::observe_revision(access, origin, source.reference.as_deref(), revision, registry),
        Origin::Directory(_) => Err(Error::new(ErrorKind::UnknownBase, "a plain directory has no earlier states")),
    }
}
