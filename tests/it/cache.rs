//! The cache of git sources: it may be deleted at any time, and it does not grow for ever.

use crate::support::World;
use crate::sync::lines;
use std::path::PathBuf;

const FILE: &str = "skills/deploy/SKILL.md";

/// A registry that follows a URL whose server filters.
fn world() -> World {
    let world = World::with_upstream(&[(FILE, &lines("first", "last")), ("large.bin", &"not a skill\n".repeat(1000))]);
    world.git("upstream", &["config", "uploadpack.allowFilter", "true"]);
    world.git("upstream", &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    world.run(&["add", &world.url("upstream"), "--name", "up"]).ok();
    world
}

/// The one repository of the cache, relative to the world.
fn repository(world: &World) -> String {
    let entries = std::fs::read_dir(world.path("cache/git")).unwrap().map(|entry| entry.unwrap().path());
    let repositories: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert_eq!(repositories.len(), 1);
    repositories[0].strip_prefix(world.path("")).unwrap().to_str().unwrap().to_owned()
}

fn packs(world: &World, repository: &str) -> usize {
    let files = std::fs::read_dir(world.path(repository).join("objects/pack")).unwrap();
    files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "pack")).count()
}

#[test]
fn a_cache_of_many_packs_is_tidied_by_the_next_fetch_and_what_it_holds_still_serves() {
    let world = world();
    let cache = repository(&world);
    let before = packs(&world, &cache);
    let add_pack = |n: usize| {
        let id = world.git_with(&cache, &["hash-object", "-w", "--stdin"], format!("an old snapshot {n}\n").as_bytes());
        world.git_with(&cache, &["pack-objects", "-q", "objects/pack/pack"], format!("{id}\n").as_bytes());
        id
    };
    let old: Vec<String> = (before..40).map(add_pack).collect();
    assert_eq!(packs(&world, &cache), 40);
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    assert_eq!(world.sync().action("deploy"), "opened");
    assert!(packs(&world, &cache) > 40, "40 are not too many");
    assert!(world.git_tries(&cache, &["cat-file", "-e", &old[0]]));
    world.upstream(&[(FILE, &lines("first", "v3"))]);
    assert_eq!(world.sync().action("deploy"), "remade");
    let after = packs(&world, &cache);
    assert!(after < 10, "{after}");
    assert!(!world.git_tries(&cache, &["cat-file", "-e", &old[0]]), "old snapshots are of no use");
    // What is in use is there still.
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    assert_eq!(world.sync_in("registry", &["--offline"]).action("deploy"), "kept");
    std::fs::rename(world.path("away"), world.path("upstream")).unwrap();
    world.upstream(&[(FILE, &lines("first", "v4"))]);
    assert_eq!(world.sync().action("deploy"), "remade");
    assert_eq!(world.show("registry", "candidate/up/deploy", FILE), lines("first", "v4"));
}

#[test]
fn a_cache_that_cannot_be_tidied_still_works() {
    let world = world();
    let cache = repository(&world);
    for n in packs(&world, &cache)..45 {
        let id = world.git_with(&cache, &["hash-object", "-w", "--stdin"], format!("{n}\n").as_bytes());
        world.git_with(&cache, &["pack-objects", "-q", "objects/pack/pack"], format!("{id}\n").as_bytes());
    }
    // As if another gc had it.
    world.write(format!("{cache}/gc.pid"), "1 elsewhere");
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    assert_eq!(world.sync().action("deploy"), "opened");
    assert!(packs(&world, &cache) > 45, "it was not tidied");
}

#[test]
fn a_cache_that_was_deleted_costs_the_next_fetch_and_nothing_else() {
    let world = world();
    world.sync();
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    assert_eq!(world.sync().action("deploy"), "opened");
}
