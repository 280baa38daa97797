//! What nodes, TiDB servers, PD and etcd answer.

use super::grammar::{Doc, Form, map, parts, raw, text};
use super::{Fuzzed, Weight, stays_the_same};
use crate::dice::Dice;
use binlogsh::error::{Error, Result};
use binlogsh::live::{
    ActionAnswer, GetGcSafePointResponse, GetMembersResponse, HttpReply, LiveSettings, Refusal, TsoResponse,
    UpdateServiceGcSafePointResponse,
};
use binlogsh::node::{Kind, NodeRef};
use binlogsh::pd_url::authority;
use binlogsh::text::{deceives, on_one_line};
use binlogsh::time::{Time, Zone};
use binlogsh::tso::Tso;
use binlogsh::world::{Capture, Changefeed, ProbeFinding, ServiceSafePoint};
use prost::Message;
use std::sync::OnceLock;
use tonic::{Code, Status};

pub(super) const PARSERS: &[Fuzzed] = &[
    Fuzzed {
        name: "pump_status",
        weight: Weight::Pure,
        form: Form::Json,
        valid: pump_status,
        tokens: JSON,
        read: |bytes| stays(&reply(bytes).status_report(&node(Kind::Pump))?),
        errors: 3,
    },
    Fuzzed {
        name: "drainer_status",
        weight: Weight::Pure,
        form: Form::Json,
        valid: drainer_status,
        tokens: JSON,
        read: |bytes| stays(&reply(bytes).status_report(&node(Kind::Drainer))?),
        errors: 3,
    },
    Fuzzed {
        name: "commit_ts",
        weight: Weight::Pure,
        form: Form::Json,
        valid: commit_ts,
        tokens: JSON,
        read: |bytes| stays(&reply(bytes).commit_ts(&node(Kind::Drainer))?),
        errors: 3,
    },
    Fuzzed {
        name: "pump_drainers",
        weight: Weight::Pure,
        form: Form::Json,
        valid: pump_drainers,
        tokens: JSON,
        read: |bytes| reply(bytes).drainers(&node(Kind::Pump)).map(drop),
        errors: 2,
    },
    Fuzzed {
        name: "metrics",
        weight: Weight::Pure,
        form: Form::Parts,
        valid: metrics,
        tokens: METRICS,
        read: read_metrics,
        errors: 1,
    },
    Fuzzed {
        name: "verdict",
        weight: Weight::Pure,
        form: Form::Json,
        valid: verdict,
        tokens: JSON,
        read: read_verdict,
        errors: 1,
    },
    Fuzzed {
        name: "probe",
        weight: Weight::Pure,
        form: Form::Json,
        valid: probed,
        tokens: JSON,
        read: read_probe,
        errors: 2,
    },
    Fuzzed {
        name: "tidb_skipping",
        weight: Weight::Pure,
        form: Form::Json,
        valid: skipping,
        tokens: JSON,
        read: |bytes| stays(&reply(bytes).skipping().map_err(Error::invalid)?),
        errors: 1,
    },
    Fuzzed {
        name: "pd_members",
        weight: Weight::Pure,
        form: Form::Proto,
        valid: members,
        tokens: &["\n", "\x12", "\u{1a}", "\"", "http://a:1"],
        read: read_members,
        errors: 2,
    },
    Fuzzed {
        name: "pd_tso",
        weight: Weight::Pure,
        form: Form::Proto,
        valid: tso,
        tokens: &["\n", "\x10", "\u{1a}", "\x08"],
        read: read_tso,
        errors: 2,
    },
    Fuzzed {
        name: "pd_gc_safe_point",
        weight: Weight::Pure,
        form: Form::Proto,
        valid: gc_safe_point,
        tokens: &["\n", "\x10", "\u{1a}", "\x08"],
        read: read_gc_safe_point,
        errors: 2,
    },
    Fuzzed {
        name: "pd_gc_hold",
        weight: Weight::Pure,
        form: Form::Proto,
        valid: gc_hold,
        tokens: &["\n", "\x12", "\x18", "\x20", "gc_worker"],
        read: read_gc_hold,
        errors: 2,
    },
    Fuzzed {
        name: "gc_service",
        weight: Weight::Pure,
        form: Form::Json,
        valid: gc_service,
        tokens: JSON,
        read: |bytes| stays(&ServiceSafePoint::parse("br", bytes, Some(Tso(1 << 60)))?),
        errors: 2,
    },
    Fuzzed {
        name: "changefeed",
        weight: Weight::Pure,
        form: Form::Json,
        valid: changefeed,
        tokens: &["\"", "{", "}", "@", "://", "?", "/", "%", "null"],
        read: read_changefeed,
        errors: 1,
    },
    Fuzzed {
        name: "capture",
        weight: Weight::Pure,
        form: Form::Json,
        valid: capture,
        tokens: &["\"", "{", "}", ":", ",", "null", "\"address\"", "\"version\""],
        read: read_capture,
        errors: 0,
    },
    Fuzzed {
        name: "etcd_refusal",
        weight: Weight::Pure,
        form: Form::Parts,
        valid: refusal,
        tokens: &["etcdserver: ", "mvcc: ", "no leader", "permission denied"],
        read: read_refusal,
        errors: 2,
    },
];

const JSON: &[&str] =
    &["{", "}", "[", "]", ":", ",", "\"", "null", "\"code\"", "200", "\"message\"", "\"data\"", "\"CommitTS\""];

const METRICS: &[&str] =
    &["process_start_time_seconds", " ", "1.7e+09", "\n", "{", "}", "type=\"a\"", "# HELP", "NaN", "+Inf", "\\"];

fn node(kind: Kind) -> NodeRef {
    NodeRef { kind, id: "node-0".into(), address: "10.0.0.5:8250".into() }
}

fn reply(bytes: &[u8]) -> HttpReply {
    HttpReply { status: 200, body: bytes.to_vec(), date: None, location: None }
}

fn stays<T>(value: &T) -> Result<()>
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    stays_the_same(value);
    Ok(())
}

fn ts(dice: &mut Dice) -> Doc {
    raw(dice.from(1 << 58, 1 << 59))
}

fn pump_status(dice: &mut Dice) -> Doc {
    let record = map([("nodeId", text("pump-0")), ("state", text("online"))]);
    map([
        ("status", map([("pump-0", record)])),
        ("CommitTS", ts(dice)),
        ("Checkpoint", raw("null")),
        ("ErrMsg", text(dice.one(&["", "context canceled"]))),
    ])
    .with_some(dice, &["status", "Checkpoint", "ErrMsg"])
}

fn drainer_status(dice: &mut Dice) -> Doc {
    let positions = dice.one(&[raw("null"), map([]), map([("pump-0", raw(5)), ("pump-1", raw(7))])]);
    map([("PumpPos", positions), ("Synced", raw(dice.chance(50))), ("LastTS", ts(dice)), ("TsMap", text(""))])
        .with_some(dice, &["PumpPos", "TsMap"])
}

fn commit_ts(dice: &mut Dice) -> Doc {
    map([
        ("message", text("get drainer's latest ts success!")),
        ("code", raw(dice.one(&[200, 200, 200, 3]))),
        ("data", map([("ts", ts(dice))])),
    ])
}

fn pump_drainers(dice: &mut Dice) -> Doc {
    let record = map([("nodeId", text("drainer-0")), ("host", text("10.0.0.9:8249")), ("maxCommitTS", ts(dice))]);
    Doc::List(vec![record; dice.below(3)])
}

fn metrics(dice: &mut Dice) -> Doc {
    let line = |name, labels, value| parts([name, labels, " ", value, "\n"]);
    let start = dice.one(&["1.7e+09", "1795436102.5", "+Inf", "0"]);
    Doc::List(vec![
        parts(["# HELP process_start_time_seconds Start time.\n", "# TYPE process_start_time_seconds gauge\n"]),
        line("process_start_time_seconds", "", start),
        line("binlog_pump_storage_storage_size_bytes", "{type=\"available\"}", "4.2e+11"),
        line("go_gc_duration_seconds", "{quantile=\"0.5\",a=\"}\\\"\"}", "NaN 1795436102000"),
    ])
}

fn read_metrics(bytes: &[u8]) -> Result<()> {
    let (reply, node) = (reply(bytes), node(Kind::Pump));
    let samples = reply.samples(&node)?;
    assert!(samples.values().all(|value| value.is_finite()));
    stays_the_same(&samples);
    match reply.started(&node) {
        // It is shown as a point in time.
        Ok(started) => assert!(!Time::new((started.at * 1000.0) as i64, Zone::Utc).to_string().is_empty()),
        Err(error) => assert!(error.message.contains("do not say when"), "{error}"),
    }
    Ok(())
}

fn verdict(dice: &mut Dice) -> Doc {
    let (message, code) = dice.one(&[
        ("apply action pause success!", 200),
        ("invalide nodeID a, this pump's nodeID is b", 3),
        ("this pump's state is closing, apply close failed!", 3),
    ]);
    map([("message", text(message)), ("code", raw(code)), ("data", raw("null"))]).with_some(dice, &["data"])
}

fn read_verdict(bytes: &[u8]) -> Result<()> {
    match reply(bytes).verdict() {
        ActionAnswer::Done(_) | ActionAnswer::Rejected(_) => Ok(()),
        ActionAnswer::Lost(words) => Err(Error::invalid(words)),
    }
}

fn probed(dice: &mut Dice) -> Doc {
    let words = [
        "invalide action probe",
        "invalid action probe",
        "this pump's state is closing, apply probe failed!",
        "invalide nodeID p-0, this pump's nodeID is p-1",
    ];
    map([("message", text(dice.one(&words))), ("code", raw(3)), ("data", raw("null"))])
}

fn read_probe(bytes: &[u8]) -> Result<()> {
    let finding = reply(bytes).finding();
    stays_the_same(&finding);
    match finding {
        ProbeFinding::State(_) => Ok(()),
        ProbeFinding::Other(id) => Err(Error::invalid(format!("another node answers: {id}"))),
        ProbeFinding::Unknown(why) => Err(Error::invalid(format!("{why}"))),
        ProbeFinding::Refused | ProbeFinding::Silent => panic!("it answered"),
    }
}

fn skipping(dice: &mut Dice) -> Doc {
    map([("Skipped", raw(dice.chance(50))), ("SkippedCommitterCounter", raw(dice.below(9)))])
}

fn member(name: &str, id: u64, url: &str) -> Doc {
    map([("1", text(name)), ("2", raw(id)), ("4", Doc::List(vec![text(url)]))])
}

fn header(dice: &mut Dice) -> Doc {
    let error = map([("1", raw(dice.one(&[0, 0, 0, 3]))), ("2", text("not leader"))]);
    map([("1", raw(7)), ("2", error)]).with_some(dice, &["2"])
}

fn members(dice: &mut Dice) -> Doc {
    let urls = ["http://pd-0:2379", "http://pd-1:2379/", "https://[fd00::1]:2379", "http://127.0.0.1:2379"];
    let all = (1..4).map(|id| member(&format!("pd-{id}"), id, dice.one(&urls))).collect();
    let header = header(dice);
    map([("1", header), ("2", Doc::List(all)), ("3", member("pd-1", 1, "http://pd-1:2379"))])
        .with_some(dice, &["1", "3"])
}

/// What the codec of gRPC says of what is none of its messages.
fn undecoded(error: &prost::DecodeError) -> Error {
    Error::invalid(on_one_line(&error.to_string()))
}

fn refused(refusal: Refusal) -> Error {
    refusal.words().map_or_else(|error| error, |words| Error::invalid(format!("PD says: {}", on_one_line(&words))))
}

fn read_members(bytes: &[u8]) -> Result<()> {
    static SETTINGS: OnceLock<LiveSettings> = OnceLock::new();
    let settings = SETTINGS.get_or_init(|| LiveSettings::new(&["http://pd.example:2379"], None).unwrap());
    let answer = GetMembersResponse::decode(bytes).map_err(|error| undecoded(&error))?;
    let urls = answer.other_urls(settings);
    for url in &urls {
        let address = url.strip_prefix("http://").unwrap();
        assert!(authority(address).is_ok(), "{url:?}");
    }
    let cluster = answer.cluster();
    assert!(cluster.members.is_sorted_by_key(|member| &member.name));
    stays_the_same(&cluster);
    Ok(())
}

fn tso(dice: &mut Dice) -> Doc {
    let time = map([("1", raw(dice.from(1 << 40, 1 << 41))), ("2", raw(dice.below(1 << 18)))]);
    map([("1", header(dice)), ("2", raw(1)), ("3", time)]).with_some(dice, &["1", "2"])
}

fn read_tso(bytes: &[u8]) -> Result<()> {
    let answer = TsoResponse::decode(bytes).map_err(|error| undecoded(&error))?;
    let ts = answer.time().map_err(refused)?;
    let given = answer.timestamp.unwrap();
    assert!(ts.is_given(), "PD gives no such timestamp: {ts}");
    assert_eq!((ts.physical_ms(), ts.logical()), (given.physical, given.logical), "it is another time");
    stays_the_same(&ts);
    Ok(())
}

fn gc_safe_point(dice: &mut Dice) -> Doc {
    map([("1", header(dice)), ("2", raw(dice.from(1 << 58, 1 << 59)))]).with_some(dice, &["1", "2"])
}

fn read_gc_safe_point(bytes: &[u8]) -> Result<()> {
    let answer = GetGcSafePointResponse::decode(bytes).map_err(|error| undecoded(&error))?;
    let ts = answer.safe_point().map_err(refused)?;
    assert_eq!(u64::try_from(ts.0), Ok(answer.safe_point), "it is another position");
    Ok(())
}

fn gc_hold(dice: &mut Dice) -> Doc {
    let service = dice.one(&["gc_worker", "binlogsh-r42", "ticdc-default-1"]);
    map([("1", header(dice)), ("2", text(service)), ("3", raw(60)), ("4", raw(dice.from(1 << 58, 1 << 59)))])
        .with_some(dice, &["1", "2", "3", "4"])
}

fn read_gc_hold(bytes: &[u8]) -> Result<()> {
    let answer = UpdateServiceGcSafePointResponse::decode(bytes).map_err(|error| undecoded(&error))?;
    let (service, ts) = answer.smallest().map_err(refused)?;
    assert_eq!(u64::try_from(ts.0), Ok(answer.min_safe_point), "it is another position");
    assert!(!service.to_string().contains(|c: char| c == '\n' || deceives(c)), "{service}");
    Ok(())
}

fn gc_service(dice: &mut Dice) -> Doc {
    let (service, ends) = (dice.one(&["gc_worker", "br"]), dice.one(&[i64::MAX, 1_795_000_000]));
    map([("service_id", text(service)), ("expired_at", raw(ends)), ("safe_point", raw(dice.from(1 << 58, 1 << 59)))])
}

/// What must be in no value.
const PASSWORD: &str = "QUETZALCOATLUS";

fn changefeed(dice: &mut Dice) -> Doc {
    let uri = dice.one(&[
        "mysql://root:QUETZALCOATLUS@10.0.0.9:3306/",
        "kafka://a:9092,b:9092/topic?sasl-password=QUETZALCOATLUS",
        "s3://bucket/prefix?secret-access-key=QUETZALCOATLUS",
    ]);
    let error = map([("code", text("CDC:ErrX")), ("message", text("no such host"))]);
    let state = text(dice.one(&["normal", "failed", ""]));
    map([("sink-uri", text(uri)), ("start-ts", raw(5)), ("target-ts", raw(0)), ("state", state), ("error", error)])
        .with_some(dice, &["start-ts", "target-ts", "state", "error"])
}

fn read_changefeed(bytes: &[u8]) -> Result<()> {
    let feed = Changefeed::parse(bytes)?;
    let kept = serde_json::to_string(&Changefeed { state: "".into(), error: None, ..feed.clone() }).unwrap();
    assert!(!is_marked(bytes) || !kept.contains(PASSWORD), "{kept}");
    stays(&feed)
}

/// Whether anything still says that the password is one: what stood before it or behind it may be gone.
fn is_marked(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((before, behind)) = text.split_once(PASSWORD) else { return true };
    let uri = before.rsplit_once("://").map_or(before, |(_, uri)| uri);
    let rest = behind.split('"').next().unwrap_or_default();
    uri.contains(['?', '#', '&', '=', '@']) || rest.contains('@')
}

fn capture(dice: &mut Dice) -> Doc {
    let address = text(dice.one(&["10.0.1.41:8300", "cdc-0.cdc-peer:8301", "[::1]:8300", ""]));
    let version = text(dice.one(&["v7.5.0", "v6.1.0-dirty", ""]));
    map([("id", text("1")), ("address", address), ("version", version), ("deploy-path", text("/opt/cdc"))])
        .with_some(dice, &["id", "address", "version", "deploy-path"])
}

/// A server is there whatever its key holds: what cannot be read of it is not known.
fn read_capture(bytes: &[u8]) -> Result<()> {
    let capture = Capture::parse("default", "1", bytes);
    assert_eq!((capture.cluster.as_str(), capture.id.as_str()), ("default", "1"));
    let told = [&capture.address, &capture.version];
    assert!(told.into_iter().flatten().all(|text| !text.is_empty()), "{capture:?}");
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    assert!(is_json || told.into_iter().all(Option::is_none), "{capture:?}");
    stays(&capture)
}

fn refusal(dice: &mut Dice) -> Doc {
    let said = [
        "request is too large",
        "mvcc: database space exceeded",
        "no leader",
        "authentication is not enabled",
        "server stopped",
        "new",
    ];
    parts([dice.one(&["\u{8}", "\u{e}", "\u{3}"]), "etcdserver: ", dice.one(&said)])
}

/// The first byte is gRPC's code, all others its words.
fn read_refusal(bytes: &[u8]) -> Result<()> {
    let code = Code::from(i32::from(bytes.first().copied().unwrap_or_default() % 17));
    let words = String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()).into_owned();
    let said_something = !words.trim().is_empty();
    match Refusal::from(Status::new(code, words)).words() {
        Ok(words) => {
            assert!(!said_something || !words.trim().is_empty());
            Ok(())
        }
        // What they said stands behind our own words, and is always another.
        Err(error) => {
            assert!(!error.message.contains(|c: char| c == '\n' || deceives(c)), "{error:?}");
            let ours = error.message.split_once(": ").map_or("", |(ours, _)| ours).to_owned();
            Err(Error { message: ours, ..error })
        }
    }
}
