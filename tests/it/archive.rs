//! Archives, honest and hostile, read into memory.

use crate::support::World;
use crate::support::archives::{Entry, gzip, tar, tar_gz, zip};
use crate::support::http::{Page, Server, digest};
use crate::support::reach::Reach;
use skillgraft::git::Mode;
use skillgraft::skill::Limits;
use skillgraft::source::DEADLINE;
use skillgraft::source::archive::{Budget, Top, Unpacked, observe, unpack};
use skillgraft::types::{ErrorKind, Result};
use std::io::Write as _;

fn read(bytes: &[u8], top: Top) -> Result<Unpacked> {
    unpack(bytes, &Limits::default(), top, &Budget::default())
}

/// The files as `mode path content`.
fn shown(bytes: &[u8], top: Top) -> Vec<String> {
    let unpacked = read(bytes, top).unwrap();
    let files = unpacked.files.iter().map(|(path, place)| {
        let content = String::from_utf8(unpacked.store.blob(place.id).unwrap()).unwrap();
        let path = String::from_utf8(path.join(&b'/')).unwrap();
        format!("{:?} {path} {content}", place.mode)
    });
    files.collect()
}

#[track_caller]
fn refused(bytes: &[u8], why: &str) {
    let error = read(bytes, Top::Keep).err().unwrap();
    assert!(error.full_message().contains(why), "{}", error.full_message());
}

const HONEST: [Entry<'static>; 4] =
    [("./", "", 'd'), ("./SKILL.md", "text", 'f'), ("run.sh", "#!", 'x'), ("a/link.md", "../SKILL.md", 'l')];

#[test]
fn every_kind_gives_the_same_files() {
    let expected = ["File SKILL.md text", "Link a/link.md ../SKILL.md", "Executable run.sh #!"];
    assert_eq!(shown(&tar(&HONEST), Top::Keep), expected);
    assert_eq!(shown(&tar_gz(&HONEST), Top::Keep), expected);
    let files: Vec<_> = HONEST.iter().filter(|entry| entry.2 != 'd').copied().collect();
    assert_eq!(shown(&zip(&files), Top::Keep), expected);
}

#[test]
fn paths_that_lead_out_of_an_archive_refuse_it() {
    for name in ["../x", "a/../../x", "/etc/x", "C:x", "c:/x", "a\\b", "..\\x", "a/..", "\\\\host\\x"] {
        let entries = [("SKILL.md", "text", 'f'), (name, "evil", 'f')];
        for bytes in [tar(&entries), tar_gz(&entries), zip(&entries)] {
            let error = read(&bytes, Top::Keep).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Rejected, "{name}: {}", error.full_message());
            assert!(error.to_string().contains("the path"), "{name}: {}", error.full_message());
        }
        refused(
            &tar(&[("SKILL.md", "text", 'f'), ("x", name, 'h')]),
            if name == "C:x" { "is absolute" } else { "the path" },
        );
    }
}

#[test]
fn what_is_no_file_and_what_stands_twice_is_refused() {
    refused(&tar(&[("fifo", "", 'p')]), "neither a file, nor a folder, nor a link");
    refused(&tar(&[("null", "", 'c')]), "neither a file, nor a folder, nor a link");
    refused(&tar(&[("a", "1", 'f'), ("./a", "2", 'f')]), "it has a twice");
    refused(&tar(&[("a", "1", 'f'), ("a/b", "2", 'f')]), "a is a file and a folder");
    refused(&tar(&[("a", "1", 'l'), ("a/b", "2", 'f')]), "a is a file and a folder");
    refused(&tar(&[("a", "later", 'h'), ("later", "1", 'f')]), "which is not in it");
    refused(&tar(&[("a", "", 'l')]), "leads nowhere");
    assert_eq!(shown(&tar(&[("a", "1", 'x'), ("b", "./a", 'h')]), Top::Keep), ["Executable a 1", "Executable b 1"]);
    refused(b"hello", "neither .tar, nor .tar.gz, nor .zip");
    refused(&tar_gz(&HONEST)[..60], "it is broken");
    refused(&zip(&HONEST[1..])[..60], "it is broken, encrypted");
}

#[test]
fn a_path_that_is_too_long_or_too_deep_refuses_its_archive() {
    let (long, deep) = ("x".repeat(4097), "a/".repeat(64) + "x");
    for name in [long.as_str(), deep.as_str()] {
        refused(&zip(&[(name, "", 'f')]), "has more than 4096 bytes or 64 components");
    }
    assert_eq!(shown(&zip(&[(&"a/".repeat(63), "", 'd'), (&("a/".repeat(63) + "x"), "", 'f')]), Top::Keep).len(), 1);
}

#[test]
fn a_zip_with_a_name_twice_is_refused() {
    let mut bytes = zip(&[("aaaa", "first", 'f'), ("bbbb", "second", 'f')]);
    while let Some(at) = bytes.windows(4).position(|window| window == b"bbbb") {
        bytes[at..at + 4].copy_from_slice(b"aaaa");
    }
    refused(&bytes, "twice");
}

#[test]
fn a_name_twice_is_seen_whatever_the_record_at_the_end_says() {
    let mut bytes = zip(&[("aaaa", "first", 'f'), ("bbbb", "second", 'f')]);
    while let Some(at) = bytes.windows(4).position(|window| window == b"bbbb") {
        bytes[at..at + 4].copy_from_slice(b"aaaa");
    }
    // A comment that looks like another record, which counts one entry.
    let end = bytes.len() - 22;
    let mut fake = bytes[end..].to_vec();
    (fake[8], fake[10]) = (1, 1);
    bytes[end + 20] = 22;
    refused(&[bytes.clone(), fake].concat(), "twice");
    bytes[end + 20] = 0;
    (bytes[end + 8], bytes[end + 10]) = (1, 1);
    refused(&bytes, "twice");
}

#[test]
fn an_archive_that_fails_costs_as_much_of_the_budget_as_one_that_does_not() {
    let large = "0".repeat(60 << 20);
    let bad = tar_gz(&[("a", &large, 'f'), ("a", "", 'f')]);
    let budget = Budget::default();
    let kinds: Vec<_> = std::iter::repeat_with(|| unpack(&bad, &Limits::default(), Top::Keep, &budget).err().unwrap())
        .take(20)
        .map(|error| error.kind())
        .collect();
    assert_eq!((kinds[0], kinds[19]), (ErrorKind::Rejected, ErrorKind::Limit));
}

#[test]
fn what_the_cache_has_costs_time_and_bytes_too() {
    let (world, server) = (World::new(), Server::start());
    let bytes = tar_gz(&[("SKILL.md", "text", 'f')]);
    server.body("/a.tar.gz", &bytes);
    let (url, reach, right) = (format!("{}/a.tar.gz", server.url), Reach::from(&world, &[]), digest(&bytes));
    let get = |access| observe(&access, &url, "127.0.0.1", Some(&right), true, &Limits::default()).map(drop);
    get(reach.access(DEADLINE)).unwrap();
    let late = get(reach.access(std::time::Duration::ZERO)).err().unwrap();
    assert!(late.full_message().contains("did not answer within"), "{}", late.full_message());
    let mut small = reach.access(DEADLINE);
    small.max_bytes = bytes.len() as u64 - 1;
    assert_eq!(get(small).err().unwrap().kind(), ErrorKind::Limit);
}

#[test]
fn no_body_is_larger_than_256_mib() {
    let (world, server) = (World::new(), Server::start());
    server.put("/a.tar.gz", Page::Endless);
    let (url, reach) = (format!("{}/a.tar.gz", server.url), Reach::from(&world, &[]));
    let error = observe(&reach.access(DEADLINE), &url, "127.0.0.1", None, true, &Limits::default()).err().unwrap();
    assert!(error.to_string().contains("has more than 256.0 MiB"), "{error}");
}

#[test]
fn a_bomb_is_ended_before_it_has_unpacked() {
    let small = gzip(&gzip(&vec![0; 1 << 20]));
    assert!(read(&small, Top::Keep).is_err(), "an archive in an archive is no tar");
    // 200 MiB in entries of which only the beginning would be kept: what is skipped counts too.
    let large = "0".repeat(20 << 20);
    let names: Vec<String> = (0..10).map(|number| format!("f{number}")).collect();
    let entries: Vec<Entry<'_>> = names.iter().map(|name| (name.as_str(), large.as_str(), 'f')).collect();
    for bytes in [tar_gz(&entries), zip(&entries)] {
        assert!(bytes.len() < 1 << 20);
        let error = read(&bytes, Top::Keep).err().unwrap();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Limit, "the archive unpacks to more than 64.0 MiB".into())
        );
    }
}

#[test]
fn too_many_entries_are_refused() {
    let names: Vec<String> = (0..100_001).map(|number| number.to_string()).collect();
    let entries: Vec<Entry<'_>> = names.iter().map(|name| (name.as_str(), "", 'f')).collect();
    let error = read(&tar_gz(&entries), Top::Keep).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn one_byte_more_than_a_file_may_have_is_kept_so_that_the_limit_is_seen() {
    let limits = Limits { file_bytes: 10, ..Limits::default() };
    let unpacked = unpack(&tar(&[("a", &"x".repeat(100), 'f')]), &limits, Top::Keep, &Budget::default()).unwrap();
    let place = unpacked.files.values().next().unwrap();
    assert_eq!((place.mode, unpacked.store.blob(place.id).unwrap().len()), (Mode::File, 11));
}

#[test]
fn a_directory_that_only_wraps_goes_and_one_that_means_something_stays() {
    let only = |entries: &[Entry<'_>], top| {
        let files = read(&tar(entries), top).unwrap().files;
        files.into_keys().map(|path| String::from_utf8(path.join(&b'/')).unwrap()).collect::<Vec<_>>()
    };
    let forge = [("repo-1.4.0/README.md", "", 'f'), ("repo-1.4.0/skills/a/SKILL.md", "", 'f')];
    assert_eq!(only(&forge, Top::Unwrap), ["README.md", "skills/a/SKILL.md"]);
    assert_eq!(only(&forge, Top::Keep), ["repo-1.4.0/README.md", "repo-1.4.0/skills/a/SKILL.md"]);
    for stays in [
        &[("skills/a/SKILL.md", "", 'f')][..],
        &[(".claude/skills/a/SKILL.md", "", 'f')],
        &[("deploy/SKILL.md", "", 'f'), ("deploy/a", "", 'f')],
        &[("a/x", "", 'f'), ("b/y", "", 'f')],
        &[("a/x", "", 'f'), ("y", "", 'f')],
    ] {
        let names: Vec<_> = stays.iter().map(|entry| entry.0).collect();
        assert_eq!(only(stays, Top::Unwrap), names);
    }
    let npm = [("package/a", "", 'f'), ("other/b", "", 'f'), ("c", "", 'f')];
    assert_eq!(only(&npm, Top::Strip), ["a", "b"]);
    let twice = read(&tar(&[("package/a", "1", 'f'), ("other/a", "2", 'f')]), Top::Strip).err().unwrap();
    assert!(twice.to_string().contains("it has a twice"), "{twice}");
}

#[test]
fn names_of_git_and_of_file_managers_are_left_out_as_from_a_folder() {
    let entries =
        [("SKILL.md", "x", 'f'), (".DS_Store", "x", 'f'), (".git/config", "x", 'f'), ("a/Thumbs.db", "x", 'f')];
    assert_eq!(shown(&tar(&entries), Top::Keep), ["File SKILL.md x"]);
}

#[test]
fn what_follows_the_first_gzip_member_counts_as_gzip_itself_reads_it() {
    let bytes = tar(&HONEST);
    let (first, second) = bytes.split_at(700);
    let mut both = gzip(first);
    both.write_all(&gzip(second)).unwrap();
    assert_eq!(shown(&both, Top::Keep).len(), 3);
}

#[test]
fn an_archive_from_the_network_is_the_one_that_its_digest_names() {
    let (world, server) = (World::new(), Server::start());
    let bytes = tar_gz(&[("repo-1.0/skills/a/SKILL.md", "text", 'f'), ("repo-1.0/README.md", "", 'f')]);
    server.body("/a.tar.gz", &bytes);
    let (url, reach) = (format!("{}/a.tar.gz", server.url), Reach::from(&world, &[]));
    let access = reach.access(DEADLINE);
    let get =
        |digest: Option<&str>, insecure| observe(&access, &url, "127.0.0.1", digest, insecure, &Limits::default());
    let (right, wrong) = (digest(&bytes), digest(b"other"));
    let error = get(Some(&wrong), true).err().unwrap();
    let says = error.to_string();
    assert!(says.contains(&right) && says.contains(&wrong) && error.kind() == ErrorKind::Altered, "{says}");
    assert_eq!(server.asked(), ["/a.tar.gz 200"]);
    // With the prefix or without; what is wrong was not kept, and what the cache proves is not fetched again.
    for digest in [right.as_str(), &right[7..]] {
        let snapshot = get(Some(digest), true).unwrap();
        let names: Vec<_> = snapshot.list(snapshot.tree).unwrap().into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, [b"README.md".to_vec(), b"skills".to_vec()]);
    }
    assert_eq!(server.asked(), ["/a.tar.gz 200"]);
    get(None, true).unwrap();
    assert_eq!(server.asked(), ["/a.tar.gz 304"]);
    assert!(get(Some(&right), false).err().unwrap().to_string().contains("unprotected"));
}
