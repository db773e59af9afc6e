//! The top-level fields of a frontmatter: of valid YAML, and of YAML that is read block by block because it is none.

use super::yaml::{Value, parse};
use super::{Note, NoteKind, note, top_level_key};
use std::ops::Range;

/// One top-level `key: value`.
pub(super) struct Field {
    pub(super) key: String,
    /// In the file, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// The line of the file on which the YAML starts: the one after the opening `---`.
const FIRST_LINE: usize = 2;

/// Reads the YAML in one go or, where it is invalid, block by block.
pub(super) fn fields(yaml: &str, notes: &mut Vec<Note>) -> Vec<Field> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_blocks_lose_their_quotes_and_their_header() {
        assert_eq!(rough_text("d: \"a \"b\" c\"\n"), "a \"b\" c");
        assert_eq!(rough_text("d: >-\n  a\n\n b: c\n"), "a b: c");
        assert_eq!(rough_text("d:\r\n  a: b: c\r\n"), "a: b: c");
    }
}
