//! Which URLs, ids and ref names git may be given.

use crate::git::process::redact;
use crate::types::error::{Error, ErrorKind, Result};

pub(super) fn check_url(url: &str) -> Result<()> {
    if url.is_empty() || url.starts_with('-') || url.contains(char::is_control) {
        let shown = redact(&url.escape_debug().to_string());
        return Err(Error::new(ErrorKind::Usage, format!("`{shown}` is not a URL or path of a git repository")));
    }
    Ok(())
}

pub(super) fn check_id(id: &str) -> Result<()> {
    if is_full_id(id) {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Usage, format!("`{}` is not a full object id", id.escape_debug())))
    }
}

/// Tells whether a text is a full object id, as git writes it.
pub fn is_full_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Tells whether a branch or tag can have this short name: what [`super::ls_remote`] may be asked for.
pub fn is_short_ref_name(name: &str) -> bool {
    is_ref_name(&format!("refs/heads/{name}"))
}

/// The rules of `git check-ref-format`, for full names and `HEAD`.
pub(in crate::git) fn is_ref_name(name: &str) -> bool {
    let bad = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    let part_ok = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name == "HEAD"
        || name.starts_with("refs/")
            && !name.contains(bad)
            && !name.contains("..")
            && !name.contains("@{")
            && !name.ends_with('.')
            && name.split('/').all(part_ok)
}
