//! URLs that end up in committed files, where no credential may stand.

use super::{Error, ErrorKind, Result};

/// Beginnings of access tokens: of GitHub, GitLab, Bitbucket and Gitea.
const TOKENS: [&str; 15] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glcbt-",
    "glptt-",
    "glrt-",
    "gloas-",
    "ATBB",
    "ATCTT3",
    "gitea_",
];
/// User names that hosts ask for, each with a token as the password.
const ACCOUNTS: [&str; 5] = ["", "git", "oauth2", "x-access-token", "x-token-auth"];
/// Words in the names of query parameters that say that the value is a secret.
const SECRETS: [&str; 8] = ["token", "secret", "passw", "signature", "credential", "auth", "api_key", "apikey"];

/// Refuses a URL that carries a password or a token: it would be committed for everyone to read. Over http(s) each user name
/// may be a token but for those of [`ACCOUNTS`], and the owner's that begins the path, as Azure DevOps writes it.
///
/// # Errors
/// [`ErrorKind::Usage`], without the URL.
pub fn refuse_credentials(url: &str) -> Result<()> {
    let refused = |what: &str| {
        Err(Error::new(ErrorKind::Usage, format!("the URL carries {what}, which would be committed"))
            .hint("leave it out and let git ask your credential helper: git help credentials"))
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        // `host:path` of ssh; `user:password@host/path` is what somebody meant as a URL.
        let (before, after) = url.split_once(':').unwrap_or((url, ""));
        let authority = after.split_once('/').map_or("", |(authority, _)| authority);
        let is_pair = !before.contains(['@', '/']) && authority.find('@').is_some_and(|at| at > 0);
        let user = before.split('/').next().and_then(|host| host.split_once('@')).map_or("", |(user, _)| user);
        return if is_pair || is_token(user) { refused("a password or token") } else { Ok(()) };
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if query.split(['&', ';', '#']).any(|pair| pair.split_once('=').is_some_and(|(name, _)| is_secret(name))) {
        return refused("a token in its query");
    }
    let (authority, path) = place.split_once(['/', '#']).unwrap_or((place, ""));
    let Some((user, _)) = authority.rsplit_once('@') else { return Ok(()) };
    if user.contains(':') || is_token(user) {
        return refused("a password or token");
    }
    let is_web = ["https", "http", "git+https", "git+http"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let owner = path.split('/').next().unwrap_or_default();
    if is_web && !ACCOUNTS.contains(&user) && !user.eq_ignore_ascii_case(owner) {
        return refused("a user name that may be a token");
    }
    Ok(())
}

/// Tells whether a word begins as an access token does.
pub fn is_token(word: &str) -> bool {
    TOKENS.iter().any(|token| word.len() > token.len() && word.starts_with(token))
}

/// Tells whether a query parameter of this name has a secret for its value.
pub fn is_secret(name: &str) -> bool {
    let low = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| low.contains(word)) || matches!(low.as_str(), "key" | "sig" | "pwd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_are_refused_and_user_names_are_not() {
        for bad in [
            "https://u:p@h/x",
            "ssh://git:pw@h/x",
            "https://ghp_abc@github.com/x",
            "https://github_pat_11abc@github.com/a/b",
            "https://glpat-abc@gitlab.com/a/b",
            "https://0123456789abcdef0123456789abcdef01234567@github.com/a/b",
            "https://TOKEN@gitlab.example.com/a/b.git",
            "http://x9y8@h/a",
            "HTTPS://abc@h/a",
            "https://%67hp_abc@github.com/a/b",
            "git+https://abc@h/a",
            "https://alice@bitbucket.org/team/repo",
            "https://abc@h#main",
            "ssh://ghp_abc@github.com/a/b",
            "ghp_abc@github.com:a/b",
            "ghp_abc@github.com/a/b",
            "user:secret@github.com/a/b",
            "https://h/a?private_token=abc",
            "https://h/a?ref=main&access_token=abc#x",
        ] {
            assert!(refuse_credentials(bad).is_err(), "{bad}");
        }
        for fine in [
            "https://h/x",
            "https://org@dev.azure.com/org/p/_git/r",
            "https://git@h/x",
            "https://oauth2@gitlab.com/a/b",
            "ssh://git@h/x",
            "ssh://alice@h/x",
            "git@h:x",
            "alice@h:x/y",
            "../x",
            "../a@b/c",
            "https://h/a@b",
            "https://h/a?ref=main",
            "owner/repo@deploy",
            "github:owner/repo@deploy",
            "npm:@scope/pkg",
            "clawhub:gifgrep",
            "C:\\skills",
            "hf_tools/skills",
        ] {
            assert!(refuse_credentials(fine).is_ok(), "{fine}");
        }
    }
}
