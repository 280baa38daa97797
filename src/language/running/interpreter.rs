//! Runs scripts, and lines of a prompt.

mod call;
mod leftovers;
mod names;

pub use names::Names;

use crate::error::{Error, ScriptError};
use crate::language::convert::to_value;
use crate::language::reading::complete::{Completeness, Scan, not_closed, scan, unclosed_comment};
use crate::language::reading::describe::{self, ScriptDoc};
use crate::language::reading::dialect::{RED_ZONE, STACK};
use crate::language::reading::imported::imported;
use crate::language::reading::parameter::{self, ParamDoc};
use crate::language::reading::place::{self, Places};
use crate::language::reading::signs::{self, Sign};
use crate::language::reading::sources::Source;
use crate::language::reading::translate::Vocabulary;
use crate::language::running::engine;
use crate::language::running::host::Host;
use crate::language::running::pin::{self, Unpinned};
use crate::language::running::reach::{Reach, Text};
use crate::language::running::replaced::replaced;
use crate::language::settings::{PinnedModule, ScriptSettings};
use crate::session::Session;
use crate::value::Value;
use rhai::{AST, Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState, ParseError, ParseErrorType, Scope};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

/// A script runs where it is when that much is left: on a thread that was made for it.
const ENOUGH: usize = STACK / 2;

/// The last result at the prompt. (`_` belongs to `switch`.)
const LAST: &str = "it";

/// What a line of the prompt is called in errors.
const PROMPT: &str = "<prompt>";

/// How a run ended when it did not fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// With the value of its last expression.
    Value(Value),
    /// With `exit(code)`.
    Exit(u8),
}

/// A script that was compiled and whose parameters were checked: it can be run again and again.
pub struct Prepared {
    key: String,
    ast: AST,
    root: Option<PathBuf>,
    declared: Vec<ParamDoc>,
}

/// Runs scripts and lines of a prompt against one session.
pub struct Interpreter {
    engine: Engine,
    host: Rc<Host>,
    prompt: InterpreterState,
    /// The lines of the prompt that defined or imported what is still there.
    lines: Vec<Rc<Text>>,
    /// From so many lines on it is looked which of them are still needed.
    many: usize,
}

/// Everything that lives from statement to statement, and at the prompt from line to line.
struct InterpreterState {
    scope: Scope<'static>,
    global: GlobalRuntimeState,
}

impl InterpreterState {
    fn new(engine: &Engine) -> Self {
        Self { scope: Scope::new(), global: engine.new_global_runtime_state() }
    }
}

impl Interpreter {
    /// An interpreter whose functions act through `session`.
    pub fn new(session: Rc<RefCell<Session>>, settings: ScriptSettings) -> Self {
        let host = Rc::new(Host::new(session, settings));
        let engine = engine::build(&host);
        let prompt = InterpreterState::new(&engine);
        Self { engine, host, prompt, lines: Vec::new(), many: leftovers::FEW }
    }

    /// Runs a script from its beginning to its end; nothing of it is left afterwards.
    ///
    /// # Errors
    /// The script's own failure, or the first fatal error whatever the script caught; with the innermost place.
    pub fn run(&mut self, source: &Source) -> Result<Ending, ScriptError> {
        let prepared = self.prepare(source)?;
        self.play(&prepared)
    }

    /// Compiles a script and checks its parameters, without running it.
    ///
    /// # Errors
    /// `invalid` and where, when it does not compile, or when a parameter is missing or does not fit.
    pub fn prepare(&mut self, source: &Source) -> Result<Prepared, ScriptError> {
        let (key, ast) = self.compile(source, None)?;
        let declared = self.described(&key, &ast)?.params;
        parameter::check(&declared, &self.host.settings)?;
        Ok(Prepared { key, ast, root: source.root.clone(), declared })
    }

    /// The modules of a script as they are now: with them in [`ScriptSettings::pinned`] it runs the same later and elsewhere.
    ///
    /// # Errors
    /// Those of finding a module that it imports, and `invalid` when one does not compile.
    pub fn pin(&self, prepared: &Prepared) -> Result<Vec<PinnedModule>, ScriptError> {
        self.host.begin(prepared.root.clone(), prepared.declared.clone());
        let pinned =
            stacker::maybe_grow(RED_ZONE, STACK, || pin::pin(&self.engine, &self.host, &prepared.key, &prepared.ast));
        pinned.map_err(|why| match why {
            Unpinned::Missing(error) => error.into(),
            Unpinned::Broken(key, error) => self.refused(&key, &error),
        })
    }

    /// Runs a script of this interpreter from its beginning to its end; nothing of it is left afterwards.
    ///
    /// # Errors
    /// As [`Interpreter::run`].
    pub fn play(&mut self, prepared: &Prepared) -> Result<Ending, ScriptError> {
        stacker::maybe_grow(ENOUGH, STACK, || self.play_here(prepared))
    }

    fn play_here(&mut self, prepared: &Prepared) -> Result<Ending, ScriptError> {
        self.host.begin(prepared.root.clone(), prepared.declared.clone());
        self.lock_ahead(&Rc::new(Text::of(&prepared.key, &prepared.ast)));
        let mut state = InterpreterState::new(&self.engine);
        let outcome = evaluate(&self.engine, &mut state, &prepared.key, &prepared.ast);
        self.ending(outcome, &prepared.key, &state)
    }

    /// Runs a line of the prompt. Variables, functions, imports and constants stay for the next one, also when this
    /// one fails or is interrupted.
    ///
    /// # Errors
    /// As [`Interpreter::run`].
    pub fn line(&mut self, text: &str) -> Result<Ending, ScriptError> {
        self.host.start_afresh();
        self.line_of(PROMPT, text)
    }

    /// The same for a line that comes from elsewhere than the prompt: errors call its source `name`, and what ended an
    /// earlier line ends this one too.
    ///
    /// # Errors
    /// As [`Interpreter::run`].
    pub fn line_of(&mut self, name: &str, text: &str) -> Result<Ending, ScriptError> {
        stacker::grow(STACK, || self.line_here(Source::new(name, text)))
    }

    fn line_here(&mut self, source: Source) -> Result<Ending, ScriptError> {
        // Strictness would not see what earlier lines imported; what is not there is found when it is looked for.
        self.engine.set_strict_variables(false);
        let compiled = self.compile(&source, Some(&self.prompt.scope));
        self.engine.set_strict_variables(true);
        let (key, ast) = compiled?;
        self.host.begin(None, self.described(&key, &ast)?.params);
        let line = Rc::new(Text::of(&key, &ast));
        self.lock_ahead(&line);
        if line.leaves_something() {
            self.lines.push(line);
        }
        self.host.memory.line_begins();
        let outcome = evaluate(&self.engine, &mut self.prompt, &key, &ast);
        self.host.unlock_unused();
        if let Ok(value) = &outcome
            && !value.is_unit()
        {
            let scope = &mut self.prompt.scope;
            // A constant of the user's that is called so stays what it is.
            if scope.is_constant(LAST) != Some(true) {
                scope.set_value(LAST, value.clone());
            }
        }
        let ending = self.ending(outcome, &key, &self.prompt);
        self.forget_what_nobody_can_reach();
        self.host.memory.line_ends();
        ending
    }

    /// A text that can come to change the cluster takes the maintenance lock before it looks at the cluster.
    fn lock_ahead(&self, text: &Rc<Text>) {
        if self.host.takes_lock() && Reach::new(&self.engine, &self.host).changes_cluster(text, &self.lines) {
            self.host.lock_ahead();
        }
    }

    /// `source`, which ran here, without the secrets that stand in it: as it may be kept and shown.
    pub fn without_secrets(&self, source: &Source) -> Source {
        Source { text: self.host.sources.masked(&source.text), ..source.clone() }
    }

    /// What a script says of itself, without running it.
    ///
    /// # Errors
    /// `invalid` and where, when it does not compile or does not declare a parameter by literals.
    pub fn describe(&self, source: &Source) -> Result<ScriptDoc, ScriptError> {
        let (key, ast) = self.compile(source, None)?;
        self.described(&key, &ast)
    }

    /// Whether a text at the prompt can run, or goes on in the next line.
    pub fn completeness(&self, text: &str) -> Completeness {
        match scan(text) {
            Scan::Open | Scan::OpenComment(_) => return Completeness::Incomplete,
            Scan::Broken => return Completeness::Invalid,
            Scan::Closed => {}
        }
        let last_line = text.trim_end().lines().count();
        let last_column = text.trim_end().lines().last().map_or(0, |line| line.chars().count());
        match stacker::maybe_grow(RED_ZONE, STACK, || self.engine.compile(text)) {
            Ok(_) => Completeness::Complete,
            Err(error) => match *error.err_type() {
                ParseErrorType::VariableUndefined(_) | ParseErrorType::ModuleUndefined(_) => Completeness::Complete,
                ParseErrorType::UnexpectedEOF => Completeness::Incomplete,
                ParseErrorType::MissingToken(..) | ParseErrorType::FnMissingBody(_)
                    if error.position().is_none()
                        || error.position().line().is_some_and(|line| line > last_line)
                        || (error.position().line() == Some(last_line)
                            && error.position().position().is_some_and(|column| column > last_column)) =>
                {
                    Completeness::Incomplete
                }
                _ => Completeness::Invalid,
            },
        }
    }

    fn compile(&self, source: &Source, scope: Option<&Scope<'_>>) -> Result<(String, AST), ScriptError> {
        self.host.modules.borrow_mut().clear();
        let key = match scope {
            Some(_) => self.host.sources.add_line(source.clone()),
            None => self.host.sources.add(source.clone()),
        };
        let empty = Scope::new();
        let scope = scope.unwrap_or(&empty);
        let compiled = stacker::maybe_grow(RED_ZONE, STACK, || self.engine.compile_with_scope(scope, source.code()));
        let mut ast = match compiled {
            Ok(ast) => ast,
            Err(error) => return Err(self.refused(&key, &error)),
        };
        if let Some(at) = unclosed_comment(&source.text) {
            let error = not_closed();
            return Err(self.host.sources.told(ScriptError::at(error, place::at(at, &key, &self.host.sources))));
        }
        if !self.host.settings.goes_on
            && let Some((error, at)) = replaced(&ast)
        {
            return Err(self.host.sources.told(ScriptError::at(error, place::at(at, &key, &self.host.sources))));
        }
        ast.set_source(key.as_str());
        self.host.sources.compiled(&key, &ast);
        self.host.shapes.borrow_mut().learn_from(&ast);
        Ok((key, ast))
    }

    /// What the compiler says of the source `key`, in our words.
    fn refused(&self, key: &str, error: &ParseError) -> ScriptError {
        let known = self.host.sources.get(key);
        let code = known.as_ref().map(|known| known.source.code()).unwrap_or_default();
        if let Some(Sign { error, at }) = signs::foreign(&code, error.position()) {
            return self.host.sources.told(ScriptError::at(error, place::at(at, key, &self.host.sources)));
        }
        let mut words = self.vocabulary(&self.prompt);
        words.learn_from(&code);
        let place = place::at(error.position(), key, &self.host.sources);
        let error = words.parsing(error.err_type(), place.as_deref());
        self.host.sources.told(ScriptError::at(error, place))
    }

    fn described(&self, key: &str, ast: &AST) -> Result<ScriptDoc, ScriptError> {
        let known = self.host.sources.get(key);
        let text = known.as_ref().map_or("", |known| known.source.text.as_str());
        describe::describe(ast, text).map_err(|(error, position)| {
            let place = place::at(position, key, &self.host.sources);
            self.host.sources.told(ScriptError::at(error, place))
        })
    }

    /// What a run amounts to: the first fatal error, an exit, a failure or a value, in this order.
    fn ending(
        &self,
        outcome: Result<Dynamic, Box<EvalAltResult>>,
        key: &str,
        state: &InterpreterState,
    ) -> Result<Ending, ScriptError> {
        let failed = |error: Error| match &outcome {
            Err(raised) => {
                let Places { innermost: place, called_from } = place::of(raised, key, &self.host.sources);
                let step = self.host.failed_step().map(Into::into);
                self.host.sources.told(ScriptError { error, place, called_from, step })
            }
            Ok(_) => error.into(),
        };
        if let Some(error) = self.host.fatal() {
            return Err(failed(error));
        }
        if let Some(code) = self.host.exit_code() {
            return Ok(Ending::Exit(code));
        }
        match &outcome {
            Ok(value) => match self.host.memory.room_to_write(std::iter::once(value), 1) {
                Ok(()) => {
                    let shown = to_value(value, &self.host.shapes);
                    Ok(Ending::Value(shown.unwrap_or_else(|_| Value::Text(value.to_string()))))
                }
                Err(error) => Err(failed(error)),
            },
            Err(error) => {
                let Places { innermost, .. } = place::of(error, key, &self.host.sources);
                Err(failed(self.vocabulary(state).translate(error, innermost.as_deref())))
            }
        }
    }

    fn vocabulary(&self, state: &InterpreterState) -> Vocabulary {
        let imported = imported(state.global.iter_imports());
        let of_modules = imported.iter().flat_map(|module| module.functions.iter());
        let known = functions(state).into_iter().chain(of_modules.map(|f| (f.name.clone(), f.params.clone())));
        Vocabulary {
            variables: state.scope.iter().map(|(name, ..)| name.to_owned()).collect(),
            constants: state
                .scope
                .iter()
                .filter(|(_, is_constant, _)| *is_constant)
                .map(|(n, ..)| n.to_owned())
                .collect(),
            functions: known.collect(),
            modules: imported,
            fields: self.host.shapes.borrow().fields().map(str::to_owned).collect(),
            limits: self.host.settings.limits.clone(),
        }
    }
}

/// The functions that scripts defined, with the names of their parameters.
fn functions(state: &InterpreterState) -> Vec<(String, Vec<String>)> {
    let own = state.global.lib.iter().flat_map(|lib| lib.iter_script_fn_info());
    let own = own
        .map(|(_, _, name, _, function)| (name.to_owned(), function.params.iter().map(ToString::to_string).collect()));
    own.filter(|(name, _)| !name.starts_with("anon$")).collect()
}

/// Evaluates `ast`, leaving in `state` what it defined.
fn evaluate(
    engine: &Engine,
    state: &mut InterpreterState,
    key: &str,
    ast: &AST,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let InterpreterState { scope, global } = state;
    if ast.has_functions() {
        global.lib.push(ast.shared_lib().clone());
    }
    global.source = Some(key.into());
    (global.num_operations, global.num_modules_loaded, global.level, global.scope_level) = (0, 0, 0, 0);
    #[expect(deprecated, reason = "the only way to keep imports, constants and functions from line to line")]
    engine.eval_statements_raw(global, &mut Caches::new(), scope, ast.statements())
}
