//! Three-way merge of text, with diff3 markers and constant labels.

use gix::bstr::ByteSlice as _;
use gix::merge::blob::Resolution;
use gix::merge::blob::builtin_driver::text as merge;
use gix::merge::blob::builtin_driver::text::{Conflict, ConflictStyle, Labels, Options};
use std::num::NonZeroU8;

/// What a text merge gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMerge {
    /// The merged text, with markers where the sides disagree.
    pub bytes: Vec<u8>,
    /// Whether there are markers.
    pub conflicted: bool,
}

/// Merges three texts as `git merge-file --diff3 --diff-algorithm=histogram` does. `marker_size` is the length of the
/// markers, 7 in git; the labels are `local`, `base` and `upstream`, so that the same inputs give the same bytes.
pub fn merge_text(base: &[u8], local: &[u8], upstream: &[u8], marker_size: u8) -> TextMerge {
    let mut bytes = Vec::new();
    let mut input = gix::diff::blob::InternedInput::default();
    let labels = Labels {
        ancestor: Some(b"base".as_bstr()),
        current: Some(b"local".as_bstr()),
        other: Some(b"upstream".as_bstr()),
    };
    let marker_size = NonZeroU8::new(marker_size).unwrap_or(NonZeroU8::MIN);
    let options = Options {
        diff_algorithm: gix::diff::blob::Algorithm::Histogram,
        conflict: Conflict::Keep { style: ConflictStyle::Diff3, marker_size },
    };
    let resolution = merge(&mut bytes, &mut input, labels, local, base, upstream, options);
    TextMerge { bytes, conflicted: resolution == Resolution::Conflict }
}
