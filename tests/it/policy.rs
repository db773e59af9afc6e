//! `new_skills` and `removed_skills`: both values, in `skillgraft.toml` and repeated in a source file, which goes first.

use crate::holds::is_settled;
use crate::support::{World, skill};
use crate::sync::world;

/// What the registry and the source say, and what then holds.
fn cases(other: &'static str) -> [(Option<&'static str>, Option<&'static str>, bool); 9] {
    let propose = Some("propose");
    let other = Some(other);
    [
        (None, None, true),
        (propose, None, true),
        (other, None, false),
        (None, propose, true),
        (None, other, false),
        (propose, propose, true),
        (propose, other, false),
        (other, propose, true),
        (other, other, false),
    ]
}

/// A world whose registry and source say this of `key`.
fn saying(key: &str, registry: Option<&str>, source: Option<&str>) -> World {
    let world = world();
    if let Some(value) = registry {
        world.edit("registry/skillgraft.toml", "[policy]\n", &format!("[policy]\n{key} = \"{value}\"\n"));
    }
    if let Some(value) = source {
        let text = world.read("registry/sources/up.toml");
        world.write("registry/sources/up.toml", format!("{text}\n[policy]\n{key} = \"{value}\"\n"));
    }
    world.commit("registry", "a policy");
    world
}

#[test]
fn a_new_skill_is_proposed_or_ignored() {
    for (registry, source, proposed) in cases("ignore") {
        let world = saying("new_skills", registry, source);
        world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
        let synced = world.sync();
        let action = if proposed { "opened" } else { "" };
        assert_eq!((synced.class("fresh"), synced.action("fresh")), ("new", action), "{registry:?} {source:?}");
        let notice = synced.skill("fresh")["notice"]["message"].as_str().unwrap_or_default();
        assert_eq!(notice.contains("`new_skills = \"ignore\"` leaves it there"), !proposed, "{notice}");
        assert_eq!(world.branches("registry", "candidate/").is_empty(), !proposed);
        is_settled(&world);
    }
}

#[test]
fn a_removed_skill_is_proposed_or_kept() {
    for (registry, source, proposed) in cases("keep") {
        let world = saying("removed_skills", registry, source);
        world.git("upstream", &["rm", "-rq", "skills/other"]);
        world.commit("upstream", "no more other");
        let synced = world.sync();
        let action = if proposed { "opened" } else { "" };
        assert_eq!((synced.class("other"), synced.action("other")), ("removed", action), "{registry:?} {source:?}");
        let notice = synced.skill("other")["notice"]["message"].as_str().unwrap_or_default();
        assert_eq!(notice.contains("`removed_skills = \"keep\"` leaves it here"), !proposed, "{notice}");
        assert_eq!(world.branches("registry", "candidate/").is_empty(), !proposed);
        is_settled(&world);
        assert!(world.exists("registry/skills/other/SKILL.md"));
    }
}

#[test]
fn a_policy_that_changes_closes_what_it_no_longer_wants() {
    let world = world();
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    assert_eq!(world.sync().action("fresh"), "opened");
    world.run(&["source", "set", "up", "policy.new_skills=ignore"]).ok();
    assert_eq!(world.sync().action("fresh"), "closed");
    is_settled(&world);
}
