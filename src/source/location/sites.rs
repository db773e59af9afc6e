//! Sites that list skills of others: skills.sh, whose skills are repositories of GitHub, and ClawHub.

use super::{Location, Parsed, skill_name};

/// First parts of ClawHub's addresses that are no owners (`src/routes` of openclaw/clawhub).
const CLAWHUB_PAGES: [&str; 26] = [
    "admin",
    "api",
    "audits",
    "cli",
    "dashboard",
    "docs",
    "import",
    "management",
    "orgs",
    "p",
    "packages",
    "plugins",
    "publish-plugin",
    "publish-skill",
    "publishers",
    "search",
    "settings",
    "skill",
    "skills",
    "souls",
    "stars",
    "u",
    "upload",
    "user",
    "users",
    "v1",
];
const CLAWHUB: &str = "is no skill of clawhub.ai: clawhub:<skill>, or clawhub.ai/<owner>/skills/<skill>";

/// What follows `clawhub:`: `slug`, `owner/slug`, or `@owner/slug` as ClawHub's own program has it.
pub(super) fn clawhub_name(name: &str) -> Parsed {
    match name.split_once('/') {
        Some((owner, slug)) => clawhub(Some(owner), slug),
        None => clawhub(None, name),
    }
}

/// The path of an address: `/<owner>/skills/<slug>` is the one that ClawHub shows, `/<owner>/<slug>` leads there.
pub(super) fn clawhub_page(path: &[&str]) -> Parsed {
    match path {
        [owner, ..] if CLAWHUB_PAGES.contains(owner) => Err(CLAWHUB.into()),
        [owner, "skills", slug] | [owner, slug] => clawhub(Some(owner), slug),
        _ => Err(CLAWHUB.into()),
    }
}

fn clawhub(owner: Option<&str>, slug: &str) -> Parsed {
    let owner = owner.map(|owner| owner.strip_prefix('@').unwrap_or(owner));
    let plain = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !text.is_empty() && text.len() <= 100 && text.bytes().all(fits) && text.as_bytes()[0].is_ascii_alphanumeric()
    };
    if !plain(slug) || !owner.is_none_or(plain) {
        return Err(CLAWHUB.into());
    }
    Ok(Location::ClawHub { owner: owner.map(str::to_owned), slug: slug.into() })
}

/// The path of an address: `/<owner>/<repo>/<skill>`.
pub(super) fn skills_sh(path: &[&str]) -> Parsed {
    let (owner, repo, skill) = match path {
        [owner, repo] => (owner, repo, None),
        [owner, repo, skill] => (owner, repo, Some(skill)),
        _ => return Err("is no skill of skills.sh: skills.sh/<owner>/<repo>/<skill>".into()),
    };
    let mut found = super::github(owner, repo)?;
    found.skill = skill.map(|skill| skill_name(skill)).transpose()?;
    Ok(found.into())
}
