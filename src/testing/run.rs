//! Running the tests of files, on several threads.

use super::files::TestFile;
use super::functions::{self, T};
use super::test_cluster::TestCluster;
use crate::error::{Error, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::journal::Memory;
use crate::language::{Interpreter, Limits, ScriptSettings};
use crate::policy::ReadOnly;
use crate::session::{Parts, Session};
use crate::text::ShownPath;
use crate::world::{Answer, Fence, Request, World};
use rhai::Dynamic;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many steps of evaluation a test gets for itself, beside those of the scripts that it runs.
const OPERATIONS: u64 = 50_000_000;

/// How the names of tests begin.
const BEGINNING: &str = "test_";

/// How tests are run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only tests whose name (`FILE::FUNCTION`) has this in it.
    pub filter: Option<String>,
    /// On how many threads; on one if it is 0.
    pub jobs: usize,
    /// Keep stories anew that differ from their snapshots.
    pub update: bool,
    /// Where a script that a test runs is stopped; of a test itself the memory.
    pub limits: Limits,
}

/// What came of a test.
#[derive(Clone, Debug)]
pub struct TestVerdict {
    /// Its file.
    pub file: PathBuf,
    /// Its function; empty where the file itself cannot be used.
    pub test: String,
    /// Why it failed.
    pub failure: Option<ScriptError>,
    /// The story of the last script that it ran, if it failed.
    pub story: Vec<String>,
    /// What it took, by the clock that the caller handed in.
    pub seconds: f64,
}

impl TestVerdict {
    /// `FILE::FUNCTION`.
    pub fn name(&self) -> String {
        match self.test.is_empty() {
            true => self.file.display().to_string(),
            false => format!("{}::{}", self.file.display(), self.test),
        }
    }

    fn unusable(file: &TestFile, error: ScriptError) -> Self {
        let (file, test) = (file.path.clone(), String::new());
        Self { file, test, failure: Some(error), story: Vec::new(), seconds: 0.0 }
    }
}

/// Says how many seconds passed since some moment. Called from any thread.
pub(crate) type ElapsedSeconds<'w> = &'w (dyn Fn() -> f64 + Sync);

/// Runs the tests in `files`, and returns what came of each, in the order in which they stand.
///
/// # Errors
/// `interrupted`.
pub fn run(
    files: &[TestFile],
    options: &Options,
    interrupt: &Interrupt,
    watch: ElapsedSeconds<'_>,
) -> Result<Vec<TestVerdict>> {
    let mut work = Vec::new();
    let mut verdicts = Vec::new();
    for file in files {
        match names(file, options, interrupt) {
            Ok(names) => work.extend(names.into_iter().map(|name| (file, name))),
            Err(error) => verdicts.push(TestVerdict::unusable(file, error)),
        }
    }
    let is_wanted = |(file, name): &(&TestFile, String)| {
        let full = format!("{}::{name}", file.path.display());
        options.filter.as_ref().is_none_or(|part| full.contains(part.as_str()))
    };
    work.retain(is_wanted);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let go = || {
        while let Some((at, (file, name))) = take(&next, &work) {
            let began = watch();
            let (failure, story) = one(file, name, options, interrupt);
            let verdict =
                TestVerdict { file: file.path.clone(), test: name.clone(), failure, story, seconds: watch() - began };
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, verdict));
            if interrupt.pending().is_some() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        (1..options.jobs).for_each(|_| drop(scope.spawn(go)));
        go();
    });
    interrupt.check()?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    verdicts.extend(done.into_iter().map(|(_, verdict)| verdict));
    Ok(verdicts)
}

fn take<'w, W>(next: &AtomicUsize, work: &'w [W]) -> Option<(usize, &'w W)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    work.get(at).map(|one| (at, one))
}

/// The tests of a file, in the order in which they stand.
fn names(file: &TestFile, options: &Options, interrupt: &Interrupt) -> Result<Vec<String>, ScriptError> {
    let mut interpreter = interpreter(&options.limits, interrupt);
    let prepared = interpreter.prepare(&file.source())?;
    let mut names = Vec::new();
    for (name, parameters) in interpreter.functions_of(&prepared) {
        if !name.starts_with(BEGINNING) {
            continue;
        }
        if parameters != 1 {
            let error = Error::invalid(format!("{}: `{name}` takes {parameters} parameters", file.path.shown()));
            return Err(error.hint(format!("a test takes the cluster that it works in: fn {name}(t)")).into());
        }
        names.push(name);
    }
    match names.is_empty() {
        true => Err(Error::invalid(format!("{} has no test", file.path.shown()))
            .hint("a test is a function: fn test_it_works(t) { t.run(\"script.rhai\"); t.expect_ok(); }")
            .into()),
        false => Ok(names),
    }
}

/// The world of a test file itself: there is none. Refuses everything: what a test does, it does in the cluster that it was given.
struct NoWorld;

impl World for NoWorld {
    fn apply(&mut self, _request: &Request, _fence: Option<&Fence>) -> Result<Answer> {
        Err(Error::invalid("a test has no cluster of its own").hint(
            "run it in the test's: t.run(\"script.rhai\") or t.run_code(\"pumps()\"), and look at what came of it",
        ))
    }
}

/// An interpreter for tests: it knows `t`, and no cluster.
fn interpreter(limits: &Limits, interrupt: &Interrupt) -> Interpreter {
    let session = Session::new(Parts {
        world: Box::new(NoWorld),
        journal: Box::new(Memory::of_changes()),
        policy: Box::new(ReadOnly),
        notices: Arc::new(|_| {}),
        interrupt: interrupt.clone(),
        lock: None,
    });
    let limits = Limits { operations: OPERATIONS, ..limits.clone() };
    let settings = ScriptSettings { limits, ..ScriptSettings::default() };
    let mut interpreter = Interpreter::new(Rc::new(RefCell::new(session)), settings);
    interpreter.extend(functions::register);
    interpreter
}

/// Runs one test: why it failed, and the story that it came to.
fn one(file: &TestFile, name: &str, options: &Options, interrupt: &Interrupt) -> (Option<ScriptError>, Vec<String>) {
    let cluster = match TestCluster::new(file, name, options, interrupt.clone()) {
        Ok(cluster) => T(Rc::new(RefCell::new(cluster))),
        Err(error) => return (Some(error.into()), Vec::new()),
    };
    let mut interpreter = interpreter(&options.limits, interrupt);
    let called = interpreter
        .prepare(&file.source())
        .and_then(|prepared| interpreter.call(&prepared, name, Dynamic::from(cluster.clone())))
        .and_then(|_| cluster.0.borrow().is_settled().map_err(ScriptError::from));
    match called {
        Ok(()) => (None, Vec::new()),
        Err(error) => {
            let story = cluster.0.borrow().story().unwrap_or_default();
            (Some(error), story)
        }
    }
}
