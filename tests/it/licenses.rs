//! Licences: stated by a skill, or known from the nearest licence file; named where they change; allowed by a policy.

use crate::support::{World, skill};
use serde_json::{Value, json};

const MIT: &str = include_str!("../../LICENSE-MIT");
const APACHE: &str = include_str!("../../LICENSE-APACHE");

fn licensed(name: &str, license: &str, body: &str) -> String {
    skill(name, body).replace("\n---\n", &format!("\nlicense: {license}\n---\n"))
}

/// An upstream with licences in every place.
fn world() -> World {
    World::following(&[
        ("LICENSE", MIT),
        ("skills/root/SKILL.md", &skill("root", "v1")),
        ("skills/stated/SKILL.md", &licensed("stated", "ISC", "v1")),
        ("skills/own/SKILL.md", &licensed("own", "Complete terms in LICENSE.txt", "v1")),
        ("skills/own/LICENSE.txt", APACHE),
        ("skills/closed/SKILL.md", &licensed("closed", "Proprietary. LICENSE.txt has complete terms", "v1")),
        ("skills/closed/LICENSE.txt", "All rights reserved.\n"),
        ("plugins/ops/LICENSE", APACHE),
        ("plugins/ops/skills/deep/SKILL.md", &skill("deep", "v1")),
        ("plugins/odd/LICENSE", "Ask us.\n"),
        ("plugins/odd/skills/odd/SKILL.md", &skill("odd", "v1")),
        ("plugins/two/LICENSE-MIT", MIT),
        ("plugins/two/LICENSE-APACHE", APACHE),
        ("plugins/two/skills/two/SKILL.md", &skill("two", "v1")),
    ])
}

fn license(world: &World, id: &str) -> Value {
    let list = world.json(&["list"]);
    let found = list["skills"].as_array().unwrap().iter().find(|skill| skill["id"] == id).unwrap()["license"].clone();
    assert_eq!(world.json(&["show", id])["license"], found);
    found
}

#[test]
fn a_licence_is_what_the_skill_states_or_what_the_nearest_file_is_known_to_be() {
    let world = world();
    for (id, is) in [
        ("root", json!("MIT")),
        ("stated", json!("ISC")),
        ("own", json!("Apache-2.0")),
        ("closed", json!("Proprietary. LICENSE.txt has complete terms")),
        ("deep", json!("Apache-2.0")),
        ("odd", json!(null)),
        ("two", json!(null)),
        ("using-skillgraft", json!("MIT OR Apache-2.0")),
    ] {
        assert_eq!(license(&world, id), is, "{id}");
    }
    assert!(world.read("registry/skills/deep.toml").contains("license = \"Apache-2.0\"\n"));
    assert!(!world.read("registry/skills/odd.toml").contains("license"), "nothing is guessed");
    assert_eq!(world.read("registry/licenses/up/plugins/ops/LICENSE"), APACHE, "what covers a skill comes with it");
}

#[test]
fn a_change_of_licence_is_named_in_the_candidate() {
    let world = world();
    world.upstream(&[
        ("LICENSE", "All rights reserved.\n"),
        ("skills/root/SKILL.md", &skill("root", "v2")),
        ("skills/stated/SKILL.md", &licensed("stated", "\"fixes #1 @octocat\"", "v2")),
        ("plugins/ops/skills/deep/SKILL.md", &skill("deep", "v2")),
        ("plugins/odd/skills/odd/SKILL.md", &licensed("odd", "MIT", "v2")),
    ]);
    world.sync();
    let message = |id: &str| world.git("registry", &["log", "-1", "--format=%B", &format!("candidate/up/{id}")]);
    assert!(message("root").contains("\nLicence: MIT -> none is stated\n"), "{}", message("root"));
    assert!(message("stated").contains("\nLicence: ISC -> fixes \\u{23}1 \\u{40}octocat\n"), "{}", message("stated"));
    assert!(!message("deep").contains("Licence"), "it is the same");
    assert!(message("odd").contains("\nLicence: none is stated -> MIT\n"), "{}", message("odd"));
    let change = |id: &str| world.json(&["candidate", "show", id])["license_change"].clone();
    assert_eq!(change("root"), json!({"before": "MIT", "after": null}));
    assert_eq!(change("deep"), json!(null));
    assert_eq!(change("odd"), json!({"before": null, "after": "MIT"}));
    world.run(&["candidate", "show", "odd"]).ok().prints(&["licence   none is stated -> MIT\n"]);
    let body = world.run(&["candidate", "show", "odd", "--format", "markdown"]).ok();
    body.prints(&["- **The licence changes:** none is stated or known -> `MIT`"]);
    let shown = world.run(&["candidate", "show", "root"]).ok().stdout;
    assert!(shown.contains("licence   MIT -> none is stated\n"), "{shown}");
    world.run(&["candidate", "accept", "root"]).ok();
    assert_eq!(license(&world, "root"), json!(null), "the file that covers it now says something else");
}

#[test]
fn the_policy_fails_the_check_for_a_licence_that_is_not_allowed_or_not_known() {
    let world = world();
    world.run(&["check"]).ok();
    world.edit("registry/skillgraft.toml", "[policy]\n", "[policy]\nlicenses = [\"MIT\", \"Apache-2.0\"]\n");
    world.commit("registry", "only these");
    let run = world.run(&["check", "--format", "json"]).ends_with(1);
    let findings = run.json()["findings"].clone();
    let of: Vec<_> =
        findings.as_array().unwrap().iter().filter(|f| f["rule"] == "license").map(|f| f["file"].clone()).collect();
    let files = ["closed", "odd", "stated", "two"].map(|id| json!(format!("skills/{id}.toml")));
    assert_eq!(of, files, "the team's own skills are the team's affair");
    let said = findings.to_string();
    for part in ["`stated` has licence `ISC`", "`odd` has no licence that is known", "skillgraft disable odd --reason"]
    {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    world.run(&["source", "set", "up", "policy.licenses=[\"*\"]"]).ok();
    world.run(&["check"]).ok();
    world.run(&["source", "set", "up", "policy.licenses=[\"ISC\"]"]).ok();
    assert_eq!(world.run(&["check"]).ends_with(1).stdout.matches("[license]").count(), 6);
}

#[test]
fn a_candidate_from_before_licence_files_were_read_is_kept_on_every_clone() {
    let world = world();
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v2"))]);
    world.sync();
    // As it was made then: the entry says nothing of a licence that only a file states.
    world.git("registry", &["switch", "-q", "candidate/up/root"]);
    world.edit("registry/skills/root.toml", "license = \"MIT\"\n", "");
    world.git("registry", &["commit", "-q", "--all", "--amend", "--no-edit"]);
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["update-ref", "-d", "refs/skillgraft/offered/up/root"]);
    let head = world.rev("registry", "candidate/up/root");
    let synced = world.sync();
    assert_eq!((synced.action("root"), world.rev("registry", "candidate/up/root")), ("kept", head));
    assert_eq!(world.json(&["candidate", "show", "root"])["edited"], false);
    // The next cause makes it again, with the licence.
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v3"))]);
    assert_eq!(world.sync().action("root"), "remade");
    assert!(world.show("registry", "candidate/up/root", "skills/root.toml").contains("license = \"MIT\"\n"));
}

fn only_mit(world: &World) {
    world.edit("registry/skillgraft.toml", "[policy]\n", "[policy]\nlicenses = [\"MIT\"]\n");
    world.commit("registry", "only MIT");
}

#[test]
fn a_licence_file_that_upstream_dropped_goes_with_the_next_update_and_the_policy_goes_by_what_stands() {
    let world = World::following(&[
        ("LICENSE", MIT),
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/other/SKILL.md", &skill("other", "v1")),
    ]);
    only_mit(&world);
    world.run(&["check"]).ok();
    world.git("upstream", &["rm", "-q", "LICENSE"]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(!world.exists("registry/licenses/up"), "nothing says so any more");
    assert_eq!((license(&world, "deploy"), license(&world, "other")), (json!(null), json!("MIT")));
    let run = world.run(&["check"]).ends_with(1);
    let of_other = "`other` was accepted under `MIT`; what stands in licenses/up now is none that is known";
    for part in ["[license] `deploy` has no licence that is known", of_other, "deploy.toml, above [upstream]"] {
        assert!(run.stdout.contains(part), "no {part:?} in {}", run.stdout);
    }
    // What the message says works, and the next update leaves it.
    world.edit("registry/skills/deploy.toml", "status = ", "license = \"MIT\"\nstatus = ");
    world.commit("registry", "upstream told us");
    world.run(&["check"]).ok();
    assert_eq!(license(&world, "deploy"), json!("MIT"));
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v3"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["check"]).ok();
    // What upstream states goes first.
    world.upstream(&[("skills/deploy/SKILL.md", &licensed("deploy", "ISC", "v4"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(license(&world, "deploy"), json!("ISC"));
    world.run(&["check"]).ends_with(1);
}

#[test]
fn an_open_candidate_is_made_again_without_the_licence_file_that_upstream_dropped() {
    let world = world();
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v2"))]);
    world.sync();
    world.git("upstream", &["rm", "-q", "plugins/odd/LICENSE"]);
    world.commit("upstream", "it says nothing now");
    assert_eq!(world.sync().action("root"), "remade");
    assert!(!world.has("registry", "candidate/up/root", "licenses/up/plugins/odd/LICENSE"));
    assert!(world.has("registry", "candidate/up/root", "licenses/up/LICENSE"));
    assert_eq!(world.sync().action("root"), "kept");
}

/// A world with a skill of its own licence that upstream removes together with it, and that stays here.
fn keeping_what_upstream_removed() -> World {
    let world = world();
    world.edit("registry/skillgraft.toml", "[policy]\n", "[policy]\nremoved_skills = \"keep\"\n");
    world.commit("registry", "we keep them");
    world.git("upstream", &["rm", "-rq", "plugins/ops"]);
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deep"), synced.action("deep"), synced.action("root")), ("removed", "", "opened"));
    world
}

#[test]
fn a_licence_file_stays_as_long_as_a_skill_that_only_it_covers_is_here() {
    let world = keeping_what_upstream_removed();
    world.run(&["candidate", "accept", "root"]).ok();
    assert_eq!(world.read("registry/licenses/up/plugins/ops/LICENSE"), APACHE, "`deep` is here, and comes under it");
    assert_eq!(license(&world, "deep"), json!("Apache-2.0"));
    world.run(&["check"]).ok();
    // A skill that is disabled comes back one day.
    world.run(&["disable", "deep", "--reason", "not now"]).ok();
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v3"))]);
    world.sync();
    world.run(&["candidate", "accept", "root"]).ok();
    assert!(world.exists("registry/licenses/up/plugins/ops/LICENSE"));
    // And with the skill the file goes, at the next update.
    world.git("registry", &["rm", "-q", "skills/deep.toml"]);
    world.commit("registry", "no more deep");
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v4"))]);
    world.sync();
    world.run(&["candidate", "accept", "root"]).ok();
    assert!(!world.exists("registry/licenses/up/plugins/ops"));
    assert!(world.exists("registry/licenses/up/plugins/odd/LICENSE"));
}

#[test]
fn a_kept_licence_file_rewrites_no_candidate_and_goes_with_the_removal_of_its_skill() {
    let world = keeping_what_upstream_removed();
    let head = world.rev("registry", "candidate/up/root");
    let synced = world.sync();
    assert_eq!((synced.action("root"), world.rev("registry", "candidate/up/root")), ("kept", head.clone()));
    assert_eq!(world.json(&["candidate", "show", "root"])["state"], "open");
    world.run(&["source", "set", "up", "policy.removed_skills=propose"]).ok();
    let synced = world.sync();
    assert_eq!((synced.action("deep"), synced.action("root")), ("opened", "kept"));
    assert!(!world.has("registry", "candidate/up/deep", "licenses/up/plugins/ops"));
    assert!(world.has("registry", "candidate/up/root", "licenses/up/plugins/ops/LICENSE"));
    world.run(&["candidate", "accept", "deep"]).ok();
    assert!(!world.exists("registry/licenses/up/plugins/ops"));
    assert_eq!(world.sync().action("root"), "remade", "nothing wants the file any more");
    world.run(&["candidate", "accept", "root"]).ok();
    assert!(!world.exists("registry/licenses/up/plugins/ops"));
    assert_eq!(world.sync().class("root"), "unchanged");
}

#[test]
fn what_a_reviewer_keeps_of_a_removed_skill_keeps_its_licence_file() {
    let world = world();
    world.registry(&[("skills/deep/SKILL.md", &skill("deep", "ours"))]);
    world.git("upstream", &["rm", "-rq", "plugins/ops"]);
    world.upstream(&[("skills/root/SKILL.md", &skill("root", "v2"))]);
    let synced = world.sync();
    assert_eq!(synced.conflicts("deep"), ["SKILL.md modify_delete"]);
    world.run(&["candidate", "resolve", "deep", "--take", "local"]).ok();
    for id in ["deep", "root"] {
        world.sync();
        world.run(&["candidate", "accept", id]).ok();
    }
    assert_eq!(world.read("registry/skills/deep/SKILL.md"), skill("deep", "ours"));
    assert_eq!(world.read("registry/licenses/up/plugins/ops/LICENSE"), APACHE);
}
