//! What `ctl` answers when it does not do what was asked: the true reason, and what can really be typed next.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use crate::support::pd_double::Leader;
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use binlogsh::world::LOCK_KEY;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

fn ctl(cluster: &LiveCluster) -> Shell {
    Shell::new(&["ctl", "-pd-urls", &cluster.url()])
}

fn with(shell: Shell, flags: &[&str]) -> Shell {
    flags.iter().fold(shell, |shell, flag| shell.arg(*flag))
}

#[test]
fn read_only_refuses_before_a_node_is_probed_or_the_lock_looked_at() {
    let cluster = LiveCluster::sample("default");
    let pump = cluster.who(Kind::Pump, "pump-1");
    cluster.with(|cluster| cluster.signal(pump, Signal::Kill));
    cluster.kv().put(LOCK_KEY, "somebody else's");
    let refused = |ran: Ran| {
        let ran = ran.stderr_contains("this session is read-only: write paused into the record of pump pump-1");
        assert!(ran.stderr.contains("[trace]"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("/probe") && !ran.stderr.contains(LOCK_KEY), "{}", ran.stderr);
    };
    let live = || Shell::live(&cluster.url()).arg("--verbose").arg("--read-only");
    refused(live().eval(r#"update_pump("pump-1", "paused")"#).fails(ErrorKind::Refused));
    let update = ["-cmd=update-pump", "-node-id=pump-1", "-state=paused", "-verbose"];
    refused(with(ctl(&cluster), &update).arg("--read-only").go().exits(1));
    refused(with(live().arg("ctl"), &update[..3]).go().exits(1));
    assert_eq!(cluster.recorded(Kind::Pump, "pump-1"), "online");
}

#[test]
fn read_only_plays_with_no_sandbox_either() {
    for play in ["kill(\"pump-0\")", "hang(\"pump-0\")", "restart(\"pump-0\")", "fault(\"pd_gone\")"] {
        let ran = Shell::sandbox("default").arg("--read-only").eval(play).fails(ErrorKind::Refused);
        ran.stderr_contains("this session is read-only: ");
    }
}

#[test]
fn read_only_refuses_before_a_question() {
    let cluster = LiveCluster::sample("default");
    cluster.kv().put(LOCK_KEY, "somebody else's");
    for line in [&["runs", "unlock", "--why=x"][..], &["runs", "prune", "--older-than=1d"], &["runs", "import", "x"]] {
        let ran = with(Shell::live(&cluster.url()).arg("--read-only"), line).go().fails(ErrorKind::Refused);
        ran.stderr_contains("this session is read-only");
    }
    assert_eq!(cluster.kv().get(LOCK_KEY).unwrap().0, "somebody else's");
}

const OWN: &str = "commitTS = 400962745252184065\nconsistent = true\nschema-version = 42\n";

#[test]
fn a_drainer_s_own_savepoint_is_replaced_only_when_told_to() {
    let cluster = LiveCluster::sample("default");
    let generate = || with(ctl(&cluster), &["-cmd", "generate_meta", "-data-dir", "pos"]);
    let text = |ran: &Ran| std::fs::read_to_string(ran.dir().join("pos/savepoint")).unwrap();

    let refused = generate().file("pos/savepoint", OWN).go().exits(1).stderr_contains("and is a Drainer's own");
    assert_eq!(text(&refused), OWN);
    refused.stderr_contains("BINLOGSH_FORCE=exists\n");
    let told = generate().file("pos/savepoint", OWN).env("BINLOGSH_FORCE", "exists").go().succeeds();
    assert!(text(&told).starts_with("commitTS = ") && !text(&told).contains("consistent"));

    let bare = generate().file("pos/savepoint", "commitTS = 400962745252184065\n").go().succeeds();
    assert!(!text(&bare).contains("400962745252184065"));
    bare.stderr_contains("warning: exists: pos/savepoint exists: it says 400962745252184065");

    let unreadable = generate().file("pos/savepoint", "");
    std::fs::write(unreadable.dir().join("pos/savepoint"), [0xff, 0xfe]).unwrap();
    let unreadable = unreadable.go().exits(1).stderr_contains("exists: unknown, which refuses");
    assert_eq!(std::fs::read(unreadable.dir().join("pos/savepoint")).unwrap(), [0xff, 0xfe]);
}

#[test]
fn a_savepoint_s_directory_is_its_owner_s() {
    let cluster = LiveCluster::sample("default");
    let ran = with(ctl(&cluster), &["-cmd", "generate_meta", "-data-dir", "a/pos"]).go().succeeds();
    let mode = |path: &str| std::fs::metadata(ran.dir().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a"), mode("a/pos"), mode("a/pos/savepoint")), (0o700, 0o700, 0o644));
}

#[test]
fn what_is_done_all_the_same_is_not_said_to_be_refused() {
    let cluster = LiveCluster::sample("default");
    let pump = cluster.who(Kind::Pump, "pump-0");
    cluster.with(|cluster| cluster.signal(pump, Signal::Stop));
    let ran = with(ctl(&cluster), &["-cmd=pause-drainer", "-node-id=drainer-1"]).go().succeeds();
    assert!(!ran.stderr.contains("which refuses"), "{}", ran.stderr);
    ran.stderr_contains("warning: pump_closing: unknown: ");
}

#[test]
fn hints_can_be_typed_as_they_stand() {
    let cluster = LiveCluster::sample("malformed-record");
    let ran = with(ctl(&cluster), &["-cmd", "pumps"]).go().succeeds();
    let forget = r#"-e 'forget_pump("broken")'"#;
    ran.stderr_contains(&format!("binlogsh --pd-urls {} {forget}", cluster.url()));
    Shell::live(&cluster.url()).yes().eval(r#"forget_pump("broken")"#).succeeds();
}

#[test]
fn nothing_is_said_of_what_ctl_does_not_show() {
    let cluster = LiveCluster::sample("default");
    cluster.pd().set(|knobs| knobs.leader = Leader::Nobody);
    let ran = with(ctl(&cluster), &["-cmd", "pumps"]).go().succeeds();
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_password_in_an_address_is_named_and_shows_nowhere() {
    let address = "http://root:s3cret@127.0.0.1:9";
    let profile = format!("[profiles.live]\npd-urls = \"{address}\"\n");
    let new = |args: &[&str]| with(Shell::new(&[]).file("other.toml", &profile), args);
    let equals = |name: &str| format!("{name}={address}");
    for (ran, is_understood) in [
        (new(&["ctl", "-pd-urls", address]).go(), true),
        (new(&["--verbose", "--pd-urls", address, "ctl"]).go(), true),
        (new(&["--verbose", "--pd-urls", address]).eval("pumps()"), true),
        (new(&["watch", &equals("--pd-urls")]).go(), true),
        (new(&[]).env("BINLOGSH_PD_URLS", address).eval("1"), true),
        (new(&["--config=other.toml", "--profile=live"]).eval("1"), true),
        (new(&["ctl", "-config=other.toml", "-profile=live"]).go(), true),
        (new(&[&equals("--pd-url")]).eval("1"), false),
        (new(&[address]).go(), false),
        (new(&["run", "x", &equals("--url")]).go(), false),
        (new(&["ctl", &equals("-pd-url")]).go(), false),
        (new(&["ctl", "-cmd=pumps", address]).go(), false),
        (new(&["ctl", &equals("-read-only")]).go(), false),
    ] {
        let ran = ran.exits(2);
        assert!(!ran.stdout.contains("s3cret") && !ran.stderr.contains("s3cret"), "{}{}", ran.stdout, ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!is_understood || said.contains("it has a user name or a password in it"), "{said}");
        assert!(!ran.dir().join(".local/share/binlogsh/runs.db").exists());
    }
}

/// Ends PD and everything about it, and has it back after a while, as a restart does.
fn while_pd_restarts(cluster: &LiveCluster, work: impl FnOnce() -> Ran) -> Ran {
    cluster.pd().set_gone(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Longer than any answer takes, and well within the deadline.
            std::thread::sleep(Duration::from_millis(1500));
            cluster.pd().set_gone(false);
        });
        work()
    })
}

#[test]
fn a_restart_of_pd_is_lived_through_by_ctl_and_by_every_other_command() {
    let cluster = LiveCluster::sample("default");
    let live = || Shell::live(&cluster.url());
    while_pd_restarts(&cluster, || with(ctl(&cluster), &["-cmd", "pumps"]).go()).succeeds().stdout_contains("pump-0");
    while_pd_restarts(&cluster, || with(ctl(&cluster), &["-cmd", "generate_meta"]).go()).succeeds();
    let pause = ["-cmd=pause-pump", "-node-id=pump-1"];
    while_pd_restarts(&cluster, || with(ctl(&cluster), &pause).go()).succeeds();
    while_pd_restarts(&cluster, || live().eval("pumps().len()")).succeeds().stdout("3");
    let script = || live().yes().file("s.rhai", "print(tso()); pause_drainer(\"drainer-1\");").run("s.rhai", &[]);
    while_pd_restarts(&cluster, script).succeeds();
    let doctor = while_pd_restarts(&cluster, || live().arg("doctor").arg("--observe").arg("0").go());
    assert!(doctor.stdout.contains("pump-1"), "{}{}", doctor.stdout, doctor.stderr);
}

#[test]
fn a_deadline_is_exceeded_only_after_it() {
    let gone = |timeout: &str| Shell::new(&["ctl", "-pd-urls=http://127.0.0.1:9", timeout]);
    let began = Instant::now();
    with(gone("-timeout=1s"), &["-cmd", "pumps"])
        .go()
        .exits(1)
        .stdout_contains("[error=\"context deadline exceeded\"]");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let pause = ["-cmd=pause-pump", "-node-id=pump-1"];
    with(gone("-timeout=100ms"), &pause).go().exits(1).stdout_contains("[error=\"context deadline exceeded\"]");
}
