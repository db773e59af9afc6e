//! Removes what a killed fetch leaves behind.
//!
//! By the names that git gives to temporary files, so that a cache never needs `git gc` for them.

use crate::types::error::{Context, ErrorKind, Result};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Removes what a killed fetch leaves in a bare repository: temporary objects, packs without index, stale locks.
/// The caller holds the lock that keeps other fetches out.
pub fn clean_temporary_files(git_dir: &Path) -> Result<()> {
    let objects = git_dir.join("objects");
    for path in entries(&objects).chain([git_dir.join("shallow.lock"), git_dir.join("packed-refs.lock")]) {
        match file_name(&path) {
            "pack" => entries(&path).filter(|file| is_pack_rubbish(file)).try_for_each(|file| remove(&file))?,
            name if name.len() == 2 => {
                entries(&path)
                    .filter(|file| file_name(file).starts_with("tmp_obj_"))
                    .try_for_each(|file| remove(&file))?;
            }
            name if name.starts_with("tmp_") || name.ends_with(".lock") => remove(&path)?,
            _ => {}
        }
    }
    entries(git_dir).filter(|path| file_name(path).starts_with("shallow_")).try_for_each(|path| remove(&path))?;
    remove_locks(&git_dir.join("refs").join("skillgraft"))
}

fn remove_locks(dir: &Path) -> Result<()> {
    for path in entries(dir) {
        if path.is_dir() {
            remove_locks(&path)?;
        } else if file_name(&path).ends_with(".lock") {
            remove(&path)?;
        }
    }
    Ok(())
}

fn is_pack_rubbish(file: &Path) -> bool {
    let name = file_name(file);
    let of_a_fetch = || fs::read(file).is_ok_and(|text| text.starts_with(b"fetch-pack "));
    name.starts_with("tmp_")
        || name.starts_with(".tmp-")
        || (name.ends_with(".pack") && !file.with_extension("idx").exists())
        || (name.ends_with(".keep") && of_a_fetch())
}

/// The paths in `dir`; none if it cannot be read, which git will say better than we could.
pub(in crate::git) fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

pub(super) fn file_name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context(ErrorKind::Io, || format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
