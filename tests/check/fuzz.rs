//! Whatever a script looks like, the checker comes to an end and does not panic; `--fix` never makes it worse.
//!
//! `BINLOGSH_SOAK` tries 100,000 texts. A failure shows the text that led to it.

use crate::harness::project;
use crate::support::is_soak;
use binlogsh::check::{Checker, fixed, rules};
use binlogsh::language::Source;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};

const SEED: u64 = 6;

/// Pieces that mean something to the language, or look so.
const PIECES: [&str; 44] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#{",
    "`",
    "${",
    "\"",
    "'",
    "/*",
    "*/",
    "//",
    "//!",
    "|",
    "||",
    "|x|",
    "::",
    ".",
    "?.",
    ";",
    ",",
    "=",
    "+=",
    "==",
    "!",
    "fn ",
    "let ",
    "const ",
    "import \"pumps\" as ",
    "export ",
    "private ",
    "return ",
    "throw ",
    "break ",
    "loop ",
    "this",
    "global::",
    "Fn(\"x\")",
    "param(\"a\")",
    "step(\"a\", || ",
    "// check: allow act_outside_step: so\n",
    "pause_pump(",
];

fn rounds() -> u64 {
    if is_soak() { 100_000 } else { 2_000 }
}

fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> =
        rules().flat_map(|rule| [rule.caught.to_owned(), rule.left_alone.to_owned()]).collect();
    for dir in ["scripts", "stdlib"] {
        let mut files: Vec<_> = std::fs::read_dir(project(dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "rhai"));
        files.sort();
        seeds.extend(files.iter().map(|path| std::fs::read_to_string(path).unwrap()));
    }
    seeds
}

struct Chance(Pcg64Mcg);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    /// A place in `text` between two letters.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn range(&mut self, text: &str, most: usize) -> std::ops::Range<usize> {
        let begin = self.place(text);
        let mut end = (begin + self.below(most)).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        begin..end
    }

    fn mutate(&mut self, text: &mut String, seeds: &[String]) {
        match self.below(7) {
            0 => drop(text.drain(self.range(text, 12))),
            1 => {
                let at = self.place(text);
                text.insert_str(at, PIECES[self.below(PIECES.len())]);
            }
            2 => {
                let copied = text[self.range(text, 80)].to_owned();
                let at = self.place(text);
                text.insert_str(at, &copied);
            }
            3 => {
                let other = &seeds[self.below(seeds.len())];
                let copied = other[self.range(other, 200)].to_owned();
                let at = self.place(text);
                text.insert_str(at, &copied);
            }
            4 => text.truncate(self.place(text)),
            5 => {
                // A line moves.
                let mut lines: Vec<&str> = text.lines().collect();
                let (from, to) = (self.below(lines.len()), self.below(lines.len()));
                if from < lines.len() && to < lines.len() {
                    lines.swap(from, to);
                }
                *text = lines.join("\n");
            }
            _ => {
                // One letter becomes another.
                let range = self.range(text, 2);
                let letter = char::from(b' ' + u8::try_from(self.below(95)).unwrap());
                text.replace_range(range, &letter.to_string());
            }
        }
    }
}

/// What must hold of any text. Whether it compiles.
fn check(checker: &Checker, text: &str) -> bool {
    let source = Source::new("script.rhai", text);
    let checked = checker.check(&source, &[]);
    let lines = text.lines().count().max(1) + 1;
    for finding in &checked.findings {
        assert!((1..=lines).contains(&finding.at.line) && finding.at.column > 0 && finding.width > 0, "{finding:?}");
    }
    let (mended, count) = fixed(text, &checked.findings);
    assert_eq!(mended == text, count == 0);
    assert_eq!(mended.lines().count(), text.lines().count(), "fixes stay on their line");
    checked.compiles
}

#[test]
fn mutated_scripts_never_panic() {
    let (seeds, checker) = (seeds(), Checker::default());
    let mut chance = Chance(Pcg64Mcg::seed_from_u64(SEED));
    let mut compiled = 0;
    for round in 0..rounds() {
        let mut text = seeds[chance.below(seeds.len())].clone();
        for _ in 0..=chance.below(4) {
            chance.mutate(&mut text, &seeds);
        }
        match catch_unwind(AssertUnwindSafe(|| check(&checker, &text))) {
            Ok(compiles) => compiled += u64::from(compiles),
            Err(_) => panic!("round {round} of seed {SEED}:\n{text}"),
        }
    }
    assert!(compiled > rounds() / 5, "only {compiled} texts compile: the rules are hardly looked at");
}

/// Maps whose parts are maps: of twice as many parts from line to line.
fn maps_of_maps(lines: usize) -> String {
    let line = |i: usize| {
        let map = format!("#{{ a: v{0}, b: v{0} }}", i - 1);
        format!("let v{i} = if v0 == 1 {{ {map} }} else {{ {map} }};\n")
    };
    std::iter::once("let v0 = 1;\n".to_owned()).chain((1..lines).map(line)).collect()
}

#[test]
fn what_is_nested_or_long_beyond_reason_comes_to_an_end() {
    let calls: String = (0..400).map(|i| format!("fn f{i}() {{ f{0}(); f{0}(); }}\n", i + 1)).collect();
    let texts = [
        "(".repeat(10_000),
        format!("let a = {}1;", "1+".repeat(20_000)),
        format!("let a = #{{}};\na{};", ".b".repeat(20_000)),
        format!("{}1{}", "{".repeat(5_000), "}".repeat(5_000)),
        format!("{}1;", "|x| ".repeat(5_000)),
        format!("{calls}fn f400() {{ pause_pump(\"a\") }}\nf0();"),
        (0..2_000).map(|i| format!("let v{i} = |x| x + {i};\n")).collect(),
        maps_of_maps(40),
        "`${".repeat(5_000),
        "/*".repeat(5_000),
        "// check: allow a:\n".repeat(2_000),
        "\u{0}\u{feff}\r\n\u{2028}".repeat(100),
    ];
    let checker = Checker::default();
    for text in texts {
        check(&checker, &text);
    }
}
