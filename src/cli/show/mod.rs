//! Reports as text, one function for each report. Meaning never depends on colour.

mod candidates;
mod differences;
mod local;
mod skills;
mod sources;
mod sync;

pub use candidates::{accept, candidate, candidates, decline, demo, resolve};
pub use differences::diff;
pub use local::{choose, decide, discover, import};
pub use skills::{adopt, check, disable, export, found_origin, link, list, log, rollback, skill, tag};
pub use sources::{add, add_plugins, init, pause, show_command, source, source_file, sources, status, trusted};
pub use sync::{retry, sync};

use super::output::{CYAN, RED, Text, YELLOW};
use crate::registry::Changed;
use crate::types::{escape, one_line};
use comfy_table::Table;

/// Versions that could not be tagged.
fn untagged(errors: &[crate::sync::report::ErrorReport], out: &mut Text) {
    for error in errors {
        out.remark(format!("{RED}error:{RED:#} {}", error.message));
        error.hint.iter().for_each(|hint| out.remark(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
}

fn remarks(list: &[crate::source::Remark], label: &str, out: &mut Text) {
    for remark in list {
        let told = format!("{}: {} [{}]", escape(&remark.path), remark.message, remark.reason);
        match remark.is_failure() {
            true => out.error(format!("{RED}error:{RED:#} {told}")),
            false => out.remark(format!("{YELLOW}{label}:{YELLOW:#} {told}")),
        }
    }
}

fn license_change(change: &crate::sync::LicenseChange) -> String {
    let shown = |license: &Option<String>| one_line(license.as_deref().unwrap_or("none is stated"), 60);
    format!("{} -> {}", shown(&change.before), shown(&change.after))
}

/// What people can do about a skill that upstream renamed.
fn follow_or_stay(renamed: &crate::sync::Renamed) -> Vec<String> {
    let follow = renamed.follow.as_ref().map(|commands| format!("to follow, once it is accepted: {commands}"));
    follow.into_iter().chain([format!("to stay: {}", renamed.stay)]).collect()
}

/// Returns what stands before a command that works once a change is on the default branch: nothing where it is there already.
fn once_merged(changed: &Changed) -> String {
    if changed.proposed { format!("once {} is merged, ", changed.branch.short()) } else { String::new() }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>, out: &mut Text) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head);
    let mut empty = true;
    for row in rows {
        empty = false;
        table.add_row(row);
    }
    if !empty {
        table.to_string().lines().for_each(|line| out.line(line.trim()));
    }
}
