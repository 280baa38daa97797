//! Whose cluster it is, is found out before the first change: a URL proves nothing, and a profile may have moved.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;

const KNOWN: &str = ".local/state/binlogsh/clusters.json";
const PAUSE: &str = "pause_drainer(\"drainer-0\")";

/// The cluster under another of its names, which no profile has.
fn alias(cluster: &LiveCluster) -> String {
    cluster.url().replace("127.0.0.1", "localhost")
}

/// A home in which `staging` is the default profile, and `eu` is production: both somewhere else.
fn elsewhere() -> Shell {
    let staging = "default-profile = \"staging\"\n[profiles.staging]\npd-urls = \"http://127.0.0.1:1\"\n";
    let eu = "[profiles.eu]\npd-urls = \"http://127.0.0.1:2\"\nproduction = true\n";
    Shell::new(&[]).file(".config/binlogsh/config.toml", &format!("{staging}{eu}"))
}

/// A home in which `staging` is this cluster.
fn staging(cluster: &LiveCluster) -> Shell {
    let config = format!("default-profile = \"staging\"\n[profiles.staging]\npd-urls = \"{}\"\n", cluster.url());
    Shell::new(&[]).file(".config/binlogsh/config.toml", &config)
}

fn id(cluster: &LiveCluster) -> u64 {
    let mut id = 0;
    cluster.pd().set(|knobs| id = knobs.cluster_id);
    id
}

fn knows(shell: Shell, profile: &str, id: u64) -> Shell {
    shell.file(KNOWN, &format!("{{\"{profile}\": {id}}}"))
}

fn kept(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(ran.dir().join(KNOWN)).unwrap_or_default()).unwrap_or_default()
}

#[test]
fn a_cluster_that_a_production_profile_knows_is_production_under_any_url() {
    let cluster = LiveCluster::sample("default");
    let home = || knows(elsewhere(), "eu", id(&cluster)).arg("--pd-urls").arg(alias(&cluster));
    let said = format!("cluster {} of the profile `eu`, which is marked production", id(&cluster));
    let refused = |ran: Ran| ran.stderr_contains(&said).stderr_contains("--yes=eu");
    refused(home().yes().eval(PAUSE).fails(ErrorKind::Refused));
    refused(home().yes().file("p.rhai", PAUSE).run("p.rhai", &[]).fails(ErrorKind::Refused));
    let ctl = || home().arg("ctl").arg("-cmd=pause-drainer").arg("-node-id=drainer-0");
    refused(ctl().go().exits(1));
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-0"), "online");
    // Whoever only looks is not asked.
    home().eval("drainers().len()").succeeds().stdout("2");
    ctl().arg("--yes=eu").go().succeeds();
}

#[test]
fn the_profile_whose_name_is_shown_is_the_one_whose_cluster_it_is() {
    let cluster = LiveCluster::sample("default");
    let ran = elsewhere().arg("--pd-urls").arg(alias(&cluster)).file("p.rhai", "1").run("p.rhai", &[]).succeeds();
    assert!(ran.stderr.contains(&alias(&cluster)) && !ran.stderr.contains("staging"), "{}", ran.stderr);
    staging(&cluster).file("p.rhai", "1").run("p.rhai", &[]).succeeds().stderr_contains("profile `staging`");
}

#[test]
fn a_production_profile_that_was_never_reached_is_found_by_pd_s_members() {
    let cluster = LiveCluster::sample("default");
    let eu = format!("[profiles.eu]\npd-urls = \"{}\"\nproduction = true\n", cluster.url());
    let shell = Shell::new(&["--yes", "--pd-urls", &alias(&cluster)]).file(".config/binlogsh/config.toml", &eu);
    shell.eval(PAUSE).fails(ErrorKind::Refused).stderr_contains("`eu`, which is marked production");
}

#[test]
fn where_pd_does_not_say_which_cluster_it_is_it_may_be_production() {
    let shell = || elsewhere().arg("--pd-urls=http://127.0.0.1:3").arg("--allow-exec");
    let touch = "exec(\"touch\", [\"done\"])";
    let ran = shell().yes().eval(touch).fails(ErrorKind::Refused);
    let ran = ran.stderr_contains("PD does not say which cluster this is, and it may be `eu`");
    assert!(!ran.dir().join("done").exists());
    let ran = shell().arg("--yes=eu").eval(touch).succeeds();
    assert!(ran.dir().join("done").exists() && kept(&ran).is_null());
}

#[test]
fn the_id_of_a_profile_s_cluster_is_kept_with_its_first_change_and_another_one_is_a_question() {
    let cluster = LiveCluster::sample("default");
    let ran = staging(&cluster).yes().eval(PAUSE).succeeds();
    assert_eq!(kept(&ran)["staging"], id(&cluster));

    let moved = || knows(staging(&cluster), "staging", 5);
    let said = format!("the profile `staging` was cluster 5 until now, and this is cluster {}", id(&cluster));
    let pause = "pause_drainer(\"drainer-1\")";
    let ran = moved().eval(pause).fails(ErrorKind::Refused).stderr_contains("nobody can be asked");
    assert_eq!(kept(&ran)["staging"], 5);
    let ran = moved().yes().eval(pause).fails(ErrorKind::Refused).stderr_contains(&said);
    assert_eq!(kept(&ran)["staging"], 5);
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-1"), "online");
    let ran = moved().arg("--yes=staging").eval(pause).succeeds();
    assert_eq!(kept(&ran)["staging"], id(&cluster));
}

#[test]
fn a_yes_for_one_profile_is_none_for_another() {
    let cluster = LiveCluster::sample("default");
    let shell = elsewhere().arg("--pd-urls").arg(alias(&cluster)).arg("--yes=eu");
    let shell = knows(shell, "eu", 7);
    shell.eval(PAUSE).fails(ErrorKind::Refused).stderr_contains("--yes=eu is not for this cluster");
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-0"), "online");
}

#[test]
fn what_is_known_of_the_clusters_is_never_taken_for_empty() {
    let cluster = LiveCluster::sample("default");
    let shell = staging(&cluster).file(KNOWN, "{\"staging\": ").yes();
    let ran = shell.eval(PAUSE).fails(ErrorKind::Invalid).stderr_contains("clusters.json cannot be understood");
    assert_eq!(std::fs::read_to_string(ran.dir().join(KNOWN)).unwrap(), "{\"staging\": ");
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-0"), "online");
}
