//! The commands for scripts: `run`, `rehearse`, `test`, `check`, `scripts`.

use crate::error::Error;
use clap::Subcommand;
use std::path::PathBuf;

/// Where values of parameters stand that are not on the command line: secret ones never are.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct ParamSources {
    /// Give the parameter NAME what stands in FILE; for secrets
    ///
    /// The end of its last line is left out.
    #[arg(long = "param-file", value_name = "NAME=FILE", value_parser = param)]
    pub files: Vec<(String, String)>,

    /// Give the parameter NAME the value of the variable VAR; for secrets
    ///
    /// An environment variable, which must be exported.
    #[arg(long = "param-env", value_name = "NAME=VAR", value_parser = param)]
    pub env: Vec<(String, String)>,
}

/// `run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Run {
    /// A file, - for standard input, or the name of one that comes with the program
    #[arg(value_name = "SCRIPT", required_unless_present = "help")]
    pub script: Option<PathBuf>,

    /// Give the script's parameter NAME this value
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = param)]
    pub params: Vec<(String, String)>,

    /// Where else values of parameters stand
    #[command(flatten)]
    pub sources: ParamSources,

    /// Follow the plan that a rehearsal kept in FILE, and do nothing else
    ///
    /// The run begins only if all that the plan relied on is unchanged.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,

    /// Show what the script is for and its parameters
    #[arg(long, short)]
    pub help: bool,
}

/// `rehearse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Rehearse {
    /// A file, - for standard input, or the name of one that comes with the program
    #[arg(value_name = "SCRIPT", required_unless_present_any = ["help", "show", "merge"])]
    pub script: Option<PathBuf>,

    /// Give the script's parameter NAME this value
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = param)]
    pub params: Vec<(String, String)>,

    /// Where else values of parameters stand
    #[command(flatten)]
    pub sources: ParamSources,

    /// Show this help
    #[arg(long, short)]
    pub help: bool,

    /// Rehearse on this snapshot (or scenario file), without the cluster
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub snapshot: Option<PathBuf>,

    /// Keep the snapshot that is taken, for rehearsals without the cluster
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot", help_heading = "Cluster")]
    pub save_snapshot: Option<PathBuf>,

    /// How long to watch the cluster for the snapshot
    #[arg(long, value_name = "TIME", default_value = "6s", help_heading = "Cluster")]
    pub observe: String,

    /// Keep the effects of the rehearsal as a plan, for `run SCRIPT --plan FILE`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["futures", "every_fault", "every_pair", "story"], help_heading = "Plan")]
    pub plan: Option<PathBuf>,

    /// Show a plan as a table, and rehearse nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["script", "merge"], help_heading = "Plan")]
    pub show: Option<PathBuf>,

    /// Go through so many unlucky futures, drawn from the seed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), group = "many", help_heading = "Futures")]
    pub futures: Option<u64>,

    /// Try every kind of fault at every event of the rehearsal, one at a time
    #[arg(long, group = "many", help_heading = "Futures")]
    pub every_fault: bool,

    /// Try every two of these together, but for those that come to the same
    ///
    /// Of the faults that come to the same, without regard to time, one is taken: what the script did and what came of it, how it
    /// ended, and how it left the cluster. It takes minutes.
    #[arg(long, group = "many", help_heading = "Futures")]
    pub every_pair: bool,

    /// What futures are drawn from: the same seed, the same futures
    #[arg(long, value_name = "S", default_value_t = 1, requires = "futures", help_heading = "Futures")]
    pub seed: u64,

    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "J", value_parser = jobs(), requires = "many", help_heading = "Futures")]
    pub jobs: Option<usize>,

    /// The kinds of faults, with commas; with a `-` before them all others
    ///
    /// All kinds if it is left out.
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, requires = "many", help_heading = "Futures")]
    pub faults: Option<String>,

    /// Do part I of N of the futures only
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "many", help_heading = "Futures")]
    pub shard: Option<(u64, u64)>,

    /// Add up the answers (written with --output json) of parts
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["script", "many"], help_heading = "Futures")]
    pub merge: Vec<PathBuf>,

    /// Where to keep the shortest stories [default: the state directory]
    #[arg(long, value_name = "DIR", requires = "many", help_heading = "Futures")]
    pub stories: Option<PathBuf>,

    /// Tell the story that a rehearsal of futures has kept in FILE
    #[arg(long, value_name = "FILE", conflicts_with_all = ["futures", "every_fault", "every_pair", "snapshot", "save_snapshot"], help_heading = "Futures")]
    pub story: Option<PathBuf>,

    /// Write a report of it all for a browser (FILE.html)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<PathBuf>,

    /// How much virtual time the script may take
    #[arg(long, value_name = "TIME", default_value = "7d", help_heading = "Output")]
    pub limit: String,
}

impl Rehearse {
    /// Whether it goes through more than the one rehearsal.
    pub(crate) fn has_futures(&self) -> bool {
        self.futures.is_some() || self.every_fault || self.every_pair
    }
}

/// `test`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Test {
    /// Files with tests, or directories that have some [default: the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Only tests whose name (`FILE::FUNCTION`) has this in it
    #[arg(long, short, value_name = "TEXT")]
    pub filter: Option<String>,

    /// Keep the stories that differ from their snapshots as the new ones
    #[arg(long)]
    pub update: bool,

    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "J", value_parser = jobs())]
    pub jobs: Option<usize>,

    /// Also write the results as JUnit XML, for CI
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// `check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Check {
    /// The scripts; of a directory every *.rhai beneath it, - for standard input
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    pub files: Vec<PathBuf>,

    /// Fix misspelt names where only one can have been meant
    ///
    /// Nothing else in the files is touched.
    #[arg(long)]
    pub fix: bool,

    /// Write what is found as SARIF 2.1.0, for code hosts
    #[arg(long, conflicts_with = "output")]
    pub sarif: bool,

    /// Explain a rule, or all of them
    #[arg(long, value_name = "RULE", num_args = 0..=1, conflicts_with_all = ["files", "fix", "sarif"])]
    pub explain: Option<Option<String>>,
}

/// `scripts`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ScriptsCommand {
    /// Print a script
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// Write a script into a directory, to run it from there or to change it
    Copy {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,

        /// The directory
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,

        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
}

/// More threads than any host has processors are a slip of the finger.
fn jobs() -> impl clap::builder::TypedValueParser<Value = usize> {
    clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_024)
}

fn shard(text: &str) -> Result<(u64, u64), Error> {
    let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((part, of)) if part >= 1 && part <= of => Ok((part, of)),
        _ => Err(Error::invalid("write it as I/N, with I from 1 to N")),
    }
}

fn param(text: &str) -> Result<(String, String), Error> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        // What was typed is not repeated: it may be a secret.
        _ => Err(Error::invalid("write it as NAME=VALUE")),
    }
}
