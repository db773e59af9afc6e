//! Histories that once broke a law, shrunk. Each test is named after what went wrong.

use super::asserted;
use super::buttons::{Button, press_on};
use super::dice::Dice;
use super::people;
use super::repositories::git_ok;
use super::team::Team;
use super::trees;
use skillgraft::git::{Mode, Place};

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
    edit_logo(&mut team);
    asserted::sync(&mut team, &mut Dice::new(0)).unwrap();
    // Merged with its conflict, and the branch still stands.
    assert_eq!(press_on(&mut team, "ops", Button::Squash), Ok("ok"));
    let said = people::resolve_on_the_default_branch(&mut team, &mut Dice::new(0)).unwrap();
    assert!(said.is_some_and(|said| said.starts_with("ops")));
}

/// Upstream and the team change a file that cannot be merged.
fn edit_logo(team: &mut Team) {
    let at = "skills/ops/logo.bin";
    let store = &team.upstream.store;
    let theirs = trees::with(store, team.upstream_tree(), at, Some(trees::file(store, b"\0U1001\n")));
    let store = &team.repository.store;
    let ours = trees::with(store, team.main_tree(), at, Some(trees::file(store, b"\0P1001\n")));
    team.publish(theirs);
    team.commit_to_main(ours, "edit");
}
