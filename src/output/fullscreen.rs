//! The whole screen for one view, and the terminal as it was once that is over: by a key, an error, a signal or a panic.
#![expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]

use super::keyboard::GoingOn;
use super::terminal::is_dumb;
use crate::error::{Error, Result};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use std::io::{IsTerminal, Stdout, stdin, stdout};
use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether a view has the screen, for whoever has to give it back in a hurry.
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// A key that views know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// A letter, a digit, a sign.
    Letter(char),
    /// Enter.
    Enter,
    /// Esc.
    Escape,
    /// Backspace.
    Backspace,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Ctrl-C, which is a key here and no signal.
    Interrupt,
    /// Ctrl-Z, likewise.
    Suspend,
}

/// What came from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A key.
    Key(Pressed),
    /// It has another size, or something else that is to be drawn anew.
    Other,
    /// Nothing, for as long as one waited.
    Nothing,
}

/// For how long the library is asked what came: for no time at all it does not look.
const LOOK: Duration = Duration::from_millis(1);

/// The whole screen, as long as this lives.
pub struct FullScreen {
    /// Never dropped: it would print that it cannot show the cursor of a terminal that has gone, and panic where that fails.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    /// Whether the process was stopped by somebody else and goes on: the terminal is then as others left it.
    goes_on: GoingOn,
}

impl FullScreen {
    /// Takes the screen.
    ///
    /// # Errors
    /// `invalid` where there is no terminal that can show one; `local` when it cannot be set.
    pub fn open() -> Result<Self> {
        if !stdin().is_terminal() || !stdout().is_terminal() || is_dumb() {
            return Err(Error::invalid("a view needs a terminal that it can draw on, with its keyboard")
                .hint("`--once` prints one frame as text"));
        }
        give_back_before_panics();
        let goes_on = GoingOn::listen()?;
        enter()?;
        Ok(Self { terminal: new_terminal()?, goes_on })
    }

    /// Draws a frame: all of it is drawn each time, and only what differs is sent.
    ///
    /// # Errors
    /// `local` when the terminal has gone.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> Result<()> {
        let drawn = self.terminal.draw(|frame| {
            let area = frame.area();
            draw(area, frame.buffer_mut());
        });
        drawn.map(drop).map_err(unusable)
    }

    /// How many columns there are, if the terminal says that.
    pub fn width(&self) -> Option<u16> {
        self.terminal.size().ok().map(|size| size.width)
    }

    /// What comes from the terminal within `patience`.
    ///
    /// # Errors
    /// `local` when the terminal has gone.
    pub fn typed(&mut self, patience: Duration) -> Result<Typed> {
        if self.goes_on.take() {
            leave();
            self.take_again()?;
            return Ok(Typed::Other);
        }
        // What was read already, and another size, is known to the library alone.
        if !poll(LOOK).map_err(unusable)? {
            has_input(patience)?;
            if !poll(LOOK).map_err(unusable)? {
                return Ok(Typed::Nothing);
            }
        }
        Ok(match read().map_err(unusable)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key).map_or(Typed::Nothing, Typed::Key),
            Event::Resize(..) | Event::FocusGained => Typed::Other,
            Event::Key(_) | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) => Typed::Nothing,
        })
    }

    /// Stops the process as Ctrl-Z does elsewhere, with the terminal as it was; returns when somebody goes on with it.
    ///
    /// # Errors
    /// `local` when the terminal has gone meanwhile.
    pub fn suspend(&mut self) -> Result<()> {
        leave();
        // To the whole group, as a terminal does: a shell that waits for a pipeline sees all of it stop.
        kill_current_process_group(Signal::TSTP)
            .map_err(|errno| Error::local("the process cannot be stopped").source(errno))?;
        self.goes_on.take();
        self.take_again()
    }

    /// Takes the screen once more.
    fn take_again(&mut self) -> Result<()> {
        enter()?;
        // It knows nothing of what is on the screen now; to have it cleared would ask the terminal where its cursor is.
        self.terminal = new_terminal()?;
        Ok(())
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        leave();
    }
}

/// Whether something was typed within `patience`. The library would ask a terminal that has gone for ever.
fn has_input(patience: Duration) -> Result<bool> {
    let input = stdin();
    let mut polled = [PollFd::new(&input, PollFlags::IN)];
    let patience = Timespec::try_from(patience).ok();
    match rustix::event::poll(&mut polled, patience.as_ref()) {
        Err(Errno::INTR) => return Ok(false),
        Err(errno) => return Err(Error::local("the terminal cannot be used").source(errno)),
        Ok(_) => {}
    }
    let said = polled[0].revents();
    match said.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        true => Err(Error::local("the terminal has gone")),
        false => Ok(said.contains(PollFlags::IN)),
    }
}

/// Gives the screen back in a hurry, from any thread, if a view has it.
pub fn give_screen_back() {
    leave();
}

fn new_terminal() -> Result<ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>> {
    Terminal::new(CrosstermBackend::new(stdout())).map(ManuallyDrop::new).map_err(|fault| {
        leave();
        unusable(fault)
    })
}

fn enter() -> Result<()> {
    IS_OPEN.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode()
        .and_then(|()| reads_what_is_there())
        .and_then(|()| execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All)));
    entered.map_err(|fault| {
        leave();
        unusable(fault)
    })
}

/// Reading waits for nothing. The library reads on where a key has only begun (Alt-[ is how an arrow begins), and would wait for the
/// rest of it whatever else comes.
fn reads_what_is_there() -> std::io::Result<()> {
    let mut modes = tcgetattr(stdin())?;
    modes.special_codes[SpecialCodeIndex::VMIN] = 0;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    Ok(tcsetattr(stdin(), OptionalActions::Now, &modes)?)
}

/// Gives the screen back, once. Nothing better can be done where that fails.
fn leave() {
    if IS_OPEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// What a panic says is to be read: the screen is given back first, in whichever thread it happens.
fn give_back_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            tell(panic);
        }));
    });
}

fn unusable(fault: std::io::Error) -> Error {
    Error::local("the terminal cannot be used").source(fault)
}

fn pressed(key: KeyEvent) -> Option<Pressed> {
    // Esc with a key right behind it comes as Alt with that key: no letter is meant.
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c' | 'd') if is_control => Pressed::Interrupt,
        KeyCode::Char('z') if is_control => Pressed::Suspend,
        KeyCode::Char(letter) if !is_control => Pressed::Letter(letter),
        KeyCode::Enter => Pressed::Enter,
        KeyCode::Esc => Pressed::Escape,
        KeyCode::Backspace => Pressed::Backspace,
        KeyCode::Up => Pressed::Up,
        KeyCode::Down => Pressed::Down,
        KeyCode::PageUp => Pressed::PageUp,
        KeyCode::PageDown => Pressed::PageDown,
        KeyCode::Home => Pressed::Home,
        KeyCode::End => Pressed::End,
        _ => return None,
    })
}
