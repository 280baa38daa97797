//! The model's side of the programs: starts, signals and requests are told the model, and the programs are told what
//! becomes of them.

use super::node::{NodeAnswer, NodeOrder};
use super::supervisor::{Supervised, Unit};
use crate::support::cluster::{LiveCluster, answer};
use crate::support::http_double::{HttpRequest, Reply};
use crate::support::mirror::{Mirror, Model};
use binlogsh::sim::{Cluster, LogEvent, Signal};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a program is told what became of its node.
const ROUND: Duration = Duration::from_millis(5);

/// The programs, as the model drives them.
pub(super) struct Driven {
    model: Model,
    mirror: Arc<Mutex<Mirror>>,
    nodes: Arc<Supervised>,
    attached: Vec<Attached>,
    failing: Mutex<BTreeMap<usize, String>>,
    requests: Mutex<Vec<HttpRequest>>,
}

/// A unit's program that is connected.
#[derive(Default)]
struct Attached {
    /// Held while one is: the next one waits until the model knows that the last one has ended.
    one: Mutex<()>,
    /// It was told to open its port.
    open: AtomicBool,
}

impl Driven {
    pub(super) fn new(cluster: &LiveCluster, nodes: Arc<Supervised>) -> Self {
        let (model, mirror) = cluster.parts();
        let attached = nodes.units().map(|_| Attached::default()).collect();
        Self { model, mirror, nodes, attached, failing: Mutex::default(), requests: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        work(self.model.lock().unwrap().as_mut().unwrap())
    }

    /// Does what a program calls for.
    pub(super) fn answer(&self, words: &[String], stream: TcpStream) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let at = |unit: &str| unit.parse::<usize>().unwrap();
        match words.as_slice() {
            ["node", unit, how] => self.follow(at(unit), *how == "has run", stream),
            ["terminated", unit] => self.signal(at(unit), Signal::Term),
            ["request", unit, method, path] => self.pass_on(at(unit), method, path, stream),
            other => panic!("nobody knows what {other:?} is"),
        }
    }

    /// Tells the model that a node's process was sent a signal.
    pub(super) fn signal(&self, at: usize, signal: Signal) {
        self.with(|cluster| cluster.signal(self.nodes.unit(at).who, signal));
    }

    pub(super) fn has_opened(&self, at: usize) -> bool {
        self.attached[at].open.load(Ordering::SeqCst)
    }

    /// Whether the model has a process there that is stopped.
    pub(super) fn is_hung(&self, at: usize) -> bool {
        let said = self.with(|cluster| cluster.http(&self.nodes.unit(at).advertised, "GET", "/status"));
        said == binlogsh::sim::HttpOutcome::Silent
    }

    pub(super) fn starts_fail(&self, at: usize, error: Option<&str>) {
        let mut failing = self.failing.lock().unwrap();
        match error {
            Some(error) => failing.insert(at, error.to_owned()),
            None => failing.remove(&at),
        };
    }

    pub(super) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }

    fn pass_on(&self, at: usize, method: &str, path: &str, mut stream: TcpStream) {
        let request = HttpRequest { method: method.to_owned(), path: path.to_owned() };
        self.requests.lock().unwrap().push(request.clone());
        let reply = match answer(&self.model, &self.nodes.unit(at).advertised, &request) {
            Reply::Answer(status, body) => NodeAnswer::Answer(status, body),
            Reply::Silent => NodeAnswer::Silent,
            Reply::Reset => NodeAnswer::Reset,
            other => panic!("a node does not say {other:?}"),
        };
        // The program may have been killed meanwhile.
        let _ = stream.write_all(serde_json::to_string(&reply).unwrap().as_bytes());
    }

    /// Drives one program from its start to its end.
    fn follow(&self, at: usize, has_run: bool, mut stream: TcpStream) {
        let attached = &self.attached[at];
        let one = attached.one.lock().unwrap();
        let unit = self.nodes.unit(at);
        if let Some(error) = self.failing.lock().unwrap().get(&at).cloned() {
            let order = fatal(unit, Some(error));
            return order.send(&mut stream);
        }
        let begin = self.with(|cluster| {
            if !has_run {
                cluster.start(unit.who, None);
            }
            cluster.log().len()
        });
        let course = Course { driven: self, unit, begin, has_run };
        course.run(&mut stream, &attached.open);
        attached.open.store(false, Ordering::SeqCst);
        drop(one);
    }
}

/// One process of a node, in the model.
struct Course<'a> {
    driven: &'a Driven,
    unit: &'a Unit,
    /// Where the model's log began to be about it.
    begin: usize,
    has_run: bool,
}

impl Course<'_> {
    fn run(&self, stream: &mut TcpStream, open: &AtomicBool) {
        stream.set_read_timeout(Some(ROUND)).unwrap();
        loop {
            if let Some(clean) = self.exit() {
                // A node writes its record before it exits.
                self.driven.mirror.lock().unwrap().beat(0);
                self.last_words(clean).send(stream);
                return until_gone(stream);
            }
            let listens = self.driven.with(|cluster| cluster.listens(&self.unit.advertised));
            if listens != open.swap(listens, Ordering::SeqCst) {
                let order = if listens { NodeOrder::Listen } else { NodeOrder::Close };
                order.send(stream);
            }
            if is_gone(stream) {
                // Killed: nobody told it to end.
                return self.driven.with(|cluster| cluster.signal(self.unit.who, Signal::Kill));
            }
        }
    }

    /// Whether the model's process has ended, and whether in good order.
    fn exit(&self) -> Option<bool> {
        self.driven.with(|cluster| {
            cluster.log()[self.begin..].iter().find_map(|entry| match entry.what {
                LogEvent::Exited { who, clean } if who == self.unit.who => Some(clean),
                _ => None,
            })
        })
    }

    fn was_online(&self) -> bool {
        let is_it = |what: &LogEvent| matches!(what, LogEvent::Online(who) if *who == self.unit.who);
        self.has_run || self.driven.with(|cluster| cluster.log()[self.begin..].iter().any(|entry| is_it(&entry.what)))
    }

    fn last_words(&self, clean: bool) -> NodeOrder {
        let kind = self.unit.kind;
        let (code, level, message) = match (clean, self.was_online()) {
            (true, _) => (0, "INFO", format!("{kind} exit")),
            (false, true) => (2, "ERROR", format!("start {kind} server failed")),
            (false, false) => return fatal(self.unit, None),
        };
        NodeOrder::Exit { code, level: level.to_owned(), message, error: None }
    }
}

/// A program that does not come up.
fn fatal(unit: &Unit, error: Option<String>) -> NodeOrder {
    let message = format!("create {} server failed", unit.kind);
    NodeOrder::Exit { code: 1, level: "FATAL".to_owned(), message, error }
}

impl NodeOrder {
    fn send(&self, stream: &mut TcpStream) {
        // It may have been killed meanwhile, which is seen by the end of the connection.
        let _ = stream.write_all(format!("{}\n", serde_json::to_string(self).unwrap()).as_bytes());
    }
}

/// Whether the program's end of the connection is closed; waits a moment for it.
fn is_gone(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(size) => size == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted),
    }
}

fn until_gone(stream: &mut TcpStream) {
    while !is_gone(stream) {}
}
