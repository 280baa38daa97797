//! A second operator, with the real program beside the real program: whoever is going to change the cluster learns first
//! who works on it already, and what they find wrong may be that one's work half done.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use crate::support::eventually;
use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, State};
use binlogsh::world::{LOCK_KEY, LockHolder};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Pauses a Pump, and gives the lock back when somebody says so.
const FIRST: &str = r#"
    //! Pauses a Pump.
    step("pause", || pause_pump("pump-0", #{ wait: "30s" }));
    step("work by hand", || wait_until("somebody says so", || {
        let said = false;
        try { read_meta("go"); said = true; } catch { }
        said
    }, "90s"));
"#;

/// Looks first, and acts only where all is well.
const SECOND: &str = r#"
    //! Pauses another Pump.
    import "pumps" as pumps;
    ensure(pump("pump-0").state == "online", "pump-0 is paused: start it first");
    print("it looked");
    step("pause", || pause_pump("pump-1", #{ wait: "30s" }));
"#;

/// Only looks, with modules whose other functions act.
const LOOKS: &str = r#"
    //! Looks.
    import "pumps" as pumps;
    import "doctor" as doctor;
    fn act() { pause_pump("pump-1") }
    print(pumps::chosen("").len());
"#;

fn on(cluster: &LiveCluster) -> Shell {
    Shell::live(&cluster.url())
}

fn second(cluster: &LiveCluster) -> Shell {
    on(cluster).yes().file("second.rhai", SECOND)
}

/// The first operator's process, which holds the lock while pump-0 is paused.
struct First {
    child: Child,
    shell: Shell,
}

impl First {
    fn start(cluster: &LiveCluster) -> Self {
        let shell = on(cluster).env("USER", "ann").yes().file("first.rhai", FIRST).arg("run").arg("first.rhai");
        let mut child =
            shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("==> work by hand")), "it ended before its second step");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, shell }
    }

    fn end(&mut self) {
        say_go(self.shell.dir());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say_go(dir: &Path) {
    std::fs::create_dir(dir.join("go")).unwrap();
    std::fs::write(dir.join("go/savepoint"), "commitTS = 1\n").unwrap();
}

#[track_caller]
fn is_told_who_works(ran: Ran) {
    let ran = ran.fails(ErrorKind::Locked).stderr_contains("the maintenance lock is held by ann@");
    let ran = ran.stderr_contains("script first.rhai").stderr_contains("--wait-lock 10m");
    assert!(!ran.stdout.contains("it looked"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn whoever_is_going_to_change_the_cluster_learns_first_who_works_on_it() {
    let cluster = LiveCluster::sample("default");
    let mut first = First::start(&cluster);
    let asked = cluster.asked_of_nodes();
    is_told_who_works(second(&cluster).run("second.rhai", &[]));
    is_told_who_works(second(&cluster).run("rolling_restart", &[]));
    is_told_who_works(second(&cluster).run("decommission_pump", &["pump=pump-1"]));
    is_told_who_works(second(&cluster).pipe(SECOND));
    is_told_who_works(second(&cluster).eval(SECOND));
    // Through a function, a closure in it, and a module beside the script.
    let within = r#"fn act(ids) { ids.for_each(|id| pause_pump(id)) } ensure(pump("pump-0").state == "online", "start it first"); act([]);"#;
    is_told_who_works(on(&cluster).yes().eval(within));
    let pointer = r#"ensure(pump("pump-0").state == "online", "start it first"); Fn("pause_pump").call("pump-1");"#;
    is_told_who_works(on(&cluster).yes().eval(pointer));
    let module = on(&cluster).yes().file("acts.rhai", r#"fn act() { trigger_gc("pump-1") }"#);
    let script = r#"import "acts" as acts; ensure(pump("pump-0").state == "online", "start it first"); acts::act();"#;
    is_told_who_works(module.file("uses.rhai", script).run("uses.rhai", &[]));
    let ctl = on(&cluster).arg("ctl").arg("-pd-urls").arg(cluster.url()).arg("-cmd").arg("pause-pump");
    ctl.arg("-node-id").arg("nobody").go().exits(1).stderr_contains("held by ann@").stdout_contains("FATAL");
    assert_eq!(cluster.asked_of_nodes(), asked, "no node was asked anything");
    first.end();
    second(&cluster).run("second.rhai", &[]).fails(ErrorKind::Failed).stderr_contains("start it first");
}

#[test]
fn whoever_waits_for_the_lock_waits_before_the_first_look() {
    let cluster = LiveCluster::sample("default");
    let mut first = First::start(&cluster);
    let shell = second(&cluster).arg("--wait-lock=90s").arg("run").arg("second.rhai");
    let mut child = shell.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("waiting for the maintenance lock")).expect("it did not wait");
    assert!(line.contains("held by ann@"), "{line}");
    cluster.start_process(Kind::Pump, "pump-0");
    let is_back = || {
        let kv = cluster.kv().get("/tidb-binlog/v1/pumps/pump-0");
        kv.is_some_and(|(json, _)| json.contains(r#""state":"online""#))
    };
    assert!(eventually(Duration::from_secs(20), is_back));
    first.end();
    let rest: Vec<String> = lines.collect();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{rest:#?}");
    assert!(said.contains("it looked"), "{said}");
    assert!(on(&cluster).eval(r#"pump("pump-1").state"#).stdout.contains(State::Paused.name()));
}

#[test]
fn whoever_only_looks_neither_waits_nor_fails() {
    let cluster = LiveCluster::sample("default");
    let mut first = First::start(&cluster);
    let looks = || on(&cluster).yes().arg("--wait-lock=90s").file("looks.rhai", LOOKS);
    looks().run("looks.rhai", &[]).succeeds().stdout("2");
    looks().pipe(LOOKS).succeeds();
    looks().eval("pumps().len()").succeeds().stdout("3");
    let health = looks().run("health", &["watch=1s"]);
    assert!(!health.stderr.contains("waiting for the maintenance lock"), "{}", health.stderr);
    // With --read-only nothing can be changed, so that nothing has to wait.
    let read_only = on(&cluster).arg("--read-only").file("second.rhai", SECOND);
    let read_only = read_only.run("second.rhai", &[]).fails(ErrorKind::Failed);
    read_only.stderr_contains("start it first").stderr_contains("held by ann@");
    first.end();
}

#[test]
fn an_error_that_ends_what_looked_names_who_works_meanwhile() {
    let cluster = LiveCluster::sample("default");
    let mut first = First::start(&cluster);
    let looks = r#"ensure(pump("pump-0").state == "online", "pump-0 is paused: start it first");"#;
    let named = |ran: Ran| {
        let ran = ran.fails(ErrorKind::Failed).stderr_contains("pump-0 is paused: start it first");
        let ran = ran.stderr_contains("somebody else works on this cluster: the maintenance lock is held by ann@");
        ran.stderr_contains("ask them before you change anything")
    };
    named(on(&cluster).eval(looks));
    named(on(&cluster).pipe(looks));
    named(on(&cluster).file("looks.rhai", looks).run("looks.rhai", &[]));
    // What is wrong with the line itself has nothing to do with others.
    let slip = on(&cluster).eval("pumpz()").fails(ErrorKind::Invalid);
    assert!(!slip.stderr.contains("ann@"), "{}", slip.stderr);
    first.end();
    let alone = on(&cluster).eval(looks).fails(ErrorKind::Failed);
    assert!(!alone.stderr.contains("somebody else"), "{}", alone.stderr);
}

#[test]
fn a_line_that_comes_to_no_change_gives_the_lock_back() {
    let cluster = LiveCluster::sample("default");
    let line = r#"if false { pause_pump("pump-1") }"#;
    let both = on(&cluster).yes().arg("-e").arg(line).arg("-e").arg("exec(\"true\", [])").go();
    both.fails(ErrorKind::Refused);
    assert!(cluster.kv().get(LOCK_KEY).is_none());
}

#[test]
fn whoever_follows_a_plan_learns_first_who_works() {
    let cluster = LiveCluster::sample("default");
    let acts = r#"step("pause", || pause_drainer("drainer-1", #{ wait: "30s" }));"#;
    let shell = on(&cluster).yes().file("acts.rhai", acts);
    let (script, plan) = (shell.dir().join("acts.rhai"), shell.dir().join("acts.plan.json").display().to_string());
    let rehearse = on(&cluster).arg("rehearse").arg(script.display().to_string()).arg("--observe=1s");
    rehearse.arg("--plan").arg(&plan).go().succeeds();
    let bob = LockHolder { user: "bob".into(), host: "there".into(), ..LockHolder::default() };
    cluster.kv().put(LOCK_KEY, bob.value(0));
    let follow = || on(&cluster).yes().arg("run").arg(script.display().to_string()).arg("--plan").arg(&plan).go();
    follow().fails(ErrorKind::Locked).stderr_contains("held by bob@there");
    cluster.kv().delete(LOCK_KEY);
    follow().succeeds();
}
