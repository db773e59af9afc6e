//! Addresses that begin with `https://` (or a host): a repository, or a forge's page of one.
//!
//! Each forge says ref and folder in its own way; the marks are read on every host, because forges stand on hosts of
//! their own. What a browser adds (`?tab=readme`, `#L10`) is dropped from a page, and refused elsewhere.

use super::{GitLocation, Location, Parsed, decode, pages, path_of, read_fragment, reference_of, sites};
use crate::skill::SKILL_MD;
use crate::source::{marketplace, plugin};

type Either<T> = Result<T, String>;

/// Files by which people point at the folder that has them.
fn pointers() -> impl Iterator<Item = &'static str> {
    [SKILL_MD, "README.md"].into_iter().chain(marketplace::FILES).chain(plugin::MANIFESTS)
}

/// Public forges: their addresses name two parts at least, and a `?` belongs to a page.
const FORGES: [&str; 6] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitea.com", "dev.azure.com"];

struct Address<'a> {
    scheme: &'a str,
    /// User and port too.
    authority: &'a str,
    /// Lowercase, without `www.`, user and port.
    host: String,
    path: Vec<&'a str>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

/// Reads what follows `scheme://`.
pub(super) fn read(scheme: &str, rest: &str) -> Parsed {
    let address = Address::parse(scheme, rest)?;
    let host = address.host.as_str();
    let path = address.path.as_slice();
    if let [.., ".well-known", "agent-skills" | "skills"]
    | [.., ".well-known", "agent-skills" | "skills", "index.json"] = path
    {
        return Ok(Location::Index(format!("{scheme}://{}/{}", address.authority, path.join("/"))));
    }
    if path.contains(&".well-known") {
        let site = format!("{scheme}://{}", address.authority);
        return Err(format!("is a part of a site's index; name the site, and a skill of it: {site} --skill NAME"));
    }
    match host {
        "skills.sh" => return sites::skills_sh(path),
        "clawhub.ai" | "clawhub.com" => return sites::clawhub_page(path),
        "raw.githubusercontent.com" => {
            return match path {
                [owner, repo, rest @ ..] => page(super::github(owner, repo)?.url, rest),
                _ => Err("names no repository".into()),
            };
        }
        _ => {}
    }
    let is_forge = FORGES.contains(&host);
    match path.len() {
        0 | 1 if is_forge => return Err("names no repository".into()),
        0 => return Ok(Location::Index(format!("{scheme}://{}", address.authority))),
        _ => {}
    }
    if let Some(at) = path.iter().position(|part| *part == "_git") {
        return address.azure(at);
    }
    if let Some(location) = address.forge_page() {
        return location;
    }
    pages::refuse(host, path)?;
    if host == "github.com" {
        return address.github();
    }
    match (address.query, is_forge) {
        (Some(_), true) => Ok(git(address.repository(path.len())).into()),
        (Some(_), false) => Err("has a `?`, which belongs to no repository".into()),
        (None, _) => {
            // As typed: a server may care for the `/` at the end.
            let typed = rest.split('#').next().unwrap_or_default();
            let mut found = git(format!("{scheme}://{typed}"));
            read_fragment(&mut found, address.fragment)?;
            Ok(found.into())
        }
    }
}

fn git(url: String) -> GitLocation {
    GitLocation { url, ..Default::default() }
}

impl<'a> Address<'a> {
    fn parse(scheme: &'a str, rest: &'a str) -> Either<Self> {
        let (rest, fragment) = split(rest, '#');
        let (rest, query) = split(rest, '?');
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host.split(':').next().unwrap_or_default().to_lowercase();
        if host.is_empty() || host.starts_with(['-', '.']) {
            return Err("names no host".into());
        }
        let path: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty()).collect();
        for part in &path {
            // Decoded twice: what one reader takes for a name another may take for a way up.
            let (once, twice) = (decode(part)?, decode(&decode(part)?).unwrap_or_default());
            let is_way_up = |text: &str| text.split('/').any(|part| matches!(part, "." | ".."));
            if part.is_empty() || is_way_up(&once) || is_way_up(&twice) {
                return Err("has an empty part, `.` or `..` in its path".into());
            }
        }
        let host = host.strip_prefix("www.").map_or(host.clone(), str::to_owned);
        Ok(Address { scheme, authority, host, path, query, fragment })
    }

    /// The URL of the first `count` parts of the path.
    fn repository(&self, count: usize) -> String {
        let url = format!("{}://{}/{}", self.scheme, self.authority, self.path[..count].join("/"));
        // One repository has one spelling where both lead to it.
        if self.host == "github.com" { url.strip_suffix(".git").map_or(url.clone(), str::to_owned) } else { url }
    }

    fn query(&self, key: &str) -> Either<Option<String>> {
        let pairs = self.query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| decode(&value.replace('+', " "))).next().transpose()
    }

    fn github(&self) -> Parsed {
        let [owner, repo, folder @ ..] = self.path.as_slice() else { return Err("names no repository".into()) };
        super::github(owner, repo)?;
        let mut found = git(self.repository(2));
        match folder {
            [] => {}
            folder => found.path = Some(path_of(&folder.join("/"))?),
        }
        if self.query.is_none() && self.fragment != Some("readme") {
            read_fragment(&mut found, self.fragment)?;
        }
        Ok(found.into())
    }

    /// A page of a folder or file, by the marks that forges put between repository and ref; none where there is none.
    fn forge_page(&self) -> Option<Parsed> {
        let path = self.path.as_slice();
        // GitLab: groups may be nested, so the mark alone says where the repository ends.
        if let Some(at) = path.iter().position(|part| *part == "-") {
            return Some(match &path[at + 1..] {
                ["tree" | "blob" | "raw", rest @ ..] if at >= 2 && !rest.is_empty() => page(self.repository(at), rest),
                _ => Err("is a page about a repository, not the repository or a folder of it".into()),
            });
        }
        // Bitbucket on a host of one's own.
        if let Some(at) = path.iter().position(|part| matches!(*part, "projects" | "users"))
            && let [owner, "repos", name, rest @ ..] = &path[at + 1..]
        {
            let mark = if path[at] == "users" { "~" } else { "" };
            return Some(self.bitbucket_server(at, &format!("{mark}{owner}"), name, rest));
        }
        // What stands before a repository's name: groups of GitLab, kinds of Hugging Face.
        let end = match self.host.as_str() {
            "gitlab.com" => path.iter().position(|part| matches!(*part, "tree" | "blob" | "raw")).unwrap_or(2),
            "huggingface.co" if matches!(path, ["datasets" | "spaces", ..]) => 3,
            _ => 2,
        };
        let reference = |name: &str| {
            let reference = Some(reference_of(&decode(name)?)?);
            Ok(GitLocation { url: self.repository(end), reference, ..Default::default() }.into())
        };
        if end < 2 || end > path.len() {
            return None;
        }
        match &path[end..] {
            // sourcehut says where the ref ends.
            ["tree", rest @ ..] if self.host == "git.sr.ht" => Some(self.sourcehut(rest)),
            ["tree" | "blob" | "raw" | "edit" | "blame" | "resolve", rest @ ..] if !rest.is_empty() => {
                Some(page(self.repository(end), rest))
            }
            ["src" | "raw", "branch" | "tag" | "commit", rest @ ..] if !rest.is_empty() => {
                Some(page(self.repository(end), rest))
            }
            ["src", rest @ ..] if self.host == "bitbucket.org" && !rest.is_empty() => {
                Some(page(self.repository(end), rest))
            }
            ["commit", id] => Some(reference(id)),
            ["releases", "tag", tag @ ..] if !tag.is_empty() => Some(reference(&tag.join("/"))),
            _ => None,
        }
    }

    fn bitbucket_server(&self, at: usize, project: &str, name: &str, rest: &[&str]) -> Parsed {
        let above = self.path[..at].iter().map(|part| format!("{part}/")).collect::<String>();
        let mut found = git(format!("{}://{}/{above}scm/{project}/{name}.git", self.scheme, self.authority));
        match rest {
            [] | ["browse"] => {}
            ["browse", folder @ ..] => found.path = Some(path_of(without_pointer(&folder.join("/"))?)?),
            _ => return Err("is a page about a repository, not the repository or a folder of it".into()),
        }
        let at = self.query("at")?;
        let short = |name: &str| name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
        found.reference = at.map(|name| reference_of(&short(&name))).transpose()?;
        Ok(found.into())
    }

    fn sourcehut(&self, rest: &[&str]) -> Parsed {
        let mut found = git(self.repository(2));
        let (reference, folder) = match rest.iter().position(|part| *part == "item") {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &[][..]),
        };
        found.reference = Some(reference_of(&decode(&reference.join("/"))?)?);
        found.path = match folder {
            [] => None,
            folder => Some(path_of(without_pointer(&folder.join("/"))?)?),
        };
        Ok(found.into())
    }

    /// `.../_git/repo?path=/skills&version=GBmain`.
    fn azure(&self, at: usize) -> Parsed {
        if self.path.len() != at + 2 {
            return Err("is no repository of Azure DevOps: .../_git/<repository>".into());
        }
        let mut found = git(self.repository(at + 2));
        if let Some(path) = self.query("path")?.filter(|path| path != "/") {
            let path = path.trim_start_matches('/').replace('%', "%25");
            found.path = Some(path_of(without_pointer(&path)?)?).filter(|path| !path.is_root());
        }
        if let Some(version) = self.query("version")? {
            let name = ["GB", "GT", "GC"].iter().find_map(|kind| version.strip_prefix(kind));
            found.reference = Some(reference_of(name.ok_or("has a `version` that skillgraft does not know")?)?);
        }
        if self.query.is_none() {
            read_fragment(&mut found, self.fragment)?;
        }
        Ok(found.into())
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// `<ref>/<path>` of the repository at `url`, where the ref can be told apart, and as a question where it cannot.
fn page(url: String, rest: &[&str]) -> Parsed {
    let rest = decode(&rest.join("/"))?;
    let rest = rest.strip_prefix("refs/heads/").or_else(|| rest.strip_prefix("refs/tags/")).unwrap_or(&rest);
    let rest = without_pointer(rest)?;
    let (first, folder) = rest.split_once('/').map_or((rest, None), |(first, folder)| (first, Some(folder)));
    let reference = reference_of(first)?;
    let folder_path = |folder: &str| path_of(&folder.replace('%', "%25"));
    let mut found = git(url);
    match folder {
        None if first == "HEAD" => {}
        None => found.reference = Some(reference),
        // The default branch, whichever it is.
        Some(folder) if first == "HEAD" => found.path = Some(folder_path(folder)?),
        Some(folder) if crate::source::is_commit_id(first) => {
            found.reference = Some(reference);
            found.path = Some(folder_path(folder)?);
        }
        Some(folder) => {
            // The longest folder that it may be is checked now; the remote only decides where it begins.
            folder_path(folder)?;
            return Ok(Location::GitTree { url: found.url, rest: rest.into() });
        }
    }
    Ok(found.into())
}

/// The folder that a file stands for, where the path names one of those that people point with.
fn without_pointer(path: &str) -> Either<&str> {
    for pointer in pointers() {
        if let Some(folder) = path.strip_suffix(pointer)
            && (folder.is_empty() || folder.ends_with('/'))
        {
            return Ok(folder.trim_end_matches('/'));
        }
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_file = [".md", ".json", ".py", ".sh", ".txt", ".yaml", ".yml", ".toml", ".js", ".ts"]
        .iter()
        .any(|ending| name.ends_with(ending) && name.len() > ending.len());
    match is_file && path.contains('/') {
        true => Err("is a file; point at a folder, or at its SKILL.md".into()),
        false => Ok(path),
    }
}
