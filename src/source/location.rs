//! How people write a source. Pure: what a spelling means on this disk is asked by the caller.

use crate::types::{Error, ErrorKind, Result, SourceName, one_line, refuse_credentials};

/// What a spelling is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A URL that git understands.
    Url(String),
    /// A path: a repository or a folder, whichever is there.
    Path(String),
}

const UNDERSTOOD: &str = "https://host/owner/repo, ssh://git@host/owner/repo, git@host:owner/repo, file:///path/to/repo, \
                          or the path of a repository or folder (./skills, ../acme, /srv/acme)";

/// Reads what a person typed.
///
/// # Errors
/// [`ErrorKind::Usage`], with the list of what is understood.
pub fn parse(typed: &str) -> Result<Location> {
    let refuse = |why: &str| {
        Err(Error::new(ErrorKind::Usage, format!("`{}` {why}", one_line(typed, 200)))
            .hint(format!("a source is one of: {UNDERSTOOD}")))
    };
    if typed.trim().is_empty() || typed.chars().any(char::is_control) {
        return refuse("is empty or has control characters");
    }
    if typed.starts_with('-') {
        return refuse("begins with a hyphen");
    }
    if let Some((scheme, rest)) = typed.split_once("://") {
        refuse_credentials(typed)?;
        return match scheme.to_ascii_lowercase().as_str() {
            _ if rest.is_empty() || rest.starts_with('/') && scheme != "file" => refuse("names no host"),
            "https" | "ssh" | "git+ssh" | "file" => Ok(Location::Url(typed.into())),
            "http" => {
                refuse("is sent unprotected, so anybody on the way could change what your agents load; use https")
            }
            _ => refuse("has a scheme that skillgraft does not use"),
        };
    }
    if typed.contains("::") {
        return refuse("names a remote helper, which would run a program");
    }
    if is_path(typed) {
        return Ok(Location::Path(typed.into()));
    }
    if let Some((host, path)) = typed.split_once(':')
        && !host.contains('/')
        && !host.is_empty()
        && !path.is_empty()
    {
        let user_and_host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        if user_and_host.starts_with('-') || path.starts_with('-') {
            return refuse("has a part that begins with a hyphen");
        }
        return Ok(Location::Url(typed.into()));
    }
    Ok(Location::Path(typed.into()))
}

fn is_path(typed: &str) -> bool {
    let drive = typed.as_bytes().get(1) == Some(&b':') && typed.as_bytes()[0].is_ascii_alphabetic() && cfg!(windows);
    typed.starts_with(['.', '/']) || drive
}

/// Tells whether git is to read it from this machine's disk: the `file` protocol is then allowed.
pub fn is_local(url: &str) -> bool {
    url.to_ascii_lowercase().starts_with("file://")
}

/// Returns the name that a source gets where the person gave none: the last part of what was typed. A repository that
/// is just called `skills` gets its owner's name too.
pub fn default_name(typed: &str) -> Option<SourceName> {
    let parts = typed.trim_end_matches('/').rsplit(['/', ':', '\\']);
    let mut parts = parts.filter(|part| !matches!(*part, "" | "." | ".." | ".git"));
    let last = parts.next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    let name = SourceName::made_valid(last)?;
    let is_remote = matches!(parse(typed), Ok(Location::Url(_))) && !is_local(typed);
    match parts.next().filter(|_| is_remote && name.as_str() == "skills") {
        // The part before may be the host, where there is no owner.
        Some(owner) if !owner.contains('.') => SourceName::made_valid(&format!("{owner}-{last}")).or(Some(name)),
        _ => Some(name),
    }
}

/// Returns the URL that a person may have meant by what is read as a path: `owner/repo`, as many tools write a
/// repository on GitHub, or an URL without its scheme.
pub fn url_meant(typed: &str) -> Option<String> {
    let parts: Vec<&str> = typed.split('/').collect();
    let plain = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match parts.as_slice() {
        parts if !parts.iter().all(plain) => None,
        [host, _, ..] if parts.len() > 2 && host.contains('.') => Some(format!("https://{typed}")),
        [_, _] => Some(format!("https://github.com/{typed}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_what_people_mean() {
        let url = |text: &str| Location::Url(text.into());
        let path = |text: &str| Location::Path(text.into());
        for (typed, expected, name) in [
            ("https://github.com/obra/superpowers", url("https://github.com/obra/superpowers"), "superpowers"),
            ("https://example.com/a/B.Skills.git/", url("https://example.com/a/B.Skills.git/"), "b-skills"),
            ("git@example.com:team/skills.git", url("git@example.com:team/skills.git"), "team-skills"),
            ("https://example.com/skills", url("https://example.com/skills"), "skills"),
            ("ssh://git@example.com:2222/x", url("ssh://git@example.com:2222/x"), "x"),
            ("file:///srv/acme.git", url("file:///srv/acme.git"), "acme"),
            ("../acme", path("../acme"), "acme"),
            ("./a:b", path("./a:b"), "b"),
            ("/srv/acme/.git", path("/srv/acme/.git"), "acme"),
            ("skills", path("skills"), "skills"),
        ] {
            assert_eq!(parse(typed).expect("understood"), expected);
            assert_eq!(default_name(typed).expect("a name").as_str(), name, "{typed}");
        }
    }

    #[test]
    fn a_url_without_its_scheme_is_recognised_in_a_path() {
        for (typed, meant) in [
            ("obra/superpowers", Some("https://github.com/obra/superpowers")),
            ("gitlab.com/acme/a/b", Some("https://gitlab.com/acme/a/b")),
            ("../acme/skills", None),
            ("/srv/acme", None),
            ("skills", None),
            ("a/b/c", None),
            ("a/b c", None),
        ] {
            assert_eq!(url_meant(typed).as_deref(), meant, "{typed}");
        }
    }

    #[test]
    fn what_would_run_a_program_or_leak_a_password_is_refused() {
        for typed in [
            "ext::sh -c evil",
            "http://example.com/x",
            "--upload-pack=evil",
            "",
            "https://u:p@h/x",
            "ftp://h/x",
            "a@-oProxyCommand=x:y",
            "https:///x",
        ] {
            assert!(parse(typed).is_err(), "{typed}");
        }
    }
}
