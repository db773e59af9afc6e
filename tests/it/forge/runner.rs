//! Plays a forge and its runner: the steps are taken out of the files that `init` laid down, and run in a fresh clone.

use crate::push::publish;
use crate::support::{PROGRAM, World, skill};
use serde_json::{Value, json};
use std::process::Command;

/// Answers as `gh`, `curl`, `cargo` and `apt-get`.
const FAKE: &str = include_str!("fake.sh");

/// A registry with a bare remote, on a forge that lives in a file.
pub struct Forge {
    pub world: World,
    kind: &'static str,
}

/// How a job ended.
pub struct Played {
    pub ok: bool,
    pub log: String,
}

impl Forge {
    /// Returns a forge of a kind with a registry that follows these skills, all of them at `v1`.
    pub fn new(kind: &'static str, skills: &[&str]) -> Self {
        Forge::in_folder(kind, skills, ".")
    }

    /// Returns the same with the registry in a folder of the repository.
    pub fn in_folder(kind: &'static str, skills: &[&str], folder: &str) -> Self {
        let jq = Command::new("jq").arg("--version").output();
        assert!(jq.is_ok(), "jq is missing, which the templates for forges need: apt-get install jq (.ci/run does)");
        let files: Vec<(String, String)> =
            skills.iter().map(|name| (format!("{name}/SKILL.md"), skill(name, "v1"))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let world = World::new();
        for repository in ["upstream", "registry"] {
            world.init(repository);
        }
        world.upstream(&files);
        world.run(&["init", folder, "--forge", kind]).ok();
        world.run(&["-C", folder, "add", &world.url("upstream"), "--name", "up"]).ok();
        publish(&world);
        for program in ["gh", "curl", "cargo", "apt-get"] {
            world.write(format!("bin/{program}"), FAKE);
        }
        std::fs::create_dir(world.path("hub")).unwrap();
        Forge { world, kind }
    }

    /// Runs the job `sync` of the workflow on the remote's default branch.
    pub fn sync(&self) -> Played {
        self.job("sync", |clone| drop(self.world.git("", &["clone", "-q", "remote.git", clone])))
    }

    /// Runs the job `sync`; everything must go well.
    #[track_caller]
    pub fn syncs(&self) -> String {
        let played = self.sync();
        assert!(played.ok, "{}", played.log);
        played.log
    }

    /// Runs the job `check` on what a pull request of a branch would make of the default branch.
    pub fn check(&self, branch: &str) -> Played {
        self.job("check", |clone| {
            self.world.git("", &["clone", "-q", "remote.git", clone]);
            self.world.git(clone, &["checkout", "-q", "--detach", "origin/main"]);
            self.world.git(clone, &["merge", "-q", "--no-ff", "-m", "Merge", &format!("origin/{branch}")]);
        })
    }

    /// Returns the pull requests.
    pub fn pulls(&self) -> Vec<Value> {
        self.state()["pulls"].as_array().cloned().unwrap_or_default()
    }

    /// Returns the open pull requests as `branch: labels`.
    pub fn open(&self) -> Vec<String> {
        let pulls = self.pulls();
        let open = pulls.iter().filter(|pull| pull["state"] == "open");
        open.map(|pull| format!("{}: {}", pull["head"]["ref"].as_str().unwrap(), labels(pull).join(" "))).collect()
    }

    /// Returns the state of `skillgraft/check` of a branch's head.
    pub fn status(&self, branch: &str) -> Value {
        let head = self.world.rev("remote.git", branch);
        let state = self.state();
        let mut statuses = state["statuses"].as_array().unwrap().iter();
        statuses.find(|status| status["sha"] == head.as_str()).cloned().unwrap_or_default()
    }

    /// Returns what was asked of the forge since the last time, but for what only looks.
    pub fn writes(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.world.path("hub/calls")).unwrap_or_default();
        let _ = std::fs::remove_file(self.world.path("hub/calls"));
        calls.lines().filter(|call| !call.starts_with("GET ")).map(str::to_owned).collect()
    }

    /// Returns what the forge knows.
    pub fn state(&self) -> Value {
        let text = std::fs::read_to_string(self.world.path("hub/state.json")).unwrap_or_default();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| json!({"pulls": [], "labels": [], "comments": [], "statuses": []}))
    }

    /// Changes what the forge knows, as people do on its pages.
    pub fn change(&self, act: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        act(&mut state);
        self.world.write("hub/state.json", state.to_string());
    }

    /// Closes the pull request of a branch, as a person does.
    pub fn close(&self, branch: &str) {
        self.change(|state| {
            let mut pulls = state["pulls"].as_array_mut().unwrap().iter_mut();
            let pull = pulls.find(|pull| pull["head"]["ref"] == branch && pull["state"] == "open");
            pull.unwrap_or_else(|| panic!("no open pull request of {branch}"))["state"] = "closed".into();
        });
    }

    /// Returns a file of the remote's default branch as YAML.
    pub fn yaml(&self, path: &str) -> Value {
        serde_saphyr::from_str(&self.world.show("remote.git", "main", path)).unwrap()
    }

    /// Returns a command in the clone, with what a runner has in its environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.world.command(program, "runner");
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.world.path("bin").display()));
        command.env("FORGE_STATE", self.world.path("hub")).env("FORGE_REMOTE", self.world.path("remote.git"));
        command.env("FORGE_PROGRAM", PROGRAM).env("FORGE_EXPECTS", env!("CARGO_PKG_VERSION"));
        command
    }

    fn job(&self, name: &str, checkout: impl Fn(&str)) -> Played {
        let workflow = self.yaml(&format!(".{0}/workflows/skillgraft.yml", self.kind));
        let job = &workflow["jobs"][name];
        let _ = std::fs::remove_dir_all(self.world.path("runner"));
        std::fs::create_dir(self.world.path("runner")).unwrap();
        self.world.write("hub/path", "");
        let mut played = Played { ok: true, log: String::new() };
        for step in job["steps"].as_array().unwrap() {
            match step["if"].as_str() {
                None | Some("steps.cache.outputs.cache-hit != 'true'") if !played.ok => continue,
                None | Some("steps.cache.outputs.cache-hit != 'true'" | "${{ !cancelled() }}") => {}
                Some(other) => panic!("what does a runner make of {other}?"),
            }
            match step["uses"].as_str().map(|uses| uses.split_once('@').unwrap().0) {
                Some("actions/checkout") => checkout("runner"),
                Some("actions/cache") => {}
                Some(other) => panic!("nobody plays {other}"),
                None => self.step([&workflow["env"], &job["env"], &step["env"]], step, &mut played),
            }
        }
        played
    }

    fn step(&self, env: [&Value; 3], step: &Value, played: &mut Played) {
        // GitHub's shell is bash, Forgejo's in a container is whatever `sh` is there.
        let mut command = self.command(if self.kind == "github" { "bash" } else { "sh" });
        for (name, value) in env.into_iter().filter_map(Value::as_object).flatten() {
            command.env(name, filled_in(value.as_str().unwrap()));
        }
        // What earlier steps put on the path comes first, then what plays the forge.
        let (added, bin) = (self.world.read("hub/path"), self.world.path("bin").display().to_string());
        let path = std::env::var("PATH").unwrap();
        let path: Vec<&str> = added.lines().chain([bin.as_str(), path.as_str()]).collect();
        command.env("PATH", path.join(":")).env("GITHUB_PATH", self.world.path("hub/path"));
        command.env("GITHUB_STEP_SUMMARY", self.world.path("hub/summary"));
        let output = command.args(["-e", "-c", step["run"].as_str().unwrap()]).output().unwrap();
        played.ok &= output.status.success();
        played.log.push_str(&String::from_utf8_lossy(&output.stdout));
        played.log.push_str(&String::from_utf8_lossy(&output.stderr));
    }
}

/// Returns the names of a pull request's labels.
pub fn labels(pull: &Value) -> Vec<&str> {
    pull["labels"].as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap()).collect()
}

/// Fills in the expressions that the workflows use, and no others.
fn filled_in(text: &str) -> String {
    let known = [
        ("github.repository", "acme/skills"),
        ("github.server_url", "http://forge.test"),
        ("github.token", "s3cret"),
        ("secrets.SKILLGRAFT_TOKEN || github.token", "s3cret"),
    ];
    let mut text = text.to_owned();
    for (expression, value) in known {
        text = text.replace(&format!("${{{{ {expression} }}}}"), value);
    }
    assert!(!text.contains("${{"), "nobody fills in {text}");
    text
}
