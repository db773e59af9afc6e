//! What people took back, by what was seen to happen: law 2 is asserted against this, and every hold must rest on it.
//!
//! The program finds out from the history of the default branch; here it is written down as the default branch moves.

use super::oracle::{self, holds_today};
use super::team::{CANDIDATES, Team, upstream_of};
use super::trees::IDS;
use skillgraft::git::{Oid, first_parents, merge_base};
use skillgraft::sync::Report;
use std::collections::{BTreeMap, BTreeSet};

/// What an entry follows.
#[derive(Clone, PartialEq, Eq)]
struct Record {
    path: String,
    accepted: String,
    mirror: String,
}

/// What an entry followed, one record after the other, the commit since which it is so, and its number. The entry stays
/// the same one when the team renames the skill, when upstream moves it, and when what was deleted is there again.
type Line = Vec<(Option<Record>, Oid, usize)>;

/// How things stood, one after the other.
#[derive(Clone, Default)]
struct Log {
    lines: Vec<Line>,
    /// By line: the skill that it was last.
    skills: BTreeMap<usize, &'static str>,
    /// How many commits were written down.
    commits: usize,
    /// By skill: the line of the entry that stands now.
    now: BTreeMap<&'static str, usize>,
    /// By skill: the declined hash, and the commit since which it stands there.
    declined: BTreeMap<&'static str, (String, Oid)>,
}

/// What people took back.
#[derive(Default)]
pub struct TakenBack {
    /// What was known at each head that the default branch had.
    at: BTreeMap<Oid, Log>,
    log: Log,
    head: Option<Oid>,
    /// By skill: the update whose branch a person deleted, unmerged.
    withdrawn: BTreeMap<String, String>,
    /// Every update whose branch a person ever deleted.
    deleted: BTreeSet<(String, String)>,
    /// What the last sync held back, by skill, and the head of the default branch that it saw.
    pub held: BTreeMap<String, String>,
    pub held_at: Option<Oid>,
}

impl TakenBack {
    pub fn was_head(&self, commit: Oid) -> bool {
        self.at.contains_key(&commit)
    }

    /// A person deleted a branch that offered `update`.
    pub fn delete(&mut self, skill: &str, update: String, was_merged: bool) {
        self.deleted.insert((skill.to_owned(), update.clone()));
        if !was_merged {
            self.withdrawn.insert(skill.to_owned(), update);
        }
    }

    /// The team's own word counts no more: another update is offered, this one was asked for, or it was accepted.
    pub fn no_longer_withdrawn(&mut self, skill: &str) {
        self.withdrawn.remove(skill);
    }
}

/// Writes down how the default branch has moved. What was forced away never happened.
pub fn note(team: &mut Team) {
    let main = team.main();
    if team.taken.head == Some(main) {
        return;
    }
    if let Some(log) = team.taken.at.get(&main) {
        team.taken.log = log.clone();
    } else {
        let store = &team.repository.store;
        let all = first_parents(store, main).map(Result::unwrap);
        let mut new: Vec<Oid> = all.take_while(|commit| !team.taken.was_head(*commit)).collect();
        // A merge the wrong way round makes others' commits first parents: they are not what happened since.
        let since = new.last().and_then(|commit| store.commit(*commit).unwrap().parents.first().copied());
        if since != team.taken.head {
            new.truncate(1);
        }
        new.into_iter().rev().for_each(|commit| write_down(team, commit));
    }
    team.taken.at.insert(main, team.taken.log.clone());
    team.taken.head = Some(main);
}

fn write_down(team: &mut Team, commit: Oid) {
    let tree = team.tree(commit);
    let mut records = BTreeMap::new();
    for id in IDS {
        let entry = team.entry(tree, id);
        records.extend(entry.as_ref().and_then(record).map(|record| (id, record)));
        let log = &mut team.taken.log;
        match entry.as_ref().and_then(declined) {
            Some(hash) if log.declined.get(id).is_some_and(|(standing, _)| *standing == hash) => {}
            Some(hash) => drop(log.declined.insert(id, (hash, commit))),
            None => drop(log.declined.remove(id)),
        }
    }
    let log = &mut team.taken.log;
    log.commits += 1;
    let before = std::mem::take(&mut log.now);
    for id in records.keys() {
        log.now.extend(before.get(id).map(|line| (*id, *line)));
    }
    for (id, record) in &records {
        if !log.now.contains_key(id) {
            let next = log.now.values().map(|line| line + 1).fold(log.lines.len(), usize::max);
            let line = log.line_of(id, record, &before).unwrap_or(next);
            log.now.insert(id, line);
        }
    }
    log.skills.extend(log.now.iter().map(|(id, line)| (*line, *id)));
    log.lines.resize(log.now.values().map(|line| line + 1).fold(log.lines.len(), usize::max), Line::new());
    for (index, line) in log.lines.iter_mut().enumerate() {
        let id = log.now.iter().find(|(_, line)| **line == index).map(|(id, _)| *id);
        let now = id.map(|id| records[id].clone());
        if line.last().is_none_or(|(last, ..)| *last != now) {
            line.push((now, commit, log.commits));
        }
    }
}

impl Log {
    /// Returns the line of an entry that stands nowhere now and is the one that came: what just went from this path was
    /// renamed; else the last one of this name is there again, or else the last one of this path.
    fn line_of(&self, id: &str, record: &Record, before: &BTreeMap<&'static str, usize>) -> Option<usize> {
        let is_free = |line: &usize| self.now.values().all(|taken| taken != line);
        let path = |line: &usize| self.lines[*line].iter().rev().find_map(|(record, ..)| Some(&record.as_ref()?.path));
        let just_went = |line: &usize| before.values().any(|before| before == line);
        let free: Vec<usize> = (0..self.lines.len()).rev().filter(is_free).collect();
        let find = |is_it: &dyn Fn(&usize) -> bool| free.iter().copied().find(|line| is_it(line));
        find(&|line| just_went(line) && path(line) == Some(&record.path))
            .or_else(|| find(&|line| self.skills.get(line) == Some(&id)))
            .or_else(|| find(&|line| path(line) == Some(&record.path)))
    }

    /// Returns the commit in which the team went from an update back to what it had before that.
    fn reverted(&self, skill: &str, place: &str, update: &str, nothing: &str) -> Option<Oid> {
        let Some(line) = self.now.get(skill) else {
            // Nothing follows it: what any entry had last, wherever upstream had it.
            let until = |line: &&Line| {
                let last =
                    line.iter().rposition(|(record, ..)| record.as_ref().is_some_and(|r| r.accepted == update))?;
                Some(line.get(last + 1).map_or(usize::MAX, |(.., at)| *at))
            };
            let line = self.lines.iter().max_by_key(until)?;
            return went_back(line, |record| record.accepted == update, true);
        };
        let line = &self.lines[*line];
        let now = line.last().and_then(|(now, ..)| now.as_ref()).expect("it stands");
        match now.accepted == update || update == nothing {
            // Only the place is new; or it is gone there, as others may be elsewhere.
            true => {
                let place = format!("skills/{place}");
                went_back(line, |record| record.accepted == update && record.path == place, false)
            }
            false => went_back(line, |record| record.accepted == update, false),
        }
    }
}

/// Returns the commit in which a line went from such a record back to one that it had before, or `or_to_none`.
fn went_back(line: &Line, is_update: impl Fn(&Record) -> bool, or_to_none: bool) -> Option<Oid> {
    let last = line.iter().rposition(|(record, ..)| record.as_ref().is_some_and(&is_update))?;
    let first = line.iter().position(|(record, ..)| *record == line[last].0).expect("the last one is one");
    let was_before = |now: &Option<Record>| line[..first].iter().any(|(record, ..)| record == now);
    match (line.get(last + 1)?, line.get(last + 2)) {
        ((now @ Some(_), since, _), _) => was_before(now).then_some(*since),
        // Deleted, and restored as it was before the update.
        (_, Some((now, since, _))) if was_before(now) => Some(*since),
        ((None, since, _), _) => or_to_none.then_some(*since),
    }
}

fn record(entry: &toml::Table) -> Option<Record> {
    let of = |key: &str| upstream_of(entry, key);
    Some(Record { path: of("path")?, accepted: of("accepted")?, mirror: of("mirror")? })
}

fn declined(entry: &toml::Table) -> Option<String> {
    Some(entry.get("declined")?.get("upstream")?.as_str()?.to_owned())
}

/// Returns why an update must not be offered, and the commits that this rests on; none where nobody took it back.
fn why_not(team: &Team, skill: &str, place: &str, update: &str) -> Option<(&'static str, Vec<Oid>)> {
    let nothing = oracle::tree_hash(&team.repository.store, None);
    let mut rests_on: Vec<Oid> = team.taken.log.reverted(skill, place, update, &nothing).into_iter().collect();
    let mut kind = (!rests_on.is_empty()).then_some("reverted");
    let entry = team.entry(team.main_tree(), skill);
    let table = entry.as_ref().and_then(|entry| entry.get("declined"));
    if entry.as_ref().and_then(declined).as_deref() == Some(update) && holds_today(team, table) {
        kind = kind.or(Some("declined"));
        rests_on.extend(team.taken.log.declined.get(skill).map(|(_, since)| *since));
    }
    if kind.is_none() && team.taken.withdrawn.get(skill).is_some_and(|withdrawn| withdrawn == update) {
        kind = Some("withdrawn");
    }
    kind.map(|kind| (kind, rests_on))
}

/// Tells whether the branch was made, or brought up to date, after the update was taken back.
fn was_asked_for(team: &Team, head: Oid, update: &str, skill: &str, rests_on: &[Oid]) -> bool {
    let store = &team.repository.store;
    let offers = team.entry(team.tree(head), skill).and_then(|entry| upstream_of(&entry, "accepted"));
    let base = merge_base(store, team.main(), head).unwrap().expect("one history");
    let knows = |commit: &Oid| merge_base(store, *commit, base).unwrap() == Some(*commit);
    base != head && offers.as_deref() == Some(update) && rests_on.iter().all(knows)
}

/// Tells whether the team took back or declined what a branch offers, or excludes the place, and nobody asked for it since.
pub fn is_unwanted(team: &mut Team, skill: &str, head: Oid) -> bool {
    note(team);
    let Some(offer) = team.entry(team.tree(head), skill).as_ref().and_then(record) else { return false };
    let place = offer.path.trim_start_matches("skills/");
    let why = why_not(team, skill, place, &offer.accepted).filter(|(kind, _)| *kind != "withdrawn");
    oracle::hides(team, place)
        || why.is_some_and(|(_, rests_on)| !was_asked_for(team, head, &offer.accepted, skill, &rests_on))
}

/// Law 2: nothing that a person took back returns unasked. And nothing else is held back.
pub fn check(team: &mut Team, report: &Report, before: &BTreeMap<String, Oid>) -> Result<(), String> {
    team.taken.held.clear();
    team.taken.held_at = Some(team.main());
    for skill in &report.sources[0].skills {
        let (id, Some(class)) = (skill.id.as_str(), skill.class) else { continue };
        let place = skill.path.trim_start_matches("skills/").to_owned();
        let update = oracle::tree_hash(&team.repository.store, team.mirrored().get(&place).copied());
        let hold = skill.hold.map(|hold| hold.as_str());
        let branch = before.get(&format!("{CANDIDATES}{id}")).copied();
        let why = why_not(team, id, &place, &update).filter(|_| class.as_str() != "already_applied");
        let asked = |(_, rests_on): &(&str, Vec<Oid>)| {
            branch.is_some_and(|head| was_asked_for(team, head, &update, id, rests_on))
        };
        let expected = why.filter(|why| class.wants_candidate() && !asked(why)).map(|(kind, _)| kind);
        if hold != expected && !is_excused(team, id, &update, hold, expected) {
            return Err(format!(
                "{} update {update} of {id} is held as {hold:?}, and by what people did it is {expected:?}",
                class.as_str()
            ));
        }
        team.count(&format!("hold {}", hold.unwrap_or("none")));
        let open = skill.candidate.as_ref().filter(|candidate| candidate.commit.is_some());
        if hold.is_some() {
            if let Some(open) = open.filter(|open| open.action.as_str() != "left") {
                return Err(format!("{id} is held, and its candidate is {open:?}"));
            }
            team.taken.held.insert(id.to_owned(), update);
            continue;
        }
        if class.wants_candidate() && open.is_none() {
            return Err(format!("{id} is {}, nothing holds it, and nothing is proposed", class.as_str()));
        }
        let accepted = class.as_str() == "unchanged" && team.taken.withdrawn.get(id) == Some(&update);
        if class.wants_candidate() && open.is_some_and(|open| open.action.as_str() != "left") || accepted {
            team.taken.no_longer_withdrawn(id);
        }
    }
    Ok(())
}

/// What the program may see otherwise than the people who did it.
fn is_excused(team: &Team, skill: &str, update: &str, hold: Option<&str>, expected: Option<&str>) -> bool {
    match (hold, expected) {
        // It was merged, its branch deleted, and the merge was taken away by force: no history has it.
        (Some("withdrawn"), None) => team.taken.deleted.contains(&(skill.to_owned(), update.to_owned())),
        // What was accepted again is no first parent any more.
        (Some("reverted"), _) => team.foxtrot,
        _ => false,
    }
}
