//! Skills in agents' folders: what is there, and what came of an import; and the questions of an import.

use super::{count, remarks, table};
use crate::cli::output::{self, CYAN, GREEN, RED, Text, YELLOW};
use crate::ops::discover::{self as ops_discover, Skill};
use crate::ops::import::{Choice, Chosen, Conflict, Item, OnConflict, Report, Status};
use crate::skill::spec::Severity;
use crate::types::{Error, ErrorKind, Result, escape, one_line};

pub fn discover(report: &ops_discover::Report, out: &mut Text) {
    let row = |skill: &Skill| {
        let agents = match skill.agents.as_slice() {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [first, rest @ ..] => format!("{first} +{}", rest.len()),
        };
        let state = match (&skill.error, &skill.shadowed_by) {
            (Some(_), _) => "unreadable",
            (None, Some(_)) if skill.shadowed_for.len() < skill.agents.len() => "partly shadowed",
            (None, Some(_)) => "shadowed",
            (None, None) => "",
        };
        vec![
            one_line(&skill.id, 60),
            state.into(),
            skill.layer.as_str().into(),
            skill.kind.as_str().into(),
            agents,
            skill.files.to_string(),
            escape(&skill.path.display().to_string()),
        ]
    };
    table(&["SKILL", "STATE", "LAYER", "KIND", "AGENTS", "FILES", "PATH"], report.skills.iter().map(row), out);
    if report.skills.is_empty() {
        out.remark("no skill in any folder that agents read from here");
    }
    for error in report.skills.iter().filter_map(|skill| skill.error.as_ref()).chain(&report.registry_error) {
        out.error(format!("{RED}error:{RED:#} {error}"));
    }
    let Some(findings) = &report.findings else { return };
    for finding in findings {
        let style = if finding.severity == Severity::Error { RED } else { YELLOW };
        let line = finding.line.map_or(String::new(), |line| format!(":{line}"));
        let place = format!("{}{line}", escape(&finding.path.display().to_string()));
        out.line(format!("{place}: {style}{}{style:#} [{}] {}", finding.severity, finding.rule, finding.message));
    }
    out.remark(format!("{} looked at: {}", count(report.skills.len(), "skill"), count(findings.len(), "finding")));
}

pub fn import(report: &Report, out: &mut Text) {
    for item in &report.skills {
        out.line(line(item));
        remarks(&item.warnings, "warning", out);
        if let Some(conflict) = &item.conflict {
            out.remark(format!("  here: {}", standing(conflict)));
            item.tree.iter().for_each(|tree| out.remark(format!("  to come: {tree}")));
            out.remark(format!(
                "  {CYAN}next:{CYAN:#} import it with --on-conflict skip, rename ({}){}",
                conflict.suggested_name,
                if conflict.can_overwrite { " or overwrite" } else { "" }
            ));
        }
        if let Some(followed) = &item.upstream {
            let state = if followed.identical { "identical" } else { "edited" };
            out.remark(format!("  it follows {}:{} now ({state})", followed.source, followed.path));
        }
        if let Some(error) = &item.link_error {
            out.error(format!("  {RED}error:{RED:#} it follows no upstream: {error}"));
        }
    }
    match &report.changed {
        Some(changed) => out.remark(format!("{} on {}", changed.commit.short(), changed.branch.short())),
        None => out.remark("nothing was written"),
    }
}

/// What is here: version, content and who answers for it.
fn standing(conflict: &Conflict) -> String {
    let version = conflict.version.map_or("no version yet".into(), |version| format!("v{version}"));
    let tree = conflict.tree.map_or("no content".into(), |tree| tree.to_string());
    let owners = match conflict.owners.as_slice() {
        [] => "no owners".into(),
        owners => format!("belongs to {}", one_line(&owners.join(", "), 200)),
    };
    format!("{version}, {tree}, {owners}")
}

fn line(item: &Item) -> String {
    let (style, word) = match item.status {
        Status::Completed => (GREEN, "Imported"),
        Status::Renamed => (GREEN, "Renamed"),
        Status::Unchanged => (CYAN, "Unchanged"),
        Status::Skipped => (YELLOW, "Skipped"),
        Status::Conflict => (YELLOW, "Conflict"),
        Status::Failed => (RED, "Failed"),
    };
    let key = one_line(&item.key, 80);
    let name = match &item.skill {
        Some(id) if id.as_str() != item.key => format!("{key} as {id}"),
        _ => key,
    };
    let why = item.message.as_ref().map_or(String::new(), |message| format!(": {message}"));
    format!("{style}{word}{style:#} {name} [{}] from {}{why}", item.reason, escape(&item.path))
}

/// Asks which skills are to be imported; none without a terminal.
pub fn choose(all: &[Choice]) -> Result<Chosen> {
    let mut question = String::new();
    for (number, Choice { key, path }) in all.iter().enumerate() {
        question.push_str(&format!("{:>4}  {}  {}\n", number + 1, one_line(key, 60), escape(path)));
    }
    question.push_str("Which? Numbers or names, or * for all:");
    let Some(answer) = output::ask(&question)? else { return Ok(None) };
    if answer == "*" {
        return Ok(Some(all.iter().map(|choice| choice.key.clone()).collect()));
    }
    let of = |word: &str| {
        let numbered = word.parse::<usize>().ok().and_then(|number| all.get(number.checked_sub(1)?));
        numbered.map_or(word.to_owned(), |choice| choice.key.clone())
    };
    let keys: Vec<String> = answer.split([' ', ',']).filter(|word| !word.is_empty()).map(of).collect();
    if keys.is_empty() {
        return Err(Error::new(ErrorKind::Interrupted, "no skill was chosen; nothing was changed"));
    }
    Ok(Some(keys))
}

/// Asks what to do about a conflict; none without a terminal.
pub fn decide(conflict: &Conflict) -> Result<Option<OnConflict>> {
    let version = conflict.version.map_or(String::new(), |version| format!(" (v{version})"));
    let overwrite = if conflict.can_overwrite { ", [o]verwrite it" } else { "" };
    let owners = match conflict.owners.as_slice() {
        [] => String::new(),
        owners => format!(", which belongs to {}", one_line(&owners.join(", "), 120)),
    };
    let question = format!(
        "There is another `{}`{version}{owners}: [s]kip, [r]ename to {}{overwrite}, or write nothing at all? [s/r{}/N]",
        conflict.skill,
        conflict.suggested_name,
        if conflict.can_overwrite { "/o" } else { "" }
    );
    Ok(output::ask(&question)?.map(|answer| match answer.as_str() {
        "s" | "skip" => OnConflict::Skip,
        "r" | "rename" => OnConflict::Rename,
        "o" | "overwrite" if conflict.can_overwrite => OnConflict::Overwrite,
        _ => OnConflict::Fail,
    }))
}
