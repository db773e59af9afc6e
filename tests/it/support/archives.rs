//! Archives, honest and hostile.

use std::io::Write as _;

/// An entry of an archive: its name, its content, and its kind (`f`ile, e`x`ecutable, sym`l`ink, `h`ard link, `d`irectory,
/// fi`p`o, char `c` device).
pub type Entry<'a> = (&'a str, &'a str, char);

/// Returns a plain tar. Names go in as they are, however bad.
pub fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content, kind) in entries {
        let mut header = tar::Header::new_ustar();
        let kind_of = match kind {
            'l' => tar::EntryType::Symlink,
            'h' => tar::EntryType::Link,
            'd' => tar::EntryType::Directory,
            'p' => tar::EntryType::Fifo,
            'c' => tar::EntryType::Char,
            _ => tar::EntryType::Regular,
        };
        header.set_entry_type(kind_of);
        header.set_mode(if *kind == 'x' { 0o755 } else { 0o644 });
        // The crate's own setter refuses what these tests need.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        let is_file = matches!(kind, 'f' | 'x');
        header.set_size(if is_file { content.len() as u64 } else { 0 });
        if matches!(kind, 'l' | 'h') {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_cksum();
        builder.append(&header, if is_file { content.as_bytes() } else { b"" }).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Returns a `.tar.gz`.
pub fn tar_gz(entries: &[Entry<'_>]) -> Vec<u8> {
    gzip(&tar(entries))
}

/// Returns bytes compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns a `.zip` of files, executables and symbolic links.
pub fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content, kind) in entries {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        if *kind == 'l' {
            writer.add_symlink(*name, *content, options).unwrap();
        } else {
            writer.start_file(*name, options.unix_permissions(if *kind == 'x' { 0o755 } else { 0o644 })).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}
