//! Fetches over HTTP: the one place that does. https only, unless the source says otherwise.
//!
//! Unlike git traffic this is in-process. Nothing is sent but the address, our name and what the cache knows of it: no
//! cookie, no credential. Every request costs from one deadline and one number of bytes for the whole source.

mod cache;
mod inside;
mod url;

pub use cache::sha256;
pub use inside::resolves_inside;
pub use url::{WebUrl, escaped, is_private_host};

use super::Access;
use crate::git::Environment;
use crate::types::{Error, ErrorKind, Result};
use cache::{Header, Kept};
use inside::Guard;
use std::cell::Cell;
use std::io::Read as _;
use std::time::{Duration, Instant, SystemTime};
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};

/// How many redirects one address may lead through.
const REDIRECTS: usize = 5;
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(30);
/// The largest body, in bytes, whatever the caller allows.
const BODY: u64 = 256 << 20;
/// How much is read between two looks at ^C, in bytes.
const CHUNK: u64 = 1 << 20;
/// The name that we go by.
const USER_AGENT: &str = concat!("skillgraft/", env!("CARGO_PKG_VERSION"));

/// What an address answered.
#[derive(Debug)]
pub struct Fetched {
    /// The address after redirects: what references in the body are relative to.
    pub url: WebUrl,
    /// The body, as it was sent.
    pub bytes: Vec<u8>,
}

/// What says whether bytes are the wanted ones.
type Check<'c> = &'c dyn Fn(&[u8]) -> Result<()>;

/// Fetches for one source.
pub struct Client<'a> {
    access: &'a Access<'a>,
    /// The host that the person typed.
    own: String,
    agent: Agent,
    started: Instant,
    /// How many bytes may still come.
    left: Cell<u64>,
}

impl<'a> Client<'a> {
    /// Returns a client for a source whose deadline begins now. `own` is the host that the person typed: nothing leads from
    /// there to this machine or into a private network, unless it is there itself.
    pub fn new(access: &'a Access<'a>, own: &str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a time limit: it decides nothing but when to give up")]
        let started = Instant::now();
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder().tls_config(tls).user_agent(USER_AGENT).proxy(None).build();
        if !access.dry_run && !access.offline {
            access.memo.tidy_once(|| cache::prune(access.cache, now(access)));
        }
        let agent = Agent::with_parts(config, DefaultConnector::default(), Guard::of(own));
        Client { access, own: own.to_owned(), agent, started, left: Cell::new(access.max_bytes) }
    }

    /// Returns what stands at an address, at most `limit` bytes. What did not change since the last time is not sent
    /// again.
    ///
    /// # Errors
    /// [`ErrorKind::NoEvidence`] where the server has nothing there, [`ErrorKind::Network`] where it does not answer.
    pub fn get(&self, url: &WebUrl, limit: u64) -> Result<Fetched> {
        self.get_if_there(url, limit)?.ok_or_else(|| nothing_at(url))
    }

    /// As [`get`](Self::get); none where the server says that there is nothing (404 or 410).
    pub fn get_if_there(&self, url: &WebUrl, limit: u64) -> Result<Option<Fetched>> {
        self.ask(url, limit, &|_| Ok(()))
    }

    /// Returns what stands at an address, or what is kept of it, where `check` has nothing against it.
    fn ask(&self, url: &WebUrl, limit: u64, check: Check<'_>) -> Result<Option<Fetched>> {
        let kept = cache::read(self.access.cache, url);
        if self.access.offline {
            return self.keep(kept.ok_or_else(|| not_cached(url))?, check, url).map(Some);
        }
        self.request(url, kept, limit, check)
    }

    /// Returns what the cache has: it costs as much of what may come as if it came now.
    fn keep(&self, kept: Kept, check: Check<'_>, url: &WebUrl) -> Result<Fetched> {
        self.remaining(url)?;
        self.use_kept(&kept, url)?;
        check(&kept.body)?;
        kept.into_fetched()
    }

    /// Returns the bytes at an address of which `check` says that they are the wanted ones. What is wanted never changes,
    /// so where the cache has it nobody is asked.
    pub fn get_checked(&self, url: &WebUrl, limit: u64, check: impl Fn(&[u8]) -> Result<()>) -> Result<Vec<u8>> {
        self.remaining(url)?;
        if let Some(kept) = cache::read(self.access.cache, url).filter(|kept| check(&kept.body).is_ok()) {
            self.use_kept(&kept, url)?;
            return Ok(kept.body);
        }
        Ok(self.ask(url, limit, &check)?.ok_or_else(|| nothing_at(url))?.bytes)
    }

    /// Tells whether nobody may be asked.
    pub fn is_offline(&self) -> bool {
        self.access.offline
    }

    /// Tells whether the cache has an answer of this address.
    pub fn was_there(&self, url: &WebUrl) -> bool {
        cache::read(self.access.cache, url).is_some()
    }

    fn request(&self, url: &WebUrl, kept: Option<Kept>, limit: u64, check: Check<'_>) -> Result<Option<Fetched>> {
        let (at, mut response) = self.send(url, kept.as_ref().map(|kept| &kept.header))?;
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        match (response.status().as_u16(), kept) {
            (304, Some(kept)) => self.keep(kept, check, url).map(Some),
            (404 | 410, _) => Ok(None),
            (200, kept) => {
                let (etag, last_modified) = (header("etag"), header("last-modified"));
                let may_keep = header("cache-control").is_none_or(|said| !said.contains("no-store"));
                let bytes = self.body(&mut response, limit, url)?;
                check(&bytes)?;
                let (url_, answered, sha256) = (url.to_string(), at.to_string(), sha256(&bytes));
                let fresh = Header { url: url_, answered, etag, last_modified, sha256 };
                if may_keep && !self.access.dry_run && kept.is_none_or(|kept| kept.header != fresh) {
                    cache::write(self.access.cache, url, &fresh, &bytes)?;
                }
                Ok(Some(Fetched { url: at, bytes }))
            }
            (429, _) => Err(failed(url)
                .because("the server wants fewer requests (status 429)")
                .hint("try again later; nothing was closed or removed")),
            (status, _) => {
                let error = failed(url).because(format!("the server answered with status {status}"));
                Err(match status {
                    401 | 403 | 407 => {
                        error.hint("only what anybody may read is fetched; nothing was closed or removed")
                    }
                    500.. => error.hint("try again later; nothing was closed or removed"),
                    _ => error,
                })
            }
        }
    }

    /// Asks an address, and those that it redirects to.
    fn send(&self, url: &WebUrl, known: Option<&Header>) -> Result<(WebUrl, Response<Body>)> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS {
            let left = self.remaining(url)?;
            if at.host() != self.own && is_private_host(at.host()) {
                return Err(leads_inside(url, &at));
            }
            let mut request = self
                .agent
                .get(at.to_string())
                .config()
                .https_only(at.is_secure())
                .proxy(proxy(self.access.environment, &at)?)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                .timeout_connect(Some(CONNECT))
                .timeout_global(Some(left))
                .build();
            if let Some(known) = known {
                let etag = known.etag.as_ref().map(|etag| ("if-none-match", etag));
                let date = known.last_modified.as_ref().map(|date| ("if-modified-since", date));
                for (name, value) in etag.into_iter().chain(date) {
                    request = request.header(name, value);
                }
            }
            let response = request.call().map_err(|error| match inside::was_refused(&error) {
                true => leads_inside(url, &at),
                false => failed(url)
                    .because(said(&error))
                    .hint("look at the address, and at https_proxy if you need one; nothing was closed or removed"),
            })?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((at, response));
            }
            let location = response.headers().get("location").and_then(|location| location.to_str().ok());
            let location = location.ok_or_else(|| failed(url).because("it redirects to nowhere"))?;
            at = at.join(location).map_err(|error| failed(url).because(error.full_message()))?;
        }
        Err(failed(url).because(format!("it redirects more than {REDIRECTS} times")))
    }

    /// Reads a body whole: a byte over a limit is as good as a thousand.
    fn body(&self, response: &mut Response<Body>, limit: u64, url: &WebUrl) -> Result<Vec<u8>> {
        let limit = limit.min(BODY).min(self.left.get());
        let mut reader = response.body_mut().as_reader();
        let mut bytes = Vec::new();
        loop {
            self.access.git.check_cancelled()?;
            let before = bytes.len();
            let read = reader.by_ref().take(CHUNK.min(limit + 1 - before as u64)).read_to_end(&mut bytes);
            // What fails has cost as much as what does not.
            let came = (bytes.len() - before) as u64;
            self.left.set(self.left.get().saturating_sub(came));
            read.map_err(|error| failed(url).because(error))?;
            if bytes.len() as u64 > limit {
                let most = crate::skill::show_bytes(limit);
                return Err(Error::new(ErrorKind::Limit, format!("{} has more than {most}", url.shown())));
            }
            if bytes.len() == before {
                return Ok(bytes);
            }
        }
    }

    /// The time that is left, unless there is none or somebody pressed ^C.
    fn remaining(&self, url: &WebUrl) -> Result<Duration> {
        self.access.git.check_cancelled()?;
        let left = self.access.deadline.checked_sub(self.started.elapsed()).filter(|left| !left.is_zero());
        left.ok_or_else(|| failed(url).because(format!("the source did not answer within {:?}", self.access.deadline)))
    }

    fn use_kept(&self, kept: &Kept, url: &WebUrl) -> Result<()> {
        if !self.access.dry_run {
            cache::used(self.access.cache, url, now(self.access));
        }
        self.charge(kept.body.len() as u64, url)
    }

    fn charge(&self, bytes: u64, url: &WebUrl) -> Result<()> {
        let left = self.left.get().checked_sub(bytes).ok_or_else(|| {
            let most = crate::skill::show_bytes(self.access.max_bytes);
            Error::new(ErrorKind::Limit, format!("with {} the source has more than {most}", url.shown()))
        })?;
        self.left.set(left);
        Ok(())
    }
}

fn now(access: &Access<'_>) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(access.now).unwrap_or_default())
}

fn failed(url: &WebUrl) -> Error {
    Error::new(ErrorKind::Network, format!("cannot fetch {}", url.shown()))
}

/// What went wrong with a request, without the word that only says that it was the network.
fn said(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    crate::git::redact(&text)
}

fn leads_inside(url: &WebUrl, at: &WebUrl) -> Error {
    Error::new(ErrorKind::Rejected, format!("{} leads to this machine or into a private network", url.shown()))
        .because(format!("{} was not asked", at.shown()))
        .hint("only what your own source file names may be there; nothing was closed or removed")
}

fn nothing_at(url: &WebUrl) -> Error {
    Error::new(ErrorKind::NoEvidence, format!("there is nothing at {}", url.shown()))
        .hint("look at the address; nothing was closed or removed")
}

fn not_cached(url: &WebUrl) -> Error {
    Error::new(ErrorKind::Network, format!("{} is not in the cache", url.shown())).hint("run once without --offline")
}

/// Tells whether the user's own environment names a proxy for an address of the web: that resolves its name, and decides
/// where it leads. `no_proxy` is not looked at.
pub fn has_proxy(environment: &Environment, url: &str) -> bool {
    WebUrl::parse(url, true).is_ok_and(|at| !matches!(proxy(environment, &at), Ok(None)))
}

/// The user's own proxy for an address, from the variables that curl reads: `https_proxy` or `http_proxy`, `all_proxy`,
/// and `no_proxy`. `HTTP_PROXY` in capitals is what a CGI server sets from a request, so it counts for nothing.
///
/// # Errors
/// [`ErrorKind::Config`] for a proxy that cannot be read: to go around it is not what its user wants.
fn proxy(environment: &Environment, at: &WebUrl) -> Result<Option<Proxy>> {
    let get = |names: &[&str]| {
        let values = names.iter().filter_map(|name| environment.get(name)?.to_str());
        values.map(str::trim).find(|value| !value.is_empty())
    };
    let own: &[&str] = if at.is_secure() { &["https_proxy", "HTTPS_PROXY"] } else { &["http_proxy"] };
    let Some(text) = get(own).or_else(|| get(&["all_proxy", "ALL_PROXY"])) else { return Ok(None) };
    let wrong = || {
        // It may have a password, so it is not shown.
        Error::new(ErrorKind::Config, "the proxy that the environment names cannot be used")
            .hint("look at https_proxy, http_proxy and all_proxy: http://HOST:PORT")
    };
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let read = Proxy::new(&full).map_err(|_| wrong())?;
    let mut proxy = Proxy::builder(read.protocol()).host(read.host()).port(read.port());
    if let Some(user) = read.username() {
        proxy = proxy.username(user).password(read.password().unwrap_or_default());
    }
    let except = get(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    for host in except.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        proxy = proxy.no_proxy(host);
    }
    proxy.build().map(Some).map_err(|_| wrong())
}
