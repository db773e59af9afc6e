//! One observed state of an upstream: a git tree, whatever the upstream is.
//!
//! Everything that is not git becomes a tree in memory before anyone looks at it, so that discovery, links and limits
//! are written once. Nothing is ever checked out.

use super::assemble::Remark;
use super::links::TARGET_BYTES;
use super::plugin::Scope;
use crate::git::{Mode, Oid, Place, Repository, Store, TreeEntry};
use crate::types::{Error, ErrorKind, RelPath, Result, one_line};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How deep a tree may be: deeper than any path that can be used, and not so deep that a stack overflows.
const DEPTH: usize = 256;
/// The longest version, in bytes, and the latest date: the end of the year 2099, in seconds since 1970.
const VERSION_BYTES: usize = 128;
const LATEST: i64 = 4_102_444_800;

/// Fetches blobs that a filtered fetch left out.
pub type FetchBlobs = Arc<dyn Fn(&[Oid]) -> Result<()> + Send + Sync>;

/// Where a snapshot's objects are.
#[derive(Clone)]
pub enum Objects {
    /// In a repository: upstream's own, or the cache.
    Repository(Arc<Repository>),
    /// In memory.
    Memory(Arc<Store>),
}

/// What an upstream that lists its skills says, and what its tree cannot show.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Skills that upstream has, whether or not they could be read: what could not be read is not gone.
    pub skills: BTreeSet<RelPath>,
    /// Skills that could not be taken.
    pub rejected: Vec<Remark>,
    /// What is odd about the others.
    pub remarks: Vec<Remark>,
}

/// One observed state of an upstream.
#[derive(Clone)]
pub struct Snapshot {
    /// Its objects.
    pub objects: Objects,
    /// Its root tree.
    pub tree: Oid,
    /// Its commit, or the version that upstream gives it; a plain directory has none.
    pub revision: Option<String>,
    /// The revision's date, in seconds since 1970; a plain directory has none.
    pub date: Option<i64>,
    /// What upstream lists beside the tree.
    pub listed: Listed,
    /// How blobs that are not here are fetched, where that is possible.
    pub fetch: Option<FetchBlobs>,
    /// What of it is looked at, where that is one plugin.
    pub scope: Option<Scope>,
}

/// Files by the components of their paths. Names that break the rules of [`RelPath`] go in too: discovery must see them
/// to reject their skill.
pub type Files = BTreeMap<Vec<Vec<u8>>, Place>;

impl Snapshot {
    /// Returns a snapshot of files that are in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] where a file stands where another has a folder, [`ErrorKind::Limit`] for a path of more than
    /// 256 components.
    pub fn of_files(store: Store, files: &Files) -> Result<Self> {
        let shown = |path: &[Vec<u8>]| one_line(&String::from_utf8_lossy(&path.join(&b'/')), 200);
        if let Some(path) = file_as_folder(files.keys()) {
            return Err(Error::new(ErrorKind::Rejected, format!("`{}` is a file and a folder", shown(path))));
        }
        if let Some(path) = files.keys().find(|path| path.len() > DEPTH) {
            let message = format!("the path `{}` has more than {DEPTH} components", shown(path));
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let tree = tree_of(&store, files)?;
        let (objects, listed) = (Objects::Memory(Arc::new(store)), Listed::default());
        Ok(Snapshot { objects, tree, revision: None, date: None, listed, fetch: None, scope: None })
    }

    /// Returns a snapshot of a tree of a repository.
    pub fn of_tree(repository: Arc<Repository>, tree: Oid) -> Self {
        let (objects, listed) = (Objects::Repository(repository), Listed::default());
        Snapshot { objects, tree, revision: None, date: None, listed, fetch: None, scope: None }
    }

    /// Returns it as the state that upstream calls `version`, of `date` in seconds since 1970. A date that git refuses in a
    /// commit, or that lies after the year 2099, becomes the nearest one that is fine.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for a version that is none: it goes into commits and terminals.
    pub fn at_version(self, version: &str, date: Option<i64>) -> Result<Self> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'_' | b'-');
        if !(1..=VERSION_BYTES).contains(&version.len()) || !version.bytes().all(is_plain) {
            let message = format!("`{}` is no version: letters, digits and .+_- are", one_line(version, 80));
            return Err(Error::new(ErrorKind::Rejected, message).hint("nothing was closed or removed"));
        }
        Ok(Snapshot { revision: Some(version.to_owned()), date: date.map(|date| date.clamp(0, LATEST)), ..self })
    }

    /// Returns the objects.
    pub fn store(&self) -> &Store {
        match &self.objects {
            Objects::Repository(repository) => &repository.store,
            Objects::Memory(store) => store,
        }
    }

    /// Returns the commit that this is a state of, where upstream is a repository.
    pub fn commit(&self) -> Option<Oid> {
        match self.objects {
            Objects::Repository(_) => Oid::parse(self.revision.as_deref()?).ok(),
            Objects::Memory(_) => None,
        }
    }

    /// Makes sure that these blobs can be read, in one request.
    pub fn need(&self, blobs: impl IntoIterator<Item = Oid>) -> Result<()> {
        let Some(fetch) = &self.fetch else { return Ok(()) };
        let mut missing: Vec<Oid> = blobs.into_iter().filter(|id| !self.store().contains(*id)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        fetch(&missing)?;
        self.store().refresh();
        Ok(())
    }

    /// Returns the folders that have the skills of a source that looks in `folder`.
    pub fn folders<'s>(&'s self, folder: &'s RelPath) -> &'s [RelPath] {
        self.scope.as_ref().map_or(std::slice::from_ref(folder), |scope| &scope.folders)
    }

    /// Returns the target of a symbolic link; none where it is longer than any path can be.
    pub fn link_target(&self, link: Oid) -> Result<Option<Vec<u8>>> {
        self.need([link])?;
        match self.store().header(link)? {
            Some((_, size)) if size > TARGET_BYTES => Ok(None),
            _ => self.store().blob(link).map(Some),
        }
    }

    /// Returns the tree's entries as modes, names and ids.
    pub fn list(&self, tree: Oid) -> Result<Vec<(Mode, Vec<u8>, Oid)>> {
        Ok(self.store().tree(tree)?.entries().iter().map(|e| (e.mode, e.name.to_vec(), e.id)).collect())
    }
}

/// Returns the first of sorted paths of files that is a folder too, as the root always is.
pub fn file_as_folder<'p>(paths: impl Iterator<Item = &'p Vec<Vec<u8>>>) -> Option<&'p Vec<Vec<u8>>> {
    let mut paths = paths.peekable();
    while let Some(path) = paths.next() {
        if path.is_empty() || paths.peek().is_some_and(|next| next.starts_with(path)) {
            return Some(path);
        }
    }
    None
}

/// Writes the trees of files, and returns the root.
pub fn tree_of(store: &Store, files: &Files) -> Result<Oid> {
    write_tree(store, &files.iter().collect::<Vec<_>>(), 0)
}

fn write_tree(store: &Store, files: &[(&Vec<Vec<u8>>, &Place)], depth: usize) -> Result<Oid> {
    let mut entries = Vec::new();
    for group in files.chunk_by(|a, b| a.0[depth] == b.0[depth]) {
        let name = group[0].0[depth].clone().into();
        let (mode, id) = match group {
            [(path, place)] if path.len() == depth + 1 => (place.mode, place.id),
            _ => (Mode::Tree, write_tree(store, group, depth + 1)?),
        };
        entries.push(TreeEntry { mode, name, id });
    }
    store.write_tree(&crate::git::Tree::from_entries(entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::links::{Broken, follow};

    fn of(files: &[(&str, Mode, &[u8])]) -> Result<Snapshot> {
        let store = Store::in_memory(false);
        let place = |(path, mode, bytes): &(&str, Mode, &[u8])| {
            let path = path.split('/').map(|part| part.as_bytes().to_vec()).collect();
            (path, Place { mode: *mode, id: store.write_blob(bytes).expect("in memory") })
        };
        let files = files.iter().map(place).collect();
        Snapshot::of_files(store, &files)
    }

    #[test]
    fn a_tree_that_is_too_deep_and_a_file_that_is_a_folder_are_errors() {
        let kind = |files: &[(&str, Mode, &[u8])]| of(files).err().map(|error| error.kind());
        assert_eq!(kind(&[(&("a/".repeat(255) + "a"), Mode::File, b"")]), None);
        assert_eq!(kind(&[(&("a/".repeat(256) + "a"), Mode::File, b"")]), Some(ErrorKind::Limit));
        let twice: [(&str, Mode, &[u8]); 2] = [("a", Mode::File, b""), ("a/b", Mode::File, b"")];
        assert_eq!(kind(&twice), Some(ErrorKind::Rejected));
        let root = Place { mode: Mode::File, id: Oid::parse(&"0".repeat(40)).expect("valid") };
        assert!(Snapshot::of_files(Store::in_memory(false), &Files::from([(Vec::new(), root)])).is_err());
    }

    #[test]
    fn a_link_that_is_longer_than_any_path_dangles() {
        let long = b"./".repeat(2048);
        for (target, found) in [([&long[..4092], b"file"].concat(), true), ([&long[..], b"file"].concat(), false)] {
            let snapshot = of(&[("file", Mode::File, b"x"), ("link", Mode::Link, &target)]).expect("valid");
            let real = follow(&snapshot, &[], b"link").expect("readable");
            assert_eq!(
                real.map(|real| real.path),
                if found { Ok(vec![b"file".to_vec()]) } else { Err(Broken::Dangles) }
            );
        }
    }

    #[test]
    fn a_version_is_plain_and_its_date_one_that_git_takes() {
        let at = |version: &str, date: i64| of(&[]).expect("valid").at_version(version, Some(date));
        for bad in ["", "1\n2", "1 0", "\u{1b}[2J", "a/b", &"1".repeat(129)] {
            assert_eq!(at(bad, 0).err().expect("refused").kind(), ErrorKind::Rejected, "{bad}");
        }
        for (date, kept) in [(-1, 0), (i64::MAX, 4_102_444_800), (1_767_225_600, 1_767_225_600)] {
            let snapshot = at("1.0.0-rc.1+build_2", date).expect("a version");
            assert_eq!((snapshot.revision.as_deref(), snapshot.date), (Some("1.0.0-rc.1+build_2"), Some(kept)));
        }
    }
}
