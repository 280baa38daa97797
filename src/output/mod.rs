//! The one door to the terminal: results on standard output, everything else on standard error.
//!
//! Lower rooms return values and send notices; only this room knows what they look like. Rendering is pure functions
//! from values to text; [`Output`] decides where the text goes. Nothing here knows scripts, worlds or sessions.

mod cell;
mod console;
mod csv;
mod events;
mod failure;
mod fullscreen;
mod json;
mod keyboard;
mod left_out;
mod line;
mod openmetrics;
mod pager;
mod patient;
mod render;
mod table;
mod terminal;
mod timestamps;
mod told;
mod vertical;
mod widths;
mod wrapping;

pub(crate) use cell::node_cell;
pub use failure::{Pointed, for_people, for_programs, remark_for_people};
pub use fullscreen::{FullScreen, Pressed, Typed, give_screen_back};
pub use json::to_json;
pub use keyboard::{TerminalState, screen};
pub use openmetrics::Gauge;
pub use render::{Look, render};
pub use table::Columns;
pub use terminal::Streams;
pub use timestamps::Timestamps;
pub use told::{Tone, told};

use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::nearest::parse_named;
use crate::text::{on_lines, on_one_line};
use crate::value::Value;
use crate::world::{Console, Notice, Notices, OutputStream, Progress};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};
use terminal::Terminal;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    /// Columns without borders, for people and `grep`.
    #[default]
    Table,
    /// One document with every property, for programs: the result, and nothing else on standard output.
    Json,
    /// A line of JSON for each value as it comes; what happens meanwhile as lines of JSON on standard error.
    #[strum(serialize = "jsonl")]
    JsonLines,
    /// Comma separated with a line of names, quoted as RFC 4180 says.
    Csv,
    /// A line per property, for rows that are too wide.
    Vertical,
}

impl Format {
    /// All formats, in the order of the documentation.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Whether programs read it, which know what they asked for.
    pub fn is_for_programs(self) -> bool {
        matches!(self, Self::Json | Self::JsonLines)
    }

    /// The word for it on the command line and in the configuration.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The format called `name`.
    ///
    /// # Errors
    /// `invalid` with the nearest name.
    pub fn from_name(name: &str) -> Result<Self> {
        parse_named("output format", name)
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the operator wants to see.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How results are written.
    pub format: Format,
    /// How JSON holds timestamps.
    pub timestamps: Timestamps,
    /// When to use colours.
    pub color: Color,
    /// Whether to show every exchange with the cluster.
    pub verbose: bool,
}

/// The handle to the terminal. Clones share it; any thread may use it.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Screen>>);

/// The terminal, and how to write on it.
struct Screen {
    terminal: Terminal,
    settings: Settings,
    /// What is said once everything else was.
    last_words: Vec<String>,
    /// Whether long results go through the pager, and what ends it.
    pages: Option<Interrupt>,
}

impl Output {
    /// Standard output and standard error of this process; once `interrupt` is raised, nobody who does not read is waited for.
    pub fn new(settings: Settings, interrupt: Interrupt) -> Self {
        Self::ended_by(interrupt.clone(), Streams::standard(settings.color, &interrupt), settings)
    }

    /// Other streams, as tests hand them in.
    pub fn on(streams: Streams, settings: Settings) -> Self {
        Self::ended_by(Interrupt::default(), streams, settings)
    }

    fn ended_by(interrupt: Interrupt, streams: Streams, settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(Screen {
            terminal: Terminal::new(streams, interrupt),
            settings,
            last_words: Vec::new(),
            pages: None,
        })))
    }

    /// A panic while the lock was held spoils no more than a line.
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the results from now on in `format`.
    pub fn set_format(&self, format: Format) {
        self.screen().settings.format = format;
    }

    /// Writes timestamps in JSON from now on so.
    pub fn set_timestamps(&self, timestamps: Timestamps) {
        self.screen().settings.timestamps = timestamps;
    }

    /// How results are written just now.
    pub fn format(&self) -> Format {
        self.screen().settings.format
    }

    /// Whether results go to a terminal.
    pub fn is_on_terminal(&self) -> bool {
        self.screen().terminal.streams().out_is_terminal
    }

    /// Whether standard error shows colours.
    pub fn has_colors(&self) -> bool {
        self.screen().terminal.streams().err_colors
    }

    /// Whether results that are longer than the screen go through the pager from now on, which `interrupt` ends.
    pub fn set_paging(&self, interrupt: Option<Interrupt>) {
        self.screen().pages = interrupt;
    }

    /// Shows a result on standard output; nothing for `Unit`.
    pub fn value(&self, value: &Value) {
        let mut screen = self.screen();
        let text = screen.rendered(value, screen.settings.format);
        screen.page(&text);
    }

    /// Shows the last result of several, or that there is none: `null` where a document is wanted.
    pub fn last_value(&self, value: &Value) {
        match value {
            Value::Unit if self.format() == Format::Json => self.document(&serde_json::Value::Null),
            value => self.value(value),
        }
    }

    /// Shows a result that another one follows: where there is only one document it is not that.
    pub fn value_before_others(&self, value: &Value) {
        if self.format() != Format::Json {
            self.value(value);
        }
    }

    /// Shows rows as a result, of whose columns this is known.
    pub fn rows(&self, rows: Vec<Value>, known: Columns) {
        let mut screen = self.screen();
        let (format, rows) = (screen.settings.format, Value::List(rows));
        match format {
            Format::Table => {
                let text = table::render(&render::Shape::of(&rows), screen.look(), known);
                screen.page(&text);
            }
            Format::Csv => {
                let text = csv::render(&render::Shape::of(&rows), known.names);
                screen.page(&text);
            }
            Format::Json | Format::JsonLines | Format::Vertical => screen.show(&rows, format),
        }
    }

    /// A page of the help: as wide as there is room, each line going on below its last column.
    pub fn page(&self, text: &str) {
        let mut screen = self.screen();
        let text = wrapping::page(&on_lines(text), screen.look().width);
        screen.page(&format!("{text}\n"));
    }

    /// Whether standard output shows colours.
    pub fn out_has_colors(&self) -> bool {
        self.screen().terminal.streams().out_colors
    }

    /// How many columns results have, if that is known.
    pub fn width(&self) -> Option<u16> {
        self.screen().terminal.streams().width()
    }

    /// Lines that were laid out already, on standard output.
    pub fn text(&self, text: &str) {
        self.screen().terminal.out(&on_lines(text));
    }

    /// A line on standard output: the text of a reference, a log.
    pub fn line(&self, text: &str) {
        self.screen().terminal.out(&format!("{}\n", on_lines(text)));
    }

    /// A JSON document on standard output.
    pub fn document(&self, document: &serde_json::Value) {
        let mut screen = self.screen();
        let document = screen.settings.timestamps.applied(document.clone());
        let text = match screen.settings.format {
            Format::JsonLines => format!("{document}\n"),
            _ => format!("{document:#}\n"),
        };
        screen.terminal.out(&json::unable_to_deceive(text));
    }

    /// The same on one line, for what is large.
    pub fn document_line(&self, document: &serde_json::Value) {
        let mut screen = self.screen();
        let document = screen.settings.timestamps.applied(document.clone());
        screen.terminal.out(&json::unable_to_deceive(format!("{document}\n")));
    }

    /// JSON that is written already, on standard output.
    pub fn json_text(&self, json: &str) {
        self.screen().terminal.out(&json::unable_to_deceive(format!("{}\n", json.trim_end())));
    }

    /// Gauges for Prometheus on standard output, all in one document.
    pub fn gauges(&self, gauges: &[Gauge]) {
        self.screen().terminal.out(&openmetrics::render(gauges));
    }

    /// Something to look at in a script, on standard output.
    pub fn pointed(&self, remark: &Pointed<'_>) {
        let mut screen = self.screen();
        let colors = screen.terminal.streams().out_colors;
        screen.terminal.out(&format!("{}\n", remark_for_people(remark, colors)));
    }

    /// Something that is told on standard output: a head such as a time, and text that is wrapped beside it.
    pub fn told(&self, head: &str, text: &str, tone: Tone) {
        let mut screen = self.screen();
        let look = screen.look();
        screen.terminal.out(&told(head, text, tone, look));
    }

    /// A value that is told: for people, whatever the format of results is.
    pub fn told_value(&self, head: &str, value: &Value) {
        let mut screen = self.screen();
        let look = screen.look();
        screen.terminal.out(&told::told_value(head, value, look));
    }

    /// A line on standard error that is neither a warning nor an error.
    pub fn remark(&self, text: &str) {
        let mut screen = self.screen();
        match screen.settings.format {
            Format::JsonLines => screen.event(&events::remark(text)),
            _ => screen.terminal.err(&format!("{}\n", on_lines(text))),
        }
    }

    /// A remark that belongs behind everything else, the error with which a command ends included: see [`Output::finish`].
    pub fn last_word(&self, text: &str) {
        self.screen().last_words.push(text.to_owned());
    }

    /// Says now what was kept for the end.
    pub fn say_last_words(&self) {
        let last_words = std::mem::take(&mut self.screen().last_words);
        last_words.iter().for_each(|text| self.remark(text));
    }

    /// Something is odd, and the work goes on: standard error.
    pub fn warning(&self, text: &str) {
        self.screen().warning(text);
    }

    /// Something went wrong: standard error, for people or (with `json`) as one object.
    pub fn error(&self, error: &ScriptError) {
        self.error_with(error, error.error.exit_code());
    }

    /// The same of a command that has exit codes of its own.
    pub fn error_with(&self, error: &ScriptError, exit_code: u8) {
        let mut screen = self.screen();
        let text = match screen.settings.format {
            Format::Json | Format::JsonLines => for_programs(error, exit_code),
            Format::Table | Format::Csv | Format::Vertical => for_people(error, screen.terminal.streams().err_colors),
        };
        if error.error.kind == ErrorKind::Interrupted {
            screen.terminal.forget_echo();
        }
        screen.terminal.err(&text);
    }

    /// Where lower rooms send what a person should see.
    pub fn notices(&self) -> Notices {
        let output = self.clone();
        Arc::new(move |notice| output.screen().notice(notice))
    }

    /// The operator, if standard input and standard error are a terminal; otherwise somebody who refuses every
    /// question, and reads secrets from standard input. Whatever waits there ends when `interrupt` is raised.
    pub fn console(&self, interrupt: Interrupt) -> Box<dyn Console> {
        Box::new(console::Operator::new(self.clone(), interrupt))
    }

    /// Says the last words, and then what could not be written of everything. A reader that has gone (`| head`) is no fault.
    ///
    /// # Errors
    /// `local` with the system's words: a full disk, a closed stream; `interrupted` where nobody read before a signal came.
    pub fn finish(&self) -> Result<()> {
        self.say_last_words();
        let mut screen = self.screen();
        match (screen.terminal.finish(), screen.terminal.stopped_by()) {
            (None, _) => Ok(()),
            (Some(fault), Some(signal)) => Err(Error::interrupted(Some(signal), "the output is incomplete")
                .source(fault)
                .hint("what was done is done: look at the cluster before you run it again")),
            (Some(fault), None) => Err(Error::local("the output is incomplete: standard output cannot be written")
                .source(fault)
                .hint("what was done is done: look at the cluster before you run it again")),
        }
    }

    /// A question, on standard error, in lines that fit there; blanks at its end stay.
    fn ask(&self, text: &str) {
        let mut screen = self.screen();
        let (lines, blanks) = text.split_at(text.trim_end().len());
        let text = wrapping::page(lines, screen.terminal.streams().err_width()) + blanks;
        screen.terminal.err(&text);
    }
}

impl Screen {
    /// What the place looks like that results go to.
    fn look(&self) -> Look {
        let streams = self.terminal.streams();
        Look { width: streams.width(), colors: streams.out_colors }
    }

    fn rendered(&self, value: &Value, format: Format) -> String {
        match format {
            Format::Json | Format::JsonLines if *value != Value::Unit => {
                json::render(value, self.settings.timestamps, format)
            }
            _ => render(value, format, self.look()),
        }
    }

    fn show(&mut self, value: &Value, format: Format) {
        let text = self.rendered(value, format);
        self.terminal.out(&text);
    }

    fn page(&mut self, text: &str) {
        self.terminal.end_progress();
        if !self.pages.as_ref().is_some_and(|interrupt| pager::shown(text, interrupt)) {
            self.terminal.out(text);
        }
    }

    /// Writes an event: of a wait no more often than people are told of it.
    fn happened(&mut self, notice: &Notice, event: &serde_json::Value) {
        let is_told = match notice {
            Notice::Progress(progress) => self.terminal.is_news(progress),
            Notice::ProgressEnd => self.terminal.forget_progress(),
            Notice::Traced { .. } => self.settings.verbose,
            Notice::Warning(_)
            | Notice::Sleeping(_)
            | Notice::Printed(_)
            | Notice::Shown(_)
            | Notice::ShownAsJson(_)
            | Notice::StepBegan(_)
            | Notice::Acting(_)
            | Notice::Answered { .. }
            | Notice::Changed(_)
            | Notice::Begun(_)
            | Notice::Said { .. } => true,
        };
        if is_told {
            self.event(event);
        }
    }

    fn event(&mut self, event: &serde_json::Value) {
        self.terminal.err(&json::unable_to_deceive(format!("{event}\n")));
    }

    fn warning(&mut self, text: &str) {
        if self.settings.format == Format::JsonLines {
            return self.event(&events::warning(text));
        }
        let label = match self.terminal.streams().err_colors {
            true => "\x1b[1;33mwarning\x1b[0m",
            false => "warning",
        };
        self.terminal.err(&format!("{label}: {}\n", on_lines(text)));
    }

    fn notice(&mut self, notice: Notice) {
        if self.settings.format == Format::JsonLines
            && let Some(event) = events::event(&notice)
        {
            return self.happened(&notice, &event);
        }
        match notice {
            Notice::Warning(text) => self.warning(&text),
            Notice::Progress(progress) => self.terminal.progress(progress),
            Notice::Sleeping(time) => {
                self.terminal.progress(Progress::of("sleeping").after(Duration::ZERO, time));
            }
            Notice::ProgressEnd => self.terminal.end_progress(),
            // The one document is the result.
            Notice::Printed(text) if self.settings.format == Format::Json => {
                self.terminal.err(&format!("{}\n", on_lines(&text)));
            }
            Notice::Shown(value) | Notice::ShownAsJson(value) if self.settings.format == Format::Json => {
                let text = self.rendered(&value, Format::Json);
                self.terminal.err(&text);
            }
            Notice::Printed(text) => self.terminal.out(&format!("{}\n", on_lines(&text))),
            Notice::Shown(value) => self.show(&value, self.settings.format),
            Notice::ShownAsJson(value) if self.settings.format == Format::JsonLines => {
                self.show(&value, Format::JsonLines);
            }
            Notice::ShownAsJson(value) => self.show(&value, Format::Json),
            Notice::StepBegan(name) => self.terminal.err(&format!("==> {}\n", on_one_line(&name))),
            Notice::Answered { question, by } => {
                let question = question.trim_end();
                let colon = if question.ends_with('?') { "" } else { ":" };
                let text = on_lines(question).replace('\n', "\n    ");
                self.terminal.err(&format!("  ? {text}{colon} yes (by {by})\n"));
            }
            Notice::Changed(text) => self.terminal.err(&format!("  - {}\n", on_lines(&text))),
            Notice::Begun(_) if self.settings.format.is_for_programs() => {}
            Notice::Begun(text) => self.terminal.err(&format!("    {}\n", on_one_line(&text))),
            Notice::Acting(_) => {}
            Notice::Said { stream, line } => {
                let mark = match stream {
                    OutputStream::Stdout => '|',
                    OutputStream::Stderr => '!',
                };
                self.terminal.err(&format!("    {mark} {}\n", on_one_line(&line)));
            }
            Notice::Traced { .. } if !self.settings.verbose => {}
            Notice::Traced { endpoint, what, took, outcome } => {
                let ms = took.as_secs_f64() * 1000.0;
                let line = format!("[trace] {what} {endpoint} {ms:.1} ms {outcome}");
                self.terminal.err(&format!("{}\n", on_one_line(&line)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
