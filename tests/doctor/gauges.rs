//! `doctor -o openmetrics`: a file for the textfile collector, whose reader knows Prometheus's older format, while what is written
//! is OpenMetrics.

use super::{doctor, scenario};
use crate::harness::{Ran, Shell, project};
use crate::support::cluster::LiveCluster;
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::{free_port, record};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

type Labels = BTreeMap<String, String>;

/// The samples of a document that both formats allow; anything that one of them refuses is a panic.
fn samples(document: &str) -> Vec<(String, Labels, f64)> {
    let body = document.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("it does not end: {document}"));
    let (mut found, mut families, mut series) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut family = String::new();
    let mut lines = body.split_terminator('\n');
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            let has_meaning = ["_total", "_info", "_created", "_bucket", "_count", "_sum"];
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert!(!has_meaning.iter().any(|suffix| name.ends_with(suffix)), "{name}");
            assert!(!words.contains(['\\', '"']), "the formats differ in how they escape it: {words}");
            assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
            assert!(families.insert(name.to_owned()), "{name} twice");
            family = name.to_owned();
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("what is this: {line}"));
        assert_eq!(name, family, "it stands elsewhere than its type");
        let (labels, value) = labels(rest);
        assert!(series.insert((name.to_owned(), labels.clone())), "node_exporter refuses everything: {line} twice");
        found.push((
            name.to_owned(),
            labels,
            value.parse().unwrap_or_else(|_| panic!("a time, or no number: {value}")),
        ));
    }
    found
}

/// The labels up to `}`, and the value behind it.
fn labels(text: &str) -> (Labels, &str) {
    let (mut found, mut rest) = (Labels::new(), text);
    loop {
        let (name, quoted) = rest.split_once("=\"").unwrap();
        let (mut value, mut letters) = (String::new(), quoted.char_indices());
        let end = loop {
            match letters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => match letters.next().unwrap().1 {
                    'n' => value.push('\n'),
                    c @ ('"' | '\\') => value.push(c),
                    c => panic!("\\{c} is no escape in {text}"),
                },
                (_, c) => {
                    assert!(!c.is_control(), "{c:?} drives a terminal");
                    value.push(c);
                }
            }
        };
        assert!(found.insert(name.to_owned(), value).is_none(), "{name} twice");
        match quoted[end + 1..].strip_prefix("} ") {
            Some(value) => return (found, value),
            None => rest = quoted[end + 1..].strip_prefix(',').unwrap(),
        }
    }
}

/// The samples called `name`: their labels but that of the cluster, and values.
fn of(ran: &Ran, name: &str) -> Vec<(Vec<String>, f64)> {
    let all = samples(&ran.stdout).into_iter().filter(|(family, ..)| family == name);
    let shown = |labels: Labels| labels.into_iter().filter(|(label, _)| label != "cluster");
    all.map(|(_, labels, value)| (shown(labels).map(|(label, value)| format!("{label}={value}")).collect(), value))
        .collect()
}

fn gauges(shell: Shell) -> Shell {
    shell.arg("-o").arg("openmetrics")
}

#[test]
fn a_look_is_a_document_that_the_textfile_collector_reads() {
    let changes = json!({
        "pumps": {"pump-1": {"process": "dead", "lag": "10m"}, "pump-2": {"record": "offline", "process": "dead"}},
        "drainers": {"drainer-0": {"record": "paused", "process": "dead", "lag": "2h"}},
    });
    let ran = gauges(doctor(&changes)).go().succeeds();
    assert_eq!(ran.stderr, "", "cron sends a mail of whatever is said");
    assert_eq!(of(&ran, "binlogsh_doctor_success"), [(vec![], 1.0)]);
    assert_eq!(of(&ran, "binlogsh_doctor_failure"), []);
    assert_eq!(of(&ran, "binlogsh_doctor_cluster"), [(vec!["cluster_id=7301234567890123456".into()], 1.0)]);
    let made = of(&ran, "binlogsh_doctor_made_timestamp_seconds");
    assert!((1_795_348_800.0..1_795_348_900.0).contains(&made[0].1), "12:00 and 10 s by the sandbox's clock: {made:?}");
    let found: Vec<String> = of(&ran, "binlogsh_doctor_finding")
        .into_iter()
        .map(|(labels, n)| format!("{} {n}", labels.join(" ")))
        .collect();
    assert_eq!(
        found,
        [
            "alert=Pump_server_is_down finding=dead kind=pump node=pump-1 severity=critical 1",
            "alert=Drainer_server_is_down finding=paused_drainer kind=drainer node=drainer-0 severity=warning 1",
        ]
    );
    let whose = |name: &str, part: &str| -> Vec<String> {
        let all = of(&ran, name).into_iter().filter(|(labels, _)| labels.iter().any(|label| label == part));
        all.map(|(labels, _)| {
            labels.into_iter().find_map(|label| label.strip_prefix("node=").map(str::to_owned)).unwrap()
        })
        .collect()
    };
    assert_eq!(whose("binlogsh_node_state", "state=online"), ["drainer-1", "pump-0", "pump-1"]);
    assert_eq!(whose("binlogsh_node_state", "state=offline"), ["pump-2"]);
    assert_eq!(whose("binlogsh_node_probe", "answer=refused"), ["drainer-0", "pump-1"]);
    assert_eq!(of(&ran, "binlogsh_node_probe").len(), 4, "nobody asks what is offline");
    let value = |name: &str, node: &str| {
        let node = format!("node={node}");
        of(&ran, name).into_iter().find(|(labels, _)| labels.contains(&node)).unwrap().1
    };
    let lag = value("binlogsh_node_lag_seconds", "drainer-0");
    assert!((7200.0..7300.0).contains(&lag), "{lag}");
    assert!((600.0..700.0).contains(&value("binlogsh_node_heartbeat_age_seconds", "pump-1")));
    let behind = made[0].1 - value("binlogsh_node_checkpoint_timestamp_seconds", "drainer-0") - lag;
    assert!(behind.abs() < 5.0, "the checkpoint is that far behind: {behind}");
}

#[test]
fn the_same_look_is_written_in_the_same_order() {
    let names = |document: &str| -> Vec<String> {
        document.lines().map(|line| line.rsplit_once(' ').map_or(line, |(name, _)| name).to_owned()).collect()
    };
    let look = || gauges(doctor(&json!({"host": {"clock_ms": 60_000}}))).arg("--observe=0").go().succeeds().stdout;
    assert_eq!(names(&look()), names(&look()));
}

#[test]
fn two_findings_with_one_name_are_one_sample_that_says_two() {
    let own = "import \"doctor/findings\" as findings;\nfn check(facts) { print(\"for people\"); \
               [1, 2].map(|n| findings::warning(\"mine\", \"x\", `${n}`, \"\", \"\")) }\n";
    let ran =
        gauges(doctor(&json!({})).file("own.rhai", own)).arg("--checks=own.rhai").arg("--observe=0").go().succeeds();
    let found = of(&ran, "binlogsh_doctor_finding");
    let labels = ["alert=", "finding=mine", "kind=", "node=x", "severity=warning"].map(str::to_owned).to_vec();
    assert_eq!(found, [(labels, 2.0)]);
    ran.stderr_contains("for people");
}

#[test]
fn ids_that_hold_anything_are_labels_and_nothing_else() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let long = "x".repeat(70_000);
    let ids = ["quo\"te\"} 1", "back\\slash\\", "two\nlines", "esc\u{1b}[2J", "hid\u{202e}den", "ü 木", long.as_str()];
    for (at, id) in ids.iter().enumerate() {
        let key = format!("/tidb-binlog/v1/pumps/{id}");
        let mut value: Json =
            serde_json::from_str(&record("", &format!("127.0.0.1:{}", 1 + at), "paused", pd.now(), pd.now())).unwrap();
        value["nodeId"] = (*id).into();
        etcd.kv().put(&key, value.to_string());
    }
    let ran = gauges(Shell::live(&pd.url())).arg("doctor").arg("--observe=0").go().succeeds();
    let shown = |name: &str| -> BTreeSet<String> {
        of(&ran, name)
            .into_iter()
            .flat_map(|(labels, _)| labels)
            .filter_map(|l| Some(l.strip_prefix("node=")?.into()))
            .collect()
    };
    let expected = ids.map(|id| id.replace('\u{1b}', "\\u{1b}").replace('\u{202e}', "\\u{202e}"));
    assert_eq!(shown("binlogsh_node_state"), BTreeSet::from(expected.clone()));
    assert!(shown("binlogsh_doctor_finding").is_superset(&BTreeSet::from(expected)));
}

#[test]
fn a_look_that_failed_is_a_gauge_and_a_whole_document() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let ran = gauges(Shell::live(&nobody)).arg("doctor").arg("--timeout=500ms").go().succeeds();
    let failed = |ran: &Ran, kind: &str| {
        assert_eq!(of(ran, "binlogsh_doctor_success"), [(vec![], 0.0)]);
        assert_eq!(of(ran, "binlogsh_doctor_failure"), [(vec![format!("kind={kind}")], 1.0)]);
        assert_eq!(of(ran, "binlogsh_node_state"), []);
    };
    failed(&ran, "unreachable");
    assert_eq!(of(&ran, "binlogsh_doctor_made_timestamp_seconds").len(), 1);
    ran.stderr_contains("no endpoint answered").stderr_contains("\"exit_code\":0");

    let checks = "fn check(facts) { throw \"mine\" }";
    let ran = gauges(doctor(&json!({})).file("own.rhai", checks)).arg("--checks=own.rhai").arg("--observe=0").go();
    failed(&ran.succeeds().stderr_contains("mine"), "failed");

    let ran = gauges(Shell::live("https://127.0.0.1:9").file("ca.pem", "none")).arg("--ca=ca.pem").arg("doctor").go();
    failed(&ran.succeeds().stderr_contains("ca.pem"), "invalid");
}

#[test]
fn a_signal_leaves_no_document() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let shell = gauges(Shell::live(&pd.url())).arg("doctor").arg("--observe=60s").arg("--verbose");
    let mut child = shell.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    errors.read_line(&mut String::new()).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    std::io::copy(&mut errors, &mut std::io::sink()).unwrap();
    let mut written = String::new();
    child.stdout.take().unwrap().read_to_string(&mut written).unwrap();
    assert_eq!((child.wait().unwrap().code(), written.as_str()), (Some(143), ""));
}

#[test]
fn no_sample_of_one_cluster_is_one_of_another() {
    let cluster = LiveCluster::sample("default");
    let config = format!(
        "[profiles.main]\npd-urls = \"{}\"\n[profiles.spare]\npd-urls = \"{}\"\n",
        cluster.url(),
        cluster.url()
    );
    let named = |arg: &str| Shell::new(&["--config=c.toml", arg]).file("c.toml", &config);
    let shells =
        [named("--profile=main"), named("--profile=spare"), Shell::live(&cluster.url()), Shell::sandbox("default")];
    let (mut all, mut names) = (BTreeSet::new(), BTreeSet::new());
    for shell in shells {
        let ran = gauges(shell).arg("doctor").arg("--observe=0").go().succeeds();
        for (name, labels, _) in samples(&ran.stdout) {
            names.insert(labels["cluster"].clone());
            assert!(all.insert((name.clone(), labels.clone())), "{name} {labels:?} twice");
        }
    }
    assert_eq!(names, BTreeSet::from([cluster.url(), "default".into(), "main".into(), "spare".into()]));
}

#[test]
fn other_commands_refuse_it_and_so_does_a_look_without_end() {
    let file = |args: &[&str]| Shell::new(args).file("x.rhai", "//! X.\npumps();\n");
    for args in [
        &["-e", "pumps()"][..],
        &["run", "x.rhai"],
        &["rehearse", "x.rhai"],
        &["check", "x.rhai"],
        &["test", "x.rhai"],
        &["watch", "--once"],
        &["runs"],
        &["scripts"],
        &["docs"],
        &[],
    ] {
        let ran = args.iter().fold(gauges(file(&["--sandbox"])), |shell, arg| shell.arg(*arg)).go().exits(2);
        ran.stdout("").stderr_contains("--output openmetrics is for `binlogsh doctor` alone");
    }
    gauges(file(&["ctl"])).go().exits(2);
    file(&[]).env("BINLOGSH_OUTPUT", "openmetrics").eval("1").exits(2).stderr_contains("is no output format");
    let ran = gauges(doctor(&json!({}))).arg("--watch").go().exits(3);
    ran.stdout("").stderr_contains("let a timer call it");
}

#[test]
fn what_is_wrong_on_the_command_line_makes_no_document() {
    gauges(doctor(&json!({}))).arg("--lag=soon").go().exits(3).stdout("");
    gauges(doctor(&json!({}))).arg("--checks=nowhere.rhai").go().exits(3).stdout("");
    gauges(Shell::new(&["--profile=none", "doctor"])).go().exits(3).stdout("");
}

#[test]
fn the_example_has_rules_for_gauges_that_there_are() {
    let rules = std::fs::read_to_string(project("examples/monitoring/binlogsh.rules.yml")).unwrap();
    let ran =
        gauges(Shell::new(&["--sandbox=s.json"]).file("s.json", &scenario(&json!({})))).arg("doctor").go().succeeds();
    let known: BTreeSet<&str> =
        ran.stdout.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let is_of_a_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let conditions = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let words = conditions.flat_map(|condition| condition.split(|c| !is_of_a_name(c)));
    let used: BTreeSet<&str> = words.filter(|word| word.starts_with("binlogsh_")).collect();
    assert!(used.len() > 3 && used.is_subset(&known), "{used:?} of {known:?}");
    let page = std::fs::read_to_string(project("docs/doctor.md")).unwrap();
    for name in known {
        assert!(page.contains(&format!("`{name}`")), "{name} is not in docs/doctor.md");
    }
}
