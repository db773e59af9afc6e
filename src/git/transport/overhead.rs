//! What our way of running git costs, measured against bare git.

#![expect(clippy::print_stdout, reason = "what was measured")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use super::{FETCH, FETCHED, REMOTE, Want, init_bare};
use crate::git::process::Where;
use crate::git::test_world::World;
use std::time::{Duration, Instant};

/// `cargo test --release overhead -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn overhead() {
    let world = World::new();
    let mut table = Vec::new();
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let (mut ours, mut bare, mut same) = (vec![], vec![], vec![]);
    for _ in 0..100 {
        let now = Instant::now();
        world.ls(&["main"]);
        ours.push(now.elapsed());
        let now = Instant::now();
        world.sh(
            ".",
            &[
                "ls-remote",
                "--symref",
                "--",
                &world.url(),
                "refs/heads/main",
                "refs/tags/main",
                "refs/tags/main^{}",
                "HEAD",
            ],
        );
        bare.push(now.elapsed());
    }
    table.push(("ls-remote", median(ours), median(bare)));
    let (mut ours, mut bare) = (vec![], vec![]);
    init_bare(&world.git, &world.path("bare.git"), false).unwrap();
    for round in 0..60 {
        let id = world.commit(&format!("round {round}"));
        let ours_first = round % 2 == 0;
        for turn in [ours_first, !ours_first] {
            let now = Instant::now();
            if turn {
                world.fetch(Want::Commit(&id), true).unwrap();
                ours.push(now.elapsed());
            } else {
                let spec = format!("+{id}:{FETCHED}{id}");
                let url = format!("remote.{REMOTE}.url={}", world.url());
                let fixed = ["-c", &url, "-c", "gc.auto=0", "-c", "fetch.fsckObjects=true"];
                let args: Vec<&str> =
                    fixed.into_iter().chain(FETCH).chain(["--depth=1", "--filter=blob:none", REMOTE, &spec]).collect();
                world.sh("bare.git", &args);
                bare.push(now.elapsed());
            }
        }
    }
    table.push(("fetch", median(ours), median(bare)));
    for _ in 0..200 {
        let now = Instant::now();
        world.git.command(Where::Nowhere).arg("version").run_ok().unwrap();
        same.push(now.elapsed());
    }
    let ours = median(same);
    let bare = (0..200)
        .map(|_| {
            let now = Instant::now();
            world.sh(".", &["version"]);
            now.elapsed()
        })
        .collect();
    table.push(("version", ours, median(bare)));
    for (what, ours, bare) in table {
        println!("{what}: ours {ours:.2} ms, bare git {bare:.2} ms, difference {:.2} ms", ours - bare);
    }
}
