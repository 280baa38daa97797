//! The operator at the terminal: questions on standard error, answers from standard input.

use super::Output;
use super::keyboard::{self, Line};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::secret::Secret;
use crate::text::on_lines;
use crate::world::{Choice, Console, Question, Wanted};

/// How often a question is asked again when the answer is neither yes nor no.
const PATIENCE: usize = 5;

/// Whoever sits at the terminal, if there is one.
pub(super) struct Operator {
    output: Output,
    interrupt: Interrupt,
}

/// What a line means as an answer.
enum Reply {
    Yes,
    All,
    No,
    Empty,
    Quit,
    Details,
    Keys,
    Other,
}

impl Operator {
    pub(super) fn new(output: Output, interrupt: Interrupt) -> Self {
        Self { output, interrupt }
    }

    /// Asks until there is an answer. Nothing that was typed before the question counts.
    fn reply(&self, text: &str, choices: &str, takes_all: bool, details: &str) -> Result<Reply> {
        somebody_is_there(text)?;
        self.forget_typed();
        let asked = format!("{} [{choices}] ", on_lines(text));
        self.output.ask(&asked);
        for _ in 0..PATIENCE {
            let line = self.line(&asked);
            if !matches!(line, Ok(Line::Text(_))) {
                // The cursor still stands behind the question.
                self.output.ask("\n");
            }
            let reply = match line.map_err(not_done)? {
                Line::End | Line::Resumed => return Err(Error::refused("the input ended at a question")),
                Line::Text(line) => reply(&line),
            };
            match reply {
                Reply::Quit => return Err(Error::interrupted(None, "you quit at a question")),
                Reply::Keys => self.output.ask(&format!("{}[{choices}] ", keys(takes_all, !details.is_empty()))),
                Reply::Details if !details.is_empty() => {
                    let indented = on_lines(details).replace('\n', "\n    ");
                    self.output.ask(&format!("    {indented}\n[{choices}] "));
                }
                Reply::Details | Reply::Other => self.output.ask(&format!(
                    "please answer y{} or n, or q to quit [{choices}] ",
                    if takes_all { ", a" } else { "" }
                )),
                Reply::All if !takes_all => self.output.ask(&format!("please answer [{choices}] ")),
                clear => return Ok(clear),
            }
        }
        Ok(Reply::No)
    }

    /// A line of the operator's. Whoever comes back (Ctrl-Z and `fg`) sees again what was asked.
    fn line(&self, asked: &str) -> Result<Line> {
        loop {
            match keyboard::read_line(&self.interrupt, keyboard::Echo::Shown) {
                Ok(Line::Resumed) => self.output.ask(&format!("\n{asked}")),
                line => return line,
            }
        }
    }

    /// Drops what was typed before the question was there, and says so.
    fn forget_typed(&self) {
        if keyboard::forget_typed() {
            self.output.remark("(what was typed before this question is dropped)");
        }
    }

    /// Asks for one word, once; anything else is a no.
    fn typed(&self, text: &str, word: &str) -> Result<Choice> {
        somebody_is_there(text)?;
        self.forget_typed();
        let asked = format!("{} ", on_lines(text));
        self.output.ask(&asked);
        let line = self.line(&asked);
        if !matches!(line, Ok(Line::Text(_))) {
            self.output.ask("\n");
        }
        match line.map_err(not_done)? {
            Line::End | Line::Resumed => Err(Error::refused("the input ended at a question")),
            Line::Text(line) if line.trim() == word => Ok(Choice::Yes),
            Line::Text(line) if matches!(reply(&line), Reply::Quit) => {
                Err(Error::interrupted(None, "you quit at a question"))
            }
            Line::Text(_) => Ok(Choice::No),
        }
    }
}

/// Whoever stops at a question wants to know whether it was done.
fn not_done(error: Error) -> Error {
    match error.kind {
        ErrorKind::Interrupted => error.hint("what was asked about was not done"),
        _ => error,
    }
}

/// What can be answered, for whoever asks.
fn keys(takes_all: bool, has_details: bool) -> String {
    let all = if takes_all { "  a  yes, and to everything else that this step asks\n" } else { "" };
    let details = if has_details { "  d  shows what the guards look for, and how every node stands\n" } else { "" };
    format!("  y  yes\n  n  no, as Enter alone\n{all}{details}  q  quit: what runs ends here (Ctrl-C does, too)\n")
}

fn somebody_is_there(text: &str) -> Result<()> {
    if keyboard::can_ask() {
        return Ok(());
    }
    let about = text.lines().next().unwrap_or_default();
    Err(Error::refused(format!("nobody can be asked without a terminal: {}", on_lines(about)))
        .hint("`--yes` answers every question with yes; the guards still refuse what does harm"))
}

fn reply(line: &str) -> Reply {
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Reply::Yes,
        "a" | "all" => Reply::All,
        "n" | "no" => Reply::No,
        "" => Reply::Empty,
        "q" | "quit" => Reply::Quit,
        "d" | "details" => Reply::Details,
        "?" | "h" | "help" => Reply::Keys,
        _ => Reply::Other,
    }
}

impl Console for Operator {
    fn is_attended(&self) -> bool {
        keyboard::can_ask()
    }

    fn ask(&mut self, question: &Question) -> Result<Choice> {
        let choices = match &question.wanted {
            Wanted::YesOrNo if question.details.is_empty() => "y/N/q",
            Wanted::YesOrNo => "y/N/d/q/?",
            Wanted::OrAll => "y/N/a(ll of this step)/d/q/?",
            Wanted::Typed(word) => return self.typed(&question.text, word),
        };
        match self.reply(&question.text, choices, question.wanted == Wanted::OrAll, &question.details)? {
            Reply::Yes => Ok(Choice::Yes),
            Reply::All => Ok(Choice::All),
            _ => Ok(Choice::No),
        }
    }

    fn manual(&mut self, text: &str) -> Result<()> {
        self.output.ask(&format!("To be done by hand:\n{}\n", on_lines(text)));
        loop {
            match self.reply("Is it done?", "y, or n to give up", false, "")? {
                Reply::Yes => return Ok(()),
                Reply::Empty => {}
                _ => return Err(Error::refused(format!("you said that it is not done: {}", on_lines(text)))),
            }
        }
    }

    fn tell(&mut self, text: &str) {
        self.output.remark(&format!("    {text}"));
    }

    fn secret(&mut self, prompt: &str) -> Result<Secret> {
        let hidden = keyboard::is_terminal();
        if hidden {
            keyboard::forget_typed();
            self.output.ask(&on_lines(prompt));
        }
        let line = loop {
            match keyboard::read_line(&self.interrupt, keyboard::Echo::Hidden) {
                Ok(Line::Resumed) if hidden => self.output.ask(&format!("\n{}", on_lines(prompt))),
                Ok(Line::Resumed) => {}
                line => break line,
            }
        };
        if hidden {
            self.output.ask("\n");
        }
        match line? {
            Line::Text(text) => Ok(Secret::Plain(text)),
            Line::End | Line::Resumed => Err(Error::local("there is no secret to read: the input has ended")
                .hint("type it at a terminal, or pipe it in as one line")),
        }
    }
}
