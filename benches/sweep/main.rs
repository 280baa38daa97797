//! How the time that each function, of the language and of the library, and each shipped script takes grows with the cluster.
//!
//! Each runs its own example in its own sample, to which so many Pumps are added. A function is flat when its time for each node of ten
//! thousand is at most half as much again as of a hundred. `cargo bench --bench sweep -- NAME` tries
//! those whose name has `NAME` in it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads clocks and prints its table"
)]

use binlogsh::interrupt::Interrupt;
use binlogsh::journal::Memory;
use binlogsh::language::{Interpreter, ScriptSettings, Source, functions, library_functions, shipped, stdlib};
use binlogsh::policy::AskOperator;
use binlogsh::rehearsal::{Bounds, Stage};
use binlogsh::session::{Parts, Session};
use binlogsh::sim::{HOUR, PumpSpec, Scenario, Simulated};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// How many Pumps are added.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// How much more a node of many may take than one of few.
const FLAT: f64 = 1.5;
/// What is over sooner is measured as if it took so long, in seconds: it is not about nodes.
const LEAST: f64 = 100e-6;
/// What would take longer, in seconds, is not tried with so many.
const LONGEST: f64 = 60.0;
/// How often each is tried; the quickest counts.
const ROUNDS: usize = 3;

/// Seconds that it takes once, in a cluster of the sample with so many more Pumps; `None` where it fails.
type Try = Box<dyn Fn(&Scenario) -> Option<f64>>;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let imports: String = stdlib()
        .map(|(module, _)| format!("import \"{module}\" as {};\n", module.rsplit('/').next().unwrap()))
        .collect();
    let mut all: Vec<(String, String, Try)> = Vec::new();
    for function in functions() {
        all.push((function.name.into(), function.example.scenario.into(), line(function.example.code.to_owned())));
    }
    for function in library_functions() {
        let name = function.signature.split('(').next().unwrap().to_owned();
        all.push((name, function.scenario.clone(), line(format!("{imports}{}", function.example))));
    }
    for script in shipped() {
        let parameters = script.params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = ScriptSettings { parameters, ..ScriptSettings::default() };
        all.push((script.name.into(), script.sample.into(), play(script.source(), settings)));
    }
    let [few, some, many] = SIZES;
    println!("{:40} {few:>10} {some:>10} {many:>10}  ms; growth for each node", "what");
    let mut steep = 0;
    for (name, sample, once) in &all {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            steep += usize::from(!sweep(name, sample, once));
        }
    }
    println!("{steep} grow faster than their cluster, or may");
    std::process::exit(i32::from(steep > 0));
}

/// What came of a function beside so many Pumps.
#[derive(Clone, Copy)]
enum Came {
    /// Seconds of the quickest round.
    Took(f64),
    /// It fails there.
    Failed,
    /// By what it took with fewer it would take too long.
    TooLong,
}

/// Prints a row; whether it is flat, as far as it was tried.
fn sweep(name: &str, sample: &str, once: &Try) -> bool {
    let mut all = Vec::new();
    for size in SIZES {
        // What is not flat may take a hundred times as long with ten times as many.
        let next = match all.last() {
            Some(Came::Took(last)) if last * 100.0 > LONGEST => Came::TooLong,
            Some(Came::Failed | Came::TooLong) => Came::TooLong,
            Some(Came::Took(_)) | None => quickest(&with_pumps(sample, size), once),
        };
        all.push(next);
    }
    let each = |place: usize| match all[place] {
        Came::Took(time) => Some(time.max(LEAST) / SIZES[place] as f64),
        Came::Failed | Came::TooLong => None,
    };
    let last = (1..SIZES.len()).rev().find_map(each);
    let (verdict, is_flat) = match (all[0], each(0).zip(last)) {
        (Came::Failed, _) => ("does not run in this cluster".to_owned(), true),
        (_, Some((few, many))) if many <= few * FLAT => (format!("{:.2}", many / few), true),
        (_, Some((few, many))) => (format!("{:.2} NOT FLAT", many / few), false),
        (_, None) => ("NOT KNOWN: with more of them it would take too long".to_owned(), false),
    };
    let shown = |came: &Came| match came {
        Came::Took(time) => format!("{:.3}", time * 1000.0),
        Came::Failed => "fails".to_owned(),
        Came::TooLong => "-".to_owned(),
    };
    println!("{name:40} {:>10} {:>10} {:>10}  {verdict}", shown(&all[0]), shown(&all[1]), shown(&all[2]));
    is_flat
}

/// The quickest of some rounds; what takes long is as well known by one.
fn quickest(scenario: &Scenario, once: &Try) -> Came {
    let mut least = f64::MAX;
    for _ in 0..ROUNDS {
        match once(scenario) {
            Some(time) => least = least.min(time),
            None => return Came::Failed,
        }
        if least > 1.0 {
            break;
        }
    }
    Came::Took(least)
}

/// The sample with so many more Pumps, all well.
fn with_pumps(sample: &str, count: usize) -> Scenario {
    let mut scenario = Scenario::named(sample).unwrap();
    let pump = |at: usize| PumpSpec::new(format!("more-{at:05}"), format!("10.9.{}.{}:8250", at / 250, at % 250 + 1));
    scenario.pumps.extend((0..count).map(pump));
    scenario
}

/// A line of the prompt.
fn line(code: String) -> Try {
    Box::new(move |scenario| {
        let session = Session::new(Parts {
            world: Box::new(Simulated::new(scenario).ok()?),
            journal: Box::new(Memory::of_changes()),
            policy: Box::new(AskOperator::default()),
            notices: Arc::new(|_| {}),
            interrupt: Interrupt::default(),
            lock: None,
        });
        let mut interpreter = Interpreter::new(Rc::new(RefCell::new(session)), ScriptSettings::default());
        let begin = Instant::now();
        interpreter.line(&code).ok()?;
        Some(begin.elapsed().as_secs_f64())
    })
}

/// A script from its beginning to its end, however it ends: one that refuses a large cluster has looked at it, too.
fn play(source: Source, settings: ScriptSettings) -> Try {
    Box::new(move |scenario| {
        let mut stage = Stage::new(&source, settings.clone(), scenario, Interrupt::default()).ok()?;
        let begin = Instant::now();
        stage.play(&[], Bounds { time: 30 * 24 * HOUR, calls: 5_000_000 }).ok()?;
        Some(begin.elapsed().as_secs_f64())
    })
}
