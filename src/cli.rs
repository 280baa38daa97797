//! The one definition of the command line. Its doc comments are the help.
//!
//! Under the name `binlogctl` the program has no command line of ours: everything belongs to `ctl`, which reads its
//! flags as Go does. This file knows the words; what they do is found in `commands`.

use crate::config::Overrides;
use crate::error::Error;
use crate::output::{Color, Format};
use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

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

Precedence: flag, environment (BINLOGSH_PD_URLS, _CA, _CERT, _KEY, _PROFILE, _OUTPUT, _TIMEOUT, _WAIT_LOCK, _CONFIG),
profile in config.toml, default.

Exit codes: 0 done, 1 failed or not found, 2 bad arguments, 3 rejected or refused, 4 nobody answered, 5 somebody else's
change or lock, 6 in doubt, 8 this host, 9 harm in a rehearsal, 70 a defect, 128 + signal.";

/// A scriptable shell for operating TiDB-Binlog clusters
///
/// Without a command and without -e it opens a prompt, or evaluates the code on standard input if that is no terminal.
#[derive(Debug, Parser)]
#[command(name = "binlogsh", version, after_long_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command understands
    #[command(flatten)]
    pub global: Global,

    /// Evaluate CODE and show what it returns; several in turn, with the same variables
    #[arg(short = 'e', long = "eval", value_name = "CODE", allow_hyphen_values = true)]
    pub eval: Vec<String>,

    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command understands, before or after its name.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Where PD listens, several separated by commas [default: http://127.0.0.1:2379]
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

    /// How long to wait for the maintenance lock if somebody else holds it [default: not at all]
    #[arg(long, value_name = "TIME", global = true, help_heading = "Changes")]
    pub wait_lock: Option<String>,

    /// A simulated cluster instead of a real one: a named sample, or a scenario file
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

    /// Answer every question with yes; guards still refuse. In a profile marked `production` it must name it
    #[arg(long, value_name = "PROFILE", num_args = 0..=1, require_equals = true, global = true, help_heading = "Changes")]
    pub yes: Option<Option<String>>,

    /// Let scripts run programs with exec(); read them first. In a sandbox nothing is ever run
    #[arg(long, global = true, help_heading = "Changes")]
    pub allow_exec: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run a script
    ///
    /// `run SCRIPT --help` shows what the script is for and its parameters, without running it.
    #[command(disable_help_flag = true)]
    Run(Run),

    /// Try a script on a simulated copy of the cluster, in virtual time, before anything is touched
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

    /// Read scripts without running them, and say what is wrong with them; needs no cluster
    ///
    /// The exit code is 0 if nothing is found, 1 if something is, 2 if a file cannot be read or does not compile.
    /// A rule is silenced by a comment on the line or above it: `// check: allow RULE: reason`.
    Check(Check),

    /// List what was done, go on with what was cut off, and look after the maintenance lock
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

    /// List the scripts that come with the program, one for each procedure; show or copy one
    ///
    /// `run NAME` and `rehearse NAME` take such a name where no file is called so.
    Scripts {
        /// What to do instead
        #[command(subcommand)]
        command: Option<ScriptsCommand>,
    },

    /// Print the documentation of every function
    Docs(Docs),
}

/// `docs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Docs {
    /// The whole reference as Markdown, as it stands in docs/reference.md
    #[arg(long, group = "what")]
    pub reference: bool,

    /// What the scripts that come with the program are for, as it stands in docs/procedures.md
    #[arg(long, group = "what")]
    pub procedures: bool,

    /// Write Rhai definition files into DIR: editors complete and check our functions with them
    #[arg(long, value_name = "DIR", group = "what")]
    pub definitions: Option<PathBuf>,

    /// Print the script that completes our command line in a shell
    #[arg(long, value_name = "SHELL", group = "what")]
    pub completions: Option<clap_complete::Shell>,

    /// Write man pages into DIR: `binlogsh.1` and one for each command
    #[arg(long, value_name = "DIR", group = "what")]
    pub man: Option<PathBuf>,

    /// Only this function
    #[arg(value_name = "FUNCTION", group = "what")]
    pub name: Option<String>,
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

/// `runs`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RunsCommand {
    /// Show what a run did: steps, effects, answers, times
    Show {
        /// The run's id, or as much of it as no other begins with
        #[arg(value_name = "ID")]
        id: String,
    },

    /// Go on with a script that was cut off, stopped or failed, after what it has done
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

/// What an operator says of a change that is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Assumed {
    /// It happened.
    Done,
    /// It did not happen, and may be done again.
    Undone,
}

/// `run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Run {
    /// The script: a file, - for standard input, or the name of one that comes with the program
    #[arg(value_name = "SCRIPT", required_unless_present = "help")]
    pub script: Option<PathBuf>,

    /// Give the script's parameter NAME this value
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = param)]
    pub params: Vec<(String, String)>,

    /// Follow the plan that a rehearsal kept in FILE: begin only if all that it relied on is unchanged, and do nothing else
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,

    /// Show what the script is for and its parameters
    #[arg(long, short)]
    pub help: bool,
}

/// `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Doctor {
    /// How long to watch heartbeats and progress; a minute tells a stall [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub observe: Option<String>,

    /// Look again and again, with so much time in between, and tell what has come and gone
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "1m")]
    pub watch: Option<String>,

    /// End after so many looks
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: Option<u64>,

    /// Checks of your own beside ours: a module with a function `check(facts)` that returns findings
    #[arg(long, value_name = "FILE")]
    pub checks: Option<PathBuf>,

    /// A heartbeat that stands still for so long is frozen [default: 10s]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub heartbeat: Option<String>,

    /// A Drainer that stands still for so long is stuck; needs an --observe as long [default: 1m]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub stall: Option<String>,

    /// How far a Drainer may be behind [default: 1h]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub lag: Option<String>,

    /// How close GC may come to what a Drainer has not read [default: 1d]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub gc: Option<String>,

    /// How many GiB of a Pump's disk should be free [default: 20]
    #[arg(long, value_name = "GIB", help_heading = "Thresholds")]
    pub disk: Option<u32>,

    /// How far this host's clock may be from PD's [default: 2s]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub clock: Option<String>,

    /// How long certificates should be valid [default: 30d]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub certificates: Option<String>,
}

/// `check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Check {
    /// The scripts; of a directory every *.rhai beneath it, - for standard input
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    pub files: Vec<PathBuf>,

    /// Mend misspelt names where only one can have been meant; nothing else in the files is touched
    #[arg(long)]
    pub fix: bool,

    /// Write what is found as SARIF 2.1.0, for code hosts
    #[arg(long, conflicts_with = "output")]
    pub sarif: bool,

    /// Explain a rule, or all of them
    #[arg(long, value_name = "RULE", num_args = 0..=1, conflicts_with_all = ["files", "fix", "sarif"])]
    pub explain: Option<Option<String>>,
}

/// `rehearse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Rehearse {
    /// The script: a file, - for standard input, or the name of one that comes with the program
    #[arg(value_name = "SCRIPT", required_unless_present_any = ["help", "show", "merge"])]
    pub script: Option<PathBuf>,

    /// Give the script's parameter NAME this value
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = param)]
    pub params: Vec<(String, String)>,

    /// Show this help
    #[arg(long, short)]
    pub help: bool,

    /// Rehearse on this snapshot (or scenario file) instead of looking at the cluster
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub snapshot: Option<PathBuf>,

    /// Keep the snapshot that is taken, for rehearsals without the cluster
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot", help_heading = "Cluster")]
    pub save_snapshot: Option<PathBuf>,

    /// How long to watch the cluster for the snapshot
    #[arg(long, value_name = "TIME", default_value = "6s", help_heading = "Cluster")]
    pub observe: String,

    /// Keep the effects of the rehearsal as a plan, for `run SCRIPT --plan FILE`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["futures", "every_fault", "story"], help_heading = "Plan")]
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

    /// What futures are drawn from: the same seed gives the same futures
    #[arg(long, value_name = "S", default_value_t = 1, requires = "futures", help_heading = "Futures")]
    pub seed: u64,

    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "J", value_parser = jobs(), requires = "many", help_heading = "Futures")]
    pub jobs: Option<usize>,

    /// The kinds of faults, separated by commas; all if it is left out, all but some if they have a `-` before them
    #[arg(long, value_name = "LIST", allow_hyphen_values = true, requires = "many", help_heading = "Futures")]
    pub faults: Option<String>,

    /// Do part I of N of the futures only
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "many", help_heading = "Futures")]
    pub shard: Option<(u64, u64)>,

    /// Add up the answers (written with --output json) of parts
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["script", "many"], help_heading = "Futures")]
    pub merge: Vec<PathBuf>,

    /// Where to keep the shortest stories [default: the current directory]
    #[arg(long, value_name = "DIR", requires = "many", help_heading = "Futures")]
    pub stories: Option<PathBuf>,

    /// Tell the story in FILE, which a rehearsal of futures has kept
    #[arg(long, value_name = "FILE", conflicts_with_all = ["futures", "every_fault", "snapshot", "save_snapshot"], help_heading = "Futures")]
    pub story: Option<PathBuf>,

    /// Write a report of it all for a browser
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub report: Option<PathBuf>,

    /// How much virtual time the script may take
    #[arg(long, value_name = "TIME", default_value = "7d", help_heading = "Output")]
    pub limit: String,
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

/// Why there is no command line to act on: text to print instead, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// A help, a version, or what is wrong.
    pub text: String,
    /// 0 for what was asked for, 2 for what is wrong.
    pub exit_code: u8,
}

impl Instead {
    /// Whether it was asked for: then it belongs on standard output.
    pub fn was_asked_for(&self) -> bool {
        self.exit_code == 0
    }
}

/// Reads the command line, the program's own name first.
///
/// # Errors
/// What to print instead: a help or the version that was asked for, or what is wrong.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Instead> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let name = args.first().map(|program| Path::new(program).file_stem().unwrap_or_default().to_os_string());
    if name.is_some_and(|name| name == BINLOGCTL) {
        return Ok(Cli {
            global: Global::default(),
            eval: Vec::new(),
            command: Some(Command::Ctl { flags: args.split_off(1) }),
        });
    }
    let cli = Cli::try_parse_from(with_sandbox_joined(args)).and_then(consistent);
    cli.map_err(|error| instead(&error))
}

/// The help of a subcommand itself, for its `--help` without a script.
pub fn help_of(subcommand: &str) -> String {
    let mut command = Cli::command();
    command.build();
    match command.find_subcommand_mut(subcommand) {
        Some(subcommand) => subcommand.render_long_help().to_string(),
        None => String::new(),
    }
}

/// The script that completes our command line in `shell`.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "binlogsh", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Our man pages, name and text.
///
/// # Errors
/// `internal` when one cannot be made, which is a defect.
pub fn man_pages() -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect_pages(&command, "binlogsh", &mut pages)?;
    Ok(pages)
}

fn collect_pages(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut page)
        .map_err(|fault| Error::internal(format!("the man page of {name} cannot be made")).source(fault))?;
    pages.push((format!("{name}.1"), page));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        collect_pages(inner, &format!("{name}-{}", inner.get_name()), pages)?;
    }
    Ok(())
}

fn consistent(cli: Cli) -> Result<Cli, clap::Error> {
    match &cli.command {
        Some(_) if !cli.eval.is_empty() => {
            Err(Cli::command().error(ErrorKind::ArgumentConflict, "-e CODE and a command cannot stand together"))
        }
        _ => Ok(cli),
    }
}

fn instead(error: &clap::Error) -> Instead {
    let exit_code = match error.use_stderr() {
        true => 2,
        false => 0,
    };
    Instead { text: error.render().to_string().trim_end().to_owned(), exit_code }
}

/// Joins `--sandbox NAME` into `--sandbox=NAME`, unless what follows is an option or a command.
///
/// Only what stands before the command is looked at, since behind it the next word may be the command's own.
fn with_sandbox_joined(args: Vec<OsString>) -> Vec<OsString> {
    let command = Cli::command();
    let takes_next = |word: &str| match word.strip_prefix("--") {
        Some(long) => command.get_arguments().any(|arg| names(arg).any(|name| name == long) && takes_a_word(arg)),
        None => command
            .get_arguments()
            .any(|arg| word.chars().count() == 2 && arg.get_short() == word.chars().nth(1) && takes_a_word(arg)),
    };
    let is_command = |word: &str| command.get_subcommands().any(|sub| sub.get_name() == word);
    let mut joined = Vec::with_capacity(args.len());
    let mut rest = args.into_iter().peekable();
    joined.extend(rest.next());
    while let Some(arg) = rest.next() {
        let word = arg.to_string_lossy().into_owned();
        if word == "--sandbox" {
            let name = rest.next_if(|next| {
                let next = next.to_string_lossy();
                !next.starts_with('-') && !is_command(&next)
            });
            joined.push(match name {
                Some(name) => [OsString::from("--sandbox="), name].into_iter().collect(),
                None => arg,
            });
            continue;
        }
        let is_option = word.starts_with('-') && word != "-" && word != "--";
        joined.push(arg);
        if !is_option {
            break;
        }
        if takes_next(&word) {
            joined.extend(rest.next());
        }
    }
    joined.extend(rest);
    joined
}

fn names(arg: &Arg) -> impl Iterator<Item = &str> {
    arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default())
}

/// Whether the value of an option is the word after it.
fn takes_a_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn format() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::TypedValueParser;
    clap::builder::PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(|name| Format::from_name(&name).map_err(|error| error.message))
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
        _ => Err(Error::invalid("write it as NAME=VALUE")),
    }
}

#[cfg(test)]
mod tests;
