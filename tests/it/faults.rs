//! Runs that are killed, write errors, sources that fail again and again (issue "Review on a forge", Faults).

use crate::push::{merge_on_forge, publish, upstream_moves};
use crate::support::{PROGRAM, World, skill};
use std::process::Stdio;
use std::time::{Duration, Instant};

const NAMES: [&str; 6] = ["deploy", "review", "test", "write", "plan", "ship"];

fn world() -> World {
    let files: Vec<(String, String)> =
        NAMES.iter().map(|name| (format!("{name}/SKILL.md"), skill(name, "v1"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    World::following(&files)
}

/// How many kills; more by hand: `SKILLGRAFT_KILLS=3000`.
fn kills() -> u64 {
    std::env::var("SKILLGRAFT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// A small generator of numbers (SplitMix64): the instants are as random as the machine's speed anyway.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// Starts a sync and kills it at a random instant; tells whether it was still running.
fn sync_killed(world: &World, dir: &str, args: &[&str], within: Duration, dice: &mut Dice) -> bool {
    let mut command = world.command(PROGRAM, dir);
    let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_micros(dice.below(within.as_micros() as u64)));
    let killed = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    killed
}

/// Names of files that a run should not leave behind.
fn rubbish(world: &World, git_dir: &str) -> Vec<String> {
    let all = walkdir::WalkDir::new(world.path(git_dir)).into_iter().flatten();
    let names = all.map(|entry| entry.path().display().to_string());
    names
        .filter(|name| {
            name.contains("skillgraft_")
                || name.ends_with(".lock") && !name.contains("skillgraft/lock")
                || name.ends_with("skillgraft/moving")
        })
        .collect()
}

fn kill_again_and_again(push: bool) {
    let world = world();
    publish(&world);
    let args: &[&str] = if push { &["sync", "--push"] } else { &["sync"] };
    let (here, judged) = if push { ("here", "remote.git") } else { ("registry", "registry") };
    if !push {
        world.git("registry", &["remote", "remove", "origin"]);
    }
    let mut dice = Dice(7);
    let (mut killed, mut round) = (0, 1);
    while killed < kills() / 2 {
        round += 1;
        for _ in 0..3 {
            let name = NAMES[dice.below(6) as usize];
            upstream_moves(&world, name, &format!("v{round}"));
        }
        if push && round % 4 == 0 && !world.branches("remote.git", "candidate/").is_empty() {
            merge_on_forge(&world, &world.branches("remote.git", "candidate/")[0].clone());
        }
        // What an undisturbed run makes of the same state.
        world.git("", &["clone", "-q", "--mirror", judged, "twin.git"]);
        let twin = if push {
            world.git("", &["clone", "-q", "twin.git", "twin"]);
            "twin.git"
        } else {
            std::process::Command::new("cp")
                .args(["-a"])
                .arg(world.path("registry"))
                .arg(world.path("twin"))
                .status()
                .unwrap();
            "twin"
        };
        let started = Instant::now();
        world.sync_in("twin", if push { &["--push"] } else { &[] });
        let takes = started.elapsed();
        for _ in 0..15 {
            killed += u64::from(sync_killed(&world, here, args, takes, &mut dice));
        }
        world.run_in(here, args).ok();
        assert_eq!(world.refs(judged), world.refs(twin), "round {round}");
        if round % 5 == 0 {
            world.git(judged, &["fsck", "--strict", "--no-dangling"]);
            world.git(here, &["fsck", "--strict", "--no-dangling"]);
        }
        let left = rubbish(&world, if push { "here/.git" } else { "registry/.git" });
        assert!(left.is_empty(), "{left:#?}");
        for gone in ["twin.git", "twin"] {
            std::fs::remove_dir_all(world.path(gone)).unwrap();
        }
    }
}

#[test]
fn after_a_kill_at_any_instant_the_next_sync_ends_as_if_nothing_had_happened() {
    kill_again_and_again(false);
}

#[test]
fn after_a_kill_at_any_instant_the_next_push_ends_as_if_nothing_had_happened() {
    kill_again_and_again(true);
}

#[test]
fn a_lock_that_a_killed_run_left_is_cleared_and_one_of_a_living_git_is_not() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    upstream_moves(&world, "review", "v2");
    world.sync();
    upstream_moves(&world, "deploy", "v3");
    upstream_moves(&world, "review", "v3");
    // What a run leaves that is killed between taking its locks and moving the refs.
    world.write("registry/.git/skillgraft/lock", "4711\n");
    world.write("registry/.git/skillgraft/moving", "refs/heads/candidate/up/deploy\n");
    world.write("registry/.git/refs/heads/candidate/up/deploy.lock", "");
    // A lock that is in nobody's journal is somebody's who lives: it stays, and fails its skill alone.
    world.write("registry/.git/refs/heads/candidate/up/review.lock", "");
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.action("deploy")), (1, "remade"));
    assert!(synced.skill("review")["error"]["message"].as_str().unwrap().contains("review"));
    assert!(world.exists("registry/.git/refs/heads/candidate/up/review.lock"));
    std::fs::remove_file(world.path("registry/.git/refs/heads/candidate/up/review.lock")).unwrap();
    assert_eq!(world.sync().action("review"), "remade");
}

#[test]
fn a_disk_that_takes_no_more_ends_with_an_error_and_the_old_state() {
    let world = world();
    let mut dice = Dice(1);
    // Nothing that could be compressed.
    let much: String = (0..4000).map(|_| format!("{:016x}\n", dice.below(u64::MAX))).collect();
    upstream_moves(&world, "deploy", &much);
    let before = world.refs("registry");
    // No file may grow beyond 2 KiB: what a full disk does, without one.
    let mut command = world.command("sh", "registry");
    let script = format!("ulimit -f 4; trap '' XFSZ; exec '{PROGRAM}' sync");
    let output = command.args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write") && !said.contains("panicked"), "{said}");
    assert_eq!(world.refs("registry"), before);
    assert_eq!(world.sync().action("deploy"), "opened");
    assert_eq!(rubbish(&world, "registry/.git"), Vec::<String>::new());
}

#[test]
fn a_source_that_failed_three_times_in_a_row_is_said_by_status_on_any_clone_until_it_is_well_again() {
    let world = World::with_upstream(&[("deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    publish(&world);
    world.sync_in("here", &["--push"]);
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    for run in 1..=4 {
        let clone = if run % 2 == 0 { "here" } else { "there" };
        assert_eq!(world.try_sync(clone, &["--push"]).code, 1);
        let status = world.run_in(clone, &["--json", "status"]).json();
        assert_eq!(status["failing"].as_array().unwrap().len(), usize::from(run >= 3), "run {run}");
    }
    world.run_in("here", &["status"]).ok().says(&["failing: source up", "3 runs"]);
    let before = world.refs("remote.git");
    world.try_sync("here", &["--push"]);
    assert_eq!(world.refs("remote.git"), before, "from the third time on nothing is written");
    std::fs::rename(world.path("away"), world.path("upstream")).unwrap();
    world.sync_in("there", &["--push"]);
    assert!(!world.refs("remote.git").contains("skillgraft/failed"));
}

#[test]
fn a_shallow_clone_is_refused_with_the_command_to_run() {
    let world = world();
    publish(&world);
    upstream_moves(&world, "deploy", "v2");
    world.git("", &["clone", "-q", "--depth=1", &world.url("remote.git"), "shallow"]);
    world.run_in("shallow", &["sync"]).ends_with(1).says(&["shallow", "git fetch --unshallow"]);
    world.git("shallow", &["fetch", "-q", "--unshallow"]);
    assert_eq!(world.sync_in("shallow", &[]).action("deploy"), "opened");
}
