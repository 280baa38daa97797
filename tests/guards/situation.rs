//! A situation, the change that is tried in it, and what becomes of it under each policy.

use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::Memory;
use binlogsh::language::{Ending, Interpreter, ScriptSettings, Source};
use binlogsh::policy::{AskOperator, Policy, Warn, Yes};
use binlogsh::secret::Secret;
use binlogsh::session::{Parts, Session};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::GuardName as G;
use binlogsh::world::{Answer, Choice, Console, Fence, Gate, Notice, Notices, Question, Request, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// A situation: a cluster, what happened in it, and the change that is tried there.
pub(super) struct Situation {
    scenario: Scenario,
    prepare: fn(&mut Simulated),
    first: String,
    key: Option<String>,
}

/// What a change came to.
pub(super) struct Tried {
    pub(super) outcome: Result<Ending, Error>,
    notices: Vec<Notice>,
}

/// A refusal that behaved as it must; its text remains to be looked at.
pub(super) struct Refusal(String);

impl Situation {
    /// The sample `name`.
    pub(super) fn sample(name: &str) -> Self {
        Self::on(Scenario::named(name).unwrap())
    }

    /// Nodes as in a scenario file.
    pub(super) fn of(pumps: &str, drainers: &str) -> Self {
        let text = format!(r#"{{"version": 1, "pumps": [{pumps}], "drainers": [{drainers}]}}"#);
        Self::on(Scenario::parse(&text).unwrap())
    }

    pub(super) fn on(scenario: Scenario) -> Self {
        Self { scenario, prepare: |_| {}, first: String::new(), key: None }
    }

    /// A key that is no record.
    pub(super) fn with_key(mut self, key: &str) -> Self {
        self.scenario.keys.push(binlogsh::sim::KeySpec { key: key.into(), value: "{".into() });
        self
    }

    /// This happened before, as a script.
    pub(super) fn first(mut self, code: &str) -> Self {
        self.first = code.into();
        self
    }

    /// This happened before, as no script can do it.
    pub(super) fn prepared(mut self, prepare: fn(&mut Simulated)) -> Self {
        self.prepare = prepare;
        self
    }

    /// With a key of its own to encrypt with.
    pub(super) fn with_own_key(mut self) -> Self {
        self.key = Some("00112233445566778899aabbccddeeff".into());
        self
    }

    /// The world as it begins.
    pub(super) fn world(&self) -> Simulated {
        let mut world = Simulated::new(&self.scenario).unwrap().with_secret_key(self.key.clone());
        (self.prepare)(&mut world);
        world
    }

    /// Tries `call`, in which `$` stands for the option that forces, under the policy that `policy` makes.
    pub(super) fn tries<P: Policy + 'static>(&self, call: &str, force: &[G], policy: impl Fn(Notices) -> P) -> Tried {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let kept = notices.clone();
        let tell: Notices = Arc::new(move |notice| kept.lock().unwrap().push(notice));
        let world = Rc::new(RefCell::new(self.world()));
        let run = |policy: Box<dyn Policy>, code: &str| {
            let session = Session::new(Parts {
                world: Box::new(Shared(world.clone())),
                journal: Box::new(Memory::of_changes()),
                policy,
                notices: tell.clone(),
                interrupt: Interrupt::default(),
                lock: None,
            });
            let mut interpreter = Interpreter::new(Rc::new(RefCell::new(session)), ScriptSettings::default());
            interpreter.run(&Source::new("script.rhai", code)).map_err(|error| error.error)
        };
        run(Box::new(Yes { notices: tell.clone() }), &self.first).unwrap();
        notices.lock().unwrap().clear();
        let names: Vec<String> = force.iter().map(|guard| format!("\"{guard}\"")).collect();
        let code = call.replace('$', &format!("force: [{}],", names.join(", ")));
        let outcome = run(Box::new(policy(tell.clone())), &code);
        let notices = notices.lock().unwrap().clone();
        Tried { outcome, notices }
    }

    pub(super) fn says_yes(&self, call: &str, force: &[G]) -> Tried {
        self.tries(call, force, |notices| Yes { notices })
    }

    /// Nothing has anything against `call`, and it is done.
    #[track_caller]
    pub(super) fn allows(&self, call: &str) {
        if let Err(error) = self.says_yes(call, &[]).outcome {
            panic!("{call}: {error}");
        }
    }

    /// Just the guards of `halt` and `loss` refuse `call`; each must be forced by its name; `ctl` warns of the first and
    /// refuses for the others.
    #[track_caller]
    pub(super) fn refuses(&self, call: &str, halt: &[G], loss: &[G]) -> Refusal {
        let all = [halt, loss].concat();
        let refused = |tried: Tried, by: &[G]| {
            let error = match tried.outcome {
                Err(error) if error.kind == ErrorKind::Refused => error,
                Err(other) => panic!("{call} is not refused by {by:?}: {other}"),
                Ok(_) => panic!("{call} is done, and not refused by {by:?}"),
            };
            assert_eq!(named(&error), sorted(by), "{call}: {error}\n{:?}", error.hint);
            error.message
        };
        let message = refused(self.says_yes(call, &[]), &all);
        assert!(message.starts_with("not done: "), "{message}");
        for guard in &all {
            let others: Vec<G> = all.iter().copied().filter(|other| other != guard).collect();
            refused(self.says_yes(call, &others), &[*guard]);
        }
        let forced = self.says_yes(call, &all);
        assert!(!is_refused(&forced), "{call} is refused although everything is forced: {:?}", forced.outcome.err());
        assert_eq!(warned(&forced), sorted(&all), "what is forced is said");

        let ctl = self.tries(call, &[], |notices| Warn { notices });
        if loss.is_empty() {
            assert!(!is_refused(&ctl), "ctl refuses {call}: {:?}", ctl.outcome.err());
            assert_eq!(warned(&ctl), sorted(halt));
        } else {
            refused(ctl, loss);
            let forced = self.tries(call, loss, |notices| Warn { notices });
            assert!(!is_refused(&forced), "ctl refuses {call}: {:?}", forced.outcome.err());
        }
        Refusal(message)
    }

    /// What the operator is shown before they say yes to `call`.
    pub(super) fn question(&self, call: &str) -> String {
        let asked = Arc::new(Mutex::new(String::new()));
        let world = self.world().with_console(Box::new(Nods(asked.clone())));
        let session = Session::new(Parts {
            world: Box::new(world),
            journal: Box::new(Memory::of_changes()),
            policy: Box::new(AskOperator::default()),
            notices: Arc::new(|_| {}),
            interrupt: Interrupt::default(),
            lock: None,
        });
        let mut interpreter = Interpreter::new(Rc::new(RefCell::new(session)), ScriptSettings::default());
        interpreter.run(&Source::new("script.rhai", call)).unwrap();
        drop(interpreter);
        Arc::into_inner(asked).unwrap().into_inner().unwrap()
    }
}

impl Refusal {
    /// The refusal has these words.
    #[track_caller]
    pub(super) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.0.contains(word), "no `{word}` in\n{}", self.0);
        }
        self
    }
}

/// The guards that the hint of a refusal names, sorted.
pub(super) fn named(error: &Error) -> Vec<String> {
    let hint = error.hint.as_deref().unwrap_or_default();
    let option = hint.split_once("force: [").and_then(|(_, rest)| rest.split_once(']')).map(|(list, _)| list);
    let list = option.or(hint.split_once("BINLOGSH_FORCE=").map(|(_, list)| list)).unwrap_or_default();
    let mut names: Vec<String> = list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect();
    names.sort();
    names
}

pub(super) fn sorted(guards: &[G]) -> Vec<String> {
    let mut names: Vec<String> = guards.iter().map(|guard| guard.to_string()).collect();
    names.sort();
    names
}

/// The guards that warnings name, sorted.
pub(super) fn warned(tried: &Tried) -> Vec<String> {
    let of = |notice: &Notice| match notice {
        Notice::Warning(text) => {
            let text = text.strip_prefix("forced: ").unwrap_or(text);
            text.split_once(": ").map(|(name, _)| name.to_owned()).filter(|name| G::from_name(name).is_some())
        }
        _ => None,
    };
    let mut names: Vec<String> = tried.notices.iter().filter_map(of).collect();
    names.sort();
    names
}

pub(super) fn is_refused(tried: &Tried) -> bool {
    matches!(&tried.outcome, Err(error) if error.kind == ErrorKind::Refused)
}

/// One world for several sessions.
pub(super) struct Shared(Rc<RefCell<Simulated>>);

impl World for Shared {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        self.0.borrow_mut().apply(request, fence)
    }
}

/// A human who says yes, and remembers what they were asked.
pub(super) struct Nods(Arc<Mutex<String>>);

impl Console for Nods {
    fn is_attended(&self) -> bool {
        true
    }

    fn manual(&mut self, _text: &str) -> Result<()> {
        Ok(())
    }

    fn ask(&mut self, question: &Question) -> Result<Choice> {
        self.0.lock().unwrap().push_str(&question.text);
        Ok(Choice::Yes)
    }

    fn secret(&mut self, _prompt: &str) -> Result<Secret> {
        Err(Error::local("nobody types"))
    }
}

pub(super) const PUMPS: &str = r#"{"id": "pump-0", "address": "p0:8250"}, {"id": "pump-1", "address": "p1:8250"}"#;
pub(super) const DRAINER: &str = r#"{"id": "drainer-0", "address": "d0:8249"}"#;
pub(super) const BROKEN_PUMP: &str = "/tidb-binlog/v1/pumps/broken";
pub(super) const BROKEN_DRAINER: &str = "/tidb-binlog/v1/drainers/broken";

/// Two Pumps and one that is long gone.
pub(super) fn with_old_pump(drainers: &str) -> Situation {
    let old = r#"{"id": "pump-old", "address": "p9:8250", "record": "offline", "process": "dead", "lag": "20d"}"#;
    Situation::of(&format!("{PUMPS}, {old}"), drainers)
}

/// Passes `request` through a session on `world`.
pub(super) fn perform(world: impl World + 'static, request: Request) -> Result<Answer> {
    let parts = Parts {
        world: Box::new(world),
        journal: Box::new(Memory::of_changes()),
        policy: Box::new(Yes { notices: Arc::new(|_| {}) }),
        notices: Arc::new(|_| {}),
        interrupt: Interrupt::default(),
        lock: None,
    };
    Session::new(parts).perform(request, &[])
}
