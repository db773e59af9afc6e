//! What an import tells about each skill.

use crate::source::Remark;
use crate::source::roots::Layer;
use crate::types::{RelPath, SkillId, SourceName, TreeHash};
use serde::Serialize;

/// How the import of one skill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It came in.
    Completed,
    /// It is here already, byte for byte.
    Unchanged,
    /// Another one of that id is here; a person has to decide.
    Conflict,
    /// It stayed out.
    Skipped,
    /// It came in under another name.
    Renamed,
    /// It cannot come in.
    Failed,
}

/// A skill that was to be imported.
#[derive(Debug, Serialize)]
pub struct Item {
    /// Its key.
    pub key: String,
    /// The id that it has in the registry; none where it cannot have one.
    pub skill: Option<SkillId>,
    /// How it ended.
    pub status: Status,
    /// Why, for scripts.
    pub reason: &'static str,
    /// Why, for people.
    pub message: Option<String>,
    /// The kind of its root, `provider` or `universal`; or `folder` or `archive`.
    pub kind: &'static str,
    /// Where its root stands in the order.
    pub layer: Option<Layer>,
    /// The agent whose own root it is.
    pub provider: Option<&'static str>,
    /// The directory, as the entry says it.
    pub path: String,
    /// The installer that put it there.
    pub tool: Option<&'static str>,
    /// The tree hash of what was to be imported.
    pub tree: Option<TreeHash>,
    /// What is here already, where that has to be decided.
    pub conflict: Option<Conflict>,
    /// What it follows from now on.
    pub upstream: Option<Followed>,
    /// Why it follows nothing, although that was asked for.
    pub link_error: Option<String>,
    /// What is odd about it.
    pub warnings: Vec<Remark>,
}

/// The skill that is here already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Its id.
    pub skill: SkillId,
    /// Its newest version; none where none is tagged.
    pub version: Option<u64>,
    /// Its content; none where only its entry stands.
    pub tree: Option<TreeHash>,
    /// Who answers for it.
    pub owners: Vec<String>,
    /// Whether the person is one of them, or there are none.
    pub can_overwrite: bool,
    /// A name that is free.
    pub suggested_name: SkillId,
}

/// The upstream that an imported skill follows.
#[derive(Debug, Clone, Serialize)]
pub struct Followed {
    /// The source.
    pub source: SourceName,
    /// The skill's path there.
    pub path: RelPath,
    /// The commit that the skill was copied from; none for a plain folder.
    pub revision: Option<String>,
    /// Whether the skill is that state, byte for byte.
    pub identical: bool,
}
