//! What web sources have answered: one file for each address, header and body together, so that one rename replaces
//! both and no reader ever sees half of it.

use super::Fetched;
use super::url::WebUrl;
use crate::types::{Context as _, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// An answer as it is kept.
pub struct Kept {
    /// What it said of itself.
    pub header: Header,
    /// The body.
    pub body: Vec<u8>,
}

/// What an answer said of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The address that was asked.
    pub url: String,
    /// The address that answered, after redirects.
    pub answered: String,
    /// How the server names this state.
    pub etag: Option<String>,
    /// When it last changed, in the server's words.
    pub last_modified: Option<String>,
    /// SHA-256 of the body: a file that a disk has damaged is not used.
    pub sha256: String,
}

fn path_of(cache: &Path, url: &WebUrl) -> PathBuf {
    let host = crate::types::SourceName::made_valid(url.host());
    let name = host.as_ref().map_or("host", |host| host.as_str());
    cache.join("http").join(format!("{name}-{}", &sha256(url.to_string().as_bytes())[..20]))
}

/// Returns what the address answered last; none where the cache does not have it, or not whole.
pub fn read(cache: &Path, url: &WebUrl) -> Option<Kept> {
    let bytes = std::fs::read(path_of(cache, url)).ok()?;
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let header: Header = serde_json::from_slice(&bytes[..end]).ok()?;
    let body = bytes[end + 1..].to_vec();
    let is_whole = header.url == url.to_string() && header.sha256 == sha256(&body);
    is_whole.then_some(Kept { header, body })
}

/// How long an answer is kept that nobody uses, and how often it is noted that one is used.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 3600);
const NOTED: Duration = Duration::from_secs(24 * 3600);

/// Notes that an answer is used. As good as it goes: it is a cache.
pub fn used(cache: &Path, url: &WebUrl, now: SystemTime) {
    let path = path_of(cache, url);
    let is_noted = path.metadata().and_then(|file| file.modified()).is_ok_and(|noted| noted + NOTED > now);
    if !is_noted && let Ok(file) = std::fs::File::options().append(true).open(path) {
        let _ = file.set_modified(now);
    }
}

/// Removes the answers that nobody has used for 90 days. As good as it goes: what cannot be removed stays.
pub fn prune(cache: &Path, now: SystemTime) {
    for entry in std::fs::read_dir(cache.join("http")).into_iter().flatten().flatten() {
        let used = entry.metadata().and_then(|file| file.modified());
        if used.is_ok_and(|used| used + UNUSED < now) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Keeps an answer.
pub fn write(cache: &Path, url: &WebUrl, header: &Header, body: &[u8]) -> Result<()> {
    let path = path_of(cache, url);
    let folder = path.parent().expect("it lies in the folder `http`");
    let failed = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(folder).context(ErrorKind::Io, failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).context(ErrorKind::Io, failed)?;
    let mut head = serde_json::to_vec(header).context(ErrorKind::Io, failed)?;
    head.push(b'\n');
    file.write_all(&head).and_then(|()| file.write_all(body)).context(ErrorKind::Io, failed)?;
    file.as_file().sync_all().context(ErrorKind::Io, failed)?;
    file.persist(&path).context(ErrorKind::Io, failed)?;
    Ok(())
}

impl Kept {
    /// Returns it as if it had been answered now.
    pub fn into_fetched(self) -> Result<Fetched> {
        // It was allowed when it was kept; whether it still is was decided by the address that is asked.
        Ok(Fetched { url: WebUrl::parse(&self.header.answered, true)?, bytes: self.body })
    }
}

/// Returns the SHA-256 of bytes, in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
