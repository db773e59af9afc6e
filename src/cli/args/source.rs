//! `source ...` as typed.

use super::Commits;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Source {
    /// List the sources
    List,
    /// Show the file of a source
    Show {
        /// The source
        name: String,
    },
    /// Let the program of a source run on this machine, as its file names it
    Trust {
        /// The source
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Let sync pass a source by; its skills stay
    Disable {
        /// The source
        name: String,
        #[command(flatten)]
        commits: Commits,
    },
    /// Set one key of a source's file, for example ref=v2
    Set {
        /// The source
        name: String,
        /// The key and its value
        #[arg(value_name = "KEY=VALUE")]
        assignment: String,
        #[command(flatten)]
        commits: Commits,
    },
    /// Give a source another name
    Rename {
        /// The name that it has
        old: String,
        /// The name that it gets
        new: String,
        #[command(flatten)]
        commits: Commits,
    },
    /// Remove a source
    #[command(group = clap::ArgGroup::new("fate").required(true))]
    Remove {
        /// The source
        name: String,
        /// Keep its skills, as the team's own
        #[arg(long, group = "fate")]
        adopt: bool,
        /// Delete its skills
        #[arg(long, group = "fate")]
        delete: bool,
        #[command(flatten)]
        commits: Commits,
    },
    /// Let sync look at a source; bring in its skills where it was only registered
    Enable {
        /// The source
        name: String,
        #[command(flatten)]
        commits: Commits,
    },
}
