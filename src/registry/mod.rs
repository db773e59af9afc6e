//! The team's repository: settings, source files, entries, the lock, and changes of the default branch.

mod change;
pub mod elsewhere;
pub mod entry;
mod excluded;
mod lock;
mod names;
mod paused;
pub mod settings;
pub mod source_file;
mod state;
pub mod toml_file;
mod uncommitted;
mod view;

pub use change::{Change, Changed, Destination, Person, fast_forward};
pub use entry::{Conflict, ConflictKind, Entry, Status, Upstream};
pub use excluded::excludes_without;
pub use lock::{Lock, WAIT};
pub use names::{Layout, RefNames};
pub use paused::{Day, Paused};
pub use settings::{NewSkills, RemovedSkills, Settings};
pub use source_file::{NewSource, Origin, Selection, SourceFile};
pub use state::{EntryState, Pausable, SkillState, SourceState, State, read_entry, skill_at, skill_md_of, skill_then};
pub use uncommitted::Uncommitted;
pub use view::View;

use crate::git::{Oid, RefName, Repository, clear_after_killed_run, entry_at};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result};
use std::path::{Path, PathBuf};

/// The identity of every commit that the tool makes on its own. `.invalid` can belong to nobody (RFC 2606).
pub const IDENTITY: &str = "skillgraft <skillgraft@skillgraft.invalid>";

/// Returns the tool's identity at a time, in seconds since 1970, as git writes it in commits, tags and reflogs.
pub fn identity_at(seconds: i64) -> String {
    format!("{IDENTITY} {seconds} +0000")
}

/// A registry on disk.
pub struct Registry {
    /// The repository it lies in.
    pub repository: Repository,
    /// Its folder in that repository.
    pub folder: RelPath,
    /// Its directory on disk, which relative paths in source files are relative to.
    pub directory: PathBuf,
    /// The default branch: what the team has accepted.
    pub branch: RefName,
    /// The default branch's head.
    pub head: Oid,
    /// The remote that this clone follows, where it has one.
    pub remote: Option<String>,
    /// The names of the tool's refs.
    pub names: RefNames,
    /// Whose refs count.
    pub view: View,
}

impl Registry {
    /// Opens the registry that `dir` lies in: `skillgraft.toml` is looked for upward, as cargo looks for its manifest.
    ///
    /// # Errors
    /// [`ErrorKind::NoRegistry`] where there is none.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = dir.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", dir.display()))?;
        let found = dir.ancestors().find(|above| above.join(settings::FILE).is_file());
        let repository = Repository::discover(found.unwrap_or(&dir)).map_err(|error| match found {
            Some(found) => error.hint(format!("the registry {} is not under git; run: git init", found.display())),
            None => no_registry(&dir).because(error),
        })?;
        let (folder, directory) = match (found, repository.work_dir()) {
            (Some(found), Some(work_dir)) => (folder_in(work_dir, found)?, found.to_owned()),
            // A bare repository has no files to look for; the registry is all of it.
            (_, None) => (RelPath::root(), repository.git_dir().to_owned()),
            (None, Some(_)) => return Err(no_registry(&dir)),
        };
        let remote = remote_of(&repository)?;
        let settings = settings_of(&repository, &folder, found)?;
        let names = RefNames::new(&settings.ref_prefix);
        let branch = default_branch(&repository, &settings, remote.as_deref(), &names)?;
        let head = branch_head(&repository, &branch, remote.as_deref())?;
        Ok(Registry { repository, folder, directory, branch, head, remote, names, view: View::Clone })
    }

    /// Reads what the registry holds at the head of the default branch.
    ///
    /// # Errors
    /// Also where its settings name a folder for the skills that is not there, and entries are elsewhere.
    pub fn state(&self) -> Result<State> {
        let store = &self.repository.store;
        let state = State::load(store, &self.folder, self.head)?;
        match elsewhere::entries(store, &state)? {
            Some(found) => Err(elsewhere::refused(&state, &found)),
            None => Ok(state),
        }
    }

    /// Takes the registry's lock, and clears away what a run left that was killed.
    pub fn lock(&self, wait: std::time::Duration) -> Result<Lock> {
        let common_dir = self.repository.common_dir();
        let file = common_dir.join("skillgraft").join("lock");
        Lock::take_and_clear(&file, wait, || clear_after_killed_run(common_dir))
    }

    /// Returns the remote-tracking ref of a local branch, where there is a remote.
    pub fn remote_tracking(&self, branch: &str) -> Option<String> {
        let name = branch.strip_prefix("refs/heads/")?;
        Some(format!("refs/remotes/{}/{name}", self.remote.as_ref()?))
    }
}

fn no_registry(dir: &Path) -> Error {
    Error::new(ErrorKind::NoRegistry, format!("no {} in {} or above", settings::FILE, dir.display()))
        .hint("to make this folder a registry, run: skillgraft init")
}

fn folder_in(work_dir: &Path, directory: &Path) -> Result<RelPath> {
    let work_dir = work_dir.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", work_dir.display()))?;
    let relative = directory.strip_prefix(&work_dir).unwrap_or(Path::new(""));
    let text = relative.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    RelPath::parse(text.as_deref().unwrap_or("\0")).context(ErrorKind::Config, || {
        format!("the registry's folder {} cannot be used on every system", directory.display())
    })
}

/// `HEAD`'s settings say which branch is the default one; before the first commit, the file does.
fn settings_of(repository: &Repository, folder: &RelPath, directory: Option<&Path>) -> Result<Settings> {
    let store = &repository.store;
    if let Some(head) = repository.head_commit()? {
        let file = folder.join_path(&RelPath::parse(settings::FILE).expect("a fixed name"));
        if let Some(place) = entry_at(store, store.commit(head)?.tree, &file)? {
            return Settings::parse(toml_file::utf8(settings::FILE, &store.blob(place.id)?)?);
        }
    }
    match directory.map(|directory| directory.join(settings::FILE)) {
        Some(file) => {
            let text =
                std::fs::read_to_string(&file).context(ErrorKind::Io, || format!("cannot read {}", file.display()))?;
            Settings::parse(&text)
        }
        None => Err(no_registry(repository.git_dir())),
    }
}

fn remote_of(repository: &Repository) -> Result<Option<String>> {
    let remotes = repository.remotes();
    let followed =
        repository.head_branch()?.and_then(|branch| repository.config(&format!("branch.{}.remote", branch.short())));
    let known = |name: &String| remotes.contains(name);
    let origin = Some("origin".to_owned()).filter(known);
    Ok(followed
        .filter(known)
        .or(origin)
        .or_else(|| if let [only] = remotes.as_slice() { Some(only.clone()) } else { None }))
}

/// Returns the remote that the repository follows, with its default branch as far as this clone knows it.
pub fn remote_default(repository: &Repository) -> Result<Option<(String, String)>> {
    let Some(remote) = remote_of(repository)? else { return Ok(None) };
    Ok(default_of(repository, &remote)?.map(|branch| (remote, branch)))
}

fn default_of(repository: &Repository, remote: &str) -> Result<Option<String>> {
    let target = repository.refs.symbolic_target(&format!("refs/remotes/{remote}/HEAD"))?;
    Ok(target.and_then(|target| target.strip_prefix(&format!("refs/remotes/{remote}/")).map(str::to_owned)))
}

fn default_branch(
    repository: &Repository,
    settings: &Settings,
    remote: Option<&str>,
    names: &RefNames,
) -> Result<RefName> {
    if let Some(name) = &settings.branch {
        return RefName::branch(name);
    }
    if let Some(remote) = remote
        && let Some(name) = default_of(repository, remote)?
    {
        return RefName::branch(&name);
    }
    // A candidate that somebody looks at is not what the team has accepted.
    match repository.head_branch()?.filter(|branch| !names.is_ours(branch.as_str())) {
        Some(branch) => Ok(branch),
        None => Err(Error::new(ErrorKind::Config, "HEAD is on no branch that could be the default one")
            .hint("name it in skillgraft.toml: [registry] branch = \"main\"")),
    }
}

fn branch_head(repository: &Repository, branch: &RefName, remote: Option<&str>) -> Result<Oid> {
    if let Some(head) = repository.refs.get(branch.as_str())? {
        return Ok(head);
    }
    if let Some(remote) = remote
        && let Some(head) = repository.refs.get(&format!("refs/remotes/{remote}/{}", branch.short()))?
    {
        return Ok(head);
    }
    let here = repository.head_branch()?;
    Err(match repository.head_commit()? {
        Some(_) if here.as_ref() != Some(branch) => no_such_branch(branch, here.as_ref(), remote),
        _ => Error::new(ErrorKind::NotFound, format!("the default branch `{}` has no commit", branch.short()))
            .hint("commit skillgraft.toml first, or run: skillgraft init"),
    })
}

/// `skillgraft.toml`, or the remote, names a branch that is not here, while something else is checked out.
fn no_such_branch(branch: &RefName, here: Option<&RefName>, remote: Option<&str>) -> Error {
    let branch = branch.short();
    let (name, at) = here.map_or(("main", "HEAD"), |here| (here.short(), here.short()));
    let fetch = remote
        .map_or(String::new(), |remote| format!("; or fetch it, if {remote} has it: git fetch {remote} {branch}"));
    Error::new(ErrorKind::NotFound, format!("the default branch is `{branch}`, and there is no such branch")).hint(
        format!(
            "write branch = \"{name}\" under [registry] in {} and commit it; or make it: git branch {branch} {at}{fetch}",
            settings::FILE
        ),
    )
}
