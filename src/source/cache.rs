//! The cache of git sources: one bare repository for each URL, outside of any registry.
//!
//! It is only a cache: deleting it costs the next fetch and nothing else. Each repository has its own lock, because
//! several registries may follow one upstream.

use crate::git::{Git, Repository, Where, clean_temporary_files, init_bare};
use crate::registry::Lock;
use crate::types::{Context as _, ErrorKind, Result};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many packs a repository of the cache may have before it is tidied.
const PACKS: usize = 40;
/// How long a run waits for another one that fetches the same URL.
const WAIT: Duration = Duration::from_secs(300);

/// One URL's repository in the cache, locked while this lives.
pub struct CacheRepository {
    /// The bare repository.
    pub git_dir: PathBuf,
    _lock: Option<Lock>,
    _temporary: Option<tempfile::TempDir>,
}

/// Returns where the repository of `url` is, or would be. The name tells people which it is; the hash keeps apart.
pub fn path_of(cache: &Path, url: &str) -> PathBuf {
    let hash = Sha256::digest(url.as_bytes()).iter().take(10).map(|byte| format!("{byte:02x}")).collect::<String>();
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let name = crate::types::SourceName::made_valid(last.strip_suffix(".git").unwrap_or(last));
    cache.join("git").join(format!("{}-{hash}.git", name.as_ref().map_or("source", |name| name.as_str())))
}

/// Opens the repository of `url` for fetching, and makes it where there is none, or one of the other hash.
pub fn open(cache: &Path, url: &str, git: &Git, sha256: bool) -> Result<CacheRepository> {
    let git_dir = path_of(cache, url);
    let lock = Lock::take(&git_dir.with_extension("lock"), WAIT)?;
    if !git_dir.join("HEAD").exists() || has_sha256(&git_dir).is_some_and(|has| has != sha256) {
        // Whole or not at all: a run that is killed in between leaves a folder that the next one replaces.
        if git_dir.exists() {
            std::fs::remove_dir_all(&git_dir)
                .context(ErrorKind::Io, || format!("cannot remove {}", git_dir.display()))?;
        }
        init_bare(git, &git_dir, sha256)?;
    }
    clean_temporary_files(&git_dir)?;
    tidy(git, &git_dir);
    Ok(CacheRepository { git_dir, _lock: Some(lock), _temporary: None })
}

/// Every fetch leaves packs; many make every look-up slow, and old snapshots are of no use. A cache that cannot be tidied
/// still works.
fn tidy(git: &Git, git_dir: &Path) {
    let packs = std::fs::read_dir(git_dir.join("objects").join("pack")).into_iter().flatten().flatten();
    if packs.filter(|file| file.path().extension().is_some_and(|ending| ending == "pack")).count() > PACKS {
        let _ = git.command(Where::GitDir(git_dir)).args(["gc", "--quiet", "--prune=now"]).run();
    }
}

/// Opens a repository that goes away with this value and sees the objects of the cached one: what a dry run fetches
/// into, because it writes nothing.
pub fn open_temporary(cache: &Path, url: &str, git: &Git, sha256: bool) -> Result<CacheRepository> {
    let temporary =
        tempfile::Builder::new().prefix("skillgraft-").tempdir().context(ErrorKind::Io, || "no temporary folder")?;
    let git_dir = temporary.path().join("source.git");
    init_bare(git, &git_dir, sha256)?;
    let cached = path_of(cache, url);
    if has_sha256(&cached) == Some(sha256) {
        let info = git_dir.join("objects").join("info");
        let alternates = format!("{}\n", cached.join("objects").display());
        let failed = || format!("cannot write {}", info.display());
        std::fs::create_dir_all(&info).context(ErrorKind::Io, failed)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "in a temporary folder of our own; nobody reads it half written"
        )]
        std::fs::write(info.join("alternates"), alternates).context(ErrorKind::Io, failed)?;
    }
    Ok(CacheRepository { git_dir, _lock: None, _temporary: Some(temporary) })
}

/// Tells which hash a cached repository has; none where there is no repository.
fn has_sha256(git_dir: &Path) -> Option<bool> {
    Repository::open(git_dir).ok().map(|repository| repository.store.is_sha256())
}
