//! The same work on several threads, which end together.

use crate::error::{Error, Result, ScriptError};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The stack of a thread that plays scripts: enough for their deepest calls.
const STACK: usize = 128 << 20;

/// What threads that do the same work know of each other.
#[derive(Default)]
pub(super) struct AllThreads {
    failed: AtomicBool,
}

impl AllThreads {
    /// Whether one of them has failed: what the others come to is of no use then.
    pub(super) fn is_over(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Does `work`; the others hear of it where it fails, be it in a panic.
    fn one<T>(&self, work: impl FnOnce(&Self) -> Result<T, ScriptError>) -> Result<T, ScriptError> {
        let mut end = ThreadEnd { all: self, is_good: false };
        let done = work(self)?;
        end.is_good = true;
        Ok(done)
    }
}

/// How the work of one thread ended.
struct ThreadEnd<'a> {
    all: &'a AllThreads,
    is_good: bool,
}

impl Drop for ThreadEnd<'_> {
    fn drop(&mut self) {
        if !self.is_good {
            self.all.failed.store(true, Ordering::Relaxed);
        }
    }
}

/// Does the same work on `jobs` threads, and returns what each has come to. Where one fails the others end as soon as they look.
pub(super) fn on_threads<T: Send>(
    jobs: usize,
    work: impl Fn(&AllThreads) -> Result<T, ScriptError> + Sync,
) -> Result<Vec<T>, ScriptError> {
    let all = AllThreads::default();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..jobs.max(1) {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || all.one(&work));
            let thread = thread.inspect_err(|_| all.failed.store(true, Ordering::Relaxed));
            threads.push(thread.map_err(|e| Error::local("the system gives no thread").source(e))?);
        }
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| Error::internal("a thread that rehearsed futures panicked"))?);
        joined.collect()
    })
}

/// Does `work` for each place below `count` on at most `jobs` threads, each of which begins with something of its own; what came of
/// each place, in their order.
pub(super) fn spread<S, T: Send>(
    jobs: usize,
    count: usize,
    begin: impl Fn() -> Result<S, ScriptError> + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, ScriptError> + Sync,
) -> Result<Vec<T>, ScriptError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let next = AtomicUsize::new(0);
    let parts = on_threads(jobs.min(count), |all| {
        let (mut own, mut done) = (begin()?, Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count || all.is_over() {
                return Ok(done);
            }
            done.push((at, work(&mut own, at)?));
        }
    });
    let mut all: Vec<(usize, T)> = parts?.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, done)| done).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// What comes of three threads, of which one does `first` and the others work until they hear that it has failed, at most for some
    /// seconds; and how many have heard.
    fn three(first: impl Fn() -> Result<(), ScriptError> + Sync) -> (Result<Vec<()>, ScriptError>, usize) {
        let (begun, heard) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let came = on_threads(3, |all| {
            if begun.fetch_add(1, Ordering::SeqCst) == 0 {
                return first();
            }
            let hears = |_: &u32| {
                std::thread::yield_now();
                all.is_over()
            };
            heard.fetch_add((0..20_000_000).find(hears).map_or(0, |_| 1), Ordering::SeqCst);
            Ok(())
        });
        (came, heard.into_inner())
    }

    #[test]
    fn where_one_thread_fails_the_others_end() {
        let (came, heard) = three(|| Err(Error::invalid("no").into()));
        assert_eq!((came.unwrap_err().error.kind, heard), (ErrorKind::Invalid, 2));
        let (came, heard) = three(|| std::panic::resume_unwind(Box::new("as it should")));
        assert_eq!(came.unwrap_err().error.message, "a thread that rehearsed futures panicked");
        assert_eq!(heard, 2);
        assert_eq!(on_threads(3, |_| Ok(7)).unwrap(), [7, 7, 7]);
    }
}
