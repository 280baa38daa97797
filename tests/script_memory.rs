//! What a script holds has one bound, whatever it is made of, and the host never suffers from it.

use crate::harness::Shell as Program;
use crate::language_fixture::Shell;
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::record;
use binlogsh::error::{ErrorKind, ScriptError};
use binlogsh::language::{Ending, Limits, ScriptSettings};
use binlogsh::value::Value;

/// What the scripts of these tests may hold, in MiB.
const MIB: usize = 32;

fn shell() -> Shell {
    let limits = Limits { memory: MIB << 20, ..Limits::default() };
    Shell::with(ScriptSettings { limits, ..ScriptSettings::default() })
}

/// The script `code` is stopped for what it holds; nothing that it does is gone on with.
fn is_stopped(code: &str) {
    let mut shell = shell();
    let found = shell.error(code);
    assert!(found.place.is_some(), "{code}: without a place");
    holds_too_much(&shell, code, found);
}

fn holds_too_much(shell: &Shell, code: &str, found: ScriptError) {
    assert_eq!(found.error.kind, ErrorKind::Invalid, "{code}: {}", found.error);
    assert_eq!(found.error.message, "the script holds more than 32 MiB of memory", "{code}");
    assert!(found.error.hint.unwrap().contains("BINLOGSH_MAX_MEMORY"));
    assert!(shell.printed().is_empty(), "{code}: went on: {}", shell.printed()[0].len());
}

#[test]
fn a_closure_that_takes_itself_along_is_stopped() {
    is_stopped("let f = Fn(\"x\"); for i in 0..40 { f = f.curry(f); }");
    is_stopped("let all = []; loop { let x = all.len(); all.push(|| x) }");
}

#[test]
fn whatever_grows_without_end_is_stopped() {
    for code in [
        "let s = \"x\"; loop { s += s }",
        "let a = [1]; loop { a += a }",
        "let a = []; loop { a.push([1]) }",
        "let m = #{}; loop { m[`k${m.len()}`] = #{} }",
        "let m = #{ a: 1 }; loop { m = #{ a: m, b: m } }",
        "let s = \"xxxxxxxx\"; let a = []; loop { a.push(`${s}${a.len()}`) }",
        "fn more(a) { loop { a.push([1.5]) } } more([])",
    ] {
        is_stopped(code);
    }
}

#[test]
fn no_single_call_takes_more_than_there_is_room_for() {
    let long = "let s = \"\"; s.pad(1_000_000, \"x\"); let a = []; a.pad(1000, s);";
    assert_eq!(shell().value(&format!("{long} a.len()")), Value::Int(1000), "sharing a text takes no room");
    for code in [
        "\"\".pad(4_000_000_000_000, \"x\")",
        "\"\".pad(4_000_000_000_000, 'x')",
        "[].pad(4_000_000_000_000, 1)",
        "[].pad(9_223_372_036_854_775_807, [[], []])",
        "[].pad(1_000_000, #{ a: 1 })",
        &format!("{long} s.replace(\"x\", s)"),
        &format!("{long} s.replace('x', s)"),
        &format!("{long} s.split(\"x\")"),
        &format!("{long} s.split('x')"),
        &format!("{long} s.split_rev(\"x\", 999_999)"),
        "let s = \"\"; s.pad(4_000_000, \"x\"); s.to_chars()",
        "let s = \"[\"; s.pad(4_000_000, \"[],\"); parse_json(s)",
        &format!("{long} print(a)"),
        &format!("{long} debug(a)"),
        &format!("{long} print(`${{a}}`)"),
        &format!("{long} print(\"\" + a)"),
        &format!("{long} print(#{{ a: a }}.to_json())"),
        &format!("{long} print(#{{ a: a }}.to_string())"),
        &format!("{long} print(a.to_debug())"),
        &format!("{long} table(a)"),
        &format!("{long} json(#{{ a: a }})"),
        &format!("{long} sparkline(a)"),
    ] {
        is_stopped(code);
    }
    let mut shell = shell();
    let found = shell.error(&format!("{long} a"));
    holds_too_much(&shell, "what the script returns", found);
}

#[test]
fn what_a_script_threw_is_not_written_out_without_end() {
    let found = shell().error("let s = \"\"; s.pad(1_000_000, \"x\"); let a = []; a.pad(1000, s); throw a");
    assert_eq!(found.error.message, "the script threw an array that is too large to be shown");
}

#[test]
fn a_script_that_holds_too_much_cannot_catch_that() {
    is_stopped("try { let s = \"x\"; loop { s += s } } catch { print(\"caught\") } print(\"after\")");
    is_stopped("loop { try { [1].map(|x| { let s = `x${x}`; loop { s += s } }) } catch { print(\"caught\") } }");
    is_stopped("wait_until(\"never\", || { let s = \"x\"; loop { s += s } }, \"1h\")");
}

#[test]
fn what_is_let_go_of_does_not_count() {
    let code = "let n = 0; for i in 0..50 { let s = \"\"; s.pad(4_000_000, \"x\"); n += s.len() } n";
    assert_eq!(shell().value(code), Value::Int(200_000_000));
    let mut shell = shell();
    for _ in 0..20 {
        assert_eq!(shell.value("let s = \"\"; s.pad(14_000_000, \"x\"); s.len()"), Value::Int(14_000_000));
    }
}

#[test]
fn the_variables_of_the_prompt_count_together_and_one_that_is_let_go_of_makes_room() {
    let mut shell = shell();
    for name in ["a", "b"] {
        shell.line(&format!("let {name} = \"\"; {name}.pad(10_000_000, \"x\")"));
    }
    let found = shell.interpreter.line("let c = \"\"; c.pad(10_000_000, \"x\")").unwrap_err();
    assert_eq!(found.error.message, "the script holds more than 32 MiB of memory");
    assert!(found.error.hint.unwrap().contains("x = ()"));
    assert_eq!(shell.line("a.len() + b.len()"), Value::Int(20_000_000));
    shell.line("a = ()");
    shell.line("let c = \"\"; c.pad(10_000_000, \"x\")");
    // What a line that was stopped left behind can be let go of, too.
    shell.interpreter.line("let d = \"x\"; loop { d += d }").unwrap_err();
    shell.line("d = ()");
    assert_eq!(shell.line("1 + 1"), Value::Int(2));
}

#[test]
fn scripts_on_other_threads_have_memory_of_their_own() {
    let hold = || shell().value("let s = \"\"; s.pad(15_000_000, \"x\"); for i in 0..100_000 { } s.len()");
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(hold)).collect();
        for one in all {
            assert_eq!(one.join().unwrap(), Value::Int(15_000_000));
        }
    });
}

#[test]
fn a_value_nested_without_end_is_stopped_before_the_stack_is_full() {
    for code in [
        "let a = [[]]; loop { a.push([a.pop()]) }",
        "let a = []; loop { a = [take(a)] }",
        "let a = []; loop { a = [a] }",
        "let m = #{}; loop { m = #{ m: take(m) } }",
        "let f = || 1; loop { let g = f; f = || g }",
        "fn deeper() { loop { let x = [this.pop()]; this.push(x) } } let a = [[]]; a.deeper()",
    ] {
        let limits = Limits { memory: 1 << 30, ..Limits::default() };
        let found = Shell::with(ScriptSettings { limits, ..ScriptSettings::default() }).error(code);
        assert_eq!(found.error.message, "a value is nested more than 1000 deep", "{code}");
        assert!(found.place.is_some(), "{code}");
    }
}

#[test]
fn a_value_that_is_nested_deep_can_be_written_compared_and_dropped() {
    let deep = "let a = []; for i in 0..900 { a = [a] }";
    let mut shell = Shell::new();
    let mut is = |code: &str, value: Value| assert_eq!(shell.value(&format!("{deep} {code}")), value, "{code}");
    is("a == a", Value::Bool(true));
    is("a.to_string().len()", Value::Int(1802));
    is("#{ a: a }.to_json().len()", Value::Int(1808));
    assert!(matches!(shell.run(&format!("{deep} a")), Ok(Ending::Value(Value::Text(text))) if text.len() == 1802));
}

#[test]
fn a_long_array_is_filled_in_the_time_that_its_elements_take() {
    let begin = std::time::Instant::now();
    let mut shell = Shell::new();
    shell.value("let a = []; for i in 0..20_000 { a.push([i]) } ()");
    let short = begin.elapsed();
    shell.value("let a = []; for i in 0..200_000 { a.push([i]) } ()");
    let long = begin.elapsed() - short;
    assert!(long < short * 60, "ten times as many elements took {long:?} instead of {short:?}");
}

#[test]
fn functions_that_ask_for_room_do_what_they_did() {
    let mut shell = Shell::new();
    for (code, is) in [
        ("\"a,b,,c\".split(\",\")", "[\"a\", \"b\", \"\", \"c\"]"),
        ("\"a,b,c\".split(',', 2)", "[\"a\", \"b,c\"]"),
        ("\"a,b,c\".split(\",\", 0)", "[\"a,b,c\"]"),
        ("\"a,b,c\".split_rev(',')", "[\"c\", \"b\", \"a\"]"),
        ("\"a,b,c\".split_rev(\",\", 2)", "[\"c\", \"a,b\"]"),
        ("\"\".split(\",\")", "[\"\"]"),
        ("\" a  b \".split()", "[\"a\", \"b\"]"),
        ("\"abc\".split(1)", "[\"a\", \"bc\"]"),
        ("\"\u{e4}b\".to_chars()", "[\u{e4}, b]"),
        (
            "let s = \"abca\"; s.replace(\"a\", \"xy\"); s.replace('b', '-'); s.replace(\"c\", 'd'); s.replace('d', \"\"); [s]",
            "[\"xy-xy\"]",
        ),
        ("let s = \"ab\"; s.pad(7, \"123\"); s.pad(3, 'x'); s.pad(-1, 'x'); s.pad(8, 'y'); [s]", "[\"ab12312y\"]"),
        ("let a = [1]; a.pad(3, [2]); a.pad(-3, 2); a", "[1, [2], [2]]"),
        (
            "[1, 1.5, \"a\\\"\", 'c', (), true, #{ a: [pump(\"pump-1\").state] }]",
            "[1, 1.5, \"a\\\"\", c, (), true, #{\"a\": [\"online\"]}]",
        ),
        ("[|x| x].to_string().len() > 3", "true"),
        ("[#{ b: [1, \"x\"], a: () }.to_json()]", "[\"{\\\"a\\\":null,\\\"b\\\":[1,\\\"x\\\"]}\"]"),
        ("parse_json(`{\"a\": [1, {\"b\": null}]}`)", "#{\"a\": [1, #{\"b\": ()}]}"),
    ] {
        let text = shell.value(&format!("let it = {{ {code} }}; `${{it}}`"));
        assert_eq!(text, Value::from(is), "{code}");
    }
}

#[test]
fn the_variable_sets_how_much_a_script_may_hold() {
    let hold = |mib: &str| {
        Program::sandbox("default")
            .env("BINLOGSH_MAX_MEMORY", mib)
            .eval("let s = \"\"; s.pad(8_000_000, \"x\"); s.len()")
    };
    hold("30").succeeds();
    hold("").succeeds();
    hold("10").fails(ErrorKind::Invalid).stderr_contains("10 MiB").stderr_contains("BINLOGSH_MAX_MEMORY");
    hold("much").fails(ErrorKind::Invalid).stderr_contains("BINLOGSH_MAX_MEMORY=`much` is no whole number");
}

#[test]
fn what_the_network_brought_counts_while_it_is_held_and_no_longer() {
    let etcd = Etcd::start();
    let records = (0..200).map(|at| {
        let id = format!("pump-{at}");
        (format!("/tidb-binlog/v1/pumps/{id}"), record(&id, "127.0.0.1:1", "offline", 1, 1))
    });
    etcd.kv().put_all(&records.collect::<Vec<_>>());
    let pd = PdDouble::start(&etcd);
    let run = |code: &str| Program::live(&pd.url()).env("BINLOGSH_MAX_MEMORY", "12").eval(code);
    let many = "let n = 0; for i in 0..500 { n += pumps().len() }";
    run(&format!("{many} n")).succeeds().stdout("100000");
    // Nor does it make room for more.
    let more = run(&format!("{many} let s = \"\"; s.pad(14_000_000, \"x\"); s.len()"));
    more.fails(ErrorKind::Invalid).stderr_contains("more than 12 MiB");
    run("let all = []; loop { all.push(pumps()) }").fails(ErrorKind::Invalid).stderr_contains("more than 12 MiB");
}
