//! A web address, and what a reference in an index means relative to it (RFC 3986, section 5).

use crate::types::{Error, ErrorKind, Result, one_line, refuse_credentials};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest address, in bytes.
const LONGEST: usize = 4096;

/// An address that may be fetched: `https`, or `http` where the source says so. Without user, password and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebUrl {
    secure: bool,
    authority: String,
    /// Path and query; begins with `/`.
    rest: String,
}

impl WebUrl {
    /// Reads an absolute address; `insecure` allows `http`.
    pub fn parse(text: &str, insecure: bool) -> Result<Self> {
        let refuse = |why: &str| {
            let shown = one_line(&crate::git::redact(text), 200);
            Err(Error::new(ErrorKind::Config, format!("`{shown}` {why}")))
        };
        refuse_credentials(text)?;
        if text.len() > LONGEST || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
            return refuse("is no web address: it is too long, or has a space, a backslash or a control character");
        }
        let Some((scheme, after)) = text.split_once("://") else { return refuse("is no web address") };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" if insecure => false,
            "http" => {
                return refuse("is sent unprotected, so anybody on the way could change what your agents load")
                    .map_err(|error| {
                        error.hint(
                            "use https; or allow it: add with --insecure, or `insecure = true` in the source file",
                        )
                    });
            }
            _ => return refuse("has a scheme that is not fetched: only https is"),
        };
        let after = after.split('#').next().unwrap_or_default();
        let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        if authority.is_empty() || authority.starts_with(':') || authority.contains('@') || !authority.is_ascii() {
            return refuse("names no host, or a user");
        }
        if !authority.ends_with(']') && !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse("has a port that is no number");
        }
        let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
        let (path, query) = rest.split_once('?').map_or((rest.as_str(), None), |(path, query)| (path, Some(query)));
        let query = query.map_or(String::new(), |query| format!("?{}", encoded(query)));
        Ok(WebUrl { secure, authority: authority.to_ascii_lowercase(), rest: encoded(&without_dots(path)) + &query })
    }

    /// Returns the address that `reference` means on a page at this one. From https nothing leads to http, and nothing
    /// leads to another scheme.
    pub fn join(&self, reference: &str) -> Result<Self> {
        let scheme = reference.split_once(':').map(|(scheme, _)| scheme);
        let is_absolute = scheme.is_some_and(|scheme| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        });
        let own = if self.secure { "https" } else { "http" };
        let text = match reference {
            _ if is_absolute => reference.to_owned(),
            _ if reference.starts_with("//") => format!("{own}:{reference}"),
            _ if reference.starts_with('/') => format!("{own}://{}{reference}", self.authority),
            "" => return Ok(self.clone()),
            _ if reference.starts_with('#') => return Ok(self.clone()),
            _ if reference.starts_with('?') => format!("{own}://{}{}{reference}", self.authority, self.path()),
            _ => format!("{own}://{}{}{reference}", self.authority, self.folder()),
        };
        WebUrl::parse(&text, !self.secure)
    }

    /// Returns the path, without the query.
    pub fn path(&self) -> &str {
        self.rest.split('?').next().unwrap_or_default()
    }

    /// Returns the host, without the port.
    pub fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// Returns the address of a path (which begins with `/`) on the same host, also where the path begins with `//`.
    pub fn on_host(&self, path: &str) -> Result<Self> {
        let own = if self.secure { "https" } else { "http" };
        WebUrl::parse(&format!("{own}://{}{path}", self.authority), !self.secure)
    }

    /// Tells whether another address is served by the same host, at the same port.
    pub fn same_host(&self, other: &WebUrl) -> bool {
        self.authority == other.authority
    }

    /// Tells whether it is sent protected.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The path up to and with its last `/`.
    fn folder(&self) -> &str {
        let path = self.path();
        &path[..path.rfind('/').map_or(0, |at| at + 1)]
    }

    /// Returns the address as people may see it: without secrets in its query.
    pub fn shown(&self) -> String {
        one_line(&crate::git::redact(&self.to_string()), 300)
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.rest)
    }
}

/// Tells whether a host is this machine, or an address of a private network, written as a literal. A number that is no
/// plain address counts: systems read `127.1` and `0x7f000001` as one.
pub fn is_private_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    if last == "localhost" {
        return true;
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => is_private_address(address),
        Err(_) => host.starts_with('[') || last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// Tells whether an address is this machine's own, or one of a private network: also of the range that providers and
/// overlay networks share (RFC 6598).
pub fn is_private_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && second & 0xc0 == 64;
    address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified() || is_shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some_and(is_private_v4)
}

/// RFC 3986, section 5.2.4: no `.` and `..` is left.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for part in path.split('/').skip(1) {
        ends_in_folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    let end = if ends_in_folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

/// Escapes what may not stand in an address; what is escaped already stays.
fn encoded(text: &str) -> String {
    let fine =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}');
    text.bytes().map(|byte| if fine(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Escapes a value so that it is one part of a path or of a query.
pub fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    value.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_mean_what_rfc_3986_says() {
        // Section 5.4.1 and 5.4.2, with https for http and without fragments.
        let base = WebUrl::parse("https://a/b/c/d;p?q", false).expect("valid");
        for (reference, expected) in [
            ("g", "https://a/b/c/g"),
            ("./g", "https://a/b/c/g"),
            ("g/", "https://a/b/c/g/"),
            ("/g", "https://a/g"),
            ("//g", "https://g/"),
            ("?y", "https://a/b/c/d;p?y"),
            ("g?y", "https://a/b/c/g?y"),
            ("#s", "https://a/b/c/d;p?q"),
            ("g#s", "https://a/b/c/g"),
            (";x", "https://a/b/c/;x"),
            ("", "https://a/b/c/d;p?q"),
            (".", "https://a/b/c/"),
            ("./", "https://a/b/c/"),
            ("..", "https://a/b/"),
            ("../g", "https://a/b/g"),
            ("../..", "https://a/"),
            ("../../../g", "https://a/g"),
            ("/./g", "https://a/g"),
            ("g.", "https://a/b/c/g."),
            ("..g", "https://a/b/c/..g"),
            ("./g/.", "https://a/b/c/g/"),
            ("g;x=1/../y", "https://a/b/c/y"),
            ("g?y/../x", "https://a/b/c/g?y/../x"),
            ("https://cdn.example/x", "https://cdn.example/x"),
            ("a:b/c", "refused"),
            ("http://a/g", "refused"),
            ("file:///etc/passwd", "refused"),
            ("https://u@h/", "refused"),
            ("\\\\h\\x", "refused"),
        ] {
            let joined = base.join(reference).map_or("refused".into(), |url| url.to_string());
            assert_eq!(joined, expected, "{reference}");
        }
    }

    #[test]
    fn http_is_for_sources_that_say_so_and_may_lead_to_https() {
        assert!(WebUrl::parse("http://h/x", false).is_err());
        let base = WebUrl::parse("http://127.0.0.1:8080/x", true).expect("allowed");
        assert_eq!(base.join("https://h/y").expect("safer").to_string(), "https://h/y");
        assert_eq!((base.host(), base.is_secure()), ("127.0.0.1", false));
    }

    #[test]
    fn a_path_that_begins_with_two_slashes_stays_on_its_host() {
        let url = WebUrl::parse("https://good//evil/", false).expect("valid");
        assert_eq!(url.on_host("//evil/x").expect("valid").to_string(), "https://good//evil/x");
    }

    #[test]
    fn this_machine_and_private_networks_are_known_by_their_literal_addresses() {
        for private in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.9.9",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1.",
            "[fe80::1%25eth0]",
        ] {
            assert!(is_private_host(private), "{private}");
        }
        for public in ["example.com", "10.example.com", "172.32.0.1", "8.8.8.8", "[2606:4700::1]", "localhost.dev"] {
            assert!(!is_private_host(public), "{public}");
        }
    }

    #[test]
    fn what_may_not_stand_in_an_address_is_escaped() {
        let url = WebUrl::parse("https://h/ä/{x}?q=ü", false).expect("valid");
        assert_eq!(url.to_string(), "https://h/%C3%A4/%7Bx%7D?q=%C3%BC");
        assert_eq!(escaped("a/b c?d"), "a%2Fb%20c%3Fd");
    }
}
