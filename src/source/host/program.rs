//! A running program that speaks MCP over its stdin and stdout: bounded, ended at its deadline with all that it started.
//!
//! Threads move the bytes, because pipes block; one task on a runtime of this thread speaks the protocol.

use super::trust::shown;
use crate::git::{Git, Running, last_words};
use crate::source::Access;
use crate::types::{Context as _, Error, ErrorKind, Result};
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::{Peer, RoleClient, serve_client_with_lifecycle, service::ClientLifecycleMode};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, channel};

/// How much a program may write in one run, in bytes.
const OUTPUT: u64 = 256 << 20;
/// How much of its stderr is kept, in bytes: the end.
const STDERR: usize = 64 << 10;
/// How many messages wait to be read.
const QUEUE: usize = 64;
/// How long a program may take to end once it is told that there is no more to do.
const GRACE: Duration = Duration::from_secs(2);
/// How often ^C and the deadline are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often it is asked whether a program has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// A program, ended when this is dropped.
pub struct Program<'a> {
    running: Running,
    shown: String,
    git: &'a Git,
    deadline: Duration,
    first_answer: Duration,
    pipes: Option<Pipes>,
    stderr: LastWords,
    wrote_too_much: Arc<AtomicBool>,
    has_answered: Arc<AtomicBool>,
}

impl<'a> Program<'a> {
    /// Starts a program outside of any repository, with the user's environment but for git's variables: those of a hook
    /// would point it at our repository.
    pub fn start(command: &[String], access: &Access<'a>) -> Result<Self> {
        let shown = shown(command);
        let (program, args) = command.split_first().ok_or_else(|| Error::new(ErrorKind::Config, "no program"))?;
        let own = access.environment.0.iter().filter(|(name, _)| !name.to_string_lossy().starts_with("GIT_"));
        #[expect(clippy::disallowed_methods, reason = "the one place that starts a program that is not git")]
        let mut child = Command::new(program);
        child.args(args).current_dir("/").env_clear().envs(own.map(|(name, value)| (name, value)));
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running::start(child).map_err(|error| {
            Error::new(ErrorKind::Network, format!("`{shown}` could not be started")).because(error)
        })?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) = running.pipes() else {
            unreachable!("all three were asked for");
        };
        let (to_program, outgoing) = mpsc::channel::<Vec<u8>>();
        // It ends with the channel, or when the program stops reading.
        std::thread::spawn(move || {
            outgoing.iter().try_for_each(|line| stdin.write_all(&line).and_then(|()| stdin.flush()))
        });
        let (to_us, from_program) = channel(QUEUE);
        let wrote_too_much = Arc::new(AtomicBool::new(false));
        let (flag, most) = (Arc::clone(&wrote_too_much), OUTPUT.min(access.max_bytes));
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout.take(most));
            loop {
                let mut line = Vec::new();
                match lines.read_until(b'\n', &mut line) {
                    Ok(1..) if line.ends_with(b"\n") => {
                        if to_us.blocking_send(line).is_err() {
                            return;
                        }
                    }
                    // The end, in the middle of a line or not.
                    _ => return flag.store(lines.get_ref().limit() == 0, Ordering::Relaxed),
                }
            }
        });
        let has_answered = Arc::new(AtomicBool::new(false));
        let pipes = Some(Pipes { to_program, from_program, has_answered: Arc::clone(&has_answered) });
        let Access { git, deadline, first_answer, .. } = *access;
        let stderr = LastWords::of(stderr);
        Ok(Program { running, shown, git, deadline, first_answer, pipes, stderr, wrote_too_much, has_answered })
    }

    /// Has a conversation with the program, once.
    pub fn talk<T>(&mut self, conversation: impl AsyncFnOnce(&Peer<RoleClient>) -> Result<T>) -> Result<T> {
        let pipes = self.pipes.take().expect("a program is talked to once");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.context(ErrorKind::Io, || "cannot wait for a program")?;
        let us = ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("skillgraft", env!("CARGO_PKG_VERSION")),
        );
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::LATEST],
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        };
        let said = runtime.block_on(self.until_deadline(async {
            let service = serve_client_with_lifecycle(us, pipes, lifecycle).await;
            let service = service.context(ErrorKind::Network, || "it does not speak MCP")?;
            if !service.peer_info().is_some_and(|info| info.capabilities.supports_skills()) {
                return Err(Error::new(
                    ErrorKind::NoEvidence,
                    "it does not serve skills (io.modelcontextprotocol/skills)",
                ));
            }
            conversation(service.peer()).await
        }));
        // Tasks that still wait for the program are not waited for; with them its stdin is closed.
        runtime.shutdown_background();
        if said.is_ok() {
            self.wait()?;
        }
        said.map_err(|error| self.explained(error))
    }

    /// Gives a program that has done its work the time to end by itself, as MCP says.
    fn wait(&mut self) -> Result<()> {
        let ticks = GRACE.as_millis() / PAUSE.as_millis();
        for _ in 0..ticks {
            if self.running.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    async fn until_deadline<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        #[expect(clippy::disallowed_methods, reason = "a time limit: it decides nothing but when to give up")]
        let started = Instant::now();
        let mut work = pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(TICK, work.as_mut()).await {
                return done;
            }
            self.git.check_cancelled()?;
            let waited = started.elapsed();
            if waited > self.first_answer && !self.has_answered.load(Ordering::Relaxed) {
                let message = format!("it said nothing within {:?} and was ended", self.first_answer);
                return Err(Error::new(ErrorKind::Network, message)
                    .hint("see what it does when you start it yourself: it should wait for MCP on its stdin"));
            }
            if waited > self.deadline {
                let message = format!("it did not finish within {:?} and was ended", self.deadline);
                return Err(Error::new(ErrorKind::Network, message));
            }
        }
    }

    /// Adds what the program had to say to an error.
    fn explained(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Interrupted {
            return error;
        }
        if self.wrote_too_much.load(Ordering::Relaxed) {
            return Error::new(
                ErrorKind::Limit,
                format!("`{}` wrote more than {OUTPUT} bytes and was ended", self.shown),
            );
        }
        let words = self.stderr.wait();
        let said = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
        let cause = format!("{}{said}", error.full_message());
        let explained = Error::new(error.kind(), format!("`{}` gave no skills", self.shown)).because(cause);
        explained.hint(error.hint_text().unwrap_or("nothing was closed or removed"))
    }
}

/// The end of what a program writes to its stderr.
struct LastWords {
    end: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl LastWords {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let end: Arc<Mutex<Vec<u8>>> = Arc::default();
        let filled = Arc::clone(&end);
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                let mut end = filled.lock().unwrap_or_else(PoisonError::into_inner);
                end.extend_from_slice(&chunk[..count]);
                let surplus = end.len().saturating_sub(STDERR);
                end.drain(..surplus);
            }
        });
        LastWords { end, reader }
    }

    /// Returns them, fit to be shown. A program that has just closed its stdout may still be about to say why.
    fn wait(&self) -> String {
        let mut ticks = TICK.as_millis() * 5 / PAUSE.as_millis();
        while !self.reader.is_finished() && ticks > 0 {
            std::thread::sleep(PAUSE);
            ticks -= 1;
        }
        last_words(&self.end.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The two pipes as rmcp wants them: a message is a line.
struct Pipes {
    to_program: Sender<Vec<u8>>,
    from_program: Receiver<Vec<u8>>,
    has_answered: Arc<AtomicBool>,
}

impl Transport<RoleClient> for Pipes {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let sent = serde_json::to_vec(&message).map_err(io::Error::other).and_then(|mut line| {
            line.push(b'\n');
            self.to_program.send(line).map_err(|_| io::ErrorKind::BrokenPipe.into())
        });
        std::future::ready(sent)
    }

    /// What is no message is not answered: some programs greet on stdout.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let line = self.from_program.recv().await?;
            if let Ok(message) = serde_json::from_slice(&line) {
                self.has_answered.store(true, Ordering::Relaxed);
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.from_program.close();
        Ok(())
    }
}
