//! skillgraft: a git-backed registry of agent skills, and the tool that keeps it in step with upstream.
//!
//! This page is the map. The program is one crate and one binary; the library exists so that tests can reach its parts,
//! and promises no stable interface.
//!
//! # Modules
//!
//! Data flows down this list, and imports point down only (`tests/it/house.rs` reads the sources and proves it):
//!
//! | module | purpose |
//! |---|---|
//! | `main.rs` | calls [`cli::main`] and returns its exit code |
//! | [`cli`] | the command line: arguments to options, reports to text or JSON. The only part that prints, and (`cli/outside.rs`) the only one that reads environment and clock |
//! | [`ops`] | one verb per file: options in, report out |
//! | [`sync`] | the engine: mirror, moves, names, offers, class, holds, merge, candidate, carry, verdict, plan, reconcile, publish, push, failures, versions; what reviewers are told |
//! | [`source`] | where skills come from: every kind of source becomes a [`source::Snapshot`] |
//! | [`registry`] | the team's repository: settings, source files, entries, lock, whose refs count, one commit on the default branch |
//! | [`skill`] | what a skill is: frontmatter, tree hash, the rules of the spec, licences, limits |
//! | [`git`] | objects, refs, history and text merges in-process (gix), network and checkout through the user's `git`. The only module that names gix types; but for `source/host` the only one that starts a process |
//! | [`types`] | strings with rules, and the one error type. Imports nothing |
//!
//! # Every file that the program touches
//!
//! In the registry's tree, all paths relative to its folder. "Writes" means: in a commit that is built in the object
//! database; files of a work tree change only when git itself moves a checkout to such a commit.
//!
//! | path | owner | who writes it |
//! |---|---|---|
//! | `skillgraft.toml` | [`registry::settings`] | `init`, then people |
//! | `sources/<name>.toml` | [`registry::source_file`] | `add`, `import --link`; `source ...`, `pause`, `resume`, `adopt`, `link`, `candidate decline` (single keys); people |
//! | `skills/<id>/` | [`registry::Layout`] | people; `add`, `import`, `source enable`, candidates, `rollback`, `disable`, `enable`, `source remove --delete` |
//! | `skills/<id>.toml` | [`registry::entry`] | `add`, `import`, `source ...`, candidates, `candidate resolve`, `candidate decline`, `link`, `adopt`, `rollback`, `disable`, `enable`, `pause`, `resume`; people add owners and comments |
//! | `licenses/<source>/` | [`registry::Layout`] | `add`, `link`, `import --link`, `source enable`, candidates |
//! | `.gitattributes`, `README.md`, `sources/README.md`, `skills/using-skillgraft/` | [`ops::init`], which has them embedded from `registry-template/` | `init`, where nothing stands there; then people |
//! | `.github/`, `.gitlab/`, `.gitlab-ci.yml`, `.forgejo/` (at the repository's root), `server/`: the files of `registry-template/forge/` | [`ops::init`] | `init --forge`, where nothing stands there; then people |
//!
//! In the tree of a mirror: each skill at its upstream path, the licence files, and `.skillgraft/plugins.json`
//! ([`source::plugin::Plugins`], written by `sync/mirror.rs` along with a change): the plugins that the skills belong to.
//!
//! Outside of the tree:
//!
//! | path | owner | purpose |
//! |---|---|---|
//! | `<common git directory>/skillgraft/lock` | `registry/lock.rs` | one run at a time; an operating system's lock, so that a killed process leaves none |
//! | `<common git directory>/skillgraft/moving` | `git/recover.rs` | the refs that a run is about to move; what stands there after a kill tells its stale locks from those of a living git |
//! | `<common git directory>/objects/` | `git/store/flush.rs`, `git/pack.rs` | one pack for each run that adds much, loose files for one that adds little |
//! | `$SKILLGRAFT_CACHE_DIR`, else `skillgraft` in the user's cache folder | `cli/outside.rs` finds it | everything in it may be deleted at any time |
//! | `<cache>/git/<name>-<hash>.git`, `.lock` beside it | `source/cache.rs` | one bare repository for each URL |
//! | `<cache>/http/<host>-<hash>` | `source/http/cache.rs` | what an address answered last, with its ETag; one file, so that one rename replaces it |
//! | `trusted-commands.toml` in `$SKILLGRAFT_CONFIG_DIR`, else in `skillgraft` in the user's configuration folder; `.lock` beside it | `source/host/trust.rs` | which programs may run as sources on this machine; `add --command` and `source trust` write it |
//! | the folders of [`source::agents`], `node_modules`, plugins | `source/roots.rs` | read only, by `discover` and `import` |
//! | `.npmrc` beside the registry's settings and in the home | `source/npm/config.rs` | npm's configuration: read only, for the registry of a plugin that is a package |
//! | `skills-lock.json` of a project; `.skill-lock.json` in `$XDG_STATE_HOME/skills`, else `~/.agents` | `source/peers.rs` | other installers' records: read only, by `import` |
//! | the folder that `export --to` names | `ops/export.rs` | the skill, made in a hidden folder there and moved to its place |
//! | a new temporary folder | `source/cache.rs`, `cli/output.rs` | what `sync --dry-run` fetches into (removed again); `demo` without a folder (kept) |
//!
//! # Every ref
//!
//! `<prefix>` is `ref_prefix` of `skillgraft.toml`; the names are made in `registry/names.rs` only.
//!
//! | ref | owner | who moves it |
//! |---|---|---|
//! | the default branch | [`registry::Change`] | people; `init` and the commands that commit (those with `--propose`); never `sync` |
//! | `refs/heads/<prefix>mirror/<source>` | `sync/mirror.rs` | `sync`, `add`, `source enable`; only ever forward. `source rename` moves it along |
//! | `refs/heads/<prefix>candidate/<source>/<skill>` | `sync/reconcile.rs` | `sync`, `candidate retry`; `candidate resolve` adds a commit, `candidate accept`, `candidate decline` and `disable` delete it; people add commits |
//! | `refs/tags/<tag_prefix><skill>/v<N>` | `sync/versions.rs` | `tag`, and `sync` where there is no remote; never moved |
//! | `refs/heads/<prefix>proposal/<command>-<hash>` | [`registry::Change`] | a command with `--propose`, once |
//! | `refs/skillgraft/offered/<source>/<skill>` | `sync/reconcile.rs` | `sync`, together with the candidate: the commit that the tool last made there; it moves when the source is renamed, and goes when the source does |
//! | `refs/skillgraft/superseded/<source>/<skill>` | `sync/reconcile.rs` | `sync`: what the candidate was before |
//! | `refs/skillgraft/failed/<source>` | `sync/failures.rs` | `sync`: how often in a row the source failed, up to three; gone when it goes well |
//! | `refs/skillgraft/tagged` | `ops/tag.rs` | `sync`: the head up to which it has tagged; only saves a walk |
//! | `refs/skillgraft/remote/<remote>/...` | `registry/view.rs` | `sync --push`: the remote's refs as it last had them, and its own `tagged` |
//! | on the remote: mirrors, candidates, `refs/skillgraft/offered/`, `superseded/`, `failed/`, tags of versions | `sync/push.rs` | `sync --push`, each from an explicit id |
//! | `refs/remotes/<remote>/...` of those branches | `sync/branches.rs` | read only: a fresh clone has no local ones |
//! | in the cache: `refs/skillgraft/fetched/<commit>`, `refs/skillgraft/tip/<hash>` | `git/transport.rs`, `source/git/remembered.rs` | a fetch; what `--offline` goes by |
//! | in the cache: `refs/skillgraft/missing/<commit>` | `source/git/remembered.rs` | a base look-up: upstream had no such commit when its tip was where this points; dropped when the tip moves |
//!
//! Never touched: another branch or tag, the index, the configuration of any repository but the cache's and the demo's.

pub mod cli;
pub mod git;
pub mod ops;
pub mod registry;
pub mod skill;
pub mod source;
pub mod sync;
pub mod types;
