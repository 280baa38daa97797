//! PD's members come and go: whoever reads does not notice while a majority answers, and nothing is written twice.
//!
//! A few reads in each state; under `BINLOGSH_SOAK` a thousand in one process and fifty fresh processes.

mod writes;

use crate::harness::Shell;
use crate::support::live::LiveWorld;
use crate::support::quorum::Quorum;
use crate::support::{is_soak, record};
use binlogsh::error::ErrorKind;
use binlogsh::world::Notice;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const PUMP_0: &str = "/tidb-binlog/v1/pumps/pump-0";
/// Of an exchange, for those who are not meant to come to it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Who waits for whoever does not answer takes longer.
const PROMPT: Duration = Duration::from_millis(600);
/// The reads by which a process finds out what has happened; during them another may have to be elected.
const FIRST: usize = 3;
/// What a loaded machine may add to a deadline.
const MARGIN: Duration = Duration::from_secs(1);

/// What becomes of the members.
struct Plight {
    name: &'static str,
    /// Makes it so, and names the member that is worst off.
    comes: fn(&Quorum) -> usize,
    /// Whether a leader has to be found first, so that the first reads take a moment.
    elects: bool,
    /// Whether the leader itself is slow: nobody else can give the time.
    slow_leader: bool,
    in_every_run: bool,
}

const PLIGHTS: &[Plight] = &[
    Plight {
        name: "one frozen",
        comes: |q| lost(q, q.follower(), Quorum::freeze),
        elects: false,
        slow_leader: false,
        in_every_run: true,
    },
    Plight {
        name: "one killed",
        comes: |q| lost(q, q.follower(), Quorum::kill),
        elects: false,
        slow_leader: false,
        in_every_run: false,
    },
    Plight {
        name: "the leader frozen",
        comes: |q| lost(q, q.leader(), Quorum::freeze),
        elects: true,
        slow_leader: false,
        in_every_run: false,
    },
    Plight {
        name: "the leader killed",
        comes: |q| lost(q, q.leader(), Quorum::kill),
        elects: true,
        slow_leader: false,
        in_every_run: true,
    },
    Plight {
        name: "one slow by 2 s",
        comes: |q| lost(q, q.follower(), slow),
        elects: false,
        slow_leader: false,
        in_every_run: true,
    },
    Plight {
        name: "the leader slow by 2 s",
        comes: |q| lost(q, q.leader(), slow),
        elects: false,
        slow_leader: true,
        in_every_run: false,
    },
];

fn lost(quorum: &Quorum, at: usize, how: fn(&Quorum, usize)) -> usize {
    how(quorum, at);
    at
}

fn slow(quorum: &Quorum, at: usize) {
    quorum.slow(at, 2 * SECOND);
}

/// How often one process reads, and how many processes do.
fn counts(plight: &Plight) -> (usize, usize) {
    match (is_soak(), plight.slow_leader) {
        (true, false) => (1_000, 50),
        (true, true) => (5, 5),
        (false, _) => (20, 1),
    }
}

fn pump_0(state: &str, update_ts: i64) -> String {
    record("pump-0", "h:1", state, 5, update_ts)
}

/// What a process saw that reads again and again.
#[derive(Default)]
struct Readings {
    took: Vec<Duration>,
    without_time: usize,
    /// How often it asked the member that is worst off, once it had to know of it.
    asked_in_vain: usize,
}

impl Readings {
    fn of(live: &mut LiveWorld, count: usize, worst: &str, name: &str) -> Self {
        let mut readings = Self::default();
        let mut known = 0;
        for at in 0..count {
            if at == FIRST {
                known = live.notices().len();
            }
            let began = Instant::now();
            let listing = live.list().unwrap_or_else(|error| panic!("{name}: read {at} failed: {error}"));
            readings.took.push(began.elapsed());
            assert_eq!(listing.records.len(), 1, "{name}: read {at}");
            readings.without_time += usize::from(listing.tso.is_none());
        }
        let asked = |notice: &&Notice| matches!(notice, Notice::Traced { endpoint, .. } if endpoint == worst);
        readings.asked_in_vain = live.notices()[known..].iter().filter(asked).count();
        readings
    }

    fn late(&self) -> usize {
        self.took.iter().filter(|took| **took > PROMPT).count()
    }

    #[expect(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]
    fn told(&self, name: &str) {
        let mut took = self.took.clone();
        took.sort();
        println!(
            "failover: {name}: {} reads, first {:?}, median {:?}, slowest {:?}, {} over {PROMPT:?}, {} without a time, \
             {} exchanges with the worst off",
            took.len(),
            self.took[0],
            took[took.len() / 2],
            took[took.len() - 1],
            self.late(),
            self.without_time,
            self.asked_in_vain,
        );
    }
}

/// Reads in a process that has read before, and in fresh ones, while the members are in such a plight.
#[expect(clippy::print_stdout, reason = "a figure for whoever asks with --nocapture")]
fn read_in(quorum: &Quorum, plight: &Plight) {
    let (reads, processes) = counts(plight);
    let meant = if plight.elects || plight.slow_leader { quorum.leader() } else { quorum.follower() };
    // One that was given all of them, and one that was given the one alone that is going to be lost.
    let mut given_all = LiveWorld::new(&quorum.urls_from(meant), TIMEOUT);
    let mut given_one = LiveWorld::new(&[quorum.url(meant)], TIMEOUT);
    for live in [&mut given_all, &mut given_one] {
        // The second time it knows PD's members.
        live.list().unwrap();
        assert!(live.list().unwrap().tso.is_some());
    }
    let worst = (plight.comes)(quorum);
    assert_eq!(worst, meant, "{}", plight.name);
    for (given, live) in [("all given", &mut given_all), ("one given", &mut given_one)] {
        let name = format!("{}, {given}", plight.name);
        let readings = Readings::of(live, reads, &quorum.url(worst), &name);
        readings.told(&name);
        if plight.slow_leader {
            assert_eq!(readings.without_time, 0, "{name}: no time");
        } else {
            // While a leader is found, and then as if nothing had happened.
            let few = FIRST + reads / 100;
            assert!(readings.late() <= few, "{name}: {} of {reads} reads were late", readings.late());
            assert!(readings.without_time <= if plight.elects { few } else { 0 }, "{name}: no time");
            assert!(readings.asked_in_vain <= 5 + reads / 50, "{name}: {} times", readings.asked_in_vain);
        }
    }
    let began = Instant::now();
    for _ in 0..processes {
        let urls = quorum.urls_from(worst).join(",");
        Shell::live(&urls).eval("pumps().len()").succeeds().stdout("1");
    }
    println!("failover: {}: {processes} processes in {:?}", plight.name, began.elapsed());
    quorum.cure(worst);
    quorum.settle();
}

/// Without a majority every read is an error in time that says why, and the first one afterwards is right.
fn read_without_a_majority(quorum: &Quorum) {
    let mut live = LiveWorld::new(&quorum.urls_from(0), SECOND);
    live.list().unwrap();
    let left = quorum.follower();
    let gone: Vec<usize> = (0..3).filter(|at| *at != left).collect();
    gone.iter().for_each(|at| quorum.kill(*at));
    let mut fresh = LiveWorld::new(&quorum.urls_from(0), SECOND);
    for live in [&mut live, &mut fresh] {
        for _ in 0..if is_soak() { 10 } else { 1 } {
            let began = Instant::now();
            let error = live.list().unwrap_err();
            assert!(began.elapsed() < SECOND + MARGIN, "{:?}: {error}", began.elapsed());
            assert!(matches!(error.kind, ErrorKind::Timeout | ErrorKind::Unreachable), "{error}");
            assert!((0..3).all(|at| error.message.contains(&quorum.url(at))) && error.hint.is_some(), "{error}");
        }
    }
    for _ in 0..if is_soak() { 50 } else { 1 } {
        let ran = Shell::live(&quorum.urls_from(0).join(",")).arg("--timeout").arg("1s").eval("pumps()");
        assert!([ErrorKind::Timeout, ErrorKind::Unreachable].map(|k| i32::from(k.exit_code())).contains(&ran.code));
        assert!((0..3).all(|at| ran.stderr.contains(&quorum.url(at))), "{}", ran.stderr);
    }
    gone.iter().for_each(|at| quorum.cure(*at));
    quorum.settle();
    for live in [&mut live, &mut fresh] {
        assert_eq!(live.list().unwrap().records.len(), 1);
    }
}

#[test]
fn no_read_fails_while_a_majority_of_pds_members_answers_and_none_waits_twice_for_the_same() {
    let quorum = Quorum::start();
    quorum.kv().put(PUMP_0, pump_0("online", 5));
    for plight in PLIGHTS.iter().filter(|plight| plight.in_every_run || is_soak()) {
        read_in(&quorum, plight);
    }
}

#[test]
fn without_a_majority_a_read_is_an_error_in_time_and_right_again_when_all_are_back() {
    let quorum = Quorum::start();
    quorum.kv().put(PUMP_0, pump_0("online", 5));
    read_without_a_majority(&quorum);
    let (reads, processes) = if is_soak() { (1_000, 50) } else { (5, 1) };
    let mut live = LiveWorld::new(&quorum.urls_from(0), TIMEOUT);
    Readings::of(&mut live, reads, "", "all back").told("all back");
    for at in 0..processes {
        Shell::live(&quorum.url(at % 3)).eval("pumps().len()").succeeds().stdout("1");
    }
}
