//! A tiny cluster that never changes, and an interpreter upon it: for tests of the language itself.

use binlogsh::error::{Error, Result, ScriptError};
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::Memory;
use binlogsh::language::{Ending, Interpreter, ScriptSettings, Source};
use binlogsh::node::{Kind, NodeRef, Record, State};
use binlogsh::policy::Yes;
use binlogsh::session::{Parts, Session};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::tso::Tso;
use binlogsh::value::Value;
use binlogsh::world::{
    Acted, Answer, Change, Clocks, Fence, Listing, Notice, Probe, ProbeFinding, Read, Request, World,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// What the world was asked, and what it does about it.
#[derive(Default)]
pub(crate) struct Asked {
    /// Every request, in order.
    pub(crate) requests: Vec<Request>,
    /// What the next pause or close answers instead of success.
    pub(crate) refuses: Option<Error>,
    /// Milliseconds of the clock; sleeping moves it.
    pub(crate) clock_ms: i64,
    /// Raised when the world is asked to sleep.
    pub(crate) stops_in_sleep: bool,
}

#[derive(Clone)]
struct Still(Rc<RefCell<Asked>>, Interrupt);

fn record(kind: Kind, id: &str) -> Record {
    let ts = 470_641_375_911_346_178i64;
    let json = format!(
        r#"{{"nodeId":"{id}","host":"10.0.0.1:82{}","state":"online","maxCommitTS":{ts},"updateTS":{ts}}}"#,
        id.len()
    );
    Record::parse(&format!("{}{id}", kind.prefix()), json.as_bytes(), 7).unwrap()
}

impl World for Still {
    fn apply(&mut self, request: &Request, _fence: Option<&Fence>) -> Result<Answer> {
        let mut asked = self.0.borrow_mut();
        asked.requests.push(request.clone());
        Ok(match request {
            Request::Read(Read::Nodes) => Answer::Listing(Listing {
                revision: 9,
                tso: Some(Tso(470_641_376_911_346_178)),
                tso_error: None,
                records: vec![
                    record(Kind::Pump, "pump-0"),
                    record(Kind::Pump, "pump-1"),
                    record(Kind::Drainer, "drainer-0"),
                ],
                malformed: Vec::new(),
            }),
            Request::Read(Read::Probe { nodes }) => {
                let one = |node: &NodeRef| Probe { node: node.clone(), finding: ProbeFinding::State(State::Online) };
                Answer::Probes(nodes.iter().map(one).collect())
            }
            Request::Read(Read::Now) => {
                asked.clock_ms += 1;
                Answer::Now(Clocks { unix_ms: asked.clock_ms, monotonic_ms: asked.clock_ms })
            }
            Request::Read(Read::Sleep { time }) => {
                asked.clock_ms += i64::try_from(time.as_millis()).unwrap();
                if asked.stops_in_sleep {
                    self.1.raise(2);
                    return Err(self.1.check().unwrap_err());
                }
                Answer::Done
            }
            Request::Change(Change::Act { .. }) => match asked.refuses.take() {
                Some(error) => return Err(error),
                None => Answer::Acted(Acted::said("apply action pause success!")),
            },
            Request::Read(Read::Tso) => Answer::Timestamp(Tso(470_641_376_911_346_178)),
            _ => Answer::Done,
        })
    }
}

/// An interpreter upon the tiny cluster.
pub(crate) struct Shell {
    pub(crate) interpreter: Interpreter,
    pub(crate) asked: Rc<RefCell<Asked>>,
    pub(crate) notices: Arc<Mutex<Vec<Notice>>>,
    pub(crate) interrupt: Interrupt,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self::with(ScriptSettings::default())
    }

    pub(crate) fn with(settings: ScriptSettings) -> Self {
        let (asked, interrupt) = (Rc::new(RefCell::new(Asked::default())), Interrupt::default());
        let world = Still(Rc::clone(&asked), interrupt.clone());
        Self::upon(Box::new(world), asked, interrupt, settings)
    }

    /// Upon the simulated cluster `sample`.
    pub(crate) fn simulated(sample: &str, settings: ScriptSettings) -> Self {
        let world = Simulated::new(&Scenario::named(sample).unwrap()).unwrap();
        let interrupt = Interrupt::default();
        let world = world.with_interrupt(interrupt.clone());
        Self::upon(Box::new(world), Rc::default(), interrupt, settings)
    }

    fn upon(world: Box<dyn World>, asked: Rc<RefCell<Asked>>, interrupt: Interrupt, settings: ScriptSettings) -> Self {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&notices);
        let tell: binlogsh::world::Notices = Arc::new(move |notice| kept.lock().unwrap().push(notice));
        let session = Session::new(Parts {
            world,
            journal: Box::new(Memory::of_everything()),
            policy: Box::new(Yes { notices: Arc::clone(&tell) }),
            notices: tell,
            interrupt: interrupt.clone(),
            lock: None,
        });
        let interpreter = Interpreter::new(Rc::new(RefCell::new(session)), settings);
        Self { interpreter, asked, notices, interrupt }
    }

    /// Runs the script `name` that comes with the program.
    pub(crate) fn script(&mut self, name: &str) -> Result<Ending, ScriptError> {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let text = std::fs::read_to_string(dir.join(format!("{name}.rhai"))).unwrap();
        self.interpreter.run(&Source { name: format!("scripts/{name}.rhai"), text, root: Some(dir) })
    }

    /// The names of the steps that began.
    pub(crate) fn steps(&self) -> Vec<String> {
        let name = |notice: &Notice| match notice {
            Notice::StepBegan(name) => Some(name.clone()),
            _ => None,
        };
        self.notices.lock().unwrap().iter().filter_map(name).collect()
    }

    /// Runs `code` as a script.
    pub(crate) fn run(&mut self, code: &str) -> Result<Ending, ScriptError> {
        self.interpreter.run(&Source::new("script.rhai", code))
    }

    /// The value of `code` as a script.
    pub(crate) fn value(&mut self, code: &str) -> Value {
        match self.run(code) {
            Ok(Ending::Value(value)) => value,
            other => panic!("{code}: {other:?}"),
        }
    }

    /// The error of `code` as a script.
    pub(crate) fn error(&mut self, code: &str) -> ScriptError {
        match self.run(code) {
            Err(error) => error,
            other => panic!("{code}: {other:?}"),
        }
    }

    /// The value of a line of the prompt.
    pub(crate) fn line(&mut self, code: &str) -> Value {
        match self.interpreter.line(code) {
            Ok(Ending::Value(value)) => value,
            other => panic!("{code}: {other:?}"),
        }
    }

    /// What was printed.
    pub(crate) fn printed(&self) -> Vec<String> {
        let text = |notice: &Notice| match notice {
            Notice::Printed(text) => Some(text.clone()),
            _ => None,
        };
        self.notices.lock().unwrap().iter().filter_map(text).collect()
    }

    /// How many pauses and closes were asked for.
    pub(crate) fn acts(&self) -> usize {
        self.asked
            .borrow()
            .requests
            .iter()
            .filter(|request| matches!(request, Request::Change(Change::Act { .. })))
            .count()
    }
}
