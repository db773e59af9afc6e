//! Runs `git`, with a deadline, a size budget, and no way to ask the user anything.
//!
//! The environment is an argument, and of git's own variables only a short list reaches the child: one that git learns
//! next year cannot point it at another repository. What git may run, fetch or ask is fixed per call with `-c`, which
//! wins over every configuration file; credentials, proxies, `insteadOf` and identities stay the user's own.

mod child;
mod environment;
mod redact;
mod run;
#[cfg(test)]
#[cfg(unix)]
mod tests;

pub use child::Running;
pub use environment::Environment;
pub use redact::{last_words, redact};
pub use run::Output;

use crate::types::error::{Error, ErrorKind, Result};
use redact::printable;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// For commands that name no deadline: nothing may wait for ever.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(600);

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
