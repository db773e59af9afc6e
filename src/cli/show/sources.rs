//! Sources, and what sync did with them.

use super::candidates::candidate_table;
use super::{count, found_origin, license_change, remarks, table, untagged};
use crate::cli::output::{BOLD, CYAN, GREEN, RED, Text, YELLOW};
use crate::ops::add_plugins::Nothing;
use crate::ops::{add, add_plugins, decline, init, pause, source, status};
use crate::sync::report::{CandidateReport, Notice, Report as SyncReport, SkillReport, SourceReport};
use crate::sync::{Action, Class, Outcome};
use crate::types::{escape, one_line, short_revision, visible};

pub fn init(report: &init::Report, out: &mut Text) {
    if let Some(commit) = report.commit {
        out.line(format!(
            "{GREEN}Initialized{GREEN:#} registry {} on branch {} ({})",
            report.directory.display(),
            report.branch,
            commit.short()
        ));
    } else {
        out.line(format!("{} is a registry already", report.directory.display()));
    }
    report.written.iter().for_each(|path| out.line(format!("  wrote       {path}")));
    report.left_alone.iter().for_each(|path| out.line(format!("  left alone  {path}")));
    if report.attributes_missing {
        out.remark(format!("{YELLOW}warning:{YELLOW:#} .gitattributes was left alone; add this line, so that hashes hold on every system:\n  /skills/** -text"));
    }
    if report.include_missing {
        out.remark(format!("{YELLOW}warning:{YELLOW:#} .gitlab-ci.yml was left alone; add these lines, so that it runs the jobs:\n  include:\n    - local: .gitlab/skillgraft.yml"));
    }
    if let Some(forge) = report.forge {
        out.remark(format!("{CYAN}next:{CYAN:#} read the top of {}: it says what to set up once", forge.manual()));
    }
    out.remark(format!("{CYAN}next:{CYAN:#} skillgraft add <url or folder>"));
}

pub fn add(report: &add::Report, out: &mut Text) {
    match &report.changed {
        None if !report.linked.is_empty() => out.line("nothing was changed"),
        None => out.line(format!(
            "Source {} is here{} already; nothing to do",
            report.source,
            if report.enabled { " and enabled" } else { "" }
        )),
        Some(changed) => {
            let at = format!("({} on {})", changed.commit.short(), changed.branch.short());
            let skills = count(report.skills.len(), "skill");
            out.line(match report.enabled {
                true => format!("{GREEN}Following{GREEN:#} {} with {skills} {at}", report.source),
                false => format!("{GREEN}Registered{GREEN:#} {}, not yet enabled {at}", report.source),
            });
        }
    }
    report.skills.iter().for_each(|skill| out.line(format!("  {skill}")));
    for found in &report.linked {
        out.line(format!("  {}", found_origin(found)));
    }
    if let Some(folder) = &report.registry {
        out.remark(format!("{CYAN}note:{CYAN:#} upstream is a skillgraft registry, with its skills in {folder}/"));
    }
    if let Some(guide) = &report.guide {
        out.remark(format!("{CYAN}left out:{CYAN:#} {guide}, the guide of that registry: this one has its own"));
    }
    remarks(&report.rejected, "not taken", out);
    remarks(&report.warnings, "warning", out);
    if report.changed.is_some() && !report.linked.is_empty() {
        out.remark(format!("{CYAN}next:{CYAN:#} skillgraft sync {}", report.source));
    }
    if report.changed.is_some() && !report.enabled {
        out.remark(format!("{CYAN}next:{CYAN:#} skillgraft source enable {}", report.source));
    }
}

pub fn add_plugins(report: &add_plugins::Report, out: &mut Text) {
    match &report.changed {
        None => out.line("No plugin was added"),
        Some(changed) => {
            let verb = if report.enabled { "Following" } else { "Registered" };
            let (plugins, at) = (count(report.plugins.len(), "plugin"), changed.commit.short());
            let skills = report.plugins.iter().map(|added| added.skills.len()).sum();
            let skills = if report.enabled { format!(" with {}", count(skills, "skill")) } else { String::new() };
            out.line(format!("{GREEN}{verb}{GREEN:#} {plugins}{skills} ({at} on {})", changed.branch.short()));
        }
    }
    for added in &report.plugins {
        let version = added.version.as_deref().map_or(String::new(), |version| format!(" {}", one_line(version, 40)));
        let ids: Vec<&str> = added.skills.iter().map(crate::types::SkillId::as_str).collect();
        out.line(format!("  {}{version}: {}", added.source, ids.join(", ")));
        remarks(&added.rejected, "not taken", out);
        remarks(&added.warnings, "warning", out);
    }
    if !report.unchanged.is_empty() {
        out.remark(format!("{} followed already", count(report.unchanged.len(), "plugin")));
    }
    for (reason, why) in [(Nothing::NoSkills, "without skills"), (Nothing::NoneSelected, "of which none is selected")] {
        let these = report.skipped.iter().filter(|skipped| skipped.reason == reason);
        let names: Vec<String> = these.map(|skipped| one_line(&skipped.plugin, 80)).collect();
        if !names.is_empty() {
            let plugins = count(names.len(), "plugin");
            out.remark(format!("{YELLOW}skipped:{YELLOW:#} {plugins} {why}: {}", names.join(", ")));
        }
    }
    let mut hints: Vec<&str> = Vec::new();
    for failed in &report.failed {
        out.error(format!("{RED}failed:{RED:#} {}: {}", one_line(&failed.plugin, 80), failed.error.message));
        remarks(&failed.rejected, "not taken", out);
        hints.extend(failed.error.hint.as_deref().filter(|hint| !hints.contains(hint)).into_iter().collect::<Vec<_>>());
    }
    // Many fail for one reason.
    hints.into_iter().for_each(|hint| out.error(format!("  {CYAN}hint:{CYAN:#} {hint}")));
}

pub fn sources(report: &source::List, out: &mut Text) {
    let rows = report.sources.iter().map(|source| {
        let state = match () {
            () if source.error.is_some() => "invalid",
            () if !source.enabled => "disabled",
            () if source.paused => "paused",
            () => "enabled",
        };
        let place = source.location.as_deref().map(|place| match &source.plugin {
            Some(plugin) => format!("{} of {place}", one_line(plugin, 40)),
            None => place.to_owned(),
        });
        let place = place.as_deref().map(|place| one_line(&visible(place), 60)).unwrap_or_default();
        vec![
            source.name.to_string(),
            state.into(),
            source.skills.to_string(),
            source.reference.clone().unwrap_or_default(),
            place,
        ]
    });
    table(&["SOURCE", "STATE", "SKILLS", "REF", "LOCATION"], rows, out);
    report
        .sources
        .iter()
        .filter_map(|source| source.error.as_ref())
        .for_each(|error| out.error(format!("{RED}error:{RED:#} {}", escape(error))));
}

pub fn source_file(report: &source::Show, out: &mut Text) {
    out.line(escape(report.text.trim_end()));
    out.remark(format!("{}: followed by {}", report.source, count(report.skills.len(), "skill")));
}

/// A command as a person can judge it: every argument, whole, in quotes of its own.
pub fn show_command(command: &[String]) -> String {
    let quoted = command.iter().map(|argument| format!("{:?}", escape(argument)));
    quoted.collect::<Vec<_>>().join(" ")
}

pub fn trusted(report: &source::Trusted, out: &mut Text) {
    let command = show_command(&report.command);
    match report.new {
        true => {
            out.line(format!("{GREEN}Trusted{GREEN:#} `{command}` on this machine; source {} runs it", report.source))
        }
        false => out.line(format!("`{command}` is trusted on this machine already; nothing to do")),
    }
}

pub fn source(report: &source::Report, out: &mut Text) {
    match &report.changed {
        Some(changed) => out.line(format!(
            "{GREEN}Changed{GREEN:#} source {} ({} on {})",
            report.source,
            changed.commit.short(),
            changed.branch.short()
        )),
        None => out.line(format!("Source {} is so already; nothing to do", report.source)),
    }
    report.skills.iter().for_each(|skill| out.line(format!("  {skill}")));
}

pub fn sync(report: &SyncReport, dry_run: bool, out: &mut Text) {
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
    if dry_run {
        out.remark("dry run: this is what a sync would do; nothing was written");
    } else if c.opened + c.remade + c.carried + c.kept > 0 {
        // What was pushed is the remote's; this clone sees it once it has fetched.
        let fetch = if report.pushed.is_some() { "git fetch, then " } else { "" };
        out.remark(format!("{CYAN}next:{CYAN:#} {fetch}skillgraft candidate list"));
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
    let skills = if source.mirror.is_some() {
        format!(" ({}{waiting})", count(source.skills.len(), "skill"))
    } else {
        String::new()
    };
    out.line(format!("{style}{}{style:#} {}{at}{skills}", source.name, source.outcome.as_str()));
    if let Some(error) = &source.error {
        out.error(format!("{RED}error:{RED:#} {}: {}", source.name, error.message));
        error.hint.iter().for_each(|hint| out.error(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
    tell_ended(source.name.as_str(), &source.ended, out);
    let width = source.skills.iter().map(|skill| skill.id.len()).max().unwrap_or_default();
    for skill in &source.skills {
        sync_skill(skill, width, out);
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
            out.line(format!("  {:<width$} {class}", skill.id))
        }
        None => {}
    }
    if let Some(from) = &skill.moved_from {
        out.remark(format!("    moved from {from} to {}", skill.path));
    }
    for contained in &skill.contains {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: {}", skill.id, contained.sentence()));
    }
    if let Some(change) = skill.candidate.as_ref().and_then(|candidate| candidate.license_change.as_ref()) {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: its licence changes: {}", skill.id, license_change(change)));
    }
    if let Some(notice) = &skill.notice {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: {}", skill.id, notice.message));
        notice.hint.iter().for_each(|hint| out.remark(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
    tell_ended(&skill.id, &skill.ended, out);
    if let Some(error) = &skill.error {
        out.error(format!("{RED}error:{RED:#} {}: {}", skill.id, error.message));
        error.hint.iter().for_each(|hint| out.error(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
}

fn tell_ended(name: &str, ended: &[Notice], out: &mut Text) {
    for notice in ended {
        out.remark(format!("{name}: {}", notice.message));
        notice.hint.iter().for_each(|hint| out.remark(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
}

pub fn retry(report: &decline::Retried, out: &mut Text) {
    let report = &report.skill;
    sync_skill(report, report.id.len(), out);
    out.remark(format!("{CYAN}next:{CYAN:#} skillgraft candidate show {}", report.id));
}

pub fn pause(report: &pause::Report, out: &mut Text) {
    let what = if report.paused { "Paused" } else { "Resumed" };
    match &report.changed {
        Some(changed) => out.line(format!(
            "{GREEN}{what}{GREEN:#} {} {} ({} on {})",
            report.kind,
            report.name,
            changed.commit.short(),
            changed.branch.short()
        )),
        None => out.line(format!(
            "{} {} is {} already; nothing to do",
            report.kind,
            report.name,
            if report.paused { "paused" } else { "not paused" }
        )),
    }
}

pub fn status(report: &status::Report, out: &mut Text) {
    out.line(format!(
        "{BOLD}{}{BOLD:#} at {}: {}, {} of our own, {} edited here",
        report.branch,
        report.head.short(),
        count(report.skills, "skill"),
        report.own,
        report.edited
    ));
    if !report.sources.is_empty() {
        out.line("");
        sources(&source::List { format: 1, sources: report.sources.iter().map(copy).collect() }, out);
    }
    if !report.candidates.is_empty() {
        out.line("");
        candidate_table(&report.candidates, out);
    }
    for failing in &report.failing {
        let (source, runs, kind) = (&failing.source, failing.runs, one_line(&failing.kind, 40));
        out.remark(format!("{RED}failing:{RED:#} source {source}, in the last {runs} runs at least ({kind})"));
        out.remark(format!("  {CYAN}hint:{CYAN:#} see what is wrong: skillgraft sync {source}"));
    }
    report.problems.iter().for_each(|problem| out.remark(format!("{YELLOW}problem:{YELLOW:#} {}", escape(problem))));
}

fn copy(item: &source::Item) -> source::Item {
    source::Item { error: None, ..item.clone() }
}
