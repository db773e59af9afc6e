use super::*;

/// What a spelling becomes, in one line: `git URL ref=R path=P skill=S`, `tree URL REST`, `path P`, and so on.
fn becomes(typed: &str) -> String {
    match parse(typed) {
        Err(error) => {
            assert!(error.hint_text().is_some(), "a refusal says what is understood: {typed}");
            format!("refused: {}", error.full_message())
        }
        Ok(Location::Git(git)) => {
            let mut text = format!("git {}", git.url);
            git.reference.iter().for_each(|reference| text.push_str(&format!(" ref={reference}")));
            git.path.iter().for_each(|path| text.push_str(&format!(" path={path}")));
            git.skill.iter().for_each(|skill| text.push_str(&format!(" skill={skill}")));
            text
        }
        Ok(Location::GitTree { url, rest }) => format!("tree {url} {rest}"),
        Ok(Location::Path(path)) => format!("path {path}"),
        Ok(Location::Bundle(path)) => format!("bundle {path}"),
        Ok(Location::ClawHub { owner, slug }) => format!("clawhub {} {slug}", owner.as_deref().unwrap_or("-")),
        Ok(Location::Index(url)) => format!("index {url}"),
    }
}

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn spellings_become_what_people_mean() {
    let pinned = format!("https://github.com/o/r/tree/{SHA}/skills/x");
    let at_the_pin = format!("git https://github.com/o/r ref={SHA} path=skills/x");
    let azure = "https://dev.azure.com/org/team%20x/_git/repo";
    for (typed, expected) in [
        // GitHub in short
        ("obra/superpowers", "git https://github.com/obra/superpowers"),
        ("obra/superpowers/", "git https://github.com/obra/superpowers"),
        ("obra/superpowers.git", "git https://github.com/obra/superpowers"),
        ("acme/tools/skills/ops", "git https://github.com/acme/tools path=skills/ops"),
        ("acme/tools@deploy", "git https://github.com/acme/tools skill=deploy"),
        ("acme/tools#v1.2", "git https://github.com/acme/tools ref=v1.2"),
        ("acme/tools#feature%2Fx", "git https://github.com/acme/tools ref=feature/x"),
        ("acme/tools#feature/x", "git https://github.com/acme/tools ref=feature/x"),
        ("acme/tools#v1@deploy", "git https://github.com/acme/tools ref=v1 skill=deploy"),
        ("acme/tools#@deploy", "git https://github.com/acme/tools skill=deploy"),
        ("acme/tools#pkg@1.2.0", "git https://github.com/acme/tools ref=pkg@1.2.0"),
        ("acme/tools#v1:skills/ops", "git https://github.com/acme/tools ref=v1 path=skills/ops"),
        ("acme/tools/skills#v1", "git https://github.com/acme/tools ref=v1 path=skills"),
        ("github:acme/tools#v1", "git https://github.com/acme/tools ref=v1"),
        ("gitlab:acme/a/b", "git https://gitlab.com/acme/a/b"),
        ("bitbucket:acme/tools", "git https://bitbucket.org/acme/tools"),
        // GitHub's addresses
        ("github.com/acme/tools", "git https://github.com/acme/tools"),
        ("www.github.com/acme/tools", "git https://www.github.com/acme/tools"),
        ("https://github.com/obra/superpowers", "git https://github.com/obra/superpowers"),
        ("HTTPS://github.com/obra/superpowers", "git https://github.com/obra/superpowers"),
        ("https://github.com/acme/tools.git#v2", "git https://github.com/acme/tools ref=v2"),
        ("https://github.com/acme/tools?tab=readme-ov-file#usage", "git https://github.com/acme/tools"),
        ("https://github.com/acme/tools#readme", "git https://github.com/acme/tools"),
        ("https://github.com/acme/tools/skills/ops", "git https://github.com/acme/tools path=skills/ops"),
        ("https://github.com/acme/tools/tree/main", "git https://github.com/acme/tools ref=main"),
        ("https://github.com/acme/tools/tree/main/skills", "tree https://github.com/acme/tools main/skills"),
        ("github.com/a/b/tree/feature/x/skills/ops", "tree https://github.com/a/b feature/x/skills/ops"),
        ("https://github.com/a/b/tree/HEAD/skills", "git https://github.com/a/b path=skills"),
        (&pinned, &at_the_pin),
        ("https://github.com/a/b/blob/main/skills/ops/SKILL.md", "tree https://github.com/a/b main/skills/ops"),
        ("https://github.com/a/b/blob/main/SKILL.md#L3", "git https://github.com/a/b ref=main"),
        ("https://github.com/a/b/blob/main/.claude-plugin/marketplace.json", "git https://github.com/a/b ref=main"),
        ("https://github.com/a/b/tree/main/my%20skills", "tree https://github.com/a/b main/my skills"),
        ("https://github.com/a/b/commit/0123abc", "git https://github.com/a/b ref=0123abc"),
        ("https://github.com/a/b/releases/tag/v1.0", "git https://github.com/a/b ref=v1.0"),
        ("https://raw.githubusercontent.com/a/b/main/skills/x/SKILL.md", "tree https://github.com/a/b main/skills/x"),
        ("https://raw.githubusercontent.com/a/b/refs/heads/main/x/SKILL.md", "tree https://github.com/a/b main/x"),
        ("https://ghe.acme.example/a/b/tree/main/skills", "tree https://ghe.acme.example/a/b main/skills"),
        ("https://github.com/a/b/blame/main/x/SKILL.md", "tree https://github.com/a/b main/x"),
        ("acme/tools/packages", "git https://github.com/acme/tools path=packages"),
        ("gh:acme/tools", "git https://github.com/acme/tools"),
        // GitLab
        ("https://gitlab.com/g/s/r/tree/main/x", "tree https://gitlab.com/g/s/r main/x"),
        ("https://gitlab.com/acme/a/b", "git https://gitlab.com/acme/a/b"),
        ("https://gitlab.com/acme/a/b/-/tree/main", "git https://gitlab.com/acme/a/b ref=main"),
        (
            "https://gitlab.com/acme/a/b/-/tree/main/skills?ref_type=heads",
            "tree https://gitlab.com/acme/a/b main/skills",
        ),
        ("https://git.acme.example/a/b/-/blob/v1/x/SKILL.md", "tree https://git.acme.example/a/b v1/x"),
        // Bitbucket, Azure DevOps, Forgejo, sourcehut
        ("https://bitbucket.org/acme/tools/src/main/skills/", "tree https://bitbucket.org/acme/tools main/skills"),
        (
            "https://bb.acme.example/projects/OPS/repos/tools/browse/skills?at=refs%2Fheads%2Fx%2Fy",
            "git https://bb.acme.example/scm/OPS/tools.git ref=x/y path=skills",
        ),
        (&format!("{azure}?path=/skills/ops&version=GBmain"), &format!("git {azure} ref=main path=skills/ops")),
        (&format!("{azure}?version=GTv1&path=%2F"), &format!("git {azure} ref=v1")),
        ("https://org@dev.azure.com/org/p/_git/r", "git https://org@dev.azure.com/org/p/_git/r"),
        ("https://codeberg.org/a/b/src/branch/main/skills", "tree https://codeberg.org/a/b main/skills"),
        ("https://git.acme.example/a/b/src/tag/v1", "git https://git.acme.example/a/b ref=v1"),
        (&format!("codeberg.org/a/b/src/commit/{SHA}/s"), &format!("git https://codeberg.org/a/b ref={SHA} path=s")),
        ("https://git.sr.ht/~me/b/tree/main/item/skills", "git https://git.sr.ht/~me/b ref=main path=skills"),
        ("https://codeberg.org/a/b/releases/tag/v1", "git https://codeberg.org/a/b ref=v1"),
        ("https://codeberg.org/a/b/commit/0123abc", "git https://codeberg.org/a/b ref=0123abc"),
        ("codeberg:a/b", "git https://codeberg.org/a/b"),
        ("https://bb.acme.example/users/a/repos/r/browse", "git https://bb.acme.example/scm/~a/r.git"),
        ("https://huggingface.co/o/r", "git https://huggingface.co/o/r"),
        ("https://huggingface.co/o/r/blob/main/SKILL.md", "git https://huggingface.co/o/r ref=main"),
        ("https://huggingface.co/spaces/o/r/tree/main/x", "tree https://huggingface.co/spaces/o/r main/x"),
        ("https://huggingface.co/spaces/o/r", "git https://huggingface.co/spaces/o/r"),
        // any git host
        ("git+https://example.com/a.git@v1.0", "git https://example.com/a.git ref=v1.0"),
        ("git+ssh://git@example.com/a.git@v1#subdirectory=x/y", "git ssh://git@example.com/a.git ref=v1 path=x/y"),
        ("git+https://example.com/a.git@v1#egg=a&subdirectory=x", "git https://example.com/a.git ref=v1 path=x"),
        ("acme/tools#subdirectory=x", "git https://github.com/acme/tools path=x"),
        ("git@[::1]:t/r.git", "git git@[::1]:t/r.git"),
        ("file:/srv/acme", "git file:///srv/acme"),
        ("https://example.com/a/B.Skills.git/", "git https://example.com/a/B.Skills.git/"),
        ("https://example.com:8443/skills", "git https://example.com:8443/skills"),
        ("git.example.com/team/skills", "git https://git.example.com/team/skills"),
        ("git+https://example.com/a.git#v1", "git https://example.com/a.git ref=v1"),
        ("http://example.com/a", "git http://example.com/a"),
        ("ssh://git@example.com:2222/x", "git ssh://git@example.com:2222/x"),
        ("git+ssh://git@example.com/x#v1", "git ssh://git@example.com/x ref=v1"),
        ("git@example.com:team/skills.git", "git git@example.com:team/skills.git"),
        ("git@github.com:a/b.git#main@deploy", "git git@github.com:a/b.git ref=main skill=deploy"),
        ("host:repo", "git host:repo"),
        ("file:///srv/acme.git", "git file:///srv/acme.git"),
        ("https://gіthub.com/a/b", "git https://gіthub.com/a/b"),
        // sites
        ("skills.sh/obra/superpowers/brainstorming", "git https://github.com/obra/superpowers skill=brainstorming"),
        ("https://www.skills.sh/obra/superpowers", "git https://github.com/obra/superpowers"),
        ("clawhub.ai/acme/deploy", "clawhub acme deploy"),
        ("https://clawhub.ai/acme/deploy", "clawhub acme deploy"),
        ("https://clawhub.ai/acme/skills/deploy", "clawhub acme deploy"),
        ("clawhub.ai/@acme/deploy", "clawhub acme deploy"),
        ("clawhub:@acme/deploy", "clawhub acme deploy"),
        ("clawhub:deploy", "clawhub - deploy"),
        ("clawhub:acme/deploy", "clawhub acme deploy"),
        ("https://acme.example", "index https://acme.example"),
        ("https://acme.example/", "index https://acme.example"),
        ("http://127.0.0.1:8080/", "index http://127.0.0.1:8080"),
        (
            "https://acme.example/.well-known/agent-skills/index.json",
            "index https://acme.example/.well-known/agent-skills/index.json",
        ),
        ("acme.example/docs/.well-known/skills", "index https://acme.example/docs/.well-known/skills"),
        // this disk
        ("../acme", "path ../acme"),
        ("./a:b", "path ./a:b"),
        ("./acme#1", "path ./acme#1"),
        ("/srv/acme/.git", "path /srv/acme/.git"),
        ("skills", "path skills"),
        (".", "path ."),
        ("C:\\skills", "path C:\\skills"),
        ("../acme.bundle", "bundle ../acme.bundle"),
        ("in/acme.bundle", "bundle in/acme.bundle"),
        ("file:///srv/acme.bundle", "bundle /srv/acme.bundle"),
    ] {
        assert_eq!(becomes(typed), expected, "{typed}");
    }
}

#[test]
fn what_would_run_a_program_leak_a_password_or_leave_its_place_is_refused() {
    for (typed, why) in [
        ("", "empty"),
        ("  ", "empty"),
        ("a/b\n", "control"),
        ("https://h/a\u{1b}[2J", "control"),
        ("--upload-pack=evil", "hyphen"),
        ("-oProxyCommand=x:y", "hyphen"),
        ("a@-oProxyCommand=x:y", "hyphen"),
        ("git@h:-x", "hyphen"),
        ("ssh://-oProxyCommand=x/y", "names no host"),
        ("ssh://a@-oProxyCommand=x/y", "names no host"),
        ("ext::sh -c evil", "remote helper"),
        ("fd::17/x", "remote helper"),
        ("ext::ssh://x", "scheme"),
        ("ftp://h/x", "scheme"),
        ("git://h/x", "unprotected"),
        ("https:///x", "names no host"),
        ("https://-h/x", "names no host"),
        ("file://", "scheme"),
        ("https://u:p@h/x", "password or token"),
        ("https://ghp_abc@github.com/a/b", "password or token"),
        ("git+https://u:p@h/x", "password or token"),
        ("https://github.com", "names no repository"),
        ("https://github.com/acme", "names no repository"),
        ("https://github.com/a/b/issues/3", "page about"),
        ("https://github.com/a/b/pull/7/files", "page about"),
        ("https://gitlab.com/a/b/-/merge_requests/3", "page about"),
        ("https://github.com/marketplace/x", "page of the site"),
        ("marketplace/x", "page of the site"),
        ("https://github.com/orgs/acme/repositories", "page of the site"),
        ("https://github.com/a/b/stargazers", "page about"),
        ("https://github.com/a/b/network", "page about"),
        ("https://github.com/a/b/network/dependencies", "page about"),
        ("https://github.com/a/b/labels/bug", "page about"),
        ("https://github.com/a/b/graphs/contributors", "page about"),
        ("https://github.com/a/b/zipball/main", "page about"),
        ("https://github.com/a/b/tarball/main", "page about"),
        ("https://github.com/a/b/packages", "page about"),
        ("https://github.com/a/b/projects/1", "page about"),
        ("https://github.com/a/b/archive/refs/heads/main.zip", "page about"),
        ("https://codeberg.org/a/b/issues", "page about"),
        ("https://codeberg.org/a/b/wiki/Home", "page about"),
        ("https://codeberg.org/a", "names no repository"),
        ("https://gitlab.com/a/b/commits/main", "page about"),
        ("https://bitbucket.org/a/b/pull-requests/1", "page about"),
        ("https://www.npmjs.com/package/@a/b", "is a package"),
        ("https://huggingface.co/o", "names no repository"),
        ("https://huggingface.co/spaces/o", "names no repository"),
        ("https://acme.example/skills.tar.gz", "is an archive"),
        ("https://acme.example/a/b/skills.zip", "is an archive"),
        ("https://docs.acme.example/SKILL.md", "is one file"),
        ("https://acme.example/.well-known/agent-skills/x/SKILL.md", "https://acme.example --skill NAME"),
        ("https://acme.example/.well-known/skills/x", "https://acme.example --skill NAME"),
        ("c:skills", "Windows drive"),
        ("file:srv/x", "no absolute path"),
        ("gh:a", "no owner and repository"),
        ("git+https://example.com/a.git@v1#v2", "ref after `@`"),
        ("git+https://example.com/a.git@-v1", "no branch"),
        ("a/b#subdirectory=../x", "folder that cannot be used"),
        ("https://github.com/a/b/blob/main/src/lib.py", "is a file"),
        ("https://github.com/../b/c", "`..`"),
        ("https://github.com/a/b/tree/main/../../x", "`..`"),
        ("https://github.com/a/b/tree/main/%2e%2e/x", "`..`"),
        ("https://github.com/a/b/tree/main/%252e%252e%252fx", "`..`"),
        ("https://github.com/a/b/tree/main/x%2F..%2Fy", "`..`"),
        ("https://github.com/a/b/tree/main/x%00", "disguise"),
        ("https://github.com/a/b/tree/main/x%5cy", "disguise"),
        ("https://github.com/a/b/tree/main/x%zz", "`%`"),
        ("https://github.com/a/b/tree/main/.git/hooks", "folder that cannot be used"),
        ("https://dev.azure.com/o/p/_git/r?path=/../x", "folder that cannot be used"),
        ("https://dev.azure.com/o/p/_git/r?version=XYx", "`version`"),
        ("https://h\\evil/x", "backslash"),
        ("https://h/a b", "space"),
        ("https://example.com/a?x=1", "`?`"),
        ("a\\b", "backslash"),
        ("a/b c", "space"),
        ("a/b/../c", "folder that cannot be used"),
        ("a/..", "no owner and repository"),
        ("@scope/pkg", "no owner and repository"),
        ("a/b@--x", "no skill"),
        ("a/b@*", "no skill"),
        ("a/b#", "empty ref"),
        ("a/b#semver:^1", "range"),
        ("a/b#-x", "no branch"),
        ("a/b#x..y", "no branch"),
        ("a/b#v1:../x", "folder that cannot be used"),
        ("npm:skills", "package"),
        ("clawhub:../x", "clawhub.ai"),
        ("clawhub.ai/x", "clawhub.ai"),
        ("https://clawhub.ai/skills/deploy", "<owner>/skills/<skill>"),
        ("https://clawhub.ai/plugins/x", "<owner>/skills/<skill>"),
        ("https://clawhub.ai/skill/x", "<owner>/skills/<skill>"),
        ("https://clawhub.ai/u/x", "<owner>/skills/<skill>"),
        ("https://clawhub.ai/acme/skills/deploy/settings", "<owner>/skills/<skill>"),
        ("clawhub:@@acme/deploy", "clawhub.ai"),
        ("clawhub:@deploy", "clawhub.ai"),
        ("skills.sh/obra", "skills.sh"),
        ("skills.sh/a/b/*", "no skill"),
    ] {
        let became = becomes(typed);
        assert!(became.starts_with("refused: ") && became.contains(why), "{typed:?}: {became}");
    }
}

#[test]
fn a_source_file_names_a_repository_and_nothing_besides() {
    let url = |text: &str| Ok::<_, ()>(Repository::Url(text.into()));
    for (written, expected) in [
        ("obra/superpowers", url("https://github.com/obra/superpowers")),
        ("https://example.com/a", url("https://example.com/a")),
        ("../up", Ok(Repository::Path("../up".into()))),
        ("vendored", Ok(Repository::Path("vendored".into()))),
        ("a/b/c", Err(())),
        ("a/b#v1", Err(())),
        ("../x.bundle", Err(())),
        ("https://acme.example", Err(())),
    ] {
        assert_eq!(parse_repository(written).map_err(|_| ()), expected, "{written}");
    }
}

#[test]
fn a_source_is_named_after_what_it_is() {
    for (typed, name) in [
        ("https://github.com/obra/superpowers", "superpowers"),
        ("https://example.com/a/B.Skills.git/", "b-skills"),
        ("git@example.com:team/skills.git", "team-skills"),
        ("anthropics/skills", "anthropics-skills"),
        ("https://example.com/skills", "skills"),
        ("ssh://git@example.com:2222/x", "x"),
        ("https://github.com/a/b/tree/main/skills/x", "b"),
        ("skills.sh/a/skills/x", "a-skills"),
        ("file:///srv/acme.git", "acme"),
        ("../acme", "acme"),
        ("./a:b", "b"),
        ("/srv/acme/.git", "acme"),
        ("../acme.bundle", "acme"),
        ("clawhub:deploy", "deploy"),
        ("https://docs.acme.example", "docs-acme-example"),
        ("skills", "skills"),
    ] {
        assert_eq!(default_name(&parse(typed).expect("understood")).expect("a name").as_str(), name, "{typed}");
    }
}

#[test]
fn a_path_that_may_have_been_meant_is_named() {
    for (typed, meant) in [
        ("obra/superpowers", Some("obra/superpowers")),
        ("a/b@x", Some("a/b")),
        ("gitlab.com/acme/a/b", Some("gitlab.com/acme/a/b")),
        ("https://github.com/a/b", None),
        ("git@h:a/b", None),
        ("../acme/skills", None),
        ("skills", None),
    ] {
        assert_eq!(path_meant(typed), meant, "{typed}");
    }
}
