//! A program as a source: it serves skills over stdio, by MCP's skills extension (SEP-2640;
//! `specification/stable/skills.mdx` of modelcontextprotocol/ext-skills).
//!
//! The one source that runs something, so it runs only what a person of this machine has trusted ([`Trust`]), outside of
//! any repository, with the user's own environment but for git's. What it says is checked as what any upstream says: each
//! file against the digest and the size that its listing states. It has 60 seconds to its first answer, and ten minutes in all.
//! `tokio` is named in this folder only.

mod program;
mod trust;

pub use trust::Trust;

use super::assemble::Remark;
use super::snapshot::{Files, Listed, Snapshot};
use super::{Access, Selection};
use crate::git::{Mode, Place, Store};
use crate::skill::{Limits, SKILL_MD, frontmatter, show_bytes};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName, one_line};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use program::Program;
use rmcp::model::{
    GetSkillRequestParams, PaginatedRequestParams, ReadResourceRequestParams, ResourceContents, Skill, SkillResource,
    SkillResources,
};
use rmcp::{Peer, RoleClient, ServiceError};
use std::collections::BTreeSet;

/// How many skills a program may list, and in how many pages.
const SKILLS: usize = 10_000;
const PAGES: usize = 1_000;

/// Returns the present state of what a program serves.
///
/// # Errors
/// [`ErrorKind::Untrusted`] where nobody of this machine has said that it may run.
pub fn observe(
    access: &Access<'_>,
    command: &[String],
    selection: &Selection,
    source: &SourceName,
    limits: &Limits,
) -> Result<Snapshot> {
    if access.offline {
        return Err(Error::new(ErrorKind::Network, "a program is not asked offline").hint("run without --offline"));
    }
    access.trust.require(command, source)?;
    let mut program = Program::start(command, access)?;
    program.talk(async |peer| {
        let mut reader = Reader {
            peer,
            limits,
            store: Store::in_memory(false),
            files: Files::new(),
            listed: Listed::default(),
            seen: BTreeSet::new(),
        };
        let mut failure = None;
        for skill in list(peer).await? {
            let Some(path) = reader.list(&skill) else { continue };
            if !selection.selects(&path, source) {
                continue;
            }
            if let Err(error) = reader.take(&path, skill).await {
                reader.listed.rejected.push(Remark::of(&path, &error));
                failure.get_or_insert(error);
            }
        }
        match failure {
            // Nothing at all is no evidence of anything.
            Some(error) if reader.files.is_empty() => Err(error),
            _ => {
                let mut snapshot = Snapshot::of_files(reader.store, &reader.files)?;
                snapshot.listed = reader.listed;
                Ok(snapshot)
            }
        }
    })
}

/// Returns every entry of `skills/list`. A listing that breaks the specification is no evidence.
async fn list(peer: &Peer<RoleClient>) -> Result<Vec<Skill>> {
    let mut skills = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES {
        let page = peer.list_skills(Some(PaginatedRequestParams::default().with_cursor(cursor))).await;
        let page = page.map_err(|error| went_wrong("skills/list", &error))?;
        skills.extend(page.skills);
        if skills.len() > SKILLS {
            break;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(skills);
        }
    }
    Err(Error::new(
        ErrorKind::Limit,
        format!("the program lists more than {SKILLS} skills, or has more than {PAGES} pages"),
    ))
}

fn went_wrong(method: &str, error: &ServiceError) -> Error {
    let said = match error {
        ServiceError::McpError(error) => one_line(&error.message, 300),
        ServiceError::UnexpectedResponse => "its answer is not as the specification says".into(),
        other => one_line(&other.to_string(), 300),
    };
    Error::new(ErrorKind::NoEvidence, format!("the program does not answer `{method}`")).because(said)
}

struct Reader<'a> {
    peer: &'a Peer<RoleClient>,
    limits: &'a Limits,
    store: Store,
    files: Files,
    listed: Listed,
    seen: BTreeSet<RelPath>,
}

impl Reader<'_> {
    /// Notes that a skill is listed, and returns its path: what stands between the scheme and `/SKILL.md`.
    fn list(&mut self, skill: &Skill) -> Option<RelPath> {
        let folder = skill.uri.strip_suffix(SKILL_MD).and_then(|uri| uri.strip_suffix('/')).unwrap_or_default();
        let path = folder.split_once("://").or_else(|| folder.split_once(':')).and_then(|(_, path)| relative(path));
        let remark = match &path {
            None => Some(("path", "its address makes no path")),
            Some(path) if !self.seen.insert(path.clone()) => {
                Some(("name_collision", "another one stands at this path"))
            }
            Some(_) => None,
        };
        if let Some((reason, message)) = remark {
            self.listed.rejected.push(Remark::new(one_line(&skill.uri, 200), reason, message));
            return None;
        }
        self.listed.skills.extend(path.clone());
        path
    }

    /// Reads the files of a skill. One that changed between the listing and the reading is asked for once more.
    async fn take(&mut self, path: &RelPath, skill: Skill) -> Result<()> {
        let error = match self.read(path, &skill).await {
            Err(error) if error.kind() == ErrorKind::Rejected => error,
            done => return done,
        };
        match self.peer.get_skill(GetSkillRequestParams::new(&skill.uri)).await {
            Ok(again) if again.skill != skill => self.read(path, &again.skill).await,
            // The same entry again, or none: it is the content that is wrong.
            _ => Err(error),
        }
    }

    async fn read(&mut self, path: &RelPath, skill: &Skill) -> Result<()> {
        skill.validate().map_err(|error| rejected(one_line(&error.to_string(), 300)))?;
        let SkillResources::Files(resources) = &skill.resources else {
            return Err(rejected("it is made anew for every reader (`dynamic`), so no digest can prove it"));
        };
        if resources.len() as u64 > self.limits.skill_files {
            let most = self.limits.skill_files;
            return Err(Error::new(ErrorKind::Limit, format!("it has more than {most} files (`limits.skill_files`)")));
        }
        let total = resources.iter().fold(0, |sum: u64, resource| sum.saturating_add(resource.size));
        if total > self.limits.skill_bytes {
            let (has, most) = (show_bytes(total), show_bytes(self.limits.skill_bytes));
            return Err(Error::new(ErrorKind::Limit, format!("it has {has}; at most {most} (`limits.skill_bytes`)")));
        }
        let root = skill.uri.strip_suffix(SKILL_MD).expect("it was validated");
        let mut files = Files::new();
        for resource in resources {
            let name = resource.uri.strip_prefix(root).and_then(relative);
            let name = name.ok_or_else(|| rejected(format!("{} makes no path", one_line(&resource.uri, 200))))?;
            let bytes = self.content(resource).await?;
            if name.as_str() == SKILL_MD {
                same_frontmatter(&bytes, skill)?;
            }
            let components = path.join_path(&name).components().map(|part| part.as_bytes().to_vec()).collect();
            files.insert(components, Place { mode: Mode::File, id: self.store.write_blob(&bytes)? });
        }
        let is_folder_of =
            |above: &Vec<Vec<u8>>, below: &Vec<Vec<u8>>| below.len() > above.len() && below.starts_with(above);
        let all = || self.files.keys().chain(files.keys());
        if files.keys().any(|new| all().any(|other| is_folder_of(new, other) || is_folder_of(other, new))) {
            return Err(rejected("one of its files is a folder elsewhere"));
        }
        self.files.extend(files);
        Ok(())
    }

    /// Returns the bytes of a file, which are those that its entry promises.
    async fn content(&self, resource: &SkillResource) -> Result<Vec<u8>> {
        let read = self.peer.read_resource(ReadResourceRequestParams::new(&resource.uri)).await;
        let mut contents = read.map_err(|error| went_wrong("resources/read", &error))?.contents.into_iter();
        let bytes = match (contents.next(), contents.next()) {
            (Some(ResourceContents::TextResourceContents { text, .. }), None) => text.into_bytes(),
            (Some(ResourceContents::BlobResourceContents { blob, .. }), None) => BASE64_STANDARD
                .decode(blob)
                .context(ErrorKind::Rejected, || format!("{} is not base64", one_line(&resource.uri, 200)))?,
            _ => return Err(rejected(format!("{} is not one file", one_line(&resource.uri, 200)))),
        };
        resource.verify(&bytes).map_err(|error| rejected(one_line(&error.to_string(), 400)))?;
        Ok(bytes)
    }
}

fn rejected(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Rejected, why)
}

/// What people see of a skill in a listing is what the file says.
fn same_frontmatter(bytes: &[u8], skill: &Skill) -> Result<()> {
    let read = frontmatter::read(bytes);
    let same = |file: &Option<String>, listed: &str| file.as_deref().map(str::trim) == Some(listed.trim());
    if same(&read.name, &skill.frontmatter.name) && same(&read.description, &skill.frontmatter.description) {
        return Ok(());
    }
    Err(rejected("name or description in its SKILL.md are not those of the listing"))
}

/// Reads a path of an address, `%20` and the like undone.
fn relative(path: &str) -> Option<RelPath> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = std::str::from_utf8(after.get(..2)?).ok()?;
        let byte = u8::from_str_radix(hex, 16).ok().filter(|byte| *byte != b'/')?;
        bytes.push(byte);
        rest = &after[2..];
    }
    let path = RelPath::parse(std::str::from_utf8(&bytes).ok()?).ok()?;
    // `a//b` and `a/` name nothing that another address does not.
    (!path.is_root() && path.as_str().len() == bytes.len()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn an_address_makes_one_path_or_none() {
        for (path, expected) in [
            ("acme/billing/refunds", Some("acme/billing/refunds")),
            ("a%20b/%C3%A4", Some("a b/ä")),
            ("", None),
            ("a//b", None),
            ("a/", None),
            ("../a", None),
            ("a/%2e%2e/b", None),
            ("a%2Fb", None),
            ("a%", None),
            ("a%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(relative(path).as_ref().map(|path| path.as_str()), expected, "{path}");
        }
    }
}
