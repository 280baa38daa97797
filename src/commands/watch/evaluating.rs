//! `watch CODE`: an expression that is evaluated again and again.

use super::LeavesWithTerminal;
use crate::cli::WatchArgs;
use crate::commands::compose::{CommandContext, looking_session, world_to_watch};
use crate::commands::evaluate::language_settings;
use crate::error::{Error, Result, ScriptError};
use crate::language::{Ending, Interpreter};
use crate::live::clock::{self, Stopwatch};
use crate::output::{Format, FullScreen, Look, Pressed, Typed, render};
use crate::time::parse_duration;
use crate::value::Value;
use crate::watch::ExpressionView;
use crate::world::Notice;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often it is looked whether the process is to stop.
const LOOK: Duration = Duration::from_millis(200);

/// How long between two evaluations, and at least.
const USUAL: &str = "2s";
const LEAST: Duration = Duration::from_millis(500);

/// Evaluates `code` until somebody leaves, or once.
pub(in crate::commands) fn expression(
    context: &CommandContext,
    code: &str,
    args: &WatchArgs,
) -> Result<(), ScriptError> {
    let interval = parse_duration(args.interval.as_deref().unwrap_or(USUAL))
        .map_err(|error| Error { message: format!("--interval: {}", error.message), ..error })?;
    let mut evaluating = Evaluating::new(context, code)?;
    if args.once {
        let width = context.output.width();
        context.output.text(&evaluating.text(width)?);
        return Ok(());
    }
    // What does not work at all is told where it can be read.
    let first = evaluating.text(None)?;
    drop(first);
    let _leaving = LeavesWithTerminal::listen(&context.interrupt);
    let mut screen = FullScreen::open()?;
    let mut view = ExpressionView::new(code);
    let mut last: Option<Stopwatch> = None;
    loop {
        context.interrupt.check()?;
        if last.as_ref().is_none_or(|last| last.elapsed() >= interval.max(LEAST)) {
            let text = evaluating.text(screen.width()).unwrap_or_else(|error| format!("{}\n", error.error));
            view.see(clock::unix_ms(), &text);
            last = Some(Stopwatch::start());
            screen.draw(|area, buffer| view.draw(area, buffer))?;
        }
        match screen.typed(LOOK)? {
            Typed::Nothing => continue,
            Typed::Other => {}
            Typed::Key(Pressed::Letter('q') | Pressed::Escape | Pressed::Interrupt) => return Ok(()),
            Typed::Key(Pressed::Suspend) => screen.suspend()?,
            Typed::Key(Pressed::Up | Pressed::Letter('k')) => view.turn(-1),
            Typed::Key(Pressed::Down | Pressed::Letter('j')) => view.turn(1),
            Typed::Key(Pressed::PageUp) => view.turn(-10),
            Typed::Key(Pressed::PageDown | Pressed::Letter(' ')) => view.turn(10),
            Typed::Key(_) => {}
        }
        screen.draw(|area, buffer| view.draw(area, buffer))?;
    }
}

/// What evaluates, in a session that changes nothing.
struct Evaluating<'a> {
    interpreter: Interpreter,
    code: &'a str,
    /// What was printed meanwhile.
    shown: Arc<Mutex<Vec<Value>>>,
}

impl<'a> Evaluating<'a> {
    fn new(context: &CommandContext, code: &'a str) -> Result<Self> {
        let shown = Arc::<Mutex<Vec<Value>>>::default();
        let seen = Arc::clone(&shown);
        let notices = Arc::new(move |notice| {
            let value = match notice {
                Notice::Printed(text) => Value::Text(text),
                Notice::Shown(value) | Notice::ShownAsJson(value) => value,
                _ => return,
            };
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        });
        let session = looking_session(world_to_watch(context)?, context.interrupt.clone(), notices);
        Ok(Self { interpreter: Interpreter::new(session, language_settings()?), code, shown })
    }

    /// What it prints and comes to.
    fn text(&mut self, width: Option<u16>) -> Result<String, ScriptError> {
        let ended = self.interpreter.line_of("<watch>", self.code);
        let mut shown = std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner));
        match ended? {
            Ending::Value(value) => shown.push(value),
            Ending::Exit(code) => shown.push(Value::Text(format!("exit code {code}"))),
        }
        let look = Look { width, colors: false };
        Ok(shown.iter().map(|value| render(value, Format::Table, look)).collect())
    }
}
