//! What the keys and the editor tell each other while an entry is typed, and what keys do here beside what they do anyhow.

use crate::language::is_open;
use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// The entries of the history: whoever stands on one of them walks on through it.
    entries: Mutex<HashSet<String>>,
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
        *self.entries.lock().unwrap_or_else(PoisonError::into_inner) = entries.collect();
    }

    fn is_entry(&self, line: &str) -> bool {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).contains(line)
    }
}

/// A key that does something of its own.
#[derive(Clone, Copy)]
enum Key {
    Enter,
    Up,
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
            Key::Up if line.is_empty() || line[..at].contains('\n') || (is_at_end && self.1.is_entry(line)) => {
                Some(Cmd::LineUpOrPreviousHistory(n))
            }
            Key::Up => Some(Cmd::HistorySearchBackward),
            Key::CtrlC => Some(self.1.leave(Left::Cancelled(line.to_owned()))),
            Key::CtrlD if line.is_empty() => Some(Cmd::EndOfFile),
            Key::CtrlD if is_at_end && (line.contains('\n') || is_open(line)) => {
                Some(self.1.leave(Left::Cancelled(line.to_owned())))
            }
            Key::CtrlD if is_at_end => Some(Cmd::Noop),
            Key::CtrlD => Some(Cmd::Kill(rustyline::Movement::ForwardChar(n))),
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
        (ctrl('C').into(), Key::CtrlC),
        (ctrl('D').into(), Key::CtrlD),
        (Event::KeySeq(vec![ctrl('X'), ctrl('E')]), Key::ToEditor),
    ];
    let handler = |key| -> Box<dyn ConditionalEventHandler> { Box::new(Handler(key, Arc::clone(typing))) };
    keys.into_iter().map(|(event, key)| (event, handler(key))).collect()
}
