//! `check FILE...`: reads scripts without running them, and shows what is wrong with them.

mod files;

use crate::check::{CheckReport, Checked, Checker, RuleFinding, Unreadable, fixed, page, rules_markdown};
use crate::cli::Check;
use crate::commands::compose::CommandContext;
use crate::commands::run;
use crate::error::{ErrorKind, Place, Result};
use crate::language::{Source, masked};
use crate::output::{Format, Pointed};
use crate::testing;
use crate::value::Value;
use files::Found;
use std::path::Path;

/// Checks the files, or explains rules.
pub(super) fn main(context: &CommandContext, check: &Check) -> Result<u8> {
    if let Some(rule) = &check.explain {
        let text = rule.as_ref().map_or_else(|| Ok(rules_markdown()), |rule| page(rule))?;
        context.output.line(text.trim_end());
        return Ok(0);
    }
    let found = files::find(&check.files, &context.interrupt)?;
    let checker = Checker::default().heeding(&context.interrupt);
    let checker = checker.knowing_tests(testing::functions().map(|(signature, _)| signature));
    let mut report = CheckReport { unreadable: found.unreadable.clone(), ..CheckReport::default() };
    let mut mended = 0;
    for file in &found.scripts {
        context.interrupt.check()?;
        let source = match run::read(file, &context.interrupt) {
            Ok(source) => source,
            Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                report.unreadable.push(Unreadable { name: file.display().to_string(), error });
                continue;
            }
        };
        let (source, checked) = match check.fix {
            true => mend(context, &checker, file, source, &found, &mut mended)?,
            false => {
                let checked = checker.check(&source, &found.roots);
                (source, checked)
            }
        };
        context.interrupt.check()?;
        report.scripts.push((source.name, source.text, checked));
    }
    show(context, check.sarif, &report, mended);
    Ok(report.exit_code())
}

/// Checks a script, and fixes what can be: unless that would make it worse.
fn mend(
    context: &CommandContext,
    checker: &Checker,
    file: &Path,
    source: Source,
    found: &Found,
    mended: &mut usize,
) -> Result<(Source, Checked)> {
    let checked = checker.check(&source, &found.roots);
    let (text, count) = fixed(&source.text, &checked.findings);
    if count == 0 || source.root.is_none() {
        return Ok((source, checked));
    }
    let better = Source { text, ..source.clone() };
    let rechecked = checker.check(&better, &found.roots);
    context.interrupt.check()?;
    if !rechecked.compiles || rechecked.findings.len() >= checked.findings.len() {
        return Ok((source, checked));
    }
    files::replace(file, &source.text, &better.text)?;
    *mended += count;
    Ok((better, rechecked))
}

fn show(context: &CommandContext, sarif: bool, report: &CheckReport, mended: usize) {
    let output = &context.output;
    match output.format() {
        _ if sarif => output.document(&report.sarif()),
        Format::Json | Format::JsonLines => output.document(&report.json()),
        Format::Table => report.scripts.iter().for_each(|(file, text, checked)| {
            let text = masked(text);
            checked.findings.iter().for_each(|finding| point(context, file, &text, finding));
        }),
        Format::Csv | Format::Vertical => output.value(&Value::List(report.findings().map(row).collect())),
    }
    for file in &report.unreadable {
        output.warning(&format!("not checked: {}", file.error));
    }
    if mended > 0 {
        output.remark(&format!("fixed {}", counted(mended, "name")));
    }
    let (errors, warnings) = report.counts();
    let files = counted(report.scripts.len(), "script");
    output.remark(&match (errors, warnings) {
        (0, 0) => format!("nothing found in {files}"),
        _ => format!("{} and {} in {files}", counted(errors, "error"), counted(warnings, "warning")),
    });
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn point(context: &CommandContext, file: &str, text: &str, finding: &RuleFinding) {
    let line = text.lines().nth(finding.at.line.saturating_sub(1)).unwrap_or_default();
    let (line_number, column) = (finding.at.line, Some(finding.at.column));
    let place = Place { file: file.to_owned(), line: line_number, column, text: line.to_owned() };
    context.output.pointed(&Pointed {
        label: finding.rule.severity.name(),
        name: finding.rule.name,
        message: &finding.message,
        place: &place,
        width: finding.width,
        hint: finding.hint.as_deref(),
    });
}

fn row((file, _, finding): (&str, &str, &RuleFinding)) -> Value {
    let number = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    Value::map([
        ("file", file.into()),
        ("line", number(finding.at.line)),
        ("column", number(finding.at.column)),
        ("severity", finding.rule.severity.name().into()),
        ("rule", finding.rule.name.into()),
        ("message", finding.message.as_str().into()),
        ("hint", finding.hint.as_deref().map(Value::from).into()),
    ])
}
