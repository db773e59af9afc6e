//! Changes of single keys in a source file; comments and order stay.

use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName};

/// Returns the text of a source file that also excludes the skill at the upstream path `path`.
pub fn with_excluded(text: &str, path: &RelPath) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let list = document.entry("exclude").or_insert_with(|| toml_edit::value(toml_edit::Array::new()));
    let list = list.as_array_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`exclude` is not a list"))?;
    // A name may have characters that globs give a meaning to.
    let glob = globset::escape(path.as_str());
    if !list.iter().any(|there| there.as_str() == Some(&glob)) {
        list.push(glob);
    }
    Ok(document.to_string())
}

/// Returns the text of a source file without the exclusion of the upstream path `path` that `adopt` and `decline` write.
pub fn without_excluded(text: &str, path: &RelPath) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let glob = globset::escape(path.as_str());
    if let Some(list) = document.get_mut("exclude").and_then(|list| list.as_array_mut()) {
        list.retain(|there| there.as_str() != Some(&glob));
    }
    Ok(document.to_string())
}

/// Returns the text of a source file that says which name it had before.
pub fn with_former_name(text: &str, was: &SourceName) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let list = document.entry("was").or_insert_with(|| toml_edit::value(toml_edit::Array::new()));
    let list = list.as_array_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`was` is not a list"))?;
    list.insert(0, was.as_str());
    Ok(document.to_string())
}

/// Returns the text of a source file with one key set: `policy.new_skills` is a key of a table, and a value that is no
/// TOML is a string.
pub fn with_key(text: &str, key: &str, typed: &str) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let read: toml_edit::Value = typed.parse().unwrap_or_else(|_| typed.into());
    let (table, key) = match key.split_once('.') {
        Some((table, key)) => (document.entry(table).or_insert_with(toml_edit::table).as_table_like_mut(), key),
        None => (Some(document.as_table_mut() as &mut dyn toml_edit::TableLike), key),
    };
    let table = table.ok_or_else(|| Error::new(ErrorKind::Usage, "that key is no table"))?;
    table.insert(key, toml_edit::Item::Value(read));
    Ok(document.to_string())
}

/// Returns what a source file says of one key, as it is written there; none where it says nothing.
pub fn value_of(text: &str, key: &str) -> Option<String> {
    let document: toml_edit::DocumentMut = text.parse().ok()?;
    let item = match key.split_once('.') {
        Some((table, key)) => document.get(table)?.get(key)?,
        None => document.get(key)?,
    };
    Some(item.as_str().map_or_else(|| item.to_string().trim().to_owned(), str::to_owned))
}

/// Returns the text of a source file that looks in the folder `path`.
pub fn with_path(text: &str, path: &RelPath) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    document["path"] = toml_edit::value(path.as_str());
    Ok(document.to_string())
}

/// Returns the text of a source file with `enabled` set, everything else as it was.
pub fn with_enabled(text: &str, enabled: bool) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    if enabled {
        document.remove("enabled");
    } else {
        document["enabled"] = toml_edit::value(false);
    }
    Ok(document.to_string())
}
