//! git is the judge of tree hashes.

use crate::support::{World, skill};

#[test]
fn accepted_is_what_git_write_tree_prints_in_a_sha256_repository() {
    let world = World::new();
    world.init("upstream");
    world.write("upstream/skills/deploy/SKILL.md", skill("deploy", "v1"));
    world.write("upstream/skills/deploy/scripts/run.sh", "#!/bin/sh\nexit 0\n");
    world.write("upstream/skills/deploy/scripts.txt", "sorts between folder and file\n");
    world.write("upstream/skills/deploy/scripts-old/a/b/c.txt", "deep\n");
    world.write("upstream/skills/deploy/\u{fc}ml\u{e4}ut \u{1f980}.md", "non-ASCII\n");
    world.write("upstream/skills/deploy/\u{65e5}\u{672c}/\u{8a9e}.md", "names\n");
    world.write("upstream/skills/deploy/empty", "");
    world.write("upstream/skills/deploy/data.bin", [0, 159, 146, 150, 13, 10]);
    world.commit("upstream", "a skill with everything");
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", "../upstream", "--name", "up"]).ok();

    world.git("", &["init", "-q", "--object-format=sha256", "judge"]);
    let copy = |from: &str, to: &str| {
        let mut cp = world.command("cp", "");
        assert!(cp.args(["-a", from, to]).status().unwrap().success());
    };
    copy("registry/skills/deploy/.", "judge/");
    world.git("judge", &["add", "--all"]);
    let tree = world.git("judge", &["write-tree"]);
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains(&format!("accepted = \"git-sha256:{tree}\"")), "{tree}\n{entry}");
    let git_tree = world.rev("registry", "HEAD:skills/deploy");
    assert!(entry.contains(&format!("git_tree = \"{git_tree}\"")), "{entry}");
    let list = world.json(&["list"]);
    let listed = list["skills"].as_array().unwrap().iter().find(|s| s["id"] == "deploy").unwrap();
    assert_eq!(listed["tree"], format!("git-sha256:{tree}"));

    // After a local edit, local is what git says of the edited files.
    world.registry(&[("skills/deploy/SKILL.md", "edited\n")]);
    world.write("judge/SKILL.md", "edited\n");
    world.git("judge", &["add", "--all"]);
    let edited = world.git("judge", &["write-tree"]);
    let synced = world.sync();
    let skill = synced.skill("deploy");
    assert_eq!(skill["local"], format!("git-sha256:{edited}"));
    assert_eq!((&skill["base"], &skill["upstream"]), (&skill["base"], &skill["base"]));
    assert_eq!(skill["base"], format!("git-sha256:{tree}"));
}

#[test]
fn an_accepted_removal_is_gits_own_empty_tree() {
    let world = World::following(&[("skills/a/SKILL.md", &skill("a", "v1")), ("skills/b/SKILL.md", &skill("b", "v1"))]);
    world.git("upstream", &["rm", "-rq", "skills/a"]);
    world.commit("upstream", "remove a");
    assert_eq!(world.sync().class("a"), "removed");
    world.run(&["candidate", "accept", "a"]).ok();
    world.git("", &["init", "-q", "--object-format=sha256", "judge"]);
    let empty = world.git("judge", &["write-tree"]);
    assert!(world.read("registry/skills/a.toml").contains(&format!("accepted = \"git-sha256:{empty}\"")));
    assert_eq!(world.sync().class("a"), "unchanged");
}
