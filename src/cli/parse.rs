//! From arguments to a command line, or to what is said instead.

use super::tips::with_tip;
use super::{BINLOGCTL, Cli, Command, Global, help_of};
use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::Path;

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
    // To put the definition together takes as long as all the rest, so that is done once.
    let mut command = Cli::command();
    let args = with_sandbox_joined(&command, args);
    let cli = command.try_get_matches_from_mut(&args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = cli.and_then(|cli| consistent(cli, &mut command));
    let cli = cli.map_err(|error| instead(&with_tip(error, &args).format(&mut command)))?;
    match help_wanted(&cli) {
        Some(subcommand) => {
            Err(Instead { text: help_of(subcommand, args.iter().any(|arg| arg == "-h")), exit_code: 0 })
        }
        None => Ok(cli),
    }
}

/// The subcommand whose own help is wanted, where `--help` behind a script is the script's.
fn help_wanted(cli: &Cli) -> Option<&'static str> {
    match &cli.command {
        Some(Command::Run(run)) if run.help && run.script.is_none() => Some("run"),
        Some(Command::Rehearse(rehearse)) if rehearse.help && rehearse.script.is_none() => Some("rehearse"),
        _ => None,
    }
}

fn consistent(cli: Cli, command: &mut clap::Command) -> Result<Cli, clap::Error> {
    match &cli.command {
        Some(_) if !cli.eval.is_empty() => {
            Err(command.error(ErrorKind::ArgumentConflict, "-e CODE and a command cannot stand together"))
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
fn with_sandbox_joined(command: &clap::Command, args: Vec<OsString>) -> Vec<OsString> {
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
