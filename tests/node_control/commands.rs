//! By commands of one's own, on a cluster behind real sockets: what is believed is what the node, its record and its start
//! time say.

use super::{Commanded, comes_to};
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use std::os::unix::fs::PermissionsExt;

const ALLOWED: &str = "--allow-node-control";

#[test]
fn a_node_is_stopped_started_and_restarted_as_the_profile_says() {
    let place = Commanded::sample("default");
    let shell = || place.shell().yes().arg(ALLOWED);
    let ran = shell().eval(r#"stop("pump-1").answer"#).succeeds();
    ran.stdout("stopped, its record says paused").stderr_contains("stop pump pump-1").stderr_contains("mkdir -p");
    assert!(comes_to(&place.cluster, Kind::Pump, "pump-1", "paused"));
    shell().eval(r#"stop("pump-1").answer"#).succeeds().stdout("stopped, its record says paused");
    shell().eval(r#"start("pump-1").after"#).succeeds().stdout("online");
    shell().eval(r#"start("pump-1").answer"#).succeeds().stdout("it runs already");
    let again =
        r#"let before = started_at("pump-1"); restart("pump-1"); ensure(started_at("pump-1") > before, "the same");"#;
    shell().eval(again).succeeds().stderr_contains("pump-1: online");
}

#[test]
fn without_a_question_it_takes_its_own_permission_and_a_profile_that_says_how() {
    let place = Commanded::sample("default");
    let ran = place.shell().yes().eval(r#"stop("drainer-0")"#).fails(ErrorKind::Refused);
    ran.stderr_contains("only with --allow-node-control").stderr_contains("stop drainer drainer-0");
    let ran = place.shell().eval(r#"stop("drainer-0")"#).fails(ErrorKind::Refused);
    ran.stderr_contains("nobody can be asked without a terminal: stop drainer drainer-0");
    let ran = place.shell().arg("--read-only").eval(r#"stop("drainer-0")"#).fails(ErrorKind::Refused);
    ran.stderr_contains("read-only");
    // A profile of another cluster says nothing about this one.
    let elsewhere = crate::harness::Shell::live(&place.cluster.url()).yes().arg(ALLOWED);
    let ran = elsewhere.eval(r#"stop("drainer-0")"#).fails(ErrorKind::Refused);
    ran.stderr_contains("nothing here starts or stops the processes of nodes").stderr_contains("node-control]");
    let other = Commanded::sample("default");
    let ran = place.shell().arg("--pd-urls").arg(other.cluster.url()).yes().arg(ALLOWED).eval(r#"stop("drainer-0")"#);
    ran.fails(ErrorKind::Refused).stderr_contains("nothing here starts or stops");
    assert_eq!(place.cluster.recorded(Kind::Drainer, "drainer-0"), "online");
    assert_eq!(other.cluster.recorded(Kind::Drainer, "drainer-0"), "online");
}

#[test]
fn every_guard_stands_before_a_real_command() {
    let refused = |place: &Commanded, call: &str, guard: &str| {
        let ran = place.shell().yes().arg(ALLOWED).eval(call).fails(ErrorKind::Refused);
        ran.stderr_contains(&format!("  {guard}: "));
    };
    let closing = Commanded::sample("closing-pump");
    refused(&closing, r#"restart("pump-1")"#, "forgets_close");
    refused(&closing, r#"stop("pump-0")"#, "pump_closing");
    drop(closing);

    let place = Commanded::sample("default");
    let kill = |kind, id: &str| {
        let who = place.cluster.who(kind, id);
        place.cluster.with(|cluster| cluster.signal(who, Signal::Kill));
    };
    let pods = "by = \"commands\"\nrestart = [\"true\"]\nends-by = \"sigkill\"";
    let ran = place.shell_with(pods).yes().arg(ALLOWED).eval(r#"restart("pump-1")"#).fails(ErrorKind::Refused);
    ran.stderr_contains("  kills: pump-1 would be killed");
    place.shell().yes().eval(r#"offline_pump("pump-2", #{ wait: "1m" })"#).succeeds();
    refused(&place, r#"start("pump-2")"#, "skips_binlog");
    kill(Kind::Drainer, "drainer-1");
    refused(&place, r#"start("pump-2", #{ force: ["skips_binlog"] })"#, "dead_drainer");
    kill(Kind::Pump, "pump-0");
    refused(&place, r#"restart("pump-1")"#, "last_pump");
}

#[test]
fn a_command_that_says_success_and_does_nothing_is_found_out_with_all_that_can_be_known() {
    let place = Commanded::sample("default");
    let dir = place.dir.path().display();
    let log = place.dir.path().join("pump.log");
    std::fs::write(&log, "[INFO] [a] begin\n[ERROR] [b] no space left\n[FATAL] [c] cannot open storage\n").unwrap();
    let lies = format!(
        "by = \"commands\"\nrestart = [\"true\"]\nstart = [\"false\"]\nlog = [\"cat\", \"{dir}/{{kind}}.log\"]\nstate = [\"echo\", \
         \"ActiveState=failed {{unit}}\"]"
    );
    let ran = place.shell_with(&lies).yes().arg(ALLOWED).eval(r#"restart("pump-1", #{ timeout: "2s" })"#);
    let ran = ran
        .fails(ErrorKind::Timeout)
        .stderr_contains("was not seen to be done in")
        .stderr_contains("was not started again");
    let ran = ran
        .stderr_contains("its supervisor: ActiveState=failed pump-")
        .stderr_contains("[FATAL] [c] cannot open storage");
    assert!(!ran.stderr.contains("[INFO]"), "{}", ran.stderr);
    let who = place.cluster.who(Kind::Pump, "pump-1");
    place.cluster.with(|cluster| cluster.signal(who, Signal::Kill));
    let ran = place.shell_with(&lies).yes().arg(ALLOWED).eval(r#"start("pump-1")"#).fails(ErrorKind::Failed);
    ran.stderr_contains("false ended with exit code 1").stderr_contains("[ERROR] [b] no space left");
}

#[test]
fn a_command_that_starts_another_node_is_found_out() {
    let place = Commanded::sample("default");
    let dir = place.dir.path().display();
    let wrong = format!("by = \"commands\"\nrestart = [\"mkdir\", \"-p\", \"{dir}/restart/pump/pump-2\"]");
    let ran = place.shell_with(&wrong).yes().arg(ALLOWED).eval(r#"restart("pump-1", #{ timeout: "4s" })"#);
    ran.fails(ErrorKind::Timeout).stderr_contains("pump pump-2 (").stderr_contains("was started instead, at");
}

#[test]
fn a_command_that_hangs_or_is_not_there_ends_in_time_and_says_so() {
    let place = Commanded::sample("default");
    let hangs = "by = \"commands\"\nrestart = [\"sleep\", \"100\"]";
    let ran = place.shell_with(hangs).yes().arg(ALLOWED).eval(r#"restart("pump-1", #{ timeout: "1s" })"#);
    ran.fails(ErrorKind::Timeout)
        .stderr_contains("cannot restart pump pump-1")
        .stderr_contains("sleep 100 had not ended after 1.0s and was killed");
    let missing = "by = \"commands\"\nrestart = [\"no-such-kubectl\"]";
    let ran = place.shell_with(missing).yes().arg(ALLOWED).eval(r#"restart("pump-1")"#);
    ran.fails(ErrorKind::NotFound).stderr_contains("cannot run the program \"no-such-kubectl\"");
}

#[test]
fn no_key_of_ours_is_handed_to_a_command() {
    let place = Commanded::sample("default");
    let out = place.dir.path().join("seen");
    let code = format!("export -p > {}; exit 9", out.display());
    let spies = format!("by = \"commands\"\nrestart = [\"sh\", \"-c\", \"{code}\"]");
    let shell =
        place.shell_with(&spies).yes().arg(ALLOWED).env("BINLOG_SECRET_KEY", "00112233445566778899aabbccddeeff");
    shell.env("BINLOGSH_TIMEOUT", "5s").eval(r#"restart("pump-1")"#).fails(ErrorKind::Failed);
    let seen = std::fs::read_to_string(out).unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("BINLOG"), "{seen}");
}

#[test]
fn manual_is_done_by_node_control_where_there_is_one_and_by_a_human_where_not() {
    let place = Commanded::sample("default");
    let script = r#"
        step("stop", || pause_pump("pump-1", #{ wait: "30s" }));
        step("start", || manual("start pump-1", #{ starts: ["pump-1"], timeout: "20s" }));
        step("replace", || manual("replace drainer-0", #{ starts: ["drainer-0"], timeout: "20s" }));
    "#;
    let ran = place.shell().yes().arg(ALLOWED).file("a.rhai", script).run("a.rhai", &[]).succeeds();
    let ran = ran.stderr_contains("start pump pump-1").stderr_contains("restart drainer drainer-0");
    assert!(!ran.stderr.contains("by hand"), "{}", ran.stderr);
    let ran = ran.stderr_contains("done: 3 changes, kept as the run");

    let by_hand =
        r#"manual("restore the backup, then start pump-1", #{ starts: ["pump-1"], by_hand: true, timeout: "1s" })"#;
    let tried = place.shell().yes().arg(ALLOWED).eval(by_hand).fails(ErrorKind::Timeout);
    tried.stderr_contains("to be done by hand: restore the backup");
    let without = place.shell().yes().eval(r#"manual("start pump-1", #{ starts: ["pump-1"], timeout: "1s" })"#);
    let without = without.fails(ErrorKind::Timeout).stderr_contains("to be done by hand: start pump-1");
    without.stderr_contains("--allow-node-control would have this done without a human");
    drop(ran);
}

#[test]
fn systemd_on_this_host_restarts_what_is_here() {
    let place = Commanded::sample("default");
    let (dir, bin) = (place.dir.path().display(), place.dir.path().join("bin"));
    std::fs::create_dir(&bin).unwrap();
    // systemctl VERB -- KIND.ID
    let systemctl = format!("#!/bin/sh\n[ \"$1\" = show ] || mkdir -p \"{dir}/$1/${{3%%.*}}/${{3#*.}}\"\n");
    std::fs::write(bin.join("systemctl"), systemctl).unwrap();
    std::fs::set_permissions(bin.join("systemctl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let here = "by = \"systemd\"\nsudo = false\nunit = \"{kind}.{id}\"";
    let again =
        r#"let before = started_at("pump-1"); restart("pump-1"); ensure(started_at("pump-1") > before, "the same");"#;
    let ran = place.shell_with(here).yes().arg(ALLOWED).env("PATH", &path).eval(again).succeeds();
    ran.stderr_contains("by systemd: systemctl restart -- pump.pump-1");
}

#[test]
fn a_production_profile_must_be_named_for_it_as_for_other_changes() {
    let place = Commanded::sample("default");
    let shell = |yes: &str| {
        let config = place.dir.path().join("config.toml");
        drop(place.shell());
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("[profiles.test]\n", "[profiles.test]\nproduction = true\n")).unwrap();
        crate::harness::Shell::new(&["--config", config.to_str().unwrap(), yes, ALLOWED])
    };
    shell("--yes").eval(r#"stop("drainer-0")"#).fails(ErrorKind::Refused).stderr_contains("--yes must name it");
    assert_eq!(place.cluster.recorded(Kind::Drainer, "drainer-0"), "online");
    shell("--yes=test").eval(r#"stop("drainer-0")"#).succeeds();
}
