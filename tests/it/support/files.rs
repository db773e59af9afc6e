//! Files: what scenarios write, and how they are compared.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Returns a SKILL.md by the book.
pub fn skill(name: &str, body: &str) -> String {
    format!("---\nname: {name}\ndescription: Does {name}.\n---\n\n{body}\n")
}

/// Returns every file below `dir` with its kind, its mode and a hash of its bytes; `.git` only where `dir` is one.
pub fn listing(dir: &Path) -> String {
    let mut text = String::new();
    let walk = WalkDir::new(dir).min_depth(1).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| entry.file_name() != ".git");
    for entry in walk {
        let entry = entry.unwrap();
        let path = entry.path();
        let mode = mode(&entry.metadata().unwrap());
        let bytes = match entry.file_type() {
            kind if kind.is_file() => std::fs::read(path).unwrap(),
            kind if kind.is_symlink() => std::fs::read_link(path).unwrap().into_os_string().into_encoded_bytes(),
            _ => Vec::new(),
        };
        let hash = sha2::Sha256::digest(&bytes);
        let shown = path.strip_prefix(dir).unwrap().display();
        writeln!(text, "{mode:o} {:02x?} {shown}", &hash[..6]).unwrap();
    }
    text
}

use sha2::Digest as _;

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

/// Windows keeps no more of a mode.
#[cfg(not(unix))]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    if metadata.permissions().readonly() { 0o444 } else { 0o644 }
}

/// Returns a canonical path as programs take it: Windows puts `\\?\` before it.
pub fn plain(path: &Path) -> PathBuf {
    path.to_str().and_then(|text| text.strip_prefix(r"\\?\")).map_or(path.to_owned(), PathBuf::from)
}

/// Returns the git directories below `root`, and the work trees that have one.
pub fn repositories(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut walk = WalkDir::new(root).into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_dir() && entry.path().join("objects").is_dir() && entry.path().join("HEAD").is_file() {
            found.push(entry.path().to_owned());
            walk.skip_current_dir();
        }
    }
    found
}

/// Returns text as it is on every machine: the world's folder is `[ROOT]`, an object id `[ID]`.
pub fn redact(root: &Path, text: &str) -> String {
    let text = text.replace(&root.display().to_string(), "[ROOT]");
    let mut redacted = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len();
        let (id, rest) = word.split_at(end);
        let is_id = id.len() >= 7 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        redacted.push_str(if is_id { "[ID]" } else { id });
        redacted.push_str(rest);
    }
    redacted
}
