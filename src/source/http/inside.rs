//! Names that lead to this machine or into a private network. What a person typed may be there; what a document of the
//! internet names, or redirects to, may not, whatever its name resolves to.
//!
//! The addresses are looked at where the connection is made, so nobody can answer one thing here and another there. Where a
//! proxy of the user's is asked, it decides itself where it leads.

use super::url::is_private_address;
use std::net::ToSocketAddrs as _;
use std::sync::OnceLock;
use std::{fmt, io};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Resolves names, and refuses those that lead inside from outside.
#[derive(Debug)]
pub struct Guard<R = DefaultResolver> {
    /// The host that the person typed.
    own: String,
    /// Whether that is inside itself, as it resolved first: later it has no other choice.
    own_is_inside: OnceLock<bool>,
    resolver: R,
}

impl Guard {
    /// Returns the guard of a source whose host is `own`.
    pub fn of(own: &str) -> Self {
        Guard { own: own.to_owned(), own_is_inside: OnceLock::new(), resolver: DefaultResolver::default() }
    }
}

impl<R: Resolver> Guard<R> {
    fn own_is_inside(&self, config: &Config, timeout: NextTimeout) -> bool {
        *self.own_is_inside.get_or_init(|| {
            let own = Uri::builder().scheme("https").authority(self.own.as_str()).path_and_query("/").build();
            let found = own.ok().and_then(|own| self.resolver.resolve(&own, config, timeout).ok());
            found.is_some_and(|found| leads_inside(&found))
        })
    }
}

impl<R: Resolver> Resolver for Guard<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        if config.proxy().is_some_and(|proxy| !proxy.is_no_proxy(uri)) {
            return Ok(found);
        }
        let is_inside = leads_inside(&found);
        if uri.host().is_some_and(|host| host.eq_ignore_ascii_case(&self.own)) {
            let _ = self.own_is_inside.set(is_inside);
        }
        if is_inside && !self.own_is_inside(config, timeout) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, Inside).into());
        }
        Ok(found)
    }
}

fn leads_inside(found: &ResolvedSocketAddrs) -> bool {
    found.iter().any(|address| is_private_address(address.ip()))
}

/// Tells whether a host, without port, has an address of this machine or of a private network; one that has none at all
/// here leads nowhere.
pub fn resolves_inside(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host, 443).to_socket_addrs().is_ok_and(|mut found| found.any(|address| is_private_address(address.ip())))
}

/// Why a name was refused.
#[derive(Debug)]
struct Inside;

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its name has an address of this machine or of a private network")
    }
}

impl std::error::Error for Inside {}

/// Tells whether a request was refused by a [`Guard`].
pub fn was_refused(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Inside>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use ureq::{Agent, Proxy};

    /// What names resolve to, one answer after the other; the last one stays.
    #[derive(Debug)]
    struct Names(Vec<(&'static str, &'static str)>, std::sync::Mutex<usize>);

    impl Resolver for Names {
        fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut asked = self.1.lock().expect("one thread");
            *asked += 1;
            let known: Vec<_> = self.0.iter().filter(|(name, _)| Some(*name) == uri.host()).collect();
            let (_, address) = known.get(*asked - 1).or(known.last()).ok_or(ureq::Error::HostNotFound)?;
            let mut found = self.empty();
            found.push(SocketAddr::new(address.parse().expect("an address"), 443));
            Ok(found)
        }
    }

    fn asks(own: &str, names: &[(&'static str, &'static str)], hosts: &[&str], proxy: Option<Proxy>) -> Vec<bool> {
        let names = Names(names.to_vec(), Default::default());
        let guard = Guard { own: own.to_owned(), own_is_inside: OnceLock::new(), resolver: names };
        let config = Agent::config_builder().proxy(proxy).build();
        let ask = |host: &&str| {
            let uri = format!("https://{host}/x").parse().expect("an address");
            let answer = guard.resolve(&uri, &config, NextTimeout::default());
            assert!(answer.as_ref().err().is_none_or(was_refused), "{host}: {answer:?}");
            answer.is_ok()
        };
        hosts.iter().map(ask).collect()
    }

    #[test]
    fn a_name_of_the_internet_s_document_does_not_lead_inside() {
        let names = [
            ("site.example", "93.184.216.34"),
            ("cdn.example", "93.184.216.35"),
            ("intranet.example", "10.1.2.3"),
            ("metadata.example", "169.254.169.254"),
            ("six.example", "fd00::1"),
        ];
        let hosts = ["site.example", "cdn.example", "intranet.example", "metadata.example", "six.example"];
        assert_eq!(asks("site.example", &names, &hosts, None), [true, true, false, false, false]);
        // Also where the cache answered for the typed host, which is not asked at all.
        assert_eq!(asks("site.example", &names, &["intranet.example"], None), [false]);
        // Through the user's own proxy it is the proxy's affair, but not past it.
        let proxy =
            Proxy::builder(ureq::ProxyProtocol::Http).host("proxy.example").no_proxy("metadata.example").build();
        let asked = asks("site.example", &names, &["intranet.example", "metadata.example"], proxy.ok());
        assert_eq!(asked, [true, false]);
    }

    #[test]
    fn what_a_person_typed_may_be_inside_and_so_may_what_it_names() {
        let names =
            [("intranet.example", "10.1.2.3"), ("files.intranet.example", "10.1.2.4"), ("out.example", "8.8.8.8")];
        let hosts = ["intranet.example", "files.intranet.example", "out.example"];
        assert_eq!(asks("intranet.example", &names, &hosts, None), [true, true, true]);
        assert_eq!(asks("intranet.example", &names, &hosts[1..], None), [true, true]);
    }

    #[test]
    fn a_host_that_was_outside_does_not_move_inside() {
        let names = [("site.example", "93.184.216.34"), ("site.example", "127.0.0.1")];
        assert_eq!(asks("site.example", &names, &["site.example", "site.example"], None), [true, false]);
    }
}
