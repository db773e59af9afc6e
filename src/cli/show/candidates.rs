//! Candidates: what waits for review, and what became of it.

use super::sync::tell;
use super::{count, follow_or_stay, license_change, table};
use crate::cli::output::{BOLD, CYAN, GREEN, Text, YELLOW};
use crate::ops::candidate::Merging;
use crate::ops::{accept, candidate, decline, demo, diff, resolve};
use crate::sync::{CandidateState, Class, Review};
use crate::types::{TreeHash, escape, one_line, short_revision};

pub fn candidates(report: &candidate::List, out: &mut Text) {
    if report.candidates.is_empty() {
        out.remark("nothing waits for review");
    } else {
        candidate_table(&report.candidates, out);
    }
    report.candidates.iter().filter_map(|review| review.diverged.as_ref()).for_each(|notice| tell(notice, out));
    report.unreadable.iter().for_each(|error| out.remark(format!("{YELLOW}warning:{YELLOW:#} {error}")));
}

pub(super) fn candidate_table(candidates: &[Review], out: &mut Text) {
    let rows = candidates
        .iter()
        .map(|c| vec![c.skill.to_string(), c.class.as_str().into(), state(c), moved(c), c.branch.clone()]);
    table(&["SKILL", "CLASS", "STATE", "UPSTREAM", "BRANCH"], rows, out);
}

/// The state, and what else is true of the branch.
fn state(review: &Review) -> String {
    let also = [
        (review.stale, CandidateState::Stale, "stale".to_owned()),
        (
            !review.conflicts.is_empty(),
            CandidateState::Conflicted,
            format!("{} in it", count(review.conflicts.len(), "conflict")),
        ),
        (review.edited && !review.carried, CandidateState::Edited, "edited".into()),
        (review.carried, CandidateState::Carried, "carried".into()),
    ];
    let first = match review.state {
        CandidateState::Conflicted => count(review.conflicts.len(), "conflict"),
        CandidateState::PartlyAccepted => "partly accepted".into(),
        state => state.as_str().to_owned(),
    };
    let more =
        also.into_iter().filter(|(is, state, _)| *is && *state != review.state && review.state.awaits_decision());
    std::iter::once(first).chain(more.map(|(_, _, word)| word)).collect::<Vec<_>>().join(", ")
}

/// What moved: upstream's own versions where they differ, else its commits.
fn moved(review: &Review) -> String {
    let short = |id: &Option<String>| id.as_deref().map_or("-".into(), |id| one_line(short_revision(id), 60));
    match (&review.base_version, &review.version) {
        (Some(old), Some(new)) if old != new => format!("{} -> {}", one_line(old, 20), one_line(new, 20)),
        // A plain folder has no commits to name.
        _ if review.revision.is_none() && review.base_revision.is_none() => String::new(),
        _ if review.base.is_none() => short(&review.revision),
        _ => format!("{} -> {}", short(&review.base_revision), short(&review.revision)),
    }
}

pub fn candidate(report: &candidate::Show, out: &mut Text) {
    let review = &report.review;
    let hash = |hash: Option<TreeHash>| {
        hash.filter(|hash| *hash != TreeHash::EMPTY).map_or("nothing".into(), |hash| hash.to_string())
    };
    let moved =
        Some(moved(review)).filter(|moved| !moved.is_empty()).map_or(String::new(), |moved| format!(", {moved}"));
    out.line(format!("{BOLD}{}{BOLD:#} from {}{moved} ({})", review.skill, review.source, state(review)));
    out.line(format!("branch    {} at {}", review.branch, review.commit.short()));
    out.line(format!("class     {}", review.class.as_str()));
    out.line(format!("verdict   {}", review.verdict));
    if let Some(held) = &review.held {
        out.line(format!("held      {} {}", held.kind.as_str(), held.words()).trim_end());
    }
    if let Some(edits) = &review.branch_edits {
        let by: Vec<String> = edits.by.iter().map(|by| one_line(by, 60)).collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
        out.line(format!("edited    {}{by}", count(edits.commits, "commit")));
        edits.files.iter().flatten().for_each(|file| out.line(format!("          {}", one_line(file, 200))));
    }
    // That any button does, and that conflicts come first, is said below.
    if !matches!(report.merging, Merging::Any | Merging::Refused) {
        out.line(format!("merging   {}", report.merging.words()));
    }
    if let Some(from) = &review.moved_from {
        out.line(format!("moved     from {from} to {}", review.path));
    }
    if let Some(renamed) = &review.renamed {
        out.line(format!("{YELLOW}renamed{YELLOW:#}   {}", renamed.sentence(review.skill.as_str())));
        follow_or_stay(renamed).iter().for_each(|way| out.line(format!("          {way}")));
    }
    out.line(format!("base      {}", hash(review.base)));
    out.line(format!("local     {}", hash(review.local)));
    out.line(format!("upstream  {}", hash(Some(review.upstream))));
    if let Some(change) = &review.license_change {
        out.line(format!("{YELLOW}licence{YELLOW:#}   {}", license_change(change)));
    }
    for contained in &review.contains {
        out.line(format!("{YELLOW}notice{YELLOW:#}    {}", contained.sentence()));
    }
    review.diverged.iter().for_each(|notice| tell(notice, out));
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
        () if matches!(review.state, CandidateState::Reverted | CandidateState::Declined) => {
            let drop = match review.closing.as_slice() {
                [] => format!("skillgraft sync {}", review.source),
                commands => commands.join(", "),
            };
            format!("{drop}; to propose it all the same, then: skillgraft candidate retry {}", review.skill)
        }
        () if review.stale || review.state == CandidateState::Accepted => format!("skillgraft sync {}", review.source),
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
        Class::Moved => "the content is the same; only the entry moves, to where upstream has the skill now",
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
    let (skill, source) = (&report.skill, &report.source);
    let at = format!("({} on {})", report.changed.commit.short(), report.changed.branch.short());
    let what = match (report.class, report.revision.as_deref().map(short_revision)) {
        (Class::Removed, _) => format!("the removal of {skill} by {source}"),
        (_, Some(revision)) => format!("{skill} of {source} {}", one_line(revision, 60)),
        (_, None) => format!("{skill} of {source}"),
    };
    let how_long = match &report.until {
        _ if report.excluded => "for good: it was excluded in its source".to_owned(),
        Some(until) => format!("until {until}, or until upstream moves on"),
        None => "until upstream moves on".into(),
    };
    out.line(format!("{GREEN}Declined{GREEN:#} {what} {how_long} {at}"));
    if let Some(branch) = &report.branch_left {
        let delete = report.delete.join(", then: ");
        out.remark(format!("{branch} has edits, so it stays; when nobody needs them: {delete}"));
    }
    let once = super::once_merged(&report.changed);
    out.remark(match report.excluded {
        true => format!("{once}to be asked again: take its path out of `exclude` in sources/{source}.toml, and commit"),
        false => format!("{once}to be asked again: skillgraft candidate retry {skill}"),
    });
}

pub fn resolve(report: &resolve::Report, out: &mut Text) {
    for path in &report.resolved {
        out.line(format!("{GREEN}Resolved{GREEN:#} {path} ({} on {})", report.commit.short(), report.branch));
    }
    for conflict in &report.left {
        out.line(format!("  {YELLOW}left{YELLOW:#} {} ({})", escape(&conflict.path), conflict.kind.as_str()));
    }
    // What was resolved on the default branch has nothing left to accept.
    if report.left.is_empty() && report.on_candidate {
        out.remark(format!("{CYAN}next:{CYAN:#} skillgraft candidate accept {}", report.skill));
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
