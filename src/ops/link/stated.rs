//! What an upstream state says of a skill beside its own files: its plugin's version, and the licence files that cover it. As
//! `add` would have recorded them then.

use crate::git::{Changes, Mode, Oid, Place, Store, entry_at, with_changes};
use crate::registry::{SourceFile, State};
use crate::skill::{SKILL_MD, frontmatter, license};
use crate::source::{Snapshot, licenses, plugin, recorded_licenses};
use crate::types::{RelPath, Result, one_line};

pub(super) struct Stated {
    /// The version of the skill's plugin, else its own.
    pub(super) version: Option<String>,
    pub(super) license: Option<String>,
    /// The licence files, where none stands at their path here: what is here may be of a later state.
    pub(super) licenses: Changes,
}

impl Stated {
    /// Reads what `snapshot` says of the skill at `path`, whose tree here is `tree`.
    pub(super) fn read(
        store: &Store,
        state: &State,
        source: &SourceFile,
        snapshot: &Snapshot,
        path: &RelPath,
        tree: Oid,
    ) -> Result<Self> {
        let (mut there, mut here) = (Changes::new(), Changes::new());
        let mut files = Vec::new();
        for (file, id) in licenses(snapshot, &source.selection.path, std::iter::once(path))? {
            files.push((file, store.copy_blob(snapshot.store(), id)?));
        }
        for (file, text) in recorded_licenses(snapshot, std::iter::once(path))? {
            files.push((file, store.write_blob(text.as_bytes())?));
        }
        for (file, id) in files {
            let place = Some(Place { mode: Mode::File, id });
            let kept = state.layout.licenses(&source.name).join_path(&file);
            there.insert(file, place);
            if entry_at(store, state.tree, &kept)?.is_none() {
                here.insert(kept, place);
            }
        }
        let root = with_changes(store, store.empty_tree(), &there)?;
        let skill_md =
            store.tree(tree)?.get(SKILL_MD.as_bytes()).filter(|entry| entry.mode.is_file()).map(|entry| entry.id);
        let read = skill_md.map(|blob| store.blob(blob)).transpose()?.map(|bytes| frontmatter::read(&bytes));
        let own = read.and_then(|read| read.version).map(|text| one_line(&text, 100)).filter(|text| !text.is_empty());
        let plugins = plugin::find(snapshot, std::iter::once(path))?.0;
        let version = plugins.of(path).and_then(|plugin| plugin.version.clone()).or(own);
        let license = license::of_skill(store, tree, Some(root), path)?;
        Ok(Stated { version, license, licenses: here })
    }
}
