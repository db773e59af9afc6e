//! Strings with rules: what is parsed once here need not be checked again anywhere.

pub(crate) mod error;
mod inert;
mod near;
mod rel_path;
mod revision;
mod skill_id;
mod source_name;
mod text;
mod tree_hash;
mod url;

pub use error::{Context, Error, ErrorKind, Result};
pub use inert::{code_fence, code_span, inert};
pub use near::near;
pub use rel_path::{PathRule, RelPath, check_component, fold_component};
pub use revision::short_revision;
pub use skill_id::SkillId;
pub use source_name::SourceName;
pub use text::{escape, one_line, shell_word, visible};
pub use tree_hash::TreeHash;
pub use url::{is_secret, is_token, refuse_credentials};
