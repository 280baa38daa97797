//! The commands that only look or tell: `doctor`, `docs`; and what `docs` tells of the command line itself.

use crate::cli::Cli;
use crate::error::Error;
use clap::CommandFactory;
use std::path::PathBuf;

/// `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Doctor {
    /// How long to watch heartbeats and progress [default: 10s]
    ///
    /// A minute tells a stall.
    #[arg(long, value_name = "TIME")]
    pub observe: Option<String>,

    /// Look again and again, with so much time in between
    ///
    /// After the first look it tells what has come and gone.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "1m")]
    pub watch: Option<String>,

    /// End after so many looks
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: Option<u64>,

    /// Say nothing when nothing is found, as cron likes it
    ///
    /// Results for programs are written all the same.
    #[arg(short, long, conflicts_with = "watch")]
    pub quiet: bool,

    /// Checks of your own beside ours
    ///
    /// A module with a function `check(facts)` that returns findings.
    #[arg(long, value_name = "FILE")]
    pub checks: Option<PathBuf>,

    /// A heartbeat that stands still for so long is frozen [default: 10s]
    #[arg(long, value_name = "TIME", help_heading = "Thresholds")]
    pub heartbeat: Option<String>,

    /// A Drainer that stands still for so long is stuck [default: 1m]
    ///
    /// It needs an --observe as long.
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

impl Doctor {
    /// The name of the command.
    pub const NAME: &str = "doctor";

    /// The exit code when there was no look at all: that of a plugin of Nagios that does not know, as 0, 1 and 2 are those of one that does.
    pub const FAILED: u8 = 3;
}

/// `watch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct WatchArgs {
    /// Evaluate CODE again and again instead, and mark what has changed
    #[arg(value_name = "CODE", allow_hyphen_values = true)]
    pub code: Option<String>,

    /// Print one frame as text, and end
    #[arg(long)]
    pub once: bool,

    /// How long after CODE was evaluated it is so again [default: 2s]
    #[arg(long, value_name = "TIME", requires = "code")]
    pub interval: Option<String>,
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

    /// Only this: a function, a module, a type, a guard, a kind of error or harm, a rule of check
    #[arg(value_name = "NAME", group = "what")]
    pub name: Option<String>,
}

/// The script that completes our command line in `shell` without asking the program: commands and options, and no names.
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
