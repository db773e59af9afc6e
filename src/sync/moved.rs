//! Skills that moved upstream: where the path of an entry holds nothing any more, the skill that stood there is looked
//! for among those that the mirror holds.
//!
//! Read from the mirror's history alone, commit by commit since the path was left, so that the answer stays the same
//! whatever upstream does to the skill at its new place, and until the team has merged it. A place is taken where it is
//! the only one of the best: the same tree; else a directory of the same name, else one that appeared in that commit,
//! whose `SKILL.md` has at least [`ENOUGH`] percent of the one that was left, as git counts and asks of a rename. Only of
//! a directory of the same name all files count: many skills share a licence, or scripts, that are larger than they.

use super::merge::Alike;
use super::mirror::{self, Mirror, upstream_at};
use super::offers::preference;
use crate::git::{Oid, Store, first_parents};
use crate::registry::{SourceFile, State};
use crate::skill::TreeHasher;
use crate::types::{RelPath, Result, SkillId, TreeHash};
use std::collections::{BTreeMap, BTreeSet};

/// From how many percent on a skill at another path is the one that was left.
pub const ENOUGH: u32 = 50;
/// From how many percent on a place is worth being named, although it is not taken, and `link` takes it unasked.
pub const RELATED: u32 = 25;
/// With more pairs than this, only identical trees and directories of the same name are compared.
const PAIRS: usize = 10_000;

/// Where the skills of a source went that do not stand at their entry's path any more.
#[derive(Debug, Default)]
pub struct Moved {
    places: BTreeMap<SkillId, RelPath>,
    lost: BTreeMap<SkillId, Lost>,
}

/// A skill that left its path, and that nothing follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Several places are equally good, or the one is as good for another skill.
    Unclear(Vec<RelPath>),
    /// The nearest skill that appeared shares only so many percent with it.
    TooFar(RelPath, u32),
}

impl Moved {
    /// Returns the path at which a skill stands in the mirror's head, where that is not its entry's.
    pub fn place(&self, id: &SkillId) -> Option<&RelPath> {
        self.places.get(id)
    }

    /// Returns why a skill that left its path is not followed, where there is something to say.
    pub fn lost(&self, id: &SkillId) -> Option<&Lost> {
        self.lost.get(id)
    }
}

/// A skill on its way through the mirror's history.
struct Traveller<'s> {
    id: &'s SkillId,
    /// The path that it was seen at last.
    path: RelPath,
    /// Its tree there.
    tree: Oid,
    /// The commit in which it stood at its entry's path for the last time, counted back from the head.
    since: usize,
    stands: bool,
    lost: Option<Lost>,
}

/// A place that a skill may have gone to.
struct Pair {
    rank: (bool, bool, u32),
    traveller: usize,
    path: RelPath,
    tree: Oid,
}

/// Looks for the skills of `source` that left their entry's path.
pub fn find(
    store: &Store,
    hasher: &TreeHasher<'_>,
    state: &State,
    source: &SourceFile,
    mirror: &Mirror,
) -> Result<Moved> {
    let bound: BTreeSet<&RelPath> =
        state.followers(&source.name).filter_map(|(_, _, entry)| Some(&entry.upstream.as_ref()?.path)).collect();
    let mut left = Vec::new();
    for (id, _, entry) in state.followers(&source.name) {
        let Some(upstream) = entry.upstream.as_ref() else { continue };
        // What was accepted as removed is looked for no more.
        if upstream.accepted != TreeHash::EMPTY && !mirror.skills.contains_key(&upstream.path) {
            left.push((id, upstream));
        }
    }
    if left.is_empty() {
        return Ok(Moved::default());
    }
    let (mut commits, mut travellers) = (Vec::new(), Vec::new());
    for commit in first_parents(store, mirror.head) {
        let tree = store.commit(commit?)?.tree;
        for (id, upstream) in std::mem::take(&mut left) {
            match upstream_at(store, tree, &upstream.path)? {
                Some(there) => travellers.push(Traveller {
                    id,
                    path: upstream.path.clone(),
                    tree: there,
                    since: commits.len(),
                    stands: true,
                    lost: None,
                }),
                None => left.push((id, upstream)),
            }
        }
        commits.push(tree);
        if left.is_empty() {
            break;
        }
    }
    // This mirror never saw these at their path: what was left is their base.
    for (id, upstream) in left {
        let tree = upstream.git_tree;
        if store.contains(tree) && hasher.hash(tree)? == upstream.accepted {
            let (path, since) = (upstream.path.clone(), commits.len());
            travellers.push(Traveller { id, path, tree, since, stands: true, lost: None });
        }
    }
    travellers.sort_by_key(|traveller| traveller.id);
    let mut search = Search { source, bound, alike: Alike::new(store), travellers };
    let mut before = BTreeMap::new();
    for (age, tree) in commits.iter().enumerate().rev() {
        let here = mirror::skills_in(store, *tree)?;
        search.look(age, &here, &before)?;
        before = here;
    }
    Ok(search.moved(&before))
}

struct Search<'s> {
    source: &'s SourceFile,
    bound: BTreeSet<&'s RelPath>,
    alike: Alike<'s>,
    travellers: Vec<Traveller<'s>>,
}

impl Search<'_> {
    /// Looks at one commit of the mirror, `age` commits before its head, which holds the skills `here`.
    fn look(&mut self, age: usize, here: &BTreeMap<RelPath, Oid>, before: &BTreeMap<RelPath, Oid>) -> Result<()> {
        let mut open = Vec::new();
        for (index, traveller) in self.travellers.iter_mut().enumerate().filter(|(_, t)| t.since > age) {
            let just_left = traveller.stands && !here.contains_key(&traveller.path);
            match here.get(&traveller.path) {
                Some(tree) if traveller.stands => traveller.tree = *tree,
                _ => {
                    traveller.stands = false;
                    open.push((index, just_left));
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let taken: BTreeSet<&RelPath> =
            self.travellers.iter().filter(|t| t.stands && t.since > age).map(|t| &t.path).collect();
        let free: Vec<(&RelPath, Oid, bool)> = here
            .iter()
            .filter(|(path, _)| !taken.contains(path) && !self.bound.contains(path))
            .filter(|(path, _)| self.source.selection.selects(path, &self.source.name))
            .map(|(path, tree)| (path, *tree, !before.contains_key(path)))
            .collect();
        let few = open.len() * free.iter().filter(|(.., appeared)| *appeared).count() <= PAIRS;
        let mut pairs = Vec::new();
        for (index, just_left) in open {
            for (path, tree, appeared) in free.iter().filter(|(.., appeared)| just_left || *appeared) {
                let traveller = &self.travellers[index];
                let (same, namesake) = (*tree == traveller.tree, path.name() == traveller.path.name());
                let is_worth_comparing = same || namesake || few && *appeared;
                if !is_worth_comparing {
                    continue;
                }
                let (old, new) = (traveller.tree, *tree);
                let mut percent = self.alike.skill_md(old, new)?;
                if namesake && percent < ENOUGH {
                    percent = self.alike.whole(old, new)?.max(percent);
                }
                if percent >= ENOUGH {
                    let (rank, path) = ((same, namesake, percent), (*path).clone());
                    pairs.push(Pair { rank, traveller: index, path, tree: *tree });
                } else if just_left && percent >= RELATED {
                    self.travellers[index].is_not(path, percent);
                }
            }
        }
        self.assign(pairs);
        Ok(())
    }

    /// Gives every skill its place, the best pairs first, each only where no other one is as good.
    fn assign(&mut self, mut pairs: Vec<Pair>) {
        pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.rank), pair.traveller, preference(&pair.path)));
        while let Some(best) = pairs.first() {
            let (traveller, place, tree) = (best.traveller, best.path.clone(), best.tree);
            let as_good = pairs.iter().filter(|pair| pair.rank == best.rank);
            let rivals: BTreeSet<usize> =
                as_good.clone().filter(|pair| pair.path == place).map(|pair| pair.traveller).collect();
            let places: Vec<&Pair> = as_good.filter(|pair| pair.traveller == traveller).collect();
            // Identical directories of one name are copies of one skill: the order of copies has decided.
            let one_skill = places.iter().all(|pair| pair.tree == tree && pair.path.name() == place.name());
            if rivals.len() > 1 {
                for rival in &rivals {
                    self.travellers[*rival].lost = Some(Lost::Unclear(vec![place.clone()]));
                }
                pairs.retain(|pair| !rivals.contains(&pair.traveller));
            } else if one_skill {
                let found = &mut self.travellers[traveller];
                (found.path, found.tree, found.stands, found.lost) = (place.clone(), tree, true, None);
                pairs.retain(|pair| pair.traveller != traveller && pair.path != place);
            } else {
                let places = places.iter().map(|pair| pair.path.clone()).collect();
                self.travellers[traveller].lost = Some(Lost::Unclear(places));
                pairs.retain(|pair| pair.traveller != traveller);
            }
        }
    }

    /// Returns what was found; `head` is what the mirror's head holds.
    fn moved(self, head: &BTreeMap<RelPath, Oid>) -> Moved {
        let mut moved = Moved::default();
        for traveller in self.travellers {
            let lost = match traveller.lost {
                _ if traveller.stands => {
                    moved.places.insert(traveller.id.clone(), traveller.path);
                    continue;
                }
                Some(Lost::Unclear(places)) => {
                    Lost::Unclear(places.into_iter().filter(|path| head.contains_key(path)).collect())
                }
                Some(Lost::TooFar(path, percent)) if head.contains_key(&path) => Lost::TooFar(path, percent),
                _ => continue,
            };
            if lost != Lost::Unclear(Vec::new()) {
                moved.lost.insert(traveller.id.clone(), lost);
            }
        }
        moved
    }
}

impl Traveller<'_> {
    /// Remembers the nearest of the places that are not near enough.
    fn is_not(&mut self, path: &RelPath, percent: u32) {
        let nearer = match &self.lost {
            Some(Lost::TooFar(_, nearest)) => percent > *nearest,
            Some(Lost::Unclear(_)) => false,
            None => true,
        };
        if nearer {
            self.lost = Some(Lost::TooFar(path.clone(), percent));
        }
    }
}
