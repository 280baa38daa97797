//! What the bound functions share: the session, and how the run stands.

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::language::failure::Failure;
use crate::language::reading::parameter::ParamDoc;
use crate::language::reading::place;
use crate::language::reading::sources::Sources;
use crate::language::running::memory::ScriptMemory;
use crate::language::settings::ScriptSettings;
use crate::language::shapes::Shapes;
use crate::operations::{Arguments, Operation};
use crate::session::Session;
use crate::value::Value;
use crate::world::{Answer, Gate, GuardName, Notice, Notices, Query, Request, WaitEnd};
use rhai::{Dynamic, EvalAltResult, Module, Position, Shared};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

/// What the bound functions share. Nothing in it stays borrowed while a script's closure runs.
pub(crate) struct Host {
    session: Rc<RefCell<Session>>,
    notices: Notices,
    interrupt: Interrupt,
    pub(crate) settings: ScriptSettings,
    pub(crate) memory: ScriptMemory,
    pub(crate) sources: Sources,
    pub(crate) shapes: RefCell<Shapes>,
    pub(crate) declared: RefCell<Vec<ParamDoc>>,
    root: RefCell<Option<PathBuf>>,
    stopped: Cell<bool>,
    exit: Cell<Option<u8>>,
    open_for: Cell<OpenFor>,
    /// The steps that the script is in, the innermost last.
    steps: RefCell<Vec<String>>,
    /// The step that an error is just leaving; none once the script has gone on.
    failed_step: RefCell<Option<String>>,
    /// The modules that were imported from files since something was last compiled.
    pub(crate) modules: RefCell<HashMap<String, Shared<Module>>>,
}

impl Host {
    pub(crate) fn new(session: Rc<RefCell<Session>>, settings: ScriptSettings) -> Self {
        let (notices, interrupt) = {
            let session = session.borrow();
            (session.notices().clone(), session.interrupt().clone())
        };
        Self {
            session,
            notices,
            interrupt,
            memory: ScriptMemory::new(settings.limits.memory),
            settings,
            sources: Sources::default(),
            shapes: RefCell::default(),
            declared: RefCell::default(),
            root: RefCell::default(),
            stopped: Cell::new(false),
            exit: Cell::new(None),
            open_for: Cell::new(OpenFor::Everything),
            steps: RefCell::default(),
            failed_step: RefCell::default(),
            modules: RefCell::default(),
        }
    }

    /// Begins a run of a script in the directory `root`: nothing of the last one is left.
    pub(crate) fn begin(&self, root: Option<PathBuf>, declared: Vec<ParamDoc>) {
        *self.root.borrow_mut() = root;
        *self.declared.borrow_mut() = declared;
        self.stopped.set(false);
        self.exit.set(None);
        self.open_for.set(OpenFor::Everything);
        self.failed_step.take();
        self.steps.borrow_mut().clear();
        self.session.borrow_mut().step(None);
        self.memory.script_begins();
    }

    /// Forgets what ended the last line of the prompt.
    pub(crate) fn start_afresh(&self) {
        self.session.borrow_mut().start_afresh();
    }

    /// Whether the session takes the maintenance lock at all.
    pub(crate) fn takes_lock(&self) -> bool {
        self.session.borrow().takes_lock()
    }

    /// The maintenance lock is taken before the cluster is looked at.
    pub(crate) fn lock_ahead(&self) {
        self.session.borrow_mut().lock_ahead();
    }

    /// Gives a lock back that was taken ahead for a line, and not used by it.
    pub(crate) fn unlock_unused(&self) {
        self.session.borrow_mut().unlock_unused();
    }

    /// The directories beneath which modules may be imported, without symbolic links.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        let all = match &*self.root.borrow() {
            Some(root) => vec![root.clone()],
            None => self.settings.roots.clone(),
        };
        all.into_iter().filter_map(|root| root.canonicalize().ok()).collect()
    }

    /// Whether the script must not take another step. Looked at before each, so it is a few loads.
    pub(crate) fn must_stop(&self) -> bool {
        self.stopped.get() || self.interrupt.pending().is_some() || self.memory.is_exceeded()
    }

    /// What ends the run, if anything does, whatever the script catches: the first fatal error, which a pending interrupt becomes, or too
    /// much memory.
    pub(crate) fn fatal(&self) -> Option<Error> {
        let mut session = self.session.borrow_mut();
        if let Err(error) = self.interrupt.check() {
            session.latch(&error);
        }
        session.fatal().cloned().or_else(|| self.memory.error())
    }

    /// The code that the script asked to exit with.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        self.exit.get()
    }

    /// Ends the run with `code`, whatever the script would like to catch.
    pub(crate) fn exit(&self, code: u8) -> Box<EvalAltResult> {
        self.exit.set(Some(code));
        self.stopped.set(true);
        EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into()
    }

    /// `error` as the script gets it: to be caught, or, if it is fatal, to end the run.
    pub(crate) fn raise(&self, error: Error) -> Box<EvalAltResult> {
        if !error.kind.is_fatal() {
            return EvalAltResult::ErrorRuntime(Dynamic::from(Failure::new(error)), Position::NONE).into();
        }
        if let Ok(mut session) = self.session.try_borrow_mut() {
            session.latch(&error);
        }
        self.stopped.set(true);
        EvalAltResult::ErrorTerminated(Dynamic::from(Failure::new(error)), Position::NONE).into()
    }

    /// Ends the run unless there is room for so many bytes more.
    pub(crate) fn room_for(&self, bytes: usize) -> std::result::Result<(), Box<EvalAltResult>> {
        self.memory.room_for(bytes).map_err(ended)
    }

    /// Ends the run unless there is room for `times` copies of `value`.
    pub(crate) fn room_to_copy(&self, value: &Dynamic, times: usize) -> std::result::Result<(), Box<EvalAltResult>> {
        self.memory.room_to_copy(value, times).map_err(ended)
    }

    /// Ends the run unless there is room to write `values` out `times` times.
    pub(crate) fn room_to_write<'a>(
        &self,
        values: impl Iterator<Item = &'a Dynamic>,
        times: usize,
    ) -> std::result::Result<(), Box<EvalAltResult>> {
        self.memory.room_to_write(values, times).map_err(ended)
    }

    /// The same at a place of the script.
    pub(crate) fn raise_at(&self, error: Error, at: Position) -> Box<EvalAltResult> {
        let mut raised = self.raise(error);
        raised.set_position(at);
        raised
    }

    /// Does `work` as the step `name`; the step around it, if there is one, goes on afterwards.
    pub(crate) fn within_step<T>(&self, name: String, work: impl FnOnce() -> T) -> T {
        self.tell(Notice::StepBegan(name.clone()));
        self.session.borrow_mut().step(Some(&name));
        self.steps.borrow_mut().push(name);
        let result = work();
        let mut steps = self.steps.borrow_mut();
        steps.pop();
        self.session.borrow_mut().step(steps.last().map(String::as_str));
        result
    }

    /// An error leaves the step `name`.
    pub(crate) fn step_failed(&self, name: String) {
        self.failed_step.borrow_mut().get_or_insert(name);
    }

    /// The innermost step that the error which ended the run has left.
    pub(crate) fn failed_step(&self) -> Option<String> {
        self.failed_step.borrow().clone()
    }

    /// Lets a person see how it goes.
    pub(crate) fn tell(&self, notice: Notice) {
        self.failed_step.take();
        (self.notices)(notice);
    }

    /// Tells where in the script `operation`, which changes something, is called.
    pub(crate) fn acting(&self, operation: &str, source: &str, position: Position) {
        if let Some(place) = place::of_call(operation, source, position, &self.sources) {
            self.tell(Notice::Acting(self.sources.shown(*place)));
        }
    }

    /// Asks `query` through the gate.
    pub(crate) fn ask<Q: Query>(&self, query: Q) -> Result<Q::Reply> {
        self.at_the_gate(|gate| gate.ask(query))
    }

    /// A wait begins to look.
    pub(crate) fn wait_begins(&self) -> Result<()> {
        self.at_the_gate(|gate| gate.wait_begins())
    }

    /// A look of a wait is over; whether the wait is, and if so, how.
    pub(crate) fn wait_looked(&self, ends: Option<WaitEnd>) -> Result<Option<WaitEnd>> {
        self.at_the_gate(|gate| gate.wait_looked(ends))
    }

    /// The wait looks again.
    pub(crate) fn wait_goes_on(&self) {
        self.session.borrow_mut().wait_goes_on();
    }

    /// The wait is over.
    pub(crate) fn wait_ends(&self) {
        self.session.borrow_mut().wait_ends();
    }

    /// Does `operation` through the gate.
    pub(crate) fn run(&self, operation: &'static Operation, values: Vec<Value>) -> Result<Value> {
        let arguments = Arguments::check(&operation.function, values)?;
        self.at_the_gate(|gate| (operation.call)(gate, &arguments))
    }

    fn at_the_gate<T>(&self, work: impl FnOnce(&mut dyn Gate) -> Result<T>) -> Result<T> {
        self.failed_step.take();
        let Ok(mut session) = self.session.try_borrow_mut() else {
            return Err(Error::internal("the gate was entered while somebody stood in it"));
        };
        match self.open_for.get() {
            OpenFor::Everything => work(&mut *session),
            narrower => work(&mut Narrowed(&mut *session, narrower)),
        }
    }

    /// Runs `work`, during which the gate is open for this only.
    pub(crate) fn open_for<T>(&self, what: OpenFor, work: impl FnOnce() -> T) -> T {
        let before = self.open_for.replace(what);
        let result = work();
        self.open_for.set(before);
        result
    }
}

/// `error`, which the memory knows and [`Host::fatal`] returns, as what no script can catch.
fn ended(error: Error) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(Failure::new(error)), Position::NONE).into()
}

/// What the gate is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenFor {
    /// For all that there is.
    Everything,
    /// For looks: a condition is asked again and again.
    Looks,
    /// For nothing: what is missing is said by what was seen, since a journal keeps nothing of this.
    Nothing,
}

/// The gate as a wait sees it.
struct Narrowed<'a>(&'a mut dyn Gate, OpenFor);

impl Gate for Narrowed<'_> {
    fn perform(&mut self, request: Request, force: &[GuardName]) -> Result<Answer> {
        match self.1 {
            OpenFor::Looks if request.is_look() => self.0.perform(request, force),
            OpenFor::Nothing => Err(Error::invalid("what is missing is said without asking the cluster for it")
                .hint("let the condition of wait_until look, and what it returns say what was seen")),
            OpenFor::Everything | OpenFor::Looks => {
                Err(Error::invalid("a condition of wait_until changes nothing: it may be asked a thousand times")
                    .hint("make the change before wait_until, and only look inside it"))
            }
        }
    }

    fn wait_begins(&mut self) -> Result<()> {
        self.0.wait_begins()
    }

    fn wait_looked(&mut self, ends: Option<WaitEnd>) -> Result<Option<WaitEnd>> {
        self.0.wait_looked(ends)
    }

    fn wait_goes_on(&mut self) {
        self.0.wait_goes_on();
    }

    fn wait_ends(&mut self) {
        self.0.wait_ends();
    }

    fn tell(&mut self, notice: Notice) {
        self.0.tell(notice);
    }
}
