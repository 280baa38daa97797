//! The one definition of the command line. Its doc comments are the help.
//!
//! Under the name `binlogctl` the program has no command line of ours: everything belongs to `ctl`, which reads its
//! flags as Go does. This file knows the words; what they do is found in `commands`.

mod looks;
mod parse;
mod runs;
mod scripts;
mod tips;

pub use looks::{Docs, Doctor, completions, man_pages};
pub use parse::{Instead, parse};
pub use runs::{Assumed, RunsCommand};
pub use scripts::{Check, Rehearse, Run, ScriptsCommand, Test};

use crate::config::Overrides;
use crate::output::{Color, Format};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The name under which the program is `binlogsh ctl`.
pub const BINLOGCTL: &str = "binlogctl";

const EXAMPLES: &str = "\
Examples:
  binlogsh                                       open the prompt on the cluster
  binlogsh --sandbox                             open it on a simulated cluster
  binlogsh -e 'pumps()'                          evaluate one line
  binlogsh -o json -e 'drainers()' | jq          for programs
  binlogsh run scripts/rolling_restart.rhai --param only=pump-1
  binlogsh rehearse scripts/rolling_restart.rhai --futures 10000
  binlogsh doctor --observe 60s                  what is wrong, or will be
  binlogsh --sandbox paused-drainer -e 'offline_pump(\"pump-1\")'
  binlogsh ctl -cmd pumps                        instead of binlogctl

Precedence: flag, environment, profile in config.toml, default.
Environment: BINLOGSH_PD_URLS, _CA, _CERT, _KEY, _PROFILE, _OUTPUT, _TIMEOUT,
  _WAIT_LOCK, _CONFIG.

Exit codes: 0 done, 1 failed or not found, 2 bad arguments, 3 rejected or
  refused, 4 nobody answered, 5 somebody else's change or lock, 6 in doubt,
  8 this host, 9 harm in a rehearsal, 70 a defect, 128 + signal.";

/// A scriptable shell for operating TiDB-Binlog clusters
///
/// Without a command and without -e it opens a prompt, or evaluates the code on standard input if that is no terminal.
#[derive(Debug, Parser)]
#[command(name = "binlogsh", version, after_long_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command understands
    #[command(flatten)]
    pub global: Global,

    /// Evaluate CODE and show what it returns; may be given several times
    ///
    /// Each is evaluated in turn, with the variables of those before it.
    #[arg(short = 'e', long = "eval", value_name = "CODE", allow_hyphen_values = true)]
    pub eval: Vec<String>,

    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command understands, before or after its name; listed behind its own.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_display_order = 100)]
pub struct Global {
    /// Where PD listens: URLs with commas [default: http://127.0.0.1:2379]
    #[arg(long, alias = "pd", value_name = "URLS", global = true, help_heading = "Cluster")]
    pub pd_urls: Option<String>,

    /// The file with the certificates to trust
    #[arg(long, alias = "ssl-ca", value_name = "FILE", global = true, help_heading = "Cluster")]
    pub ca: Option<PathBuf>,

    /// The file with our certificate
    #[arg(long, alias = "ssl-cert", value_name = "FILE", global = true, help_heading = "Cluster")]
    pub cert: Option<PathBuf>,

    /// The file with its key
    #[arg(long, alias = "ssl-key", value_name = "FILE", global = true, help_heading = "Cluster")]
    pub key: Option<PathBuf>,

    /// The profile of config.toml to use
    #[arg(long, value_name = "NAME", global = true, help_heading = "Cluster")]
    pub profile: Option<String>,

    /// The configuration file, instead of the usual one
    #[arg(long, value_name = "FILE", global = true, help_heading = "Cluster")]
    pub config: Option<PathBuf>,

    /// How long to wait for an answer, at most 10s [default: 5s]
    #[arg(long, value_name = "TIME", global = true, help_heading = "Cluster")]
    pub timeout: Option<String>,

    /// How long to wait for the maintenance lock [default: not at all]
    ///
    /// Whoever changes something holds it; somebody else's is waited for.
    #[arg(long, value_name = "TIME", global = true, help_heading = "Changes")]
    pub wait_lock: Option<String>,

    /// A simulated cluster instead: a sample's name, or a scenario file
    ///
    /// The default sample has three Pumps and two Drainers. The name may also stand apart: `--sandbox paused-drainer`.
    /// A file that is called like a command needs the `=`.
    #[arg(
        long,
        value_name = "NAME|FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "default",
        global = true,
        help_heading = "Cluster"
    )]
    pub sandbox: Option<String>,

    /// How to write results
    #[arg(short, long, value_name = "FORMAT", value_parser = format(), global = true, help_heading = "Output")]
    pub output: Option<Format>,

    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, help_heading = "Output")]
    pub color: When,

    /// Show every exchange with the cluster and its time on standard error
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,

    /// Refuse every change
    #[arg(long, conflicts_with = "yes", global = true, help_heading = "Changes")]
    pub read_only: bool,

    /// Answer every question with yes; guards still refuse
    ///
    /// In a profile marked `production` it must name it: --yes=PROFILE.
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, require_equals = true, global = true, help_heading = "Changes")]
    pub yes: Option<Option<String>>,

    /// Let scripts run programs with exec(); read them first
    ///
    /// In a sandbox nothing is ever run.
    #[arg(long, global = true, help_heading = "Changes")]
    pub allow_exec: bool,
}

impl Global {
    /// The options that say which cluster it is, as they are typed, with a space before each: whatever else is to be typed
    /// about the same cluster needs them as well. Those of the environment are there anyhow.
    pub fn cluster_options(&self) -> String {
        let file = |name, path: &Option<PathBuf>| (name, path.as_ref().map(|path| path.display().to_string()));
        let options = [
            file("--config", &self.config),
            ("--profile", self.profile.clone()),
            ("--pd-urls", self.pd_urls.clone()),
            file("--ca", &self.ca),
            file("--cert", &self.cert),
            file("--key", &self.key),
        ];
        let typed = |(name, value): (&str, Option<String>)| value.map(|value| format!(" {name} {}", quoted(&value)));
        let sandbox = match self.sandbox.as_deref() {
            None => None,
            Some("default") => Some(" --sandbox".to_owned()),
            Some(name) => Some(format!(" --sandbox={}", quoted(name))),
        };
        options.into_iter().filter_map(typed).chain(sandbox).collect()
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=@%+".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
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
    /// was seen, what happens if nothing is done, and what mends it. Exit code: 0 nothing, 1 warnings, 2 something critical.
    Doctor(Doctor),

    /// Say what is wrong with scripts, without running them
    ///
    /// It needs no cluster. The exit code is 0 if nothing is found, 1 if something is, 2 if a file cannot be read or does not compile.
    /// A rule is silenced by a comment on the line or above it: `// check: allow RULE: reason`.
    Check(Check),

    /// List what was done, go on with what was cut off, look after the maintenance lock
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
        #[arg(value_name = "FLAGS", trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
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

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<When> for Color {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

impl Global {
    /// What was said here of what the configuration can say too.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            pd_urls: self.pd_urls.clone(),
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            profile: self.profile.clone(),
            config: self.config.clone(),
            timeout: self.timeout.clone(),
            output: self.output,
            wait_lock: self.wait_lock.clone(),
        }
    }
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

fn format() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::TypedValueParser;
    clap::builder::PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(|name| Format::from_name(&name).map_err(|error| error.message))
}

#[cfg(test)]
mod tests;
