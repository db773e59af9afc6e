//! How much of one file is in another, as git counts it (diffcore-delta): for renames that edit.
//!
//! Deliberately git's own arithmetic, collisions of its hash included: a different measure would pair other files.

use super::file::is_binary;
use std::cmp::Ordering;

/// A file cut into lines of at most 64 bytes: how many bytes lie in chunks of each hash, by hash.
pub(super) struct Chunks(Vec<(u32, u64)>);

/// The score of equal files.
pub(super) const FULL: f64 = 60000.0;
/// The same as a whole number.
pub(super) const SAME: u64 = 60000;
/// The score from which on a pair is a rename.
pub(super) const ENOUGH: u32 = 30000;
/// The score that a file of the same name needs to be paired before all others are compared.
pub(super) const ENOUGH_FOR_A_NAMESAKE: u32 = 45000;

impl Chunks {
    pub(super) fn of(content: &[u8]) -> Self {
        let is_text = !is_binary(content);
        let mut chunks: Vec<(u32, u64)> = Vec::new();
        let (mut one, mut two, mut length) = (0u32, 0u32, 0u64);
        for (at, byte) in content.iter().enumerate() {
            // Line endings alone make no difference.
            if is_text && *byte == b'\r' && content.get(at + 1) == Some(&b'\n') {
                continue;
            }
            let old = one;
            one = (one << 7) ^ (two >> 25);
            two = (two << 7) ^ (old >> 25);
            one = one.wrapping_add(u32::from(*byte));
            length += 1;
            if length < 64 && *byte != b'\n' {
                continue;
            }
            chunks.push((hash(one, two), length));
            (one, two, length) = (0, 0, 0);
        }
        if length > 0 {
            chunks.push((hash(one, two), length));
        }
        chunks.sort_unstable();
        chunks.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Chunks(chunks)
    }

    /// Returns how many bytes of this file are in the other one too.
    fn copied_to(&self, other: &Chunks) -> u64 {
        let (mut from, mut to) = (self.0.as_slice(), other.0.as_slice());
        let mut copied = 0;
        while let (Some((from_hash, from_count)), Some((to_hash, to_count))) = (from.first(), to.first()) {
            match from_hash.cmp(to_hash) {
                Ordering::Less => from = &from[1..],
                Ordering::Greater => to = &to[1..],
                Ordering::Equal => {
                    copied += from_count.min(to_count);
                    (from, to) = (&from[1..], &to[1..]);
                }
            }
        }
        copied
    }
}

/// Tells whether files of these sizes can be similar at all.
pub(super) fn can_be_similar(one: u64, two: u64) -> bool {
    one.max(two) >= 2 * one.abs_diff(two)
}

/// Returns the score of a pair of files, given with their sizes.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "git's arithmetic"
)]
pub(super) fn score(from: (&Chunks, u64), to: (&Chunks, u64)) -> u32 {
    let copied = from.0.copied_to(to.0);
    if to.1 == 0 { 0 } else { (copied as f64 * FULL / from.1.max(to.1) as f64) as u32 }
}

fn hash(one: u32, two: u32) -> u32 {
    one.wrapping_add(two.wrapping_mul(0x61)) % 107_927
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_file_is_enough_and_line_endings_do_not_count() {
        let of =
            |one: &[u8], two: &[u8]| score((&Chunks::of(one), one.len() as u64), (&Chunks::of(two), two.len() as u64));
        assert_eq!(of(b"a\nb\n", b"a\nc\n"), ENOUGH);
        assert_eq!(of(b"a\nb\n", b"b\na\n"), 60000);
        assert_eq!(of(b"a\r\nb\r\n", b"a\nb\n"), 40000);
        assert_eq!(of(b"a", b"b"), 0);
        assert!(can_be_similar(10, 20) && !can_be_similar(10, 21));
    }
}
