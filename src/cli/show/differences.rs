//! Differences, as unified diffs.

use crate::cli::output::{BOLD, CYAN, GREEN, RED, Text};
use crate::ops::diff;
use crate::types::escape;
use similar::{ChangeTag, TextDiff};

pub fn diff(report: &diff::Report, out: &mut Text) {
    if report.files.is_empty() {
        out.remark(format!("{}: no file differs between {} and {}", report.skill, report.from, report.to));
    }
    for file in &report.files {
        let path = escape(&file.path);
        let (from, to) = (&report.from, &report.to);
        out.line(format!("{BOLD}diff {}/{path}{BOLD:#}", report.skill));
        match (file.old_mode, file.new_mode) {
            (None, Some(mode)) => out.line(format!("new file mode {mode}")),
            (Some(mode), None) => out.line(format!("deleted file mode {mode}")),
            (Some(old), Some(new)) if old != new => out.line(format!("old mode {old}\nnew mode {new}")),
            _ => {}
        }
        if file.binary {
            out.line("binary files differ");
            continue;
        }
        let (old, new) = (file.old.as_deref().unwrap_or_default(), file.new.as_deref().unwrap_or_default());
        if old == new {
            continue;
        }
        out.line(format!(
            "--- {}",
            if file.old_mode.is_some() { format!("{from}/{path}") } else { "/dev/null".into() }
        ));
        out.line(format!("+++ {}", if file.new_mode.is_some() { format!("{to}/{path}") } else { "/dev/null".into() }));
        hunks(old, new, out);
    }
}

fn hunks(old: &str, new: &str, out: &mut Text) {
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out.line(format!("{CYAN}{}{CYAN:#}", hunk.header()));
        for change in hunk.iter_changes() {
            let text = escape(change.value().strip_suffix('\n').unwrap_or(change.value()));
            match change.tag() {
                ChangeTag::Delete => out.line(format!("{RED}-{text}{RED:#}")),
                ChangeTag::Insert => out.line(format!("{GREEN}+{text}{GREEN:#}")),
                ChangeTag::Equal => out.line(format!(" {text}")),
            }
            if change.missing_newline() {
                out.line("\\ No newline at end of file");
            }
        }
    }
}
