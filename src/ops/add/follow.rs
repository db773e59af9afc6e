//! How a source comes in: its file, its skills, its licence files and its mirror, in one commit or not at all.

use super::Report;
use crate::git::{Changes, Mode, Oid, Place, RefChange, with_changes};
use crate::ops::link::{self, Consent, Linked, Proposal};
use crate::ops::{Commit, Outside, identity};
use crate::registry::{Changed, Registry, SourceFile, State};
use crate::source::{Access, Remark};
use crate::sync::{Admission, admit};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName, short_revision};
use std::collections::BTreeMap;

/// A source that is to be followed.
pub(in crate::ops) struct Follow<'a> {
    pub(in crate::ops) access: &'a Access<'a>,
    pub(in crate::ops) file: &'a SourceFile,
    /// The text of its file.
    pub(in crate::ops) text: &'a str,
    pub(in crate::ops) command: &'a str,
    /// Who says that skills are to be linked; none leaves them alone.
    pub(in crate::ops) link: Option<Consent<'a>>,
}

/// Writes a source file and, where it is enabled, brings its skills in: one commit, or nothing.
pub(in crate::ops) fn follow(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    what: &Follow<'_>,
    commit: &Commit,
) -> Result<Report> {
    let Follow { access, file, text, command, link } = *what;
    let store = &registry.repository.store;
    let source_file = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    let mut changes = Changes::from([(state.layout.source(&file.name), Some(source_file))]);
    let mut report = unchanged(file.name.clone(), file.enabled);
    let mut mirrors = Vec::new();
    let verb = if command == "add" { "Follow" } else { "Enable" };
    let mut message = format!("{verb} source {}\n", file.name);
    if file.enabled {
        let mut admission = admit(registry, state, file, access)?;
        let source = file;
        let file = state.layout.source(&file.name);
        if link.is_some() {
            admission.rejected.retain(|remark| !(remark.reason == "ownership" && is_own(&admission.own, remark)));
        }
        refuse_what_is_owned(&admission).map_err(|error| match command {
            "add" if !admission.own.is_empty() && link.is_none() => error.hint(
                "where the team's own were copied from there, let them follow it with --link; else leave these skills \
                 out with --exclude NAME, or give all ids a namespace with --namespace NS",
            ),
            "add" => error
                .hint("leave these skills out with --exclude NAME, or give all ids a namespace with --namespace NS"),
            _ => {
                error.hint(format!("set `exclude` or `namespace` in {file} and commit it, then run the command again"))
            }
        })?;
        refuse_what_brings_nothing(state, source, &admission, link.is_some())?;
        message.push('\n');
        for (id, what) in &admission.skills {
            message.push_str(&format!("{id}\n"));
            changes.extend(what.clone());
        }
        if let Some(consent) = link.filter(|_| !admission.own.is_empty()) {
            let found = link::find_all(outside, registry, state, source, &admission.own)?;
            report.linked = found.iter().map(|linked| linked.proposal.clone()).collect();
            if !consent.is_given(&report.linked, || leave_out(&report.linked))? {
                return Ok(report);
            }
            changes.extend(admission.licenses);
            message.push_str("\nLinked, because they were copied from there:\n");
            for Linked { proposal, entry: (path, place), .. } in found {
                let at = proposal.revision.as_deref().map_or("its present state", short_revision);
                message.push_str(&format!("{} at {at}\n", proposal.skill));
                if proposal.unrelated {
                    let words = format!(
                        "`{0}` was linked, but has hardly anything in common with upstream's; if it is another skill: \
                         skillgraft adopt {0}",
                        proposal.skill
                    );
                    admission.warnings.push(Remark::new(&proposal.path, "unrelated", words));
                }
                changes.insert(path, place);
            }
        }
        mirrors.push((source.name.clone(), admission.local_mirror, admission.mirror));
        report.skills = admission.skills.into_iter().map(|(id, _)| id).collect();
        report.guide = admission.guide;
        report.rejected = admission.rejected;
        report.warnings = admission.warnings;
    } else {
        message = format!("Register source {}, not yet enabled\n", file.name);
    }
    let tree = with_changes(store, state.tree, &changes)?;
    let person = crate::registry::Person::ask(&outside.git, &registry.repository)?;
    let change = commit.change(registry, outside, command);
    let new = change.build(&person, tree, vec![registry.head], &commit.message(&message))?;
    report.changed = Some(publish(outside, registry, &mirrors, || change.publish(&person, new))?);
    Ok(report)
}

/// What to do about skills that only have the names of upstream's.
fn leave_out(linked: &[Proposal]) -> String {
    let names = linked.iter().filter(|proposal| proposal.unrelated);
    let exclude: Vec<String> = names.map(|proposal| format!("--exclude {}", proposal.skill.name())).collect();
    let exclude = exclude.join(" ");
    format!("leave upstream's out: {exclude}; or look at what was found and decide, at a terminal and without --yes")
}

/// A mirror that a source brings: the source, where its branch is, and where it goes.
pub(in crate::ops) type MovedMirror = (SourceName, Option<Oid>, Oid);

/// Moves mirrors, all or none, publishes the commit, and takes the mirrors back where that fails.
pub(in crate::ops) fn publish(
    outside: &Outside,
    registry: &Registry,
    mirrors: &[MovedMirror],
    commit: impl FnOnce() -> Result<Changed>,
) -> Result<Changed> {
    let mut there = Vec::new();
    for (name, from, to) in mirrors.iter().filter(|(_, from, to)| *from != Some(*to)) {
        there.push(RefChange { name: registry.names.mirror(name)?, expected: *from, new: Some(*to) });
    }
    // The mirrors first: an entry never names a commit that nothing keeps.
    if !there.is_empty() {
        registry.repository.store.flush()?;
        registry.repository.refs.apply(&there, "skillgraft: add", &identity(outside))?;
    }
    commit().inspect_err(|_| {
        let back = there.into_iter().map(|moved| RefChange { expected: moved.new, new: moved.expected, ..moved });
        let _ = registry.repository.refs.apply(&back.collect::<Vec<_>>(), "skillgraft: undo", &identity(outside));
    })
}

pub(in crate::ops) fn unchanged(source: SourceName, enabled: bool) -> Report {
    let (skills, followers, linked, registry, guide, rejected, warnings) = Default::default();
    Report { format: 1, source, changed: None, enabled, skills, followers, linked, registry, guide, rejected, warnings }
}

/// Tells whether a remark is about a skill that has the name of one of the team's own.
fn is_own(own: &BTreeMap<SkillId, RelPath>, remark: &Remark) -> bool {
    own.values().any(|path| remark.path == crate::types::escape(path.as_str()))
}

/// A source of which nothing can come in is none: it would be there, and do nothing.
fn refuse_what_brings_nothing(state: &State, source: &SourceFile, admission: &Admission, links: bool) -> Result<()> {
    let brings = !admission.skills.is_empty() || links && !admission.own.is_empty();
    if brings || admission.rejected.is_empty() || state.followers(&source.name).next().is_some() {
        return Ok(());
    }
    let why: Vec<_> = admission.rejected.iter().map(|remark| format!("{}: {}", remark.path, remark.message)).collect();
    Err(Error::new(ErrorKind::Rejected, "nothing was added: no skill of the source can come in")
        .because(why.join("\n"))
        .hint("tell its owner; or register it as it is with --no-enable"))
}

/// All-or-nothing: a name that somebody else owns stops the whole command, and every such name is listed.
fn refuse_what_is_owned(admission: &Admission) -> Result<()> {
    let owned: Vec<&Remark> = admission.rejected.iter().filter(|remark| remark.reason == "ownership").collect();
    if owned.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = owned.iter().map(|remark| format!("{}: {}", remark.path, remark.message)).collect();
    let names = if owned.len() == 1 { "a name belongs".to_owned() } else { format!("{} names belong", owned.len()) };
    Err(Error::new(ErrorKind::Ownership, format!("nothing was added: {names} to others")).because(list.join("\n")))
}
