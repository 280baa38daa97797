//! What is secret in a text is found in the time that its words take, however they refer to each other.

use binlogsh::language::Masking;
use std::time::{Duration, Instant};

/// A text of so many parts.
type TextOfParts = fn(usize) -> String;

/// Texts, and what they are.
const TEXTS: &[(&str, TextOfParts)] = &[
    ("a name, many times", |n| format!("let pw = 1; encrypt(pw); let l = [{}];", "pw,".repeat(n))),
    ("names that lead to each other", |n| {
        let each = (1..n).map(|at| format!("let a{at} = a{};\n", at - 1));
        format!("{}encrypt(a{});", each.collect::<String>(), n - 1)
    }),
    ("the same the other way round", |n| {
        let each = (1..n).rev().map(|at| format!("let a{at} = a{};\n", at - 1));
        format!("encrypt(a{}); {}", n - 1, each.collect::<String>())
    }),
    ("functions that hand it on", |n| {
        let each = (1..n).map(|at| format!("fn f{at}(x{at}) {{ f{}(x{at}) }}\n", at - 1));
        format!("fn f0(x) {{ encrypt(x) }}\n{}", each.collect::<String>())
    }),
    ("values in values", |n| format!("encrypt(a); let {} 1;", "a = ".repeat(n))),
    ("fields in fields", |n| format!("encrypt(a); {}", "#{ a: ".repeat(n))),
    ("a chain of calls", |n| format!("x{}", ".encrypt()".repeat(n))),
    ("calls in calls", |n| "encrypt(".repeat(n)),
    ("slips on a line", |n| "encrypt ".repeat(n)),
    ("comments", |n| "// encrypt(\"x\")\n".repeat(n)),
    ("what methods are called on", |n| "encrypt(this);".repeat(n)),
    ("templates in templates", |n| format!("encrypt({}", "`x${".repeat(n))),
];

fn takes(text: &str) -> Duration {
    let begin = Instant::now();
    std::hint::black_box(Masking::of(&[text]).masked(text));
    begin.elapsed()
}

#[test]
fn secrets_are_found_in_the_time_that_a_text_takes() {
    for (what, text) in TEXTS {
        let (short, long) = (text(1_000), text(10_000));
        let mut times = (0..5).map(|_| (takes(&short), takes(&long)));
        // A machine that does something else meanwhile does not do so each time.
        let fit = times.any(|(short, long)| long < short * 40);
        assert!(fit, "{what}: ten times as many took {:?} instead of {:?}", takes(&long), takes(&short));
    }
}
