//! The folders on this machine that agents read skills from, in the order in which they count.
//!
//! Pure but for looking where the project ends and what is installed: nothing in a root is read here.

use super::agents::{self, AGENTS, UNIVERSAL};
use super::plugin;
use crate::skill::SKILL_MD;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The largest list of plugins that is read, in bytes.
const PLUGINS_BYTES: u64 = 4 << 20;
/// More roots than an agent reads in one folder of a project.
const NEXT_FOLDER: usize = 100;
/// How many packages are looked at in one project.
const PACKAGES: usize = 20_000;

/// What a machine says about its roots, read once by the command line.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The user's home; it need not exist.
    pub home: Option<PathBuf>,
    /// The variables that move user roots, by name.
    pub variables: BTreeMap<String, PathBuf>,
    /// `SKILLGRAFT_SKILLS_PATH`.
    pub skills_path: Vec<PathBuf>,
    /// What stands before the paths of the system's roots: `/`, or `SKILLGRAFT_SYSTEM_ROOT`.
    pub system: PathBuf,
}

/// Where a root stands in the order; the first one that has a key wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// `--skill-dir`, or the folder or archive of `import --from`.
    CommandLine,
    /// `SKILLGRAFT_SKILLS_PATH`.
    Environment,
    /// Folders of the project, from the working directory up to the top of its repository.
    Project,
    /// The registry that the working directory lies in.
    Registry,
    /// Folders in the user's home.
    User,
    /// Installed packages and plugins.
    Package,
    /// What an administrator put there.
    System,
    /// Programs that answer for skills: the registry's sources with `command`, as their mirrors hold them.
    Host,
}

impl Layer {
    /// Returns the word for it, as JSON and entries write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Layer::CommandLine => "command_line",
            Layer::Environment => "environment",
            Layer::Project => "project",
            Layer::Registry => "registry",
            Layer::User => "user",
            Layer::Package => "package",
            Layer::System => "system",
            Layer::Host => "host",
        }
    }
}

/// Whose a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// One agent's own.
    Provider,
    /// Nobody's in particular.
    Universal,
}

impl RootKind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RootKind::Provider => "provider",
            RootKind::Universal => "universal",
        }
    }
}

/// A folder that skills are read from.
#[derive(Debug, Clone)]
pub struct Root {
    /// Its place in the order.
    pub layer: Layer,
    /// Whose it is.
    pub kind: RootKind,
    /// The agents that read it; the first one's own.
    pub agents: Vec<Reader>,
    /// The folder.
    pub path: PathBuf,
    /// What stands before the keys of its skills; empty but for plugins.
    pub namespace: String,
    /// Whether the folder may be a skill itself.
    pub may_be_skill: bool,
}

/// An agent that reads a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Its id.
    pub id: &'static str,
    /// Where the root stands among those of the same layer that this agent reads: the lowest is looked at first.
    pub rank: usize,
}

impl Root {
    fn new(layer: Layer, path: PathBuf) -> Self {
        let (kind, agents, namespace) = (RootKind::Universal, Vec::new(), String::new());
        Root { layer, kind, agents, path, namespace, may_be_skill: false }
    }

    /// Returns the skills of a program, which have no folder: a branch of the registry holds them.
    pub fn of_host(branch: &str) -> Self {
        Root::new(Layer::Host, PathBuf::from(branch))
    }

    /// Returns the ids of the agents that read it.
    pub fn agent_ids(&self) -> Vec<&'static str> {
        self.agents.iter().map(|reader| reader.id).collect()
    }

    /// Returns a folder that a person named.
    pub fn named(layer: Layer, path: PathBuf) -> Self {
        Root { may_be_skill: true, ..Root::new(layer, path) }
    }
}

/// Returns the roots in order. `registry` is the skills folder of the registry at hand, which no other layer claims.
pub fn roots(machine: &Machine, directory: &Path, named: &[PathBuf], registry: Option<&Path>) -> Vec<Root> {
    let mut all: Vec<Root> = Vec::new();
    all.extend(named.iter().map(|path| Root::named(Layer::CommandLine, directory.join(path))));
    all.extend(machine.skills_path.iter().map(|path| Root::named(Layer::Environment, directory.join(path))));
    let projects: Vec<&Path> =
        project_folders(directory).into_iter().filter(|folder| Some(*folder) != machine.home.as_deref()).collect();
    for (nth, folder) in projects.iter().enumerate() {
        all.extend(of_project(folder, nth).into_iter().filter(|root| Some(root.path.as_path()) != registry));
    }
    // Where agents read the registry's folder, it is theirs too. But a plain `skills` is no OpenClaw workspace.
    all.extend(registry.map(|path| {
        let each = projects.iter().enumerate();
        let read = each.flat_map(|(nth, folder)| of_project(folder, nth).into_iter().map(move |root| (folder, root)));
        let read = read.filter(|(folder, _)| folder.join("skills") != path).map(|(_, root)| root);
        let known = read.into_iter().find(|root| root.path == path);
        Root { layer: Layer::Registry, ..known.unwrap_or_else(|| Root::new(Layer::Registry, path.to_owned())) }
    }));
    all.extend(provider_first(
        AGENTS.iter().flat_map(|agent| {
            let each = agent.user.iter().enumerate();
            each.filter_map(|(rank, root)| Some((Reader { id: agent.id, rank }, *root, expand(machine, root)?)))
        }),
        Layer::User,
    ));
    all.extend(plugins(machine));
    all.extend(extensions(machine));
    all.extend(projects.iter().flat_map(|folder| packages(folder)));
    all.extend(provider_first(
        AGENTS.iter().flat_map(|agent| {
            let each = agent.system.iter().enumerate();
            let path = |root: &str| machine.system.join(root.trim_start_matches('/'));
            each.map(move |(rank, root)| (Reader { id: agent.id, rank }, *root, path(root)))
        }),
        Layer::System,
    ));
    once_each(all)
}

/// Returns the roots of the folder that `import --from` names: the folder itself where it is a skill or holds skills, else
/// the folders in it that agents read, else, again, the folder itself.
pub fn roots_from(folder: &Path) -> Vec<Root> {
    let is_skill = |folder: &Path| folder.join(SKILL_MD).symlink_metadata().is_ok();
    let standing = of_project(folder, 0).into_iter().filter(|root| root.path.is_dir());
    let inside: Vec<Root> = standing.map(|root| Root { layer: Layer::CommandLine, ..root }).collect();
    if inside.is_empty() || is_skill(folder) || folders_in(folder).iter().any(|below| is_skill(below)) {
        return vec![Root::named(Layer::CommandLine, folder.to_owned())];
    }
    inside
}

/// Returns the folders of a project: from `directory` up to the top of its repository; `directory` alone where it is
/// in none.
pub fn project_folders(directory: &Path) -> Vec<&Path> {
    let above: Vec<&Path> = directory.ancestors().collect();
    match above.iter().position(|folder| folder.join(".git").exists()) {
        Some(top) => above[..=top].to_vec(),
        None => vec![directory],
    }
}

/// Returns the path of a root as it may be committed: nothing that names the machine or its user. Relative to the
/// project's top, else below `~`, else `within` the root alone.
pub fn shown(machine: &Machine, project: &Path, path: &Path, within: &str) -> String {
    let text = |path: &Path| path.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    if let Some(text) = path.strip_prefix(project).ok().and_then(text) {
        return if text.is_empty() { ".".into() } else { text };
    }
    let home = machine.home.as_deref().filter(|home| home.parent().is_some());
    match home.and_then(|home| path.strip_prefix(home).ok()).and_then(text) {
        Some(text) => format!("~/{text}"),
        None => within.to_owned(),
    }
}

/// The roots of the `nth` folder of a project, the nearest one first.
fn of_project(folder: &Path, nth: usize) -> Vec<Root> {
    let rows = AGENTS.iter().flat_map(|agent| {
        let each = agent.project.iter().enumerate();
        each.map(|(at, root)| (Reader { id: agent.id, rank: nth * NEXT_FOLDER + at }, *root, folder.join(root)))
    });
    provider_first(rows, Layer::Project)
}

/// Provider roots before universal ones, each in the order of the table.
fn provider_first(rows: impl Iterator<Item = (Reader, &'static str, PathBuf)>, layer: Layer) -> Vec<Root> {
    let mut found: Vec<Root> = rows
        .map(|(reader, root, path)| {
            let kind = if UNIVERSAL.contains(&root) { RootKind::Universal } else { RootKind::Provider };
            Root { kind, agents: vec![reader], ..Root::new(layer, path) }
        })
        .collect();
    found.sort_by_key(|root| root.kind);
    once_each(found)
}

/// A folder that several rows name is one root, read by several agents.
fn once_each(all: Vec<Root>) -> Vec<Root> {
    let mut at: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut kept: Vec<Root> = Vec::new();
    for root in all {
        match at.get(&root.path) {
            Some(first) => {
                let kept = &mut kept[*first].agents;
                let new: Vec<_> =
                    root.agents.into_iter().filter(|reader| kept.iter().all(|known| known.id != reader.id)).collect();
                kept.extend(new);
            }
            None => {
                at.insert(root.path.clone(), kept.len());
                kept.push(root);
            }
        }
    }
    kept
}

fn expand(machine: &Machine, root: &'static str) -> Option<PathBuf> {
    let in_home = |path: &str| Some(machine.home.as_ref()?.join(path.strip_prefix("~/")?));
    match agents::split_variable(root) {
        Some((variable, default, rest)) => {
            let base = machine.variables.get(variable).cloned().or_else(|| in_home(default))?;
            Some(base.join(rest.trim_start_matches('/')))
        }
        None => in_home(root),
    }
}

/// The plugins that Claude Code has installed, as it lists them itself (`plugins/installed_plugins.json`: for each
/// `name@marketplace`, where it lies; an object in version 1, a list of them in version 2).
fn plugins(machine: &Machine) -> Vec<Root> {
    let Some(config) = expand(machine, "${CLAUDE_CONFIG_DIR:-~/.claude}/plugins") else { return Vec::new() };
    let Some(list) = read_json(&config.join("installed_plugins.json")) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, places) in list["plugins"].as_object().into_iter().flatten() {
        let places = places.as_array().map_or(std::slice::from_ref(places), Vec::as_slice);
        let paths = places.iter().filter_map(|place| place["installPath"].as_str()).map(PathBuf::from);
        for path in paths.filter(|path| path.is_absolute()) {
            let namespace = name.split('@').next().unwrap_or_default();
            let manifest = read_json(&path.join(".claude-plugin").join("plugin.json")).unwrap_or_default();
            let mut folders = plugin::paths(&manifest["skills"]).unwrap_or_default();
            folders.retain(|folder| folder.as_str() != plugin::SKILLS);
            // What a manifest names may be a skill itself.
            let stated = folders.into_iter().map(|folder| (path.join(folder.as_str()), true));
            found.extend(std::iter::once((path.join(plugin::SKILLS), false)).chain(stated).map(
                |(path, may_be_skill)| {
                    let agents = vec![Reader { id: "claude-code", rank: 0 }];
                    let (kind, namespace) = (RootKind::Provider, namespace.to_owned());
                    Root { kind, agents, namespace, may_be_skill, ..Root::new(Layer::Package, path) }
                },
            ));
        }
    }
    found
}

/// The extensions of Gemini CLI: `~/.gemini/extensions/<name>/skills`.
fn extensions(machine: &Machine) -> Vec<Root> {
    let Some(folder) = machine.home.as_ref().map(|home| home.join(".gemini").join("extensions")) else {
        return Vec::new();
    };
    let root = |path: PathBuf| Root {
        kind: RootKind::Provider,
        agents: vec![Reader { id: "gemini-cli", rank: 0 }],
        namespace: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        ..Root::new(Layer::Package, path.join("skills"))
    };
    folders_in(&folder).into_iter().map(root).filter(|root| root.path.is_dir()).collect()
}

/// Skills inside of installed npm packages: `node_modules/<package>/skills`, `node_modules/@scope/<package>/skills`.
fn packages(folder: &Path) -> Vec<Root> {
    let mut found = Vec::new();
    for package in folders_in(&folder.join("node_modules")) {
        let is_scope = package.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@'));
        found.extend(if is_scope { folders_in(&package) } else { vec![package] });
    }
    let skills = found.into_iter().map(|package| package.join("skills")).filter(|path| path.is_dir());
    skills.map(|path| Root::new(Layer::Package, path)).collect()
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(PACKAGES);
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// Returns a JSON file, or nothing where there is none that can be read: another program's file is no error of ours.
fn read_json(path: &Path) -> Option<serde_json::Value> {
    if path.metadata().ok().is_none_or(|file| !file.is_file() || file.len() > PLUGINS_BYTES) {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let variables = BTreeMap::from([("CODEX_HOME".to_owned(), PathBuf::from("/moved/codex"))]);
        Machine { home: Some("/home/pat".into()), variables, skills_path: Vec::new(), system: "/".into() }
    }

    #[test]
    fn a_variable_moves_the_user_root_of_its_agent_and_of_no_other() {
        let all = roots(&machine(), Path::new("/nowhere/at/all"), &[], None);
        let of = |path: &str| all.iter().find(|root| root.path == Path::new(path)).map(Root::agent_ids);
        assert_eq!(of("/moved/codex/skills").expect("moved"), ["codex", "cursor"]);
        assert_eq!(of("/home/pat/.codex/skills"), None);
        assert_eq!(of("/home/pat/.claude/skills").expect("default")[0], "claude-code");
        assert!(of("/home/pat/.config/agents/skills").expect("universal").contains(&"amp"));
    }

    #[test]
    fn the_provider_root_comes_before_the_universal_one_in_each_layer() {
        let all = roots(&machine(), Path::new("/nowhere/at/all"), &[], None);
        for layer in [Layer::Project, Layer::User, Layer::System] {
            let kinds: Vec<_> = all.iter().filter(|root| root.layer == layer).map(|root| root.kind).collect();
            assert!(kinds.is_sorted() && kinds.contains(&RootKind::Universal), "{layer:?}: {kinds:?}");
        }
        assert!(all.iter().map(|root| root.layer).is_sorted());
    }

    #[test]
    fn a_path_that_is_shown_names_neither_the_machine_nor_its_user() {
        let shown = |path: &str| shown(&machine(), Path::new("/home/pat/work/app"), Path::new(path), "deploy");
        assert_eq!(shown("/home/pat/work/app/.claude/skills/deploy"), ".claude/skills/deploy");
        assert_eq!(shown("/home/pat/.claude/skills/deploy"), "~/.claude/skills/deploy");
        assert_eq!(shown("/srv/secret-customer/deploy"), "deploy");
    }
}
