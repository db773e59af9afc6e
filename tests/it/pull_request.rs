//! `candidate show --format markdown`: a pull request's title and body, and upstream's text in it and in commits.

use crate::support::World;
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";

fn show(world: &World) -> Value {
    world.json(&["candidate", "show", "deploy"])
}

fn body(world: &World) -> String {
    let markdown = world.run(&["candidate", "show", "deploy", "--format", "markdown"]).ok().stdout;
    let (title, body) = markdown.split_once("\n\n").unwrap();
    let show = show(world);
    assert_eq!((&show["pull_request"]["title"], &show["pull_request"]["body"]), (&json!(title), &json!(body)));
    assert!(!title.contains('\n') && body.len() < 65_536, "{title}");
    let json = world.run(&["--json", "candidate", "show", "deploy", "--format", "markdown"]).ok().json();
    assert_eq!(json, show, "with --json it is one document");
    body.to_owned()
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

fn of_version(version: &str, body: &str) -> String {
    let stated = format!("\nlicense: MIT\nmetadata:\n  version: \"{version}\"\n---\n");
    lines("first", body).replace("\n---\n", &stated)
}

#[test]
fn a_pull_request_says_what_moved_why_and_what_merging_does() {
    let world = World::following(&[(FILE, &of_version("1.0", "last"))]);
    let upstream = of_version("1.1", "v2").replace("license: MIT", "license: GPL-3.0-only");
    let revision = world.upstream(&[(FILE, &upstream)]);
    world.sync();
    let text = body(&world);
    let before = world.show("registry", "main", "skills/deploy.toml");
    let old = before.lines().find_map(|line| line.strip_prefix("revision = ")).unwrap().trim_matches('"');
    assert_eq!(show(&world)["pull_request"]["title"], format!("deploy: update to up {}", &revision[..7]));
    says(
        &text,
        &[
            "**Class** `fast_forward`, **state** `open`. Upstream moved from the base ",
            &format!("| revision | `{old}` | `{revision}` |"),
            "| version | `1.0` | `1.1` |",
            "- **The licence changes:** `MIT` -> `GPL-3.0-only`",
            "| `license` | `MIT` | `GPL-3.0-only` |",
            "| `accepted` | `git-sha256:",
            "| `mirror` | `",
            "skillgraft candidate accept deploy\n",
            "skillgraft candidate decline deploy --reason",
        ],
    );
    assert!(
        !text.contains("## Conflicts") && !text.contains("edits made here") && !text.contains("What upstream changed")
    );
    // Where the host is known, its page is linked; the source file is the team's.
    world.edit("registry/sources/up.toml", "../upstream", "https://github.com/obra/superpowers.git");
    world.commit("registry", "moved");
    let link = format!("[What upstream changed](https://github.com/obra/superpowers/compare/{old}...{revision})");
    says(&body(&world), &[&link]);
}

#[test]
fn a_pull_request_quotes_conflicts_and_says_how_each_local_edit_fared() {
    let files = ["kept.md", "both.md", "fight.md", "same.md"].map(|name| format!("skills/deploy/{name}"));
    let old = lines("first", "last");
    let all: Vec<(&str, &str)> =
        files.iter().map(|file| (file.as_str(), old.as_str())).chain([(FILE, &*old)]).collect();
    let world = World::following(&all);
    let (ours, theirs) = (lines("ours", "last"), lines("theirs", "last"));
    let [kept, both, fight, same] = files.each_ref().map(String::as_str);
    world.registry(&[(kept, &ours), (both, &ours), (fight, &ours), (same, &theirs)]);
    world.upstream(&[(both, &lines("first", "theirs")), (fight, &theirs), (same, &theirs), (FILE, &theirs)]);
    world.sync();
    let text = body(&world);
    says(
        &text,
        &[
            "**Class** `three_way`, **state** `conflicted`.",
            "1 conflict is left to a person",
            "- `fight.md` (content)",
            "`fight.md`, lines 6 to 12:\n\n```text\n<<<<<<< local\nours\n||||||| base\nfirst\n=======\ntheirs\n>>>>>>> upstream\n```\n",
            "| `kept.md` | kept |",
            "| `both.md` | merged with upstream's |",
            "| `fight.md` | conflict: to be decided |",
            "| `same.md` | kept |",
            "git switch candidate/up/deploy",
            "skillgraft candidate resolve deploy",
        ],
    );
    let edits = show(&world)["local_edits"].clone();
    assert_eq!(edits[1], json!({"path": "fight.md", "fate": "conflict"}));
    assert!(!text.contains("candidate accept"), "it cannot be accepted yet");
}

#[test]
fn a_pull_request_names_the_declined_update_that_this_one_contains() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "fixes #1 for @octocat [skip ci]"]).ok();
    let revision = world.head("upstream");
    world.upstream(&[(FILE, &lines("first", "v3"))]);
    world.sync();
    let text = body(&world);
    says(
        &text,
        &[&format!("- **Contains an update that was declined:** `{revision}`, declined by `Pat Person`: `fixes ")],
    );
    is_inert(&text);
}

/// Asserts that nothing in a Markdown text is active: outside of code there is no upstream text at all, and in code
/// none that forges look for there too.
#[track_caller]
fn is_inert(text: &str) {
    let lower = text.to_lowercase();
    for word in ["[skip ci]", "[ci skip]", "***no_ci***", "skip-checks", "#1", "gh-1", "@octocat", "/issues/2"] {
        assert!(!lower.contains(word), "{word} in\n{text}");
    }
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let marks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if marks.len() >= 3 => fence = Some(marks),
            None => {
                let outside: String = line.split('`').step_by(2).collect();
                for word in ["evil", "<", "octocat", "![", "fixes"] {
                    assert!(!outside.contains(word), "{word} outside of code in {line:?}\n{text}");
                }
            }
        }
    }
    assert_eq!(fence, None, "a fence that stays open\n{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}')), "{text:?}");
}

#[test]
fn hostile_upstream_text_is_inert_in_a_pull_request_and_in_commit_messages() {
    const EVIL: [&str; 9] = [
        "@octocat fixes #1",
        "closes GH-1 <img src=https://evil.example/x>",
        "[skip ci] [ci skip] ***NO_CI***",
        "![evil](https://evil.example/x.png)",
        "```",
        "````sh evil",
        "resolves https://github.com/evil/evil/issues/2",
        "skip-checks: true",
        "\u{202e}evil\u{1b}[2J \u{0}`` evil",
    ];
    let name = "fixes #1 @octocat [skip ci] evil.md";
    let path = format!("skills/deploy/{name}");
    let world = World::following(&[(FILE, &lines("first", "last")), (&path, "one\n")]);
    let evil = EVIL.join("\n").replace('\0', "");
    world.registry(&[(&path, "ours\n"), (FILE, &lines("ours", "last"))]);
    let stated = format!("\nlicense: {}\nversion: {}\n---\n", json!(EVIL[0]), json!(EVIL[2]));
    world.upstream(&[(&path, &evil), (FILE, &lines(&evil, "last").replacen("\n---\n", &stated, 1))]);
    world.sync();
    let text = body(&world);
    assert!(text.contains("## Conflicts") && text.matches("```text").count() >= 2, "{text}");
    is_inert(&text);
    world.run(&["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    for branch in ["candidate/up/deploy", "candidate/up/deploy^", "mirror/up", "mirror/up^"] {
        let message = world.git("registry", &["log", "-1", "--format=%B", branch]);
        // A mirror says it once, in our own words: nothing that upstream brings is run.
        let own = if branch.starts_with("mirror/") { "\n\n[skip ci]\n" } else { "" };
        assert!(message.contains(own), "{message}");
        let message = message.replacen(own, "", usize::from(!own.is_empty()));
        for word in ["#1", "@octocat", "[skip ci]", "<img", "://"] {
            assert!(!message.contains(word), "{word} in {message}");
        }
    }
}

#[test]
fn a_pull_request_is_never_longer_than_a_forge_takes_and_says_what_it_leaves_out() {
    let files: Vec<(String, String, String)> = (0..300)
        .map(|n| {
            let path = format!("skills/deploy/{}-{n:03}.md", "long".repeat(40));
            (path, format!("ours {n}\n").repeat(60), format!("theirs {n}\n").repeat(60))
        })
        .collect();
    let base: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, ..)| (path.as_str(), "base\n"))
        .chain([(FILE, "---\nname: deploy\ndescription: d\n---\n")])
        .collect();
    let world = World::following(&base);
    world.registry(&files.iter().map(|(path, ours, _)| (path.as_str(), ours.as_str())).collect::<Vec<_>>());
    world.upstream(&files.iter().map(|(path, _, theirs)| (path.as_str(), theirs.as_str())).collect::<Vec<_>>());
    assert_eq!(world.sync().conflicts("deploy").len(), 300);
    let text = body(&world);
    assert!(text.len() > 30_000 && text.len() < skillgraft::ops::candidate::LONGEST, "{}", text.len());
    says(&text, &["more left out; see the branch)", "(cut here; the file has more)", "## Commands"]);
    is_inert(&text);
}
