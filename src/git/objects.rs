//! Git's objects as plain types: ids, trees and commits, parsed and written in git's own formats.

use crate::types::{Context as _, Error, ErrorKind, Result};
use std::cmp::Ordering;
use std::fmt;

pub use gix::bstr::{BStr, BString, ByteSlice};
pub use gix::objs::Kind as ObjectKind;

/// An object id of either hash kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub(super) gix::ObjectId);

impl Oid {
    /// Returns the id that `hex` writes down: 40 or 64 digits.
    pub fn parse(hex: &str) -> Result<Self> {
        gix::ObjectId::from_hex(hex.as_bytes())
            .map(Oid)
            .context(ErrorKind::Config, || format!("`{}` is not an object id", crate::types::one_line(hex, 70)))
    }

    /// Returns the first seven digits, as people quote ids.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(7).to_string()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Oid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a tree entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A regular file.
    File,
    /// An executable file.
    Executable,
    /// A symbolic link; the blob is its target.
    Link,
    /// A directory.
    Tree,
    /// A submodule.
    Submodule,
}

impl Mode {
    /// Returns the mode as git writes it in a tree.
    pub fn octal(self) -> &'static str {
        match self {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Link => "120000",
            Mode::Tree => "40000",
            Mode::Submodule => "160000",
        }
    }

    /// Tells whether the entry is a regular file, executable or not.
    pub fn is_file(self) -> bool {
        matches!(self, Mode::File | Mode::Executable)
    }

    /// The modes of old git versions (100664) read as what they mean, as git itself does.
    fn from_octal(digits: &[u8]) -> Option<Self> {
        let bits = digits.iter().try_fold(0u32, |bits, digit| match digit {
            b'0'..=b'7' => Some(bits * 8 + u32::from(digit - b'0')),
            _ => None,
        })?;
        match bits & 0o170_000 {
            0o100_000 if bits & 0o100 != 0 => Some(Mode::Executable),
            0o100_000 => Some(Mode::File),
            0o120_000 => Some(Mode::Link),
            0o040_000 => Some(Mode::Tree),
            0o160_000 => Some(Mode::Submodule),
            _ => None,
        }
    }
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it is.
    pub mode: Mode,
    /// Its name; any bytes but `/` and NUL.
    pub name: BString,
    /// The object.
    pub id: Oid,
}

/// A tree: entries in git's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    entries: Vec<TreeEntry>,
}

impl Tree {
    /// Returns the tree of these entries, sorted as git sorts them. The caller has made sure that names differ.
    pub fn from_entries(mut entries: Vec<TreeEntry>) -> Self {
        entries.sort_by(|a, b| git_order(&a.name, a.mode, &b.name, b.mode));
        Tree { entries }
    }

    pub(super) fn parse(bytes: &[u8], id_len: usize) -> Option<Self> {
        let mut entries = Vec::with_capacity(bytes.len() / (id_len + 16));
        let mut rest = bytes;
        while !rest.is_empty() {
            let space = rest.find_byte(b' ')?;
            let mode = Mode::from_octal(&rest[..space])?;
            rest = &rest[space + 1..];
            let nul = rest.find_byte(0)?;
            let name = BString::from(&rest[..nul]);
            let id = gix::ObjectId::try_from(rest.get(nul + 1..nul + 1 + id_len)?).ok()?;
            entries.push(TreeEntry { mode, name, id: Oid(id) });
            rest = &rest[nul + 1 + id_len..];
        }
        Some(Tree { entries })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        write_entries(self.entries.iter())
    }

    /// Returns the entries in git's order.
    pub fn entries(&self) -> &[TreeEntry] {
        &self.entries
    }

    /// Returns the entry of that name.
    pub fn get(&self, name: &[u8]) -> Option<&TreeEntry> {
        // A tree sorts as if its name ended with a slash, so the name can stand in one of two places.
        [Mode::File, Mode::Tree].into_iter().find_map(|as_mode| {
            let at = self.entries.binary_search_by(|e| git_order(&e.name, e.mode, name, as_mode)).ok()?;
            Some(&self.entries[at])
        })
    }

    /// Tells whether the tree holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Returns the tree of these entries as git writes it, sorted. The caller has made sure that names differ.
pub(super) fn tree_bytes(mut entries: Vec<&TreeEntry>) -> Vec<u8> {
    entries.sort_by(|a, b| git_order(&a.name, a.mode, &b.name, b.mode));
    write_entries(entries.into_iter())
}

fn write_entries<'a>(entries: impl ExactSizeIterator<Item = &'a TreeEntry>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * 48);
    for entry in entries {
        bytes.extend_from_slice(entry.mode.octal().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&entry.name);
        bytes.push(0);
        bytes.extend_from_slice(entry.id.0.as_slice());
    }
    bytes
}

fn git_order(a: &[u8], a_mode: Mode, b: &[u8], b_mode: Mode) -> Ordering {
    let common = a.len().min(b.len());
    a[..common].cmp(&b[..common]).then_with(|| {
        let after = |name: &[u8], mode: Mode| name.get(common).copied().or((mode == Mode::Tree).then_some(b'/'));
        after(a, a_mode).cmp(&after(b, b_mode))
    })
}

/// What the program needs to know of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: Oid,
    /// Its parents, first parent first.
    pub parents: Vec<Oid>,
    /// The author, `Name <email>`.
    pub author: String,
    /// The author's date, in seconds since 1970.
    pub authored: i64,
    /// The committer's date, in seconds since 1970.
    pub committed: i64,
    /// The message.
    pub message: String,
}

impl Commit {
    pub(super) fn parse(bytes: &[u8], kind: gix::hash::Kind) -> Option<Self> {
        let commit = gix::objs::CommitRef::from_bytes(bytes, kind).ok()?;
        let author = commit.author().ok()?;
        Some(Commit {
            tree: Oid(commit.tree()),
            parents: commit.parents().map(Oid).collect(),
            author: format!("{} <{}>", author.name.to_str_lossy(), author.email.to_str_lossy()),
            authored: author.time().map_or(0, |time| time.seconds),
            committed: commit.committer().ok()?.time().map_or(0, |time| time.seconds),
            message: commit.message.to_str_lossy().into_owned(),
        })
    }

    /// Returns the first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// Returns the value of the last trailer `key: value` of the message.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        self.message.lines().rev().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ").map(str::trim))
    }
}

/// A commit to be written. Identities are `Name <email> seconds zone`, as git writes them.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// Its tree.
    pub tree: Oid,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// Who wrote it and when.
    pub author: String,
    /// Who committed it and when.
    pub committer: String,
    /// The message; ends with a line feed.
    pub message: String,
}

impl NewCommit {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        use std::io::Write as _;
        for identity in [&self.author, &self.committer] {
            if identity.contains(['\n', '\0']) {
                return Err(Error::new(ErrorKind::Git, "an identity has a line break"));
            }
        }
        let mut bytes = Vec::new();
        let written = (|| {
            writeln!(bytes, "tree {}", self.tree)?;
            for parent in &self.parents {
                writeln!(bytes, "parent {parent}")?;
            }
            write!(bytes, "author {}\ncommitter {}\n\n{}", self.author, self.committer, self.message.replace('\0', ""))
        })();
        written.expect("writing to a Vec cannot fail");
        Ok(bytes)
    }
}
