//! A store of which parts are gone or altered: an error that names the file, or what was written, or an earlier state
//! of it. Never a panic, never an entry that nobody wrote; and what is damaged is kept before anything is written.

use super::*;
use binlogsh::error::Error;
use binlogsh::journal::store::{LoadedRun, RunFilter, RunLine};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use std::fs;

/// What is drawn is drawn from this.
const SEED: u128 = 20_261_123;

/// The files of a store.
const FILES: [&str; 2] = ["runs.db", "runs.db-wal"];

/// What a whole store says of its runs.
#[derive(Clone, Debug, PartialEq)]
struct StoryLine {
    list: Vec<RunLine>,
    runs: Vec<LoadedRun>,
}

impl StoryLine {
    fn by(file: &Path) -> Result<Self, Error> {
        let Some(store) = Store::open_if_there(file)? else { return Ok(Self { list: Vec::new(), runs: Vec::new() }) };
        let list = store.runs(&RunFilter::default())?;
        let runs = list.iter().map(|line| store.load(&line.id)).collect::<Result<_, _>>()?;
        Ok(Self { list, runs })
    }

    /// Whether it is `earlier` or a journal of it was cut, and says so.
    fn is(&self, earlier: &Self) -> bool {
        let same = |(one, whole): (&LoadedRun, &LoadedRun)| {
            let prefix = one.entries.len() <= whole.entries.len()
                && one.entries == whole.entries[..one.entries.len()]
                && one.lost_tail > 0;
            one == whole || (one.head == whole.head && one.line == whole.line && prefix)
        };
        self.list == earlier.list && self.runs.iter().zip(&earlier.runs).all(same)
    }
}

/// How much a store holds.
#[derive(Clone, Copy, PartialEq)]
enum Size {
    /// One run that was stopped, with two changes.
    Small,
    /// Three runs, their ends, and reads that fill pages.
    Large,
}

/// The bytes of a store's files at one moment, and what it had said at every moment before.
struct Specimen {
    files: Vec<(&'static str, Vec<u8>)>,
    states: Vec<StoryLine>,
}

impl Specimen {
    /// With the log beside the database, as a process that was killed leaves it; or without, as one that ended does.
    fn grow(with_log: bool, size: Size) -> Self {
        let (_dir, file) = place();
        let mut states = vec![StoryLine::by(&file).unwrap()];
        let mut tell = || states.push(StoryLine::by(&file).unwrap());
        let runs = match size {
            Size::Small => vec![(3, None)],
            Size::Large => vec![(1, Some(done())), (2, Some(failed())), (3, None)],
        };
        for (n, ending) in runs {
            let mut journal = script(&file, n);
            for change in if size == Size::Small { 2..4 } else { 0..4 } {
                (0..if size == Size::Small { 1 } else { u64::from(n) * 2 })
                    .for_each(|i| read(&mut journal, change * 10 + i));
                begin(&mut journal, change);
                tell();
                if (n, change) != (3, 3) {
                    finish_change(&mut journal, change);
                    tell();
                }
            }
            if let Some(ending) = ending {
                journal.finish(ending).unwrap();
                tell();
            }
            if with_log && n == 3 {
                let files = FILES.iter().map(|name| (*name, fs::read(file.with_file_name(name)).unwrap())).collect();
                return Self { files, states };
            }
        }
        assert!(!file.with_file_name(FILES[1]).exists());
        Self { files: vec![(FILES[0], fs::read(&file).unwrap())], states }
    }

    /// Lays out the files, with `harm` done to one of them.
    fn lay_out(&self, at: usize, harm: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
        let (dir, file) = place();
        fs::create_dir(file.parent().unwrap()).unwrap();
        let mut files = self.files.clone();
        harm(&mut files[at].1);
        for (name, bytes) in &files {
            fs::write(file.with_file_name(name), bytes).unwrap();
        }
        (dir, file)
    }

    /// Whether the harmed store says anything but an error.
    fn check(&self, file: &Path, what: &str) -> bool {
        let told = StoryLine::by(file);
        match &told {
            Ok(told) => assert!(self.states.iter().any(|state| told.is(state)), "{what}: it says {told:#?}"),
            Err(error) => assert!(error.message.contains(&file.display().to_string()), "{what}: {error}"),
        }
        told.is_ok()
    }

    /// A run begins in the harmed store: it is kept whole, and so is what was set aside for it.
    fn check_next_run(&self, file: &Path, what: &str) {
        // A log without anything in it is as good as none.
        let bytes = |path: PathBuf| fs::read(path).unwrap_or_default();
        let before = FILES.map(|name| bytes(file.with_file_name(name)));
        let mut journal = script(file, 9);
        read(&mut journal, 1);
        if let Err(error) = journal.began(&change(1), &[], None) {
            assert!(error.message.contains(&file.display().to_string()), "{what}: {error}");
            return;
        }
        finish_change(&mut journal, 1);
        if let Some(kept) = journal.set_aside() {
            let kept = kept.display().to_string();
            let after = ["", "-wal"].map(|end| bytes(format!("{kept}{end}").into()));
            assert!(after == before, "{what}: what was set aside is not as it was");
        }
        drop(journal);
        match open(file).load(&id(9)) {
            Ok(run) => assert_eq!(outcomes(&run.entries), ["read 1", "did pump-1"], "{what}"),
            Err(error) => assert!(error.message.contains(&file.display().to_string()), "{what}: {error}"),
        }
    }
}

#[test]
fn a_whole_store_says_what_was_written() {
    for with_log in [false, true] {
        let specimen = Specimen::grow(with_log, Size::Large);
        let (_dir, file) = specimen.lay_out(0, |_| {});
        assert_eq!(StoryLine::by(&file).unwrap(), *specimen.states.last().unwrap());
    }
}

/// Cuts both files off after each length that is `met`.
fn cut_off(specimen: &Specimen, met: impl Fn(usize) -> bool) {
    for (at, (name, bytes)) in specimen.files.iter().enumerate() {
        for length in (0..bytes.len()).filter(|length| met(*length)) {
            let what = format!("{name} cut off after {length} of {} bytes", bytes.len());
            let (_dir, file) = specimen.lay_out(at, |bytes| bytes.truncate(length));
            specimen.check(&file, &what);
            if length % 11 == 0 {
                specimen.check_next_run(&file, &what);
            }
        }
    }
}

#[test]
fn a_store_that_was_cut_off_anywhere_is_an_error_or_an_earlier_state() {
    for with_log in [false, true] {
        // Both meet every offset within a page in the end; the first bytes say what the file is.
        cut_off(&Specimen::grow(with_log, Size::Large), |length| length < 110 || length % 3989 == 0);
        let all = number("BINLOGSH_SOAK").is_some();
        cut_off(&Specimen::grow(with_log, Size::Small), |length| all || length % 397 == 0);
    }
}

#[test]
fn a_store_with_an_altered_byte_is_an_error_or_a_true_or_an_earlier_state() {
    let flips = if number("BINLOGSH_SOAK").is_some() { 10_000 } else { 600 };
    let specimens = [Specimen::grow(false, Size::Large), Specimen::grow(true, Size::Large)];
    let mut dice = Pcg64Mcg::from_seed(SEED.to_le_bytes());
    let mut errors = 0;
    for round in 0..flips {
        let specimen = &specimens[round % 2];
        let at = round / 2 % specimen.files.len();
        let (name, bytes) = &specimen.files[at];
        // A quarter of them where the most is said in the least: the header and the tables' roots.
        let bound = if round % 8 < 2 { 4096.min(bytes.len()) } else { bytes.len() };
        let offset = usize::try_from(dice.next_u64()).unwrap() % bound;
        let mask = 1 + u8::try_from(dice.next_u64() % 255).unwrap();
        let what = format!("flip {round}: byte {offset} of {name} with {mask:#04x}");
        let (_dir, file) = specimen.lay_out(at, |bytes| bytes[offset] ^= mask);
        errors += usize::from(!specimen.check(&file, &what));
        if round % 5 == 0 {
            let (_dir, file) = specimen.lay_out(at, |bytes| bytes[offset] ^= mask);
            specimen.check_next_run(&file, &what);
        }
    }
    assert!(
        (flips / 5..flips * 4 / 5).contains(&errors),
        "of {flips} flips {errors} were noticed: too few, or too many"
    );
}
