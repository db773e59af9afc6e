//! A skill on ClawHub, over its public HTTP API (`docs/http-api.md` of openclaw/clawhub): which version is the newest, what
//! files it has, and the version as a zip. Another registry that speaks the same may be named.
//!
//! A version never changes, so an unchanged skill costs one conditional request.

use super::Access;
use super::archive::{self, Budget, Top};
use super::http::{Client, WebUrl, escaped, sha256};
use super::snapshot::{Listed, Snapshot};
use crate::git::{Place, Store};
use crate::skill::Limits;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line, shell_word};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where ClawHub is.
const CLAWHUB: &str = "https://clawhub.ai";
/// The largest answer that is not an archive, in bytes, and the largest archive.
const ANSWER_BYTES: u64 = 4 << 20;
const ARCHIVE_BYTES: u64 = 128 << 20;
/// What ClawHub puts into the zip beside the skill's files: owner, version, date.
const ENVELOPE: &str = "_meta.json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overview {
    latest_version: Option<Latest>,
    moderation: Option<Moderation>,
}

#[derive(Deserialize)]
struct Latest {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Moderation {
    is_malware_blocked: bool,
    is_suspicious: bool,
    summary: Option<String>,
}

#[derive(Deserialize)]
struct Described {
    version: Version,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: String,
    /// In milliseconds since 1970.
    created_at: i64,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    sha256: String,
}

/// What the download answers for a skill that ClawHub only points at.
#[derive(Deserialize)]
struct Handoff {
    repo: String,
    path: Option<String>,
}

/// Returns the state of `skill` (`slug`, or `owner/slug`) at `version`; none is the newest. The snapshot holds it at
/// `<slug>/`.
pub fn observe(
    access: &Access<'_>,
    skill: &str,
    version: Option<&str>,
    registry: Option<&str>,
    insecure: bool,
    limits: &Limits,
) -> Result<Snapshot> {
    let (owner, slug) = parts(skill)?;
    let base = WebUrl::parse(&format!("{}/", registry.unwrap_or(CLAWHUB).trim_end_matches('/')), insecure)?;
    let owner = owner.map(|owner| ("ownerHandle", owner));
    let address = |path: &str, query: &[(&str, &str)]| {
        let pairs = query.iter().chain(&owner).map(|(name, value)| format!("{name}={}", escaped(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        base.join(&if query.is_empty() { format!("api/v1/{path}") } else { format!("api/v1/{path}?{query}") })
    };
    let client = Client::new(access, base.host());
    let overview: Overview =
        answer(&client, &address(&format!("skills/{slug}"), &[])?).map_err(|error| match (error.kind(), owner) {
            (ErrorKind::NoEvidence, None) => error.hint(format!(
                "look at its name; where several owners have one, write \"owner/{slug}\"; nothing was closed or removed"
            )),
            _ => error,
        })?;
    let moderation = overview.moderation.unwrap_or_default();
    if moderation.is_malware_blocked {
        return Err(Error::new(ErrorKind::Rejected, format!("ClawHub has blocked `{slug}` as malware"))
            .hint("nothing was closed or removed; look at what you have of it"));
    }
    let latest = overview.latest_version.map(|latest| latest.version);
    let wanted = version.map(str::to_owned).or(latest).ok_or_else(|| {
        Error::new(ErrorKind::NoEvidence, format!("`{slug}` has no version on ClawHub itself"))
            .hint("where ClawHub only points at a repository, add that: skillgraft add URL --path PATH")
    })?;
    let version_url = address(&format!("skills/{slug}/versions/{}", escaped(&wanted)), &[])?;
    let described = answer::<Described>(&client, &version_url)?.version;
    let download = address("download", &[("slug", slug), ("version", &described.version)])?;
    let read = |bytes: &[u8]| files(bytes, &described, limits);
    let bytes = client.get_checked(&download, ARCHIVE_BYTES, |bytes| read(bytes).map(drop))?;
    let (store, files) = read(&bytes)?;
    let files =
        files.into_iter().map(|(below, place)| ([vec![slug.as_bytes().to_vec()], below].concat(), place)).collect();
    let mut snapshot = Snapshot::of_files(store, &files)?;
    let path = RelPath::parse(slug)?;
    let mut listed = Listed::default();
    if moderation.is_suspicious {
        let why = moderation.summary.map_or(String::new(), |summary| format!(": {}", one_line(&summary, 200)));
        let remark = super::Remark::new(&path, "suspicious", format!("ClawHub calls it suspicious{why}"));
        listed.remarks.push(remark);
    }
    listed.skills.insert(path);
    snapshot.listed = listed;
    snapshot.at_version(&described.version, Some(described.created_at.div_euclid(1000)))
}

/// Returns the owner and the slug.
fn parts(skill: &str) -> Result<(Option<&str>, &str)> {
    let (owner, slug) = skill.rsplit_once('/').map_or((None, skill), |(owner, slug)| (Some(owner), slug));
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= 200
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if is_name(slug) && RelPath::parse(slug).is_ok() && owner.is_none_or(is_name) {
        return Ok((owner, slug));
    }
    Err(Error::new(ErrorKind::Config, format!("`{}` is no skill on ClawHub", one_line(skill, 120)))
        .hint("write `clawhub = \"slug\"`, or \"owner/slug\" where several owners have one"))
}

fn answer<T: serde::de::DeserializeOwned>(client: &Client<'_>, url: &WebUrl) -> Result<T> {
    let bytes = client.get(url, ANSWER_BYTES)?.bytes;
    serde_json::from_slice(&bytes)
        .context(ErrorKind::NoEvidence, || format!("{} does not answer as ClawHub does", url.shown()))
}

/// Reads the zip of a version and checks it against the files that the version is said to have: ClawHub leaves out what its
/// storage has lost.
fn files(bytes: &[u8], described: &Version, limits: &Limits) -> Result<(Store, super::snapshot::Files)> {
    if let Ok(handoff) = serde_json::from_slice::<Handoff>(bytes) {
        let (repo, path) = (one_line(&handoff.repo, 120), one_line(handoff.path.as_deref().unwrap_or("."), 200));
        return Err(Error::new(ErrorKind::NoEvidence, "ClawHub does not have it itself, it points at a repository")
            .hint(format!(
                "follow that: skillgraft add {} --path {}",
                shell_word(&format!("https://github.com/{repo}")),
                shell_word(&path)
            )));
    }
    let mut unpacked = archive::unpack(bytes, limits, Top::Keep, &Budget::default())?;
    let expected: BTreeMap<Vec<Vec<u8>>, &File> = described
        .files
        .iter()
        .map(|file| (file.path.split('/').map(|part| part.as_bytes().to_vec()).collect(), file))
        .collect();
    let envelope = vec![ENVELOPE.as_bytes().to_vec()];
    if !expected.contains_key(&envelope) {
        unpacked.files.remove(&envelope);
    }
    for (path, file) in &expected {
        let shown = one_line(&file.path, 200);
        let Some(Place { id, .. }) = unpacked.files.get(path) else {
            return Err(Error::new(ErrorKind::Rejected, format!("ClawHub's zip lacks `{shown}`"))
                .hint("ClawHub has lost a part of it; nothing was closed or removed"));
        };
        let content = unpacked.store.blob(*id)?;
        // Of a file over the limit only the beginning was read; the limit is reported with the skill.
        if content.len() as u64 <= limits.file_bytes && sha256(&content) != file.sha256 {
            return Err(Error::new(ErrorKind::Rejected, format!("`{shown}` is not the file that ClawHub describes"))
                .hint("it was changed on the way, or by ClawHub; it was not used"));
        }
    }
    if unpacked.files.len() != expected.len() {
        return Err(Error::new(ErrorKind::Rejected, "ClawHub's zip has files that the version is not said to have"));
    }
    Ok((unpacked.store, unpacked.files))
}
