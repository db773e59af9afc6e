//! Where a marketplace may point: not inside a private network, and to nothing unprotected, unless it is there itself.

use super::{Place, Shop};
use crate::source::http::{has_proxy, is_private_host};
use crate::source::location::{self, Repository as Written};
use crate::types::{Error, ErrorKind, Result, one_line};

impl Shop<'_> {
    /// Another repository that a marketplace names.
    pub(super) fn elsewhere(&self, url: &str) -> Result<Place> {
        let wrong = |why: &str| Error::new(ErrorKind::Rejected, format!("`{}` {why}", one_line(url, 200)));
        match location::parse_repository(url)? {
            Written::Path(_) => Err(wrong("is no URL of a repository")),
            Written::Url(named) if location::is_local(&named) && !self.is_local()? => {
                Err(wrong("is on this machine, where only a marketplace of this machine may point"))
            }
            Written::Url(named) => {
                let insecure = self.insecure_at(&named)?;
                self.refuse_inside(&named)?;
                Place::repository(url, insecure, self.registry)
            }
        }
    }

    /// Returns the host that the person typed: the marketplace's. What one on this machine names is as good as typed.
    pub(super) fn typed_host(&self, url: &str) -> Result<String> {
        Ok(match location::parse_repository(self.written)? {
            Written::Url(own) if !location::is_local(&own) => host(&own),
            _ => host(url),
        })
    }

    /// Refuses a repository that the marketplace names where its name leads inside, and the marketplace's own does not.
    /// git resolves it once more, so this is no proof; what is fetched in this process is looked at as it is connected.
    fn refuse_inside(&self, url: &str) -> Result<()> {
        let (own, named) = (self.typed_host(url)?, host(url));
        let is_asked = !self.access.offline && !has_proxy(self.access.environment, url);
        if named == own || !is_asked || !self.access.memo.is_inside(&named) || self.access.memo.is_inside(&own) {
            return Ok(());
        }
        Err(inside(url))
    }

    /// Tells whether an address that the marketplace names may be unencrypted: where the person has allowed that for the
    /// marketplace's own host, or the marketplace lies on this machine.
    ///
    /// # Errors
    /// Where the address is this machine or in a private network, and the marketplace is neither there nor here.
    pub(super) fn insecure_at(&self, url: &str) -> Result<bool> {
        match host(url) {
            named if named == self.typed_host(url)? => Ok(self.insecure),
            named if is_private_host(&named) => Err(inside(url)),
            _ => Ok(false),
        }
    }

    fn is_local(&self) -> Result<bool> {
        Ok(match location::parse_repository(self.written)? {
            Written::Path(_) => true,
            Written::Url(url) => location::is_local(&url),
        })
    }
}

fn inside(url: &str) -> Error {
    let url = one_line(&crate::git::redact(url), 200);
    let message =
        format!("`{url}` is on this machine or in a private network, where only a marketplace from there may point");
    Error::new(ErrorKind::Rejected, message)
}

/// The host that a URL of any kind names, or one as ssh writes it (`user@host:path`).
fn host(url: &str) -> String {
    let authority = match url.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => url.split('/').next().unwrap_or_default(),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    host[..end.unwrap_or(host.len())].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{Environment, Git};
    use crate::skill::Limits;
    use crate::source::{Access, FETCH_BYTES, Trust};
    use std::path::Path;

    #[test]
    fn a_marketplace_elsewhere_names_no_private_address_and_nothing_unprotected() {
        let environment = Environment(Default::default());
        let (git, trust) = (Git::new("git", &environment), Trust::in_folder(Path::new("none")));
        let access = Access {
            git: &git,
            environment: &environment,
            cache: Path::new("none"),
            trust: &trust,
            offline: true,
            dry_run: true,
            deadline: crate::source::DEADLINE,
            first_answer: crate::source::FIRST_ANSWER,
            max_bytes: FETCH_BYTES,
            now: 0,
            memo: Default::default(),
        };
        let limits = Limits::default();
        let shop = |written| Shop {
            access: &access,
            written,
            reference: None,
            insecure: true,
            registry: Path::new("none"),
            limits: &limits,
        };
        let named = |written, url| shop(written).insecure_at(url).map_err(|error| error.kind());
        let elsewhere = "https://market.example/m.git";
        assert_eq!(named(elsewhere, "http://other.example/a.tgz"), Ok(false));
        assert_eq!(named(elsewhere, "http://market.example:80/a.tgz"), Ok(true));
        for private in [
            "http://127.0.0.1:9/x",
            "https://u@169.254.169.254/x",
            "ssh://git@[fd00::1]:22/x",
            "git@10.0.0.1:x",
            "https://localhost?x",
        ] {
            assert_eq!(named(elsewhere, private), Err(ErrorKind::Rejected), "{private}");
            assert_eq!(named("../market", private), Ok(true), "{private}");
        }
        assert_eq!(named("http://127.0.0.1:8/m.git", "http://127.0.0.1:9/x"), Ok(true));
        // A name counts as what it resolves to, unless the marketplace is inside as well, or a proxy is asked.
        for (host, inside) in [("market.example", false), ("git.intranet.example", true), ("intranet.example", true)] {
            access.memo.leads_inside(host, inside);
        }
        let proxy = Environment([("https_proxy".into(), "http://proxy.example:3128".into())].into());
        let online = Access { offline: false, ..access.clone() };
        let proxied = Access { environment: &proxy, ..online.clone() };
        let refuses = |access, written| {
            let shop = Shop { access, ..shop(written) };
            shop.refuse_inside("https://intranet.example/x.git").is_err()
        };
        assert!(refuses(&online, elsewhere));
        assert!(!refuses(&online, "https://git.intranet.example/m.git") && !refuses(&online, "../market"));
        assert!(!refuses(&proxied, elsewhere) && !refuses(&access, elsewhere));
    }
}
