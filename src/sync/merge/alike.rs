//! How much of one skill is in another, counted as git counts the likeness of two files.

use super::similarity::{self, Chunks};
use crate::git::{Mode, ObjectKind, Oid, Store};
use crate::skill::SKILL_MD;
use crate::types::Result;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Compares directories. Reads every file once, however often it is asked about.
pub struct Alike<'a> {
    store: &'a Store,
    chunks: BTreeMap<Oid, Rc<Chunks>>,
}

/// A file and its size in bytes, by path.
type Files = BTreeMap<String, (Oid, u64)>;

impl<'a> Alike<'a> {
    /// Returns a comparison of trees of `store`.
    pub fn new(store: &'a Store) -> Self {
        Alike { store, chunks: BTreeMap::new() }
    }

    /// Returns how much of the `SKILL.md` of `old` is that of `new`, in whole percent, as git prints it of a rename.
    pub fn skill_md(&mut self, old: Oid, new: Oid) -> Result<u32> {
        let file = |files: Files| files.get(SKILL_MD).copied();
        let (Some(old), Some(new)) = (file(self.files(old)?), file(self.files(new)?)) else { return Ok(0) };
        Ok(percent(self.score(old, new)?, similarity::SAME))
    }

    /// Returns how much of the directory `old` is in `new`, in whole percent: the bytes of files that are the same
    /// anywhere in it, and those that files of the same path share, of the bytes of the larger one.
    pub fn whole(&mut self, old: Oid, new: Oid) -> Result<u32> {
        let (mut from, mut to) = (self.files(old)?, self.files(new)?);
        let size = |files: &Files| files.values().map(|(_, size)| size).sum::<u64>();
        let all = size(&from).max(size(&to));
        let mut shared = 0;
        for pass in [same_place, same_content] {
            shared += pass(&mut from, &mut to);
        }
        for (path, file) in &from {
            if let Some(other) = to.get(path) {
                shared += self.shared(*file, *other)?;
            }
        }
        Ok(percent(shared, all))
    }

    /// Returns how many bytes two files share; the score was rounded down.
    fn shared(&mut self, one: (Oid, u64), two: (Oid, u64)) -> Result<u64> {
        Ok((self.score(one, two)? * one.1.max(two.1)).div_ceil(similarity::SAME))
    }

    fn score(&mut self, one: (Oid, u64), two: (Oid, u64)) -> Result<u64> {
        if one == two {
            return Ok(similarity::SAME);
        }
        let chunks = (self.chunks(one.0)?, self.chunks(two.0)?);
        Ok(similarity::score((&chunks.0, one.1), (&chunks.1, two.1)).into())
    }

    fn files(&self, tree: Oid) -> Result<Files> {
        let mut files = Files::new();
        let mut open = vec![(String::new(), tree)];
        while let Some((above, tree)) = open.pop() {
            for entry in self.store.tree(tree)?.entries() {
                let path = format!("{above}{}", entry.name);
                if entry.mode == Mode::Tree {
                    open.push((format!("{path}/"), entry.id));
                } else if let Some((ObjectKind::Blob, size)) = self.store.header(entry.id)? {
                    files.insert(path, (entry.id, size));
                }
            }
        }
        Ok(files)
    }

    fn chunks(&mut self, id: Oid) -> Result<Rc<Chunks>> {
        if let Some(chunks) = self.chunks.get(&id) {
            return Ok(chunks.clone());
        }
        let chunks = Rc::new(Chunks::of(&self.store.blob(id)?));
        self.chunks.insert(id, chunks.clone());
        Ok(chunks)
    }
}

fn percent(shared: u64, all: u64) -> u32 {
    let percent = (shared * 100).checked_div(all).unwrap_or(0);
    u32::try_from(percent).expect("what is shared is part of all")
}

/// Takes out the files that are the same at the same path, and returns their size in bytes.
fn same_place(from: &mut Files, to: &mut Files) -> u64 {
    let mut shared = 0;
    from.retain(|path, file| {
        let is_there = to.get(path) == Some(file);
        if is_there {
            to.remove(path);
            shared += file.1;
        }
        !is_there
    });
    shared
}

/// Takes out the files whose content stands elsewhere, and returns their size in bytes.
fn same_content(from: &mut Files, to: &mut Files) -> u64 {
    let mut shared = 0;
    from.retain(|_, file| {
        let place = to.iter().find(|(_, other)| *other == file).map(|(path, _)| path.clone());
        if let Some(place) = &place {
            to.remove(place);
            shared += file.1;
        }
        place.is_none()
    });
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{Tree, TreeEntry};

    fn tree(store: &Store, files: &[(&str, &str)]) -> Oid {
        let entry = |(name, text): &(&str, &str)| TreeEntry {
            mode: Mode::File,
            name: (*name).into(),
            id: store.write_blob(text.as_bytes()).expect("in memory"),
        };
        store.write_tree(&Tree::from_entries(files.iter().map(entry).collect())).expect("in memory")
    }

    #[test]
    fn skill_md_is_as_alike_as_git_says_and_a_moved_file_counts_in_full() {
        let store = Store::in_memory(false);
        let mut alike = Alike::new(&store);
        let (one, half) = (tree(&store, &[("SKILL.md", "a\nb\n")]), tree(&store, &[("SKILL.md", "a\nc\n")]));
        assert_eq!((alike.skill_md(one, one).expect("here"), alike.skill_md(one, half).expect("here")), (100, 50));
        // Four bytes of seven: git says R057.
        let (most, rest) = (tree(&store, &[("SKILL.md", "abc\nd\ne")]), tree(&store, &[("SKILL.md", "abc\nf\ng")]));
        assert_eq!((alike.skill_md(most, rest).expect("here"), alike.whole(most, rest).expect("here")), (57, 57));
        let (flat, other) = (
            tree(&store, &[("SKILL.md", "a\n"), ("x", "123456\n")]),
            tree(&store, &[("SKILL.md", "z\n"), ("y", "123456\n")]),
        );
        assert_eq!((alike.skill_md(flat, other).expect("here"), alike.whole(flat, other).expect("here")), (0, 77));
        let nothing = tree(&store, &[]);
        assert_eq!((alike.skill_md(nothing, flat).expect("here"), alike.whole(nothing, flat).expect("here")), (0, 0));
    }
}
