//! What is wrong with a script is said with where, what, and what to do.

use crate::harness::Shell as Harness;
use crate::language_fixture::Shell;
use binlogsh::error::{Error, ErrorKind};
use binlogsh::language::{Ending, Limits, ScriptSettings, Source};
use binlogsh::value::Value;

/// The error of `code` holds all of `parts`, in its message or hint.
fn says(code: &str, parts: &[&str]) -> binlogsh::error::ScriptError {
    let found = Shell::new().error(code);
    let text = format!("{} / {}", found.error, found.error.hint.as_deref().unwrap_or_default());
    for part in parts {
        assert!(text.contains(part), "{code}: `{part}` is not in: {text}");
    }
    found
}

#[test]
fn a_wrong_type_of_argument_says_what_the_function_takes() {
    let error = says("let x = 1;\npause_pump(3)", &["pause_pump", "a Pump", "an integer", "help(\"pause_pump\")"]);
    assert_eq!(error.error.kind, ErrorKind::Invalid);
    let place = error.place.unwrap();
    assert_eq!((place.file.as_str(), place.line, place.text.as_str()), ("script.rhai", 2, "pause_pump(3)"));
    says("tso_time(\"x\")", &["tso_time", "`ts` takes a timestamp", "text"]);
    says("step(\"x\", 3)", &["step", "a closure", "an integer"]);
    says("pause_pump(|| 3)", &["a function is not data"]);
}

#[test]
fn a_wrong_number_of_arguments_shows_the_signature() {
    says("pause_pump()", &["pause_pump", "(pump)", "0 argument"]);
    says("pause_pump(\"a\", \"b\", \"c\")", &["pause_pump", "3 argument"]);
    says("tso(1)", &["tso: takes no arguments"]);
    says("step(\"x\")", &["step(name, closure)"]);
    says("tso(1, 2, 3, 4, 5, 6)", &["tso()"]);
}

#[test]
fn a_misspelt_name_is_answered_with_the_nearest() {
    says("pause_pmp(\"pump-1\")", &["`pause_pmp`", "did you mean `pause_pump`"]);
    says("pump(\"pump-1\").stat", &["Node", "`stat`", "did you mean `state`"]);
    says("pump(\"pump-1\")[\"stat\"]", &["did you mean `state`"]);
    says("pause_pump(\"pump-1\", #{ wiat: 3 })", &["no option `wiat`", "`wait`"]);
    says("pause_pump(\"pump-1\").befor", &["no field `befor`", "`before`"]);
    says("let count = 1; cuont + 1", &["no variable `cuont`", "did you mean `count`"]);
    says("import \"pumps\" as pumps; pumps::chosn(\"\")", &["`pumps::chosn`", "`chosen`"]);
    says("fn one(a) { a } one()", &["`one` takes 1 argument"]);
    says("#{ name: 1 }.nmae", &["no field `nmae`", "`name`"]);
    says("now().zonee", &["Time", "`zone`"]);
    says("now() >= \"2026-11-22 13:00\"", &["compared with the text", "tso_time(tso_at(\"2026-11-22 13:00\"))"]);
    says("\"13:00\" < now()", &["compared with the text \"13:00\""]);
    says("let until = 3", &["`until` is a word that Rhai keeps for itself", "another name"]);
    says("let m = #{ until: 3 };", &["`until` is a word that Rhai keeps for itself", "between double quotes"]);
    says("until = 3;", &["`until` is a word that Rhai keeps for itself"]);
    says("help(\"pause_pmp\")", &["pause_pump"]);
    says("help(pause_pump)", &["is a function"]);
    says("import \"pmps\" as p;", &["no module \"pmps\"", "`pumps`"]);
    says("pumps::x()", &["no module `pumps`", "import \"pumps\" as pumps"]);
}

#[test]
fn a_text_without_its_quotes_is_shown_with_them() {
    says("pump(pump-1)", &["no variable `pump`", "double quotes: \"pump-1\""]);
    says("pause_pump(pump_1)", &["no variable `pump_1`", "double quotes: \"pump_1\""]);
    says("pump('pump-1')", &["single quotes hold one letter", "double quotes: \"pump-1\""]);
    says("pause_pump \"pump-1\"", &["is a function", "pause_pump(pump, [#{...}])"]);
    assert!(!says("let count = 1; cuont-1", &["did you mean `count`"]).error.hint.unwrap().contains("quotes"));
}

#[test]
fn a_function_that_wants_what_stands_outside_it_is_told_how() {
    says("let a = 1; fn f() { a } f()", &["no variable `a`", "give it `a` as an argument"]);
    says("const A = 1; fn f() { A } f()", &["no variable `A`", "write `global::A`"]);
    assert_eq!(Shell::new().value("const A = 1; fn f() { global::A } f()"), Value::Int(1));
    let mut shell = Shell::new();
    shell.line("const A = 1; fn f() { A }");
    let error = shell.interpreter.line("f()").unwrap_err().error;
    assert!(error.hint.unwrap().contains("`global::A`"));
    shell.line("fn g() { global::A }");
}

#[test]
fn a_function_that_its_module_lacks_is_looked_for_in_that_module() {
    says("import \"drainers\" as d; d::blokcing(1)", &["module `d`", "did you mean `blocking`"]);
    says("import \"drainers\" as d; d::xyz()", &["it has advances, all_beyond"]);
    says("import \"drainers\" as d; d", &["`d` is a module"]);
}

#[test]
fn a_function_that_is_called_with_other_arguments_shows_how_it_is_called() {
    says(
        "import \"pumps\" as p; p::drain(\"pump-1\")",
        &["takes 2 argument(s), not (text)", "p::drain(pump, options)"],
    );
    says("fn f(a) { a } fn f(a, b) { a } f()", &["takes 1 or 2 argument(s)", "f(a) or f(a, b)"]);
}

#[test]
fn a_node_cannot_be_set() {
    says("let p = pump(\"pump-1\"); p.state = \"paused\"", &["cannot be set", "act upon it"]);
}

#[test]
fn a_script_that_does_not_compile_says_where() {
    let error = says("let a = 1;\nlet b = ;\n", &["does not compile"]);
    let place = error.place.unwrap();
    assert_eq!((place.line, place.text.as_str()), (2, "let b = ;"));
    assert_eq!(error.error.kind, ErrorKind::Invalid);
    says("let match = 1", &["`match`", "keeps for itself"]);
    says("eval(\"1\")", &["`eval` is not part"]);
    says("let x = (1", &["does not compile", "')'"]);
    says("let x =", &["ends in the middle"]);
}

#[test]
fn the_first_line_may_name_the_program() {
    let mut shell = Shell::new();
    assert_eq!(shell.value("#!/usr/bin/env binlogsh run\n1 + 1"), Value::Int(2));
    let place = shell.error("#!/usr/bin/env binlogsh run\nfail(\"x\")").place.unwrap();
    assert_eq!((place.line, place.column), (2, Some(1)));
}

#[test]
fn a_loop_without_end_is_stopped() {
    let limits = Limits { operations: 10_000, ..Limits::default() };
    let mut shell = Shell::with(ScriptSettings { limits, ..ScriptSettings::default() });
    let error = shell.error("loop { }").error;
    assert!(error.message.contains("10000 steps") && error.hint.unwrap().contains("wait_until"));
    let caught = shell.error("try { loop { } } catch { print(\"caught\") }");
    assert!(caught.error.message.contains("10000 steps"));
    assert!(shell.printed().is_empty());
}

#[test]
fn a_recursion_without_end_is_stopped() {
    let error =
        says("fn down(n) { if true { let x = [down(n + 1)]; x } else { 0 } }\ndown(0)", &["64 deep", "recursion"]);
    assert_eq!(error.error.kind, ErrorKind::Invalid);
}

#[test]
fn an_expression_nested_too_deep_is_no_crash() {
    let code = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
    let error = says(&code, &["does not compile"]);
    assert_eq!(error.error.kind, ErrorKind::Invalid);
    assert_eq!(Shell::new().interpreter.completeness(&code), binlogsh::language::Completeness::Invalid);
}

#[test]
fn a_value_nested_without_end_is_no_crash() {
    says("let a = []; for i in 0..100 { a = [a] } table(a)", &["nested more than 64 deep"]);
}

#[test]
fn an_error_of_a_function_can_be_caught_and_looked_at() {
    let mut shell = Shell::new();
    let kind = shell.value(
        "let seen; try { pump(\"nope\") } catch (err) { print(err); seen = [err.kind, err.message, err.hint] } seen",
    );
    let Value::List(parts) = kind else { panic!("{kind:?}") };
    assert_eq!(parts[0], "not_found".into());
    assert!(matches!(&parts[1], Value::Text(text) if text.contains("nope")));
    assert!(shell.printed()[0].starts_with("not_found: "));
}

#[test]
fn an_error_thrown_again_is_what_it_was() {
    let mut shell = Shell::new();
    shell.asked.borrow_mut().refuses = Some(Error::new(ErrorKind::Rejected, "closing").hint("wait"));
    let error = shell.error("try { pause_pump(\"pump-1\") } catch (err) { throw err }").error;
    assert_eq!((error.kind, error.hint.as_deref()), (ErrorKind::Rejected, Some("wait")));
}

#[test]
fn what_a_script_throws_is_its_own_failure() {
    let error = says("throw \"no luck\"", &["no luck"]).error;
    assert_eq!((error.kind, error.exit_code()), (ErrorKind::Failed, 1));
    assert_eq!(says("fail(\"enough\")", &["enough"]).error.kind, ErrorKind::Failed);
    assert_eq!(says("ensure(1 > 2, \"enough\")", &["enough"]).error.kind, ErrorKind::Failed);
}

#[test]
fn nothing_catches_an_interrupted_call() {
    for code in [
        "try { sleep(1) } catch { } print(\"went on\")",
        "try { [1].map(|x| sleep(x)) } catch { } print(\"went on\")",
        "try { [1].map(Fn(\"sleep\")) } catch { } print(\"went on\")",
        "step(\"x\", || { try { sleep(0.5) } catch { } print(\"went on\") })",
        "loop { try { sleep(1) } catch { print(\"went on\") } }",
    ] {
        let mut shell = Shell::new();
        shell.asked.borrow_mut().stops_in_sleep = true;
        let error = shell.error(code);
        assert_eq!(error.error.kind, ErrorKind::Interrupted, "{code}");
        assert_eq!(error.error.exit_code(), 130, "{code}");
        assert!(shell.printed().is_empty(), "{code}");
    }
}

#[test]
fn an_interrupt_stops_a_script_that_only_computes() {
    let mut shell = Shell::new();
    shell.interrupt.raise(15);
    let error = shell.error("loop { }").error;
    assert_eq!(error.exit_code(), 143);
}

#[test]
fn exit_is_no_value_and_nothing_catches_it() {
    let mut shell = Shell::new();
    assert_eq!(shell.value("3"), Value::Int(3));
    for code in
        ["exit(3); print(1)", "try { exit(3) } catch { } print(1)", "try { [3].map(|n| exit(n)) } catch { } print(1)"]
    {
        assert_eq!(shell.run(code).unwrap(), Ending::Exit(3), "{code}");
    }
    assert_eq!(shell.run("exit()").unwrap(), Ending::Exit(0));
    assert!(shell.printed().is_empty());
    says("exit(256)", &["0 to 255"]);
    says("exit(\"x\")", &["0 to 255", "text"]);
}

#[test]
fn sleeping_goes_through_the_gate_whatever_it_is_given() {
    let mut shell = Shell::new();
    shell.run("sleep(1); sleep(0.5); sleep(\"2s\")").unwrap();
    assert_eq!(shell.asked.borrow().clock_ms, 3500);
}

#[test]
fn compiling_and_describing_do_nothing() {
    let shell = Shell::new();
    let source = Source::new("x", "pause_pump(\"pump-1\"); exit(1)");
    shell.interpreter.describe(&source).unwrap();
    assert_eq!(shell.acts(), 0);
}

#[test]
fn a_sign_that_the_language_does_not_know_is_named_at_its_place_wherever_it_stands() {
    let script =
        |text: &str| Harness::sandbox("default").file("s.rhai", text).file("m.rhai", "fn f() { 1 }\n\nprint # x");
    let sign = "error[invalid]: `#` means nothing here";
    let ran = script("//! Says.\nprint(1) # done\n").arg("run").arg("s.rhai").go().fails(ErrorKind::Invalid);
    ran.stderr_contains(sign)
        .stderr_contains("s.rhai:2:10\n  |\n2 | print(1) # done\n  |          ^\nhint: a comment begins with `//`");
    for args in [&["-e", "import \"m\" as m; m::f()"][..], &["run", "s.rhai"]] {
        let shell = script("//! Says.\nimport \"m\" as m;\nm::f();");
        let ran = args.iter().fold(shell, |shell, arg| shell.arg(*arg)).go().fails(ErrorKind::Invalid);
        ran.stderr_contains(sign).stderr_contains("m.rhai:3:7\n  |\n3 | print # x\n  |       ^");
    }
    let checked = Harness::new(&["check", "s.rhai"]).file("s.rhai", "//! Says.\nprint(“hello”);\n").go().exits(2);
    checked.stdout_contains("`“` (U+201C) means nothing here").stdout_contains("s.rhai:2:7");
}

#[test]
fn a_word_of_other_languages_is_answered_with_ours() {
    for (code, hint) in [
        ("true and false", "and is `&&`"),
        ("if not true { 1 }", "not is `!`"),
        ("if true then 1", "a block stands between"),
        ("if true { 1 } elif false { 2 }", "`else if`"),
        ("def f() { 1 }", "fn name(a, b)"),
        ("var x = 1;", "let x = 1"),
        ("null", "nothing is `()`"),
        ("None", "nothing is `()`"),
        ("print 1", "call it as print("),
        ("print \"x\"", "call it as print("),
    ] {
        Harness::sandbox("default").eval(code).fails(ErrorKind::Invalid).stderr_contains(hint);
    }
}

#[test]
fn a_function_that_would_replace_one_of_ours_is_an_error_before_anything_runs() {
    for (code, name) in [
        ("print(\"begun\");\nfn pause_pump(x) { x }\npause_pump(\"pump-1\")", "pause_pump"),
        ("fn confirm(t) {}\nconfirm(\"sure?\")", "confirm"),
        ("fn stop(id, options) {}\n1", "stop"),
        ("fn step(name, closure) { closure.call() }\n1", "step"),
        // Called on a value, that is one more argument.
        ("fn pause_drainer() { 1 }\n\"drainer-0\".pause_drainer()", "pause_drainer"),
        ("fn string.probe() { 1 }\n\"pump-0\".probe()", "probe"),
    ] {
        let mut shell = Shell::new();
        let error = shell.interpreter.run(&Source::new("mine.rhai", code)).unwrap_err();
        assert_eq!(error.error.kind, ErrorKind::Invalid, "{error:?}");
        let says = format!("the function `{name}` of this file would stand in the place of the program's own: {name}(");
        assert!(error.error.message.contains(&says), "{error:?}");
        assert_eq!(error.error.hint.as_deref(), Some("give it a name of its own"));
        assert_eq!(error.place.unwrap().line, if name == "pause_pump" { 2 } else { 1 });
        assert!(shell.printed().is_empty(), "{:?}", shell.printed());
    }
    // With another number of parameters it replaces nothing.
    let mut shell = Shell::new();
    shell
        .interpreter
        .run(&Source::new("mine.rhai", "fn restart(id, takes, timeout) { id }\nrestart(1, 2, 3)"))
        .unwrap();
    let mut shell = Shell::new();
    shell.interpreter.line("fn pump(id) { id }").unwrap_err();
}

#[test]
fn a_run_that_goes_on_keeps_the_functions_that_it_had_before_ours_came() {
    let settings = ScriptSettings { goes_on: true, ..ScriptSettings::default() };
    let mut shell = Shell::with(settings);
    assert_eq!(shell.value("fn stop(id) { `own ${id}` }\nstop(\"pump-0\")"), Value::from("own pump-0"));
    assert!(shell.asked.borrow().requests.is_empty());
    Shell::new().error("fn stop(id) { `own ${id}` }\nstop(\"pump-0\")");
}

#[test]
fn a_module_replaces_none_of_our_functions_either() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine.rhai"), "fn probe(id) { \"online\" }\n").unwrap();
    let source = Source { root: Some(dir.path().to_owned()), ..Source::new("script.rhai", "import \"mine\" as m;\n1") };
    let error = Shell::new().interpreter.run(&source).unwrap_err();
    assert!(error.error.message.contains("the function `probe` of this file would stand in the place"), "{error:?}");
    assert!(error.place.unwrap().file.ends_with("mine.rhai"));
}
