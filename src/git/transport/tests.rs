//! Transport against real repositories, served over `file://` in a hermetic environment.

#![expect(clippy::disallowed_methods, reason = "tests make repositories and read them with git itself")]

use super::*;
use crate::git::process::Environment;
use crate::git::test_world::{MIB, World, contains, environment, local, text};
use std::path::PathBuf;

#[test]
fn one_process_resolves_head_branches_and_peeled_tags() {
    let world = World::new();
    let first = world.sh("up", &["rev-parse", "HEAD"]);
    world.sh("up", &["tag", "-a", "-m", "v1", "v1"]);
    world.sh("up", &["branch", "topic"]);
    let second = world.commit("two");
    let refs = world.ls(&["v1", "topic", "gone"]);
    assert_eq!(refs.head.as_deref(), Some("refs/heads/main"));
    assert_eq!(refs.resolve(Some("v1")), Some(("refs/tags/v1".into(), first.as_str())));
    assert_eq!(refs.resolve(Some("topic")), Some(("refs/heads/topic".into(), first.as_str())));
    assert_eq!(refs.resolve(Some("gone")), None);
    assert_eq!(refs.get("HEAD"), Some(second.as_str()));
    assert_eq!(world.ls(&["main"]).resolve(None), Some(("refs/heads/main".into(), second.as_str())));
    assert_eq!(world.ls(&["HEAD"]).resolve(None).unwrap().1, second);
    assert_eq!(world.ls(&["refs/tags/v1"]).resolve(Some("refs/tags/v1")).unwrap().1, first);
    assert_eq!(world.ls(&[]).refs.len(), 5);
}

#[test]
fn a_detached_head_and_an_empty_repository_have_no_head_branch() {
    let world = World::new();
    let id = world.sh("up", &["rev-parse", "HEAD"]);
    world.sh("up", &["checkout", "-q", "--detach"]);
    assert_eq!(world.ls(&[]).head, None);
    assert_eq!(world.ls(&["HEAD"]).resolve(None), Some(("HEAD".into(), id.as_str())));
    world.sh(".", &["init", "-q", "empty"]);
    let url = format!("file://{}", world.path("empty").display());
    let refs = ls_remote(&world.git, Where::Nowhere, &local(&url), &["main"]).unwrap();
    assert_eq!((refs.refs.len(), refs.resolve(None)), (0, None));
}

#[test]
fn a_pattern_matches_whole_names_only() {
    let world = World::new();
    world.sh("up", &["update-ref", "refs/remotes/origin/HEAD", "HEAD"]);
    world.sh("up", &["update-ref", "refs/heads/x/refs/heads/main", "HEAD"]);
    let names: Vec<String> = world.ls(&["main"]).refs.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["HEAD", "refs/heads/main"]);
}

#[test]
fn names_urls_and_ids_that_are_none_are_refused_before_git_runs() {
    let world = World::new();
    let git = Git::new("/does/not/exist", &Environment::default());
    for name in ["a b", "-x..", "*", "a..b", "x.lock", "", "a\nb", "@{1}", "refs/heads/a//b"] {
        let error = ls_remote(&git, Where::Nowhere, &local("/x"), &[name]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{name}");
    }
    for url in ["", "--upload-pack=evil", "https://x\n/"] {
        assert_eq!(ls_remote(&git, Where::Nowhere, &local(url), &[]).unwrap_err().kind(), ErrorKind::Usage);
    }
    assert_eq!(world.fetch(Want::Commit("--all"), true).unwrap_err().kind(), ErrorKind::Usage);
    let error = world.git.command(Where::Nowhere).arg("log").value("--output=/tmp/x").run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let error = ls_remote(&git, Where::Nowhere, &local("/x"), &[]).unwrap_err();
    assert!(error.hint_text().unwrap().contains("install git"));
}

#[test]
fn blobs_that_were_looked_for_before_they_were_fetched_are_seen_afterwards() {
    let world = World::new();
    let id = world.commit("two");
    world.fetch(Want::Ref { name: "refs/heads/main", id: &id }, true).unwrap();
    let store = crate::git::Repository::open(&world.cache()).unwrap().store;
    let hex = world.blob(&id);
    let blob = crate::git::Oid::parse(&hex).unwrap();
    assert!(!store.contains(blob));
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[hex], MIB).unwrap();
    store.refresh();
    assert!(store.contains(blob) && store.header(blob).unwrap().is_some());
}

#[test]
fn a_fetch_brings_trees_and_then_the_blobs_asked_for() {
    let world = World::new();
    let old = world.sh("up", &["rev-parse", "HEAD"]);
    let id = world.commit("two");
    let config = fs::read(world.cache().join("config")).unwrap();
    assert_eq!(world.fetch(Want::Ref { name: "refs/heads/main", id: &id }, true).unwrap(), id);
    assert_eq!(world.sh("cache.git", &["rev-parse", &format!("{FETCHED}{id}")]), id);
    assert!(world.has(&format!("{id}^{{tree}}")) && !world.has(&old) && !world.has(&world.blob(&id)));
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[world.blob(&id)], MIB).unwrap();
    assert_eq!(world.sh("cache.git", &["cat-file", "blob", &world.blob(&id)]), "two");
    // The next commit, and the way back to an older one that is no branch's head.
    let third = world.commit("three");
    assert_eq!(world.fetch(Want::Commit(&third), true).unwrap(), third);
    assert_eq!(world.fetch(Want::Commit(&old), true).unwrap(), old);
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[world.blob(&third), world.blob(&old)], MIB)
        .unwrap();
    assert_eq!(world.sh("cache.git", &["cat-file", "blob", &world.blob(&old)]), "one");
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[], MIB).unwrap();
    assert_eq!(fs::read(world.cache().join("config")).unwrap(), config, "fetches write no configuration");
    assert!(!contains(&world.cache_bytes(), "file://"), "and no URL");
}

#[test]
fn without_a_filter_blobs_come_too_also_those_that_were_left_out_before() {
    let world = World::new();
    let id = world.commit("two");
    world.fetch(Want::Commit(&id), true).unwrap();
    assert!(!world.has(&world.blob(&id)));
    world.fetch(Want::Commit(&id), false).unwrap();
    assert!(world.has(&world.blob(&id)));
    let id = world.commit("three");
    world.fetch(Want::Commit(&id), false).unwrap();
    assert!(world.has(&world.blob(&id)));
}

#[test]
fn a_server_that_does_not_filter_is_fine() {
    let world = World::new();
    world.sh("up", &["config", "uploadpack.allowFilter", "false"]);
    for text in ["two", "three"] {
        let id = world.commit(text);
        world.fetch(Want::Commit(&id), true).unwrap();
        assert!(world.has(&world.blob(&id)));
    }
}

#[test]
fn a_server_that_refuses_the_filter_is_asked_without() {
    let world = World::new();
    world.fetch(Want::Commit(&world.sh("up", &["rev-parse", "HEAD"])), true).unwrap();
    world.sh("up", &["config", "uploadpackfilter.allow", "false"]);
    let id = world.commit("two");
    world.fetch(Want::Commit(&id), true).unwrap();
    assert!(world.has(&world.blob(&id)));
}

#[test]
fn a_server_that_hides_ids_is_asked_by_name_and_then_for_everything() {
    let world = World::new();
    world.git_config("[protocol]\n\tversion = 0\n");
    world.sh("up", &["config", "uploadpack.allowAnySHA1InWant", "false"]);
    let first = world.sh("up", &["rev-parse", "HEAD"]);
    world.sh("up", &["tag", "-a", "-m", "v1", "v1"]);
    let second = world.commit("two");
    let third = world.commit("three");
    world.fetch(Want::Ref { name: "refs/heads/main", id: &third }, true).unwrap();
    assert!(!world.has(&second));
    let refs = world.ls(&["v1"]);
    let (name, id) = refs.resolve(Some("v1")).unwrap();
    assert_eq!(world.fetch(Want::Ref { name: &name, id }, true).unwrap(), first);
    assert_eq!(world.sh("cache.git", &["rev-parse", &format!("{FETCHED}{first}")]), first, "not the tag object");
    assert_eq!(world.fetch(Want::Commit(&second), true).unwrap(), second);
    assert_eq!(world.sh("cache.git", &["rev-parse", &format!("{FETCHED}{second}")]), second);
    let missing = world.fetch(Want::Commit(&"1".repeat(40)), true).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.full_message().contains("no branch or tag"), "{}", text(&missing));
    // A name that moved meanwhile: the id is on no branch any more.
    let moved = world.fetch(Want::Ref { name: "refs/heads/main", id: &"2".repeat(40) }, true).unwrap_err();
    assert_eq!(moved.kind(), ErrorKind::NoEvidence, "{}", text(&moved));
    let error = fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[world.blob(&second)], MIB).unwrap_err();
    assert!(error.full_message().contains("cannot fetch 1 files"), "{}", text(&error));
    world.fetch(Want::Ref { name: "refs/heads/main", id: &third }, false).unwrap();
    assert!(world.has(&world.blob(&third)));
}

#[test]
fn a_sha256_cache_holds_a_sha256_upstream() {
    let world = World::new();
    world.sh(".", &["init", "-q", "--object-format=sha256", "up256"]);
    world.sh("up256", &["commit", "-q", "--allow-empty", "-m", "x"]);
    let url = format!("file://{}", world.path("up256").display());
    let refs = ls_remote(&world.git, Where::Nowhere, &local(&url), &["HEAD"]).unwrap();
    let id = refs.get("HEAD").unwrap();
    let wrong = world.cache();
    let mut request =
        FetchRequest { git_dir: &wrong, remote: local(&url), want: Want::Commit(id), filter: true, max_bytes: MIB };
    assert_eq!(fetch_commit(&world.git, &request).unwrap_err().kind(), ErrorKind::Git);
    let right = world.path("256.git");
    init_bare(&world.git, &right, true).unwrap();
    request.git_dir = &right;
    assert_eq!(fetch_commit(&world.git, &request).unwrap(), id);
}

#[test]
fn objects_that_fsck_refuses_do_not_enter_the_cache() {
    let world = World::new();
    let blob = world.blob("HEAD");
    fs::write(world.path("tree"), format!("100644 blob {blob}\tok\n")).unwrap();
    // `mktree` checks little, but not nothing; this tree has an entry named `.git`.
    let mut raw = b"100644 .git\0".to_vec();
    raw.extend((0..40).step_by(2).map(|i| u8::from_str_radix(&blob[i..i + 2], 16).unwrap()));
    fs::write(world.path("raw"), raw).unwrap();
    let tree = world.sh("up", &["hash-object", "-w", "-t", "tree", "--literally", "../raw"]);
    let id = world.sh("up", &["commit-tree", "-m", "evil", &tree]);
    let error = world.fetch(Want::Commit(&id), true).unwrap_err();
    assert!(error.full_message().contains("hasDotgit"), "{}", text(&error));
    assert!(!world.has(&id));
}

#[test]
fn a_password_shows_up_in_no_error_and_in_no_file() {
    let world = World::new();
    let id = world.sh("up", &["rev-parse", "HEAD"]);
    world.git_config(&format!("[url \"{}\"]\n\tinsteadOf = https://bob:hunter2@example.invalid/up\n", world.url()));
    let remote = local("https://bob:hunter2@example.invalid/up");
    let git_dir = world.cache();
    let mut request = FetchRequest { git_dir: &git_dir, remote, want: Want::Commit(&id), filter: true, max_bytes: MIB };
    fetch_commit(&world.git, &request).unwrap();
    fetch_blobs(&world.git, &git_dir, &remote, &[world.blob(&id)], MIB).unwrap();
    world.git_config("");
    request.remote.allow = Protocols::Secure;
    request.remote.url = "https://bob:hunter2@127.0.0.1:9/up?private_token=hunter2";
    let errors = [
        fetch_commit(&world.git, &request).unwrap_err(),
        fetch_blobs(&world.git, &git_dir, &request.remote, &["1".repeat(40)], MIB).unwrap_err(),
        ls_remote(&world.git, Where::Nowhere, &request.remote, &[]).unwrap_err(),
        fetch_commit(&world.git, &FetchRequest { remote: local(request.remote.url), ..request }).unwrap_err(),
        ls_remote(&world.git, Where::Nowhere, &local("https://bob:hunter2@x/\n"), &[]).unwrap_err(),
    ];
    for error in &errors {
        assert!(!text(error).contains("hunter2"), "{}", text(error));
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    assert_eq!(errors[2].kind(), ErrorKind::Network, "{}", text(&errors[2]));
    assert_eq!(errors[3].kind(), ErrorKind::Usage, "{}", text(&errors[3]));
    assert!(!contains(&world.cache_bytes(), "hunter2"));
}

#[test]
fn transports_that_were_not_allowed_are_refused() {
    let world = World::new();
    world.git_config("[protocol \"file\"]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n");
    let marker = world.path("marker");
    let ext = format!("ext::touch {}", marker.display());
    for allow in
        [Protocols::None, Protocols::Secure, Protocols::InsecureHttp, Protocols::Local, Protocols::AsConfigured]
    {
        let file = ls_remote(&world.git, Where::Nowhere, &Remote { allow, ..local(&world.url()) }, &[]);
        assert_eq!(file.is_ok(), matches!(allow, Protocols::Local | Protocols::AsConfigured), "{allow:?}");
        let error = ls_remote(&world.git, Where::Nowhere, &Remote { allow, ..local(&ext) }, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{}", text(&error));
    }
    let http = Remote { allow: Protocols::Secure, ..local("http://127.0.0.1:9/x") };
    let error = ls_remote(&world.git, Where::Nowhere, &http, &[]).unwrap_err();
    assert!(error.full_message().contains("transport 'http' not allowed"), "{}", text(&error));
    let narrow = Git::new("git", &environment(world.dir.path(), &[("GIT_ALLOW_PROTOCOL", "ssh:https")]));
    for allow in [Protocols::Local, Protocols::AsConfigured] {
        ls_remote(&narrow, Where::Nowhere, &Remote { allow, ..local(&world.url()) }, &[]).unwrap_err();
    }
    assert!(!marker.exists());
}

#[test]
fn a_fetch_that_grows_too_much_is_ended_and_leaves_nothing_temporary() {
    let world = World::new();
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for name in ["big1", "big2", "big3"] {
        let bytes: Vec<u8> = (0..20 << 20).map(|_| random()).collect();
        fs::write(world.path("up").join(name), bytes).unwrap();
    }
    let id = world.commit("big");
    let (url, git_dir) = (world.url(), world.cache());
    let mut request = FetchRequest {
        git_dir: &git_dir,
        remote: local(&url),
        want: Want::Commit(&id),
        filter: false,
        max_bytes: 4 * MIB,
    };
    let error = fetch_commit(&world.git, &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{}", text(&error));
    let left: Vec<PathBuf> =
        entries(&git_dir.join("objects/pack")).filter(|path| file_name(path).contains("tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
    request.filter = true;
    fetch_commit(&world.git, &request).unwrap();
}

#[test]
fn only_what_a_killed_fetch_left_is_cleaned_away() {
    let world = World::new();
    let id = world.sh("up", &["rev-parse", "HEAD"]);
    world.fetch(Want::Commit(&id), true).unwrap();
    let before = world.cache_bytes();
    let cache = world.cache();
    let rubbish = [
        "objects/pack/tmp_pack_x",
        "objects/pack/tmp_idx_x",
        "objects/pack/pack-1.pack",
        "objects/ab/tmp_obj_x",
        "objects/tmp_objdir-incoming-x/pack/a",
        "shallow.lock",
        "shallow_x",
        "refs/skillgraft/fetched/x.lock",
    ];
    for path in rubbish.map(|path| cache.join(path)) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "rubbish").unwrap();
    }
    fs::write(cache.join("objects/pack/pack-2.keep"), "fetch-pack 1 on host\n").unwrap();
    clean_temporary_files(&cache).unwrap();
    fs::remove_dir(cache.join("objects/ab")).unwrap();
    assert_eq!(world.cache_bytes().len(), before.len());
    assert!(!contains(&world.cache_bytes(), "rubbish"));
    clean_temporary_files(&world.path("nowhere")).unwrap();
}
