//! What must come out, found another way: the mirror from upstream's trees, the classes from three tree hashes.

use super::team::{Team, conflicts, upstream_of};
use super::trees::{self, IDS, SKILLS};
use sha2::{Digest as _, Sha256};
use skillgraft::git::{Mode, Oid, Store};
use std::collections::BTreeMap;

fn source(team: &Team) -> toml::Table {
    let store = &team.repository.store;
    let blob = trees::blob_at(store, team.main_tree(), "sources/sp.toml").expect("nobody removes it");
    String::from_utf8(store.blob(blob).unwrap()).unwrap().parse().unwrap()
}

/// Returns the names that the source file on the default branch excludes; the program excludes a path.
pub fn excluded(team: &Team) -> Vec<String> {
    let source = source(team);
    let globs = source["exclude"].as_array().unwrap().iter().map(|glob| glob.as_str().unwrap());
    globs.map(|glob| glob.trim_start_matches("skills/").to_owned()).collect()
}

/// Tells whether the source is disabled or paused: then nobody looks at it.
pub fn is_away(team: &Team) -> bool {
    let source = source(team);
    source.get("enabled").and_then(toml::Value::as_bool) == Some(false) || holds_today(team, source.get("paused"))
}

/// Tells whether a table with an `until` is there, and the day has not passed.
pub fn holds_today(team: &Team, table: Option<&toml::Value>) -> bool {
    let until = |table: &toml::Value| Some(table.get("until")?.as_datetime()?.to_string());
    table.is_some_and(|table| until(table).is_none_or(|until| team.today().to_string() <= until))
}

/// Looks at upstream as a sync does. Returns whether there is any evidence: a source that lists nothing changes nothing.
pub fn look(team: &mut Team) -> bool {
    let excluded = excluded(team);
    let store = &team.upstream.store;
    let tree = team.upstream_tree();
    let mut mirrored = BTreeMap::new();
    let mut evidence = false;
    for skill in SKILLS {
        let Some(there) = trees::directory_at(store, tree, &format!("skills/{skill}")) else { continue };
        if trees::blob_at(store, there, "SKILL.md").is_none() {
            continue;
        }
        evidence = true;
        let is_bad = trees::files(store, there).values().any(|place| place.mode == Mode::Link);
        let is_taken = !is_bad && !excluded.iter().any(|name| name == skill);
        let kept = if is_taken { Some(there) } else { team.mirrored.get(skill).copied() };
        mirrored.extend(kept.map(|tree| (skill.to_owned(), tree)));
    }
    let license = trees::blob_at(store, tree, "LICENSE");
    if evidence {
        team.mirrored = mirrored;
        team.license = license;
    }
    evidence
}

/// Returns the class of each skill that follows the source or appeared there.
pub fn classes(team: &Team) -> BTreeMap<String, &'static str> {
    let excluded = excluded(team);
    let tree = team.main_tree();
    let store = &team.repository.store;
    let mut classes = BTreeMap::new();
    let mut followed = Vec::new();
    for skill in IDS {
        let Some(entry) = team.entry(tree, skill) else { continue };
        let Some(base) = upstream_of(&entry, "accepted") else { continue };
        let name = team.followed(skill);
        let local = tree_hash(store, team.skill_and_entry(tree, skill).0);
        let upstream = tree_hash(store, team.upstream_now(skill));
        let nothing = tree_hash(store, None);
        let class = match () {
            () if entry["status"].as_str() != Some("active") => "disabled",
            () if holds_today(team, entry.get("paused")) => "paused",
            () if !conflicts(&entry).is_empty() => "conflicted",
            () if local == nothing && base != nothing => "missing_local",
            () if excluded.contains(&name) => "unselected",
            () if upstream == base => "unchanged",
            () if upstream == nothing => "removed",
            () if local == upstream => "already_applied",
            () if local == base => "fast_forward",
            () => "three_way",
        };
        classes.insert(skill.to_owned(), class);
        followed.push(name);
    }
    for name in SKILLS.into_iter().filter(|name| team.mirrored.contains_key(*name)) {
        let is_selected = !excluded.iter().any(|excluded| excluded == name);
        let is_free = team.skill_and_entry(tree, name) == (None, None);
        if is_selected && is_free && !followed.iter().any(|followed| followed == name) {
            classes.insert(name.to_owned(), "new");
        }
    }
    classes
}

/// Returns the id that git would give the tree in a SHA-256 repository, as entries write it.
pub fn tree_hash(store: &Store, tree: Option<Oid>) -> String {
    let hash = tree.map_or_else(|| object("tree", b""), |tree| hash_of(store, tree));
    format!("git-sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn hash_of(store: &Store, tree: Oid) -> [u8; 32] {
    let mut bytes = Vec::new();
    for entry in store.tree(tree).unwrap().entries() {
        let below = match entry.mode {
            Mode::Tree => hash_of(store, entry.id),
            _ => object("blob", &store.blob(entry.id).unwrap()),
        };
        bytes.extend([entry.mode.octal().as_bytes(), b" ", &entry.name[..], b"\0", &below].concat());
    }
    object("tree", &bytes)
}

fn object(kind: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::digest([format!("{kind} {}\0", bytes.len()).as_bytes(), bytes].concat()).into()
}
