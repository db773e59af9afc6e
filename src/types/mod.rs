//! Strings with rules: what is parsed once here need not be checked again anywhere.

pub(crate) mod error;
mod inert;
mod rel_path;
mod skill_id;
mod source_name;
mod text;
mod tree_hash;
mod url;

pub use error::{Context, Error, ErrorKind, Result};
pub use inert::{code_fence, code_span, inert};
pub use rel_path::{PathRule, RelPath, check_component, fold_component};
pub use skill_id::SkillId;
pub use source_name::SourceName;
pub use text::{escape, one_line};
pub use tree_hash::TreeHash;
pub use url::refuse_credentials;
