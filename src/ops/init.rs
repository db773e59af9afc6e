//! `init`: lays down a registry and makes the first commit. Never overwrites a path.

mod template;

pub use template::Forge;

use super::Outside;
use crate::git::{Changes, Mode, Oid, Place, Repository, Where, entry_at, with_changes};
use crate::registry::settings::{self, Settings};
use crate::registry::{Person, fast_forward, remote_default, toml_file};
use crate::sync::report::Notice;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};
use template::Filled;

/// What makes GitLab read a file of its own beside a `.gitlab-ci.yml` that was there before.
const GITLAB: (&str, &str) = (".gitlab-ci.yml", ".gitlab/skillgraft.yml");

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
    /// Where the branch, which was checked out, is hardly the one that the team works on: which one that may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// The commit; none where everything was there already.
    pub commit: Option<Oid>,
    /// The forge whose files were laid down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<Forge>,
    /// The files that were written, relative to the directory; a forge's own, relative to the repository.
    pub written: Vec<String>,
    /// The files that were there already and were left alone.
    pub left_alone: Vec<String>,
    /// Whether the line that keeps hashes right is missing from a `.gitattributes` that was left alone.
    pub attributes_missing: bool,
    /// Whether a `.gitlab-ci.yml` that was left alone does not include the file with the jobs.
    pub include_missing: bool,
}

/// Makes `directory` a registry, with what runs it on a forge. Of a directory that is one already, and a forge that is
/// named, only the forge's files are laid down.
pub fn init(outside: &Outside, directory: &Path, forge: Option<Forge>) -> Result<Report> {
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
        notice: None,
        commit: None,
        forge,
        written: Vec::new(),
        left_alone: Vec::new(),
        attributes_missing: false,
        include_missing: false,
    };
    let settings = settings_at(&repository, tree, &folder)?;
    let named = settings.as_ref().and_then(|settings| settings.branch.as_deref());
    let filled = Filled { branch: named.unwrap_or(branch.short()), folder: &folder };
    let mut files = if settings.is_some() && forge.is_some() { Vec::new() } else { template::registry(&filled)? };
    files.extend(forge.map_or(Ok(Vec::new()), |forge| template::forge(forge, &filled))?);
    let mut changes = Changes::new();
    for file in files {
        // A file in a folder's place, or a folder in a file's, is in the way as well.
        let path = file.path.as_str();
        let taken = work_dir.join(path).symlink_metadata().is_ok() || blocked(&work_dir, path);
        if taken || entry_at(&repository.store, tree, &file.path)?.is_some() {
            report.left_alone.push(file.name);
        } else {
            let id = repository.store.write_blob(&file.bytes)?;
            changes.insert(file.path, Some(Place { mode: Mode::File, id }));
            report.written.push(file.name);
        }
    }
    report.attributes_missing = attributes_missing(&directory, &report.left_alone);
    report.include_missing = left_without(&work_dir, &report.left_alone, GITLAB.0, |line| line.contains(GITLAB.1));
    if changes.is_empty() {
        return Ok(report);
    }
    let person = Person::ask(&outside.git, &repository)?;
    let new = person.new_commit(
        with_changes(&repository.store, tree, &changes)?,
        head.into_iter().collect(),
        &message(settings.is_some(), forge),
    );
    let commit = repository.store.write_commit(&new)?;
    repository.store.flush()?;
    fast_forward(&outside.git, &work_dir, commit)?;
    report.commit = Some(commit);
    if head.is_some() && report.written.iter().any(|name| name == settings::FILE) {
        report.notice = odd_branch(&repository, branch.short())?;
    }
    Ok(report)
}

/// A branch that is neither the remote's default one nor called like one was perhaps checked out for something else.
fn odd_branch(repository: &Repository, branch: &str) -> Result<Option<Notice>> {
    let remote = remote_default(repository)?;
    let is_usual = match &remote {
        Some((_, default)) => default == branch,
        None => matches!(branch, "main" | "master"),
    };
    if is_usual {
        return Ok(None);
    }
    let theirs = remote.as_ref().map_or(String::new(), |(remote, default)| format!("; {remote}'s is `{default}`"));
    let other = remote.as_ref().map_or("main", |(_, default)| default);
    Ok(Some(Notice::new(
        format!("the registry's default branch is `{branch}`, because it is checked out{theirs}"),
        format!(
            "for another one, write branch = \"{other}\" under [registry] in {}, commit, and merge this branch there",
            settings::FILE
        ),
    )))
}

fn settings_at(repository: &Repository, tree: Oid, folder: &RelPath) -> Result<Option<Settings>> {
    let file = folder.join_path(&RelPath::parse(settings::FILE).expect("a fixed name"));
    let Some(place) = entry_at(&repository.store, tree, &file)? else { return Ok(None) };
    let text = repository.store.blob(place.id)?;
    Settings::parse(toml_file::utf8(settings::FILE, &text)?).map(Some)
}

fn message(is_registry: bool, forge: Option<Forge>) -> String {
    let runs = match forge {
        Some(Forge::None) => "Sync on a server: server/ has a systemd timer and a line for cron\n".to_owned(),
        Some(forge) => format!("Sync and check on {}: see {}\n", forge.as_str(), forge.manual()),
        None => String::new(),
    };
    if is_registry && !runs.is_empty() {
        return runs;
    }
    format!("Make this a skillgraft registry\n\nSkills live in skills/, the places they come from in sources/.\n{runs}")
}

fn blocked(directory: &Path, name: &str) -> bool {
    let above = Path::new(name).ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    above.into_iter().any(|above| directory.join(above).symlink_metadata().is_ok_and(|found| !found.is_dir()))
}

fn attributes_missing(directory: &Path, left_alone: &[String]) -> bool {
    left_without(directory, left_alone, ".gitattributes", |line| line.contains("skills/") && line.contains("-text"))
}

/// Tells whether a file was left alone in which no line is what it has to have.
fn left_without(directory: &Path, left_alone: &[String], name: &str, is_it: impl Fn(&str) -> bool) -> bool {
    left_alone.iter().any(|left| left == name)
        && !std::fs::read_to_string(directory.join(name)).is_ok_and(|text| text.lines().any(is_it))
}
