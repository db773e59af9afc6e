//! Sentences of RULES, and pitfalls that others fell into (DESIGN, section 6), each with a scenario of its own.

use crate::holds::{deploy, merge};
use crate::support::{World, skill};
use crate::sync::{lines, world};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

/// The value of a key in the entry of `deploy` at `revision`.
fn key(world: &World, revision: &str, key: &str) -> String {
    let entry = world.show("registry", revision, "skills/deploy.toml");
    let line = entry.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
    line.unwrap_or_else(|| panic!("no {key}:\n{entry}")).trim_end_matches('"').to_owned()
}

fn date(world: &World, revision: &str) -> i64 {
    world.git("registry", &["log", "-1", "--format=%ct", revision]).parse().unwrap()
}

#[test]
fn mirror_1_an_unselected_skill_keeps_its_last_tree_as_long_as_upstream_still_has_its_skill_md() {
    let world = world();
    world.edit("registry/sources/up.toml", "skills = [\"*\"]", "skills = [\"*\"]\nexclude = [\"deploy\"]");
    world.commit("registry", "exclude deploy");
    let other = |text: &str| world.upstream(&[("skills/other/SKILL.md", &skill("other", text))]);
    deploy(&world, "v2");
    other("v2");
    let before = world.rev("registry", "mirror/up");
    assert_eq!(world.sync().class("deploy"), "unselected");
    assert_ne!(world.rev("registry", "mirror/up"), before, "another skill has changed");
    assert_eq!(world.show("registry", "mirror/up", FILE), lines("first", "last"), "as it was when it was selected");
    world.git("upstream", &["rm", "-q", FILE]);
    other("v3");
    world.sync();
    assert!(!world.has("registry", "mirror/up", "skills/deploy"));
    assert!(world.exists(&format!("registry/{FILE}")), "that is no removal here");
}

#[test]
fn mirror_2_a_directory_at_the_entrys_path_without_a_skill_md_of_its_own_is_nothing() {
    let world = world();
    world.git("upstream", &["rm", "-q", FILE]);
    let text: String = (0..60).map(|n| format!("Something else, number {n}.\n")).collect();
    world.upstream(&[("skills/deploy/inner/SKILL.md", &skill("inner", &text))]);
    let synced = world.sync();
    assert!(world.has("registry", "mirror/up", "skills/deploy/inner/SKILL.md"));
    assert_eq!((synced.class("deploy"), synced.skill("deploy")["upstream"].as_str()), ("removed", None));
    assert_eq!(synced.class("inner"), "new");
}

#[test]
fn mirror_3_an_entry_names_the_oldest_commit_of_the_newest_run_that_holds_its_tree() {
    let world = world();
    let other = |text: &str| world.upstream(&[("skills/other/SKILL.md", &skill("other", text))]);
    let first = world.rev("registry", "mirror/up");
    for step in 0..2 {
        other(&format!("v{step}"));
        world.sync();
    }
    deploy(&world, "v2");
    world.sync();
    merge(&world, BRANCH);
    world.sync();
    // What it was in the beginning, in a new run, and some more movement of another skill.
    deploy(&world, "last");
    let revision = world.head("upstream");
    world.sync();
    let brought = world.rev("registry", "mirror/up");
    for step in 2..4 {
        other(&format!("v{step}"));
        world.sync();
    }
    let head = world.rev("registry", "mirror/up");
    assert!(first != brought && brought != head);
    world.git("registry", &["branch", "-q", "-D", BRANCH]);
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(key(&world, BRANCH, "mirror"), brought, "neither the first one ever nor the head");
    assert_eq!(key(&world, BRANCH, "revision"), revision, "from that commit, not from what was observed last");
}

#[test]
fn mirror_3_of_a_plain_directory_the_first_date_is_fixed_and_each_next_one_a_second_later() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.write("plain/skills/deploy/SKILL.md", skill("deploy", "v1"));
    world.run(&["add", "../plain", "--name", "plain"]).ok();
    for text in ["v2", "v3"] {
        world.write("plain/skills/deploy/SKILL.md", skill("deploy", text));
        world.sync();
    }
    let dates = world.git("registry", &["log", "--reverse", "--format=%cI %aI", "mirror/plain"]);
    let days: Vec<&str> = dates.split_whitespace().collect();
    let second = |n: usize| format!("2000-01-01T00:00:0{n}");
    assert_eq!(days.len(), 6, "{dates}");
    for (at, day) in days.iter().enumerate() {
        assert!(day.starts_with(&second(at / 2)), "{dates}");
    }
}

#[test]
fn a_candidates_date_is_the_later_of_the_default_branch_heads_and_the_mirror_commits() {
    for team_is_later in [false, true] {
        let world = world();
        if !team_is_later {
            world.registry(&[("notes.md", "ours\n")]);
        }
        deploy(&world, "v2");
        if team_is_later {
            world.registry(&[("notes.md", "ours\n")]);
        }
        world.sync();
        let (head, mirror) = (date(&world, "main"), date(&world, "mirror/up"));
        assert_eq!(head > mirror, team_is_later);
        assert_eq!(date(&world, BRANCH), head.max(mirror));
    }
}

#[test]
fn rollback_takes_the_entry_of_the_last_first_parent_commit_that_still_had_that_tree() {
    let world = world();
    world.sync();
    world.registry(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    let brought = world.show("registry", "deploy/v2", "skills/deploy.toml");
    // Upstream comes to the same: the entry moves, the tree stays.
    deploy(&world, "v2");
    assert_eq!(world.sync().class("deploy"), "already_applied");
    merge(&world, BRANCH);
    let last = world.show("registry", "HEAD", "skills/deploy.toml");
    assert_ne!(brought, last);
    world.registry(&[(FILE, &lines("ours", "v2"))]);
    world.sync();
    let report = world.json(&["rollback", "deploy", "--to", "2", "--reason", "too strict"]);
    assert_eq!(report["declined"], false, "what is accepted stays");
    assert_eq!(world.show("registry", "HEAD", FILE), lines("first", "v2"));
    assert_eq!(world.show("registry", "HEAD", "skills/deploy.toml"), last);
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn the_base_is_not_advanced_by_an_update_that_could_not_be_applied_so_that_nothing_of_it_is_lost() {
    let world = world();
    world.registry(&[(FILE, &lines("first", "ours"))]);
    let base = world.show("registry", "HEAD", "skills/deploy.toml");
    deploy(&world, "v2");
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
    world.run(&["candidate", "accept", "deploy"]).ends_with(1).says(&["unresolved conflicts"]);
    assert_eq!(
        world.show("registry", "HEAD", "skills/deploy.toml"),
        base,
        "content and base move together or not at all"
    );
    // Upstream moves on elsewhere in the file: the next candidate has what failed, too.
    world.upstream(&[(FILE, &lines("third", "v2"))]);
    let synced = world.sync();
    assert_eq!(
        (synced.class("deploy"), synced.conflicts("deploy")),
        ("three_way", vec!["SKILL.md content".to_owned()])
    );
    world.run(&["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.show("registry", "HEAD", FILE), lines("third", "v2"));
}

#[test]
fn the_base_is_not_guessed_where_local_equals_an_old_snapshot_so_that_nothing_the_team_decided_is_undone() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    merge(&world, BRANCH);
    // The team does not want that line, and by chance what is left is what upstream had before.
    world.registry(&[(FILE, &lines("first", "last"))]);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.upstream(&[(FILE, &lines("third", "v2"))]);
    assert_eq!(world.sync().class("deploy"), "three_way", "a guess would have called it a fast-forward");
    assert_eq!(world.show("registry", BRANCH, FILE), lines("third", "last"));
}
