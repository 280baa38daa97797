//! What a thread takes along that looks at a real cluster while somebody else draws.

use crate::cli::Global;
use crate::commands::compose::CommandContext;
use crate::config::ProfileSettings;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::output::Output;

/// A context for another thread, with an interrupt of its own: raised once nobody watches any more.
#[derive(Clone)]
pub(super) struct Away {
    global: Global,
    settings: ProfileSettings,
    output: Output,
    pub(super) interrupt: Interrupt,
}

impl From<&CommandContext> for Away {
    fn from(context: &CommandContext) -> Self {
        let CommandContext { global, settings, output, .. } = context;
        Self {
            global: global.clone(),
            settings: settings.clone(),
            output: output.clone(),
            interrupt: Interrupt::default(),
        }
    }
}

impl Away {
    /// The context, once it is there.
    pub(super) fn context(&self) -> CommandContext {
        CommandContext::new(self.global.clone(), self.settings.clone(), self.output.clone(), self.interrupt.clone())
    }
}

/// Does `work` on a thread that nobody waits for.
///
/// # Errors
/// `local` when there is none to be had.
pub(super) fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(|fault| Error::local("there is no thread to look with").source(fault))
}
