//! The line editor.

use super::helper::Prompter;
use super::history::{HistoryFile, MOST};
use super::prompt_line::PromptLine;
use super::stop::Listening;
use super::typing::{Left, Typing, bindings};
use super::{DotCommand, Input, LineSource, PromptHost};
use crate::error::{Error, Result};
use crate::files;
use crate::interrupt::Interrupt;
use crate::output::{Output, screen};
use crate::text::decode;
use rustyline::config::Behavior;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{ColorMode, CompletionType, Config, EventHandler, ExternalPrinter};
use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

/// Has the prompt drawn again, below a remark if there is one; false if no prompt is there just now, and nothing was drawn.
pub type Redraw = Box<dyn FnMut(&str) -> bool + Send>;

/// An entry that is in no file.
struct Unkept {
    /// Behind how many of the newest entries of the file it was typed.
    place: usize,
    text: String,
    /// Whether it is to be in the file, and could not be written.
    is_owed: bool,
}

/// Entries typed at the terminal, of one line or several. The history is written entry by entry, so it survives whatever
/// ends the program.
pub struct Editor {
    editor: rustyline::Editor<Prompter, DefaultHistory>,
    history: Option<HistoryFile>,
    /// What is within reach of the arrow keys and in no file.
    unkept: Vec<Unkept>,
    /// The newest entries of the file.
    kept: Vec<String>,
    typing: Arc<Typing>,
    stop: Listening,
}

impl Editor {
    /// An editor that completes with what `host` knows and with these dot commands, and keeps its history in `history`
    /// (which exists, for its owner only).
    ///
    /// # Errors
    /// `local` when the terminal cannot be used.
    pub fn new(
        host: Rc<RefCell<dyn PromptHost>>,
        commands: Rc<RefCell<Vec<DotCommand>>>,
        history: Option<PathBuf>,
        output: &Output,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let config = Config::builder()
            .max_history_size(MOST)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(unusable)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            // As many as fit are shown; no key is swallowed by a question about more.
            .completion_prompt_limit(usize::MAX)
            // What draws an entry draws it without colours as well.
            .color_mode(ColorMode::Forced)
            // Where results go into a pipe, an entry is typed on the terminal on which questions are asked.
            .behavior(if output.is_on_terminal() { Behavior::Stdio } else { Behavior::PreferTerm })
            .build();
        let stop = Listening::begin(interrupt);
        let mut editor = rustyline::Editor::with_config(config).map_err(unusable)?;
        editor.set_helper(Some(Prompter::new(host, commands, output.has_colors())));
        let typing = Arc::<Typing>::default();
        for (event, handler) in bindings(&typing) {
            editor.bind_sequence(event, EventHandler::Conditional(handler));
        }
        let history = history.map(HistoryFile::new);
        Ok(Self { editor, history, unkept: Vec::new(), kept: Vec::new(), typing, stop })
    }

    /// What lets another thread have the prompt drawn again while somebody types; `None` where there is no terminal to do it.
    pub fn redrawing(&mut self) -> Option<Redraw> {
        let mut printer = self.editor.create_external_printer().ok()?;
        let stop = self.stop.stop();
        Some(Box::new(move |remark| {
            if !stop.is_reading() {
                return false;
            }
            // Without a remark the cursor goes up a row, and the line feed that the editor writes brings it back.
            let text = if remark.is_empty() { "\x1b[A\n".to_owned() } else { format!("{remark}\n") };
            printer.print(text).is_ok()
        }))
    }

    /// Takes over what other prompts have entered meanwhile.
    fn refresh(&mut self) -> Result<()> {
        let Some(entries) = self.history.as_mut().map(HistoryFile::news).transpose()?.flatten() else { return Ok(()) };
        self.editor.clear_history().map_err(unusable)?;
        let places = places(&self.kept, &entries);
        self.unkept.iter_mut().for_each(|unkept| unkept.place = places[unkept.place]);
        self.kept = entries;
        for place in 0..=self.kept.len() {
            let unkept = self.unkept.iter().filter(|unkept| unkept.place == place).map(|unkept| &unkept.text);
            for entry in unkept.chain(self.kept.get(place)) {
                self.editor.add_history_entry(entry).map_err(unusable)?;
            }
        }
        self.typing.know(self.editor.history().iter().cloned());
        Ok(())
    }

    fn remember(&mut self, entry: &str) -> Result<()> {
        self.editor.add_history_entry(entry).map_err(unusable)?;
        self.typing.know(self.editor.history().iter().cloned());
        Ok(())
    }

    /// Has an entry within reach of the arrow keys that is in no file, or not yet.
    fn leave_unkept(&mut self, text: &str, is_owed: bool) {
        if self.unkept.len() == MOST {
            self.unkept.remove(0);
        }
        self.unkept.push(Unkept { place: self.kept.len(), text: text.to_owned(), is_owed });
    }

    /// Writes what could not be written before.
    fn write_owed(&mut self) -> Result<()> {
        let Some(history) = &mut self.history else { return Ok(()) };
        while let Some(at) = self.unkept.iter().position(|unkept| unkept.is_owed) {
            history.add(&self.unkept[at].text)?;
            self.unkept.remove(at);
        }
        Ok(())
    }
}

/// For each number of entries of `old`, which a file had: behind how many of its entries `new` that is. The oldest have gone by now,
/// others may have been taken out, and more have come.
fn places(old: &[String], new: &[String]) -> Vec<usize> {
    let mut found = 0;
    let behind = old.iter().map(|entry| {
        found += usize::from(new.get(found) == Some(entry));
        found
    });
    let places: Vec<usize> = std::iter::once(0).chain(behind).collect();
    // An entry may be there twice: where only the oldest have gone, it is known which ones.
    match (0..old.len()).find(|gone| new.starts_with(&old[*gone..])) {
        Some(gone) if old.len() - gone >= found => (0..=old.len()).map(|place| place.saturating_sub(gone)).collect(),
        _ => places,
    }
}

impl LineSource for Editor {
    fn read(&mut self, prompt: &PromptLine, initial: &str) -> Result<Input> {
        // What cannot be read now is told when the first entry cannot be kept.
        drop(self.refresh());
        let prompt = prompt.clone().fitting(screen().1);
        if let Some(helper) = self.editor.helper() {
            *helper.prompt.borrow_mut() = prompt.clone();
        }
        loop {
            if let Some(signal) = self.stop.begin_reading() {
                return Ok(Input::Stopped(signal));
            }
            let read = self.editor.readline_with_initial(&prompt.text(), (initial, ""));
            self.stop.end_reading();
            match (read, self.typing.take_left()) {
                (Ok(line), _) => return Ok(Input::Line(line)),
                (Err(ReadlineError::Interrupted), Some(Left::ToEditor(text))) => return Ok(Input::ToEditor(text)),
                (Err(ReadlineError::Interrupted), Some(Left::Cancelled(text))) => {
                    if !text.trim().is_empty() {
                        self.remember(&text)?;
                        self.leave_unkept(&text, false);
                    }
                    return Ok(Input::Cancelled);
                }
                (Err(ReadlineError::Interrupted), None) => return Ok(Input::Cancelled),
                (Err(ReadlineError::Eof), _) => {
                    // Whoever leaves was told if something is not in the history.
                    drop(self.write_owed());
                    return Ok(Input::End);
                }
                // The window has another size: the line is drawn anew.
                (Err(ReadlineError::Signal(_)), _) => {}
                // A byte that belongs to no letter: what was typed is lost with it, and nothing else.
                (Err(ReadlineError::Io(fault)), _) if fault.kind() == ErrorKind::InvalidData => {
                    return Ok(Input::NoText);
                }
                (Err(error), _) => return Err(unusable(error)),
            }
        }
    }

    fn keep(&mut self, text: &str) -> Result<()> {
        self.remember(text)?;
        let is_taken = HistoryFile::takes(text);
        self.leave_unkept(text, is_taken.is_ok());
        self.write_owed().and(is_taken)
    }

    fn forget(&mut self, is_out: &dyn Fn(&str) -> bool) -> Result<usize> {
        self.unkept.retain(|unkept| !is_out(&unkept.text));
        let others: Vec<String> = self.kept.iter().filter(|entry| !is_out(entry)).cloned().collect();
        let places = places(&self.kept, &others);
        self.unkept.iter_mut().for_each(|unkept| unkept.place = places[unkept.place]);
        self.kept = others;
        let all: Vec<String> = self.editor.history().iter().cloned().collect();
        let (out, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| is_out(entry));
        self.editor.clear_history().map_err(unusable)?;
        for entry in &others {
            self.editor.add_history_entry(entry).map_err(unusable)?;
        }
        self.typing.know(others.into_iter());
        self.history.as_mut().map_or(Ok(out.len()), |history| history.take_out(is_out))
    }

    fn forget_last(&mut self) -> Result<Option<String>> {
        self.history.as_mut().map_or(Ok(None), HistoryFile::take_last)
    }

    fn edit(&mut self, text: &str) -> Result<String> {
        edited(text)
    }
}

/// The largest entry.
const LARGEST: u64 = 16 << 20;

/// `text` as somebody left it in their own editor.
fn edited(text: &str) -> Result<String> {
    let cannot = |fault: std::io::Error| Error::local("the entry cannot be handed to an editor").source(fault);
    let mut file = tempfile::Builder::new().prefix("binlogsh-").suffix(".rhai").tempfile().map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(cannot)?;
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os).find(|name| !name.is_empty());
    let editor = named.unwrap_or_else(|| "vi".into());
    // It may be a command line, such as `code --wait`; the file is one argument whatever its name is.
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{} \"$1\"", editor.to_string_lossy())).arg("sh").arg(file.path());
    let failed = |why: String| {
        Error::local(format!("the editor `{}` {why}", editor.to_string_lossy()))
            .hint("name another one with the variables VISUAL or EDITOR; the entry is as it was")
    };
    let status = command.status().map_err(|fault| failed(format!("cannot be started: {fault}")))?;
    if !status.success() {
        return Err(failed(format!("failed ({status})")));
    }
    let left = files::read(file.path(), LARGEST).map_err(|fault| fault.error("cannot read what the editor left"))?;
    let text = decode("what the editor left", left)?;
    Ok(text.trim_end_matches('\n').to_owned())
}

fn unusable(error: ReadlineError) -> Error {
    Error::local("the terminal cannot be used for a prompt")
        .source(error)
        .hint("give code with -e, or as a file to run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_among_entries_stays_behind_the_same_ones() {
        let of = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let place = |old: &str, at: usize, new: &str| places(&of(old), &of(new))[at];
        // Others have come; the oldest have gone, as many as came, or all.
        assert_eq!(place("abc", 3, "abcde"), 3);
        assert_eq!((place("abac", 4, "bacx"), place("abac", 1, "bacx"), place("abac", 4, "cxyz")), (3, 0, 1));
        assert_eq!((place("abc", 3, "xyz"), place("", 0, "xyz"), place("abc", 2, "")), (0, 0, 0));
        assert_eq!(place("abcda", 4, "acda"), 3);
        // Some in the middle were taken out, the newest among them.
        assert_eq!((place("abcd", 4, "acdx"), place("abcd", 2, "acdx"), place("abcd", 4, "ab")), (3, 1, 2));
    }
}
