//! Histories that once broke a law, shrunk. Each test is named after what went wrong.

use super::asserted;
use super::buttons::{Button, press_on};
use super::dice::Dice;
use super::people;
use super::repositories::git_ok;
use super::team::{CANDIDATES, Team, conflicts};
use super::trees;
use skillgraft::git::{Mode, Place};
use skillgraft::ops::resolve::{Side, resolve};

#[test]
fn a_second_sync_wrote_the_trees_that_it_only_compared_with() {
    let mut team = Team::new();
    // The first day's three candidates are compared with the default branch plus its licence files.
    asserted::begin(&mut team).unwrap();
    asserted::sync(&mut team, &mut Dice::new(0)).unwrap();
}

#[test]
fn a_mirror_that_holds_nothing_named_a_tree_that_was_not_there() {
    let mut team = Team::new();
    let store = &team.upstream.store;
    let link = Place { mode: Mode::Link, id: store.write_blob(b"/etc/passwd").unwrap() };
    let only = trees::with(store, trees::new_skill(store, "deploy", "U1"), "bad", Some(link));
    let tree = trees::with(store, store.empty_tree(), "skills/deploy", trees::directory(store, Some(only)));
    team.publish(tree);
    asserted::sync(&mut team, &mut Dice::new(0)).unwrap();
    assert_eq!(git_ok(&team.desk(), &["fsck", "--strict", "--no-dangling", "--no-progress"]), "");
}

#[test]
fn a_conflict_on_the_default_branch_was_looked_for_on_the_candidate_that_brought_it() {
    let mut team = Team::new();
    asserted::begin(&mut team).unwrap();
    // A file that cannot be merged.
    upstream_writes(&mut team, "skills/ops/logo.bin", "\0U1001\n");
    team_writes(&mut team, "skills/ops/logo.bin", "\0P1001\n");
    asserted::sync(&mut team, &mut Dice::new(0)).unwrap();
    // Merged with its conflict, and the branch still stands.
    assert_eq!(press_on(&mut team, "ops", Button::Squash), Ok("ok"));
    let said = people::resolve_on_the_default_branch(&mut team, &mut Dice::new(0)).unwrap();
    assert!(said.is_some_and(|said| said.starts_with("ops")));
}

#[test]
fn a_base_that_only_a_colleague_saw_was_not_kept_while_nothing_had_to_be_merged() {
    let mut team = Team::new();
    asserted::begin(&mut team).unwrap();
    team_writes(&mut team, "skills/ops/ours.md", "P1001\n");
    upstream_writes(&mut team, "skills/ops/theirs.md", "U1001\n");
    let said = people::a_colleague_accepts_one(&mut team, |ready| ready.iter().find(|id| *id == "ops").cloned());
    assert_eq!(said.unwrap().as_deref(), Some("accepts ops"));
    upstream_writes(&mut team, "skills/ops/theirs.md", "U1002\n");
    let applied = team.fetched("ops");
    let store = &team.repository.store;
    let tree = trees::with(store, team.main_tree(), "skills/ops", trees::directory(store, applied));
    team.commit_to_main(tree, "by hand");
    asserted::sync(&mut team, &mut Dice::new(0)).unwrap();
}

#[test]
fn taking_locals_side_deleted_locals_own_file_where_upstream_had_moved_another_to() {
    let mut team = Team::new();
    asserted::begin(&mut team).unwrap();
    let note = |n: u32| format!("note {n} \n");
    let old: String = (1..=5).map(note).collect();
    // Upstream moves a file; the team deletes it, and has a file of its own at the new path.
    let store = &team.upstream.store;
    let tree = trees::with(store, team.upstream_tree(), "skills/ops/a.md", None);
    team.publish(tree);
    upstream_writes(&mut team, "skills/ops/guide.md", &format!("{old}U1001\n"));
    let store = &team.repository.store;
    let tree = trees::with(store, team.main_tree(), "skills/ops/a.md", None);
    team.commit_to_main(tree, "delete");
    team_writes(&mut team, "skills/ops/guide.md", "P1001\n");
    asserted::sync(&mut team, &mut Dice::new(0)).unwrap();
    let candidate = format!("{CANDIDATES}ops");
    let listed = conflicts(&team.entry(team.tree(team.get(&candidate).unwrap()), "ops").unwrap());
    assert!(listed.iter().any(|(path, kind, _)| path == "guide.md" && kind == "modify_delete"), "{listed:?}");
    resolve(&team.outside(), "ops", &[], Some(Side::Local), &Team::on_main()).unwrap();
    let tree = team.tree(team.get(&candidate).unwrap());
    let guide = trees::blob_at(&team.repository.store, tree, "skills/ops/guide.md");
    assert_eq!(guide.map(|id| team.repository.store.blob(id).unwrap()).as_deref(), Some(&b"P1001\n"[..]));
}

fn upstream_writes(team: &mut Team, at: &str, text: &str) {
    let store = &team.upstream.store;
    let tree = trees::with(store, team.upstream_tree(), at, Some(trees::file(store, text.as_bytes())));
    team.publish(tree);
}

fn team_writes(team: &mut Team, at: &str, text: &str) {
    let store = &team.repository.store;
    let tree = trees::with(store, team.main_tree(), at, Some(trees::file(store, text.as_bytes())));
    team.commit_to_main(tree, "edit");
}
