//! YAML as values with their spelling and their lines, within limits that no alias can blow up.

use super::{Note, NoteKind, note};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Spanned};
use std::fmt;

/// A YAML value with scalars as they are spelled, so that `version: 1.10` does not become 1.1.
pub(super) enum Value {
    Null,
    Text(String),
    /// What YAML takes the unquoted scalar for, and its spelling.
    Scalar(&'static str, String),
    List(Vec<Value>),
    Map(Vec<(String, usize, Value)>),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "empty",
            Value::Text(_) => "text",
            Value::Scalar(kind, _) => kind,
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Reads YAML whose first line is line `first_line` of the file; with the note about the first duplicate key, if any.
pub(super) fn parse(yaml: &str, first_line: usize) -> Result<(Value, Option<Note>), Note> {
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
