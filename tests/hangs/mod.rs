//! Nothing hangs: whatever a port does at whichever stage of TCP, TLS, HTTP/2, gRPC or HTTP/1, whoever asks there ends by the
//! deadline, and promptly when interrupted.
//!
//! Every fourth behaviour is tried, under `BINLOGSH_SOAK` all of them. The margin is for a loaded machine.

mod hostile;
mod nodes;
mod pd;
mod requests;

use crate::harness::Shell;
use crate::support::certs::Certs;
use crate::support::etcd::Etcd;
use crate::support::live::LiveWorld;
use crate::support::pd_double::PdDouble;
use crate::support::{is_soak, record};
use binlogsh::error::ErrorKind;
use binlogsh::interrupt::Interrupt;
use binlogsh::live::TlsFiles;
use binlogsh::world::Request;
use hostile::{Behaviour, Hostile, Step};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(4);
/// Less than what a second time-out in a row would take.
const MARGIN: Duration = Duration::from_secs(3);
/// How long a look of `doctor` may take beside the waiting.
const LOOK: Duration = Duration::from_secs(20);

/// Whether all is to be tried, and not a sample.
fn tried(behaviours: Vec<Behaviour>) -> Vec<Behaviour> {
    let step = if is_soak() { 1 } else { 4 };
    behaviours.into_iter().step_by(step).collect()
}

/// A world that has `pd` for its PD.
fn world(pd: &str, certs: &Certs, tls: bool) -> LiveWorld {
    let files = TlsFiles::new(Some(certs.ca()), None, None).unwrap();
    LiveWorld::with_tls(&[pd], TIMEOUT, files.filter(|_| tls))
}

/// Asks each of `requests` of somebody who behaves so, then all of them again, interrupted.
fn ask(behaviour: &Behaviour, live: &mut LiveWorld, requests: &[(&str, Request)]) {
    for (what, request) in requests {
        let began = Instant::now();
        let answer = live.ask(request.clone());
        let took = began.elapsed();
        assert!(took < TIMEOUT + MARGIN, "{what} of one that {}: {took:?} {answer:?}", behaviour.name);
        if let Err(error) = answer {
            assert!(error.kind != ErrorKind::Internal && !error.message.contains("::"), "{}: {error}", behaviour.name);
        }
    }
    for (what, request) in requests {
        let interrupt: Interrupt = live.interrupt.clone();
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            interrupt.raise(2);
            Instant::now()
        });
        let answer = live.ask(request.clone());
        let ended = Instant::now();
        let late = ended.saturating_duration_since(raiser.join().unwrap());
        assert!(late < MARGIN / 3, "{what} of one that {}, interrupted: {late:?} {answer:?}", behaviour.name);
        live.interrupt.clear();
    }
}

/// Whether nobody can tell it anything: it is asked over TLS, which it never makes whole.
fn is_never_told(behaviour: &Behaviour) -> bool {
    behaviour.tls && !behaviour.steps.iter().any(|step| matches!(step, Step::Handshake(_)))
}

/// Every behaviour at the same time: what each takes is waiting.
fn each_at_once(behaviours: &[Behaviour], one: impl Fn(&Behaviour, &Certs) + Sync) {
    let certs = Certs::new();
    std::thread::scope(|scope| {
        for behaviour in behaviours {
            scope.spawn(|| one(behaviour, &certs));
        }
    });
}

#[test]
fn whatever_a_nodes_port_does_whoever_asks_it_ends_in_time_and_when_interrupted() {
    let behaviours = nodes::behaviours();
    assert!(behaviours.len() >= 40);
    each_at_once(&tried(behaviours), |behaviour, certs| {
        let server = Hostile::start(behaviour, certs);
        // Its PD is gone, so that what became of it cannot be read either.
        let mut live = world("127.0.0.1:1", certs, behaviour.tls);
        let requests = requests::of_a_node(server.address());
        ask(behaviour, &mut live, &requests);
        if is_never_told(behaviour) {
            let error = live.fails(requests[requests.len() - 1].1.clone());
            assert_ne!(error.kind, ErrorKind::InDoubt, "{} has not heard of it: {error}", behaviour.name);
        }
    });
}

#[test]
fn whatever_pds_port_does_whoever_asks_it_ends_in_time_and_when_interrupted() {
    let behaviours = pd::behaviours();
    assert!(behaviours.len() >= 24);
    each_at_once(&tried(behaviours), |behaviour, certs| {
        let server = Hostile::start(behaviour, certs);
        let mut live = world(server.address(), certs, behaviour.tls);
        ask(behaviour, &mut live, &requests::of_pd());
    });
}

#[test]
fn doctor_ends_where_every_node_does_something_else_that_none_should() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start(&etcd);
    let behaviours: Vec<_> = nodes::behaviours().into_iter().filter(|behaviour| !behaviour.tls).collect();
    let servers: Vec<Hostile> = behaviours.iter().map(|behaviour| Hostile::start(behaviour, &certs)).collect();
    for (at, server) in servers.iter().enumerate() {
        let id = format!("pump-{at}");
        etcd.kv().put(&format!("/tidb-binlog/v1/pumps/{id}"), record(&id, server.address(), "online", 1, 1));
    }
    let began = Instant::now();
    let ran = Shell::live(&pd.url()).arg("doctor").arg("--observe=0").go();
    assert!(began.elapsed() < LOOK, "{:?}", began.elapsed());
    // Of those that answered a probe with nothing of use none is left out.
    for at in 0..servers.len() {
        assert!(ran.stdout.contains(&format!("pump-{at}")), "no pump-{at}: {}{}", ran.stdout, ran.stderr);
    }
}
