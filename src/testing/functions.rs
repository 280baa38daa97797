//! The functions of `t`, the cluster that a test is given.

use super::test_cluster::{TestCluster, failed, unexpected};
use crate::error::{Error, ErrorKind, Result};
use crate::language::{from_script, thrown, to_script};
use crate::nearest::parse_named;
use indexmap::IndexMap;
use rhai::{Array, CustomType, Dynamic, Engine, EvalAltResult, Map, TypeBuilder};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What a test knows as `t`. Clones share it.
#[derive(Clone)]
pub(super) struct T(pub(super) Rc<RefCell<TestCluster>>);

type RhaiResult<R = ()> = std::result::Result<R, Box<EvalAltResult>>;

impl CustomType for T {
    fn build(mut builder: TypeBuilder<'_, Self>) {
        builder.with_name("Test");
    }
}

impl T {
    fn with<R>(&self, work: impl FnOnce(&mut TestCluster) -> Result<R>) -> RhaiResult<R> {
        work(&mut self.0.borrow_mut()).map_err(thrown)
    }
}

/// What a test can do with `t`: name with parameters, and what it is for.
pub(super) const ABOUT: &[(&str, &str)] = &[
    ("scenario(name)", "takes another cluster than the default sample: a sample, or a scenario file beside the test"),
    ("fault(kind)", "something goes wrong in what is run from now on; the kinds are those of `rehearse --faults`"),
    ("fault(kind, id)", "the same to a node"),
    ("fault(kind, id, #{ after, lasts })", "the same, so long after the start, and for so long"),
    ("limit(time)", "how much virtual time a script gets; a day if it is not said"),
    ("run(script)", "runs the script in a file beside the test; returns what came of it"),
    ("run(script, #{ name: value })", "the same with parameters"),
    ("run_code(code)", "runs code as a script: a function of a module, say"),
    ("expect_ok()", "the last script succeeded"),
    ("expect_error(kind)", "it failed with an error of this kind"),
    ("expect_error(kind, text)", "the same, and its message or hint has this in it"),
    ("expect_exit(code)", "its exit code"),
    ("expect_state(id, state)", "what a node's record says a minute after the script's end; `gone` without one"),
    ("expect_process(id, state)", "what its process is then: `down`, `starting`, `online`, `closing`, `hung`"),
    ("expect_effects([text, ...])", "it changed just this, in this order; each text is a part of what `effects` says"),
    ("expect_printed(text)", "it printed a line with this in it"),
    ("expect_asked(text)", "it would have asked something with this in it"),
    ("expect_shorter(time)", "it took this long at most"),
    ("expect_no_harm()", "it did no harm by the names of `rehearse`"),
    ("expect_story()", "its story is the one that `snapshots/` keeps; `binlogsh test --update` keeps it anew"),
    ("expect_story(name)", "the same, for a test with several"),
    ("states()", "what every node's record says then, by id"),
    ("effects()", "what it changed, or tried to, and what it had done by `manual` and `exec`, a text each"),
    ("printed()", "what it printed, line by line"),
    ("asked()", "what it would have asked, before its changes and by `confirm`; `manual` is no question"),
    ("story()", "its story, line by line"),
];

/// Teaches `engine` the functions of `t`.
pub(super) fn register(engine: &mut Engine) {
    engine.build_type::<T>();
    given(engine);
    expected(engine);
    told(engine);
}

fn given(engine: &mut Engine) {
    engine.register_fn("scenario", |t: &mut T, name: &str| t.with(|cluster| cluster.choose(name)));
    engine.register_fn("fault", |t: &mut T, kind: &str| fault(t, kind, None, Map::new()));
    engine.register_fn("fault", |t: &mut T, kind: &str, id: &str| fault(t, kind, Some(id), Map::new()));
    engine.register_fn("fault", |t: &mut T, kind: &str, id: &str, when: Map| fault(t, kind, Some(id), when));
    engine.register_fn("fault", |t: &mut T, kind: &str, when: Map| fault(t, kind, None, when));
    engine.register_fn("limit", |t: &mut T, time: Dynamic| {
        t.with(|cluster| {
            cluster.set_limit(duration(&time)?);
            Ok(())
        })
    });
    engine.register_fn("run", |t: &mut T, script: &str| run(t, script, Map::new()));
    engine.register_fn("run", run);
    engine.register_fn("run_code", |t: &mut T, code: &str| {
        t.with(|cluster| cluster.run_code(code))?;
        result(t)
    });
}

fn fault(t: &mut T, kind: &str, id: Option<&str>, when: Map) -> RhaiResult {
    t.with(|cluster| {
        let (mut after, mut lasts) = (Duration::ZERO, None);
        for (name, value) in &when {
            match name.as_str() {
                "after" => after = duration(value)?,
                "lasts" => lasts = Some(duration(value)?),
                other => {
                    return Err(Error::invalid(format!("fault has no option `{other}`")).hint("it has after and lasts"));
                }
            }
        }
        cluster.add_fault(kind, id.map(str::to_owned), after, lasts)
    })
}

fn run(t: &mut T, script: &str, parameters: Map) -> RhaiResult<Map> {
    let text = |value: &Dynamic| value.clone().into_string().unwrap_or_else(|_| value.to_string());
    let parameters: IndexMap<String, String> =
        parameters.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    t.with(|cluster| cluster.run(script, parameters))?;
    result(t)
}

/// What came of the last script, as a map. Whoever takes it has not yet looked at how it ended.
fn result(t: &T) -> RhaiResult<Map> {
    t.with(|cluster| {
        let ran = cluster.ran()?;
        let error = ran.error().map(|error| &error.error);
        let seconds = |micros: i64| Dynamic::from(micros as f64 / 1e6);
        let totals = ran.story.totals;
        let text = |text: Option<&str>| text.map_or(Dynamic::UNIT, |text| Dynamic::from(text.to_owned()));
        let fields = [
            ("exit_code", Dynamic::from(i64::from(ran.exit_code()))),
            ("outcome", Dynamic::from(ran.story.outcome.clone())),
            ("kind", text(error.map(|error| error.kind.name()))),
            ("message", text(error.map(|error| error.message.as_str()))),
            ("hint", text(error.and_then(|error| error.advice("")).as_deref())),
            ("value", to_script(ran.value())),
            ("duration", seconds(totals.duration)),
            ("halted", seconds(totals.halted)),
            ("blocked", seconds(totals.blocked)),
            ("writes", Dynamic::from(totals.writes as i64)),
            ("questions", Dynamic::from(totals.questions as i64)),
            ("by_hand", Dynamic::from(totals.by_hand as i64)),
        ];
        Ok(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    })
}

fn expected(engine: &mut Engine) {
    engine.register_fn("expect_ok", |t: &mut T| {
        t.with(|cluster| match cluster.look()?.error() {
            Some(error) => Err(unexpected(error)),
            None => code_is(cluster.ran()?.exit_code(), 0),
        })
    });
    engine.register_fn("expect_error", |t: &mut T, kind: &str| t.with(|cluster| error_is(cluster, kind, "")));
    engine.register_fn("expect_error", |t: &mut T, kind: &str, text: &str| {
        t.with(|cluster| error_is(cluster, kind, text))
    });
    engine.register_fn("expect_exit", |t: &mut T, code: i64| {
        t.with(|cluster| code_is(cluster.look()?.exit_code(), u8::try_from(code).map_err(|_| no_code(code))?))
    });
    engine.register_fn("expect_state", |t: &mut T, id: &str, state: &str| {
        t.with(|cluster| {
            let found = cluster.ran()?.record(id)?.map_or("gone".to_owned(), |state| state.to_string());
            is(&format!("the record of {id}"), &found, state)
        })
    });
    engine.register_fn("expect_process", |t: &mut T, id: &str, state: &str| {
        t.with(|cluster| is(&format!("the process of {id}"), cluster.ran()?.process(id)?.name(), state))
    });
    engine.register_fn("expect_effects", |t: &mut T, effects: Array| t.with(|cluster| effects_are(cluster, &effects)));
    engine.register_fn("expect_printed", |t: &mut T, text: &str| {
        t.with(|cluster| one_has("it printed", &cluster.ran()?.printed(), text))
    });
    engine.register_fn("expect_asked", |t: &mut T, text: &str| {
        t.with(|cluster| one_has("it would ask", &cluster.ran()?.asked(), text))
    });
    engine.register_fn("expect_shorter", |t: &mut T, time: Dynamic| {
        t.with(|cluster| cluster.expect_shorter(duration(&time)?))
    });
    engine.register_fn("expect_no_harm", |t: &mut T| {
        t.with(|cluster| match cluster.ran()?.story.harms.first() {
            Some(harm) => Err(failed(format!("it did harm: {}: {}", harm.kind.name(), harm.text))),
            None => Ok(()),
        })
    });
    engine.register_fn("expect_story", |t: &mut T| t.with(|cluster| cluster.expect_story(None)));
    engine.register_fn("expect_story", |t: &mut T, name: &str| t.with(|cluster| cluster.expect_story(Some(name))));
}

fn code_is(found: u8, code: u8) -> Result<()> {
    is("the exit code", &found.to_string(), &code.to_string())
}

fn no_code(code: i64) -> Error {
    Error::invalid(format!("{code} is no exit code")).hint("they go from 0 to 255")
}

fn is(what: &str, found: &str, expected: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(failed(format!("{what} is `{found}`, and is to be `{expected}`"))),
    }
}

fn one_has(what: &str, lines: &[String], text: &str) -> Result<()> {
    if lines.iter().any(|line| line.contains(text)) {
        return Ok(());
    }
    let all = if lines.is_empty() { "nothing".to_owned() } else { format!("\n  {}", lines.join("\n  ")) };
    Err(failed(format!("{what} nothing with `{text}` in it; {what} {all}")))
}

fn error_is(cluster: &mut TestCluster, kind: &str, text: &str) -> Result<()> {
    let kind = parse_named::<ErrorKind>("kind of error", kind)?.name();
    let ran = cluster.look()?;
    let Some(error) = ran.error().map(|error| &error.error) else {
        return Err(failed(format!("the script succeeded, and was to fail with `{kind}`")));
    };
    let said = format!("{} {}", error.message, error.advice("").unwrap_or_default());
    match error.kind.name() == kind && said.contains(text) {
        true => Ok(()),
        false => Err(failed(format!(
            "the script failed with {}: {}, and was to fail with {kind}: ...{text}...",
            error.kind.name(),
            error.message
        ))),
    }
}

fn effects_are(cluster: &mut TestCluster, expected: &Array) -> Result<()> {
    let found = cluster.ran()?.effects();
    let expected: Vec<String> = expected.iter().map(Dynamic::to_string).collect();
    let fits = found.len() == expected.len() && found.iter().zip(&expected).all(|(found, part)| found.contains(part));
    match fits {
        true => Ok(()),
        false => Err(failed(format!(
            "the effects are not as expected\n  expected: {}\n  found:    {}",
            expected.join("\n            "),
            found.join("\n            ")
        ))),
    }
}

fn told(engine: &mut Engine) {
    let list = |lines: Vec<String>| lines.into_iter().map(Dynamic::from).collect::<Array>();
    engine.register_fn("effects", move |t: &mut T| t.with(|cluster| Ok(list(cluster.ran()?.effects()))));
    engine.register_fn("printed", move |t: &mut T| t.with(|cluster| Ok(list(cluster.ran()?.printed()))));
    engine.register_fn("asked", move |t: &mut T| t.with(|cluster| Ok(list(cluster.ran()?.asked()))));
    engine.register_fn("story", move |t: &mut T| t.with(|cluster| Ok(list(cluster.ran()?.story.lines()))));
    engine.register_fn("states", |t: &mut T| {
        t.with(|cluster| {
            let ran = cluster.ran()?;
            let state = |id: &str| ran.record(id).map(|state| state.map_or("gone".into(), |state| state.to_string()));
            let states = ran.ids().map(|id| Ok((id.into(), Dynamic::from(state(id)?))));
            states.collect::<Result<Map>>()
        })
    });
}

fn duration(value: &Dynamic) -> Result<Duration> {
    from_script(value)?.duration()
}
