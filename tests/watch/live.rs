//! The live view of a real cluster: right all the time, and gentle.

use crate::harness::Shell;
use crate::harness::screen::Screen;
use crate::support::cluster::LiveCluster;
use crate::support::{eventually, is_soak};
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use std::time::{Duration, Instant};

fn view(cluster: &LiveCluster) -> Screen {
    let mut screen = Screen::open(Shell::live(&cluster.url()).arg("watch"), 120, 30);
    screen.shows("? help").shows("online");
    screen
}

/// What the table says of each node's record.
fn records(text: &str) -> Vec<(String, String)> {
    let table = text.lines().skip_while(|line| !line.starts_with("node ")).skip(1);
    let rows = table.take_while(|line| line.starts_with("pump-") || line.starts_with("drainer-"));
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let id = words.next().unwrap().to_owned();
        let state = words.find(|word| !["pump", "drainer"].contains(word)).unwrap();
        (id, state.to_owned())
    };
    rows.map(row).collect()
}

/// What a fresh listing says.
fn listed(cluster: &LiveCluster) -> Vec<(String, String)> {
    let code = "for n in nodes() { print(`${n.id} ${n.state}`); }";
    let text = Shell::live(&cluster.url()).eval(code).succeeds().stdout;
    text.lines().filter_map(|line| line.split_once(' ')).map(|(id, state)| (id.to_owned(), state.to_owned())).collect()
}

#[test]
fn it_follows_nodes_that_die_close_and_come_back_and_an_etcd_that_is_gone_and_compacted() {
    let cluster = LiveCluster::sample("default");
    let mut screen = view(&cluster);
    let pump = cluster.who(Kind::Pump, "pump-2");
    cluster.with(|model| model.signal(pump, Signal::Kill));
    screen.shows("refused !").shows("pump-2: answers refused, was online");

    let drainer = cluster.who(Kind::Drainer, "drainer-1");
    cluster.with(|model| model.stop(drainer));
    screen.shows("drainer-1: online -> paused");

    cluster.pd().set_gone(true);
    screen.shows("PD's etcd tells nothing for ");
    cluster.start_process(Kind::Pump, "pump-2");
    let mut kv = cluster.kv();
    assert!(kv.delete("/tidb-binlog/v1/drainers/drainer-1"));
    let newest = kv.put("/elsewhere", "x");
    kv.compact(newest);
    cluster.pd().set_gone(false);
    screen.shows("PD's etcd tells again").shows("the key /tidb-binlog/v1/drainers/drainer-1 was deleted");
    screen.shows("pump-2: answers online, was refused");

    let fresh = listed(&cluster);
    screen.until(|text| records(text) == fresh);
    screen.keys("q");
    assert_eq!(screen.code(), 0);
}

#[test]
fn the_holder_of_the_lock_is_seen_at_once() {
    let cluster = LiveCluster::sample("default");
    let mut screen = view(&cluster);
    screen.shows("maintenance lock: free");
    let value =
        r#"{"user":"ann","host":"ops1","pid":7,"script":"upgrade","version":"0.1.0","since":"2026-11-30T10:00:00Z"}"#;
    cluster.kv().put("/binlogsh/maintenance-lock", value);
    screen.shows("maintenance lock: ann@ops1, pid 7, script upgrade").shows("the maintenance lock was taken");
    cluster.kv().delete("/binlogsh/maintenance-lock");
    screen.shows("maintenance lock: free").shows("the maintenance lock is free");
}

#[test]
fn no_node_is_asked_twice_in_ten_seconds_whatever_keys_are_pressed() {
    let cluster = LiveCluster::sample("default");
    let mut screen = view(&cluster);
    // Doctor watches for ten seconds before it asks; the view does not ask meanwhile, nor for ten seconds afterwards.
    screen.keys("pppd").shows("doctor looks at ");
    screen.keys("pp").shows("doctor is about to ask every node").shows("about others");
    let probes = cluster.asked_of_nodes().iter().filter(|asked| asked.contains("/state/pump-0/")).count();
    assert_eq!(probes, 2, "{:?}", cluster.asked_of_nodes());
    screen.keys("qp").shows("was asked less than 10s ago");
    assert_eq!(cluster.asked_of_nodes().iter().filter(|asked| asked.contains("/state/pump-0/")).count(), 2);
}

/// How many different things happen.
const ROUNDS: usize = 8;

/// Some of everything that happens to a cluster, one of it in each round.
fn disturb(cluster: &LiveCluster, round: usize) {
    let pump = cluster.who(Kind::Pump, "pump-2");
    match round % ROUNDS {
        0 => cluster.with(|model| model.signal(pump, Signal::Kill)),
        1 => cluster.start_process(Kind::Pump, "pump-2"),
        2 => cluster.restart_etcd(),
        3 => cluster.with(|model| model.signal(pump, Signal::Stop)),
        4 => {
            cluster.pd().set_gone(true);
            let newest = cluster.kv().put("/elsewhere", "x");
            cluster.kv().compact(newest);
            cluster.pd().set_gone(false);
        }
        5 => cluster.with(|model| model.signal(pump, Signal::Cont)),
        6 => {
            let drainer = cluster.who(Kind::Drainer, "drainer-1");
            cluster.with(|model| model.stop(drainer));
        }
        _ => cluster.start_process(Kind::Drainer, "drainer-1"),
    }
}

/// The KiB that a process keeps in memory.
fn resident(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How long a soak disturbs it.
const SOAK: Duration = Duration::from_secs(20 * 60);

/// Goes through everything once; under `BINLOGSH_SOAK` for twenty minutes, and then `--nocapture` shows what it came to.
#[test]
#[expect(clippy::print_stdout, reason = "a soak tells its figures")]
fn it_is_right_after_whatever_happens_and_its_memory_stays() {
    let length = if is_soak() { SOAK } else { Duration::ZERO };
    let began = Instant::now();
    let cluster = LiveCluster::sample("default");
    let mut screen = view(&cluster);
    let (mut settled, mut round) = (0, 0);
    while round < ROUNDS || began.elapsed() < length {
        disturb(&cluster, round);
        // What lasts for less than a frame need not be seen, so both are looked at until they are the same.
        let is_right = || screen.text().contains("maintenance lock") && records(&screen.text()) == listed(&cluster);
        assert!(eventually(Duration::from_secs(30), is_right), "{}", screen.text());
        if is_soak() {
            std::thread::sleep(Duration::from_secs(10));
        }
        round += 1;
        if round == ROUNDS {
            settled = resident(screen.pid());
        }
    }
    let grown = resident(screen.pid()).saturating_sub(settled);
    println!("{round} rounds: {settled} KiB after the first {ROUNDS}, {grown} KiB more at the end");
    assert!(grown < 4096, "{grown} KiB more than the {settled} after the first {ROUNDS} rounds");
    screen.keys("q");
    assert_eq!(screen.code(), 0);
}

#[test]
fn no_key_waits_for_an_expression() {
    let cluster = LiveCluster::sample("default");
    let code = "let found = pumps().len(); if is_def_var(\"again\") { sleep(\"1h\"); } let again = true; found";
    let shell = Shell::live(&cluster.url()).arg("watch").arg("--interval=500ms").arg(code);
    let mut screen = Screen::open(shell, 120, 10);
    screen.shows("\n3");
    let heard = cluster.heard();
    assert!(eventually(Duration::from_secs(20), || cluster.heard() > heard), "it is not evaluated again");
    screen.keys("q");
    assert_eq!(screen.code(), 0);
    let screen = Screen::open(Shell::live(&cluster.url()).arg("watch").arg("pumps(); sleep(\"1h\")"), 80, 10);
    let heard = cluster.heard();
    assert!(eventually(Duration::from_secs(20), || cluster.heard() > heard), "it is not evaluated");
    rustix::process::kill_process(rustix::process::Pid::from_raw(screen.pid()).unwrap(), rustix::process::Signal::INT)
        .unwrap();
    assert_eq!(screen.code(), 130);
}
