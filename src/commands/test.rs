//! `test`: the tests of scripts.

use crate::cli::Test;
use crate::commands::compose::CommandContext;
use crate::commands::evaluate::language_settings;
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::files::{self, FileMode, IfThere};
use crate::live::clock::Stopwatch;
use crate::output::{Format, Output, Tone, for_people};
use crate::rehearsal::check_target;
use crate::testing::{Options, TestFile, TestVerdict, discover, run};
use crate::text::{ShownPath, on_lines, on_one_line};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs the tests, and tells what came of them.
pub(super) fn main(context: &CommandContext, args: &Test) -> Result<u8> {
    if let Some(file) = &args.junit {
        check_target("the JUnit report", file)?;
    }
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let (mut files, mut unreadable): (Vec<TestFile>, Vec<Error>) = (Vec::new(), Vec::new());
    for found in discover(&paths) {
        match found {
            Ok(file) => files.push(file),
            Err(error) => unreadable.push(error),
        }
    }
    // Nothing was named, or one directory: there are no verdicts beside which it could be told.
    if let ([], [error]) = (&*files, &*unreadable)
        && error.kind == ErrorKind::NotFound
        && paths.iter().all(|path| path.is_dir())
    {
        return Err(error.clone());
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = args.jobs.unwrap_or(processors);
    let limits = language_settings()?.limits;
    let options = Options { filter: args.filter.clone(), jobs, update: args.update, limits };
    let watch = Stopwatch::start();
    let seconds = || watch.elapsed().as_secs_f64();
    let verdicts = run(&files, &options, &context.interrupt, &seconds)?;
    if let Some(filter) = &args.filter
        && verdicts.is_empty()
        && unreadable.is_empty()
    {
        return Err(Error::not_found(format!("no test has `{filter}` in its name"))
            .hint("a test is called FILE::FUNCTION, as `binlogsh test` shows it"));
    }
    let failed = unreadable.len() + verdicts.iter().filter(|verdict| verdict.failure.is_some()).count();
    let passed = verdicts.len() + unreadable.len() - failed;
    match context.output.format() {
        Format::Json | Format::JsonLines => context.output.json_text(&document(&verdicts, &unreadable).to_string()),
        _ => tell(&context.output, &verdicts, &unreadable),
    }
    if !context.output.format().is_for_programs() {
        let tone = if failed == 0 { Tone::Strong } else { Tone::Bad };
        context.output.told("", &format!("{passed} passed, {failed} failed"), tone);
    }
    // Behind the verdicts: they are told also where no report can be kept.
    if let Some(file) = &args.junit {
        write(file, &junit(&verdicts, &unreadable)?)?;
    }
    Ok(u8::from(failed > 0))
}

fn tell(output: &Output, verdicts: &[TestVerdict], unreadable: &[Error]) {
    for verdict in verdicts {
        let Some(error) = &verdict.failure else {
            output.told("ok    ", &verdict.name(), Tone::Plain);
            continue;
        };
        output.told("FAIL  ", &verdict.name(), Tone::Bad);
        output.told("      ", on_lines(&for_people(error, false)).trim_end(), Tone::Plain);
        if !verdict.story.is_empty() {
            output.told("      ", "what the last script did:", Tone::Note);
            output.told("        ", &verdict.story.join("\n"), Tone::Faint);
        }
    }
    for error in unreadable {
        output.told("FAIL  ", &error.to_string(), Tone::Bad);
    }
}

fn document(verdicts: &[TestVerdict], unreadable: &[Error]) -> serde_json::Value {
    let one = |verdict: &TestVerdict| {
        json!({
            "file": verdict.file, "test": verdict.test, "passed": verdict.failure.is_none(), "error": verdict.failure,
            "story": verdict.story, "seconds": verdict.seconds,
        })
    };
    json!({
        "tests": verdicts.iter().map(one).collect::<Vec<_>>(),
        "unreadable": unreadable,
    })
}

/// The report that CI systems read.
fn junit(verdicts: &[TestVerdict], unreadable: &[Error]) -> Result<String> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for verdict in verdicts {
        let name = verdict.file.shown().to_string();
        if suites.last().is_none_or(|suite| suite.name.as_str() != name) {
            suites.push(TestSuite::new(name));
        }
        if let Some(suite) = suites.last_mut() {
            suite.add_test_case(case(verdict));
        }
    }
    let mut report = Report::new("binlogsh test");
    report.add_test_suites(suites);
    if !unreadable.is_empty() {
        let mut suite = TestSuite::new("(unreadable)");
        suite.add_test_cases(unreadable.iter().map(|error| {
            let error = ScriptError::from(error.clone());
            TestCase::new(on_one_line(&error.error.message).into_owned(), status(&error))
        }));
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|fault| Error::internal(format!("the JUnit report cannot be written: {fault}")))
}

fn case(verdict: &TestVerdict) -> TestCase {
    let name = if verdict.test.is_empty() { "(the file)" } else { &verdict.test };
    let mut case = TestCase::new(
        on_one_line(name).into_owned(),
        verdict.failure.as_ref().map_or(TestCaseStatus::success(), status),
    );
    case.set_time(Duration::try_from_secs_f64(verdict.seconds).unwrap_or_default());
    if !verdict.story.is_empty() {
        case.set_system_out(on_lines(&verdict.story.join("\n")).into_owned());
    }
    case
}

fn status(error: &ScriptError) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(on_lines(&error.error.message).into_owned());
    status.set_type(error.error.kind.name());
    status.set_description(for_people(error, false));
    status
}

fn write(path: &Path, text: &str) -> Result<()> {
    let written = files::write(path, text.as_bytes(), FileMode::Fresh(0o644), IfThere::Replace);
    written.map_err(|fault| fault.error(format!("cannot write the JUnit report {}", path.shown())))
}
