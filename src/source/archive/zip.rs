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
/// The beginning of a header in the directory, its least size, and where in it the lengths of name, extra field and comment
/// stand (APPNOTE 4.3.12).
const HEADER: [u8; 4] = *b"PK\x01\x02";
const HEADER_BYTES: usize = 46;
const HEADER_LENGTHS: [usize; 3] = [28, 30, 32];

/// Reads a zip archive, in the order of its directory.
pub(super) fn read(bytes: &[u8], collector: &mut Collector<'_>) -> Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let directory = usize::try_from(archive.central_directory_start()).unwrap_or(usize::MAX);
    refuse_duplicates(bytes.get(directory..).unwrap_or_default(), archive.len())?;
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
                let counted = Counted { inner: entry, left: collector.left };
                counted.take(TARGET_BYTES + 1).read_to_end(&mut target).map_err(broken)?;
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
/// have looked at. So the headers in the directory are counted; what the record at the end says of them may be a lie.
fn refuse_duplicates(mut directory: &[u8], different: usize) -> Result<()> {
    let mut count = 0;
    while directory.starts_with(&HEADER) && directory.len() >= HEADER_BYTES {
        let length = |at: usize| usize::from(u16::from_le_bytes([directory[at], directory[at + 1]]));
        let whole = HEADER_BYTES + HEADER_LENGTHS.map(length).iter().sum::<usize>();
        directory = directory.get(whole..).unwrap_or_default();
        count += 1;
    }
    if count == different { Ok(()) } else { Err(refused("it has a name twice")) }
}
