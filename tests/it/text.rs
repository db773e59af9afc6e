//! What people read: stdout, stderr and exit code of the main commands, word for word.

use crate::support::{Run, World, redact, skill};
use crate::sync::lines;
use snapbox::{assert_data_eq, str};

/// The run as a person sees it, with ids and paths that are the same everywhere.
fn seen(world: &World, run: &Run) -> String {
    let part = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("[{name}]\n{text}") };
    let text = format!("[exit {}]\n{}{}", run.code, part("stdout", &run.stdout), part("stderr", &run.stderr));
    redact(world.path("home").parent().unwrap(), &text)
}

/// A registry with a fast-forward, a conflict, a new skill and a rejected one waiting, not yet synced.
fn story() -> World {
    let world = World::following(&[
        ("skills/deploy/SKILL.md", &lines("first", "last")),
        ("skills/other/SKILL.md", &skill("other", "v1")),
    ]);
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "ours"))]);
    world.upstream(&[
        ("skills/deploy/SKILL.md", &lines("first", "upstream's")),
        ("skills/other/SKILL.md", &skill("other", "v2")),
        ("skills/fresh/SKILL.md", &skill("fresh", "v1")),
        ("skills/v1/SKILL.md", &skill("v1", "no id")),
    ]);
    world
}

#[test]
fn init_says_what_it_wrote_and_what_it_left_alone() {
    let world = World::new();
    world.write("registry/README.md", "ours\n");
    assert_data_eq!(
        seen(&world, &world.run_in("", &["init", "registry"])),
        str![[r#"
[exit 0]
[stdout]
Initialized registry [ROOT]/registry on branch main ([ID])
  wrote       .gitattributes
  wrote       skillgraft.toml
  wrote       skills/using-skillgraft/SKILL.md
  wrote       sources/README.md
  left alone  README.md
[stderr]
next: cd registry && skillgraft add <url or folder>

"#]]
    );
    // Of a registry that is there, only the forge's files are new, and sources are perhaps there, too.
    assert_data_eq!(
        seen(&world, &world.run(&["init", "--forge", "none"])),
        str![[r#"
[exit 0]
[stdout]
Added what runs it on a server to registry [ROOT]/registry on branch main ([ID])
  wrote       server/crontab
  wrote       server/skillgraft.service
  wrote       server/skillgraft.timer
[stderr]
next: read the top of server/skillgraft.service: it says what to set up once

"#]]
    );
}

#[test]
fn add_says_what_came_in_and_what_did_not() {
    let world = World::with_upstream(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/v1/SKILL.md", &skill("v1", "no id")),
    ]);
    assert_data_eq!(
        seen(&world, &world.run(&["add", "../upstream", "--name", "up"])),
        str![[r#"
[exit 0]
[stdout]
Following up with 1 skill ([ID] on main)
  deploy
[stderr]
not taken: skills/v1: neither its `name` nor the directory `v1` can be a skill id [no_id]

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["add", "../upstream", "--name", "two"])),
        str![[r#"
[exit 1]
[stderr]
error: nothing was added: a name belongs to others
  cause: skills/deploy: `deploy` follows source `up` at skills/deploy, so upstream's skill of that name stays out
  hint: leave these skills out with --exclude NAME, or give all ids a namespace with --namespace NS

"#]]
    );
}

#[test]
fn sync_says_what_waits() {
    let world = story();
    assert_data_eq!(
        seen(&world, &world.run(&["sync"])),
        str![[r#"
[exit 0]
[stdout]
up synced at [ID] (3 skills, 3 waiting)
  deploy three_way        opened  candidate/up/deploy, 1 conflict
  fresh  new              opened  candidate/up/fresh
  other  fast_forward     opened  candidate/up/other
candidates: 3 opened
[stderr]
not taken: skills/v1: neither its `name` nor the directory `v1` can be a skill id [no_id]
tagged 4 versions
next: skillgraft candidate list

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["-q", "sync"])),
        str![[r#"
[exit 0]
[stdout]
up unchanged at [ID] (3 skills, 3 waiting)
candidates: 3 kept
3 candidates wait, 1 with conflicts: skillgraft candidate list

"#]]
    );
    // A log has a line for each thing that the run did, and a count of what merely waits.
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v3"))]);
    assert_data_eq!(
        seen(&world, &world.run(&["sync"])),
        str![[r#"
[exit 0]
[stdout]
up synced at [ID] (3 skills, 3 waiting)
  other  fast_forward     remade  candidate/up/other
candidates: 1 remade, 2 kept
2 candidates wait, 1 with conflicts: skillgraft candidate list
[stderr]
not taken: skills/v1: neither its `name` nor the directory `v1` can be a skill id [no_id]

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["-v", "sync"])),
        str![[r#"
[exit 0]
[stdout]
up unchanged at [ID] (3 skills, 3 waiting)
  deploy three_way        kept    candidate/up/deploy, 1 conflict
  fresh  new              kept    candidate/up/fresh
  other  fast_forward     kept    candidate/up/other
candidates: 3 kept
[stderr]
not taken: skills/v1: neither its `name` nor the directory `v1` can be a skill id [no_id]
next: skillgraft candidate list

"#]]
    );
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    assert_data_eq!(
        seen(&world, &world.run(&["sync"])),
        str![[r#"
[exit 1]
[stdout]
up failed
candidates: none
[stderr]
error: up: there is no git repository at [ROOT]/registry/../upstream: cannot open the git repository [ROOT]/registry/../upstream: "[ROOT]/registry/../upstream" does not appear to be a git repository: Could not retrieve metadata of "[ROOT]/registry/../upstream": No such file or directory (os error 2)
  hint: look at `git` in the source file; relative paths start at the registry

"#]]
    );
}

#[test]
fn a_log_counts_what_is_held_in_one_line_for_each_source() {
    let world = story();
    world.run(&["sync"]).ok();
    world.run(&["candidate", "decline", "deploy", "--reason", "not now"]).ok();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/fresh"]);
    assert_data_eq!(
        seen(&world, &world.run(&["sync"])),
        str![[r#"
[exit 0]
[stdout]
up unchanged at [ID] (3 skills, 1 waiting)
  2 updates held back (--verbose names them)
candidates: 1 kept
1 candidate waits: skillgraft candidate list
[stderr]
not taken: skills/v1: neither its `name` nor the directory `v1` can be a skill id [no_id]

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["-v", "sync"])),
        str![[r#"
[exit 0]
[stdout]
up unchanged at [ID] (3 skills, 1 waiting)
  deploy three_way        held    candidate/up/deploy
  fresh  new              held    candidate/up/fresh
  other  fast_forward     kept    candidate/up/other
candidates: 1 kept
[stderr]
notice: deploy: held: the team declined this update (by Pat Person: not now); the next one is proposed again
  hint: to propose it all the same: skillgraft candidate retry deploy
notice: fresh: held: somebody deleted the branch of this update; the next one is proposed again
  hint: to propose it all the same: skillgraft candidate retry fresh
not taken: skills/v1: neither its `name` nor the directory `v1` can be a skill id [no_id]
next: skillgraft candidate list

"#]]
    );
}

#[test]
fn status_and_lists_are_tables() {
    let world = story();
    world.run(&["sync"]).ok();
    assert_data_eq!(
        seen(&world, &world.run(&["status"])),
        str![[r#"
[exit 0]
[stdout]
main at [ID]: 3 skills, 1 of our own, 1 edited here

SOURCE  STATE    SKILLS  REF  LOCATION
up      enabled  2            ../upstream

SKILL   CLASS         STATE       UPSTREAM            BRANCH
deploy  three_way     1 conflict  [ID] -> [ID]  candidate/up/deploy
fresh   new           open        [ID]             candidate/up/fresh
other   fast_forward  open        [ID] -> [ID]  candidate/up/other

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["list"])),
        str![[r#"
[exit 0]
[stdout]
SKILL             STATE   SOURCE  UPSTREAM  LICENCE
deploy            edited  up      [ID]
other                     up      [ID]
using-skillgraft  own                       MIT OR Apache-2.0

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["candidate", "list"])),
        str![[r#"
[exit 0]
[stdout]
SKILL   CLASS         STATE       UPSTREAM            BRANCH
deploy  three_way     1 conflict  [ID] -> [ID]  candidate/up/deploy
fresh   new           open        [ID]             candidate/up/fresh
other   fast_forward  open        [ID] -> [ID]  candidate/up/other

"#]]
    );
}

#[test]
fn a_candidate_is_shown_compared_and_refused_while_it_conflicts() {
    let world = story();
    world.run(&["sync"]).ok();
    assert_data_eq!(
        seen(&world, &world.run(&["candidate", "show", "deploy"])),
        str![[r#"
[exit 0]
[stdout]
deploy from up, [ID] -> [ID] (1 conflict)
branch    candidate/up/deploy at [ID]
class     three_way
verdict   Upstream moved from the base [ID] to [ID], and the skill was edited here ([ID]): all three differ, and both changes are merged; 1 conflict is left to a person.
base      git-sha256:[ID]
local     git-sha256:[ID]
upstream  git-sha256:[ID]
  changed  SKILL.md
  conflict SKILL.md (content)
[stderr]
next: git switch candidate/up/deploy, edit, commit, skillgraft candidate resolve deploy

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["candidate", "diff", "other"])),
        str![[r#"
[exit 0]
[stdout]
diff other/SKILL.md
--- local/SKILL.md
+++ candidate/SKILL.md
@@ -3,4 +3,4 @@
 description: Does other.
 ---
 
-v1
+v2

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["candidate", "accept", "deploy"])),
        str![[r#"
[exit 1]
[stderr]
error: the candidate of `deploy` has unresolved conflicts: SKILL.md (content)
  hint: edit the files on candidate/up/deploy, commit, and run: skillgraft candidate resolve deploy

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["candidate", "resolve", "deploy", "--take", "local"])),
        str![[r#"
[exit 0]
[stdout]
Resolved SKILL.md ([ID] on candidate/up/deploy)
[stderr]
next: skillgraft candidate accept deploy

"#]]
    );
    assert_data_eq!(
        seen(&world, &world.run(&["candidate", "accept", "deploy", "other"])),
        str![[r#"
[exit 0]
[stdout]
Accepted deploy ([ID] on main)
Accepted other ([ID] on main)

"#]]
    );
}

#[test]
fn check_says_file_line_and_rule() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.edit("registry/skills/deploy.toml", "status = \"active\"", "status = \"sleepy\"");
    world.registry(&[("skills/deploy/SKILL.md", "---\nname: Deploy\nmodel: opus\n---\n")]);
    assert_data_eq!(
        seen(&world, &world.run(&["check"])),
        str![[r#"
[exit 1]
[stdout]
skills/deploy.toml:2: error [entry-invalid] `status` is one of `active`, `disabled`, `declined`, not `sleepy`
skills/deploy/SKILL.md:1: error [description-missing] `description` is missing
skills/deploy/SKILL.md:2: error [name-directory] name "Deploy" must equal the name of the skill's directory, "deploy"
skills/deploy/SKILL.md:2: error [name-lowercase] name "Deploy" must be lowercase
skills/deploy/SKILL.md:3: warning [unknown-field] the spec does not know the field "model"; `metadata` is the place for fields of one's own
[stderr]
2 skills checked at [ID]: 4 errors, 1 warning

"#]]
    );
}
