//! What sync did. On a terminal, and with `--verbose`, every candidate has its line; a log has lines for what the run did.

use super::{count, follow_or_stay, license_change, remarks, untagged};
use crate::cli::output::{BOLD, CYAN, GREEN, RED, Text, YELLOW};
use crate::ops::decline;
use crate::registry::Uncommitted;
use crate::sync::report::{CandidateReport, Notice, Report as SyncReport, SkillReport, SourceReport};
use crate::sync::{Action, Class, Outcome};
use crate::types::{one_line, short_revision};

pub fn sync(report: &SyncReport, dry_run: bool, out: &mut Text) {
    // What counts is the branch as the remote has it, where the run was on the remote.
    let of = report.pushed.as_ref().map_or(String::new(), |pushed| format!(" of {}", pushed.remote));
    tell_uncommitted(&report.uncommitted, &format!("{}{of}", report.branch), out);
    for source in &report.sources {
        sync_source(source, out);
    }
    if !report.versions.is_empty() && !dry_run {
        out.remark(format!("tagged {}", count(report.versions.len(), "version")));
    }
    untagged(&report.untagged, out);
    let c = report.candidates;
    let mut parts: Vec<String> =
        [(c.opened, "opened"), (c.remade, "remade"), (c.carried, "carried"), (c.kept, "kept"), (c.closed, "closed")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
    if parts.is_empty() {
        parts.push("none".into());
    }
    out.line(format!("candidates: {}", parts.join(", ")));
    // What was pushed is the remote's; this clone sees it once it has fetched.
    let fetch = report.pushed.as_ref().map_or(String::new(), |pushed| format!("{}, then ", pushed.fetch));
    let list = format!("{fetch}skillgraft candidate list");
    let waiting: Vec<&CandidateReport> =
        report.sources.iter().flat_map(|source| &source.skills).filter_map(waits).collect();
    let left_out = !waiting.is_empty() && !tells_all(out);
    if left_out {
        let conflicts = waiting.iter().filter(|candidate| !candidate.conflicts.is_empty()).count();
        let conflicts = if conflicts > 0 { format!(", {conflicts} with conflicts") } else { String::new() };
        let (waiting, s) = (count(waiting.len(), "candidate"), if waiting.len() == 1 { "s" } else { "" });
        out.line(format!("{waiting} wait{s}{conflicts}: {list}"));
    }
    if dry_run {
        out.remark("dry run: this is what a sync would do; nothing was written");
    } else if c.opened + c.remade + c.carried + c.kept > 0 && !left_out {
        out.remark(format!("{CYAN}next:{CYAN:#} {list}"));
    }
}

/// The candidate of a skill that merely waits: this run left it as it was, and has nothing to say of it.
fn waits(skill: &SkillReport) -> Option<&CandidateReport> {
    let has_notice = skill.notice.is_some() || !skill.contains.is_empty() || !skill.ended.is_empty();
    let says_nothing = !has_notice && skill.error.is_none();
    let is_quiet = |candidate: &&CandidateReport| {
        candidate.action == Action::Kept && candidate.license_change.is_none() && says_nothing
    };
    skill.candidate.as_ref().filter(is_quiet)
}

/// Tells whether a skill's update is merely held, as it was before: this run did nothing about it.
fn stays_held(skill: &SkillReport) -> bool {
    let is_held = skill.candidate.as_ref().is_some_and(|candidate| candidate.action == Action::Held);
    is_held && skill.ended.is_empty() && skill.error.is_none()
}

/// A log has a line for what a run did, and a count of what waits or is held; who looks at a terminal, or asks, gets every line.
fn tells_all(out: &Text) -> bool {
    out.verbose || out.terminal
}

pub(super) fn tell_uncommitted(uncommitted: &[Uncommitted], reads: &str, out: &mut Text) {
    for file in uncommitted {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}", file.sentence(reads)));
    }
}

fn sync_source(source: &SourceReport, out: &mut Text) {
    let at = source.revision.as_deref().map(short_revision);
    let at = at.map_or(String::new(), |id| format!(" at {}", one_line(id, 60)));
    let style = match source.outcome {
        Outcome::Failed | Outcome::Missing => RED,
        Outcome::Synced => GREEN,
        _ => BOLD,
    };
    let waiting = source
        .skills
        .iter()
        .filter(|skill| skill.candidate.as_ref().is_some_and(|c| !matches!(c.action, Action::Closed | Action::Held)))
        .count();
    let waiting = if waiting == 0 { String::new() } else { format!(", {waiting} waiting") };
    // What has no class and a branch is a candidate that is left over; the skill is not of this source.
    let is_here = |skill: &&SkillReport| skill.class.is_some() || skill.candidate.is_none();
    let skills = if source.mirror.is_some() {
        format!(" ({}{waiting})", count(source.skills.iter().filter(is_here).count(), "skill"))
    } else {
        String::new()
    };
    let paused = source.pause.as_ref().map_or(String::new(), |paused| format!(" {}", paused.words()));
    out.line(format!("{style}{}{style:#} {}{at}{skills}{paused}", source.name, source.outcome.as_str()).trim_end());
    if let Some(error) = &source.error {
        out.error(format!("{RED}error:{RED:#} {}: {}", source.name, error.message));
        error.hint.iter().for_each(|hint| out.error(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
    tell_ended(source.name.as_str(), &source.ended, out);
    let width = source.skills.iter().map(|skill| skill.id.len()).max().unwrap_or_default();
    let all = tells_all(out);
    for skill in source.skills.iter().filter(|skill| all || waits(skill).is_none() && !stays_held(skill)) {
        sync_skill(skill, width, out);
    }
    let held = source.skills.iter().filter(|skill| stays_held(skill)).count();
    if held > 0 && !all {
        out.line(format!("  {} held back (--verbose names them)", count(held, "update")));
    }
    remarks(&source.rejected, "not taken", out);
    remarks(&source.warnings, "warning", out);
}

fn sync_skill(skill: &SkillReport, width: usize, out: &mut Text) {
    let class = skill.class.map_or("", Class::as_str);
    match &skill.candidate {
        Some(CandidateReport { branch, action, conflicts, edited, .. }) => {
            let mut more = String::new();
            if !conflicts.is_empty() {
                more.push_str(&format!(", {YELLOW}{}{YELLOW:#}", count(conflicts.len(), "conflict")));
            }
            if *edited {
                more.push_str(", edited");
            }
            if let Some(plugin) = &skill.plugin {
                more.push_str(&format!(", {}", one_line(&plugin.to_string(), 80)));
            }
            out.line(format!("  {:<width$} {class:<16} {:<7} {}{more}", skill.id, action.as_str(), branch.short()));
        }
        None if out.verbose || skill.notice.is_some() || skill.moved_from.is_some() => {
            // A held update without a branch: nothing was done with one.
            let held = skill.hold.map_or("", |_| Action::Held.as_str());
            let paused = skill.pause.as_ref().map_or(String::new(), |paused| paused.words());
            out.line(format!("  {:<width$} {class:<16} {held}{paused}", skill.id).trim_end())
        }
        None => {}
    }
    if let Some(from) = &skill.moved_from {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: it moved from {from} to {} upstream", skill.id, skill.path));
    }
    if let Some(renamed) = &skill.renamed {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: {}", skill.id, renamed.sentence(&skill.id)));
        follow_or_stay(renamed).iter().for_each(|way| out.remark(format!("  {CYAN}hint:{CYAN:#} {way}")));
    }
    for contained in &skill.contains {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: {}", skill.id, contained.sentence()));
    }
    if let Some(change) = skill.candidate.as_ref().and_then(|candidate| candidate.license_change.as_ref()) {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: its licence changes: {}", skill.id, license_change(change)));
    }
    tell_news(skill, out);
}

/// Tells why nothing is proposed of a skill.
pub(super) fn held_back(skill: &SkillReport, out: &mut Text) {
    if let Some(paused) = &skill.pause {
        out.remark(format!("{YELLOW}paused:{YELLOW:#} {} {}", skill.id, paused.words()).trim_end());
    }
    tell_news(skill, out);
}

/// Tells the notice and the error of a skill.
fn tell_news(skill: &SkillReport, out: &mut Text) {
    if let Some(notice) = &skill.notice {
        tell(&Notice { message: format!("{}: {}", skill.id, notice.message), hint: notice.hint.clone() }, out);
    }
    tell_ended(&skill.id, &skill.ended, out);
    if let Some(error) = &skill.error {
        out.error(format!("{RED}error:{RED:#} {}: {}", skill.id, error.message));
        error.hint.iter().for_each(|hint| out.error(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
}

pub(super) fn tell(notice: &Notice, out: &mut Text) {
    out.remark(format!("{YELLOW}notice:{YELLOW:#} {}", notice.message));
    notice.hint.iter().for_each(|hint| out.remark(format!("  {CYAN}hint:{CYAN:#} {hint}")));
}

fn tell_ended(name: &str, ended: &[Notice], out: &mut Text) {
    for notice in ended {
        out.remark(format!("{name}: {}", notice.message));
        notice.hint.iter().for_each(|hint| out.remark(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
}

pub fn retry(report: &decline::Retried, out: &mut Text) {
    let skill = &report.skill;
    sync_skill(skill, skill.id.len(), out);
    let publish = report.publish.as_ref().map_or(String::new(), |command| format!(", and for the others: {command}"));
    out.remark(format!("{CYAN}next:{CYAN:#} skillgraft candidate show {}{publish}", skill.id));
}
