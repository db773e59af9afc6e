//! Writes new objects to disk: one pack with its index, or loose files.
//!
//! gix can write packs of objects it already has, but not deltas that the caller knows; ours are known for free (two
//! entries of a large tree changed), and writing them is what keeps a sync of a large registry small.
//! Formats: git's `gitformat-pack` (pack version 2, index version 2) and loose objects.

#![expect(clippy::disallowed_types, reason = "the store's pending objects; a pack's order is sorted first")]

use super::objects::{ObjectKind, Oid};
use super::recover::MARK;
use super::store::Pending;
use crate::types::{Context as _, Error, ErrorKind, Result};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::Path;

/// A copy of a base with one stretch replaced.
#[derive(Clone)]
pub(super) struct Delta {
    base_len: usize,
    prefix: usize,
    suffix: usize,
    middle: Vec<u8>,
}

impl Delta {
    /// Returns the delta that makes `target` of `base`.
    pub(super) fn between(base: &[u8], target: &[u8]) -> Self {
        let common = base.len().min(target.len());
        let prefix = common_prefix(base, target);
        let suffix = base[prefix..].iter().rev().zip(target[prefix..].iter().rev()).take_while(|(a, b)| a == b).count();
        let suffix = suffix.min(common - prefix);
        Delta { base_len: base.len(), prefix, suffix, middle: target[prefix..target.len() - suffix].to_vec() }
    }

    pub(super) fn apply(&self, base: &[u8]) -> Vec<u8> {
        let mut target = base[..self.prefix].to_vec();
        target.extend_from_slice(&self.middle);
        target.extend_from_slice(&base[self.base_len - self.suffix..]);
        target
    }

    fn target_len(&self) -> usize {
        self.prefix + self.middle.len() + self.suffix
    }

    /// Returns git's delta instructions.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.middle.len() + 48);
        write_varint(&mut out, self.base_len);
        write_varint(&mut out, self.target_len());
        write_copy(&mut out, 0, self.prefix);
        for chunk in self.middle.chunks(127) {
            out.push(u8::try_from(chunk.len()).expect("chunks have at most 127 bytes"));
            out.extend_from_slice(chunk);
        }
        write_copy(&mut out, self.base_len - self.suffix, self.suffix);
        out
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    // Whole blocks first: the trees are long and mostly equal.
    let blocks = a.chunks_exact(64).zip(b.chunks_exact(64)).take_while(|(a, b)| a == b).count() * 64;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

fn write_varint(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// One copy instruction takes at most 64 KiB in the formats that every git reads.
fn write_copy(out: &mut Vec<u8>, mut offset: usize, mut len: usize) {
    while len > 0 {
        let size = len.min(0x10000);
        let at = out.len();
        out.push(0x80);
        for (bit, byte) in (offset as u32).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                out[at] |= 1 << bit;
                out.push(byte);
            }
        }
        // A size of 65,536 is written as no size at all.
        for (bit, byte) in ((size & 0xffff) as u16).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                out[at] |= 0x10 << bit;
                out.push(byte);
            }
        }
        offset += size;
        len -= size;
    }
}

struct Packed {
    id: Oid,
    kind: ObjectKind,
    base: Option<Oid>,
    len: usize,
    body: Vec<u8>,
}

/// Writes `pending` as one pack into `dir` and syncs it; the index comes last, so that a pack is seen whole or not.
pub(super) fn write(
    dir: &Path,
    pending: &HashMap<Oid, Pending>,
    hash: gix::hash::Kind,
    find: impl Fn(Oid) -> Result<Option<(ObjectKind, Vec<u8>)>> + Sync,
) -> Result<()> {
    let io = |path: &Path| format!("cannot write {}", path.display());
    std::fs::create_dir_all(dir).context(ErrorKind::Io, || io(dir))?;
    let objects = compress(pending, find)?;
    let mut pack = Vec::with_capacity(objects.iter().map(|o| o.body.len() + 32).sum::<usize>() + 64);
    pack.extend_from_slice(b"PACK\0\0\0\x02");
    pack.extend_from_slice(&len_u32(objects.len())?.to_be_bytes());
    let mut index: BTreeMap<Oid, (usize, u32)> = BTreeMap::new();
    for object in &objects {
        let offset = pack.len();
        let code = match (object.base, object.kind) {
            (Some(_), _) => 6,
            (None, ObjectKind::Commit) => 1,
            (None, ObjectKind::Tree) => 2,
            (None, ObjectKind::Blob) => 3,
            (None, ObjectKind::Tag) => 4,
        };
        write_entry_header(&mut pack, code, object.len);
        if let Some(base) = object.base {
            write_offset(&mut pack, offset - index[&base].0);
        }
        pack.extend_from_slice(&object.body);
        index.insert(object.id, (offset, crc32fast::hash(&pack[offset..])));
    }
    let pack_hash = hash_of(&pack, hash)?;
    pack.extend_from_slice(pack_hash.0.as_slice());
    let index = index_bytes(&index, pack_hash, hash)?;
    for (bytes, extension) in [(&pack, "pack"), (&index, "idx")] {
        let path = dir.join(format!("pack-{pack_hash}.{extension}"));
        persist(dir, "tmp_pack_", bytes, &path)?;
    }
    sync_directory(dir)
}

/// Returns the objects, compressed, bases before the deltas upon them, in an order that does not depend on chance.
fn compress(
    pending: &HashMap<Oid, Pending>,
    find: impl Fn(Oid) -> Result<Option<(ObjectKind, Vec<u8>)>> + Sync,
) -> Result<Vec<Packed>> {
    let mut plan: Vec<(u8, Oid)> = Vec::with_capacity(pending.len());
    for (id, object) in pending {
        match object {
            Pending::Full { kind: ObjectKind::Commit, .. } => plan.push((0, *id)),
            Pending::Full { .. } => plan.push((1, *id)),
            Pending::Delta { base, .. } => {
                plan.push((2, *id));
                // A pack on disk is complete in itself: the base stands in it too.
                if !pending.contains_key(base) {
                    plan.push((1, *base));
                }
            }
        }
    }
    plan.sort_unstable();
    plan.dedup();
    let packed = plan.into_par_iter().map(|(_, id)| match pending.get(&id) {
        Some(Pending::Full { kind, data }) => {
            Ok(Packed { id, kind: *kind, base: None, len: data.len(), body: zlib(data) })
        }
        Some(Pending::Delta { base, delta }) => {
            let bytes = delta.to_bytes();
            Ok(Packed { id, kind: ObjectKind::Tree, base: Some(*base), len: bytes.len(), body: zlib(&bytes) })
        }
        None => {
            let found = find(id)?.ok_or_else(|| Error::new(ErrorKind::Git, format!("object {id} has vanished")))?;
            Ok(Packed { id, kind: found.0, base: None, len: found.1.len(), body: zlib(&found.1) })
        }
    });
    packed.collect()
}

fn write_entry_header(out: &mut Vec<u8>, code: u8, mut len: usize) {
    let mut byte = code << 4 | (len & 0xf) as u8;
    len >>= 4;
    while len > 0 {
        out.push(byte | 0x80);
        byte = (len & 0x7f) as u8;
        len >>= 7;
    }
    out.push(byte);
}

fn write_offset(out: &mut Vec<u8>, mut distance: usize) {
    let mut bytes = vec![(distance & 0x7f) as u8];
    distance >>= 7;
    while distance > 0 {
        distance -= 1;
        bytes.push(0x80 | (distance & 0x7f) as u8);
        distance >>= 7;
    }
    out.extend(bytes.into_iter().rev());
}

fn index_bytes(objects: &BTreeMap<Oid, (usize, u32)>, pack_hash: Oid, hash: gix::hash::Kind) -> Result<Vec<u8>> {
    let mut out = b"\xfftOc\0\0\0\x02".to_vec();
    let mut fan_out = [0u32; 256];
    for id in objects.keys() {
        fan_out[usize::from(id.0.as_slice()[0])] += 1;
    }
    let mut total = 0;
    for count in fan_out {
        total += count;
        out.extend_from_slice(&total.to_be_bytes());
    }
    objects.keys().for_each(|id| out.extend_from_slice(id.0.as_slice()));
    objects.values().for_each(|(_, crc)| out.extend_from_slice(&crc.to_be_bytes()));
    for (offset, _) in objects.values() {
        // The eighth bit of a 32-bit offset means "see the table of long offsets", which a pack of ours never needs.
        let offset = len_u32(*offset)?;
        if offset >= 1 << 31 {
            return Err(Error::new(ErrorKind::Limit, "one sync adds more than 2 GiB of objects"));
        }
        out.extend_from_slice(&offset.to_be_bytes());
    }
    out.extend_from_slice(pack_hash.0.as_slice());
    let own = hash_of(&out, hash)?;
    out.extend_from_slice(own.0.as_slice());
    Ok(out)
}

fn len_u32(n: usize) -> Result<u32> {
    u32::try_from(n).context(ErrorKind::Limit, || "one sync adds more than 4 GiB of objects")
}

fn hash_of(bytes: &[u8], kind: gix::hash::Kind) -> Result<Oid> {
    let mut hasher = gix::hash::hasher(kind);
    hasher.update(bytes);
    hasher.try_finalize().map(Oid).context(ErrorKind::Git, || "cannot hash a pack")
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(data.len() / 2 + 16), Compression::new(1));
    encoder.write_all(data).expect("writing to a Vec cannot fail");
    encoder.finish().expect("writing to a Vec cannot fail")
}

/// Writes one loose object below `objects` and syncs it.
pub(super) fn write_loose(objects: &Path, id: Oid, kind: ObjectKind, data: &[u8]) -> Result<()> {
    let hex = id.to_string();
    let dir = objects.join(&hex[..2]);
    let path = dir.join(&hex[2..]);
    if path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&dir).context(ErrorKind::Io, || format!("cannot create {}", dir.display()))?;
    let mut bytes = format!("{kind} {}\0", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    persist(&dir, "tmp_obj_", &zlib(&bytes), &path)
}

/// Writes a read-only file whole: a temporary one beside it (named so that `git gc` would sweep it up), sync, rename.
fn persist(dir: &Path, prefix: &str, bytes: &[u8], path: &Path) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(&format!("{prefix}{MARK}")).tempfile_in(dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        let mut permissions = file.as_file().metadata()?.permissions();
        set_read_only(&mut permissions);
        file.as_file().set_permissions(permissions)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().context(ErrorKind::Io, || format!("cannot write {}", path.display()))
}

/// Makes new names durable: a ref that names an object survives a power cut only together with it.
pub(super) fn sync_directory(dir: &Path) -> Result<()> {
    // Windows has no such call, and needs none.
    #[cfg(unix)]
    std::fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .context(ErrorKind::Io, || format!("cannot write {}", dir.display()))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Git's own mode for objects; `core.sharedRepository` may ask for more, and a server that shares a repository by
/// group sets it through the group's default permissions.
fn set_read_only(permissions: &mut std::fs::Permissions) {
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(false);
}
