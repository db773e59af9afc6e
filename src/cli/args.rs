//! The command line as typed (clap types only; what it means is decided in `run`).

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
    },
    /// Follow the skills of a repository or folder
    Add(Add),
    /// Look at or enable sources
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
    /// List the skills
    List,
    /// Check every rule on every skill, entry and source
    Check,
    /// Play the whole story on bundled skills, without network
    Demo {
        /// An empty or new folder [default: a new temporary one]
        dir: Option<PathBuf>,
    },
    /// Print the completions of a shell
    #[command(hide = true)]
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub struct Add {
    /// A git URL, or the path of a repository or folder
    pub source: String,
    /// The source's name [default: the last part of SOURCE]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A branch, a tag, or a full commit id (a pin, which never moves)
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// The folder of the repository to look in
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Only skills whose directory matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub skill: Vec<String>,
    /// No skills whose directory matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Put this before the ids: acme makes acme/deploy
    #[arg(long, value_name = "NS", default_value = "", hide_default_value = true)]
    pub namespace: String,
    /// Only register the source; `source enable` does the rest
    #[arg(long)]
    pub no_enable: bool,
    #[command(flatten)]
    pub commits: Commits,
}

#[derive(Debug, Subcommand)]
pub enum Source {
    /// List the sources
    List,
    /// Bring in the skills of a source that was registered with --no-enable
    Enable {
        /// The source
        name: String,
        #[command(flatten)]
        commits: Commits,
    },
}

#[derive(Debug, Args)]
pub struct Sync {
    /// The sources to look at [default: all]
    pub source: Vec<String>,
    /// Write nothing at all: no branch, no object, no cache
    #[arg(long)]
    pub dry_run: bool,
    /// Contact nothing; use what the cache has
    #[arg(long)]
    pub offline: bool,
    /// How many sources to ask at once
    #[arg(long, value_name = "N", default_value_t = crate::sync::JOBS)]
    pub jobs: usize,
    /// Exit with 3 where something awaits a decision
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Debug, Subcommand)]
pub enum Candidate {
    /// List what waits for review
    List,
    /// Explain one candidate
    Show {
        /// A branch or a skill
        id: String,
    },
    /// Show what merging a candidate changes
    Diff {
        /// A branch or a skill
        id: String,
        /// Show what upstream changed since the base instead
        #[arg(long)]
        upstream: bool,
    },
    /// Merge candidates into the default branch
    Accept {
        /// Branches or skills
        #[arg(required = true)]
        id: Vec<String>,
        #[command(flatten)]
        commits: Commits,
    },
    /// Take resolved conflicts off the list
    Resolve {
        /// A branch or a skill
        id: String,
        /// Files [default: all that are listed]
        path: Vec<String>,
        /// Take this side's file whole
        #[arg(long, value_enum, value_name = "SIDE")]
        take: Option<Take>,
        #[command(flatten)]
        commits: Commits,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Take {
    Local,
    Upstream,
}
