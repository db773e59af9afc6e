//! How people write a source. Pure: what a spelling means on this disk, or on a remote, is asked by the caller.
//!
//! Everything is refused that is not understood, with the list of what is: a guess would end as an agent that loads
//! somebody else's skills. A fragment is read as other tools read it: `#ref` (npm, skills.sh), `#ref@skill` (skills.sh)
//! and `#ref:path` (docker build); a colon cannot stand in a ref, and what is no skill's name after an `@` (`pkg@1.2.0`)
//! belongs to the ref.

mod pages;
mod sites;
mod web;

use crate::types::{Error, ErrorKind, RelPath, Result, SourceName, one_line, refuse_credentials};

/// What a spelling is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A repository that git is asked for.
    Git(GitLocation),
    /// A repository, and `<ref>/<path>`: only the remote knows where the ref ends.
    GitTree {
        /// The repository.
        url: String,
        /// Ref and path, two components or more.
        rest: String,
    },
    /// A path: a repository or a folder, whichever is there.
    Path(String),
    /// The path of a file that `git bundle` wrote.
    Bundle(String),
    /// A skill on clawhub.ai.
    ClawHub {
        /// Whose, where that was said.
        owner: Option<String>,
        /// Its name there.
        slug: String,
    },
    /// A site with an index of skills below `/.well-known/`, or that index.
    Index(String),
}

/// A repository that git is asked for, and what a spelling may say besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitLocation {
    /// As git takes it.
    pub url: String,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// The folder.
    pub path: Option<RelPath>,
    /// The directory name of the one skill that is meant.
    pub skill: Option<String>,
}

impl From<GitLocation> for Location {
    fn from(git: GitLocation) -> Self {
        Location::Git(git)
    }
}

/// The spellings that [`parse`] understands, for hints.
pub const UNDERSTOOD: &str = "owner/repo (on GitHub), owner/repo/folder, owner/repo@skill, owner/repo#ref; \
    https://host/owner/repo, a forge's page of a folder (.../tree/main/skills), ssh://git@host/owner/repo, \
    git@host:owner/repo, file:///path/to/repo; the path of a repository, folder or git bundle (./skills, ../acme, \
    /srv/acme, ../acme.bundle); skills.sh/owner/repo/skill, clawhub:skill, clawhub.ai/owner/skills/skill; https://host for a site with an index of skills";

type Parsed = std::result::Result<Location, String>;

/// Reads what a person typed.
///
/// # Errors
/// [`ErrorKind::Usage`], with the list of what is understood.
pub fn parse(typed: &str) -> Result<Location> {
    refuse_credentials(typed)?;
    read(typed).map_err(|why| {
        Error::new(ErrorKind::Usage, format!("`{}` {why}", one_line(typed, 200)))
            .hint(format!("a source is one of: {UNDERSTOOD}"))
    })
}

/// What a source file's `git` may say: a repository and nothing besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repository {
    /// A URL that git understands.
    Url(String),
    /// A path, relative to the registry.
    Path(String),
}

/// Reads `git` of a source file; `owner/repo` is on GitHub there, too.
///
/// # Errors
/// [`ErrorKind::Usage`] where it is no repository, or says more than which one.
pub fn parse_repository(written: &str) -> Result<Repository> {
    let more = |what: &str| {
        Error::new(ErrorKind::Usage, format!("`{}` says more than the repository", one_line(written, 200)))
            .hint(format!("in a source file, {what}"))
    };
    match parse(written)? {
        Location::Path(path) => Ok(Repository::Path(path)),
        Location::Git(git) if (&git.reference, &git.path, &git.skill) == (&None, &None, &None) => {
            Ok(Repository::Url(git.url))
        }
        Location::Git(_) | Location::GitTree { .. } => Err(more("`ref`, `path` and `skills` are keys of their own")),
        Location::Bundle(_) => Err(more("a bundle is written `bundle = \"...\"`")),
        Location::ClawHub { .. } | Location::Index(_) => {
            Err(Error::new(ErrorKind::Usage, format!("`{}` is not a git repository", one_line(written, 200))))
        }
    }
}

fn read(typed: &str) -> Parsed {
    if typed.trim().is_empty() || typed.chars().any(char::is_control) {
        return Err("is empty or has control characters".into());
    }
    if typed.starts_with('-') {
        return Err("begins with a hyphen".into());
    }
    if let Some((scheme, rest)) = typed.split_once("://") {
        return url(scheme, rest);
    }
    if is_path(typed) || typed.ends_with(".bundle") && !typed.contains(':') {
        return Ok(on_disk(typed));
    }
    let is_helper = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if typed.split_once("::").is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_helper)) {
        return Err("names a remote helper, which would run a program".into());
    }
    if typed.contains('\\') || typed.contains(char::is_whitespace) {
        return Err("has a backslash or a space; a path begins with ./ or ../".into());
    }
    let colon = typed.find("]:").map_or(typed.find(':'), |bracket| Some(bracket + 1));
    if let Some((host, path)) =
        colon.map(|at| (&typed[..at], &typed[at + 1..])).filter(|(host, _)| !host.contains(['/', '#']))
    {
        return prefixed(typed, host, path);
    }
    if !typed.contains('/') {
        return Ok(Location::Path(typed.into()));
    }
    match typed.split_once('/') {
        Some((host, _)) if host.contains('.') => web::read("https", typed),
        _ => on_github(typed),
    }
}

fn is_path(typed: &str) -> bool {
    let bytes = typed.as_bytes();
    let drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && b"\\/".contains(&bytes[2]);
    typed.starts_with(['.', '/', '~']) || drive
}

fn on_disk(path: &str) -> Location {
    if path.ends_with(".bundle") { Location::Bundle(path.into()) } else { Location::Path(path.into()) }
}

fn url(scheme: &str, rest: &str) -> Parsed {
    let scheme = scheme.to_ascii_lowercase();
    if let Some(scheme) = scheme.strip_prefix("git+") {
        return pip(scheme, rest);
    }
    let scheme = scheme.as_str();
    if rest.contains('\\') || rest.contains(char::is_whitespace) && scheme != "file" {
        return Err("has a backslash or a space".into());
    }
    match scheme {
        "https" | "http" => web::read(scheme, rest),
        "file" if rest.ends_with(".bundle") => Ok(Location::Bundle(rest.into())),
        "file" if rest.starts_with('/') => with_fragment(&format!("file://{rest}")),
        "ssh" if rest.is_empty() || rest.starts_with(['/', '-']) || rest.contains("@-") => Err("names no host".into()),
        "ssh" => with_fragment(&format!("ssh://{rest}")),
        "git" => Err("would come unprotected, so anybody on the way could change it; use https or ssh".into()),
        _ => Err("has a scheme that skillgraft does not use".into()),
    }
}

/// `git+https://host/repo.git@ref#subdirectory=folder`, as pip and npm write it: the ref stands at the end of the path.
fn pip(scheme: &str, rest: &str) -> Parsed {
    let (place, fragment) = rest.split_once('#').map_or((rest, ""), |(place, fragment)| (place, fragment));
    let split = place.rsplit_once('@').filter(|(before, _)| before.contains('/'));
    let (place, reference) = split.map_or((place, None), |(place, reference)| (place, Some(reference)));
    let mark = if fragment.is_empty() { "" } else { "#" };
    let location = url(scheme, &format!("{place}{mark}{fragment}"))?;
    match (location, reference) {
        (location, None) => Ok(location),
        (Location::Git(git), Some(reference)) if git.reference.is_none() => {
            Ok(GitLocation { reference: Some(reference_of(reference)?), ..git }.into())
        }
        _ => Err("has a ref after `@` where there is none or another one".into()),
    }
}

/// `word:rest`: another tool's prefix, or ssh's `user@host:path`.
fn prefixed(typed: &str, host: &str, path: &str) -> Parsed {
    match host {
        "clawhub" => sites::clawhub_name(path),
        "file" if path.starts_with('/') => url("file", path),
        "file" => Err("names no absolute path: file:///path/to/repo, or ./path".into()),
        "github" | "gh" => on_github(path),
        "gitlab" | "gl" => web::read("https", &format!("gitlab.com/{path}")),
        "bitbucket" | "bb" => web::read("https", &format!("bitbucket.org/{path}")),
        "codeberg" => web::read("https", &format!("codeberg.org/{path}")),
        "npm" | "pypi" | "oci" | "docker" | "gist" => {
            Err("is a package; skillgraft reads packages where a marketplace names them".into())
        }
        _ => {
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            if host.is_empty() || path.is_empty() {
                return Err("names no host or no repository".into());
            }
            if typed.find(':') == Some(1) {
                return Err(
                    "begins as a path on a Windows drive does; write it from its root, C:\\skills, or as .\\skills"
                        .into(),
                );
            }
            if typed.starts_with('@') || host.starts_with('-') || path.starts_with('-') {
                return Err("has a part that begins with a hyphen or an `@`".into());
            }
            with_fragment(typed)
        }
    }
}

/// `owner/repo`, `owner/repo/folder`, `owner/repo@skill`, each with a fragment.
fn on_github(typed: &str) -> Parsed {
    let (place, fragment) = typed.split_once('#').map_or((typed, None), |(place, fragment)| (place, Some(fragment)));
    let (place, skill) = place.split_once('@').map_or((place, None), |(place, skill)| (place, Some(skill)));
    let mut parts = place.trim_end_matches('/').splitn(3, '/');
    let (owner, repo, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let mut git = github(owner, repo)?;
    git.path = folder.map(path_of).transpose()?;
    git.skill = skill.map(skill_name).transpose()?;
    read_fragment(&mut git, fragment)?;
    Ok(git.into())
}

/// The repository of GitHub, if owner and name can be one's.
fn github(owner: &str, repo: &str) -> std::result::Result<GitLocation, String> {
    let plain = |text: &str, more: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b));
    let owner_ok = (1..=39).contains(&owner.len()) && plain(owner, b"-_") && !owner.starts_with(['-', '_']);
    let name = repo.strip_suffix(".git").unwrap_or(repo);
    if !owner_ok || name.is_empty() || repo.len() > 100 || !plain(repo, b"-_.") || matches!(name, "." | "..") {
        return Err("is no owner and repository of GitHub; a path begins with ./ or ../".into());
    }
    pages::refuse("github.com", &[owner, name])?;
    Ok(GitLocation { url: format!("https://github.com/{owner}/{name}"), ..Default::default() })
}

fn with_fragment(url: &str) -> Parsed {
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)));
    let mut git = GitLocation { url: url.into(), ..Default::default() };
    read_fragment(&mut git, fragment)?;
    Ok(git.into())
}

/// `ref`, `ref:path`, `ref@skill` or `@skill`.
fn read_fragment(git: &mut GitLocation, fragment: Option<&str>) -> std::result::Result<(), String> {
    let Some(fragment) = fragment else { return Ok(()) };
    let decoded = decode(fragment)?;
    // As pip writes it, beside a name that says nothing.
    if let Some(folder) = decoded.split('&').find_map(|pair| pair.strip_prefix("subdirectory=")) {
        git.path = Some(RelPath::check(folder).map_err(|rule| unusable_folder(rule.message()))?);
        return Ok(());
    }
    if decoded.starts_with("semver:") {
        return Err("asks for a range of versions, which only npm knows; name a tag".into());
    }
    let (rest, skill) = match decoded.rsplit_once('@') {
        Some((rest, skill)) if skill_name(skill).is_ok() && !skill.contains('.') => (rest, Some(skill)),
        _ => (decoded.as_str(), None),
    };
    let (reference, path) = rest.split_once(':').map_or((rest, None), |(reference, path)| (reference, Some(path)));
    if let Some(skill) = skill {
        git.skill = Some(skill.to_owned());
    }
    if let Some(path) = path {
        git.path = Some(path_of(path)?);
    }
    if reference.is_empty() && skill.is_none() && path.is_none() {
        return Err("has an empty ref after `#`".into());
    }
    git.reference = (!reference.is_empty()).then(|| reference_of(reference)).transpose()?;
    Ok(())
}

/// What `git check-ref-format` would refuse, git need not see.
fn reference_of(text: &str) -> std::result::Result<String, String> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    if text.starts_with(['-', '/']) || text.ends_with('/') || text.contains(bad) || text.contains("..") {
        return Err(format!("names `{}`, which can be no branch, tag or commit", one_line(text, 80)));
    }
    Ok(text.into())
}

fn path_of(text: &str) -> std::result::Result<RelPath, String> {
    let decoded = decode(text)?;
    RelPath::check(&decoded).map_err(|rule| unusable_folder(rule.message()))
}

fn unusable_folder(why: &str) -> String {
    format!("names a folder that cannot be used: {why}")
}

/// A skill's directory name that no glob could be read into.
fn skill_name(text: &str) -> std::result::Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if text.is_empty() || text.starts_with(['-', '.']) || !text.bytes().all(plain) {
        return Err(format!("names `{}`, which can be no skill", one_line(text, 80)));
    }
    Ok(text.into())
}

/// Decodes `%20` and its like, once.
fn decode(text: &str) -> std::result::Result<String, String> {
    let broken = || "has a `%` that stands for no character".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).ok_or_else(broken)?;
        bytes.push(u8::from_str_radix(hex, 16).map_err(|_| broken())?);
        rest = &tail[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err("has a control character or a backslash in disguise".into());
    }
    Ok(text)
}

/// Tells whether git is to read it from this machine's disk: the `file` protocol is then allowed.
pub fn is_local(url: &str) -> bool {
    url.to_ascii_lowercase().starts_with("file://")
}

/// Tells whether anybody on the way could change what comes from there.
pub fn is_insecure(url: &str) -> bool {
    url.to_ascii_lowercase().starts_with("http://")
}

/// Returns the error for such a place where nobody has allowed it; who has it adds how to.
pub fn unprotected(kind: ErrorKind, url: &str) -> Error {
    let url = crate::types::visible(&crate::git::redact(url));
    Error::new(kind, format!("{url} comes unprotected, so anybody on the way could change what your agents load"))
}

/// Returns the path that a person may have meant by a spelling that is read as a repository elsewhere: `owner/repo`,
/// or a host without its scheme.
pub fn path_meant(typed: &str) -> Option<&str> {
    let place = typed.split(['#', '@']).next().unwrap_or(typed);
    let is_elsewhere =
        matches!(parse(typed), Ok(location) if !matches!(location, Location::Path(_) | Location::Bundle(_)));
    (is_elsewhere && place.contains('/') && !place.contains(':')).then_some(place)
}

/// Returns the name that a source gets where the person gave none: the repository's, folder's or site's. A repository
/// that is just called `skills` gets its owner's name too.
pub fn default_name(location: &Location) -> Option<SourceName> {
    let place = match location {
        Location::Git(GitLocation { url, .. }) | Location::GitTree { url, .. } => url,
        Location::Path(path) => path,
        Location::Bundle(path) => return last_part(path.strip_suffix(".bundle").unwrap_or(path)),
        Location::ClawHub { slug, .. } => return SourceName::made_valid(slug),
        Location::Index(url) => {
            let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).split(['/', ':']).next()?;
            return SourceName::made_valid(host);
        }
    };
    let name = last_part(place)?;
    if matches!(location, Location::Path(_)) || is_local(place) || name.as_str() != "skills" {
        return Some(name);
    }
    match parts(place).nth(1) {
        // The part before may be the host, where there is no owner.
        Some(owner) if !owner.contains('.') => SourceName::made_valid(&format!("{owner}-skills")).or(Some(name)),
        _ => Some(name),
    }
}

fn last_part(place: &str) -> Option<SourceName> {
    let last = parts(place).next()?;
    SourceName::made_valid(last.strip_suffix(".git").unwrap_or(last))
}

fn parts(place: &str) -> impl Iterator<Item = &str> {
    let parts = place.trim_end_matches('/').rsplit(['/', ':', '\\']);
    parts.filter(|part| !matches!(*part, "" | "." | ".." | ".git"))
}

#[cfg(test)]
mod tests;
