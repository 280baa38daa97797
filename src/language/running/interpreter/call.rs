//! Functions of another room, and calling a function of a script: what tests of scripts need.

use super::{Ending, Interpreter, InterpreterState, Prepared, evaluate};
use crate::error::ScriptError;
use crate::language::reading::dialect::STACK;
use rhai::{Dynamic, Engine, Scope};

impl Interpreter {
    /// Binds more functions, those of another room.
    pub fn extend(&mut self, register: impl FnOnce(&mut Engine)) {
        register(&mut self.engine);
    }

    /// The functions of a script in the order in which they stand, each with the number of its parameters.
    pub fn functions_of(&self, prepared: &Prepared) -> Vec<(String, usize)> {
        let known = self.host.sources.get(&prepared.key);
        let text = known.as_ref().map_or("", |known| known.source.text.as_str());
        let all = prepared.ast.shared_lib().iter_script_fn_info();
        let mut all: Vec<(String, usize)> = all
            .map(|(_, _, name, count, _)| (name.to_owned(), count))
            .filter(|(name, _)| !name.starts_with("anon$"))
            .collect();
        all.sort_by_key(|(name, _)| text.find(&format!("fn {name}(")));
        all
    }

    /// Runs a script of this interpreter, and then calls one of its functions with one argument.
    ///
    /// # Errors
    /// As [`Interpreter::run`].
    pub fn call(&mut self, prepared: &Prepared, function: &str, argument: Dynamic) -> Result<Ending, ScriptError> {
        stacker::grow(STACK, || self.call_here(prepared, function, argument))
    }

    fn call_here(&mut self, prepared: &Prepared, function: &str, argument: Dynamic) -> Result<Ending, ScriptError> {
        self.host.begin(prepared.root.clone(), prepared.declared.clone());
        let mut state = InterpreterState::new(&self.engine);
        let mut outcome = evaluate(&self.engine, &mut state, &prepared.key, &prepared.ast);
        if outcome.is_ok() {
            let mut scope = Scope::new();
            scope.push_dynamic("argument", argument);
            // Where the call itself stands is of no interest: errors come from within the function.
            let call = self.engine.compile_with_scope(&scope, format!("{function}(argument)"));
            state.scope = scope;
            outcome = match call {
                Ok(call) => evaluate(&self.engine, &mut state, &prepared.key, &call),
                Err(error) => Err(Box::new(error.into())),
            };
        }
        self.ending(outcome, &prepared.key, &state)
    }
}
