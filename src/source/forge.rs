//! Where forges show the difference of two commits. Pure; a host that is not known has no such page.

/// How one kind of forge writes the address.
struct Forge {
    /// Its public hosts.
    hosts: &'static [&'static str],
    /// How people name a host of their own: `gitlab.acme.example`.
    own: &'static str,
    /// What stands behind the repository's address; `{old}` and `{new}` are commits.
    compare: &'static str,
}

const FORGES: [Forge; 5] = [
    Forge { hosts: &["github.com"], own: "github.", compare: "/compare/{old}...{new}" },
    Forge { hosts: &["gitlab.com"], own: "gitlab.", compare: "/-/compare/{old}...{new}" },
    Forge { hosts: &["bitbucket.org"], own: "", compare: "/branches/compare/{new}..{old}" },
    Forge { hosts: &["codeberg.org", "gitea.com"], own: "forgejo.", compare: "/compare/{old}...{new}" },
    Forge {
        hosts: &["dev.azure.com"],
        own: "",
        compare: "/branchCompare?baseVersion=GC{old}&targetVersion=GC{new}&_a=files",
    },
];

/// Returns the page on which the forge behind a git URL shows what changed between two commits. None where the forge is
/// not known, the URL has unusual characters, or a revision is no commit's full id.
pub fn compare_url(git: &str, old: &str, new: &str) -> Option<String> {
    let is_id = |id: &str| matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (host, path) = repository(git).filter(|_| is_id(old) && is_id(new) && old != new)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    if !path.contains('/') || !path.bytes().chain(host.bytes()).all(plain) || path.split('/').any(|part| part == "..") {
        return None;
    }
    let is_own = |forge: &Forge| !forge.own.is_empty() && host.starts_with(forge.own);
    let forge = FORGES.iter().find(|forge| forge.hosts.contains(&host.as_str()) || is_own(forge));
    let forge = forge.or_else(|| FORGES.iter().find(|forge| forge.own == "forgejo." && host.starts_with("gitea.")))?;
    let page = forge.compare.replace("{old}", old).replace("{new}", new);
    Some(format!("https://{host}/{path}{page}"))
}

/// Returns the host and the path of a repository's page on the web.
fn repository(git: &str) -> Option<(String, String)> {
    let (host, path) = match git.split_once("://") {
        Some(("https" | "ssh" | "git+ssh", rest)) => rest.split_once('/')?,
        Some(_) => return None,
        None => git.split_once(':').filter(|(host, _)| !host.contains('/'))?,
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if host == "ssh.dev.azure.com" {
        let [organization, project, repository] = path.strip_prefix("v3/")?.split('/').collect::<Vec<_>>()[..] else {
            return None;
        };
        return Some(("dev.azure.com".into(), format!("{organization}/{project}/_git/{repository}")));
    }
    Some((host, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::compare_url;

    #[test]
    fn each_forge_has_its_own_page() {
        let (old, new) = ("a".repeat(40), "b".repeat(40));
        for (git, page) in [
            ("https://github.com/obra/superpowers", Some("https://github.com/obra/superpowers/compare/OLD...NEW")),
            ("git@github.com:obra/superpowers.git", Some("https://github.com/obra/superpowers/compare/OLD...NEW")),
            ("ssh://git@github.com:22/a/b.git", Some("https://github.com/a/b/compare/OLD...NEW")),
            ("https://GitLab.com/a/b/c.git/", Some("https://gitlab.com/a/b/c/-/compare/OLD...NEW")),
            ("https://gitlab.acme.example/a/b", Some("https://gitlab.acme.example/a/b/-/compare/OLD...NEW")),
            ("https://bitbucket.org/a/b", Some("https://bitbucket.org/a/b/branches/compare/NEW..OLD")),
            ("https://codeberg.org/a/b", Some("https://codeberg.org/a/b/compare/OLD...NEW")),
            ("https://gitea.acme.example/a/b", Some("https://gitea.acme.example/a/b/compare/OLD...NEW")),
            (
                "git@ssh.dev.azure.com:v3/org/project/repo",
                Some(
                    "https://dev.azure.com/org/project/_git/repo/branchCompare?baseVersion=GCOLD&targetVersion=GCNEW&_a=files",
                ),
            ),
            ("https://git.acme.example/a/b", None),
            ("https://github.com/a", None),
            ("https://github.com/a/b](https://evil.example)", None),
            ("https://github.com/a/../b", None),
            ("file:///srv/a/b", None),
            ("../upstream", None),
        ] {
            let page = page.map(|page| page.replace("OLD", &old).replace("NEW", &new));
            assert_eq!(compare_url(git, &old, &new), page, "{git}");
        }
        assert_eq!(compare_url("https://github.com/a/b", "main", &new), None);
        assert_eq!(compare_url("https://github.com/a/b", &new, &new), None);
    }
}
