//! Files: what a Drainer, tiup and the operator keep, and our own: configuration, snapshots, plans, stories, exported runs.

use super::grammar::{Doc, Form, map, parts, raw, text, written};
use super::{Fuzzed, Weight, stays_the_same, text_of};
use crate::compatibility::wire;
use crate::dice::Dice;
use crate::harness::project;
use binlogsh::config::{LONGEST_TIMEOUT, Overrides, load};
use binlogsh::deployment::Deployment;
use binlogsh::downstream::{CheckpointPlace, ClientOptions, Downstream, SavedRow, parse_drainer_toml};
use binlogsh::error::{Error, Result};
use binlogsh::journal::store::{RunFilter, Store};
use binlogsh::journal::{Entry, Unfinished};
use binlogsh::pd_url::PdUrl;
use binlogsh::rehearsal::{Basis, Blame, HarmKind, Plan, SavedStory, ScriptMark, Snapshot};
use binlogsh::savepoint;
use binlogsh::secret::Secret;
use binlogsh::sim::{Cluster, SECOND, Scenario, Simulated, scenario_names};
use binlogsh::time::Zone;
use binlogsh::world::{Answer, Change, Request, World, read};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(super) const PARSERS: &[Fuzzed] = &[
    Fuzzed {
        name: "savepoint",
        weight: Weight::Pure,
        form: Form::Toml,
        valid: savepoint,
        tokens: SAVEPOINT,
        read: read_savepoint,
        errors: 1,
    },
    Fuzzed {
        name: "savepoint_lines",
        weight: Weight::Pure,
        form: Form::Parts,
        valid: savepoint_lines,
        tokens: SAVEPOINT,
        read: read_savepoint,
        errors: 1,
    },
    Fuzzed {
        name: "checkpoint_row",
        weight: Weight::Pure,
        form: Form::Json,
        valid: checkpoint_row,
        tokens: &["commitTS", "consistent", "schema-version", "ts-map", "{", "}", ":", ",", "1", "true", "null", "\""],
        read: read_checkpoint_row,
        errors: 4,
    },
    Fuzzed {
        name: "my_cnf",
        weight: Weight::Pure,
        form: Form::Parts,
        valid: my_cnf,
        tokens: &[
            "[client]", "[", "]", "\n", "=", "'", "\"", "\\", "#", ";", "!include", "port", "ssl-mode", "password",
        ],
        read: read_my_cnf,
        errors: 4,
    },
    Fuzzed {
        name: "drainer_toml",
        weight: Weight::Pure,
        form: Form::Toml,
        valid: drainer_toml,
        tokens: &["[syncer.to]", "\n", " = ", "\"", "port", "password", "db-type", "[", "]"],
        read: read_drainer_toml,
        errors: 1,
    },
    Fuzzed {
        name: "config",
        weight: Weight::Opens,
        form: Form::Toml,
        valid: config,
        tokens: &[
            "[profiles.a]\n",
            "\n",
            " = ",
            "\"",
            "pd-urls",
            "timeout",
            "node-control",
            "[",
            "]",
            "{",
            "}",
            "addresses",
            "{pod}",
        ],
        read: read_config,
        errors: 20,
    },
    Fuzzed {
        name: "scenario",
        weight: Weight::Pure,
        form: Form::Json,
        valid: scenario,
        tokens: JSON,
        read: read_scenario,
        errors: 10,
    },
    Fuzzed {
        name: "snapshot",
        weight: Weight::Opens,
        form: Form::Json,
        valid: scenario,
        tokens: JSON,
        read: read_snapshot,
        errors: 8,
    },
    Fuzzed {
        name: "plan",
        weight: Weight::Pure,
        form: Form::Json,
        valid: plan,
        tokens: JSON,
        read: read_plan,
        errors: 10,
    },
    Fuzzed {
        name: "story",
        weight: Weight::Opens,
        form: Form::Json,
        valid: story,
        tokens: JSON,
        read: read_story,
        errors: 8,
    },
    Fuzzed {
        name: "meta.yaml",
        weight: Weight::Pure,
        form: Form::Yaml,
        valid: meta_yaml,
        tokens: &[
            "topology:\n",
            "  ",
            "\n",
            "- ",
            "pd_servers:",
            "pump_servers:",
            "host: ",
            "a",
            "{",
            "}",
            "[",
            "]",
            "&x ",
            "*x",
            "!!str ",
            "|",
            ">",
            "---\n",
            "\"",
        ],
        read: read_meta_yaml,
        errors: 10,
    },
    Fuzzed {
        name: "entry",
        weight: Weight::Pure,
        form: Form::Json,
        valid: entry,
        tokens: JSON,
        read: read_entry,
        errors: 10,
    },
    Fuzzed {
        name: "cut_change",
        weight: Weight::Pure,
        form: Form::Json,
        valid: cut_change,
        tokens: JSON,
        read: read_cut_change,
        errors: 10,
    },
    Fuzzed {
        name: "export",
        weight: Weight::Opens,
        form: Form::Json,
        valid: export,
        tokens: JSON,
        read: read_export,
        errors: 5,
    },
];

const JSON: &[&str] =
    &["{", "}", "[", "]", ":", ",", "\"version\"", "1", "2", "\"", "null", "\"nodes\"", "{\"version\": 1,"];

const SAVEPOINT: &[&str] =
    &["commitTS", " = ", "400962745252184065", "\n", "#", "consistent = true", "2018-06-22 08:35:10 +0000 UTC"];

/// Documents that are made once.
type Seeds = OnceLock<Vec<Doc>>;

fn one_of(seeds: &Seeds, make: fn() -> Vec<Json>, dice: &mut Dice) -> Doc {
    let seeds = seeds.get_or_init(|| make().iter().map(Doc::of_json).collect());
    seeds[dice.below(seeds.len())].clone()
}

fn savepoint(dice: &mut Dice) -> Doc {
    map([
        ("commitTS", raw(dice.from(0, i64::MAX.unsigned_abs()))),
        ("consistent", raw(dice.chance(50))),
        ("schema-version", raw(dice.below(100))),
        ("ts-map", map([])),
    ])
    .with_some(dice, &["consistent", "schema-version", "ts-map"])
}

fn checkpoint_row(dice: &mut Dice) -> Doc {
    map([
        ("consistent", raw(dice.chance(50))),
        ("commitTS", raw(dice.from(1, i64::MAX.unsigned_abs()))),
        ("ts-map", map([("primary-ts", raw(dice.below(9))), ("secondary-ts", raw(dice.below(9)))])),
        ("schema-version", raw(dice.below(100))),
    ])
    .with_some(dice, &["consistent", "ts-map", "schema-version"])
}

fn read_checkpoint_row(bytes: &[u8]) -> Result<()> {
    let row = SavedRow::parse(&text_of(bytes)?)?;
    assert!(row.commit_ts.0 > 0 && row.schema_version.is_none_or(|version| version >= 0));
    assert_eq!(SavedRow::parse(&row.render())?, row);
    Ok(())
}

fn my_cnf(dice: &mut Dice) -> Doc {
    let quote = dice.one(&["\"", "'", ""]);
    parts([
        "# mine\n[mysqld]\nport = x\n[client]\n",
        "host = ",
        "db",
        "\nport=",
        "3307",
        "\nuser = reader\n",
        "password = ",
        quote,
        "pa ss",
        quote,
        "\nssl-mode = ",
        dice.one(&["REQUIRED", "verify_ca", "DISABLED"]),
        "\nssl_ca = /ca.pem # here\n",
        "default-character-set = utf8mb4\n",
    ])
}

fn read_my_cnf(bytes: &[u8]) -> Result<()> {
    let options = ClientOptions::parse(&text_of(bytes)?)?;
    assert!(!format!("{options:?}").contains("Plain"), "the password hides");
    if let Some(Secret::Plain(password)) = &options.password {
        // What is written as MySQL's own tools write it is read again as it is.
        let quoted = password.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        let again = ClientOptions::parse(&format!("[client]\npassword = \"{quoted}\"\n"))?;
        assert_eq!(again.password, options.password);
    }
    Ok(())
}

fn drainer_toml(dice: &mut Dice) -> Doc {
    let checkpoint = map([
        ("type", text(dice.one(&["", "mysql", "tidb", "oracle"]))),
        ("schema", text("s")),
        ("table", text("t")),
        ("host", text("h")),
        ("port", raw(dice.below(70_000))),
        ("password", text("hunter2")),
    ]);
    let checkpoint = checkpoint.with_some(dice, &["type", "schema", "table", "host", "port"]);
    let to = map([
        ("host", text("db")),
        ("port", raw(3306)),
        ("password", text("hunter2")),
        ("kafka-addrs", text(dice.one(&["", "a:9092", "a:9092,b"]))),
        ("sync-mode", raw(dice.below(3))),
        ("checkpoint", checkpoint),
    ]);
    let to = to.with_some(dice, &["host", "port", "kafka-addrs", "sync-mode"]);
    let db_type = text(dice.one(&["mysql", "tidb", "kafka", "file", "oracle"]));
    let syncer = map([
        ("db-type", db_type),
        ("ignore-schemas", text(dice.one(&["", "mysql", "INFORMATION_SCHEMA,PERFORMANCE_SCHEMA,mysql"]))),
        ("replicate-do-db", Doc::List(vec![text("a")])),
        ("ignore-txn-commit-ts", Doc::List(vec![raw(1)])),
        ("to", to),
    ]);
    let syncer = syncer.with_some(dice, &["ignore-schemas", "replicate-do-db", "ignore-txn-commit-ts"]);
    map([("data-dir", text("/data")), ("syncer", syncer)])
}

fn read_drainer_toml(bytes: &[u8]) -> Result<()> {
    let settings = parse_drainer_toml(&text_of(bytes)?)?;
    stays_the_same(&settings);
    if let Some(downstream) = Downstream::of_drainer(&settings) {
        assert!(downstream.hosts.iter().all(|(host, _)| !host.is_empty()), "{downstream:?}");
    }
    match settings.place() {
        Ok(CheckpointPlace::Table(table)) => {
            assert!(table.port > 0 && !table.schema.is_empty() && !table.table.is_empty())
        }
        Ok(CheckpointPlace::Savepoint(_)) => {}
        Err(why) => assert!(why.len() > 20 && !why.contains('\n'), "{why:?}"),
    }
    Ok(())
}

fn savepoint_lines(dice: &mut Dice) -> Doc {
    let comment = dice.one(&["# ", "", "  "]);
    parts([
        "commitTS = ",
        "400962745252184065",
        "\n",
        comment,
        "2018-06-22 08:35:10 +0000 UTC",
        "\n",
        comment,
        "2018-06-22 16:35:10 +0800 CST",
        "\n",
    ])
}

fn read_savepoint(bytes: &[u8]) -> Result<()> {
    let text = text_of(bytes)?;
    let read = savepoint::parse(&text)?;
    assert!(read.ts.0 >= 0);
    if savepoint::is_bare(&text) {
        assert_eq!((read.consistent, read.schema_version), (None, None), "a Drainer's own says more than a timestamp");
    }
    for zone in [None, Some(Zone::from_name("Asia/Shanghai")?)] {
        let written = savepoint::render(read.ts, zone);
        let again = savepoint::parse(&written)?;
        assert_eq!((again.ts, again.problem), (read.ts, None));
        assert!(savepoint::is_bare(&written), "{written}");
    }
    match read.problem {
        Some(problem) => {
            assert!(problem.starts_with("a Drainer cannot load it: ") && !problem.contains('\n'), "{problem:?}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// A profile that says everything, node control as `control` has it.
fn profile(dice: &mut Dice, control: Doc) -> Doc {
    let all = [
        (
            "pd-urls",
            dice.one(&[text("http://10.0.0.1:2379"), Doc::List(vec![text("a:1"), text("https://[::1]:2379")])]),
        ),
        ("ca", text("tls/ca.pem")),
        ("cert", text("tls/cert.pem")),
        ("key", text("/tls/key.pem")),
        ("proxy", text(dice.one(&["socks5://h:1080", "socks5h://u:p%40ss@[::1]:1080"]))),
        (
            "addresses",
            map([("{pod}.basic-pump:8250", text("127.0.0.1:1825{n}")), ("basic-pd:2379", text("127.0.0.1:2379"))]),
        ),
        ("production", raw("true")),
        ("output", text(dice.one(&["json", "table", "csv"]))),
        ("timestamps", text(dice.one(&["number", "text"]))),
        ("pager", raw("false")),
        ("timeout", dice.one(&[raw("1.5"), raw(10), text("300ms")])),
        ("wait-lock", dice.one(&[raw(0), text("1h30m")])),
        ("node-control", control),
    ];
    map(all).with_some(
        dice,
        &[
            "pd-urls",
            "ca",
            "proxy",
            "addresses",
            "production",
            "timestamps",
            "pager",
            "timeout",
            "wait-lock",
            "node-control",
        ],
    )
}

fn config(dice: &mut Dice) -> Doc {
    let command = |verb| Doc::List(vec![text("my-tool"), text(verb), text("{id}")]);
    let controls = [
        map([
            ("by", text("systemd-ssh")),
            ("host", text("{host}")),
            ("user", text("tidb")),
            ("port", raw(22)),
            ("identity", text("id")),
            ("unit", text("{kind}-{port}.service")),
            ("deploy-dir", text("/tidb-deploy/{kind}-{port}")),
            ("sudo", raw("true")),
        ]),
        map([
            ("by", text("kubernetes")),
            ("namespace", text("tidb")),
            ("context", text("c")),
            ("start-script", text("v2")),
        ]),
        map([
            ("by", text("commands")),
            ("start", command("start")),
            ("stop", command("stop")),
            ("ends-by", text("sigterm")),
        ]),
    ];
    let control = dice.one(&controls);
    let (first, second) = (profile(dice, control), profile(dice, controls[0].clone()));
    map([("default-profile", text("prod")), ("profiles", map([("prod", first), ("other", second)]))])
        .with_some(dice, &["default-profile"])
}

thread_local! {
    /// Where this thread's files are.
    static DIR: tempfile::TempDir = in_memory();
}

/// A directory whose files need no disk, where the system has such.
fn in_memory() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap()
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = DIR.with(|dir| dir.path().join(name));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn read_config(bytes: &[u8]) -> Result<()> {
    let flags = Overrides { config: Some(file("config.toml", bytes)), ..Overrides::default() };
    let settings = load(&flags, &|_| None)?;
    assert!(!settings.timeout.is_zero() && settings.timeout <= LONGEST_TIMEOUT);
    for url in settings.clusters.iter().flat_map(|cluster| &cluster.pd_urls).chain(&settings.pd_urls) {
        let again: Vec<String> = PdUrl::parse_list(url)?.iter().map(|url| url.show(false)).collect();
        assert_eq!(again, [url.as_str()]);
    }
    assert_eq!(load(&flags, &|_| None)?, settings);
    Ok(())
}

/// The samples, and a scenario that says everything that one can say.
fn scenarios() -> Vec<Json> {
    let samples = scenario_names().into_iter().map(|(name, _)| Scenario::named(name).unwrap());
    let mut all: Vec<Json> = samples.map(|scenario| serde_json::to_value(scenario).unwrap()).collect();
    let phases = json!({"heartbeat_ms": 100, "fake_binlog_ms": 200, "close_check_ms": 300, "look_ms": 400, "checkpoint_ms": 500});
    let everything = json!({
        "version": 1, "about": "all", "cluster_id": 7, "start": "2026-11-22T12:00:00Z", "gc": "consumed",
        "pd": [{"name": "pd-0", "url": "http://10.0.1.1:2379,http://10.0.1.1:2380"}],
        "pumps": [
            {"id": "pump-0", "address": "10.0.1.11:8250", "record": "online", "process": "running", "uptime": "6d", "lag": 0.5,
             "supervisor": true, "retention": "7d", "unmatched": "10m", "disk": {"capacity": 100, "available": 50},
             "drift_ppm": 20, "extra": {"note": 1}, "phases": phases},
            {"id": "pump-1", "address": "10.0.1.12:8250", "process": "closing", "lag": "1m", "uptime": 5},
            {"id": "pump-2", "address": "10.0.1.13:8250", "process": "dead", "lag": "1m", "recorded": "2m", "record": "paused"},
        ],
        "drainers": [
            {"id": "drainer-0", "address": "10.0.1.21:8249", "process": "running", "uptime": "6d", "lag": "5m", "speed": 2.5,
             "supervisor": true, "drift_ppm": -20, "extra": {"note": "x"}, "phases": phases},
            {"id": "drainer-1", "address": "10.0.1.22:8249", "process": "hung", "record": "online",
             "json": "{\"nodeId\":\"drainer-1\",\"host\":\"10.0.1.22:8249\",\"state\":\"online\"}"},
        ],
        "tidb": [{"address": "10.0.1.31:4000", "version": "v7", "binlog": "Skipping", "ignore_error": true,
                  "writes_per_second": 20, "status_address": "10.0.1.31:10080"}],
        "keys": [{"key": "/tidb-binlog/v1/pumps/bad", "value": "{"}],
        "faults": [{"kind": "crash", "node": "pump-0", "node_kind": "pump", "after": "1s", "lasts": "2s"}, {"kind": "pd_gone", "after": 3}],
        "host": {"clock_ms": -5, "unreachable": ["10.0.1.11:8250"],
                 "certificates": [{"role": "authority", "place": "ca.pem", "subject": "CN=x", "expires": "2027-01-01T00:00:00Z"}]},
        "node_control": {"by": "systemd", "cannot": {"restart": "so"}, "unknown": {"pump pump-2": "so"}},
        "assumed": ["something"],
    });
    all.push(everything);
    all
}

fn scenario(dice: &mut Dice) -> Doc {
    static SEEDS: Seeds = OnceLock::new();
    one_of(&SEEDS, scenarios, dice)
}

fn read_scenario(bytes: &[u8]) -> Result<()> {
    let scenario = Scenario::parse(&text_of(bytes)?)?;
    let again = Scenario::parse(&serde_json::to_string(&scenario).unwrap())?;
    assert!(again == scenario, "it is another when it is read again: {scenario:?}, {again:?}");
    Ok(())
}

/// Reads it, and lets the cluster go on for a while: whoever takes it for a cluster rehearses on it.
fn read_snapshot(bytes: &[u8]) -> Result<()> {
    let snapshot = Snapshot::parse(&text_of(bytes)?)?;
    let again = Snapshot::parse(&serde_json::to_string(&snapshot.scenario).unwrap())?;
    assert!(again == snapshot, "it is another when it is read again");
    let mut cluster = Cluster::new(&snapshot.scenario)?;
    cluster.advance_to(20 * SECOND);
    let mut world = Simulated::from_cluster(cluster);
    let world: &mut dyn World = &mut world;
    // Whatever it answers, as of a PD that is gone.
    let _ = world.ask(read::Tidbs);
    if let Ok(listing) = world.listing() {
        stays_the_same(&listing);
    }
    Ok(())
}

/// Requests, and what came back: those of an exported run.
fn entries() -> Vec<Json> {
    let read: Json = serde_json::from_str(&kept_export()).unwrap();
    let kept = read["entries"].as_array().unwrap().iter().filter(|row| row["kind"] != "began");
    let kept = kept.map(|row| serde_json::from_str::<Json>(row["body"].as_str().unwrap()).unwrap());
    let of_all = wire::all().into_iter().map(|request| {
        json!({"at_ms": 1, "step": "s", "request": request, "outcome": {"Err": {"kind": "timeout", "message": "m n", "hint": "h"}},
               "findings": ["f"], "by": "ann"})
    });
    kept.chain(of_all).collect()
}

pub(super) fn kept_export() -> String {
    std::fs::read_to_string(project("tests/compatibility/0.1.0/export.json")).unwrap()
}

fn entry(dice: &mut Dice) -> Doc {
    static SEEDS: Seeds = OnceLock::new();
    one_of(&SEEDS, entries, dice)
}

/// What is said of an entry that cannot be read stands in `journal::store::load`, and quotes nothing of it.
fn of_journal(said: &serde_json::Error) -> Error {
    let words = said.to_string();
    Error::invalid(format!("an entry cannot be read: {}", words.escape_debug()))
}

fn read_entry(bytes: &[u8]) -> Result<()> {
    let entry: Entry = serde_json::from_slice(bytes).map_err(|said| of_journal(&said))?;
    stays_the_same(&entry);
    entry.request.change().map_or(Ok(()), told_on_one_line)
}

fn cut_changes() -> Vec<Json> {
    let changes = wire::all().into_iter().filter(|request| {
        serde_json::from_value::<Request>(request.clone()).is_ok_and(|request| request.change().is_some())
    });
    changes
        .map(|request| json!({"at_ms": 1, "step": "s", "request": request, "findings": ["f"], "by": "ann"}))
        .collect()
}

fn cut_change(dice: &mut Dice) -> Doc {
    static SEEDS: Seeds = OnceLock::new();
    one_of(&SEEDS, cut_changes, dice)
}

fn read_cut_change(bytes: &[u8]) -> Result<()> {
    let cut: Unfinished = serde_json::from_slice(bytes).map_err(|said| of_journal(&said))?;
    stays_the_same(&cut);
    told_on_one_line(&cut.change)
}

/// What a change is in words, but for a task by hand: that is the script's own text.
fn told_on_one_line(change: &Change) -> Result<()> {
    assert!(matches!(change, Change::Manual(_)) || !change.to_string().contains('\n'), "{change:?}");
    Ok(())
}

/// A plan with all that can be planned, and one with nothing.
fn plans() -> Vec<Json> {
    let mut world = Simulated::new(&Scenario::named("default").unwrap()).unwrap();
    let listing = (&mut world as &mut dyn World).listing().unwrap();
    let requests = wire::all().into_iter().map(|request| serde_json::from_value::<Request>(request).unwrap());
    let entries: Vec<Entry> = requests.map(|request| Entry::new(request, Ok(Answer::Done))).collect();
    let parameters = [("only".to_owned(), "pump-1".to_owned())].into_iter().collect();
    let plan = |entries: &[Entry]| {
        let script = ScriptMark::new("s.rhai", "print(1)", &parameters);
        Plan::of(Basis { listing: &listing, cluster_id: 7, script }, entries)
    };
    let each = entries.iter().map(|entry| plan(std::slice::from_ref(entry)));
    each.chain([plan(&entries), plan(&[])]).map(|plan| serde_json::to_value(plan).unwrap()).collect()
}

fn plan(dice: &mut Dice) -> Doc {
    static SEEDS: Seeds = OnceLock::new();
    one_of(&SEEDS, plans, dice)
}

fn read_plan(bytes: &[u8]) -> Result<()> {
    let plan = Plan::parse(&text_of(bytes)?)?;
    let again = Plan::parse(&serde_json::to_string(&plan).unwrap())?;
    assert!(again == plan, "it is another when it is read again: {plan:?}, {again:?}");
    Ok(())
}

fn stories() -> Vec<Json> {
    let story = |(scenario, harm): (Json, &HarmKind)| {
        let story = json!({
            "version": 1, "script": "s.rhai", "script_text": "print(1)", "parameters": {"only": "pump-1"}, "harm": harm,
            "blame": Blame::Script, "text": "it went wrong", "faults": [{"kind": "pd_gone", "after": 1, "lasts": "3s"}],
            "scenario": scenario,
        });
        SavedStory::parse(&story.to_string()).unwrap();
        story
    };
    scenarios().into_iter().zip(HarmKind::ALL.iter().cycle()).map(story).collect()
}

fn story(dice: &mut Dice) -> Doc {
    static SEEDS: Seeds = OnceLock::new();
    one_of(&SEEDS, stories, dice)
}

fn read_story(bytes: &[u8]) -> Result<()> {
    let story = SavedStory::parse(&text_of(bytes)?)?;
    let again = SavedStory::parse(&serde_json::to_string(&story).unwrap())?;
    assert!(again == story, "it is another when it is read again");
    Ok(())
}

fn meta_yaml(dice: &mut Dice) -> Doc {
    let server = |host: &str, more: Vec<(&str, Doc)>| {
        let own = [("host", text(host)), ("ssh_port", raw(22))].into_iter();
        Doc::Map(own.chain(more).map(|(name, doc)| (name.to_owned(), doc)).collect())
    };
    let pump = vec![
        ("manage_host", text("")),
        ("port", raw(8250)),
        ("deploy_dir", text("/tidb-deploy/pump-8250")),
        ("data_dir", text("data/pump-8250")),
        ("offline", raw("false")),
        ("config", map([("gc", raw(7)), ("password", text("s3cret"))])),
    ];
    let drainer = vec![
        ("port", raw(8249)),
        (
            "config",
            map([
                ("syncer.to.password", text("s3cret")),
                ("syncer.replicate-do-db", Doc::List(vec![text("a")])),
                ("syncer.to.sync-mode", raw(dice.below(3))),
            ]),
        ),
    ];
    let pd = vec![("client_port", raw(2379)), ("advertise_client_addr", text(dice.one(&["", "https://pd-0:2379"])))];
    let global = map([
        ("user", text("tidb")),
        ("ssh_port", raw(22)),
        ("enable_tls", raw(dice.chance(50))),
        ("systemd_mode", text("system")),
        ("deploy_dir", text("/tidb-deploy")),
        ("data_dir", text("data")),
    ])
    .with_some(dice, &["user", "ssh_port", "enable_tls", "systemd_mode", "deploy_dir", "data_dir"]);
    let topology = map([
        ("global", global),
        ("server_configs", map([("drainer", map([("syncer.to.password", text("s3cret"))]))])),
        ("pd_servers", Doc::List(vec![server("10.0.0.1", pd)])),
        ("pump_servers", Doc::List(vec![server("10.0.0.5", pump.clone()), server("fd00::5", pump)])),
        ("drainer_servers", Doc::List(vec![server("10.0.0.9", drainer)])),
        ("monitoring_servers", Doc::List(Vec::new())),
    ])
    .with_some(dice, &["global", "server_configs", "pump_servers", "drainer_servers", "monitoring_servers"]);
    map([("user", text("tidb")), ("tidb_version", text("v7.5.1")), ("topology", topology)])
        .with_some(dice, &["user", "tidb_version"])
}

fn read_meta_yaml(bytes: &[u8]) -> Result<()> {
    let text = text_of(bytes)?;
    let deployed = Deployment::parse("prod", Path::new("/tiup/prod/meta.yaml"), &text).inspect_err(|error| {
        let said = format!("{error:?}");
        assert!(!said.contains("s3cret"), "{said}");
    })?;
    stays_the_same(&deployed);
    assert!(!deployed.pd_urls.is_empty());
    for node in &deployed.nodes {
        assert_eq!(deployed.find(node.kind, &node.id()), Some(node));
        assert!(!node.unit().contains(char::is_whitespace));
    }
    Ok(())
}

fn exports() -> Vec<Json> {
    vec![serde_json::from_str(&kept_export()).unwrap()]
}

/// An exported run; in most of them something was altered in what stands as text in it: its head, or an entry.
fn export(dice: &mut Dice) -> Doc {
    static SEEDS: Seeds = OnceLock::new();
    let mut export = one_of(&SEEDS, exports, dice);
    if let (true, Doc::Map(parts)) = (dice.chance(40), &mut export) {
        let Some((_, Doc::List(rows))) = parts.iter_mut().find(|(name, _)| name == "entries") else { unreachable!() };
        let row = dice.below(rows.len() + 1);
        let (of, name) = match rows.get_mut(row) {
            Some(Doc::Map(row)) => (row, "body"),
            Some(_) | None => (parts, "head"),
        };
        let body = of.iter_mut().find(|(part, _)| part == name).map(|(_, body)| body);
        if let Some(Doc::Text(body)) = body {
            let mut inner = Doc::of_json(&serde_json::from_str(body).unwrap());
            inner.alter(dice, Form::Json);
            *body = String::from_utf8(written(&inner, Form::Json)).unwrap();
        }
    }
    export
}

/// Imports it as it is, and once more with hashes that fit: whoever wrote it may have known how.
fn read_export(bytes: &[u8]) -> Result<()> {
    let text = text_of(bytes)?;
    let as_it_is = import(&text);
    sealed(&text).map_or(as_it_is, |sealed| import(&sealed))
}

/// Imports a run. What was taken can be listed, read, and exported as it came.
fn import(text: &str) -> Result<()> {
    let file = DIR.with(|dir| dir.path().join("runs.db"));
    let mut store = Store::open(&file)?;
    let taken = store.import(text);
    if let Ok(id) = &taken {
        let loaded = store.load(id).unwrap_or_else(|error| panic!("what was imported cannot be read: {error}"));
        assert_eq!(loaded.lost_tail, 0);
        assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
        let again = store.export(id).unwrap();
        assert_eq!(store.import(&again).as_ref(), Ok(id));
        let after: Json = serde_json::from_str(&again).unwrap();
        // What is not known there may hold numbers that only this reader does not take.
        let Ok(before) = serde_json::from_str::<Json>(text) else {
            drop(store);
            std::fs::remove_file(&file).unwrap();
            return Ok(());
        };
        assert_eq!(before["head"], after["head"]);
        let rows = |run: &Json| -> Vec<[Json; 3]> {
            let row = |row: &Json| ["kind", "body", "hash"].map(|part| row[part].clone());
            run["entries"].as_array().unwrap().iter().map(row).collect()
        };
        assert_eq!(rows(&before), rows(&after));
        // What is not known there is left out.
        for (name, value) in after["end"].as_object().unwrap() {
            assert_eq!(before["end"].get(name).unwrap_or(&Json::Null), value, "{name}");
        }
    }
    drop(store);
    std::fs::remove_file(&file).unwrap();
    taken.map(drop)
}

/// The document with the hashes that its parts have now, as the store reckons them.
pub(super) fn sealed(text: &str) -> Option<String> {
    let mut document: Json = serde_json::from_str(text).ok()?;
    let head = document["head"].as_str()?.to_owned();
    let id = serde_json::from_str::<Json>(&head).ok()?["head"]["id"].as_str()?.to_owned();
    let part = |hash: &mut Sha256, bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    let mut hash = Sha256::new();
    ["binlogsh run", &id, &head].iter().for_each(|text| part(&mut hash, text.as_bytes()));
    let mut tip: [u8; 32] = hash.finalize().into();
    let next = |tip: &[u8; 32], seq: u64, kind: &str, body: &str| -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(tip);
        part(&mut hash, id.as_bytes());
        hash.update(seq.to_be_bytes());
        part(&mut hash, kind.as_bytes());
        part(&mut hash, body.as_bytes());
        hash.finalize().into()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut seq = 1;
    for row in document["entries"].as_array_mut()? {
        tip = next(&tip, seq, row["kind"].as_str()?, row["body"].as_str()?);
        row["hash"] = hex(&tip).into();
        seq += 1;
    }
    let end = serde_json::to_string(&document["end"]).ok()?;
    document["seal"] = hex(&next(&tip, seq, "asked", &end)).into();
    Some(document.to_string())
}
