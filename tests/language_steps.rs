//! Parameters, steps, waiting, showing: what scripts are made of beside the operations.

use crate::language_fixture::Shell;
use binlogsh::error::ErrorKind;
use binlogsh::language::{ScriptSettings, Source, functions, reference_markdown};
use binlogsh::value::Value;
use binlogsh::world::Notice;

fn given(parameters: &[(&str, &str)]) -> Shell {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Shell::with(ScriptSettings { parameters, ..ScriptSettings::default() })
}

const SCRIPT: &str = "#!/usr/bin/env binlogsh\n//! Restarts things.\n//!\n//! One at a time.\n\n\
    const only = param(\"only\", #{ about: \"which\", default: \"\" });\n\
    let count = param(\"count\", #{ default: 3 });\n\
    let mode = param(\"mode\", #{ choices: [\"fast\", \"slow\"], default: \"fast\" });\n\
    let sure = param(\"sure\", #{ default: false });\n\
    [only, count, mode, sure]";

#[test]
fn a_script_is_described_without_running_it() {
    let shell = Shell::new();
    let doc = shell.interpreter.describe(&Source::new("x", SCRIPT)).unwrap();
    assert_eq!(doc.about, "Restarts things.\n\nOne at a time.");
    let names: Vec<&str> = doc.params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["only", "count", "mode", "sure"]);
    assert_eq!(doc.params[0].about.as_deref(), Some("which"));
    assert_eq!(doc.params[1].default, Some(Value::Int(3)));
    assert_eq!(doc.params[2].choices, vec!["fast".into(), "slow".into()]);
    assert!(shell.asked.borrow().requests.is_empty());
}

#[test]
fn a_parameter_has_the_type_of_its_default() {
    let mut shell = given(&[("only", "pump-1"), ("count", "7"), ("sure", "true")]);
    let expected = vec!["pump-1".into(), Value::Int(7), "fast".into(), Value::Bool(true)];
    assert_eq!(shell.value(SCRIPT), Value::List(expected));
}

#[test]
fn a_parameter_that_does_not_fit_is_refused_before_anything_runs() {
    for (parameters, part) in [
        ([("count", "many")], "an integer"),
        ([("mode", "fats")], "`fast`"),
        ([("sure", "yes")], "true or false"),
        ([("cuont", "3")], "`count`"),
    ] {
        let error = given(&parameters).error(SCRIPT).error;
        let text = format!("{error} {}", error.hint.as_deref().unwrap_or_default());
        assert_eq!(error.kind, ErrorKind::Invalid, "{text}");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_parameter_may_say_what_it_takes() {
    let code = "print(\"ran\"); param(\"window\", #{ type: \"duration\", default: \"2m\" })";
    assert_eq!(given(&[]).value(code), "2m".into());
    assert_eq!(given(&[("window", "1h30m")]).value(code), "1h30m".into());
    for wrong in ["5x", "soon", ""] {
        let mut shell = given(&[("window", wrong)]);
        let error = shell.error(code).error;
        assert!(error.message.contains(&format!("--param window: takes a duration, and `{wrong}` is none")), "{error}");
        assert!(error.hint.unwrap().contains("1h30m") && shell.printed().is_empty());
    }
    assert_eq!(given(&[("n", "3")]).value("param(\"n\", #{ type: \"integer\" })"), Value::Int(3));
    assert_eq!(Shell::new().value("param(\"n\", #{ type: \"number\", default: 3 })"), Value::Float(3.0));
    let says = |code: &str, part: &str| {
        let error = Shell::new().error(code).error;
        let text = format!("{error} {}", error.hint.as_deref().unwrap_or_default());
        assert!(text.contains(part), "{code}: {text}");
    };
    says("param(\"n\", #{ type: \"duraton\" })", "`duration`");
    says("param(\"n\", #{ type: 3 })", "option `type` does not take");
    says("param(\"n\", #{ type: \"duration\", default: \"soon\" })", "takes a duration, and soon is none");
    says("param(\"n\", #{ default: \"a\", choices: [1, 2] })", "takes text, and 1 is none");
    says("param(\"n\", #{ default: \"a\", choices: [\"b\"] })", "the default of `n`, a, is none of its choices");
}

#[test]
fn default_is_a_word_like_any_other() {
    assert_eq!(Shell::new().value("let m = #{ default: 1 }; m.default = 2; m.default"), Value::Int(2));
}

#[test]
fn missing_parameters_are_listed() {
    let mut shell = Shell::new();
    let code = "print(\"ran\"); param(\"a\", #{ about: \"the first\" }); if false { param(\"b\") }";
    let error = shell.error(code).error;
    assert!(error.message.contains("a (the first)") && error.message.contains("b"), "{error}");
    assert!(shell.printed().is_empty());
}

#[test]
fn a_parameter_is_declared_by_literals() {
    let error = Shell::new().error("let x = \"a\";\nparam(x)");
    assert!(error.error.message.contains("literals"));
    assert_eq!(error.place.unwrap().line, 2);
    assert!(Shell::new().error("param(\"a\", #{ defautl: 3 })").error.hint.unwrap().contains("`default`"));
}

#[test]
fn a_step_is_announced_and_returns_what_its_closure_returns() {
    let mut shell = Shell::new();
    assert_eq!(shell.value("let a = 2; step(\"count\", || pumps().len() + a)"), Value::Int(4));
    assert_eq!(shell.notices.lock().unwrap()[0], Notice::StepBegan("count".into()));
    assert_eq!(shell.value("step(\"outer\", || step(\"inner\", || 5))"), Value::Int(5));
}

#[test]
fn wait_until_looks_until_it_is_true() {
    let mut shell = Shell::new();
    let code =
        "let n = 0; let waited = wait_until(\"three looks\", || { n += 1; pumps(); n == 3 }, \"1m\"); [n, waited]";
    let Value::List(found) = shell.value(code) else { panic!() };
    assert_eq!(found[0], Value::Int(3));
    assert!(matches!(found[1], Value::Float(waited) if (2.0..2.1).contains(&waited)), "{found:?}");
    let told = shell.notices.lock().unwrap();
    assert!(
        told.iter()
            .any(|notice| matches!(notice, Notice::Progress(progress) if progress.to_string().contains("three looks")))
    );
    assert_eq!(told.last(), Some(&Notice::ProgressEnd));
}

#[test]
fn wait_until_names_what_it_waited_for_in_vain() {
    let error = Shell::new().error("wait_until(\"a miracle\", || false, 5)").error;
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("a miracle") && error.message.contains("5.0s"), "{error}");
}

#[test]
fn wait_until_says_what_is_missing_at_the_end_where_the_closure_does() {
    let code = "let n = 0; wait_until(\"a miracle\", || { n += 1; `look ${n}` }, 5)";
    let error = Shell::new().error(code).error;
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.ends_with("in vain: a miracle; look 6"), "{error}");
    let came = Shell::new().value("wait_until(\"x\", || if pumps().is_empty() { \"none\" } else { true }, 5)");
    assert!(matches!(came, Value::Float(waited) if waited < 1.0), "{came:?}");
}

#[test]
fn what_is_missing_may_be_a_closure_that_is_called_in_the_end_only() {
    let wait =
        |says: &str| format!("let n = 0; wait_until(\"a miracle\", || {{ n += 1; let seen = n; || {says} }}, 5)");
    let mut shell = Shell::new();
    let error = shell.error(&wait("{ print(\"called\"); `look ${seen}` }")).error;
    assert!(error.message.ends_with("in vain: a miracle; look 6"), "{error}");
    assert_eq!(shell.printed(), ["called"]);
    let error = Shell::new().error(&wait("`${pumps().len()} Pumps`")).error;
    assert!(error.message.contains("without asking the cluster"), "{error}");
}

#[test]
fn wait_until_refuses_changes() {
    let mut shell = Shell::new();
    let code = "wait_until(\"x\", || { pause_pump(\"pump-1\"); true }, 5)";
    assert!(shell.error(code).error.message.contains("changes nothing"));
    assert_eq!(shell.acts(), 0);
    let code = "try { wait_until(\"x\", || { fail(\"y\") }, 5) } catch { } pause_pump(\"pump-1\").id";
    assert_eq!(shell.value(code), "pump-1".into());
    assert!(Shell::new().error("wait_until(\"x\", || 3, 5)").error.message.contains("true or false"));
}

#[test]
fn wait_until_says_what_is_wrong_with_a_time() {
    for (given, why) in [("-1", "it is negative"), ("true", "not a bool"), ("\"soon\"", "soon")] {
        let error = Shell::new().error(&format!("wait_until(\"x\", || true, {given})")).error;
        assert!(error.message.starts_with("wait_until: `timeout` takes"), "{error}");
        assert!(error.message.contains(why), "{error}");
    }
}

#[test]
fn a_value_is_looked_into_by_brackets_as_by_a_dot() {
    let mut shell = Shell::new();
    let all = "let t = tso_time(262144000); let said = \"\"; try { pump(\"none\") } catch (err) { said = err[\"kind\"] } \
               [t[\"unix_ms\"], t[\"zone\"], said, pumps()[0][\"id\"]]";
    assert_eq!(shell.value(all), Value::List(vec![1000.into(), "UTC".into(), "not_found".into(), "pump-0".into()]));
    let error = shell.error("now()[\"unix\"]").error;
    assert_eq!(
        (error.message.as_str(), error.hint.as_deref().unwrap()),
        ("a Time has no property `unix`", "did you mean `unix_ms`?")
    );
}

#[test]
fn a_time_beyond_the_calendar_is_an_error() {
    for code in ["now() + 1e300", "now() - 1e300", "now() + 0.0/0.0", "now() + 9223372036854775807"] {
        assert!(Shell::new().error(code).error.message.ends_with("is no point in time"), "{code}");
    }
}

#[test]
fn times_compare_and_subtract() {
    let mut shell = Shell::new();
    let code = "let a = tso_time(262144000); let b = a + \"5m\"; \
                [b - a, a < b, a == b - 300, b - 1.5 > a, a.to_string(), `${b}`, a.unix_ms]";
    let expected: Vec<Value> = vec![
        300.0.into(),
        true.into(),
        true.into(),
        true.into(),
        "1970-01-01T00:00:01Z".into(),
        "1970-01-01T00:05:01Z".into(),
        1000.into(),
    ];
    assert_eq!(shell.value(code), Value::List(expected));
}

#[test]
fn a_node_prints_as_its_id_and_equals_itself() {
    let mut shell = Shell::new();
    shell.run("let p = pumps()[0]; print(p); print(p == pump(\"pump-0\")); print(p.updated); print([p])").unwrap();
    assert_eq!(shell.printed()[..2], ["pump-0", "true"]);
    assert!(shell.printed()[2].ends_with('Z'));
    assert_eq!(shell.value("pumps().map(|p| pump(p).id)"), Value::List(vec!["pump-0".into(), "pump-1".into()]));
}

#[test]
fn tables_and_json_are_shown_as_values() {
    let mut shell = Shell::new();
    shell.run("table(pumps()); json(#{ a: 1 })").unwrap();
    let told = shell.notices.lock().unwrap();
    assert!(matches!(&told[0], Notice::Shown(Value::List(nodes)) if nodes.len() == 2));
    assert_eq!(told[1], Notice::ShownAsJson(Value::map([("a", 1.into())])));
}

#[test]
fn every_function_has_help_with_an_example() {
    let mut shell = Shell::new();
    let Value::Text(overview) = shell.value("help()") else { panic!() };
    for function in functions() {
        assert!(overview.contains(&function.signature()), "{}", function.name);
        let Value::Text(page) = shell.value(&format!("help(\"{}\")", function.name)) else { panic!() };
        assert!(page.contains("Example") && page.contains(function.summary()), "{page}");
        let source = Source::new("example", function.example.code);
        assert!(shell.interpreter.describe(&source).is_ok(), "the example of {} compiles", function.name);
    }
    let Value::Text(page) = shell.value("help(\"pause_pump\")") else { panic!() };
    assert!(page.contains("last_pump") && page.contains("wait: a duration"), "{page}");
    let Value::Text(page) = shell.value("help(\"Node\")") else { panic!() };
    assert!(page.contains(".max_commit_ts"), "{page}");
}

#[test]
fn the_reference_has_every_function_and_kind_of_error() {
    let text = reference_markdown();
    for function in functions() {
        assert!(text.contains(&format!("### {}\n", function.name)));
    }
    assert!(text.contains("| `in_doubt` |") && text.contains("| `heartbeat_age` |"));
}

#[test]
fn the_reference_in_the_documentation_is_up_to_date() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let made = reference_markdown();
    let differs = kept.lines().zip(made.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept.trim_end() == made.trim_end(),
        "{differs:?}: renew it with `cargo run -- docs --reference > docs/reference.md`"
    );
}

#[test]
fn the_library_has_help() {
    let mut shell = Shell::new();
    let Value::Text(page) = shell.value("help(\"pumps::wait_until_back\")") else { panic!() };
    assert!(page.contains("started_before") && page.contains("import \"pumps\" as pumps;"), "{page}");
    let Value::Text(overview) = shell.value("help()") else { panic!() };
    assert!(overview.contains("drainers::blocking(pump)"), "{overview}");
}

#[test]
fn a_pump_that_was_started_again_has_forgotten_its_close_and_nobody_waits_for_it() {
    let closes = "hang(\"drainer-0\"); offline_pump(\"pump-1\", #{ force: [\"stuck_drainer\"] });";
    let crash = "fault(\"crash\", \"pump-1\", #{ after: \"5s\", lasts: \"5s\" });";
    let shell = || crate::harness::Shell::sandbox("default").yes();
    let ran = shell().eval(&format!("{closes} {crash} wait_for(\"pump-1\", \"offline\", \"4h\")"));
    ran.fails(ErrorKind::Conflict)
        .stderr_contains("has forgotten that it was to close")
        .stderr_contains("close it again");
    let ran = shell()
        .eval(&format!("import \"pumps\" as pumps; {closes} {crash} sleep(20); pumps::drain(\"pump-1\", #{{}})"));
    ran.fails(ErrorKind::Failed).stderr_contains("pump-1 does not close").stderr_contains("offline_pump(\"pump-1\")");
}
