//! Where a repository is, and which ways lead there.

use super::{bundle, shown};
use crate::git::Protocols;
use crate::source::location::{self, Repository as Written};
use crate::types::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Where a repository is, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On this disk, read where it is.
    Here(PathBuf),
    /// Through git.
    Asked(Address),
}

/// What git is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// A URL, or the absolute path of a bundle.
    pub(super) url: String,
    pub(super) insecure: bool,
    pub(super) is_bundle: bool,
}

impl Place {
    /// Returns the place of the repository that a source file names: a URL, or a path relative to `registry`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for unencrypted http that nobody has allowed.
    pub fn repository(written: &str, insecure: bool, registry: &Path) -> Result<Self> {
        match location::parse_repository(written)? {
            Written::Path(path) => Ok(Place::Here(registry.join(path))),
            Written::Url(url) if location::is_insecure(&url) && !insecure => {
                Err(location::unprotected(ErrorKind::Config, &url)
                    .hint("use https; or allow it: add with --insecure, or `insecure = true` in the source file"))
            }
            Written::Url(url) => Ok(Place::Asked(Address { url, insecure, is_bundle: false })),
        }
    }

    /// Returns the place of a file that `git bundle` wrote; `path` is relative to `registry`.
    ///
    /// # Errors
    /// Where there is no such file.
    pub fn bundle(path: &str, registry: &Path) -> Result<Self> {
        let file = registry.join(path);
        let missing = || {
            Error::new(ErrorKind::Io, format!("there is no bundle {}", file.display()))
                .hint("look at `bundle` in the source file; relative paths start at the registry")
        };
        let real = file.canonicalize().map_err(|error| missing().because(error))?;
        let url = real.to_str().filter(|_| real.is_file()).ok_or_else(missing)?.to_owned();
        Ok(Place::Asked(Address { url, insecure: false, is_bundle: true }))
    }
}

impl Address {
    pub(super) fn allow(&self) -> Protocols {
        match () {
            () if self.is_bundle || location::is_local(&self.url) => Protocols::Local,
            () if self.insecure => Protocols::InsecureHttp,
            () => Protocols::Secure,
        }
    }

    /// git speaks of servers, which a bundle has not.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.is_bundle { bundle::unreadable(&shown(&self.url), Some(error)) } else { error }
    }
}
