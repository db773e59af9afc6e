//! The one error type: a kind for scripts, a sentence for people, a hint that names the command to run.
//!
//! Library code raises it where the fact is known; the command line prints it (`cli/output`) and maps the kind to
//! an exit code. JSON shows `{"kind", "message", "hint"}` (DESIGN, section 5).

use std::fmt;
use std::sync::Arc;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The command line cannot be carried out as written. Exit code 2.
    Usage,
    /// A file that people write (settings, source, entry) cannot be read. Exit code 2.
    Config,
    /// A file has a `format` newer than this program. Exit code 2.
    NewerFormat,
    /// There is no registry here. Exit code 2.
    NoRegistry,
    /// The thing named does not exist.
    NotFound,
    /// A skill id, path or branch belongs to someone else.
    Ownership,
    /// A person has to decide: conflicts are unresolved, or the work tree is in the way.
    Conflict,
    /// The person asked to stop.
    Interrupted,
    /// Another run holds the lock.
    Locked,
    /// The upstream could not be reached or refused.
    Network,
    /// The registry's remote does not take a ref.
    Refused,
    /// The upstream answered, but with nothing that may be used as evidence.
    NoEvidence,
    /// A limit of `[limits]`, or a fixed one, is exceeded.
    Limit,
    /// Content from upstream breaks a rule.
    Rejected,
    /// Content from upstream is not what its digest says.
    Altered,
    /// A program would run that nobody has trusted on this machine.
    Untrusted,
    /// The base of a merge can be found nowhere.
    UnknownBase,
    /// git, or the object database, failed.
    Git,
    /// The file system failed.
    Io,
}

/// An error: one sentence, its causes, and a hint.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Returns an error of `kind` whose sentence is `message`: no capital, no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), hint: None, cause: None }
    }

    /// Adds what to do about it, naming the exact command where there is one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the hint, if there is one.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the causes, outermost first, without what says nothing to people: repetitions, and the bare names of
    /// error kinds (`NotFound`) that some libraries put at the end of their chains.
    pub fn causes(&self) -> Vec<String> {
        let chain = std::iter::successors(std::error::Error::source(self), |error| error.source());
        let mut causes: Vec<String> = Vec::new();
        for cause in chain.map(ToString::to_string) {
            if cause.contains(' ') && !causes.last().unwrap_or(&self.message).ends_with(&cause) {
                causes.push(cause);
            }
        }
        causes
    }

    /// Returns the sentence and its causes, joined by `: `.
    pub fn full_message(&self) -> String {
        std::iter::once(self.message.clone()).chain(self.causes()).collect::<Vec<_>>().join(": ")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// Turns any error into an [`Error`] that says what was being done.
pub trait Context<T> {
    /// Wraps the error with a kind and a sentence.
    fn context<M: Into<String>>(self, kind: ErrorKind, message: impl FnOnce() -> M) -> Result<T>;
}

impl<T, E: Into<Cause>> Context<T> for std::result::Result<T, E> {
    fn context<M: Into<String>>(self, kind: ErrorKind, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|cause| Error::new(kind, message()).because(cause))
    }
}
