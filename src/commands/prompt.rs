//! The prompt: an interpreter behind the shell, and the shell's dot commands.

mod background;
mod commands;
mod explain;
mod hints;
mod save;
mod vocabulary;

use crate::commands::compose::{CommandContext, Seen, Work, announce, session, shared_world};
use crate::commands::runs::Keeping;
use crate::commands::{conclude, evaluate, is_default_cluster, no_cluster, typed_on, while_others_work};
use crate::config;
use crate::error::{ErrorKind, Result, ScriptError};
use crate::language::{Completeness, Ending, Interpreter, ScriptSettings};
use crate::live::clock::Stopwatch;
use crate::output::Output;
use crate::session::Session;
use crate::shell::{Editor, Next, PromptHost, PromptLine, PromptSecrets, PromptVocabulary, Shell};
use crate::time::show_seconds;
use crate::value::Value;
use background::Background;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use vocabulary::PromptWords;

/// What took longer than this is told in the next prompt.
const LONG: Duration = Duration::from_secs(1);

/// Reads and evaluates until somebody leaves; `initial` stands there to begin with.
pub(super) fn main(context: CommandContext, initial: String) -> Result<u8, ScriptError> {
    let (mut context, mut initial, mut secrets) = (context, initial, PromptSecrets::default());
    loop {
        let switch = Rc::<RefCell<Option<CommandContext>>>::default();
        let code = on_one_cluster(context, std::mem::take(&mut initial), &switch, &mut secrets)?;
        match switch.take() {
            Some(elsewhere) => context = elsewhere,
            None => return Ok(code),
        }
    }
}

fn on_one_cluster(
    context: CommandContext,
    initial: String,
    switch: &Rc<RefCell<Option<CommandContext>>>,
    secrets: &mut PromptSecrets,
) -> Result<u8, ScriptError> {
    let seen = Seen::default();
    let mut context = CommandContext { seen: Some(seen.clone()), ..context };
    // What runs from here in a sandbox runs in the same one.
    context.shared = shared_world(&context)?;
    let context = Rc::new(context);
    announce(&context);
    greet(&context);
    let run = Keeping::begin_lines(&context, "prompt", "")?;
    let session = session(&context, Work::lines(run.id()), run.journal())?;
    let settings = evaluate::language_settings()?;
    let commands = commands::all(&context, switch);
    let mut shell = Shell::new(commands, context.output.clone()).knowing(std::mem::take(secrets));
    let background = Background::default();
    let host = Prompt {
        context: Rc::clone(&context),
        session,
        settings,
        interpreter: OnceCell::new(),
        words: PromptWords::new(seen),
        background: background.clone(),
        took: None,
    };
    let host: Rc<RefCell<dyn PromptHost>> = Rc::new(RefCell::new(host));
    // Whoever has no home directory has no history, and a prompt all the same.
    let history = config::history_file().map_err(|error| context.output.warning(&error.to_string())).ok();
    let mut editor = Editor::new(host.clone(), shell.commands(), history, &context.output, context.interrupt.clone())?;
    background.begin(&context, editor.redrawing());
    context.output.set_paging(context.settings.pager.then(|| context.interrupt.clone()));
    let left = shell.run(&mut editor, &host, initial).map_err(ScriptError::from);
    *secrets = shell.into_secrets();
    context.output.set_paging(None);
    background.end();
    run.end(&context, left.as_ref().map(|_| &Ending::Exit(0)));
    left
}

/// What evaluates the entries.
struct Prompt {
    context: Rc<CommandContext>,
    session: Rc<RefCell<Session>>,
    settings: ScriptSettings,
    /// Made when something is typed: the first prompt needs none.
    interpreter: OnceCell<Interpreter>,
    words: PromptWords,
    background: Background,
    /// How long the last entry took.
    took: Option<Duration>,
}

impl Prompt {
    fn interpreter(&self) -> &Interpreter {
        self.interpreter.get_or_init(|| self.new_interpreter())
    }

    fn new_interpreter(&self) -> Interpreter {
        Interpreter::new(self.session.clone(), self.settings.clone())
    }
}

impl PromptHost for Prompt {
    fn is_incomplete(&self, text: &str) -> bool {
        self.interpreter().completeness(text) == Completeness::Incomplete
    }

    fn vocabulary(&self) -> Rc<PromptVocabulary> {
        self.words.now(self.interpreter())
    }

    fn prompt(&mut self) -> PromptLine {
        self.background.look();
        if let Some(remark) = self.background.take_remark() {
            self.context.output.remark(&remark);
        }
        let mut states = Vec::new();
        if self.context.global.read_only {
            states.push("read-only".to_owned());
        }
        states.extend(self.background.holder().map(|holder| format!("locked by {holder}")));
        let took = self.took.take().filter(|took| *took > LONG);
        states.extend(took.map(|took| show_seconds((took.as_secs_f64() * 10.0).round() / 10.0)));
        PromptLine { states, ..self.background.place(&self.context) }
    }

    fn prompt_now(&self, shown: &PromptLine) -> PromptLine {
        self.background.as_it_is_now(shown)
    }

    fn evaluate(&mut self, text: &str, file: Option<&str>) -> Next {
        self.session.borrow_mut().start_afresh();
        let watch = Stopwatch::start();
        let mut interpreter = self.interpreter.take().unwrap_or_else(|| self.new_interpreter());
        let ended = match file {
            None => interpreter.line(text),
            Some(file) => interpreter.line_of(file, text),
        };
        self.interpreter = OnceCell::from(interpreter);
        self.took = Some(watch.elapsed());
        self.words.forget();
        let (output, options) = (&self.context.output, self.context.global.cluster_options());
        let next = match ended {
            Ok(Ending::Exit(code)) => Next::Leave(code),
            Ok(value) => {
                let has_result = value != Ending::Value(Value::Unit);
                conclude(output, value);
                if has_result { Next::Result } else { Next::Done }
            }
            Err(mut error) => {
                if error.error.kind == ErrorKind::Invalid
                    && let Some(hint) = hints::command_line(text, &options)
                {
                    error.error.hint = Some(hint);
                }
                let error = while_others_work(&self.session, error);
                let error = no_cluster(error, is_default_cluster(&self.context));
                output.error(&typed_on(error, &options));
                Next::Failed
            }
        };
        // A signal that comes from now on was not meant for it.
        self.context.interrupt.clear();
        next
    }

    fn explain(&self, word: &str, source: bool) -> Result<String> {
        explain::explain(word, source, &self.vocabulary())
    }

    fn secrets(&mut self) -> Vec<String> {
        self.words.secrets()
    }
}

/// Says where to look first.
fn greet(context: &CommandContext) {
    let output: &Output = &context.output;
    if !output.format().is_for_programs() {
        output.remark("help() lists the functions, .help the commands; Tab completes, Ctrl-D leaves");
    }
}
