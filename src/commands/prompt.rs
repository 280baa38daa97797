//! The prompt: an interpreter behind the shell, and the shell's dot commands.

mod hints;

use crate::commands::compose::{CommandContext, Seen, Work, announce, session};
use crate::commands::runs::Keeping;
use crate::commands::{conclude, evaluate, typed_on, while_others_work};
use crate::config;
use crate::error::{ErrorKind, Result, ScriptError};
use crate::language::{
    Completeness, Ending, Interpreter, LibraryFunction, TYPES, functions, library_functions, usual_alias,
};
use crate::output::{Format, Output};
use crate::session::Session;
use crate::shell::{Callable, DotCommand, Editor, Host, Namespace, Next, Shell, Vocabulary, prompt_text};
use std::cell::{LazyCell, RefCell};
use std::rc::Rc;

/// Reads and evaluates until somebody leaves.
pub(super) fn main(context: CommandContext) -> Result<u8, ScriptError> {
    let seen = Seen::default();
    let context = CommandContext { seen: Some(seen.clone()), ..context };
    announce(&context);
    greet(&context);
    let run = Keeping::begin_lines(&context, "prompt", "")?;
    let session = session(&context, Work::lines(run.id()), run.journal())?;
    let interpreter = Interpreter::new(session.clone(), evaluate::language_settings()?);
    let output = context.output.clone();
    let cluster = context.global.cluster_options();
    let (functions, library) =
        (functions().into_iter().map(Callable::ours).collect(), LazyCell::new(library as fn() -> Vec<Namespace>));
    let host: Rc<RefCell<dyn Host>> =
        Rc::new(RefCell::new(Prompt { session, interpreter, output, seen, cluster, functions, library }));
    let prompt = prompt_text(context.settings.profile.as_deref(), context.global.sandbox.is_some());
    let mut shell = Shell::new(prompt, vec![choose_format(&context.output)], context.output.clone());
    // Whoever has no home directory has no history, and a prompt all the same.
    let history = config::history_file().map_err(|error| context.output.warning(&error.to_string())).ok();
    let mut editor = Editor::new(host.clone(), shell.command_names(), history, context.output.has_colors())?;
    let left = shell.run(&mut editor, &host).map_err(ScriptError::from);
    run.end(&context, left.as_ref().map(|_| &Ending::Exit(0)));
    left
}

/// What evaluates the lines.
struct Prompt {
    session: Rc<RefCell<Session>>,
    interpreter: Interpreter,
    output: Output,
    seen: Seen,
    /// The options that say which cluster it is on.
    cluster: String,
    /// What never changes of what it completes with.
    functions: Vec<Callable>,
    /// The library, read when somebody first types.
    library: LazyCell<Vec<Namespace>>,
}

impl Host for Prompt {
    fn is_incomplete(&self, text: &str) -> bool {
        self.interpreter.completeness(text) == Completeness::Incomplete
    }

    fn vocabulary(&self) -> Vocabulary {
        let names = self.interpreter.names();
        let mut known = self.functions.clone();
        let own = names.functions.into_iter().filter(|name| self.functions.iter().all(|known| known.name != *name));
        known.extend(own.map(|name| Callable { signature: format!("{name}("), name, row: None }));
        let imported = names.imported.into_iter().rev().map(|module| Namespace {
            name: module.name,
            functions: module.functions.iter().map(|own| Callable::of_script(&own.name, &own.params)).collect(),
            is_imported: true,
        });
        Vocabulary {
            functions: known,
            variables: names.variables,
            modules: names.modules,
            namespaces: imported.chain(self.library.iter().cloned()).collect(),
            properties: TYPES.iter().flat_map(|known| known.properties).map(|known| known.name.to_owned()).collect(),
            node_ids: self.seen.borrow().iter().cloned().collect(),
        }
    }

    fn evaluate(&mut self, text: &str) -> Next {
        self.session.borrow_mut().start_afresh();
        match self.interpreter.line(text) {
            Ok(Ending::Exit(code)) => Next::Leave(code),
            Ok(value) => {
                conclude(&self.output, value);
                Next::Prompt
            }
            Err(mut error) => {
                if error.error.kind == ErrorKind::Invalid
                    && let Some(hint) = hints::command_line(text, &self.cluster)
                {
                    error.error.hint = Some(hint);
                }
                let error = while_others_work(&self.session, error);
                self.output.error(&typed_on(error, &self.cluster));
                Next::Prompt
            }
        }
    }
}

/// The library's modules under their usual names, as they can be called once they are imported.
fn library() -> Vec<Namespace> {
    let mut all: Vec<Namespace> = Vec::new();
    for LibraryFunction { module, name, params, .. } in library_functions() {
        let (alias, function) = (usual_alias(module), Callable::of_script(name, &params));
        match all.iter_mut().find(|namespace| namespace.name == alias) {
            Some(namespace) => namespace.functions.push(function),
            None => all.push(Namespace { name: alias.to_owned(), functions: vec![function], is_imported: false }),
        }
    }
    all
}

/// Says where to look first.
fn greet(context: &CommandContext) {
    if context.output.format() != Format::Json {
        context
            .output
            .remark("help() lists the functions, .help what else the prompt takes; Tab completes, Ctrl-D leaves");
    }
}

/// `.output FORMAT`.
fn choose_format(output: &Output) -> DotCommand {
    let output = output.clone();
    DotCommand {
        name: ".output",
        takes: "table|json|csv|vertical",
        about: "how results are written",
        run: Box::new(move |format| {
            match format {
                "" => output.remark(output.format().name()),
                name => output.set_format(Format::from_name(name)?),
            }
            Ok(Next::Prompt)
        }),
    }
}
