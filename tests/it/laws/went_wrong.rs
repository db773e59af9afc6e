//! Histories that once broke a law, shrunk. Each test is named after what went wrong.

use super::asserted;
use super::dice::Dice;
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
