//! A candidate that people edited here and, differently, on the remote: the remote's counts, and it is said (RULES,
//! "Candidate").

use crate::push::world;
use crate::support::{World, skill};

const BRANCH: &str = "candidate/up/deploy";
const FILE: &str = "skills/deploy/SKILL.md";

fn text(first: &str, last: &str) -> String {
    skill("deploy", &format!("{first}\n\n2\n\n3\n\n4\n\n5\n\n6\n\n{last}"))
}

/// `here` has one edit of the candidate, the remote another one.
fn edited_apart() -> World {
    let world = world();
    world.upstream(&[("deploy/SKILL.md", &text("v2", "v2"))]);
    world.sync_in("here", &["--push"]);
    for clone in ["here", "there"] {
        world.git(clone, &["fetch", "-q"]);
        world.git(clone, &["switch", "-q", BRANCH]);
    }
    world.write(format!("there/{FILE}"), text("v2", "theirs"));
    world.commit("there", "an edit there");
    world.git("there", &["push", "-q"]);
    world.write(format!("here/{FILE}"), text("ours", "v2"));
    world.commit("here", "an edit here");
    world.git("here", &["switch", "-q", "main"]);
    world.git("here", &["fetch", "-q"]);
    world
}

#[test]
fn edits_here_and_others_on_the_remote_are_said_by_sync_list_and_show_and_refused_by_accept_and_resolve() {
    let world = edited_apart();
    let (here, main) = (world.rev("here", BRANCH), world.head("here"));
    let message =
        "candidate/up/deploy has edits here and others on origin; what origin has counts, and neither is moved";
    let join = "git checkout candidate/up/deploy && git merge origin/candidate/up/deploy";
    let synced = world.sync_in("here", &[]);
    assert_eq!(synced.skill("deploy")["notice"]["message"], message);
    world.run_in("here", &["candidate", "list"]).ok().says(&[message, join]);
    world.run_in("here", &["candidate", "show", "deploy"]).ok().says(&[message, join]);
    world.run_in("here", &["candidate", "accept", "deploy"]).ends_with(1).says(&[message, join]);
    world.upstream(&[("deploy/SKILL.md", &text("v3", "v2"))]);
    assert_eq!(world.sync_in("here", &[]).skill("deploy")["notice"]["message"], message, "nor is it carried");
    assert_eq!((world.rev("here", BRANCH), world.head("here")), (here, main));
}

#[test]
fn joined_as_the_hint_says_it_is_accepted_with_both_edits() {
    let world = edited_apart();
    world.git("here", &["checkout", "-q", BRANCH]);
    world.git("here", &["merge", "-q", "--no-edit", &format!("origin/{BRANCH}")]);
    world.git("here", &["push", "-q", "origin", BRANCH]);
    world.git("here", &["checkout", "-q", "main"]);
    world.run_in("here", &["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.show("here", "main", FILE), text("ours", "theirs"));
}

#[test]
fn a_candidate_that_the_tool_made_again_on_either_side_is_nobodys_edit() {
    let world = world();
    world.upstream(&[("deploy/SKILL.md", &text("v2", "v2"))]);
    world.sync_in("here", &["--push"]);
    world.git("here", &["fetch", "-q"]);
    world.upstream(&[("deploy/SKILL.md", &text("v3", "v2"))]);
    world.sync_in("here", &[]);
    let synced = world.sync_in("here", &[]);
    assert!(synced.skill("deploy")["notice"].is_null(), "{synced:#?}");
    world.run_in("here", &["--json", "candidate", "list"]).ok().prints(&["\"diverged\": null"]);
}
