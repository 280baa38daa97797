//! A script that is cut off at any of its effects goes on over its journal, does nothing twice, and reaches its goal.

use super::script;
use binlogsh::error::{Result, ScriptError};
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::{Entry, Memory};
use binlogsh::language::{Ending, Interpreter, ScriptSettings, Shipped, shipped};
use binlogsh::node::Kind;
use binlogsh::policy::Yes;
use binlogsh::session::{Parts, Session};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::{Answer, Change, Fence, Read, Request, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How long nobody looks after the run.
const AWAY: Duration = Duration::from_secs(600);

/// Where a run is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    /// Right before the effect of this number.
    Before(usize),
    /// At the first question after it.
    After(usize),
    Nowhere,
}

/// A simulated cluster that the run loses at some point.
struct Losing {
    world: Rc<RefCell<Simulated>>,
    cut: Where,
    done: Rc<RefCell<Vec<String>>>,
    interrupt: Interrupt,
}

impl World for Losing {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let effect = request.change().and_then(Change::planned).map(|effect| effect.to_string());
        let done = self.done.borrow().len();
        let is_cut = match self.cut {
            Where::Before(at) => effect.is_some() && done == at,
            Where::After(at) => done == at + 1,
            Where::Nowhere => false,
        };
        if is_cut {
            self.interrupt.raise(15);
            self.interrupt.check()?;
        }
        let answer = self.world.borrow_mut().apply(request, fence)?;
        self.done.borrow_mut().extend(effect);
        Ok(answer)
    }
}

/// A run of the script, in `world`, over what an earlier one has noted; what it did, and all entries.
fn run(
    script: Shipped,
    world: &Rc<RefCell<Simulated>>,
    before: &[Entry],
    cut: Where,
) -> (std::result::Result<Ending, ScriptError>, Vec<String>, Vec<Entry>) {
    let (done, interrupt) = (Rc::default(), Interrupt::default());
    let losing = Losing { world: Rc::clone(world), cut, done: Rc::clone(&done), interrupt: interrupt.clone() };
    let journal = Rc::new(RefCell::new(match before {
        [] => Memory::of_everything(),
        entries => Memory::replaying(entries.to_vec()),
    }));
    let session = Session::new(Parts {
        world: Box::new(losing),
        journal: Box::new(Rc::clone(&journal)),
        policy: Box::new(Yes { notices: Arc::new(|_| {}) }),
        notices: Arc::new(|_| {}),
        interrupt,
        lock: None,
    });
    let parameters = script.params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = ScriptSettings { parameters, ..ScriptSettings::default() };
    let ending = Interpreter::new(Rc::new(RefCell::new(session)), settings).run(&script.source());
    let entries = before.iter().cloned().chain(journal.borrow().entries().iter().cloned()).collect();
    let done = done.borrow().clone();
    (ending, done, entries)
}

fn fresh(script: Shipped) -> Rc<RefCell<Simulated>> {
    Rc::new(RefCell::new(Simulated::new(&Scenario::named(script.sample).unwrap()).unwrap()))
}

/// What every node says in the end: its record, by kind and id.
fn states(world: &Rc<RefCell<Simulated>>) -> Vec<String> {
    let world = world.borrow();
    let cluster = world.cluster();
    let one = |who| format!("{} {}: {:?}", cluster.id_of(who), who.kind() == Kind::Pump, cluster.recorded_state(who));
    let mut all: Vec<String> = cluster.everybody().map(one).collect();
    all.sort();
    all
}

fn survives(name: &str) {
    let script = script(name);
    let whole = fresh(script);
    let (ending, effects, _) = run(script, &whole, &[], Where::Nowhere);
    assert!(ending.is_ok(), "{name}: {ending:?}");
    let goal = states(&whole);
    for cut in (0..effects.len()).flat_map(|at| [Where::Before(at), Where::After(at)]) {
        let world = fresh(script);
        let (ending, first, entries) = run(script, &world, &[], cut);
        if ending.is_ok() {
            // Nothing is asked any more after its last effect.
            assert_eq!(cut, Where::After(effects.len() - 1), "{name}");
            continue;
        }
        world.borrow_mut().apply(&Request::Read(Read::Sleep { time: AWAY }), None).unwrap();
        let (ending, second, _) = run(script, &world, &entries, Where::Nowhere);
        assert!(ending.is_ok(), "{name}, cut {cut:?}: {ending:?}");
        let together: Vec<String> = first.into_iter().chain(second).collect();
        assert_eq!(together, effects, "{name}, cut {cut:?}");
        assert_eq!(states(&world), goal, "{name}, cut {cut:?}");
    }
}

macro_rules! survive {
    ($($name:ident),+ $(,)?) => {
        $(#[test] fn $name() { survives(stringify!($name)); })+

        #[test]
        fn every_shipped_script_that_changes_something_is_cut_off() {
            let cut = [$(stringify!($name)),+];
            for script in shipped() {
                assert!(cut.contains(&script.name) || script.letter == 'L', "{}", script.name);
            }
        }
    };
}

survive! {
    rolling_restart,
    decommission_pump,
    scale_in_to_zero,
    scale_out,
    first_drainer,
    move_drainer,
    after_crash,
    pump_lost,
    disk_full,
    stuck_drainer,
    clean_up,
    to_ticdc,
}
