//! Whatever is read, others wrote it: each parser is given documents that it takes, altered, and noise. It ends soon, without
//! a panic, with a value that is written and read again as it is, or with an error that a person can read.
//!
//! A parser is a row of its family ([`Fuzzed`]). `BINLOGSH_SOAK` tries a million cases of each, `--nocapture` shows the table.
//! A case is made from its number alone: `BINLOGSH_FUZZ_CASE=record:12345` runs that one and shows it, `record` all of that parser.

mod answers;
mod files;
mod found;
mod grammar;
mod records;
mod words;

use crate::dice::Dice;
use crate::support::is_soak;
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::text::deceives;
use grammar::{Doc, Form, alter_bytes, noise, written};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A parser, and what it is given.
struct Fuzzed {
    name: &'static str,
    weight: Weight,
    form: Form,
    /// A document that it takes.
    valid: fn(&mut Dice) -> Doc,
    /// Pieces that mean something to it.
    tokens: &'static [&'static str],
    /// Reads the bytes; panics where what it read is not what is written and read again.
    read: fn(&[u8]) -> Result<()>,
    /// So many different errors it has at least.
    errors: usize,
}

/// How much is done for a case.
#[derive(Clone, Copy, PartialEq)]
enum Weight {
    /// The text alone is looked at.
    Pure,
    /// A cluster is built, a file is read or a store is opened.
    Opens,
}

/// Of a family each parser is a row.
const FAMILIES: &[&[Fuzzed]] = &[records::PARSERS, files::PARSERS, answers::PARSERS, words::PARSERS];

/// So many of a hundred documents that were valid before they were altered are still taken.
const STILL_TAKEN: u64 = 10;

/// No case takes longer, in a release build. Without optimisation everything takes some twenty times as long.
const LONGEST: Duration = if cfg!(debug_assertions) { Duration::from_secs(20) } else { Duration::from_secs(1) };

/// Whoever takes this long hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Of each parser so many failures are shown.
const SHOWN: usize = 3;

impl Fuzzed {
    fn cases(&self) -> u64 {
        match (is_soak(), self.weight) {
            (true, Weight::Pure) => 1_000_000,
            (true, Weight::Opens) => 100_000,
            (false, Weight::Pure) => 500,
            (false, Weight::Opens) => 100,
        }
    }

    /// What is read in case `number`: every second is noise.
    fn input(&self, number: u64) -> Vec<u8> {
        let seed = self.name.bytes().fold(number, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let mut dice = Dice::new(seed);
        if is_noise(number) {
            return noise(&mut dice, self.tokens);
        }
        let mut doc = (self.valid)(&mut dice);
        for _ in 0..dice.weighted(&[(25, 0), (40, 1), (20, 2), (15, 4)]) {
            doc.alter(&mut dice, self.form);
        }
        let mut bytes = written(&doc, self.form);
        for _ in 0..dice.weighted(&[(75, 0), (15, 1), (10, 3)]) {
            alter_bytes(&mut bytes, &mut dice);
        }
        bytes
    }

    /// Reads `input`: the value, the error's message without what varies, or what is wrong with the parser.
    fn try_it(&self, input: &[u8]) -> Result<Option<String>, String> {
        match catch_unwind(AssertUnwindSafe(|| (self.read)(input))) {
            Ok(Ok(())) => Ok(None),
            Ok(Err(error)) => match unreadable(&error, input) {
                None => Ok(Some([sort_of(&error.message), sort_of(&error.source.unwrap_or_default())].concat())),
                Some(why) => Err(format!("{why}: {error:?}")),
            },
            Err(panic) => Err(format!("it panicked: {}", words_of(panic.as_ref()))),
        }
    }

    /// The same, within its time.
    fn try_in_time(&self, input: &[u8]) -> Result<Option<String>, String> {
        let timed = || {
            let begun = Instant::now();
            (self.try_it(input), begun.elapsed())
        };
        let (result, mut took) = timed();
        // Others may have had the machine meanwhile.
        for _ in 0..2 {
            if took > LONGEST {
                took = took.min(timed().1);
            }
        }
        if took > LONGEST { Err(format!("it took {took:?}")) } else { result }
    }

    /// A part of `input` with which it fails in the same way, from which nothing can be left out.
    fn smallest(&self, input: &[u8], why: &str) -> Vec<u8> {
        let kind = |why: &str| why.split(':').next().unwrap_or_default().to_owned();
        let mut input = input.to_vec();
        let mut piece = (input.len() / 2).max(1);
        loop {
            let mut at = 0;
            while at < input.len() {
                let shorter = [&input[..at], &input[(at + piece).min(input.len())..]].concat();
                match self.try_it(&shorter) {
                    Err(found) if kind(&found) == kind(why) => input = shorter,
                    Ok(_) | Err(_) => at += piece,
                }
            }
            if piece == 1 {
                return input;
            }
            piece /= 2;
        }
    }
}

fn is_noise(number: u64) -> bool {
    number % 2 == 1
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Why a person cannot read `error`, if so: it is of us and not of what was read, says nothing, shows what a program sees, or
/// what was read could write lines of its own in it.
fn unreadable(error: &Error, input: &[u8]) -> Option<&'static str> {
    /// What only a programmer knows.
    const INSIDE: &[&str] =
        &["Some(", "None", "Ok(", "Err(", "Error(", "ParseIntError", "ParseFloatError", "Utf8Error", "kind:", "Kind::"];
    let said = [Some(&error.message), error.hint.as_ref(), error.source.as_ref()];
    let all = said.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    let given = String::from_utf8_lossy(input);
    let is_inside = |word: &&str| all.contains(*word) && !given.contains(*word);
    match () {
        () if error.kind == ErrorKind::Internal => Some("it takes it for a defect of ours"),
        () if error.message.trim().len() < 8 || !error.message.contains(' ') => Some("it does not say what is wrong"),
        () if INSIDE.iter().any(is_inside) => Some("it shows what a program sees"),
        () if all.contains(|c: char| c == '\n' || deceives(c)) => {
            Some("what was read writes lines or signs of its own")
        }
        () => None,
    }
}

/// A message without what is different each time: numbers, what stands in quotes, and what is no word.
fn sort_of(message: &str) -> String {
    // What is quoted may have quotes in it.
    let message = message.split('"').next().unwrap_or_default();
    let parts = message.split_once('`').and_then(|(before, rest)| Some([before, rest.rsplit_once('`')?.1]));
    let mut sort = String::new();
    for word in parts.unwrap_or([message, ""]).iter().flat_map(|part| part.split_whitespace()) {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'\'') && word.len() < 20;
        sort.push_str(if is_word { word } else { "_" });
        sort.push(' ');
    }
    sort
}

/// What came of the cases of one parser.
#[derive(Default)]
struct Tally {
    cases: u64,
    taken: u64,
    taken_of_noise: u64,
    errors: BTreeSet<String>,
    errors_of_noise: BTreeSet<String>,
    longest: Duration,
    failed: u64,
    /// Some of them: number and why.
    failures: Vec<(u64, String)>,
}

impl Tally {
    fn add(&mut self, number: u64, came: Result<Option<String>, String>) {
        self.cases += 1;
        match came {
            Ok(None) if is_noise(number) => self.taken_of_noise += 1,
            Ok(None) => self.taken += 1,
            Ok(Some(error)) if is_noise(number) => drop(self.errors_of_noise.insert(error)),
            Ok(Some(error)) => drop(self.errors.insert(error)),
            Err(why) => {
                self.failed += 1;
                self.failures.push((number, why));
                self.failures.truncate(SHOWN);
            }
        }
    }

    fn extend(&mut self, other: Self) {
        self.cases += other.cases;
        self.taken += other.taken;
        self.taken_of_noise += other.taken_of_noise;
        self.errors.extend(other.errors);
        self.errors_of_noise.extend(other.errors_of_noise);
        self.longest = self.longest.max(other.longest);
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.failures.truncate(SHOWN);
    }

    fn different_errors(&self) -> usize {
        self.errors.union(&self.errors_of_noise).count()
    }

    /// What is wrong with it, of the parser `of`.
    fn wrong(&self, of: &Fuzzed) -> Vec<String> {
        let mut wrong: Vec<String> = Vec::new();
        for (number, why) in &self.failures {
            let input = of.smallest(&of.input(*number), why);
            let shown: String = input.escape_ascii().to_string().chars().take(1_000).collect();
            let why: String = why.chars().take(1_000).collect();
            let name = of.name;
            wrong.push(format!(
                "{name}, case {number} (BINLOGSH_FUZZ_CASE={name}:{number}): {why}\n  smallest: {shown}"
            ));
        }
        if self.failed > 0 {
            wrong.push(format!("{}: {} failures", of.name, self.failed));
        }
        let altered = self.cases.div_ceil(2);
        if self.taken * 100 < altered * STILL_TAKEN {
            wrong.push(format!("{}: of {altered} altered documents it takes only {}", of.name, self.taken));
        }
        if self.different_errors() < of.errors {
            let (name, errors) = (of.name, of.errors);
            wrong.push(format!(
                "{name}: only {} different errors, of {errors}: {:#?}",
                self.different_errors(),
                self.errors
            ));
        }
        if of.errors > 0 && self.errors_of_noise.is_empty() {
            wrong.push(format!("{}: noise leads to no error", of.name));
        }
        wrong
    }
}

/// Cases that one thread tries, one after the other.
type Batch = (usize, std::ops::Range<u64>);

/// What a thread is at: which case of which parser, since when.
type AtWork = Arc<Mutex<Option<(&'static str, u64, Instant)>>>;

/// Tries the cases of `batch`. What overflows the stack ends the process, which then says the name of the thread.
fn try_batch(parser: &'static Fuzzed, cases: std::ops::Range<u64>, at_work: AtWork) -> Tally {
    let name = format!("{}:{}..{}", parser.name, cases.start, cases.end);
    let work = move || {
        let mut tally = Tally::default();
        for number in cases {
            let begun = Instant::now();
            *at_work.lock().unwrap() = Some((parser.name, number, begun));
            tally.add(number, parser.try_in_time(&parser.input(number)));
            tally.longest = tally.longest.max(begun.elapsed());
        }
        *at_work.lock().unwrap() = None;
        tally
    };
    std::thread::Builder::new().name(name).spawn(work).unwrap().join().unwrap()
}

/// Tries all cases of all `parsers` on all cores.
fn try_all(parsers: &[&'static Fuzzed]) -> Vec<Tally> {
    const BATCH: u64 = 5_000;
    let batches = parsers.iter().enumerate().flat_map(|(at, parser)| {
        (0..parser.cases()).step_by(BATCH as usize).map(move |from| (at, from..(from + BATCH).min(parser.cases())))
    });
    let batches: Vec<Batch> = batches.collect();
    let mut left = batches.len();
    let (queue, parsers) = (Arc::new(Mutex::new(batches)), parsers.to_vec());
    let mut tallies: Vec<Tally> = parsers.iter().map(|_| Tally::default()).collect();
    let (tell, told) = channel();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers: Vec<AtWork> = (0..cores).map(|_| AtWork::default()).collect();
    for at_work in &workers {
        let (queue, parsers, tell, at_work) = (queue.clone(), parsers.clone(), tell.clone(), at_work.clone());
        std::thread::spawn(move || {
            loop {
                let Some((at, cases)) = queue.lock().unwrap().pop() else { return };
                let _ = tell.send((at, try_batch(parsers[at], cases, at_work.clone())));
            }
        });
    }
    drop(tell);
    while left > 0 {
        match told.recv_timeout(Duration::from_secs(1)) {
            Ok((at, tally)) => {
                tallies[at].extend(tally);
                left -= 1;
            }
            Err(RecvTimeoutError::Disconnected) => panic!("a thread ended early: its words stand above"),
            Err(RecvTimeoutError::Timeout) => {
                for at_work in workers.iter().filter_map(|at_work| *at_work.lock().unwrap()) {
                    let (name, number, since) = at_work;
                    assert!(since.elapsed() < HANGS, "{name} hangs: BINLOGSH_FUZZ_CASE={name}:{number}");
                }
            }
        }
    }
    tallies
}

/// The parser that was asked for, if one was, and the case of it.
fn asked_for() -> Option<(&'static Fuzzed, Option<u64>)> {
    let asked = std::env::var("BINLOGSH_FUZZ_CASE").ok()?;
    let (name, number) = match asked.rsplit_once(':') {
        Some((name, number)) => (name, Some(number.parse().unwrap())),
        None => (asked.as_str(), None),
    };
    let parser = FAMILIES.iter().copied().flatten().find(|parser| parser.name == name);
    Some((parser.unwrap_or_else(|| panic!("there is no parser {name}")), number))
}

#[test]
#[expect(clippy::print_stdout, reason = "the table, and a single case, are for whoever asks with --nocapture")]
fn whatever_is_read_is_taken_and_stays_the_same_or_is_an_error_that_a_person_can_read() {
    let parsers: Vec<&Fuzzed> = match asked_for() {
        Some((parser, Some(number))) => {
            let input = parser.input(number);
            println!("{}\n{:?}", input.escape_ascii(), parser.try_in_time(&input));
            return;
        }
        Some((parser, None)) => vec![parser],
        None => FAMILIES.iter().copied().flatten().collect(),
    };
    let tallies = try_all(&parsers);
    println!(
        "| read | cases | altered ones taken | noise taken | different errors | longest |\n|---|---|---|---|---|---|"
    );
    for (parser, tally) in parsers.iter().zip(&tallies) {
        println!(
            "| {} | {} | {} | {} | {} | {:.1} ms |",
            parser.name,
            tally.cases,
            tally.taken,
            tally.taken_of_noise,
            tally.different_errors(),
            tally.longest.as_secs_f64() * 1000.0
        );
    }
    let wrong: Vec<String> = parsers.iter().zip(&tallies).flat_map(|(parser, tally)| tally.wrong(parser)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The text in `bytes`, as a file of ours is read.
fn text_of(bytes: &[u8]) -> Result<String> {
    binlogsh::text::decode("it", bytes.to_vec())
}

/// The text in `bytes` as somebody typed it, or as a command line has it.
fn typed(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::invalid("what is typed is text"))
}

/// `value` is the same when it is written as JSON and read again.
fn stays_the_same<T>(value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(value).unwrap();
    let again: T =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("what was written is not read: {error}: {json}"));
    assert!(again == *value, "it is another when it is read again: {value:?}, {again:?}");
}
