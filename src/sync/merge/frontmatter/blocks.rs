//! Splits a frontmatter into blocks, where that can be done without a doubt.

use crate::skill::frontmatter::top_level_key;

/// A top-level key, the comments directly above it, and everything up to the next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// Empty for what stands before the first key. That block is always there, mostly without bytes.
    pub(super) key: &'a str,
    pub(super) bytes: &'a [u8],
}

/// Splits a frontmatter into blocks that join up to it; None if a key stands twice or anything is not understood.
pub(super) fn blocks(yaml: &[u8]) -> Option<Vec<Block<'_>>> {
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
pub(super) fn around_value(block: &[u8]) -> (&[u8], &[u8], &[u8]) {
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

pub(super) fn keys<'a>(blocks: &[Block<'a>]) -> Vec<&'a str> {
    blocks.iter().map(|block| block.key).collect()
}

pub(super) fn find<'a>(blocks: &[Block<'a>], key: &str) -> Option<&'a [u8]> {
    blocks.iter().find(|block| block.key == key).map(|block| block.bytes)
}
