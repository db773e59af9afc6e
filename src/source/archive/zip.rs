//! Zip archives: stored and deflated entries, nothing encrypted.

use super::{Collector, Counted, TARGET_BYTES, broken, refused, shown};
use crate::types::{Error, Result};
use std::io::{Cursor, Read as _};
use zip::ZipArchive;
use zip::result::ZipError;

/// The kinds of file in a Unix mode.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
/// The beginning of the record at the end, its least size, and where in it the number of entries stands (APPNOTE 4.3.16).
const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const END_COUNT: usize = 10;

/// Reads a zip archive, in the order of its directory.
pub(super) fn read(bytes: &[u8], collector: &mut Collector<'_>) -> Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    refuse_duplicates(bytes, archive.len())?;
    for index in 0..archive.len() {
        // What is encrypted, or packed in another way than those two, is an error here.
        let entry = archive.by_index(index).map_err(unreadable)?;
        let name = entry.name().map_err(unreadable)?.as_bytes().to_vec();
        let Some(path) = collector.enter(&name)? else { continue };
        let mode = entry.unix_mode().unwrap_or_default();
        match mode & KIND {
            _ if entry.is_dir() => {}
            FOLDER => {}
            0 | FILE => {
                let counted = Counted { inner: entry, left: collector.left };
                collector.file(path, mode & 0o100 != 0, counted)?;
            }
            LINK => {
                let mut target = Vec::new();
                entry.take(TARGET_BYTES + 1).read_to_end(&mut target).map_err(broken)?;
                collector.link(path, &target)?;
            }
            _ => return Err(refused(format!("{} is neither a file, nor a folder, nor a link", shown(&name)))),
        }
    }
    Ok(())
}

fn unreadable(error: ZipError) -> Error {
    refused("it is broken, encrypted, or packed in an unusual way").because(error)
}

/// The reader keeps the last of several entries of one name, and others keep the first: nobody could say which one people
/// have looked at.
fn refuse_duplicates(bytes: &[u8], different: usize) -> Result<()> {
    let start = bytes.len().saturating_sub(END_BYTES + usize::from(u16::MAX));
    let end = bytes[start..].windows(END.len()).rposition(|window| window == END).map(|at| start + at + END_COUNT);
    let count = end.and_then(|at| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    match count {
        // More than 65,534 entries are counted elsewhere.
        Some(u16::MAX) | None => Ok(()),
        Some(count) if usize::from(count) == different => Ok(()),
        Some(_) => Err(refused("it has a name twice")),
    }
}
