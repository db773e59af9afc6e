//! A running process: ended with all that it started, its pipes drained by threads.
//!
//! The threads report the end of a pipe on a channel, so that a fast command is waited for without polling.

use crate::types::error::{Context, ErrorKind, Result};
use process_wrap::std::{ChildWrapper, CommandWrap};
use std::io::{self, Read};
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

/// A child that is ended, with all that it started, when this is dropped.
pub struct Running {
    pub(super) child: Box<dyn ChildWrapper>,
    reaped: bool,
}

impl Running {
    /// Starts a program in a process group (on Windows: a job) of its own.
    pub fn start(command: Command) -> io::Result<Running> {
        let mut wrap = CommandWrap::from(command);
        #[cfg(unix)]
        wrap.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        wrap.wrap(process_wrap::std::JobObject);
        Ok(Running { child: wrap.spawn()?, reaped: false })
    }

    /// Returns the pipes to the program's stdin and from its stdout and stderr: those that were asked for, and once.
    pub fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdin().take(), self.child.stdout().take(), self.child.stderr().take())
    }

    /// Returns how the program ended, if it did. Asks for the program itself only: the wrapper would wait for every daemon
    /// that it left behind.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.inner_mut().try_wait().context(ErrorKind::Git, || "cannot wait for a program")?;
        self.reaped = status.is_some();
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            // Failing means that it is gone already.
            let _ = self.child.start_kill();
            let _ = self.child.inner_mut().wait();
        }
    }
}

pub(super) enum Event {
    Closed,
    TooMuch,
}

#[derive(Clone, Copy)]
pub(super) enum Keep {
    First(usize),
    Last(usize),
}

/// Shared with the thread that fills it, because that thread may outlive the command (a daemon may hold the pipe).
pub(super) type Store = Arc<Mutex<Vec<u8>>>;

pub(super) fn locked(store: &Store) -> std::sync::MutexGuard<'_, Vec<u8>> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn collect(mut pipe: impl Read + Send + 'static, keep: Keep, events: Sender<Event>) -> Store {
    let store = Store::default();
    let filled = Arc::clone(&store);
    spawn(move || {
        let mut chunk = vec![0; 32 << 10];
        // A full store is no reason to stop reading: git would block.
        loop {
            let count = match pipe.read(&mut chunk) {
                Ok(count @ 1..) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => break,
            };
            let mut bytes = locked(&filled);
            match keep {
                Keep::First(max) if bytes.len() + count > max => drop(events.send(Event::TooMuch)),
                Keep::First(_) => bytes.extend_from_slice(&chunk[..count]),
                Keep::Last(max) => {
                    bytes.extend_from_slice(&chunk[..count]);
                    let surplus = bytes.len().saturating_sub(max);
                    bytes.drain(..surplus);
                }
            }
        }
        drop(events.send(Event::Closed));
    });
    store
}

pub(super) fn spawn(work: impl FnOnce() + Send + 'static) {
    drop(std::thread::spawn(work));
}
