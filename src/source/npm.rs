//! A package of an npm registry: what marketplaces name as `npm`. The tarball's integrity is verified.
//!
//! No registry has a name here: the entry names one, or the user's own `NPM_CONFIG_REGISTRY` does.

use super::Access;
use super::archive::{self, Budget, Top, Unpacked};
use super::http::{Client, WebUrl, escaped};
use super::snapshot::Snapshot;
use crate::git::sha1;
use crate::skill::Limits;
use crate::types::{Context as _, Error, ErrorKind, Result, one_line};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::collections::BTreeMap;

/// The largest description of a package, in bytes: it lists every version.
const PACKUMENT_BYTES: u64 = 64 << 20;
/// The largest tarball, in bytes.
const TARBALL_BYTES: u64 = 256 << 20;

/// What a registry says of a package.
#[derive(Deserialize)]
struct Packument {
    #[serde(rename = "dist-tags", default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, Version>,
    #[serde(default)]
    time: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Version {
    dist: Dist,
}

#[derive(Deserialize)]
struct Dist {
    tarball: String,
    integrity: Option<String>,
    shasum: Option<String>,
}

/// Returns the state of a package at `version` (a version or a tag; none is `latest`). `registry` is the one that a
/// marketplace names, with the marketplace's host; none is the user's own.
///
/// # Errors
/// [`ErrorKind::Config`] where nobody names a registry, [`ErrorKind::Rejected`] where the tarball is not the one that the
/// registry describes.
pub fn observe(
    access: &Access<'_>,
    package: &str,
    version: Option<&str>,
    registry: Option<(&str, &str)>,
    insecure: bool,
    limits: &Limits,
) -> Result<Snapshot> {
    let own =
        ["npm_config_registry", "NPM_CONFIG_REGISTRY"].iter().find_map(|name| access.environment.get(name)?.to_str());
    let (registry, own) =
        registry.map(|(url, own)| (url, Some(own))).or(own.map(|url| (url, None))).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("`{}` is an npm package, and no registry is named", one_line(package, 120)),
            )
            .hint(
                "set NPM_CONFIG_REGISTRY to your npm registry's address, or let the marketplace's entry say `registry`",
            )
        })?;
    let base = WebUrl::parse(&format!("{}/", registry.trim_end_matches('/')), insecure)?;
    let url = base.join(&format!("./{}", path_of(package)?))?;
    let client = Client::new(access, own.unwrap_or(base.host()));
    let packument: Packument = serde_json::from_slice(&client.get(&url, PACKUMENT_BYTES)?.bytes)
        .context(ErrorKind::NoEvidence, || format!("{} describes no package", url.shown()))?;
    let wanted = version.unwrap_or("latest");
    let version = packument.tags.get(wanted).map_or(wanted, String::as_str);
    let found = packument.versions.get(version).ok_or_else(|| {
        let (package, wanted) = (one_line(package, 120), one_line(wanted, 80));
        Error::new(ErrorKind::NoEvidence, format!("the registry has no version `{wanted}` of `{package}`"))
            .hint("an exact version or a tag is needed; nothing was closed or removed")
    })?;
    let tarball = url.join(&found.dist.tarball)?;
    let is_it = |bytes: &[u8]| verify(bytes, &found.dist, &tarball.shown());
    let bytes = client.get_checked(&tarball, TARBALL_BYTES, is_it)?;
    let Unpacked { store, files } = archive::unpack(&bytes, limits, Top::Strip, &Budget::default())?;
    let date = packument.time.get(version).and_then(|time| time.parse::<jiff::Timestamp>().ok());
    Snapshot::of_files(store, &files)?.at_version(version, date.map(jiff::Timestamp::as_second))
}

/// The path of a package on its registry: `name`, or `@scope%2Fname`.
fn path_of(package: &str) -> Result<String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 214
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
    };
    let parts = package.strip_prefix('@').map(|scoped| scoped.split_once('/'));
    let is_valid = match parts {
        None => is_name(package),
        Some(parts) => parts.is_some_and(|(scope, name)| is_name(scope) && is_name(name)),
    };
    match is_valid {
        true if package.starts_with('@') => Ok(format!("@{}", escaped(&package[1..]))),
        true => Ok(package.to_owned()),
        false => {
            Err(Error::new(ErrorKind::Config, format!("`{}` is no name of an npm package", one_line(package, 120))))
        }
    }
}

/// Subresource integrity, the strongest hash that is stated; else the SHA-1 that old packages have.
fn verify(bytes: &[u8], dist: &Dist, name: &str) -> Result<()> {
    let stated: Vec<&str> = dist.integrity.iter().flat_map(|text| text.split_whitespace()).collect();
    let of = |prefix: &str| -> Vec<&str> { stated.iter().filter_map(|hash| hash.strip_prefix(prefix)).collect() };
    let hashes = [
        ("sha512-", BASE64_STANDARD.encode(Sha512::digest(bytes))),
        ("sha384-", BASE64_STANDARD.encode(Sha384::digest(bytes))),
        ("sha256-", BASE64_STANDARD.encode(Sha256::digest(bytes))),
    ];
    let (expected, actual) = match hashes.iter().find(|(prefix, _)| !of(prefix).is_empty()) {
        // Options may follow a question mark.
        Some((prefix, hash)) => {
            let all = of(prefix).into_iter().map(|hash| hash.split('?').next().unwrap_or_default());
            (all.map(|hash| format!("{prefix}{hash}")).collect(), format!("{prefix}{hash}"))
        }
        None => (dist.shasum.iter().cloned().collect::<Vec<_>>(), sha1(bytes)?),
    };
    match expected.as_slice() {
        [] => Err(Error::new(ErrorKind::Rejected, format!("the registry states no integrity of {name}"))),
        all if all.contains(&actual) => Ok(()),
        [first, ..] => {
            let first = one_line(first, 120);
            Err(Error::new(ErrorKind::Altered, format!("{name} has the integrity {actual}, not {first}"))
                .hint("it was changed on the registry or on the way; it was not used"))
        }
    }
}
