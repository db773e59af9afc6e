//! What must come out, found another way: the mirror from upstream's trees, the classes from three tree hashes.

use super::places::{base_name, depth, places};
use super::team::{Team, conflicts, upstream_of};
use super::trees::{self, IDS, PLACES};
use sha2::{Digest as _, Sha256};
use skillgraft::git::{Mode, Oid, Store};
use std::collections::BTreeMap;

fn source(team: &Team) -> toml::Table {
    let store = &team.repository.store;
    let blob = trees::blob_at(store, team.main_tree(), "sources/sp.toml").expect("nobody removes it");
    String::from_utf8(store.blob(blob).unwrap()).unwrap().parse().unwrap()
}

/// Tells whether the source file on the default branch excludes a place: the name of its directory, as people write it,
/// or its path, as the program does.
pub fn hides(team: &Team, place: &str) -> bool {
    excluded(team).iter().any(|glob| *glob == base_name(place) || *glob == format!("skills/{place}"))
}

/// Returns what the source file on the default branch excludes.
pub fn excluded(team: &Team) -> Vec<String> {
    let source = source(team);
    let globs = source["exclude"].as_array().unwrap().iter().map(|glob| glob.as_str().unwrap());
    globs.map(str::to_owned).collect()
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

/// Tells whether upstream lists any skill now.
pub fn is_evidence(team: &Team) -> bool {
    let (store, tree) = (&team.upstream.store, team.upstream_tree());
    PLACES.iter().any(|place| trees::blob_at(store, tree, &format!("skills/{place}/SKILL.md")).is_some())
}

/// Looks at upstream as a sync does. Returns whether there is any evidence: a source that lists nothing changes nothing.
pub fn look(team: &mut Team) -> bool {
    let store = &team.upstream.store;
    let tree = team.upstream_tree();
    let mut mirrored = BTreeMap::new();
    let mut evidence = false;
    for place in PLACES {
        let Some(there) = trees::directory_at(store, tree, &format!("skills/{place}")) else { continue };
        if trees::blob_at(store, there, "SKILL.md").is_none() {
            continue;
        }
        evidence = true;
        let is_bad = trees::files(store, there).values().any(|place| place.mode == Mode::Link);
        let is_taken = !is_bad && !hides(team, place);
        let kept = if is_taken { Some(there) } else { team.mirrored().get(place).copied() };
        mirrored.extend(kept.map(|tree| (place.to_owned(), tree)));
    }
    let license = trees::blob_at(store, tree, "LICENSE");
    if evidence {
        if team.looks.last() != Some(&mirrored) {
            team.looks.push(mirrored);
        }
        team.license = license;
    }
    evidence
}

/// Returns the place of each skill that appeared: the id is the name in its frontmatter.
pub fn new_skills(team: &Team) -> BTreeMap<String, String> {
    let followed: Vec<String> = places(team).into_values().collect();
    let (tree, store) = (team.main_tree(), &team.repository.store);
    let mut by_id: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for (place, skill) in team.mirrored() {
        if !hides(team, place) && !followed.contains(place) {
            by_id.entry(trees::name_of(store, *skill)).or_default().push(place);
        }
    }
    by_id.retain(|id, _| team.skill_and_entry(tree, id) == (None, None));
    // Of several of one name that in front is taken, with the fewest folders above it.
    let first = |places: Vec<&String>| places.into_iter().cloned().min_by_key(|place| depth(place));
    by_id.into_iter().filter_map(|(id, places)| Some((id, first(places)?))).collect()
}

/// Returns the class of each skill that follows the source or appeared there.
pub fn classes(team: &Team) -> BTreeMap<String, &'static str> {
    let tree = team.main_tree();
    let store = &team.repository.store;
    let mut classes = BTreeMap::new();
    let places = places(team);
    for skill in IDS {
        let Some(entry) = team.entry(tree, skill) else { continue };
        let Some(base) = upstream_of(&entry, "accepted") else { continue };
        let moved = places[skill] != team.followed(skill);
        let local = tree_hash(store, team.skill_and_entry(tree, skill).0);
        let upstream = tree_hash(store, team.upstream_now(skill));
        let nothing = tree_hash(store, None);
        let class = match () {
            () if entry["status"].as_str() != Some("active") => "disabled",
            () if holds_today(team, entry.get("paused")) => "paused",
            () if !conflicts(&entry).is_empty() => "conflicted",
            () if local == nothing && base != nothing => "missing_local",
            // Who excludes a place does not want the skill, wherever upstream puts it.
            () if hides(team, &team.followed(skill)) => "unselected",
            () if upstream == base && moved => "moved",
            () if upstream == base => "unchanged",
            () if upstream == nothing => "removed",
            () if local == upstream => "already_applied",
            () if local == base => "fast_forward",
            () => "three_way",
        };
        classes.insert(skill.to_owned(), class);
    }
    classes.extend(new_skills(team).into_keys().map(|id| (id, "new")));
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
