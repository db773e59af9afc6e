//! One lock per registry: two runs never write at once.
//!
//! An operating system's file lock, so that a killed process leaves none behind. It lies in the git directory that
//! all work trees share, because refs and objects do.

use crate::types::{Context as _, Error, ErrorKind, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a command waits for another one by default.
pub const WAIT: Duration = Duration::from_secs(10);

/// The lock; released when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock file `path`, waiting at most `wait`.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`], naming the process that holds it.
    pub fn take(path: &Path, wait: Duration) -> Result<Self> {
        Self::take_and_clear(path, wait, || Ok(()))
    }

    /// Does the same, and calls `clear` first where the one that held the lock before did not come to its end: it would
    /// have emptied the file. The file says so until `clear` has succeeded, also when this process is killed meanwhile.
    pub fn take_and_clear(path: &Path, wait: Duration, clear: impl FnOnce() -> Result<()>) -> Result<Self> {
        let failed = || format!("cannot lock {}", path.display());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).context(ErrorKind::Io, failed)?;
        }
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(path).context(ErrorKind::Io, failed)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a time limit, not an input: it decides nothing but when to give up"
        )]
        let give_up = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error).context(ErrorKind::Io, failed),
                Err(TryLockError::WouldBlock) => {
                    #[expect(clippy::disallowed_methods, reason = "see above")]
                    let now = Instant::now();
                    if now >= give_up {
                        return Err(held(&mut file, path));
                    }
                    std::thread::sleep(Duration::from_millis(25));
                }
            }
        }
        let mut before = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut before)).context(ErrorKind::Io, failed)?;
        if !before.is_empty() {
            clear()?;
        }
        // Who holds it, for the message that the next one sees. Never empty on the way.
        let pid = format!("{}\n", std::process::id());
        let written = file.rewind().and_then(|()| file.write_all(pid.as_bytes()));
        written.and_then(|()| file.set_len(pid.len() as u64)).context(ErrorKind::Io, failed)?;
        Ok(Lock { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

fn held(file: &mut File, path: &Path) -> Error {
    let mut pid = String::new();
    // On Windows a locked file cannot be read; the message then does without.
    let read = file.rewind().and_then(|()| file.read_to_string(&mut pid));
    let pid = pid.trim();
    let who = if read.is_ok() && !pid.is_empty() { format!("process {pid}") } else { "another process".into() };
    Error::new(ErrorKind::Locked, format!("{who} holds the lock {}", path.display()))
        .hint("wait until it is done, or end it; a lock whose process is gone is free")
}
