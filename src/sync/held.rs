//! Why an update is held, in the words of whoever decided it. Nothing decides by this: it is told.

use super::contained::name;
use super::holds::{Hold, HoldKind, Holder};
use crate::git::Oid;
use crate::registry::{Day, Entry};
use crate::types::{Result, one_line};
use serde::Serialize;

/// A decision that holds an update back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Which.
    pub kind: HoldKind,
    /// Who; none where nobody is named.
    pub by: Option<String>,
    /// Why: the reason of a decline, the first line of the commit that took it back.
    pub reason: Option<String>,
    /// The last day on which a decline holds; none: until upstream moves on.
    pub until: Option<Day>,
    /// The commit of the default branch that took it back.
    pub commit: Option<Oid>,
}

impl Held {
    /// Returns a decision of which no more is known than that it was made.
    pub fn bare(kind: HoldKind) -> Self {
        Held { kind, by: None, reason: None, until: None, commit: None }
    }

    /// Returns who, until when and why, on one line and escaped; empty where nothing of it is known.
    pub fn words(&self) -> String {
        let commit = self.commit.map_or(String::new(), |commit| format!(" in {}", commit.short()));
        let by = self.by.as_ref().map_or(String::new(), |by| format!(" by {}", one_line(by, 60)));
        let until = self.until.map_or(String::new(), |day| format!(" until {}", day.0));
        let why = self.reason.as_ref().map_or(String::new(), |why| format!(": {}", one_line(why, 200)));
        format!("{commit}{by}{until}{why}").trim_start_matches([' ', ':']).to_owned()
    }
}

impl Holder<'_> {
    /// Returns what is known of the decision that a hold rests on. A decline has its own words, also where the update was
    /// taken back too: `rollback` does both.
    pub fn why(&self, hold: &Hold, entry: Option<&Entry>, accepted: &str) -> Result<Held> {
        let declined = entry.and_then(|entry| entry.declined.as_ref()).filter(|declined| declined.upstream == accepted);
        let mut held = Held::bare(hold.kind);
        if hold.kind == HoldKind::Reverted {
            held.commit = hold.rests_on.first().copied();
            if let Some(commit) = held.commit {
                let data = self.store.commit(commit)?;
                held.by = Some(name(&data.author));
                held.reason = Some(data.subject().to_owned()).filter(|subject| !subject.is_empty());
            }
        }
        if let Some(declined) = declined {
            held.by = declined.by.as_deref().map(name).or(held.by);
            held.reason = declined.reason.clone().or(held.reason);
            held.until = declined.until;
        }
        Ok(held)
    }
}
