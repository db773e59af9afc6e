//! Where skills come from: every kind of source becomes a [`Snapshot`], and everything after that is the same.

pub mod agents;
pub mod archive;
mod assemble;
mod beside;
mod cache;
mod clawhub;
mod directory;
mod discover;
mod forge;
mod git;
mod host;
mod http;
mod index;
mod links;
mod listed;
pub mod local;
pub mod location;
pub mod marketplace;
mod memo;
pub mod npm;
pub mod peers;
pub mod plugin;
pub mod roots;
mod snapshot;

pub use assemble::{Flat, Remark, flatten};
pub use beside::{beside, beside_state};
pub use directory::is_skipped;
pub use discover::{Discovery, Found, discover, has_skill_md, is_license, licenses, recorded_licenses};
pub use forge::compare_url;
pub use git::{is_commit_id, split_reference};
pub use host::Trust;
pub use listed::{GONE, Shop, read as read_marketplace};
pub use memo::Memo;
pub use snapshot::{Listed, Snapshot};

use crate::git::{Environment, Git};
use crate::registry::{Origin, Selection, SourceFile};
use crate::skill::Limits;
use crate::types::{Error, ErrorKind, Result};
use git::Place;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long one upstream may take.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// How long a program may take to its first answer. Those who start a server and wait for it to say that it is ready give
/// it 30 to 60 seconds; work, once it answers, has the whole [`DEADLINE`].
pub const FIRST_ANSWER: Duration = Duration::from_secs(60);
/// How much one fetch may bring, in bytes.
pub const FETCH_BYTES: u64 = 2 << 30;

/// How sources are reached.
#[derive(Clone)]
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
    /// How long a program may take to its first answer.
    pub first_answer: Duration,
    /// How much one fetch may bring, in bytes.
    pub max_bytes: u64,
    /// The time, in seconds since 1970: it decides what of the cache goes.
    pub now: i64,
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
        Kind::Index(url) => index::observe(access, url, source.insecure, &source.selection, &source.name, limits),
        Kind::ClawHub(skill, server) => clawhub::observe(access, skill, reference, server, source.insecure, limits),
        Kind::Command(command) => host::observe(access, command, &source.selection, &source.name, limits),
    }
}

/// Returns the state that a file which `git bundle` wrote has as its `HEAD`.
pub fn observe_bundle(access: &Access<'_>, file: &Path) -> Result<Snapshot> {
    git::observe(access, &Place::bundle(&file.to_string_lossy(), Path::new(""))?, None)
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
        Kind::Index(_) | Kind::ClawHub(..) | Kind::Command(_) => {
            observe(access, &source.at(reference), registry, limits)
        }
    }
}

/// Returns the present state of a source with its whole history, where it has one: commits and trees, blobs on demand.
pub fn observe_history(access: &Access<'_>, source: &SourceFile, registry: &Path, limits: &Limits) -> Result<Snapshot> {
    match of(access, source, registry, limits)? {
        Kind::Git(place) => git::observe_history(access, &place, source.reference.as_deref()),
        Kind::Directory(path) => directory::read(&path, limits),
        Kind::Plugin(shop, plugin) => shop.observe_history(plugin),
        Kind::Index(_) | Kind::ClawHub(..) | Kind::Command(_) => observe(access, source, registry, limits),
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
    match of(access, source, registry, limits)? {
        Kind::Git(place) => git::observe_revision(access, &place, source.reference.as_deref(), revision),
        Kind::Plugin(shop, plugin) => shop.observe_revision(plugin, revision),
        Kind::ClawHub(..) => observe(access, &source.at(revision), registry, limits),
        Kind::Directory(_) | Kind::Index(_) | Kind::Command(_) => {
            Err(Error::new(ErrorKind::UnknownBase, format!("a source of kind {} has no earlier states", source.kind())))
        }
    }
}

/// How a source is read.
enum Kind<'a> {
    Git(Place),
    Directory(PathBuf),
    Plugin(Shop<'a>, &'a str),
    Index(&'a str),
    ClawHub(&'a str, Option<&'a str>),
    Command(&'a [String]),
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
        Origin::Index(url) => Kind::Index(url),
        Origin::ClawHub { skill, registry } => Kind::ClawHub(skill, registry.as_deref()),
        Origin::Command(command) => Kind::Command(command),
    })
}
