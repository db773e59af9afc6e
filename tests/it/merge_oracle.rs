//! Random merges, judged by git: what `git merge-tree` merges cleanly has the same tree here, what conflicts there
//! conflicts here, and text that conflicts is marked up alike. The exceptions are those of `sync::merge`.

mod cases;

use crate::support::found;
use cases::{Case, files};
use skillgraft::git::{BStr, BString, ByteSlice as _, Oid, Repository, Store};
use skillgraft::sync::merge::{Conflict, ConflictKind, Merged, still_conflicted};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const CASES: u64 = 3000;

#[test]
fn random_trees_merge_as_git_merges_them() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare"], "");
    let repository = Repository::open(dir.path()).unwrap();
    let store = &repository.store;
    let seed = std::env::var("SKILLGRAFT_MERGE_SEED").map_or(0, |seed| seed.parse().unwrap());
    let cases: Vec<Case> = (seed..seed + CASES).map(|seed| Case::random(store, seed)).collect();
    let ours: Vec<Merged> = cases.iter().map(|case| case.merge(store)).collect();
    store.flush().unwrap();
    let theirs = git_merges(dir.path(), &cases);
    store.refresh();
    let mut count = Count::default();
    for ((case, ours), theirs) in cases.iter().zip(&ours).zip(&theirs) {
        compare(store, case, ours, theirs, &mut count);
        nothing_is_lost(store, case, ours);
    }
    assert!(count.clean > CASES / 10 && count.conflicted > CASES / 10 && count.texts > CASES / 10, "{count:?}");
    assert!(count.directory_renames > 0 && count.slips < CASES / 500, "{count:?}");
    let problems = git(dir.path(), &["fsck", "--strict", "--no-dangling", "--no-progress"], "");
    assert_eq!(problems, "", "every tree is one that git accepts");
}

#[test]
fn the_same_trees_merge_to_the_same_bytes_whatever_was_merged_before() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare"], "");
    let merge_all = |seeds: &mut dyn Iterator<Item = u64>| {
        let repository = Repository::open(dir.path()).unwrap();
        let merged = seeds.map(|seed| (seed, Case::random(&repository.store, seed).merge(&repository.store)));
        merged.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(merge_all(&mut (0..300)), merge_all(&mut (0..300).rev()));
}

#[derive(Default, Debug)]
struct Count {
    clean: u64,
    conflicted: u64,
    texts: u64,
    directory_renames: u64,
    slips: u64,
}

fn compare(store: &Store, case: &Case, ours: &Merged, theirs: &GitMerge, count: &mut Count) {
    // The one kind of conflict that git, told not to follow directory renames, does not have.
    let is_directory_rename = |c: &&Conflict| c.kind == ConflictKind::Rename && c.base.is_none();
    let conflicts: Vec<&Conflict> = ours.conflicts.iter().filter(|c| !is_directory_rename(c)).collect();
    count.directory_renames += u64::from(conflicts.len() < ours.conflicts.len());
    if theirs.clean && conflicts.iter().any(|conflict| is_slip(conflict)) {
        count.slips += 1;
        return;
    }
    let describe = || case.describe(store, ours, theirs);
    assert_eq!(conflicts.is_empty(), theirs.clean, "one conflicts, the other does not\n{}", describe());
    if theirs.clean {
        count.clean += 1;
        assert_eq!(ours.tree, theirs.tree, "clean, but another tree\n{}", describe());
        return;
    }
    count.conflicted += 1;
    let (our_files, their_files) = (files(store, ours.tree), files(store, theirs.tree));
    for conflict in conflicts {
        let Some((_, id)) = our_files.get(BStr::new(&conflict.path)) else { continue };
        let now = store.blob(*id).unwrap();
        if theirs.is_about_the_same(conflict) && still_conflicted(store, conflict, &now).unwrap() {
            count.texts += 1;
            let theirs =
                their_files.get(BStr::new(&conflict.path)).map(|(_, id)| store.blob(*id).unwrap()).unwrap_or_default();
            let (ours, theirs) = (without_labels(&now), without_labels(&theirs));
            assert_eq!(ours.as_bstr(), theirs.as_bstr(), "{} is marked up otherwise\n{}", conflict.path, describe());
        }
    }
}

/// Tells whether git may call clean what is not: where a renamed file meets another one at its new path, it loses a
/// version of a file that changed its sort, and takes text with its own markers for a clean merge with an empty file.
fn is_slip(conflict: &Conflict) -> bool {
    let collides = conflict.kind == ConflictKind::AddAdd && conflict.base.is_none();
    let is_replaced =
        conflict.kind == ConflictKind::Mode && [conflict.local, conflict.upstream].contains(&conflict.base);
    collides || is_replaced
}

/// Every word that a side wrote is in the merged tree, or in a blob that a conflict names.
fn nothing_is_lost(store: &Store, case: &Case, merged: &Merged) {
    let base = words(files(store, case.base).into_values().map(|(_, id)| id), store);
    let in_tree = words(files(store, merged.tree).into_values().map(|(_, id)| id), store);
    let named = words(merged.conflicts.iter().filter_map(|conflict| conflict.upstream), store);
    for (side, tree) in [("local", case.local), ("upstream", case.upstream)] {
        for word in words(files(store, tree).into_values().map(|(_, id)| id), store).difference(&base) {
            let kept = in_tree.contains(word) || side == "upstream" && named.contains(word);
            assert!(kept, "{side}'s {word} is lost in case {}: {:?}", case.seed, merged.conflicts);
        }
    }
}

fn words(ids: impl Iterator<Item = Oid>, store: &Store) -> BTreeSet<BString> {
    let blobs = ids.map(|id| store.blob(id).unwrap());
    blobs.flat_map(|blob| blob.fields().map(BString::from).collect::<Vec<_>>()).collect()
}

/// Returns the text with plain markers, and LF everywhere: where the three disagree about line endings, gix and git
/// differ on those of the markers and of a last line that had none.
fn without_labels(text: &[u8]) -> Vec<u8> {
    let is_marker = |line: &[u8]| [b"<<<<<<< ", b"||||||| ", b">>>>>>> "].iter().any(|sign| line.starts_with(*sign));
    let plain = |line| if is_marker(line) { &line[..7] } else { line };
    text.lines().flat_map(|line| [plain(line), b"\n"].concat()).collect()
}

// --- git ---

struct GitMerge {
    clean: bool,
    tree: Oid,
    listed: Vec<String>,
}

impl GitMerge {
    /// Tells whether git has a conflict over the same versions at the same path: where two files collide it merges what
    /// it has merged already, and where a directory is in the way it writes elsewhere.
    fn is_about_the_same(&self, conflict: &Conflict) -> bool {
        let is_listed = |id: Option<Oid>, stage: char| {
            let listed = self.listed.iter().find(|entry| entry.ends_with(&format!(" {stage}\t{}", conflict.path)));
            listed.map(|entry| entry.split(' ').nth(1).unwrap()) == id.map(|id| id.to_string()).as_deref()
        };
        is_listed(conflict.local, '2') && is_listed(conflict.upstream, '3')
    }
}

/// Merges all cases in one process. Output, all NUL-terminated: status, tree, conflicted entries, an empty one.
fn git_merges(repository: &Path, cases: &[Case]) -> Vec<GitMerge> {
    let line = |case: &Case| format!("{} -- {} {}\n", case.base, case.local, case.upstream);
    let input: String = cases.iter().map(line).collect();
    let config = ["merge.conflictStyle=diff3", "merge.directoryRenames=false", "diff.algorithm=histogram"];
    let mut args: Vec<&str> = config.iter().flat_map(|setting| ["-c", *setting]).collect();
    args.extend(["merge-tree", "--write-tree", "--stdin", "--no-messages"]);
    let output = git(repository, &args, &input);
    let mut fields = output.split('\0').map(|field| field.trim_start_matches('\n'));
    let mut next = || fields.next().expect("git answers every line");
    let merges = cases.iter().map(|_| {
        let clean = next() == "1";
        let tree = Oid::parse(next()).unwrap();
        let listed = std::iter::from_fn(|| Some(next()).filter(|field| !field.is_empty())).map(str::to_owned).collect();
        GitMerge { clean, tree, listed }
    });
    merges.collect()
}

/// Runs git without anybody's configuration and returns its output.
fn git(dir: &Path, args: &[&str], input: &str) -> String {
    let mut command = Command::new(found("git", None));
    command.args(args).current_dir(dir).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", dir);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // On a thread of its own, as git answers before it has read everything.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", output.stderr.to_str_lossy());
    String::from_utf8(output.stdout).unwrap()
}
