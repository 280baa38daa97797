//! The prompt: reads lines, completes and colours them, keeps their history, and hands whole ones on.
//!
//! It knows neither session nor cluster: whoever opens it brings a [`Host`] that evaluates, and the dot commands. What
//! it completes with is at hand, so that no key ever waits for the network.

mod complete;
mod editor;
mod helper;
mod stop;
mod vocabulary;

pub use editor::Editor;
pub use vocabulary::{Callable, Namespace, Vocabulary};

use crate::error::{Error, Result, ScriptError};
use crate::language::Masking;
use crate::nearest::did_you_mean;
use crate::output::Output;
use std::cell::RefCell;
use std::rc::Rc;

/// What the prompt asks of the rest of the program.
pub trait Host {
    /// Whether `text` goes on in the next line.
    fn is_incomplete(&self, text: &str) -> bool;

    /// The names that are known just now. Must not wait for anything.
    fn vocabulary(&self) -> Vocabulary;

    /// Evaluates a whole line (which may have several) and shows what comes of it.
    fn evaluate(&mut self, text: &str) -> Next;
}

/// What happens after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next prompt.
    Prompt,
    /// The end, with this exit code.
    Leave(u8),
}

/// What a dot command does with the text behind its name.
pub type Run = Box<dyn FnMut(&str) -> Result<Next>>;

/// A command of the prompt itself, such as `.output json`.
pub struct DotCommand {
    /// Its name, with the dot.
    pub name: &'static str,
    /// What it takes, for the help; empty if nothing.
    pub takes: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Does it; an error is shown.
    pub run: Run,
}

/// Where lines come from. The real one is [`Editor`].
pub trait Lines {
    /// The next line, or why there is none.
    ///
    /// # Errors
    /// `local` when the terminal cannot be read.
    fn read(&mut self, prompt: &str) -> Result<Input>;

    /// Keeps a line in the history, durably.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    fn keep(&mut self, text: &str) -> Result<()>;

    /// Takes a line out of the history again.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    fn forget(&mut self, text: &str) -> Result<()>;
}

/// What a person did at the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// They entered a line.
    Line(String),
    /// Ctrl-C: they changed their mind.
    Cancelled,
    /// Ctrl-D: they leave.
    End,
    /// The process was told to stop by this signal.
    Stopped(i32),
}

/// The prompt's text: `sandbox> `, `binlogsh(PROFILE)> ` or `binlogsh> `.
pub fn prompt_text(profile: Option<&str>, sandbox: bool) -> String {
    match (sandbox, profile) {
        (true, _) => "sandbox> ".into(),
        (false, Some(profile)) => format!("binlogsh({profile})> "),
        (false, None) => "binlogsh> ".into(),
    }
}

/// A line of this prompt.
struct Typed {
    text: String,
    is_in_history: bool,
}

/// The prompt.
pub struct Shell {
    prompt: String,
    commands: Vec<DotCommand>,
    output: Output,
    keeps_history: bool,
    /// The lines of this prompt: what is secret in one is known by all of them.
    typed: Vec<Typed>,
}

impl Shell {
    /// A prompt with this text, and these commands beside `.help`, `.exit` and `.quit`.
    pub fn new(prompt: String, commands: Vec<DotCommand>, output: Output) -> Self {
        Self { prompt, commands, output, keeps_history: true, typed: Vec::new() }
    }

    /// Reads and evaluates until somebody leaves, and returns the exit code.
    ///
    /// # Errors
    /// `local` when the terminal cannot be read.
    pub fn run(&mut self, lines: &mut dyn Lines, host: &Rc<RefCell<dyn Host>>) -> Result<u8> {
        loop {
            let text = match self.whole_line(lines, host)? {
                Input::Line(text) => text,
                Input::Cancelled => continue,
                Input::End => return Ok(0),
                Input::Stopped(signal) => {
                    return Ok(Error::interrupted(Some(signal), "stopped at the prompt").exit_code());
                }
            };
            if text.trim().is_empty() {
                continue;
            }
            self.keep(lines, &text);
            let next = match (dot_command(&text), bare_word(&text)) {
                (Some((name, rest)), _) => self.command(name, rest),
                (None, Some(name)) if !host.borrow().vocabulary().variables.iter().any(|own| own == text.trim()) => {
                    self.command(name, "")
                }
                _ => host.borrow_mut().evaluate(&text),
            };
            if let Next::Leave(code) = next {
                return Ok(code);
            }
        }
    }

    /// Lines until they are whole.
    fn whole_line(&self, lines: &mut dyn Lines, host: &Rc<RefCell<dyn Host>>) -> Result<Input> {
        let continued = format!("{:>width$}", "... ", width = self.prompt.chars().count());
        let mut text = String::new();
        loop {
            let prompt = if text.is_empty() { &self.prompt } else { &continued };
            match lines.read(prompt)? {
                Input::Line(line) => text += &line,
                other => return Ok(other),
            }
            if dot_command(&text).is_some() || !host.borrow().is_incomplete(&text) {
                return Ok(Input::Line(text));
            }
            text.push('\n');
        }
    }

    /// Keeps a line in the history, unless it holds a secret; what cannot be kept is told once.
    fn keep(&mut self, lines: &mut dyn Lines, text: &str) {
        self.typed.push(Typed { text: text.to_owned(), is_in_history: false });
        let all: Vec<&str> = self.typed.iter().map(|line| line.text.as_str()).collect();
        let masking = Masking::of(&all);
        self.forget_secrets(lines, &masking);
        if masking.hides(text) {
            self.output.remark("this line is not kept in the history: it holds a secret; encrypt() asks for the text");
            return;
        }
        if !self.keeps_history {
            return;
        }
        if let Err(error) = lines.keep(text) {
            self.keeps_history = false;
            self.output.warning(&format!("the history is not kept: {error}"));
            return;
        }
        self.typed.last_mut().into_iter().for_each(|line| line.is_in_history = true);
    }

    /// Takes those lines out of the history that only now prove to hold a secret: they set a variable that is encrypted.
    fn forget_secrets(&mut self, lines: &mut dyn Lines, masking: &Masking) {
        for line in self.typed.iter_mut().filter(|line| line.is_in_history && masking.hides(&line.text)) {
            line.is_in_history = false;
            match lines.forget(&line.text) {
                Ok(()) => self.output.remark("an earlier line is taken out of the history: what it says is a secret"),
                Err(error) => {
                    self.output.warning(&format!("an earlier line with a secret stays in the history: {error}"));
                }
            }
        }
    }

    fn command(&mut self, name: &str, rest: &str) -> Next {
        match name {
            ".exit" | ".quit" => return Next::Leave(0),
            ".help" => {
                self.output.line(&self.help());
                return Next::Prompt;
            }
            _ => {}
        }
        let known = self.commands.iter_mut().find(|command| command.name == name);
        let outcome = match known {
            Some(command) => (command.run)(rest),
            None => {
                let names = self.commands.iter().map(|command| command.name).chain(BUILTIN.map(|(name, _)| name));
                let hint = did_you_mean(name, names).unwrap_or_else(|| "see .help".into());
                Err(Error::invalid(format!("there is no command `{name}`")).hint(hint))
            }
        };
        outcome.unwrap_or_else(|error| {
            self.output.error(&ScriptError::from(error));
            Next::Prompt
        })
    }

    fn help(&self) -> String {
        let own = self.commands.iter().map(|command| {
            let call = format!("{} {}", command.name, command.takes);
            (call.trim_end().to_owned(), command.about)
        });
        let all: Vec<(String, &str)> = own.chain(BUILTIN.map(|(name, about)| (name.to_owned(), about))).collect();
        let width = all.iter().map(|(call, _)| call.len()).max().unwrap_or_default();
        let mut text = String::new();
        for (call, about) in all {
            text += &format!("{call:width$}  {about}\n");
        }
        text + "\nhelp() lists the functions, help(\"NAME\") explains one; Tab completes; Ctrl-C cancels, Ctrl-D leaves"
    }

    /// The names of all dot commands, for completion.
    pub fn command_names(&self) -> Vec<String> {
        let own = self.commands.iter().map(|command| command.name.to_owned());
        own.chain(BUILTIN.map(|(name, _)| name.to_owned())).collect()
    }
}

const BUILTIN: [(&str, &str); 3] = [(".help", "this list"), (".exit", "leave"), (".quit", "leave")];

/// A line that is a command of the prompt: its name and the rest. No expression begins with a dot and a letter.
fn dot_command(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let is_command = text.strip_prefix('.')?.starts_with(|c: char| c.is_ascii_alphabetic());
    is_command.then(|| {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        (name, rest.trim())
    })
}

/// A word that stands alone, is an error in the language, and is what everybody types first in a shell that they do not
/// know: the command that is meant.
fn bare_word(text: &str) -> Option<&'static str> {
    match text.trim() {
        "exit" | "quit" => Some(".exit"),
        "help" | "?" => Some(".help"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
