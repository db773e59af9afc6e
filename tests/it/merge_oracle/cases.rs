//! Three random trees, the same for a seed everywhere: edits, renames, clashes, odd modes and odd bytes.

use super::GitMerge;
use skillgraft::git::{BString, ByteSlice as _, Mode, Oid, Store, Tree, TreeEntry};
use skillgraft::sync::merge::{Merged, merge_skill, merge_trees};
use std::collections::BTreeMap;

pub struct Case {
    pub seed: u64,
    pub base: Oid,
    pub local: Oid,
    pub upstream: Oid,
}

impl Case {
    pub fn random(store: &Store, seed: u64) -> Case {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut base = Files::new();
        for _ in 0..random.below(9) + 1 {
            let path = random.path();
            base.retain(|other, _| !clash(other, &path));
            let file = random.file();
            base.insert(path, file);
        }
        // Seen by both, so that both may add the same.
        let shared: Vec<_> = (0..2).map(|_| (random.path(), random.file())).collect();
        let side = |random: &mut Random| {
            let mut files = base.clone();
            for _ in 0..random.below(5) + 1 {
                random.change(&mut files, &shared);
            }
            write(store, &files)
        };
        let (local, upstream) = (side(&mut random), side(&mut random));
        Case { seed, base: write(store, &base), local, upstream }
    }

    pub fn merge(&self, store: &Store) -> Merged {
        let merge = if self.seed.is_multiple_of(2) { merge_skill } else { merge_trees };
        merge(store, self.base, self.local, self.upstream).unwrap()
    }

    pub fn describe(&self, store: &Store, ours: &Merged, theirs: &GitMerge) -> String {
        let list = |tree: Oid| {
            let files = files(store, tree);
            files
                .iter()
                .map(|(path, (mode, id))| format!("  {} {} {path}\n", mode.octal(), id.short()))
                .collect::<String>()
        };
        let trees = [self.base, self.local, self.upstream, ours.tree, theirs.tree].map(list);
        let [base, local, upstream, ours_tree, theirs_tree] = trees;
        format!(
            "case {} (git diff {} {} {})\nbase\n{base}local\n{local}upstream\n{upstream}ours\n{ours_tree}{:?}\ngit\n{theirs_tree}{:#?}",
            self.seed, self.base, self.local, self.upstream, ours.conflicts, theirs.listed
        )
    }
}

type Files = BTreeMap<String, (Mode, Vec<u8>)>;

fn clash(one: &str, two: &str) -> bool {
    let below = |above: &str, path: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    one == two || below(one, two) || below(two, one)
}

fn write(store: &Store, files: &Files) -> Oid {
    let mut entries = Vec::new();
    let mut directories: BTreeMap<&str, Files> = BTreeMap::new();
    for (path, (mode, content)) in files {
        match path.split_once('/') {
            Some((name, rest)) => {
                directories.entry(name).or_default().insert(rest.into(), (*mode, content.clone()));
            }
            None => {
                let id = store.write_blob(content).unwrap();
                entries.push(TreeEntry { mode: *mode, name: path.as_str().into(), id });
            }
        }
    }
    for (name, below) in directories {
        entries.push(TreeEntry { mode: Mode::Tree, name: name.into(), id: write(store, &below) });
    }
    store.write_tree(&Tree::from_entries(entries)).unwrap()
}

pub fn files(store: &Store, tree: Oid) -> BTreeMap<BString, (Mode, Oid)> {
    let mut found = BTreeMap::new();
    for entry in store.tree(tree).unwrap().entries() {
        if entry.mode == Mode::Tree {
            let below = files(store, entry.id).into_iter();
            found.extend(below.map(|(path, file)| (format!("{}/{path}", entry.name).into(), file)));
        } else {
            found.insert(entry.name.clone(), (entry.mode, entry.id));
        }
    }
    found
}

/// xorshift64*: the same cases everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }

    fn path(&mut self) -> String {
        let directory = self.of(&["", "", "a/", "a/", "b/", "a/c/", "d/e/", "d/"]);
        let name = self.of(&["README.md", "one.md", "two.md", "run.sh", "x", "a", "b", "a-b"]);
        format!("{directory}{name}")
    }

    /// A line that nobody else writes.
    fn line(&mut self) -> String {
        format!("w{} w{}", self.below(1 << 31), self.below(1 << 31))
    }

    fn file(&mut self) -> (Mode, Vec<u8>) {
        match self.below(20) {
            0 => (Mode::Link, format!("l{}", self.below(1 << 31)).into()),
            1 => (Mode::File, Vec::new()),
            2 | 3 => (Mode::File, format!("b{}\0 b{}\n", self.below(1 << 31), self.below(1 << 31)).into()),
            4 => (Mode::Executable, self.text("\n")),
            5 => (Mode::File, self.text("\r\n")),
            _ => (Mode::File, self.text("\n")),
        }
    }

    fn text(&mut self, end: &str) -> Vec<u8> {
        let lines: Vec<String> = (0..self.below(14) + 1).map(|_| self.line()).collect();
        let last = self.of(&[end, end, end, ""]);
        format!("{}{last}", lines.join(end)).into()
    }

    fn edit(&mut self, content: &mut Vec<u8>) {
        if content.contains(&0) {
            content.extend(format!("{} ", self.line()).bytes());
            return;
        }
        let mut lines: Vec<Vec<u8>> = content.lines_with_terminator().map(<[u8]>::to_vec).collect();
        let end = if content.contains(&b'\r') { "\r\n" } else { "\n" };
        for _ in 0..self.below(3) + 1 {
            let at = usize::try_from(self.below(lines.len() as u64 + 1)).unwrap();
            let line = format!("{}{end}", self.line()).into_bytes();
            match self.below(4) {
                0 => lines.insert(at, line),
                1 if at < lines.len() => drop(lines.remove(at)),
                _ if at < lines.len() => lines[at] = line,
                _ => lines.push(line),
            }
        }
        *content = lines.concat();
    }

    fn change(&mut self, files: &mut Files, shared: &[(String, (Mode, Vec<u8>))]) {
        let paths: Vec<&String> = files.keys().collect();
        let Some(path) = (!paths.is_empty()).then(|| self.of(&paths).clone()) else { return };
        let put = |files: &mut Files, path: &str, file: (Mode, Vec<u8>)| {
            if !files.keys().any(|other| other != path && clash(other, path)) {
                files.insert(path.to_owned(), file);
            }
        };
        let (mode, content) = files[&path].clone();
        match self.below(20) {
            0..=6 if mode != Mode::Link => self.edit(&mut files.get_mut(&path).unwrap().1),
            7 | 8 => drop(files.remove(&path)),
            9 | 10 => {
                let (new, file) = (self.path(), self.file());
                put(files, &new, file);
            }
            11 => {
                let (new, file) = &shared[usize::try_from(self.below(2)).unwrap()];
                let mut file = file.clone();
                if self.below(3) == 0 {
                    self.edit(&mut file.1);
                }
                put(files, new, file);
            }
            12..=14 => {
                files.remove(&path);
                let mut file = (mode, content);
                if mode != Mode::Link && self.below(2) == 0 {
                    self.edit(&mut file.1);
                }
                let new = self.path();
                put(files, &new, file);
            }
            15 if mode.is_file() => {
                files.get_mut(&path).unwrap().0 = if mode == Mode::File { Mode::Executable } else { Mode::File };
            }
            16 | 17 => {
                let (from, to) = (self.of(&["a/", "b/", "d/", "a/c/"]), self.of(&["b/", "f/", "a/g/", ""]));
                let moved: Vec<String> = files.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    let file = files.remove(&path).unwrap();
                    put(files, &format!("{to}{}", &path[from.len()..]), file);
                }
            }
            18 => {
                // A file becomes a directory, or a directory a file.
                files.remove(&path);
                let (new, file) = (format!("{path}/{}", self.of(&["x", "y"])), self.file());
                put(files, &new, file);
            }
            _ => {
                files.remove(&path);
                let file = self.file();
                put(files, &path, file);
            }
        }
    }
}
