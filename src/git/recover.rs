//! What a run that was killed leaves in the repository, and how the next one clears it away.
//!
//! Called by whoever holds the registry's lock, and only where the run before did not come to its end. Git's own
//! processes may be at work at the same time, so nothing is taken that could be theirs: temporary files have a prefix of
//! ours, and locks of refs are the ones that the killed run wrote down before it took them.

use super::refs::RefChange;
use super::transport::{entries, is_ref_name};
use crate::types::{Context as _, ErrorKind, Result};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Begins the names of temporary files, behind git's own prefixes, so that `git gc` sweeps them up too.
pub(super) const MARK: &str = "skillgraft_";
/// For how long a lock of the killed run has to stand unchanged: git holds one for milliseconds.
const STANDS: Duration = Duration::from_millis(1500);

/// The refs that this process is moving, written down while it does.
pub(super) struct Journal(Option<PathBuf>);

fn journal_in(common_dir: &Path) -> PathBuf {
    common_dir.join("skillgraft").join("moving")
}

impl Journal {
    /// Writes down which refs are to be locked. Not in a repository that is no registry: its folder has no room of ours.
    pub(super) fn begin(common_dir: &Path, changes: &[RefChange]) -> Journal {
        let path = journal_in(common_dir);
        if !path.parent().is_some_and(Path::is_dir) {
            return Journal(None);
        }
        let names: String = changes.iter().map(|change| format!("{}\n", change.name)).collect();
        // Without it the next run has to be helped; that is no reason to do nothing now.
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(names.as_bytes()));
        Journal(written.is_ok().then_some(path))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Clears away what a killed run left: temporary objects, packs without an index, and locks of refs that it was moving.
///
/// # Errors
/// Where a file cannot be removed.
pub fn clear_after_killed_run(common_dir: &Path) -> Result<()> {
    let objects = common_dir.join("objects");
    // The killed run wrote its number there when it began; what is older is not its.
    let began = modified(&common_dir.join("skillgraft").join("lock"));
    let mut doubtful = stale_locks(common_dir);
    for dir in entries(&objects).filter(|dir| dir.is_dir()) {
        for file in entries(&dir) {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_prefix("tmp_obj_").or(name.strip_prefix("tmp_pack_")).is_some_and(|n| n.starts_with(MARK)) {
                remove(&file)?;
            } else if name.ends_with(".pack") && !file.with_extension("idx").exists() && modified(&file) >= began {
                doubtful.push(file);
            }
        }
    }
    let seen: Vec<_> = doubtful.into_iter().filter_map(|path| Some((modified(&path)?, path))).collect();
    if !seen.is_empty() {
        std::thread::sleep(STANDS);
    }
    for (before, path) in seen {
        let has_index_now = path.extension().is_some_and(|e| e == "pack") && path.with_extension("idx").exists();
        if modified(&path) == Some(before) && !has_index_now {
            remove(&path)?;
        }
    }
    remove(&journal_in(common_dir))
}

/// The locks of the refs that the killed run was moving, and of `packed-refs`, made since it wrote them down.
fn stale_locks(common_dir: &Path) -> Vec<PathBuf> {
    let journal = journal_in(common_dir);
    let (Ok(names), Some(since)) = (fs::read_to_string(&journal), modified(&journal)) else { return Vec::new() };
    let refs = names.lines().filter(|name| is_ref_name(name)).map(|name| format!("{name}.lock"));
    // `git pack-refs` holds that one for longer, and writes beside it.
    let packed = (!common_dir.join("packed-refs.new").exists()).then(|| "packed-refs.lock".to_owned());
    let locks = refs.chain(packed).map(|name| common_dir.join(name));
    locks.filter(|lock| modified(lock).is_some_and(|at| at >= since)).collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).and_then(|data| data.modified()).ok()
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.context(ErrorKind::Io, || format!("cannot remove {}, which a killed run left", path.display())),
    }
}
