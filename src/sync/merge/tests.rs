use super::*;
use crate::git::{Changes, Mode, Tree, TreeEntry, entry_at, with_changes as git_with_changes};
use crate::types::RelPath;

/// Ten lines: enough to edit one and stay similar.
const TEN: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

type Files = &'static [(&'static str, Mode, &'static str)];

fn store() -> Store {
    Store::in_memory(false)
}

fn tree_of(store: &Store, files: &[(&str, &str)]) -> Oid {
    with_modes(store, &files.iter().map(|(path, text)| (*path, Mode::File, *text)).collect::<Vec<_>>())
}

fn with_modes(store: &Store, files: &[(&str, Mode, &str)]) -> Oid {
    let place = |mode, text: &str| Some(Place { mode, id: store.write_blob(text.as_bytes()).unwrap() });
    let changes = files.iter().map(|(path, mode, text)| (RelPath::parse(path).unwrap(), place(*mode, text)));
    git_with_changes(store, store.empty_tree(), &changes.collect::<Changes>()).unwrap()
}

fn read(store: &Store, tree: Oid, path: &str) -> String {
    let place = entry_at(store, tree, &RelPath::parse(path).unwrap()).unwrap().expect("the file is there");
    String::from_utf8(store.blob(place.id).unwrap()).unwrap()
}

fn listed(merged: &Merged) -> Vec<String> {
    merged.conflicts.iter().map(|conflict| format!("{} {}", conflict.kind.as_str(), conflict.path)).collect()
}

#[test]
fn an_edit_follows_the_file_that_local_renamed() {
    let store = store();
    let base = tree_of(&store, &[("guide.md", TEN), ("x", "x\n")]);
    let local = tree_of(&store, &[("docs/guide.md", &TEN.replace("ten", "TEN")), ("x", "x\n")]);
    let upstream = tree_of(&store, &[("guide.md", &TEN.replace("one", "ONE")), ("x", "x\n")]);
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    assert_eq!(merged.conflicts, []);
    let expected = TEN.replace("one", "ONE").replace("ten", "TEN");
    assert_eq!(merged.tree, tree_of(&store, &[("docs/guide.md", &expected), ("x", "x\n")]));
}

#[test]
fn a_file_added_to_a_directory_that_the_other_side_renamed_stays_and_is_listed() {
    let store = store();
    let base = tree_of(&store, &[("old/a", TEN), ("old/b", "b\n"), ("SKILL.md", "s\n")]);
    let moved = tree_of(&store, &[("new/a", TEN), ("new/b", "b\n"), ("SKILL.md", "s\n")]);
    let added = tree_of(&store, &[("old/a", TEN), ("old/b", "b\n"), ("old/c", "c\n"), ("SKILL.md", "s\n")]);
    let expected = tree_of(&store, &[("new/a", TEN), ("new/b", "b\n"), ("old/c", "c\n"), ("SKILL.md", "s\n")]);
    for (local, upstream) in [(moved, added), (added, moved)] {
        let merged = merge_skill(&store, base, local, upstream).unwrap();
        assert_eq!((listed(&merged), merged.tree), (vec!["rename old/c".into()], expected));
    }
}

#[test]
fn the_executable_bit_merges_apart_from_the_text() {
    let store = store();
    let base = with_modes(&store, &[("run.sh", Mode::File, TEN)]);
    let local = with_modes(&store, &[("run.sh", Mode::Executable, &TEN.replace("one", "ONE"))]);
    let upstream = with_modes(&store, &[("run.sh", Mode::File, &TEN.replace("ten", "TEN"))]);
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    let expected = TEN.replace("one", "ONE").replace("ten", "TEN");
    assert_eq!(
        merged,
        Merged { tree: with_modes(&store, &[("run.sh", Mode::Executable, &expected)]), conflicts: vec![] }
    );
}

#[test]
fn without_markers_the_tree_keeps_local_and_the_conflict_names_upstream() {
    let store = store();
    let cases: [(Files, Files, Files, &str); 6] = [
        (&[("f", Mode::File, "a\0")], &[("f", Mode::File, "b\0")], &[("f", Mode::File, "c\0")], "binary f"),
        (
            &[("f", Mode::File, "a")],
            &[("f", Mode::File, "b"), ("g", Mode::File, "")],
            &[("g", Mode::File, "")],
            "modify_delete f",
        ),
        (&[("f", Mode::File, "a")], &[("g", Mode::File, "")], &[("f", Mode::File, "b")], "modify_delete f"),
        (&[("f", Mode::File, "a")], &[("f", Mode::File, "b")], &[("f", Mode::Link, "c")], "mode f"),
        (&[("f", Mode::Link, "a")], &[("f", Mode::Link, "b")], &[("f", Mode::Link, "c")], "content f"),
        (&[("g", Mode::File, "")], &[("f", Mode::File, "b")], &[("f/x", Mode::File, "c")], "add_add f/x"),
    ];
    for (base, local, upstream, expected) in cases {
        let [base, local, upstream] = [base, local, upstream].map(|files| with_modes(&store, files));
        let merged = merge_skill(&store, base, local, upstream).unwrap();
        assert_eq!((listed(&merged), merged.tree), (vec![expected.to_owned()], local));
    }
}

#[test]
fn two_files_that_are_renamed_to_one_name_are_both_kept() {
    let store = store();
    let (a, b) = (TEN, TEN.to_uppercase());
    let base = tree_of(&store, &[("a", a), ("b", &b)]);
    let local = tree_of(&store, &[("c", a), ("b", &b.replace("TWO", "2"))]);
    let upstream = tree_of(&store, &[("a", &a.replace("two", "2")), ("c", &b)]);
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    assert_eq!(listed(&merged), ["add_add c"]);
    let expected = tree_of(&store, &[("c", &a.replace("two", "2")), ("b", &b.replace("TWO", "2"))]);
    assert_eq!(merged.tree, expected);
    assert_eq!(merged.conflicts[0].upstream, Some(store.write_blob(b.as_bytes()).unwrap()));
}

#[test]
fn one_file_renamed_to_two_names_stays_under_locals() {
    let store = store();
    let base = tree_of(&store, &[("a", TEN)]);
    let local = tree_of(&store, &[("b", &TEN.replace("one", "ONE"))]);
    let upstream = tree_of(&store, &[("c", &TEN.replace("ten", "TEN"))]);
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    let expected = tree_of(&store, &[("b", &TEN.replace("one", "ONE").replace("ten", "TEN"))]);
    assert_eq!((listed(&merged), merged.tree), (vec!["rename b".into()], expected));
}

#[test]
fn markers_in_the_text_are_not_taken_for_a_conflict() {
    let store = store();
    let example = "<<<<<<< local\nexample\n>>>>>>> upstream\n";
    let [base, local, upstream] = ["a", "b", "c"].map(|text| tree_of(&store, &[("f", &format!("{example}{text}\n"))]));
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    let text = read(&store, merged.tree, "f");
    assert_eq!(text, format!("{example}<<<<<<<< local\nb\n|||||||| base\na\n========\nc\n>>>>>>>> upstream\n"));
    let conflict = &merged.conflicts[0];
    assert!(still_conflicted(&store, conflict, text.as_bytes()).unwrap());
    assert!(!still_conflicted(&store, conflict, format!("{example}d\n").as_bytes()).unwrap());
}

#[test]
fn frontmatter_merges_in_the_skills_own_file_and_in_every_skill_of_a_registry() {
    let store = store();
    let text = |name: &str, license: &str| format!("---\nname: {name}\nlicense: {license}\n---\nbody\n");
    let trees =
        |path: &str| [text("a", "x"), text("b", "x"), text("a", "y")].map(|text| tree_of(&store, &[(path, &text)]));
    let [base, local, upstream] = trees("SKILL.md");
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    assert_eq!(merged, Merged { tree: tree_of(&store, &[("SKILL.md", &text("b", "y"))]), conflicts: vec![] });
    let [base, local, upstream] = trees("skills/a/SKILL.md");
    assert_eq!(listed(&merge_skill(&store, base, local, upstream).unwrap()), ["content skills/a/SKILL.md"]);
    assert_eq!(listed(&merge_trees(&store, base, local, upstream).unwrap()), [""; 0]);
}

#[test]
fn a_directory_that_one_side_left_alone_is_taken_unread() {
    let store = store();
    let unreadable = |digit: &str| Oid::parse(&digit.repeat(40)).unwrap();
    let root = |skill: Oid, other: Oid| {
        let entry = |name: &str, id: Oid| TreeEntry { mode: Mode::Tree, name: name.into(), id };
        store.write_tree(&Tree::from_entries(vec![entry("a", skill), entry("b", other)])).unwrap()
    };
    let [one, two, three] = ["1", "2", "3"].map(unreadable);
    let merged = merge_trees(&store, root(one, one), root(two, one), root(one, three)).unwrap();
    assert_eq!(merged, Merged { tree: root(two, three), conflicts: vec![] });
}

#[test]
fn a_merge_that_leaves_nothing_is_the_empty_tree() {
    let store = store();
    let base = tree_of(&store, &[("a/x", "a\n"), ("b", "b\n")]);
    let (local, upstream) = (tree_of(&store, &[("a/x", "a\n")]), tree_of(&store, &[("b", "b\n")]));
    let merged = merge_skill(&store, base, local, upstream).unwrap();
    assert_eq!(merged, Merged { tree: store.empty_tree(), conflicts: vec![] });
}
