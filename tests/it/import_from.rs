//! `import --from`: a skill, a folder of skills, a project, an archive, a git bundle.

use crate::import::{told, world};
use crate::support::{archives, skill};
use serde_json::json;
use std::os::unix::fs::symlink;

#[test]
fn a_folder_may_be_a_skill_a_folder_of_skills_or_a_project() {
    let world = world();
    assert_eq!(world.json(&["import", "--from", "../bundle/deploy"])["skills"][0]["skill"], "deploy");
    world.write("app/.claude/skills/one/SKILL.md", skill("one", "1"));
    world.write("app/.agents/skills/two/SKILL.md", skill("two", "2"));
    world.write("app/docs/three/SKILL.md", skill("three", "not where agents look"));
    world.write("app/.cursor/skills/two/SKILL.md", skill("two", "of one agent"));
    symlink("../../.claude/skills/one", world.path("app/.cursor/skills/one")).unwrap();
    let report = world.json(&["import", "--from", "../app"]);
    assert_eq!(told(&report), ["one completed new", "two completed new"]);
    assert_eq!(
        (&report["skills"][0]["provider"], &report["skills"][1]["provider"]),
        (&json!("claude-code"), &json!("cursor"))
    );
    assert_eq!(report["skills"][0]["path"], ".claude/skills/one");
    let warnings = |at: usize| crate::support::sync::remarks(&report["skills"][at]["warnings"]);
    assert_eq!((warnings(0), warnings(1)), (vec![], vec![".agents/skills/two shadowed".to_owned()]));
    // A repository of plugins has its skills further down; what lies between is no name of theirs.
    world.write("plugins-repo/plugins/acme/skills/four/SKILL.md", skill("four", "4"));
    let report = world.json(&["import", "--from", "../plugins-repo"]);
    assert_eq!(
        (&report["skills"][0]["key"], &report["skills"][0]["skill"]),
        (&json!("plugins/acme/skills/four"), &json!("four"))
    );
    // A folder of skills of which one happens to be called like a folder of skills.
    world.write("odd/skills/SKILL.md", skill("skills", "about skills"));
    world.write("odd/five/SKILL.md", skill("five", "5"));
    assert_eq!(told(&world.json(&["import", "--from", "../odd"])), ["five completed new", "skills completed new"]);
    world.run(&["import", "--from", "../home"]).ends_with(1).says(&["no skill in it"]);
    world.run(&["import", "--from", "../gone"]).ends_with(2).says(&["there is nothing"]);
    world.write("skills.zip", "PK");
    world.run(&["import", "--from", "../skills.zip"]).ends_with(1).says(&["skills.zip", "neither .tar"]);
}

#[test]
fn an_archive_is_read_like_a_folder_and_only_one_skill_md_is_a_skills() {
    let world = world();
    let (one, two) = (skill("one", "1"), skill("two", "2"));
    let entries = [
        ("bundle-1.4/skills/one/SKILL.md", one.as_str(), 'f'),
        ("bundle-1.4/skills/one/run.sh", "#!/bin/sh\n", 'x'),
        ("bundle-1.4/skills/two/SKILL.md", two.as_str(), 'f'),
    ];
    for (name, bytes) in [("a.zip", archives::zip(&entries)), ("a.tar.gz", archives::tar_gz(&entries))] {
        world.write(name, bytes);
    }
    let report = world.json(&["import", "--from", "../a.zip"]);
    assert_eq!(told(&report), ["one completed new", "two completed new"]);
    assert_eq!(world.git("registry", &["ls-tree", "HEAD", "skills/one/run.sh"]).split(' ').next(), Some("100755"));
    assert!(world.read("registry/skills/one.toml").contains("kind = \"archive\""));
    assert_eq!(world.json(&["import", "--from", "../a.tar.gz"])["skills"][0]["status"], "unchanged");
    // A second spelling of the one file that counts, and a path that leaves the archive.
    for odd in ["one/x/../SKILL.md", "one/../../SKILL.md", "/one/SKILL.md"] {
        world.write("odd.tar.gz", archives::tar_gz(&[("one/SKILL.md", &one, 'f'), (odd, "evil", 'f')]));
        world.run(&["import", "--from", "../odd.tar.gz", "--on-conflict", "overwrite"]).ends_with(1);
        assert!(world.read("registry/skills/one/SKILL.md").ends_with("1\n"), "{odd}");
    }
}

#[test]
fn a_git_bundle_is_read_like_an_archive() {
    let world = world();
    world.init("made");
    world.write("made/skills/one/SKILL.md", skill("one", "1"));
    world.write("made/skills/one/run.sh", "#!/bin/sh\n");
    world.write("made/skills/two/SKILL.md", skill("two", "2"));
    world.commit("made", "two skills");
    world.git("made", &["bundle", "create", "-q", "../made.bundle", "HEAD", "main"]);
    // What it is stands in its first bytes, not in its name.
    std::fs::rename(world.path("made.bundle"), world.path("handed-over")).unwrap();
    let report = world.json(&["import", "one", "--from", "../handed-over"]);
    assert_eq!(told(&report), ["one completed new"]);
    assert_eq!(world.git("registry", &["ls-tree", "HEAD", "skills/one/run.sh"]).split(' ').next(), Some("100755"));
    let entry = world.read("registry/skills/one.toml");
    assert!(entry.contains("kind = \"bundle\"\npath = \"skills/one\"\n"), "{entry}");
    let report = world.json(&["import", "--from", "../handed-over"]);
    assert_eq!(told(&report), ["one unchanged identical", "two completed new"]);
    world.write("broken.bundle", "# v2 git bundle\nno more\n");
    world.run(&["import", "--from", "../broken.bundle"]).ends_with(1).says(&["broken.bundle"]);
}

#[test]
fn of_a_folder_that_was_named_nothing_outside_is_read_wherever_its_links_lead() {
    let world = world();
    world.write("secret.txt", "not yours");
    world.write("private/SKILL.md", skill("private", "not yours"));
    world.write("evil/inner/SKILL.md", skill("inner", "fine"));
    // A root that is a link out of the folder, a skill that is one, and a link in a skill.
    std::fs::create_dir_all(world.path("evil/.claude")).unwrap();
    symlink("../..", world.path("evil/.claude/skills")).unwrap();
    symlink("../private", world.path("evil/private")).unwrap();
    symlink("../../secret.txt", world.path("evil/inner/notes.txt")).unwrap();
    let before = world.head("registry");
    let run = world.run(&["--json", "import", "--from", "../evil", "private"]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    let run = world.run(&["--json", "import", "--from", "../evil"]);
    assert_ne!(run.code, 0);
    assert_eq!(world.head("registry"), before);
    assert!(!run.all().contains("not yours"));
}
