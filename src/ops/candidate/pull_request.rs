//! A candidate as a pull request: title and body, in Markdown that forges show alike.
//!
//! What upstream wrote stands in code, inert (`types::inert`), because the body may become a commit's message. Each part has
//! a budget, and says what it leaves out, so that no forge refuses the whole.

use super::edits::{LocalEdit, Region};
use super::{Merging, Show};
use crate::registry::Upstream;
use crate::sync::{Class, candidate_subject};
use crate::types::{TreeHash, code_fence, code_span};
use serde::Serialize;

/// The most bytes of a body: GitHub takes 65,536 characters, and other forges take more.
pub const LONGEST: usize = 60_000;
/// Of it, for each of the lists.
const LIST: usize = 8_000;
/// And for what stands in conflict.
const QUOTED: usize = 30_000;

/// What a pull request for a candidate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PullRequest {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
}

impl PullRequest {
    /// Returns what to say of a candidate; `compare` is the forge's page of what upstream changed.
    pub fn of(show: &Show, compare: Option<&str>) -> Self {
        let review = &show.review;
        let title =
            candidate_subject(&review.skill, review.class, &review.source, review.revision.as_deref(), &review.path);
        let sections = [
            intro(show, compare),
            notes(show),
            conflicts(show),
            edits(&show.local_edits),
            people(show),
            entry(show),
            commands(show),
            origin(show),
        ];
        PullRequest { title, body: sections.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n") }
    }

    /// Returns the title, an empty line, and the body.
    pub fn markdown(&self) -> String {
        format!("{}\n\n{}", self.title, self.body)
    }
}

fn intro(show: &Show, compare: Option<&str>) -> String {
    let review = &show.review;
    let mut text = format!(
        "**Class** `{}`, **state** `{}`. {}\n\n| | here | upstream |\n|---|---|---|\n",
        review.class.as_str(),
        review.state.as_str(),
        review.verdict
    );
    let rows = [
        ("revision", review.base_revision.as_deref(), review.revision.as_deref()),
        ("version", review.base_version.as_deref(), review.version.as_deref()),
    ];
    for (key, before, after) in rows.into_iter().filter(|(_, before, after)| before.is_some() || after.is_some()) {
        text.push_str(&format!("| {key} | {} | {} |\n", cell(before), cell(after)));
    }
    let folder = code_span(review.path.as_str(), 200);
    text.push_str(&format!("| source | | {} at {folder} |\n", code_span(review.source.as_str(), 100)));
    if let Some(compare) = compare {
        text.push_str(&format!("\n[What upstream changed]({compare})\n"));
    }
    text
}

/// What nobody should overlook.
fn notes(show: &Show) -> String {
    let review = &show.review;
    let mut lines = Vec::new();
    if let Some(from) = &review.moved_from {
        let (from, to) = (code_span(from.as_str(), 200), code_span(review.path.as_str(), 200));
        lines.push(format!("- **Upstream moved it:** from {from} to {to}\n"));
    }
    if let Some(renamed) = &review.renamed {
        let from = renamed.from.as_ref().map_or(String::new(), |from| format!(" instead of {}", code_span(from, 100)));
        let to = code_span(&renamed.to, 100);
        let follow = renamed.follow.as_ref();
        let follow =
            follow.map_or(String::new(), |it| format!("To follow, once it is merged: {}. ", code_span(it, 2_000)));
        lines.push(format!(
            "- **Upstream renamed it:** {to}{from}; here it stays `{}`. {follow}To stay: {}.\n",
            review.skill, renamed.stay
        ));
    }
    if let Some(change) = &review.license_change {
        let [before, after] = [&change.before, &change.after]
            .map(|one| one.as_ref().map_or("none is stated or known".into(), |license| code_span(license, 100)));
        lines.push(format!("- **The licence changes:** {before} -> {after}\n"));
    }
    if let Some(held) = &review.held {
        let by = held.by.as_ref().map_or(String::new(), |by| format!(" by {}", code_span(by, 80)));
        let until = held.until.map_or(String::new(), |day| format!(" until {}", day.0));
        let why = held.reason.as_ref().map_or(String::new(), |why| format!(": {}", code_span(why, 300)));
        lines.push(format!("- **This very update was {}**{by}{until}{why}\n", held.kind.as_str()));
    }
    for one in &review.contains {
        let what = match &one.revision {
            Some(revision) => code_span(revision, 64),
            None => code_span(&one.upstream.to_string(), 100),
        };
        let by = one.by.as_ref().map_or(String::new(), |by| format!(" by {}", code_span(by, 80)));
        let why = one.reason.as_ref().map_or(String::new(), |why| format!(": {}", code_span(why, 300)));
        let kind = one.kind.as_str();
        lines.push(format!("- **Contains an update that was {kind}:** {what}, {kind}{by}{why}\n"));
    }
    if lines.is_empty() { String::new() } else { format!("## Look twice\n\n{}", bounded(lines, LIST)) }
}

fn conflicts(show: &Show) -> String {
    let conflicts = &show.review.conflicts;
    if conflicts.is_empty() {
        return String::new();
    }
    let line = |path: &str, kind: &str| format!("- {} ({kind})\n", code_span(path, 200));
    let list = conflicts.iter().map(|conflict| line(&conflict.path, conflict.kind.as_str())).collect();
    let quoted = show.regions.iter().map(quote).collect();
    format!("## Conflicts\n\nTo be decided on this branch.\n\n{}\n{}", bounded(list, LIST), bounded(quoted, QUOTED))
}

fn quote(region: &Region) -> String {
    let Region { path, first_line, last_line, text, cut } = region;
    let cut = if *cut { "\n(cut here; the file has more)\n" } else { "" };
    format!("{}, lines {first_line} to {last_line}:\n\n{}{cut}\n", code_span(path, 200), code_fence(text))
}

fn edits(edits: &[LocalEdit]) -> String {
    if edits.is_empty() {
        return String::new();
    }
    let rows = edits.iter().map(|edit| format!("| {} | {} |\n", code_span(&edit.path, 200), edit.fate.words()));
    format!("## What becomes of the edits made here\n\n| file | edit |\n|---|---|\n{}", bounded(rows.collect(), LIST))
}

/// What people did on the branch beyond the tool's candidate.
fn people(show: &Show) -> String {
    let Some(edits) = &show.review.branch_edits else { return String::new() };
    let by: Vec<String> = edits.by.iter().take(10).map(|by| code_span(by, 80)).collect();
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
    let commits = if edits.commits == 1 { "1 commit".to_owned() } else { format!("{} commits", edits.commits) };
    let conflicts = &show.review.conflicts;
    let fate = |path: &str| match conflicts.iter().any(|conflict| path.ends_with(&format!("/{}", conflict.path))) {
        true => "conflict: to be decided",
        false => "as it stands on the branch",
    };
    let files = edits.files.iter().flatten();
    let rows: Vec<String> = files.map(|path| format!("| {} | {} |\n", code_span(path, 200), fate(path))).collect();
    let table = match rows.is_empty() {
        true => String::new(),
        false => format!(
            "\n| file that differs from the tool's candidate | merging brings it |\n|---|---|\n{}",
            bounded(rows, LIST)
        ),
    };
    format!("## What people did on this branch\n\n{commits}{by}.\n{table}")
}

fn entry(show: &Show) -> String {
    let (before, after) = &show.review.entries;
    let row = |key: &str, value: &dyn Fn(&Upstream) -> Option<String>| {
        let (old, new) = (before.as_ref().and_then(value), value(after));
        (old != new).then(|| format!("| `{key}` | {} | {} |\n", cell(old.as_deref()), cell(new.as_deref())))
    };
    let hash = |hash: TreeHash| Some(if hash == TreeHash::EMPTY { "nothing".to_owned() } else { hash.to_string() });
    let rows = [
        row("accepted", &|up| hash(up.accepted)),
        row("mirror", &|up| Some(up.mirror.to_string())),
        row("revision", &|up| up.revision.clone()),
        row("version", &|up| up.version.clone()),
        row("license", &|up| up.license.clone()),
    ];
    let rows: String = rows.into_iter().flatten().collect();
    let files = show.files.len();
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    format!(
        "## What merging does\n\nIt changes {files} of the skill, and its entry:\n\n| | before | after |\n|---|---|---|\n{rows}"
    )
}

fn commands(show: &Show) -> String {
    let (skill, branch) = (&show.review.skill, &show.review.branch);
    let mut lines = vec![format!("skillgraft candidate diff {skill}")];
    match show.merging {
        Merging::Refused => {
            lines.push(format!("git switch {branch}    # edit the files, commit"));
            lines.push(format!("skillgraft candidate resolve {skill}    # or: --take local, --take upstream"));
        }
        Merging::Any | Merging::NoRebase => lines.push(format!("skillgraft candidate accept {skill}")),
        Merging::Held => {
            if show.review.edited {
                lines.push(format!("git branch -D {branch}    # drops what people did on it"));
            }
            lines.push(format!("skillgraft candidate retry {skill}    # to propose it all the same"));
        }
        Merging::Stale => lines.push(format!("skillgraft sync {}", show.review.source)),
        Merging::Done | Merging::Blocked => {}
    }
    if show.review.class != Class::AlreadyApplied && !matches!(show.merging, Merging::Held | Merging::Done) {
        lines.push(format!("skillgraft candidate decline {skill} --reason \"why\""));
    }
    format!("## Commands\n\n{}\n\n```sh\n{}\n```\n", show.merging.words(), lines.join("\n"))
}

fn origin(show: &Show) -> String {
    let review = &show.review;
    let hash = |hash: Option<TreeHash>| {
        let hash = hash.filter(|hash| *hash != TreeHash::EMPTY);
        hash.map_or("nothing".to_owned(), |hash| format!("`{hash}`"))
    };
    format!(
        "## Hashes\n\n- base {}\n- local {}\n- upstream {}\n- branch {} at `{}`\n",
        hash(review.base),
        hash(review.local),
        hash(Some(review.upstream)),
        code_span(&review.branch, 300),
        review.commit
    )
}

fn cell(text: Option<&str>) -> String {
    text.map_or(String::new(), |text| code_span(text, 120))
}

/// Joins as many parts as fit into `most` bytes, and says how many are left out.
fn bounded(parts: Vec<String>, most: usize) -> String {
    let (mut text, all) = (String::new(), parts.len());
    for (at, part) in parts.into_iter().enumerate() {
        if text.len() + part.len() > most {
            text.push_str(&format!("\n({} more left out; see the branch)\n", all - at));
            break;
        }
        text.push_str(&part);
    }
    text
}
