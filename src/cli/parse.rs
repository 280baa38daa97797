//! From arguments to a command line, or to what is said instead.

use super::global::{Alone, names};
use super::tips::with_tip;
use super::{BINLOGCTL, CTL, Cli, Codes, Command, Doctor, Global, OutputChoice, Takes, help_of};
use crate::config::OUTPUT;
use crate::output::Format;
use crate::pd_url::without_passwords;
use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Why there is no command line to act on: text to print instead, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// A help, a version, or what is wrong.
    pub text: String,
    /// 0 for what was asked for, 2 for what is wrong; of `doctor` that code is a finding, and this one its own.
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
    if args.first().is_some_and(|program| is_binlogctl(program)) {
        return Ok(Cli {
            global: Global::default(),
            codes: Codes::default(),
            command: Some(Command::Ctl { flags: args.split_off(1) }),
        });
    }
    // `binlogsh help run`, as many others have it.
    if args.get(1).is_some_and(|word| word == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    // To put the whole definition together takes as long as all the rest: for options alone it is not needed.
    let mut line = CommandLine::new(&OptionsAlone::command(), args);
    if let Some(cli) = without_command(&line) {
        return Ok(cli);
    }
    let mut command = Cli::command();
    let behind_ctl = line.split_off_ctl();
    let args = line.words();
    let cli = command.try_get_matches_from_mut(&args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = cli.and_then(|cli| consistent(cli, &line, &mut command));
    let mut cli = cli.map_err(|error| {
        let instead = instead(&with_tip(error, &args).format(&mut command));
        match line.is_doctor() && !instead.was_asked_for() {
            true => Instead { exit_code: Doctor::FAILED, ..instead },
            false => instead,
        }
    })?;
    if let (Some(Command::Ctl { flags }), Some(behind)) = (&mut cli.command, behind_ctl) {
        *flags = behind;
    }
    match help_wanted(&cli) {
        Some(subcommand) => {
            Err(Instead { text: help_of(subcommand, args.iter().any(|arg| arg == "-h")), exit_code: 0 })
        }
        None => Ok(cli),
    }
}

/// The options of a line that has no command.
#[derive(Debug, Parser)]
#[command(name = "binlogsh", version)]
struct OptionsAlone {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    codes: Codes,
}

/// A line of options alone, if nothing is wrong with it: what is wrong, the whole definition says.
fn without_command(line: &CommandLine) -> Option<Cli> {
    if !line.rest.is_empty() {
        return None;
    }
    let OptionsAlone { global, codes } = OptionsAlone::try_parse_from(&line.before).ok()?;
    let is_understood = global.is_consistent().is_ok() && global.output != Some(OutputChoice::OpenMetrics);
    is_understood.then_some(Cli { global, codes, command: None })
}

/// Whether the line, which may be one that nobody understands, or the environment asks for JSON.
pub fn wants_json(args: &[OsString]) -> bool {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let is_json = |name: &str| Format::from_name(name).is_ok_and(Format::is_for_programs);
    let attached = |word: &str| {
        let value = word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"))?;
        Some(is_json(value.strip_prefix('=').unwrap_or(value)))
    };
    let behind = |pair: &[Cow<'_, str>]| ["-o", "--output"].contains(&&*pair[0]) && is_json(&pair[1]);
    let said = words.windows(2).any(behind) || words.iter().any(|word| attached(word) == Some(true));
    said || std::env::var(OUTPUT).is_ok_and(|name| is_json(&name))
}

/// The subcommand whose own help is wanted, where `--help` behind a script is the script's.
fn help_wanted(cli: &Cli) -> Option<&'static str> {
    match &cli.command {
        Some(Command::Run(run)) if run.help && run.script.is_none() => Some("run"),
        Some(Command::Rehearse(rehearse)) if rehearse.help && rehearse.script.is_none() => Some("rehearse"),
        _ => None,
    }
}

/// What clap does not see, since it looks at what stands before the command and at what stands behind it apart.
fn consistent(mut cli: Cli, line: &CommandLine, command: &mut clap::Command) -> Result<Cli, clap::Error> {
    let mut conflict = |text: String| command.error(ErrorKind::ArgumentConflict, text);
    if cli.command.is_some() && !cli.codes.eval.is_empty() {
        return Err(conflict("-e CODE and a command cannot stand together".into()));
    }
    if cli.command.is_some() && line.before.len() > 1 {
        let before = Alone::try_parse_from(&line.before)?.global;
        cli.global = before.joined(cli.global).map_err(|error| conflict(error.to_string()))?;
    }
    cli.global.is_consistent().map_err(|error| conflict(error.to_string()))?;
    let has_gauges = cli.global.output == Some(OutputChoice::OpenMetrics);
    match &cli.command {
        Some(Command::Check(check)) if check.sarif && cli.global.output.is_some() => {
            Err(conflict("--sarif and --output cannot stand together".into()))
        }
        Some(Command::Doctor(doctor)) if has_gauges && doctor.watch.is_some() => {
            Err(conflict("--output openmetrics is one look, and --watch has no end: let a timer call it".into()))
        }
        Some(Command::Doctor(_)) => Ok(cli),
        _ if has_gauges => Err(conflict("--output openmetrics is for `binlogsh doctor` alone".into())),
        _ => Ok(cli),
    }
}

fn instead(error: &clap::Error) -> Instead {
    let exit_code = match error.use_stderr() {
        true => 2,
        false => 0,
    };
    // A word that nobody understands is shown, and may be an address with a password in it.
    Instead { text: without_passwords(error.render().to_string().trim_end()), exit_code }
}

/// A command line, taken apart at its command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program's own name, and what stands before the command; `--sandbox NAME` joined into one word.
    pub before: Vec<OsString>,
    /// The command and everything behind it.
    pub rest: Vec<OsString>,
}

impl CommandLine {
    /// Takes a line apart, and joins `--sandbox NAME` into `--sandbox=NAME`, unless what follows is an option or a command.
    ///
    /// Only what stands before the command is looked at, since behind it the next word may be the command's own.
    pub fn new(command: &clap::Command, args: Vec<OsString>) -> Self {
        let is_command = Command::has_subcommand;
        let mut before = Vec::with_capacity(args.len());
        let mut rest = args.into_iter().peekable();
        before.extend(rest.next());
        while let Some(arg) = rest.next_if(|arg| is_option(&arg.to_string_lossy())) {
            let word = arg.to_string_lossy().into_owned();
            if word == "--sandbox" {
                let name = rest.next_if(|next| {
                    let next = next.to_string_lossy();
                    !next.starts_with('-') && !is_command(&next)
                });
                before.push(match name {
                    Some(name) => [OsString::from("--sandbox="), name].into_iter().collect(),
                    None => arg,
                });
                continue;
            }
            before.push(arg);
            if takes_next(command, &word) {
                before.extend(rest.next());
            }
        }
        Self { before, rest: rest.collect() }
    }

    /// Takes away what stands behind `ctl`, which reads it in its own way.
    pub fn split_off_ctl(&mut self) -> Option<Vec<OsString>> {
        let is_ctl = self.rest.first().is_some_and(|word| word == CTL);
        is_ctl.then(|| self.rest.split_off(1))
    }

    /// Whether its command is `doctor`, whose exit codes are its own.
    fn is_doctor(&self) -> bool {
        self.rest.first().is_some_and(|word| word == Doctor::NAME)
    }

    /// All its words.
    pub fn words(&self) -> Vec<OsString> {
        [self.before.as_slice(), self.rest.as_slice()].concat()
    }
}

fn is_option(word: &str) -> bool {
    word.starts_with('-') && word != "-" && word != "--"
}

/// Whether the value of the option `word` is the word after it. The last of several short ones in one word may have one.
fn takes_next(command: &clap::Command, word: &str) -> bool {
    if let Some(long) = word.strip_prefix("--") {
        let is_it = |arg: &&Arg| names(arg).any(|name| name == long);
        return command.get_arguments().find(is_it).is_some_and(takes_a_word);
    }
    let mut letters = word.chars().skip(1);
    while let Some(letter) = letters.next() {
        let taker = command.get_arguments().find(|arg| arg.get_short() == Some(letter));
        if taker.is_some_and(takes_a_word) {
            return letters.next().is_none();
        }
    }
    false
}

fn takes_a_word(arg: &Arg) -> bool {
    Takes::of(arg) == Takes::Word
}

/// Whether the program is called as `binlogctl` is: then everything belongs to `ctl`.
pub fn is_binlogctl(program: &OsStr) -> bool {
    Path::new(program).file_stem().is_some_and(|name| name == BINLOGCTL)
}

/// Reads words that are options of ours and nothing else.
///
/// # Errors
/// What is wrong with them.
pub fn global(words: impl IntoIterator<Item = OsString>) -> Result<Global, Instead> {
    let line = std::iter::once(OsString::from("binlogsh")).chain(words);
    Alone::try_parse_from(line).map(|alone| alone.global).map_err(|error| instead(&error))
}
