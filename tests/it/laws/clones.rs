//! Other clones of the same registry.

use super::repositories::{Clone, borrow, outside};
use super::team::{CANDIDATES, MAIN, MIRROR, Team};
use skillgraft::git::Oid;
use skillgraft::ops::Outside;
use std::collections::BTreeMap;

type Checked<T = ()> = Result<T, String>;
type Refs = BTreeMap<String, Oid>;

/// Law 6: another clone of the same state, with all refs or only with remote-tracking ones, comes to the same ids.
pub fn twins(team: &Team, refs: &Refs) -> Vec<(&'static str, Refs)> {
    let lender = team.desk().join(".git");
    [("twin", Clone::Whole), ("fresh", Clone::Fresh { main: MAIN })]
        .into_iter()
        .map(|(name, kind)| {
            let dir = team.path(name);
            borrow(&dir, &lender, refs, kind);
            // Another time of the same day.
            let theirs = Outside { today: team.today(), ..outside(&dir, team.clock + 5) };
            team.sync(&theirs, false);
            (name, skillgraft::git::Repository::open(&dir).unwrap().refs.list("refs/").unwrap())
        })
        .collect()
}

pub fn check_twins(team: &mut Team, after: &Refs, twins: Vec<(&'static str, Refs)>) -> Checked {
    for (name, theirs) in twins {
        team.count("compared with another clone");
        if name == "twin" {
            if theirs != *after {
                return Err(format!("a clone of the same state came to\n{theirs:#?}\nnot to\n{after:#?}"));
            }
            continue;
        }
        for (name, ours) in after.iter().filter(|(name, _)| name.starts_with(CANDIDATES) || *name == MIRROR) {
            let tracking = name.replacen("refs/heads/", "refs/remotes/origin/", 1);
            let here = theirs.get(name).or_else(|| theirs.get(&tracking));
            if here != Some(ours) {
                return Err(format!("a fresh clone has {name} at {here:?}, not at {ours}"));
            }
        }
    }
    Ok(())
}
