//! The registry's own remote: what it has, brought to a private place, and refs moved there by explicit ids.
//!
//! Unlike an upstream it is the team's, so it is reached as their git is configured; no hook of this clone runs. A push
//! names for each ref what it must be now: `--force-with-lease` without an id would believe whatever was fetched last.

use super::process::{Git, Protocols, Where, redact};
use super::refs::RefChange;
use super::transport::{failure, is_ref_name};
use crate::types::{Error, ErrorKind, Result, one_line};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

/// What git calls an unlimited `--depth`.
const UNLIMITED: &str = "2147483647";

/// A remote of a repository, by its name in the configuration.
#[derive(Clone, Copy)]
pub struct OwnRemote<'a> {
    /// The user's git.
    pub git: &'a Git,
    /// The repository.
    pub at: Where<'a>,
    /// The remote's name.
    pub name: &'a str,
    /// How long one call may take.
    pub deadline: Duration,
}

/// What a push came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Every ref is what it was to become.
    All,
    /// Some are not: why, by full ref name, in the words of git or the remote. Of the others nothing is said.
    Refused(BTreeMap<String, String>),
    /// The remote cannot move several refs at once; nothing was sent.
    NotAtomic,
}

impl OwnRemote<'_> {
    /// Fetches refs (`+refs/heads/x:refs/private/x`, patterns too) and forgets what the remote has no more. Touches no
    /// remote-tracking ref; a shallow clone gets the history that it lacks when `deepen` says so.
    pub fn fetch(&self, refspecs: &[String], deepen: bool) -> Result<()> {
        let command = self
            .git
            .command(self.at)
            .allow(Protocols::AsConfigured)
            .deadline(self.deadline)
            // The team's own history, which their git has taken as it is.
            .config("fetch.fsckObjects", "false")
            .config("transfer.fsckObjects", "false")
            .args(["fetch", "--quiet", "--no-tags", "--prune", "--refmap=", "--no-write-fetch-head"])
            .args(["--no-auto-maintenance", "--no-recurse-submodules"]);
        let command = if deepen { command.joined("--depth=", UNLIMITED) } else { command };
        let output = command.operands(std::iter::once(self.name).chain(refspecs.iter().map(String::as_str))).run()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(failure(&output, format!("cannot fetch from {}", redact(self.name)))),
        }
    }

    /// Moves refs on the remote, each only from what it is expected to be, and tells its hooks these options.
    ///
    /// # Errors
    /// Where the remote cannot be reached, or takes no options. What it refuses is no error, but a [`Pushed::Refused`].
    pub fn push(&self, changes: &[&RefChange], atomic: bool, options: &[String]) -> Result<Pushed> {
        let mut command = self
            .git
            .command(self.at)
            .allow(Protocols::AsConfigured)
            .deadline(self.deadline)
            // A clone made with --mirror would refuse to push single refs; nothing but these is to move.
            .config(&format!("remote.{}.mirror", self.name), "false")
            .config("push.followTags", "false")
            .args(["push", "--porcelain", "--no-signed", "--recurse-submodules=no"]);
        command = if atomic { command.arg("--atomic") } else { command };
        for option in options {
            command = command.joined("--push-option=", option);
        }
        for change in changes {
            let expected = change.expected.map_or(String::new(), |id| id.to_string());
            command = command.joined("--force-with-lease=", format!("{}:{expected}", change.name));
        }
        let refspec = |change: &&RefChange| {
            let new = change.new.map_or(String::new(), |id| id.to_string());
            OsString::from(format!("{new}:{}", change.name))
        };
        let output = command.operands(std::iter::once(self.name.into()).chain(changes.iter().map(refspec))).run()?;
        if output.status.success() {
            return Ok(Pushed::All);
        }
        if atomic && String::from_utf8_lossy(&output.stderr).contains("does not support --atomic") {
            return Ok(Pushed::NotAtomic);
        }
        if !options.is_empty() && String::from_utf8_lossy(&output.stderr).contains("does not support push options") {
            return Err(Error::new(ErrorKind::Refused, format!("{} takes no push options", redact(self.name))).hint(
                "leave --push-option out; on a server of your own: git config receive.advertisePushOptions true",
            ));
        }
        let refused = refused(&String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr));
        match refused.is_empty() {
            false => Ok(Pushed::Refused(refused)),
            true => Err(failure(&output, format!("cannot push to {}", redact(self.name)))),
        }
    }
}

/// Reads `--porcelain`: `!<tab><from>:<to><tab>[rejected] (<why>)`. What the remote's hooks say stands on stderr.
fn refused(stdout: &str, stderr: &str) -> BTreeMap<String, String> {
    let said: Vec<&str> = stderr.lines().filter_map(|line| line.strip_prefix("remote: ")).map(str::trim).collect();
    let said: Vec<&str> = said.into_iter().filter(|line| !line.is_empty()).take(5).collect();
    let mut refs = BTreeMap::new();
    for line in stdout.lines() {
        let mut fields = line.split('\t');
        let (Some("!"), Some(pair), Some(summary)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let Some((_, to)) = pair.rsplit_once(':').filter(|(_, to)| is_ref_name(to)) else { continue };
        let mut why = one_line(summary, 200).to_string();
        if !said.is_empty() && summary.contains("hook declined") {
            why = format!("{why}: {}", one_line(&said.join(" / "), 400));
        }
        refs.insert(to.to_owned(), why);
    }
    refs
}

/// Tells whether a refusal says that somebody else moves refs there, and not that this one may not be moved: such a push
/// is worth another look at the remote.
pub fn is_contended(why: &str) -> bool {
    ["stale info", "fetch first", "atomic transaction failed", "failed to update ref", "incorrect old value"]
        .into_iter()
        .chain(["cannot lock", "already exists", "reference already", "failed to lock", "remote ref updated since"])
        .any(|words| why.contains(words))
}

/// Returns the error for a remote that the repository does not know.
pub fn no_such_remote(name: &str, known: &[String]) -> Error {
    let known = if known.is_empty() { "it has none".into() } else { format!("it has: {}", known.join(", ")) };
    Error::new(ErrorKind::Usage, format!("this clone has no remote `{}`; {known}", one_line(&redact(name), 80)))
        .hint("add one: git remote add origin <url>; of `sync`, sources stand before --push")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_remote_refuses_is_read_by_ref() {
        let stdout = "To ../r.git\n!\t1234:refs/heads/a\t[remote rejected] (hook declined)\n\
                      !\t(delete):refs/heads/b\t[rejected] (stale info)\n*\t1:refs/heads/c\t[new branch]\nDone\n";
        let refused = refused(stdout, "remote: no secrets, please        \nremote: \nerror: failed\n");
        let why: Vec<(&str, &str)> = refused.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
        assert_eq!(
            why,
            [
                ("refs/heads/a", "[remote rejected] (hook declined): no secrets, please"),
                ("refs/heads/b", "[rejected] (stale info)")
            ]
        );
        assert!(is_contended(why[1].1) && !is_contended(why[0].1));
    }
}
