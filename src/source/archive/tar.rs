//! Tar archives, plain or from a decompressor.

use super::{Collector, Counted, broken, refused, shown};
use crate::types::Result;
use std::io::Read;
use tar::{Archive, EntryType};

/// Reads a tar archive: everything that is decompressed counts, also what is skipped.
pub(super) fn read(reader: impl Read, collector: &mut Collector<'_>) -> Result<()> {
    let counted = Counted { inner: reader, left: collector.left };
    let mut archive = Archive::new(counted);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let raw = entry.path_bytes().into_owned();
        let Some(path) = collector.enter(&raw)? else { continue };
        let target = entry.link_name_bytes().unwrap_or_default().into_owned();
        match kind {
            EntryType::Directory => {}
            // In old archives a directory is a file whose name ends with a slash.
            EntryType::Regular if raw.ends_with(b"/") => {}
            EntryType::Regular | EntryType::Continuous => {
                let executable = entry.header().mode().map_err(broken)? & 0o100 != 0;
                collector.file(path, executable, &mut entry)?;
            }
            EntryType::Symlink => collector.link(path, &target)?,
            EntryType::Link => collector.hard_link(path, &target)?,
            _ => return Err(refused(format!("{} is neither a file, nor a folder, nor a link", shown(&raw)))),
        }
    }
    Ok(())
}
