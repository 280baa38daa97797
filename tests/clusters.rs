//! Clusters by the names that tiup has for them: going there, and what protects them.

use crate::harness::screen::Screen;
use crate::harness::{Ran, Shell};
use crate::support::certs::Certs;
use crate::support::cluster::LiveCluster;
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::tiup::{PASSWORD, meta_of, meta_with, meta_yaml, without_end};
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use insta::assert_snapshot;
use rustix::fs::{CWD, FileType, Mode, mknodat};

const CONFIG: &str = ".config/binlogsh/config.toml";
const PAUSE: &str = "pause_drainer(\"drainer-0\")";

/// A home in which tiup calls this cluster `prod`.
fn home(cluster: &LiveCluster) -> Shell {
    Shell::new(&[]).file(&meta_yaml("prod"), &meta_of(&cluster.url()))
}

/// A home in which tiup has a `prod` that says this.
fn told(text: &str) -> Shell {
    Shell::new(&["--cluster", "prod"]).file(&meta_yaml("prod"), text)
}

#[test]
fn a_cluster_is_gone_to_by_the_name_that_tiup_has_for_it() {
    let cluster = LiveCluster::sample("default");
    let announced = format!("cluster of PD at {}, `prod` of tiup", cluster.url());
    let script = |shell: Shell| shell.file("p.rhai", "print(pumps().len())").arg("run").arg("p.rhai");
    script(home(&cluster).arg("--cluster=prod")).go().succeeds().stdout("3").stderr_contains(&announced);
    script(home(&cluster)).arg("--cluster").arg("prod").go().succeeds().stdout("3").stderr_contains(&announced);
    home(&cluster).env("BINLOGSH_CLUSTER", "prod").eval("pumps().len()").succeeds().stdout("3");
    let profile = home(&cluster).file(CONFIG, "default-profile = \"p\"\n[profiles.p]\ncluster = \"prod\"\n");
    script(profile).go().succeeds().stdout("3").stderr_contains(&format!("{announced}, profile `p`"));
}

#[test]
fn the_prompt_and_the_live_view_call_a_cluster_by_tiup_s_name() {
    let cluster = LiveCluster::sample("default");
    let named = || home(&cluster).arg("--cluster=prod");
    Screen::open(named(), 100, 30).shows("binlogsh(prod)#");
    named().arg("watch").arg("--once").go().succeeds().stdout_contains("prod");
}

#[test]
fn a_cluster_with_tls_is_gone_to_with_tiup_s_own_files() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, &[b"h2"])));
    let meta = meta_of(&pd.url()).replace("  global:\n", "  global:\n    enable_tls: true\n");
    let files = [("ca.crt", certs.ca()), ("client.crt", certs.client_cert()), ("client.pem", certs.client_key())];
    let home = || {
        files.iter().fold(Shell::new(&["--cluster=prod"]).file(&meta_yaml("prod"), &meta), |shell, (name, file)| {
            let place = meta_yaml("prod").replace("meta.yaml", &format!("tls/{name}"));
            shell.file(&place, &std::fs::read_to_string(file).unwrap())
        })
    };
    home().eval("pumps().len()").succeeds().stdout("0");
    let without = home();
    std::fs::remove_file(without.dir().join(meta_yaml("prod").replace("meta.yaml", "tls/client.pem"))).unwrap();
    without.eval("pumps()").fails(ErrorKind::Local).stderr_contains("tls/client.pem");
}

#[test]
fn tiup_s_variables_say_where_its_clusters_are() {
    let cluster = LiveCluster::sample("default");
    let meta =
        |dir: &str| Shell::new(&["--cluster=prod"]).file(&format!("{dir}/prod/meta.yaml"), &meta_of(&cluster.url()));
    let by_home = meta("elsewhere/storage/cluster/clusters").env("TIUP_HOME", "elsewhere");
    by_home.eval("pumps().len()").succeeds().stdout("3");
    let by_data = meta("data/clusters").env("TIUP_HOME", "elsewhere").env("TIUP_COMPONENT_DATA_DIR", "data");
    by_data.eval("pumps().len()").succeeds().stdout("3");
}

#[test]
fn a_production_profile_protects_the_cluster_that_it_names_however_somebody_goes_there() {
    let cluster = LiveCluster::sample("default");
    let home = || home(&cluster).file(CONFIG, "[profiles.eu]\ncluster = \"prod\"\nproduction = true\n");
    let refused = |ran: Ran| {
        ran.fails(ErrorKind::Refused)
            .stderr_contains("`eu`")
            .stderr_contains("marked production")
            .stderr_contains("--yes");
    };
    refused(home().yes().arg("--profile=eu").eval(PAUSE));
    refused(home().yes().arg("--cluster=prod").eval(PAUSE));
    refused(home().yes().arg("--pd-urls").arg(cluster.url()).eval(PAUSE));
    // Where tiup's file is broken nobody knows where `eu` is: any cluster may be it.
    let unread = || home().file(&meta_yaml("prod"), "topology:\n").arg("--pd-urls").arg(cluster.url());
    let ran = unread().yes().eval(PAUSE).fails(ErrorKind::Refused);
    ran.stderr_contains("it may be `eu`, which is marked production: where tiup's `prod` is cannot be read");
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-0"), "online");
    home().arg("--cluster=prod").arg("--yes=eu").eval(PAUSE).succeeds();
}

#[test]
fn an_advised_command_names_the_cluster_as_it_was_named() {
    let ran = told(&meta_of("http://127.0.0.1:9")).arg("-e").arg("1").arg("-e").arg("pumps()").go();
    ran.fails(ErrorKind::Unreachable).stderr_contains("127.0.0.1:9");
    let cluster = LiveCluster::sample("default");
    let shell = home(&cluster).arg("--cluster=prod").file("half.rhai", &format!("{PAUSE}; fail(\"enough\")")).yes();
    shell.run("half.rhai", &[]).exits(1).stderr_contains("binlogsh --cluster prod runs resume");
}

#[test]
fn a_name_that_tiup_does_not_have_says_where_it_looked_and_what_is_there() {
    let shell = |name: &str| Shell::new(&["--cluster", name]).file(&meta_yaml("prod"), &meta_of("http://127.0.0.1:9"));
    let ran = shell("prdo").eval("1").fails(ErrorKind::NotFound).stderr_contains("did you mean `prod`?");
    let place = ran.dir().join(".tiup/storage/cluster/clusters").display().to_string();
    ran.stderr_contains(&format!("tiup has no cluster `prdo` in {place}"));
    shell("elsewhere").eval("1").fails(ErrorKind::NotFound).stderr_contains("tiup's clusters there are prod");
    Shell::new(&["--cluster=x"])
        .eval("1")
        .fails(ErrorKind::NotFound)
        .stderr_contains("set TIUP_HOME to their directory");
    for name in ["../prod", "/prod", "..", "a b", ""] {
        shell(name).eval("1").fails(ErrorKind::Invalid).stderr_contains("is no name of a cluster");
    }
    Shell::new(&["--cluster=x"]).arg("ctl").arg("-cmd=pumps").go().exits(2).stdout_contains("tiup has no cluster `x`");
    let profile = Shell::new(&["--profile=p"]).file(CONFIG, "[profiles.p]\ncluster = \"../x\"\n");
    profile.eval("1").fails(ErrorKind::Invalid).stderr_contains("config.toml:2: `../x` is no name of a cluster");
}

#[test]
fn a_meta_yaml_that_cannot_be_used_is_named_with_its_line_and_never_quoted() {
    let whole = meta_of("http://127.0.0.1:9");
    let half = &whole[..whole.find(PASSWORD).unwrap() + 5];
    for (text, why) in [
        ("", "meta.yaml is empty: tiup was stopped while it wrote it"),
        (half, "meta.yaml:11: it is half-written"),
        (&whole.replace("  pd_servers", " pd_servers"), "it is not YAML"),
        (&whole.replace("host: 127.0.0.1", "host: [a]"), "`topology.pd_servers[0].host` is no text"),
        ("topology:\n  pd_servers: []\n", "`topology.pd_servers` has no PD"),
        ("user: tidb\0\n", "no text: line 1 has a NUL byte"),
    ] {
        let ran = told(text).eval("1").fails(ErrorKind::Invalid).stderr_contains(why);
        assert!(!ran.stderr.contains(&PASSWORD[..5]), "{}", ran.stderr);
    }
    let marked = told(&format!("\u{feff}{whole}"));
    marked.eval("pumps()").fails(ErrorKind::Unreachable).stderr_contains("127.0.0.1:9");
    let shell = told("");
    std::fs::write(shell.dir().join(meta_yaml("prod")), b"user: K\xf6ln\n").unwrap();
    shell.eval("1").fails(ErrorKind::Invalid).stderr_contains("is not UTF-8 text: line 1");
}

#[test]
fn whatever_stands_in_the_place_of_a_meta_yaml_holds_nobody_up() {
    let named = || Shell::new(&["--cluster=prod"]);
    let directory = named().file(&format!("{}/x", meta_yaml("prod")), "");
    directory.eval("1").fails(ErrorKind::Invalid).stderr_contains("where tiup keeps a file: it is a directory");
    let pipe = told("");
    std::fs::remove_file(pipe.dir().join(meta_yaml("prod"))).unwrap();
    mknodat(CWD, pipe.dir().join(meta_yaml("prod")), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    pipe.eval("1").fails(ErrorKind::Invalid).stderr_contains("it is a pipe, and no regular file");
    let huge = told(&"# nothing\n".repeat(1 << 19));
    huge.eval("1").fails(ErrorKind::Invalid).stderr_contains("is larger than 4 MiB");
    let loop_of_links = named().file(&format!("{}/ssh/id_rsa", meta_yaml("prod").trim_end_matches("/meta.yaml")), "");
    let meta = loop_of_links.dir().join(meta_yaml("prod"));
    std::os::unix::fs::symlink(&meta, &meta).unwrap();
    loop_of_links.eval("1").fails(ErrorKind::Local).stderr_contains("meta.yaml cannot be read");
    let lost = named().file(".tiup/storage/cluster/clusters/prod/ssh/id_rsa", "");
    lost.eval("1").fails(ErrorKind::NotFound).stderr_contains("clusters/prod has no meta.yaml");
}

#[test]
fn whoever_needs_no_cluster_is_not_kept_from_working_by_one_that_cannot_be_read() {
    let broken = || {
        let config = "default-profile = \"p\"\n[profiles.p]\ncluster = \"prod\"\n";
        Shell::new(&[]).file(CONFIG, config).file(&meta_yaml("prod"), "topology:\n")
    };
    broken().arg("--sandbox").eval("pumps().len()").succeeds().stdout("3");
    broken().file("p.rhai", "1").arg("check").arg("p.rhai").go().exits(1).stdout_contains("header");
    broken().arg("runs").go().succeeds();
    broken().arg("--sandbox").arg("ctl").arg("-cmd=pumps").go().succeeds();
    broken().eval("1").fails(ErrorKind::Invalid).stderr_contains("`topology` is missing");
    let cluster = LiveCluster::sample("default");
    broken().arg("--pd-urls").arg(cluster.url()).eval("pumps().len()").succeeds().stdout("3");
    Shell::new(&["--sandbox", "--cluster=prod"]).eval("1").exits(2).stderr_contains("two clusters");
}

#[test]
fn an_unfinished_scale_out_is_told_before_anything_is_done() {
    let scale_out = meta_yaml("prod").replace("meta.yaml", ".scale-out.yaml");
    let cluster = LiveCluster::sample("default");
    let ran =
        home(&cluster).file(&scale_out, "").arg("--cluster=prod").file("p.rhai", "1").run("p.rhai", &[]).succeeds();
    ran.stderr_contains("a scale-out of `prod` has begun and not ended")
        .stderr_contains("tiup cluster scale-out prod --stage2");
}

/// A home with a cluster that is whole, one that is cut off in a scale-out, and one that is half-written.
fn three() -> Shell {
    let whole = meta_with("http://10.0.1.1:2379", &["10.0.1.11:8250", "10.0.1.12:8250"], &["10.0.1.21:8249"]);
    let secure = whole.replace("  global:\n", "  global:\n    enable_tls: true\n");
    Shell::new(&["clusters"])
        .file(CONFIG, "[profiles.eu]\ncluster = \"prod\"\n[profiles.eu2]\ncluster = \"prod\"\n")
        .file(&meta_yaml("prod"), &whole)
        .file(&meta_yaml("lab"), &without_end(&secure))
        .file(&meta_yaml("lab").replace("meta.yaml", ".scale-out.yaml"), "")
        .file(&meta_yaml("torn"), &whole[..whole.len() - 3])
        .file(".tiup/storage/cluster/clusters/.DS_Store", "")
}

#[test]
fn all_clusters_of_tiup_are_listed_with_what_is_wrong_and_which_profile_names_each() {
    let ran = three().env("COLUMNS", "200").env("TIUP_HOME", ".tiup").go().succeeds();
    assert_snapshot!(ran.stdout, @"
    name  version  pd                     pumps  drainers  tls  profile  wrong
    lab   v7.5.1   https://10.0.1.1:2379      2         1  yes           a scale-out has begun and not ended: tiup cluster scale-out lab --stage2; its meta.yaml may be cut off: `monitoring_servers` is
                                                                         missing behind the nodes
    prod  v7.5.1   http://10.0.1.1:2379       2         1  no   eu, eu2
    torn  -        -                          -         -  -             .tiup/storage/cluster/clusters/torn/meta.yaml:29: it is half-written, since its last line has no end: tiup was stopped while it
                                                                         wrote it
    ");
    ran.stderr_contains("go to one with `binlogsh --cluster lab`");
}

#[test]
fn programs_are_given_all_that_is_known_of_a_cluster_and_no_password() {
    let ran = three().arg("-o").arg("json").go().succeeds();
    let all: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&all[1]["name"], &all[1]["profiles"][1], &all[1]["wrong"]),
        (&"prod".into(), &"eu2".into(), &serde_json::json!([]))
    );
    let node = &all[1]["nodes"][2];
    assert_eq!(
        (&node["id"], &node["unit"], &node["deploy_dir"]),
        (&"10.0.1.21:8249".into(), &"drainer-8249.service".into(), &"/tidb-deploy/drainer-8249".into())
    );
    assert!(
        all[2]["wrong"][0].as_str().unwrap().contains("half-written")
            && all[2]["hint"].as_str().unwrap().contains("backup")
    );
    for format in ["table", "json", "jsonl", "csv", "vertical"] {
        let ran = three().arg("-o").arg(format).go().succeeds();
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&PASSWORD[..6]), "{}", ran.stdout);
    }
    let csv = three().arg("-o").arg("csv").go().succeeds().stdout;
    assert!(
        csv.starts_with("name,version,pd,pumps,drainers,tls,profile,wrong\nlab,v7.5.1,https://10.0.1.1:2379,2,1,yes,"),
        "{csv}"
    );
}

#[test]
fn where_tiup_has_no_clusters_the_listing_says_where_it_looked() {
    let ran = Shell::new(&["clusters"]).go().succeeds().stdout("(none)");
    let place = ran.dir().join(".tiup/storage/cluster/clusters").display().to_string();
    ran.stderr_contains(&format!("tiup has no clusters in {place}"));
    let ran = Shell::new(&["clusters", "-o", "json"]).env("TIUP_HOME", "/nowhere").go().succeeds().stdout("[]");
    ran.stderr_contains("tiup has no clusters in /nowhere/storage/cluster/clusters (from TIUP_HOME)");
    let file = Shell::new(&["clusters"]).file(".tiup/storage/cluster/clusters", "");
    file.go().fails(ErrorKind::Local).stderr_contains("clusters cannot be read");
}

/// A home in which tiup knows all nodes of this cluster but its last Drainer, and one Pump that is not there.
fn with_nodes(cluster: &LiveCluster) -> Shell {
    let address = |kind, id| cluster.address(kind, id);
    let pumps = ["pump-0", "pump-1", "pump-2"].map(|id| address(Kind::Pump, id));
    let pumps: Vec<&str> = pumps.iter().map(String::as_str).chain(["127.0.0.9:8250"]).collect();
    let meta = meta_with(&cluster.url(), &pumps, &[&address(Kind::Drainer, "drainer-0")]);
    Shell::new(&["--cluster=prod"]).file(&meta_yaml("prod"), &meta)
}

#[test]
fn doctor_tells_where_tiup_and_the_records_differ_and_only_then() {
    let cluster = LiveCluster::sample("default");
    let doctor = |shell: Shell| {
        let ran = shell.arg("-o").arg("json").arg("doctor").arg("--observe=0").go();
        let found: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(PASSWORD), "{}", ran.stdout);
        found
            .iter()
            .map(|one| (one["check"].as_str().unwrap().to_owned(), one["node"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let found = doctor(with_nodes(&cluster));
    let has = |check: &str, node: &str| found.contains(&(check.to_owned(), node.to_owned()));
    assert!(has("not_deployed", "drainer-1") && has("not_registered", "127.0.0.9:8250"), "{found:?}");
    assert!(has("changed_id", "pump-0") && !has("not_deployed", "pump-0"), "{found:?}");
    assert_eq!(doctor(Shell::live(&cluster.url())), []);
}

#[test]
fn a_snapshot_takes_along_what_tiup_knows_and_a_rehearsal_on_it_reads_the_same() {
    let cluster = LiveCluster::sample("default");
    let script = "print(deployment().nodes.map(|n| n.unit)); print(deployment().name)";
    let rehearse = |shell: Shell| shell.file("p.rhai", script).arg("rehearse").arg("p.rhai");
    let here = rehearse(with_nodes(&cluster)).arg("--observe=0s").arg("--save-snapshot=s.json").go().succeeds();
    let snapshot = std::fs::read_to_string(here.dir().join("s.json")).unwrap();
    assert!(snapshot.contains("\"prod\"") && !snapshot.contains(PASSWORD), "{snapshot}");
    let live = with_nodes(&cluster).file("p.rhai", script).run("p.rhai", &[]).succeeds();
    assert!(live.stdout.contains("pump-8250.service") && live.stdout.contains("prod"), "{}", live.stdout);
    let there = rehearse(Shell::new(&[]).file("s.json", &snapshot)).arg("--snapshot=s.json").go().succeeds();
    for line in live.stdout.lines() {
        assert!(here.stdout.contains(line) && there.stdout.contains(line), "{line}\n{}\n{}", here.stdout, there.stdout);
    }
    Shell::live(&cluster.url()).eval("deployment() == ()").succeeds().stdout("true");
}
