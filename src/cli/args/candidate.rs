//! `candidate ...` as typed.

use super::{Commits, day};
use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum Candidate {
    /// List what waits for review
    List,
    /// Explain one candidate
    Show {
        /// A branch or a skill
        id: String,
        /// How to print it; markdown is a pull request: its title, an empty line, its body
        #[arg(long, value_enum, default_value_t = ShowFormat::Text, value_name = "FORMAT")]
        format: ShowFormat,
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
    /// Record that the team does not want an update; the next one is proposed again
    Decline {
        /// A branch or a skill
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Never propose this skill again: exclude it in its source
        #[arg(long, conflicts_with = "until")]
        always: bool,
        /// The last day on which this holds, itself included
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        until: Option<jiff::civil::Date>,
        #[command(flatten)]
        commits: Commits,
    },
    /// Propose an update again that was taken back, declined, or whose branch was deleted
    Retry {
        /// A skill
        id: String,
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
pub enum ShowFormat {
    /// For people
    Text,
    /// The same as --json
    Json,
    /// Title and body of a pull request
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Take {
    Local,
    Upstream,
}
