//! `-e CODE`, and code piped to standard input.

use crate::commands::compose::{CommandContext, Work, session};
use crate::commands::runs::Keeping;
use crate::commands::topics::topics;
use crate::commands::{read_standard_input, while_others_work};
use crate::config::{MAX_MEMORY, MAX_OPERATIONS};
use crate::error::{Error, Result, ScriptError};
use crate::language::tree::{ExprKind, Parser, Stmt};
use crate::language::{Ending, Interpreter, Limits, Returns, ScriptSettings, Source, function};
use crate::output::{Columns, Format, Output};
use crate::value::{NODE_FIELDS, Value};
use std::str::FromStr;

/// Evaluates each of `codes` with the same variables, and shows what each returns.
pub(super) fn lines(context: &CommandContext, codes: &[String]) -> Result<u8, ScriptError> {
    let run = Keeping::begin_lines(context, "-e", &codes.join("\n"))?;
    let session = session(context, Work::lines(run.id()), run.journal())?;
    let mut interpreter = Interpreter::new(session.clone(), language_settings()?);
    let mut kept = Vec::new();
    for (at, code) in codes.iter().enumerate() {
        match interpreter.line_of("<-e>", code).map_err(|error| while_others_work(&session, error)) {
            Ok(Ending::Value(value)) => {
                match at + 1 == codes.len() {
                    true => result(&context.output, &value, code),
                    false => context.output.value_before_others(&value),
                }
                kept.push(value);
            }
            left => {
                run.end(context, left.as_ref());
                return left.map(|ending| concluded(&context.output, &ending, code));
            }
        }
    }
    run.end(context, Ok(&Ending::Exit(0)));
    // The process is about to end, and its memory and threads with it: to take them apart one by one first would cost
    // a tenth of a short command, and as much as showing them when there are ten thousand nodes.
    std::mem::forget((interpreter, session, kept));
    Ok(0)
}

/// Runs standard input as one script, and shows what it returns.
pub(super) fn standard_input(context: &CommandContext) -> Result<u8, ScriptError> {
    let source = Source::new("<stdin>", read_standard_input(&context.interrupt)?);
    let run = Keeping::begin_lines(context, &source.name, &source.text)?;
    let session = session(context, Work::script(&source.name, run.id()), run.journal())?;
    let ended = Interpreter::new(session.clone(), language_settings()?).run(&source);
    let ended = ended.map_err(|error| while_others_work(&session, error));
    session.borrow_mut().give_lock_back();
    run.end(context, ended.as_ref());
    Ok(concluded(&context.output, &ended?, &source.text))
}

/// Shows how `code` ended, which was the last; its exit code.
fn concluded(output: &Output, ending: &Ending, code: &str) -> u8 {
    match ending {
        Ending::Value(value) => {
            result(output, value, code);
            0
        }
        Ending::Exit(exit_code) => {
            output.last_value(&Value::Unit);
            *exit_code
        }
    }
}

/// Shows the result of `code`. Where it is an empty list of nodes, CSV has their columns all the same.
fn result(output: &Output, value: &Value, code: &str) {
    match value {
        Value::List(rows) if rows.is_empty() && output.format() == Format::Csv && lists_nodes(code) => {
            output.rows(Vec::new(), Columns { names: &NODE_FIELDS, ..Columns::default() });
        }
        value => output.last_value(value),
    }
}

/// Whether what `code` ends with is a call that lists nodes, or what a filter leaves of them.
fn lists_nodes(code: &str) -> bool {
    let parsed = Parser::default().parse(&Source::new("", code)).ok();
    let last = parsed.as_ref().and_then(|parsed| parsed.tree.body.last());
    let Some(Stmt::Expr(last)) = last else { return false };
    let mut expr = last;
    while let ExprKind::Method { receiver, name, .. } = &expr.kind
        && name == "filter"
    {
        expr = receiver;
    }
    let ExprKind::Call { path, name, .. } = &expr.kind else { return false };
    path.is_empty() && function(name).is_some_and(|known| matches!(known.returns, Returns::List(Returns::Node)))
}

/// The whole number that the variable `name`, which does what `does` says, is set to.
fn whole_number<T: FromStr>(name: &str, does: &str) -> Result<Option<T>> {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        Error::invalid(format!("{name}=`{text}` is no whole number"))
            .hint(format!("{does}: leave it unset unless a script needs more"))
    })
}

/// What every interpreter of this process is told.
pub(super) fn language_settings() -> Result<ScriptSettings> {
    let mut limits = Limits::default();
    if let Some(steps) = whole_number(MAX_OPERATIONS, "it limits the steps of one run")? {
        limits.operations = steps;
    }
    if let Some(mib) = whole_number::<u32>(MAX_MEMORY, "it limits the memory of a script, in MiB")? {
        limits.memory = (mib as usize).saturating_mul(1 << 20);
    }
    Ok(ScriptSettings { limits, roots: vec![".".into()], topics: Some(topics), ..ScriptSettings::default() })
}
