//! The well-known index: a site that lists its skills (Agent Skills Discovery, version 0.2.0 and, as fallback, 0.1.0;
//! <https://github.com/cloudflare/agent-skills-discovery-rfc>).
//!
//! The snapshot holds each selected skill at `<name>/`. What one entry has wrong rejects that skill alone; a skill that
//! is listed but could not be read keeps the tree that the mirror has of it.

use super::archive::{self, Budget, Top};
use super::assemble::Remark;
use super::http::{Client, Fetched, WebUrl, escaped};
use super::links;
use super::snapshot::{Files, Listed, Snapshot, file_as_folder, tree_of};
use super::{Access, Selection};
use crate::git::{Mode, Place, Store};
use crate::skill::{Limits, SKILL_MD};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName, one_line};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// How the schema of version 0.2.0 is named.
const SCHEMA: &str = "https://schemas.agentskills.io/discovery/0.2.0/schema.json";
/// Where an index stands on its host.
const PLACE: &str = "/.well-known/agent-skills/index.json";
/// Where it stood in version 0.1.0.
const OLD_PLACE: &str = "/.well-known/skills/index.json";
/// The largest index, in bytes, and the most skills in one.
const INDEX_BYTES: u64 = 16 << 20;
const SKILLS: usize = 10_000;
/// The largest archive of one skill, in bytes.
const ARCHIVE_BYTES: u64 = 128 << 20;

#[derive(Deserialize)]
struct Index {
    #[serde(rename = "$schema")]
    schema: Option<String>,
    skills: Vec<Value>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// An entry of version 0.2.0.
#[derive(Deserialize)]
struct Artifact {
    r#type: String,
    url: String,
    digest: String,
}

/// An entry of version 0.1.0.
#[derive(Deserialize)]
struct Loose {
    files: Vec<String>,
}

/// Returns the present state of the index at `url`, which may also name just its host.
pub fn observe(
    access: &Access<'_>,
    url: &str,
    insecure: bool,
    selection: &Selection,
    source: &SourceName,
    limits: &Limits,
) -> Result<Snapshot> {
    let place = place_of(&WebUrl::parse(url, insecure)?)?;
    let client = Client::new(access, place.host());
    let (base, index) = fetch(&client, &place)?;
    let mut reader = Reader {
        client: &client,
        base,
        limits,
        store: Store::in_memory(false),
        files: Files::new(),
        listed: Listed::default(),
        budget: Budget::default(),
        failed: Vec::new(),
    };
    let is_old = match index.schema.as_deref() {
        Some(SCHEMA) => false,
        None => true,
        Some(other) => {
            let other = one_line(other, 120);
            return Err(Error::new(
                ErrorKind::NoEvidence,
                format!("the index has the schema `{other}`, which is not known"),
            )
            .hint("install a newer skillgraft; nothing was closed or removed"));
        }
    };
    if index.skills.len() > SKILLS {
        return Err(Error::new(ErrorKind::Limit, format!("the index lists more than {SKILLS} skills")));
    }
    let mut read = 0;
    for entry in index.skills {
        let Some(path) = reader.list(&entry) else { continue };
        if !selection.selects(&path, source) {
            continue;
        }
        let taken = if is_old { reader.take_loose(&path, entry) } else { reader.take_artifact(&path, entry) };
        match taken {
            Ok(()) => read += 1,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => reader.failed.push((path, error)),
        }
    }
    if read == 0
        && let Some((path, error)) = reader.failed.first()
    {
        return Err(Error::new(error.kind(), format!("nothing that the index lists could be read: `{path}`"))
            .because(error.full_message())
            .hint("nothing was closed or removed"));
    }
    if is_old && read > 0 {
        let message = "the index is of version 0.1.0, which has no digests: what came cannot be verified";
        reader.listed.remarks.push(Remark::new(".", "unverified", message));
    }
    reader.finish()
}

/// Returns where the index of an address stands: always on its own host, also where its path begins with `//`.
fn place_of(url: &WebUrl) -> Result<WebUrl> {
    let path = url.path().trim_end_matches('/');
    if path.ends_with(".json") {
        return Ok(url.clone());
    }
    match path.find("/.well-known/") {
        Some(at) => url.on_host(&format!(
            "{}{}",
            &path[..at],
            if path[at..].contains("/agent-skills") { PLACE } else { OLD_PLACE }
        )),
        None => url.on_host(&format!("{path}{PLACE}")),
    }
}

/// Fetches the index, or where there is none the one of version 0.1.0: stores of files refuse what they have not, and sites
/// of one page answer everything with it. Where there was one before, its absence is no reason to believe the older one.
fn fetch(client: &Client<'_>, url: &WebUrl) -> Result<(WebUrl, Index)> {
    let older = url.path().strip_suffix(PLACE).map(|path| url.on_host(&format!("{path}{OLD_PLACE}"))).transpose()?;
    let is_json = |bytes: &[u8]| {
        serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map(drop).map_err(|error| no_index(url, error))
    };
    let fetched = match older.filter(|_| !client.was_there(url)) {
        Some(older) => match client.get_or_why(url, INDEX_BYTES, &is_json) {
            Ok(Ok(fetched)) => fetched,
            Err(error) if !(client.is_offline() && client.was_there(&older)) => return Err(error),
            Ok(Err(Some(why))) => client.get_or_why(&older, INDEX_BYTES, &is_json)?.map_err(|_| why)?,
            Ok(Err(None)) | Err(_) => client.get_if_there(&older, INDEX_BYTES)?.ok_or_else(|| {
                Error::new(ErrorKind::NoEvidence, format!("there is no index of skills at {}", url.shown()))
                    .because(format!("nor at {}, where version 0.1.0 had it", older.shown()))
                    .hint("look at the address; nothing was closed or removed")
            })?,
        },
        None => client.get(url, INDEX_BYTES)?,
    };
    let index = serde_json::from_slice(&fetched.bytes).map_err(|error| no_index(&fetched.url, error))?;
    Ok((fetched.url, index))
}

fn no_index(url: &WebUrl, why: serde_json::Error) -> Error {
    Error::new(ErrorKind::NoEvidence, format!("{} is no index of skills", url.shown()))
        .because(why)
        .hint("look at the address; nothing was closed or removed")
}

struct Reader<'a> {
    client: &'a Client<'a>,
    base: WebUrl,
    limits: &'a Limits,
    store: Store,
    files: Files,
    listed: Listed,
    budget: Budget,
    failed: Vec<(RelPath, Error)>,
}

impl Reader<'_> {
    /// Notes that a skill is listed, and returns its path; none where its name breaks the specification.
    fn list(&mut self, entry: &Value) -> Option<RelPath> {
        let name = Named::deserialize(entry).map(|named| named.name).unwrap_or_default();
        let is_valid = name.is_ascii() && crate::skill::spec::name_is_valid(&name);
        let path = RelPath::parse(&name).ok().filter(|_| is_valid);
        let reject = |reason, message: &str| Some(Remark::new(one_line(&name, 80), reason, message));
        let remark = match &path {
            None => reject("name", "the index gives it a name that the specification does not allow"),
            Some(path) if self.listed.skills.contains(path) => reject("name_collision", "the index lists it twice"),
            Some(_) => None,
        };
        let is_new = remark.is_none();
        self.listed.rejected.extend(remark);
        let path = path.filter(|_| is_new)?;
        self.listed.skills.insert(path.clone());
        Some(path)
    }

    /// Version 0.2.0: one artifact with its digest. The cache is asked first, so what did not change is not fetched.
    fn take_artifact(&mut self, path: &RelPath, entry: Value) -> Result<()> {
        let entry: Artifact = serde_json::from_value(entry)
            .context(ErrorKind::Rejected, || "its entry in the index is not as version 0.2.0 says")?;
        let limit = match entry.r#type.as_str() {
            "skill-md" => self.limits.file_bytes + 1,
            "archive" => ARCHIVE_BYTES,
            other => {
                let other = one_line(other, 80);
                return Err(Error::new(
                    ErrorKind::Rejected,
                    format!("it is of the type `{other}`, which is not known"),
                ));
            }
        };
        if !is_digest(&entry.digest) {
            let digest = one_line(&entry.digest, 80);
            return Err(Error::new(ErrorKind::Rejected, format!("`{digest}` is no digest: sha256: and 64 digits")));
        }
        let url = self.base.join(&entry.url)?;
        let is_it = |bytes: &[u8]| archive::verify(bytes, &entry.digest, &url.shown());
        let bytes = self.client.get_checked(&url, limit, is_it)?;
        if entry.r#type == "skill-md" {
            return self.put(path, &RelPath::parse(SKILL_MD)?, &bytes);
        }
        let unpacked = archive::unpack(&bytes, self.limits, Top::Keep, &self.budget)?;
        if !unpacked.files.contains_key(&vec![SKILL_MD.into()]) {
            return Err(Error::new(ErrorKind::Rejected, format!("its archive has no {SKILL_MD} at its root")));
        }
        for (below, place) in unpacked.files {
            let id = self.store.copy_blob(&unpacked.store, place.id)?;
            self.files.insert([components(path), below].concat(), Place { id, ..place });
        }
        Ok(())
    }

    /// Version 0.1.0: the files of the skill's folder, one by one.
    fn take_loose(&mut self, path: &RelPath, entry: Value) -> Result<()> {
        let entry: Loose = serde_json::from_value(entry)
            .context(ErrorKind::Rejected, || "its entry in the index is not as version 0.1.0 says")?;
        if entry.files.len() as u64 > self.limits.skill_files {
            let most = self.limits.skill_files;
            return Err(Error::new(
                ErrorKind::Rejected,
                format!("it has more than {most} files (`limits.skill_files`)"),
            ));
        }
        let paths: Result<Vec<RelPath>> = entry.files.iter().map(|file| RelPath::parse(file)).collect();
        let paths = paths.context(ErrorKind::Rejected, || "a file of it cannot be used")?;
        if !paths.iter().any(|file| file.as_str() == SKILL_MD) {
            return Err(Error::new(ErrorKind::Rejected, format!("it lists no {SKILL_MD}")));
        }
        let sorted: BTreeSet<_> = paths.iter().map(components).collect();
        if let Some(path) = file_as_folder(sorted.iter()) {
            let path = one_line(&String::from_utf8_lossy(&path.join(&b'/')), 200);
            return Err(Error::new(ErrorKind::Rejected, format!("its file `{path}` is a folder too")));
        }
        let mut files = Vec::new();
        let mut total = 0;
        for file in paths {
            let parts: Vec<String> = path.components().chain(file.components()).map(escaped).collect();
            let url = self.base.join(&parts.join("/"))?;
            let Fetched { url: answered, bytes } = self.client.get(&url, self.limits.file_bytes)?;
            // No digest says that what comes from there is what the index means.
            if !answered.same_host(&url) {
                let message = format!("{} redirects to another host, {}", url.shown(), answered.shown());
                return Err(Error::new(ErrorKind::Rejected, message));
            }
            total += bytes.len() as u64;
            if total > self.limits.skill_bytes {
                return Err(Error::new(ErrorKind::Limit, "it is larger than `limits.skill_bytes` allows"));
            }
            files.push((file, bytes));
        }
        files.iter().try_for_each(|(file, bytes)| self.put(path, file, bytes))
    }

    fn put(&mut self, path: &RelPath, file: &RelPath, bytes: &[u8]) -> Result<()> {
        let id = self.store.write_blob(bytes)?;
        self.files.insert(components(&path.join_path(file)), Place { mode: Mode::File, id });
        Ok(())
    }

    /// Makes the snapshot, without the skills whose links lead out of them: the specification refuses their archives, and
    /// here they would lead into another skill.
    fn finish(mut self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::of_files(self.store, &self.files)?;
        let links = self.files.iter().filter(|(_, place)| place.mode == Mode::Link);
        let mut leading_out = Vec::new();
        for (path, _) in links {
            let (name, folder) = (&path[0], &path[..path.len() - 1]);
            let real = links::follow(&snapshot, folder, path.last().expect("a path has a name"))?;
            if real.is_ok_and(|real| real.path.first() != Some(name)) {
                leading_out.push(name.clone());
            }
        }
        if !leading_out.is_empty() {
            self.files.retain(|path, _| !leading_out.contains(&path[0]));
            for name in leading_out {
                let path = RelPath::parse(&String::from_utf8_lossy(&name))?;
                self.failed.push((path, Error::new(ErrorKind::Rejected, "a link in its archive leads out of it")));
            }
            snapshot.tree = tree_of(snapshot.store(), &self.files)?;
        }
        self.listed.rejected.extend(self.failed.iter().map(|(path, error)| Remark::of(path, error)));
        snapshot.listed = self.listed;
        Ok(snapshot)
    }
}

fn components(path: &RelPath) -> Vec<Vec<u8>> {
    path.components().map(|component| component.as_bytes().to_vec()).collect()
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
