//! Consent, at a real terminal: what is asked, what can be answered, and what each answer covers.

use crate::harness::Shell;
use crate::harness::screen::ended;
use crate::support::cluster::LiveCluster;
use binlogsh::node::Kind;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};

const PAUSES: &str = r#"
step("both", || { pause_drainer("drainer-0"); pause_drainer("drainer-1"); });
step("the Pump", || pause_pump("pump-1"));
print("all done");
"#;

fn at_a_terminal(shell: &Shell) -> PtySession {
    let options = Options::new().timeout_ms(Some(30_000)).strip_ansi_escape_codes(true);
    spawn_with_options(shell.command(), options).unwrap()
}

fn script(text: &str) -> Shell {
    Shell::sandbox("default").file("pauses.rhai", text).arg("run").arg("pauses.rhai")
}

#[test]
fn a_yes_to_all_covers_the_step_and_not_the_next_one() {
    let shell = script(PAUSES);
    let mut pty = at_a_terminal(&shell);
    let asked = pty.exp_string("[y/N/a(ll of this step)/d/q/?]").unwrap();
    assert!(asked.contains("pause drainer drainer-0 (10.0.1.21:8249), whose record says online"), "{asked}");
    pty.send_line("a").unwrap();
    let next = pty.exp_string("[y/N/a(ll of this step)/d/q/?]").unwrap();
    assert!(next.contains("drainer-1: apply action pause success"), "drainer-1 is not asked for: {next}");
    assert!(next.contains("pause pump pump-1"), "the next step asks again: {next}");
    pty.send_line("y").unwrap();
    pty.exp_string("all done").unwrap();
}

#[test]
fn outside_of_a_step_there_is_no_all() {
    let shell = script("pause_drainer(\"drainer-0\");");
    let mut pty = at_a_terminal(&shell);
    pty.exp_string("[y/N/d/q/?]").unwrap();
    pty.send_line("a").unwrap();
    pty.exp_string("please answer y or n, or q to quit [y/N/d/q/?]").unwrap();
    pty.send_line("n").unwrap();
    pty.exp_string("you said no").unwrap();
}

#[test]
fn a_quit_at_a_question_ends_the_run_with_130() {
    let shell = script(PAUSES);
    let mut pty = at_a_terminal(&shell);
    pty.exp_string("/q/?]").unwrap();
    pty.send_line("q").unwrap();
    pty.exp_string("you quit at a question").unwrap();
    let status = ended(pty.process());
    assert!(format!("{status:?}").contains("130"), "{status:?}");
}

/// A shell on a live cluster, in a profile that is marked production.
fn production(cluster: &LiveCluster) -> Shell {
    let config = format!("[profiles.eu]\npd-urls = \"{}\"\nproduction = true\n", cluster.url());
    Shell::new(&["--config", "config.toml", "--profile", "eu"]).file("config.toml", &config)
}

#[test]
fn in_production_the_profile_is_typed_once_and_anything_else_changes_nothing() {
    let cluster = LiveCluster::sample("default");
    let code = "pause_drainer(\"drainer-0\"); pause_drainer(\"drainer-1\"); print(\"all done\")";
    let shell = production(&cluster).arg("-e").arg(code);
    let mut pty = at_a_terminal(&shell);
    pty.exp_string("`eu` is marked production. Type its name").unwrap();
    pty.send_line("yes").unwrap();
    pty.exp_string("you did not type the name of the profile `eu`").unwrap();
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-0"), "online");

    let mut pty = at_a_terminal(&shell);
    pty.exp_string("Type its name").unwrap();
    pty.send_line("eu").unwrap();
    pty.exp_string("pause drainer drainer-0").unwrap();
    pty.exp_string("/q/?]").unwrap();
    pty.send_line("y").unwrap();
    let next = pty.exp_string("/q/?]").unwrap();
    assert!(!next.contains("Type its name"), "once is enough: {next}");
    pty.send_line("y").unwrap();
    pty.exp_string("all done").unwrap();
}

#[test]
fn in_production_a_guard_refuses_before_anybody_types() {
    let cluster = LiveCluster::sample("paused-drainer");
    let ran = production(&cluster).eval("offline_pump(\"pump-1\")");
    assert!(ran.stderr.contains("stuck_drainer") && !ran.stderr.contains("Type its name"), "{}", ran.stderr);
}

const ANSWERED: &str = "  ? Is the backup finished?\n    Of today? yes (by --yes)\n";
const CONFIRMS: &str = "confirm(\"Is the backup finished?\\nOf today?\");";

#[test]
fn what_yes_answers_for_somebody_is_said_wherever_it_is_asked() {
    let pause = format!("{CONFIRMS} pause_drainer(\"drainer-1\");");
    let changed =
        "  ? pause drainer drainer-1 (10.0.1.22:8249), whose record says online: yes (by --yes)\n  - drainer-1";
    let sandbox = || Shell::sandbox("default").yes().file("s.rhai", &format!("//! Asks.\n{pause}"));
    for ran in [sandbox().eval(&pause), sandbox().run("s.rhai", &[]), sandbox().pipe(&pause)] {
        ran.succeeds().stderr_contains(ANSWERED).stderr_contains(changed);
    }
    let shell = Shell::sandbox("default").yes();
    let mut pty = at_a_terminal(&shell);
    pty.exp_string("sandbox> ").unwrap();
    pty.send_line("confirm(\"Is it so?\")").unwrap();
    pty.exp_string("  ? Is it so? yes (by --yes)").unwrap();
    pty.exp_string("sandbox> ").unwrap();
    pty.send_control('d').unwrap();
    pty.exp_eof().unwrap();
}

#[test]
fn what_yes_answered_is_in_the_journal() {
    let cluster = LiveCluster::sample("default");
    let data = tempfile::tempdir().unwrap();
    let shell = || Shell::live(&cluster.url()).env("XDG_DATA_HOME", &data.path().display().to_string());
    let text = format!("//! Asks.\n{CONFIRMS}\npause_drainer(\"drainer-1\");");
    shell().yes().file("s.rhai", &text).run("s.rhai", &[]).succeeds().stderr_contains(ANSWERED);
    let listed = shell().arg("runs").arg("-o").arg("json").go().succeeds();
    let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let shown = shell().arg("runs").arg("show").arg(rows[0]["id"].as_str().unwrap()).go().succeeds();
    shown.stdout_contains("Of today?: yes (by --yes)").stdout_contains("(by --yes)");
}

#[test]
fn a_task_by_hand_is_told_once() {
    let cluster = LiveCluster::sample("default");
    let shell = Shell::live(&cluster.url()).arg("-e").arg("manual(\"Look after it\")");
    let mut pty = at_a_terminal(&shell);
    let told = pty.exp_string("Is it done? [y, or n to give up]").unwrap();
    assert_eq!(told.matches("Look after it").count(), 1, "{told}");
    pty.send_line("y").unwrap();
    pty.exp_eof().unwrap();
}

#[test]
fn what_nobody_would_be_asked_is_not_answered_either() {
    let asks_nobody =
        "encrypt(\"x\", #{ force: [\"public_key\"] }); manual(\"Call them\", #{ takes: \"1s\" }); pumps()";
    let ran = Shell::sandbox("default").yes().eval(asks_nobody).succeeds();
    assert!(!ran.stderr.contains("(by --yes)"), "{}", ran.stderr);
}
