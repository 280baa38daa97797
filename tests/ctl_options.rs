//! `ctl` and the options and variables that every command of ours has: each is honoured or refused, in every place and form.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use crate::support::tiup::{meta_of, meta_yaml};
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use std::os::unix::fs::symlink;

/// Where nobody must look who was told of another cluster.
const DEFAULT: &str = "127.0.0.1:2379";

/// How the program is called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Before,
    Behind,
    AsBinlogctl,
}

/// One call: options in their place, and the flags of binlogctl.
fn call(shell: Shell, place: Place, options: &[String], flags: &[&str]) -> Ran {
    let words = |shell: Shell, words: &[String]| words.iter().fold(shell, |shell, word| shell.arg(word.as_str()));
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    match place {
        Place::Before => words(words(shell, options).arg("ctl"), &flags).go(),
        Place::Behind => words(words(shell.arg("ctl"), &flags), options).go(),
        Place::AsBinlogctl => {
            let link = shell.dir().join("binlogctl");
            symlink(env!("CARGO_BIN_EXE_binlogsh"), &link).unwrap();
            words(words(shell, &flags), options).go_as(&link)
        }
    }
}

/// The four ways to write an option with its value; a switch has two.
fn forms(name: &str, value: Option<&str>) -> Vec<Vec<String>> {
    let words = |text: &[&str]| text.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let Some(value) = value else { return vec![words(&[&format!("-{name}")]), words(&[&format!("--{name}")])] };
    vec![
        words(&[&format!("-{name}"), value]),
        words(&[&format!("-{name}={value}")]),
        words(&[&format!("--{name}"), value]),
        words(&[&format!("--{name}={value}")]),
    ]
}

/// An option, and how it shows that it was honoured.
struct Row<'a> {
    name: &'a str,
    value: Option<&'a str>,
    flags: &'a [&'a str],
    shows: &'a dyn Fn(&Ran) -> bool,
    /// Whether one of its forms has to be honoured in each place; otherwise all may be refused.
    is_honoured: bool,
}

/// Whether an exchange with the default address was tried; the usage names it as well.
fn is_asked_at_the_default(ran: &Ran) -> bool {
    let is_usage = ran.stderr.contains("Usage of binlogctl:");
    ran.stdout.contains(DEFAULT) || (!is_usage && ran.stderr.contains(DEFAULT))
}

fn home(cluster: &LiveCluster) -> Shell {
    let profile = format!("[profiles.live]\npd-urls = \"{}\"\n", cluster.url());
    let production = format!("[profiles.eu]\npd-urls = \"{}\"\nproduction = true\n", cluster.url());
    Shell::new(&[])
        .file(".config/binlogsh/config.toml", &format!("{profile}{production}"))
        .file("other.toml", &format!("default-profile = \"live\"\n{profile}"))
        .file(&meta_yaml("prod"), &meta_of(&cluster.url()))
}

fn holds(cluster: &LiveCluster, row: &Row<'_>) {
    for place in [Place::Before, Place::Behind, Place::AsBinlogctl] {
        let mut honoured = 0;
        for form in forms(row.name, row.value) {
            let ran = call(home(cluster), place, &form, row.flags);
            let said = format!("{place:?} {form:?}: {}\n{}{}", ran.code, ran.stdout, ran.stderr);
            assert!(!is_asked_at_the_default(&ran), "{said}");
            let shows = (row.shows)(&ran);
            assert!(shows || ran.code == 2, "swallowed: {said}");
            honoured += usize::from(shows);
        }
        assert!(honoured > 0 || !row.is_honoured, "{place:?} {}: no form is honoured", row.name);
    }
}

#[test]
fn the_cluster_that_is_named_is_changed_and_no_other_is_looked_at() {
    let cluster = LiveCluster::sample("default");
    let pump = cluster.who(Kind::Pump, "pump-1");
    cluster.with(|cluster| cluster.signal(pump, Signal::Kill));
    let pd_urls = format!("--pd-urls={}", cluster.url());
    let update = ["--verbose", "--cmd=update-pump", "--node-id=pump-1", "--state=paused"];
    let ran = update.iter().fold(Shell::new(&["ctl", &pd_urls]), |shell, flag| shell.arg(*flag)).go().succeeds();
    assert!(ran.stderr.contains(&cluster.url()) && !ran.stderr.contains(DEFAULT), "{}", ran.stderr);
    assert_eq!(cluster.recorded(Kind::Pump, "pump-1"), "paused");
}

#[test]
fn every_option_is_honoured_or_refused_in_every_place_and_form() {
    let cluster = LiveCluster::sample("default");
    let url = cluster.url();
    let lists = |ran: &Ran| ran.code == 0 && ran.stdout.contains("NodeID: pump-0");
    let says = |text: &'static str| move |ran: &Ran| ran.stdout.contains(text);
    let pumps = ["-verbose", "-cmd", "pumps"];
    let there = ["-pd-urls", url.as_str(), "-cmd", "pumps"];
    let unknown = ["-pd-urls", url.as_str(), "-cmd", "frobnicate"];
    let pause = ["-pd-urls", url.as_str(), "-cmd", "pause-pump", "-node-id", "pump-1"];
    let row = |name, value, flags, shows| Row { name, value, flags, shows, is_honoured: true };
    let meaningless = |name, value| Row { name, value, flags: &there, shows: &|_| false, is_honoured: false };
    for row in [
        row("pd-urls", Some(url.as_str()), &pumps[..], &lists as &dyn Fn(&Ran) -> bool),
        row("pd", Some(url.as_str()), &pumps, &lists),
        row("ca", Some("nope.pem"), &there, &says("nope.pem")),
        row("ssl-ca", Some("nope.pem"), &there, &says("nope.pem")),
        row("cert", Some("c.pem"), &there, &says("without its key")),
        row("ssl-cert", Some("c.pem"), &there, &says("without its key")),
        row("key", Some("k.pem"), &there, &says("without its certificate")),
        row("ssl-key", Some("k.pem"), &there, &says("without its certificate")),
        row("key-pass-file", Some("pw"), &there, &says("without that key")),
        row("my-cnf", Some("my.cnf"), &there, &lists),
        row("cluster", Some("prod"), &pumps, &lists),
        row("profile", Some("live"), &pumps, &lists),
        row("config", Some("other.toml"), &pumps, &lists),
        row("timeout", Some("99s"), &there, &says("`99s` is no time to wait")),
        row("wait-lock", Some("soon"), &there, &says("--wait-lock: ")),
        row("sandbox", Some("default"), &["-cmd", "pumps"], &|ran| ran.stdout.contains("10.0.1.11:8250")),
        row("sandbox", None, &["-cmd", "pumps"], &|ran| ran.stdout.contains("10.0.1.11:8250")),
        row("color", Some("always"), &unknown, &|ran| ran.stderr.contains("\u{1b}[")),
        row("verbose", None, &there, &|ran| ran.stderr.contains("[trace]")),
        row("read-only", None, &pause, &|ran| ran.code == 1 && ran.stderr.contains("read-only")),
        row("yes", Some("live"), &there, &says("names a profile that is not used")),
        row("yes", None, &there, &lists),
        meaningless("output", Some("json")),
        meaningless("timestamps", Some("text")),
        meaningless("allow-exec", None),
        meaningless("eval", Some("1")),
    ] {
        holds(&cluster, &row);
    }
}

#[test]
fn every_variable_of_ours_is_honoured_or_refused() {
    let cluster = LiveCluster::sample("default");
    let url = cluster.url();
    let lists = |ran: &Ran| ran.code == 0 && ran.stdout.contains("NodeID: pump-0");
    let there = ["-pd-urls", url.as_str()];
    for (name, value, flags, shows) in [
        ("BINLOGSH_PD_URLS", url.as_str(), &[][..], &lists as &dyn Fn(&Ran) -> bool),
        ("BINLOGSH_CLUSTER", "prod", &[], &lists),
        ("BINLOGSH_PROFILE", "live", &[], &lists),
        ("BINLOGSH_CONFIG", "other.toml", &[], &lists),
        ("BINLOGSH_CA", "nope.pem", &there, &|ran| ran.stdout.contains("nope.pem")),
        ("BINLOGSH_CERT", "c.pem", &there, &|ran| ran.stdout.contains("without its key")),
        ("BINLOGSH_KEY", "k.pem", &there, &|ran| ran.stdout.contains("without its certificate")),
        ("BINLOGSH_KEY_PASS_FILE", "pw", &there, &|ran| ran.stdout.contains("without that key")),
        ("BINLOGSH_TIMEOUT", "99s", &there, &|ran| ran.stdout.contains("BINLOGSH_TIMEOUT: ")),
        ("BINLOGSH_WAIT_LOCK", "soon", &there, &|ran| ran.stdout.contains("BINLOGSH_WAIT_LOCK: ")),
        ("BINLOGSH_OUTPUT", "json", &there, &|ran| ran.code == 2 && ran.stdout.contains("BINLOGSH_OUTPUT is set")),
        ("BINLOGSH_TIMESTAMPS", "text", &there, &|ran| {
            ran.code == 2 && ran.stdout.contains("BINLOGSH_TIMESTAMPS is set")
        }),
        ("BINLOGSH_FORCE", "alve", &there, &|ran| ran.code == 2 && ran.stderr.contains("did you mean `alive`?")),
        ("BINLOGSH_PD_URL", "http://a:1", &there, &|ran| {
            ran.code == 2 && ran.stderr.contains("did you mean `BINLOGSH_PD_URLS`?")
        }),
    ] {
        for place in [Place::Behind, Place::AsBinlogctl] {
            let ran = call(home(&cluster).env(name, value), place, &["-verbose".to_owned()], flags);
            let said = format!("{place:?} {name}: {}\n{}{}", ran.code, ran.stdout, ran.stderr);
            assert!(!is_asked_at_the_default(&ran) && shows(&ran), "{said}");
        }
    }
    let elsewhere = || home(&cluster).arg("--profile=live");
    elsewhere().env("BINLOGSH_FORCE", "alive").eval("1").exits(2).stderr_contains("BINLOGSH_FORCE is set");
    elsewhere().env("BINLOGSH_PD_URL", "http://a:1").eval("1").exits(2).stderr_contains("BINLOGSH_PD_URLS");
}

#[test]
fn two_clusters_on_one_line_are_refused() {
    let cluster = LiveCluster::sample("default");
    let urls = |url: &str| Shell::new(&["--pd-urls", url, "ctl", "-pd-urls", &cluster.url()]);
    urls("http://127.0.0.1:9").go().exits(2).stdout_contains("--pd-urls is given twice");
    urls(&cluster.url()).go().succeeds();
    Shell::new(&["--sandbox", "ctl", "-pd-urls", &cluster.url()]).go().exits(2).stdout_contains("two clusters");
}

#[test]
fn in_production_a_change_needs_the_profile_s_name() {
    let cluster = LiveCluster::sample("default");
    let pause = |yes: &[&str]| {
        let shell = home(&cluster).arg("--profile=eu");
        let shell = yes.iter().fold(shell, |shell, word| shell.arg(*word)).arg("ctl");
        shell.arg("-cmd=pause-pump").arg("-node-id=pump-1").go()
    };
    pause(&[]).exits(1).stderr_contains("nobody can be asked without a terminal");
    pause(&["--yes"]).exits(2).stdout_contains("--yes must name it");
    assert_eq!(cluster.recorded(Kind::Pump, "pump-1"), "online");
    pause(&["--yes=eu"]).succeeds();
}
