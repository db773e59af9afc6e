//! Symbolic links inside a snapshot: resolved in the tree, never on a disk.

use super::snapshot::Snapshot;
use crate::git::{Mode, Oid};
use crate::types::Result;
use std::collections::VecDeque;

/// How many links one path may lead through: Linux's own limit (`MAXSYMLINKS`).
const HOPS: usize = 40;
/// The longest target of a link, in bytes: Linux's `PATH_MAX`.
pub const TARGET_BYTES: u64 = 4096;

/// Why a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Out of the repository, or to an absolute path.
    Escapes,
    /// To something that is not there.
    Dangles,
    /// In a circle.
    Loops,
}

/// What a path leads to once every link is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// What it is; never a link.
    pub mode: Mode,
    /// The object.
    pub id: Oid,
    /// Where it really stands, from the root.
    pub path: Vec<Vec<u8>>,
}

/// Follows `path` from the directory at `from` (a real path, no links in it).
pub fn follow(snapshot: &Snapshot, from: &[Vec<u8>], path: &[u8]) -> Result<Result<Real, Broken>> {
    let mut hops = 0;
    let mut at: Vec<(Vec<u8>, Oid)> = Vec::new();
    let mut steps: VecDeque<Vec<u8>> = from.iter().cloned().chain(components(path)).collect();
    if path.first() == Some(&b'/') {
        return Ok(Err(Broken::Escapes));
    }
    while let Some(step) = steps.pop_front() {
        if step.is_empty() || step == b"." {
            continue;
        }
        if step == b".." {
            if at.pop().is_none() {
                return Ok(Err(Broken::Escapes));
            }
            continue;
        }
        let here = at.last().map_or(snapshot.tree, |(_, tree)| *tree);
        let tree = snapshot.store().tree(here)?;
        let Some(entry) = tree.get(&step) else { return Ok(Err(Broken::Dangles)) };
        match entry.mode {
            Mode::Tree => at.push((step, entry.id)),
            Mode::Link => {
                hops += 1;
                if hops > HOPS {
                    return Ok(Err(Broken::Loops));
                }
                let Some(target) = snapshot.link_target(entry.id)? else { return Ok(Err(Broken::Dangles)) };
                if target.is_empty() || target[0] == b'/' || target.contains(&b'\\') && target.get(1) == Some(&b':') {
                    return Ok(Err(Broken::Escapes));
                }
                for part in components(&target).rev() {
                    steps.push_front(part);
                }
            }
            mode if steps.iter().all(|step| step.is_empty() || step == b".") => {
                let mut path: Vec<Vec<u8>> = at.into_iter().map(|(name, _)| name).collect();
                path.push(step);
                return Ok(Ok(Real { mode, id: entry.id, path }));
            }
            _ => return Ok(Err(Broken::Dangles)),
        }
    }
    let id = at.last().map_or(snapshot.tree, |(_, tree)| *tree);
    Ok(Ok(Real { mode: Mode::Tree, id, path: at.into_iter().map(|(name, _)| name).collect() }))
}

fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> + '_ {
    path.split(|byte| *byte == b'/').map(<[u8]>::to_vec)
}
