//! URLs that end up in committed files.

use super::{Error, ErrorKind, Result};

/// Beginnings of user names that are really access tokens.
const TOKENS: [&str; 8] = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "x-access-token", "oauth2", "gitea_"];

/// Refuses a URL that carries a password or a token: it would be committed for everyone to read.
pub fn refuse_credentials(url: &str) -> Result<()> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(()) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return Ok(()) };
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if user.contains(':') || is_web && TOKENS.iter().any(|token| user.starts_with(token)) {
        return Err(Error::new(ErrorKind::Usage, "the URL carries a password or token, which would be committed")
            .hint("leave it out and let git ask your credential helper: git help credentials"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_are_refused_and_user_names_are_not() {
        for bad in ["https://u:p@h/x", "https://ghp_abc@github.com/x", "ssh://git:pw@h/x"] {
            assert!(refuse_credentials(bad).is_err(), "{bad}");
        }
        for fine in ["https://h/x", "https://org@dev.azure.com/x", "ssh://git@h/x", "git@h:x", "../x", "https://h/a@b"]
        {
            assert!(refuse_credentials(fine).is_ok(), "{fine}");
        }
    }
}
