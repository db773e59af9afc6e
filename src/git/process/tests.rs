//! Running commands against programs that stand in for git.

#![expect(clippy::disallowed_methods, reason = "tests write programs with others, and read a clock")]

use super::{Git, GitCommand, Protocols, Where};
use crate::git::test_world::{World, environment, text};
use crate::git::transport::{Remote, ls_remote};
use crate::types::error::ErrorKind;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// A program that stands in for git. Another process writes it: while this one had it open for writing, a test that forks
/// at that moment would keep it busy.
fn script(world: &World, body: &str) -> Git {
    let path = world.path("fake-git");
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod +x \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", body]).arg(&path).status().unwrap().success());
    Git::new(path, &environment(world.dir.path(), &[]))
}

fn version(git: &Git) -> GitCommand<'_> {
    git.command(Where::Nowhere).arg("version")
}

#[test]
fn a_hung_git_is_ended_with_its_children_at_the_deadline() {
    let world = World::new();
    let pid = world.path("pid");
    let git = script(&world, &format!("sleep 1000 & echo $! > {}; wait", pid.display()));
    let started = Instant::now();
    let remote =
        Remote { url: "https://example.com/x", allow: Protocols::Secure, deadline: Duration::from_millis(300) };
    let error = ls_remote(&git, Where::Nowhere, &remote, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.full_message().contains("did not finish within 300ms"), "{}", text(&error));
    assert!(started.elapsed() < Duration::from_secs(2));
    let pid = fs::read_to_string(pid).unwrap();
    // Killed, but not by a parent that waits for it: the end takes a moment.
    let runs = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z")
    };
    while runs() {
        assert!(started.elapsed() < Duration::from_secs(10), "the child still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_flag_ends_a_running_command() {
    let world = World::new();
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let git = script(&world, "sleep 1000").cancelled_by(flag);
    let started = Instant::now();
    let error = version(&git).run().unwrap_err();
    assert!(error.full_message().contains("interrupted") && started.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_daemon_that_keeps_the_pipes_open_is_not_waited_for() {
    let world = World::new();
    let git = script(&world, "sleep 20 & echo done");
    let started = Instant::now();
    let output = version(&git).run_ok().unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn output_that_is_read_late_on_a_busy_machine_is_not_lost() {
    let world = World::new();
    // The end of git is seen long before its output: a child of it writes what counts.
    let git = script(&world, "(sleep 0.7; echo late) &");
    let output = version(&git).run_ok().unwrap();
    assert_eq!(output.stdout, b"late\n");
}

#[test]
fn output_and_input_larger_than_any_pipe_do_not_block() {
    let world = World::new();
    let git = script(&world, "tee /dev/stderr");
    let input = vec![b'x'; 5 << 20];
    let output = version(&git).stdin_bytes(input.clone()).run_ok().unwrap();
    assert_eq!((output.stdout == input, output.stderr.len()), (true, 64 << 10));
    let git = script(&world, "exit 3");
    assert_eq!(version(&git).stdin_bytes(input).run().unwrap().status.code(), Some(3));
    let git = script(&world, "exec cat /dev/zero");
    assert_eq!(version(&git).run().unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn messages_cannot_move_the_cursor() {
    let world = World::new();
    let git = script(&world, "printf 'remote: \\033[2Jhi\\rfatal: no\\342\\200\\256\\n' >&2; exit 128");
    let message = version(&git).run_ok().unwrap_err().full_message();
    assert_eq!(message, "`git version` exited with code 128: remote: \u{fffd}[2Jhi; fatal: no\u{fffd}");
}

#[test]
fn the_child_sees_the_given_environment_without_what_redirects_git() {
    let world = World::new();
    let removed =
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_FUTURE", "GIT_TRACE"];
    let kept =
        ["GIT_SSH_COMMAND", "GIT_CONFIG_KEY_0", "GIT_ASKPASS", "HTTPS_PROXY", "SSH_AUTH_SOCK", "GIT_AUTHOR_DATE"];
    let vars: Vec<(&str, &str)> = removed.iter().chain(&kept).map(|name| (*name, "1")).collect();
    script(&world, "env");
    let git = Git::new(world.path("fake-git"), &environment(world.dir.path(), &vars));
    let output = String::from_utf8(version(&git).run_ok().unwrap().stdout).unwrap();
    let has = |name: &str| output.lines().any(|line| line.starts_with(&format!("{name}=")));
    assert!(removed.iter().all(|name| !has(name)) && kept.iter().all(|name| has(name)), "{output}");
    assert!(output.contains("LC_ALL=C\n") && output.contains("SSH_ASKPASS=false\n"));
    let git = Git::new(world.path("fake-git"), &environment(world.dir.path(), &[("SSH_ASKPASS", "mine")]));
    assert!(String::from_utf8(version(&git).run_ok().unwrap().stdout).unwrap().contains("SSH_ASKPASS=mine\n"));
}
