//! The operator at the terminal: questions on standard error, answers from standard input.

use super::Output;
use super::keyboard::{self, Line, ReadingLine};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::secret::Secret;
use crate::text::on_lines;
use crate::world::{Choice, Console, Question, Wanted};

/// After how many answers that are none it is a no.
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
    fn reply(&self, asked: &OpenQuestion<'_>) -> Result<Reply> {
        let OpenQuestion { choices, details, .. } = asked;
        let takes_all = asked.takes_all;
        let first = self.answer(&format!("{} [{choices}] ", on_lines(asked.text)), asked.text);
        let mut line = first.map_err(|error| asked.not_done(error))?;
        let mut unclear = 0;
        loop {
            let again = match reply(&line) {
                Reply::Quit => return Err(asked.not_done(Error::interrupted(None, "you quit at a question"))),
                Reply::Keys => format!("{}{} [{choices}] ", asked.keys(), asked.last_line()),
                Reply::Details if !details.is_empty() => {
                    let details = on_lines(details).replace('\n', "\n    ");
                    format!("    {details}\n{} [{choices}] ", asked.last_line())
                }
                Reply::All if takes_all => return Ok(Reply::All),
                Reply::Details | Reply::Other | Reply::All => {
                    unclear += 1;
                    if unclear == PATIENCE {
                        self.output.remark("no clear answer counts as no");
                        return Ok(Reply::No);
                    }
                    let all = if takes_all { ", a" } else { "" };
                    format!("please answer y{all} or n, or q to quit [{choices}] ")
                }
                clear => return Ok(clear),
            };
            line = self.line(&again).map_err(|error| asked.not_done(error))?;
        }
    }

    /// Asks, and reads what is answered.
    fn answer(&self, shown: &str, about: &str) -> Result<String> {
        somebody_is_there(about)?;
        self.forget_typed();
        self.line(shown)
    }

    /// A line of the operator's, for which is `asked`.
    fn line(&self, asked: &str) -> Result<String> {
        let line = self.typed(keyboard::Echo::Shown, asked);
        if !matches!(line, Ok(Some(_))) {
            // The cursor still stands behind the question.
            self.output.ask("\n");
        }
        line?.ok_or_else(|| Error::refused("the input ended at a question"))
    }

    /// What is typed when `asked` is before people's eyes, if the input has not ended. Whoever comes back (Ctrl-Z and `fg`) sees it
    /// again.
    fn typed(&self, echo: keyboard::Echo, asked: &str) -> Result<Option<String>> {
        let mut shown = asked.to_owned();
        loop {
            // Before anything is asked: the answer may come at once.
            let reading = ReadingLine::begin(echo)?;
            if !asked.is_empty() {
                self.output.ask(&shown);
            }
            match reading.line(&self.interrupt)? {
                Line::Resumed => shown = format!("\n{asked}"),
                Line::Text(text) => return Ok(Some(text)),
                Line::End => return Ok(None),
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
    fn word(&self, text: &str, word: &str) -> Result<Choice> {
        let asked = OpenQuestion { text, ..OpenQuestion::default() };
        let line = self.answer(&format!("{} ", on_lines(text)), text).map_err(|error| asked.not_done(error))?;
        match reply(&line) {
            _ if line.trim() == word => Ok(Choice::Yes),
            Reply::Quit => Err(asked.not_done(Error::interrupted(None, "you quit at a question"))),
            _ => Ok(Choice::No),
        }
    }
}

/// A question, and what can be answered.
#[derive(Default)]
struct OpenQuestion<'a> {
    text: &'a str,
    /// The answers in short.
    choices: &'a str,
    takes_all: bool,
    /// What `d` shows; nothing if it is empty.
    details: &'a str,
    /// Whether Enter alone has it asked again. Otherwise it is a no.
    enter_asks_again: bool,
}

impl OpenQuestion<'_> {
    /// Whoever stops at a question wants to know whether it was done. What is done by hand they know themselves.
    fn not_done(&self, error: Error) -> Error {
        match error.kind {
            ErrorKind::Interrupted | ErrorKind::Refused if error.hint.is_none() && !self.enter_asks_again => {
                error.hint("what was asked about was not done")
            }
            _ => error,
        }
    }

    /// What is asked in the end, as it is shown.
    fn last_line(&self) -> String {
        on_lines(self.text.lines().last().unwrap_or_default()).into_owned()
    }

    /// What can be answered, for whoever asks.
    fn keys(&self) -> String {
        let (enter, again) = match self.enter_asks_again {
            true => ("", "  Enter alone has it asked again\n"),
            false => (", as Enter alone", ""),
        };
        let all = if self.takes_all { "  a  yes, and to everything else that this step asks\n" } else { "" };
        let details = match self.details.is_empty() {
            true => "",
            false => "  d  shows what the guards look for, and how every node stands\n",
        };
        format!("  y  yes\n  n  no{enter}\n{again}{all}{details}  q  quit: what runs ends here (Ctrl-C does, too)\n")
    }
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
            Wanted::Typed(word) => return self.word(&question.text, word),
        };
        let asked = OpenQuestion {
            text: &question.text,
            choices,
            takes_all: question.wanted == Wanted::OrAll,
            details: &question.details,
            enter_asks_again: false,
        };
        match self.reply(&asked)? {
            Reply::Yes => Ok(Choice::Yes),
            Reply::All => Ok(Choice::All),
            _ => Ok(Choice::No),
        }
    }

    fn manual(&mut self, text: &str) -> Result<()> {
        // What is to be done was just told; a program was told.
        if self.output.format().is_for_programs() {
            self.output.ask(&format!("To be done by hand:\n{}\n", on_lines(text)));
        }
        let asked = OpenQuestion {
            text: "Is it done?",
            choices: "y, or n to give up",
            enter_asks_again: true,
            ..OpenQuestion::default()
        };
        loop {
            match self.reply(&asked)? {
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
        }
        let line = self.typed(keyboard::Echo::Hidden, &if hidden { on_lines(prompt) } else { "".into() });
        if hidden {
            self.output.ask("\n");
        }
        line?.map(Secret::Plain).ok_or_else(|| {
            Error::local("there is no secret to read: the input has ended")
                .hint("type it at a terminal, or pipe it in as one line")
        })
    }
}
