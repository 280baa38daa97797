//! What a test is given as `t`: a cluster, what goes wrong in it, and what came of the script that was run.

use super::files::{self, TestFile};
use super::ran::RehearsedScript;
use super::run::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::language::{ScriptSettings, Source};
use crate::nearest::{did_you_mean, parse_named};
use crate::rehearsal::{Base, Bounds, Played, Stage, Subjects, judged};
use crate::secret::Secret;
use crate::sim::{Cluster, Fault, HOUR, LogEvent, Scenario, Span};
use crate::text::{ShownPath, Untrusted};
use crate::time::show_seconds;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// How much virtual time a script gets, unless the test says otherwise.
const LIMIT: Duration = Duration::from_secs(24 * 3_600);

/// How many requests a script may make.
const CALLS: u64 = 1_000_000;

/// A test's cluster, and what came of the last script in it.
pub(super) struct TestCluster {
    file: TestFile,
    test: String,
    options: Options,
    scenario: Scenario,
    faults: Vec<Fault>,
    limit: Duration,
    last: Option<RehearsedScript>,
    /// Whether the test has looked at how the last script ended.
    looked: bool,
    interrupt: Interrupt,
}

impl TestCluster {
    /// The cluster of the test called `test`: on the default sample, with nothing going wrong.
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
        let kind = parse_named("fault", kind)?;
        let fault = Fault {
            kind,
            node: node.map(Untrusted::from),
            node_kind: None,
            after: Span(after),
            lasts: lasts.map(Span),
        };
        match Cluster::new(&self.scenario)?.add_fault(fault.clone()) {
            // The script may start it: that is known once it has run.
            Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
            _ => self.faults.push(fault),
        }
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
        let (parameters, secrets) = with_secrets(&source, parameters);
        let limits = self.options.limits.clone();
        let settings = ScriptSettings { parameters, secrets, limits, ..ScriptSettings::default() };
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
        self.victims_come(&mut stage, &base)?;
        let (played, truth, harms) = judged(&mut stage, &base.intended, &self.faults, bounds)?;
        let idle = self.idle(stage.start(), &played);
        self.last = Some(RehearsedScript::new(stage.start(), played, truth, &harms));
        self.looked = false;
        idle.map_or(Ok(()), Err)
    }

    /// Every fault happens to a node that is there, or that the script starts when nothing goes wrong.
    fn victims_come(&self, stage: &mut Stage, base: &Base) -> Result<()> {
        let ids = |cluster: &Cluster| -> BTreeSet<String> {
            cluster.everybody().map(|who| cluster.id_of(who).to_owned()).collect()
        };
        let (there, all) = (ids(stage.start()), ids(&base.played.at_end));
        let nobody = self.faults.iter().find_map(|fault| {
            let id = fault.node.as_ref().filter(|id| !all.contains(id.as_str()))?;
            Some((fault.kind, id))
        });
        if let Some((kind, id)) = nobody {
            let names: Vec<&str> = all.iter().map(String::as_str).collect();
            let what =
                format!("t.fault(\"{}\", \"{id}\"): there is no such node, nor does the script start one", kind.name());
            let hint = did_you_mean(id, names.iter().copied()).unwrap_or_else(|| match names.is_empty() {
                true => "there is no node at all".into(),
                false => format!("there are {}", names.join(", ")),
            });
            return Err(Error::not_found(what).hint(hint));
        }
        stage.expect(all.difference(&there).cloned().collect());
        Ok(())
    }

    /// A fault whose time came, and that could do nothing then: the test would pass without it, too.
    fn idle(&self, start: &Cluster, played: &Played) -> Option<Error> {
        let first = start.faults().len();
        let began = |at: usize| played.after.log().iter().any(|happening| happening.what == LogEvent::FaultBegan(at));
        let mut due = self.faults.iter().enumerate().filter(|(_, fault)| fault.after.micros() <= played.ended_at());
        let (_, fault) = due.find(|(at, _)| !began(first + at))?;
        let whose = fault.node.as_ref().map_or(String::new(), |id| format!(" of {id}"));
        let after = show_seconds(fault.after.micros() as f64 / 1e6);
        let what = format!("nothing came of the fault `{}`{whose} after {after}", fault.kind.name());
        Some(failed(what).hint("its node was not there yet, had no process, or was so already: choose another time"))
    }

    /// What came of the last script.
    ///
    /// # Errors
    /// `invalid` before any.
    pub(super) fn ran(&self) -> Result<&RehearsedScript> {
        self.last.as_ref().ok_or_else(|| {
            Error::invalid("nothing was run yet").hint("t.run(\"script.rhai\") or t.run_code(\"...\") comes first")
        })
    }

    /// The test looks at how the last script ended.
    pub(super) fn look(&mut self) -> Result<&RehearsedScript> {
        self.looked = true;
        self.ran()
    }

    /// A script that failed, or ended with an exit code other than 0, and nobody looked, fails the test.
    ///
    /// # Errors
    /// `failed` with its error or its exit code.
    pub(super) fn is_settled(&self) -> Result<()> {
        let Some(ran) = self.last.as_ref().filter(|_| !self.looked) else { return Ok(()) };
        match (ran.error(), ran.exit_code()) {
            (Some(error), _) => Err(unexpected(error)),
            (None, 0) => Ok(()),
            (None, code) => Err(failed(format!("the script ended with exit code {code}"))
                .hint(format!("if that is right, expect it: t.expect_exit({code})"))),
        }
    }

    /// The story of the last script, for people who want to know why a test failed.
    pub(super) fn story(&self) -> Option<Vec<String>> {
        self.last.as_ref().map(|ran| ran.story.lines())
    }

    /// The story is the one that is kept; or, if that is what the options say, is kept from now on.
    ///
    /// # Errors
    /// `failed` when it is another one, or none is kept.
    pub(super) fn expect_story(&mut self, name: Option<&str>) -> Result<()> {
        let path = self.file.snapshot(&self.test, name);
        let mut story = self.look()?.story.lines().join("\n");
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
            return Err(failed(format!("no story is kept in {}", path.shown())).hint(update));
        };
        let at = kept.lines().zip(story.lines()).take_while(|(old, new)| old == new).count();
        let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
        let (file, from, kept, now) = (path.shown(), at + 1, line(&kept), line(&story));
        let what = format!("the story is not the one in {file}, from line {from} on\n  kept: {kept}\n  now:  {now}");
        Err(failed(what).hint(update))
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

/// The secret parameters of a script apart from the others: as the test gives them, or made up.
fn with_secrets(
    source: &Source,
    mut given: IndexMap<String, String>,
) -> (IndexMap<String, String>, IndexMap<String, Secret>) {
    let doc = Stage::describe(source).ok();
    let names = doc.iter().flat_map(|doc| doc.secrets()).map(|secret| secret.name.clone());
    let secrets = names.map(|name| {
        let text = given.shift_remove(&name).unwrap_or_else(|| Secret::MADE_UP.to_owned());
        (name, Secret::Plain(text))
    });
    let secrets = secrets.collect();
    (given, secrets)
}
