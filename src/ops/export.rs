//! `export`: writes a state of a skill into a folder, whole or not at all, and never through a symbolic link.

use super::{Outside, spec};
use crate::git::{Mode, Oid, Store};
use crate::sync::versions::Versions;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SkillId};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What `export` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skill.
    pub skill: SkillId,
    /// The state that was exported.
    pub state: String,
    /// Where it is now.
    pub directory: PathBuf,
    /// How many files it has.
    pub files: usize,
}

/// Writes a skill to `to`/`<name>`.
///
/// # Errors
/// Where something stands there already, or `to` is a symbolic link: what it leads to may be another's to choose.
pub fn export(outside: &Outside, text: &str, to: &Path) -> Result<Report> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let versions = Versions::load(&registry, &state)?;
    let point = spec::find(&registry, &state, &versions, text)?;
    let tree = point
        .tree
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("`{}` has no content at {}", point.id, point.label)))?;
    // `link/` and `link/.` are the link as much as `link` is.
    let to: PathBuf = outside.directory.join(to).components().collect();
    if to.is_symlink() {
        let real = to.canonicalize().unwrap_or_else(|_| to.clone());
        return Err(Error::new(ErrorKind::Conflict, format!("{} is a symbolic link", to.display()))
            .hint(format!("name the folder itself: --to {}", real.display())));
    }
    std::fs::create_dir_all(&to).context(ErrorKind::Io, || format!("cannot create {}", to.display()))?;
    let to = to.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", to.display()))?;
    let target = to.join(point.id.name());
    if target.symlink_metadata().is_ok() {
        return Err(Error::new(ErrorKind::Conflict, format!("{} exists already", target.display()))
            .hint("remove it, or name another folder with --to"));
    }
    // Made beside its place and moved there: nobody sees half of a skill.
    let staging = tempfile::Builder::new()
        .prefix(".skillgraft-")
        .tempdir_in(&to)
        .context(ErrorKind::Io, || format!("cannot write in {}", to.display()))?;
    let root = staging.path().join("skill");
    let mut files = 0;
    write_tree(store, tree, &RelPath::root(), &root, &mut files)?;
    std::fs::rename(&root, &target).context(ErrorKind::Io, || format!("cannot write {}", target.display()))?;
    Ok(Report { format: 1, skill: point.id, state: point.label, directory: target, files })
}

fn write_tree(store: &Store, tree: Oid, path: &RelPath, directory: &Path, files: &mut usize) -> Result<()> {
    std::fs::create_dir(directory).context(ErrorKind::Io, || format!("cannot create {}", directory.display()))?;
    for entry in store.tree(tree)?.entries() {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let below = path.join(&entry.name).map_err(|rule| {
            Error::new(
                ErrorKind::Rejected,
                format!("{path}/{} cannot be written: {}", crate::types::escape(&name), rule.message()),
            )
        })?;
        let place = directory.join(&name);
        match entry.mode {
            Mode::Tree => write_tree(store, entry.id, &below, &place, files)?,
            Mode::File | Mode::Executable => {
                write_file(&place, &store.blob(entry.id)?, entry.mode == Mode::Executable)?;
                *files += 1;
            }
            Mode::Link | Mode::Submodule => {
                return Err(Error::new(
                    ErrorKind::Rejected,
                    format!("{below} is a link or submodule, which an export does not write"),
                )
                .hint("replace it in the registry by what it points to"));
            }
        }
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8], executable: bool) -> Result<()> {
    use std::io::Write as _;
    let write = || -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o777 } else { 0o666 });
        #[cfg(not(unix))]
        let _ = executable;
        options.open(path)?.write_all(bytes)
    };
    write().context(ErrorKind::Io, || format!("cannot write {}", path.display()))
}
