//! `add --link`: a team that copied skills long ago, and changed some, follows where they came from in one commit.

use crate::support::{PROGRAM, World, skill};
use crate::sync::lines;
use serde_json::{Value, json};

/// `deploy` as upstream had it first, or later.
fn deploy(last: &str) -> String {
    lines("first", last)
}

fn review(last: &str) -> String {
    lines("review's first", last).replace("deploy", "review")
}

/// An upstream with three states of `deploy`, `lint` and `review` and a skill that nobody has copied, and a registry whose
/// own `deploy` is the second state, whose `review` is the first one, edited, and whose `lint` has a line more.
fn copied() -> (World, Vec<String>) {
    let world = World::with_upstream(&[
        ("skills/deploy/SKILL.md", &deploy("one")),
        ("skills/review/SKILL.md", &review("one")),
        ("skills/review/guide.md", "A guide.\n"),
        ("skills/lint/SKILL.md", &skill("lint", "Upstream's linter.\n\nIt is theirs.\n\nThey wrote it.")),
        ("skills/new/SKILL.md", &skill("new", "v1")),
        ("LICENSE", "MIT\n"),
    ]);
    world.git("upstream", &["config", "uploadpack.allowFilter", "true"]);
    world.git("upstream", &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let mut revisions = vec![world.head("upstream")];
    for last in ["two", "three"] {
        revisions.push(
            world.upstream(&[("skills/deploy/SKILL.md", &deploy(last)), ("skills/review/SKILL.md", &review(last))]),
        );
    }
    world.registry(&[
        ("skills/deploy/SKILL.md", &deploy("two")),
        ("skills/review/SKILL.md", &review("one").replace("\n3\n", "\n3, said the team\n")),
        ("skills/review/guide.md", "A guide.\n"),
        ("skills/lint/SKILL.md", &skill("lint", "Upstream's linter.\n\nIt is theirs.\n\nThey wrote it.\n\nWe use it.")),
        ("skills/lint.toml", "# ours\nformat = 1\nowners = [\"ops@acme.example\"]\n"),
    ]);
    (world, revisions)
}

fn found<'r>(report: &'r Value, id: &str) -> &'r Value {
    report["linked"].as_array().unwrap().iter().find(|linked| linked["skill"] == id).unwrap()
}

#[test]
fn copied_skills_follow_their_source_from_the_state_they_were_copied_from_in_one_commit() {
    for by_url in [true, false] {
        let (world, revisions) = copied();
        let source = if by_url { world.url("upstream") } else { "../upstream".into() };
        let head = world.head("registry");
        let report = world.json(&["add", &source, "--name", "up", "--link", "--yes"]);
        assert_eq!(world.rev("registry", "HEAD^"), head, "one commit");
        assert_eq!(report["skills"], json!(["new"]));
        let ids: Vec<_> = report["linked"].as_array().unwrap().iter().map(|linked| linked["skill"].clone()).collect();
        assert_eq!(ids, ["deploy", "lint", "review"]);
        let deploy = found(&report, "deploy");
        assert_eq!((&deploy["identical"], &deploy["revision"]), (&json!(true), &json!(revisions[1])));
        let review = found(&report, "review");
        assert_eq!((&review["identical"], &review["revision"]), (&json!(false), &json!(revisions[0])));
        assert_eq!(
            (&review["same_files"], &review["other_files"], &review["changed_lines"]),
            (&json!(1), &json!(1), &json!(2))
        );
        assert!(review["date"].is_i64() && review["base"].as_str().unwrap().starts_with("git-sha256:"));
        assert_eq!((&report["warnings"], &report["rejected"]), (&json!([]), &json!([])));
        let changed = world.git("registry", &["diff", "--name-only", "HEAD^"]);
        let changed: Vec<_> = changed.lines().collect();
        assert_eq!(
            changed,
            [
                "licenses/up/LICENSE",
                "skills/deploy.toml",
                "skills/lint.toml",
                "skills/new.toml",
                "skills/new/SKILL.md",
                "skills/review.toml",
                "sources/up.toml"
            ]
        );
        assert!(world.read("registry/skills/lint.toml").starts_with("# ours\n"), "what people wrote stays");
        let message = world.git("registry", &["log", "-1", "--format=%B"]);
        assert!(message.contains(&format!("deploy at {}", &revisions[1][..7])), "{message}");
        world.run(&["check"]).ok();
        // And from there on, every later change of upstream comes.
        let synced = world.sync();
        assert_eq!(synced.class("deploy"), "fast_forward");
        assert_eq!((synced.class("review"), synced.conflicts("review")), ("three_way", vec![]));
        assert_eq!((synced.class("lint"), synced.class("new")), ("unchanged", "unchanged"));
        let merged = world.show("registry", "candidate/up/review", "skills/review/SKILL.md");
        assert_eq!(merged, self::review("three").replace("\n3\n", "\n3, said the team\n"));
        for id in ["deploy", "review", "lint"] {
            let entry = world.read(format!("registry/skills/{id}.toml"));
            let base =
                entry.lines().find_map(|line| line.strip_prefix("mirror = ")).unwrap().trim_matches('"').to_owned();
            world.git("registry", &["merge-base", "--is-ancestor", &base, "mirror/up"]);
        }
        let before = (world.refs("registry"), world.objects("registry"));
        world.sync();
        assert_eq!((world.refs("registry"), world.objects("registry")), before);
        world.run(&["adopt", "lint"]).ok();
    }
}

#[test]
fn without_a_terminal_it_says_what_it_found_and_needs_yes() {
    let (world, revisions) = copied();
    let refs = world.refs("registry");
    let refused = world.run(&["add", "../upstream", "--name", "up", "--link"]).ends_with(2);
    refused.says(&[
        &format!("deploy was copied from up:skills/deploy at {}", &revisions[1][..7]),
        "(identical)",
        &format!("review was copied from up:skills/review at {}", &revisions[0][..7]),
        "2 lines changed",
        "--yes",
    ]);
    assert_eq!(world.refs("registry"), refs);
    assert!(!world.exists("registry/sources/up.toml"));
    world.run(&["add", "../upstream", "--link", "--no-enable"]).ends_with(2);
    world.run(&["add", "../upstream", "--yes"]).ends_with(2);
}

#[test]
fn without_link_a_skill_of_the_teams_own_is_a_conflict_and_the_hint_names_link() {
    let (world, _) = copied();
    let refs = world.refs("registry");
    let refused = world.run(&["add", "../upstream", "--name", "up"]).ends_with(1);
    refused.says(&["3 names belong to others", "`deploy` is the team's own", "--link"]);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn a_name_that_follows_another_upstream_is_a_conflict_and_nothing_is_written() {
    let (world, _) = copied();
    world.git("", &["clone", "-q", "upstream", "second"]);
    world.run(&["add", "../second", "--name", "second", "--skill", "deploy", "--link", "--yes"]).ok();
    let refs = world.refs("registry");
    let refused = world.run(&["--json", "add", "../upstream", "--name", "up", "--link", "--yes"]).ends_with(1);
    let error = &refused.json()["error"];
    assert_eq!(error["kind"], "ownership");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`deploy` follows source `second` at skills/deploy"), "{message}");
    assert!(!message.contains("review"), "{message}");
    assert_eq!(world.refs("registry"), refs);
    world.run(&["add", "../upstream", "--name", "up", "--link", "--yes", "--exclude", "deploy"]).ok();
}

#[test]
fn a_skill_that_only_has_the_name_of_upstreams_stops_it_all_until_it_is_left_out() {
    let (world, _) = copied();
    world.registry(&[("skills/lint/SKILL.md", "---\nname: lint\ndescription: Ours.\n---\n\nQuite another one.\n")]);
    let refs = world.refs("registry");
    let add = ["add", "../upstream", "--name", "up", "--link"];
    let refused = world.run(&[&add[..], &["--yes"]].concat()).ends_with(1);
    refused.says(&["`lint` has hardly anything in common with up:skills/lint", "--exclude lint", "without --yes"]);
    assert_eq!(world.refs("registry"), refs);
    // Who is asked sees it.
    world.run(&add).ends_with(2).says(&["hardly anything in common: "]);
    let said = world.run(&[&add[..], &["--yes", "--exclude", "lint"]].concat()).ok();
    said.prints(&["Following up with 1 new skill and 2 linked ("]);
    assert!(!world.read("registry/skills/lint.toml").contains("upstream"));
    assert_eq!(world.sync().class("review"), "three_way");
}

#[test]
fn where_all_skills_were_here_the_licence_comes_all_the_same_and_the_linked_ones_are_counted() {
    let (world, _) = copied();
    let said = world.run(&["add", "../upstream", "--name", "up", "--link", "--yes", "--exclude", "new"]).ok();
    said.prints(&["Following up with 3 skills, linked ("]);
    assert_eq!(world.read("registry/licenses/up/LICENSE"), "MIT\n");
}

#[test]
fn nothing_to_link_is_an_ordinary_add_and_asks_nobody() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &deploy("one"))]);
    let report = world.json(&["add", "../upstream", "--link"]);
    assert_eq!((&report["skills"], &report["linked"]), (&json!(["deploy"]), &json!([])));
}

#[test]
fn a_plain_folder_has_one_state_to_link_to() {
    let world = World::new();
    world.write("plain/deploy/SKILL.md", deploy("two"));
    world.run_in("", &["init", "registry"]).ok();
    world.registry(&[("skills/deploy/SKILL.md", &deploy("one"))]);
    let report = world.json(&["add", "../plain", "--name", "up", "--link", "--yes"]);
    let deploy = found(&report, "deploy");
    assert_eq!((&deploy["identical"], &deploy["revision"]), (&json!(false), &Value::Null));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn it_can_be_proposed_instead() {
    let (world, _) = copied();
    let head = world.head("registry");
    let report = world.json(&["add", "../upstream", "--name", "up", "--link", "--yes", "--propose"]);
    assert_eq!(world.head("registry"), head);
    world.git("registry", &["merge", "-q", report["branch"].as_str().unwrap()]);
    assert_eq!(world.sync().class("deploy"), "fast_forward");
}

/// The git processes of an `add --link` of `skills` edited copies over a URL.
fn processes(skills: usize) -> usize {
    let world = World::new();
    world.init("upstream");
    world.git("upstream", &["config", "uploadpack.allowFilter", "true"]);
    world.git("upstream", &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let all = |dir: &str, first: &str, last: &str| {
        for n in 0..skills {
            world.write(format!("{dir}/skills/s{n}/SKILL.md"), lines(first, last).replace("deploy", &format!("s{n}")));
        }
        world.commit(dir, "all");
    };
    all("upstream", "first", "one");
    all("upstream", "first", "two");
    world.run_in("", &["init", "registry"]).ok();
    all("registry", "ours", "one");
    world.counts_git();
    let mut command = world.command(PROGRAM, "registry");
    let output = command.args(["add", &world.url("upstream"), "--name", "up", "--link", "--yes"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    world.read("count").lines().count()
}

#[test]
#[cfg(unix)]
fn the_number_of_git_processes_does_not_depend_on_the_number_of_copied_skills() {
    let few = processes(3);
    assert_eq!(few, processes(30));
}
