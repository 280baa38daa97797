//! Records as people find them: written by other tools and other versions, in a real etcd.

use crate::harness::Shell;
use crate::support::cluster::LiveCluster;
use crate::support::etcd::{Etcd, Kv};
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::pd_double::PdDouble;
use crate::support::{eventually, free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use std::time::Duration;

/// A PD in front of a real etcd, and no node.
struct Place {
    kv: std::cell::RefCell<Kv>,
    pd: PdDouble,
    _etcd: Etcd,
}

impl Place {
    fn new() -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        Self { kv: etcd.kv().into(), pd, _etcd: etcd }
    }

    fn put(&self, key: &str, value: impl Into<Vec<u8>>) {
        self.kv.borrow_mut().put(&format!("/tidb-binlog/v1/{key}"), value);
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.kv.borrow_mut().range(&format!("/tidb-binlog/v1/{key}")).into_iter().next().map(|(_, value, _)| value)
    }

    /// A record with the time of this moment.
    fn fresh(&self, id: &str, address: &str, state: &str) -> String {
        record(id, address, state, self.pd.now(), self.pd.now())
    }

    fn shell(&self) -> Shell {
        Shell::live(&self.pd.url()).yes()
    }
}

/// An address where nobody listens.
fn nobody() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// A node that says it is online.
fn alive() -> HttpDouble {
    HttpDouble::start(|_| Reply::verdict(3, "invalide action probe"))
}

#[test]
fn a_state_is_written_into_a_record_and_nothing_of_it_is_lost() {
    let place = Place::new();
    let deep = format!("{}1{}", "[".repeat(2_000), "]".repeat(2_000));
    let with = |state: &str| {
        let rest = format!(
            r#""note" : 1e400,"n":123456789012345678901234567890,"a":[1.0,1E5,-0],"t":"\u0061\/é","twice":1,"twice":2,"deep":{deep},"in":{{"state":"online"}}"#
        );
        format!("{{\n  \"host\": \"{{}}\",  \"st\\u0061te\" :\"{state}\",{rest}\t}}\n").replace("{}", "127.0.0.1:1")
    };
    place.put("pumps/p0", with("online"));
    place.put("drainers/d0", b"{\"host\":\"127.0.0.1:1\",\"state\":\"online\",\"note\":\"\xff\"}".to_vec());
    place.shell().eval(r#"update_pump("p0", "paused").after"#).succeeds().stdout("paused");
    assert_eq!(String::from_utf8(place.get("pumps/p0").unwrap()).unwrap(), with("paused"));
    place.shell().eval(r#"update_drainer("d0", "paused").before"#).succeeds().stdout("online");
    assert_eq!(place.get("drainers/d0").unwrap(), b"{\"host\":\"127.0.0.1:1\",\"state\":\"paused\",\"note\":\"\xff\"}");
}

#[test]
fn a_state_that_is_none_is_listed_as_it_stands_and_odd() {
    let (place, pump) = (Place::new(), alive());
    place.put("pumps/p0", place.fresh("p0", &pump.address(), "Online"));
    place.put("drainers/d0", "{}");
    let ran = place.shell().eval(r#"for n in nodes() { print(`${n.id} "${n.state}" at "${n.address}": ${n.odd}`); }"#);
    let ran = ran.succeeds().stdout_contains(r#"p0 "Online" at"#).stdout_contains("is no state");
    let ran = ran.stdout_contains(r#"d0 "" at """#).stdout_contains("its record has no address");
    assert_eq!(ran.stderr, "", "whoever else reads the records can read these");
    Shell::new(&["ctl", "-cmd=pumps", "-pd-urls", &place.pd.url()]).go().succeeds().stdout_contains("State: Online, ");
}

#[test]
fn guards_hold_for_a_node_whose_state_is_none() {
    let (place, pump) = (Place::new(), alive());
    let json = place.fresh("p0", &pump.address(), "Online");
    place.put("pumps/p0", json.clone());
    place.put("pumps/p1", place.fresh("p1", &nobody(), "online"));
    let forced = [r#""not_offline""#, r#""lose_binlog""#, r#""still_pulled""#, r#""last_key""#].join(", ");
    for code in [
        r#"forget_pump("p0")"#.to_owned(),
        format!(r#"forget_pump("p0", #{{ force: [{forced}] }})"#),
        r#"update_pump("p0", "paused")"#.to_owned(),
    ] {
        place.shell().eval(&code).fails(ErrorKind::Refused).stderr_contains("alive, it answers as online");
    }
    assert_eq!(place.get("pumps/p0").unwrap(), json.as_bytes());
}

#[test]
fn a_dead_nodes_state_that_is_none_is_repaired() {
    let place = Place::new();
    let (pump, drainer) = (nobody(), nobody());
    place.put("pumps/p0", place.fresh("p0", &pump, "Online"));
    place.put("drainers/d0", place.fresh("d0", &drainer, "Online"));
    let twice = r#"[update_pump("p0", "paused"), update_drainer("d0", "paused")].map(|o| `${o.before} ${o.after}`)"#;
    place.shell().eval(twice).succeeds().stdout_contains("Online paused");
    for key in ["pumps/p0", "drainers/d0"] {
        assert!(String::from_utf8(place.get(key).unwrap()).unwrap().contains(r#""state":"paused","isAlive""#));
    }
}

/// What `doctor --observe 0` finds, as `check node: what`.
fn found(place: &Place) -> Vec<String> {
    let ran = place.shell().arg("--output=json").arg("doctor").arg("--observe=0").go();
    let findings: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    let text = |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap().to_owned();
    let line = |f: &serde_json::Value| {
        format!("{} {}: {} > {}", text(f, "check"), text(f, "node"), text(f, "what"), text(f, "remedy"))
    };
    findings.iter().map(line).collect()
}

#[test]
fn a_timestamp_that_cannot_be_is_a_finding_and_the_rest_is_examined() {
    let (place, pump) = (Place::new(), alive());
    place.put("pumps/p0", place.fresh("p0", &pump.address(), "online"));
    for (id, max_commit_ts) in [("d0", -1), ("d1", i64::MAX), ("d2", i64::MIN)] {
        let address = nobody();
        place.put(&format!("drainers/{id}"), record(id, &address, "paused", max_commit_ts, place.pd.now()));
    }
    place.put("drainers/d3", record("d3", &nobody(), "paused", place.pd.now(), i64::MAX));
    let found = found(&place);
    let has = |start: &str, part: &str| found.iter().any(|one| one.starts_with(start) && one.contains(part));
    for id in ["d0", "d2"] {
        assert!(has(&format!("odd_timestamp {id}: its maxCommitTS is negative"), ""), "{found:#?}");
    }
    assert!(has("odd_timestamp d1: its maxCommitTS is ", "ahead of PD's time"), "{found:#?}");
    assert!(has("odd_timestamp d3: its updateTS is ", "ahead of PD's time"), "{found:#?}");
    for id in ["d0", "d1", "d2", "d3"] {
        assert!(has(&format!("paused_drainer {id}: is paused"), ""), "the rest is examined: {found:#?}");
    }
    let odd = place.shell().eval(r#"drainers().map(|d| `${d.id} ${d.lag == ()} ${d.odd == []}`)"#).succeeds();
    for line in ["d0 true false", "d1 true false", "d2 true false", "d3 false false"] {
        assert!(odd.stdout.contains(line), "{line}: {}", odd.stdout);
    }
}

#[test]
fn a_pump_that_just_started_has_no_lag_of_decades() {
    let (place, pump) = (Place::new(), alive());
    place.put("pumps/p0", record("p0", &pump.address(), "online", 0, place.pd.now()));
    let ran = place.shell().eval("pumps()").succeeds().stdout_contains("nothing yet");
    assert!(!ran.stdout.contains("d1") && !ran.stdout.contains("behind"), "{}", ran.stdout);
    place.shell().eval(r#"let p = pump("p0"); `${p.lag == ()} ${p.odd}`"#).succeeds().stdout("true []");
}

#[test]
fn a_node_whose_heartbeat_is_fresh_is_never_called_dead() {
    let place = Place::new();
    let (refused, elsewhere) =
        (nobody(), HttpDouble::start(|_| Reply::verdict(3, "invalide nodeID x, this pump's nodeID is y")));
    for (id, address) in [("p0", "pump-0.pods.invalid:8250"), ("p1", &refused), ("p2", &elsewhere.address())] {
        place.put(&format!("pumps/{id}"), place.fresh(id, address, "online"));
    }
    place.put("drainers/d0", place.fresh("d0", "drainer-0.pods.invalid:8249", "online"));
    let found = found(&place);
    for id in ["p0", "p1", "p2", "d0"] {
        let one = found.iter().find(|one| one.starts_with(&format!("unreachable {id}: its last heartbeat was ")));
        assert!(one.is_some_and(|one| one.contains("do nothing to its record")), "{id}: {found:#?}");
    }
    assert!(!found.iter().any(|one| one.starts_with("dead") || one.contains("update_")), "{found:#?}");
}

#[test]
fn who_is_refused_may_be_alive_where_others_are_out_of_reach() {
    let place = Place::new();
    let old = place.pd.now() - (3_600_000 << 18);
    place.put("pumps/p0", record("p0", &nobody(), "online", old, old));
    place.put("pumps/p1", place.fresh("p1", "pump-1.pods.invalid:8250", "online"));
    place.put("drainers/d0", record("d0", "drainer-0.pods.invalid:8249", "online", old, old));
    let found = found(&place);
    let unknown = found.iter().find(|one| one.starts_with("out_of_reach d0: ")).unwrap();
    assert!(unknown.contains("it cannot be asked from here") && unknown.contains("look from a host"), "{found:#?}");
    assert!(
        found.iter().any(|one| one.starts_with("out_of_reach p0: says online, its last heartbeat was 1h00m ago")),
        "{found:#?}"
    );
    assert!(!found.iter().any(|one| one.starts_with("dead") || one.contains("update_")), "{found:#?}");
}

#[test]
fn a_refused_probe_proves_no_death_while_others_beat_out_of_reach() {
    let cluster = LiveCluster::sample("default");
    let dead = cluster.who(Kind::Pump, "pump-1");
    cluster.with(|cluster| cluster.signal(dead, Signal::Kill));
    // Another one is alive, at an address that leads nowhere from here.
    let who = cluster.who(Kind::Pump, "pump-2");
    let place = nobody();
    cluster.with(|cluster| cluster.start(who, Some(&place)));
    let mut kv = cluster.kv();
    let beats = |(json, _): (String, i64)| json.contains(&place) && json.contains(r#""state":"online""#);
    assert!(eventually(Duration::from_secs(30), || kv.get("/tidb-binlog/v1/pumps/pump-2").is_some_and(beats)));
    let ran = Shell::live(&cluster.url()).yes().eval(r#"update_pump("pump-1", "paused")"#);
    ran.fails(ErrorKind::Refused).stderr_contains("alive").stderr_contains("the heartbeat of pump-2 goes on");
}

/// What `code` takes on `place`, in seconds, and what it says on the way.
fn timed(place: &Place, code: &str) -> (f64, String) {
    let ran = place.shell().eval(&format!("let began = now(); {code} now() - began")).succeeds();
    (ran.stdout.trim().parse().unwrap_or_else(|e| panic!("{e}: {ran:?}")), ran.stderr)
}

#[test]
fn dead_nodes_are_watched_once_for_all_of_them_and_that_is_said() {
    let place = Place::new();
    for id in ["p0", "p1", "p2"] {
        place.put(&format!("pumps/{id}"), place.fresh(id, &nobody(), "online"));
    }
    let (seconds, said) = timed(&place, r#"for id in ["p0", "p1", "p2"] { update_pump(id, "paused"); }"#);
    assert!((10.0..20.0).contains(&seconds), "{seconds} s: each was watched, or none");
    assert!(said.contains("watching whether anybody writes the record of pump p0"), "{said}");
}

#[test]
fn a_node_whose_heartbeat_is_days_old_is_not_watched() {
    let place = Place::new();
    let old = place.pd.now() - ((2 * 86_400_000) << 18);
    for id in ["d0", "d1"] {
        place.put(&format!("drainers/{id}"), record(id, &nobody(), "online", old, old));
    }
    let (seconds, said) = timed(&place, r#"for id in ["d0", "d1"] { update_drainer(id, "paused"); }"#);
    assert!(seconds < 9.0 && !said.contains("watching"), "{seconds} s: {said}");
}

#[test]
fn ten_thousand_records_are_examined() {
    let place = Place::new();
    let (address, now) = (nobody(), place.pd.now());
    let old = |n: usize| match n % 100 {
        0 => {
            record(&format!("p{n}"), &format!("127.0.0.1:{}", 1 + n / 100), "online", now - (1 << 40), now - (1 << 40))
        }
        _ => record(&format!("p{n}"), &format!("{n}.{address}"), "offline", now, now),
    };
    let all: Vec<(String, String)> = (0..10_000).map(|n| (format!("/tidb-binlog/v1/pumps/p{n}"), old(n))).collect();
    place.kv.borrow_mut().put_all(&all);
    let found = found(&place);
    assert_eq!(found.iter().filter(|one| one.starts_with("dead ")).count(), 100, "{:#?}", found.first());
}

#[test]
fn twice_the_dead_nodes_take_the_doctor_about_twice_the_time() {
    let place = Place::new();
    let took = |nodes: usize| {
        let old = place.pd.now() - (3_600_000 << 18);
        let one = |n: usize| {
            (
                format!("/tidb-binlog/v1/pumps/p{n}"),
                record(&format!("p{n}"), &format!("127.1.{}.{}:1", n / 250, 1 + n % 250), "online", old, old),
            )
        };
        place.kv.borrow_mut().put_all(&(0..nodes).map(one).collect::<Vec<_>>());
        let began = std::time::Instant::now();
        let found = found(&place);
        assert_eq!(found.iter().filter(|one| one.starts_with("dead ")).count(), nodes);
        began.elapsed().as_secs_f64()
    };
    let (few, many) = (took(500), took(4_000));
    // Eight times as many: quadratic would be 64 times, and other tests take their share of the machine.
    assert!(many < 20.0 * few, "{few} s for 500, {many} s for 4000");
}

#[test]
fn names_of_hosts_have_no_case() {
    let place = Place::new();
    let port = free_port();
    place.put("pumps/a", place.fresh("a", &format!("LOCALHOST:{port}"), "paused"));
    place.put("pumps/Host-1:8250", place.fresh("Host-1:8250", "host-1.example:8250", "paused"));
    place.put("drainers/b", place.fresh("b", &format!("localhost:{port}"), "paused"));
    place.shell().eval(&format!(r#"pump("LocalHost:{port}").id"#)).succeeds().stdout("a");
    place.shell().eval(r#"pump("a").odd"#).succeeds().stdout_contains("same address as drainer b");
    let found = found(&place);
    assert!(found.iter().any(|one| one.starts_with("duplicate_address")), "{found:#?}");
    assert!(!found.iter().any(|one| one.starts_with("moved_id")), "{found:#?}");
}

#[test]
fn what_breaks_other_readers_is_no_record_and_says_why() {
    let place = Place::new();
    place.put("pumps/p0", r#"{"host":"h:1","state":"online","isAlive":1}"#);
    place.put("pumps/p1", r#"{"host":"h:1","state":7}"#);
    let ran = place.shell().eval("malformed().map(|m| m.reason)").succeeds();
    ran.stdout_contains("`isAlive` is neither true nor false").stdout_contains("`state` is no text");
}
