//! The line editor, and the history in its file.

use super::helper::Prompter;
use super::stop::Stop;
use super::{Host, Input, Lines};
use crate::error::{Error, Result};
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History};
use rustyline::{ColorMode, CompletionType, Config};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// How many lines the history keeps.
const HISTORY_LINES: usize = 2000;

/// Lines typed at the terminal. The history is written line by line, so it survives whatever ends the program.
pub struct Editor {
    editor: rustyline::Editor<Prompter, FileHistory>,
    history: Option<PathBuf>,
    stop: Arc<Stop>,
    /// For the history, when it is written anew.
    config: Config,
}

impl Editor {
    /// An editor that completes with what `host` knows and with these dot commands, and keeps its history in `history`
    /// (which exists, for its owner only). A history that cannot be read is begun anew.
    ///
    /// # Errors
    /// `local` when the terminal cannot be used.
    pub fn new(
        host: Rc<RefCell<dyn Host>>,
        commands: Vec<String>,
        history: Option<PathBuf>,
        colors: bool,
    ) -> Result<Self> {
        let config = Config::builder()
            .max_history_size(HISTORY_LINES)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(unusable)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .color_mode(if colors { ColorMode::Enabled } else { ColorMode::Disabled })
            .build();
        let like_it = config.clone();
        let stop = Stop::listen()?;
        let mut editor = rustyline::Editor::with_config(config).map_err(unusable)?;
        editor.set_helper(Some(Prompter { host, commands }));
        if let Some(path) = &history {
            // What cannot be read now is told when the first line cannot be kept.
            drop(editor.load_history(path));
        }
        Ok(Self { editor, history, stop, config: like_it })
    }
}

impl Lines for Editor {
    fn read(&mut self, prompt: &str) -> Result<Input> {
        loop {
            if let Some(signal) = self.stop.begin_reading() {
                return Ok(Input::Stopped(signal));
            }
            let read = self.editor.readline(prompt);
            self.stop.end_reading();
            match read {
                Ok(line) => return Ok(Input::Line(line)),
                Err(ReadlineError::Interrupted) => return Ok(Input::Cancelled),
                Err(ReadlineError::Eof) => return Ok(Input::End),
                // The window has another size: the line is drawn anew.
                Err(ReadlineError::Signal(_)) => {}
                Err(error) => return Err(unusable(error)),
            }
        }
    }

    fn keep(&mut self, text: &str) -> Result<()> {
        let not_kept = |error: ReadlineError| Error::local("the history cannot be written").source(error);
        let is_new = self.editor.add_history_entry(text).map_err(not_kept)?;
        match &self.history {
            Some(path) if is_new => self.editor.append_history(path).map_err(not_kept),
            _ => Ok(()),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the history is this room's file")]
    fn forget(&mut self, text: &str) -> Result<()> {
        let Some(path) = &self.history else { return Ok(()) };
        let not_written = |error: ReadlineError| Error::local("the history cannot be written").source(error);
        // Other prompts add to the file as well: what they wrote stays.
        let mut all = FileHistory::with_config(&self.config);
        all.load(path).map_err(not_written)?;
        let mut others = FileHistory::with_config(&self.config);
        for line in all.iter().filter(|line| *line != text) {
            others.add(line).map_err(not_written)?;
        }
        self.editor.clear_history().map_err(not_written)?;
        if others.is_empty() {
            // The editor writes no history without a line, so that the old one would stay.
            return std::fs::remove_file(path).map_err(|fault| not_written(fault.into()));
        }
        others.save(path).map_err(not_written)?;
        self.editor.load_history(path).map_err(not_written)
    }
}

fn unusable(error: ReadlineError) -> Error {
    Error::local("the terminal cannot be used for a prompt")
        .source(error)
        .hint("give code with -e, or as a file to run")
}
