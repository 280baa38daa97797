//! Bad input gets a message with what, where and what to do, and nothing is lost.

use crate::harness::{Shell, project};
use binlogsh::error::ErrorKind;

#[test]
fn an_unknown_node_names_the_nearest() {
    Shell::sandbox("default").eval(r#"pump("pmp-1")"#).fails(ErrorKind::NotFound).stderr_contains("`pump-1`");
}

#[test]
fn a_malformed_record_is_reported_and_hides_no_other() {
    Shell::sandbox("malformed-record")
        .eval("pumps().len()")
        .succeeds()
        .stdout("3")
        .stderr_contains("/tidb-binlog/v1/")
        .stderr_contains("not JSON");
}

#[test]
fn a_wrong_type_says_what_the_function_takes() {
    Shell::sandbox("default")
        .eval("pause_pump(3)")
        .fails(ErrorKind::Invalid)
        .stderr_contains("`pump` takes a Pump (its id, a Node, or its host:port), not an integer");
}

#[test]
fn a_wrong_number_of_arguments_says_what_the_function_takes() {
    Shell::sandbox("default").eval("pause_pump()").fails(ErrorKind::Invalid).stderr_contains("pause_pump");
    Shell::sandbox("default").eval(r#"wait_for("pump-1")"#).fails(ErrorKind::Invalid).stderr_contains("state");
}

#[test]
fn a_misspelt_function_names_the_nearest() {
    Shell::sandbox("default").eval(r#"pause_pmp("pump-1")"#).fails(ErrorKind::Invalid).stderr_contains("`pause_pump`");
}

#[test]
fn a_misspelt_property_names_the_nearest() {
    Shell::sandbox("default").eval(r#"pump("pump-1").adress"#).fails(ErrorKind::Invalid).stderr_contains("`address`");
}

#[test]
fn a_misspelt_option_names_the_nearest() {
    Shell::sandbox("default")
        .eval(r#"pause_pump("pump-1", #{ wiat: "1m" })"#)
        .fails(ErrorKind::Invalid)
        .stderr_contains("`wait`");
}

#[test]
fn a_guard_that_the_operation_does_not_have_cannot_be_forced() {
    Shell::sandbox("default")
        .eval(r#"pause_pump("pump-1", #{ force: ["lose_binlog"] })"#)
        .fails(ErrorKind::Invalid)
        .stderr_contains("last_pump");
}

#[test]
fn a_script_that_does_not_compile_shows_the_line_and_a_caret() {
    Shell::sandbox("default")
        .file("broken.rhai", "let a = 1;\nlet b = (a + ;\n")
        .run("broken.rhai", &[])
        .fails(ErrorKind::Invalid)
        .stderr_contains("broken.rhai:2:")
        .stderr_contains("let b = (a + ;")
        .stderr_contains("^");
}

#[test]
fn an_error_in_a_script_shows_the_innermost_place() {
    let script = "fn inner(id) {\n    pump(id)\n}\nfn outer() { inner(\"nope\") }\nouter();\n";
    Shell::sandbox("default")
        .file("deep.rhai", script)
        .run("deep.rhai", &[])
        .fails(ErrorKind::NotFound)
        .stderr_contains("deep.rhai:2:")
        .stderr_contains("pump(id)");
}

#[test]
fn an_endless_loop_and_endless_recursion_end() {
    Shell::sandbox("default").eval("fn f(n) { f(n + 1) } f(0)").fails(ErrorKind::Invalid).stderr_contains("recursi");
    Shell::sandbox("default")
        .env("BINLOGSH_MAX_OPERATIONS", "100000")
        .eval("loop { }")
        .fails(ErrorKind::Invalid)
        .stderr_contains("BINLOGSH_MAX_OPERATIONS");
}

#[test]
fn a_script_that_is_not_there_is_not_found() {
    Shell::sandbox("default").run("nope.rhai", &[]).fails(ErrorKind::NotFound).stderr_contains("nope.rhai");
}

#[test]
fn a_savepoint_directory_that_cannot_be_written_is_named() {
    let shell = || Shell::new(&["--pd-urls", "127.0.0.1:9"]).yes().file("taken", "a file");
    shell()
        .eval(r#"generate_meta(#{ data_dir: "taken", ts: 400962745252184065 })"#)
        .fails(ErrorKind::Refused)
        .stderr_contains("exists: unknown")
        .stderr_contains("taken/savepoint");
    shell()
        .eval(r#"generate_meta(#{ data_dir: "taken", ts: 400962745252184065, force: ["exists"] })"#)
        .fails(ErrorKind::Local)
        .stderr_contains("taken");
}

#[test]
fn a_missing_certificate_file_is_named() {
    Shell::new(&["--pd-urls", "https://127.0.0.1:9", "--ca", "nope.pem"])
        .eval("pumps()")
        .fails(ErrorKind::Local)
        .stderr_contains("nope.pem");
}

#[test]
fn a_certificate_without_its_key_is_never_silently_plain() {
    for args in [["--cert", "a.pem"], ["--key", "a.pem"]] {
        Shell::new(&["--pd-urls", "127.0.0.1:9", args[0], args[1]]).eval("1").fails(ErrorKind::Invalid);
    }
    Shell::new(&["--cert", "a.pem", "--key", "b.pem"]).eval("1").fails(ErrorKind::Invalid).stderr_contains("ca");
}

#[test]
fn an_unreachable_pd_is_named_with_what_it_said() {
    Shell::new(&["--pd-urls", "127.0.0.1:9"])
        .eval("pumps()")
        .fails(ErrorKind::Unreachable)
        .stderr_contains("127.0.0.1:9")
        .stderr_contains("refused");
}

#[test]
fn a_guard_that_cannot_read_what_it_needs_refuses() {
    Shell::sandbox("default")
        .yes()
        .eval(r#"hang("pump-0"); pause_drainer("drainer-1")"#)
        .fails(ErrorKind::Refused)
        .stderr_contains("pump_closing: unknown");
}

#[test]
fn an_undeclared_parameter_names_the_nearest() {
    Shell::sandbox("default")
        .yes()
        .run(project("scripts/rolling_restart.rhai"), &["onyl=pump-1"])
        .fails(ErrorKind::Invalid)
        .stderr_contains("`only`");
}

#[test]
fn a_comment_that_is_not_closed_drops_nothing_silently() {
    Shell::sandbox("default")
        .file("open.rhai", "print(1);\n/* oops\npause_pump(\"pump-1\");\n")
        .run("open.rhai", &[])
        .fails(ErrorKind::Invalid)
        .stderr_contains("open.rhai:2:1")
        .stderr_contains("*/");
    Shell::sandbox("default")
        .file("m.rhai", "fn f() { 1 }\n/* oops\n")
        .file("main.rhai", "import \"m\" as m;\nprint(m::f());\n")
        .run("main.rhai", &[])
        .fails(ErrorKind::Invalid)
        .stderr_contains("*/");
}

#[test]
fn a_time_that_no_timestamp_can_hold_is_an_error() {
    Shell::sandbox("default")
        .eval(r#"tso_at("9999-12-31 23:59:59")"#)
        .fails(ErrorKind::Invalid)
        .stderr_contains("later than any timestamp");
}

#[test]
fn what_is_odd_about_the_cluster_is_said_once() {
    let ran = Shell::sandbox("malformed-record").eval("for i in 0..5 { pumps(); }").succeeds();
    assert_eq!(ran.stderr.matches("pumps/broken").count(), 1, "{}", ran.stderr);
}

#[test]
fn a_real_key_never_meets_the_same_beginning_twice_in_a_sandbox() {
    let encrypted = || {
        let shell = Shell::sandbox("default").env("BINLOG_SECRET_KEY", "00112233445566778899aabbccddeeff");
        shell.eval(r#"encrypt("secret")"#).succeeds().stdout
    };
    assert_ne!(encrypted(), encrypted());
}

#[test]
fn templates_that_are_nested_too_deep_are_an_error_and_end_nothing() {
    const DEEP: usize = 20_000;
    let open = format!("print({})\n", "`${".repeat(DEEP));
    let closed = format!("print({}1{})\n", "`${".repeat(DEEP), "}`".repeat(DEEP));
    for code in [open, closed] {
        let shell = |args: &[&str]| {
            let shell = Shell::sandbox("default").file("deep.rhai", &code).file("deep_test.rhai", &code);
            args.iter().fold(shell, |shell, arg| shell.arg(*arg))
        };
        shell(&["check", "deep.rhai"]).go().exits(2).stdout_contains("this does not compile");
        shell(&["test"]).go().exits(1).stdout_contains("this does not compile");
        for args in [["run", "deep.rhai"], ["rehearse", "deep.rhai"]] {
            shell(&args).go().fails(ErrorKind::Invalid).stderr_contains("this does not compile");
        }
        Shell::sandbox("default").pipe(&code).fails(ErrorKind::Invalid).stderr_contains("this does not compile");
    }
}
