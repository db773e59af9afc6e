//! Addresses that look like a repository's and are none, as a table: what forges and sites use for their own pages.

type Either<T> = Result<T, String>;

const GITHUB: &[&str] = &["github.com"];
const FORGEJO: &[&str] = &["codeberg.org", "gitea.com"];
const ABOUT: &str = "is a page about a repository, not the repository or a folder of it";
const SITE: &str = "is a page of the site, no repository";

/// Addresses that are no repository.
struct Pages {
    /// Where; empty is everywhere.
    hosts: &'static [&'static str],
    /// Parts with `/` between them: `*` is any one, `a|b` one of these, `*.x` one that ends so, `**` whatever is left, also
    /// nothing.
    path: &'static str,
    /// What they are.
    are: &'static str,
}

/// The first row that fits counts.
const PAGES: [Pages; 13] = [
    Pages {
        hosts: GITHUB,
        path: "about|apps|collections|codespaces|dashboard|enterprise|explore|features|issues|login|marketplace|new|\
            notifications|organizations|orgs|pricing|pulls|search|settings|sponsors|stars|topics|trending|users/**",
        are: SITE,
    },
    Pages {
        hosts: GITHUB,
        path: "*/*/actions|activity|archive|attestations|branches|commits|community|compare|contributors|deployments|\
            discussions|find|forks|graphs|invitations|issues|labels|milestone|milestones|models|network|packages|projects|\
            pulls|pull|pulse|releases|security|settings|stargazers|tags|tarball|watchers|wiki|zipball/**",
        are: ABOUT,
    },
    Pages { hosts: FORGEJO, path: "explore|user|org|admin|api|assets|notifications|issues|pulls/**", are: SITE },
    Pages { hosts: FORGEJO, path: "*/*/*/**", are: ABOUT },
    Pages { hosts: &["gitlab.com"], path: "explore|dashboard|help|users|api|search/**", are: SITE },
    Pages { hosts: &["gitlab.com"], path: "*/*/**/blame|commits|find_file|refs|wikis/**", are: ABOUT },
    Pages { hosts: &["bitbucket.org"], path: "*/*/*/**", are: ABOUT },
    Pages {
        hosts: &["npmjs.com", "pypi.org", "hub.docker.com"],
        path: "**",
        are: "is a package; skillgraft reads packages where a marketplace names them: add MARKETPLACE --plugin NAME",
    },
    Pages {
        hosts: &["huggingface.co"],
        path: "docs|blog|papers|collections|settings|join|login|posts|api/**",
        are: SITE,
    },
    Pages { hosts: &["huggingface.co"], path: "*", are: "names no repository" },
    Pages { hosts: &["huggingface.co"], path: "datasets|spaces/*", are: "names no repository" },
    Pages {
        hosts: &[],
        path: "**/*.tar.gz|*.tgz|*.tar.xz|*.tar.bz2|*.tar.zst|*.tar|*.zip|*.skill|*.7z|*.bundle",
        are: "is an archive; download it and bring its skills in: skillgraft import --from FILE",
    },
    Pages {
        hosts: &[],
        path: "**/SKILL.md|skill.md|README.md|marketplace.json|plugin.json|index.json|llms.txt",
        are: "is one file, and no repository or index that could be followed; name the repository that has it",
    },
];

/// Refuses what the table knows.
pub(super) fn refuse(host: &str, path: &[&str]) -> Either<()> {
    let is_there = |pages: &&Pages| pages.hosts.is_empty() || pages.hosts.contains(&host);
    let mut rows = PAGES.iter().filter(is_there);
    let pages = rows.find(|pages| fits(&pages.path.split('/').collect::<Vec<_>>(), path));
    pages.map_or(Ok(()), |pages| Err(pages.are.into()))
}

/// Tells whether a pattern of the table fits a path.
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], path) => path.is_empty(),
        (["**", rest @ ..], path) => (0..=path.len()).any(|skipped| fits(rest, &path[skipped..])),
        ([one, rest @ ..], [part, parts @ ..]) => one.split('|').any(|word| is_word(word, part)) && fits(rest, parts),
        (_, []) => false,
    }
}

fn is_word(word: &str, part: &str) -> bool {
    match word.strip_prefix('*') {
        Some(ending) => part.ends_with(ending),
        None => word == part,
    }
}
