//! Merging one file: its path, its mode and its content, each three-way and on its own.

use super::conflict::{Conflict, ConflictKind};
use super::frontmatter::{self, FrontmatterMerge};
use super::marker_size;
use super::{File, Version, Versions};
use crate::git::{BStr, BString, ByteSlice as _, Mode, Oid, Place, Store, merge_text};
use crate::types::Result;

/// Texts over this many bytes are not merged line by line.
const TEXT_BYTES: u64 = 5 * 1024 * 1024;
/// How far git looks for a NUL byte before it calls a file text (`buffer_is_binary`).
const BINARY_BYTES: usize = 8000;

/// Merges files, one at a time.
pub(super) struct Merger<'a> {
    pub(super) store: &'a Store,
    pub(super) is_skill_md: fn(&BStr) -> bool,
}

impl Merger<'_> {
    /// Merges the versions of one file, as if there were no other.
    pub(super) fn merge(&self, versions: Versions<Option<Version>>) -> Result<File> {
        let Versions { base, local, upstream } = &versions;
        let mut kinds = Vec::new();
        let (path, result) = match (base, local, upstream) {
            // Git leaves the changed one and calls the renamed one modified and deleted; here they stay one file.
            (Some(base), Some(local), Some(upstream)) if is_renamed_and_replaced(base, local, upstream) => {
                kinds.push(ConflictKind::Mode);
                (local.path.clone(), Some(local.place))
            }
            (Some(base), Some(local), Some(upstream)) => {
                let path = merge_paths(base, local, upstream, &mut kinds);
                let is_skill_md = [base, local, upstream].iter().all(|v| (self.is_skill_md)(v.path.as_bstr()));
                let place = self.contents(Some(base.place), local.place, upstream.place, is_skill_md, &mut kinds)?;
                (path, Some(place))
            }
            (None, Some(local), Some(upstream)) => {
                let place = self.contents(None, local.place, upstream.place, false, &mut kinds)?;
                (local.path.clone(), Some(place))
            }
            // Deleted by one side: settled if the other left it as it was, conflicted if not, a new name included.
            (Some(base), Some(left), None) | (Some(base), None, Some(left)) => {
                let changed = left != base;
                kinds.extend(changed.then_some(ConflictKind::ModifyDelete));
                let result = local.as_ref().filter(|_| changed);
                (left.path.clone(), result.map(|local| local.place))
            }
            (None, Some(added), None) | (None, None, Some(added)) => (added.path.clone(), Some(added.place)),
            (base, None, None) => (base.as_ref().map_or(BString::default(), |base| base.path.clone()), None),
        };
        kinds.sort();
        kinds.dedup();
        let conflicts = kinds.into_iter().map(|kind| versions.conflict(&path, kind)).collect();
        let result = result.map(|place| Version { path, place });
        Ok(File { versions, result, conflicts })
    }

    /// Returns what two files added at one path make together, if they agree.
    pub(super) fn agreed(&self, local: Place, upstream: Place) -> Result<Option<Place>> {
        let mut kinds = Vec::new();
        let place = self.contents(None, local, upstream, false, &mut kinds)?;
        Ok(kinds.is_empty().then_some(place))
    }

    /// Merges mode and content (git's `handle_content_merge`). Local's stay where there is nothing between.
    fn contents(
        &self,
        base: Option<Place>,
        local: Place,
        upstream: Place,
        is_skill_md: bool,
        kinds: &mut Vec<ConflictKind>,
    ) -> Result<Place> {
        if local == upstream || base == Some(upstream) {
            return Ok(local);
        }
        if base == Some(local) {
            return Ok(upstream);
        }
        if sort_of(local.mode) != sort_of(upstream.mode) {
            kinds.push(ConflictKind::Mode);
            return Ok(local);
        }
        let base_mode = base.map(|base| base.mode);
        let mode =
            if local.mode == upstream.mode || base_mode == Some(local.mode) { upstream.mode } else { local.mode };
        if mode != upstream.mode && base_mode != Some(upstream.mode) {
            kinds.push(ConflictKind::Mode);
        }
        let base_id = base.map(|base| base.id);
        let id = if local.id == upstream.id || base_id == Some(upstream.id) {
            local.id
        } else if base_id == Some(local.id) {
            upstream.id
        } else {
            // What was something else before has no text in common with them.
            let base = base.filter(|base| sort_of(base.mode) == sort_of(local.mode)).map(|base| base.id);
            if local.mode.is_file() {
                self.texts(base, local.id, upstream.id, is_skill_md, kinds)?
            } else {
                kinds.push(if base.is_some() { ConflictKind::Content } else { ConflictKind::AddAdd });
                local.id
            }
        };
        Ok(Place { mode, id })
    }

    fn texts(
        &self,
        base_id: Option<Oid>,
        local_id: Oid,
        upstream_id: Oid,
        is_skill_md: bool,
        kinds: &mut Vec<ConflictKind>,
    ) -> Result<Oid> {
        let content = |kind| if base_id.is_some() { kind } else { ConflictKind::AddAdd };
        for id in base_id.into_iter().chain([local_id, upstream_id]) {
            if self.store.header(id)?.is_some_and(|(_, size)| size > TEXT_BYTES) {
                kinds.push(content(ConflictKind::Binary));
                return Ok(local_id);
            }
        }
        let base = base_id.map_or(Ok(Vec::new()), |id| self.store.blob(id))?;
        let (local, upstream) = (self.store.blob(local_id)?, self.store.blob(upstream_id)?);
        if [&base, &local, &upstream].into_iter().any(|bytes| is_binary(bytes)) {
            kinds.push(content(ConflictKind::Binary));
            return Ok(local_id);
        }
        let (bytes, conflicted) = merge_texts(&base, &local, &upstream, is_skill_md);
        if conflicted {
            kinds.push(content(ConflictKind::Content));
        }
        self.store.write_blob(&bytes)
    }
}

impl Versions<Option<Version>> {
    /// Returns the conflict over these versions.
    pub(super) fn conflict(&self, path: &BString, kind: ConflictKind) -> Conflict {
        let id = |version: &Option<Version>| version.as_ref().map(|version| version.place.id);
        Conflict {
            path: path.to_string(),
            kind,
            base: id(&self.base),
            local: id(&self.local),
            upstream: id(&self.upstream),
        }
    }
}

/// Tells whether git takes the content for binary.
pub(super) fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(BINARY_BYTES)].contains(&0)
}

/// Tells whether one side renamed what the other made into another sort of thing.
fn is_renamed_and_replaced(base: &Version, local: &Version, upstream: &Version) -> bool {
    let is_renamed = local.path != base.path || upstream.path != base.path;
    is_renamed && sort_of(local.place.mode) != sort_of(upstream.place.mode)
}

/// A name that only one side changed is the new one; of two new names local's stays.
fn merge_paths(base: &Version, local: &Version, upstream: &Version, kinds: &mut Vec<ConflictKind>) -> BString {
    if local.path == base.path {
        return upstream.path.clone();
    }
    if upstream.path != base.path && upstream.path != local.path {
        kinds.push(ConflictKind::Rename);
    }
    local.path.clone()
}

fn merge_texts(base: &[u8], local: &[u8], upstream: &[u8], is_skill_md: bool) -> (Vec<u8>, bool) {
    let size = marker_size(&[base, local, upstream]);
    let merge = |base: &[u8], local: &[u8], upstream: &[u8]| {
        let merged = merge_text(base, local, upstream, size);
        (merged.bytes, merged.conflicted)
    };
    if is_skill_md {
        let markers = frontmatter::Markers { size: usize::from(size) };
        match frontmatter::merge_skill_md(base, local, upstream, markers, merge) {
            FrontmatterMerge::Merged { bytes, conflicts } => return (bytes, conflicts > 0),
            FrontmatterMerge::Unsplittable => {}
        }
    }
    merge(base, local, upstream)
}

/// Files, links and submodules never merge with each other; the executable bit makes no other sort.
fn sort_of(mode: Mode) -> Mode {
    if mode == Mode::Executable { Mode::File } else { mode }
}
