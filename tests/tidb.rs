//! TiDB servers that skip binlog, and the way back.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use binlogsh::error::ErrorKind;
use serde_json::Value as Json;

/// The server that skips in the sample.
const SKIPS: &str = "10.0.1.32:4000";

fn sandbox() -> Shell {
    Shell::sandbox("skipping-tidb").yes()
}

fn json(ran: &Ran) -> Json {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_server_that_skips_binlog_is_brought_back_and_what_is_lost_is_said() {
    let code = format!(r#"let done = recover_tidb("{SKIPS}", #{{ wait: "30m" }}); done.tidbs = tidbs(); done"#);
    let ran = sandbox().arg("-o").arg("json").eval(&code).succeeds();
    let ran = ran.stderr_contains("what it has skipped is lost to every Drainer");
    let done = json(&ran);
    assert_eq!((&done["before"], &done["after"], &done["under_way"]), (&"skips".into(), &"writes".into(), &0.into()));
    assert!(done["waited"].as_f64().unwrap() > 0.0, "{done}");
    assert!(done["tidbs"].as_array().unwrap().iter().all(|tidb| tidb["binlog_status"] == "On"), "{done}");
}

#[test]
fn where_nothing_is_to_be_recovered_nobody_is_asked_and_the_reason_is_said() {
    // Without a yes: a question would find no terminal.
    let tell = |code: &str| Shell::sandbox("skipping-tidb").eval(code);
    let writes = tell(r#"recover_tidb("10.0.1.31:4000")"#).fails(ErrorKind::Refused);
    writes.stderr_contains("does not skip binlog: there is nothing to recover");
    let off = r#"manual("off", #{ tidb: "off", takes: "1s" }); recover_tidb("10.0.1.31:4000")"#;
    tell(off).fails(ErrorKind::Refused).stderr_contains("its binlog is off").stderr_contains("binlog.enable");
    let nobody = tell(r#"recover_tidb("10.0.1.33:4000")"#).fails(ErrorKind::NotFound);
    nobody.stderr_contains("no TiDB server has the address `10.0.1.33:4000`");
    let none = Shell::sandbox("empty").eval(r#"recover_tidb("10.0.1.33:4000")"#).fails(ErrorKind::NotFound);
    none.stderr_contains("no TiDB server is registered");
}

#[test]
fn without_a_pump_it_skips_again_and_the_wait_says_so() {
    let kill = r#"kill("pump-0"); kill("pump-1"); kill("pump-2");"#;
    let call = |options: &str| format!(r#"{kill} recover_tidb("{SKIPS}", #{{ {options} }})"#);
    sandbox().eval(&call("")).fails(ErrorKind::Refused).stderr_contains("no_pump: no Pump is online and answers");
    let forced = r#"force: ["no_pump"]"#;
    sandbox().eval(&call(forced)).succeeds();
    let skips = format!("{}; sleep(\"20s\"); tidbs().filter(|t| t.binlog_status == \"Skipping\").len()", call(forced));
    sandbox().eval(&skips).succeeds().stdout("1");
}

#[test]
fn a_real_status_port_is_asked_and_told_just_what_it_takes() {
    let cluster = LiveCluster::sample("skipping-tidb");
    let on = || Shell::live(&cluster.url());
    let code = r#"let server = tidbs().find(|t| t.binlog_status == "Skipping").address;"#;
    let looked = cluster.asked_of_tidbs();
    assert!(looked.is_empty(), "{looked:?}");
    // Nobody can be asked without a terminal: it was only looked at.
    on().eval(&format!("{code} recover_tidb(server)")).fails(ErrorKind::Refused);
    assert_eq!(cluster.asked_of_tidbs(), ["GET /binlog/recover?op=status"]);
    let done = on()
        .yes()
        .arg("-o")
        .arg("json")
        .eval(&format!(r#"{code} recover_tidb(server, #{{ wait: "1m", reset: true }})"#));
    let done = done.succeeds().stderr_contains("writes binlog");
    assert_eq!(json(&done)["under_way"], 0);
    let asked = cluster.asked_of_tidbs();
    assert_eq!(asked[2..4], ["GET /binlog/recover?op=nowait", "GET /binlog/recover?op=reset"], "{asked:?}");
    assert!(asked.iter().skip(4).all(|asked| asked.ends_with("op=status")), "{asked:?}");
    on().eval(r#"tidbs().all(|t| t.binlog_status == "On")"#).succeeds().stdout("true");
}

#[test]
fn a_rehearsal_tells_it_in_its_story_and_a_plan_keeps_it() {
    let script = format!(r#"step("bring it back", || recover_tidb("{SKIPS}", #{{ wait: "30m" }}));"#);
    let shell = Shell::sandbox("skipping-tidb").file("back.rhai", &script);
    let plan = shell.dir().join("back.plan.json").display().to_string();
    let ran = shell.arg("rehearse").arg("back.rhai").arg("--plan").arg(&plan).go().succeeds();
    let told = format!("{}{}", ran.stdout, ran.stderr);
    let change = format!("have the TiDB server {SKIPS} write binlog again");
    for words in [&change, "a TiDB server that skipped binlog writes it again"] {
        assert!(told.contains(words), "no `{words}` in\n{told}");
    }
    let kept: Json = serde_json::from_str(&std::fs::read_to_string(&plan).unwrap()).unwrap();
    let expected = serde_json::json!({ "recover_tidb": { "server": { "address": SKIPS, "status_address": "10.0.1.32:10080" }, "reset": false } });
    assert!(kept.to_string().contains(&expected.to_string()), "{kept}");
}
