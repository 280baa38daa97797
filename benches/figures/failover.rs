//! What it costs that one of PD's three members is gone or frozen: to a fresh process that meets it first, and to one that has
//! been asking it.

use crate::process::{ours, time};
use crate::row::{Row, median};
use crate::support::live::LiveWorld;
use crate::support::quorum::Quorum;
use crate::support::record;
use std::process::Command;
use std::time::{Duration, Instant};

const PROCESSES: usize = 15;
const ROUNDS: usize = 9;
/// Reads on each side of what happens to the member.
const READS: usize = 50;
const TIMEOUT: Duration = Duration::from_secs(5);
/// Whoever answers so much later is not the first.
const LATER: Duration = Duration::from_millis(400);

fn start() -> Quorum {
    let quorum = Quorum::start();
    quorum.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", "h:1", "online", 5, 5));
    quorum
}

fn read(urls: &[String]) -> Command {
    let mut command = ours();
    command.args(["--pd-urls", &urls.join(","), "-e", "pumps()"]);
    command
}

/// Fresh processes whose first of three endpoints is lost so, and such as know the other two alone, in turn.
fn fresh(name: &'static str, lose: fn(&Quorum, usize)) -> Row {
    let quorum = start();
    let lost = quorum.follower();
    lose(&quorum, lost);
    let all = quorum.urls_from(lost);
    let ms = |urls: &[String]| time(read(urls)) * 1000.0;
    let (with, without): (Vec<f64>, Vec<f64>) = (0..=PROCESSES).map(|_| (ms(&all), ms(&all[1..]))).skip(1).unzip();
    quorum.cure(lost);
    Row::time_beyond(name, "ms", median(with), median(without))
}

pub(crate) fn failover_refused() -> Row {
    fresh("failover_refused", Quorum::kill).at_most(30.0)
}

pub(crate) fn failover_frozen() -> Row {
    fresh("failover_frozen", Quorum::freeze).at_most(60.0)
}

/// Milliseconds of a listing in this process.
fn listing(live: &mut LiveWorld) -> f64 {
    let began = Instant::now();
    live.list().unwrap();
    began.elapsed().as_secs_f64() * 1000.0
}

/// What a process takes that has asked a member which then freezes: for a read before, the first one after, and later ones.
fn frozen_under(quorum: &Quorum) -> [f64; 3] {
    let asked = quorum.follower();
    let others = [(asked + 1) % 3, (asked + 2) % 3];
    others.iter().for_each(|at| quorum.slow(*at, LATER));
    let mut live = LiveWorld::new(&quorum.urls_from(asked), TIMEOUT);
    live.list().unwrap();
    others.iter().for_each(|at| quorum.cure(*at));
    let before = median((0..READS).map(|_| listing(&mut live)).collect());
    quorum.freeze(asked);
    let first = listing(&mut live);
    let later = median((0..READS).map(|_| listing(&mut live)).collect());
    quorum.cure(asked);
    quorum.settle();
    [before, first, later]
}

fn rounds() -> [f64; 3] {
    let quorum = start();
    let rounds: Vec<[f64; 3]> = (0..ROUNDS).map(|_| frozen_under(&quorum)).collect();
    [0, 1, 2].map(|at| median(rounds.iter().map(|round| round[at]).collect()))
}

/// The first read after the member freezes that was asked so far.
pub(crate) fn failover_freezes() -> Row {
    let [before, first, _] = rounds();
    Row::time_beyond("failover_freezes", "ms", first, before).at_most(60.0)
}

/// The reads after that one.
pub(crate) fn failover_after() -> Row {
    let [before, _, later] = rounds();
    Row::time_beyond("failover_after", "ms", later, before).at_most(2.0)
}
