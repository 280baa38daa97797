//! `watch CODE`: an expression that is evaluated again and again.

use super::LeavesWithTerminal;
use super::away::{Away, on_a_thread};
use crate::cli::WatchArgs;
use crate::commands::compose::{CommandContext, Shared, looking_session, world_to_watch};
use crate::commands::evaluate::language_settings;
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::language::{Ending, Interpreter};
use crate::live::clock::{self, Stopwatch};
use crate::output::{Format, FullScreen, Look, Pressed, Typed, render};
use crate::time::parse_duration;
use crate::value::Value;
use crate::watch::ExpressionView;
use crate::world::{Notice, World, read};
use signal_hook::consts::SIGTERM;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
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
    if args.once {
        let width = context.output.width();
        context.output.text(&Evaluating::new(context, code)?.text(width)?);
        return Ok(());
    }
    // What does not work at all is told where it can be read.
    let (mut evaluated, first) = Evaluated::begin(context, code, interval.max(LEAST))?;
    let _leaving = LeavesWithTerminal::listen(&context.interrupt);
    let screen = FullScreen::open()?;
    let mut view = ExpressionView::new(code);
    view.see(clock::unix_ms(), &first);
    follow(context, screen, &mut view, &mut evaluated).map_err(ScriptError::from)
}

fn follow(
    context: &CommandContext,
    mut screen: FullScreen,
    view: &mut ExpressionView,
    evaluated: &mut Evaluated,
) -> Result<()> {
    let mut is_due = true;
    loop {
        context.interrupt.check()?;
        if let Some(text) = evaluated.next(screen.width())? {
            view.see(clock::unix_ms(), &text.unwrap_or_else(|error| format!("{}\n", error.error)));
            is_due = true;
        }
        if is_due {
            screen.draw(|area, buffer| view.draw(area, buffer))?;
        }
        let typed = screen.typed(LOOK)?;
        is_due = typed != Typed::Nothing;
        match typed {
            Typed::Key(Pressed::Letter('q') | Pressed::Escape | Pressed::Interrupt) => return Ok(()),
            Typed::Key(Pressed::Suspend) => screen.suspend()?,
            Typed::Key(Pressed::Up | Pressed::Letter('k')) => view.turn(-1),
            Typed::Key(Pressed::Down | Pressed::Letter('j')) => view.turn(1),
            Typed::Key(Pressed::PageUp) => view.turn(-10),
            Typed::Key(Pressed::PageDown | Pressed::Letter(' ')) => view.turn(10),
            Typed::Key(_) | Typed::Nothing | Typed::Other => {}
        }
    }
}

/// What comes of the expression, each time anew.
enum Evaluated {
    /// In a sandbox it is evaluated here: its world is in this thread, and waits for nothing.
    Here { evaluating: Box<Evaluating>, interval: Duration, last: Stopwatch },
    /// On a real cluster it is on a thread, since no key is to wait for an answer.
    Elsewhere {
        texts: Receiver<Result<String, ScriptError>>,
        /// How many columns there are.
        width: Arc<AtomicU16>,
        /// Ends what is evaluated, once nobody watches.
        interrupt: Interrupt,
    },
}

impl Evaluated {
    /// Begins, and returns what it comes to the first time.
    fn begin(context: &CommandContext, code: &str, interval: Duration) -> Result<(Self, String), ScriptError> {
        if context.global.sandbox.is_some() {
            let mut evaluating = Box::new(Evaluating::new(context, code)?);
            let first = shown_if_passing(evaluating.text(context.output.width()))?;
            return Ok((Self::Here { evaluating, interval, last: Stopwatch::start() }, first));
        }
        let (tell, texts) = sync_channel(1);
        let (away, width, code) = (Away::from(context), Arc::<AtomicU16>::default(), code.to_owned());
        width.store(context.output.width().unwrap_or_default(), Ordering::Relaxed);
        let (interrupt, columns) = (away.interrupt.clone(), Arc::clone(&width));
        on_a_thread("watch", move || {
            if let Err(error) = evaluate(&away, &code, interval, &columns, &tell) {
                // Nobody watches any more if this cannot be told.
                let _ = tell.send(Err(error.into()));
            }
        })?;
        let evaluated = Self::Elsewhere { texts, width, interrupt };
        loop {
            context.interrupt.check()?;
            match evaluated.told(LOOK)? {
                Some(first) => return Ok((evaluated, shown_if_passing(first)?)),
                None => continue,
            }
        }
    }

    /// What it came to, if it was evaluated since the last time.
    fn next(&mut self, columns: Option<u16>) -> Result<Option<Result<String, ScriptError>>> {
        match self {
            Self::Here { evaluating, interval, last } => Ok((last.elapsed() >= *interval).then(|| {
                *last = Stopwatch::start();
                evaluating.text(columns)
            })),
            Self::Elsewhere { width, .. } => {
                width.store(columns.unwrap_or_default(), Ordering::Relaxed);
                self.told(Duration::ZERO)
            }
        }
    }

    fn told(&self, patience: Duration) -> Result<Option<Result<String, ScriptError>>> {
        let Self::Elsewhere { texts, .. } = self else { return Ok(None) };
        match texts.recv_timeout(patience) {
            Ok(text) => Ok(Some(text)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::internal("nobody evaluates the expression any more")),
        }
    }
}

/// What can never come to anything is an error at once; what may pass is watched.
fn shown_if_passing(text: Result<String, ScriptError>) -> Result<String, ScriptError> {
    let passes = |error: &ScriptError| {
        matches!(
            error.error.kind,
            ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::NotFound | ErrorKind::Failed
        )
    };
    text.or_else(|error| if passes(&error) { Ok(format!("{}\n", error.error)) } else { Err(error) })
}

impl Drop for Evaluated {
    fn drop(&mut self) {
        if let Self::Elsewhere { interrupt, .. } = self {
            interrupt.raise(SIGTERM);
        }
    }
}

/// Evaluates again and again until nobody watches.
fn evaluate(
    away: &Away,
    code: &str,
    interval: Duration,
    columns: &AtomicU16,
    tell: &SyncSender<Result<String, ScriptError>>,
) -> Result<()> {
    let mut evaluating = Evaluating::new(&away.context(), code)?;
    loop {
        let width = Some(columns.load(Ordering::Relaxed)).filter(|width| *width > 0);
        if tell.send(evaluating.text(width)).is_err() {
            return Ok(());
        }
        (&mut evaluating.world as &mut dyn World).ask(read::Sleep { time: interval })?;
    }
}

/// What evaluates, in a session that changes nothing.
struct Evaluating {
    world: Shared,
    interpreter: Interpreter,
    code: String,
    /// What was printed meanwhile.
    shown: Arc<Mutex<Vec<Value>>>,
}

impl Evaluating {
    fn new(context: &CommandContext, code: &str) -> Result<Self> {
        let shown = Arc::<Mutex<Vec<Value>>>::default();
        let seen = Arc::clone(&shown);
        let notices = Arc::new(move |notice| {
            let value = match notice {
                Notice::Printed(text) => Value::Text(text),
                Notice::Warning(text) => Value::Text(format!("warning: {text}")),
                Notice::Shown(value) | Notice::ShownAsJson(value) => value,
                // How a wait or a change goes on is nothing that it comes to.
                Notice::Progress(_)
                | Notice::Sleeping(_)
                | Notice::ProgressEnd
                | Notice::StepBegan(_)
                | Notice::Acting(_)
                | Notice::Answered { .. }
                | Notice::Changed(_)
                | Notice::Begun(_)
                | Notice::Said { .. }
                | Notice::Traced { .. } => return,
            };
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        });
        let world = world_to_watch(context)?;
        let session = looking_session(world.clone(), context.interrupt.clone(), notices);
        let interpreter = Interpreter::new(session, language_settings()?);
        Ok(Self { world, interpreter, code: code.to_owned(), shown })
    }

    /// What it prints and comes to.
    fn text(&mut self, width: Option<u16>) -> Result<String, ScriptError> {
        let ended = self.interpreter.line_of("<watch>", &self.code);
        let mut shown = std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner));
        match ended? {
            Ending::Value(value) => shown.push(value),
            Ending::Exit(code) => shown.push(Value::Text(format!("exit code {code}"))),
        }
        let look = Look { width, colors: false };
        Ok(shown.iter().map(|value| render(value, Format::Table, look)).collect())
    }
}
