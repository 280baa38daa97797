//! What fuzzing found, each with the smallest input that leads to it, and its relatives.

use super::files::{kept_export, sealed};
use super::stays_the_same;
use binlogsh::address_map::AddressMap;
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::journal::store::{RunFilter, Store};
use binlogsh::live::{HttpReply, Refusal, Timestamp, TsoResponse};
use binlogsh::node::{Kind, NodeRef, Record, RecordState};
use binlogsh::node_control::Template;
use binlogsh::pd_url::{PdUrl, without_passwords};
use binlogsh::proxy_url::ProxyUrl;
use binlogsh::rehearsal::{Plan, SavedStory};
use binlogsh::sim::{Cluster, SECOND, Scenario};
use binlogsh::time::{Time, Zone, parse_duration};
use binlogsh::world::{Listing, LockInfo, TidbServer};
use serde_json::{Value as Json, json};
use tonic::{Code, Status};

/// An exported run, changed as told, with hashes that fit.
fn exported(change: impl FnOnce(&mut Json)) -> String {
    let mut run: Json = serde_json::from_str(&kept_export()).unwrap();
    change(&mut run);
    sealed(&run.to_string()).unwrap()
}

/// The same with what stands as text in its head or an entry changed.
fn changed_within(text: &mut Json, change: impl FnOnce(&mut Json)) {
    let mut inner = serde_json::from_str(text.as_str().unwrap()).unwrap();
    change(&mut inner);
    *text = inner.to_string().into();
}

#[test]
fn an_exported_run_that_nobody_could_read_afterwards_is_not_imported() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("runs.db")).unwrap();
    let good = store.import(&exported(|_| {})).unwrap();
    let wrong = [
        // Of a later version, or of nobody.
        exported(|run| run["entries"][0]["body"] = "".into()),
        exported(|run| changed_within(&mut run["entries"][0]["body"], |entry| entry["request"] = json!("later"))),
        // The end of a change that did not begin.
        exported(|run| run["entries"].as_array_mut().unwrap().retain(|row| row["kind"] != "began")),
        // Its id is typed, and stands in messages.
        exported(|run| changed_within(&mut run["head"], |pinned| pinned["head"]["id"] = "".into())),
        exported(|run| changed_within(&mut run["head"], |pinned| pinned["head"]["id"] = "a\nerror: b".into())),
    ];
    for text in wrong {
        let error = store.import(&text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
        assert!(error.message.contains("the exported run") && error.hint.is_some(), "{error}");
    }
    let runs = store.runs(&RunFilter::default()).unwrap();
    assert_eq!(runs.iter().map(|run| &run.id).collect::<Vec<_>>(), [&good], "the store is as it was");
    store.load(&good).unwrap();
}

#[test]
fn a_timestamp_that_pd_cannot_have_given_is_no_timestamp() {
    let answer =
        |physical, logical| TsoResponse { timestamp: Some(Timestamp { physical, logical }), ..Default::default() };
    assert!(answer(1_795_000_000_000, (1 << 18) - 1).time().is_ok());
    for (physical, logical) in
        [(0, 0), (0, 1), (-1, 0), (1 << 45, 0), (i64::MAX, 0), (1_795_000_000_000, 1 << 18), (1_795_000_000_000, -1)]
    {
        let said = answer(physical, logical).time().unwrap_err().words().unwrap();
        assert!(said.contains("a timestamp that cannot be") && said.contains(&physical.to_string()), "{said}");
    }
}

/// What would be a line of our own.
const FORGED: &str = "x\nerror[internal] all is lost";

/// The error of each parser that is given [`FORGED`] somewhere.
fn errors_of_forgers() -> Vec<(&'static str, Error)> {
    fn of<T>(name: &'static str, read: Result<T>) -> (&'static str, Error) {
        (name, read.err().unwrap_or_else(|| panic!("{name} takes it")))
    }
    let json = |value: Json| value.to_string();
    let node = NodeRef { kind: Kind::Pump, id: "p".into(), address: "h:1".into() };
    let drainer = |more: Json| {
        let mut drainer = json!({"id": FORGED, "address": "h:1"});
        drainer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"version": 1, "drainers": [drainer]}).to_string()
    };
    let certificate = json!({"role": "own", "place": FORGED, "expires": FORGED});
    let story = json!({"version": 1, "script": "s", "script_text": "", "parameters": {}, "harm": FORGED});
    let refusal = |code| Refusal::from(Status::new(code, format!("etcdserver: {FORGED}")));
    vec![
        of("zone", Zone::from_name(FORGED)),
        of("time", Time::parse(FORGED, Zone::Utc)),
        of("duration", parse_duration(FORGED)),
        of("PD's URL", PdUrl::parse_list(FORGED)),
        of("password", PdUrl::parse_list(&format!("u@{FORGED}"))),
        of("proxy", ProxyUrl::parse(FORGED)),
        of("map", AddressMap::default().add(FORGED, FORGED)),
        of("template", Template::parse(&format!("{{{FORGED}}}"))),
        of("brace", Template::parse(&format!("{FORGED}{{"))),
        of("scenario", Scenario::parse(&json(json!({"version": 1, FORGED: 1})))),
        of("address", Scenario::parse(&drainer(json!({"address": FORGED})))),
        of("process", Scenario::parse(&drainer(json!({"process": "closing"})))),
        of("speed", Scenario::parse(&drainer(json!({"speed": -1})))),
        of("certificate", Scenario::parse(&json(json!({"version": 1, "host": {"certificates": [certificate]}})))),
        of("plan", Plan::parse(&json(json!({"version": 2, FORGED: 1})))),
        of("story", SavedStory::parse(&story.to_string())),
        of(
            "TiDB",
            TidbServer::registered(
                "/tidb/server/info/x",
                &json(json!({"ip": FORGED})).replace("ip", FORGED).into_bytes(),
            ),
        ),
        of("metrics", HttpReply { body: b"x\x0berror".to_vec(), ..HttpReply::default() }.samples(&node)),
        of("permission", refusal(Code::PermissionDenied).words()),
        of("etcd", refusal(Code::Unknown).words()),
        of("again", refusal(Code::Unavailable).words().and_then(|words| Err::<(), _>(Error::invalid(words)))),
    ]
}

#[test]
fn what_is_read_writes_no_line_of_its_own_into_an_error() {
    for (name, error) in errors_of_forgers() {
        for said in [Some(error.message), error.hint, error.source].into_iter().flatten() {
            assert!(!said.contains(|c: char| c == '\n' || binlogsh::text::deceives(c)), "{name}: {said:?}");
        }
    }
}

#[test]
fn what_differs_between_records_is_told_on_one_line_each() {
    let record = |json: &str| Record::parse("/tidb-binlog/v1/pumps/p", json.as_bytes().to_vec(), 1).unwrap();
    let differences = record("{}").differences(&record("{\"a\\nb\": \"\u{202e}\"}")).unwrap();
    assert_eq!(differences, ["a\\nb: (absent) -> \"\\u{202e}\""]);
}

#[test]
fn a_plan_that_does_not_hold_tells_each_difference_on_one_line() {
    let plan = json!({
        "version": 2, "cluster_id": 7, "script": {"name": FORGED, "digest": "0", "parameters": {}}, "made_at": FORGED,
        "relied_on": [], "malformed": [FORGED], "effects": [],
    });
    let plan = Plan::parse(&plan.to_string()).unwrap();
    let listing = Listing { revision: 1, tso: None, tso_error: None, records: Vec::new(), malformed: Vec::new() };
    for cluster in [7, 8] {
        let error = plan.check(&listing, cluster).unwrap_err();
        assert_eq!(error.message.lines().count(), 2, "{error}");
    }
}

#[test]
fn a_scenario_with_numbers_that_no_clock_has_is_an_error_and_no_cluster() {
    let pump = |more: Json| {
        let mut pump = json!({"id": "p", "address": "h:1"});
        pump.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"version": 1, "pumps": [pump], "start": "2026-11-22T12:00:00Z"})
    };
    let wrong = [
        pump(json!({"drift_ppm": i64::MAX})),
        pump(json!({"drift_ppm": -2_000_000})),
        json!({"version": 1, "drainers": [{"id": "d", "address": "h:1", "drift_ppm": i64::MIN}]}),
        json!({"version": 1, "host": {"clock_ms": i64::MAX}}),
        json!({"version": 1, "host": {"clock_ms": i64::MIN}}),
        json!({"version": 1, "start": "+262142-01-01T00:00:00Z"}),
        json!({"version": 1, "start": "9999-12-31T23:59:59Z"}),
        json!({"version": 1, "start": "1969-12-31T23:59:59Z"}),
    ];
    for scenario in wrong {
        let error = Scenario::parse(&scenario.to_string()).map(drop).unwrap_err();
        assert!(error.kind == ErrorKind::Invalid && error.hint.is_some(), "{scenario}: {error}");
    }
    // When a clock ticks counts within its interval: any number will do.
    let phases = ["heartbeat_ms", "fake_binlog_ms", "close_check_ms"];
    for ms in [i64::MAX, i64::MIN, -1] {
        let phases: Json =
            phases.iter().map(|name| ((*name).to_owned(), json!(ms))).collect::<serde_json::Map<_, _>>().into();
        let scenario = Scenario::parse(&pump(json!({"phases": phases})).to_string()).unwrap();
        Cluster::new(&scenario).unwrap().advance_to(20 * SECOND);
    }
}

#[test]
fn a_password_behind_the_address_is_not_shown_either() {
    for text in ["socks5://h:1080@root:s3cret", "://h:1080@root:s3cret", "u@s3cret"] {
        let error = ProxyUrl::parse(text).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    for text in ["http://h:2379@root:s3cret", "h:2379@root:s3cret/x", "u@s3cret"] {
        let error = PdUrl::parse_list(text).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(
        without_passwords("of http://h:1@root:s3cret and http://u:p@h:1"),
        "of http://***@*** and http://***@h:1"
    );
}

#[test]
fn what_is_not_seen_is_escaped_in_quotes_too() {
    let said = LockInfo::new(5, "a\u{3164}b".as_bytes(), None).to_string();
    assert!(said.contains("\"a\\u{3164}b\""), "{said}");
    assert_eq!(RecordState::from("a\u{3164}".to_owned()).to_string(), "\"a\\u{3164}\"");
}

#[test]
fn a_number_is_the_same_when_a_journal_gives_it_back() {
    let node = NodeRef { kind: Kind::Pump, id: "p".into(), address: "h:1".into() };
    let body = b"a 90071992547409932e1\nb 9.007199254740993e27\n".to_vec();
    let samples = HttpReply { body, ..HttpReply::default() }.samples(&node).unwrap();
    stays_the_same(&samples);
}
