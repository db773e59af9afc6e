//! Publishes on the remote: refs that belong together move together, and never over what somebody else put there.
//!
//! A refused push is looked at again. What is as it should be is done, whoever did it. What became something else means
//! that the remote has moved: its source is decided anew. What stands where it stood was refused by a rule of the remote,
//! and is isolated by halving, so that it fails alone.

use super::publish::{Moves, Of, in_steps, refuse};
use super::report::SourceReport;
use super::run::Run;
use crate::git::{Oid, OwnRemote, Protocols, Pushed, RefChange, Remote, is_contended, ls_remote};
use crate::registry::{Registry, View};
use crate::types::{Error, ErrorKind, Result, SourceName};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// How many refs one push moves at most: its command line stays short on every system.
const REFS: usize = 100;

/// What became of refs that move together.
#[derive(Debug)]
pub enum Fate {
    /// They are what they were to become.
    Done,
    /// The remote does not take one of them.
    Refused(Error),
    /// Somebody else moved one of them.
    Moved,
}

/// A remote that refs are delivered to.
pub struct Delivery<'a> {
    registry: &'a Registry,
    remote: OwnRemote<'a>,
    /// What the remote's hooks are told of a candidate that moves.
    options: &'a [String],
    /// The last try: who is still in the way then is a refusal.
    last: bool,
    identity: String,
    atomic: Cell<bool>,
    /// What refs were when they were last looked at.
    seen: RefCell<BTreeMap<String, Option<Oid>>>,
    delivered: Cell<usize>,
}

impl<'a> Delivery<'a> {
    /// Returns the delivery of what was decided on `registry`, a view of `remote`. `identity` goes to reflogs.
    pub fn new(registry: &'a Registry, remote: OwnRemote<'a>, last: bool, identity: String) -> Self {
        let (atomic, seen, delivered) = (Cell::new(true), RefCell::default(), Cell::new(0));
        Delivery { registry, remote, options: &[], last, identity, atomic, seen, delivered }
    }

    /// Tells the remote's hooks these options with every push that moves a candidate. Each candidate is then pushed alone:
    /// what a forge makes of them (GitLab a merge request) it makes of one branch.
    #[must_use]
    pub fn with_options(self, options: &'a [String]) -> Self {
        Delivery { options, ..self }
    }

    /// Returns how many refs were moved.
    pub fn delivered(&self) -> usize {
        self.delivered.get()
    }

    /// Delivers units, each of refs that move together; where `needs_first`, none without the first. Returns their fates
    /// in the same order.
    ///
    /// # Errors
    /// Where the remote cannot be reached.
    pub fn deliver(&self, units: &[&[RefChange]], needs_first: bool) -> Result<Vec<Fate>> {
        let mut fates: Vec<Option<Fate>> = units.iter().map(|unit| self.in_the_way(unit).map(Fate::Refused)).collect();
        let mut rest: Vec<usize> = (0..units.len()).filter(|at| fates[*at].is_none()).collect();
        if needs_first && !self.atomic.get() && rest.first() == Some(&0) {
            self.attempt(units, &rest[..1], &mut fates)?;
        }
        while !rest.is_empty() {
            let mut refs = 0;
            let fits = rest.iter().take_while(|at| {
                refs += units[**at].len();
                refs <= REFS && !self.has_options(units[**at].iter())
            });
            let batch: Vec<usize> = rest.drain(..fits.count().max(1)).collect();
            self.attempt_with_first(units, &batch, needs_first, &mut fates)?;
        }
        Ok(fates.into_iter().map(|fate| fate.expect("every unit was attempted")).collect())
    }

    fn attempt_with_first(
        &self,
        units: &[&[RefChange]],
        batch: &[usize],
        needs_first: bool,
        fates: &mut [Option<Fate>],
    ) -> Result<()> {
        let first = if needs_first { fates[0].as_ref() } else { None };
        match first {
            Some(Fate::Refused(_)) => {
                for at in batch {
                    fates[*at].get_or_insert_with(|| Fate::Refused(without_its_mirror()));
                }
                Ok(())
            }
            Some(Fate::Moved) => {
                batch.iter().for_each(|at| fates[*at] = Some(Fate::Moved));
                Ok(())
            }
            _ => {
                let open: Vec<usize> = batch.iter().copied().filter(|at| fates[*at].is_none()).collect();
                let refused = self.attempt(units, &open, fates)?;
                // The halves; the first unit is a half of its own, and the others wait for it.
                let middle = if needs_first && refused.first() == Some(&0) { 1 } else { refused.len().div_ceil(2) };
                let (left, right) = refused.split_at(middle);
                if !refused.is_empty() {
                    self.attempt_with_first(units, left, needs_first, fates)?;
                    self.attempt_with_first(units, right, needs_first, fates)?;
                }
                Ok(())
            }
        }
    }

    /// Pushes a batch and settles what can be told of it. Returns the units that stand where they stood, and of which
    /// nobody can say which one the remote refused.
    fn attempt(&self, units: &[&[RefChange]], batch: &[usize], fates: &mut [Option<Fate>]) -> Result<Vec<usize>> {
        let changes: Vec<&RefChange> = batch.iter().flat_map(|at| units[*at]).collect();
        let Some(why) = self.push(&changes)? else {
            batch.iter().for_each(|at| fates[*at] = Some(Fate::Done));
            return Ok(Vec::new());
        };
        self.look(&changes)?;
        let is_done = |change: &RefChange| self.now(change) == change.new;
        let has_moved = |change: &RefChange| !is_done(change) && self.now(change) != change.expected;
        let is_contended = |change: &RefChange| why.get(change.name.as_str()).is_some_and(|why| is_contended(why));
        let mut refused = Vec::new();
        for at in batch.iter().copied() {
            let unit = units[at];
            fates[at] = if unit.iter().all(is_done) {
                Some(Fate::Done)
            } else if unit.iter().any(|change| has_moved(change) || is_contended(change) && !self.last) {
                Some(Fate::Moved)
            } else {
                refused.push(at);
                None
            };
        }
        // One of them is decided anew, and with it the source: what the others become then is not known yet.
        if batch.iter().any(|at| matches!(fates[*at], Some(Fate::Moved))) {
            refused.drain(..).for_each(|at| fates[at] = Some(Fate::Moved));
        }
        if let [only] = refused[..] {
            fates[only] = Some(self.alone(units[only])?);
            refused.clear();
        }
        Ok(refused)
    }

    /// Delivers the refs of one unit one by one, so that the one that is refused can be named.
    fn alone(&self, unit: &[RefChange]) -> Result<Fate> {
        let mut fate = Fate::Done;
        for change in as_steps(unit.iter()).concat() {
            let Some(why) = self.push(&[change])? else { continue };
            self.look(&[change])?;
            if self.now(change) == change.new {
                continue;
            }
            let why = why.get(change.name.as_str()).cloned().unwrap_or_else(|| "no reason given".into());
            fate = Fate::Refused(self.refused(change, &why));
            // Nobody is told that something was offered which is not there; a version waits for the one before.
            if !change.name.as_str().starts_with("refs/skillgraft/") {
                break;
            }
        }
        Ok(fate)
    }

    fn refused(&self, change: &RefChange, why: &str) -> Error {
        let name = change.name.short();
        Error::new(ErrorKind::Refused, format!("{} does not take {name}: {why}", self.remote.name))
            .hint("its owners can say which rule or hook that is; sync tries again the next time")
    }

    /// Returns the reasons where refs were refused; none where all are done.
    fn push(&self, changes: &[&RefChange]) -> Result<Option<BTreeMap<String, String>>> {
        let open: Vec<&RefChange> = changes.iter().copied().filter(|change| !self.is_seen_done(change)).collect();
        if open.is_empty() {
            return Ok(None);
        }
        let steps = if self.atomic.get() { vec![open.clone()] } else { as_steps(open.iter().copied()) };
        let mut refused = BTreeMap::new();
        for step in steps {
            let options = if self.has_options(step.iter().copied()) { self.options } else { &[] };
            match self.remote.push(&step, self.atomic.get(), options)? {
                Pushed::All => self.delivered.set(self.delivered.get() + step.len()),
                Pushed::NotAtomic => {
                    self.atomic.set(false);
                    return self.push(changes);
                }
                Pushed::Refused(why) => {
                    refused = why;
                    break;
                }
            }
        }
        if refused.is_empty() {
            self.registry.remember_pushed(&open, &self.identity);
            return Ok(None);
        }
        Ok(Some(refused))
    }

    fn look(&self, changes: &[&RefChange]) -> Result<()> {
        let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
        let OwnRemote { git, at, name, deadline } = self.remote;
        let remote = Remote { url: name, allow: Protocols::AsConfigured, deadline };
        let found = ls_remote(git, at, &remote, &names)?;
        let mut seen = self.seen.borrow_mut();
        for name in names {
            let id = found.get(name).map(Oid::parse).transpose()?;
            seen.insert(name.to_owned(), id);
        }
        Ok(())
    }

    /// Tells whether there are options, and these changes move a candidate, so that they go along.
    fn has_options<'c>(&self, mut changes: impl Iterator<Item = &'c RefChange>) -> bool {
        let names = &self.registry.names;
        let offers = |change: &RefChange| change.new.is_some() && names.parse_candidate(change.name.as_str()).is_some();
        !self.options.is_empty() && changes.any(offers)
    }

    fn now(&self, change: &RefChange) -> Option<Oid> {
        self.seen.borrow().get(change.name.as_str()).copied().unwrap_or(change.expected)
    }

    fn is_seen_done(&self, change: &RefChange) -> bool {
        self.seen.borrow().get(change.name.as_str()) == Some(&change.new)
    }

    /// Says which ref of the remote makes a new one impossible: `a` and `a/b` cannot both be.
    fn in_the_way(&self, unit: &[RefChange]) -> Option<Error> {
        let View::Remote { names, .. } = &self.registry.view else { return None };
        unit.iter().filter(|change| change.expected.is_none()).find_map(|change| {
            let name = change.name.as_str();
            let below = format!("{name}/");
            let above = name.match_indices('/').map(|(at, _)| &name[..at]).find(|above| names.contains_key(*above));
            let found = above.or_else(|| {
                names.range(below.clone()..).next().map(|(found, _)| found.as_str()).filter(|n| n.starts_with(&below))
            })?;
            let remote = self.remote.name;
            let message = format!("{remote} has {found}, so it cannot have {name}");
            Some(Error::new(ErrorKind::Refused, message).hint(format!("rename the one in the way on {remote}")))
        })
    }
}

fn without_its_mirror() -> Error {
    Error::new(ErrorKind::Refused, "it was not pushed, because its mirror was not: its base would not be reachable")
}

/// A mirror is a unit of its own, which goes first; so every branch here is a candidate.
fn as_steps<'a>(changes: impl Iterator<Item = &'a RefChange>) -> Vec<Vec<&'a RefChange>> {
    in_steps(changes.map(|change| (Of::Skill(0), change)))
}

impl Run<'_> {
    /// Publishes what was decided, source by source: one push each, the mirror first. Returns the sources that have to be
    /// decided anew, because the remote has moved meanwhile.
    pub(super) fn push(
        &self,
        moves: &[Moves],
        sources: &mut [SourceReport],
        delivery: &Delivery<'_>,
    ) -> Result<BTreeSet<SourceName>> {
        let mut again = BTreeSet::new();
        for of_source in moves.chunk_by(|a, b| a.source == b.source) {
            self.options.access.git.check_cancelled()?;
            let source = &mut sources[of_source[0].source];
            (self.options.progress)(&format!("pushing {}", source.name));
            let units: Vec<&[RefChange]> = of_source.iter().map(|moved| moved.changes.as_slice()).collect();
            let needs_first = of_source[0].of == Of::Mirror;
            for (moved, fate) in of_source.iter().zip(delivery.deliver(&units, needs_first)?) {
                match fate {
                    Fate::Done => {}
                    Fate::Moved => {
                        again.insert(source.name.clone());
                    }
                    Fate::Refused(error) => refuse(source, moved.of, &error),
                }
            }
        }
        Ok(again)
    }
}
