//! What other installers wrote down about where a skill came from: `skills-lock.json` in a project and
//! `.skill-lock.json` of a user (`npx skills`), and the `github-*` keys that `gh skill` puts into `metadata`.
//!
//! Such a file may come with a repository that somebody cloned, so it is as hostile as upstream: every value becomes a
//! type with rules, and one bad entry is a bad entry and no more.

use super::location::{self, Location, Repository};
use super::roots::Machine;
use crate::git::{Oid, RefName};
use crate::skill::{SKILL_MD, frontmatter};
use crate::types::{Error, ErrorKind, RelPath, Result, one_line};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The largest lock file that is read, in bytes.
const LOCK_BYTES: u64 = 8 << 20;
/// The lock file of a project, and that of a user.
const PROJECT_LOCK: &str = "skills-lock.json";
const USER_LOCK: &str = ".skill-lock.json";

/// Where a skill came from, as an installer recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The installer.
    pub tool: &'static str,
    /// The repository.
    pub place: Place,
    /// The skill's directory there; none where the installer did not say.
    pub path: Option<RelPath>,
    /// The branch, tag or commit that is followed; none for the default branch.
    pub reference: Option<String>,
    /// The git id that the skill's directory had there.
    pub tree: Option<Oid>,
}

/// A repository or a site, as an installer recorded it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A URL that [`location::parse`] understands.
    Url(String),
    /// The index of a site.
    Index(String),
    /// A folder on this machine, absolute.
    Folder(PathBuf),
}

/// A lock file: for each skill what it says, or why that cannot be used.
pub type Records = BTreeMap<String, Result<Record>>;

/// Reads the lock file of a project folder; empty where there is none.
pub fn of_project(folder: &Path) -> Records {
    read(&folder.join(PROJECT_LOCK), folder)
}

/// Reads the lock file of the user: in `$XDG_STATE_HOME/skills` where that is set, else in `~/.agents`.
pub fn of_user(machine: &Machine) -> Records {
    let moved = machine.variables.get("XDG_STATE_HOME").map(|state| state.join("skills"));
    let folder = moved.or_else(|| Some(machine.home.as_ref()?.join(".agents")));
    folder.map_or(Records::new(), |folder| read(&folder.join(USER_LOCK), &folder))
}

/// Returns what `gh skill` wrote into a SKILL.md, if it did.
pub fn of_frontmatter(skill_md: &[u8]) -> Option<Result<Record>> {
    let metadata = frontmatter::read(skill_md).metadata;
    let repository = metadata.get("github-repo")?;
    let key = |name: &str| metadata.get(name).filter(|text| !text.is_empty());
    let record = || {
        let branch = key("github-ref").and_then(|name| name.strip_prefix("refs/heads/"));
        Ok(Record {
            tool: "gh",
            place: url(repository)?,
            path: key("github-path").map(|path| directory_of(path)).transpose()?,
            // A tag that is not pinned is the release that happened to be the newest.
            reference: key("github-pinned").map(String::as_str).or(branch).map(reference).transpose()?,
            tree: key("github-tree-sha").and_then(|id| Oid::parse(id).ok()),
        })
    };
    Some(record())
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    skills: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    source: String,
    source_type: String,
    source_url: Option<String>,
    skill_path: Option<String>,
    r#ref: Option<String>,
    pinned_ref: Option<String>,
    skill_folder_hash: Option<String>,
}

fn read(path: &Path, folder: &Path) -> Records {
    if path.metadata().ok().is_none_or(|file| !file.is_file() || file.len() > LOCK_BYTES) {
        return Records::new();
    }
    let lock = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Lock>(&bytes).ok());
    let entries = lock.into_iter().flat_map(|lock| lock.skills);
    entries.map(|(name, value)| (name, record(value, folder))).collect()
}

fn record(value: serde_json::Value, folder: &Path) -> Result<Record> {
    let written: Written = serde_json::from_value(value)
        .map_err(|error| Error::new(ErrorKind::Rejected, "its lock file's entry cannot be read").because(error))?;
    let place = match written.source_type.as_str() {
        "github" => match &written.source_url {
            Some(there) => url(there)?,
            None => github(&written.source)?,
        },
        "gitlab" | "git" => url(written.source_url.as_ref().unwrap_or(&written.source))?,
        "well-known" => site(&written.source, written.source_url.as_deref())?,
        "local" => Place::Folder(folder.join(&written.source)),
        other => {
            let message = format!("it came from `{}`, which is no repository to follow", one_line(other, 40));
            return Err(Error::new(ErrorKind::Rejected, message));
        }
    };
    Ok(Record {
        tool: "skills",
        place,
        path: written.skill_path.as_deref().map(directory_of).transpose()?,
        reference: written.pinned_ref.or(written.r#ref).as_deref().map(reference).transpose()?,
        tree: written.skill_folder_hash.and_then(|id| Oid::parse(&id).ok()),
    })
}

fn url(text: &str) -> Result<Place> {
    match location::parse_repository(text)? {
        Repository::Url(url) if location::is_local(&url) => Ok(Place::Folder(url["file://".len()..].into())),
        Repository::Url(url) if !location::is_insecure(&url) => Ok(Place::Url(without_git(&url).to_owned())),
        _ => Err(Error::new(ErrorKind::Rejected, format!("`{}` is no URL of a repository", one_line(text, 120)))),
    }
}

/// `npx skills` records the name of the host and, of a user's skills, the URL of each.
fn site(host: &str, skill: Option<&str>) -> Result<Place> {
    let below = skill.and_then(|url| Some(url.split_once("/.well-known/")?.0.to_owned()));
    let site = below.unwrap_or_else(|| format!("https://{host}"));
    match location::parse(&format!("{site}/.well-known/agent-skills/index.json"))? {
        Location::Index(url) if !location::is_insecure(&url) => Ok(Place::Index(url)),
        _ => Err(Error::new(ErrorKind::Rejected, format!("`{}` is no site", one_line(host, 120)))),
    }
}

fn github(source: &str) -> Result<Place> {
    match source.split('/').collect::<Vec<_>>().as_slice() {
        [_, _] => url(source),
        _ => Err(Error::new(ErrorKind::Rejected, format!("`{}` is not owner/repo", one_line(source, 120)))),
    }
}

/// Returns a URL without the `.git` that hosts put behind it and accept without.
pub fn without_git(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url)
}

/// Returns the directory of a skill that is named by itself or by its `SKILL.md`.
fn directory_of(path: &str) -> Result<RelPath> {
    let path = RelPath::parse(path)?;
    let is_file = path.name() == Some(SKILL_MD);
    Ok(if is_file { path.parent().unwrap_or_default() } else { path })
}

fn reference(text: &str) -> Result<String> {
    let refused =
        || Error::new(ErrorKind::Rejected, format!("`{}` names no branch, tag or commit", one_line(text, 120)));
    // A commit id has the form of a branch's name; an option of git's has it too.
    if text.starts_with('-') {
        return Err(refused());
    }
    RefName::branch(text).map(|_| text.to_owned()).map_err(|error| refused().because(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_one(value: serde_json::Value) -> Result<Record> {
        record(value, Path::new("/project"))
    }

    #[test]
    fn what_npx_skills_and_gh_skill_write_becomes_an_upstream() {
        let folder = "0123456789012345678901234567890123456789";
        let user = json!({"source": "acme/skills", "sourceType": "github", "sourceUrl": "https://github.com/acme/skills.git",
            "skillPath": "skills/deploy/SKILL.md", "skillFolderHash": folder, "installedAt": "2026-01-01T00:00:00Z"});
        let record = read_one(user).expect("valid");
        assert_eq!(record.place, Place::Url("https://github.com/acme/skills".into()));
        assert_eq!(record.path.expect("said").as_str(), "skills/deploy");
        assert_eq!(record.tree.expect("said").to_string(), folder);
        let project = json!({"source": "acme/skills", "sourceType": "github", "ref": "v2", "computedHash": "ff"});
        let record = read_one(project).expect("valid");
        assert_eq!(
            (record.place, record.reference),
            (Place::Url("https://github.com/acme/skills".into()), Some("v2".into()))
        );
        let file = read_one(json!({"source": "file:///srv/up", "sourceType": "git"})).expect("valid");
        assert_eq!(file.place, Place::Folder("/srv/up".into()), "it is a path of this machine");
        let local = read_one(json!({"source": "../up", "sourceType": "local"})).expect("valid");
        assert_eq!(local.place, Place::Folder("/project/../up".into()));
        let index = |url: &str| Place::Index(format!("{url}/.well-known/agent-skills/index.json"));
        let site = read_one(json!({"source": "acme.example", "sourceType": "well-known", "computedHash": "ff"}));
        assert_eq!(site.expect("valid").place, index("https://acme.example"));
        let file = "https://acme.example/docs/.well-known/skills/deploy/SKILL.md";
        let site = read_one(json!({"source": "acme.example", "sourceType": "well-known", "sourceUrl": file}));
        assert_eq!(site.expect("valid").place, index("https://acme.example/docs"));
        let gh = "---\nname: a\ndescription: b\nmetadata:\n  github-repo: https://github.com/acme/skills\n  \
                  github-ref: refs/heads/main\n  github-path: skills/a\n---\n";
        let record = of_frontmatter(gh.as_bytes()).expect("there").expect("valid");
        assert_eq!((record.tool, record.reference), ("gh", Some("main".into())));
        assert!(of_frontmatter(b"---\nname: a\n---\n").is_none());
    }

    #[test]
    fn a_hostile_lock_file_names_no_program_no_option_and_no_way_out() {
        let entry = |key: &str, text: &str| {
            let mut entry = json!({"source": "acme/skills", "sourceType": "git", "sourceUrl": "https://h/a/b"});
            entry[key] = json!(text);
            entry
        };
        for (key, text) in [
            ("sourceUrl", "ext::sh -c evil"),
            ("sourceUrl", "http://h/a"),
            ("sourceUrl", "--upload-pack=evil"),
            ("sourceUrl", "https://u:p@h/a"),
            ("sourceUrl", "../../elsewhere"),
            ("sourceType", "node_modules"),
            ("skillPath", "../../../etc"),
            ("skillPath", "/etc/SKILL.md"),
            ("ref", "--upload-pack=evil"),
            ("ref", "a..b"),
        ] {
            assert!(read_one(entry(key, text)).is_err(), "{key}: {text}");
        }
        for host in ["a b", "u:p@h", "--x", "../..", "", "h\n"] {
            assert!(read_one(json!({"source": host, "sourceType": "well-known"})).is_err(), "{host}");
        }
        let plain =
            json!({"source": "h", "sourceType": "well-known", "sourceUrl": "http://h/.well-known/skills/a/SKILL.md"});
        assert!(read_one(plain).is_err());
        let not_owner_repo = json!({"source": "a/b/../../c", "sourceType": "github"});
        assert!(read_one(not_owner_repo).is_err());
        assert!(read_one(json!(["surprise"])).is_err());
    }
}
