//! A hermetic world for scenarios: a temporary folder with a home, a cache, an upstream and a registry, in which the
//! real program and the real git run with an environment of our own.
//!
//! Two things are proved around every scenario without being asked for: a `sync` touches neither `HEAD` nor index nor
//! work tree, and at the end every repository passes `git fsck --strict`.

pub mod archives;
mod files;
mod hints;
pub mod http;
pub mod reach;
mod run;
pub mod sync;

pub use files::{listing, redact, skill};
pub use run::{Run, found};
pub use sync::Synced;

use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_skillgraft");
/// 2026-01-01, when every world begins.
const BEGINNING: i64 = 1_767_225_600;

/// A temporary folder in which a scenario plays.
pub struct World {
    root: PathBuf,
    _dir: tempfile::TempDir,
    clock: Cell<i64>,
    env: RefCell<Vec<(String, Option<OsString>)>>,
    broken: RefCell<Vec<PathBuf>>,
}

impl World {
    /// Returns an empty world.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("skillgraft-it-").tempdir().unwrap();
        let root = files::plain(&dir.path().canonicalize().unwrap());
        for folder in ["home", "tmp"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        let (clock, env, broken) = (Cell::new(BEGINNING), RefCell::default(), RefCell::default());
        World { root, _dir: dir, clock, env, broken }
    }

    /// Returns a world with an upstream that holds `files`, and an empty registry.
    pub fn with_upstream(files: &[(&str, &str)]) -> Self {
        let world = World::new();
        world.init("upstream");
        world.upstream(files);
        world.run_in("", &["init", "registry"]).ok();
        world
    }

    /// Returns a world whose registry follows all skills of an upstream with `files`, as source `up`.
    pub fn following(files: &[(&str, &str)]) -> Self {
        let world = World::with_upstream(files);
        world.run(&["add", "../upstream", "--name", "up"]).ok();
        world
    }

    /// Returns a path in this world.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Returns a `file://` URL of a repository in this world.
    pub fn url(&self, path: &str) -> String {
        let path = self.path(path).display().to_string().replace('\\', "/");
        // Of Windows the drive is a part of the path.
        format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" })
    }

    /// Sets (or removes) a variable for everything that runs from now on.
    pub fn set_env(&self, name: &str, value: Option<impl Into<OsString>>) {
        self.env.borrow_mut().push((name.into(), value.map(Into::into)));
    }

    /// Makes URLs below `prefix` lead to this world's folder, through git's own ssh transport and a stand-in for ssh: what
    /// they name is asked and fetched as from anywhere else.
    pub fn serves(&self, prefix: &str) {
        self.write("ssh", "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n");
        self.set_env("GIT_SSH_COMMAND", Some(self.path("ssh").display().to_string()));
        self.set_env("GIT_SSH_VARIANT", Some("simple"));
        self.set_env("GIT_CONFIG_COUNT", Some("4"));
        self.set_env("GIT_CONFIG_KEY_3", Some(format!("url.ssh://stand-in{}/.insteadOf", self.path("").display())));
        self.set_env("GIT_CONFIG_VALUE_3", Some(prefix));
    }

    /// Puts a git on PATH that writes down how it is started.
    pub fn counts_git(&self) {
        let path = std::env::var("PATH").unwrap();
        let git = found("git", None);
        let counted = self.path("count");
        let shim = format!("#!/bin/sh\necho \"$*\" >> '{}'\nexec '{}' \"$@\"\n", counted.display(), git.display());
        self.write("shim/git", shim);
        self.set_env("PATH", Some(format!("{}:{path}", self.path("shim").display())));
    }

    /// Returns how git was started since the last time this was asked.
    pub fn git_runs(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("count")).unwrap_or_default();
        let _ = std::fs::remove_file(self.path("count"));
        text.lines().map(str::to_owned).collect()
    }

    /// Says that a repository is broken on purpose, so that git need not like it.
    pub fn is_broken_on_purpose(&self, path: &str) {
        self.broken.borrow_mut().push(self.path(path));
    }

    /// Returns a command with this world's environment and no other.
    pub fn command(&self, program: &str, dir: impl AsRef<Path>) -> Command {
        let path = std::env::var_os("PATH").unwrap();
        let env = self.env.borrow();
        let other = env.iter().rev().find(|(name, _)| name == "PATH").and_then(|(_, value)| value.as_deref());
        let mut command = Command::new(found(program, other));
        let date = format!("{} +0000", self.clock.get());
        command.current_dir(self.path(dir)).env_clear().env("PATH", path).stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp"));
        command.env("SKILLGRAFT_CACHE_DIR", self.path("cache")).env("SKILLGRAFT_SYSTEM_ROOT", self.path("system"));
        if cfg!(windows) {
            // Without these no program there starts as it should.
            let own = ["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP"];
            command.envs(own.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let config = [("init.defaultBranch", "main"), ("advice.detachedHead", "false"), ("gc.auto", "0")];
        command.env("GIT_CONFIG_COUNT", config.len().to_string());
        for (index, (key, value)) in config.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Pat Person");
            command.env(format!("GIT_{role}_EMAIL"), "pat@example.com").env(format!("GIT_{role}_DATE"), &date);
        }
        for (name, value) in env.iter() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs git, which must succeed, and returns what it printed.
    pub fn git(&self, dir: &str, args: &[&str]) -> String {
        self.git_with(dir, args, b"")
    }

    /// Runs git with something to read.
    pub fn git_with(&self, dir: &str, args: &[&str], stdin: &[u8]) -> String {
        let run = run::run(self.command("git", dir), args, stdin);
        assert_eq!(run.code, 0, "git {args:?} in {dir}\n{}{}", run.stdout, run.stderr);
        run.stdout.trim_end().to_owned()
    }

    /// Runs git and tells whether it succeeded.
    pub fn git_tries(&self, dir: &str, args: &[&str]) -> bool {
        run::run(self.command("git", dir), args, b"").code == 0
    }

    /// Makes an empty repository.
    pub fn init(&self, dir: &str) {
        self.git("", &["init", "-q", dir]);
    }

    /// Writes a file; a shebang makes it executable.
    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes.as_ref()).unwrap();
        if bytes.as_ref().starts_with(b"#!") {
            self.make_executable(&path);
        }
    }

    /// Sets the executable bit of a file, where files have one.
    pub fn make_executable(&self, path: impl AsRef<Path>) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(self.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = path;
    }

    /// Reads a file of this world.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8(std::fs::read(self.path(path)).unwrap()).unwrap()
    }

    /// Tells whether something stands at `path`.
    pub fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// Replaces the first `from` in a file.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
        self.write(path, text.replacen(from, to, 1));
    }

    /// Commits everything in the work tree `dir`, an hour after the last commit, and returns the commit.
    pub fn commit(&self, dir: &str, message: &str) -> String {
        self.clock.set(self.clock.get() + 3600);
        self.git(dir, &["add", "--all"]);
        self.git(dir, &["commit", "-q", "--allow-empty", "-m", message]);
        self.head(dir)
    }

    /// Writes files into the upstream and commits them.
    pub fn upstream(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            self.write(Path::new("upstream").join(path), text);
        }
        self.commit("upstream", "upstream moves")
    }

    /// Writes files into the registry and commits them.
    pub fn registry(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            self.write(Path::new("registry").join(path), text);
        }
        self.commit("registry", "the team edits")
    }

    /// Commits files on a branch of the registry, as a reviewer does, and goes back to the default branch.
    pub fn review(&self, branch: &str, files: &[(&str, &str)]) -> String {
        self.git("registry", &["switch", "-q", branch]);
        let commit = self.registry(files);
        self.git("registry", &["switch", "-q", "main"]);
        commit
    }

    /// Returns the commit that `HEAD` is at.
    pub fn head(&self, dir: &str) -> String {
        self.git(dir, &["rev-parse", "HEAD"])
    }

    /// Returns what a revision names.
    pub fn rev(&self, dir: &str, revision: &str) -> String {
        self.git(dir, &["rev-parse", "--verify", revision])
    }

    /// Returns a file as `revision` has it, with its last line feed.
    pub fn show(&self, dir: &str, revision: &str, path: &str) -> String {
        run::run(self.command("git", dir), &["cat-file", "blob", &format!("{revision}:{path}")], b"").stdout
    }

    /// Tells whether a revision has something at a path.
    pub fn has(&self, dir: &str, revision: &str, path: &str) -> bool {
        self.git_tries(dir, &["cat-file", "-e", &format!("{revision}:{path}")])
    }

    /// Returns all refs of a repository, with `HEAD`, but for those that count runs in which a source failed.
    pub fn refs(&self, dir: &str) -> String {
        let refs = self.all_refs(dir);
        refs.lines().filter(|line| !line.starts_with("refs/skillgraft/failed/")).collect::<Vec<_>>().join("\n")
    }

    /// Returns all refs of a repository, with `HEAD`.
    pub fn all_refs(&self, dir: &str) -> String {
        let head = self.git(dir, &["rev-parse", "--symbolic-full-name", "HEAD"]);
        format!("{head}\n{}", self.git(dir, &["for-each-ref", "--format=%(refname) %(objectname)"]))
    }

    /// Returns the branches of a repository below `prefix`.
    pub fn branches(&self, dir: &str, prefix: &str) -> Vec<String> {
        let prefix = format!("refs/heads/{prefix}");
        let all = self.git(dir, &["for-each-ref", "--format=%(refname:short)", &prefix]);
        all.lines().map(str::to_owned).collect()
    }

    /// Returns all object ids of a repository.
    pub fn objects(&self, dir: &str) -> Vec<String> {
        let all = self.git(dir, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        all.lines().map(str::to_owned).collect()
    }

    /// Runs the program in the registry.
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_in("registry", args)
    }

    /// Runs the program in a folder. A `sync` is watched: it must leave `HEAD`, index and work tree alone.
    pub fn run_in(&self, dir: &str, args: &[&str]) -> Run {
        let before = args.contains(&"sync").then(|| self.untouchable(dir));
        let run = run::run(self.command(PROGRAM, dir), args, b"");
        if let Some(before) = before {
            assert_eq!(before, self.untouchable(dir), "sync touched HEAD, index or work tree");
        }
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        hints::are_commands(PROGRAM, &run.stderr);
        run
    }

    /// Runs the program with `--json` and returns the document; the exit code must be 0.
    pub fn json(&self, args: &[&str]) -> Value {
        let run = self.run(&[&["--json"], args].concat());
        assert_eq!(run.code, 0, "{args:?}\n{}{}", run.stdout, run.stderr);
        run.json()
    }

    /// Syncs the registry; everything must go well.
    pub fn sync(&self) -> Synced {
        self.sync_in("registry", &[])
    }

    /// Syncs in a folder with more arguments; everything must go well.
    pub fn sync_in(&self, dir: &str, args: &[&str]) -> Synced {
        let synced = self.try_sync(dir, args);
        assert_eq!(synced.code, 0, "{:#}", synced.json);
        synced
    }

    /// Syncs in a folder; what fails is the caller's to look at.
    pub fn try_sync(&self, dir: &str, args: &[&str]) -> Synced {
        let run = self.run_in(dir, &[&["--json", "sync"], args].concat());
        Synced { code: run.code, json: run.json() }
    }

    /// `HEAD`, index and work tree of the repository that `dir` lies in, as bytes and modes.
    fn untouchable(&self, dir: &str) -> String {
        let dir = self.path(dir);
        let Some(top) = dir.ancestors().find(|above| above.join(".git").exists()) else {
            return std::fs::read_to_string(dir.join("HEAD")).unwrap_or_default();
        };
        let git_dir = run::run(self.command("git", top), &["rev-parse", "--absolute-git-dir"], b"").stdout;
        let git_dir = Path::new(git_dir.trim());
        let head = std::fs::read_to_string(git_dir.join("HEAD")).unwrap();
        let at = run::run(self.command("git", top), &["rev-parse", "HEAD"], b"").stdout;
        let index = std::fs::read(git_dir.join("index")).unwrap_or_default();
        format!("{head}{at}{index:?}\n{}", listing(top))
    }
}

impl Drop for World {
    /// Every repository that a scenario leaves behind is one that git accepts.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for repository in files::repositories(&self.root) {
            if self.broken.borrow().iter().any(|broken| repository.starts_with(broken)) {
                continue;
            }
            // A cache that was fetched with a filter lacks blobs and says so; those are not damage.
            let mut command = self.command("git", &repository);
            command.env_remove("GIT_CEILING_DIRECTORIES");
            let args = ["fsck", "--strict", "--no-dangling", "--no-progress", "--connectivity-only"];
            let args = if repository.starts_with(self.path("cache")) { &args[..] } else { &args[..4] };
            let run = run::run(command, args, b"");
            let said: Vec<_> =
                run.stderr.lines().chain(run.stdout.lines()).filter(|line| !line.starts_with("notice:")).collect();
            assert!(run.code == 0 && said.is_empty(), "git fsck --strict in {}: {said:#?}", repository.display());
        }
    }
}
