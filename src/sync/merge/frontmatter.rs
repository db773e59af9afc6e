//! The three-way merge of a SKILL.md whose frontmatter is merged by top-level key.
//!
//! A line merge conflicts when two neighbouring keys change, and keys are always neighbours. So the unit here is the *block*: a
//! `key:` line with everything up to the next one. Blocks are moved as bytes and YAML is never written anew, so that what nobody
//! changed stays as it is. Only `allowed-tools` goes one level deeper, because there both sides add to one list all the time.
//! What does not split cleanly is not guessed at: [`FrontmatterMerge::Unsplittable`], and the caller merges the file as text.

use crate::skill::frontmatter::{Split, split, top_level_key};
use std::borrow::Cow;

/// The form of the conflict markers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Markers {
    /// How many characters long: 7 in git.
    pub size: usize,
}

/// What became of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrontmatterMerge {
    /// Some side has no frontmatter, or one whose keys cannot be told apart although both sides changed it.
    Unsplittable,
    /// The merged file. `conflicts` counts the blocks with markers, and one for a conflicted body.
    Merged { bytes: Vec<u8>, conflicts: usize },
}

/// Merges a SKILL.md; `merge_body` is asked only for a body that both sides changed differently, and says whether it conflicts.
pub fn merge_skill_md(
    base: &[u8],
    local: &[u8],
    upstream: &[u8],
    markers: Markers,
    merge_body: impl FnOnce(&[u8], &[u8], &[u8]) -> (Vec<u8>, bool),
) -> FrontmatterMerge {
    let (Some(base), Some(local), Some(upstream)) = (Parts::of(base), Parts::of(local), Parts::of(upstream)) else {
        return FrontmatterMerge::Unsplittable;
    };
    let (yaml, mut conflicts) = match unchanged(base.yaml, local.yaml, upstream.yaml) {
        Some(side) => (Cow::Borrowed(side), 0),
        None => match merge_yaml(&base, &local, &upstream, markers) {
            Some((bytes, conflicts)) => (Cow::Owned(bytes), conflicts),
            None => return FrontmatterMerge::Unsplittable,
        },
    };
    let (body, body_conflicts) = match unchanged(base.body, local.body, upstream.body) {
        Some(side) => (Cow::Borrowed(side), false),
        None => {
            let (bytes, conflicts) = merge_body(base.body, local.body, upstream.body);
            (Cow::Owned(bytes), conflicts)
        }
    };
    conflicts += usize::from(body_conflicts);
    let either = |base, local, upstream| unchanged(base, local, upstream).unwrap_or(local);
    let mut closing = either(base.closing, local.closing, upstream.closing);
    if !body.is_empty() && !closing.ends_with(b"\n") {
        // A side that cut the body off may have cut the line ending before it too.
        let whole = [local.closing, upstream.closing, base.closing].into_iter().find(|line| line.ends_with(b"\n"));
        closing = whole.expect("some side has a body, and above it a whole line");
    }
    let bom = either(base.bom, local.bom, upstream.bom);
    let opening = either(base.opening, local.opening, upstream.opening);
    FrontmatterMerge::Merged { bytes: [bom, opening, &yaml, closing, &body].concat(), conflicts }
}

/// The bytes of a file, part by part.
struct Parts<'a> {
    bom: &'a [u8],
    opening: &'a [u8],
    yaml: &'a [u8],
    closing: &'a [u8],
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(file: &'a [u8]) -> Option<Self> {
        let Split { bom, opening, yaml, closing, body } = split(file)?;
        Some(Parts {
            bom: &file[bom],
            opening: &file[opening],
            yaml: &file[yaml],
            closing: &file[closing],
            body: &file[body],
        })
    }
}

/// Returns the side to take where at most one side changed, or both did the same.
fn unchanged<T: PartialEq>(base: T, local: T, upstream: T) -> Option<T> {
    if base == local {
        Some(upstream)
    } else if base == upstream || local == upstream {
        Some(local)
    } else {
        None
    }
}

/// A top-level key, the comments directly above it, and everything up to the next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block<'a> {
    /// Empty for what stands before the first key. That block is always there, mostly without bytes.
    key: &'a str,
    bytes: &'a [u8],
}

/// Splits a frontmatter into blocks that join up to it; None if a key stands twice or anything is not understood.
fn blocks(yaml: &[u8]) -> Option<Vec<Block<'_>>> {
    // To YAML a lone CR ends a line, to all that shows or merges text it does not.
    if yaml.windows(2).any(|pair| pair[0] == b'\r' && pair[1] != b'\n') {
        return None;
    }
    // (key, start); a block ends where the next one starts.
    let mut starts = vec![("", 0)];
    let mut at = 0;
    let mut comments_from = None;
    for line in yaml.split_inclusive(|&b| b == b'\n') {
        if let Some((key, _)) = top_level_key(line) {
            if starts.iter().any(|&(known, _)| known == key) {
                return None;
            }
            starts.push((key, comments_from.unwrap_or(at)));
        } else if !continues_a_block(line, starts.len() > 1) {
            return None;
        }
        comments_from = line.starts_with(b"#").then(|| comments_from.unwrap_or(at));
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|&(_, start)| start).chain([yaml.len()]);
    let blocks: Vec<_> =
        starts.iter().zip(ends).map(|(&(key, start), end)| Block { key, bytes: &yaml[start..end] }).collect();
    // A quote or bracket that stays open would make a block of what is text.
    blocks.iter().skip(1).all(|block| value_is_closed(block.bytes)).then_some(blocks)
}

/// Returns whether a line that opens no key may stand in a block.
fn continues_a_block(line: &[u8], after_a_key: bool) -> bool {
    match line.first() {
        None | Some(b'#' | b'\r' | b'\n') => true,
        // A list may stand at column 0 below its key, and so does many a closing bracket.
        Some(b'-') => after_a_key && matches!(line.get(1), Some(b' ' | b'\t' | b'\r' | b'\n')),
        Some(b' ' | b'\t' | b']' | b'}') => after_a_key || line.trim_ascii().is_empty(),
        Some(_) => false,
    }
}

/// Returns whether the quotes and brackets that a block's value starts with are closed within the block.
fn value_is_closed(block: &[u8]) -> bool {
    let (_, value, _) = around_value(block);
    let value = value.trim_ascii();
    match value.first() {
        // What an anchor, alias or tag stands for may lie in another block, and that one may come from the other side.
        Some(b'&' | b'*' | b'!') => false,
        Some(b'"' | b'\'' | b'[' | b'{') => is_closed(value),
        _ => true,
    }
}

/// Returns whether a value in quotes or brackets ends in itself, but for a comment.
fn is_closed(value: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut at = 0;
    while at < value.len() {
        let before = if at == 0 { b' ' } else { value[at - 1] };
        match (quote, value[at]) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(b'\''), b'\'') if value.get(at + 1) == Some(&b'\'') => at += 1,
            (Some(open), b) if open == b => quote = None,
            (Some(_), _) => {}
            // Inside a plain scalar a quote is a letter: `[don't]`.
            (None, b @ (b'"' | b'\'')) if b" \t\r\n[{,:".contains(&before) => quote = Some(b),
            (None, b'[' | b'{') => depth += 1,
            (None, b']' | b'}') => depth = depth.saturating_sub(1),
            (None, b'#') if b" \t\r\n".contains(&before) => {
                at += value[at..].iter().position(|&b| b == b'\n').unwrap_or(value.len());
            }
            _ => {}
        }
        at += 1;
        if quote.is_none() && depth == 0 {
            let rest = value.get(at..).unwrap_or_default();
            return rest.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).all(|line| line.is_empty() || line[0] == b'#');
        }
    }
    false
}

/// Splits a block into the comments and the key with its colon, the value, and the blank and comment lines at its end.
fn around_value(block: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let mut start = 0;
    for line in block.split_inclusive(|&b| b == b'\n') {
        if let Some((_, after_colon)) = top_level_key(line) {
            start += after_colon;
            break;
        }
        start += line.len();
    }
    let mut end = block.len();
    for line in block[start..].split_inclusive(|&b| b == b'\n').skip(1).collect::<Vec<_>>().into_iter().rev() {
        let text = line.trim_ascii();
        if !text.is_empty() && text[0] != b'#' {
            break;
        }
        end -= line.len();
    }
    (&block[..start], &block[start..end], &block[end..])
}

/// Merges two frontmatters block by block; None if they do not split into blocks.
fn merge_yaml(base: &Parts, local: &Parts, upstream: &Parts, markers: Markers) -> Option<(Vec<u8>, usize)> {
    // The file's own line ending, for the markers.
    let line_ending = if local.opening.ends_with(b"\r\n") { "\r\n" } else { "\n" };
    let (base, local, upstream) = (blocks(base.yaml)?, blocks(local.yaml)?, blocks(upstream.yaml)?);
    let mut merged = Vec::new();
    let mut conflicts = 0;
    for key in merged_order(&keys(&base), &keys(&local), &keys(&upstream)) {
        let sides @ [base, local, upstream] = [find(&base, key), find(&local, key), find(&upstream, key)];
        match merge_block(key, base, local, upstream) {
            Some(bytes) => merged.extend_from_slice(&bytes),
            None => {
                conflicts += 1;
                write_conflict(&mut merged, sides, markers, line_ending);
            }
        }
    }
    Some((merged, conflicts))
}

fn keys<'a>(blocks: &[Block<'a>]) -> Vec<&'a str> {
    blocks.iter().map(|block| block.key).collect()
}

fn find<'a>(blocks: &[Block<'a>], key: &str) -> Option<&'a [u8]> {
    blocks.iter().find(|block| block.key == key).map(|block| block.bytes)
}

/// Returns all keys of local and upstream in the order of the merged file.
fn merged_order<'a>(base: &[&'a str], local: &[&'a str], upstream: &[&'a str]) -> Vec<&'a str> {
    let shared = |of: &[&'a str], with: &[&'a str]| -> Vec<&'a str> {
        of.iter().copied().filter(|key| with.contains(key)).collect()
    };
    // Who moved keys about decides, and local where both did.
    let local_kept_order = shared(local, base) == shared(base, local);
    let upstream_kept_order = shared(upstream, base) == shared(base, upstream);
    let (first, second) = if local_kept_order && !upstream_kept_order { (upstream, local) } else { (local, upstream) };
    let mut order = first.to_vec();
    let mut after = 0;
    for key in second {
        // Every key before this one in `second` is in place already, so this one goes right behind its predecessor.
        after = match order.iter().position(|known| known == key) {
            Some(known) => known + 1,
            None => {
                order.insert(after, key);
                after + 1
            }
        };
    }
    order
}

/// Returns the merged bytes of one block, none for a deleted one; None for a conflict.
fn merge_block<'a>(
    key: &str,
    base: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    upstream: Option<&'a [u8]>,
) -> Option<Cow<'a, [u8]>> {
    if let Some(side) = unchanged(base, local, upstream) {
        return Some(Cow::Borrowed(side.unwrap_or_default()));
    }
    let (local, upstream) = (local?, upstream?);
    // Where one side only converted line endings, the side with something to say goes first.
    let same_text = |a: &[u8], b: &[u8]| without_cr(a) == without_cr(b);
    if same_text(local, upstream) || base.is_some_and(|base| same_text(base, upstream)) {
        return Some(Cow::Borrowed(local));
    }
    if base.is_some_and(|base| same_text(base, local)) {
        return Some(Cow::Borrowed(upstream));
    }
    (key == "allowed-tools").then(|| tools::merge(base, local, upstream))?.map(Cow::Owned)
}

/// Returns a text as it is with LF line endings, for comparing only.
fn without_cr(text: &[u8]) -> Vec<&[u8]> {
    text.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
}

/// Writes a block in diff3 layout. Every block ends in a line ending, since the closing `---` follows.
fn write_conflict(out: &mut Vec<u8>, sides: [Option<&[u8]>; 3], markers: Markers, line_ending: &str) {
    let [base, local, upstream] = sides.map(Option::unwrap_or_default);
    let mut marker = |sign: &str, label: &str, text: &[u8]| {
        let space = if label.is_empty() { "" } else { " " };
        out.extend_from_slice(format!("{}{space}{label}{line_ending}", sign.repeat(markers.size)).as_bytes());
        out.extend_from_slice(text);
    };
    marker("<", "local", local);
    marker("|", "base", base);
    marker("=", "", upstream);
    marker(">", "upstream", b"");
}

mod tools;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARKERS: Markers = Markers { size: 7 };

    /// A body merge that always conflicts.
    fn conflicted_body(_: &[u8], _: &[u8], _: &[u8]) -> (Vec<u8>, bool) {
        (b"<conflict>\n".to_vec(), true)
    }

    fn merge(base: &str, local: &str, upstream: &str) -> Option<(String, usize)> {
        match merge_skill_md(base.as_bytes(), local.as_bytes(), upstream.as_bytes(), MARKERS, conflicted_body) {
            FrontmatterMerge::Unsplittable => None,
            FrontmatterMerge::Merged { bytes, conflicts } => Some((String::from_utf8(bytes).unwrap(), conflicts)),
        }
    }

    /// Merges frontmatters below one body, and takes the lines around the merged one away again.
    fn merge_yamls(base: &str, local: &str, upstream: &str) -> Option<(String, usize)> {
        let file = |yaml| format!("---\n{yaml}---\nbody\n");
        let (file, conflicts) = merge(&file(base), &file(local), &file(upstream))?;
        Some((file.strip_prefix("---\n").unwrap().strip_suffix("---\nbody\n").unwrap().to_owned(), conflicts))
    }

    fn clean(yaml: &str) -> Option<(String, usize)> {
        Some((yaml.to_owned(), 0))
    }

    #[test]
    fn neighbouring_keys_changed_on_two_sides_merge() {
        let merged = merge_yamls("name: a\ndescription: b\n", "name: x\ndescription: b\n", "name: a\ndescription: y\n");
        assert_eq!(merged, clean("name: x\ndescription: y\n"));
    }

    #[test]
    fn a_key_changed_on_both_sides_is_a_conflict_in_diff3_layout() {
        let (merged, conflicts) = merge_yamls("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 3\nb: 2\n").unwrap();
        assert_eq!(conflicts, 1);
        assert_eq!(merged, "<<<<<<< local\na: 2\n||||||| base\na: 1\n=======\na: 3\n>>>>>>> upstream\nb: 2\n");
    }

    #[test]
    fn markers_have_the_length_and_the_line_ending_asked_for() {
        let file = |yaml: &str| format!("---\r\n{yaml}\r\n---\r\n").into_bytes();
        let merged = merge_skill_md(&file("a: 1"), &file("a: 2"), &file("a: 3"), Markers { size: 3 }, conflicted_body);
        let expected =
            b"---\r\n<<< local\r\na: 2\r\n||| base\r\na: 1\r\n===\r\na: 3\r\n>>> upstream\r\n---\r\n".to_vec();
        assert_eq!(merged, FrontmatterMerge::Merged { bytes: expected, conflicts: 1 });
    }

    #[test]
    fn a_key_deleted_on_one_side_goes_unless_the_other_changed_it() {
        assert_eq!(merge_yamls("a: 1\nb: 1\nc: 1\n", "a: 1\nc: 1\n", "a: 1\nb: 1\nc: 2\n"), clean("a: 1\nc: 2\n"));
        assert_eq!(merge_yamls("a: 1\nb: 1\nc: 1\n", "a: 1\nb: 1\nc: 2\n", "a: 1\nc: 1\n"), clean("a: 1\nc: 2\n"));
        let (merged, conflicts) = merge_yamls("a: 1\nb: 1\n", "a: 1\n", "a: 1\nb: 2\n").unwrap();
        assert_eq!(conflicts, 1);
        assert_eq!(merged, "a: 1\n<<<<<<< local\n||||||| base\nb: 1\n=======\nb: 2\n>>>>>>> upstream\n");
        assert_eq!(merge_yamls("a: 1\nb: 1\n", "a: 1\nb: 2\n", "a: 1\n").unwrap().1, 1);
    }

    #[test]
    fn an_added_key_stands_behind_the_key_it_follows() {
        assert_eq!(
            merge_yamls("a: 1\nb: 1\n", "l: 1\na: 1\nb: 1\nm: 1\n", "a: 1\nu: 1\nv: 1\nb: 1\nw: 1\n"),
            clean("l: 1\na: 1\nu: 1\nv: 1\nb: 1\nw: 1\nm: 1\n")
        );
        assert_eq!(merge_yamls("a: 1\n", "a: 2\n", "u: 1\na: 1\n"), clean("u: 1\na: 2\n"));
        assert_eq!(merge_yamls("", "a: 1\n", "b: 1\n").unwrap().1, 0);
        assert_eq!(merge_yamls("", "a: 1\n", "a: 2\n").unwrap().1, 1);
    }

    #[test]
    fn the_side_that_moved_keys_decides_their_order() {
        assert_eq!(
            merge_yamls("a: 1\nb: 1\n", "a: 2\nx: 1\nb: 1\n", "b: 1\na: 1\ny: 1\n"),
            clean("b: 1\na: 2\nx: 1\ny: 1\n")
        );
        assert_eq!(merge_yamls("a: 1\nb: 1\n", "b: 1\na: 1\n", "a: 2\nb: 1\ny: 1\n"), clean("b: 1\ny: 1\na: 2\n"));
    }

    #[test]
    fn comments_above_a_key_and_the_lines_below_it_are_its_own() {
        let base = "# top\n\n# on a\na: 1\n\n# on b\nb: >\n  text\n\n  more\n";
        assert_eq!(
            blocks(base.as_bytes()).unwrap().iter().map(|block| block.bytes).collect::<Vec<_>>(),
            [&b"# top\n\n"[..], b"# on a\na: 1\n\n", b"# on b\nb: >\n  text\n\n  more\n"]
        );
        let local = "# TOP\n\na: 1\n\n# on b\nb: >\n  text\n\n  more\n";
        let upstream = "# top\n\n# on a\na: 1\n\n# on B\nb: >\n  text\n\n  more\n";
        assert_eq!(merge_yamls(base, local, upstream), clean("# TOP\n\na: 1\n\n# on B\nb: >\n  text\n\n  more\n"));
    }

    #[test]
    fn what_is_not_understood_is_unsplittable_but_only_if_both_sides_changed_it() {
        for yaml in [
            "a: 1\na: 2\n",
            "just text\n",
            "\"a\": 1\n",
            "{a: 1}\n",
            "? a\n",
            "- a\n",
            "  a: 1\n",
            "a: &x 1\n",
            "a: \"open\nb: still a\"\n",
            "a: 'it''s\nb: x'\n",
            "a: [x,\ny: z]\n",
            "a: {x: y,\nb: z}\n",
            "...\n",
            "a: 1\rb: 1\n",
            "\rb: 1\n",
        ] {
            assert_eq!(merge_yamls(yaml, &format!("{yaml}x: 1\n"), &format!("{yaml}y: 1\n")), None, "{yaml:?}");
            assert_eq!(merge_yamls(yaml, yaml, "u: 1\n"), clean("u: 1\n"), "{yaml:?}");
        }
        assert_eq!(merge("---\na: 1\n---\n", "no frontmatter", "---\na: 1\n---\n"), None);
    }

    #[test]
    fn values_that_are_closed_in_their_block_split() {
        for yaml in [
            "a: \"x: \\\" y\" # \"\nb: 1\n",
            "a: 'it''s'\nb: 1\n",
            "a: [x, \"]\", don't]\nb: 1\n",
            "a: [\n  x, # ]\n]\nb: 1\n",
            "a:\n- x\n- y\nb: 1\n",
            "a: it's \"so\" [\nb: 1\n",
            "a: \"over\n  lines\"\n\nb: 1\n",
        ] {
            assert_eq!(blocks(yaml.as_bytes()).map(|blocks| keys(&blocks)), Some(vec!["", "a", "b"]), "{yaml:?}");
        }
    }

    #[test]
    fn delimiters_and_byte_order_mark_come_from_the_side_that_changed_them() {
        let merged = merge("---\na: 1\n---\nx\n", "\u{FEFF}---\na: 1\n--- \nx\n", "---  \na: 2\n---\nx\n");
        assert_eq!(merged, Some(("\u{FEFF}---  \na: 2\n--- \nx\n".to_owned(), 0)));
    }

    #[test]
    fn a_closing_line_above_a_body_is_a_whole_line() {
        let merged = merge("---\na: 1\n---\nx\n", "---\na: 1\n---", "---\na: 1\n---\ny\n");
        assert_eq!(merged, Some(("---\na: 1\n---\n<conflict>\n".to_owned(), 1)));
        let merged = merge("---\na: 1\n---", "---\na: 2\n---", "---\na: 1\n---\ny\n");
        assert_eq!(merged, Some(("---\na: 2\n---\ny\n".to_owned(), 0)));
    }

    #[test]
    fn converted_line_endings_alone_do_not_conflict() {
        let base = "a: 1\nb: 1\n";
        assert_eq!(merge_yamls(base, "a: 1\r\nb: 1\r\n", "a: 1\nb: 2\n"), clean("a: 1\r\nb: 2\n"));
        assert_eq!(merge_yamls(base, "a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n"), clean("a: 1\r\nb: 2\n"));
        assert_eq!(merge_yamls(base, "a: 1\r\nb: 2\r\n", "a: 1\nb: 3\n").unwrap().1, 1);
    }

    #[test]
    fn allowed_tools_merge_tool_by_tool_in_locals_style() {
        for (base, local, upstream, merged) in [
            ("Read Write", "Read Write Bash(git add:*)", "Read Glob", "Read Bash(git add:*) Glob"),
            ("Read, Write", "Read, Write, Bash", "Read, Write, Grep", "Read, Write, Bash, Grep"),
            ("Read,Write", "Write", "Read,Write,Grep", "Write,Grep"),
            ("\"Read\"", "\"Read Bash(a: b)\"", "Read Grep", "\"Read Bash(a: b) Grep\""),
            ("[Read]", "[\"Read\", \"X\"]", "[Read, Y]", "[\"Read\", \"X\", \"Y\"]"),
            ("[Read]", "[Read, X]", "Read Bash(a, b)", "[Read, X, \"Bash(a, b)\"]"),
            ("Read", "\n  - Read\n  - X", "[Read, 'Y(a: b)']", "\n  - Read\n  - X\n  - \"Y(a: b)\""),
            ("\n- Read\n- Write", "\n- Write", "\n- Read\n- Grep", "\n- Grep"),
            ("\n  - Read\n  - Write", "\n  - Read", "\n  - Write", " []"),
            ("[Read, Write]", "[Read, Write, X]", "[\n  Read,\n  Y,\n]", "[Read, X, Y]"),
            ("Read Write", "Write Read", "Read, Write", "Write Read"),
            ("Read", "Read X", "Read X", "Read X"),
        ] {
            let yaml = |tools: &str| match tools.starts_with(['\n', ' ']) {
                true => format!("allowed-tools:{tools}\n"),
                false => format!("allowed-tools: {tools}\n"),
            };
            assert_eq!(merge_yamls(&yaml(base), &yaml(local), &yaml(upstream)), clean(&yaml(merged)), "{local:?}");
        }
        assert_eq!(merge_yamls("", "allowed-tools: A\n", "allowed-tools: [B, A, B]\n"), clean("allowed-tools: A B\n"));
    }

    #[test]
    fn comments_and_blank_lines_around_tools_merge_too() {
        assert_eq!(
            merge_yamls("# c\nallowed-tools: A\n", "allowed-tools: A B\n", "# c\nallowed-tools: A C\n\n# end\n"),
            clean("allowed-tools: A B C\n\n# end\n")
        );
    }

    #[test]
    fn tools_that_cannot_be_told_apart_are_a_conflict() {
        for (base, local, upstream) in [
            ("A", "A, B C", "A D"),
            ("A", "A Bash(x", "A D"),
            ("A", "A # safe", "A D"),
            ("A", ">-\n  A B", "A D"),
            ("A", "\"A \\\"B\"", "A D"),
            ("[A]", "[\n  A,\n  B\n  ]", "[A, D]"),
            ("[A]", "[A, [B]]", "[A, D]"),
            ("A", "", "A D"),
            ("A", "A B", "{D: E}"),
            ("A", "A\n  B", "A D"),
            ("A", "\n  - A\n  - B # safe", "A D"),
        ] {
            let yaml = |tools: &str| format!("allowed-tools: {tools}\n");
            let merged = merge_yamls(&yaml(base), &yaml(local), &yaml(upstream));
            assert_eq!(merged.map(|(_, conflicts)| conflicts), Some(1), "{local:?}");
        }
    }

    #[test]
    fn the_body_is_merged_only_when_both_sides_changed_it() {
        assert_eq!(
            merge("---\n---\na\n", "---\n---\nb\n", "---\n---\nc\n"),
            Some(("---\n---\n<conflict>\n".to_owned(), 1))
        );
        assert_eq!(merge("---\n---\na\n", "---\n---\nb\n", "---\n---\na\n"), Some(("---\n---\nb\n".to_owned(), 0)));
    }

    /// A frontmatter of blocks in any order, with values, comments and line endings that differ.
    fn any_yaml() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            "[a-c]",
            Just("\"x: y\"".to_owned()),
            Just(">\n  text\n\n  more".to_owned()),
            Just("\n- x\n- y".to_owned()),
            Just("[x,\n  y]".to_owned()),
        ];
        let around = (
            prop_oneof![4 => Just(""), 1 => Just("# c\n"), 1 => Just("# d\n")],
            prop_oneof![4 => Just(""), 1 => Just("\n")],
        );
        let block = (prop::sample::select(vec!["k", "l", "m", "name", "description"]), value, around);
        (proptest::collection::vec(block, 0..5), prop::bool::weighted(0.2)).prop_map(|(blocks, crlf)| {
            let mut seen = Vec::new();
            let mut yaml = String::new();
            for (key, value, (above, below)) in blocks {
                if !seen.contains(&key) {
                    seen.push(key);
                    yaml += &format!("{above}{key}: {value}\n{below}");
                }
            }
            if crlf { yaml.replace('\n', "\r\n") } else { yaml }
        })
    }

    fn any_file() -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec!["---\n", "--- \n", "---\r\n"]);
        (prop::sample::select(vec!["", "\u{FEFF}"]), line.clone(), any_yaml(), line, "([ab]\n){0,3}")
            .prop_map(|(bom, opening, yaml, closing, body)| format!("{bom}{opening}{yaml}{closing}{body}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn whoever_changed_alone_gets_all_of_it(b in any_file(), x in any_file()) {
            prop_assert_eq!(merge(&b, &b, &x), Some((x.clone(), 0)));
            prop_assert_eq!(merge(&b, &x, &b), Some((x.clone(), 0)));
            prop_assert_eq!(merge(&b, &x, &x), Some((x.clone(), 0)));
        }

        #[test]
        fn these_frontmatters_split_and_join_up(yaml in any_yaml()) {
            let joined: Vec<u8> = blocks(yaml.as_bytes()).unwrap().iter().flat_map(|block| block.bytes.to_vec()).collect();
            prop_assert_eq!(joined, yaml.into_bytes());
        }

        #[test]
        fn a_clean_merge_keeps_every_line_that_one_side_added(b in any_yaml(), l in any_yaml(), u in any_yaml()) {
            let (merged, conflicts) = merge_yamls(&b, &l, &u).unwrap();
            if conflicts == 0 {
                let has = |text: &str, line: &str| text.lines().any(|other| other == line);
                for line in l.lines().chain(u.lines()).filter(|line| !has(&b, line)) {
                    prop_assert!(has(&merged, line), "{:?} is missing in {:?}", line, merged);
                }
            }
        }

        #[test]
        fn a_clean_merge_has_each_key_once_and_splits_again(b in any_yaml(), l in any_yaml(), u in any_yaml()) {
            let (merged, conflicts) = merge_yamls(&b, &l, &u).unwrap();
            if conflicts == 0 {
                let merged = blocks(merged.as_bytes()).expect("blocks join up to blocks");
                for key in keys(&merged) {
                    prop_assert!(keys(&blocks(l.as_bytes()).unwrap()).contains(&key) || keys(&blocks(u.as_bytes()).unwrap()).contains(&key));
                }
            }
        }

        #[test]
        fn a_body_change_and_a_frontmatter_change_never_conflict(y1 in any_yaml(), y2 in any_yaml(), b1 in "([ab]\n){0,3}", b2 in "([ab]\n){0,3}") {
            let file = |yaml: &str, body: &str| format!("---\n{yaml}---\n{body}");
            let expected = Some((file(&y2, &b2), 0));
            prop_assert_eq!(merge(&file(&y1, &b1), &file(&y2, &b1), &file(&y1, &b2)), expected.clone());
            prop_assert_eq!(merge(&file(&y1, &b1), &file(&y1, &b2), &file(&y2, &b1)), expected);
        }

        #[test]
        fn tools_are_a_set(
            b in proptest::collection::btree_set(prop::sample::select(vec!["A", "B(x y)", "C", "D:*", "E(a, b)"]), 1..5),
            l in proptest::collection::btree_set(prop::sample::select(vec!["A", "B(x y)", "C", "D:*", "E(a, b)"]), 1..5),
            u in proptest::collection::btree_set(prop::sample::select(vec!["A", "B(x y)", "C", "D:*", "E(a, b)"]), 1..5),
            styles in [0_usize..5, 0_usize..5, 0_usize..5],
        ) {
            let write = |tools: &std::collections::BTreeSet<&str>, style| {
                let tools: Vec<_> = tools.iter().copied().collect();
                let quoted: Vec<_> = tools.iter().map(|tool| format!("'{tool}'")).collect();
                match style {
                    0 => format!("allowed-tools: {}\n", tools.join(" ")),
                    1 => format!("allowed-tools: '{}'\n", tools.join(", ")),
                    2 => format!("allowed-tools: [{}]\n", quoted.join(", ")),
                    3 => format!("allowed-tools:\n  - {}\n", quoted.join("\n  - ")),
                    _ => format!("allowed-tools:\r\n- {}\r\n", tools.join("\r\n- ")),
                }
            };
            let (merged, conflicts) = merge_yamls(&write(&b, styles[0]), &write(&l, styles[1]), &write(&u, styles[2])).unwrap();
            prop_assert_eq!(conflicts, 0);
            let read = crate::skill::frontmatter::read(format!("---\n{merged}---\n").as_bytes());
            prop_assert_eq!(&read.notes, &[]);
            let mut found = read.allowed_tools.unwrap();
            found.sort();
            let expected: Vec<_> = l.iter().chain(&u).filter(|tool| (l.contains(*tool) && u.contains(*tool)) || !b.contains(*tool))
                .copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn no_bytes_make_a_merge_panic(sides in proptest::array::uniform3("(a|b|allowed-tools|: |:|\n|- |  |\"|'|\\[|\\]|#|,|\\(|\\)|\\\\|é|\r){0,30}")) {
            let [b, l, u] = sides.map(|yaml| format!("---\n{yaml}\n---\n"));
            merge(&b, &l, &u);
        }
    }
}
