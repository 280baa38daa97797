//! How the time that each function, of the language and of the library, and each shipped script takes grows with the cluster.
//!
//! Each runs its own example in its own sample, to which so many Pumps are added. A function is flat when its time for each node of ten
//! thousand is at most half as much again as of a hundred; what is not has to say why. `cargo bench --bench sweep -- NAME` tries
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

/// What cannot be flat, and why.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("rolling_restart", "restarts each Pump, and looks at all of them before and after"),
    ("scale_in_to_zero", "closes each Pump, and looks at all of them meanwhile"),
];

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
    println!("{steep} grow faster than their cluster, and say not why");
    std::process::exit(i32::from(steep > 0));
}

/// Prints a row; whether it is as it should be.
fn sweep(name: &str, sample: &str, once: &Try) -> bool {
    let mut took: Vec<Option<f64>> = Vec::new();
    for size in SIZES {
        // What was not flat so far may well take a hundred times as long.
        let is_too_long = took.last().is_some_and(|last| last.is_none_or(|last| last * 100.0 > LONGEST));
        let scenario = || with_pumps(sample, size);
        let rounds = || (0..ROUNDS).map(|_| once(&scenario())).try_fold(f64::MAX, |least, one| Some(least.min(one?)));
        took.push(if is_too_long { None } else { rounds() });
    }
    let shown = |time: &Option<f64>| time.map_or("-".to_owned(), |time| format!("{:.3}", time * 1000.0));
    let each = |place: usize| took[place].map(|time| time.max(LEAST) / SIZES[place] as f64);
    let last = (1..SIZES.len()).rev().find_map(each);
    let growth = each(0).zip(last).map(|(few, many)| many / few);
    let why = EXCEPTIONS.iter().find(|(known, _)| *known == name).map(|(_, why)| *why);
    let (verdict, holds) = match (growth, why) {
        (None, _) => ("does not run in this cluster".to_owned(), true),
        (Some(growth), _) if growth <= FLAT => (format!("{growth:.2}"), true),
        (Some(growth), Some(why)) => (format!("{growth:.2}: {why}"), true),
        (Some(growth), None) => (format!("{growth:.2} NOT FLAT"), false),
    };
    println!("{name:40} {:>10} {:>10} {:>10}  {verdict}", shown(&took[0]), shown(&took[1]), shown(&took[2]));
    holds
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
