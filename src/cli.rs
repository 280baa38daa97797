//! The one definition of the command line. Its doc comments are the help.
//!
//! Under the name `binlogctl` the program has no command line of ours: everything belongs to `ctl`, which reads its
//! flags as Go does. This file knows the words; what they do is found in `commands`.

mod global;
mod looks;
mod parse;
mod runs;
mod scripts;
mod tips;

pub use global::{Global, GlobalOption, OutputChoice, Takes, When};
pub use looks::{Docs, Doctor, WatchArgs, completions, man_pages};
pub use parse::{CommandLine, Instead, global, is_binlogctl, parse, wants_json};
pub use runs::{Assumed, RunsCommand};
pub use scripts::{Check, ParamSources, Rehearse, Run, ScriptsCommand, Test};

use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;

/// The version, and which build of it this is: `0.1.0 (d5ee5a9 2026-11-30)`, made by `build.rs`. For people: what is kept in files
/// has the version alone.
pub const BUILD: &str = env!("BUILD_REVISION");

/// The name under which the program is `binlogsh ctl`.
pub const BINLOGCTL: &str = "binlogctl";

/// The command that reads what stands behind it as binlogctl does.
const CTL: &str = "ctl";

const EXAMPLES: &str = "\
Examples:
  binlogsh                                       open the prompt on the cluster
  binlogsh --cluster prod                        open it on a cluster of tiup
  binlogsh --sandbox                             open it on a simulated cluster
  binlogsh -e 'pumps()'                          evaluate one line
  binlogsh -o json --timestamps text -e 'drainers()' | jq
  binlogsh run scripts/rolling_restart.rhai --param only=pump-1
  binlogsh rehearse scripts/rolling_restart.rhai --futures 10000
  binlogsh doctor --observe 60s                  what is wrong, or will be
  binlogsh watch                                 the cluster, live, on the whole screen
  binlogsh --sandbox paused-drainer -e 'offline_pump(\"pump-1\")'
  binlogsh ctl -cmd pumps                        instead of binlogctl

Precedence: flag, environment, profile in config.toml, default.
Environment: BINLOGSH_PD_URLS, _CA, _CERT, _KEY, _CLUSTER, _PROFILE, _OUTPUT,
  _TIMESTAMPS, _TIMEOUT, _WAIT_LOCK, _CONFIG.

Exit codes: 0 done, 1 failed or not found, 2 bad arguments, 3 rejected or
  refused, 4 nobody answered, 5 somebody else's change or lock, 6 in doubt,
  8 this host, 9 harm in a rehearsal, 70 a defect, 128 + signal.";

/// A scriptable shell for operating TiDB-Binlog clusters
///
/// Without a command and without -e it opens a prompt, or evaluates the code on standard input if that is no terminal.
#[derive(Debug, Parser)]
#[command(name = "binlogsh", version = BUILD, after_long_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command understands
    #[command(flatten)]
    pub global: Global,

    /// What is evaluated
    #[command(flatten)]
    pub codes: Codes,

    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Code on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Codes {
    /// Evaluate CODE and show what it returns; may be given several times
    ///
    /// Each is evaluated in turn, with the variables of those before it.
    #[arg(short = 'e', long = "eval", value_name = "CODE", allow_hyphen_values = true)]
    pub eval: Vec<String>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run a script
    ///
    /// `run SCRIPT --help` shows what the script is for and its parameters, without running it.
    #[command(disable_help_flag = true)]
    Run(Run),

    /// Try a script on a simulated copy of the cluster, in virtual time
    ///
    /// Looks at the cluster first (or reads --snapshot, or takes --sandbox), and never touches it again. Tells what the
    /// script would do, what the cluster would do on its own, and what that means. With --futures or --every-fault it
    /// goes through unlucky futures and shows the shortest story of every harm that the script does in one: exit code 9.
    #[command(disable_help_flag = true)]
    Rehearse(Box<Rehearse>),

    /// Run the tests of scripts: functions `test_*` in files `*_test.rhai`
    ///
    /// Each test works in a simulated cluster of its own, in virtual time; none can reach a real one. Exit code 0 if all
    /// pass, 1 if one fails.
    Test(Test),

    /// Say what is wrong with the cluster, or will be; changes nothing
    ///
    /// Looks at records, nodes, PD, TiDB servers and certificates, and watches heartbeats and progress. Each finding says what
    /// was seen, what happens if nothing is done, and what fixes it. Exit code: 0 nothing, 1 warnings, 2 something critical,
    /// 3 doctor itself failed. With --output openmetrics it is 0 once the gauges are written, whatever they say.
    Doctor(Doctor),

    /// List the clusters that tiup deployed from here, and what is wrong with what it knows of each
    ///
    /// It reads tiup's `meta.yaml` files and asks nobody. `binlogsh --cluster NAME` goes to one of them.
    Clusters,

    /// Watch the cluster on the whole screen: nodes, lag, who waits for whom, what happens; changes nothing
    ///
    /// It follows the records by one watch of PD's etcd, and asks the nodes themselves every ten seconds. `?` shows the keys: they
    /// filter, show what a node says of itself, ask it, let doctor look at it, or take a call along to the prompt.
    Watch(WatchArgs),

    /// Say what is wrong with scripts, without running them
    ///
    /// It needs no cluster. The exit code is 0 if nothing is found, 1 if something is, 2 if a file cannot be read or does not compile.
    /// A rule is silenced by a comment on the line or above it: `// check: allow RULE: reason`.
    Check(Check),

    /// List what was done, go on with what was stopped, look after the maintenance lock
    ///
    /// Every script, prompt and `ctl` command that changed something is kept as a run, in the data directory of this user.
    #[command(args_conflicts_with_subcommands = true)]
    Runs {
        /// Only those in this state; `cut-off` are those that nobody is at though they have no end
        #[arg(long, value_name = "STATE", value_parser = ["running", "cut-off", "done", "failed", "interrupted", "abandoned"])]
        state: Option<String>,

        /// How many, the latest first
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,

        /// What to do
        #[command(subcommand)]
        command: Option<RunsCommand>,
    },

    /// Do what binlogctl does, with its flags, output and exit codes; see `ctl -help`
    #[command(disable_help_flag = true)]
    Ctl {
        /// binlogctl's flags, such as -cmd pumps
        // Whatever stands behind `ctl` is kept from this definition, which would take for its own what is `ctl`'s.
        #[arg(value_name = "FLAGS", num_args = 0..)]
        flags: Vec<OsString>,
    },

    /// List the scripts that come with the program; show or copy one
    ///
    /// `run NAME` and `rehearse NAME` take such a name where no file is called so.
    Scripts {
        /// What to do instead
        #[command(subcommand)]
        command: Option<ScriptsCommand>,
    },

    /// Print the documentation: of every function, of one word, of the command line
    Docs(Docs),
}

/// The help of a subcommand itself, for its `--help` (or, in short, `-h`) without a script.
pub fn help_of(subcommand: &str, is_short: bool) -> String {
    let mut command = Cli::command();
    command.build();
    let help = command.find_subcommand_mut(subcommand).map(|subcommand| match is_short {
        true => subcommand.render_help(),
        false => subcommand.render_long_help(),
    });
    help.map(|help| help.to_string().trim_end().to_owned()).unwrap_or_default()
}

/// The names of all subcommands.
pub fn command_names() -> impl Iterator<Item = String> {
    let names: Vec<String> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter()
}

#[cfg(test)]
mod tests;
