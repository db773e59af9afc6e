//! Runs `git`, with a deadline, a size budget, and no way to ask the user anything.
//!
//! The environment is an argument, and of git's own variables only a short list reaches the child: one that git learns
//! next year cannot point it at another repository. What git may run, fetch or ask is fixed per call with `-c`, which
//! wins over every configuration file; credentials, proxies, `insteadOf` and identities stay the user's own.

mod child;
mod environment;
mod redact;

pub use child::Running;
pub use environment::Environment;
pub use redact::{last_words, redact};

use crate::types::error::{Error, ErrorKind, Result};
use child::{Event, Keep, Store, collect, locked, spawn};
use redact::printable;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a running command is looked at. Nothing waits for it when the command ends by itself.
const TICK: Duration = Duration::from_millis(100);
/// How long after its end a command's output is waited for: on a busy machine the threads that read it may come late. A
/// daemon that the command left behind may hold the pipes for ever.
const GRACE: Duration = Duration::from_secs(2);
/// For commands that name no deadline: nothing may wait for ever.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(600);
const MAX_STDOUT: usize = 256 << 20;
const MAX_STDERR: usize = 64 << 10;

/// Which transports a command may use, whatever a redirect or a submodule says. The user's own `GIT_ALLOW_PROTOCOL`
/// can only narrow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocols {
    /// None: the command is a local one.
    #[default]
    None,
    /// https and ssh: for sources.
    Secure,
    /// https, ssh and unencrypted http: for a source whose settings allow it.
    InsecureHttp,
    /// Local paths only: for a source that is one.
    Local,
    /// As the user's git is configured: for the registry's own remote. Only `ext::` stays off.
    AsConfigured,
}

/// Where a command runs.
#[derive(Debug, Clone, Copy)]
pub enum Where<'a> {
    /// On this git directory (`--git-dir`), whoever owns it.
    GitDir(&'a Path),
    /// In this work tree (`-C`), as if the user stood there.
    WorkTree(&'a Path),
    /// Outside of any repository: relative paths mean nothing there.
    Nowhere,
}

/// The user's `git`, and the environment to run it in.
#[derive(Clone)]
pub struct Git {
    program: OsString,
    env: Vec<(OsString, OsString)>,
    allow_protocol: Option<OsString>,
    cancelled: Option<Arc<AtomicBool>>,
}

impl Git {
    /// Returns the `git` that `program` names, to be run in `environment`.
    pub fn new(program: impl Into<OsString>, environment: &Environment) -> Git {
        let program = program.into();
        // Found here, because the standard library forks (milliseconds in a large process) instead of using posix_spawn
        // when it has to search the child's PATH.
        let program = if cfg!(unix) { environment.find(&program).unwrap_or(program) } else { program };
        let allow_protocol = environment.get("GIT_ALLOW_PROTOCOL").map(OsStr::to_owned);
        Git { program, env: environment.for_git(), allow_protocol, cancelled: None }
    }

    /// Ends running commands when `flag` is set: git has a process group of its own, so ^C does not reach it.
    #[must_use]
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Git {
        self.cancelled = Some(flag);
        self
    }

    /// Returns a git whose commands are not ended by ^C: one that moves a checkout is never stopped half-way.
    #[must_use]
    pub fn unstoppable(&self) -> Git {
        Git { cancelled: None, ..self.clone() }
    }

    /// Fails where the person has asked to stop: called between steps, before anything is written.
    pub fn check_cancelled(&self) -> Result<()> {
        match self.is_cancelled() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was changed")),
            false => Ok(()),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Starts describing a command that is to run at `at`.
    pub fn command<'a>(&'a self, at: Where<'a>) -> GitCommand<'a> {
        GitCommand {
            git: self,
            at,
            config: Vec::new(),
            args: Vec::new(),
            refused: None,
            stdin: None,
            deadline: DEFAULT_DEADLINE,
            growth: None,
            allow: Protocols::None,
        }
    }
}

/// A git command, described step by step. What users or upstreams wrote goes through [`value`](Self::value),
/// [`joined`](Self::joined) or [`operands`](Self::operands), and so can never be read as an option.
#[must_use]
pub struct GitCommand<'a> {
    git: &'a Git,
    at: Where<'a>,
    config: Vec<String>,
    args: Vec<OsString>,
    refused: Option<String>,
    stdin: Option<Vec<u8>>,
    deadline: Duration,
    growth: Option<(PathBuf, u64)>,
    allow: Protocols,
}

impl GitCommand<'_> {
    /// Adds a configuration value for this call only; it reaches no file.
    pub fn config(mut self, key: &str, value: &str) -> Self {
        self.config.push(format!("{key}={value}"));
        self
    }

    /// Adds an argument of our own.
    pub fn arg(mut self, literal: &'static str) -> Self {
        self.args.push(literal.into());
        self
    }

    /// Adds several arguments of our own.
    pub fn args<const N: usize>(mut self, literals: [&'static str; N]) -> Self {
        self.args.extend(literals.map(OsString::from));
        self
    }

    /// Adds a value that stands before any `--`; if it starts with `-`, running the command is an error.
    pub fn value(mut self, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        if value.as_encoded_bytes().starts_with(b"-") {
            self.refused = Some(redact(&value.to_string_lossy()));
        }
        self.args.push(value.to_owned());
        self
    }

    /// Adds `option` and `value` as one argument: `joined("--depth=", "1")`.
    pub fn joined(mut self, option: &'static str, value: impl AsRef<OsStr>) -> Self {
        let mut arg = OsString::from(option);
        arg.push(value);
        self.args.push(arg);
        self
    }

    /// Adds `--` and then the values. To be called last, and once.
    pub fn operands<S: AsRef<OsStr>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.args.push("--".into());
        self.args.extend(values.into_iter().map(|value| value.as_ref().to_owned()));
        self
    }

    /// Gives the command these bytes to read; without them it reads nothing.
    pub fn stdin_bytes(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// Ends the command, and all that it started, after this time.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Ends the command when `git_dir/objects` has grown by more than `max_bytes` since the start.
    pub fn watch_growth(mut self, git_dir: &Path, max_bytes: u64) -> Self {
        self.growth = Some((git_dir.join("objects"), max_bytes));
        self
    }

    /// Lets the command use these transports.
    pub fn allow(mut self, protocols: Protocols) -> Self {
        self.allow = protocols;
        self
    }

    /// Runs the command and returns what it wrote, whether it succeeded or not.
    ///
    /// Errors are the command's that could not start, ran out of time or space, or was cancelled.
    pub fn run(mut self) -> Result<Output> {
        let shown = self.shown();
        if let Some(value) = self.refused.take() {
            return Err(Error::new(ErrorKind::Usage, format!("`{value}` starts with `-`")));
        }
        #[expect(clippy::disallowed_methods, reason = "a time limit: it decides nothing but when to give up")]
        let started = Instant::now();
        let stdin = self.stdin.take();
        let mut child = Running::start(self.build(stdin.is_some())).map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let error = Error::new(ErrorKind::Git, format!("`{shown}` could not be started")).because(error);
            if missing { error.hint("install git, or put it on PATH") } else { error }
        })?;
        let (events, received) = mpsc::channel();
        let out = child.child.stdout().take().map(|pipe| collect(pipe, Keep::First(MAX_STDOUT), events.clone()));
        let err = child.child.stderr().take().map(|pipe| collect(pipe, Keep::Last(MAX_STDERR), events));
        if let (Some(mut pipe), Some(bytes)) = (child.child.stdin().take(), stdin) {
            // A command that stops reading says why on its stderr: a broken pipe is not the news.
            spawn(move || drop(pipe.write_all(&bytes)));
        }
        // Measured after the start: git needs longer to reach its first object than this takes.
        let before = self.growth.as_ref().map_or(0, |(dir, _)| size_of(dir));

        let mut open = 2;
        // How long the command had run when it was seen to be gone.
        let mut gone: Option<Duration> = None;
        while open > 0 {
            let Some(left) = self.deadline.checked_sub(started.elapsed()) else { return Err(self.late(&shown)) };
            match received.recv_timeout(left.min(TICK)) {
                Ok(Event::Closed) => open -= 1,
                Ok(Event::TooMuch) => return Err(too_much(&shown, "output", MAX_STDOUT as u64)),
                Err(RecvTimeoutError::Timeout) => {
                    self.check_growth(before, &shown)?;
                    if self.git.is_cancelled() {
                        return Err(Error::new(ErrorKind::Interrupted, format!("`{shown}` was interrupted")));
                    }
                    // A credential daemon or an ssh master may keep the pipes for as long as it lives.
                    match gone {
                        Some(at) if started.elapsed() - at > GRACE => break,
                        None if child.try_wait()?.is_some() => gone = Some(started.elapsed()),
                        _ => {}
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let mut pause = Duration::from_micros(20);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if started.elapsed() > self.deadline {
                return Err(self.late(&shown));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(TICK);
        };
        self.check_growth(before, &shown)?;
        let bytes = |store: Option<Store>| store.map_or_else(Vec::new, |store| std::mem::take(&mut *locked(&store)));
        Ok(Output { command: shown, status, stdout: bytes(out), stderr: bytes(err) })
    }

    /// Runs the command; anything but success is an error.
    pub fn run_ok(self) -> Result<Output> {
        let output = self.run()?;
        if output.status.success() { Ok(output) } else { Err(Error::new(ErrorKind::Git, output.failure())) }
    }

    /// The command as people would type it: without our fixed options, and without credentials.
    fn shown(&self) -> String {
        let mut text = String::from("git");
        for arg in &self.args {
            text.push(' ');
            text.push_str(&arg.to_string_lossy());
        }
        printable(&redact(&text))
    }

    fn build(&self, with_stdin: bool) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the one place that starts a program")]
        let mut command = Command::new(&self.git.program);
        command.env_clear().envs(self.git.env.iter().map(|(name, value)| (name, value)));
        if let (Protocols::AsConfigured, Some(list)) = (self.allow, &self.git.allow_protocol) {
            command.env("GIT_ALLOW_PROTOCOL", list);
        }
        match self.at {
            // From there, because the relative URL of a remote starts where git stands.
            Where::GitDir(dir) => drop(command.arg("-C").arg(plain(dir)).arg("--git-dir=.")),
            Where::WorkTree(dir) => drop(command.arg("-C").arg(plain(dir))),
            // Else git would find the repository that the user happens to stand in. On Windows this is the drive's root.
            Where::Nowhere => drop(command.current_dir("/")),
        }
        for option in FIXED {
            command.args(["-c", option]);
        }
        for option in self.protocol_options() {
            command.args(["-c", &option]);
        }
        for option in &self.config {
            command.args(["-c", option]);
        }
        command.args(&self.args);
        command.stdin(if with_stdin { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn protocol_options(&self) -> Vec<String> {
        let allowed: &[&str] = match self.allow {
            Protocols::AsConfigured => return vec!["protocol.ext.allow=never".into()],
            Protocols::None => &[],
            Protocols::Secure => &["https", "ssh"],
            Protocols::InsecureHttp => &["https", "ssh", "http"],
            Protocols::Local => &["file"],
        };
        let users = self.git.allow_protocol.as_ref().map(|list| list.to_string_lossy());
        let decide = |name: &str| {
            let may = allowed.contains(&name) && users.as_ref().is_none_or(|list| list.split(':').any(|n| n == name));
            format!("protocol.{name}.allow={}", if may { "always" } else { "never" })
        };
        let mut options = vec!["protocol.allow=never".to_owned()];
        // By name too, because `protocol.<name>.allow` in the user's configuration would win over `protocol.allow`.
        options.extend(["https", "ssh", "http", "file", "git", "ext"].map(decide));
        options
    }

    fn check_growth(&self, before: u64, shown: &str) -> Result<()> {
        match &self.growth {
            Some((dir, max)) if size_of(dir).saturating_sub(before) > *max => Err(too_much(shown, "data", *max)),
            _ => Ok(()),
        }
    }

    fn late(&self, shown: &str) -> Error {
        let kind = if self.allow == Protocols::None { ErrorKind::Git } else { ErrorKind::Network };
        Error::new(kind, format!("`{shown}` did not finish within {:?} and was ended", self.deadline))
    }
}

/// What a command wrote and how it ended.
#[derive(Debug)]
pub struct Output {
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// The last 64 KiB, as git wrote them: for parsing, not for showing.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub status: ExitStatus,
    command: String,
}

impl Output {
    /// Returns a sentence with the command, its exit code and git's last words, fit to be shown.
    pub fn failure(&self) -> String {
        let end = match self.status.code() {
            Some(code) => format!("exited with code {code}"),
            None => self.status.to_string(),
        };
        let words = last_words(&self.stderr);
        format!("`{}` {end}{}{words}", self.command, if words.is_empty() { "" } else { ": " })
    }
}

/// Set with `-c` on every call.
const FIXED: &[&str] = &[
    // A directory in which no hook can exist.
    if cfg!(windows) { "core.hooksPath=NUL" } else { "core.hooksPath=/dev/null" },
    "core.fsmonitor=false",
    "maintenance.auto=false",
    "gc.auto=0",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=no",
    "transfer.fsckObjects=true",
    "fetch.fsckObjects=true",
    // Harmless, and found in the history of honest projects.
    "fetch.fsck.badTimezone=warn",
    "fetch.fsck.missingSpaceBeforeDate=warn",
    "fetch.fsck.zeroPaddedFilemode=warn",
    "color.ui=false",
];

/// Windows has absolute paths as `\\?\C:\dir`, which git does not read.
fn plain(path: &Path) -> &Path {
    let rest = path.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    rest.filter(|rest| rest.as_bytes().get(1) == Some(&b':')).map_or(path, Path::new)
}

fn too_much(shown: &str, what: &str, max: u64) -> Error {
    Error::new(ErrorKind::Limit, format!("`{shown}` was ended: more than {max} bytes of {what}"))
}

/// The sizes of the files in `dir` and one level down, which is where git puts objects, packs and temporary files.
fn size_of(dir: &Path) -> u64 {
    let files = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| entry.metadata().map_or(0, |data| data.len());
    files(dir)
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()).map(size).sum(),
            _ => size(entry),
        })
        .sum()
}
