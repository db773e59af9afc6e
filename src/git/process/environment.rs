//! The environment that git gets.
//!
//! Of git's own variables only a short list passes: one that git learns next year cannot point it at another repository.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// An askpass program that answers nothing.
pub(super) const NO_ASKPASS: &str = "false";

/// A program's environment, as the command line read it once.
#[derive(Clone, Default)]
pub struct Environment(pub Vec<(OsString, OsString)>);

const KEPT: &[&str] = &[
    "GIT_ASKPASS",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
];
const KEPT_PREFIXES: &[&str] = &[
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_HTTP_",
    "GIT_PROXY_SSL_",
    "GIT_SSH",
    "GIT_SSL_",
];

impl Environment {
    /// Returns the value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(key, _)| canonical(key) == name).map(|(_, value)| value.as_os_str())
    }

    pub(super) fn find(&self, program: &OsStr) -> Option<OsString> {
        if Path::new(program).components().count() != 1 {
            return None;
        }
        let path = self.get("PATH")?;
        let found = std::env::split_paths(path).map(|dir| dir.join(program)).find(|file| is_program(file))?;
        found.is_absolute().then(|| found.into_os_string())
    }

    pub(super) fn for_git(&self) -> Vec<(OsString, OsString)> {
        let mut env = self.0.clone();
        env.retain(|(name, value)| {
            let name = canonical(name);
            if name.starts_with("GIT_TRACE") {
                // To a file, at the user's wish; never to the stderr that ends up in our messages.
                return Path::new(value).is_absolute();
            }
            !name.starts_with("GIT_")
                || KEPT.contains(&name.as_str())
                || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        let mut set = |name: &str, value: &str| {
            env.retain(|(key, _)| canonical(key) != name);
            env.push((name.into(), value.into()));
        };
        set("GIT_TERMINAL_PROMPT", "0");
        set("GCM_INTERACTIVE", "never");
        set("GIT_NO_LAZY_FETCH", "1");
        set("GIT_NO_REPLACE_OBJECTS", "1");
        set("GIT_OPTIONAL_LOCKS", "0");
        set("GIT_ADVICE", "0");
        // Messages that we read; LANGUAGE has no effect then.
        set("LC_ALL", "C");
        // ssh asks on /dev/tty, whatever its stdin is. `-o BatchMode=yes` would have to go through GIT_SSH_COMMAND, which
        // overrides the user's core.sshCommand. Forced askpass keeps every question (passphrase, password, unknown host)
        // off the terminal: the user's own askpass program answers, or nothing does. `never` would mean the terminal.
        // Before OpenSSH 8.4 a question stops ssh, as it is not in the foreground, until the deadline ends it.
        set("SSH_ASKPASS_REQUIRE", "force");
        if self.get("SSH_ASKPASS").is_none_or(OsStr::is_empty) {
            set("SSH_ASKPASS", NO_ASKPASS);
        }
        env
    }
}

/// Names of variables do not distinguish case on Windows.
fn canonical(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.into_owned() }
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}
