//! Sources, and how they stand.

use super::candidates::candidate_table;
use super::sync::{tell, tell_uncommitted};
use super::{count, found_origin, once_merged, remarks, table};
use crate::cli::output::{BOLD, CYAN, GREEN, RED, Text, YELLOW};
use crate::ops::add_plugins::Nothing;
use crate::ops::source::Done;
use crate::ops::{add, add_plugins, init, pause, source, status};
use crate::registry::settings;
use crate::types::{escape, one_line, shell_word, visible};
use std::path::{Component, Path};

/// Shows a new registry; `typed` is its directory as the person's shell understands it.
pub fn init(report: &init::Report, typed: &Path, out: &mut Text) {
    let is_new = report.written.iter().any(|path| path == settings::FILE);
    let directory = report.directory.display();
    match (report.commit, report.forge) {
        (None, _) => out.line(format!("{directory} is a registry already")),
        (Some(commit), Some(forge)) if !is_new => out.line(format!(
            "{GREEN}Added{GREEN:#} what runs it on {} to registry {directory} on branch {} ({})",
            if forge == init::Forge::None { "a server" } else { forge.as_str() },
            report.branch,
            commit.short()
        )),
        (Some(commit), _) => out.line(format!(
            "{GREEN}Initialized{GREEN:#} registry {directory} on branch {} ({})",
            report.branch,
            commit.short()
        )),
    }
    report.written.iter().for_each(|path| out.line(format!("  wrote       {path}")));
    report.left_alone.iter().for_each(|path| out.line(format!("  left alone  {path}")));
    if report.attributes_missing {
        out.remark(format!("{YELLOW}warning:{YELLOW:#} .gitattributes was left alone; add this line, so that hashes hold on every system:\n  /skills/** -text"));
    }
    if report.include_missing {
        out.remark(format!("{YELLOW}warning:{YELLOW:#} .gitlab-ci.yml was left alone; add these lines, so that it runs the jobs:\n  include:\n    - local: .gitlab/skillgraft.yml"));
    }
    if let Some(notice) = &report.notice {
        tell(notice, out);
    }
    if let Some(forge) = report.forge {
        out.remark(format!("{CYAN}next:{CYAN:#} read the top of {}: it says what to set up once", forge.manual()));
    }
    if is_new {
        let there = match typed.components().all(|part| part == Component::CurDir) {
            true => String::new(),
            false => format!("cd {} && ", shell_word(&typed.display().to_string())),
        };
        out.remark(format!("{CYAN}next:{CYAN:#} {there}skillgraft add <url or folder>"));
    }
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
            let skills = match (report.skills.len(), report.linked.len()) {
                (new, 0) => count(new, "skill"),
                (0, linked) => format!("{}, linked", count(linked, "skill")),
                (new, linked) => format!("{} and {linked} linked", count(new, "new skill")),
            };
            let follow = if report.followers.len() == 1 { "follows" } else { "follow" };
            let followers = count(report.followers.len(), "skill");
            out.line(match report.enabled {
                true if !report.followers.is_empty() => {
                    format!(
                        "{GREEN}Enabled{GREEN:#} source {}: sync looks at it again, {followers} {follow} it {at}",
                        report.source
                    )
                }
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
    let Some(changed) = &report.changed else { return };
    let once = once_merged(changed);
    if !(report.linked.is_empty() && report.followers.is_empty()) {
        out.remark(format!("{once}{CYAN}next:{CYAN:#} skillgraft sync {}", report.source));
    }
    if !report.enabled {
        out.remark(format!("{once}{CYAN}next:{CYAN:#} skillgraft source enable {}", report.source));
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
    let reasons = [
        (Nothing::NoSkills, "without skills"),
        (Nothing::NoneSelected, "of which none is selected"),
        (Nothing::NamedTwice, "with the name of an earlier one in the list"),
    ];
    for (reason, why) in reasons {
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
    source_table(&report.sources, out);
    let errors = report.sources.iter().filter_map(|source| source.error.as_ref());
    errors.for_each(|error| out.error(format!("{RED}error:{RED:#} {}", escape(error))));
}

fn source_table(sources: &[source::Item], out: &mut Text) {
    let rows = sources.iter().map(|source| {
        let state = match () {
            () if source.error.is_some() => "cannot be read",
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
    let (source, skills) = (&report.source, count(report.skills.len(), "skill"));
    let Some(changed) = &report.changed else {
        out.line(match &report.done {
            Done::Set { key, value, .. } => {
                format!("{} of source {source} is {} already; nothing to do", name(key), said(value))
            }
            _ => format!("Source {source} is disabled already; nothing to do"),
        });
        return;
    };
    let what = match &report.done {
        Done::Disabled => format!("{GREEN}Disabled{GREEN:#} source {source}: sync passes it by, its {skills} stay"),
        Done::Set { key, before, value } => {
            format!("{GREEN}Set{GREEN:#} {} of source {source}: {} -> {}", name(key), said(before), said(value))
        }
        Done::Renamed { from } => format!("{GREEN}Renamed{GREEN:#} source {from} to {source}, with {skills}"),
        Done::RemovedAndAdopted => format!("{GREEN}Removed{GREEN:#} source {source}; of our own from now on: {skills}"),
        Done::RemovedAndDeleted => format!("{GREEN}Removed{GREEN:#} source {source}, and deleted {skills}"),
    };
    out.line(format!("{what} ({} on {})", changed.commit.short(), changed.branch.short()));
    if !matches!(report.done, Done::Disabled) {
        report.skills.iter().for_each(|skill| out.line(format!("  {skill}")));
    }
    let once = once_merged(changed);
    match &report.done {
        Done::Set { .. } | Done::Renamed { .. } => {
            out.remark(format!("{once}{CYAN}next:{CYAN:#} skillgraft sync {source}"))
        }
        Done::Disabled => out.remark(format!("{once}to follow it again: skillgraft source enable {source}")),
        _ => {}
    }
}

fn name(key: &str) -> String {
    one_line(key, 60)
}

fn said(value: &Option<String>) -> String {
    value.as_deref().map_or("not set".into(), |value| one_line(&visible(value), 120))
}

pub fn pause(report: &pause::Report, out: &mut Text) {
    let (kind, name, now) = (report.kind, &report.name, said_of(&report.note));
    let at =
        report.changed.as_ref().map(|changed| format!("({} on {})", changed.commit.short(), changed.branch.short()));
    match (&report.before, at) {
        (None, Some(at)) if report.paused => out.line(format!("{GREEN}Paused{GREEN:#} {kind} {name}{now} {at}")),
        (Some(before), Some(at)) if report.paused => {
            out.line(format!("{GREEN}Changed{GREEN:#} the pause of {kind} {name}:{now} {at}"));
            out.remark(format!("  before:{}", said_of(before)));
        }
        (_, Some(at)) => out.line(format!("{GREEN}Resumed{GREEN:#} {kind} {name} {at}")),
        (_, None) if report.paused => out.line(format!("{kind} {name} is paused already{now}; nothing to do")),
        (_, None) => out.line(format!("{kind} {name} is not paused; nothing to do")),
    }
}

/// What a pause's note says, with a space in front.
fn said_of(note: &pause::Note) -> String {
    let until = note.until.as_ref().map_or(" without an end".into(), |until| format!(" until {until}"));
    let why = note.reason.as_ref().map_or(String::new(), |reason| format!(", because: {}", one_line(reason, 200)));
    format!("{until}{why}")
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
        // What is wrong with a file stands among the problems below.
        source_table(&report.sources, out);
    }
    if !report.candidates.is_empty() {
        out.line("");
        candidate_table(&report.candidates, out);
    }
    for source in &report.sources {
        let pause = source.pause.as_ref().map(|paused| format!("source {} is paused {}", source.name, paused.words()));
        pause.into_iter().for_each(|pause| out.remark(format!("{YELLOW}paused:{YELLOW:#} {}", pause.trim_end())));
    }
    report.held_back.iter().for_each(|skill| super::sync::held_back(skill, out));
    for failing in &report.failing {
        let (source, runs, kind) = (&failing.source, failing.runs, one_line(&failing.kind, 40));
        out.remark(format!("{RED}failing:{RED:#} source {source}, in the last {runs} runs at least ({kind})"));
        out.remark(format!("  {CYAN}hint:{CYAN:#} see what is wrong: skillgraft sync {source}"));
    }
    tell_uncommitted(&report.uncommitted, &report.branch, out);
    report.problems.iter().for_each(|problem| out.remark(format!("{YELLOW}problem:{YELLOW:#} {}", escape(problem))));
}
