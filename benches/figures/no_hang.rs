//! Nothing hangs: by how much a request overruns its deadline at worst, and how late it ends once it is interrupted, whatever
//! the port does that it was sent to.

#[path = "../../tests/hangs/hostile.rs"]
mod hostile;
#[path = "../../tests/hangs/nodes.rs"]
mod nodes;
#[path = "../../tests/hangs/pd.rs"]
mod pd;
#[path = "../../tests/hangs/requests.rs"]
mod requests;

use crate::doctor::Nodes;
use crate::process::ours;
use crate::row::Row;
use crate::support::certs::Certs;
use crate::support::etcd::Etcd;
use crate::support::live::LiveWorld;
use crate::support::pd_double::PdDouble;
use crate::support::record;
use binlogsh::live::TlsFiles;
use binlogsh::node::Kind;
use binlogsh::world::{Read, Request};
use hostile::{Behaviour, Hostile, Step};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(1);
/// When a request is interrupted that would go on.
const MIDDLE: Duration = Duration::from_millis(200);
/// So many quiet ones at the same time: what each takes is waiting.
const AT_ONCE: usize = 12;
/// A delay that the machine has put in does not come every time.
const TRIES: usize = 3;
/// More than this is tried again.
const NOTABLE_MS: f64 = 50.0;

/// The largest of some figures, and where it was seen.
#[derive(Default)]
struct Worst(Mutex<(f64, String)>);

impl Worst {
    /// The least of some tries of `measure`, if the first is notable.
    fn note(&self, what: &str, mut measure: impl FnMut() -> f64) {
        let mut least = measure();
        for _ in 1..TRIES {
            if least > NOTABLE_MS {
                least = least.min(measure());
            }
        }
        let mut worst = self.0.lock().unwrap();
        if least > worst.0 {
            *worst = (least, what.to_owned());
        }
    }

    fn row(self, name: &'static str) -> Row {
        let (ms, seen) = self.0.into_inner().unwrap();
        println!("{name}: {ms:.1} ms: {seen}");
        Row::time(name, "ms", ms).at_most(100.0)
    }
}

/// How many milliseconds `took` is more than the deadline.
fn beyond(took: Duration) -> f64 {
    took.saturating_sub(TIMEOUT).as_secs_f64() * 1000.0
}

/// Whether it keeps a core busy.
fn is_loud(behaviour: &Behaviour) -> bool {
    behaviour.steps.iter().any(|step| matches!(step, Step::Flood(_)))
}

/// Each behaviour: the quiet ones some at a time, the loud ones alone.
fn each(behaviours: &[Behaviour], one: impl Fn(&Behaviour) + Sync) {
    let (loud, quiet): (Vec<&Behaviour>, Vec<&Behaviour>) = behaviours.iter().partition(|b| is_loud(b));
    for some in quiet.chunks(AT_ONCE).chain(loud.chunks(1)) {
        std::thread::scope(|scope| some.iter().for_each(|behaviour| drop(scope.spawn(|| one(behaviour)))));
    }
}

fn world(pd: &str, certs: &Certs, behaviour: &Behaviour) -> LiveWorld {
    let files = TlsFiles::new(Some(certs.ca()), None, None).unwrap();
    LiveWorld::with_tls(&[pd], TIMEOUT, files.filter(|_| behaviour.tls))
}

/// Nobody is there.
const NO_PD: &str = "127.0.0.1:1";

/// Every request to every such port, by `measure`.
fn matrix(measure: impl Fn(&Behaviour, &mut LiveWorld, &str, &Request) + Sync) {
    let certs = Certs::new();
    each(&nodes::behaviours(), |behaviour| {
        let server = Hostile::start(behaviour, &certs);
        let mut live = world(NO_PD, &certs, behaviour);
        requests::of_a_node(server.address())
            .iter()
            .for_each(|(what, request)| measure(behaviour, &mut live, what, request));
    });
    each(&pd::behaviours(), |behaviour| {
        let server = Hostile::start(behaviour, &certs);
        let mut live = world(server.address(), &certs, behaviour);
        requests::of_pd().iter().for_each(|(what, request)| measure(behaviour, &mut live, what, request));
    });
}

/// How long a whole `doctor` takes, whatever it finds.
fn doctor(url: &str, certs: Option<&Certs>) -> Duration {
    let mut command = ours();
    command.args(["--pd-urls", url, "--timeout", "1s"]);
    if let Some(certs) = certs {
        command.arg("--ca").arg(certs.ca());
    }
    command.args(["doctor", "--observe", "0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    command.status().unwrap();
    began.elapsed()
}

/// `doctor` on a cluster one of whose nodes behaves so, and on one whose PD does.
fn doctors(worst: &Worst) {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start(&etcd);
    let plain: Vec<Behaviour> = nodes::behaviours().into_iter().filter(|behaviour| !behaviour.tls).collect();
    // One cluster after the other: they share the keys.
    for behaviour in &plain {
        let server = Hostile::start(behaviour, &certs);
        etcd.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", server.address(), "online", 1, 1));
        worst.note(&format!("doctor on a node that {}", behaviour.name), || beyond(doctor(&pd.url(), None)));
    }
    each(&pd::behaviours(), |behaviour| {
        let server = Hostile::start(behaviour, &certs);
        let scheme = if behaviour.tls { "https" } else { "http" };
        let url = format!("{scheme}://{}", server.address());
        worst.note(&format!("doctor on a PD that {}", behaviour.name), || {
            beyond(doctor(&url, behaviour.tls.then_some(&certs)))
        });
    });
}

/// Requests to a hundred nodes, ten of which are silent: all that a probe may take is what all of them may take.
fn of_many(worst: &Worst) {
    let cluster = Nodes::start(10);
    let mut live = LiveWorld::new(&[cluster.url()], 5 * TIMEOUT);
    let records = live.list().unwrap().records;
    let nodes: Vec<_> = records.into_iter().map(|record| record.node).filter(|node| node.kind == Kind::Pump).collect();
    let requests = [
        ("a probe", Read::Probe { nodes: nodes.clone() }),
        ("a status", Read::Status { nodes: nodes.clone() }),
        ("a commit timestamp", Read::CommitTs { nodes: nodes.clone() }),
        ("the metrics", Read::Metrics { nodes: nodes.clone() }),
        ("an inspection", Read::Inspect { nodes, metrics: Vec::new() }),
    ];
    for (what, read) in requests {
        let what = format!("{what} of a hundred nodes, ten of them silent");
        worst.note(&what, || {
            let began = Instant::now();
            live.ask(Request::Read(read.clone())).unwrap();
            let took = began.elapsed();
            println!("no_hang: {what}: {:.0} ms", took.as_secs_f64() * 1000.0);
            beyond(took)
        });
    }
}

/// By how much a request overruns its deadline, at worst.
pub(crate) fn no_hang() -> Row {
    let worst = Worst::default();
    matrix(|behaviour, live, what, request| {
        worst.note(&format!("{what} of one that {}", behaviour.name), || {
            let began = Instant::now();
            // Whatever it says: it ends.
            drop(live.ask(request.clone()));
            beyond(began.elapsed())
        });
    });
    doctors(&worst);
    of_many(&worst);
    worst.row("no_hang")
}

/// How late a request ends that is interrupted, at worst.
pub(crate) fn no_hang_interrupted() -> Row {
    let worst = Worst::default();
    matrix(|behaviour, live, what, request| {
        worst.note(&format!("{what} of one that {}", behaviour.name), || {
            let interrupt = live.interrupt.clone();
            let raiser = std::thread::spawn(move || {
                std::thread::sleep(MIDDLE);
                interrupt.raise(2);
                Instant::now()
            });
            drop(live.ask(request.clone()));
            let ended = Instant::now();
            let raised = raiser.join().unwrap();
            live.interrupt.clear();
            ended.saturating_duration_since(raised).as_secs_f64() * 1000.0
        });
    });
    worst.row("no_hang_interrupted")
}
