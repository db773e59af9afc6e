//! A program as a source. The program here is a shell script that speaks as much MCP as skills need: it answers from files
//! beside it.

use crate::import::{outside, without_options};
use crate::support::http::digest;
use crate::support::reach::Reach;
use crate::support::{World, skill};
use base64::Engine as _;
use serde_json::{Value, json};
use skillgraft::ops::import::{Ask, Choice, import};
use skillgraft::registry::SourceFile;
use skillgraft::skill::Limits;
use skillgraft::source::{Access, FIRST_ANSWER, Snapshot, observe};
use skillgraft::types::{ErrorKind, Result, SourceName};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Answers each request with the file that is named after its method, or after the address that it reads.
const SERVER: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
[ -e greeting ] && cat greeting
echo "started with $*" >&2
pwd > where
env > environment
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$(cat "$1")"; }
refuse() { printf '{"jsonrpc":"2.0","id":%s,"error":{"code":%s,"message":"%s"}}\n' "$id" "$1" "$2"; }
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    uri=$(printf '%s' "$line" | sed -n 's/.*"uri":"\([^"]*\)".*/\1/p' | tr '/:' '__')
    cursor=$(printf '%s' "$line" | sed -n 's/.*"cursor":"\([^"]*\)".*/\1/p')
    case "$line" in
    *'"notifications/'*) ;;
    *'"server/discover"'*) if [ -e discover ]; then answer discover; else refuse -32601 "no such method"; fi ;;
    *'"initialize"'*) answer initialize ;;
    *'"skills/list"'*) echo list >> asked; answer "list$cursor" ;;
    *'"skills/get"'*) echo "get $uri" >> asked; [ -e "get-$uri" ] && answer "get-$uri" || refuse -32602 "no such skill" ;;
    *'"resources/read"'*) echo "read $uri" >> asked; [ -e "read-$uri" ] && answer "read-$uri" || refuse -32602 "no such file" ;;
    *) refuse -32601 "no such method" ;;
    esac
done
echo bye > bye
"#;

/// A registry beside a program that serves `deploy` (two files) and `acme/ops`.
fn world() -> World {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.write("program/serve", SERVER);
    let capabilities = json!({ "resources": {}, "extensions": { "io.modelcontextprotocol/skills": {} } });
    let about = json!({ "name": "test", "version": "1" });
    answer(
        &world,
        "initialize",
        &json!({ "protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": about }),
    );
    let deploy = put(&world, "deploy", &[("SKILL.md", &skill("deploy", "v1")), ("a b.bin", "\u{0}\u{1}")]);
    list(&world, &[deploy, put(&world, "acme/ops", &[("SKILL.md", &skill("ops", "v1"))])]);
    world
}

fn answer(world: &World, name: &str, value: &Value) {
    world.write(format!("program/{name}"), value.to_string());
}

fn list(world: &World, skills: &[Value]) {
    answer(world, "list", &json!({ "resultType": "complete", "skills": skills, "ttlMs": 1, "cacheScope": "public" }));
}

/// Lets the program serve a skill, and returns its entry.
fn put(world: &World, path: &str, files: &[(&str, &str)]) -> Value {
    let name = path.rsplit('/').next().unwrap();
    let resources: Vec<Value> = files.iter().map(|(file, text)| put_file(world, path, file, text)).collect();
    json!({
        "uri": format!("skill://{path}/SKILL.md"),
        "frontmatter": { "name": name, "description": format!("Does {name}.") },
        "resources": resources,
    })
}

fn put_file(world: &World, path: &str, file: &str, text: &str) -> Value {
    let uri = format!("skill://{path}/{}", file.replace(' ', "%20"));
    let content = if file.ends_with(".bin") {
        json!({ "uri": uri, "blob": base64::prelude::BASE64_STANDARD.encode(text) })
    } else {
        json!({ "uri": uri, "mimeType": "text/markdown", "text": text })
    };
    let read = json!({ "resultType": "complete", "contents": [content], "ttlMs": 1, "cacheScope": "public" });
    answer(world, &format!("read-{}", uri.replace(['/', ':'], "_")), &read);
    json!({ "uri": uri, "digest": digest(text.as_bytes()), "size": text.len() })
}

fn serve(world: &World) -> String {
    world.path("program/serve").display().to_string()
}

fn add(world: &World) {
    world.run(&["add", "--name", "host", "--command", &serve(world), "--stdio"]).ok();
}

#[test]
fn skills_of_a_program_are_listed_fetched_verified_and_mirrored() {
    let world = world();
    add(&world);
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "v1"));
    assert_eq!(world.read("registry/skills/deploy/a b.bin"), "\u{0}\u{1}");
    assert!(world.read("registry/skills/ops.toml").contains("path = \"acme/ops\""));
    let text = world.read("registry/sources/host.toml");
    assert!(text.contains(&format!("command = [\"{}\", \"--stdio\"]", serve(&world))), "{text}");
    assert_eq!(world.json(&["source", "list"])["sources"][0]["kind"], "command");
    assert!(world.exists("program/bye"), "it was given the time to end by itself");
    world.sync();
    let before = (world.refs("registry"), world.objects("registry"));
    assert_eq!(world.sync().source("host")["outcome"], "unchanged");
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
    list(
        &world,
        &[
            put(&world, "deploy", &[("SKILL.md", &skill("deploy", "v2"))]),
            put(&world, "acme/ops", &[("SKILL.md", &skill("ops", "v1"))]),
        ],
    );
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("ops")), ("fast_forward", "unchanged"));
    // Gone from the list it is gone, and a person decides.
    list(&world, &[put(&world, "deploy", &[("SKILL.md", &skill("deploy", "v2"))])]);
    assert_eq!(world.sync().class("ops"), "removed");
}

#[test]
fn a_program_runs_outside_of_any_repository_and_without_git_s_variables() {
    let world = world();
    world.set_env("GIT_DIR", Some("/nowhere"));
    world.set_env("MY_TOKEN", Some("mine"));
    world
        .run(&["add", "--name", "host", "--command", "/bin/sh", "-c", &format!("pwd >&2; exec {}", serve(&world))])
        .ok();
    world.set_env("GIT_DIR", None::<&str>);
    let environment = world.read("program/environment");
    assert!(environment.contains("MY_TOKEN=mine") && !environment.contains("GIT_"), "{environment}");
}

#[test]
fn a_command_that_came_with_the_registry_runs_only_once_it_is_trusted() {
    let world = world();
    let file = format!("format = 1\ncommand = [\"{}\"]\n", serve(&world));
    world.registry(&[("sources/host.toml", &file)]);
    let synced = world.try_sync("registry", &[]);
    let error = &synced.source("host")["error"];
    assert_eq!((synced.code, error["kind"].as_str()), (1, Some("untrusted")));
    assert_eq!(error["hint"], "if you know that program: skillgraft source trust host");
    assert!(!world.exists("program/where"), "it did not run");
    let head = world.head("registry");
    world.run(&["source", "trust", "host"]).ends_with(2).says(&["without a terminal", "--yes", "program/serve"]);
    world
        .run(&["source", "trust", "host", "--yes"])
        .ok()
        .prints(&["Trusted `", "on this machine; source host runs it"]);
    assert_eq!(
        (world.head("registry"), world.json(&["source", "trust", "host", "--yes"])["new"].clone()),
        (head, json!(false))
    );
    assert_eq!(world.sync().action("deploy"), "opened");
    assert!(world.exists("program/where"));
    // Typing it trusts it, too, where the source is there already.
    std::fs::remove_dir_all(world.path("home/.config")).unwrap();
    assert_eq!(world.try_sync("registry", &[]).code, 1);
    world.run(&["add", "--name", "host", "--command", &serve(&world)]).ok();
    world.sync();
    // Another argument is another command.
    std::fs::remove_file(world.path("program/where")).unwrap();
    world.edit("registry/sources/host.toml", "serve\"", "serve\", \"--evil\"");
    world.commit("registry", "pulled");
    assert_eq!(world.try_sync("registry", &[]).source("host")["error"]["kind"], "untrusted");
    assert!(!world.exists("program/where"), "it did not run");
    // What stands in the registry itself would change with what others push.
    for program in ["./serve", "tools/serve", "../program/serve", "", "-x"] {
        let file = format!("format = 1\ncommand = [\"{program}\"]\n");
        world.registry(&[("sources/host.toml", &file)]);
        world.run(&["source", "trust", "host", "--yes"]).ends_with(2).says(&["is no program that may run as a source"]);
        assert_eq!(world.try_sync("registry", &[]).source("host")["error"]["kind"], "config");
    }
    world.run(&["add", "--name", "x", "--command", "./serve"]).ends_with(2);
}

#[test]
fn a_skill_that_is_not_what_its_entry_says_is_rejected_alone_and_kept() {
    let world = world();
    add(&world);
    let good = put(&world, "deploy", &[("SKILL.md", &skill("deploy", "v2"))]);
    let ops = || put(&world, "acme/ops", &[("SKILL.md", &skill("ops", "v1"))]);
    let changed = |key: &str, value: Value| {
        let mut skill = ops();
        skill[key] = value;
        skill
    };
    let resource = |key: &str, value: Value| {
        let mut skill = ops();
        skill["resources"][0][key] = value;
        skill
    };
    let outside = json!([ops()["resources"][0], put_file(&world, "deploy", "SKILL.md", &skill("deploy", "v2"))]);
    let climbing =
        json!([ops()["resources"][0], { "uri": "skill://acme/ops/%2e%2e/x", "digest": digest(b""), "size": 0 }]);
    for (entry, says) in [
        (resource("digest", json!(digest(b"other"))), "the manifest says sha256:"),
        (resource("size", json!(7)), "the manifest says 7"),
        (resource("size", json!(99_999_999)), "at most 16.0 MiB"),
        (resource("digest", json!("md5:00")), "malformed digest"),
        (changed("frontmatter", json!({ "name": "ops", "description": "Harmless." })), "are not those of the listing"),
        (
            changed("frontmatter", json!({ "name": "other", "description": "Does ops." })),
            "does not end in the frontmatter name",
        ),
        (changed("resources", json!("dynamic")), "no digest can prove it"),
        (changed("resources", json!([])), "does not list its own SKILL.md"),
        (changed("resources", outside), "within the directory of"),
        (changed("resources", climbing), "within the directory of"),
    ] {
        list(&world, &[good.clone(), entry]);
        let synced = world.sync();
        assert_eq!((synced.class("deploy"), synced.class("ops")), ("fast_forward", "unchanged"), "{says}");
        let reason = if says.contains("at most") { "too_large" } else { "refused" };
        assert_eq!(synced.rejected("host"), [format!("acme/ops {reason}")]);
        let message = synced.source("host")["rejected"][0]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
    // What the program does not give is a failure.
    list(
        &world,
        &[good.clone(), changed("uri", json!("skill://acme/ops/SKILL.md")), put(&world, "gone", &[("SKILL.md", "x")])],
    );
    std::fs::remove_file(world.path("program/read-skill___gone_SKILL.md")).unwrap();
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.rejected("host")), (1, vec!["gone unreachable".into()]));
    let twice = [good.clone(), good, changed("uri", json!("skill:///SKILL.md"))];
    list(&world, &twice);
    assert_eq!(world.sync().rejected("host"), ["skill://deploy/SKILL.md name_collision", "skill:///SKILL.md path"]);
}

#[test]
fn a_skill_that_changed_between_listing_and_reading_is_asked_for_once_more() {
    let world = world();
    let old = put(&world, "deploy", &[("SKILL.md", &skill("deploy", "old"))]);
    let new = put(&world, "deploy", &[("SKILL.md", &skill("deploy", "new"))]);
    list(&world, &[old]);
    answer(
        &world,
        "get-skill___deploy_SKILL.md",
        &json!({ "resultType": "complete", "skill": new, "ttlMs": 1, "cacheScope": "public" }),
    );
    add(&world);
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "new"));
}

#[test]
fn pages_are_read_to_the_end_and_a_newer_protocol_is_spoken() {
    let world = world();
    let deploy = put(&world, "deploy", &[("SKILL.md", &skill("deploy", "v1"))]);
    let ops = put(&world, "acme/ops", &[("SKILL.md", &skill("ops", "v1"))]);
    answer(
        &world,
        "list",
        &json!({ "resultType": "complete", "skills": [deploy], "nextCursor": "2", "ttlMs": 1, "cacheScope": "public" }),
    );
    answer(&world, "list2", &json!({ "resultType": "complete", "skills": [ops], "ttlMs": 1, "cacheScope": "public" }));
    let capabilities = json!({ "resources": {}, "extensions": { "io.modelcontextprotocol/skills": {} } });
    answer(
        &world,
        "discover",
        &json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": capabilities, "ttlMs": 1, "cacheScope": "public",
        }),
    );
    world.write("program/greeting", "Welcome!\n");
    add(&world);
    assert!(world.exists("registry/skills/deploy/SKILL.md") && world.exists("registry/skills/ops/SKILL.md"));
}

#[test]
fn a_program_that_fails_fails_alone_and_closes_nothing() {
    let world = world();
    world.init("upstream");
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v1"))]);
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    add(&world);
    list(
        &world,
        &[
            put(&world, "deploy", &[("SKILL.md", &skill("deploy", "v2"))]),
            put(&world, "acme/ops", &[("SKILL.md", &skill("ops", "v1"))]),
        ],
    );
    world.sync();
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    let candidate = world.rev("registry", "candidate/host/deploy");
    let without =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": { "name": "x", "version": "1" } });
    let good = world.read("program/initialize");
    for (file, text, kind, says) in [
        ("serve", "#!/bin/sh\necho 'no \u{1b}[31mtoken' >&2; exit 3\n", "network", "it said: no \u{fffd}[31mtoken"),
        ("serve", "#!/bin/sh\nhead -c 300000000 /dev/zero\n", "limit", "wrote more than 268435456 bytes"),
        ("serve", SERVER, "", ""),
        ("initialize", &without.to_string(), "no_evidence", "does not serve skills"),
        ("initialize", &good, "", ""),
        (
            "list",
            "{\"resultType\": \"complete\", \"skills\": []}",
            "no_evidence",
            "the program lists no skill that can be used",
        ),
        (
            "list",
            "{\"resultType\": \"complete\", \"skills\": [{\"uri\": 1}]}",
            "no_evidence",
            "does not answer `skills/list`",
        ),
    ] {
        world.write(format!("program/{file}"), text);
        if says.is_empty() {
            continue;
        }
        let synced = world.try_sync("registry", &[]);
        assert_eq!((synced.code, synced.class("other")), (1, "fast_forward"), "{says}");
        let error = &synced.source("host")["error"];
        assert_eq!(error["kind"], kind, "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        assert_eq!(world.rev("registry", "candidate/host/deploy"), candidate);
    }
    std::fs::remove_file(world.path("program/serve")).unwrap();
    assert!(
        world.try_sync("registry", &[]).source("host")["error"]["message"]
            .as_str()
            .unwrap()
            .contains("could not be started")
    );
    assert_eq!(world.try_sync("registry", &["--offline"]).code, 1);
}

#[test]
fn discover_lists_what_the_mirror_holds_in_the_last_layer_and_never_runs_a_program() {
    let world = world();
    add(&world);
    std::fs::remove_file(world.path("program/where")).unwrap();
    let hosts = |args: &[&str]| {
        let report = world.json(&[&["discover"], args].concat());
        let all = report["skills"].as_array().unwrap().clone();
        let is_host: Vec<bool> = all.iter().map(|skill| skill["layer"] == "host").collect();
        (
            report,
            all.into_iter().zip(is_host).filter_map(|(skill, is_host)| is_host.then_some(skill)).collect::<Vec<_>>(),
        )
    };
    let (report, found) = hosts(&["--doctor"]);
    assert_eq!(report["findings"], json!([]), "{report:#}");
    let [ops, deploy] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        (&ops["id"], &ops["path"], &ops["files"]),
        (&json!("acme/ops"), &json!("mirror/host:acme/ops"), &json!(1))
    );
    assert_eq!(
        (&deploy["id"], &deploy["root"], &deploy["files"]),
        (&json!("deploy"), &json!("mirror/host"), &json!(2))
    );
    assert_eq!((&deploy["description"], &deploy["kind"]), (&json!("Does deploy."), &json!("universal")));
    // Loading takes what the listing showed.
    let run = world.json(&["import", "acme/ops", "--as", "ours"]);
    assert_eq!(run["skills"][0]["status"], "completed", "{run:#}");
    let entry = world.read("registry/skills/ours.toml");
    assert!(entry.contains("layer = \"host\"\npath = \"mirror/host:acme/ops\"\n"), "{entry}");
    assert!(!world.exists("program/where"), "no program ran");
    // On a machine that trusts nothing, and of a source that was never synced.
    world.set_env("SKILLGRAFT_CONFIG_DIR", Some(world.path("nothing-trusted")));
    world.registry(&[("sources/new.toml", "format = 1\ncommand = [\"other-server\"]\n")]);
    let (report, found) = hosts(&["--doctor"]);
    let told: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let path = found["path"].as_str().unwrap().rsplit('/').next().unwrap();
            format!("{} {path}", found["rule"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        (found.len(), told),
        (2, ["untrusted host.toml", "never_synced new.toml", "untrusted new.toml"].map(String::from).to_vec())
    );
    let run = world.run(&["discover", "--doctor"]).ok();
    run.prints(&["skillgraft source trust host", "skillgraft sync new", "mirror/host:deploy"]);
    // Without a work tree, too; and a source that is off answers for nothing.
    world.git("", &["clone", "-q", "--bare", "registry", "bare.git"]);
    let bare = world.run_in("bare.git", &["--json", "discover"]).ok().json();
    assert_eq!(bare["skills"].as_array().unwrap().len(), 2, "{bare:#}");
    world.run(&["source", "disable", "host"]).ok();
    assert_eq!(hosts(&[]).1, [json!(null); 0]);
}

#[test]
fn a_terminal_is_offered_only_what_is_not_followed_already() {
    let world = world();
    add(&world);
    let offered = |answer: &[&str]| {
        let seen = RefCell::new(Vec::new());
        let choose = |choices: &[Choice]| {
            seen.borrow_mut().extend(choices.iter().map(|choice| choice.key.clone()));
            Ok(Some(answer.iter().map(|key| (*key).to_owned()).collect()))
        };
        let ask = Ask { choose: &choose, decide: &|_| panic!("nothing is in the way") };
        let report = import(&outside(&world), &without_options(), &ask);
        (seen.into_inner(), report.map(|report| report.skills.len()).map_err(|error| error.to_string()))
    };
    let nothing = || (vec![], Err("agents see no skill that is not here already".into()));
    assert_eq!(offered(&[]), nothing());
    // The team's own copy follows nothing.
    world.run(&["adopt", "ops"]).ok();
    world.git("registry", &["mv", "skills/ops", "skills/other"]);
    world.git("registry", &["mv", "skills/ops.toml", "skills/other.toml"]);
    world.commit("registry", "another name");
    assert_eq!(offered(&["acme/ops"]), (vec!["acme/ops".to_owned()], Ok(1)));
    // Who names what is followed gets a copy, as before.
    let run = world.json(&["import", "deploy", "--as", "ours"]);
    assert_eq!(run["skills"][0]["status"], "completed", "{run:#}");
}

/// Observes a command that is trusted, with short deadlines.
fn observe_soon(world: &World, command: &[&str], first_answer: Duration) -> Result<Snapshot> {
    let reach = Reach::from(world, &[]);
    reach.trust.record(&command.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())?;
    let text = format!("format = 1\ncommand = {}\n", json!(command));
    let source = SourceFile::parse(SourceName::parse("host")?, &text)?;
    let access = Access { first_answer, ..reach.access(Duration::from_secs(2)) };
    observe(&access, &source, &world.path("registry"), &Limits::default())
}

#[test]
fn a_hung_program_is_ended_at_its_deadline_with_all_that_it_started() {
    let world = World::new();
    let marker = world.path("alive").display().to_string();
    let hang = format!("(sleep 3; touch {marker}) & sleep 60");
    let started = Instant::now();
    let error = observe_soon(&world, &["sh", "-c", &hang], Duration::from_secs(1)).err().unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.full_message().contains("it said nothing within 1s and was ended"), "{}", error.full_message());
    std::thread::sleep(Duration::from_secs(3));
    assert!(!world.exists("alive"), "its child lived on");
}

#[test]
fn a_program_has_a_minute_for_its_first_answer_and_more_for_the_rest() {
    let world = world();
    assert_eq!(FIRST_ANSWER, Duration::from_secs(60), "as README says");
    // It answers at once, and then has its time for the rest.
    world.write("program/slow", SERVER.replace("*'\"skills/list\"'*)", "*'\"skills/list\"'*) sleep 60;"));
    let slow = world.path("program/slow").display().to_string();
    let started = Instant::now();
    let error = observe_soon(&world, &[&slow], Duration::from_millis(1500)).err().unwrap();
    assert!(error.full_message().contains("did not finish within 2s and was ended"), "{}", error.full_message());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}
