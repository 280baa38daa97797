//! The scripts that come with the program: they say what they are for, and reach their goal or say why they cannot.

use crate::language_fixture::Shell;
use binlogsh::error::ErrorKind;
use binlogsh::language::{Ending, ParamType, ScriptDoc, ScriptSettings, Source, shipped};
use binlogsh::time::parse_duration;
use binlogsh::value::Value;
use binlogsh::world::Notice;

fn described(name: &str) -> ScriptDoc {
    let text = std::fs::read_to_string(format!("{}/scripts/{name}.rhai", env!("CARGO_MANIFEST_DIR"))).unwrap();
    Shell::new().interpreter.describe(&Source::new(name, text)).unwrap()
}

#[test]
fn every_script_says_when_it_is_of_use_and_documents_its_parameters() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts")).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".rhai") || name.ends_with("_test.rhai") {
            continue;
        }
        let doc = described(file.file_stem().unwrap().to_str().unwrap());
        assert!(doc.about.contains("When:"), "{}", file.display());
        assert!(doc.params.iter().all(|param| param.about.is_some()), "{}", file.display());
    }
}

#[test]
fn every_duration_of_a_script_is_declared_as_one() {
    for script in shipped() {
        for param in described(script.name).params {
            let Some(Value::Text(text)) = &param.default else { continue };
            let is_one = text.ends_with(char::is_alphabetic) && parse_duration(text).is_ok();
            assert_eq!(param.kind == ParamType::Duration, is_one, "{}: {}", script.name, param.name);
        }
    }
}

#[test]
fn the_parameters_of_the_scripts_are_those_of_the_documentation() {
    let names = |name| described(name).params.into_iter().map(|param| param.name).collect::<Vec<_>>();
    assert_eq!(names("rolling_restart"), ["only", "takes", "timeout"]);
    assert_eq!(names("decommission_pump"), ["pump", "takes", "timeout"]);
    assert_eq!(names("health"), ["watch", "gc_margin"]);
}

fn on(sample: &str, parameters: &[(&str, &str)]) -> Shell {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Shell::simulated(sample, ScriptSettings { parameters, ..ScriptSettings::default() })
}

/// What a health check found: severity, node, and what.
fn findings(shell: &Shell) -> Vec<[String; 3]> {
    let told = shell.notices.lock().unwrap();
    let Some(Notice::Shown(Value::List(rows))) = told.iter().rfind(|notice| matches!(notice, Notice::Shown(_))) else {
        panic!("{told:?}");
    };
    let text = |row: &Value, field: &str| match row {
        Value::Map(fields) => match &fields[field] {
            Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    rows.iter().map(|row| ["severity", "node", "what"].map(|field| text(row, field))).collect()
}

#[test]
fn a_rolling_restart_replaces_every_pump_one_after_the_other() {
    let mut shell = on("default", &[]);
    let before = shell.line("pumps().map(|p| started_at(p))");
    shell.script("rolling_restart").unwrap();
    assert_ne!(shell.line("pumps().map(|p| started_at(p))"), before);
    assert_eq!(shell.line("pumps().all(|p| p.state == \"online\" && probe(p) == \"online\")"), Value::Bool(true));
    let steps = shell.steps();
    assert_eq!(steps.len(), 1 + 3 * 4 + 1, "{steps:?}");
    assert_eq!(steps[..3], ["look", "pump-0: look", "pump-0: pause"]);
}

#[test]
fn a_rolling_restart_can_be_of_one_pump_only() {
    let mut shell = on("default", &[("only", "pump-1")]);
    shell.script("rolling_restart").unwrap();
    assert!(shell.steps().iter().all(|step| step == "look" || step.contains("pump-1") || step.starts_with("check")));
    let error = on("default", &[("only", "pump-9")]).script("rolling_restart").unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[test]
fn a_rolling_restart_does_not_begin_while_something_is_in_its_way() {
    for (sample, part) in [("closing-pump", "is closing"), ("dead-drainer", "a probe finds it refused")] {
        let mut shell = on(sample, &[]);
        let error = shell.script("rolling_restart").unwrap_err();
        assert_eq!(error.error.kind, ErrorKind::Failed, "{sample}");
        assert!(error.error.message.contains(part), "{sample}: {}", error.error);
        assert!(error.place.unwrap().file.starts_with("stdlib:"), "{sample}");
        assert!(!shell.steps().iter().any(|step| step.ends_with(": pause")), "{sample}");
    }
}

#[test]
fn a_decommissioned_pump_is_offline_and_read_by_nobody() {
    let mut shell = on("default", &[("pump", "pump-2")]);
    shell.script("decommission_pump").unwrap();
    assert_eq!(shell.line("pump(\"pump-2\").state"), "offline".into());
    assert_eq!(shell.line("\"pump-2\" in status(\"drainer-0\").pump_positions"), Value::Bool(false));
}

#[test]
fn a_pump_is_not_decommissioned_while_a_drainer_is_paused() {
    let mut shell = on("paused-drainer", &[("pump", "pump-2")]);
    let error = shell.script("decommission_pump").unwrap_err().error;
    assert!(error.message.contains("is paused"), "{error}");
    assert_eq!(shell.line("probe(\"pump-2\")"), "online".into());
}

#[test]
fn a_paused_pump_is_started_before_it_is_decommissioned() {
    let mut shell = on("default", &[("pump", "pump-2")]);
    shell.line("pause_pump(\"pump-2\", #{ wait: \"1m\" })");
    shell.script("decommission_pump").unwrap();
    assert_eq!(shell.line("pump(\"pump-2\").state"), "offline".into());
}

#[test]
fn a_healthy_cluster_has_no_findings() {
    let mut shell = on("default", &[]);
    assert_eq!(shell.script("health").unwrap(), Ending::Exit(0));
    assert_eq!(shell.acts(), 0);
}

#[test]
fn a_health_check_finds_what_is_wrong_with_each_sample() {
    for (sample, code, node, part) in [
        ("closing-pump", 2, "pump-1", "is closing and waits for"),
        ("dead-drainer", 2, "drainer-", "no process answers"),
        ("duplicate-address", 1, "", "is the address of"),
        ("lost-pump", 2, "pump-2", "no process answers"),
        ("malformed-record", 2, "broken", "is no record"),
        ("paused-drainer", 1, "drainer-0", "is paused"),
        ("skipping-tidb", 2, "", "skips binlog"),
        ("lagging-drainer", 1, "drainer-", "GC of"),
    ] {
        let mut shell = on(sample, &[]);
        let ending = shell.script("health").unwrap_or_else(|error| panic!("{sample}: {error:?}"));
        let found = findings(&shell);
        assert!(matches!(ending, Ending::Exit(exit) if exit >= code), "{sample}: {ending:?} {found:?}");
        assert!(found.iter().any(|[_, on, what]| on.contains(node) && what.contains(part)), "{sample}: {found:?}");
    }
}
