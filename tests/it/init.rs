//! `init`: a registry is laid down, and nothing that was there is touched.

use crate::support::{PROGRAM, Run, World, skill};
use serde_json::json;

const TEMPLATE: [&str; 5] =
    [".gitattributes", "README.md", "skillgraft.toml", "skills/using-skillgraft/SKILL.md", "sources/README.md"];

#[test]
fn a_fresh_folder_becomes_a_registry_with_one_commit() {
    let world = World::new();
    let report = world.run_in("", &["--json", "init", "new/registry"]).ok().json();
    assert_eq!(report["created_repository"], true);
    assert_eq!(report["written"], json!(TEMPLATE));
    assert_eq!(report["left_alone"], json!([]));
    assert_eq!(world.git("new/registry", &["rev-list", "--count", "HEAD"]), "1");
    assert_eq!(world.git("new/registry", &["status", "--porcelain"]), "");
    assert_eq!(world.git("new/registry", &["ls-files"]).lines().collect::<Vec<_>>(), TEMPLATE);
    let check = world.run_in("new/registry", &["--json", "check"]).ok().json();
    assert_eq!(check["findings"], json!([]), "the template passes its own rules");
}

#[test]
fn init_twice_changes_nothing_the_second_time() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    let head = world.head("registry");
    let report = world.run_in("registry", &["--json", "init"]).ok().json();
    assert_eq!((&report["commit"], &report["written"]), (&json!(null), &json!([])));
    assert_eq!(world.head("registry"), head);
}

#[test]
fn files_in_the_way_are_left_alone_and_listed_whether_tracked_or_not() {
    let world = World::new();
    world.init("registry");
    world.write("registry/README.md", "ours\n");
    world.write("registry/.gitattributes", "*.png binary\n");
    world.commit("registry", "ours");
    world.write("registry/skillgraft.toml", "format = 1\n# not committed yet\n");
    world.write("registry/sources", "a file where a folder would go\n");
    world.write("registry/README.md", "ours, edited\n");
    let report = world.run_in("registry", &["--json", "init"]).ok().json();
    assert_eq!(report["left_alone"], json!([".gitattributes", "README.md", "skillgraft.toml", "sources/README.md"]));
    assert_eq!(report["written"], json!(["skills/using-skillgraft/SKILL.md"]));
    assert_eq!(report["attributes_missing"], true);
    assert_eq!(world.read("registry/README.md"), "ours, edited\n");
    assert_eq!(world.read("registry/sources"), "a file where a folder would go\n");
    assert_eq!(world.read("registry/skillgraft.toml"), "format = 1\n# not committed yet\n");
    assert!(!world.has("registry", "HEAD", "skillgraft.toml"), "what a person has not committed is not committed");
}

#[test]
fn staged_and_unstaged_work_survives_init() {
    let world = World::new();
    world.init("registry");
    world.write("registry/a", "1\n");
    world.write("registry/b", "1\n");
    world.commit("registry", "ours");
    world.write("registry/a", "staged\n");
    world.git("registry", &["add", "a"]);
    world.write("registry/b", "not staged\n");
    world.run_in("registry", &["init"]).ok();
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "M  a\n M b");
    assert_eq!(world.read("registry/b"), "not staged\n");
    assert_eq!(world.show("registry", "HEAD", "a"), "1\n");
}

#[test]
fn an_unborn_repository_gets_its_first_commit_on_its_own_branch() {
    let world = World::new();
    world.git("", &["init", "-q", "-b", "trunk", "registry"]);
    world.run_in("registry", &["init"]).ok();
    assert_eq!(world.git("registry", &["rev-parse", "--abbrev-ref", "HEAD"]), "trunk");
    assert!(world.read("registry/skillgraft.toml").contains("branch = \"trunk\""));
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
    world.sync();
}

#[test]
fn a_branch_that_is_hardly_the_default_one_is_named() {
    let world = World::new();
    world.init("registry");
    world.write("registry/a", "1\n");
    world.commit("registry", "ours");
    world.git("", &["clone", "-q", "registry", "clone"]);
    // The branch that everybody takes for the default one needs no words.
    let said = world.run_in("registry", &["init"]).ok().stderr;
    assert!(!said.contains("default branch"), "{said}");
    world.git("clone", &["switch", "-q", "-c", "feature"]);
    let run = world.run_in("clone", &["init"]).ok();
    run.says(&[
        "notice: the registry's default branch is `feature`, because it is checked out; origin's is `main`",
        "hint: for another one, write branch = \"main\" under [registry] in skillgraft.toml, commit, and merge this",
    ]);
    // As the hint says.
    world.edit("clone/skillgraft.toml", "branch = \"feature\"", "branch = \"main\"");
    world.commit("clone", "the registry is on main");
    world.git("clone", &["switch", "-q", "main"]);
    world.git("clone", &["merge", "-q", "feature"]);
    assert_eq!(world.sync_in("clone", &[]).json["branch"], "main");
    // Without a remote only the name says it.
    world.init("alone");
    world.git("alone", &["switch", "-q", "-c", "topic"]);
    world.commit("alone", "ours");
    let report = world.run_in("alone", &["--json", "init"]).ok().json();
    assert_eq!(report["notice"]["message"], "the registry's default branch is `topic`, because it is checked out");
}

#[test]
fn a_registry_may_live_in_a_folder_of_a_larger_repository() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.init("product");
    world.write("product/src/main.c", "int main;\n");
    world.commit("product", "the product");
    world.run_in("product", &["init", "tools/agents"]).ok();
    assert!(world.exists("product/tools/agents/skillgraft.toml") && !world.exists("product/skillgraft.toml"));
    world.run_in("product/tools/agents/skills", &["add", "../../../../upstream", "--name", "up"]).ok();
    assert!(world.exists("product/tools/agents/skills/deploy/SKILL.md"));
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    let synced = world.sync_in("product/tools/agents", &[]);
    assert_eq!(synced.class("deploy"), "fast_forward");
    let changed = world.git("product", &["diff", "--name-only", "main", "candidate/up/deploy"]);
    assert_eq!(changed, "tools/agents/skills/deploy.toml\ntools/agents/skills/deploy/SKILL.md");
    world.run_in("product/tools/agents", &["candidate", "accept", "deploy"]).ok();
    assert!(world.read("product/tools/agents/skills/deploy/SKILL.md").contains("v2"));
    assert_eq!(world.git("product", &["status", "--porcelain"]), "");
    assert_eq!(world.sync_in("product/tools/agents", &[]).class("deploy"), "unchanged");
}

#[test]
fn a_detached_head_or_a_bare_repository_is_refused_with_the_command_to_run() {
    let world = World::new();
    world.init("registry");
    world.write("registry/a", "1\n");
    world.commit("registry", "ours");
    world.git("registry", &["checkout", "-q", "--detach"]);
    world.run_in("registry", &["init"]).ends_with(2).says(&["HEAD is on no branch", "git switch"]);
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
    world.git("", &["init", "-q", "--bare", "bare.git"]);
    world.run_in("bare.git", &["init"]).ends_with(2).says(&["bare"]);
}

#[test]
fn a_registry_whose_skills_folder_is_hidden_works_from_there() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.edit("registry/skillgraft.toml", "[registry]", "[registry]\nskills = \".claude/skills\"");
    world.edit("registry/skillgraft.toml", "skills = \"skills\"", "");
    world.commit("registry", "move the skills");
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    assert!(world.exists("registry/.claude/skills/deploy/SKILL.md"));
    assert!(world.exists("registry/.claude/skills/deploy.toml"));
}

#[test]
fn the_next_command_works_where_it_is_pasted() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    let next = |run: Run| {
        let line = run.ok().stderr.lines().find_map(|line| line.strip_prefix("next: ").map(str::to_owned)).unwrap();
        line.strip_suffix("<url or folder>").unwrap().replace("skillgraft", &format!("'{PROGRAM}'"))
    };
    std::fs::create_dir(world.path("in place")).unwrap();
    for (dir, args, made) in [
        ("", &["init", "new/one"][..], "new/one"),
        ("", &["init", "Pat's own"], "Pat's own"),
        ("home", &["-C", "..", "init", "three"], "three"),
        ("in place", &["init"], "in place"),
    ] {
        let line = next(world.run_in(dir, args));
        assert_eq!(line.starts_with("cd "), made != dir, "{line}");
        let upstream = world.path("upstream").display().to_string();
        let pasted = world.command("sh", dir).args(["-c", &format!("{line}'{upstream}'")]).output().unwrap();
        assert!(pasted.status.success(), "{line}: {}", String::from_utf8_lossy(&pasted.stderr));
        assert!(world.exists(&format!("{made}/skills/deploy.toml")), "{line}");
    }
}
