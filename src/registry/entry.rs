//! `skills/<id>.toml`: which upstream a skill follows, and the tree it was last reconciled with.
//!
//! Reading gives an [`Entry`]; writing changes single keys of the text that stands there, so that people's comments,
//! owners and further tables survive. Keys that the tool writes have a fixed order and no timestamps of runs, so that
//! unrelated changes never conflict.

mod write;

pub use write::{
    adopted, carried, render, with_conflicts, with_declined, with_origin, with_paused, with_source, with_status,
};

use super::paused::{Day, Paused};
use super::toml_file;
use crate::git::Oid;
use crate::types::{RelPath, Result, SourceName, TreeHash};
use serde::{Deserialize, Serialize};

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whether sync and consumers use it.
    pub status: Status,
    /// Who answers for it; advisory.
    pub owners: Vec<String>,
    /// Where it came from, oldest first.
    pub lineage: Vec<String>,
    /// What the team found its licence to be. People write it; it counts where upstream states none that is known.
    pub license: Option<String>,
    /// The upstream it follows; none: the team's own.
    pub upstream: Option<Upstream>,
    /// The update that the team declined.
    pub declined: Option<Declined>,
    /// The hold a person put on it.
    pub paused: Option<Paused>,
    /// What a merge left for a person to decide.
    pub conflicts: Vec<Conflict>,
}

/// Whether a skill is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    #[default]
    Active,
    /// Taken off the default branch, kept in the history.
    Disabled,
    /// Never wanted.
    Declined,
}

/// The upstream that a skill follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// The source.
    pub source: SourceName,
    /// The skill's directory there, relative to upstream's root.
    pub path: RelPath,
    /// The tree hash of the snapshot that the skill was last reconciled with: the merge base.
    pub accepted: TreeHash,
    /// The same tree's git id: one look-up; `accepted` is the proof.
    pub git_tree: Oid,
    /// The mirror commit that brought this tree.
    pub mirror: Oid,
    /// The upstream commit which that mirror commit recorded; a plain directory has none.
    pub revision: Option<String>,
    /// Upstream's own version, where stated.
    pub version: Option<String>,
    /// Upstream's licence, where stated.
    pub license: Option<String>,
}

impl Upstream {
    /// Returns the record: what the rules compare.
    pub fn record(&self) -> (TreeHash, Oid) {
        (self.accepted, self.mirror)
    }
}

/// An update that the team declined.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// The tree hash of the update.
    pub upstream: String,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// The last day on which this holds.
    pub until: Option<Day>,
}

/// What a merge could not decide (RULES, "Candidate").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Conflict {
    /// The file, relative to the skill's directory.
    pub path: String,
    /// What kind of disagreement.
    pub kind: ConflictKind,
    /// The blob in the base, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Oid>,
    /// The team's blob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<Oid>,
    /// Upstream's blob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Oid>,
}

/// The kinds of conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Both changed the same lines: the file has markers.
    Content,
    /// One changed what the other deleted.
    ModifyDelete,
    /// Both added the path with different content.
    AddAdd,
    /// Both changed a file that is no text.
    Binary,
    /// Both changed what the path is: file, link or submodule.
    Mode,
    /// Both moved the file, or a moved directory would carry it along.
    Rename,
}

impl ConflictKind {
    /// Returns the name, as entries and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ConflictKind::Content => "content",
            ConflictKind::ModifyDelete => "modify_delete",
            ConflictKind::AddAdd => "add_add",
            ConflictKind::Binary => "binary",
            ConflictKind::Mode => "mode",
            ConflictKind::Rename => "rename",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[expect(dead_code, reason = "checked by toml_file::parse")]
    format: u64,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    owners: Vec<String>,
    #[serde(default)]
    lineage: Vec<String>,
    license: Option<String>,
    upstream: Option<WrittenUpstream>,
    #[serde(default)]
    conflict: Vec<WrittenConflict>,
    declined: Option<Declined>,
    paused: Option<Paused>,
    #[expect(dead_code, reason = "kept for people; import writes it")]
    origin: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenUpstream {
    source: String,
    path: String,
    accepted: String,
    git_tree: String,
    mirror: String,
    revision: Option<String>,
    version: Option<String>,
    license: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenConflict {
    path: String,
    kind: ConflictKind,
    base: Option<String>,
    local: Option<String>,
    upstream: Option<String>,
}

impl Entry {
    /// Reads an entry from the text of the file `path`.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let written: Written = toml_file::parse(path, text)?;
        let unusable = |key: &'static str| move |cause| toml_file::unusable(path, text, key, cause);
        let upstream = written.upstream.map(|up| -> Result<Upstream> {
            Ok(Upstream {
                source: SourceName::parse(&up.source).map_err(unusable("upstream.source"))?,
                path: RelPath::parse(&up.path).map_err(unusable("upstream.path"))?,
                accepted: TreeHash::parse(&up.accepted).map_err(unusable("upstream.accepted"))?,
                git_tree: Oid::parse(&up.git_tree).map_err(unusable("upstream.git_tree"))?,
                mirror: Oid::parse(&up.mirror).map_err(unusable("upstream.mirror"))?,
                revision: up.revision,
                version: up.version,
                license: up.license,
            })
        });
        let id = |text: Option<String>| text.as_deref().map(Oid::parse).transpose();
        let conflicts = written.conflict.into_iter().map(|c| -> Result<Conflict> {
            Ok(Conflict {
                base: id(c.base)?,
                local: id(c.local)?,
                upstream: id(c.upstream)?,
                path: c.path,
                kind: c.kind,
            })
        });
        Ok(Entry {
            status: written.status,
            owners: written.owners,
            lineage: written.lineage,
            license: written.license,
            upstream: upstream.transpose()?,
            declined: written.declined,
            paused: written.paused,
            conflicts: conflicts.collect::<Result<_>>().map_err(unusable("conflict"))?,
        })
    }

    /// Tells whether the skill is paused on the day `today`.
    pub fn paused_on(&self, today: jiff::civil::Date) -> bool {
        self.paused.as_ref().is_some_and(|paused| paused.holds_on(today))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream() -> Upstream {
        let id = Oid::parse(&"1".repeat(40)).expect("valid");
        Upstream {
            source: SourceName::parse("acme").expect("valid"),
            path: RelPath::parse("skills/deploy").expect("valid"),
            accepted: TreeHash::EMPTY,
            git_tree: id,
            mirror: id,
            revision: Some("2".repeat(40)),
            version: None,
            license: Some("MIT".into()),
        }
    }

    #[test]
    fn what_is_written_reads_back_in_the_fixed_order() {
        let id = Oid::parse(&"3".repeat(40)).expect("valid");
        let kind = ConflictKind::ModifyDelete;
        let conflict = Conflict { path: "a \"b\".md".into(), kind, base: Some(id), local: None, upstream: Some(id) };
        let text = render(None, &upstream(), std::slice::from_ref(&conflict)).expect("valid");
        let entry = Entry::parse("skills/deploy.toml", &text).expect("own output");
        assert_eq!((entry.upstream.as_ref(), entry.conflicts.as_slice()), (Some(&upstream()), &[conflict][..]));
        let keys: Vec<_> = text.lines().filter_map(|line| line.split_once(" = ").map(|(key, _)| key)).collect();
        assert_eq!(keys[..8], ["format", "status", "source", "path", "accepted", "git_tree", "mirror", "revision"]);
        assert_eq!(with_conflicts(&text, &[]).expect("valid"), render(None, &upstream(), &[]).expect("valid"));
    }

    #[test]
    fn comments_owners_and_foreign_declines_survive() {
        let first = render(None, &upstream(), &[]).expect("valid");
        let edited = first
            .replace("status = \"active\"\n", "status = \"active\"\n# ask Ops\nowners = [\"ops@acme.example\"]\n")
            + "\n[declined]\nupstream = \"git-sha256:ff\"\nreason = \"no\"\n";
        let mut next = upstream();
        next.license = None;
        let text = render(Some(&edited), &next, &[]).expect("valid");
        assert!(text.contains("# ask Ops") && text.contains("[declined]") && !text.contains("license"), "{text}");
        let own = edited.replace("git-sha256:ff", &TreeHash::EMPTY.to_string());
        assert!(!render(Some(&own), &next, &[]).expect("valid").contains("declined"));
    }
}
