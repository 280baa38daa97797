//! Completion of our command line in bash, zsh and fish, by clap's engine over the one definition of it.
//!
//! A shell that completes starts the program with [`VARIABLE`] set. Whatever happens then, the terminal is somebody's who is
//! typing: nothing is written but candidates, nothing is changed or asked, no file is made, and what cannot be found out within
//! [`PATIENCE`](line::PATIENCE) is left out.

mod line;
mod names;
mod shells;

use crate::cli::{self, BINLOGCTL, Cli};
use crate::commands::ctl;
use clap::CommandFactory;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use line::TypedLine;
use shells::{Adapter, Dialect};
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a shell that wants candidates sets to its name. With a name of ours before it no other program's can be meant, and what
/// begins with `BINLOGSH_` is an option.
const VARIABLE: &str = "_BINLOGSH_COMPLETE";

/// Completes, if a shell asks for that. Returns the exit code.
pub(super) fn asked(args: &[OsString]) -> Option<u8> {
    let name = std::env::var_os(VARIABLE).filter(|name| !name.is_empty())?;
    let complete = |dialect| {
        let words = args.iter().skip_while(|arg| *arg != "--").skip(1);
        let typed = Arc::new(TypedLine::read(dialect, words.map(|word| word.to_string_lossy().into_owned()).collect()));
        let adapter = Adapter { dialect, typed: &typed };
        let here = std::env::current_dir().ok();
        CompleteEnv::with_factory(|| definition(&typed))
            .var(VARIABLE)
            .shells(Shells(&[&adapter]))
            .try_complete(args.iter().cloned(), here.as_deref())
            .unwrap_or(false)
    };
    Some(u8::from(!Dialect::named(&name).is_some_and(complete)))
}

/// What a shell reads once so that it completes with us.
pub(super) fn registration(shell: clap_complete::Shell) -> String {
    match Dialect::of(shell) {
        Some(dialect) => dialect.registration(&completer(), &names()),
        None => cli::completions(shell),
    }
}

/// The program that is asked: as it was called, for whoever installs another version meanwhile.
fn completer() -> String {
    let called = PathBuf::from(std::env::args_os().next().unwrap_or_else(|| "binlogsh".into()));
    let is_path = called.components().count() > 1;
    let whole = if is_path { std::path::absolute(&called).unwrap_or(called) } else { called };
    whole.to_string_lossy().into_owned()
}

/// The names under which we are called: `binlogctl` only where that is this program, and not the original.
fn names() -> Vec<&'static str> {
    let file = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    let ours = std::env::current_exe().ok().and_then(|path| file(&path));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let other = std::env::split_paths(&path).find_map(|dir| file(&dir.join(BINLOGCTL)));
    let is_ours = other.is_some() && other == ours;
    std::iter::once("binlogsh").chain(is_ours.then_some(BINLOGCTL)).collect()
}

/// Finds what can stand in a place.
type Find = fn(&TypedLine, &str) -> Vec<CompletionCandidate>;

/// Whose values have names: the way to the command, the argument, and who knows them.
const PLACES: &[(&[&str], &str, Find)] = &[
    (&[], "cluster", names::clusters),
    (&[], "profile", names::profiles),
    (&[], "yes", names::profiles),
    (&[], "sandbox", names::samples),
    (&["run"], "script", names::scripts),
    (&["run"], "params", names::params),
    (&["run"], "files", names::param_files),
    (&["run"], "env", names::param_variables),
    (&["rehearse"], "script", names::scripts),
    (&["rehearse"], "params", names::params),
    (&["rehearse"], "files", names::param_files),
    (&["rehearse"], "env", names::param_variables),
    (&["rehearse"], "faults", names::faults),
    (&["rehearse"], "story", names::stories),
    (&["test"], "paths", names::script_files),
    (&["doctor"], "checks", names::script_files),
    (&["check"], "files", names::script_files),
    (&["check"], "explain", names::rules),
    (&["runs", "show"], "id", names::runs),
    (&["runs", "export"], "id", names::runs),
    (&["runs", "resume"], "id", names::stopped_runs),
    (&["runs", "resume"], "script", names::script_files),
    (&["runs", "resume"], "files", names::param_files),
    (&["runs", "resume"], "env", names::param_variables),
    (&["runs", "abandon"], "id", names::unended_runs),
    (&["scripts", "show"], "name", names::shipped_scripts),
    (&["scripts", "copy"], "name", names::shipped_scripts),
    (&["docs"], "name", names::topics),
];

/// The same for `ctl`.
const PLACES_OF_CTL: &[(&str, Find)] = &[
    ("cluster", names::clusters),
    ("profile", names::profiles),
    ("yes", names::profiles),
    ("sandbox", names::samples),
    ("cmd", names::ctl_commands),
    ("node-id", names::nodes_of_command),
    ("state", names::states),
    ("time-zone", names::zones),
];

/// The definition of the command line, with those who know names.
fn definition(typed: &Arc<TypedLine>) -> clap::Command {
    match typed.is_ctl() {
        true => with(ctl::definition(), &[], &|_, arg| {
            PLACES_OF_CTL.iter().find(|(id, _)| *id == arg).map(|(_, find)| by(typed, *find))
        }),
        false => with(Cli::command(), &[], &|path, arg| {
            PLACES.iter().find(|(way, id, _)| (*way, *id) == (path, arg)).map(|(.., find)| by(typed, *find))
        }),
    }
}

/// `command`, which is found at `path`, with `completers` for arguments. Their order is kept, since it is that of the line.
fn with(
    command: clap::Command,
    path: &[&str],
    completers: &dyn Fn(&[&str], &str) -> Option<ArgValueCompleter>,
) -> clap::Command {
    let command = command.mut_args(|arg| match completers(path, arg.get_id().as_str()) {
        Some(completer) => arg.add(completer),
        None => arg,
    });
    command.mut_subcommands(|inner| {
        let name = inner.get_name().to_owned();
        with(inner, &[path, &[name.as_str()]].concat(), completers)
    })
}

fn by(typed: &Arc<TypedLine>, find: Find) -> ArgValueCompleter {
    let typed = Arc::clone(typed);
    ArgValueCompleter::new(move |word: &OsStr| {
        let Some(word) = word.to_str() else { return Vec::new() };
        let mut found = find(&typed, word);
        found.retain(|candidate| candidate.get_value().as_encoded_bytes().starts_with(word.as_bytes()));
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(command: &clap::Command, path: &[&str], id: &str) -> bool {
        match path {
            [] => command.get_arguments().any(|arg| arg.get_id() == id),
            [first, rest @ ..] => command.find_subcommand(first).is_some_and(|inner| has(inner, rest, id)),
        }
    }

    #[test]
    fn every_place_is_one_of_the_command_line() {
        for (path, id, _) in PLACES {
            assert!(has(&Cli::command(), path, id), "{path:?} {id}");
        }
        for (id, _) in PLACES_OF_CTL {
            assert!(has(&ctl::definition(), &[], id), "{id}");
        }
        ctl::definition().debug_assert();
    }

    #[test]
    fn a_path_to_the_program_is_quoted_for_the_shell_that_reads_it() {
        let of = |dialect: Dialect, path: &str| dialect.registration(path, &["binlogsh"]);
        for (dialect, quoted) in [(Dialect::Bash, r"'/a b/it'\''s$x' -- "), (Dialect::Fish, r"'/a b/it\'s$x' -- ")] {
            assert!(of(dialect, "/a b/it's$x").contains(quoted), "{}", of(dialect, "/a b/it's$x"));
        }
        assert!(of(Dialect::Zsh, "binlogsh").contains("=zsh binlogsh -- "));
    }
}
