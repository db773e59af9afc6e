//! Skills and their versions.

use super::{count, once_merged, table, untagged};
use crate::cli::output::{BOLD, CYAN, GREEN, RED, Text, YELLOW};
use crate::ops::adopt::Followed;
use crate::ops::show::{self as ops_show, Origin};
use crate::ops::{adopt, check, disable, export, link, list, rollback, tag};
use crate::registry::Status;
use crate::skill::spec::Severity;
use crate::sync::ancestry::Rival;
use crate::types::{one_line, short_revision};

pub fn list(report: &list::Report, out: &mut Text) {
    let rows = report.skills.iter().map(|skill| {
        let edited = match (skill.conflicts, skill.edited, skill.tree) {
            (1.., ..) => "conflicted",
            _ if skill.status == Status::Disabled => "disabled",
            (_, Some(true), None) => "missing",
            (_, Some(false), None) => "removed",
            _ if skill.paused => "paused",
            (_, Some(true), _) => "edited",
            (_, None, _) => "own",
            _ => "",
        };
        let source = skill.source.as_ref().map_or(String::new(), ToString::to_string);
        let version =
            skill.version.clone().or_else(|| skill.revision.as_deref().map(|id| short_revision(id).to_owned()));
        vec![
            skill.id.to_string(),
            edited.into(),
            source,
            one_line(&version.unwrap_or_default(), 20),
            one_line(skill.license.as_deref().unwrap_or_default(), 30),
        ]
    });
    table(&["SKILL", "STATE", "SOURCE", "UPSTREAM", "LICENCE"], rows, out);
    report
        .skills
        .iter()
        .filter_map(|skill| skill.error.as_ref())
        .for_each(|error| out.error(format!("{RED}error:{RED:#} {error}")));
}

pub fn skill(report: &ops_show::Show, out: &mut Text) {
    let skill = &report.skill;
    out.line(format!("{BOLD}{}{BOLD:#} ({})", skill.id, report.state));
    skill.description.iter().for_each(|text| out.line(text));
    let mut fact =
        |key: &str, text: Option<String>| text.into_iter().for_each(|text| out.line(format!("{key:<9} {text}")));
    fact(
        "status",
        (skill.status != Status::Active)
            .then(|| if skill.status == Status::Disabled { "disabled".into() } else { "declined".into() }),
    );
    fact("paused", skill.pause.as_ref().map(|paused| paused.words()));
    let held = report.held_back.as_ref().filter(|_| skill.pause.is_none());
    fact(
        "held",
        held.and_then(|held| held.held.as_ref()).map(|held| format!("{} {}", held.kind.as_str(), held.words())),
    );
    fact(
        "notice",
        held.filter(|held| held.held.is_none())
            .and_then(|held| held.notice.as_ref())
            .map(|notice| notice.message.clone()),
    );
    fact("error", held.and_then(|held| held.error.as_ref()).map(|error| error.message.clone()));
    fact("source", skill.source.as_ref().zip(skill.path.as_ref()).map(|(source, path)| format!("{source} at {path}")));
    fact("revision", skill.revision.clone());
    fact("version", skill.version.clone());
    fact("licence", skill.license.clone());
    fact("newest", report.newest_version.map(|number| format!("v{number}")));
    fact("owners", (!report.owners.is_empty()).then(|| one_line(&report.owners.join(", "), 200)));
    fact("lineage", (!report.lineage.is_empty()).then(|| one_line(&report.lineage.join(", "), 200)));
    fact("edited", skill.edited.map(|edited| if edited { "yes".into() } else { "no".into() }));
    fact("tree", report.state_tree.map(|tree| tree.to_string()));
    report.files.iter().for_each(|file| out.line(format!("  {file}")));
}

pub fn log(report: &ops_show::Log, out: &mut Text) {
    for version in &report.versions {
        let origin = match version.origin {
            Origin::Upstream => "upstream",
            Origin::Merge => "merge",
            Origin::Rollback => "rollback",
            Origin::LocalEdit => "local edit",
        };
        let at = version.revision.as_deref().map_or("-", short_revision);
        let date = day(version.date);
        let untagged = if version.tagged { "" } else { ", no tag yet" };
        out.line(format!(
            "{CYAN}v{:<4}{CYAN:#} {} {date} {origin:<10} {at:<7} {} ({}){untagged}",
            version.version,
            version.commit.short(),
            one_line(&version.subject, 60),
            one_line(&version.author, 40)
        ));
    }
}

pub fn tag(report: &tag::Report, out: &mut Text) {
    if report.unpublished {
        out.remark("what the remote is not known to have gets its tags once it is pushed: git push, or git fetch");
    } else if report.versions.is_empty() && report.failed.is_empty() {
        out.remark("every version has its tag");
    }
    report
        .versions
        .iter()
        .for_each(|version| out.line(format!("{GREEN}Tagged{GREEN:#} {} at {}", version.tag, version.commit.short())));
    untagged(&report.failed, out);
}

pub fn export(report: &export::Report, out: &mut Text) {
    out.line(format!("{GREEN}Exported{GREEN:#} {} ({}) to {}", report.skill, report.state, report.directory.display()));
}

pub fn rollback(report: &rollback::Report, out: &mut Text) {
    let declined = if report.declined { "; the abandoned update was declined, until upstream moves on" } else { "" };
    out.line(format!(
        "{GREEN}Rolled back{GREEN:#} {} to v{} ({} on {}){declined}",
        report.skill,
        report.to,
        report.changed.commit.short(),
        report.changed.branch.short()
    ));
    if report.declined {
        let once = once_merged(&report.changed);
        out.remark(format!("{once}to be asked again: skillgraft candidate retry {}", report.skill));
    }
}

/// Returns the sentence that says what a skill was copied from.
pub fn found_origin(found: &link::Proposal) -> String {
    let at = match (&found.revision, found.date) {
        // In full: it can be given to --base as it stands here.
        (Some(id), Some(date)) => format!("{} of {}", one_line(id, 64), day(date)),
        _ => "its present state".into(),
    };
    let mut distance = match (found.identical, found.changed_lines) {
        (true, _) => "identical".into(),
        (false, Some(lines)) => format!(
            "{} the same, {} different, {} changed",
            count(found.same_files, "file"),
            found.other_files - found.missing_files,
            count(lines, "line")
        ),
        (false, None) => {
            format!(
                "{} the same, {} different",
                count(found.same_files, "file"),
                found.other_files - found.missing_files
            )
        }
    };
    if found.missing_files > 0 {
        distance.push_str(&format!(", {} not here", found.missing_files));
    }
    if found.unrelated {
        distance.push_str(&format!("; hardly anything in common: {} % of SKILL.md", found.alike));
    }
    let mut sentence = format!("{} was copied from {}:{} at {at} ({distance})", found.skill, found.source, found.path);
    if !found.rivals.is_empty() && !found.unrelated {
        let rivals: Vec<String> = found.rivals.iter().map(rival).collect();
        sentence.push_str(&format!("\n  nearly as near, to be named with --base:\n    {}", rivals.join("\n    ")));
    }
    sentence
}

fn rival(rival: &Rival) -> String {
    let missing = if rival.missing_files > 0 { format!(", {} not here", rival.missing_files) } else { String::new() };
    let lines = count(rival.changed_lines, "line");
    format!("{} of {} ({lines} changed{missing})", rival.revision, day(rival.date))
}

fn day(date: i64) -> String {
    jiff::Timestamp::from_second(date).map_or(String::new(), |date| date.strftime("%Y-%m-%d").to_string())
}

pub fn link(report: &link::Report, out: &mut Text) {
    out.line(found_origin(&report.proposal));
    match &report.changed {
        Some(changed) => {
            out.line(format!(
                "{GREEN}Linked{GREEN:#} {} ({} on {})",
                report.proposal.skill,
                changed.commit.short(),
                changed.branch.short()
            ));
            let (source, once) = (&report.proposal.source, once_merged(changed));
            if !report.selected {
                out.remark(format!(
                    "{YELLOW}notice:{YELLOW:#} the settings of source `{source}` do not select {}, so sync proposes nothing: \
                     put it into `skills` in sources/{source}.toml, or take it out of `exclude`",
                    report.proposal.path
                ));
            }
            if report.source_enabled {
                out.remark(format!("{once}{CYAN}next:{CYAN:#} skillgraft sync {source}"));
            } else {
                out.remark(format!(
                    "source `{source}` is disabled; link what else came from there, then\n\
                     {once}{CYAN}next:{CYAN:#} skillgraft source enable {source}"
                ));
            }
        }
        None => out.line("nothing was changed"),
    }
}

pub fn adopt(report: &adopt::Report, out: &mut Text) {
    let at = format!("({} on {})", report.changed.commit.short(), report.changed.branch.short());
    for (skill, followed) in report.skills.iter().zip(&report.followed) {
        out.line(format!("{GREEN}Adopted{GREEN:#} {skill}: it follows {} no more {at}", followed.source));
        let (once, Followed { source, path }) = (once_merged(&report.changed), followed);
        out.remark(format!("  {once}to follow it again: skillgraft link {skill} --to {source}:{path}"));
    }
    report
        .disabled
        .iter()
        .for_each(|source| out.remark(format!("nothing follows source {source} any more, so it was disabled")));
}

pub fn disable(report: &disable::Report, out: &mut Text) {
    let is = if report.enabled { "enabled" } else { "disabled" };
    report.unchanged.iter().for_each(|skill| out.line(format!("{skill} is {is} already; nothing to do")));
    let Some(changed) = &report.changed else { return };
    let at = format!("({} on {})", changed.commit.short(), changed.branch.short());
    for skill in &report.skills {
        out.line(match report.enabled {
            true => format!("{GREEN}Enabled{GREEN:#} {skill}, with the content that it had last {at}"),
            false => format!("{GREEN}Disabled{GREEN:#} {skill}: no agent loads it, entry and versions stay {at}"),
        });
    }
    if !report.enabled {
        let all: Vec<&str> = report.skills.iter().map(crate::types::SkillId::as_str).collect();
        out.remark(format!("{}to bring it back: skillgraft enable {}", once_merged(changed), all.join(" ")));
    }
    report.left_out.iter().for_each(|skill| {
        out.remark(format!(
            "an update of {skill} that was merged while it was disabled conflicts with its content, so it was left out; to \
             propose it again: skillgraft candidate retry {skill}"
        ))
    });
}

pub fn check(report: &check::Report, out: &mut Text) {
    for finding in &report.findings {
        let style = if finding.severity == Severity::Error { RED } else { YELLOW };
        let line = finding.line.map_or(String::new(), |line| format!(":{line}"));
        let place = format!("{}{line}", finding.file);
        // An error of one of our files says its place itself.
        let message = finding.message.strip_prefix(&format!("{place}: ")).unwrap_or(&finding.message);
        out.line(format!("{place}: {style}{}{style:#} [{}] {message}", finding.severity, finding.rule));
    }
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    out.remark(format!(
        "{} checked at {}: {}, {}",
        count(report.skills, "skill"),
        report.commit.short(),
        count(errors, "error"),
        count(warnings, "warning")
    ));
}
