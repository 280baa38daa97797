//! Plans: what a rehearsal did is kept, and a run that follows it does that or nothing.

mod files;
mod random;

use crate::harness::project;
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::Memory;
use binlogsh::language::{Ending, Interpreter, ScriptSettings, Source};
use binlogsh::node::{Kind, State};
use binlogsh::output::to_json;
use binlogsh::policy::{Consent, Follow, Followed, Policy, Proposal, Yes};
use binlogsh::rehearsal::{Basis, Plan, ScriptMark, Stage};
use binlogsh::session::{Parts, Session};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::{Action, Answer, Change, Fence, Listing, Notices, Read, Request, World};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

const CLUSTER: u64 = 7_301_234_567_890_123_456;

/// A simulated cluster that can be looked at while a session has it.
#[derive(Clone)]
struct Cluster(Rc<RefCell<Simulated>>);

impl World for Cluster {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        self.0.borrow_mut().apply(request, fence)
    }
}

impl Cluster {
    fn new() -> Self {
        Self(Rc::new(RefCell::new(Simulated::new(&Scenario::named("default").unwrap()).unwrap())))
    }

    fn listing(&self) -> Listing {
        match self.clone().apply(&Request::Read(Read::Nodes), None).unwrap() {
            Answer::Listing(listing) => listing,
            other => panic!("{other:?}"),
        }
    }

    fn pass(&self, time: Duration) {
        self.clone().apply(&Request::Read(Read::Sleep { time }), None).unwrap();
    }

    fn put(&self, key: &str, value: &str) {
        self.0.borrow_mut().cluster_mut().put(key, value.as_bytes());
    }

    fn session(&self, policy: impl Policy + 'static) -> (Rc<RefCell<Session>>, Rc<RefCell<Memory>>) {
        let journal = Rc::new(RefCell::new(Memory::of_everything()));
        let session = Session::new(Parts {
            world: Box::new(self.clone()),
            journal: Box::new(Rc::clone(&journal)),
            policy: Box::new(policy),
            notices: silent(),
            interrupt: Interrupt::default(),
            lock: None,
        });
        (Rc::new(RefCell::new(session)), journal)
    }

    /// Runs a script here that may only follow `plan`.
    fn follow(&self, plan: &Plan, source: &Source) -> (std::result::Result<Ending, Error>, Followed) {
        let policy = Follow::new(plan.effects.clone(), yes());
        let progress = policy.progress();
        let (session, _) = self.session(policy);
        let ended = Interpreter::new(session, ScriptSettings::default()).run(source);
        (ended.map_err(|error| error.error), progress)
    }
}

fn silent() -> Notices {
    Arc::new(|_| {})
}

fn yes() -> Yes {
    Yes { notices: silent() }
}

fn rolling_restart() -> Source {
    let dir = project("scripts");
    let text = std::fs::read_to_string(dir.join("rolling_restart.rhai")).unwrap();
    Source { root: Some(dir), ..Source::new("rolling_restart.rhai", text) }
}

/// The plan of a rehearsal of this script on the default sample.
fn rehearsed(source: &Source) -> Plan {
    let cluster = Cluster::new();
    let listing = cluster.listing();
    let (session, journal) = cluster.session(yes());
    Interpreter::new(session, ScriptSettings::default()).run(source).unwrap();
    let parameters = Stage::describe(source).unwrap().parameters(&IndexMap::new());
    let script = ScriptMark::new(&source.name, &source.text, &parameters);
    Plan::of(Basis { listing: &listing, cluster_id: CLUSTER, script }, journal.borrow().entries())
}

fn rehearsed_code(code: &str) -> Plan {
    rehearsed(&Source::new("script.rhai", code))
}

#[test]
fn a_run_that_would_do_anything_but_the_next_effect_is_refused_with_both() {
    let plan = rehearsed_code(r#"pause_drainer("drainer-0"); pause_drainer("drainer-1")"#);
    for (code, done, expected) in [
        (r#"pause_drainer("drainer-1")"#, 0, "plan:   pause drainer drainer-0 (10.0.1.21:8249) (effect 1 of 2)"),
        (r#"pause_drainer("drainer-1")"#, 0, "script: pause drainer drainer-1 (10.0.1.22:8249)"),
        (r#"pause_drainer("drainer-0"); offline_drainer("drainer-1")"#, 1, "script: close drainer drainer-1"),
        (r#"manual("have lunch")"#, 0, "script: by hand: have lunch"),
        (r#"exec("true")"#, 0, "script: run the program true"),
        (r#"generate_meta(#{ data_dir: "x" })"#, 0, "script: write x/savepoint"),
        (r#"pause_drainer("drainer-0"); pause_drainer("drainer-1"); pause_pump("pump-1")"#, 2, "plan:   at its end"),
    ] {
        let (ended, progress) = Cluster::new().follow(&plan, &Source::new("other.rhai", code));
        let error = ended.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{code}: {error}");
        assert!(error.message.contains(expected), "{code}: {error}");
        assert_eq!(progress.done(), done, "{code}");
    }
}

#[test]
fn a_guard_and_the_operator_decide_as_without_a_plan() {
    let source = Source::new("s.rhai", r#"pause_pump("pump-0")"#);
    let plan = rehearsed(&source);
    let cluster = Cluster::new();
    // The records say what they said; the other Pumps are dead all the same.
    let keys = cluster.listing().of(Kind::Pump).map(|record| record.node.clone()).collect::<Vec<_>>();
    for node in &keys[1..] {
        cluster.clone().apply(&Request::Play(binlogsh::world::Play::Hang { node: node.clone() }), None).unwrap();
    }
    plan.check(&cluster.listing(), CLUSTER).unwrap();
    let (ended, progress) = cluster.follow(&plan, &source);
    assert!(ended.unwrap_err().message.contains("last_pump"));
    assert_eq!(progress.left(), 1, "what was refused is not done");
}

/// An operator who thinks about it until somebody else has changed the node in question.
struct Slow(Cluster);

impl Policy for Slow {
    fn decide(&mut self, _: &Proposal<'_>, _: &mut dyn World) -> Result<Consent> {
        let record = self.0.listing().find(Kind::Drainer, "drainer-0").unwrap().clone();
        self.0.put(&record.node.key(), &record.with_state(State::Offline).unwrap().shown());
        Ok(Consent::Asked)
    }
}

#[test]
fn what_changes_while_the_operator_is_asked_is_seen() {
    let plan = rehearsed_code(r#"pause_drainer("drainer-0")"#);
    let cluster = Cluster::new();
    let mut follow = Follow::new(plan.effects.clone(), Slow(cluster.clone()));
    let change = Change::Act { node: cluster.listing().records[3].node.clone(), action: Action::Pause };
    let proposal = Proposal { change: &change, about: "pause it", findings: &[], force: &[], around: &[], nodes: &[] };
    let error = follow.decide(&proposal, &mut cluster.clone()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("offline at 10.0.1.21:8249 (the plan knows drainer drainer-0, online"), "{error}");
    assert_eq!(follow.progress().left(), 1);
}

#[test]
fn every_kind_of_effect_is_planned_and_followed() {
    let code = r#"
        pause_pump("pump-1", #{ wait: "1m" });
        manual("replace it", #{ starts: ["pump-1"], takes: "20s" });
        wait_for("pump-1", "online");
        exec("systemctl", ["stop", "it's"], #{ stops: ["drainer-1"], takes: "5s" });
        wait_for("drainer-1", "paused");
        update_drainer("drainer-1", "offline");
        sleep("15s");
        forget_drainer("drainer-1", #{ force: ["alive"] });
        trigger_gc("pump-0", #{ force: ["behind_gc"] });
        generate_meta(#{ data_dir: "meta" });
        encrypt("no effect", #{ force: ["public_key"] });
            offline_pump("pump-2");"#;
    let source = Source::new("all.rhai", code);
    let plan = rehearsed(&source);
    let Json::Array(rows) = to_json(&plan.table()) else { panic!("no rows") };
    let shown: Vec<&str> = rows.iter().map(|row| row["what"].as_str().unwrap()).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    pause pump pump-1 (10.0.1.12:8250)
    by hand: replace it (starts pump pump-1 (10.0.1.12:8250))
    run the program systemctl stop 'it'\''s' (stops drainer drainer-1 (10.0.1.22:8249))
    write offline into the record of drainer drainer-1 (10.0.1.22:8249)
    delete the key /tidb-binlog/v1/drainers/drainer-1
    trigger GC of pump pump-0 (10.0.1.11:8250)
    write meta/savepoint
    close pump pump-2 (10.0.1.13:8250)
    ");
    assert_eq!(rows[0]["relies_on"], "pump pump-1, online at 10.0.1.12:8250");
    assert_eq!(rows[1]["relies_on"], "pump pump-1, paused at 10.0.1.12:8250");
    let (ended, progress) = Cluster::new().follow(&plan, &source);
    ended.unwrap();
    assert_eq!(progress.left(), 0);
}

#[test]
fn a_plan_says_where_work_by_hand_makes_room_and_holds_the_script_to_it() {
    let code = |pump: &str| format!(r#"manual("make room", #{{ frees: ["{pump}"], takes: "5s" }})"#);
    let planned = Source::new("room.rhai", code("pump-0"));
    let plan = rehearsed(&planned);
    let Json::Array(rows) = to_json(&plan.table()) else { panic!("no rows") };
    assert_eq!(rows[0]["what"], "by hand: make room (makes room for pump pump-0 (10.0.1.11:8250))");
    assert_eq!(rows[0]["relies_on"], "pump pump-0, online at 10.0.1.11:8250");
    let (ended, progress) = Cluster::new().follow(&plan, &planned);
    ended.unwrap();
    assert_eq!(progress.left(), 0);
    let (ended, progress) = Cluster::new().follow(&plan, &Source::new("room.rhai", code("pump-1")));
    let error = ended.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("makes room for pump pump-1"), "{error}");
    assert_eq!(progress.left(), 1);
}
