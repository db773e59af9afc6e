//! Reports as text. One function for each report; meaning never depends on colour.

use super::output::{BOLD, CYAN, GREEN, RED, Text, YELLOW};
use crate::ops::show::{self as ops_show, Origin};
use crate::ops::{
    accept, add, adopt, candidate, check, decline, demo, diff, disable, export, init, link, list, pause, resolve,
    rollback, source, status, tag,
};
use crate::skill::spec::Severity;
use crate::sync::report::{CandidateReport, ErrorReport, Report as SyncReport, SkillReport, SourceReport};
use crate::sync::{Action, Class, Outcome, Review};
use crate::types::{escape, one_line};
use comfy_table::Table;
use similar::{ChangeTag, TextDiff};

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
    out.remark(format!("{CYAN}next:{CYAN:#} skillgraft add <url or folder>"));
}

pub fn add(report: &add::Report, out: &mut Text) {
    match &report.changed {
        None => out.line(format!("Source {} is here already; nothing to do", report.source)),
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
    remarks(&report.rejected, "not taken", out);
    remarks(&report.warnings, "warning", out);
    if report.changed.is_some() && !report.enabled {
        out.remark(format!("{CYAN}next:{CYAN:#} skillgraft source enable {}", report.source));
    }
}

pub fn sources(report: &source::List, out: &mut Text) {
    let rows = report.sources.iter().map(|source| {
        let state = match () {
            () if source.error.is_some() => "invalid",
            () if !source.enabled => "disabled",
            () if source.paused => "paused",
            () => "enabled",
        };
        let place = source.location.as_deref().map(|place| one_line(place, 60)).unwrap_or_default();
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

pub fn sync(report: &SyncReport, out: &mut Text) {
    for source in &report.sources {
        sync_source(source, out);
    }
    if !report.versions.is_empty() {
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
    if c.opened + c.remade + c.carried + c.kept > 0 {
        out.remark(format!("{CYAN}next:{CYAN:#} skillgraft candidate list"));
    }
}

fn sync_source(source: &SourceReport, out: &mut Text) {
    let at = source.revision.as_deref().and_then(|id| id.get(..7)).map_or(String::new(), |id| format!(" at {id}"));
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
            out.line(format!("  {:<width$} {class:<16} {:<7} {}{more}", skill.id, action.as_str(), branch.short()));
        }
        None if out.verbose || skill.notice.is_some() => out.line(format!("  {:<width$} {class}", skill.id)),
        None => {}
    }
    if let Some(notice) = &skill.notice {
        out.remark(format!("{YELLOW}notice:{YELLOW:#} {}: {}", skill.id, notice.message));
        notice.hint.iter().for_each(|hint| out.remark(format!("  {CYAN}hint:{CYAN:#} {hint}")));
    }
    if let Some(error) = &skill.error {
        out.error(format!("{RED}error:{RED:#} {}: {}", skill.id, error.message));
        error.hint.iter().for_each(|hint| out.error(format!("  {CYAN}hint:{CYAN:#} {hint}")));
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
    report.problems.iter().for_each(|problem| out.remark(format!("{YELLOW}problem:{YELLOW:#} {}", escape(problem))));
}

fn copy(item: &source::Item) -> source::Item {
    source::Item { error: None, ..item.clone() }
}

pub fn candidates(report: &candidate::List, out: &mut Text) {
    if report.candidates.is_empty() {
        out.remark("nothing waits for review");
    } else {
        candidate_table(&report.candidates, out);
    }
    report.unreadable.iter().for_each(|error| out.remark(format!("{YELLOW}warning:{YELLOW:#} {error}")));
}

fn candidate_table(candidates: &[Review], out: &mut Text) {
    let rows = candidates
        .iter()
        .map(|c| vec![c.skill.to_string(), c.class.as_str().into(), state(c), moved(c), c.branch.clone()]);
    table(&["SKILL", "CLASS", "STATE", "UPSTREAM", "BRANCH"], rows, out);
}

fn state(review: &Review) -> String {
    let mut words = Vec::new();
    if !review.conflicts.is_empty() {
        words.push(count(review.conflicts.len(), "conflict"));
    }
    if review.edited {
        words.push("edited".into());
    }
    if review.stale {
        words.push("stale".into());
    }
    if words.is_empty() { "ready".into() } else { words.join(", ") }
}

/// What moved: upstream's own versions where they differ, else its commits.
fn moved(review: &Review) -> String {
    let short = |id: &Option<String>| id.as_deref().map_or("-".into(), |id| id.get(..7).unwrap_or(id).to_owned());
    match (&review.base_version, &review.version) {
        (Some(old), Some(new)) if old != new => format!("{} -> {}", one_line(old, 20), one_line(new, 20)),
        _ if review.base.is_none() => short(&review.revision),
        _ => format!("{} -> {}", short(&review.base_revision), short(&review.revision)),
    }
}

pub fn candidate(report: &candidate::Show, out: &mut Text) {
    let review = &report.review;
    let hash = |hash: Option<crate::types::TreeHash>| hash.map_or("nothing".into(), |hash| hash.to_string());
    out.line(format!("{BOLD}{}{BOLD:#} from {}, {} ({})", review.skill, review.source, moved(review), state(review)));
    out.line(format!("branch    {} at {}", review.branch, review.commit.short()));
    out.line(format!("class     {}: {}", review.class.as_str(), explain(review.class)));
    out.line(format!("base      {}", hash(review.base)));
    out.line(format!("local     {}", hash(review.local)));
    out.line(format!("upstream  {}", review.upstream));
    if report.files.is_empty() {
        out.line("merging it changes no file of the skill, only its entry");
    }
    for file in &report.files {
        let sign = match file.change {
            diff::FileChange::Added => "added",
            diff::FileChange::Removed => "removed",
            diff::FileChange::Changed => "changed",
        };
        out.line(format!("  {sign:<8} {}", file.path));
    }
    for conflict in &review.conflicts {
        out.line(format!("  {YELLOW}conflict{YELLOW:#} {} ({})", escape(&conflict.path), conflict.kind.as_str()));
    }
    let next = match () {
        () if review.stale => format!("skillgraft sync {}", review.source),
        () if !review.conflicts.is_empty() => {
            format!("git switch {}, edit, commit, skillgraft candidate resolve {}", review.branch, review.skill)
        }
        () => format!("skillgraft candidate diff {0}, then skillgraft candidate accept {0}", review.skill),
    };
    out.remark(format!("{CYAN}next:{CYAN:#} {next}"));
}

fn explain(class: Class) -> &'static str {
    match class {
        Class::New => "the skill is new upstream",
        Class::Removed => "the skill is gone upstream",
        Class::FastForward => "nobody edited it here, so it becomes what upstream has",
        Class::ThreeWay => "edited here and upstream; both are merged",
        Class::AlreadyApplied => "the content is upstream's already; only the entry moves, to be the next merge base",
        Class::Unchanged => "the default branch has this update",
        _ => "sync leaves it alone",
    }
}

pub fn accept(report: &accept::Report, out: &mut Text) {
    for accepted in &report.accepted {
        out.line(format!(
            "{GREEN}Accepted{GREEN:#} {} ({} on {})",
            accepted.skill,
            accepted.commit.short(),
            report.branch
        ));
    }
}

pub fn decline(report: &decline::Report, out: &mut Text) {
    let how = if report.excluded { ", and excluded it in its source" } else { "" };
    out.line(format!(
        "{GREEN}Declined{GREEN:#} {}{how} ({} on {})",
        report.skill,
        report.changed.commit.short(),
        report.changed.branch.short()
    ));
}

pub fn source_file(report: &source::Show, out: &mut Text) {
    out.line(escape(report.text.trim_end()));
    out.remark(format!("{}: followed by {}", report.source, count(report.skills.len(), "skill")));
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

/// Returns the sentence that says what a skill was copied from.
pub fn found_origin(found: &link::Proposal) -> String {
    let at = match (&found.revision, found.date) {
        (Some(id), Some(date)) => {
            let day =
                jiff::Timestamp::from_second(date).map_or(String::new(), |date| date.strftime("%Y-%m-%d").to_string());
            format!("{} of {day}", id.get(..7).unwrap_or(id))
        }
        _ => "its present state".into(),
    };
    let distance = match (found.identical, found.changed_lines) {
        (true, _) => "identical".into(),
        (false, Some(lines)) => format!(
            "{} the same, {} different, {} changed",
            count(found.same_files, "file"),
            found.other_files,
            count(lines, "line")
        ),
        (false, None) => format!("{} the same, {} different", count(found.same_files, "file"), found.other_files),
    };
    format!("{} was copied from {}:{} at {at} ({distance})", found.skill, found.source, found.path)
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
            let source = &report.proposal.source;
            if report.source_enabled {
                out.remark(format!("{CYAN}next:{CYAN:#} skillgraft sync {source}"));
            } else {
                out.remark(format!(
                    "source `{source}` is disabled; link what else came from there, then\n\
                     {CYAN}next:{CYAN:#} skillgraft source enable {source}"
                ));
            }
        }
        None => out.line("nothing was changed"),
    }
}

pub fn adopt(report: &adopt::Report, out: &mut Text) {
    for skill in &report.skills {
        out.line(format!(
            "{GREEN}Adopted{GREEN:#} {skill} ({} on {})",
            report.changed.commit.short(),
            report.changed.branch.short()
        ));
    }
    report
        .disabled
        .iter()
        .for_each(|source| out.remark(format!("nothing follows source {source} any more, so it was disabled")));
}

pub fn disable(report: &disable::Report, out: &mut Text) {
    let what = if report.enabled { "Enabled" } else { "Disabled" };
    match &report.changed {
        Some(changed) => report.skills.iter().for_each(|skill| {
            out.line(format!(
                "{GREEN}{what}{GREEN:#} {skill} ({} on {})",
                changed.commit.short(),
                changed.branch.short()
            ))
        }),
        None => out.line("nothing to do"),
    }
}

pub fn skill(report: &ops_show::Show, out: &mut Text) {
    let skill = &report.skill;
    out.line(format!("{BOLD}{}{BOLD:#} ({})", skill.id, report.state));
    skill.description.iter().for_each(|text| out.line(text));
    let mut fact =
        |key: &str, text: Option<String>| text.into_iter().for_each(|text| out.line(format!("{key:<9} {text}")));
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
        let at = version.revision.as_deref().and_then(|id| id.get(..7)).unwrap_or("-");
        let date = jiff::Timestamp::from_second(version.date)
            .map_or(String::new(), |date| date.strftime("%Y-%m-%d").to_string());
        out.line(format!(
            "{CYAN}v{:<4}{CYAN:#} {} {date} {origin:<10} {at:<7} {} ({})",
            version.version,
            version.commit.short(),
            one_line(&version.subject, 60),
            one_line(&version.author, 40)
        ));
    }
}

pub fn export(report: &export::Report, out: &mut Text) {
    out.line(format!("{GREEN}Exported{GREEN:#} {} ({}) to {}", report.skill, report.state, report.directory.display()));
}

pub fn rollback(report: &rollback::Report, out: &mut Text) {
    let declined = if report.declined { "; the abandoned update was declined, so that it does not return" } else { "" };
    out.line(format!(
        "{GREEN}Rolled back{GREEN:#} {} to v{} ({} on {}){declined}",
        report.skill,
        report.to,
        report.changed.commit.short(),
        report.changed.branch.short()
    ));
}

pub fn tag(report: &tag::Report, out: &mut Text) {
    if report.versions.is_empty() && report.failed.is_empty() {
        out.remark("every version has its tag");
    }
    report
        .versions
        .iter()
        .for_each(|version| out.line(format!("{GREEN}Tagged{GREEN:#} {} at {}", version.tag, version.commit.short())));
    untagged(&report.failed, out);
}

fn untagged(errors: &[ErrorReport], out: &mut Text) {
    for error in errors {
        out.remark(format!("{RED}error:{RED:#} {}", error.message));
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

pub fn resolve(report: &resolve::Report, out: &mut Text) {
    for path in &report.resolved {
        out.line(format!("{GREEN}Resolved{GREEN:#} {path} ({} on {})", report.commit.short(), report.branch));
    }
    for conflict in &report.left {
        out.line(format!("  {YELLOW}left{YELLOW:#} {} ({})", escape(&conflict.path), conflict.kind.as_str()));
    }
    if report.left.is_empty() {
        out.remark(format!("{CYAN}next:{CYAN:#} skillgraft candidate accept {}", report.skill));
    }
}

pub fn list(report: &list::Report, out: &mut Text) {
    let rows = report.skills.iter().map(|skill| {
        let edited = match (skill.conflicts, skill.edited, skill.tree) {
            (1.., ..) => "conflicted",
            (_, Some(true), None) => "missing",
            (_, Some(true), _) => "edited",
            (_, None, _) => "own",
            _ => "",
        };
        let source = skill.source.as_ref().map_or(String::new(), ToString::to_string);
        let version =
            skill.version.clone().or_else(|| skill.revision.as_deref().map(|id| id.get(..7).unwrap_or(id).to_owned()));
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

pub fn demo(report: &demo::Report, out: &mut Text) {
    let registry = report.registry.display();
    out.line(format!("{BOLD}1. A registry{BOLD:#} in {registry}"));
    out.line(format!(
        "   follows {} of an upstream in {}",
        count(report.added.len(), "skill"),
        report.upstream.display()
    ));
    out.line(format!("   {}", report.added.join(", ")));
    out.line(format!("{BOLD}2. The team edits{BOLD:#} three of them, as it likes"));
    report.edits.iter().for_each(|(skill, what)| out.line(format!("   {skill}: {what}")));
    out.line(format!(
        "{BOLD}3. Upstream improves{BOLD:#} four of them, and `skillgraft sync` proposes what that means here"
    ));
    for skill in report.sync.sources.iter().flat_map(|source| &source.skills) {
        let class = skill.class.unwrap_or(Class::Unchanged);
        let conflicts = skill.candidate.as_ref().map_or(0, |candidate| candidate.conflicts.len());
        let more = if conflicts > 0 {
            format!(" {YELLOW}({} for a person to decide){YELLOW:#}", count(conflicts, "conflict"))
        } else {
            String::new()
        };
        let words = if class == Class::Unchanged { "upstream did not touch it" } else { explain(class) };
        out.line(format!("   {:<8} {:<16} {words}{more}", skill.id, class.as_str()));
    }
    out.line(format!("{BOLD}4. Each proposal is a branch{BOLD:#}; main, index and files were not touched"));
    report.candidates.candidates.iter().for_each(|candidate| out.line(format!("   {}", candidate.branch)));
    out.line("");
    out.line(format!("{BOLD}Look at them:{BOLD:#}"));
    let example = report.example();
    for command in
        ["candidate list".to_owned(), format!("candidate diff {example}"), format!("candidate accept {example}")]
    {
        out.line(format!("   skillgraft -C {registry} {command}"));
    }
}

fn remarks(list: &[crate::source::Remark], label: &str, out: &mut Text) {
    for remark in list {
        out.remark(format!(
            "{YELLOW}{label}:{YELLOW:#} {}: {} [{}]",
            escape(&remark.path),
            remark.message,
            remark.reason
        ));
    }
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
