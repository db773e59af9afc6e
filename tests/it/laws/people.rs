//! What people in the team do, between two syncs.

use super::Done;
use super::dice::Dice;
use super::repositories::{Clone, borrow, git_ok, outside};
use super::team::{MAIN, Team, conflicts, source_file, upstream_of};
use super::trees::{self, Words, minus, of, show};
use skillgraft::git::Oid;
use skillgraft::ops::{self, resolve::Side};
use std::fs;

fn put(team: &mut Team, at: &str, new: Option<Oid>, message: &str) {
    let store = &team.repository.store;
    let tree = trees::with(store, team.main_tree(), at, trees::directory(store, new));
    team.commit_to_main(tree, message);
}

// --- on the default branch ---

pub fn edit(team: &mut Team, dice: &mut Dice) -> Done {
    let Some(skill) = dice.pick(&team.skills()).cloned() else { return Ok(None) };
    let word = team.word('P');
    let (before, _) = team.skill_and_entry(team.main_tree(), &skill);
    let (new, what) = trees::change_skill(&team.repository.store, before.expect("listed"), dice, &word);
    put(team, &format!("skills/{skill}"), Some(new), "edit");
    Ok(Some(format!("{skill} {what}")))
}

/// The team and upstream write different things into one line of a `SKILL.md`.
pub fn edit_what_upstream_edits(team: &mut Team, dice: &mut Dice) -> Done {
    let Some(skill) = dice.pick(&team.skills()).cloned() else { return Ok(None) };
    let (at, up_at) = (format!("skills/{skill}/SKILL.md"), format!("skills/{}/SKILL.md", team.place(&skill)));
    let (tree, up_tree) = (team.main_tree(), team.upstream_tree());
    let (ours, theirs) = (&team.repository.store, &team.upstream.store);
    let (Some(blob), Some(up_blob)) = (trees::blob_at(ours, tree, &at), trees::blob_at(theirs, up_tree, &up_at)) else {
        return Ok(None);
    };
    let text = String::from_utf8(ours.blob(blob).unwrap()).unwrap();
    let up_text = String::from_utf8(theirs.blob(up_blob).unwrap()).unwrap();
    let common = |line: &&str| line.starts_with("step ") && up_text.lines().any(|theirs| theirs == *line);
    let Some(line) = dice.pick(&text.lines().filter(common).collect::<Vec<_>>()).map(|line| format!("{line}\n")) else {
        return Ok(None);
    };
    let (word, up_word) = (team.word('P'), team.word('U'));
    let rewrite = |text: &str, word: &str| text.replacen(&line, &format!("step {word}\n"), 1);
    let (text, up_text) = (rewrite(&text, &word), rewrite(&up_text, &up_word));
    let file = trees::file(&team.upstream.store, up_text.as_bytes());
    team.publish(trees::with(&team.upstream.store, up_tree, &up_at, Some(file)));
    let file = trees::file(&team.repository.store, text.as_bytes());
    let tree = trees::with(&team.repository.store, tree, &at, Some(file));
    team.commit_to_main(tree, "edit");
    Ok(Some(format!("{skill} {word}, {up_word}")))
}

pub fn edit_elsewhere(team: &mut Team, dice: &mut Dice) -> Done {
    let word = team.word('P');
    let at = *dice.pick(&["README.md", "docs/how.md", "skills/own/SKILL.md", "skills/own/more.md"]).unwrap();
    let store = &team.repository.store;
    let tree = team.main_tree();
    let before = trees::blob_at(store, tree, at).map_or(Vec::new(), |blob| store.blob(blob).unwrap());
    let text = [before, format!("more {word}\n").into_bytes()].concat();
    let tree = trees::with(store, tree, at, Some(trees::file(store, &text)));
    team.commit_to_main(tree, "elsewhere");
    Ok(Some(format!("{at} {word}")))
}

pub fn apply_by_hand(team: &mut Team, dice: &mut Dice) -> Done {
    let Some(skill) = dice.pick(&team.skills()).cloned() else { return Ok(None) };
    let Some(new) = team.fetched(&team.place(&skill)) else { return Ok(None) };
    put(team, &format!("skills/{skill}"), Some(new), "by hand");
    Ok(Some(skill))
}

pub fn take_edits_back(team: &mut Team, dice: &mut Dice) -> Done {
    let all = trees::IDS.into_iter().filter(|skill| team.entry(team.main_tree(), skill).is_some());
    let (there, gone): (Vec<&str>, Vec<&str>) = all.partition(|skill| team.skills().iter().any(|there| there == skill));
    let choice = if gone.is_empty() || dice.chance(20) { there } else { gone };
    let Some(skill) = dice.pick(&choice).copied() else { return Ok(None) };
    let entry = team.entry(team.main_tree(), skill).expect("chosen for it");
    let base = upstream_of(&entry, "git_tree").map(|id| Oid::parse(&id).unwrap());
    let store = &team.repository.store;
    let Some(base) = base.filter(|base| *base != store.empty_tree() && store.contains(*base)) else { return Ok(None) };
    put(team, &format!("skills/{skill}"), Some(base), "back to the base");
    Ok(Some(skill.into()))
}

pub fn change_the_source(team: &mut Team, dice: &mut Dice) -> Done {
    let excluded = super::oracle::excluded(team);
    let exclude = if excluded.is_empty() { vec![*dice.pick(&trees::SKILLS).unwrap()] } else { vec![] };
    let store = &team.repository.store;
    let text = trees::file(store, source_file(&exclude).as_bytes());
    let tree = trees::with(store, team.main_tree(), "sources/sp.toml", Some(text));
    team.commit_to_main(tree, "settings");
    Ok(Some(format!("excludes {exclude:?}")))
}

/// Returns the text of an entry with something in it that only people write.
fn with_a_note(text: &str, dice: &mut Dice, word: &str) -> String {
    let note = if dice.chance(50) || text.contains("owners") {
        format!("# ask {word}")
    } else {
        format!("owners = [\"{word}\"]")
    };
    text.replacen("status = \"active\"\n", &format!("status = \"active\"\n{note}\n"), 1)
}

pub fn edit_an_entry(team: &mut Team, dice: &mut Dice) -> Done {
    let skill = *dice.pick(&trees::IDS).unwrap();
    let tree = team.main_tree();
    let word = team.word('P');
    let Some(tree) = edit_entry_in(team, tree, skill, dice, &word) else { return Ok(None) };
    team.commit_to_main(tree, "edit entry");
    Ok(Some(format!("{skill}.toml {word}")))
}

fn edit_entry_in(team: &Team, tree: Oid, skill: &str, dice: &mut Dice, word: &str) -> Option<Oid> {
    let store = &team.repository.store;
    let entry = team.skill_and_entry(tree, skill).1?;
    let text = String::from_utf8(store.blob(entry).unwrap()).unwrap();
    let text = with_a_note(&text, dice, word);
    Some(trees::with(store, tree, &format!("skills/{skill}.toml"), Some(trees::file(store, text.as_bytes()))))
}

/// A colleague's merge with the team's history as second parent, pushed as it is.
pub fn merge_the_wrong_way_round(team: &mut Team, dice: &mut Dice) -> Done {
    let main = team.main();
    let store = &team.repository.store;
    let above: Vec<Oid> = skillgraft::git::first_parents(store, main).map(Result::unwrap).take(5).collect();
    let from = *dice.pick(&above[1..]).unwrap_or(&main);
    let word = team.word('P');
    let note = |tree| {
        let text = Some(trees::file(&team.repository.store, format!("{word}\n").as_bytes()));
        trees::with(&team.repository.store, tree, &format!("docs/{word}.md"), text)
    };
    let (theirs, both) = (note(team.tree(from)), note(team.tree(main)));
    let theirs = team.commit(theirs, vec![from], "colleague");
    let merge = team.commit(both, vec![theirs, main], "wrong way round");
    team.set(MAIN, Some(merge));
    team.foxtrot = true;
    Ok(Some(word))
}

/// Somebody takes the newest commits off the default branch and pushes with force.
pub fn force_push(team: &mut Team, dice: &mut Dice) -> Done {
    let main = team.main();
    let store = &team.repository.store;
    let above = skillgraft::git::first_parents(store, main).map(Result::unwrap).take(4).skip(1);
    // What is known of holds is known of commits that were the head once.
    let above: Vec<Oid> = above.filter(|commit| team.taken.was_head(*commit)).collect();
    let Some(to) = dice.pick(&above).copied() else { return Ok(None) };
    let (before, after) = (team.tree(main), team.tree(to));
    team.lost_on_purpose(before, after);
    team.mark_dirty(before, after);
    team.set(MAIN, Some(to));
    team.forced = true;
    // What is gone comes back with a candidate that was made on it; only a sync can know better.
    let open = team.candidates().into_iter().map(|(name, _)| name);
    team.touched.extend(open.collect::<Vec<_>>());
    Ok(Some(format!("back to {}", to.short())))
}

/// Somebody merged a conflict all the same, or does it now.
pub fn resolve_on_the_default_branch(team: &mut Team, dice: &mut Dice) -> Done {
    let listed_in = |team: &Team, tree, skill: &str| team.entry(tree, skill).map_or(Vec::new(), |e| conflicts(&e));
    if trees::IDS.iter().all(|skill| listed_in(team, team.main_tree(), skill).is_empty()) {
        let mut open = team.candidates();
        open.retain(|(name, skill)| !listed_in(team, team.tree(team.get(name).expect("listed")), skill).is_empty());
        let Some((_, skill)) = dice.pick(&open).cloned() else { return Ok(None) };
        super::buttons::press_on(team, &skill, super::buttons::Button::Squash)?;
    }
    let tree = team.main_tree();
    let listed = |skill: &str| listed_in(team, tree, skill);
    let waiting: Vec<&str> = trees::IDS.into_iter().filter(|skill| !listed(skill).is_empty()).collect();
    let Some(skill) = dice.pick(&waiting).copied() else { return Ok(None) };
    let side = if dice.chance(50) { Side::Local } else { Side::Upstream };
    let rejected = rejected(team, &listed(skill));
    team.tick();
    let report = ops::resolve::resolve(&team.outside(), skill, &[], Some(side), &Team::on_main())
        .map_err(|error| format!("resolve {skill} on the default branch: {}", error.full_message()))?;
    if report.branch != "main" || report.commit != team.main() {
        return Err(format!("the conflicts of {skill} are on the default branch, but resolve wrote {}", report.branch));
    }
    let new = team.main_tree();
    team.took_out(tree, new);
    team.removed.extend(rejected);
    team.mark_dirty(tree, new);
    Ok(Some(format!("{skill} takes {side:?}")))
}

/// What upstream wrote in files with conflicts: whoever resolves them may leave it out.
fn rejected(team: &mut Team, listed: &[(String, String, Option<Oid>)]) -> Words {
    let mut words = Words::new();
    for upstream in listed.iter().filter_map(|(_, _, upstream)| *upstream) {
        if team.repository.store.contains(upstream) {
            words.extend(team.reader.blob(&team.repository.store, upstream));
        }
    }
    words
}

// --- on candidates ---

pub fn amend_a_candidate(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let head = team.get(&name).expect("listed");
    let parents = team.repository.store.commit(head).unwrap().parents.clone();
    let commit = team.commit(team.tree(head), parents, "better words");
    team.set(&name, Some(commit));
    Ok(Some(skill))
}

pub fn review(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let tree = team.tree(team.get(&name).expect("listed"));
    let word = team.word('P');
    let where_ = dice.below(100);
    let other = if where_ < 65 { skill.clone() } else { dice.pick(&trees::SKILLS).unwrap().to_string() };
    let store = &team.repository.store;
    let (new, what) = if (65..85).contains(&where_) {
        let at = format!("docs/{skill}.md");
        (trees::with(store, tree, &at, Some(trees::file(store, format!("{word}\n").as_bytes()))), at)
    } else if where_ >= 93 {
        let Some(new) = edit_entry_in(team, tree, &skill, dice, &word) else { return Ok(None) };
        (new, format!("its entry {word}"))
    } else {
        let Some(before) = team.skill_and_entry(tree, &other).0 else { return Ok(None) };
        let (changed, what) = trees::change_skill(store, before, dice, &word);
        let at = format!("skills/{other}");
        (trees::with(store, tree, &at, trees::directory(store, Some(changed))), format!("{other}: {what}"))
    };
    if new == tree {
        return Ok(None);
    }
    team.commit_to_candidate(&name, new, "review");
    Ok(Some(format!("{skill}: {what}")))
}

pub fn resolve(team: &mut Team, dice: &mut Dice) -> Done {
    let mut open = team.candidates();
    dice.shuffle(&mut open);
    for (name, skill) in open {
        let head = team.get(&name).expect("listed");
        let listed = team.entry(team.tree(head), &skill).map_or(Vec::new(), |entry| conflicts(&entry));
        let on_main = team.entry(team.main_tree(), &skill).is_some_and(|entry| !conflicts(&entry).is_empty());
        if !listed.is_empty() && !on_main && team.head_branch() != name {
            return resolve_one(team, dice, &name, &skill);
        }
    }
    Ok(None)
}

/// Resolves all conflicts of a candidate, or one: by taking a side, or by hand where there is text to edit.
pub fn resolve_one(team: &mut Team, dice: &mut Dice, name: &str, skill: &str) -> Done {
    let head = team.get(name).expect("an open candidate");
    let listed = conflicts(&team.entry(team.tree(head), skill).expect("it lists conflicts"));
    let paths: Vec<String> = if dice.chance(70) { vec![] } else { vec![dice.pick(&listed).unwrap().0.clone()] };
    let chosen: Vec<_> = listed.into_iter().filter(|(path, ..)| paths.is_empty() || paths.contains(path)).collect();
    let by_hand = dice.chance(50) && chosen.iter().all(|(_, kind, _)| kind == "content" || kind == "add_add");
    let before = team.tree(head);
    let side = match by_hand {
        true => {
            let mut tree = before;
            for (path, ..) in &chosen {
                tree = without_markers(team, tree, &format!("skills/{skill}/{path}"));
            }
            if tree != before {
                team.commit_to_candidate(name, tree, "decide by hand");
            }
            None
        }
        false => Some(if dice.chance(50) { Side::Local } else { Side::Upstream }),
    };
    let rejected = rejected(team, &chosen);
    team.tick();
    let id = name.trim_start_matches("refs/heads/");
    let report = ops::resolve::resolve(&team.outside(), id, &paths, side, &Team::on_main())
        .map_err(|error| format!("resolve {skill} {paths:?} {side:?}: {}", error.full_message()))?;
    if team.get(name) != Some(report.commit) {
        return Err(format!("resolve of {skill} made {}, and the branch is elsewhere", report.commit));
    }
    team.touched.insert(name.to_owned());
    team.lost_on_candidate(name, before, team.tree(report.commit));
    team.removed.extend(rejected);
    Ok(Some(format!("{skill} {paths:?} {}", side.map_or("by hand".into(), |side| format!("takes {side:?}")))))
}

fn without_markers(team: &Team, tree: Oid, at: &str) -> Oid {
    let store = &team.repository.store;
    let Some(place) = skillgraft::git::entry_at(store, tree, &trees::path(at)).unwrap() else { return tree };
    let text = String::from_utf8(store.blob(place.id).unwrap()).unwrap();
    // Nested markers are longer.
    let is_marker =
        |line: &&str| ['<', '|', '=', '>'].iter().any(|sign| line.len() - line.trim_start_matches(*sign).len() >= 7);
    let text: String = text.lines().filter(|line| !is_marker(line)).map(|line| format!("{line}\n")).collect();
    let id = store.write_blob(text.as_bytes()).unwrap();
    trees::with(store, tree, at, Some(skillgraft::git::Place { id, ..place }))
}

// --- with the clone ---

/// A branch that is checked out is never moved behind a person's back.
pub fn check_a_candidate_out(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    fs::write(team.desk().join(".git/HEAD"), format!("ref: {name}\n")).unwrap();
    Ok(Some(skill))
}

pub fn back_to_the_desk(team: &Team) {
    fs::write(team.desk().join(".git/HEAD"), "ref: refs/heads/desk\n").unwrap();
}

pub fn collect_garbage(team: &mut Team, dice: &mut Dice) -> Done {
    // What the colleague's clone borrows may go.
    let _ = fs::remove_dir_all(team.path("laptop"));
    team.earlier.clear();
    let what: &[&str] = match dice.below(3) {
        0 => &["pack-refs", "--all"],
        1 => &["gc", "-q"],
        _ => &["gc", "-q", "--prune=now"],
    };
    git_ok(&team.desk(), what);
    team.reopen();
    Ok(Some(what.join(" ")))
}

/// A colleague syncs and perhaps accepts. What only they see may be gone before the team looks.
pub fn a_colleague_accepts(team: &mut Team, dice: &mut Dice) -> Done {
    if dice.chance(50) {
        super::upstream::edits(team, dice)?;
    }
    let done = a_colleague_accepts_one(team, |ready| dice.pick(ready).cloned().filter(|_| dice.chance(60)))?;
    if dice.chance(50) {
        super::upstream::edits(team, dice)?;
    }
    Ok(done)
}

/// A colleague with a clone and a mirror of their own syncs, accepts a candidate, and pushes the default branch only.
pub fn a_colleague_accepts_one(team: &mut Team, choose: impl FnOnce(&[String]) -> Option<String>) -> Done {
    let laptop = team.path("laptop");
    let main = team.main();
    if laptop.exists() {
        let packed: Vec<String> = skillgraft::git::Repository::open(&laptop)
            .unwrap()
            .refs
            .list("refs/")
            .unwrap()
            .into_iter()
            .map(|(name, id)| format!("{} {name}\n", if name == MAIN { main } else { id }))
            .collect();
        let _ = fs::remove_dir_all(laptop.join("refs"));
        fs::create_dir_all(laptop.join("refs/heads")).unwrap();
        fs::write(
            laptop.join("packed-refs"),
            format!("# pack-refs with: peeled fully-peeled sorted \n{}", packed.concat()),
        )
        .unwrap();
    } else {
        let refs = team.refs().into_iter().filter(|(name, _)| name.starts_with("refs/heads/")).collect();
        borrow(&laptop, &team.desk().join(".git"), &refs, Clone::Whole);
    }
    team.tick();
    let theirs = outside(&laptop, team.clock);
    let report = team.sync(&theirs, false);
    let ready: Vec<String> = report.sources[0]
        .skills
        .iter()
        .filter(|skill| {
            skill.candidate.as_ref().is_some_and(|c| c.conflicts.is_empty() && c.action.as_str() != "closed")
        })
        .map(|skill| skill.id.clone())
        .collect();
    let Some(skill) = choose(&ready) else { return Ok(Some("syncs only".into())) };
    if ops::accept::accept(&theirs, std::slice::from_ref(&skill), &Team::on_main()).is_err() {
        return Ok(Some(format!("syncs, and cannot accept {skill}")));
    }
    git_ok(&team.desk(), &["fetch", "-q", "--no-tags", "../laptop", "+refs/heads/main:refs/heads/main"]);
    team.reopen();
    let (old, new) = (team.tree(main), team.main_tree());
    let store = &team.repository.store;
    let lost = minus(&of(&team.reader.tree(store, old), b'P'), &team.reader.tree(store, new));
    let lost = minus(&lost, &team.removed);
    if !lost.is_empty() {
        return Err(format!("a colleague's accept of {skill} lost {}", show(&lost)));
    }
    team.mark_dirty(old, new);
    team.count("a colleague's candidate was accepted");
    Ok(Some(format!("accepts {skill}")))
}
