//! Plans as files, and `run --plan` on saved scenarios.

use super::{CLUSTER, rehearsed, rehearsed_code, rolling_restart};
use crate::harness::{Ran, Shell};
use binlogsh::error::ErrorKind;
use binlogsh::language::Source;
use binlogsh::rehearsal::Plan;
use binlogsh::sim::Scenario;
use serde_json::{Value as Json, json};

const SCRIPT: &str = r#"
let patience = param("patience", #{ about: "how long", default: "1m" });
pause_drainer("drainer-0", #{ wait: patience });
if tidbs().len() == 2 { pause_drainer("drainer-1"); }
"#;

/// A shell with the script and its plan, edited as told.
fn with_plan(shell: Shell, edit: impl FnOnce(&mut Json)) -> Shell {
    let plan = rehearsed(&Source::new("s.rhai", SCRIPT));
    plan.save(&shell.dir().join("plan.json")).unwrap();
    let mut json = serde_json::from_str(&std::fs::read_to_string(shell.dir().join("plan.json")).unwrap()).unwrap();
    edit(&mut json);
    shell.file("s.rhai", SCRIPT).file("plan.json", &json.to_string())
}

/// The default sample, edited as told, as a saved scenario in the shell's home.
fn scenario(edit: impl FnOnce(&mut Json)) -> Shell {
    let mut json = serde_json::to_value(Scenario::named("default").unwrap()).unwrap();
    edit(&mut json);
    Shell::sandbox("./saved.json").file("saved.json", &json.to_string())
}

/// Runs the script by its plan, with a yes to every question.
fn follow(shell: Shell, params: &[&str]) -> Ran {
    let shell = shell.yes().arg("run").arg("--plan=plan.json");
    params.iter().fold(shell, |shell, param| shell.arg(*param)).arg("s.rhai").go()
}

fn nothing_changed(ran: &Ran) {
    assert!(!ran.stderr.contains("success"), "{}", ran.stderr);
}

#[test]
fn a_run_follows_its_plan_on_a_saved_scenario() {
    let ran = follow(with_plan(scenario(|_| {}), |_| {}), &[]).succeeds();
    let ran = ran.stderr_contains("drainer-0: apply action pause success!").stderr_contains("drainer-1: apply");
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn a_run_does_not_begin_when_what_the_plan_relied_on_has_changed_and_says_all_that_has() {
    let changed = scenario(|json| {
        json["pumps"][0]["address"] = json!("10.0.1.99:8250");
        json["drainers"][1]["process"] = json!("dead");
        json["drainers"][1]["record"] = json!("paused");
        json["pumps"][2]["id"] = json!("pump-3");
        json["keys"] = json!([{"key": "/tidb-binlog/v1/pumps/bad", "value": "{"}]);
    });
    let ran = follow(with_plan(changed, |_| {}), &[]).fails(ErrorKind::Conflict);
    nothing_changed(&ran);
    ran.stderr_contains("not begun")
        .stderr_contains("pump pump-0, online at 10.0.1.99:8250 (the plan knows pump pump-0, online at 10.0.1.11:8250)")
        .stderr_contains("drainer drainer-1, paused at 10.0.1.22:8249 (the plan knows")
        .stderr_contains("pump pump-2 has gone")
        .stderr_contains("pump pump-3, online at 10.0.1.13:8250 has come")
        .stderr_contains("the key /tidb-binlog/v1/pumps/bad, which is no record, has come");
    let known = |json: &mut Json| json["malformed"] = json!(["/tidb-binlog/v1/pumps/old"]);
    let ran = follow(with_plan(scenario(|_| {}), known), &[]).fails(ErrorKind::Conflict);
    ran.stderr_contains("the key /tidb-binlog/v1/pumps/old, which was no record, has gone");
}

#[test]
fn a_plan_of_another_cluster_is_refused() {
    let other = scenario(|json| json["cluster_id"] = json!(42));
    let ran = follow(with_plan(other, |_| {}), &[]).fails(ErrorKind::Conflict);
    nothing_changed(&ran);
    ran.stderr_contains("this is the cluster 42").stderr_contains(&CLUSTER.to_string());
}

#[test]
fn another_script_or_other_parameters_than_were_rehearsed_are_refused() {
    let shell = with_plan(scenario(|_| {}), |_| {}).file("s.rhai", &SCRIPT.replace("drainer-1", "drainer-0"));
    follow(shell, &[]).fails(ErrorKind::Conflict).stderr_contains("the text of s.rhai");
    let ran = follow(with_plan(scenario(|_| {}), |_| {}), &["--param", "patience=2m"]).fails(ErrorKind::Conflict);
    ran.stderr_contains("the parameter `patience` is \"2m\" (in the plan: \"1m\")");
}

#[test]
fn to_give_a_parameter_the_value_that_it_has_by_default_changes_nothing() {
    follow(with_plan(scenario(|_| {}), |_| {}), &["--param", "patience=1m"]).succeeds();
}

#[test]
fn what_a_plan_has_left_at_the_end_of_the_run_is_said() {
    let other = scenario(|json| json["tidb"] = json!([]));
    let ran = follow(with_plan(other, |_| {}), &[]).succeeds();
    ran.stderr_contains("the plan has 1 more effect, which was not done: pause drainer drainer-1 (10.0.1.22:8249)");
}

#[test]
fn with_a_plan_the_operator_is_still_asked() {
    let ran = with_plan(scenario(|_| {}), |_| {}).arg("run").arg("--plan=plan.json").arg("s.rhai").go();
    nothing_changed(&ran);
    ran.fails(ErrorKind::Refused).stderr_contains("nobody can be asked").stderr_contains("2 more effects");
}

#[test]
fn a_plan_with_programs_does_not_begin_without_allow_exec() {
    let shell = Shell::live("http://127.0.0.1:1");
    let source = Source::new("s.rhai", r#"pause_drainer("drainer-0"); exec("touch", ["made"])"#);
    rehearsed(&source).save(&shell.dir().join("plan.json")).unwrap();
    let ran = follow(shell.file("s.rhai", &source.text), &[]).fails(ErrorKind::Refused);
    ran.stderr_contains("not begun: the plan runs programs");
}

#[test]
fn a_plan_that_was_cut_short_or_edited_is_a_clear_error() {
    let broken = |edit: fn(&mut Json)| follow(with_plan(scenario(|_| {}), edit), &[]).fails(ErrorKind::Invalid);
    broken(|json| json["version"] = json!(3)).stderr_contains("version 3").stderr_contains("newer binlogsh");
    broken(|json| json["efects"] = json!([])).stderr_contains("did you mean `effects`?");
    broken(|json| json["relied_on"][0]["state"] = json!("onlin")).stderr_contains("did you mean `online`?");
    broken(|json| json["effects"][0]["what"] = json!({"ac": {}})).stderr_contains("did you mean `act`?");
    broken(|json| json["effects"][0]["relied_on"][0]["adress"] = json!("x")).stderr_contains("did you mean `address`?");
    broken(|json| json["relied_on"][1] = json["relied_on"][0].clone()).stderr_contains("pump pump-0 twice");
    broken(|json| *json = json!([])).stderr_contains("plan.json: this is no plan");
    let shell = with_plan(scenario(|_| {}), |_| {});
    let text = std::fs::read_to_string(shell.dir().join("plan.json")).unwrap();
    for length in [1, text.len() / 2, text.len() - 1] {
        let shell = Shell::sandbox("default").file("s.rhai", SCRIPT).file("plan.json", &text[..length]);
        follow(shell, &[]).fails(ErrorKind::Invalid).stderr_contains("plan.json: the plan is cut short");
    }
    follow(Shell::sandbox("default").file("s.rhai", SCRIPT), &[])
        .fails(ErrorKind::NotFound)
        .stderr_contains("plan.json");
}

#[test]
fn a_saved_plan_is_read_again_and_has_nothing_in_it_that_must_differ() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plan.json");
    let plan = rehearsed(&rolling_restart());
    std::fs::write(&path, "an older one").unwrap();
    plan.save(&path).unwrap();
    assert_eq!(Plan::read(&path).unwrap(), plan);
    let mut json: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    json["script"].take();
    let text = json.to_string();
    let differs = ["mod_revision", "max_commit_ts", "update_ts", "takes"];
    for (word, _) in
        differs.iter().flat_map(|word| text.match_indices(word)).map(|(at, word)| (&text[at + word.len()..], word))
    {
        assert!(word.starts_with("\":0") || word.starts_with("\":null"), "{word}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    // Rehearsed at another time it is the same but for that.
    assert_eq!(rehearsed(&rolling_restart()).effects, plan.effects);
}

#[test]
fn where_a_plan_cannot_be_saved_is_known_before_the_work() {
    let dir = tempfile::tempdir().unwrap();
    Plan::check_target(&dir.path().join("plan.json")).unwrap();
    Plan::check_target(std::path::Path::new("plan-in-this-directory.json")).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "looking leaves nothing behind");
    for path in [dir.path().join("missing/plan.json"), dir.path().to_owned()] {
        let error = Plan::check_target(&path).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Local);
        assert!(error.message.contains(path.to_str().unwrap()) && error.hint.is_some(), "{error}");
        assert_eq!(rehearsed_code("1").save(&path).unwrap_err().kind, ErrorKind::Local);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_file_is_not_replaced_by_one_and_a_link_stays_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (socket, file, link) = (dir.path().join("socket"), dir.path().join("file"), dir.path().join("link"));
    let _listens = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (plan, name) = (rehearsed(&rolling_restart()), socket.display().to_string());
    assert_eq!(plan.save(&socket).unwrap_err().kind, ErrorKind::Local);
    for option in ["--plan", "--report", "--save-snapshot"] {
        let ran =
            Shell::sandbox("default").file("s.rhai", SCRIPT).arg("rehearse").arg("s.rhai").arg(option).arg(&name).go();
        ran.fails(ErrorKind::Local).stderr_contains("no file");
    }
    assert!(!std::fs::metadata(&socket).unwrap().is_file());
    std::fs::write(&file, "an older one").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    plan.save(&link).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(Plan::read(&file).unwrap(), plan);
}
