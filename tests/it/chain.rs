//! A registry as the upstream of another: a company's, which a team follows.

use crate::support::{World, skill};
use serde_json::{Value, json};

const GUIDE: &str = "company/.claude/skills/using-skillgraft/SKILL.md";

/// A company's registry, whose skills lie in `.claude/skills` and follow an upstream, and a team's that is empty.
fn world() -> World {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.run_in("", &["init", "company"]).ok();
    world.git("company", &["mv", "skills", ".claude-skills"]);
    std::fs::create_dir(world.path("company/.claude")).unwrap();
    world.git("company", &["mv", ".claude-skills", ".claude/skills"]);
    world.edit("company/skillgraft.toml", "# skills = \"skills\"", "skills = \".claude/skills\"");
    world.write("company/docs/example/SKILL.md", skill("example", "no skill of the registry"));
    world.commit("company", "where agents look");
    world.run_in("company", &["add", "../upstream", "--name", "up"]).ok();
    world
}

#[test]
fn a_registry_is_followed_without_its_guide_and_from_the_folder_that_it_names() {
    let world = world();
    let guide = world.read("registry/skills/using-skillgraft/SKILL.md");
    let run = world.run(&["add", "../company"]).ok();
    run.prints(&["Following company with 1 skill"]).says(&[
        "upstream is a skillgraft registry, with its skills in .claude/skills/",
        "left out: .claude/skills/using-skillgraft, the guide of that registry",
    ]);
    assert!(world.read("registry/sources/company.toml").contains("path = \".claude/skills\"\n"));
    assert!(world.read("registry/skills/deploy.toml").contains("path = \".claude/skills/deploy\"\n"));
    assert!(!world.exists("registry/skills/example"), "what lies beside is not for others");
    assert_eq!(world.read("registry/skills/using-skillgraft/SKILL.md"), guide);
    let again = world.json(&["add", "../company"]);
    assert_eq!(again.get("commit"), None, "{again:#}");
    world.run(&["check"]).ok();
    // Nothing of it is noise afterwards: not the guide, which the company edits, nor the company's entries.
    world.edit(GUIDE, "# Using the skill registry", "# Using our registry");
    world.write("company/.claude/skills/deploy.toml", world.read("company/.claude/skills/deploy.toml") + "\n# ours\n");
    world.commit("company", "the company's own affairs");
    let synced = world.sync();
    let source = synced.source("company");
    assert_eq!((&source["rejected"], &source["warnings"]), (&json!([]), &json!([])), "{source:#}");
    assert_eq!(synced.class("deploy"), "unchanged");
    assert_eq!(world.branches("registry", "candidate/"), [""; 0]);
}

#[test]
fn a_registry_that_was_only_registered_is_enabled_as_add_follows_it() {
    let world = world();
    world.run(&["add", "../company", "--no-enable"]).ok();
    let text = world.read("registry/sources/company.toml");
    world.registry(&[("sources/company.toml", &format!("{text}# ours\n[policy]\nnew_skills = \"ignore\"\n"))]);
    let run = world.run(&["source", "enable", "company"]).ok();
    run.prints(&["Following company with 1 skill"]).says(&["with its skills in .claude/skills/", "left out: "]);
    let enabled = "path = \".claude/skills\"\n# ours\n[policy]\nnew_skills = \"ignore\"\n";
    let text = world.read("registry/sources/company.toml");
    assert!(text.ends_with(enabled) && !text.contains("enabled"), "{text}");
    assert!(!world.exists("registry/skills/example"), "what lies beside is not for others");
    assert_eq!(world.sync().class("deploy"), "unchanged");
    // A folder that a person named stays.
    world.run(&["add", "../company", "--name", "docs", "--path", "docs", "--no-enable"]).ok();
    world.run(&["source", "enable", "docs"]).ok().prints(&["  example\n"]);
    assert!(world.read("registry/sources/docs.toml").contains("path = \"docs\"\n"));
}

#[test]
fn an_update_goes_from_the_upstream_through_the_company_to_the_team() {
    let world = world();
    world.run(&["add", "../company"]).ok();
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    assert_eq!(world.sync().class("deploy"), "unchanged", "the company has not accepted it");
    world.sync_in("company", &[]);
    world.run_in("company", &["candidate", "accept", "deploy"]).ok();
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "v2"));
}

#[test]
fn the_licence_files_of_the_company_s_sources_reach_the_team() {
    let world =
        World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1")), ("LICENSE", "MIT, of upstream\n")]);
    world.init("other");
    world.write("other/skills/unused/SKILL.md", skill("unused", "v1"));
    world.write("other/LICENSE", "of another\n");
    world.commit("other", "one");
    world.run_in("", &["init", "company"]).ok();
    world.run_in("company", &["add", "../upstream", "--name", "up"]).ok();
    world.run_in("company", &["add", "../other"]).ok();
    world.run(&["add", "../company", "--skill", "deploy"]).ok();
    let all = world.git("registry", &["ls-tree", "-r", "--name-only", "HEAD", "licenses"]);
    let record = "licenses/company/skills/deploy.license";
    assert_eq!(all, format!("licenses/company/licenses/up/LICENSE\n{record}"), "and no others");
    assert_eq!(world.read(format!("registry/{record}")), UNKNOWN);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    // A change of it comes along with the skill's next update.
    world.upstream(&[("LICENSE", "Apache, of upstream\n"), ("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.sync_in("company", &[]);
    world.run_in("company", &["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "opened");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/licenses/company/licenses/up/LICENSE"), "Apache, of upstream\n");
}

#[test]
fn a_registry_that_has_nothing_but_its_guide_brings_nothing_yet_and_says_so() {
    let world = World::new();
    for name in ["company", "registry"] {
        world.run_in("", &["init", name]).ok();
    }
    world
        .run(&["add", "../company"])
        .ends_with(1)
        .says(&["is a skillgraft registry, and nothing but its guide is selected"]);
    // Registered, it waits, and its guide never is in the way.
    world.run(&["add", "../company", "--no-enable"]).ok();
    world.write("company/skills/review/SKILL.md", skill("review", "v1"));
    world.commit("company", "a skill");
    world
        .run(&["source", "enable", "company"])
        .ok()
        .prints(&["  review\n"])
        .says(&["left out: skills/using-skillgraft"]);
}

#[test]
fn a_skill_that_only_has_the_guide_s_name_is_a_skill_like_any_other() {
    let world = World::with_upstream(&[("using-skillgraft/SKILL.md", &skill("using-skillgraft", "our own"))]);
    world.run(&["add", "../upstream"]).ends_with(1).says(&["`using-skillgraft` is the team's own"]);
    world.run(&["add", "../upstream", "--namespace", "acme"]).ok().prints(&["  acme/using-skillgraft\n"]);
}

const MIT: &str = include_str!("../../LICENSE-MIT");
const ISC: &str = "SPDX-License-Identifier: ISC\n";
const MIT_RECORD: &str = "SPDX-License-Identifier: MIT\n";
const UNKNOWN: &str = "SPDX-License-Identifier: NOASSERTION\n";
const APACHE: &str = include_str!("../../LICENSE-APACHE");

fn license(world: &World, dir: &str) -> Value {
    let list = world.run_in(dir, &["--json", "list"]).ok().json();
    list["skills"].as_array().unwrap().iter().find(|skill| skill["id"] == "deploy").unwrap()["license"].clone()
}

#[test]
fn the_licence_that_a_company_s_entry_records_is_known_all_along_the_chain() {
    let world = world();
    world.upstream(&[("LICENSE", MIT), ("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.sync_in("company", &[]);
    world.run_in("company", &["candidate", "accept", "deploy"]).ok();
    // What the company says of its own repository is not said of what it brought in.
    world.write("company/LICENSE", APACHE);
    world.commit("company", "our own licence");
    world.run(&["add", "../company"]).ok();
    world.run_in("", &["init", "team"]).ok();
    world.run_in("team", &["add", "../registry", "--skill", "deploy"]).ok();
    world.run_in("", &["init", "copy"]).ok();
    world.write("copy/skills/deploy/SKILL.md", skill("deploy", "v2"));
    world.commit("copy", "copied by hand");
    world.run_in("copy", &["add", "../company", "--link", "--yes"]).ok();
    for dir in ["company", "registry", "team", "copy"] {
        assert_eq!(license(&world, dir), "MIT", "{dir}");
        world.edit(&format!("{dir}/skillgraft.toml"), "[policy]\n", "[policy]\nlicenses = [\"MIT\"]\n");
        world.commit(dir, "only MIT");
        let check = world.run_in(dir, &["check"]).ok();
        assert!(!check.stdout.contains("[license]"), "{dir}: {}", check.stdout);
    }
    let recorded = world.read("registry/licenses/company/.claude/skills/deploy.license");
    assert_eq!(recorded, "SPDX-License-Identifier: MIT\n", "as REUSE writes it");
    // It moves along the chain with the skill's next update.
    world.upstream(&[("LICENSE", APACHE), ("skills/deploy/SKILL.md", &skill("deploy", "v3"))]);
    for dir in ["company", "registry", "team"] {
        world.sync_in(dir, &[]);
        world.run_in(dir, &["candidate", "accept", "deploy"]).ok();
        assert_eq!(license(&world, dir), "Apache-2.0", "{dir}");
    }
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn the_record_of_a_licence_moves_with_its_skill_and_rewrites_no_other_candidate() {
    let files = ["a", "b", "c"].map(|name| (format!("skills/{name}/SKILL.md"), skill(name, "v1")));
    let world = World::with_upstream(&[("LICENSE", MIT)]);
    let update = |files: &[(String, String)]| {
        files.iter().for_each(|(path, text)| world.write(format!("upstream/{path}"), text));
        world.commit("upstream", "skills");
    };
    update(&files[..2]);
    world.run_in("", &["init", "company"]).ok();
    world.run_in("company", &["add", "../upstream", "--name", "up"]).ok();
    world.run(&["add", "../company"]).ok();
    let records = |at: &str| {
        let all = world.git("registry", &["ls-tree", "--name-only", &format!("{at}:licenses/company/skills")]);
        all.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(records("main"), ["a.license", "b.license"]);
    let company = |what: &[&str]| {
        world.sync_in("company", &[]);
        what.iter().for_each(|id| drop(world.run_in("company", &["candidate", "accept", id]).ok()));
    };
    update(&["a", "b"].map(|name| (format!("skills/{name}/SKILL.md"), skill(name, "v2"))));
    company(&["a", "b"]);
    let synced = world.sync();
    assert_eq!((synced.action("a"), synced.action("b")), ("opened", "opened"));
    // Another skill, and another licence: of `a` alone.
    update(&files[2..]);
    company(&["c"]);
    world.edit("company/skills/a.toml", "license = \"MIT\"", "license = \"ISC\"");
    world.commit("company", "we asked them");
    let synced = world.sync();
    assert_eq!(["a", "b", "c"].map(|id| synced.action(id).to_owned()), ["remade", "kept", "opened"]);
    let record = |at: &str| world.show("registry", at, "licenses/company/skills/a.license");
    assert_eq!((record("candidate/company/a").as_str(), record("candidate/company/b").as_str()), (ISC, MIT_RECORD));
    assert_eq!(records("candidate/company/b"), ["a.license", "b.license"]);
    assert_eq!(records("candidate/company/c"), ["a.license", "b.license", "c.license"]);
    // Accepted one after the other, none of the rest is made again, and all of it is there.
    for (id, left) in [("c", &["a", "b"][..]), ("a", &["b"]), ("b", &[])] {
        world.run(&["candidate", "accept", id]).ok();
        let synced = world.sync();
        left.iter().for_each(|other| assert_eq!(synced.action(other), "kept", "{other} after {id}"));
    }
    assert_eq!((records("main").len(), record("main").as_str()), (3, ISC));
    // A skill that the company drops keeps its record here for as long as it stays.
    world.run(&["source", "set", "company", "policy.removed_skills=keep"]).ok();
    world.git("company", &["rm", "-rq", "skills/a", "skills/a.toml"]);
    world.commit("company", "no more of it");
    update(&[("skills/b/SKILL.md".to_owned(), skill("b", "v3"))]);
    company(&["b"]);
    let synced = world.sync();
    assert_eq!((synced.class("a"), synced.action("b")), ("removed", "opened"));
    world.run(&["candidate", "accept", "b"]).ok();
    assert_eq!((records("main").len(), record("main").as_str()), (3, ISC));
}

#[test]
fn a_company_s_word_on_a_licence_counts_only_where_it_is_one_and_the_skill_states_none() {
    let world = world();
    let entry = world.read("company/.claude/skills/deploy.toml");
    // The company's own licence is that of what it wrote, and of nothing that it only passes on.
    world.write("company/LICENSE", APACHE);
    world.write("company/.claude/skills/own/SKILL.md", skill("own", "the company's"));
    for (index, word) in
        ["MIT\\nSPDX-License-Identifier: ISC", "\\u001b[2J", "../../LICENSE", "Ask us", ""].iter().enumerate()
    {
        world.write(
            "company/.claude/skills/deploy.toml",
            entry.replace("status", &format!("license = \"{word}\"\nstatus")),
        );
        world.commit("company", "a word");
        let name = format!("n{index}");
        world.run_in("", &["init", &name]).ok();
        world.run_in(&name, &["add", "../company"]).ok();
        assert_eq!(license(&world, &name), json!(null), "{word:?}");
        assert!(world.read(format!("{name}/skills/own.toml")).contains("license = \"Apache-2.0\"\n"));
        assert_eq!(world.read(format!("{name}/licenses/company/.claude/skills/deploy.license")), UNKNOWN);
    }
    world.write("company/.claude/skills/deploy.toml", entry.replace("status", "license = \"MIT\"\nstatus"));
    let stating = skill("deploy", "ours").replace("\n---\n", "\nlicense: ISC\n---\n");
    world.write("company/.claude/skills/deploy/SKILL.md", stating);
    world.commit("company", "the skill says another thing");
    world.run(&["add", "../company"]).ok();
    assert_eq!(license(&world, "registry"), "ISC");
}
