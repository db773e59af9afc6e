//! Which programs may run as sources: `trusted-commands.toml` in the user's configuration folder.
//!
//! A source file comes with `git pull`, and so could a program of anybody who may push. So a command runs only where a
//! person of this machine has said so, word for word: another argument is another command.

use crate::registry::{Lock, WAIT, toml_file};
use crate::types::{Context as _, Error, ErrorKind, Result, SourceName, one_line};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The commands that may run on this machine.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// None where the user has no configuration folder: then nothing is trusted.
    file: Option<PathBuf>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    #[serde(default)]
    commands: Vec<Vec<String>>,
}

impl Trust {
    /// Returns what the configuration folder `config` says.
    pub fn in_folder(config: &Path) -> Self {
        Trust { file: Some(config.join("trusted-commands.toml")) }
    }

    /// Refuses a command that was not trusted here.
    pub fn require(&self, command: &[String], source: &SourceName) -> Result<()> {
        refuse_local(command)?;
        if self.read()?.commands.iter().any(|trusted| trusted == command) {
            return Ok(());
        }
        let shown = shown(command);
        Err(Error::new(
            ErrorKind::Untrusted,
            format!("source `{source}` runs `{shown}`, which nobody has trusted on this machine"),
        )
        .hint(format!("if you know that program: skillgraft source trust {source}")))
    }

    /// Trusts a command on this machine; returns whether it was new.
    pub fn record(&self, command: &[String]) -> Result<bool> {
        refuse_local(command)?;
        let path = self.file.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Usage, "there is no folder for what this machine trusts")
                .hint("name one with SKILLGRAFT_CONFIG_DIR")
        })?;
        let _lock = Lock::take(&path.with_extension("lock"), WAIT)?;
        let mut written = self.read()?;
        if written.commands.iter().any(|trusted| trusted == command) {
            return Ok(false);
        }
        written.format = toml_file::FORMAT;
        written.commands.push(command.to_vec());
        let failed = || format!("cannot write {}", path.display());
        let text = toml::to_string(&written).context(ErrorKind::Io, failed)?;
        let folder = path.parent().expect("it lies in a folder");
        let mut file = tempfile::NamedTempFile::new_in(folder).context(ErrorKind::Io, failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).context(ErrorKind::Io, failed)?;
        file.persist(path).context(ErrorKind::Io, failed)?;
        Ok(true)
    }

    fn read(&self) -> Result<Written> {
        let Some(path) = &self.file else { return Ok(Written::default()) };
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => toml_file::parse(&name, &text)
                .map_err(|error: Error| error.hint(format!("edit {name}, or delete it and trust your programs again"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Written::default()),
            Err(error) => Err(error).context(ErrorKind::Io, || format!("cannot read {name}")),
        }
    }
}

/// Returns a command as people read it.
pub fn shown(command: &[String]) -> String {
    one_line(&command.join(" "), 300)
}

/// A program inside of the registry would change with what others push, and what was trusted with it.
fn refuse_local(command: &[String]) -> Result<()> {
    let program = command.first().map_or("", String::as_str);
    let is_bare = !program.is_empty() && !program.contains(['/', '\\']);
    if (is_bare || Path::new(program).is_absolute())
        && !program.starts_with('-')
        && !command.iter().any(|arg| arg.contains('\0'))
    {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, format!("`{}` is no program that may run as a source", one_line(program, 120)))
        .hint("name a program on PATH, or by its absolute path: a relative one would change with what others push"))
}
