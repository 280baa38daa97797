//! Records and keys that somebody wrote to do harm: none hides the rest, and each can be named and deleted.

use crate::harness::{Ran, Shell};
use crate::support::etcd::{Etcd, Kv};
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::pd_double::PdDouble;
use crate::support::{free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use std::collections::BTreeSet;

/// PD before a real etcd with a Pump and a Drainer that are well.
struct WellCluster {
    kv: Kv,
    pd: PdDouble,
    _nodes: [HttpDouble; 2],
    _etcd: Etcd,
}

impl WellCluster {
    fn new() -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let nodes = ["invalide action probe", "invalid action probe"]
            .map(|words| HttpDouble::start(move |_| Reply::verdict(3, words)));
        let mut cluster = Self { kv: etcd.kv(), pd, _nodes: nodes, _etcd: etcd };
        for (kind, at) in [(Kind::Pump, 0), (Kind::Drainer, 1)] {
            let json = cluster.record("well", &cluster._nodes[at].address(), "online");
            cluster.put(kind, b"well", json);
        }
        cluster
    }

    fn record(&self, id: &str, address: &str, state: &str) -> String {
        let text = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
        record(&text(id), &text(address), &text(state), self.pd.now(), self.pd.now())
    }

    fn put(&mut self, kind: Kind, id: &[u8], value: impl Into<Vec<u8>>) {
        self.kv.put(&[kind.prefix().as_bytes(), id].concat(), value);
    }

    /// What stands beneath the prefix of `kind`.
    fn keys(&mut self, kind: Kind) -> Vec<Vec<u8>> {
        self.kv.keys(kind.prefix())
    }

    fn shell(&self) -> Shell {
        Shell::live(&self.pd.url()).yes()
    }
}

/// Ids and what stands under each.
type OddRecords = Vec<(Vec<u8>, Vec<u8>)>;

/// More than any name has.
const LONG: usize = 70_000;

/// An address where nobody listens.
fn nobody() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// Timestamps that cannot be.
fn odd_numbers(cluster: &WellCluster) -> OddRecords {
    let now = cluster.pd.now();
    let nobody = nobody();
    let mut all = OddRecords::new();
    let mut add = |id: &[u8], value: Vec<u8>| all.push((id.to_vec(), value));
    let far = now + (1 << 58);
    for (at, (position, beat)) in
        [(-1, now), (now, -1), (i64::MIN, i64::MIN), (i64::MAX, now), (now, i64::MAX), (far, far), (0, 0), (1, 1)]
            .into_iter()
            .enumerate()
    {
        let id = format!("ts-{at}");
        add(id.as_bytes(), record(&id, &nobody, "online", position, beat).into());
    }
    for (at, number) in ["1e400", "9223372036854775808", "1.5", "\"5\"", "true", "[]", "{}", "null"].iter().enumerate()
    {
        let value = format!(r#"{{"host":"{nobody}","state":"paused","maxCommitTS":{number},"updateTS":1}}"#);
        add(format!("number-{at}").as_bytes(), value.into());
    }
    all
}

/// States and addresses that are none.
fn odd_words(cluster: &WellCluster) -> OddRecords {
    let nobody = nobody();
    let long = "x".repeat(LONG);
    let mut all = OddRecords::new();
    let mut add = |id: &[u8], value: Vec<u8>| all.push((id.to_vec(), value));
    for (at, state) in
        ["", "Online", "sleeping", "online\n", "\u{202e}", "closing", "pausing", &long].iter().enumerate()
    {
        let id = format!("state-{at}");
        add(id.as_bytes(), cluster.record(&id, &nobody, state).into());
    }
    let addresses = [
        "",
        "none",
        ":",
        "h:",
        "h:99999",
        "h:-1",
        "http://h:1",
        "::1:1",
        "[::1",
        "h:1/x",
        "h:1?x=y",
        "h:1#x",
        "u@h:1",
        "a b:1",
        "h\n:1",
        "\u{202e}h:1",
        "\u{fc}:1",
        "%41:1",
        "..:1",
        "0:1",
        "127.0.0.1:0",
        &long,
    ];
    for (at, address) in addresses.iter().enumerate() {
        let id = format!("address-{at}");
        add(id.as_bytes(), cluster.record(&id, address, "online").into());
    }
    all
}

/// Values that are no records, or strange ones.
fn odd_texts(_: &WellCluster) -> OddRecords {
    let nobody = nobody();
    let mut all = OddRecords::new();
    let mut add = |id: &[u8], value: Vec<u8>| all.push((id.to_vec(), value));
    let deep = |open: &str, close: &str, depth: usize| [&open.repeat(depth), "1", &close.repeat(depth)].concat();
    let texts = [
        String::new(),
        "{".into(),
        "null".into(),
        "[]".into(),
        "12".into(),
        "{}".into(),
        r#"{"host":7}"#.into(),
        r#"{"state":{"a":1}}"#.into(),
        r#"{"label":{"labels":{"a":1}}}"#.into(),
        deep(r#"{"a":"#, "}", 9_000),
        deep("[", "]", 100_000),
        format!(r#"{{"host":"{nobody}","note":{}}}"#, deep("[", "]", 9_000)),
        format!(r#"{{"host":"a:1","HOST":"{nobody}","state":"online","STATE":"offline"}}"#),
        format!(r#"{{"host":"{nobody}","state":"online","note":"{}"}}"#, "x".repeat(1 << 20)),
    ];
    for (at, text) in texts.into_iter().enumerate() {
        add(format!("text-{at}").as_bytes(), text.into());
    }
    all
}

/// Ids that are none, or that look like something else.
fn odd_ids(cluster: &WellCluster) -> OddRecords {
    let nobody = nobody();
    let long = "x".repeat(LONG);
    let mut all = OddRecords::new();
    let mut add = |id: &[u8], value: Vec<u8>| all.push((id.to_vec(), value));
    add(b"bytes", b"\xff\x00\xfe".to_vec());
    for id in [
        "", "/", "a/b", "//", ".", "..", "\n", "a\tb", "'", "\"", "`", "${1}", "\\", "%FF", "a?b#c", "\u{202e}", "\0",
        " ", &long,
    ] {
        add(id.as_bytes(), cluster.record(id, &nobody, "online").into());
    }
    for id in [&b"\xff"[..], b"\xfe", b"a\xffb"] {
        add(id, cluster.record("a", &nobody, "online").into());
    }
    all
}

/// Records, each odd in its own way, by their ids.
fn hostile(cluster: &WellCluster) -> OddRecords {
    [odd_numbers, odd_words, odd_texts, odd_ids].iter().flat_map(|some| some(cluster)).collect()
}

/// All of them beneath both prefixes.
fn among_hostile_records() -> WellCluster {
    let mut cluster = WellCluster::new();
    for (id, value) in hostile(&cluster) {
        for kind in Kind::ALL {
            cluster.put(*kind, &id, value.clone());
        }
    }
    cluster
}

/// What was shown has the nodes that are well.
#[track_caller]
fn has_the_rest(what: &str, ran: &Ran) {
    assert!(
        ran.stdout.contains("well"),
        "{what}: exit code {}\n{}",
        ran.code,
        &ran.stderr[..ran.stderr.len().min(2_000)]
    );
}

#[test]
fn no_record_hides_the_others_from_a_function_that_looks() {
    let cluster = among_hostile_records();
    for code in [
        "pumps()",
        "drainers()",
        "nodes()",
        "listing()",
        "probe(nodes())",
        "status(nodes())",
        "metrics(nodes())",
        "inspect(nodes(), [])",
        "nodes().map(|node| `${node}`)",
        r#"[pump("well"), drainer("well")]"#,
        "nodes().filter(|node| node.odd == [])",
    ] {
        let ran = cluster.shell().eval(code).succeeds();
        has_the_rest(code, &ran);
    }
    for format in ["json", "jsonl", "csv", "vertical"] {
        let ran = cluster.shell().arg(format!("--output={format}")).eval("nodes()").succeeds();
        has_the_rest(format, &ran);
    }
}

#[test]
fn no_record_hides_the_others_from_a_command() {
    let cluster = among_hostile_records();
    for (args, codes) in [
        (&["doctor", "--observe=0"][..], &[2][..]),
        (&["doctor", "--observe=2s"], &[2]),
        (&["--output=json", "doctor", "--observe=0"], &[2]),
        (&["--output=openmetrics", "doctor", "--observe=0"], &[0]),
        (&["watch", "--once"], &[0]),
        (&["run", "health"], &[0, 2]),
        (&["ctl", "-cmd", "pumps"], &[0]),
        (&["ctl", "-cmd", "drainers"], &[0]),
    ] {
        let shell = Shell::new(args).env("BINLOGSH_PD_URLS", &cluster.pd.url());
        let ran = shell.go();
        assert!(codes.contains(&ran.code), "{args:?}: {} {}", ran.code, ran.stderr);
        has_the_rest(&args.join(" "), &ran);
    }
}

#[test]
fn a_cluster_with_hostile_records_is_rehearsed_on_and_kept() {
    let cluster = among_hostile_records();
    let code = r#"for n in nodes() { if n.id == "well" { print(n.id); } }"#;
    let shell = Shell::live(&cluster.pd.url()).file("look.rhai", code);
    let kept = shell.dir().join("kept.json");
    let kept = kept.to_str().unwrap();
    // It holds the directory in which the snapshot is.
    let ran = shell.arg("rehearse").arg(format!("--save-snapshot={kept}")).arg("look.rhai").go().succeeds();
    let text = std::fs::read_to_string(kept).unwrap();
    let shell = Shell::new(&["rehearse", "--snapshot=kept.json", "--futures=3", "look.rhai"]);
    shell.file("look.rhai", code).file("kept.json", &text).go().succeeds();
    drop(ran);
}

#[test]
fn keys_that_are_no_text_are_told_apart_and_deleted_by_what_the_listing_shows() {
    let mut cluster = WellCluster::new();
    let odd: [&[u8]; 7] = [b"\xff", b"\xfe", b"a\xffb", b"", b"/", b"not-text/%FF", b"a\nb/c"];
    for id in odd {
        cluster.put(Kind::Pump, id, "{}");
    }
    cluster.put(Kind::Drainer, b"\xff", "{}");
    let ran = cluster.shell().arg("--output=json").eval("malformed().map(|m| m.key)").succeeds();
    let keys: Vec<String> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), odd.len() + 1, "{keys:?}");
    let before = cluster.keys(Kind::Pump).len();

    // Behind the prefix, as a whole, and from the warning.
    for (call, bytes, left) in [
        ("forget_pump(\"not-text/%FE\")", "bytes FE", b"\xfe".as_slice()),
        ("forget_pump(\"/tidb-binlog/v1/pumps/not-text/a%FFb\")", "bytes 61 FF 62", b"a\xffb"),
        ("forget_pump(\"/tidb-binlog/v1/pumps/\")", "nothing stands behind the prefix", b""),
        ("forget_pump(\"not-text/%FF\")", "bytes FF", b"\xff"),
        ("forget_pump(\"not-text/not-text/%25FF\")", "6E 6F 74 2D 74 65 78 74 2F 25 46 46", b"not-text/%FF"),
    ] {
        let ran = cluster.shell().eval(call).succeeds();
        ran.stderr_contains("? delete the key ").stderr_contains(bytes);
        let gone = [Kind::Pump.prefix().as_bytes(), left].concat();
        assert!(!cluster.keys(Kind::Pump).contains(&gone), "{call}");
    }
    assert_eq!(cluster.keys(Kind::Pump).len(), before - 5, "nothing else was deleted");
    assert_eq!(cluster.keys(Kind::Drainer).len(), 2, "not that of a Drainer either");
    cluster.shell().eval("forget_pump(\"not-text/%FF\")").fails(ErrorKind::NotFound);
    // What the warning says does it.
    for _ in 0..3 {
        let said = cluster.shell().eval("nodes().len()").succeeds().stderr;
        let Some((_, call)) = said.split_once("delete it: ") else { break };
        cluster.shell().eval(call.lines().next().unwrap()).succeeds();
    }
    cluster.shell().eval("malformed().len()").succeeds().stdout("0");
    cluster.shell().eval("nodes().len()").succeeds().stdout("2");
}
