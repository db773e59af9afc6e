//! A real HTTP server on loopback: it serves what a scenario puts up, and remembers what was asked.

use sha2::Digest as _;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum Page {
    /// A body, with an ETag of its own.
    Body(Vec<u8>),
    /// Somewhere else.
    Redirect(String),
    /// A bare status.
    Status(u16),
    /// Half of what it promises.
    Truncated(Vec<u8>),
    /// A body without end.
    Endless,
    /// No answer at all.
    Silent,
}

/// A server that lives as long as this value.
pub struct Server {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Returns a server without pages.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (pages, asked) = (Arc::<Mutex<BTreeMap<String, Page>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (served, noted) = (Arc::downgrade(&pages), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(pages) = served.upgrade() else { return };
                let noted = noted.clone();
                std::thread::spawn(move || answer(stream, &pages, &noted));
            }
        });
        Server { url, pages, asked }
    }

    /// Puts a page up.
    pub fn put(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.into(), page);
    }

    /// Puts a body up.
    pub fn body(&self, path: &str, bytes: impl AsRef<[u8]>) {
        self.put(path, Page::Body(bytes.as_ref().to_vec()));
    }

    /// Returns what was asked since the last call, as `path status`.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Returns the SHA-256 of bytes as an index writes it.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn answer(mut stream: TcpStream, pages: &Mutex<BTreeMap<String, Page>>, asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let page = pages.lock().unwrap().get(&path).cloned().unwrap_or(Page::Status(404));
    let known =
        headers.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("if-none-match: ").map(str::to_owned));
    let (status, head, body) = match page {
        Page::Body(bytes) => {
            let etag = format!("\"{}\"", &digest(&bytes)[7..23]);
            match known {
                Some(known) if known == etag => (304, format!("ETag: {etag}\r\n"), Vec::new()),
                _ => (200, format!("ETag: {etag}\r\nContent-Length: {}\r\n", bytes.len()), bytes),
            }
        }
        Page::Redirect(to) => (302, format!("Location: {to}\r\nContent-Length: 0\r\n"), Vec::new()),
        Page::Status(status) => (status, "Content-Length: 0\r\n".into(), Vec::new()),
        Page::Truncated(bytes) => (200, format!("Content-Length: {}\r\n", bytes.len() * 2), bytes),
        Page::Endless => (200, String::new(), Vec::new()),
        Page::Silent => (0, String::new(), Vec::new()),
    };
    asked.lock().unwrap().push(format!("{path} {status}"));
    if status == 0 {
        return std::thread::sleep(Duration::from_secs(30));
    }
    let head = format!("HTTP/1.1 {status} X\r\n{head}Connection: close\r\n\r\n");
    let mut written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    if status == 200 && !head.contains("Content-Length") {
        while written.is_ok() {
            written = stream.write_all(&[b'x'; 65536]);
        }
    }
}
