//! Where skills come from: every kind of source becomes a [`Snapshot`], and everything after that is the same.

pub mod archive;
mod assemble;
mod cache;
mod clawhub;
mod directory;
mod discover;
mod git;
mod host;
mod http;
mod index;
mod links;
pub mod location;
pub mod npm;
mod snapshot;

pub use assemble::{Flat, Remark, UNREACHABLE, flatten};
pub use discover::{Discovery, Found, discover, has_skill_md, is_license, licenses};
pub use git::is_commit_id;
pub use host::Trust;
pub use snapshot::{Listed, Snapshot};

use crate::git::{Environment, Git};
use crate::registry::{Origin, Selection, SourceFile};
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
    /// The environment that the program was started in.
    pub environment: &'a Environment,
    /// The folder of the cache.
    pub cache: &'a Path,
    /// The programs that may run on this machine.
    pub trust: &'a Trust,
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
    let (reference, insecure) = (source.reference.as_deref(), source.insecure);
    match &source.origin {
        Origin::Git(origin) => git::observe(access, origin, reference, registry),
        Origin::Directory(path) => directory::read(&registry.join(path), limits),
        Origin::Index(url) => index::observe(access, url, insecure, &source.selection, &source.name, limits),
        Origin::ClawHub { skill, registry } => {
            clawhub::observe(access, skill, reference, registry.as_deref(), insecure, limits)
        }
        Origin::Command(command) => host::observe(access, command, &source.selection, &source.name, limits),
    }
}

/// Returns the present state of a source with its whole history, where it has one: commits and trees, blobs on demand.
pub fn observe_history(access: &Access<'_>, source: &SourceFile, registry: &Path, limits: &Limits) -> Result<Snapshot> {
    match &source.origin {
        Origin::Git(origin) => git::observe_history(access, origin, source.reference.as_deref(), registry),
        _ => observe(access, source, registry, limits),
    }
}

/// Returns the state of a source at an upstream revision that an entry recorded.
pub fn observe_revision(
    access: &Access<'_>,
    source: &SourceFile,
    revision: &str,
    registry: &Path,
    limits: &Limits,
) -> Result<Snapshot> {
    match &source.origin {
        Origin::Git(origin) => git::observe_revision(access, origin, revision, registry),
        Origin::ClawHub { .. } => observe(access, &source.at(revision), registry, limits),
        Origin::Directory(_) | Origin::Index(_) | Origin::Command(_) => {
            Err(Error::new(ErrorKind::UnknownBase, format!("a source of kind {} has no earlier states", source.kind())))
        }
    }
}
