//! What a test is given as `t`: a cluster, what goes wrong in it, and what came of the script that was run.

use super::files::{self, TestFile};
use super::ran::Ran;
use super::run::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::language::{Settings, Source};
use crate::nearest::did_you_mean;
use crate::rehearsal::{Base, Bounds, Subjects, judged};
use crate::sim::{Fault, HOUR, Scenario, Span};
use crate::time::show_seconds;
use crate::world::FaultKind;
use indexmap::IndexMap;
use std::time::Duration;

/// How much virtual time a script gets, unless the test says otherwise.
const LIMIT: Duration = Duration::from_secs(24 * 3_600);

/// How many requests a script may make.
const CALLS: u64 = 1_000_000;

/// A test's cluster, and what came of the last script in it.
pub(super) struct Bed {
    file: TestFile,
    test: String,
    options: Options,
    scenario: Scenario,
    faults: Vec<Fault>,
    limit: Duration,
    last: Option<Ran>,
    /// Whether the test has looked at how the last script ended.
    looked: bool,
    interrupt: Interrupt,
}

impl Bed {
    /// The bed of the test called `test`: on the default sample, with nothing going wrong.
    ///
    /// # Errors
    /// Those of the sample, which is there.
    pub(super) fn new(file: &TestFile, test: &str, options: &Options, interrupt: Interrupt) -> Result<Self> {
        Ok(Self {
            file: file.clone(),
            test: test.to_owned(),
            options: options.clone(),
            scenario: Scenario::named("default")?,
            faults: Vec::new(),
            limit: LIMIT,
            last: None,
            looked: true,
            interrupt,
        })
    }

    /// Takes another cluster: a sample, or a scenario file beside the test. Nothing goes wrong in it yet.
    pub(super) fn choose(&mut self, name: &str) -> Result<()> {
        self.scenario = files::scenario(&self.file.dir(), name)?;
        self.faults.clear();
        Ok(())
    }

    /// Something goes wrong in what is run from now on.
    pub(super) fn add_fault(
        &mut self,
        kind: &str,
        node: Option<String>,
        after: Duration,
        lasts: Option<Duration>,
    ) -> Result<()> {
        let known = FaultKind::ALL.into_iter().find(|known| known.name() == kind);
        let kind = known.ok_or_else(|| {
            let names = FaultKind::ALL.map(FaultKind::name);
            let hint = did_you_mean(kind, names).unwrap_or_else(|| format!("the kinds are {}", names.join(", ")));
            Error::invalid(format!("there is no fault `{kind}`")).hint(hint)
        })?;
        self.faults.push(Fault { kind, node, node_kind: None, after: Span(after), lasts: lasts.map(Span) });
        Ok(())
    }

    /// How much virtual time a script gets.
    pub(super) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Runs the script in the file `name` beside the test.
    pub(super) fn run(&mut self, name: &str, parameters: IndexMap<String, String>) -> Result<()> {
        let source = files::script(&self.file.dir(), name)?;
        self.play(source, parameters)
    }

    /// Runs `code` as a script, which may import what the test may.
    pub(super) fn run_code(&mut self, code: &str) -> Result<()> {
        let source = Source { root: Some(self.file.dir()), ..Source::new("t.run_code", code) };
        self.play(source, IndexMap::new())
    }

    fn play(&mut self, source: Source, parameters: IndexMap<String, String>) -> Result<()> {
        self.is_settled()?;
        let settings = Settings { parameters, ..Settings::default() };
        let (scenario, interrupt) = (self.scenario.clone(), self.interrupt.clone());
        let subjects = Subjects { source, settings, scenario, interrupt };
        let bounds = Bounds { time: i64::try_from(self.limit.as_micros()).unwrap_or(1000 * HOUR), calls: CALLS };
        let plain = |error: crate::error::ScriptError| match error.place {
            Some(place) => {
                Error { message: format!("{} ({}:{})", error.error.message, place.file, place.line), ..error.error }
            }
            None => error.error,
        };
        let mut stage = subjects.stage().map_err(plain)?;
        let base = Base::play(&mut stage, bounds)?;
        let (played, truth, harms) = judged(&mut stage, &base.intended, &self.faults, bounds)?;
        self.last = Some(Ran::new(stage.start(), played, truth, &harms));
        self.looked = false;
        Ok(())
    }

    /// What came of the last script.
    ///
    /// # Errors
    /// `invalid` before any.
    pub(super) fn ran(&self) -> Result<&Ran> {
        self.last.as_ref().ok_or_else(|| {
            Error::invalid("nothing was run yet").hint("t.run(\"script.rhai\") or t.run_code(\"...\") comes first")
        })
    }

    /// The test looks at how the last script ended.
    pub(super) fn look(&mut self) -> Result<&Ran> {
        self.looked = true;
        self.ran()
    }

    /// A script that failed, and nobody looked, fails the test.
    ///
    /// # Errors
    /// `failed` with its error.
    pub(super) fn is_settled(&self) -> Result<()> {
        match self.last.as_ref().and_then(Ran::error) {
            Some(error) if !self.looked => Err(unexpected(error)),
            _ => Ok(()),
        }
    }

    /// The story of the last script, for people who want to know why a test failed.
    pub(super) fn story(&self) -> Option<Vec<String>> {
        self.last.as_ref().map(Ran::lines)
    }

    /// The story is the one that is kept; or, if that is what the options say, is kept from now on.
    ///
    /// # Errors
    /// `failed` when it is another one, or none is kept.
    pub(super) fn expect_story(&mut self, name: Option<&str>) -> Result<()> {
        let path = self.file.snapshot(&self.test, name);
        let mut story = self.look()?.lines().join("\n");
        story.push('\n');
        let kept = files::kept(&path)?;
        if kept.as_deref() == Some(story.as_str()) {
            return Ok(());
        }
        if self.options.update {
            return files::keep(&path, &story);
        }
        let update = "if the new story is right: binlogsh test --update";
        let Some(kept) = kept else {
            return Err(Error::new(ErrorKind::Failed, format!("no story is kept in {}", path.display())).hint(update));
        };
        let at = kept.lines().zip(story.lines()).take_while(|(old, new)| old == new).count();
        let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
        Err(Error::new(
            ErrorKind::Failed,
            format!(
                "the story is not the one in {}, from line {} on\n  kept: {}\n  now:  {}",
                path.display(),
                at + 1,
                line(&kept),
                line(&story)
            ),
        )
        .hint(update))
    }

    /// How long the last script took at most.
    pub(super) fn expect_shorter(&mut self, limit: Duration) -> Result<()> {
        let took = self.ran()?.story.totals.duration as f64 / 1e6;
        match took <= limit.as_secs_f64() {
            true => Ok(()),
            false => {
                let (took, limit) = (show_seconds(took), show_seconds(limit.as_secs_f64()));
                Err(failed(format!("it took {took}, and is to take {limit} at most")))
            }
        }
    }
}

/// What a test did not expect.
pub(super) fn failed(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Failed, what)
}

/// The script failed, and was not meant to.
pub(super) fn unexpected(error: &crate::error::ScriptError) -> Error {
    let place = error.place.as_ref().map_or(String::new(), |place| format!(" ({}:{})", place.file, place.line));
    let step = error.step.as_ref().map_or(String::new(), |step| format!(" in step `{step}`"));
    let what = format!("the script failed{step}: {}: {}{place}", error.error.kind.name(), error.error.message);
    failed(what).hint("if that is right, expect it: t.expect_error(\"KIND\", \"TEXT\")")
}
