//! What is its own about a bundle: it may have no `HEAD`, it may be cut off, and it may build on what we do not have.

use crate::git::RemoteRefs;
use crate::types::{Error, ErrorKind, Result, one_line};

/// How many branches an error names.
const SHOWN: usize = 8;

/// Returns the ref and the commit that a bundle stands for where nobody names one: its `HEAD`, else its only branch.
/// `git bundle create FILE main` writes no `HEAD`.
///
/// # Errors
/// [`ErrorKind::NoEvidence`] where there are several branches, or no ref at all: git writes no such bundle.
pub(super) fn whole(file: &str, refs: &RemoteRefs) -> Result<(String, String)> {
    if let Some((name, id)) = refs.resolve(None) {
        return Ok((name, id.to_owned()));
    }
    let branches: Vec<_> =
        refs.refs.iter().filter_map(|(name, id)| Some((name.strip_prefix("refs/heads/")?, id))).collect();
    match branches.as_slice() {
        [(name, id)] => Ok((format!("refs/heads/{name}"), (*id).clone())),
        [] if refs.refs.is_empty() => Err(unreadable(file, None)),
        _ => {
            let mut names: Vec<_> =
                refs.refs.iter().map(|(name, _)| short(name)).filter(|name| !name.ends_with("^{}")).collect();
            names.sort_unstable();
            let more = if names.len() > SHOWN { ", ..." } else { "" };
            let names = names.iter().take(SHOWN).map(|name| one_line(name, 80)).collect::<Vec<_>>().join(", ");
            Err(Error::new(
                ErrorKind::NoEvidence,
                format!("{file} has no HEAD, and not one branch alone: {names}{more}"),
            )
            .hint("name one with --ref, or as `ref` in the source file; nothing was closed or removed"))
        }
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}

/// Says that git could not read the bundle, whatever git says of servers; that somebody wants to stop stays what it is.
pub(super) fn unreadable(file: &str, cause: Option<Error>) -> Error {
    let error = Error::new(ErrorKind::NoEvidence, format!("{file} cannot be read as a git bundle")).hint(
        "make it anew, with all that it builds on: git bundle create FILE HEAD main; nothing was closed or removed",
    );
    match cause {
        Some(cause) if matches!(cause.kind(), ErrorKind::Interrupted | ErrorKind::Limit | ErrorKind::Io) => cause,
        Some(cause) => error.because(cause.full_message()),
        None => error.because("it has no ref: it may be cut off"),
    }
}
