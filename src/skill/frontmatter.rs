//! What the frontmatter of a SKILL.md says.
//!
//! Less than half of the real files pass the reference validator, and every one of them must be mirrored, so reading never
//! fails: what cannot be taken at its word becomes a [`Note`], and one broken key costs only that key, because invalid YAML
//! is read again block by block. What a note is worth (error, warning, nothing) is decided in [`super::spec`].

mod fields;
mod parts;
mod yaml;

pub use parts::{Split, split, top_level_key};

use fields::{Field, fields};
use std::collections::BTreeMap;
use yaml::Value;

/// The fields that the Agent Skills spec knows.
pub const SPEC_FIELDS: [&str; 6] = ["name", "description", "license", "compatibility", "metadata", "allowed-tools"];

/// What a frontmatter says, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontmatter {
    /// `name`.
    pub name: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `license`.
    pub license: Option<String>,
    /// The top-level `version`, which the spec does not know but many skills have; else `metadata.version`.
    pub version: Option<String>,
    /// `compatibility`.
    pub compatibility: Option<String>,
    /// The tools one by one, whether they were written as a list or in one string.
    pub allowed_tools: Option<Vec<String>>,
    /// The entries of `metadata` that are scalars, as text.
    pub metadata: BTreeMap<String, String>,
    /// The top-level keys that the spec does not know, with their lines, in file order.
    pub unknown: Vec<(String, usize)>,
    /// The line of each top-level key: counted from 1, in the file.
    pub lines: BTreeMap<String, usize>,
    /// What could not be taken at its word, in line order.
    pub notes: Vec<Note>,
}

/// One thing about a frontmatter that a reader may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// The top-level key that the note is about.
    pub key: Option<String>,
    /// Counted from 1, in the file.
    pub line: Option<usize>,
    /// The sentence.
    pub message: String,
}

/// What a [`Note`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// The file begins with a byte order mark.
    ByteOrderMark,
    /// The file is not UTF-8.
    NotUtf8,
    /// There is no frontmatter.
    NoFrontmatter,
    /// The frontmatter is not YAML; it was read line by line.
    InvalidYaml,
    /// Valid YAML, but no `key: value` pairs.
    NotAMapping,
    /// A key stands twice, at the top or deeper; the last one counts, as in PyYAML.
    DuplicateKey,
    /// A list or mapping where the spec wants something else; the value is dropped.
    WrongType,
    /// An unquoted number or boolean where the spec wants text; read as it is spelled.
    NotText,
}

/// Returns what the frontmatter of a SKILL.md says; whatever the bytes are, it says something.
pub fn read(bytes: &[u8]) -> Frontmatter {
    let mut notes = Vec::new();
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
        notes.push(note(NoteKind::NotUtf8, line, "the file is not UTF-8: each invalid byte is read as U+FFFD"));
    }
    let Some(split) = split(bytes) else {
        let message = match bytes.starts_with(b"---") || bytes.starts_with(b"\xEF\xBB\xBF---") {
            true => "the frontmatter has no closing `---` line",
            false => "the file does not start with a `---` line, so it has no frontmatter",
        };
        notes.push(note(NoteKind::NoFrontmatter, 1, message));
        return Frontmatter { notes, ..Frontmatter::default() };
    };
    if !split.bom.is_empty() {
        notes.push(note(NoteKind::ByteOrderMark, 1, "the file starts with a byte order mark"));
    }
    let yaml = String::from_utf8_lossy(&bytes[split.yaml]);
    let fields = fields(&yaml, &mut notes);
    let mut frontmatter = Frontmatter { notes, ..Frontmatter::default() };
    for field in fields {
        frontmatter.lines.insert(field.key.clone(), field.line);
        frontmatter.take(field);
    }
    // The one field that two places may hold: the top level wins wherever it stands.
    frontmatter.version = frontmatter.version.take().or_else(|| frontmatter.metadata.get("version").cloned());
    frontmatter.notes.sort_by_key(|note| note.line);
    frontmatter
}

/// Returns the tools of an `allowed-tools` string. Spaces and commas separate, except inside parentheses: `Bash(git add:*)` is one.
pub fn tools(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (c == ',' || c.is_whitespace())
    })
    .filter(|tool| !tool.is_empty())
    .map(str::to_owned)
    .collect()
}

fn note(kind: NoteKind, line: usize, message: impl Into<String>) -> Note {
    Note { kind, key: None, line: Some(line), message: message.into() }
}

impl Frontmatter {
    /// Puts one field where it belongs. A later field of the same name replaces the earlier one.
    fn take(&mut self, Field { key, line, value }: Field) {
        match key.as_str() {
            "name" => self.name = self.text(&key, line, value),
            "description" => self.description = self.text(&key, line, value),
            "license" => self.license = self.text(&key, line, value),
            "compatibility" => self.compatibility = self.text(&key, line, value),
            "allowed-tools" => self.allowed_tools = self.tools(line, value),
            "metadata" => self.metadata = self.map(line, value),
            _ => {
                if key == "version" {
                    self.version = self.text(&key, line, value);
                }
                self.unknown.retain(|(known, _)| *known != key);
                self.unknown.push((key, line));
            }
        }
    }

    fn text(&mut self, key: &str, line: usize, value: Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::Text(text) => Some(text),
            Value::Scalar(kind, text) => {
                self.say(
                    NoteKind::NotText,
                    key,
                    line,
                    format!("`{key}` is {kind}: quote it, so that every reader sees text"),
                );
                Some(text)
            }
            other => {
                self.say(NoteKind::WrongType, key, line, format!("`{key}` is {}, not text", other.kind()));
                None
            }
        }
    }

    fn tools(&mut self, line: usize, value: Value) -> Option<Vec<String>> {
        let key = "allowed-tools";
        match value {
            Value::Null => None,
            Value::Text(text) => Some(tools(&text)),
            Value::List(items) => {
                let mut tools = Vec::new();
                for item in items {
                    match item {
                        Value::Text(text) | Value::Scalar(_, text) => tools.push(text),
                        Value::Null => {}
                        other => {
                            let message = format!("`{key}` holds {}, not only names of tools", other.kind());
                            self.say(NoteKind::WrongType, key, line, message);
                        }
                    }
                }
                Some(tools)
            }
            Value::Scalar(_, text) => Some(tools(&text)),
            Value::Map(_) => {
                self.say(NoteKind::WrongType, key, line, format!("`{key}` is a mapping, neither text nor a list"));
                None
            }
        }
    }

    fn map(&mut self, line: usize, value: Value) -> BTreeMap<String, String> {
        let key = "metadata";
        let entries = match value {
            Value::Map(entries) => entries,
            Value::Null => Vec::new(),
            other => {
                self.say(NoteKind::WrongType, key, line, format!("`{key}` is {}, not a mapping", other.kind()));
                Vec::new()
            }
        };
        let mut map = BTreeMap::new();
        for (name, line, value) in entries {
            match value {
                Value::Text(text) => drop(map.insert(name, text)),
                Value::Null => drop(map.insert(name, String::new())),
                Value::Scalar(kind, text) => {
                    let message = format!("`{key}.{name}` is {kind}: quote it, so that every reader sees text");
                    self.say(NoteKind::NotText, key, line, message);
                    map.insert(name, text);
                }
                other => {
                    self.say(NoteKind::WrongType, key, line, format!("`{key}.{name}` is {}, not text", other.kind()));
                }
            }
        }
        map
    }

    fn say(&mut self, kind: NoteKind, key: &str, line: usize, message: String) {
        self.notes.push(Note { kind, key: Some(key.to_owned()), line: Some(line), message });
    }
}

#[cfg(test)]
mod tests;
