//! `sync` against plain git doing the same work: `cargo bench --bench sync`.
//!
//! A plain harness. It generates upstream repositories and a registry that follows them all, then runs the contestants
//! in turn, round by round, so that a busy machine is busy for each of them, and prints medians and ratios.
//!
//! - (a) A sync that finds nothing new, against one `git ls-remote` for each source (one after the other, and as many at
//!   once as `sync` asks), without and with open candidates.
//! - (b) A sync that finds fast-forwards and three-way merges, against plain git at its best (a fetch for each source,
//!   one `git cat-file --batch`, one `git merge-tree --stdin`, one `git fast-import`) and against the script that a team
//!   would write (eight git processes for each skill, run in the first round only).
//!
//! Upstreams are read twice: as `file://` URLs, through git's transport into a warm cache, and as local paths, in-process.
//! What restores the state between rounds is not timed. Every contestant's candidates are compared with git's.
//!
//! Without `--bench` (`cargo test --benches`) it runs once on a few skills, to see that it works. Otherwise:
//! `SOURCES` (20), `SKILLS` per source (50), `CHANGED` skills per source (20, half of them edited here too) in
//! the first `MOVING` sources (all), `ROUNDS` (7),
//! `JOBS` (8), `SCRIPT=0` leaves the script out, `ONLY=a` or `ONLY=b`, `OTHER=/path/to/skillgraft` lets another build of the
//! program take part, `KEEP=1` keeps the files and says where they are.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program of its own: it starts git, reads the clock, prints, and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn main() {
    let sizes = Sizes::read();
    let mut temporary = tempfile::Builder::new().prefix("skillgraft-bench-").tempdir().unwrap();
    if env_number("KEEP", 0) == 1 {
        temporary.disable_cleanup(true);
        println!("kept: {}", temporary.path().display());
    }
    let bench = Bench { root: temporary.path().canonicalize().unwrap(), sizes };
    let Sizes { sources, skills, changed, rounds, jobs, .. } = bench.sizes;
    println!("{sources} sources with {skills} skills each, {changed} of each change; {rounds} rounds, {jobs} jobs");
    bench.prepare();
    if bench.sizes.runs("a") {
        bench.nothing_new();
    }
    bench.move_upstream();
    if bench.sizes.runs("b") {
        bench.changes();
    }
}

struct Sizes {
    sources: usize,
    skills: usize,
    changed: usize,
    moving: usize,
    rounds: usize,
    jobs: usize,
    script: bool,
}

impl Sizes {
    fn read() -> Self {
        if std::env::args().any(|arg| arg == "--bench") {
            Sizes {
                sources: env_number("SOURCES", 20),
                skills: env_number("SKILLS", 50),
                changed: env_number("CHANGED", 20),
                moving: env_number("MOVING", usize::MAX).min(env_number("SOURCES", 20)),
                rounds: env_number("ROUNDS", 7),
                jobs: env_number("JOBS", 8),
                script: env_number("SCRIPT", 1) == 1,
            }
        } else {
            Sizes { sources: 2, skills: 6, changed: 4, moving: 2, rounds: 1, jobs: 2, script: true }
        }
    }

    fn runs(&self, part: &str) -> bool {
        std::env::var("ONLY").map_or(true, |only| only == part)
    }
}

fn env_number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

struct Bench {
    root: PathBuf,
    sizes: Sizes,
}

/// How upstreams are reached.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    Url,
    Path,
}

impl Reach {
    const BOTH: [Reach; 2] = [Reach::Url, Reach::Path];

    fn name(self) -> &'static str {
        match self {
            Reach::Url => "url",
            Reach::Path => "path",
        }
    }
}

/// What a skill is to become: which half of the changed ones is edited here too.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Same,
    FastForward,
    ThreeWay,
}

impl Bench {
    fn source(index: usize) -> String {
        format!("source-{index:03}")
    }

    fn skill(source: usize, index: usize) -> String {
        format!("s{source:03}-skill-{index:03}")
    }

    fn upstream(&self, source: usize) -> PathBuf {
        self.root.join("upstream").join(format!("{}.git", Self::source(source)))
    }

    fn fate(&self, source: usize, index: usize) -> Fate {
        match index {
            _ if source >= self.sizes.moving || index >= self.sizes.changed => Fate::Same,
            _ if index.is_multiple_of(2) => Fate::FastForward,
            _ => Fate::ThreeWay,
        }
    }

    fn address(&self, source: usize, reach: Reach) -> String {
        let path = self.upstream(source).display().to_string();
        if reach == Reach::Url { format!("file://{path}") } else { path }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.root.join("home"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Bench").env(format!("GIT_{who}_EMAIL"), "bench@example.com");
            command.env(format!("GIT_{who}_DATE"), "1800000000 +0000");
        }
        command
    }

    fn git(&self, dir: &Path) -> Command {
        let mut command = self.command("git");
        command.arg("-C").arg(dir);
        command
    }

    fn ours(&self, reach: Reach, dir: &Path) -> Command {
        self.program(env!("CARGO_BIN_EXE_skillgraft"), reach, dir)
    }

    fn program(&self, program: &str, reach: Reach, dir: &Path) -> Command {
        let mut command = self.command(program);
        command.env("SKILLGRAFT_CACHE_DIR", dir.join(format!("cache-{}", reach.name())));
        command.arg("-C").arg(dir.join(format!("registry-{}", reach.name())));
        command
    }

    fn sync(&self, reach: Reach, dir: &Path) -> Command {
        self.sync_by(env!("CARGO_BIN_EXE_skillgraft"), reach, dir)
    }

    fn sync_by(&self, program: &str, reach: Reach, dir: &Path) -> Command {
        let mut command = self.program(program, reach, dir);
        command.args(["sync", "--json", "--jobs", &self.sizes.jobs.to_string()]);
        command
    }

    /// The builds of our program that take part, with how each reaches upstream and what it is called.
    fn contestants(&self) -> Vec<(String, String, Reach)> {
        let mut all = Vec::new();
        for reach in Reach::BOTH {
            let how = if reach == Reach::Url { "file:// URLs" } else { "local paths" };
            all.push((format!("sync, {how}"), env!("CARGO_BIN_EXE_skillgraft").to_owned(), reach));
            if let Ok(other) = std::env::var("OTHER") {
                all.push((format!("other sync, {how}"), other, reach));
            }
        }
        all
    }

    fn prepare(&self) {
        fs::create_dir_all(self.root.join("home")).unwrap();
        let before = self.root.join("before");
        fs::create_dir_all(&before).unwrap();
        for source in 0..self.sizes.sources {
            let dir = self.upstream(source);
            fs::create_dir_all(&dir).unwrap();
            run(self.git(&dir).args(["init", "-q", "--bare", "-b", "main"]));
            // What the forges allow.
            run(self.git(&dir).args(["config", "uploadpack.allowFilter", "true"]));
            run(self.git(&dir).args(["config", "uploadpack.allowAnySHA1InWant", "true"]));
            feed(self.git(&dir).args(["fast-import", "--quiet"]), self.first_commit(source).as_bytes());
        }
        for reach in Reach::BOTH {
            let registry = before.join(format!("registry-{}", reach.name()));
            fs::create_dir_all(&registry).unwrap();
            run(self.git(&registry).args(["init", "-q", "-b", "main"]));
            run(self.ours(reach, &before).arg("init"));
            for source in 0..self.sizes.sources {
                let mut add = self.ours(reach, &before);
                run(add.args(["add", &self.address(source, reach), "--name", &Self::source(source)]));
            }
            for source in 0..self.sizes.sources {
                for index in (0..self.sizes.skills).filter(|index| self.fate(source, *index) == Fate::ThreeWay) {
                    let file = registry.join("skills").join(Self::skill(source, index)).join("SKILL.md");
                    let text = fs::read_to_string(&file).unwrap();
                    let edited = text.replacen("First, read", "First, as our team always does, read", 1);
                    assert_ne!(text, edited);
                    fs::write(&file, edited).unwrap();
                }
            }
            run(self.git(&registry).args(["commit", "-qam", "Our own way of working"]));
            run(self.git(&registry).args(["repack", "-adq"]));
            // Sync reads no work tree, and copying one takes long.
            fs::remove_dir_all(registry.join("skills")).unwrap();
        }
        // Plain git starts from the same registry, and has fetched as we have.
        copy(&before.join("registry-path"), &before.join("registry-git"));
        let git = before.join("registry-git");
        self.fetch_all(&git, 1);
        for source in 0..self.sizes.sources {
            let name = Self::source(source);
            run(self.git(&git).args(["update-ref", &format!("refs/base/{name}"), &format!("refs/upstream/{name}")]));
        }
        run(self.git(&git).args(["repack", "-adq"]));
    }

    fn first_commit(&self, source: usize) -> String {
        let mut stream =
            format!("commit refs/heads/main\ncommitter A <a@example.com> {} +0000\n", 1_700_000_000 + source);
        stream.push_str("data 5\nfirst\nM 100644 inline LICENSE\n");
        data(&mut stream, &format!("MIT, by the authors of {source}\n"));
        for index in 0..self.sizes.skills {
            let name = Self::skill(source, index);
            writeln!(stream, "M 100644 inline skills/{name}/SKILL.md").unwrap();
            data(&mut stream, &skill_md(&name, ""));
            for file in 0..2 + (source + index) % 3 {
                let mode = if file == 3 { "100755" } else { "100644" };
                writeln!(stream, "M {mode} inline skills/{name}/references/part-{file}.md").unwrap();
                data(&mut stream, &prose(&format!("{name} part {file}"), 12 + index % 9));
            }
        }
        stream
    }

    fn move_upstream(&self) {
        for source in 0..self.sizes.moving {
            let mut stream = String::from("commit refs/heads/main\ncommitter A <a@example.com> 1750000000 +0000\n");
            stream.push_str("data 6\nsecond\nfrom refs/heads/main^0\n");
            for index in (0..self.sizes.skills).filter(|index| self.fate(source, *index) != Fate::Same) {
                let name = Self::skill(source, index);
                writeln!(stream, "M 100644 inline skills/{name}/SKILL.md").unwrap();
                data(&mut stream, &skill_md(&name, "- Then tell everybody, and write it down.\n"));
                writeln!(stream, "M 100644 inline skills/{name}/references/part-0.md").unwrap();
                data(&mut stream, &prose(&format!("{name} part 0, second edition"), 14));
            }
            feed(self.git(&self.upstream(source)).args(["fast-import", "--quiet"]), stream.as_bytes());
        }
    }

    /// (a)
    fn nothing_new(&self) {
        let before = self.root.join("before");
        let mut times = Times::default();
        for reach in Reach::BOTH {
            let report = json(&run(&mut self.sync(reach, &before)));
            assert!(report["sources"].as_array().unwrap().iter().all(|s| s["outcome"] == "unchanged"), "{report}");
        }
        for _ in 0..self.sizes.rounds {
            times.take("git ls-remote, one by one", || self.ls_remotes(1));
            times.take("git ls-remote, in parallel", || self.ls_remotes(self.sizes.jobs));
            for (name, program, reach) in self.contestants() {
                times.take(&name, || drop(run(&mut self.sync_by(&program, reach, &before))));
            }
        }
        times.print("(a) nothing new", "git ls-remote, in parallel");
        self.print_processes(Reach::Url, &before);
        self.print_memory(Reach::Url, &before);
    }

    fn ls_remotes(&self, jobs: usize) {
        self.for_each_source(jobs, |source| {
            let url = self.address(source, Reach::Url);
            run(self.command("git").args(["ls-remote", "--symref", &url, "HEAD", "refs/heads/main"]));
        });
    }

    fn for_each_source(&self, jobs: usize, work: impl Fn(usize) + Sync) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    loop {
                        let source = next.fetch_add(1, Ordering::Relaxed);
                        if source >= self.sizes.sources {
                            break;
                        }
                        work(source);
                    }
                });
            }
        });
    }

    /// (b)
    fn changes(&self) {
        let (before, now) = (self.root.join("before"), self.root.join("now"));
        let mut times = Times::default();
        let mut candidates = BTreeMap::new();
        let mut sizes = BTreeMap::new();
        for round in 0..self.sizes.rounds {
            for (name, program, reach) in self.contestants() {
                restore(&before, &now);
                let mut out = Vec::new();
                times.take(&name, || out = run(&mut self.sync_by(&program, reach, &now)));
                if round == 0 {
                    let opened = self.sizes.moving * self.sizes.changed;
                    assert_eq!(json(&out)["candidates"]["opened"], opened, "{}", json(&out)["candidates"]);
                    let registry = now.join(format!("registry-{}", reach.name()));
                    candidates.insert(name.clone(), self.skill_trees(&registry));
                    sizes.insert(name.clone(), grown(&before, &now, &registry));
                }
                times
                    .take(&format!("{name}, again (all kept)"), || drop(run(&mut self.sync_by(&program, reach, &now))));
            }
            for (name, jobs) in [("git at its best, one by one", 1), ("git at its best, in parallel", self.sizes.jobs)]
            {
                restore(&before, &now);
                let git = now.join("registry-git");
                let mut fetched = Duration::ZERO;
                times.take(name, || {
                    let start = Instant::now();
                    self.fetch_all(&git, jobs);
                    fetched = start.elapsed();
                    self.candidates_by_git(&git);
                });
                times.add(
                    &format!("  of which fetching, {}", if jobs == 1 { "one by one" } else { "in parallel" }),
                    fetched,
                );
                if round == 0 {
                    candidates.insert(name.into(), self.skill_trees(&git));
                    sizes.insert(name.into(), grown(&before, &now, &git));
                }
            }
            if self.sizes.script && round == 0 {
                restore(&before, &now);
                let git = now.join("registry-git");
                times.take("the team's script", || {
                    self.fetch_all(&git, 1);
                    run(self.command("sh").args(["-ec", SCRIPT]).current_dir(&git).env("LIST", self.list()));
                });
                candidates.insert("the team's script".into(), self.skill_trees(&git));
            }
        }
        times.print("(b) changes", "git at its best, in parallel");
        for (name, bytes) in sizes {
            println!("  {name}: {} KiB of objects and refs written", bytes / 1024);
        }
        let by_git = &candidates["git at its best, in parallel"];
        for (name, trees) in &candidates {
            assert!(!trees.is_empty() && trees == by_git, "{name} proposes other trees than git at its best");
        }
        restore(&before, &now);
        self.print_processes(Reach::Url, &now);
        restore(&before, &now);
        self.print_memory(Reach::Url, &now);
    }

    fn fetch_all(&self, git: &Path, jobs: usize) {
        self.for_each_source(jobs, |source| {
            let refspec = format!("+refs/heads/main:refs/upstream/{}", Self::source(source));
            let mut fetch = self.git(git);
            fetch.args(["fetch", "-q", "--no-tags", "--no-auto-gc", "--no-write-fetch-head"]);
            run(fetch.args([&self.address(source, Reach::Url), &refspec]));
        });
    }

    /// As few processes as plain git can do with: it reads the trees of all sources at once, merges what both sides
    /// changed, and imports all candidates as one stream.
    fn candidates_by_git(&self, git: &Path) {
        let mut wanted = String::from("refs/heads/main:skills\n");
        for source in 0..self.sizes.sources {
            let name = Self::source(source);
            writeln!(wanted, "refs/base/{name}:skills\nrefs/upstream/{name}:skills").unwrap();
        }
        let trees = read_trees(&feed(self.git(git).args(["cat-file", "--batch"]), wanted.as_bytes()));
        let local = &trees[0];
        let mut wanted = Vec::new();
        let mut merges = String::new();
        for source in 0..self.sizes.sources {
            let (base, upstream) = (&trees[1 + 2 * source], &trees[2 + 2 * source]);
            for (skill, theirs) in upstream.iter().filter(|(skill, tree)| base.get(*skill) != Some(tree)) {
                let (ours, base) = (&local[skill], &base[skill]);
                if ours == base {
                    wanted.push((source, skill, Some(theirs)));
                } else {
                    wanted.push((source, skill, None));
                    writeln!(merges, "{base} -- {ours} {theirs}").unwrap();
                }
            }
        }
        let merged =
            feed(self.git(git).args(["merge-tree", "--write-tree", "--stdin", "--no-messages"]), merges.as_bytes());
        let merged = String::from_utf8(merged).unwrap();
        let mut merged = merged.split('\0').filter(|field| field.len() == 40);
        let mut stream = String::new();
        for (source, skill, tree) in wanted {
            let tree = tree.map_or_else(|| merged.next().unwrap(), String::as_str);
            let branch = format!("refs/heads/candidate/{}/{skill}", Self::source(source));
            writeln!(stream, "commit {branch}\ncommitter Bench <bench@example.com> 1800000000 +0000").unwrap();
            data(&mut stream, &format!("{skill}: update\n\n{}", trailers(skill, tree)));
            writeln!(stream, "from refs/heads/main^0\nM 040000 {tree} skills/{skill}").unwrap();
            writeln!(stream, "M 100644 inline skills/{skill}.toml").unwrap();
            data(&mut stream, &entry(skill, tree));
        }
        feed(self.git(git).args(["fast-import", "--quiet"]), stream.as_bytes());
    }

    /// One line for each changed skill: source and name.
    fn list(&self) -> String {
        let changed = |source: usize| {
            let indices = (0..self.sizes.skills).filter(move |index| self.fate(source, *index) != Fate::Same);
            indices.map(move |index| format!("{} {}\n", Self::source(source), Self::skill(source, index)))
        };
        (0..self.sizes.sources).flat_map(changed).collect()
    }

    /// The tree that each candidate has for its skill.
    fn skill_trees(&self, git: &Path) -> BTreeMap<String, String> {
        let list = self.list();
        let names = list.lines().map(|line| line.split_once(' ').unwrap());
        let wanted: String =
            names.clone().map(|(source, skill)| format!("candidate/{source}/{skill}:skills/{skill}\n")).collect();
        let out =
            feed(self.git(git).args(["cat-file", "--batch-check=%(objecttype) %(objectname)"]), wanted.as_bytes());
        let out = String::from_utf8(out).unwrap();
        let trees = out.lines().map(|line| line.strip_prefix("tree ").unwrap_or("missing").to_owned());
        names.map(|(_, skill)| skill.to_owned()).zip(trees).collect()
    }

    /// How many git processes one sync starts itself, and how many those start.
    fn print_processes(&self, reach: Reach, dir: &Path) {
        let traces = self.root.join("traces");
        fs::create_dir_all(&traces).unwrap();
        run(self.sync(reach, dir).env("GIT_TRACE2_EVENT", &traces));
        let names: Vec<_> =
            fs::read_dir(&traces).unwrap().map(|f| fs::read_to_string(f.unwrap().path()).unwrap()).collect();
        // A session id with a slash is a child's.
        let top = names
            .iter()
            .filter(|text| !text.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().contains('/'));
        println!("  sync, file:// URLs: {} git processes started by us, {} in all", top.count(), names.len());
        fs::remove_dir_all(&traces).unwrap();
    }

    /// Peak memory of one sync, where /proc says it.
    fn print_memory(&self, reach: Reach, dir: &Path) {
        let mut child = self.sync(reach, dir).stdout(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = None;
        while child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            peak =
                text.lines().find_map(|line| line.strip_prefix("VmHWM:").map(|rest| rest.trim().to_owned())).or(peak);
            std::thread::sleep(Duration::from_millis(1));
        }
        println!("  sync, file:// URLs: peak memory {}", peak.unwrap_or_else(|| "unknown".into()));
    }
}

/// What a team would write: for each skill an index of its own, a merge where both sides changed, one commit, one branch.
const SCRIPT: &str = r#"
main=$(git rev-parse refs/heads/main)
export GIT_INDEX_FILE="$PWD/.git/script-index"
printf %s "$LIST" | while read -r source skill; do
    base=$(git rev-parse "refs/base/$source:skills/$skill")
    ours=$(git rev-parse "$main:skills/$skill")
    theirs=$(git rev-parse "refs/upstream/$source:skills/$skill")
    if [ "$ours" = "$base" ]; then tree=$theirs
    else tree=$(git merge-tree --write-tree --merge-base="$base" "$ours" "$theirs"); fi
    entry=$(printf 'format = 1\nstatus = "active"\n[upstream]\nsource = "%s"\ngit_tree = "%s"\n' "$source" "$theirs" | git hash-object -w --stdin)
    git read-tree "$main"
    git rm -rq --cached -- "skills/$skill"
    git read-tree --prefix="skills/$skill/" "$tree"
    git update-index --add --cacheinfo "100644,$entry,skills/$skill.toml"
    commit=$(git commit-tree -p "$main" -m "$skill: update" "$(git write-tree)")
    git update-ref "refs/heads/candidate/$source/$skill" "$commit" ""
done
"#;

fn skill_md(name: &str, more: &str) -> String {
    format!(
        "---\nname: {name}\ndescription: Does what {name} says, and is used wherever somebody asks for {name}.\n\
         license: MIT\nallowed-tools: Read, Grep\nmetadata:\n  version: \"1.0\"\n---\n\n# {name}\n\n\
         First, read what is there.\n\n{}\n## In the end\n\n- Look at it again.\n{more}",
        prose(name, 40)
    )
}

/// Lines that differ from skill to skill, as prose does.
fn prose(seed: &str, lines: usize) -> String {
    let words = ["when", "the", "build", "fails", "look", "for", "a", "cause", "before", "you", "change", "anything"];
    let mut state =
        seed.bytes().fold(0xcbf2_9ce4_8422_2325u64, |s, b| (s ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut text = format!("# {seed}\n\n");
    for line in 0..lines {
        write!(text, "{line}.").unwrap();
        for _ in 0..10 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            write!(text, " {}{}", words[(state >> 33) as usize % words.len()], (state >> 40) % 30).unwrap();
        }
        text.push('\n');
    }
    text
}

/// About as long as the entry that we write.
fn entry(skill: &str, tree: &str) -> String {
    format!(
        "format = 1\nstatus = \"active\"\n\n[upstream]\nsource = \"source\"\npath = \"skills/{skill}\"\n\
         accepted = \"git-sha256:{tree}{}\"\ngit_tree = \"{tree}\"\nmirror = \"{tree}\"\nrevision = \"{tree}\"\n\
         version = \"1.0\"\nlicense = \"MIT\"\n",
        "0".repeat(24)
    )
}

fn trailers(skill: &str, tree: &str) -> String {
    format!("Skill: {skill}\nBase: {tree}\nUpstream: {tree}\nMirror: {tree}\nRevision: {tree}\n")
}

fn data(stream: &mut String, text: &str) {
    writeln!(stream, "data {}\n{text}", text.len()).unwrap();
}

/// Reads the names and ids in the trees that `git cat-file --batch` printed.
fn read_trees(mut out: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut trees = Vec::new();
    while let Some(end) = out.iter().position(|byte| *byte == b'\n') {
        let header = std::str::from_utf8(&out[..end]).unwrap();
        let len: usize = header.rsplit(' ').next().unwrap().parse().unwrap();
        let mut rest = &out[end + 1..end + 1 + len];
        let mut tree = BTreeMap::new();
        while let Some(nul) = rest.iter().position(|byte| *byte == 0) {
            let (_, name) = std::str::from_utf8(&rest[..nul]).unwrap().split_once(' ').unwrap();
            let id = rest[nul + 1..nul + 21].iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            tree.insert(name.to_owned(), id);
            rest = &rest[nul + 21..];
        }
        trees.push(tree);
        out = &out[end + len + 2..];
    }
    trees
}

/// Runs a command that must succeed, and returns what it printed.
fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{:?}", first_error(&output.stdout));
    output.stdout
}

/// The first error in a report of ours; the whole may be long.
fn first_error(out: &[u8]) -> Option<String> {
    let report: serde_json::Value = serde_json::from_slice(out).ok()?;
    let sources = report["sources"].as_array()?;
    let skills = sources.iter().flat_map(|source| source["skills"].as_array().into_iter().flatten());
    sources.iter().chain(skills).map(|it| &it["error"]).find(|error| !error.is_null()).map(ToString::to_string)
}

/// Runs a command that reads `input` and must succeed, and returns what it printed.
fn feed(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{command:?}");
    output.stdout
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// Puts the state before the round back, and waits for the disk, so that nobody's fsync pays for the copy.
fn restore(before: &Path, now: &Path) {
    if now.exists() {
        fs::remove_dir_all(now).unwrap();
    }
    copy(before, now);
    run(&mut Command::new("sync"));
}

/// By how many bytes the files of a repository grew.
fn grown(before: &Path, now: &Path, repository: &Path) -> u64 {
    fn size(dir: &Path) -> u64 {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|e| if e.file_type().unwrap().is_dir() { size(&e.path()) } else { e.metadata().unwrap().len() })
            .sum()
    }
    let old = before.join(repository.strip_prefix(now).unwrap());
    size(&repository.join(".git")) - size(&old.join(".git"))
}

/// What each contestant took, in the order in which they first ran.
#[derive(Default)]
struct Times(Vec<(String, Vec<Duration>)>);

impl Times {
    fn take(&mut self, name: &str, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        self.add(name, start.elapsed());
    }

    fn add(&mut self, name: &str, time: Duration) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, times)) => times.push(time),
            None => self.0.push((name.to_owned(), vec![time])),
        }
    }

    fn median(&self, name: &str) -> Duration {
        let mut times = self.0.iter().find(|(known, _)| known == name).unwrap().1.clone();
        times.sort_unstable();
        times[times.len() / 2]
    }

    fn print(&self, title: &str, against: &str) {
        println!("\n{title:<44}{:>10}{:>10}   of \"{against}\"", "median", "best");
        let against = self.median(against).as_secs_f64();
        for (name, times) in &self.0 {
            let (median, best) = (self.median(name).as_secs_f64(), times.iter().min().unwrap().as_secs_f64());
            println!("  {name:<42}{:>7.0} ms{:>7.0} ms{:>7.2}", median * 1e3, best * 1e3, median / against);
        }
    }
}
