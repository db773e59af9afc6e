//! Asks a remote which refs it has.

use super::Remote;
use super::failure::failure;
use super::names::{check_url, is_full_id, is_ref_name};
use crate::git::process::{Git, Where, redact};
use crate::types::error::{Error, ErrorKind, Result};

/// What a remote repository answered to `ls-remote`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteRefs {
    /// The ref that HEAD points to, e.g. `refs/heads/main`.
    pub head: Option<String>,
    /// Names and hex ids in the remote's order; `HEAD` is one of them, and `refs/tags/x^{}` what the tag x points to.
    pub refs: Vec<(String, String)>,
}

impl RemoteRefs {
    /// Returns the id of the ref with exactly this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.refs.iter().find(|(known, _)| known == name).map(|(_, id)| id.as_str())
    }

    /// Returns the full ref name and the commit id that `name` stands for: a full ref name, a branch, a tag (peeled), or
    /// without a name the remote's HEAD. A branch goes before a tag, as with `git clone --branch`.
    pub fn resolve(&self, name: Option<&str>) -> Option<(String, &str)> {
        let candidates = match name {
            None | Some("HEAD") => vec![self.head.clone().unwrap_or_else(|| "HEAD".into()), "HEAD".into()],
            Some(full) if full.starts_with("refs/") => vec![full.into()],
            Some(short) => vec![format!("refs/heads/{short}"), format!("refs/tags/{short}")],
        };
        candidates.into_iter().find_map(|name| {
            let id = self.get(&format!("{name}^{{}}")).or_else(|| self.get(&name))?;
            Some((name, id))
        })
    }
}

/// Returns the refs of a remote among `names` (all of them if empty), with one process. A name is a branch's or tag's
/// short name, or a full one; `HEAD` always comes along. Refs with names that git would refuse are left out.
///
/// # Errors
/// `Usage` if a name is not one that a ref can have; else as `failure::classify_failure` says.
pub fn ls_remote(git: &Git, at: Where<'_>, remote: &Remote<'_>, names: &[&str]) -> Result<RemoteRefs> {
    check_url(remote.url)?;
    let mut patterns = Vec::new();
    for name in names {
        let full =
            if name.starts_with("refs/") || *name == "HEAD" { (*name).into() } else { format!("refs/heads/{name}") };
        if !is_ref_name(&full) {
            return Err(Error::new(ErrorKind::Usage, format!("`{}` cannot be a branch or tag", name.escape_default())));
        }
        if full != *name {
            patterns.extend([format!("refs/tags/{name}"), format!("refs/tags/{name}^{{}}")]);
        } else if full.starts_with("refs/tags/") {
            patterns.push(format!("{full}^{{}}"));
        }
        patterns.push(full);
    }
    if !patterns.is_empty() && !patterns.iter().any(|pattern| pattern == "HEAD") {
        patterns.push("HEAD".into());
    }
    let operands = std::iter::once(remote.url).chain(patterns.iter().map(String::as_str));
    let command = git.command(at).allow(remote.allow).deadline(remote.deadline);
    let output = command.args(["ls-remote", "--symref"]).operands(operands).run()?;
    if !output.status.success() {
        return Err(failure(&output, format!("cannot read {}", redact(remote.url))));
    }
    // A pattern matches the end of a name: `HEAD` also means `refs/remotes/origin/HEAD`.
    let asked = |name: &str| patterns.is_empty() || patterns.iter().any(|pattern| pattern == name);
    let mut found = RemoteRefs::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.split_once('\t') {
            Some((target, "HEAD")) if target.starts_with("ref: ") => {
                found.head = target.strip_prefix("ref: ").filter(|name| is_ref_name(name)).map(str::to_owned);
            }
            Some((id, name)) if is_full_id(id) && is_ref_name(name.trim_end_matches("^{}")) && asked(name) => {
                found.refs.push((name.to_owned(), id.to_owned()));
            }
            _ => {}
        }
    }
    Ok(found)
}
