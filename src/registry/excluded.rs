//! What has to be taken out of a source's `exclude`, so that a skill comes in again.

use super::source_file::{Selection, SourceFile};
use crate::types::{Context as _, ErrorKind, RelPath, Result};

/// Returns the globs of `exclude` that leave the skill at the upstream path `path` in, as TOML; `text` is the source's file.
pub fn excludes_without(source: &SourceFile, text: &str, path: &RelPath) -> Result<String> {
    let document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let mut left = toml_edit::Array::new();
    for glob in document.get("exclude").and_then(|list| list.as_array()).iter().flat_map(|list| list.iter()) {
        let Some(glob) = glob.as_str() else { continue };
        if !Selection::new(RelPath::root(), &[], &[glob.to_owned()])?.excludes(path, &source.name) {
            left.push(glob);
        }
    }
    Ok(left.to_string())
}
