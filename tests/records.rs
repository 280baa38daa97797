//! Records as people find them: written by other tools and other versions, in a real etcd.

use crate::harness::Shell;
use crate::support::etcd::{Etcd, Kv};
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::pd_double::PdDouble;
use crate::support::{free_port, record};
use binlogsh::error::ErrorKind;

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

#[test]
fn what_breaks_other_readers_is_no_record_and_says_why() {
    let place = Place::new();
    place.put("pumps/p0", r#"{"host":"h:1","state":"online","isAlive":1}"#);
    place.put("pumps/p1", r#"{"host":"h:1","state":7}"#);
    let ran = place.shell().eval("malformed().map(|m| m.reason)").succeeds();
    ran.stdout_contains("`isAlive` is neither true nor false").stdout_contains("`state` is no text");
}
