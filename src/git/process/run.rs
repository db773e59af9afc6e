//! Runs a command that was described, within its deadline and its size budget, until it ends or is ended.

use super::child::{Event, Keep, Running, Store, collect, locked, spawn};
use super::{GitCommand, Protocols, last_words};
use crate::types::error::{Error, ErrorKind, Result};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a running command is looked at. Nothing waits for it when the command ends by itself.
const TICK: Duration = Duration::from_millis(100);
/// How long after its end a command's output is waited for: on a busy machine the threads that read it may come late. A
/// daemon that the command left behind may hold the pipes for ever.
const GRACE: Duration = Duration::from_secs(2);

const MAX_STDOUT: usize = 256 << 20;
const MAX_STDERR: usize = 64 << 10;

impl GitCommand<'_> {
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
