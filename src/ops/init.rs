//! `init`: lays down a registry and makes the first commit. Never overwrites a path.

use super::Outside;
use crate::git::{Changes, Mode, Oid, Place, Repository, Where, entry_at, with_changes};
use crate::registry::{Person, fast_forward, settings};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use std::path::{Path, PathBuf};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/registry-template");

/// What `init` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The registry's directory.
    pub directory: PathBuf,
    /// Whether there was no git repository before.
    pub created_repository: bool,
    /// The branch.
    pub branch: String,
    /// The commit; none where everything was there already.
    pub commit: Option<Oid>,
    /// The files that were written, relative to the directory.
    pub written: Vec<String>,
    /// The files that were there already and were left alone.
    pub left_alone: Vec<String>,
    /// Whether the line that keeps hashes right is missing from a `.gitattributes` that was left alone.
    pub attributes_missing: bool,
}

/// Makes `directory` a registry.
pub fn init(outside: &Outside, directory: &Path) -> Result<Report> {
    let directory = outside.directory.join(directory);
    std::fs::create_dir_all(&directory).context(ErrorKind::Io, || format!("cannot create {}", directory.display()))?;
    let directory =
        directory.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", directory.display()))?;
    let found = Repository::discover(&directory).ok();
    let created_repository = found.is_none();
    let repository = match found {
        Some(repository) => repository,
        None => {
            let git = outside.git.command(Where::WorkTree(&directory));
            git.config("init.defaultRefFormat", "files").args(["init", "--quiet"]).run_ok()?;
            Repository::open(&directory)?
        }
    };
    let work_dir = repository.work_dir().ok_or_else(|| {
        Error::new(ErrorKind::Usage, "a registry cannot be made in a bare repository")
            .hint("make it in a clone, and push")
    })?;
    let work_dir = work_dir.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", work_dir.display()))?;
    let branch = repository.head_branch()?.ok_or_else(|| {
        Error::new(ErrorKind::Usage, "HEAD is on no branch")
            .hint("check out the branch that the team works on: git switch main")
    })?;
    let folder = directory.strip_prefix(&work_dir).ok().and_then(Path::to_str).unwrap_or_default();
    let folder = RelPath::parse(&folder.replace(std::path::MAIN_SEPARATOR, "/"))?;

    let head = repository.head_commit()?;
    let tree =
        head.map(|head| repository.store.commit(head)).transpose()?.map_or(repository.store.empty_tree(), |c| c.tree);
    let mut report = Report {
        format: 1,
        directory: directory.clone(),
        created_repository,
        branch: branch.short().to_owned(),
        commit: None,
        written: Vec::new(),
        left_alone: Vec::new(),
        attributes_missing: false,
    };
    let mut changes = Changes::new();
    for (name, bytes) in template(branch.short()) {
        let path = folder.join_path(&RelPath::parse(&name)?);
        // A file in a folder's place, or a folder in a file's, is in the way as well.
        let taken = directory.join(&name).symlink_metadata().is_ok() || blocked(&directory, &name);
        if taken || entry_at(&repository.store, tree, &path)?.is_some() {
            report.left_alone.push(name);
        } else {
            changes.insert(path, Some(Place { mode: Mode::File, id: repository.store.write_blob(&bytes)? }));
            report.written.push(name);
        }
    }
    report.attributes_missing = attributes_missing(&directory, &report.left_alone);
    if changes.is_empty() {
        return Ok(report);
    }
    let person = Person::ask(&outside.git, &repository)?;
    let new = person.new_commit(
        with_changes(&repository.store, tree, &changes)?,
        head.into_iter().collect(),
        "Make this a skillgraft registry\n\nSkills live in skills/, the places they come from in sources/.\n",
    );
    let commit = repository.store.write_commit(&new)?;
    repository.store.flush()?;
    fast_forward(&outside.git, &work_dir, commit)?;
    report.commit = Some(commit);
    Ok(report)
}

/// Returns the template's files in order, with the branch's name filled in.
fn template(branch: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![&TEMPLATE];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            let name = file.path().to_string_lossy().replace('\\', "/");
            let mut bytes = file.contents().to_vec();
            if name == settings::FILE {
                let text =
                    String::from_utf8_lossy(&bytes).replace("branch = \"main\"", &format!("branch = {branch:?}"));
                bytes = text.into_bytes();
            }
            files.push((name, bytes));
        }
    }
    files.sort();
    files
}

fn blocked(directory: &Path, name: &str) -> bool {
    let above = Path::new(name).ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    above.into_iter().any(|above| directory.join(above).symlink_metadata().is_ok_and(|found| !found.is_dir()))
}

fn attributes_missing(directory: &Path, left_alone: &[String]) -> bool {
    let name = ".gitattributes";
    left_alone.iter().any(|left| left == name)
        && !std::fs::read_to_string(directory.join(name))
            .is_ok_and(|text| text.lines().any(|line| line.contains("skills/") && line.contains("-text")))
}
