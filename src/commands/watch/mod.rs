//! `watch`: the cluster on the whole screen, for as long as somebody looks; or an expression.

mod away;
mod evaluating;
mod looking;

use crate::cli::WatchArgs;
use crate::commands::compose::{CommandContext, world_to_watch};
use crate::error::{Error, Result, ScriptError};
use crate::interrupt::{Hears, Interrupt};
use crate::live::clock::Stopwatch;
use crate::output::{FullScreen, Typed, give_screen_back};
use crate::time::show_seconds;
use crate::watch::{KeyMeaning, View, WatchedCluster, as_text, draw};
pub(super) use evaluating::expression;
use looking::{Lookout, Told};
use signal_hook::consts::SIGHUP;
use std::time::Duration;

/// What happens in the cluster is drawn no more often than this; a key is answered at once.
const FRAME: Duration = Duration::from_millis(500);

/// How often it is looked whether the process is to stop.
const LOOK: Duration = Duration::from_millis(200);

/// News that are older are told of as old.
const STALE: Duration = Duration::from_secs(3);

/// The width of a frame of text where nobody says it.
const USUAL_WIDTH: u16 = 80;

/// Watches until somebody leaves. The call that they want to take along to the prompt, if they do.
pub(super) fn main(context: &CommandContext, args: &WatchArgs) -> Result<Option<String>, ScriptError> {
    if args.once && context.output.format().is_for_programs() {
        return Err(Error::invalid("a frame is text for people, and no JSON")
            .hint("`-o json -e 'nodes()'` has the nodes for programs")
            .into());
    }
    if let Some(code) = &args.code {
        expression(context, code, args)?;
        return Ok(None);
    }
    if args.once {
        context.output.text(&once(context)?);
        return Ok(None);
    }
    Ok(on_screen(context)?)
}

/// Watches on the screen. The call that somebody chose, if they did.
///
/// # Errors
/// `interrupted`; that there is no terminal, or that it has gone.
pub(super) fn on_screen(context: &CommandContext) -> Result<Option<String>> {
    let _leaving = LeavesWithTerminal::listen(&context.interrupt);
    let screen = FullScreen::open()?;
    let view = view(context, context.output.out_has_colors());
    let mut looking = looking::begin(context)?;
    follow(context, screen, view, looking.as_mut())
}

fn follow(
    context: &CommandContext,
    mut screen: FullScreen,
    mut view: View,
    looking: &mut dyn Lookout,
) -> Result<Option<String>> {
    let mut heard = Stopwatch::start();
    let mut drawn: Option<Stopwatch> = None;
    let mut is_due = true;
    loop {
        context.interrupt.check()?;
        for told in looking.told(view.speed())? {
            heard = Stopwatch::start();
            tell(&mut view, told);
            is_due = true;
        }
        let wait = heard.elapsed();
        if wait > STALE {
            view.is_stale_for(wait);
            is_due = true;
        }
        let since = drawn.as_ref().map(Stopwatch::elapsed);
        if is_due && since.is_none_or(|since| since >= FRAME) {
            screen.draw(|area, buffer| draw(area, buffer, &view))?;
            drawn = Some(Stopwatch::start());
            is_due = false;
        }
        let typed = screen.typed(LOOK)?;
        if typed != Typed::Nothing {
            (is_due, drawn) = (true, None);
        }
        let Typed::Key(key) = typed else { continue };
        match view.press(key) {
            KeyMeaning::Seen => {}
            KeyMeaning::Leave => return Ok(None),
            KeyMeaning::Take(call) => return Ok(Some(call)),
            KeyMeaning::Suspend => {
                screen.suspend()?;
                heard = Stopwatch::start();
            }
            KeyMeaning::ViewWish(wish) => {
                view.say(looking::begun(&wish));
                looking.wish(wish)?;
            }
        }
    }
}

/// Ends the process when its terminal is closed, as long as this lives: whoever reads keys then may wait for ever, and a view has
/// nothing to bring to an end.
struct LeavesWithTerminal {
    interrupt: Interrupt,
    before: Option<Hears>,
}

impl LeavesWithTerminal {
    fn listen(interrupt: &Interrupt) -> Self {
        let leave = |signal| {
            if signal == SIGHUP {
                give_screen_back();
                signal_hook::low_level::exit(128 + SIGHUP);
            }
        };
        Self { interrupt: interrupt.clone(), before: interrupt.tell(Some(Box::new(leave))) }
    }
}

impl Drop for LeavesWithTerminal {
    fn drop(&mut self) {
        self.interrupt.tell(self.before.take());
    }
}

fn tell(view: &mut View, told: Told) {
    match told {
        Told::Picture(picture) => view.see(*picture),
        Told::Asked { node, answer: Ok(answer) } => view.say(format!("{} answers: {answer}", node.id)),
        Told::Asked { node, answer: Err(seconds) } => {
            let again = show_seconds(seconds);
            view.say(format!("{} was asked less than 10s ago; it can be asked again in {again}", node.id));
        }
        Told::Said(text) => view.say(text),
        Told::Shown { title, value } => view.show(title, value),
        Told::Failed { what, error } => view.say(format!("{what}: {}", error.message)),
    }
}

/// One frame, as text.
fn once(context: &CommandContext) -> Result<String> {
    let mut world = world_to_watch(context)?;
    let mut watched = WatchedCluster::default();
    watched.follow(&mut world, Duration::ZERO)?;
    if let Some(error) = watched.trouble() {
        return Err(error.clone());
    }
    watched.ask_nodes(&mut world)?;
    watched.note_lags();
    let mut view = view(context, false);
    view.see(watched.picture());
    Ok(as_text(&view, context.output.width().unwrap_or(USUAL_WIDTH)))
}

/// A view that has seen nothing yet.
fn view(context: &CommandContext, colors: bool) -> View {
    match &context.global.sandbox {
        Some(name) => View::of_sandbox(format!("sandbox {name}"), colors),
        None => View::of_cluster(place(context), colors),
    }
}

/// Which real cluster it is, at the top of each frame.
fn place(context: &CommandContext) -> String {
    let settings = &context.settings;
    let is_of_profile = settings.is_of_profile;
    let production = if settings.production && is_of_profile { " PRODUCTION" } else { "" };
    match (settings.profile.as_ref().filter(|_| is_of_profile), &settings.deployment) {
        (Some(name), _) => format!("{name}{production}"),
        (None, Some(deployment)) => deployment.name.clone(),
        (None, None) => crate::pd_url::without_passwords(&settings.pd_urls.join(", ")),
    }
}
