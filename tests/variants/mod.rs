//! Scripts that are wrong on purpose are caught by rehearsals of futures; the ones that are shipped do no harm of their own.
//!
//! Each variant is a file that says on top what is wrong, whose broken variant it is, and the harm that it must be found
//! doing. `BINLOGSH_SOAK` looks for the first future that does it, and plays four hundred times as many of the shipped scripts; with
//! `--nocapture` the table of docs/simulator.md is printed. Otherwise the future is played that the table names.

mod shipped;

use crate::support::is_soak;
use binlogsh::interrupt::Interrupt;
use binlogsh::language::{ScriptSettings, Source};
use binlogsh::rehearsal::{Base, Blame, Bounds, Drawer, HarmKind, Order, Shortest, Subjects, Which, judged, rehearse};
use binlogsh::sim::{Fault, Scenario};
use binlogsh::world::FaultKind;
use std::path::Path;
use std::sync::Arc;

/// The seed of every future here.
const SEED: u64 = 1;
/// Within how many futures a variant must be caught.
const WITHIN: u64 = 10_000;
/// How many futures are played for their shortest story, where the first that does harm has none that is short.
const FOR_A_SHORT_STORY: u64 = 200;
/// How many faults the shortest story may have.
const FAULTS: usize = 3;

/// A rehearsal of the script `file` of the project, without faults.
fn subjects(file: &str, parameters: &[(&str, &str)], scenario: Scenario) -> Subjects {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let source = Source { root: path.parent().map(Path::to_path_buf), ..Source::new(file, text) };
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = ScriptSettings { parameters, ..ScriptSettings::default() };
    Subjects { source, settings, scenario, interrupt: Interrupt::default() }
}

fn order(which: Which) -> Order {
    let jobs = 1;
    Order { which, kinds: FaultKind::ALL.to_vec(), shard: (1, 1), jobs, notices: Arc::new(|_| {}) }
}

fn base(subjects: &Subjects) -> Base {
    let bounds = Bounds { time: 30 * 24 * binlogsh::sim::HOUR, calls: 200_000 };
    Base::play(&mut subjects.stage().unwrap(), bounds).unwrap()
}

/// What the head of a variant says.
struct Variant {
    name: String,
    wrong: String,
    original: String,
    kind: HarmKind,
    blame: Blame,
    subjects: Subjects,
}

impl Variant {
    fn read(name: &str) -> Self {
        let file = format!("tests/variants/{name}.rhai");
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).unwrap();
        let said = |what: &str| {
            let rest = text.split_once(&format!("{what}: ")).map(|(_, rest)| rest.lines().next().unwrap());
            let rest = rest.unwrap_or_else(|| panic!("{name} does not say its {what}"));
            rest.split(". ").next().unwrap().trim().to_owned()
        };
        let harm = said("Harm");
        let (blame, kind) = match harm.strip_prefix("accepted ") {
            Some(kind) => (Blame::Accepted, kind),
            None => (Blame::Script, harm.as_str()),
        };
        let kind = HarmKind::ALL.iter().copied().find(|known| known.name() == kind).unwrap();
        let parameters = said("Parameters");
        let parameters: Vec<_> = parameters.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
        let subjects = subjects(&file, &parameters, Scenario::named(&said("Sample")).unwrap());
        let wrong = text.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap().to_owned();
        Self { name: name.to_owned(), wrong, original: said("Broken"), kind, blame, subjects }
    }

    /// The first of these futures that does the harm.
    fn first(&self, base: &Base, mut futures: impl Iterator<Item = u64>) -> Option<u64> {
        let mut stage = self.subjects.stage().unwrap();
        let drawer = Drawer::new(stage.start(), &base.played, FaultKind::ALL.to_vec());
        futures.find(|index| {
            let faults = drawer.future(SEED, *index);
            let (_, _, harms) = judged(&mut stage, &base.intended, &faults, base.bounds()).unwrap();
            harms.iter().any(|harm| harm.kind == self.kind && harm.blame == self.blame)
        })
    }

    /// The shortest story of these futures: of so many, this part of so many.
    fn shortest(&self, base: &Base, count: u64, shard: (u64, u64)) -> Shortest {
        let order = Order { shard, ..order(Which::Drawn { seed: SEED, count }) };
        let tally = rehearse(&self.subjects, base, &order).unwrap();
        let wanted = |story: &Shortest| story.kind == self.kind && story.blame == self.blame;
        tally.shortest.into_iter().find(wanted).unwrap()
    }

    /// The first future that does the harm as the table of docs/simulator.md has it.
    fn in_the_table(&self) -> Option<u64> {
        let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulator.md")).unwrap();
        let row = table.lines().find(|line| line.starts_with(&format!("| `{}` of ", self.name)))?;
        row.split(" | ").nth(3)?.parse::<u64>().ok()?.checked_sub(1)
    }
}

/// A variant does its harm within ten thousand futures, and at most three faults are needed for it.
#[expect(clippy::print_stdout, reason = "rows for docs/simulator.md, seen with --nocapture")]
fn is_caught(name: &str) {
    let variant = Variant::read(name);
    let base = base(&variant.subjects);
    let known = variant.in_the_table().filter(|known| *known < WITHIN && !is_soak());
    let known = known.and_then(|known| variant.first(&base, known..=known));
    let first = known.or_else(|| variant.first(&base, 0..WITHIN)).unwrap_or_else(|| {
        panic!("{name}: no {} ({:?}) in {WITHIN} futures of seed {SEED}", variant.kind.name(), variant.blame)
    });
    // That it is short enough is seen of the first one already, more often than not.
    let mut shortest = if is_soak() {
        variant.shortest(&base, FOR_A_SHORT_STORY.max(first + 1), (1, 1))
    } else {
        variant.shortest(&base, first + 1, (first + 1, first + 1))
    };
    if shortest.faults.len() > FAULTS {
        shortest = variant.shortest(&base, FOR_A_SHORT_STORY.max(first + 1), (1, 1));
    }
    let story = if shortest.faults.is_empty() {
        "no fault".to_owned()
    } else {
        shortest.faults.iter().map(told).collect::<Vec<_>>().join("; ")
    };
    println!(
        "| `{}` of `{}` | {} | `{}`{} | {} | {} | {story}: {} |",
        variant.name,
        variant.original,
        variant.wrong.trim_end_matches('.'),
        variant.kind.name(),
        if variant.blame == Blame::Accepted { ", accepted" } else { "" },
        first + 1,
        shortest.faults.len(),
        shortest.text
    );
    assert!(shortest.faults.len() <= FAULTS, "{name}: {:?}", shortest.faults);
}

fn told(fault: &Fault) -> String {
    let node = fault.node.as_ref().map_or(String::new(), |node| format!(" of {node}"));
    let seconds = |micros: i64| binlogsh::time::show_seconds((micros / 100_000) as f64 / 10.0);
    format!("{}{node} at {}", fault.kind.name(), seconds(fault.after.micros()))
}

macro_rules! caught {
    ($($name:ident),+ $(,)?) => {
        mod is_caught_within_ten_thousand_futures {
            $(#[test] fn $name() { super::is_caught(stringify!($name)); })+
        }

        #[test]
        fn every_variant_has_its_test() {
            let tested = [$(stringify!($name)),+];
            let dir = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/variants")).unwrap();
            for file in dir.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "rhai")) {
                let name = file.file_stem().unwrap().to_str().unwrap();
                assert!(tested.contains(&name), "{name}");
            }
        }
    };
}

caught! {
    all_at_once,
    begins_behind_the_next_commit,
    closes_pumps_before_tidb,
    closes_with_a_paused_drainer,
    closes_without_a_drainer,
    collects_what_is_needed,
    does_not_wait_for_offline,
    forgets_too_early,
    goes_on_after_a_timeout,
    holds_at_the_checkpoint,
    holds_nothing,
    ignores_a_refusal,
    ignores_ddl,
    leaves_the_drainer_running,
    looks_after_the_close,
    loops_for_ever,
    names_nothing,
    no_final_check,
    no_wait_after_pause,
    no_wait_until_back,
    pauses_again,
    relabels_what_hangs,
    starts_only_the_paused,
    swallows_the_timeout,
    trusts_the_record,
    wrong_order,
}
