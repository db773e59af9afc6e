//! What a skill is: its frontmatter, its tree hash, the rules of the Agent Skills spec, its limits.

pub mod frontmatter;
pub mod license;
mod limits;
pub mod spec;
mod tree_hash;

pub use limits::{ByteSize, Limits, show_bytes};
pub use tree_hash::TreeHasher;

/// The file that makes a directory a skill.
pub const SKILL_MD: &str = "SKILL.md";
