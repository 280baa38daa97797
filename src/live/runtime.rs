//! The thread on which everything waits for the network, while the caller's thread looks whether it should stop.
//!
//! It is started at first use and goes on while a script computes, so that keep-alives do too.

use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::live::clock::TICK;
use std::future::Future;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::JoinHandle;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime and its thread; both end when it is dropped.
pub(super) struct Runtime {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Runtime {
    /// Starts the thread.
    ///
    /// # Errors
    /// `local` when the system gives no thread or no timer.
    pub(super) fn start() -> Result<Self> {
        let failed = |e: std::io::Error| Error::local("cannot start the network's thread").source(e);
        // Deadlines are looked at between any few steps, however many more steps there are to do.
        let runtime = Builder::new_current_thread().enable_all().event_interval(4).build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            // Either way it is time to end: told so, or whoever could tell is gone.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("network".into()).spawn(run).map_err(failed)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs `work` on the runtime's thread and waits for what it gives.
    ///
    /// # Errors
    /// Those of `work`, or `interrupted` within some milliseconds of the wish to stop: the work is then given up.
    pub(super) fn run<T: Send + 'static>(
        &self,
        interrupt: &Interrupt,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        interrupt.check()?;
        let (give, take) = channel();
        let task = self.handle.spawn(async move {
            // Nobody takes it when the caller was interrupted.
            let _ = give.send(work.await);
        });
        loop {
            match take.recv_timeout(TICK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(interrupted) = interrupt.check() {
                        task.abort();
                        return Err(interrupted);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(ErrorKind::Internal, "the network's thread gave up a request")
                        .hint("this is a defect of binlogsh: please report it"));
                }
            }
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was reported when it happened.
            let _ = thread.join();
        }
    }
}
