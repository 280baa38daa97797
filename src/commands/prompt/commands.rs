//! The dot commands that reach beyond the prompt: files, scripts, rehearsals, profiles, the format of results.

use super::save;
use crate::cli::{self, Command, Global, WatchArgs};
use crate::commands::compose::{CommandContext, live_settings};
use crate::commands::{read_text, rehearse, run, typed_on, watch};
use crate::config::{self, ProfileCluster, Variables};
use crate::error::{Error, Result, ScriptError};
use crate::files::{self, FileMode, IfThere};
use crate::language::shipped;
use crate::nearest::did_you_mean;
use crate::output::Format;
use crate::shell::{Completes, DotCommand, Next};
use crate::text::{ShownPath, shell_word};
use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::PoisonError;

/// All of them; `switch` takes with what the prompt goes on.
pub(super) fn all(context: &Rc<CommandContext>, switch: &Rc<RefCell<Option<CommandContext>>>) -> Vec<DotCommand> {
    vec![
        output(context),
        load(),
        save_entries(context),
        run_script(context),
        rehearse_script(context),
        watch_cluster(context),
        profile(context, switch),
    ]
}

fn words(all: Vec<String>) -> Completes {
    Box::new(move |_| all.clone())
}

/// `.output FORMAT`.
fn output(context: &Rc<CommandContext>) -> DotCommand {
    let output = context.output.clone();
    DotCommand {
        name: ".output",
        takes: "[table|json|jsonl|csv|vertical]",
        about: "how results are written",
        completes: words(Format::ALL.iter().map(|format| format.name().to_owned()).collect()),
        run: Box::new(move |format, _| {
            match format {
                "" => output.remark(output.format().name()),
                name => output.set_format(Format::from_name(name)?),
            }
            Ok(Next::Prompt)
        }),
    }
}

/// `.load FILE`.
fn load() -> DotCommand {
    DotCommand {
        name: ".load",
        takes: "FILE",
        about: "evaluates a file as if it had been typed: its variables and functions stay",
        completes: Box::new(files),
        run: Box::new(|file, _| match file {
            "" => Err(Error::invalid(".load takes a file").hint("scripts and files are completed with Tab")),
            file => {
                let name = one_word(file)?;
                read_text(&path(&name)).map(|code| Next::Enter { name, code })
            }
        }),
    }
}

/// `.save FILE [FROM-TO]`.
fn save_entries(context: &Rc<CommandContext>) -> DotCommand {
    let context = Rc::clone(context);
    DotCommand {
        name: ".save",
        takes: "FILE [FROM-TO]",
        about: "writes entries of this prompt as a script: parameters for nodes, steps around what acts",
        completes: Box::new(files),
        run: Box::new(move |rest, entries| {
            let words = shlex::split(rest).ok_or_else(not_closed)?;
            let [file, which @ ..] = words.as_slice() else {
                return Err(Error::invalid(".save takes a file")
                    .hint("such as `.save pause.rhai 3-7`; .history has the numbers"));
            };
            let seen = context.seen.as_ref().map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
            let nodes: Vec<String> = seen.iter().flat_map(|seen| &seen.nodes).map(|(_, id)| id.clone()).collect();
            let chosen = save::chosen(&entries.newest, entries.forgotten, &which.join(" "))?;
            let text = save::script(&chosen, &nodes)?;
            write_new(&path(file), &text)?;
            if which.is_empty() && entries.forgotten > 0 {
                let last = entries.forgotten;
                context.output.remark(&format!("the entries up to {last} are not kept any more, and not saved"));
            }
            if let [first, ..] = chosen.left_out()[..] {
                let numbers: Vec<String> = chosen.left_out().iter().map(usize::to_string).collect();
                context.output.remark(&format!(
                    "what failed is left out: {}; `.save OTHER-FILE {first}` keeps that one all the same",
                    numbers.join(", ")
                ));
            }
            context.output.remark(&match save::doubts(file, &text) {
                None => format!("{file} is written; next is `.rehearse {}`", shell_word(file)),
                Some(doubts) => format!("{file} is written, and has to be edited, since check says of {doubts}"),
            });
            Ok(Next::Prompt)
        }),
    }
}

fn not_closed() -> Error {
    Error::invalid("a quote in this line is not closed")
}

/// A file's name, with or without quotes around it.
fn one_word(text: &str) -> Result<String> {
    match text.starts_with(['"', '\'']) {
        true => Ok(shlex::split(text).ok_or_else(not_closed)?.join(" ")),
        false => Ok(text.to_owned()),
    }
}

/// The file that is meant; `~/` is the home directory.
fn path(word: &str) -> PathBuf {
    let home = word.strip_prefix("~/").zip(std::env::var_os("HOME"));
    home.map_or_else(|| PathBuf::from(word), |(rest, home)| Path::new(&home).join(rest))
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<()> {
    files::write(path, text.as_bytes(), FileMode::Fresh(0o644), IfThere::Refuse).map_err(|fault| {
        match fault.is_there_already() {
            true => Error::local(format!("{} is there already, and stays as it is", path.display()))
                .hint("name another file, or delete that one first"),
            false => fault.error(format!("cannot write {}", path.shown())),
        }
    })
}

/// `.run SCRIPT [NAME=VALUE...]`.
fn run_script(context: &Rc<CommandContext>) -> DotCommand {
    let context = Rc::clone(context);
    DotCommand {
        name: ".run",
        takes: "SCRIPT [NAME=VALUE...]",
        about: "what `binlogsh run` is: a run of its own, which can be resumed",
        completes: Box::new(scripts),
        run: Box::new(move |rest, _| carry_out(&context, "run", rest)),
    }
}

/// `.watch [CODE]`.
fn watch_cluster(context: &Rc<CommandContext>) -> DotCommand {
    let context = Rc::clone(context);
    DotCommand {
        name: ".watch",
        takes: "[CODE]",
        about: "the cluster on the whole screen, live; or CODE evaluated again and again",
        completes: words(Vec::new()),
        run: Box::new(move |code, _| match code {
            "" => Ok(watch::on_screen(&context)?.map_or(Next::Prompt, Next::Type)),
            code => {
                let ended = watch::expression(&context, code, &WatchArgs::default());
                ended.map(|()| Next::Prompt).map_err(|error| error.error)
            }
        }),
    }
}

/// `.rehearse SCRIPT [...]`.
fn rehearse_script(context: &Rc<CommandContext>) -> DotCommand {
    let context = Rc::clone(context);
    DotCommand {
        name: ".rehearse",
        takes: "SCRIPT [NAME=VALUE...]",
        about: "what `binlogsh rehearse` is: the script on a simulated copy of this cluster",
        completes: Box::new(scripts),
        run: Box::new(move |rest, _| carry_out(&context, "rehearse", rest)),
    }
}

/// A command line about the same cluster, carried out here. Its interrupt ends it, and not the prompt.
fn carry_out(context: &CommandContext, command: &str, rest: &str) -> Result<Next> {
    let typed = shlex::split(rest).ok_or_else(not_closed)?;
    let typed: Vec<String> = typed.iter().map(|word| path(word).to_string_lossy().into_owned()).collect();
    if let Some(seen) = &context.seen {
        let values = secrets(&typed);
        // The line itself is none to keep, whatever quotes and escapes make of the value.
        let line = (!values.is_empty()).then(|| rest.to_owned());
        seen.lock().unwrap_or_else(PoisonError::into_inner).secrets.extend(values.into_iter().chain(line));
    }
    let first = ["binlogsh", command].map(String::from).into_iter();
    let parsed = cli::parse(first.chain(typed.into_iter().flat_map(param)).map(OsString::from));
    context.interrupt.clear();
    let ended: Result<u8, ScriptError> = match parsed {
        Err(instead) => {
            if instead.was_asked_for() {
                context.output.page(&instead.text);
                return Ok(Next::Prompt);
            }
            context.output.remark(&instead.text);
            return Ok(Next::Failed);
        }
        // Which cluster it is, what may be changed and how results look is settled for all that this prompt does.
        Ok(cli) if cli.global != Global::default() => {
            return Err(Error::invalid(format!(".{command} takes no options that hold for a whole prompt")).hint(
                format!(
                    "leave, and begin the prompt with them; or leave, and type `{}` with them",
                    context.typed(&format!("{command} SCRIPT"))
                ),
            ));
        }
        Ok(cli) => match cli.command {
            Some(Command::Run(args)) => run::main(context, args),
            Some(Command::Rehearse(args)) => rehearse::main(context, &args),
            other => Err(Error::internal(format!("`{command}` was read as {other:?}")).into()),
        },
    };
    context.interrupt.clear();
    let next = match ended {
        Ok(0) => Next::Prompt,
        Ok(code) => {
            context.output.remark(&format!("it ended with exit code {code}"));
            Next::Failed
        }
        Err(error) => {
            context.output.error(&typed_on(error, &context.global.cluster_options()));
            Next::Failed
        }
    };
    // What it leaves behind, and how to go on with it.
    context.output.say_last_words();
    Ok(next)
}

/// The values of secret parameters that stand in a line although they must not. Which of its words is the script, nobody
/// can tell when the line is refused.
fn secrets(words: &[String]) -> Vec<String> {
    let sources = words.iter().filter_map(|word| run::look_at(Path::new(word)).ok());
    let params = sources.flat_map(|source| run::params_of(&source));
    let secret: Vec<String> = params.filter(|param| param.is_secret()).map(|param| param.name).collect();
    let value = |word: &String| {
        let word = word.strip_prefix("--param=").or_else(|| word.strip_prefix("-p")).unwrap_or(word);
        let (name, value) = word.split_once('=')?;
        secret.iter().any(|known| known == name).then(|| value.to_owned())
    };
    words.iter().filter_map(value).collect()
}

/// `name=value` is a parameter.
fn param(word: String) -> Vec<String> {
    let is_param = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    });
    if is_param { vec!["--param".into(), word] } else { vec![word] }
}

/// `.profile [NAME]`.
fn profile(context: &Rc<CommandContext>, switch: &Rc<RefCell<Option<CommandContext>>>) -> DotCommand {
    let (context, switch) = (Rc::clone(context), Rc::clone(switch));
    let names: Vec<String> = context.settings.clusters.iter().map(|cluster| cluster.profile.clone()).collect();
    DotCommand {
        name: ".profile",
        takes: "[NAME]",
        about: "where this prompt is and which profiles there are; with a name a prompt anew on that profile's cluster",
        completes: words(names.clone()),
        run: Box::new(move |name, _| {
            if name.is_empty() {
                context.output.line(&profiles(&context));
                return Ok(Next::Prompt);
            }
            if !names.iter().any(|known| known == name) {
                let hint = did_you_mean(name, names.iter().map(String::as_str));
                let all = || format!("the profiles are {}", names.join(", "));
                return Err(Error::not_found(format!("no profile `{name}`")).hint(hint.unwrap_or_else(all)));
            }
            // Before this prompt is left: what is wrong there costs nobody their variables.
            *switch.borrow_mut() = Some(on_profile(&context, name)?);
            Ok(Next::Leave(0))
        }),
    }
}

/// What a prompt on the profile `name` begins with.
fn on_profile(context: &CommandContext, name: &str) -> Result<CommandContext> {
    let variables = Variables::of_this_process()?;
    variables.leave_the_cluster_to(name)?;
    let global = context.global.clone().on_profile(name.to_owned());
    let settings = config::load(&global.overrides(), &|name| variables.get(name))?;
    live_settings(&settings)?;
    Ok(CommandContext::new(global, settings, context.output.clone(), context.interrupt.clone()))
}

fn profiles(context: &CommandContext) -> String {
    let settings = &context.settings;
    let here = match &context.global.sandbox {
        Some(name) => format!("the simulated cluster `{name}`"),
        None => format!("the cluster of PD at {}", settings.pd_urls.join(", ")),
    };
    let place = |cluster: &ProfileCluster| {
        let tiups = cluster.cluster.as_ref().map(|name| format!("`{name}` of tiup"));
        let urls = if cluster.unread { "which cannot be read".to_owned() } else { cluster.pd_urls.join(", ") };
        tiups.into_iter().chain([urls]).collect::<Vec<_>>().join(", ")
    };
    let profiles = settings.clusters.iter().map(|cluster| {
        let is_here = context.global.sandbox.is_none()
            && settings.is_of_profile
            && settings.profile.as_deref() == Some(&cluster.profile);
        let (mark, production) =
            (if is_here { '*' } else { ' ' }, if cluster.production { "  production" } else { "" });
        format!("\n{mark} {}  {}{production}", cluster.profile, place(cluster))
    });
    format!("{here}{}", profiles.collect::<String>())
}

/// The files and directories that begin as the last word of `rest` does.
fn files(rest: &str) -> Vec<String> {
    let word = rest.split_whitespace().next_back().filter(|_| !rest.ends_with(char::is_whitespace)).unwrap_or_default();
    let (dir, _) = word.rsplit_once('/').map_or(("", word), |(dir, name)| (&word[..=dir.len()], name));
    let Ok(entries) = std::fs::read_dir(if dir.is_empty() { PathBuf::from(".") } else { path(dir) }) else {
        return Vec::new();
    };
    let name = |entry: std::fs::DirEntry| {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        Some(format!("{dir}{name}{}", if is_dir { "/" } else { "" }))
    };
    entries.flatten().filter_map(name).collect()
}

/// The first word is a script, one that comes with the program or a file; the others are its parameters.
fn scripts(rest: &str) -> Vec<String> {
    let mut words = rest.split_whitespace();
    let first = words.next().unwrap_or_default();
    if words.next().is_none() && (first.is_empty() || !rest.ends_with(char::is_whitespace)) {
        let ours = shipped().map(|script| script.name.to_owned());
        return ours
            .chain(files(rest).into_iter().filter(|file| file.ends_with(".rhai") || file.ends_with('/')))
            .collect();
    }
    let Ok(source) = run::look_at(Path::new(first)) else { return Vec::new() };
    run::params_of(&source).into_iter().map(|param| format!("{}=", param.name)).collect()
}
