//! What hints say to run: each command of ours that a scenario sees in one must be one that clap takes.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;

/// The commands that were looked at: many scenarios see the same.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Asserts that clap knows the options of every command that the hints of a run name. Nothing is run: `--help` ends it.
pub fn are_commands(program: &str, stderr: &str) {
    let hints = stderr.lines().filter_map(|line| line.trim().strip_prefix("hint: "));
    for command in hints.flat_map(commands) {
        if !SEEN.lock().unwrap().insert(command.to_owned()) {
            continue;
        }
        let output = Command::new(program).args(words(command)).arg("--help").env_clear().output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a hint says `skillgraft {command}`, and that fails:\n{said}\n{stderr}");
    }
}

/// Returns what follows `skillgraft` in each command of a hint, up to where prose goes on.
fn commands(hint: &str) -> Vec<&str> {
    const PROSE: [&str; 6] = [", ", "; ", " (", "`", ")", " or "];
    let starts = hint.match_indices("skillgraft ").filter(|(at, _)| {
        let before = &hint[..*at];
        before.is_empty() || [": ", "then ", "`", "or ", ", "].iter().any(|end| before.ends_with(end))
    });
    let rest = starts.map(|(at, name)| &hint[at + name.len()..]);
    rest.map(|rest| &rest[..PROSE.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len())]).collect()
}

/// Splits a command as a shell does, as far as quotes go.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in command.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().expect("it begins with one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
