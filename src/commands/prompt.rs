//! The prompt: an interpreter behind the shell, and the shell's dot commands.

use crate::commands::compose::{House, Seen, Work, announce, session};
use crate::commands::runs::Keeping;
use crate::commands::{conclude, evaluate};
use crate::config;
use crate::error::{Result, ScriptError};
use crate::language::{Completeness, Ending, Interpreter, functions, node_properties};
use crate::output::{Format, Output};
use crate::session::Session;
use crate::shell::{DotCommand, Editor, Function, Host, Next, Shell, Vocabulary, prompt_text};
use std::cell::RefCell;
use std::rc::Rc;

/// Reads and evaluates until somebody leaves.
pub(super) fn main(house: House) -> Result<u8, ScriptError> {
    let seen = Seen::default();
    let house = House { seen: Some(seen.clone()), ..house };
    announce(&house);
    let run = Keeping::begin_lines(&house, "prompt", "")?;
    let session = session(&house, Work::lines(run.id()), run.journal())?;
    let interpreter = Interpreter::new(session.clone(), evaluate::language_settings()?);
    let output = house.output.clone();
    let host: Rc<RefCell<dyn Host>> = Rc::new(RefCell::new(Prompt { session, interpreter, output, seen }));
    let prompt = prompt_text(house.settings.profile.as_deref(), house.global.sandbox.is_some());
    let mut shell = Shell::new(prompt, vec![choose_format(&house.output)], house.output.clone());
    // Whoever has no home directory has no history, and a prompt all the same.
    let history = config::history_file().map_err(|error| house.output.warning(&error.to_string())).ok();
    let mut editor = Editor::new(host.clone(), shell.command_names(), history, house.output.has_colors())?;
    let left = shell.run(&mut editor, &host).map_err(ScriptError::from);
    run.end(&house, left.as_ref().map(|_| &Ending::Exit(0)));
    left
}

/// What evaluates the lines.
struct Prompt {
    session: Rc<RefCell<Session>>,
    interpreter: Interpreter,
    output: Output,
    seen: Seen,
}

impl Host for Prompt {
    fn is_incomplete(&self, text: &str) -> bool {
        self.interpreter.completeness(text) == Completeness::Incomplete
    }

    fn vocabulary(&self) -> Vocabulary {
        let names = self.interpreter.names();
        let mut known: Vec<Function> = functions()
            .into_iter()
            .map(|function| Function {
                name: function.name.to_owned(),
                signature: function.signature,
                options: function.options.iter().map(|option| option.name.to_owned()).collect(),
                guards: function.guards.iter().map(|guard| (*guard).to_owned()).collect(),
            })
            .collect();
        let own: Vec<String> =
            names.functions.into_iter().filter(|name| known.iter().all(|function| function.name != *name)).collect();
        known.extend(own.into_iter().map(|name| Function {
            signature: format!("{name}("),
            name,
            ..Function::default()
        }));
        Vocabulary {
            functions: known,
            variables: names.variables,
            modules: names.modules,
            properties: node_properties().map(str::to_owned).collect(),
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
            Err(error) => {
                self.output.error(&error);
                Next::Prompt
            }
        }
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
