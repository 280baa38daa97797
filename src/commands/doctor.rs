//! `doctor`: what is wrong with the cluster, or will be.
//!
//! The checks are the module `doctor` of the embedded library; this file puts its options together, runs it in a session
//! that can change nothing, and shows what it finds.

mod gauges;

use crate::cli::{Doctor, Global, OutputChoice};
use crate::commands::compose::{CommandContext, Work, announce, session, unattended_session};
use crate::commands::evaluate::language_settings;
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::journal::Memory;
use crate::language::{Ending, Interpreter, Prepared, Source};
use crate::output::{Columns, Format, Tone, to_json};
use crate::session::Session;
use crate::text::{ShownPath, on_one_line};
use crate::time::{Time, Zone, parse_duration, show_seconds};
use crate::value::{Fields, Value};
use crate::world::{Gate, read};
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long nodes are watched when nobody says how long; `doctor::settings` says the same.
const OBSERVE: &str = "10s";

/// What the script that looks is called.
const OWN_NAME: &str = "<doctor>";

/// The width of the margin, which has the severity.
const MARGIN: usize = 10;

/// Of how many Drainers the lag is drawn, those that are furthest behind.
const LAGS: usize = 10;

/// What the script that looks returns beside the findings, for people.
const LAGS_TOO: &str = "lags: doctor::lags(facts)";

/// Looks once, or again and again, and returns the exit code.
pub(super) fn main(context: CommandContext, args: &Doctor) -> Result<u8, ScriptError> {
    let global = Global { read_only: true, yes: None, ..context.global.clone() };
    let context = CommandContext { global, ..context };
    if context.global.output == Some(OutputChoice::OpenMetrics) {
        return gauges::write(&context, args);
    }
    let interval = args.watch.as_deref().map(|text| length("watch", text)).transpose()?;
    let source = source(args, LAGS_TOO)?;
    let observe = length("observe", args.observe.as_deref().unwrap_or(OBSERVE))?;
    if args.quiet {
        return quietly(&context, &source, observe);
    }
    let session = session(&context, Work::lines(None), Box::new(Memory::of_changes()))?;
    announce(&context);
    let mut looking = Looking::new(&context, session, &source, observe)?;
    match interval {
        None => {
            let seen = looking.look()?;
            show(&context, &seen, observe);
            Ok(exit_code(&seen.found))
        }
        Some(interval) => looking.watch(interval, args.rounds.unwrap_or(u64::MAX)),
    }
}

/// Looks once, and tells people nothing where nothing is found; programs want their document all the same.
fn quietly(context: &CommandContext, source: &Source, observe: Duration) -> Result<u8, ScriptError> {
    let session = unattended_session(context, Work::lines(None))?;
    let seen = Looking::new(context, session, source, observe)?.look()?;
    if !seen.found.is_empty() || context.output.format().is_for_programs() {
        announce(context);
        show(context, &seen, observe);
    }
    Ok(exit_code(&seen.found))
}

/// The exit code when `doctor` itself failed: that of another command could be taken for one of what was found.
pub(super) fn failed(error: &Error) -> u8 {
    match error.kind {
        ErrorKind::Interrupted => error.exit_code(),
        ErrorKind::Failed
        | ErrorKind::NotFound
        | ErrorKind::Invalid
        | ErrorKind::Rejected
        | ErrorKind::Refused
        | ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::Conflict
        | ErrorKind::Locked
        | ErrorKind::LockLost
        | ErrorKind::HoldLost
        | ErrorKind::InDoubt
        | ErrorKind::Diverged
        | ErrorKind::Local
        | ErrorKind::Harm
        | ErrorKind::NoEnd
        | ErrorKind::Internal => Doctor::FAILED,
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
struct Finding {
    critical: bool,
    check: String,
    node: String,
    what: String,
    otherwise: String,
    remedy: String,
    /// The alert rule that fires for the same cause; empty where there is none.
    alert: String,
    /// It as the script gave it.
    value: Value,
}

impl Finding {
    /// Reads what a check gave.
    fn of(value: Value) -> Result<Self> {
        let Value::Map(fields) = &value else {
            return Err(Error::invalid(format!("a check found {}, which is no finding", value.type_name()))
                .hint("give an array of findings::warning(...) and findings::critical(...)"));
        };
        let text = |name: &str| match fields.get(name) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(Error::invalid(format!("a finding has no text `{name}`"))
                .hint("make it with findings::warning(...) or findings::critical(...)")),
        };
        let critical = match text("severity")?.as_str() {
            "critical" => true,
            "warning" => false,
            other => {
                return Err(Error::invalid(format!("a finding has the severity `{other}`"))
                    .hint("it is `warning` or `critical`"));
            }
        };
        let [check, node, what] = ["check", "node", "what"].map(text);
        let [otherwise, remedy] = ["otherwise", "remedy"].map(text);
        let [check, node, what, otherwise, remedy] = [check?, node?, what?, otherwise?, remedy?];
        // One that somebody made by hand may name none.
        let alert = if fields.contains_key("alert") { text("alert")? } else { String::new() };
        Ok(Self { critical, check, node, what, otherwise, remedy, alert, value })
    }

    /// The word for how bad it is.
    fn severity(&self) -> &'static str {
        if self.critical { "critical" } else { "warning" }
    }

    /// What makes it the same as one of another look, whose numbers may differ.
    fn identity(&self) -> (bool, &str, &str) {
        (self.critical, &self.check, &self.node)
    }

    /// On one line, whatever the ids in it hold: it must not look like another finding.
    fn line(&self) -> String {
        let who = if self.node.is_empty() { String::new() } else { format!("{}: ", self.node) };
        on_one_line(&format!("{who}{} [{}]", self.what, self.check)).into_owned()
    }

    /// Shows it in full.
    fn tell(&self, context: &CommandContext) {
        let tone = if self.critical { Tone::Bad } else { Tone::Odd };
        context.output.told(&format!("{:MARGIN$}", self.severity()), &self.line(), tone);
        context.output.told(&format!("{:MARGIN$}impact:   ", ""), &on_one_line(&self.otherwise), Tone::Plain);
        let remedy = self.remedy.replace("binlogsh run ", &context.typed("run "));
        context.output.told(&format!("{:MARGIN$}fix:      ", ""), &on_one_line(&remedy), Tone::Plain);
        if !self.alert.is_empty() {
            context.output.told(&format!("{:MARGIN$}alert:    ", ""), &on_one_line(&self.alert), Tone::Plain);
        }
    }
}

/// Somebody who looks.
struct Looking<'a> {
    context: &'a CommandContext,
    session: Rc<RefCell<Session>>,
    interpreter: Interpreter,
    prepared: Prepared,
    observe: Duration,
}

impl<'a> Looking<'a> {
    fn new(
        context: &'a CommandContext,
        session: Rc<RefCell<Session>>,
        source: &Source,
        observe: Duration,
    ) -> Result<Self, ScriptError> {
        let mut interpreter = Interpreter::new(session.clone(), language_settings()?);
        let prepared = interpreter.prepare(source)?;
        Ok(Self { context, session, interpreter, prepared, observe })
    }

    /// One look: everything that is found.
    fn look(&mut self) -> Result<Diagnosis, ScriptError> {
        diagnosis(self.interpreter.play(&self.prepared))
    }

    /// Looks `rounds` times and tells what has come and gone; a look that fails is told as well. The exit code is that of the last.
    fn watch(&mut self, interval: Duration, rounds: u64) -> Result<u8, ScriptError> {
        let mut known: Option<Vec<Finding>> = None;
        let mut code = Doctor::FAILED;
        for round in 1..=rounds {
            match self.look() {
                Ok(Diagnosis { found, .. }) => {
                    self.tell(known.as_deref(), &found)?;
                    code = exit_code(&found);
                    known = Some(found);
                }
                Err(error) if matches!(error.error.kind, ErrorKind::Unreachable | ErrorKind::Timeout) => {
                    let error = &error.error;
                    self.context.output.warning(&format!("{}: no look was possible: {error}", self.time()?));
                    code = Doctor::FAILED;
                }
                Err(error) => return Err(error),
            }
            if round < rounds {
                let gate: &mut dyn Gate = &mut *self.session.borrow_mut();
                gate.ask(read::Sleep { time: interval })?;
            }
        }
        Ok(code)
    }

    /// Tells how what was `found` differs from what is `known`: all of it the first time.
    fn tell<'b>(&self, known: Option<&'b [Finding]>, found: &'b [Finding]) -> Result<()> {
        let (context, time) = (self.context, self.time()?);
        if context.output.format().is_for_programs() {
            let findings: Vec<_> = found.iter().map(|finding| to_json(&finding.value)).collect();
            context.output.document_line(&serde_json::json!({ "at": time.to_string(), "findings": findings }));
            return Ok(());
        }
        let Some(known) = known else {
            context.output.told(&format!("{time}: "), &summary(found, self.observe), Tone::Plain);
            found.iter().for_each(|finding| finding.tell(context));
            return Ok(());
        };
        let identities = |all: &'b [Finding]| all.iter().map(Finding::identity).collect::<HashSet<_>>();
        let (before, after) = (identities(known), identities(found));
        let new: Vec<_> = found.iter().filter(|one| !before.contains(&one.identity())).collect();
        let gone: Vec<_> = known.iter().filter(|one| !after.contains(&one.identity())).collect();
        if !new.is_empty() || !gone.is_empty() {
            context.output.told(&format!("{time}: "), &summary(found, self.observe), Tone::Plain);
        }
        for finding in gone {
            context.output.told(&format!("{:MARGIN$}", "gone"), &finding.line(), Tone::Note);
        }
        new.iter().for_each(|finding| finding.tell(context));
        Ok(())
    }

    /// This host's time.
    fn time(&self) -> Result<Time> {
        let gate: &mut dyn Gate = &mut *self.session.borrow_mut();
        Ok(Time::new(gate.ask(read::Now)?.unix_ms / 1000 * 1000, Zone::Utc))
    }
}

/// What one look shows.
struct Diagnosis {
    /// What is wrong, the critical first.
    found: Vec<Finding>,
    /// How far each Drainer was behind, the furthest first.
    lags: Vec<DrawnLag>,
}

/// How far a Drainer was behind while it was watched.
struct DrawnLag {
    drainer: String,
    seconds: f64,
    over: String,
}

/// Reads what our script gave.
fn diagnosis(ended: Result<Ending, ScriptError>) -> Result<Diagnosis, ScriptError> {
    let mut seen = fields(ended)?;
    let found = findings(&mut seen)?;
    let lags = match seen.swap_remove("lags") {
        Some(Value::List(lags)) => lags.iter().filter_map(DrawnLag::of).collect(),
        _ => Vec::new(),
    };
    Ok(Diagnosis { found, lags })
}

/// What our script gave, by name.
fn fields(ended: Result<Ending, ScriptError>) -> Result<Fields, ScriptError> {
    match ended.map_err(without_our_place)? {
        Ending::Value(Value::Map(seen)) => Ok(seen),
        Ending::Value(other) => Err(Error::internal(format!("doctor's own script gave {}", other.type_name())).into()),
        Ending::Exit(code) => Err(Error::invalid(format!("a check ended everything with exit({code})")).into()),
    }
}

/// What is wrong, the critical first.
fn findings(seen: &mut Fields) -> Result<Vec<Finding>> {
    let mut found = match seen.swap_remove("found").unwrap_or(Value::Unit) {
        Value::List(found) => found.into_iter().map(Finding::of).collect::<Result<Vec<_>>>()?,
        other => {
            let message = format!("the checks gave {}, which is no array of findings", other.type_name());
            return Err(Error::invalid(message));
        }
    };
    found.sort_by_key(|finding| !finding.critical);
    Ok(found)
}

impl DrawnLag {
    fn of(value: &Value) -> Option<Self> {
        let Value::Map(fields) = value else { return None };
        match (fields.get("drainer")?, fields.get("lag")?, fields.get("over")?) {
            (Value::Text(drainer), Value::Float(seconds), Value::Text(over)) => {
                Some(Self { drainer: drainer.clone(), seconds: *seconds, over: over.clone() })
            }
            _ => None,
        }
    }

    fn line(&self) -> String {
        format!("{} {}  {}", on_one_line(&self.drainer), show_seconds(self.seconds), self.over)
    }
}

/// What is found about one node, as a table: one look with the usual thresholds. What concerns others is counted.
pub(super) fn about(session: Rc<RefCell<Session>>, id: &str) -> Result<Value, ScriptError> {
    let mut interpreter = Interpreter::new(session, language_settings()?);
    let prepared = interpreter.prepare(&source(&Doctor::default(), LAGS_TOO)?)?;
    let Diagnosis { found, .. } = diagnosis(interpreter.play(&prepared))?;
    let (about, others): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(|finding| finding.node == id);
    let row = |finding: &Finding| {
        Value::map([
            ("severity", finding.severity().into()),
            ("what", finding.line().into()),
            ("impact", finding.otherwise.as_str().into()),
            ("fix", finding.remedy.as_str().into()),
        ])
    };
    let others = i64::try_from(others.len()).unwrap_or(i64::MAX);
    let found = match about.as_slice() {
        [] => Value::from("nothing"),
        [one] => row(one),
        several => Value::List(several.iter().map(row).collect()),
    };
    match found {
        Value::Map(mut one) => {
            one.insert("about others".into(), others.into());
            Ok(Value::Map(one))
        }
        found => Ok(Value::map([("found", found), ("about others", others.into())])),
    }
}

/// Where in our own checks something failed is of no use to anybody; where in theirs is.
fn without_our_place(error: ScriptError) -> ScriptError {
    let place = error.place.filter(|place| place.file != OWN_NAME && !place.file.starts_with("stdlib:"));
    ScriptError { place, ..error }
}

/// Shows everything that was found.
fn show(context: &CommandContext, seen: &Diagnosis, observe: Duration) {
    let found = seen.found.as_slice();
    if context.output.format() == Format::Csv {
        let rows = found.iter().map(|finding| finding.value.clone()).collect();
        let names = &["severity", "check", "node", "what", "otherwise", "remedy", "alert"];
        return context.output.rows(rows, Columns { names, ..Columns::default() });
    }
    if context.output.format() != Format::Table {
        context.output.value(&Value::List(found.iter().map(|finding| finding.value.clone()).collect()));
        return;
    }
    found.iter().for_each(|finding| finding.tell(context));
    for (at, lag) in seen.lags.iter().take(LAGS).enumerate() {
        let head = if at == 0 { "lag" } else { "" };
        context.output.told(&format!("{head:MARGIN$}"), &lag.line(), Tone::Plain);
    }
    if let Some(more) = seen.lags.len().checked_sub(LAGS).filter(|more| *more > 0) {
        context.output.told(&format!("{:MARGIN$}", ""), &format!("{more} more, less far behind"), Tone::Plain);
    }
    context.output.told("", &summary(found, observe), Tone::Plain);
}

fn summary(found: &[Finding], observe: Duration) -> String {
    let critical = found.iter().filter(|finding| finding.critical).count();
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let parts = [counted(critical, "critical", "critical"), counted(found.len() - critical, "warning", "warnings")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let what = if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") };
    match observe.is_zero() {
        true => format!("{what}; nothing was watched"),
        false => format!("{what}; watched for {}", show_seconds(observe.as_secs_f64())),
    }
}

fn exit_code(found: &[Finding]) -> u8 {
    match found.iter().map(|finding| finding.critical).max() {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

/// The script that looks, with the options of the command line in it, and what it returns beside the findings.
fn source(args: &Doctor, beside: &str) -> Result<Source> {
    let lengths = [
        ("observe", &args.observe),
        ("heartbeat", &args.heartbeat),
        ("stall", &args.stall),
        ("lag", &args.lag),
        ("gc", &args.gc),
        ("clock", &args.clock),
        ("certificates", &args.certificates),
    ];
    let mut options = Vec::new();
    for (name, text) in lengths {
        if let Some(text) = text {
            options.push(format!("{name}: {:?}", length(name, text)?.as_secs_f64()));
        }
    }
    options.extend(args.disk.map(|disk| format!("disk: {disk}")));
    let options = options.join(", ");
    let Some(file) = &args.checks else {
        let code = format!(
            "import \"doctor\" as doctor;\nlet facts = doctor::look(#{{ {options} }});\n\
             #{{ found: doctor::check(facts), {beside} }}"
        );
        return Ok(Source::new(OWN_NAME, code));
    };
    if !super::read_text(file)?.contains("fn check(") {
        return Err(Error::invalid(format!("--checks {}: there is no function `check(facts)` in it", file.shown()))
            .hint("it takes what doctor::look returns, and returns an array of findings: see docs/doctor.md"));
    }
    let module = module_name(file)?;
    let code = format!(
        "import \"doctor\" as doctor;\nimport \"./{module}\" as own;\n\
         let facts = doctor::look(#{{ {options} }});\n\
         #{{ found: doctor::check(facts) + own::check(facts), {beside} }}"
    );
    let root = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Source { root: Some(root.to_owned()), ..Source::new(OWN_NAME, code) })
}

/// What a module in `file` is imported as.
fn module_name(file: &Path) -> Result<&str> {
    let name = file.file_name().and_then(|name| name.to_str()).filter(|name| !name.contains(['"', '\\', '\n']));
    name.ok_or_else(|| Error::invalid(format!("--checks {}: it cannot be imported by that name", file.shown())))
}

/// The length of time that the option `name` gives.
fn length(name: &str, text: &str) -> Result<Duration> {
    parse_duration(text).map_err(|error| Error { message: format!("--{name}: {}", error.message), ..error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_finding_says_what_one_is() {
        for value in [Value::Int(1), Value::map([("severity", "bad".into())])] {
            let error = Finding::of(value).unwrap_err();
            assert!(error.hint.is_some(), "{error}");
        }
    }

    #[test]
    fn a_length_that_is_none_names_its_option() {
        let args = Doctor { lag: Some("soon".into()), ..Doctor::default() };
        assert!(source(&args, LAGS_TOO).unwrap_err().message.starts_with("--lag: "));
    }
}
