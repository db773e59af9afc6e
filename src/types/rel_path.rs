//! A relative path that is safe on every system: what upstream may name, and nothing else.

use super::{Error, ErrorKind, Result};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// The longest component, in bytes: the limit of ext4, NTFS and APFS.
const COMPONENT_BYTES: usize = 255;
/// The longest path, in bytes.
const PATH_BYTES: usize = 1024;
/// The most components.
const DEPTH: usize = 32;

/// A path below some root: UTF-8, `/` between components, no component that some system could take for something
/// else. The empty path is the root itself and is written `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelPath(String);

/// The rule that a path breaks; the text is the `reason` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathRule {
    /// Empty, `.` or `..`.
    Dots,
    /// Not UTF-8.
    NotUtf8,
    /// Has a control character, a backslash, a colon, or one of `<>"|?*`.
    Character,
    /// Ends with a dot or a space.
    Trailing,
    /// Is a Windows device (`CON`, `com1`, `LPT¹`, ...), with or without an extension.
    Device,
    /// Equals `.git` for some file system.
    DotGit,
    /// A component over 255 bytes, a path over 1,024, or more than 32 deep.
    TooLong,
}

impl PathRule {
    /// Returns the sentence that says what is wrong.
    pub fn message(self) -> &'static str {
        match self {
            PathRule::Dots => "it is empty, absolute, or has a `.` or `..` component",
            PathRule::NotUtf8 => "it is not UTF-8",
            PathRule::Character => "it has a control character, a backslash, a colon, or one of < > \" | ? *",
            PathRule::Trailing => "a component ends with a dot or a space",
            PathRule::Device => "a component is the name of a Windows device",
            PathRule::DotGit => "a component equals `.git` on some file system",
            PathRule::TooLong => "a component is over 255 bytes, the path over 1,024, or more than 32 deep",
        }
    }
}

impl RelPath {
    /// The root itself.
    pub fn root() -> Self {
        RelPath::default()
    }

    /// Returns the path; `.` and the empty text are the root. A trailing `/` is accepted, as people type it.
    pub fn parse(text: &str) -> Result<Self> {
        Self::check(text).map_err(|rule| {
            Error::new(
                ErrorKind::Rejected,
                format!("`{}` cannot be used as a path: {}", super::one_line(text, 200), rule.message()),
            )
        })
    }

    /// Returns the path, or the rule that it breaks.
    pub fn check(text: &str) -> Result<Self, PathRule> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let text = text.strip_prefix("./").unwrap_or(text);
        if text.is_empty() || text == "." {
            return Ok(RelPath::root());
        }
        if text.len() > PATH_BYTES || text.split('/').count() > DEPTH {
            return Err(PathRule::TooLong);
        }
        text.split('/').try_for_each(check_component)?;
        Ok(RelPath(text.into()))
    }

    /// Returns the path of `name` in this directory, or the rule that the whole then breaks.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathRule> {
        let name = std::str::from_utf8(name).map_err(|_| PathRule::NotUtf8)?;
        check_component(name)?;
        let joined = if self.0.is_empty() { name.to_owned() } else { format!("{}/{name}", self.0) };
        if joined.len() > PATH_BYTES || joined.split('/').count() > DEPTH {
            return Err(PathRule::TooLong);
        }
        Ok(RelPath(joined))
    }

    /// Returns this path followed by `other`. Both obey the rules; only the length could be exceeded, and is not checked.
    #[must_use]
    pub fn join_path(&self, other: &RelPath) -> Self {
        match (self.0.is_empty(), other.0.is_empty()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => RelPath(format!("{}/{}", self.0, other.0)),
        }
    }

    /// Tells whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the components; the root has none.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }

    /// Returns the last component, or none for the root.
    pub fn name(&self) -> Option<&str> {
        self.components().last()
    }

    /// Returns the directory above, or none for the root.
    pub fn parent(&self) -> Option<RelPath> {
        if self.is_root() {
            return None;
        }
        Some(RelPath(self.0.rsplit_once('/').map_or(String::new(), |(above, _)| above.into())))
    }

    /// Tells whether this path is `above` or lies below it.
    pub fn is_within(&self, above: &RelPath) -> bool {
        above.is_root() || self == above || self.0.strip_prefix(&above.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns the path as people write it: `.` for the root.
    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { "." } else { &self.0 }
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for RelPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Checks one component by the rules of [`PathRule`].
pub fn check_component(name: &str) -> Result<(), PathRule> {
    if name.is_empty() || name == "." || name == ".." {
        return Err(PathRule::Dots);
    }
    if name.len() > COMPONENT_BYTES {
        return Err(PathRule::TooLong);
    }
    if name.chars().any(|c| c.is_control() || "\\:<>\"|?*".contains(c)) {
        return Err(PathRule::Character);
    }
    if equals_dot_git(name) {
        return Err(PathRule::DotGit);
    }
    if name.ends_with(['.', ' ']) {
        return Err(PathRule::Trailing);
    }
    if is_windows_device(name) {
        return Err(PathRule::Device);
    }
    Ok(())
}

/// Returns the form under which two names are one on some file system: compatibility-normalised and lowercase,
/// without the characters that HFS+ ignores.
pub fn fold_component(name: &str) -> String {
    // Nearly every name, and what normalisation leaves of it.
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.chars()
        .filter(|c| !ignored_by_hfs(*c))
        .collect::<String>()
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// `.git`, its 8.3 short name `git~1`, and what HFS+ and NTFS fold to them (git's `is_hfs_dotgit`, `is_ntfs_dotgit`).
fn equals_dot_git(name: &str) -> bool {
    let folded = fold_component(name);
    let stem = folded.trim_end_matches(['.', ' ']);
    stem == ".git" || stem == "git~1"
}

fn ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// The reserved names of Windows, superscript digits included ("Naming Files, Paths, and Namespaces").
fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_lowercase();
    if matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") {
        return true;
    }
    let digit = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let mut digit = digit.map(str::chars);
    let one = digit.as_mut().and_then(Iterator::next);
    let rest = digit.and_then(|mut rest| rest.next());
    rest.is_none() && one.is_some_and(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_some_system_would_misread_are_refused() {
        let refused = [
            ("a/../b", PathRule::Dots),
            ("/etc", PathRule::Dots),
            ("a//b", PathRule::Dots),
            ("a\\b", PathRule::Character),
            ("c:x", PathRule::Character),
            ("a\u{7}", PathRule::Character),
            ("a.", PathRule::Trailing),
            ("a /b", PathRule::Trailing),
            ("con", PathRule::Device),
            ("x/COM1.txt", PathRule::Device),
            ("lpt²", PathRule::Device),
            (".GIT/config", PathRule::DotGit),
            (".g\u{200c}it", PathRule::DotGit),
            ("git~1", PathRule::DotGit),
            (".git ", PathRule::DotGit),
        ];
        for (path, rule) in refused {
            assert_eq!(RelPath::check(path), Err(rule), "{path:?}");
        }
        assert_eq!(RelPath::check(&"a".repeat(256)), Err(PathRule::TooLong));
        assert_eq!(RelPath::check(&["a"; 33].join("/")), Err(PathRule::TooLong));
        for fine in ["a", "a/b.md", ".gitignore", ".github/x", "com", "com10", "console", "ü/ß", "a b"] {
            assert!(RelPath::check(fine).is_ok(), "{fine:?}");
        }
    }

    #[test]
    fn the_root_is_a_dot_and_joins_as_nothing() {
        let root = RelPath::parse(".").expect("root");
        assert!(root.is_root() && root.as_str() == "." && root.parent().is_none());
        let a = root.join(b"a").expect("valid");
        assert_eq!(a.as_str(), "a");
        assert_eq!(a.parent(), Some(root.clone()));
        assert!(
            a.join(b"b").expect("valid").is_within(&a)
                && a.is_within(&root)
                && !RelPath::parse("ab").expect("valid").is_within(&a)
        );
    }

    #[test]
    fn names_that_are_one_elsewhere_fold_to_one() {
        assert_eq!(fold_component("Straße"), fold_component("STRAßE"));
        assert_eq!(fold_component("e\u{301}"), fold_component("\u{e9}"));
        assert_ne!(fold_component("a"), fold_component("b"));
    }
}
