//! What the frontmatter of a SKILL.md says.
//!
//! Less than half of the real files pass the reference validator, and every one of them must be mirrored, so reading never
//! fails: what cannot be taken at its word becomes a [`Note`], and one broken key costs only that key, because invalid YAML
//! is read again block by block. What a note is worth (error, warning, nothing) is decided in [`super::spec`].

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Spanned};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// The fields that the Agent Skills spec knows.
pub const SPEC_FIELDS: [&str; 6] = ["name", "description", "license", "compatibility", "metadata", "allowed-tools"];

/// Where the parts of a SKILL.md lie, as byte ranges that join up to the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The byte order mark; empty where there is none.
    pub bom: Range<usize>,
    /// The first `---` line, with its line ending.
    pub opening: Range<usize>,
    /// The YAML between the two lines.
    pub yaml: Range<usize>,
    /// The second `---` line, with its line ending if it has one.
    pub closing: Range<usize>,
    /// The Markdown after it.
    pub body: Range<usize>,
}

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

/// Splits a SKILL.md at its two `---` lines, which may end in spaces, a CR or both. None without a frontmatter.
pub fn split(bytes: &[u8]) -> Option<Split> {
    let bom = 0..if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let opening = bom.end..line_end(bytes, bom.end);
    if !is_delimiter(&bytes[opening.clone()]) {
        return None;
    }
    let mut at = opening.end;
    while at < bytes.len() {
        let closing = at..line_end(bytes, at);
        if is_delimiter(&bytes[closing.clone()]) {
            let (yaml, body) = (opening.end..closing.start, closing.end..bytes.len());
            return Some(Split { bom, opening, yaml, closing, body });
        }
        at = closing.end;
    }
    None
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

/// Returns the key that a line opens at column 0, and the offset of what follows its colon.
///
/// Keys are ASCII words, as all of the spec's and nearly all real ones are: a line of prose with a colon in it is none.
pub fn top_level_key(line: &[u8]) -> Option<(&str, usize)> {
    let word = line.iter().take_while(|&&b| b.is_ascii_alphanumeric() || b"_-.$/".contains(&b)).count();
    let space = line[word..].iter().take_while(|&&b| b == b' ').count();
    let colon = word + space;
    let starts = line.first().is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$');
    let ends =
        line.get(colon) == Some(&b':') && matches!(line.get(colon + 1), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
    let key = std::str::from_utf8(&line[..word]).expect("only ASCII was counted");
    (starts && ends).then_some((key, colon + 1))
}

/// Returns where the line that starts at `at` ends: after its LF, or at the end of the file.
fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |lf| at + lf + 1)
}

fn is_delimiter(line: &[u8]) -> bool {
    line.strip_prefix(b"---").is_some_and(|rest| rest.iter().all(|b| b" \t\r\n".contains(b)))
}

fn note(kind: NoteKind, line: usize, message: impl Into<String>) -> Note {
    Note { kind, key: None, line: Some(line), message: message.into() }
}

/// One top-level `key: value`.
struct Field {
    key: String,
    /// In the file, from 1.
    line: usize,
    value: Value,
}

/// A YAML value with scalars as they are spelled, so that `version: 1.10` does not become 1.1.
enum Value {
    Null,
    Text(String),
    /// What YAML takes the unquoted scalar for, and its spelling.
    Scalar(&'static str, String),
    List(Vec<Value>),
    Map(Vec<(String, usize, Value)>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Null => "empty",
            Value::Text(_) => "text",
            Value::Scalar(kind, _) => kind,
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
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

/// The line of the file on which the YAML starts: the one after the opening `---`.
const FIRST_LINE: usize = 2;

/// Reads the YAML in one go or, where it is invalid, block by block.
fn fields(yaml: &str, notes: &mut Vec<Note>) -> Vec<Field> {
    match parse(yaml, FIRST_LINE) {
        Ok((Value::Null, _)) => Vec::new(),
        Ok((Value::Map(entries), duplicate)) => {
            notes.extend(duplicate);
            entries.into_iter().map(|(key, line, value)| Field { key, line, value }).collect()
        }
        Ok((other, _)) => {
            let message = format!("the frontmatter is {}, not `key: value` pairs", other.kind());
            notes.push(note(NoteKind::NotAMapping, FIRST_LINE, message));
            Vec::new()
        }
        Err(error) => {
            notes.push(error);
            fields_of_blocks(yaml, notes)
        }
    }
}

/// Reads each top-level block by itself; one that is invalid even so is taken as `key: rest of the line`.
fn fields_of_blocks(yaml: &str, notes: &mut Vec<Note>) -> Vec<Field> {
    let mut blocks: Vec<(&str, usize, Range<usize>)> = Vec::new();
    let mut at = 0;
    for (index, line) in yaml.split_inclusive('\n').enumerate() {
        match (top_level_key(line.as_bytes()), blocks.last_mut()) {
            (Some((key, _)), _) => blocks.push((key, FIRST_LINE + index, at..at + line.len())),
            (None, Some((_, _, range))) => range.end = at + line.len(),
            (None, None) => {}
        }
        at += line.len();
    }
    let mut fields: Vec<Field> = Vec::new();
    for (key, line, range) in blocks {
        let block = &yaml[range];
        let value = match parse(block, line) {
            Ok((Value::Map(mut entries), duplicate)) if entries.len() == 1 => {
                notes.extend(duplicate);
                entries.pop().expect("its length is 1").2
            }
            _ => Value::Text(rough_text(block)),
        };
        if let Some(first) = fields.iter().find(|field| field.key == key) {
            let message = format!("`{key}` stands twice (first on line {}): the last one counts", first.line);
            notes.push(note(NoteKind::DuplicateKey, line, message));
            fields.retain(|field| field.key != key);
        }
        fields.push(Field { key: key.to_owned(), line, value });
    }
    fields
}

/// Returns the text that the author of an invalid block most likely meant.
fn rough_text(block: &str) -> String {
    let colon = top_level_key(block.as_bytes()).map_or(0, |(_, after)| after);
    let mut lines = block[colon..].lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    // A block scalar's header (`>-`, `|2`) is no text.
    let is_header = |line: &str| line.starts_with(['|', '>']) && line[1..].chars().all(|c| "+-123456789".contains(c));
    lines.next_if(|line| is_header(line));
    let text = lines.collect::<Vec<_>>().join(" ");
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text
}

/// Reads YAML whose first line is line `first_line` of the file; with the note about the first duplicate key, if any.
fn parse(yaml: &str, first_line: usize) -> Result<(Value, Option<Note>), Note> {
    if yaml.len() > MAX_YAML_BYTES {
        let message = format!("the YAML has more than {MAX_YAML_BYTES} bytes");
        return Err(note(NoteKind::InvalidYaml, first_line, message));
    }
    let (node, duplicate) = match parse_with(yaml, DuplicateKeyPolicy::Error) {
        Err(error) if is_duplicate(&error) => {
            let said = error_note(&error, first_line, NoteKind::DuplicateKey, "; the last one counts");
            (parse_with(yaml, DuplicateKeyPolicy::LastWins), Some(said))
        }
        other => (other, None),
    };
    match node {
        Ok(node) => Ok((node.into_value(yaml, first_line), duplicate)),
        Err(error) => Err(error_note(&error, first_line, NoteKind::InvalidYaml, "")),
    }
}

/// With [`MAX_REPLAYED`], bounds what aliases can blow a frontmatter up to.
const MAX_YAML_BYTES: usize = 256 * 1024;
const MAX_REPLAYED: usize = 256;

fn parse_with(yaml: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Node, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000, max_nodes: 20_000, max_depth: 32, flow_nesting_limit: 32, max_documents: 1,
            max_aliases: 100, max_anchors: 100, max_merge_keys: 100, max_total_scalar_bytes: MAX_YAML_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED, max_replay_stack_depth: 8 },
        duplicate_keys: duplicate_keys,
        // YAML 1.2: `name: on` is text. And `!!binary` is somebody else's idea of text.
        strict_booleans: true,
        ignore_binary_tag_for_string: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(yaml, options)
}

fn is_duplicate(error: &serde_saphyr::Error) -> bool {
    matches!(error.without_snippet(), serde_saphyr::Error::DuplicateMappingKey { .. })
}

fn error_note(error: &serde_saphyr::Error, first_line: usize, kind: NoteKind, suffix: &str) -> Note {
    let line = error.location().map(|location| location.line() as usize).filter(|&line| line > 0);
    let text = error.to_string();
    // The parser counts lines from the start of the YAML: the note's own line is the file's.
    let text = text.split(" at line ").next().unwrap_or(&text).lines().next().unwrap_or_default();
    // What it tells Rust programmers to set is no advice for the author of a skill.
    let text = text.split(", set DuplicateKeyPolicy").next().unwrap_or(text);
    note(kind, line.map_or(first_line, |line| first_line + line - 1), format!("{text}{suffix}"))
}

/// A YAML value with its place in the source, as the parser hands it over.
#[derive(Deserialize)]
#[serde(transparent)]
struct Node(Spanned<Untyped>);

enum Untyped {
    Null,
    Text(String),
    Scalar(&'static str, String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    fn into_value(self, yaml: &str, first_line: usize) -> Value {
        let spelled = |parsed: String| {
            let span = self.0.defined.span();
            let start = span.byte_offset().and_then(|start| usize::try_from(start).ok());
            let length = span.byte_len().and_then(|length| usize::try_from(length).ok());
            let source = start.zip(length).and_then(|(start, length)| yaml.get(start..start.checked_add(length)?));
            source.map(str::trim).filter(|text| !text.is_empty()).map_or(parsed, str::to_owned)
        };
        match self.0.value {
            Untyped::Null => Value::Null,
            Untyped::Text(text) => Value::Text(text),
            Untyped::Scalar(kind, parsed) => Value::Scalar(kind, spelled(parsed)),
            Untyped::List(items) => {
                Value::List(items.into_iter().map(|item| item.into_value(yaml, first_line)).collect())
            }
            Untyped::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let line = first_line + (key.0.referenced.line() as usize).saturating_sub(1);
                        let key = match key.into_value(yaml, first_line) {
                            Value::Text(text) | Value::Scalar(_, text) => text,
                            Value::Null => "null".to_owned(),
                            other => format!("({})", other.kind()),
                        };
                        (key, line, value.into_value(yaml, first_line))
                    })
                    .collect(),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Untyped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UntypedVisitor)
    }
}

struct UntypedVisitor;

impl<'de> Visitor<'de> for UntypedVisitor {
    type Value = Untyped;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Untyped, E> {
        Ok(Untyped::Null)
    }

    fn visit_none<E>(self) -> Result<Untyped, E> {
        Ok(Untyped::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Untyped, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Untyped, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Untyped, E> {
        Ok(Untyped::Scalar("a boolean", value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Untyped, E> {
        Ok(Untyped::Scalar("a number", value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Untyped, E> {
        Ok(Untyped::Scalar("a number", value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Untyped, E> {
        Ok(Untyped::Scalar("a number", value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Untyped, E> {
        Ok(Untyped::Scalar("a number", value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Untyped, E> {
        Ok(Untyped::Scalar("a number", value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Untyped, E> {
        Ok(Untyped::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Untyped, E> {
        Ok(Untyped::Text(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Untyped, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Untyped::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Untyped, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Untyped::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(frontmatter: &Frontmatter) -> Vec<NoteKind> {
        frontmatter.notes.iter().map(|note| note.kind).collect()
    }

    fn read_yaml(yaml: &str) -> Frontmatter {
        read(format!("---\n{yaml}\n---\nbody\n").as_bytes())
    }

    #[test]
    fn the_parts_join_up_to_the_file() {
        let file = b"\xEF\xBB\xBF--- \r\nname: a\r\n---\t\r\nbody\n---\n";
        let split = split(file).unwrap();
        assert_eq!(&file[split.bom.clone()], b"\xEF\xBB\xBF");
        assert_eq!(&file[split.opening.clone()], b"--- \r\n");
        assert_eq!(&file[split.yaml.clone()], b"name: a\r\n");
        assert_eq!(&file[split.closing.clone()], b"---\t\r\n");
        assert_eq!(&file[split.body.clone()], b"body\n---\n");
    }

    #[test]
    fn a_frontmatter_may_be_empty_and_may_end_the_file() {
        let split = split(b"---\n---").unwrap();
        assert_eq!((split.yaml, split.closing, split.body), (4..4, 4..7, 7..7));
    }

    #[test]
    fn without_both_lines_there_is_no_frontmatter() {
        for file in ["", "text", "---", "---\nname: a\n", "\n---\nname: a\n---\n", "----\n---\n", "---\nname: a\n...\n"]
        {
            assert_eq!(split(file.as_bytes()), None, "{file:?}");
            assert_eq!(kinds(&read(file.as_bytes())), [NoteKind::NoFrontmatter], "{file:?}");
        }
    }

    #[test]
    fn every_field_of_the_spec_is_read() {
        let read = read_yaml(
            "name: deploy\ndescription: >-\n  Deploys\n  things.\nlicense: MIT\ncompatibility: git\nmetadata:\n  version: \"1.4.0\"\nallowed-tools: Read Bash(git add:*)",
        );
        assert_eq!(read.notes, []);
        assert_eq!(read.name.as_deref(), Some("deploy"));
        assert_eq!(read.description.as_deref(), Some("Deploys things."));
        assert_eq!(read.license.as_deref(), Some("MIT"));
        assert_eq!(read.compatibility.as_deref(), Some("git"));
        assert_eq!(read.version.as_deref(), Some("1.4.0"));
        assert_eq!(read.allowed_tools, Some(vec!["Read".to_owned(), "Bash(git add:*)".to_owned()]));
        assert_eq!(read.lines["metadata"], 8);
        assert_eq!(read.unknown, []);
    }

    #[test]
    fn unknown_keys_are_kept_with_their_lines() {
        let read = read_yaml("name: a\nversion: 1.10\nuser-invocable: true");
        assert_eq!(read.unknown, [("version".to_owned(), 3), ("user-invocable".to_owned(), 4)]);
        assert_eq!(read.version.as_deref(), Some("1.10"));
    }

    #[test]
    fn a_top_level_version_goes_before_the_one_in_metadata() {
        let read = read_yaml("version: '2'\nmetadata:\n  version: '1'");
        assert_eq!(read.version.as_deref(), Some("2"));
    }

    #[test]
    fn scalars_that_are_no_text_are_read_as_they_are_spelled() {
        let read = read_yaml(
            "name: 0x1F\ndescription: true\nlicense: 1e3\ncompatibility: on\nmetadata:\n  version: 1.10\n  x: .nan",
        );
        assert_eq!(read.name.as_deref(), Some("0x1F"));
        assert_eq!(read.description.as_deref(), Some("true"));
        assert_eq!(read.license.as_deref(), Some("1e3"));
        assert_eq!(read.compatibility.as_deref(), Some("on"));
        assert_eq!(read.metadata["version"], "1.10");
        assert_eq!(read.metadata["x"], ".nan");
        assert_eq!(kinds(&read), [NoteKind::NotText; 5]);
    }

    #[test]
    fn an_alias_is_read_as_its_anchor_is_spelled() {
        let read = read_yaml("version: &v 1.10\nname: *v");
        assert_eq!((read.name.as_deref(), read.version.as_deref()), (Some("1.10"), Some("1.10")));
    }

    #[test]
    fn wrong_types_are_notes() {
        let read = read_yaml("name: [a]\ndescription:\n  b: c\nmetadata: text\nallowed-tools: {a: b}\nlicense:");
        assert_eq!(kinds(&read), [NoteKind::WrongType; 4]);
        assert_eq!(read.notes.iter().map(|note| note.line.unwrap()).collect::<Vec<_>>(), [2, 3, 5, 6]);
        assert_eq!((read.name, read.description, read.license, read.allowed_tools), (None, None, None, None));
        let read = read_yaml("metadata:\n  tags: [a]\n  author: me\nallowed-tools:\n  - Read\n  - [x]\n  - 1");
        assert_eq!(kinds(&read), [NoteKind::WrongType; 2]);
        assert_eq!(read.metadata, BTreeMap::from([("author".to_owned(), "me".to_owned())]));
        assert_eq!(read.allowed_tools, Some(vec!["Read".to_owned(), "1".to_owned()]));
    }

    #[test]
    fn of_duplicate_keys_the_last_one_counts() {
        let read = read_yaml("name: a\nname: b\ndescription: d");
        assert_eq!(kinds(&read), [NoteKind::DuplicateKey]);
        assert_eq!(read.notes[0].line, Some(3));
        assert_eq!((read.name.as_deref(), read.description.as_deref()), (Some("b"), Some("d")));
        assert_eq!(read.lines["name"], 3);
    }

    #[test]
    fn invalid_yaml_costs_only_the_broken_key() {
        let read =
            read_yaml("name: a\ndescription: Use when: it rains\nmetadata:\n  version: '3'\nallowed-tools:\n  - Read");
        assert_eq!(kinds(&read), [NoteKind::InvalidYaml]);
        assert_eq!(read.notes[0].line, Some(3), "{:?}", read.notes);
        assert!(!read.notes[0].message.contains("line"), "{:?}", read.notes);
        assert_eq!(read.name.as_deref(), Some("a"));
        assert_eq!(read.description.as_deref(), Some("Use when: it rains"));
        assert_eq!(read.version.as_deref(), Some("3"));
        assert_eq!(read.allowed_tools, Some(vec!["Read".to_owned()]));
        assert_eq!(read.lines["allowed-tools"], 6);
    }

    #[test]
    fn invalid_blocks_lose_their_quotes_and_their_header() {
        assert_eq!(rough_text("d: \"a \"b\" c\"\n"), "a \"b\" c");
        assert_eq!(rough_text("d: >-\n  a\n\n b: c\n"), "a b: c");
        assert_eq!(rough_text("d:\r\n  a: b: c\r\n"), "a: b: c");
    }

    #[test]
    fn duplicates_are_noticed_in_invalid_yaml_too() {
        let read = read_yaml("name: a\nname: b\ndescription: x: y");
        assert_eq!(kinds(&read), [NoteKind::DuplicateKey, NoteKind::InvalidYaml]);
        assert_eq!(read.name.as_deref(), Some("b"));
    }

    #[test]
    fn a_frontmatter_without_keys_is_a_note() {
        assert_eq!(kinds(&read_yaml("- a\n- b")), [NoteKind::NotAMapping]);
        assert_eq!(kinds(&read_yaml("just text")), [NoteKind::NotAMapping]);
        assert_eq!(kinds(&read_yaml("# only a comment")), []);
        assert_eq!(kinds(&read(b"---\n---\n")), []);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_read_lossily() {
        let read = read(b"---\nname: a\ndescription: caf\xE9\nversion: 1.10\n---\n");
        assert_eq!(kinds(&read), [NoteKind::NotUtf8, NoteKind::NotText]);
        assert_eq!(read.notes[0].line, Some(3));
        assert_eq!(read.description.as_deref(), Some("caf\u{FFFD}"));
        assert_eq!(read.version.as_deref(), Some("1.10"));
    }

    #[test]
    fn a_byte_order_mark_and_crlf_do_not_hide_the_frontmatter() {
        let read = read(b"\xEF\xBB\xBF---\r\nname: a\r\ndescription: |\r\n  x\r\n  y\r\n---\r\n");
        assert_eq!(kinds(&read), [NoteKind::ByteOrderMark]);
        assert_eq!((read.name.as_deref(), read.description.as_deref()), (Some("a"), Some("x\ny\n")));
    }

    #[test]
    fn a_yaml_bomb_is_refused() {
        let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}", level - 1);
            yaml += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "));
        }
        let read = read_yaml(&format!("name: a\n{yaml}"));
        assert!(kinds(&read).contains(&NoteKind::InvalidYaml));
        assert_eq!(read.name.as_deref(), Some("a"));
        let deep = read_yaml(&format!("name: {}", "[".repeat(100_000)));
        assert!(kinds(&deep).contains(&NoteKind::InvalidYaml));
        let scalar = format!("a: &a {}\nb: [{}]", "x".repeat(200_000), ["*a"; 2000].join(","));
        assert!(kinds(&read_yaml(&scalar)).contains(&NoteKind::InvalidYaml));
    }

    #[test]
    fn tools_are_split_outside_parentheses_only() {
        assert_eq!(tools("Read, Bash(git add:*, git rm:*) Write"), ["Read", "Bash(git add:*, git rm:*)", "Write"]);
        assert_eq!(tools(" "), Vec::<String>::new());
    }

    #[test]
    fn a_line_of_prose_opens_no_key() {
        assert_eq!(top_level_key(b"allowed-tools : x"), Some(("allowed-tools", 15)));
        assert_eq!(top_level_key(b"name:\r\n"), Some(("name", 5)));
        for line in
            ["See also: this", " name: a", "- name: a", "# name: a", "http://x", "", ":", "\"name\": a", "-a: b"]
        {
            assert_eq!(top_level_key(line.as_bytes()), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
            read(&[b"---\n", &bytes[..], b"\n---\n"].concat());
        }

        #[test]
        fn no_yaml_like_text_makes_reading_panic(yaml in "([a-c]{1,2}|[-:?#&*!|>'\"%@,{}\\[\\] \\n\\t~<é0-9.]|: |\\n  ){0,60}") {
            let read = read_yaml(&yaml);
            prop_assert!(read.notes.iter().all(|note| note.line.is_some_and(|line| line >= 1)));
        }

        #[test]
        fn a_split_is_a_partition(bytes in "(\u{FEFF})?(---|[a\\r\\n ]){0,12}") {
            if let Some(split) = split(bytes.as_bytes()) {
                prop_assert_eq!((split.bom.start, split.bom.end), (0, split.opening.start));
                prop_assert_eq!((split.opening.end, split.yaml.end), (split.yaml.start, split.closing.start));
                prop_assert_eq!((split.closing.end, split.body.end), (split.body.start, bytes.len()));
            }
        }
    }
}
