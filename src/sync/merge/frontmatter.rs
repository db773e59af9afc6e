//! The three-way merge of a SKILL.md whose frontmatter is merged by top-level key.
//!
//! A line merge conflicts when two neighbouring keys change, and keys are always neighbours. So the unit here is the *block*: a
//! `key:` line with everything up to the next one. Blocks are moved as bytes and YAML is never written anew, so that what nobody
//! changed stays as it is. Only `allowed-tools` goes one level deeper, because there both sides add to one list all the time.
//! What does not split cleanly is not guessed at: [`FrontmatterMerge::Unsplittable`], and the caller merges the file as text.

mod blocks;
#[cfg(test)]
mod tests;
mod tools;

use crate::skill::frontmatter::{Split, split};
use blocks::{blocks, find, keys};
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
