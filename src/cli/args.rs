//! The command line as typed (clap types only; what it means is decided in `run`).

mod candidate;
mod source;

pub use candidate::{Candidate, ShowFormat, Take};
pub use source::Source;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A git-backed registry of agent skills, kept in step with upstream through review branches.
#[derive(Debug, Parser)]
#[command(
    name = "skillgraft",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub struct Cli {
    #[command(flatten, next_help_heading = "Global options")]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print more: unchanged skills too
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Show no progress
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Fail at once where another run holds the registry's lock, instead of waiting 10 seconds
    #[arg(long, global = true)]
    pub no_wait: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// What every command that commits takes.
#[derive(Debug, Args)]
pub struct Commits {
    /// Commit on a branch of its own, for review, not on the default branch
    #[arg(long)]
    pub propose: bool,
    /// Words of your own for the commit message, put first
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a folder a registry, and make the first commit
    Init {
        /// The folder
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Lay down what runs sync and check there too; none: for a server without a forge
        #[arg(long, value_enum, value_name = "NAME")]
        forge: Option<Forge>,
    },
    /// Follow the skills of a repository or folder
    Add(Add),
    /// Look at sources and change them
    #[command(subcommand)]
    Source(Source),
    /// Propose what upstream changed, as branches
    Sync(Sync),
    /// Show sources, skills and what waits for review
    Status {
        /// Exit with 3 where something awaits a decision
        #[arg(long)]
        exit_code: bool,
    },
    /// Look at, resolve and accept what sync proposes
    #[command(subcommand)]
    Candidate(Candidate),
    /// Let sync pass a source or a skill by for a while
    Pause {
        /// A source or a skill; source:NAME or skill:NAME where both have that name
        name: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// The last day of the pause, itself included
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        until: Option<jiff::civil::Date>,
        #[command(flatten)]
        commits: Commits,
    },
    /// End a pause, and sync
    Resume {
        /// A source or a skill; source:NAME or skill:NAME where both have that name
        name: String,
        /// Only end the pause
        #[arg(long)]
        no_sync: bool,
        #[command(flatten)]
        commits: Commits,
    },
    /// List the skills
    List,
    /// List the skills that agents on this machine see, and who shadows whom
    Discover {
        /// A folder of skills that counts before all others; may be repeated
        #[arg(long, value_name = "DIR")]
        skill_dir: Vec<PathBuf>,
        /// Explain what is wrong: unknown fields, shadowing, dangling links, folders without SKILL.md
        #[arg(long)]
        doctor: bool,
    },
    /// Bring skills from agents' folders into the registry, as the team's own
    Import(Import),
    /// Make a skill that was copied from somewhere follow its upstream
    Link {
        /// The skill
        skill: String,
        /// The source, and the path there where the name alone does not say it
        #[arg(long, value_name = "SOURCE[:PATH]")]
        to: String,
        /// The upstream commit that the skill was copied from [default: the nearest one in upstream's history]
        #[arg(long, value_name = "REV")]
        base: Option<String>,
        /// Do not ask; refuses a skill with less than 25 % of its SKILL.md, and no file, in common with upstream's, unless
        /// --base names the commit
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        commits: Commits,
    },
    /// Stop following an upstream: the skills are the team's own from now on
    Adopt {
        /// The skills
        #[arg(required = true)]
        skill: Vec<String>,
        #[command(flatten)]
        commits: Commits,
    },
    /// Take skills off the default branch; entries and versions stay
    Disable {
        /// The skills
        #[arg(required = true)]
        skill: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        commits: Commits,
    },
    /// Bring disabled skills back, with the content that they had last
    Enable {
        /// The skills
        #[arg(required = true)]
        skill: Vec<String>,
        #[command(flatten)]
        commits: Commits,
    },
    /// Describe a skill
    Show {
        /// SKILL, SKILL@vN, SKILL@base or SKILL@upstream
        skill: String,
    },
    /// List the versions of a skill, and where each came from
    Log {
        /// The skill
        skill: String,
    },
    /// Compare two states of a skill
    Diff {
        /// SKILL, SKILL@vN, SKILL@base or SKILL@upstream; SKILL alone is compared with its base
        from: String,
        /// The other state; @vN, @base and @upstream are of the same skill [default: the default branch]
        to: Option<String>,
    },
    /// Write a skill into a folder
    Export {
        /// SKILL, SKILL@vN, SKILL@base or SKILL@upstream
        skill: String,
        /// The folder; the skill becomes a directory in it
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Take a skill back to an earlier version, content and entry
    Rollback {
        /// The skill
        skill: String,
        /// The version [default: the one before]
        #[arg(long, value_name = "vN", value_parser = version)]
        to: Option<u64>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        commits: Commits,
    },
    /// Tag the versions that have no tag yet: each change of a skill, at its own commit
    Tag,
    /// Check every rule on every skill, entry and source
    Check {
        /// How to print the findings
        #[arg(long, value_enum, default_value_t = CheckFormat::Text, value_name = "FORMAT")]
        format: CheckFormat,
    },
    /// Play the whole story on bundled skills, without network
    Demo {
        /// An empty or new folder [default: a new temporary one]
        dir: Option<PathBuf>,
    },
    /// Print the completions of a shell, for its start-up file
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Reads a day.
fn day(text: &str) -> Result<jiff::civil::Date, String> {
    // As it is written everywhere; jiff would also take times and other calendars.
    let is_day = text.len() == 10;
    text.parse().ok().filter(|_| is_day).ok_or_else(|| "write a day as YYYY-MM-DD, for example 2030-01-31".into())
}

/// Reads `v3`, or `3`.
fn version(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix('v').unwrap_or(text).parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a version is v1, v2, ...".into())
}

#[derive(Debug, Args)]
pub struct Add {
    /// owner/repo, a URL, the path of a repository, folder or git bundle, a site with a well-known index
    /// (https://HOST), or clawhub:SKILL
    #[arg(required_unless_present = "command")]
    pub source: Option<String>,
    /// A program that serves skills (MCP's skills extension), instead of SOURCE; everything after it is its
    #[arg(long, value_name = "PROGRAM [ARG]...", num_args = 1.., allow_hyphen_values = true, conflicts_with = "source")]
    pub command: Option<Vec<String>>,
    /// The source's name [default: the last part of SOURCE]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A branch, a tag, or a full commit id (a pin, which never moves)
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// The folder of the repository to look in [default: of another registry its skills folder, else everything]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// SOURCE is a marketplace: follow its plugins whose name matches, each as a source of its own; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub plugin: Vec<String>,
    /// Only skills whose directory matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub skill: Vec<String>,
    /// No skills whose directory matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Put this before the ids: acme makes acme/deploy; the word plugin stands for each skill's plugin
    #[arg(long, value_name = "NS", default_value = "", hide_default_value = true)]
    pub namespace: String,
    /// Let skills of the team's own that have the name of an upstream one follow it: finds what each was copied from
    #[arg(long, conflicts_with = "no_enable")]
    pub link: bool,
    /// Do not ask about what --link finds; refuses what has hardly anything in common with upstream's
    #[arg(short, long, requires = "link")]
    pub yes: bool,
    /// Allow http without encryption, which anybody on the way can change
    #[arg(long)]
    pub insecure: bool,
    /// Only register the source; `source enable` does the rest
    #[arg(long)]
    pub no_enable: bool,
    #[command(flatten)]
    pub commits: Commits,
}

#[derive(Debug, Args)]
pub struct Import {
    /// The skills, as `discover` names them [default: asks; without a terminal, all of --from]
    pub key: Vec<String>,
    /// A skill, a folder of skills, a project, or a file with them (.zip, .tar, .tar.gz, a git bundle), instead of the
    /// folders that agents read
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// The id that the one skill gets
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// What happens where another skill of that id is here [default: asks; without a terminal, fail]
    #[arg(long, value_enum, value_name = "HOW")]
    pub on_conflict: Option<OnConflict>,
    /// Overwrite only the content that has this tree hash
    #[arg(long, value_name = "TREE_HASH")]
    pub expect: Option<String>,
    /// Follow the upstreams that installers recorded (skills-lock.json, .skill-lock.json, gh skill)
    #[arg(long)]
    pub link: bool,
    #[command(flatten)]
    pub commits: Commits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnConflict {
    /// Report it, and write nothing at all
    Fail,
    /// Leave the skill out
    Skip,
    /// Bring it in under another name
    Rename,
    /// Replace the content of the one that is here; its entry, owners and versions stay
    Overwrite,
}

#[derive(Debug, Args)]
pub struct Sync {
    /// The sources to look at [default: all]
    pub source: Vec<String>,
    /// Write nothing at all: no branch, no object, no cache
    #[arg(long)]
    pub dry_run: bool,
    /// Decide on what the remote has, and push there [default remote: the one this clone follows]
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, default_missing_value = "")]
    pub push: Option<String>,
    /// Tell the remote's hooks this of each candidate (git push -o); may be repeated
    #[arg(long, value_name = "OPTION", requires = "push")]
    pub push_option: Vec<String>,
    /// Contact nothing; use what the cache has
    #[arg(long, conflicts_with = "push")]
    pub offline: bool,
    /// How many sources to ask at once
    #[arg(long, value_name = "N", default_value_t = crate::sync::JOBS)]
    pub jobs: usize,
    /// Exit with 3 where something awaits a decision
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    Text,
    /// The same as --json
    Json,
    /// Annotations of a pull request on GitHub
    Github,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Forge {
    Github,
    Gitlab,
    Forgejo,
    None,
}
