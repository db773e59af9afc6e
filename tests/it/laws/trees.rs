//! Skills as files: what people can do to them, and the words by which their lines are known again.
//!
//! Every change leaves a word that is in no other: `P12` was written by somebody in the team, `U12` by upstream.

use super::dice::Dice;
use skillgraft::git::{Changes, Mode, Oid, Place, Store, entry_at, tree_at, with_changes};
use skillgraft::types::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// A word that is written once: who wrote it (`P` or `U`), and a number.
pub type Word = (u8, u32);
pub type Words = BTreeSet<Word>;

/// What upstream may have, by name.
pub const SKILLS: [&str; 4] = ["deploy", "ops", "net", "lint"];
/// Where upstream may have a skill, whatever its name: directories below `skills`.
pub const PLACES: [&str; 6] = ["deploy", "ops", "net", "lint", "more/deploy", "more/net"];
/// What the team may have: upstream's names, and what people rename them to.
pub const IDS: [&str; 8] = ["deploy", "ops", "net", "lint", "deploy-acme", "ops-acme", "net-acme", "lint-acme"];

pub fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

pub fn file(store: &Store, bytes: &[u8]) -> Place {
    Place { mode: Mode::File, id: store.write_blob(bytes).unwrap() }
}

/// Returns the tree with one path put in or taken out.
pub fn with(store: &Store, tree: Oid, at: &str, place: Option<Place>) -> Oid {
    with_changes(store, tree, &Changes::from([(path(at), place)])).unwrap()
}

/// Returns a directory to be put in; git has no empty ones.
pub fn directory(store: &Store, id: Option<Oid>) -> Option<Place> {
    id.filter(|id| *id != store.empty_tree()).map(|id| Place { mode: Mode::Tree, id })
}

pub fn directory_at(store: &Store, tree: Oid, at: &str) -> Option<Oid> {
    tree_at(store, tree, &path(at)).unwrap()
}

pub fn blob_at(store: &Store, tree: Oid, at: &str) -> Option<Oid> {
    entry_at(store, tree, &path(at)).unwrap().filter(|place| place.mode != Mode::Tree).map(|place| place.id)
}

/// Returns all files below a tree, by path.
pub fn files(store: &Store, tree: Oid) -> BTreeMap<String, Place> {
    let mut all = BTreeMap::new();
    for entry in store.tree(tree).unwrap().entries() {
        let name = entry.name.to_string();
        if entry.mode == Mode::Tree {
            all.extend(files(store, entry.id).into_iter().map(|(below, place)| (format!("{name}/{below}"), place)));
        } else {
            all.insert(name, Place { mode: entry.mode, id: entry.id });
        }
    }
    all
}

/// Returns a new skill. Less than half of its `SKILL.md` is that of another one: where upstream drops one skill and adds
/// another, none has moved.
pub fn new_skill(store: &Store, name: &str, word: &str) -> Oid {
    let lines = |word: &str, what: &str| (1..=5).fold(String::new(), |text, n| format!("{text}{what} {n} {word}\n"));
    let skill_md = format!(
        "---\nname: {name}\ndescription: Says how to {name} {word}\nlicense: MIT\nallowed-tools: Bash Read\nmetadata:\n  version: \"1\"\n---\n\n# {name}\n\n{}",
        lines(name, "step")
    );
    let changes = [
        ("SKILL.md", file(store, skill_md.as_bytes())),
        ("a.md", file(store, lines("", "note").as_bytes())),
        (
            "scripts/run.sh",
            Place { mode: Mode::Executable, ..file(store, b"#!/bin/sh\necho one\necho two\necho three\n") },
        ),
        ("logo.bin", file(store, format!("\0{name}\n").as_bytes())),
    ];
    let changes = changes.into_iter().map(|(at, place)| (path(at), Some(place))).collect();
    with_changes(store, store.empty_tree(), &changes).unwrap()
}

/// Returns the name that the frontmatter of a skill has.
pub fn name_of(store: &Store, skill: Oid) -> String {
    let skill_md = store.blob(blob_at(store, skill, "SKILL.md").expect("a skill has one")).unwrap();
    let text = String::from_utf8(skill_md).unwrap();
    text.lines().find_map(|line| line.strip_prefix("name: ")).expect("nobody takes it out").to_owned()
}

/// Returns the skill under another name: in its frontmatter and its heading.
pub fn with_name(store: &Store, skill: Oid, new: &str) -> Oid {
    let old = name_of(store, skill);
    let skill_md = store.blob(blob_at(store, skill, "SKILL.md").expect("a skill has one")).unwrap();
    let text = String::from_utf8(skill_md).unwrap();
    let text = text.replacen(&format!("name: {old}\n"), &format!("name: {new}\n"), 1);
    let text = text.replacen(&format!("\n# {old}\n"), &format!("\n# {new}\n"), 1);
    with(store, skill, "SKILL.md", Some(file(store, text.as_bytes())))
}

/// Changes one thing in a skill's tree. Returns the new tree and what was done.
pub fn change_skill(store: &Store, skill: Oid, dice: &mut Dice, word: &str) -> (Oid, String) {
    let all = files(store, skill);
    let names: Vec<&String> = all.keys().collect();
    let Some(name) = dice.pick(&names).map(|name| name.to_string()) else { return (skill, "nothing".into()) };
    let place = all[&name];
    let plain = name != "SKILL.md" && place.mode.is_file();
    match dice.below(20) {
        0 if plain => (with(store, skill, &name, None), format!("removes {name}")),
        1 | 2 if plain => {
            let to = *dice.pick(&["guide.md", "docs/a.md", "a.md", "docs/b.md"]).unwrap();
            if all.contains_key(to) {
                return (skill, "nothing".into());
            }
            let moved = with(store, with(store, skill, &name, None), to, Some(place));
            (moved, format!("renames {name} to {to}"))
        }
        3 if plain => {
            let mode = if place.mode == Mode::File { Mode::Executable } else { Mode::File };
            (with(store, skill, &name, Some(Place { mode, ..place })), format!("makes {name} {}", mode.octal()))
        }
        4 => {
            let to = *dice.pick(&["a.md", "new.md", "docs/new.md"]).unwrap();
            if all.contains_key(to) {
                return (skill, "nothing".into());
            }
            (
                with(store, skill, to, Some(file(store, format!("added {word}\n").as_bytes()))),
                format!("adds {to} {word}"),
            )
        }
        _ if !place.mode.is_file() => (skill, "nothing".into()),
        _ => {
            let name = if dice.chance(50) { "SKILL.md".to_owned() } else { name };
            let Some(place) = all.get(&name) else { return (skill, "nothing".into()) };
            let before = store.blob(place.id).unwrap();
            let id = store.write_blob(&change_bytes(&name, &before, dice, word)).unwrap();
            (with(store, skill, &name, Some(Place { mode: place.mode, id })), format!("edits {name} {word}"))
        }
    }
}

fn change_bytes(name: &str, before: &[u8], dice: &mut Dice, word: &str) -> Vec<u8> {
    if before.contains(&0) {
        return format!("\0{word}\n").into_bytes();
    }
    let text = String::from_utf8(before.to_vec()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let end = lines.iter().skip(1).position(|line| line == "---").map(|at| at + 2).filter(|_| name == "SKILL.md");
    if let Some(end) = end
        && dice.chance(25)
    {
        let at = |key: &str| lines[..end].iter().position(|line| line.starts_with(key));
        match (dice.below(4), at("description:"), at("allowed-tools:"), at("  version:")) {
            (0, Some(at), ..) => lines[at] = format!("description: Says how {word}"),
            (1, _, Some(at), _) => lines[at] = format!("{} {word}", lines[at]),
            (2, _, _, Some(at)) => lines[at] = format!("  version: \"{word}\""),
            _ => lines.insert(end - 1, format!("x-{}: {word}", word.to_lowercase())),
        }
    } else {
        let start = end.unwrap_or(0);
        let is_marker =
            |line: &String| ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|m| line.starts_with(m));
        let at: Vec<usize> = (start..lines.len()).filter(|at| !is_marker(&lines[*at])).collect();
        match dice.pick(&at).copied() {
            Some(at) if dice.chance(15) && lines.len() > start + 4 => drop(lines.remove(at)),
            Some(at) if dice.chance(60) => {
                let kept: Vec<&str> = lines[at].split(' ').take(2).collect();
                lines[at] = format!("{} {word}", kept.join(" "));
            }
            Some(at) => lines.insert(at, format!("also {word}")),
            None => lines.push(format!("also {word}")),
        }
    }
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

/// Finds the words in trees, each tree once.
#[derive(Default)]
pub struct Reader {
    blobs: BTreeMap<Oid, Words>,
    trees: BTreeMap<Oid, Words>,
}

impl Reader {
    pub fn blob(&mut self, store: &Store, id: Oid) -> Words {
        self.blobs.entry(id).or_insert_with(|| words(&store.blob(id).unwrap())).clone()
    }

    pub fn tree(&mut self, store: &Store, id: Oid) -> Words {
        if let Some(known) = self.trees.get(&id) {
            return known.clone();
        }
        let mut found = Words::new();
        for entry in store.tree(id).unwrap().entries() {
            match entry.mode {
                Mode::Tree => found.extend(self.tree(store, entry.id)),
                Mode::Submodule => {}
                _ => found.extend(self.blob(store, entry.id)),
            }
        }
        self.trees.insert(id, found.clone());
        found
    }

    /// Returns what is in the skill of that name, in the tree of a registry.
    pub fn skill(&mut self, store: &Store, tree: Oid, skill: &str) -> Words {
        directory_at(store, tree, &format!("skills/{skill}")).map_or(Words::new(), |skill| self.tree(store, skill))
    }
}

/// An entry quotes upstream's version; nobody wrote that line.
fn words(bytes: &[u8]) -> Words {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"version = "));
    let parts = lines.flat_map(|line| line.split(|byte| !byte.is_ascii_alphanumeric())).filter(|part| part.len() > 1);
    let word = |part: &[u8]| Some((part[0], std::str::from_utf8(&part[1..]).ok()?.parse().ok()?));
    parts.filter(|part| matches!(part[0], b'P' | b'U')).filter_map(word).collect()
}

/// Returns the words of one writer.
pub fn of(words: &Words, who: u8) -> Words {
    words.iter().filter(|(writer, _)| *writer == who).copied().collect()
}

pub fn minus(a: &Words, b: &Words) -> Words {
    a.difference(b).copied().collect()
}

pub fn show(words: &Words) -> String {
    let all: Vec<String> = words.iter().map(|(who, number)| format!("{}{number}", char::from(*who))).collect();
    all.join(" ")
}

/// Returns the paths at which two trees differ.
pub fn differences(store: &Store, a: Oid, b: Oid) -> Vec<String> {
    let (a, b) = (files(store, a), files(store, b));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}
