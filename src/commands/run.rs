//! `run SCRIPT`: a saved script, or one on standard input.

use crate::cli::Run;
use crate::commands::compose::{CommandContext, Work, announce, may_control_nodes, may_exec, planned_session, session};
use crate::commands::evaluate::language_settings;
use crate::commands::given::{Given, asked, given};
use crate::commands::runs::{Keeping, Resumption, RunStart, offer, resume};
use crate::commands::{read_given, read_standard_input, read_text, scripts, while_others_work};
use crate::error::{Error, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::journal::Memory;
use crate::journal::store::RunKind;
use crate::language::{Ending, Interpreter, ParamDoc, ParamType, ScriptDoc, ScriptSettings, Source};
use crate::output::to_json;
use crate::rehearsal::{Plan, ScriptMark, Stage};
use crate::session::Session;
use crate::value::Value;
use crate::world::{Effect, Gate, read};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// Runs the script, or tells what it is for.
pub(super) fn main(context: &CommandContext, run: Run) -> Result<u8, ScriptError> {
    let Some(script) = run.script.clone() else {
        return Err(Error::internal("a run without a script").into());
    };
    let context = &context.keeping_back(&run.sources);
    let source = read(&script, &context.interrupt)?;
    if run.help {
        let settings = language_settings()?;
        let interpreter =
            Interpreter::new(session(context, Work::lines(None), Box::new(Memory::of_changes()))?, settings);
        show_help(context, "run", &script, &interpreter.describe(&source)?);
        return Ok(0);
    }
    // Of a plan nothing is left in a run that goes on, and lines on standard input are no script that was stopped.
    if run.plan.is_none()
        && script != Path::new("-")
        && let Some(id) = offer(context, &source.name, &run)?
    {
        return resume(context, &Resumption { id, assumed: None, script: None, sources: run.sources });
    }
    let ask = |secret: &ParamDoc| asked(context, &secret.name, secret.about.as_deref().unwrap_or_default());
    let Given { parameters, secrets } = given(context, &source, (&run.params, &run.sources), ask)?;
    let settings = ScriptSettings { parameters, secrets, ..language_settings()? };
    let ending = match run.plan {
        Some(file) => follow(context, &file, &source, settings)?,
        None => {
            let run = begin(context, &source, &settings)?;
            let session = session(context, Work::script(&source.name, run.id()), run.journal())?;
            announce(context);
            play(context, &run, &session, &source, settings)?
        }
    };
    Ok(ended(context, &ending))
}

/// What a script returns is for programs; to people it shows what it wants to be seen.
pub(super) fn ended(context: &CommandContext, ending: &Ending) -> u8 {
    let (value, code) = match ending {
        Ending::Value(value) => (value, 0),
        Ending::Exit(code) => (&Value::Unit, *code),
    };
    if context.output.format().is_for_programs() {
        context.output.last_value(value);
    }
    code
}

/// The parameters that a script declares; none if it does not compile.
pub(super) fn params_of(source: &Source) -> Vec<ParamDoc> {
    let parsed = crate::language::tree::Parser::default().parse(source).ok();
    let doc = parsed.and_then(|parsed| parsed.doc.ok());
    doc.into_iter().flat_map(|doc| doc.params).collect()
}

fn begin(context: &CommandContext, source: &Source, settings: &ScriptSettings) -> Result<Keeping> {
    let (script, text, parameters, secrets) = (&source.name, &source.text, &settings.parameters, &settings.secrets);
    Keeping::begin(context, &RunStart { kind: RunKind::Script, script, text, parameters, secrets })
}

/// Runs the script with its modules as they are now, and keeps how it ended.
fn play(
    context: &CommandContext,
    run: &Keeping,
    session: &Rc<RefCell<Session>>,
    source: &Source,
    settings: ScriptSettings,
) -> Result<Ending, ScriptError> {
    let mut interpreter = Interpreter::new(session.clone(), settings.clone());
    let prepared = interpreter.prepare(source)?;
    let modules = interpreter.pin(&prepared)?;
    run.set_modules(&source.text, &modules);
    let mut interpreter = Interpreter::new(session.clone(), ScriptSettings { pinned: Some(modules), ..settings });
    let ended = interpreter.run(source).map_err(|error| while_others_work(session, error));
    session.borrow_mut().give_lock_back();
    run.end(context, ended.as_ref());
    ended
}

/// Runs the script if all that the plan in `file` relied on is unchanged, and lets it do nothing but what is planned.
fn follow(
    context: &CommandContext,
    file: &Path,
    source: &Source,
    settings: ScriptSettings,
) -> Result<Ending, ScriptError> {
    let plan = Plan::read(file)?;
    let parameters = Stage::describe(source)?.parameters(&settings.parameters);
    plan.check_script(&ScriptMark::new(&source.name, &source.text, &parameters))?;
    if plan.runs_programs() && !may_exec(context) {
        return Err(Error::refused("not begun: the plan runs programs, and there is no --allow-exec")
            .hint("see what it runs with `binlogsh rehearse --show FILE`, then add --allow-exec")
            .into());
    }
    if plan.controls_nodes() && !may_control_nodes(context) {
        return Err(Error::refused("not begun: the plan starts and stops nodes, and there is no --allow-node-control")
            .hint("see what it does with `binlogsh rehearse --show FILE`, then add --allow-node-control")
            .into());
    }
    let run = begin(context, source, &settings)?;
    let work = Work::script(&source.name, run.id());
    let (session, progress) = planned_session(context, work, run.journal(), plan.effects.clone())?;
    announce(context);
    if plan.effects.iter().any(|effect| effect.what.effect() == Effect::ChangesCluster) {
        session.borrow_mut().lock_ahead();
    }
    let (cluster, listing) = {
        let gate: &mut dyn Gate = &mut *session.borrow_mut();
        (gate.ask(read::Cluster)?.id, gate.listing()?)
    };
    plan.check(&listing, cluster)?;
    let ended = play(context, &run, &session, source, settings);
    if let Some(next) = plan.effects.get(progress.done()) {
        context.output.warning(&match progress.left() {
            1 => format!("the plan has 1 more effect, which was not done: {}", next.what),
            left => format!("the plan has {left} more effects, which were not done; the next: {}", next.what),
        });
    }
    ended
}

/// The script that the operator names: a file, `-` for standard input, or one that comes with the program.
///
/// # Errors
/// Those of reading it, and `interrupted` where nothing comes.
pub(super) fn read(script: &Path, interrupt: &Interrupt) -> Result<Source> {
    match script == Path::new("-") {
        true => Ok(Source::new("<stdin>", read_standard_input(interrupt)?)),
        false => named(script, |path| read_given(path, interrupt)),
    }
}

/// The script `script`, of which only something is to be known: a pipe in its place is left to whoever runs it.
///
/// # Errors
/// Those of reading it.
pub(super) fn look_at(script: &Path) -> Result<Source> {
    named(script, read_text)
}

fn named(script: &Path, read: impl Fn(&Path) -> Result<String>) -> Result<Source> {
    if let Some(shipped) = scripts::named(script)? {
        return Ok(shipped);
    }
    let text = read(script)?;
    let root = script.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Source { root: Some(root.to_owned()), ..Source::new(script.display().to_string(), text) })
}

/// Shows the script's own `--help`.
pub(super) fn show_help(context: &CommandContext, command: &str, script: &Path, doc: &ScriptDoc) {
    if !context.output.format().is_for_programs() {
        return context.output.line(&help(command, script, doc));
    }
    let param = |param: &ParamDoc| {
        serde_json::json!({
            "name": param.name,
            "about": param.about,
            "type": <&str>::from(param.kind),
            "default": param.default.as_ref().map(to_json),
            "required": param.default.is_none(),
            "choices": param.choices.iter().map(to_json).collect::<Vec<_>>(),
        })
    };
    let params: Vec<_> = doc.params.iter().map(param).collect();
    let script = script.display().to_string();
    context.output.document(&serde_json::json!({ "script": script, "about": doc.about.trim(), "parameters": params }));
}

fn help(command: &str, script: &Path, doc: &ScriptDoc) -> String {
    let mut text = format!("{}\n\nUsage: binlogsh {command} {}", doc.about.trim(), script.display());
    for param in &doc.params {
        text.push_str(&match &param.default {
            Some(_) => format!(" [--param {}=...]", param.name),
            None if param.is_secret() => format!(" [--param-file {}=FILE]", param.name),
            None => format!(" --param {}=...", param.name),
        });
    }
    text.push('\n');
    let width = doc.params.iter().map(|param| param.name.len()).max().unwrap_or(0);
    if width > 0 {
        text.push_str("\nParameters:\n");
    }
    for param in &doc.params {
        let about = param.about.as_deref().unwrap_or_default();
        text.push_str(&format!("  {:width$}  {about}", param.name));
        if param.kind == ParamType::Duration {
            text.push_str(" [a duration]");
        }
        if param.is_secret() {
            text.push_str(" [a secret: from --param-file or --param-env, or asked for]");
        }
        if let Some(default) = &param.default {
            text.push_str(&format!(" [default: {}]", to_json(default)));
        }
        if !param.choices.is_empty() {
            let choices: Vec<String> = param.choices.iter().map(|choice| to_json(choice).to_string()).collect();
            text.push_str(&format!(" [one of: {}]", choices.join(", ")));
        }
        text.push('\n');
    }
    text
}
