//! What the keys and the editor tell each other while an entry is typed, and what keys do here beside what they do anyhow.

use crate::language::is_open;
use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why an entry ended without being entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Somebody changed their mind.
    Cancelled(String),
    /// It is to be edited in an editor.
    ToEditor(String),
}

/// What keys and editor share.
#[derive(Default)]
pub(super) struct Typing {
    left: Mutex<Option<Left>>,
    /// The entries of the history, the newest last, and who walks through them.
    walk: Mutex<HistoryWalk>,
}

/// A way through the entries that begin as what was typed, up to the oldest and down again to what was typed.
#[derive(Default)]
struct HistoryWalk {
    entries: Vec<String>,
    /// What was typed.
    begun: String,
    /// What stood behind the cursor then.
    rest: String,
    /// The entry that is shown.
    at: Option<usize>,
}

impl HistoryWalk {
    /// Whether `line`, with the cursor behind `begun`, is where the way has come to.
    fn is_at(&self, line: &str, begun: &str) -> bool {
        self.begun == begun && self.at.and_then(|at| self.entries.get(at)).is_some_and(|shown| shown == line)
    }

    /// What stands next behind what was `begun`, upwards or down; `None` where the way ends.
    fn step(&mut self, line: &str, begun: &str, up: bool) -> Option<&str> {
        if !self.is_at(line, begun) {
            (self.begun, self.at) = (begun.to_owned(), None);
            self.rest = line[begun.len()..].to_owned();
        }
        let fits = |entry: &String| entry.starts_with(begun) && entry != line;
        if up {
            let below = self.at.unwrap_or(self.entries.len());
            self.at = Some(self.entries[..below].iter().rposition(fits)?);
        } else {
            let above = self.at? + 1;
            self.at = self.entries[above..].iter().position(fits).map(|found| above + found);
        }
        Some(self.at.map_or(&self.rest, |at| &self.entries[at][begun.len()..]))
    }
}

impl Typing {
    fn leave(&self, left: Left) -> Cmd {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
        Cmd::Interrupt
    }

    /// Why the last entry ended without being entered.
    pub(super) fn take_left(&self) -> Option<Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The history has these entries now.
    pub(super) fn know(&self, entries: impl Iterator<Item = String>) {
        *self.walking() = HistoryWalk { entries: entries.collect(), ..HistoryWalk::default() };
    }

    fn walking(&self) -> MutexGuard<'_, HistoryWalk> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_entry(&self, line: &str) -> bool {
        self.walking().entries.iter().any(|entry| entry == line)
    }

    /// Has the next entry of the history that begins as `line` does before the cursor take its place; where there is none, it
    /// stays.
    fn walk(&self, line: &str, begun: &str, up: bool) -> Cmd {
        match self.walking().step(line, begun, up) {
            Some(rest) => Cmd::Replace(Movement::EndOfBuffer, Some(rest.to_owned())),
            None => Cmd::Noop,
        }
    }
}

/// A key that does something of its own.
#[derive(Clone, Copy)]
enum Key {
    Enter,
    Up,
    Down,
    CtrlC,
    CtrlD,
    ToEditor,
}

/// What a key does.
struct Handler(Key, Arc<Typing>);

impl ConditionalEventHandler for Handler {
    fn handle(&self, _: &Event, n: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let (line, at) = (context.line(), context.pos());
        let is_at_end = at == line.len();
        match self.0 {
            // In the middle of an entry of several lines another line is begun.
            Key::Enter if line.contains('\n') && !line[at..].trim().is_empty() => Some(Cmd::Newline),
            Key::Enter => None,
            // What was begun to type is looked for; on an entry of the history one walks on.
            Key::Up if line[..at].is_empty() || line[..at].contains('\n') || (is_at_end && self.1.is_entry(line)) => {
                Some(Cmd::LineUpOrPreviousHistory(n))
            }
            Key::Up => Some(self.1.walk(line, &line[..at], true)),
            Key::Down if self.1.walking().is_at(line, &line[..at]) => Some(self.1.walk(line, &line[..at], false)),
            // What was changed stands nowhere else: nothing takes its place that was not asked for.
            Key::Down if !line.is_empty() && !line[at..].contains('\n') && !self.1.is_entry(line) => Some(Cmd::Noop),
            Key::Down => Some(Cmd::LineDownOrNextHistory(n)),
            Key::CtrlC => Some(self.1.leave(Left::Cancelled(line.to_owned()))),
            Key::CtrlD if line.is_empty() => Some(Cmd::EndOfFile),
            Key::CtrlD if is_at_end && (line.contains('\n') || is_open(line)) => {
                Some(self.1.leave(Left::Cancelled(line.to_owned())))
            }
            Key::CtrlD if is_at_end => Some(Cmd::Noop),
            Key::CtrlD => Some(Cmd::Kill(Movement::ForwardChar(n))),
            Key::ToEditor => Some(self.1.leave(Left::ToEditor(line.to_owned()))),
        }
    }
}

/// The keys that do something of their own.
pub(super) fn bindings(typing: &Arc<Typing>) -> Vec<(Event, Box<dyn ConditionalEventHandler>)> {
    let plain = |code| Event::KeySeq(vec![KeyEvent(code, Modifiers::NONE)]);
    let ctrl = |letter| KeyEvent(KeyCode::Char(letter), Modifiers::CTRL);
    let keys = [
        (plain(KeyCode::Enter), Key::Enter),
        (plain(KeyCode::Up), Key::Up),
        (plain(KeyCode::Down), Key::Down),
        (ctrl('C').into(), Key::CtrlC),
        (ctrl('D').into(), Key::CtrlD),
        (Event::KeySeq(vec![ctrl('X'), ctrl('E')]), Key::ToEditor),
    ];
    let handler = |key| -> Box<dyn ConditionalEventHandler> { Box::new(Handler(key, Arc::clone(typing))) };
    keys.into_iter().map(|(event, key)| (event, handler(key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_walks_through_what_begins_so_and_down_comes_back_to_what_was_typed() {
        let entries = ["let a1 = 1", "drainers()", "let a2 = 2"].map(str::to_owned).to_vec();
        let mut walk = HistoryWalk { entries, ..HistoryWalk::default() };
        let mut line = "let".to_owned();
        let mut press = |up| {
            let rest = walk.step(&line, "let", up)?;
            line = format!("let{rest}");
            Some(line.clone())
        };
        assert_eq!(press(true).as_deref(), Some("let a2 = 2"));
        assert_eq!(press(true).as_deref(), Some("let a1 = 1"));
        assert_eq!(press(true), None, "the oldest stays");
        assert_eq!(press(false).as_deref(), Some("let a2 = 2"));
        assert_eq!(press(false).as_deref(), Some("let"));
        assert_eq!(press(false), None);
        assert_eq!(walk.step("unsent", "unsent", true), None, "what begins nothing stays as well");
        // What stood behind the cursor comes back with it.
        assert_eq!(walk.step("let = 3", "let", true), Some(" a2 = 2"));
        assert_eq!(walk.step("let a2 = 2", "let", false), Some(" = 3"));
        // What was changed since is a beginning of its own.
        assert_eq!(walk.step("dr", "dr", true), Some("ainers()"));
    }
}
