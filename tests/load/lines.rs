//! What the lines of a prompt leave in the interpreter.

use crate::language_fixture::Shell;
use crate::support::is_soak;
use binlogsh::error::ScriptError;
use binlogsh::held::held_by_thread;
use binlogsh::language::Ending;
use binlogsh::value::Value;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The line number `n` of somebody who tries everything again and again, each time a little otherwise.
fn line(n: usize) -> String {
    match n % 12 {
        0 => format!("let x = {n};"),
        1 => format!("[1, 2, 3].filter(|one| one < {n}).len()"),
        2 => format!("fn twice(x) {{ [x].map(|one| one * 2 + {n})[0] }}"),
        3 => "twice(x)".to_owned(),
        4 => "import \"pumps\" as stock; import \"gc\" as gc;".to_owned(),
        5 => format!("let add = |a| [a].map(|b| b + {n})[0];"),
        6 => "add.call(x)".to_owned(),
        7 => format!("throw \"no {n}\""),
        8 => format!("nothing_{n} + 1"),
        9 => format!("let = {n}"),
        10 => format!("const C = {n};"),
        _ => "it + C".to_owned(),
    }
}

/// Whether the line number `n` ends as it must, with all that the lines before it left.
fn is_right(n: usize, ending: &Result<Ending, ScriptError>) -> bool {
    let (round, place) = (n - n % 12, n % 12);
    let value = |value: usize| matches!(ending, Ok(Ending::Value(Value::Int(found))) if *found == value as i64);
    match place {
        1 => value(if n > 3 { 3 } else { 0 }) || n < 4,
        3 => value(3 * round + 2),
        6 => value(2 * round + 5),
        7 => matches!(ending, Err(failed) if failed.error.message.contains(&format!("no {n}"))),
        8 => matches!(ending, Err(failed) if failed.error.message.contains(&format!("nothing_{n}"))),
        9 => ending.is_err(),
        11 => value(2 * round + 5 + round + 10),
        _ => matches!(ending, Ok(Ending::Value(Value::Unit))),
    }
}

/// How long this thread has worked: others may have the machine meanwhile.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

#[test]
fn a_prompt_holds_no_more_after_many_lines_and_each_takes_as_long() {
    let count = if is_soak() { 100_000 } else { 6_000 };
    let mut shell = Shell::new();
    let mut type_all = |from: usize, to: usize| {
        let begun = worked();
        for n in from..to {
            let ending = shell.interpreter.line(&line(n));
            assert!(is_right(n, &ending), "{n}: {} gives {ending:?}", line(n));
        }
        (held_by_thread(), worked() - begun)
    };
    // What is kept of the newest lines is there by then.
    let warm = count / 2;
    type_all(0, warm);
    let (before, early) = type_all(warm, warm + count / 10);
    type_all(warm + count / 10, count - count / 10);
    let (after, late) = type_all(count - count / 10, count);
    assert!(after - before < 100 << 10, "{before} bytes have become {after}");
    assert!(late < early * 3 + Duration::from_millis(200), "{early:?} have become {late:?}");
}

/// So many lines that what earlier ones left is looked at again and again.
fn many_lines(shell: &mut Shell) {
    for n in 0..300 {
        shell.line(&format!("[1].filter(|one| one == {n}).len()"));
    }
}

#[test]
fn what_a_prompt_has_is_there_after_many_lines() {
    let mut shell = Shell::new();
    for line in [
        "fn area(a) { [a].map(|one| one * one)[0] }",
        "fn area(a, b) { a * b }",
        "fn int.more(n) { this + n }",
        "let n = 1; let count = || { n += 1; n };",
        "let all = #{ inner: [|x| [x].map(|y| y * 7)[0]] };",
        "let curried = Fn(\"area\").curry(3);",
        "const KEPT = |x| x + 1000;",
        "import \"pumps\" as stock;",
        "fn uses() { stock::chosen(\"\").len() }",
    ] {
        shell.line(line);
    }
    many_lines(&mut shell);
    for (line, value) in [
        ("area(5)", 25),
        ("area(5, 6)", 30),
        ("let seven = 7; seven.more(3)", 10),
        ("count.call(); count.call()", 3),
        ("n", 3),
        ("all.inner[0].call(6)", 42),
        ("curried.call(4)", 12),
        ("KEPT.call(1)", 1001),
        ("uses()", 2),
    ] {
        assert_eq!(shell.line(line), Value::Int(value), "{line}");
    }
    assert!(shell.interpreter.line("KEPT = 1").is_err(), "a constant is none any more");
}

#[test]
fn an_error_after_many_lines_shows_the_line_in_which_it_was_written() {
    let mut shell = Shell::new();
    shell.line("fn fails() { throw \"here\" }");
    shell.line("let later = || throw \"there\";");
    for n in 0..2_500 {
        shell.line(&format!("{n};"));
    }
    many_lines(&mut shell);
    for (call, text) in
        [("fails()", "fn fails() { throw \"here\" }"), ("later.call()", "let later = || throw \"there\";")]
    {
        let failed = shell.interpreter.line(call).unwrap_err();
        assert_eq!(failed.place.unwrap().text, text, "{call}");
    }
}

#[test]
fn a_secret_of_an_early_line_is_in_no_error_of_a_late_one() {
    let mut shell = Shell::new();
    shell.line("let pw = \"a long secret\";");
    assert!(shell.interpreter.line("encrypt(pw, #{ nothing: 1 })").is_err());
    for n in 0..2_500 {
        shell.line(&format!("{n};"));
    }
    let failed = shell.interpreter.line("throw \"it was \" + pw").unwrap_err();
    assert!(failed.error.message.contains("it was ***"), "{}", failed.error.message);
}
