//! Holds: updates that the team took back, declined, or whose branch somebody deleted (RULES, "Holds").
//!
//! A hold is on one upstream hash only; another one is never held. `already_applied` is never held.

use super::candidate::Offer;
use super::records::{Records, Update};
use crate::git::{History, Oid, Store};
use crate::registry::{Entry, Layout, Upstream, read_entry, skill_then};
use crate::types::{Result, SkillId, TreeHash};
use jiff::civil::Date;
use serde::Serialize;

/// Why an update is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// The team had this very update and took it back.
    Reverted,
    /// The entry's `[declined]` names it.
    Declined,
    /// Its branch was deleted, and not by the tool.
    Withdrawn,
}

impl HoldKind {
    /// Returns the name, as JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldKind::Reverted => "reverted",
            HoldKind::Declined => "declined",
            HoldKind::Withdrawn => "withdrawn",
        }
    }
}

/// A hold, and the commits of the default branch that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub kind: HoldKind,
    /// The commits; none for `withdrawn`.
    pub rests_on: Vec<Oid>,
}

/// What holds are judged by.
pub struct Holder<'a> {
    /// The registry's objects.
    pub store: &'a Store,
    /// Where things are.
    pub layout: &'a Layout,
    /// The default branch.
    pub main: &'a History<'a>,
    /// The records in its history.
    pub records: &'a (dyn Fn() -> Result<&'a Records> + Sync),
    /// The day, for a `[declined]` that ends.
    pub today: Date,
}

impl Holder<'_> {
    /// Returns the hold on an offer, if there is one. `offered` is the candidate that the tool last made, where the
    /// branch is gone.
    pub fn hold(
        &self,
        id: &SkillId,
        entry: Option<&Entry>,
        offer: &Offer,
        offered: Option<Oid>,
    ) -> Result<Option<Hold>> {
        let followed = entry.and_then(|entry| entry.upstream.as_ref());
        // It is here already, and only its place is new; or it is gone from there, as it may have been from others.
        let is_of_the_place = |now: &&Upstream| now.accepted == offer.accepted || offer.accepted == TreeHash::EMPTY;
        let update = Update {
            entry: followed.map(|_| id),
            accepted: offer.accepted,
            only_at: followed.filter(is_of_the_place).map(|_| &offer.path),
        };
        let mut rests_on = self.newest((self.records)()?.taken_back(update))?;
        let mut kind = (!rests_on.is_empty()).then_some(HoldKind::Reverted);
        if self.is_declined(entry, offer) {
            kind = kind.or(Some(HoldKind::Declined));
            rests_on.extend(self.declined_since(id, offer)?);
        }
        if kind.is_none()
            && let Some(offered) = offered
            && self.is_withdrawn(id, followed, offered, offer)?
        {
            kind = Some(HoldKind::Withdrawn);
        }
        Ok(kind.map(|kind| Hold { kind, rests_on }))
    }

    fn is_declined(&self, entry: Option<&Entry>, offer: &Offer) -> bool {
        let Some(declined) = entry.and_then(|entry| entry.declined.as_ref()) else { return false };
        let holds_today = declined.until.is_none_or(|until| until.holds_on(self.today));
        holds_today && declined.upstream == offer.accepted.to_string()
    }

    /// The commit since which the entry has declined this update without a break.
    fn declined_since(&self, id: &SkillId, offer: &Offer) -> Result<Option<Oid>> {
        let mut since = None;
        for commit in self.main.first_parents() {
            let commit = commit?;
            let (_, blob) = skill_then(self.store, commit, self.layout, id)?;
            let Some(blob) = blob else { break };
            let entry = read_entry(self.store, self.layout.entry(id).as_str(), blob)?.entry.ok();
            match entry.and_then(|entry| entry.declined) {
                Some(declined) if declined.upstream == offer.accepted.to_string() => since = Some(commit),
                _ => break,
            }
        }
        Ok(since)
    }

    /// The candidate `offered`, whose branch is gone, has this update and was not accepted.
    fn is_withdrawn(&self, id: &SkillId, followed: Option<&Upstream>, offered: Oid, offer: &Offer) -> Result<bool> {
        if !self.store.contains(offered) {
            return Ok(false);
        }
        let (_, blob) = skill_then(self.store, offered, self.layout, id)?;
        let Some(blob) = blob else { return Ok(false) };
        let entry = read_entry(self.store, self.layout.entry(id).as_str(), blob)?.entry.ok();
        let was_accepted =
            |up: &Upstream| followed.is_some_and(|now| now.path == up.path && now.accepted == up.accepted);
        let withdrawn = entry.and_then(|entry| entry.upstream).filter(|up| !was_accepted(up));
        Ok(withdrawn.is_some_and(|up| up.accepted == offer.accepted))
    }

    /// Of several commits, those that are no ancestor of another one.
    pub(super) fn newest(&self, commits: Vec<Oid>) -> Result<Vec<Oid>> {
        let mut newest = Vec::new();
        for commit in &commits {
            let mut is_behind = false;
            for other in commits.iter().filter(|other| *other != commit) {
                is_behind = is_behind || History::of(self.store, *other)?.contains(*commit)?;
            }
            if !is_behind {
                newest.push(*commit);
            }
        }
        Ok(newest)
    }
}
