//! `runs`: what was done, and going on with it.

use super::ParamSources;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// `runs`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RunsCommand {
    /// Show what a run did: steps, effects, answers, times
    Show {
        /// The run's id, or as much of it as no other begins with
        #[arg(value_name = "ID")]
        id: String,
    },

    /// Go on with a script that was killed, stopped or failed, after what it has done
    ///
    /// Runs the script again as it was then, with the modules and parameters that it had; what its journal knows is
    /// answered from there, silently. A change of which nobody knows whether it happened is looked into first, and the
    /// cluster is compared with what the journal knows of it.
    Resume {
        /// The run's id, or as much of it as no other begins with
        #[arg(value_name = "ID")]
        id: String,

        /// What became of the change that had begun, where nobody can tell and nobody is there to be asked
        #[arg(long, value_name = "done|undone")]
        assume: Option<Assumed>,

        /// Where the script lies now, if a secret stands in it and it was moved
        #[arg(long, value_name = "FILE")]
        script: Option<PathBuf>,

        /// Where its secret parameters stand; those that are not given are asked for
        #[command(flatten)]
        sources: ParamSources,
    },

    /// Give a run up: it cannot be resumed any more
    Abandon {
        /// The run's id, or as much of it as no other begins with
        #[arg(value_name = "ID")]
        id: String,

        /// Why
        #[arg(long, value_name = "TEXT")]
        why: String,
    },

    /// Write a run as one JSON document, to be imported elsewhere
    Export {
        /// The run's id, or as much of it as no other begins with
        #[arg(value_name = "ID")]
        id: String,

        /// The file to write, which must not be there [default: standard output]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },

    /// Add an exported run to the runs of this user
    Import {
        /// The file that `runs export` wrote, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },

    /// Remove the runs that ended long ago; one without an end stays until it is abandoned
    Prune {
        /// How long ago at least
        #[arg(long, value_name = "TIME")]
        older_than: String,
    },

    /// Take the maintenance lock away from whoever holds it
    ///
    /// For the impatient: the lock of a process that died goes by itself within 30 seconds. Asks twice. Whoever held it
    /// stops before its next write; a request that it has sent to a node already is carried out all the same.
    Unlock {
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
}

/// What an operator says of a change that is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Assumed {
    /// It happened.
    Done,
    /// It did not happen, and may be done again.
    Undone,
}
