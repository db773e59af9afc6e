//! What git's stderr means: what to try instead, and what to tell the user.
//!
//! Messages are all that there is to go by: git's exit code is 128 for everything. `LC_ALL=C` keeps them in English.

use crate::git::process::{Output, last_words};
use crate::types::error::{Error, ErrorKind};

/// What a server would not do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Refusal {
    Id,
    Shallow,
    Filter,
}

impl Refusal {
    /// Reads the messages of git, of JGit (Gerrit) and of servers that serve plain files.
    pub(super) fn read(stderr: &[u8]) -> Option<Refusal> {
        let text = String::from_utf8_lossy(stderr).to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["shallow cap", "support shallow", "support --depth", "shallow fetch", "shallow file"]) {
            Some(Refusal::Shallow)
        } else if text.lines().any(|line| {
            line.contains("filter") && (line.contains("not ") || line.contains("invalid")) && !line.contains("ignoring")
        }) {
            Some(Refusal::Filter)
        } else if has(&["unadvertised object", "not our ref", "couldn't find remote ref", "no such remote ref"])
            || (text.contains("want ") && text.contains("not valid"))
        {
            Some(Refusal::Id)
        } else {
            None
        }
    }
}

pub(in crate::git) fn failure(output: &Output, what: String) -> Error {
    let (kind, hint) = classify_failure(&String::from_utf8_lossy(&output.stderr));
    let words = last_words(&output.stderr);
    // Where git's words are understood, its command line says nothing more.
    let cause = if hint.is_some() && !words.is_empty() { words } else { output.failure() };
    let error = Error::new(kind, what).because(cause);
    if let Some(hint) = hint { error.hint(hint) } else { error }
}

/// Returns what a failed command's stderr means, and what to do about it. Servers hide private repositories from those
/// who may not read them: `NotFound` is never evidence that a repository is gone.
pub fn classify_failure(stderr: &str) -> (ErrorKind, Option<&'static str>) {
    let text = stderr.to_lowercase();
    // The first that matches: servers say `repository not found` next to git's `could not read from remote repository`.
    let found = MEANINGS.iter().find(|(words, ..)| words.iter().any(|word| text.contains(word)));
    found.map_or((ErrorKind::Git, None), |(_, kind, hint)| (*kind, Some(*hint)))
}

type Meaning = (&'static [&'static str], ErrorKind, &'static str);

const MEANINGS: &[Meaning] = &[
    (
        &["transport '", "disabled by protocol"],
        ErrorKind::Usage,
        "use an https or ssh URL; a repository on this machine is a path, or file:///path",
    ),
    (
        &["dubious ownership"],
        ErrorKind::Config,
        "the repository belongs to another user: `git config --global --add safe.directory <its path>`",
    ),
    (
        &["host key verification failed", "remote host identification has changed"],
        ErrorKind::Network,
        "the host's ssh key is not known: connect once with `ssh <host>` and check the key",
    ),
    (
        &[
            "could not resolve host",
            "name or service not known",
            "nodename nor servname",
            "temporary failure in name resolution",
            "could not resolve proxy",
        ],
        ErrorKind::Network,
        "the host name is unknown, or this machine is offline: check both (`skillgraft sync --offline` goes by the cache)",
    ),
    (
        &["timed out", "timeout was reached", "operation too slow"],
        ErrorKind::Network,
        "the server did not answer in time: try again later",
    ),
    (
        &[
            "network is unreachable",
            "no route to host",
            "connection refused",
            "connection reset",
            "failed to connect",
            "couldn't connect",
            "could not connect",
            "unable to connect",
        ],
        ErrorKind::Network,
        "the server cannot be reached: check the network and the proxy settings (`skillgraft sync --offline` goes by the cache)",
    ),
    (
        &["certificate", "ssl ", "tls "],
        ErrorKind::Network,
        "the server's certificate was refused: check the proxy, the clock and git's `http.sslCAInfo`",
    ),
    (
        &[
            "authentication failed",
            "could not read username",
            "could not read password",
            "permission denied (",
            "terminal prompts disabled",
            "returned error: 401",
            "returned error: 403",
            "access denied",
            "http basic: ",
        ],
        ErrorKind::Network,
        "git has no credentials that the server takes: try `git ls-remote <url>` in a terminal",
    ),
    (
        &["couldn't find remote ref", "no such remote ref", "not our ref", "unadvertised object"],
        ErrorKind::NotFound,
        "list what there is with `git ls-remote <url>`",
    ),
    (
        &[
            "repository not found",
            "does not appear to be a git repository",
            "does not exist",
            "project you were looking for could not be found",
            "returned error: 404",
            "' not found",
            "not a git repository",
        ],
        ErrorKind::NotFound,
        "check the URL, and that you may read it: `git ls-remote <url>`",
    ),
    (
        &["mismatched algorithms", "object format"],
        ErrorKind::Git,
        "the repository uses another hash function than its cache: remove the folder that SKILLGRAFT_CACHE_DIR names, else skillgraft in your cache folder",
    ),
    (
        &[
            "early eof",
            "remote end hung up",
            "could not read from remote repository",
            "rpc failed",
            "returned error: 5",
        ],
        ErrorKind::Network,
        "the server ended the connection: try again later",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let cases = [
            (
                "remote: Repository not found.\nfatal: repository 'https://github.com/x/y/' not found",
                ErrorKind::NotFound,
                "check the URL",
            ),
            (
                "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
                ErrorKind::NotFound,
                "check the URL",
            ),
            (
                "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
                ErrorKind::Network,
                "credentials",
            ),
            (
                "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                ErrorKind::Network,
                "credentials",
            ),
            ("fatal: unable to access 'https://x/': Could not resolve host: x", ErrorKind::Network, "offline"),
            ("ssh: Could not resolve hostname x: Name or service not known", ErrorKind::Network, "offline"),
            ("ssh: connect to host x port 22: Connection timed out", ErrorKind::Network, "in time"),
            (
                "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused",
                ErrorKind::Network,
                "proxy",
            ),
            ("fatal: transport 'file' not allowed", ErrorKind::Usage, "https or ssh"),
            ("Host key verification failed.", ErrorKind::Network, "ssh <host>"),
            ("fatal: couldn't find remote ref refs/heads/x", ErrorKind::NotFound, "ls-remote"),
            (
                "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
                ErrorKind::NotFound,
                "check the URL",
            ),
            ("SSL certificate problem: self-signed certificate", ErrorKind::Network, "certificate"),
        ];
        for (stderr, kind, hint) in cases {
            let found = classify_failure(stderr);
            assert!(found.0 == kind && found.1.unwrap().contains(hint), "{stderr}: {found:?}");
        }
        assert_eq!(classify_failure("fatal: something else"), (ErrorKind::Git, None));
    }
}
