//! Finding renames, as git's merge finds them (diffcore-rename): a file that one side lost is one that it gained.
//!
//! Three passes, each over what the one before left: equal content; the same file name, found once on either side and
//! three quarters alike; any two at least half alike, the best pairs first. The last two ask only for files whose new
//! place matters, that is those which the other side changed or deleted too, and those of a directory that the other
//! side added to. Ties go to the same file name, then to the first path.

use super::directory::is_gone;
use super::similarity::{self, Chunks};
use super::{Paths, Side, Versions, directories_above, file_name};
use crate::git::{BStr, BString, ByteSlice as _, Oid, Place, Store};
use crate::types::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// With more pairs than this, only the first two passes are made.
const PAIRS: usize = 1_000_000;
/// How many sources are kept for each target (git's `NUM_CANDIDATE_PER_DST`).
const CANDIDATES: usize = 4;

/// One side's renames.
pub(super) struct Renames {
    targets: BTreeMap<BString, BString>,
    sources: BTreeSet<BString>,
}

impl Renames {
    pub(super) fn new() -> Self {
        Renames { targets: BTreeMap::new(), sources: BTreeSet::new() }
    }

    /// Returns where the file went.
    pub(super) fn target(&self, source: &BString) -> Option<&BString> {
        self.targets.get(source)
    }

    /// Tells whether the file came from elsewhere.
    pub(super) fn is_target(&self, path: &BString) -> bool {
        self.sources.contains(path)
    }

    /// Returns the renames, from and to.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&BStr, &BStr)> {
        self.targets.iter().map(|(source, target)| (source.as_bstr(), target.as_bstr()))
    }
}

/// Tells whether the merge depends on any rename.
pub(super) fn may_matter(store: &Store, roots: Versions<Oid>, paths: &Paths) -> Result<bool> {
    for side in Side::BOTH {
        let sought = paths.values().any(|places| is_sought(places, side));
        if sought || !directories_added_to(store, roots, paths, side)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns what `side` renamed.
pub(super) fn find(store: &Store, roots: Versions<Oid>, paths: &Paths, side: Side) -> Result<Renames> {
    let added_to = directories_added_to(store, roots, paths, side)?;
    let in_added_to = |path: &BString| directories_above(path.as_bstr()).any(|above| added_to.contains(above));
    let mut search =
        Search { store, sources: Vec::new(), targets: Vec::new(), pairs: BTreeMap::new(), chunks: RefCell::default() };
    for (path, places) in paths {
        let (list, place, is_sought) = match (places.base, *places.of(side)) {
            (Some(place), None) => (&mut search.sources, place, is_sought(places, side) || in_added_to(path)),
            (None, Some(place)) => (&mut search.targets, place, true),
            _ => continue,
        };
        let size = if place.mode.is_file() { Some(size(store, place.id)?) } else { None };
        // All empty files are equal, which says nothing.
        if size != Some(0) {
            list.push(Candidate { path: path.as_bstr(), place, size, is_sought, is_paired: false });
        }
    }
    if search.targets.is_empty() || !search.sources.iter().any(|source| source.is_sought) {
        return Ok(Renames::new());
    }
    search.pair_equal();
    search.pair_namesakes(roots, side)?;
    search.pair_similar()?;
    let pairs = search.pairs.iter();
    let targets = pairs.map(|(source, target)| (search.sources[*source].path, search.targets[*target].path));
    let targets: BTreeMap<_, _> = targets.map(|(source, target)| (source.to_owned(), target.to_owned())).collect();
    Ok(Renames { sources: targets.values().cloned().collect(), targets })
}

/// Tells whether the other side has a say in the file that `side` lost.
fn is_sought(places: &Versions<Option<Place>>, side: Side) -> bool {
    places.base.is_some() && places.of(side).is_none() && *places.of(side.other()) != places.base
}

/// Returns the directories that `side` no longer has and into which the other one put a file.
fn directories_added_to<'a>(
    store: &Store,
    roots: Versions<Oid>,
    paths: &'a Paths,
    side: Side,
) -> Result<BTreeSet<&'a BStr>> {
    let mut asked: BTreeMap<&BStr, bool> = BTreeMap::new();
    for (path, places) in paths {
        let is_new = places.base.is_none() && places.of(side).is_none();
        if let Some(directory) = directories_above(path.as_bstr()).next().filter(|_| is_new)
            && !asked.contains_key(directory)
        {
            asked.insert(directory, is_gone(store, roots, directory, side)?);
        }
    }
    Ok(asked.into_iter().filter_map(|(directory, is_gone)| is_gone.then_some(directory)).collect())
}

struct Candidate<'a> {
    path: &'a BStr,
    place: Place,
    /// In bytes, of a regular file.
    size: Option<u64>,
    is_sought: bool,
    is_paired: bool,
}

struct Search<'a> {
    store: &'a Store,
    sources: Vec<Candidate<'a>>,
    targets: Vec<Candidate<'a>>,
    pairs: BTreeMap<usize, usize>,
    chunks: RefCell<BTreeMap<Oid, Rc<Chunks>>>,
}

impl Search<'_> {
    fn pair(&mut self, source: usize, target: usize) {
        self.sources[source].is_paired = true;
        self.targets[target].is_paired = true;
        self.pairs.insert(source, target);
    }

    fn pair_equal(&mut self) {
        let mut by_id: BTreeMap<Oid, Vec<usize>> = BTreeMap::new();
        for (index, source) in self.sources.iter().enumerate() {
            by_id.entry(source.place.id).or_default().push(index);
        }
        for target in 0..self.targets.len() {
            let Candidate { path, place, .. } = &self.targets[target];
            let Some(equal) = by_id.get_mut(&place.id) else { continue };
            let fits = |index: &usize| {
                let mode = self.sources[*index].place.mode;
                mode == place.mode || mode.is_file() && place.mode.is_file()
            };
            let is_namesake = |index: &usize| file_name(self.sources[*index].path) == file_name(path);
            let first = |wanted: &dyn Fn(&usize) -> bool| equal.iter().position(|index| fits(index) && wanted(index));
            if let Some(at) = first(&is_namesake).or_else(|| first(&|_| true)) {
                let source = equal.remove(at);
                self.pair(source, target);
            }
        }
    }

    /// Pairs files whose name is on either side once; where it is there more often, the one in the directory to which
    /// equal files of the source's directory went.
    fn pair_namesakes(&mut self, roots: Versions<Oid>, side: Side) -> Result<()> {
        let guesses = self.guess_directories(roots, side)?;
        let sources = by_name(&self.sources);
        let targets = by_name(&self.targets);
        let by_path: BTreeMap<&BStr, usize> =
            self.targets.iter().enumerate().map(|(i, target)| (target.path, i)).collect();
        let left: Vec<usize> = (0..self.sources.len()).filter(|index| !self.sources[*index].is_paired).collect();
        for source in left {
            let Candidate { path, is_sought, .. } = self.sources[source];
            let name = file_name(path);
            let target = match (sources.get(name), targets.get(name)) {
                (_, None) => None,
                (Some(Some(_)), Some(Some(target))) => Some(*target),
                _ => guesses.get(directory_of(path)).and_then(|to| by_path.get(joined(to, name).as_bstr()).copied()),
            };
            if let Some(target) = target.filter(|target| is_sought && !self.targets[*target].is_paired)
                && self.score(source, target)? >= similarity::ENOUGH_FOR_A_NAMESAKE
            {
                self.pair(source, target);
            }
        }
        Ok(())
    }

    /// Returns, for each directory that is gone, the one to which most of its files went unchanged.
    fn guess_directories(&self, roots: Versions<Oid>, side: Side) -> Result<BTreeMap<BString, BString>> {
        let mut counts: BTreeMap<&BStr, BTreeMap<&BStr, usize>> = BTreeMap::new();
        for (source, target) in &self.pairs {
            let from = directory_of(self.sources[*source].path);
            *counts.entry(from).or_default().entry(directory_of(self.targets[*target].path)).or_default() += 1;
        }
        let mut guesses = BTreeMap::new();
        for (from, counts) in counts {
            let mut most: Option<(&BStr, usize)> = None;
            for (to, count) in counts {
                if most.is_none_or(|(_, highest)| count > highest) {
                    most = Some((to, count));
                }
            }
            if let Some((to, _)) = most
                && !from.is_empty()
                && is_gone(self.store, roots, from, side)?
            {
                guesses.insert(from.to_owned(), to.to_owned());
            }
        }
        Ok(guesses)
    }

    fn pair_similar(&mut self) -> Result<()> {
        let is_left =
            |candidate: &Candidate<'_>| candidate.is_sought && !candidate.is_paired && candidate.place.mode.is_file();
        let left = |list: &[Candidate<'_>]| (0..list.len()).filter(|i| is_left(&list[*i])).collect::<Vec<_>>();
        let (sources, targets) = (left(&self.sources), left(&self.targets));
        if sources.len().saturating_mul(targets.len()) > PAIRS {
            return Ok(());
        }
        let mut best: Vec<Pair> = Vec::new();
        for target in targets {
            let from = best.len();
            for source in &sources {
                let score = self.score(*source, target)?;
                if score < similarity::ENOUGH {
                    continue;
                }
                let is_namesake = file_name(self.sources[*source].path) == file_name(self.targets[target].path);
                let pair = Pair { rank: (score, is_namesake), source: *source, target };
                if best.len() < from + CANDIDATES {
                    best.push(pair);
                } else if let Some(worst) =
                    best[from..].iter_mut().reduce(|worst, p| if p.rank < worst.rank { p } else { worst })
                    && pair.rank > worst.rank
                {
                    *worst = pair;
                }
            }
        }
        best.sort_by_key(|pair| std::cmp::Reverse(pair.rank));
        for Pair { source, target, .. } in best {
            if !self.sources[source].is_paired && !self.targets[target].is_paired {
                self.pair(source, target);
            }
        }
        Ok(())
    }

    fn score(&self, source: usize, target: usize) -> Result<u32> {
        let (source, target) = (&self.sources[source], &self.targets[target]);
        let (Some(from), Some(to)) = (source.size, target.size) else { return Ok(0) };
        if !similarity::can_be_similar(from, to) {
            return Ok(0);
        }
        let (source, target) = (self.chunks(source.place.id)?, self.chunks(target.place.id)?);
        Ok(similarity::score((&source, from), (&target, to)))
    }

    fn chunks(&self, id: Oid) -> Result<Rc<Chunks>> {
        if let Some(chunks) = self.chunks.borrow().get(&id) {
            return Ok(chunks.clone());
        }
        let chunks = Rc::new(Chunks::of(&self.store.blob(id)?));
        self.chunks.borrow_mut().insert(id, chunks.clone());
        Ok(chunks)
    }
}

/// A possible rename; the rank is the score, then whether the names are the same.
struct Pair {
    rank: (u32, bool),
    source: usize,
    target: usize,
}

/// Returns the index of the only unpaired candidate of each name, or none where there are more.
fn by_name<'a>(list: &[Candidate<'a>]) -> BTreeMap<&'a [u8], Option<usize>> {
    let mut by_name = BTreeMap::new();
    for (index, candidate) in list.iter().enumerate().filter(|(_, candidate)| !candidate.is_paired) {
        by_name.entry(file_name(candidate.path)).and_modify(|only| *only = None).or_insert(Some(index));
    }
    by_name
}

fn directory_of(path: &BStr) -> &BStr {
    directories_above(path).next().unwrap_or(BStr::new(""))
}

fn joined(directory: &BString, name: &[u8]) -> BString {
    let mut path = directory.clone();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn size(store: &Store, id: Oid) -> Result<u64> {
    let missing = || Error::new(ErrorKind::NotFound, format!("object {id} is not in the repository"));
    store.header(id)?.map(|(_, size)| size).ok_or_else(missing)
}
