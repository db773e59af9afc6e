//! Whether a listed conflict is settled. What a conflict is, the entry that lists it says (`registry::entry`).

use super::markers::{has_markers, marker_size};
use crate::git::{ObjectKind, Store};
use crate::types::Result;

pub use crate::registry::{Conflict, ConflictKind};

/// Tells whether `now`, the text at the conflict's path, still has this conflict's markers. Always false for the kinds
/// that have none.
pub fn still_conflicted(store: &Store, conflict: &Conflict, now: &[u8]) -> Result<bool> {
    if !matches!(conflict.kind, ConflictKind::Content | ConflictKind::AddAdd) {
        return Ok(false);
    }
    let mut texts = Vec::new();
    for id in [conflict.base, conflict.local, conflict.upstream].into_iter().flatten() {
        // A submodule's commit is not here, and has no text.
        if matches!(store.header(id)?, Some((ObjectKind::Blob, _))) {
            texts.push(store.blob(id)?);
        }
    }
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    Ok(has_markers(now, marker_size(&texts)))
}
