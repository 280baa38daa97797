//! What the live world does on this host: clock, files, console.

use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::{LiveWorld, pump};
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::live::{Live, LiveSettings};
use binlogsh::secret::Secret;
use binlogsh::world::{
    Answer, Ask, Change, Choice, Clocks, Console, Manual, Play, Question, Read, Request, SecretPrompt, World,
};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn world() -> LiveWorld {
    LiveWorld::new(&["127.0.0.1:1"], Duration::from_secs(1))
}

fn savepoint_in(dir: &std::path::Path) -> Request {
    Request::Change(Change::WriteSavepoint { dir: dir.to_owned(), content: "commitTS = 400962745252184065\n".into() })
}

#[test]
fn a_savepoint_is_written_with_its_directory_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("binlog_position");
    let mut live = world();
    let missing = live.fails(Request::Read(Read::ReadSavepoint { dir: inside.clone() }));
    assert_eq!(missing.kind, ErrorKind::NotFound);
    assert_eq!(live.ask(savepoint_in(&inside)).unwrap(), Answer::Done);
    let read = live.ask(Request::Read(Read::ReadSavepoint { dir: inside })).unwrap();
    assert_eq!(read, Answer::Text("commitTS = 400962745252184065\n".into()));
}

#[test]
fn a_savepoint_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = world().fails(savepoint_in(&file.join("below")));
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains(file.to_str().unwrap()) && error.hint.is_some(), "{error}");
}

#[test]
fn sleeping_takes_its_time_on_a_clock_that_goes_forward() {
    let mut live = world();
    let mut now = || match live.ask(Request::Read(Read::Now)).unwrap() {
        Answer::Now(Clocks { unix_ms, monotonic_ms }) => (unix_ms, monotonic_ms),
        other => panic!("{other:?}"),
    };
    let (unix, before) = now();
    assert!(unix > 1_600_000_000_000);
    std::thread::sleep(Duration::from_millis(30));
    assert!(now().1 - before >= 29);
    let began = Instant::now();
    live.ask(Request::Read(Read::Sleep { time: Duration::from_millis(120) })).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(120));
}

#[test]
fn the_same_text_is_never_encrypted_the_same_way_twice() {
    let mut live = world();
    let encrypt = || Request::Change(Change::Encrypt { text: Secret::Plain("secret".into()) });
    let (first, second) = (live.ask(encrypt()).unwrap(), live.ask(encrypt()).unwrap());
    assert_ne!(first, second);
    // base64 of 16 random bytes, `@` and six letters.
    assert!(matches!(first, Answer::Text(text) if text.len() == 32));
}

#[test]
fn a_real_cluster_is_not_played_with() {
    let error = world().fails(Request::Play(Play::Kill { node: pump("pump-0", "h:1") }));
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.hint.unwrap().contains("--sandbox"));
}

/// An operator who does what they are told, or will not.
struct Operator {
    attended: bool,
    willing: bool,
    started: Arc<AtomicI64>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Console for Operator {
    fn is_attended(&self) -> bool {
        self.attended
    }

    fn ask(&mut self, _: &Question) -> Result<Choice> {
        Ok(Choice::Yes)
    }

    fn manual(&mut self, text: &str) -> Result<()> {
        self.told.lock().unwrap().push(text.to_owned());
        if !self.willing {
            return Err(Error::refused("the operator said no"));
        }
        self.started.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn secret(&mut self, _: &str) -> Result<Secret> {
        Ok(Secret::Plain("typed".into()))
    }
}

#[test]
fn at_a_console_the_operator_is_told_and_the_restart_is_seen() {
    let started = Arc::new(AtomicI64::new(100));
    let shown = started.clone();
    let node = HttpDouble::start(move |request| match request.path.as_str() {
        "/metrics" => Reply::ok(format!("process_start_time_seconds {}\n", shown.load(Ordering::SeqCst))),
        _ => Reply::verdict(3, "invalide action probe"),
    });
    let task =
        Manual { text: "restart pump-0".into(), starts: vec![pump("pump-0", &node.address())], ..Manual::default() };
    for willing in [true, false] {
        let told = Arc::<Mutex<Vec<String>>>::default();
        let operator = Operator { attended: true, willing, started: started.clone(), told: told.clone() };
        let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap();
        let mut live = Live::new(settings, Arc::new(|_| {}), Interrupt::default(), Some(Box::new(operator)));
        let began = Instant::now();
        let result = live.apply(&Request::Change(Change::Manual(task.clone())), None);
        assert_eq!(
            result.map_err(|error| error.kind),
            if willing { Ok(Answer::Done) } else { Err(ErrorKind::Refused) }
        );
        assert!(began.elapsed() < Duration::from_secs(10), "a restart that is seen is not waited for");
        assert_eq!(*told.lock().unwrap(), ["restart pump-0"]);
        let secret = live.apply(&Request::Ask(Ask::Secret(SecretPrompt { prompt: "text".into() })), None).unwrap();
        assert_eq!(secret, Answer::Secret(Secret::Plain("typed".into())));
    }
}

#[test]
fn a_console_that_nobody_sits_at_gives_nobodys_word() {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let operator = Operator { attended: false, willing: true, started: Arc::default(), told: told.clone() };
    let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap();
    let mut live = Live::new(settings, Arc::new(|_| {}), Interrupt::default(), Some(Box::new(operator)));
    let task = Manual { text: "take a backup".into(), ..Manual::default() };
    let error = live.apply(&Request::Change(Change::Manual(task)), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(told.lock().unwrap().is_empty());
}
