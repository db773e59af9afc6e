//! Where upstream has the skills that the team follows: an entry follows a skill, not a path.
//!
//! Found from what upstream had at each look (ARCHITECTURE, "Moves"), with git as the judge of how alike two files are.

use super::oracle::{hides, tree_hash};
use super::repositories::git_ok;
use super::team::{Team, upstream_of};
use super::trees::{self, IDS};
use skillgraft::git::Oid;
use std::collections::{BTreeMap, BTreeSet};

/// From how many percent on, by git's count, a skill at another place is the one that left.
const ENOUGH: usize = 50;

/// A skill of the team whose place upstream left empty, on its way to where it stands now.
struct Traveller {
    id: &'static str,
    place: String,
    tree: Oid,
    /// The first look at which it was not at its entry's place.
    from: usize,
    stands: bool,
}

/// A place that a traveller may have gone to; of two the one with the greater rank is better.
struct Pair {
    rank: (bool, bool, usize),
    traveller: usize,
    place: String,
    tree: Oid,
}

/// Returns where upstream has each skill that follows it: at its entry's place, or where it was moved to.
pub fn places(team: &Team) -> BTreeMap<String, String> {
    let key = (team.main(), team.looks.len());
    if let Some((_, known)) = team.places.borrow().as_ref().filter(|(at, _)| *at == key) {
        return known.clone();
    }
    let mut places = BTreeMap::new();
    let mut travellers = Vec::new();
    let now = team.looks.last().cloned().unwrap_or_default();
    for id in IDS {
        let Some(entry) = team.entry(team.main_tree(), id) else { continue };
        let Some(path) = upstream_of(&entry, "path") else { continue };
        let place = path.trim_start_matches("skills/").to_owned();
        places.insert(id.to_owned(), place.clone());
        let is_removed = upstream_of(&entry, "accepted") == Some(tree_hash(&team.repository.store, None));
        if is_removed || now.contains_key(&place) {
            continue;
        }
        let last = (0..team.looks.len()).rev().find(|at| team.looks[*at].contains_key(&place));
        let base = upstream_of(&entry, "git_tree").map(|id| Oid::parse(&id).unwrap());
        let base = base.filter(|base| team.repository.store.contains(*base));
        // What this mirror never saw there is the base, and was left before the first look.
        let tree = last.map_or(base, |last| Some(team.looks[last][&place]));
        let from = last.map_or(0, |last| last + 1);
        travellers.extend(tree.map(|tree| Traveller { id, place, tree, from, stands: true }));
    }
    let bound: BTreeSet<String> = places.values().cloned().collect();
    let start = travellers.iter().map(|traveller| traveller.from).min().unwrap_or(team.looks.len());
    for at in start..team.looks.len() {
        look(team, &mut travellers, &bound, at);
    }
    let arrived = travellers.into_iter().filter(|traveller| traveller.stands);
    places.extend(arrived.map(|traveller| (traveller.id.to_owned(), traveller.place)));
    *team.places.borrow_mut() = Some((key, places.clone()));
    places
}

fn look(team: &Team, travellers: &mut [Traveller], bound: &BTreeSet<String>, at: usize) {
    let here = &team.looks[at];
    let mut away = Vec::new();
    for (index, traveller) in travellers.iter_mut().enumerate().filter(|(_, traveller)| traveller.from <= at) {
        match here.get(&traveller.place).filter(|_| traveller.stands) {
            Some(tree) => traveller.tree = *tree,
            None => {
                away.push((index, traveller.stands));
                traveller.stands = false;
            }
        }
    }
    let taken: BTreeSet<&String> =
        travellers.iter().filter(|t| t.stands && t.from <= at).map(|traveller| &traveller.place).collect();
    let before = at.checked_sub(1).map(|before| &team.looks[before]);
    let mut pairs = Vec::new();
    for (place, tree) in here {
        if taken.contains(place) || bound.contains(place) || hides(team, place) {
            continue;
        }
        let is_fresh = before.is_none_or(|before| !before.contains_key(place));
        for (index, _) in away.iter().filter(|(_, just_left)| *just_left || is_fresh) {
            let left = &travellers[*index];
            let (same, namesake) = (*tree == left.tree, base_name(place) == base_name(&left.place));
            if !same && !namesake && !is_fresh {
                continue;
            }
            let mut percent = likeness(team, left.tree, *tree);
            if namesake && percent < ENOUGH {
                percent = percent.max(likeness_of_all_files(team, left.tree, *tree));
            }
            if percent >= ENOUGH {
                let rank = (same, namesake, percent);
                pairs.push(Pair { rank, traveller: *index, place: place.clone(), tree: *tree });
            }
        }
    }
    assign(travellers, pairs);
}

/// The best pairs first. Where a skill has two places that are equally good, or a place two skills, nobody goes there.
fn assign(travellers: &mut [Traveller], mut pairs: Vec<Pair>) {
    while let Some(best) = pairs.iter().map(|pair| pair.rank).max() {
        let (good, rest): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(|pair| pair.rank == best);
        let is_clear = |pair: &&Pair| {
            let mut others =
                good.iter().filter(|other| (other.traveller == pair.traveller) ^ (other.place == pair.place));
            // Copies of one name are one skill.
            others.all(|other| {
                other.traveller == pair.traveller
                    && other.tree == pair.tree
                    && base_name(&other.place) == base_name(&pair.place)
            })
        };
        let mut gone: BTreeSet<String> = BTreeSet::new();
        let done: BTreeSet<usize> = good.iter().map(|pair| pair.traveller).collect();
        for traveller in &done {
            let mine = good.iter().filter(|pair| pair.traveller == *traveller).filter(is_clear);
            // Of copies that in front, with the fewest folders above it.
            if let Some(pair) = mine.min_by_key(|pair| depth(&pair.place)) {
                let found = &mut travellers[*traveller];
                (found.place, found.tree, found.stands) = (pair.place.clone(), pair.tree, true);
                gone.insert(pair.place.clone());
            }
        }
        pairs =
            rest.into_iter().filter(|pair| !done.contains(&pair.traveller) && !gone.contains(&pair.place)).collect();
    }
}

/// Returns by what copies are ordered: those with fewer folders above them come first.
pub fn depth(place: &str) -> (usize, String) {
    (place.matches('/').count(), place.to_owned())
}

pub fn base_name(place: &str) -> &str {
    place.rsplit('/').next().expect("splitting gives one at least")
}

/// Returns how much of the `SKILL.md` of one tree is in that of the other, in percent, as `git diff -M` prints it.
fn likeness(team: &Team, old: Oid, new: Oid) -> usize {
    let store = &team.repository.store;
    let skill_md = |tree| trees::blob_at(store, tree, "SKILL.md").expect("a skill has one");
    likeness_of_files(team, skill_md(old), skill_md(new))
}

fn likeness_of_files(team: &Team, old: Oid, new: Oid) -> usize {
    if old == new {
        return 100;
    }
    if let Some(known) = team.likeness.borrow().get(&(old, new)) {
        return *known;
    }
    let percent = alike_by(team, old, new, "1%").unwrap_or(0);
    team.likeness.borrow_mut().insert((old, new), percent);
    percent
}

/// The score that git gives to equal files.
const SAME: usize = 60_000;

/// Returns git's score of two files, which it prints in whole percent only: up to which threshold it pairs them.
fn score(team: &Team, old: Oid, new: Oid) -> usize {
    let percent = likeness_of_files(team, old, new);
    let (mut paired, mut not_paired) = (percent * SAME / 100, (percent + 1) * SAME / 100);
    while percent > 0 && paired + 1 < not_paired {
        let middle = usize::midpoint(paired, not_paired);
        // Git reads five digits, and rounds down.
        let threshold = format!("0.{:05}", (middle * 100_000).div_ceil(SAME));
        match alike_by(team, old, new, &threshold) {
            Some(_) => paired = middle,
            None => not_paired = middle,
        }
    }
    paired
}

/// Returns how alike git calls two files, in percent; none where it is less than a threshold.
fn alike_by(team: &Team, old: Oid, new: Oid, threshold: &str) -> Option<usize> {
    // Written beside upstream, where nobody counts files.
    let (from, to) = (&team.repository.store, &team.upstream.store);
    let only = |blob: Oid, at: &str| {
        let copied = trees::file(to, &from.blob(blob).unwrap());
        trees::with(to, to.empty_tree(), at, Some(copied))
    };
    let (old_tree, new_tree) = (only(old, "old"), only(new, "new"));
    to.flush().unwrap();
    let (old_tree, new_tree) = (old_tree.to_string(), new_tree.to_string());
    let limit = format!("-M{threshold}");
    let said = git_ok(&team.path("up"), &["diff-tree", "-r", "--raw", &limit, &old_tree, &new_tree]);
    let score = said.split_whitespace().find_map(|word| word.strip_prefix('R'));
    score.map(|score| score.parse().unwrap())
}

/// Returns how many percent of the bytes of all files are the same: files that are the same anywhere, and what files of
/// the same path share.
fn likeness_of_all_files(team: &Team, old: Oid, new: Oid) -> usize {
    let store = &team.repository.store;
    let files = |tree| trees::files(store, tree).into_iter().map(|(path, place)| (path, place.id)).collect();
    let (mut from, mut to): (BTreeMap<String, Oid>, BTreeMap<String, Oid>) = (files(old), files(new));
    let size = |id: &Oid| store.blob(*id).unwrap().len();
    let all = from.values().map(size).sum::<usize>().max(to.values().map(size).sum());
    let mut shared = 0;
    for same_path in [true, false] {
        from.retain(|path, id| {
            let there = to.iter().find(|(at, other)| *other == id && (!same_path || *at == path));
            let Some(at) = there.map(|(at, _)| at.clone()) else { return true };
            to.remove(&at);
            shared += size(id);
            false
        });
    }
    for (path, id) in &from {
        if let Some(other) = to.get(path) {
            shared += (score(team, *id, *other) * size(id).max(size(other))).div_ceil(SAME);
        }
    }
    shared * 100 / all.max(1)
}
