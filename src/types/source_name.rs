//! The name of a source: a file name, a branch component and a folder at once.

use super::{Error, ErrorKind, Result, check_component};
use std::borrow::Borrow;
use std::fmt;

/// A source's name: 1 to 64 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct SourceName(String);

impl SourceName {
    /// Returns the name, or an error that says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self> {
        let well_formed = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if well_formed && check_component(text).is_ok() {
            return Ok(SourceName(text.into()));
        }
        Err(Error::new(ErrorKind::Usage, format!("`{}` cannot be the name of a source", super::one_line(text, 80)))
            .hint("a source's name has 1 to 64 of a-z, 0-9, `-` and `_`, and begins with a letter or digit"))
    }

    /// Returns the name that `text` (a repository's or folder's name) becomes, or none where nothing is left of it.
    pub fn made_valid(text: &str) -> Option<Self> {
        let mut name = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' | '_' => name.push(c),
                _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
                _ => {}
            }
        }
        name.truncate(64);
        Self::parse(name.trim_matches(['-', '_'])).ok()
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// So that text is looked up as it is: a name compares as its text does.
impl Borrow<str> for SourceName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_valid_or_are_refused() {
        assert_eq!(SourceName::made_valid("Super.Powers!").expect("valid").as_str(), "super-powers");
        assert!(SourceName::made_valid("...").is_none());
        for bad in ["", "A", "-a", "a/b", "con", "a.b", "a b"] {
            assert!(SourceName::parse(bad).is_err(), "{bad}");
        }
    }
}
