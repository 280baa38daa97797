//! The program of a node: listens at the node's address, hands each request to the model in the test's process, tells it of
//! SIGTERM, and ends with the exit status that it is told, or when the test ends.
//!
//! Its log has the lines of a real one.

use super::control::call;
use crate::support::eventually;
use crate::support::http_double::{HttpDouble, HttpRequest, Reply};
use binlogsh::node::Kind;
use rustix::process::{Signal, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

/// The variable that makes the test binary this program.
pub(crate) const NODE_PROGRAM: &str = "BINLOGSH_TEST_NODE";
/// The exit status of a program whose test has ended.
const ABANDONED: i32 = 99;

/// What the program is told when it is started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NodeProgram {
    /// The test's socket.
    pub(super) control: SocketAddr,
    /// Its unit's place in the fleet.
    pub(super) unit: usize,
    /// Pump or Drainer.
    pub(super) kind: Kind,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// Where its log goes.
    pub(super) log: PathBuf,
    /// It was there before the test began: the model has its process already.
    pub(super) has_run: bool,
}

/// What the test tells the program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum NodeOrder {
    /// Its port opens.
    Listen,
    /// Its port closes.
    Close,
    /// It is over.
    Exit { code: i32, level: String, message: String, error: Option<String> },
}

/// Is the program, if the environment says so.
pub(crate) fn run_if_asked() {
    if let Ok(spec) = std::env::var(NODE_PROGRAM) {
        serde_json::from_str::<NodeProgram>(&spec).unwrap().run();
    }
}

impl NodeProgram {
    fn run(&self) -> ! {
        // Its supervisor's end is its own, also while it is stopped and hears nothing.
        set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
        let log = NodeLog::append(self);
        let mut signals = Signals::new([SIGTERM]).unwrap();
        log.write("INFO", &format!("Welcome to {}", self.kind.title()), &[]);
        let has_run = if self.has_run { "has run" } else { "starts" };
        let unit = self.unit.to_string();
        let Ok(orders) = call(self.control, &["node", &unit, has_run]) else { std::process::exit(ABANDONED) };
        let (control, terminated) = (self.control, self.unit.to_string());
        let told = log.again();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                told.write("INFO", "got signal to exit.", &[("signal", "terminated")]);
                // If nobody hears it, the test has ended.
                let _ = call(control, &["terminated", &terminated]);
            }
        });
        let mut port = None;
        for order in BufReader::new(orders).lines().map_while(Result::ok) {
            match serde_json::from_str(&order).unwrap() {
                NodeOrder::Listen => port = Some(self.listen(&log)),
                NodeOrder::Close => port = None,
                NodeOrder::Exit { code, level, message, error } => {
                    let error = error.as_deref().map(|error| ("error", error));
                    log.write(&level, &message, error.as_slice());
                    end(port, code);
                }
            }
        }
        std::process::exit(ABANDONED)
    }

    fn listen(&self, log: &NodeLog) -> HttpDouble {
        let (control, unit) = (self.control, self.unit.to_string());
        let double = HttpDouble::start_at(self.address, move |request| {
            passed_on(control, &unit, request).unwrap_or(Reply::Reset)
        });
        double.unwrap_or_else(|error| {
            let error = format!("listen tcp {}: {error}", self.address);
            log.write("ERROR", &format!("start {} server failed", self.kind), &[("error", &error)]);
            std::process::exit(2)
        })
    }
}

/// Ends the process once everybody has the answer that was on its way.
fn end(port: Option<HttpDouble>, code: i32) -> ! {
    if let Some(port) = port {
        port.go_down();
        eventually(Duration::from_secs(5), || port.is_idle());
    }
    std::process::exit(code)
}

/// What the model answers.
fn passed_on(control: SocketAddr, unit: &str, request: &HttpRequest) -> Option<Reply> {
    let mut answer = String::new();
    call(control, &["request", unit, &request.method, &request.path]).ok()?.read_to_string(&mut answer).ok()?;
    let answer: NodeAnswer = serde_json::from_str(&answer).ok()?;
    Some(match answer {
        NodeAnswer::Answer(status, body) => Reply::Answer(status, body),
        NodeAnswer::Reset => Reply::Reset,
        NodeAnswer::Silent => Reply::Silent,
    })
}

/// What the model says to a request.
#[derive(Serialize, Deserialize)]
pub(super) enum NodeAnswer {
    Answer(u16, String),
    Reset,
    Silent,
}

/// A node's log, in the format of PingCAP's programs.
struct NodeLog(Mutex<File>);

impl NodeLog {
    fn append(program: &NodeProgram) -> Self {
        Self(Mutex::new(File::options().create(true).append(true).open(&program.log).unwrap()))
    }

    fn again(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap().try_clone().unwrap()))
    }

    fn write(&self, level: &str, message: &str, fields: &[(&str, &str)]) {
        let time = chrono::Utc::now().format("%Y/%m/%d %H:%M:%S%.3f +00:00");
        let fields: String = fields.iter().map(|(name, value)| format!(" [{name}={}]", quoted(value))).collect();
        let line = format!("[{time}] [{level}] [main.go:70] [{}]{fields}\n", quoted(message));
        self.0.lock().unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// A text as their logs have it: in quotation marks if it is more than a word.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_graphic() && !"\"=[]".contains(c));
    if plain { text.to_owned() } else { format!("{text:?}") }
}
