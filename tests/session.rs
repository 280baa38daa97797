//! The gate: order, refusal, journal, replay, and the latch of fatal errors.

use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::{Entry, Journal, Memory};
use binlogsh::node::{Kind, NodeRef, Record};
use binlogsh::policy::{AskOperator, Policy, ReadOnly, Warn, Yes};
use binlogsh::session::{LockPlan, LockSpan, Parts, Session};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Acted, Action, Answer, Ask, Change, Choice, Clocks, Fence, Gate, GuardName, Listing, LockHolder, LockRequest,
    Manual, Notice, Notices, Probe, ProbeFinding, Read, Request, World,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// Two Pumps and a Drainer of records that never change; remembers what it was asked.
#[derive(Clone, Default)]
struct Still(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    asked: Vec<Request>,
    /// What `Act` answers, in turn; `Done`-like success when empty.
    act: Vec<Result<Answer>>,
    /// The fence of the last request.
    fence: Option<Fence>,
    /// Milliseconds that a question takes.
    thinking_ms: i64,
    clock_ms: i64,
    /// What a probe of the Pumps shows from the second question of the guards on.
    probe_later: Option<ProbeFinding>,
    says_no: bool,
}

fn record(kind: Kind, id: &str) -> Record {
    let json =
        format!(r#"{{"nodeId":"{id}","host":"{id}:1","state":"online","maxCommitTS":262144000,"updateTS":262144000}}"#);
    Record::parse(&format!("{}{id}", kind.prefix()), json.as_bytes(), 7).unwrap()
}

fn pump(id: &str) -> NodeRef {
    record(Kind::Pump, id).node
}

impl World for Still {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let mut inner = self.0.borrow_mut();
        if matches!(request, Request::Change(Change::Act { .. })) {
            inner.fence = fence.cloned();
        }
        inner.asked.push(request.clone());
        Ok(match request {
            Request::Read(Read::Nodes) => Answer::Listing(Listing {
                revision: 9,
                tso: Some(Tso(262_144_000)),
                tso_error: None,
                records: vec![record(Kind::Pump, "p0"), record(Kind::Pump, "p1"), record(Kind::Drainer, "d0")],
                malformed: Vec::new(),
            }),
            Request::Read(Read::Probe { nodes }) => {
                let asked_before = inner.asked.iter().any(|request| matches!(request, Request::Ask(Ask::Question(_))));
                let online = ProbeFinding::State(binlogsh::node::State::Online);
                let finding = inner.probe_later.clone().filter(|_| asked_before).unwrap_or_else(|| online.clone());
                // The one that is told something is there.
                let of = |node: &NodeRef| if node.id == "p0" { online.clone() } else { finding.clone() };
                let probe = |node: &NodeRef| Probe { node: node.clone(), finding: of(node) };
                Answer::Probes(nodes.iter().map(probe).collect())
            }
            Request::Read(Read::Now) => Answer::Now(Clocks { unix_ms: inner.clock_ms, monotonic_ms: inner.clock_ms }),
            Request::Ask(Ask::Question(_)) => {
                inner.clock_ms += inner.thinking_ms;
                Answer::Chosen(if inner.says_no { Choice::No } else { Choice::Yes })
            }
            Request::Change(Change::Act { .. }) if !inner.act.is_empty() => return inner.act.remove(0),
            Request::Change(Change::Act { .. }) => Answer::Acted(Acted::said("success!")),
            Request::Read(Read::Tso) => Answer::Timestamp(Tso(5)),
            Request::Read(Read::ReadSavepoint { .. }) => return Err(Error::not_found("there is none")),
            Request::Lock(LockRequest::Take { .. }) => Answer::Locked(Fence { key: "lock".into(), create_revision: 3 }),
            _ => Answer::Done,
        })
    }
}

impl Still {
    /// The kinds of requests that it was asked, in their order.
    fn asked(&self) -> Vec<&'static str> {
        let name = |request: &Request| match request {
            Request::Lock(LockRequest::Take { .. }) => "lock",
            Request::Lock(LockRequest::GiveBack) => "unlock",
            Request::Change(Change::Act { .. }) => "act",
            Request::Ask(Ask::Question(_)) => "ask",
            Request::Change(Change::WriteSavepoint { .. }) | Request::Change(Change::Manual(_)) => "another change",
            _ => "look",
        };
        let mut asked: Vec<&str> = self.0.borrow().asked.iter().map(name).collect();
        asked.dedup();
        asked
    }

    fn acts(&self) -> usize {
        self.0.borrow().asked.iter().filter(|request| matches!(request, Request::Change(Change::Act { .. }))).count()
    }
}

fn silent() -> Notices {
    Arc::new(|_| {})
}

fn session(world: &Still, journal: impl Journal + 'static, policy: impl Policy + 'static) -> Session {
    Session::new(Parts {
        world: Box::new(world.clone()),
        journal: Box::new(journal),
        policy: Box::new(policy),
        notices: silent(),
        interrupt: Interrupt::default(),
        lock: None,
    })
}

fn pause(id: &str) -> Request {
    Request::Change(Change::Act { node: pump(id), action: Action::Pause })
}

#[test]
fn a_change_asks_acts_and_is_noted_with_what_the_guards_found() {
    let (world, journal) = (Still::default(), Rc::new(RefCell::new(Memory::of_changes())));
    let mut session = session(&world, journal.clone(), AskOperator::default());
    session.perform(Request::Read(Read::Tso), &[]).unwrap();
    session.perform(pause("p0"), &[]).unwrap();
    let journal = journal.borrow();
    assert_eq!(journal.entries().len(), 1, "a journal of changes keeps no reads");
    assert_eq!(journal.entries()[0].request, pause("p0"));
    assert_eq!(journal.entries()[0].findings, ["last_pump: clear", "pump_closing: clear"]);
    assert_eq!(journal.unfinished(), None);
}

#[test]
fn a_no_of_the_operator_touches_nothing() {
    let world = Still::default();
    world.0.borrow_mut().says_no = true;
    let error = session(&world, Memory::of_changes(), AskOperator::default()).perform(pause("p0"), &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(world.acts(), 0);
}

#[test]
fn a_read_only_session_refuses_every_change() {
    let world = Still::default();
    let error = session(&world, Memory::of_changes(), ReadOnly).perform(pause("p0"), &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("read-only"));
    assert_eq!(world.acts(), 0);
}

#[test]
fn the_guards_look_again_when_the_operator_took_long() {
    let world = Still::default();
    world.0.borrow_mut().probe_later = Some(ProbeFinding::Refused);
    world.0.borrow_mut().thinking_ms = 2001;
    let error = session(&world, Memory::of_changes(), AskOperator::default()).perform(pause("p0"), &[]).unwrap_err();
    assert!(error.message.contains("while you were asked: last_pump"), "{error}");
    assert_eq!(world.acts(), 0);

    world.0.borrow_mut().asked.clear();
    world.0.borrow_mut().thinking_ms = 100;
    session(&world, Memory::of_changes(), AskOperator::default()).perform(pause("p0"), &[]).unwrap();
    assert_eq!(world.acts(), 1);
}

#[test]
fn a_guard_is_overridden_only_by_its_name() {
    let world = Still::default();
    let close = Request::Change(Change::Act { node: record(Kind::Drainer, "d0").node, action: Action::Close });
    let yes = || Yes { notices: silent() };
    let error = session(&world, Memory::of_changes(), yes()).perform(close.clone(), &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("last_drainer"), "{error}");
    assert!(error.hint.unwrap().contains(r#"force: ["last_drainer"]"#));
    let other = session(&world, Memory::of_changes(), yes()).perform(close.clone(), &[GuardName::Alive]);
    assert!(other.is_err());
    session(&world, Memory::of_changes(), yes()).perform(close, &[GuardName::LastDrainer]).unwrap();
    assert_eq!(world.acts(), 1);
}

#[test]
fn under_ctl_a_halt_warns_and_a_loss_refuses() {
    let world = Still::default();
    world.0.borrow_mut().probe_later = None;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notices: Notices = {
        let heard = heard.clone();
        Arc::new(move |notice| heard.lock().unwrap().push(notice))
    };
    let drainer = record(Kind::Drainer, "d0").node;
    let mut ctl = session(&world, Memory::of_changes(), Warn { notices });
    let error = ctl.perform(Request::Change(Change::Act { node: drainer, action: Action::Close }), &[]).unwrap_err();
    assert!(error.message.contains("last_drainer"));
    let seen = record(Kind::Pump, "p0");
    // `online` over a live node: `alive` is a loss, `pointless` is not.
    let swap = Request::Change(Change::SwapRecord { seen, state: binlogsh::node::State::Online });
    ctl.perform(swap, &[GuardName::Alive]).unwrap();
    let heard = heard.lock().unwrap();
    assert!(matches!(&heard[0], Notice::Warning(text) if text.contains("alive")), "{heard:?}");
    assert!(matches!(&heard[1], Notice::Warning(text) if text.contains("pointless")), "{heard:?}");
}

#[test]
fn a_journal_answers_first_and_the_world_after() {
    let world = Still::default();
    let entries = vec![
        Entry::new(Request::Read(Read::Tso), Ok(Answer::Timestamp(Tso(42)))),
        Entry::new(pause("p0"), Err(Error::refused("as then"))),
    ];
    let mut session = session(&world, Memory::replaying(entries), Yes { notices: silent() });
    assert_eq!(session.perform(Request::Read(Read::Tso), &[]), Ok(Answer::Timestamp(Tso(42))));
    assert_eq!(session.perform(pause("p0"), &[]).unwrap_err().message, "as then");
    assert!(world.0.borrow().asked.is_empty(), "replay touched the world");
    assert_eq!(session.perform(Request::Read(Read::Tso), &[]), Ok(Answer::Timestamp(Tso(5))));
}

#[test]
fn another_request_than_the_journals_diverges_and_touches_nothing() {
    let world = Still::default();
    let entry = Entry::new(pause("p0"), Ok(Answer::Done));
    let mut session = session(&world, Memory::replaying(vec![entry]), Yes { notices: silent() });
    let error = session.perform(pause("p1"), &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Diverged);
    assert!(error.message.contains("p0") && error.message.contains("p1"));
    assert!(world.0.borrow().asked.is_empty());
    assert_eq!(
        session.perform(Request::Read(Read::Tso), &[]).unwrap_err(),
        error,
        "a fatal error is the answer to everything after"
    );
    assert_eq!(session.fatal(), Some(&error));
}

#[test]
fn an_interrupt_ends_everything_until_the_next_line() {
    let world = Still::default();
    let mut session = session(&world, Memory::of_changes(), AskOperator::default());
    session.interrupt().raise(2);
    assert_eq!(session.perform(Request::Read(Read::Tso), &[]).unwrap_err().exit_code(), 130);
    session.interrupt().clear();
    assert_eq!(session.perform(Request::Read(Read::Tso), &[]).unwrap_err().kind, ErrorKind::Interrupted);
    session.start_afresh();
    session.perform(Request::Read(Read::Tso), &[]).unwrap();
}

#[test]
fn what_is_interrupted_leaves_a_change_that_began_and_is_not_done() {
    let (world, journal) = (Still::default(), Rc::new(RefCell::new(Memory::of_changes())));
    world.0.borrow_mut().act = vec![Err(Error::interrupted(Some(15), "stopped"))];
    let mut session = session(&world, journal.clone(), Yes { notices: silent() });
    assert_eq!(session.perform(pause("p0"), &[]).unwrap_err().exit_code(), 143);
    assert_eq!(journal.borrow().unfinished(), pause("p0").change());
    assert!(journal.borrow().entries().is_empty());
}

#[test]
fn a_refused_pause_is_an_error_and_an_entry() {
    let (world, journal) = (Still::default(), Rc::new(RefCell::new(Memory::of_changes())));
    let no = Error::new(ErrorKind::Rejected, "this pump's state is closing, apply pause failed!");
    world.0.borrow_mut().act = vec![Err(no.clone())];
    let mut session = session(&world, journal.clone(), Yes { notices: silent() });
    assert_eq!(session.perform(pause("p0"), &[]).unwrap_err(), no);
    assert_eq!(journal.borrow().entries()[0].outcome, Err(no));
}

fn locking(world: &Still, journal: Memory, span: LockSpan) -> Session {
    Session::new(Parts {
        world: Box::new(world.clone()),
        journal: Box::new(journal),
        policy: Box::new(AskOperator::default()),
        notices: silent(),
        interrupt: Interrupt::default(),
        lock: Some(LockPlan { holder: LockHolder::default(), wait: None, span, predecessor: None }),
    })
}

#[test]
fn the_lock_comes_first_then_the_guards_then_consent_and_the_act_is_fenced() {
    let world = Still::default();
    let mut line = locking(&world, Memory::of_changes(), LockSpan::Change);
    line.perform(pause("p0"), &[]).unwrap();
    assert_eq!(world.asked(), ["lock", "look", "ask", "look", "act", "unlock"]);
    assert_eq!(world.0.borrow().fence.as_ref().unwrap().create_revision, 3);
    world.0.borrow_mut().says_no = true;
    world.0.borrow_mut().asked.clear();
    line.perform(pause("p0"), &[]).unwrap_err();
    assert_eq!(world.asked(), ["lock", "look", "ask", "unlock"], "a no gives it back as well");
}

#[test]
fn a_script_makes_sure_of_the_lock_before_every_change_and_gives_it_back_at_its_end() {
    let world = Still::default();
    let mut script = locking(&world, Memory::of_everything(), LockSpan::Session);
    script.perform(pause("p0"), &[]).unwrap();
    script.perform(pause("p1"), &[]).unwrap();
    let once = ["lock", "look", "ask", "look", "act"];
    assert_eq!(world.asked(), [once, once].concat());
    drop(script);
    assert_eq!(world.asked().last(), Some(&"unlock"));
}

#[test]
fn what_does_not_change_the_cluster_takes_no_lock_and_neither_does_replay() {
    let world = Still::default();
    let entry = Entry::new(Request::Change(Change::Manual(Manual::default())), Ok(Answer::Done));
    let mut script = locking(&world, Memory::replaying(vec![entry]), LockSpan::Session);
    script.perform(Request::Change(Change::Manual(Manual::default())), &[]).unwrap();
    script
        .perform(Request::Change(Change::WriteSavepoint { dir: "x".into(), content: "commitTS = 1\n".into() }), &[])
        .unwrap();
    script.perform(Request::Change(Change::Manual(Manual::default())), &[]).unwrap();
    script.perform(Request::Read(Read::Tso), &[]).unwrap();
    drop(script);
    assert!(!world.asked().iter().any(|asked| asked.contains("lock")), "{:?}", world.asked());
}

#[test]
fn a_script_that_had_the_lock_has_it_again_before_it_asks_anything_new() {
    let paused = || Memory::replaying(vec![Entry::new(pause("p0"), Ok(Answer::Done))]);
    let world = Still::default();
    let mut script = locking(&world, paused(), LockSpan::Session);
    script.perform(pause("p0"), &[]).unwrap();
    assert!(world.asked().is_empty(), "{:?}", world.asked());
    script.perform(Request::Read(Read::Tso), &[]).unwrap();
    script.perform(Request::Read(Read::Tso), &[]).unwrap();
    assert_eq!(world.asked(), ["lock", "look"]);
    drop(script);
    let world = Still::default();
    let mut line = locking(&world, paused(), LockSpan::Change);
    line.perform(pause("p0"), &[]).unwrap();
    line.perform(Request::Read(Read::Tso), &[]).unwrap();
    assert_eq!(world.asked(), ["look"], "a line holds it for its change only");
}

#[test]
fn nobody_but_the_session_takes_the_lock() {
    let world = Still::default();
    let request = Request::Lock(LockRequest::Take { holder: LockHolder::default(), wait: None });
    let error = session(&world, Memory::of_changes(), AskOperator::default()).perform(request, &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(world.0.borrow().asked.is_empty());
}
