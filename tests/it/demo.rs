//! `demo`: the story ends with three commands, and they work.

use crate::support::World;

#[test]
fn the_demo_needs_nobodys_identity_and_its_three_commands_work() {
    let world = World::new();
    for role in ["AUTHOR", "COMMITTER"] {
        for what in ["NAME", "EMAIL", "DATE"] {
            world.set_env(&format!("GIT_{role}_{what}"), None::<&str>);
        }
    }
    let told = world.run_in("", &["demo", "story"]).ok().stdout;
    let commands: Vec<_> = told.lines().filter_map(|line| line.trim().strip_prefix("skillgraft ")).collect();
    assert_eq!(commands.len(), 3, "{told}");
    for command in &commands {
        let args: Vec<_> = command.split(' ').collect();
        assert!(!world.run_in("", &args).ok().all().is_empty(), "{command}");
    }
    assert!(commands[2].contains("candidate accept"));
    for class in ["unchanged", "already_applied", "fast_forward", "three_way"] {
        assert!(told.contains(class), "{class}\n{told}");
    }
    assert!(told.contains("1 conflict"), "{told}");
    assert_eq!(world.git("story/registry", &["status", "--porcelain"]), "");
    world.run_in("story/registry", &["sync"]).ok();
    world.run_in("", &["demo", "story"]).ends_with(2).says(&["is not empty"]);
}

#[test]
fn the_demo_without_a_folder_makes_a_temporary_one() {
    let world = World::new();
    let report = world.run_in("", &["--json", "demo"]).ok().json();
    let registry = report["registry"].as_str().unwrap();
    assert!(registry.starts_with(&world.path("tmp").display().to_string()), "{registry}");
    assert_eq!(report["candidates"]["candidates"].as_array().unwrap().len(), 4, "{report:#}");
}
