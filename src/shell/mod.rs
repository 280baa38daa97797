//! The prompt: reads entries, completes and colours them, keeps their history, and hands whole ones on.
//!
//! It knows neither session nor cluster: whoever opens it brings a [`PromptHost`] that evaluates, and the dot commands. What
//! it completes with is at hand, so that no key ever waits for the network.

mod colors;
mod complete;
mod editor;
mod helper;
mod history;
mod prompt_line;
mod secrets;
mod stop;
mod tall;
mod typing;
mod vocabulary;

pub use editor::{Editor, Redraw};
pub use prompt_line::PromptLine;
pub use vocabulary::{Callable, Namespace, PromptVocabulary};

use crate::error::{Error, Result, ScriptError};
use crate::language::Masking;
use crate::nearest::did_you_mean;
use crate::output::Output;
use crate::pd_url::without_passwords;
use history::MOST;
use secrets::KnownSecrets;
use std::cell::RefCell;
use std::rc::Rc;

/// What the prompt asks of the rest of the program.
pub trait PromptHost {
    /// Whether `text` goes on in the next line.
    fn is_incomplete(&self, text: &str) -> bool;

    /// The names that are known just now. Must not wait for anything.
    fn vocabulary(&self) -> Rc<PromptVocabulary>;

    /// What is to be known before the next entry. Must not wait for anything.
    fn prompt(&mut self) -> PromptLine;

    /// `shown`, as it has become while it was on the screen. It keeps its width.
    fn prompt_now(&self, shown: &PromptLine) -> PromptLine {
        shown.clone()
    }

    /// Evaluates an entry (which may have several lines), or what a file of this name says, and shows what comes of it.
    fn evaluate(&mut self, text: &str, file: Option<&str>) -> Next;

    /// What is known of `word`; with `source`, the text that it stands for.
    ///
    /// # Errors
    /// `not_found` with the nearest names.
    fn explain(&self, word: &str, source: bool) -> Result<String>;

    /// The secrets that were used since this was asked last: no entry that has one of them stays in the history.
    fn secrets(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// What happens after an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next prompt; a command of the prompt was carried out.
    Prompt,
    /// The next prompt; code came to its end and has no result.
    Done,
    /// The next prompt; code came to its end and has a result.
    Result,
    /// The next prompt; what was entered has failed.
    Failed,
    /// The next prompt, with this text to go on with.
    Type(String),
    /// This text is evaluated as if it had been entered.
    Enter {
        /// Where it is from.
        name: String,
        /// The text.
        code: String,
    },
    /// The end, with this exit code.
    Leave(u8),
}

/// What became of something that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryEnd {
    /// It was a command of the prompt, and no code.
    Command,
    /// It failed.
    Failed,
    /// It was code without a result.
    Done,
    /// It was code with a result, which is `it` until another has one.
    Result,
}

/// Something that was entered at this prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The text.
    pub text: String,
    /// What became of it.
    pub end: EntryEnd,
    /// Whether it is neither listed nor saved: it holds a secret, as far as that is known by now, or begins with a space, or
    /// was taken out.
    pub is_private: bool,
}

/// The entries of a prompt: the newest, as many as the history has.
#[derive(Debug, Default)]
pub struct Entries {
    /// How many came before them, and are not kept any more.
    pub forgotten: usize,
    /// The newest, the last one last.
    pub newest: Vec<Entered>,
    secrets: PromptSecrets,
}

/// What a prompt has come to know of secrets. It goes on in the next prompt of the same process.
#[derive(Debug, Default)]
pub struct PromptSecrets {
    /// What is secret in all entries that there were.
    masking: Masking,
    /// The secrets themselves.
    known: KnownSecrets,
}

/// What becomes known with an entry about earlier ones.
#[derive(Default)]
struct Disclosed {
    /// Entries that prove to hold a secret.
    earlier: Vec<String>,
    /// Secrets that were not known before, or were used again.
    secrets: KnownSecrets,
}

impl Disclosed {
    fn is_empty(&self) -> bool {
        self.earlier.is_empty() && self.secrets.is_empty()
    }

    fn add(&mut self, more: Self) {
        self.earlier.extend(more.earlier);
        self.secrets.add(&more.secrets);
    }

    /// Whether an entry of the history must not stay there.
    fn is_about(&self, entry: &str) -> bool {
        self.earlier.iter().any(|earlier| earlier == entry) || self.secrets.stand_in(entry)
    }
}

impl Entries {
    /// Adds one with which these secrets were used. What is secret in it, or was used before, makes it private; what it proves to be
    /// in earlier ones, makes them private from now on.
    fn add(&mut self, entered: Entered, used: Vec<String>) -> Disclosed {
        let PromptSecrets { masking, known } = &mut self.secrets;
        let is_news = masking.add(&entered.text);
        self.newest.push(entered);
        if is_news {
            let all: Vec<&str> = self.newest.iter().map(|entry| entry.text.as_str()).collect();
            *masking = std::mem::take(masking).with(&all);
        }
        let last = self.newest.len() - 1;
        let mut secrets = KnownSecrets::default();
        secrets.learn_whole(used);
        for entry in &self.newest[if is_news { 0 } else { last }..] {
            secrets.learn_parts(masking.parts(&entry.text));
        }
        secrets.without_parts_of(known);
        known.add(&secrets);
        let now = &mut self.newest[last];
        now.is_private |=
            without_passwords(&now.text) != now.text || masking.hides(&now.text) || known.stand_in(&now.text);
        let mut disclosed = Disclosed { earlier: Vec::new(), secrets };
        // Where nothing new is known, the earlier ones are what they were.
        let first = if is_news || !disclosed.secrets.is_empty() { 0 } else { last };
        for entry in self.newest[first..last].iter_mut().filter(|entry| !entry.is_private) {
            if masking.hides(&entry.text) || disclosed.secrets.stand_in(&entry.text) {
                entry.is_private = true;
                disclosed.earlier.push(entry.text.clone());
            }
        }
        let too_many = self.newest.len().saturating_sub(MOST);
        self.newest.drain(..too_many);
        self.forgotten += too_many;
        disclosed
    }
}

/// What a dot command does with the text behind its name, and the entries of this prompt.
pub type DotAction = Box<dyn FnMut(&str, &Entries) -> Result<Next>>;

/// What can be typed behind the name of a dot command, given what is there already.
pub type Completes = Box<dyn Fn(&str) -> Vec<String>>;

/// A command of the prompt itself, such as `.output json`.
pub struct DotCommand {
    /// Its name, with the dot.
    pub name: &'static str,
    /// What it takes, for the help; empty if nothing.
    pub takes: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What can be typed behind it.
    pub completes: Completes,
    /// Does it; an error is shown.
    pub run: DotAction,
}

impl DotCommand {
    /// A command that the prompt itself carries out.
    fn own((name, takes, about): (&'static str, &'static str, &'static str)) -> Self {
        let run: DotAction =
            Box::new(move |_, _| Err(Error::internal(format!("{name} is carried out by the prompt itself"))));
        Self { name, takes, about, completes: Box::new(|_| Vec::new()), run }
    }
}

/// What takes an entry out again.
const REDACT: &str = ".redact";

/// The commands that the prompt itself carries out.
const OWN: [(&str, &str, &str); 6] = [
    (".help", "[COMMAND]", "this list, or more about one of them"),
    (".edit", "", "the last entry in $VISUAL or $EDITOR; Ctrl-X Ctrl-E does so with what is being typed"),
    (".history", "[TEXT]", "the entries of this prompt with their numbers, those with the text"),
    (REDACT, "", "takes the last entry of this prompt out of the history; at its beginning the newest of all"),
    (".exit", "", "leave, as Ctrl-D does"),
    (".quit", "", "leave"),
];

/// Where entries come from. The real one is [`Editor`].
pub trait LineSource {
    /// The next entry, or why there is none; `initial` stands there already.
    ///
    /// # Errors
    /// `local` when the terminal cannot be read.
    fn read(&mut self, prompt: &PromptLine, initial: &str) -> Result<Input>;

    /// Keeps an entry in the history, durably where that can be done; the keys find it in any case.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    fn keep(&mut self, text: &str) -> Result<()>;

    /// Takes every entry out of the history again that `is_out`, whoever entered it; how many there were.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    fn forget(&mut self, is_out: &dyn Fn(&str) -> bool) -> Result<usize>;

    /// Takes the newest entry out of the history, and returns it.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    fn forget_last(&mut self) -> Result<Option<String>>;

    /// Has `text` edited elsewhere.
    ///
    /// # Errors
    /// `local` when that fails.
    fn edit(&mut self, text: &str) -> Result<String>;
}

/// What a person did at the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// They entered something.
    Line(String),
    /// Ctrl-C, or Ctrl-D in an entry that goes on: they changed their mind.
    Cancelled,
    /// They typed or pasted what is no text.
    NoText,
    /// They want what they have typed in an editor.
    ToEditor(String),
    /// Ctrl-D: they leave.
    End,
    /// The process was told to stop by this signal.
    Stopped(i32),
}

/// The prompt.
pub struct Shell {
    commands: Rc<RefCell<Vec<DotCommand>>>,
    output: Output,
    /// Whether it was said that the history cannot be written.
    has_warned: bool,
    /// What was entered here: what is secret in one is known by all of them.
    entries: Entries,
    /// What is to be taken out of the history.
    owed: Disclosed,
}

impl Shell {
    /// A prompt with these commands beside its own.
    pub fn new(commands: Vec<DotCommand>, output: Output) -> Self {
        let all = commands.into_iter().chain(OWN.map(DotCommand::own)).collect();
        let (entries, owed) = (Entries::default(), Disclosed::default());
        Self { commands: Rc::new(RefCell::new(all)), output, has_warned: false, entries, owed }
    }

    /// The same prompt, that knows secrets from an earlier one.
    pub fn knowing(mut self, secrets: PromptSecrets) -> Self {
        self.entries.secrets = secrets;
        self
    }

    /// What it knows of secrets, for the next one.
    pub fn into_secrets(self) -> PromptSecrets {
        self.entries.secrets
    }

    /// All dot commands, for completion.
    pub fn commands(&self) -> Rc<RefCell<Vec<DotCommand>>> {
        Rc::clone(&self.commands)
    }

    /// Reads and evaluates until somebody leaves, and returns the exit code; in the first entry stands `initial`.
    ///
    /// # Errors
    /// `local` when the terminal cannot be read.
    pub fn run(
        &mut self,
        lines: &mut dyn LineSource,
        host: &Rc<RefCell<dyn PromptHost>>,
        initial: String,
    ) -> Result<u8> {
        let mut initial = initial;
        loop {
            let prompt = host.borrow_mut().prompt();
            let text = match lines.read(&prompt, &std::mem::take(&mut initial))? {
                Input::Line(text) => text,
                Input::Cancelled => continue,
                Input::NoText => {
                    self.output.warning("that was no UTF-8, and is dropped: paste it anew as UTF-8");
                    continue;
                }
                Input::ToEditor(text) => {
                    // Whatever becomes of the editor, what was typed is still there.
                    let edited = lines.edit(&text).map(Next::Type);
                    initial = match self.shown(edited) {
                        Next::Type(edited) => edited,
                        _ => text,
                    };
                    continue;
                }
                Input::End => {
                    self.take_out_owed(lines);
                    return Ok(0);
                }
                Input::Stopped(signal) => {
                    return Ok(Error::interrupted(Some(signal), "stopped at the prompt").exit_code());
                }
            };
            if text.trim().is_empty() {
                continue;
            }
            let next = match self.enter(lines, host, &text) {
                Next::Enter { name, code } => match host.borrow_mut().evaluate(&code, Some(&name)) {
                    // The entry itself is no code.
                    Next::Done | Next::Result => Next::Prompt,
                    other => other,
                },
                other => other,
            };
            let end = match next {
                Next::Prompt | Next::Type(_) | Next::Leave(_) | Next::Enter { .. } => EntryEnd::Command,
                Next::Failed => EntryEnd::Failed,
                Next::Done => EntryEnd::Done,
                Next::Result => EntryEnd::Result,
            };
            let is_private = text.starts_with(' ');
            self.keep(lines, host, Entered { text, end, is_private });
            match next {
                Next::Prompt | Next::Done | Next::Result | Next::Failed | Next::Enter { .. } => {}
                Next::Type(text) => initial = text,
                Next::Leave(code) => return Ok(code),
            }
        }
    }

    /// Does what was entered: a question, a dot command, or code.
    fn enter(&mut self, lines: &mut dyn LineSource, host: &Rc<RefCell<dyn PromptHost>>, text: &str) -> Next {
        if let Some((word, source)) = asked(text) {
            let page = host.borrow().explain(word, source);
            return self.shown(page.map(|page| self.output.page(&page)).map(|()| Next::Prompt));
        }
        match (dot_command(text), bare_word(text)) {
            (Some((name, rest)), _) => self.command(lines, name, rest),
            (None, Some(name)) if !host.borrow().vocabulary().variables.contains_key(text.trim()) => {
                self.command(lines, name, "")
            }
            _ => host.borrow_mut().evaluate(text, None),
        }
    }

    /// Takes out of the history what proved to be secret. What stays there is tried again with each entry.
    fn take_out_owed(&mut self, lines: &mut dyn LineSource) {
        if self.owed.is_empty() {
            return;
        }
        let forgotten = lines.forget(&|entry| self.owed.is_about(entry));
        match forgotten {
            Ok(gone) => {
                self.owed = Disclosed::default();
                if gone > 0 {
                    self.output.remark("an earlier line is taken out of the history: what it says is a secret");
                }
            }
            Err(error) => {
                self.output.warning(&format!("an earlier line with a secret stays in the history: {error}"));
            }
        }
    }

    /// Keeps an entry in the history once it was evaluated, unless it is private; that none can be kept is told once.
    fn keep(&mut self, lines: &mut dyn LineSource, host: &Rc<RefCell<dyn PromptHost>>, entered: Entered) {
        let used = host.borrow_mut().secrets();
        let disclosed = self.entries.add(entered, used);
        self.owed.add(disclosed);
        self.take_out_owed(lines);
        let Some(now) = self.entries.newest.last().cloned() else { return };
        if now.text.trim() == REDACT || now.text.starts_with(' ') {
            return;
        }
        if now.is_private {
            self.output.remark("this line is not kept in the history: it holds a secret; encrypt() asks for the text");
        } else if let Err(error) = lines.keep(&now.text)
            && !std::mem::replace(&mut self.has_warned, true)
        {
            self.output.warning(&format!("the history is kept for this prompt only: {error}"));
        }
    }

    fn command(&mut self, lines: &mut dyn LineSource, name: &str, rest: &str) -> Next {
        let outcome = match name {
            ".exit" | ".quit" => Ok(Next::Leave(0)),
            ".help" => self.help(rest).map(|page| self.output.page(&page)).map(|()| Next::Prompt),
            ".edit" => {
                let text = self.last_code();
                lines.edit(&text).map(Next::Type)
            }
            ".history" => {
                self.output.page(&self.numbered(rest));
                Ok(Next::Prompt)
            }
            REDACT => self.redact(lines),
            _ => self.handed_on(name, rest),
        };
        self.shown(outcome)
    }

    /// The newest code that an editor may have: what is private is written into no file.
    fn last_code(&self) -> String {
        let mut code = self.entries.newest.iter().rev().filter(|entry| entry.end != EntryEnd::Command);
        let open = code.clone().find(|entry| !entry.is_private);
        if code.next().is_some_and(|newest| newest.is_private) {
            self.output.remark(
                "the last line is private, and is handed to no editor; what comes is an earlier one, if there is any",
            );
        }
        open.map(|entry| entry.text.clone()).unwrap_or_default()
    }

    /// A command of whoever opened the prompt.
    fn handed_on(&self, name: &str, rest: &str) -> Result<Next> {
        let mut commands = self.commands.borrow_mut();
        if let Some(command) = commands.iter_mut().find(|command| command.name == name) {
            return (command.run)(rest, &self.entries);
        }
        let hint = did_you_mean(name, commands.iter().map(|command| command.name));
        Err(Error::invalid(format!("there is no command `{name}`")).hint(hint.unwrap_or_else(|| "see .help".into())))
    }

    fn shown(&self, outcome: Result<Next>) -> Next {
        outcome.unwrap_or_else(|error| {
            self.output.error(&ScriptError::from(error));
            Next::Failed
        })
    }

    fn redact(&mut self, lines: &mut dyn LineSource) -> Result<Next> {
        // The newest entry of the file may be another prompt's.
        let own = self.entries.newest.iter().rfind(|entry| !entry.is_private && entry.text.trim() != REDACT);
        let gone = match own.map(|entry| entry.text.clone()) {
            Some(own) => lines.forget(&|entry| entry == own).map(|_| Some(own))?,
            None => lines.forget_last()?,
        };
        let Some(gone) = gone else { return Err(Error::not_found("the history has no entry to take out")) };
        // The others keep their numbers.
        self.entries.newest.iter_mut().filter(|entry| entry.text == gone).for_each(|entry| entry.is_private = true);
        let first = gone.lines().next().unwrap_or_default();
        let shown: String = first.chars().take(3).collect();
        self.output.remark(&format!("an entry is taken out of the history (it began with `{shown}`)"));
        Ok(Next::Prompt)
    }

    /// The entries of this prompt that have `part` in them, with their numbers; `!` behind one that failed.
    fn numbered(&self, part: &str) -> String {
        let all = self.entries.newest.iter().zip(self.entries.forgotten + 1..);
        let all = all.filter(|(entry, _)| !entry.is_private && entry.text.contains(part));
        let lines = all.map(|(entry, number)| {
            let mark = if entry.end == EntryEnd::Failed { '!' } else { ' ' };
            format!("{number:>4}{mark} {}", entry.text.replace('\n', "\n      "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn help(&self, about: &str) -> Result<String> {
        let commands = self.commands.borrow();
        let call = |command: &DotCommand| format!("{} {}", command.name, command.takes).trim_end().to_owned();
        if !about.is_empty() {
            let wanted = format!(".{}", about.trim_start_matches('.'));
            let known = commands.iter().find(|command| command.name == wanted);
            return known.map(|command| format!("{}\n  {}", call(command), command.about)).ok_or_else(|| {
                let hint = did_you_mean(&wanted, commands.iter().map(|command| command.name));
                Error::not_found(format!("there is no command `{wanted}`"))
                    .hint(hint.unwrap_or_else(|| format!("of functions and all else `{about}?` tells")))
            });
        }
        let width = commands.iter().map(|command| call(command).len()).max().unwrap_or_default();
        let lines = commands.iter().map(|command| format!("{:width$}  {}\n", call(command), command.about));
        Ok(lines.collect::<String>() + KEYS)
    }
}

/// What keys do, for `.help`.
const KEYS: &str = "
help() lists the functions, `NAME?` explains one, `NAME??` shows the source of a module's function or a script.
`it` is the last result.
Tab completes; Up looks for what was begun, Ctrl-R anywhere; Right takes the grey rest of an earlier entry.
Enter in the middle of an entry of several lines adds one; Ctrl-X Ctrl-E opens it in $VISUAL or $EDITOR.
Ctrl-C cancels what is typed or runs, Ctrl-D leaves; an entry that begins with a space is not kept in the history";

/// A line that is a command of the prompt: its name and the rest. No expression begins with a dot and a letter.
fn dot_command(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let is_command = text.strip_prefix('.')?.starts_with(|c: char| c.is_ascii_alphabetic());
    is_command.then(|| {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        (name, rest.trim())
    })
}

/// A line that asks what something is: `pumps?`, `?pumps`; with two signs, for its source.
fn asked(text: &str) -> Option<(&str, bool)> {
    let text = text.trim();
    let source = text.starts_with("??") || text.ends_with("??");
    let word = text.trim_matches('?').trim();
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':' | '/' | '.' | '-');
    let is_asked = text.starts_with('?') || text.ends_with('?');
    (is_asked && !word.is_empty() && word.trim_end_matches("()").chars().all(is_word)).then_some((word, source))
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
