//! What must come out, found another way: the mirror from upstream's trees, the classes from three tree hashes.

use super::team::{Team, conflicts, upstream_of};
use super::trees::{self, SKILLS};
use sha2::{Digest as _, Sha256};
use skillgraft::git::{Mode, Oid, Store};
use std::collections::BTreeMap;

/// Returns the names that the source file on the default branch excludes.
pub fn excluded(team: &Team) -> Vec<String> {
    let store = &team.repository.store;
    let blob = trees::blob_at(store, team.main_tree(), "sources/sp.toml").expect("nobody removes it");
    let text = String::from_utf8(store.blob(blob).unwrap()).unwrap();
    let table: toml::Table = text.parse().unwrap();
    table["exclude"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
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
    let mut classes = BTreeMap::new();
    for skill in SKILLS {
        let is_selected = !excluded.iter().any(|name| name == skill);
        let upstream = team.mirrored.get(skill).copied();
        let (local, _) = team.skill_and_entry(tree, skill);
        let Some(entry) = team.entry(tree, skill) else {
            if upstream.is_some() && is_selected && local.is_none() {
                classes.insert(skill.to_owned(), "new");
            }
            continue;
        };
        let base = upstream_of(&entry, "accepted").expect("every entry here follows the source");
        let store = &team.repository.store;
        let local = tree_hash(store, local);
        let upstream = tree_hash(store, upstream);
        let nothing = tree_hash(store, None);
        let class = match () {
            () if !conflicts(&entry).is_empty() => "conflicted",
            () if local == nothing && base != nothing => "missing_local",
            () if !is_selected => "unselected",
            () if upstream == base => "unchanged",
            () if upstream == nothing => "removed",
            () if local == upstream => "already_applied",
            () if local == base => "fast_forward",
            () => "three_way",
        };
        classes.insert(skill.to_owned(), class);
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
