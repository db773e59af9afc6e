//! What a candidate that is the tool's own must be, class by class.

use super::buttons::belongs_to;
use super::oracle;
use super::repositories::git;
use super::team::{Team, conflicts, upstream_of};
use super::trees;
use skillgraft::git::{Oid, merge_base};
use std::collections::BTreeSet;

type Checked = Result<(), String>;

/// Laws 8 and 9, for a candidate that is the tool's own.
pub fn check_own(team: &Team, skill: &str, head: Oid, action: &str, main: Oid) -> Checked {
    let store = &team.repository.store;
    let parents = store.commit(head).unwrap().parents.clone();
    if action != "kept" && parents != [main] {
        return Err(format!("the candidate of {skill} is not one commit on the default branch"));
    }
    let base = merge_base(store, main, head).unwrap().expect("one history");
    let tree = team.tree(head);
    if let Some(path) = trees::differences(store, team.tree(base), tree).iter().find(|path| !belongs_to(path, skill)) {
        return Err(format!("the unedited candidate of {skill} changes {path}"));
    }
    let entry = team.entry(tree, skill).ok_or_else(|| format!("the candidate of {skill} has no entry"))?;
    let accepted = upstream_of(&entry, "accepted");
    let upstream = team.upstream_now(skill);
    if accepted.as_deref() != Some(&oracle::tree_hash(store, upstream)) {
        return Err(format!("the candidate of {skill} accepts {accepted:?}, upstream has {upstream:?}"));
    }
    let (path, place) = (upstream_of(&entry, "path"), team.place(skill));
    if path.as_deref() != Some(&format!("skills/{place}")) {
        return Err(format!("the candidate of {skill} follows {path:?}, upstream has it at {place}"));
    }
    let listed: BTreeSet<String> = conflicts(&entry).into_iter().map(|(path, ..)| path).collect();
    let Some(directory) = team.skill_and_entry(tree, skill).0 else { return Ok(()) };
    for (path, place) in trees::files(store, directory) {
        let marked = store.blob(place.id).unwrap().split(|byte| *byte == b'\n').any(|line| line == b"<<<<<<< local");
        if marked && !listed.contains(&path) && !has_old_markers(team, skill) {
            return Err(format!("{path} of {skill} has markers, and the entry does not list it"));
        }
    }
    Ok(())
}

/// What the skill becomes in a candidate that is the tool's own, class by class.
pub fn check_content(team: &mut Team, skill: &str, head: Oid, class: &str) -> Checked {
    let main = team.main_tree();
    let entry = team.entry(team.tree(head), skill).expect("checked before");
    let (local, old_entry) = team.skill_and_entry(main, skill);
    let (made, _) = team.skill_and_entry(team.tree(head), skill);
    let upstream = team.upstream_now(skill);
    let listed = conflicts(&entry);
    let wrong =
        |what: &str| Err(format!("the {class} candidate of {skill} {what}: {made:?} of {local:?} and {upstream:?}"));
    match class {
        "fast_forward" | "new" if made != upstream || !listed.is_empty() => return wrong("is not upstream's"),
        "already_applied" | "moved" if made != local || !listed.is_empty() => return wrong("changes content"),
        _ => {}
    }
    let store = &team.repository.store;
    for conflict in entry.get("conflict").and_then(toml::Value::as_array).into_iter().flatten() {
        let text = |key: &str| conflict.get(key).and_then(toml::Value::as_str);
        let (path, kind) = (text("path").expect("a path"), text("kind").expect("a kind"));
        let there = made.and_then(|made| trees::blob_at(store, made, path)).map(|id| id.to_string());
        if ["binary", "modify_delete"].contains(&kind) && there.as_deref() != text("local") {
            return wrong(&format!("has a {kind} conflict at {path}, and local's version is not there"));
        }
        if kind == "content" && !there.is_some_and(|id| is_marked(team, Oid::parse(&id).unwrap())) {
            return wrong(&format!("has a content conflict at {path}, and no markers"));
        }
    }
    let old = old_entry.and_then(|_| team.entry(main, skill));
    let base = old.and_then(|entry| upstream_of(&entry, "git_tree")).filter(|_| class == "three_way");
    let (Some(base), Some(local), Some(upstream), Some(made)) = (base, local, upstream, made) else { return Ok(()) };
    if Oid::parse(&base).unwrap() == store.empty_tree() {
        return Ok(());
    }
    let theirs = git(
        &team.desk(),
        &["merge-tree", "--write-tree", &format!("--merge-base={base}"), &local.to_string(), &upstream.to_string()],
    );
    if theirs.status.code() == Some(0) && listed.is_empty() {
        team.count("three-way merge compared with git's");
        let theirs = Oid::parse(String::from_utf8(theirs.stdout).unwrap().lines().next().unwrap()).unwrap();
        // SKILL.md is merged by its structure, the others as git does.
        let differing = trees::differences(&team.repository.store, theirs, made);
        if differing.iter().any(|path| path != "SKILL.md") {
            return wrong(&format!("is merged otherwise by git in {differing:?}"));
        }
    } else if theirs.status.code() == Some(1) && listed.is_empty() {
        team.count("three-way merge that conflicts for git only");
    }
    Ok(())
}

fn is_marked(team: &Team, blob: Oid) -> bool {
    let text = team.repository.store.blob(blob).unwrap();
    text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<<") && line.ends_with(b" local"))
}

/// Somebody merged markers into the default branch before: then they are the team's own text.
fn has_old_markers(team: &Team, skill: &str) -> bool {
    let store = &team.repository.store;
    let Some(directory) = team.skill_and_entry(team.main_tree(), skill).0 else { return false };
    let files = trees::files(store, directory);
    let marked = |place: &skillgraft::git::Place| {
        store.blob(place.id).unwrap().split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<<"))
    };
    files.values().any(marked)
}
