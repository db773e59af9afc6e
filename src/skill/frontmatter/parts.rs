//! Where the parts of a SKILL.md lie, and which lines open a key: bytes only, whatever the YAML says.

use std::ops::Range;

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

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

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
        fn a_split_is_a_partition(bytes in "(\u{FEFF})?(---|[a\\r\\n ]){0,12}") {
            if let Some(split) = split(bytes.as_bytes()) {
                prop_assert_eq!((split.bom.start, split.bom.end), (0, split.opening.start));
                prop_assert_eq!((split.opening.end, split.yaml.end), (split.yaml.start, split.closing.start));
                prop_assert_eq!((split.closing.end, split.body.end), (split.body.start, bytes.len()));
            }
        }
    }
}
