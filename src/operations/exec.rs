//! Running a program on this host.

use crate::error::{Error, ErrorKind, Result};
use crate::operations::nodes::references;
use crate::operations::{Arguments, Changes, Example, Function, Group, Operation, Opt, Param, Returns, Type};
use crate::time::show_seconds;
use crate::value::Value;
use crate::world::{Exec, Gate, Notice, ProgramEnd};

/// How much of what a program said last stands in the error when it failed.
const LAST_LINES: usize = 10;

pub(super) const TABLE: &[Operation] = &[Operation {
    function: Function {
        name: "exec",
        group: Group::Steps,
        params: &[Param::new("program", Type::Text), Param::optional("args", Type::Texts)],
        options: &[
            Opt::new("starts", Type::Nodes, "nodes whose process it starts or replaces"),
            Opt::new("stops", Type::Nodes, "nodes whose process it stops"),
            Opt::new("changefeed", Type::Changefeed, "the changefeed of TiCDC that it creates"),
            Opt::new("takes", Type::Duration, "how long it usually takes (a rehearsal assumes 10s)"),
            Opt::new("timeout", Type::Duration, "after how long it is killed, with all that it started (10m)"),
            Opt::new("env", Type::Texts, "names of variables `BINLOG...` that it gets: without it none of them"),
        ],
        returns: Returns::Map(&[("status", Returns::Integer), ("stdout", Returns::Text), ("stderr", Returns::Text)]),
        changes: Changes::Outside,
        about: "Runs a program on this host, and goes on once it has ended with exit code 0.\n\nOnly with \
                `--allow-exec`; the question shows the command line, and `--yes` covers it. No shell reads it: every \
                argument arrives as it stands. Of our environment it gets all but what begins with `BINLOG`, the key of \
                `encrypt` above all, unless `env` names it. Its standard input is empty; what it says is shown as it comes (`|` \
                standard output, `!` standard error) and returned, the last 64 KiB of each. It must have ended by \
                `timeout`, and what it leaves in the background must not hold its output. In a rehearsal and in the \
                sandbox nothing is executed: after `takes` what is declared happens, and it has said nothing; a changefeed that \
                TiCDC would not create it fails with, in TiCDC's words. Errors: `failed` when it ends otherwise, `timeout`, `not_found`, `refused` without \
                `--allow-exec`.",
        example: Example::new(
            "pause_pump(\"pump-1\", #{ wait: \"1m\" });\n\
         exec(\"ssh\", [\"10.0.1.12\", \"systemctl start pump\"], #{ starts: [\"pump-1\"], takes: \"15s\" });\n\
         wait_for(\"pump-1\", \"online\")",
        ),
        ..Function::BASE
    },
    call: exec,
}];

fn exec(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let (starts, stops) = match args.given("starts") || args.given("stops") {
        true => {
            let listing = gate.listing()?;
            (references(&listing, args, "starts")?, references(&listing, args, "stops")?)
        }
        false => (Vec::new(), Vec::new()),
    };
    let exec = Exec {
        program: args.required_text("program")?.to_owned(),
        args: args.texts("args"),
        starts,
        stops,
        changefeed: args.changefeed("changefeed"),
        takes: args.duration("takes"),
        timeout: args.duration("timeout"),
        env: args.texts("env"),
    };
    can_end(&exec)?;
    gate.tell(Notice::Changed(format!("runs {exec}")));
    let ProgramEnd { status, stdout, stderr } = gate.ask(exec.clone())?;
    match status {
        0 => Ok(Value::map([("status", 0.into()), ("stdout", stdout.into()), ("stderr", stderr.into())])),
        _ => Err(ended_badly(&exec, status, &stderr)),
    }
}

/// What takes longer than it may would end in a rehearsal only.
fn can_end(exec: &Exec) -> Result<()> {
    match exec.takes {
        Some(takes) if takes > exec.limit() => Err(Error::invalid(format!(
            "{exec} takes {} and is killed after {}",
            show_seconds(takes.as_secs_f64()),
            show_seconds(exec.limit().as_secs_f64())
        ))
        .hint("give it a longer `timeout`")),
        _ => Ok(()),
    }
}

fn ended_badly(exec: &Exec, status: i32, stderr: &str) -> Error {
    let how = match status {
        1.. => format!("ended with exit code {status}"),
        _ => format!("was ended by {}", signal(status.saturating_neg())),
    };
    let lines: Vec<&str> = stderr.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(|line| format!("\n  {line}"));
    let said = match lines.is_empty() {
        true => "; it said nothing on standard error".to_owned(),
        false => format!("; it said last:{}", last.collect::<String>()),
    };
    Error::new(ErrorKind::Failed, format!("{exec} {how}{said}"))
        .hint("what it had done by then stays done; a script that expects this catches the error")
}

fn signal(number: i32) -> String {
    match number {
        1 => "SIGHUP".into(),
        2 => "SIGINT".into(),
        6 => "SIGABRT".into(),
        9 => "SIGKILL".into(),
        11 => "SIGSEGV".into(),
        13 => "SIGPIPE".into(),
        15 => "SIGTERM".into(),
        other => format!("signal {other}"),
    }
}
