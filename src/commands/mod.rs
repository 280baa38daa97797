//! What the program does: a file per subcommand, and `compose`, which puts the parts together for them.
#![expect(clippy::disallowed_methods, reason = "`commands` reads scripts and scenarios, from files and standard input")]

mod check;
mod clusters;
mod completion;
mod compose;
pub mod ctl;
mod docs;
mod doctor;
mod evaluate;
mod given;
mod prompt;
mod rehearse;
mod run;
mod runs;
mod scripts;
mod test;
mod topics;
mod watch;
mod whereabouts;

use whereabouts::yes_names_a_profile;

use crate::cli::{self, Cli, Command};
use crate::config::{self, Variables};
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::files::{self, ReadFault};
use crate::interrupt::Interrupt;
use crate::language::Ending;
use crate::live::signals;
use crate::output::{Format, Output, Settings as Look, TerminalState, give_screen_back};
use crate::session::Session;
use crate::text::{ShownPath, decode};
use compose::CommandContext;
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;
use std::rc::Rc;

/// Runs the program with these arguments, its own name first. Returns the exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(code) = completion::asked(&args) {
        return code;
    }
    let is_for_programs = cli::wants_json(&args);
    let mut cli = match cli::parse(args) {
        Ok(cli) => cli,
        Err(instead) => return say(&instead, is_for_programs),
    };
    let asked = match &mut cli.command {
        Some(Command::Ctl { flags }) => Some(ctl::Asked::read(std::mem::take(flags), &mut cli.global)),
        _ => None,
    };
    let look =
        Look { color: cli.global.color.unwrap_or_default().into(), verbose: cli.global.verbose, ..Look::default() };
    let interrupt = Interrupt::default();
    let output = Output::new(look, interrupt.clone());
    let failed = match &cli.command {
        Some(Command::Doctor(_)) => doctor::failed,
        None
        | Some(
            Command::Run(_)
            | Command::Rehearse(_)
            | Command::Test(_)
            | Command::Clusters
            | Command::Watch(_)
            | Command::Check(_)
            | Command::Runs { .. }
            | Command::Ctl { .. }
            | Command::Scripts { .. }
            | Command::Docs(_),
        ) => Error::exit_code,
    };
    let code = match go(cli, asked, &output, interrupt) {
        Ok(code) => code,
        Err(error) => {
            let code = failed(&error.error);
            output.error_with(&error, code);
            code
        }
    };
    match output.finish() {
        Ok(()) => code,
        Err(error) => {
            let code = failed(&error);
            output.error_with(&error.into(), code);
            code
        }
    }
}

/// Prints a help, the version, or what is wrong with the command line.
fn say(instead: &cli::Instead, is_for_programs: bool) -> u8 {
    let look = Look { format: if is_for_programs { Format::Json } else { Format::Table }, ..Look::default() };
    // No signal is listened to yet: each ends the process.
    let output = Output::new(look, Interrupt::default());
    match instead.was_asked_for() {
        true => output.line(&instead.text),
        false if is_for_programs => {
            output.error_with(&Error::invalid(instead.text.clone()).into(), instead.exit_code);
        }
        false => output.remark(&instead.text),
    }
    instead.exit_code
}

fn go(cli: Cli, ctl: Option<ctl::Asked>, output: &Output, interrupt: Interrupt) -> Result<u8, ScriptError> {
    let terminal = TerminalState::now();
    signals::install(interrupt.clone(), move || {
        give_screen_back();
        if let Some(terminal) = &terminal {
            terminal.restore();
        }
    })?;
    if let Some(asked) = ctl {
        return Ok(ctl::main(asked, cli.global, output, interrupt));
    }
    let variables = Variables::of_this_process()?;
    variables.means_nothing_to(
        "commands other than ctl",
        config::FORCE,
        "in code a guard is forced where it refuses: `#{ force: [\"GUARD\"] }` behind the arguments",
    )?;
    let settings = config::load(&cli.global.overrides(), &|name| variables.get(name))?;
    output.set_format(settings.output);
    output.set_timestamps(settings.timestamps);
    yes_names_a_profile(cli.global.yes.as_ref(), &settings)?;
    let context = CommandContext::new(cli.global, settings, output.clone(), interrupt);
    let (options, is_default) = (context.global.cluster_options(), is_default_cluster(&context));
    obey(cli.command, cli.codes.eval, context).map_err(|error| typed_on(no_cluster(error, is_default), &options))
}

/// Whether nobody has named a cluster, so that it is the one at binlogctl's default address.
fn is_default_cluster(context: &CommandContext) -> bool {
    context.settings.is_default && context.global.sandbox.is_none()
}

/// Whoever named no cluster, and finds nobody at the default address, most likely has none there.
fn no_cluster(mut error: ScriptError, is_default: bool) -> ScriptError {
    if is_default && matches!(error.error.kind, ErrorKind::Unreachable | ErrorKind::Timeout) {
        error.error.hint = Some(
            "no cluster was named: `--cluster NAME` as tiup calls it (`binlogsh clusters`), `--pd-urls http://PD:2379`, or a profile in \
             config.toml (`binlogsh --help`); `--sandbox` opens a simulated one"
                .into(),
        );
    }
    error
}

fn obey(command: Option<Command>, eval: Vec<String>, context: CommandContext) -> Result<u8, ScriptError> {
    match command {
        Some(Command::Run(run)) => run::main(&context, run),
        Some(Command::Rehearse(rehearse)) => rehearse::main(&context, &rehearse),
        Some(Command::Doctor(doctor)) => doctor::main(context, &doctor),
        Some(Command::Watch(args)) => match watch::main(&context, &args)? {
            None => Ok(0),
            Some(call) => prompt::main(context, call),
        },
        Some(Command::Check(check)) => Ok(check::main(&context, &check)?),
        Some(Command::Runs { state, limit, command: None }) => Ok(runs::list(&context, state.as_deref(), limit)?),
        Some(Command::Runs { command: Some(command), .. }) => runs::main(&context, command),
        Some(Command::Clusters) => Ok(clusters::main(&context)?),
        Some(Command::Test(test)) => Ok(test::main(&context, &test)?),
        Some(Command::Docs(docs)) => Ok(docs::main(&context, &docs)?),
        Some(Command::Scripts { command }) => Ok(scripts::main(&context, command.as_ref())?),
        Some(Command::Ctl { .. }) => Err(Error::internal("ctl was handled before").into()),
        None if !eval.is_empty() => evaluate::lines(&context, &eval),
        None if std::io::stdin().is_terminal() => prompt::main(context, String::new()),
        None => evaluate::standard_input(&context),
    }
}

/// The error, whose hint types the options that name the cluster; whoever found it knows none of them.
fn typed_on(error: ScriptError, options: &str) -> ScriptError {
    ScriptError { error: error.error.on_cluster(options), ..error }
}

/// The error that ended what `session` did. Where the state of the cluster brought it about and somebody else holds the
/// maintenance lock, it names them: what looks wrong may be their work half done.
fn while_others_work(session: &Rc<RefCell<Session>>, mut error: ScriptError) -> ScriptError {
    let by_the_cluster = match error.error.kind {
        ErrorKind::Failed
        | ErrorKind::NotFound
        | ErrorKind::Rejected
        | ErrorKind::Refused
        | ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::Conflict
        | ErrorKind::LockLost
        | ErrorKind::HoldLost
        | ErrorKind::InDoubt => true,
        ErrorKind::Invalid
        | ErrorKind::Locked
        | ErrorKind::Diverged
        | ErrorKind::Local
        | ErrorKind::Harm
        | ErrorKind::NoEnd
        | ErrorKind::Internal
        | ErrorKind::Interrupted => false,
    };
    if by_the_cluster && let Some(other) = session.borrow_mut().somebody_else() {
        let Error { message, hint, .. } = &mut error.error;
        message.push_str(&format!("\n  somebody else works on this cluster: the maintenance lock is held by {other}"));
        let then = hint.take().map_or(String::new(), |hint| format!("; otherwise: {hint}"));
        *hint = Some(format!("this may be their work half done: ask them before you change anything{then}"));
    }
    error
}

/// What an ending means for the process: a value is shown, an `exit(n)` is its code.
fn conclude(output: &Output, ending: Ending) -> u8 {
    match ending {
        Ending::Value(value) => {
            output.value(&value);
            0
        }
        Ending::Exit(code) => code,
    }
}

/// The largest file that is read.
const LARGEST: u64 = 128 << 20;

/// The text of a file.
fn read_text(path: &Path) -> Result<String> {
    text_of(path, files::read(path, LARGEST))
}

/// The text of a file that the operator names and that is read once: their shell's `<(program)` is one, too.
fn read_given(path: &Path, interrupt: &Interrupt) -> Result<String> {
    text_of(path, files::read_given(path, LARGEST, interrupt))
}

fn text_of(path: &Path, read: Result<Vec<u8>, ReadFault>) -> Result<String> {
    let bytes = read.map_err(|fault| fault.error(format!("cannot read {}", path.shown())))?;
    decode(&path.display().to_string(), bytes)
}

/// All of standard input; the wait for it ends when `interrupt` is raised.
fn read_standard_input(interrupt: &Interrupt) -> Result<String> {
    let read = files::read_stream(std::io::stdin(), LARGEST, interrupt);
    decode("standard input", read.map_err(|fault| fault.error("cannot read standard input"))?)
}
