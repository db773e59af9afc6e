//! A team with its registry and one upstream, and what is known of who wrote and removed what.

use super::oracle::new_skills;
use super::places::places;
use super::repositories::{copy_tree, git_ok, outside};
use super::taken_back::TakenBack;
use super::trees::{self, Reader, Words, minus};
use jiff::civil::Date;
use skillgraft::git::{Mode, NewCommit, Oid, RefChange, RefName, Repository};
use skillgraft::ops::{self, Outside};
use skillgraft::registry::Destination;
use skillgraft::sync::Report;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub const MAIN: &str = "refs/heads/main";
pub const CANDIDATES: &str = "refs/heads/candidate/sp/";
pub const MIRROR: &str = "refs/heads/mirror/sp";

pub struct Team {
    dir: Option<TempDir>,
    pub repository: Repository,
    pub upstream: Repository,
    pub reader: Reader,
    pub clock: i64,
    word: u32,
    /// Words that a person took out, on the default branch or on a candidate.
    pub removed: Words,
    /// By skill, the words that a person took out of it on the default branch: where upstream moves skills about, another
    /// may have them.
    pub removed_from: BTreeMap<String, Words>,
    /// By candidate, the words that a person took out there: they may stand, or be put back, on the default branch until
    /// it is merged.
    pub removed_on: BTreeMap<String, Words>,
    /// Candidates on which people changed content.
    pub touched: BTreeSet<String>,
    /// Skills that changed on the default branch since the last sync.
    pub dirty: BTreeSet<String>,
    /// The default branch went back since the last sync.
    pub forced: bool,
    /// Somebody merged the wrong way round: first parents no longer tell what came after what.
    pub foxtrot: bool,
    /// What people took back.
    pub taken: TakenBack,
    /// Trees that upstream had.
    pub states: Vec<Oid>,
    /// What the mirror held after each look that changed it, by the oracle: skills by place.
    pub looks: Vec<BTreeMap<String, Oid>>,
    /// The licence file that the mirror must hold, by the oracle.
    pub license: Option<Oid>,
    /// What the oracle found out already: where skills are, and how alike two files are.
    pub places: RefCell<Option<Known>>,
    pub likeness: RefCell<BTreeMap<(Oid, Oid), usize>>,
    /// The branches some syncs ago.
    pub earlier: BTreeMap<String, Oid>,
    /// What the last sync left behind.
    pub last: BTreeMap<String, Left>,
    pub history: Vec<String>,
    pub counts: BTreeMap<String, u64>,
}

/// A candidate as a sync left it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    pub head: Oid,
    pub action: &'static str,
    pub causes: Causes,
}

/// Everything that a candidate is made of: local, entry, upstream and licence, and where upstream has the skill.
pub type Causes = ([Option<Oid>; 4], String);

/// Where skills are, as found out for a head of the default branch and a number of looks.
type Known = ((Oid, usize), BTreeMap<String, String>);

impl Team {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        git_ok(dir.path(), &["init", "-q", "--bare", "-b", "main", "up"]);
        git_ok(dir.path(), &["init", "-q", "-b", "desk", "team"]);
        let mut team = Team {
            repository: Repository::open(&at("team")).unwrap(),
            upstream: Repository::open(&at("up")).unwrap(),
            dir: Some(dir),
            reader: Reader::default(),
            clock: 1_700_000_000,
            word: 0,
            removed: Words::new(),
            removed_from: BTreeMap::new(),
            removed_on: BTreeMap::new(),
            touched: BTreeSet::new(),
            dirty: BTreeSet::new(),
            forced: false,
            foxtrot: false,
            taken: TakenBack::default(),
            states: Vec::new(),
            looks: Vec::new(),
            license: None,
            places: RefCell::default(),
            likeness: RefCell::default(),
            earlier: BTreeMap::new(),
            last: BTreeMap::new(),
            history: Vec::new(),
            counts: BTreeMap::new(),
        };
        team.found_upstream();
        team.found_registry();
        team
    }

    fn found_upstream(&mut self) {
        let words: Vec<String> = (0..3).map(|_| self.word('U')).collect();
        let store = &self.upstream.store;
        let mut tree = trees::with(store, store.empty_tree(), "LICENSE", Some(trees::file(store, b"MIT\n")));
        for (skill, word) in ["deploy", "ops", "net"].into_iter().zip(&words) {
            let new = trees::directory(store, Some(trees::new_skill(store, skill, word)));
            tree = trees::with(store, tree, &format!("skills/{skill}"), new);
        }
        self.publish(tree);
    }

    fn found_registry(&mut self) {
        let store = &self.repository.store;
        let mut tree = store.empty_tree();
        let source = source_file(&[]);
        for (at, text) in [
            ("skillgraft.toml", "format = 1\n[registry]\nbranch = \"main\"\n"),
            ("sources/sp.toml", source.as_str()),
            (".gitattributes", "/skills/** -text\n"),
            ("README.md", "The team's skills.\n"),
            ("skills/own/SKILL.md", "---\nname: own\ndescription: The team's own.\n---\n\n# own\n"),
        ] {
            tree = trees::with(store, tree, at, Some(trees::file(store, text.as_bytes())));
        }
        let first = self.commit(tree, vec![], "first");
        self.set(MAIN, Some(first));
        self.set("refs/heads/desk", Some(first));
        // The person at this desk works on something else, and has not committed everything.
        git_ok(&self.desk(), &["reset", "-q", "--hard"]);
        fs::write(self.desk().join("README.md"), "not committed\n").unwrap();
        fs::write(self.desk().join("untracked"), "not added\n").unwrap();
    }

    // --- places ---

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.as_ref().expect("until the end").path().join(name)
    }

    pub fn desk(&self) -> PathBuf {
        self.path("team")
    }

    pub fn outside(&self) -> Outside {
        outside(&self.desk(), self.clock)
    }

    /// Leaves the repositories on disk where somebody asks for them.
    pub fn keep_for_inspection(&mut self) -> String {
        let keep = std::env::var_os("SKILLGRAFT_LAW_KEEP").is_some();
        let kept = self.dir.take().filter(|_| keep).map(TempDir::keep);
        kept.map_or(String::new(), |dir| format!("\nkept: {}", dir.display()))
    }

    pub fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Returns the day: the clock's.
    pub fn today(&self) -> Date {
        self.outside().today
    }

    // --- refs ---

    pub fn refs(&self) -> BTreeMap<String, Oid> {
        self.repository.refs.list("refs/").unwrap()
    }

    pub fn get(&self, name: &str) -> Option<Oid> {
        self.repository.refs.get(name).unwrap()
    }

    pub fn main(&self) -> Oid {
        self.get(MAIN).expect("there always is one")
    }

    pub fn main_tree(&self) -> Oid {
        self.tree(self.main())
    }

    pub fn tree(&self, commit: Oid) -> Oid {
        self.repository.store.commit(commit).unwrap().tree
    }

    /// Returns the candidates: ref and skill.
    pub fn candidates(&self) -> Vec<(String, String)> {
        let all = self.repository.refs.list(CANDIDATES).unwrap();
        all.into_keys().map(|name| (name.clone(), name[CANDIDATES.len()..].to_owned())).collect()
    }

    pub fn set(&self, name: &str, new: Option<Oid>) {
        self.repository.store.flush().unwrap();
        let expected = self.get(name);
        if expected == new {
            return;
        }
        let change = RefChange { name: RefName::parse(name).unwrap(), expected, new };
        self.repository.refs.apply(&[change], "test", "Person <person@acme.example> 0 +0000").unwrap();
    }

    /// Returns the branch that is checked out.
    pub fn head_branch(&self) -> String {
        let head = fs::read_to_string(self.desk().join(".git/HEAD")).unwrap();
        head.trim().trim_start_matches("ref: ").to_owned()
    }

    /// Reads objects that another process wrote or packed.
    pub fn reopen(&mut self) {
        self.repository = Repository::open(&self.desk()).unwrap();
    }

    // --- commits ---

    pub fn tick(&mut self) -> i64 {
        self.clock += 60;
        self.clock
    }

    pub fn word(&mut self, who: char) -> String {
        self.word += 1;
        format!("{who}{}", self.word)
    }

    pub fn commit(&mut self, tree: Oid, parents: Vec<Oid>, message: &str) -> Oid {
        let who = format!("Person <person@acme.example> {} +0000", self.tick());
        let new = NewCommit { tree, parents, author: who.clone(), committer: who, message: format!("{message}\n") };
        let commit = self.repository.store.write_commit(&new).unwrap();
        self.repository.store.flush().unwrap();
        commit
    }

    /// A person's commit on the default branch; what it takes out, the person meant to take out.
    pub fn commit_to_main(&mut self, tree: Oid, message: &str) {
        let before = self.main();
        self.took_out(self.tree(before), tree);
        self.mark_dirty(self.tree(before), tree);
        let commit = self.commit(tree, vec![before], message);
        self.set(MAIN, Some(commit));
    }

    /// A command moved the default branch, as a person asked for; `before` is where it was.
    pub fn moved_main(&mut self, before: Oid) {
        self.repository.store.refresh();
        let (before, after) = (self.tree(before), self.main_tree());
        self.took_out(before, after);
        self.mark_dirty(before, after);
    }

    /// A reviewer's commit on a candidate.
    pub fn commit_to_candidate(&mut self, name: &str, tree: Oid, message: &str) {
        let before = self.get(name).expect("an open candidate");
        self.lost_on_candidate(name, self.tree(before), tree);
        let commit = self.commit(tree, vec![before], message);
        self.touched.insert(name.to_owned());
        self.set(name, Some(commit));
    }

    /// A person made `after` of `before` on the default branch: what is gone was taken out, what is there again was put
    /// back.
    pub fn took_out(&mut self, before: Oid, after: Oid) {
        let store = &self.repository.store;
        let back = minus(&self.reader.tree(store, after), &self.reader.tree(store, before));
        self.removed = minus(&self.removed, &back);
        for skill in trees::IDS {
            let (old, new) = (self.reader.skill(store, before, skill), self.reader.skill(store, after, skill));
            let removed = self.removed_from.entry(skill.to_owned()).or_default();
            removed.extend(minus(&old, &new));
            *removed = minus(removed, &new);
        }
        // Of a skill that was renamed git may leave files behind under the former name.
        let has_entry = |tree, skill: &&str| self.skill_and_entry(tree, skill).1.is_some();
        let changed = trees::IDS.into_iter().filter(|skill| has_entry(before, skill) != has_entry(after, skill));
        let (came, went): (Vec<&str>, Vec<&str>) = changed.partition(|skill| has_entry(after, skill));
        for (came, went) in came.iter().flat_map(|came| went.iter().map(move |went| (came, went))) {
            let store = &self.repository.store;
            let (old, new) = (self.reader.skill(store, before, went), self.reader.skill(store, after, came));
            self.removed_from.entry(came.to_string()).or_default().extend(minus(&old, &new));
        }
        self.lost_on_purpose(before, after);
    }

    /// As [`Team::took_out`], where what came back may still be gone elsewhere: on a candidate, or after a force push.
    pub fn lost_on_purpose(&mut self, before: Oid, after: Oid) {
        let store = &self.repository.store;
        self.removed.extend(minus(&self.reader.tree(store, before), &self.reader.tree(store, after)));
    }

    /// Returns what nobody has to look for in a skill: what a person took out of it, or out of everything.
    pub fn removed_from(&self, skill: &str) -> Words {
        let from = self.removed_from.get(skill).cloned().unwrap_or_default();
        from.union(&self.removed).copied().collect()
    }

    /// As [`Team::lost_on_purpose`], on a candidate.
    pub fn lost_on_candidate(&mut self, name: &str, before: Oid, after: Oid) {
        let store = &self.repository.store;
        let gone = minus(&self.reader.tree(store, before), &self.reader.tree(store, after));
        // Another skill may have what was taken out of this one.
        let skill = &name[CANDIDATES.len()..];
        let from_skill = minus(&self.reader.skill(store, before, skill), &self.reader.skill(store, after, skill));
        self.removed_on.entry(name.to_owned()).or_default().extend(gone.union(&from_skill));
        self.lost_on_purpose(before, after);
    }

    pub fn mark_dirty(&mut self, before: Oid, after: Oid) {
        for skill in trees::IDS {
            if self.skill_and_entry(before, skill) != self.skill_and_entry(after, skill) {
                self.dirty.insert(skill.to_owned());
            }
        }
    }

    pub fn skill_and_entry(&self, tree: Oid, skill: &str) -> (Option<Oid>, Option<Oid>) {
        let store = &self.repository.store;
        let entry = trees::blob_at(store, tree, &format!("skills/{skill}.toml"));
        (trees::directory_at(store, tree, &format!("skills/{skill}")), entry)
    }

    /// Returns the place that the entry of a skill of the team names on the default branch; its own name where it names
    /// none.
    pub fn followed(&self, skill: &str) -> String {
        let path = self.entry(self.main_tree(), skill).and_then(|entry| upstream_of(&entry, "path"));
        path.map_or(skill.to_owned(), |path| path.trim_start_matches("skills/").to_owned())
    }

    /// Returns the place where upstream has what a skill of the team follows, or what would be new under that id.
    pub fn place(&self, skill: &str) -> String {
        let place = places(self).remove(skill).or_else(|| new_skills(self).remove(skill));
        place.unwrap_or_else(|| skill.to_owned())
    }

    /// Returns what the mirror must hold, by place.
    pub fn mirrored(&self) -> &BTreeMap<String, Oid> {
        static NOTHING: BTreeMap<String, Oid> = BTreeMap::new();
        self.looks.last().unwrap_or(&NOTHING)
    }

    /// Returns what the mirror must hold of the upstream skill that this one follows.
    pub fn upstream_now(&self, skill: &str) -> Option<Oid> {
        self.mirrored().get(&self.place(skill)).copied()
    }

    /// Returns the skills that have a directory on the default branch.
    pub fn skills(&self) -> Vec<String> {
        let tree = self.main_tree();
        let there = |skill: &&str| self.skill_and_entry(tree, skill).0.is_some();
        trees::IDS.into_iter().filter(there).map(str::to_owned).collect()
    }

    pub fn entry(&self, tree: Oid, skill: &str) -> Option<toml::Table> {
        let blob = self.skill_and_entry(tree, skill).1?;
        let text = String::from_utf8(self.repository.store.blob(blob).unwrap()).unwrap();
        Some(text.parse().unwrap_or_else(|error| panic!("the entry of {skill} does not parse: {error}\n{text}")))
    }

    // --- upstream ---

    pub fn upstream_head(&self) -> Oid {
        self.upstream.refs.get(MAIN).unwrap().expect("upstream has a commit")
    }

    pub fn upstream_tree(&self) -> Oid {
        self.upstream.store.commit(self.upstream_head()).unwrap().tree
    }

    pub fn publish(&mut self, tree: Oid) {
        let parents = self.upstream.refs.get(MAIN).unwrap().into_iter().collect();
        self.publish_on(tree, parents);
    }

    /// As [`Team::publish`], on any commits: with others than the head it is a force push.
    pub fn publish_on(&mut self, tree: Oid, parents: Vec<Oid>) {
        let who = format!("Author <author@upstream.example> {} +0000", self.tick());
        let new = NewCommit { tree, parents, author: who.clone(), committer: who, message: "upstream\n".into() };
        let commit = self.upstream.store.write_commit(&new).unwrap();
        self.upstream.store.flush().unwrap();
        self.set_upstream(commit);
    }

    pub fn set_upstream(&mut self, commit: Oid) {
        let expected = self.upstream.refs.get(MAIN).unwrap();
        let change = RefChange { name: RefName::parse(MAIN).unwrap(), expected, new: Some(commit) };
        self.upstream.refs.apply(&[change], "test", "Author <author@upstream.example> 0 +0000").unwrap();
        self.states.push(self.upstream.store.commit(commit).unwrap().tree);
    }

    /// Returns the skill as upstream has it now at a place, copied into the registry's repository; none where it cannot
    /// be used.
    pub fn fetched(&self, place: &str) -> Option<Oid> {
        let store = &self.upstream.store;
        let tree = trees::directory_at(store, self.upstream_tree(), &format!("skills/{place}"))?;
        let is_bad = trees::files(store, tree).values().any(|place| place.mode == Mode::Link);
        (!is_bad).then(|| copy_tree(store, &self.repository.store, tree))
    }

    // --- the program ---

    pub fn sync(&self, outside: &Outside, dry_run: bool) -> Report {
        let options = ops::sync::Options {
            sources: &[],
            dry_run,
            offline: false,
            push: None,
            push_options: &[],
            jobs: 1,
            progress: &|_| {},
        };
        ops::sync::sync(outside, &options).unwrap()
    }

    pub fn push(&self, outside: &Outside) -> Report {
        let (push, progress) = (Some("origin"), &|_: &str| {});
        let options = ops::sync::Options {
            sources: &[],
            dry_run: false,
            offline: false,
            push,
            push_options: &[],
            jobs: 1,
            progress,
        };
        ops::sync::sync(outside, &options).unwrap()
    }

    pub fn on_main() -> ops::Commit {
        ops::Commit { destination: Destination::DefaultBranch, message: None }
    }
}

/// Returns the text of the source file.
pub fn source_file(exclude: &[&str]) -> String {
    format!("format = 1\n# what we follow\ngit = \"../up\"\npath = \"skills\"\nexclude = {exclude:?}\n")
}

/// Returns the conflicts that an entry lists: path, kind, and upstream's blob.
pub fn conflicts(entry: &toml::Table) -> Vec<(String, String, Option<Oid>)> {
    let listed = entry.get("conflict").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let text = |conflict: &toml::Value, key: &str| conflict.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let read = |conflict: &toml::Value| {
        let upstream = text(conflict, "upstream").map(|id| Oid::parse(&id).unwrap());
        (text(conflict, "path").unwrap(), text(conflict, "kind").unwrap(), upstream)
    };
    listed.iter().map(read).collect()
}

/// Returns a text of an entry's `[upstream]`.
pub fn upstream_of(entry: &toml::Table, key: &str) -> Option<String> {
    Some(entry.get("upstream")?.get(key)?.as_str()?.to_owned())
}
