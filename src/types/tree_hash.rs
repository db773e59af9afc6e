//! The tree hash: the id that git gives a directory in a SHA-256 repository.

use super::{Error, ErrorKind, Result};
use std::fmt;

const PREFIX: &str = "git-sha256:";

/// A tree hash (DESIGN, section 1). Written `git-sha256:` and 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash([u8; 32]);

impl TreeHash {
    /// The hash of the empty tree, which an entry accepts when the skill was removed.
    pub const EMPTY: TreeHash = TreeHash([
        0x6e, 0xf1, 0x9b, 0x41, 0x22, 0x5c, 0x53, 0x69, 0xf1, 0xc1, 0x04, 0xd4, 0x5d, 0x8d, 0x85, 0xef, 0xa9, 0xb0,
        0x57, 0xb5, 0x3b, 0x14, 0xb4, 0xb9, 0xb9, 0x39, 0xdd, 0x74, 0xde, 0xcc, 0x53, 0x21,
    ]);

    /// Returns the hash made of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        TreeHash(bytes)
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the hash that `text` writes down.
    pub fn parse(text: &str) -> Result<Self> {
        let digits = text
            .strip_prefix(PREFIX)
            .filter(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        let bytes = digits.and_then(|hex| {
            let mut bytes = [0; 32];
            for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
            }
            Some(bytes)
        });
        bytes.map(TreeHash).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("`{}` is not a tree hash", super::one_line(text, 90))).hint(
                "a tree hash is `git-sha256:` and 64 hex digits: what `git write-tree` prints in a SHA-256 repository",
            )
        })
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for TreeHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let text = TreeHash::EMPTY.to_string();
        assert_eq!(TreeHash::parse(&text).expect("own output"), TreeHash::EMPTY);
        assert!(TreeHash::parse("git-sha256:00").is_err());
        assert!(TreeHash::parse(&text.replace("6e", "+e")).is_err());
    }
}
