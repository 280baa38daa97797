//! Inside one process: a bound call, a read through the gate, the simulator's events.

use crate::row::{Row, median};
use binlogsh::error::Result;
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::Memory;
use binlogsh::language::{Interpreter, ScriptSettings, Source};
use binlogsh::node::State;
use binlogsh::policy::ReadOnly;
use binlogsh::session::{Parts, Session};
use binlogsh::sim::{Cluster, DrainerSpec, ProcessSpec, PumpSpec, SECOND, Scenario};
use binlogsh::tso::Tso;
use binlogsh::world::{Answer, Fence, Gate, Read, Request, World};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// A world that knows one timestamp.
struct Trivial;

impl World for Trivial {
    fn apply(&mut self, _request: &Request, _fence: Option<&Fence>) -> Result<Answer> {
        Ok(Answer::Timestamp(Tso(400_962_745_252_184_065)))
    }
}

fn session() -> Session {
    Session::new(Parts {
        world: Box::new(Trivial),
        journal: Box::new(Memory::of_changes()),
        policy: Box::new(ReadOnly),
        notices: Arc::new(|_| {}),
        interrupt: Interrupt::default(),
        lock: None,
    })
}

/// Nanoseconds that a turn of `work` takes: the median of several rounds.
fn nanoseconds(turns: u32, mut work: impl FnMut()) -> f64 {
    work();
    let round = |work: &mut dyn FnMut()| {
        let begin = Instant::now();
        work();
        begin.elapsed().as_secs_f64() * 1e9 / f64::from(turns)
    };
    median((0..9).map(|_| round(&mut work)).collect())
}

/// A bound call over an empty script function's, both with one argument, in the same kind of loop.
pub(crate) fn bound_call() -> Row {
    const TURNS: u32 = 100_000;
    let looped = |call: &str| {
        let code = format!("fn empty(x) {{ }} let x = 400962745252184065; for i in 0..{TURNS} {{ {call}; }}");
        let source = Source::new("bench", code);
        let mut interpreter = Interpreter::new(Rc::new(RefCell::new(session())), ScriptSettings::default());
        nanoseconds(TURNS, move || {
            black_box(interpreter.run(&source).unwrap());
        })
    };
    let (bound, empty) = (looped("tso_time(x)"), looped("empty(x)"));
    Row::time_beyond("bound_call", "ns", bound, empty).at_most(250.0)
}

pub(crate) fn gate_read() -> Row {
    const TURNS: u32 = 100_000;
    let mut session = session();
    let us = nanoseconds(TURNS, || {
        for _ in 0..TURNS {
            black_box(session.perform(black_box(Request::Read(Read::Tso)), &[]).unwrap());
        }
    }) / 1000.0;
    Row::time("gate_read", "us", us).at_most(3.0)
}

/// How many Pumps the simulator's cluster has.
const PUMPS: usize = 64;

/// A cluster in which something happens all the time: its Pumps were all told to close, one shortly after the other, and each
/// looks once a second whether it may go, which a paused Drainer keeps it from.
fn busy_cluster() -> Cluster {
    let pumps = (0..PUMPS).map(|at| PumpSpec::new(format!("pump-{at}"), format!("10.0.1.1:{}", 8250 + at))).collect();
    let drainer = DrainerSpec::new("drainer-0", "10.0.1.2:8249");
    let drainer = DrainerSpec { record: Some(State::Paused), process: ProcessSpec::Dead, ..drainer };
    let mut cluster = Cluster::new(&Scenario { pumps, drainers: vec![drainer], ..Scenario::default() }).unwrap();
    for at in 0..PUMPS {
        cluster.advance_to(at as i64 * 13_000 + SECOND);
        cluster.http(&format!("10.0.1.1:{}", 8250 + at), "PUT", &format!("/state/pump-{at}/close"));
    }
    cluster
}

/// Events that the simulator schedules and handles in a second, on one core.
pub(crate) fn sim_events() -> Row {
    const EVENTS: u64 = 2_000_000;
    let round = || {
        let (begin, mut cluster) = (Instant::now(), busy_cluster());
        while cluster.events() < EVENTS {
            cluster.advance_to(cluster.now() + 1_000 * SECOND);
        }
        cluster.events() as f64 / begin.elapsed().as_secs_f64() / 1e6
    };
    round();
    let millions = median((0..5).map(|_| round()).collect());
    Row::rate("sim_events", "million/s", millions).at_least(2.0)
}
