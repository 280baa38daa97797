//! TiDB servers that skip binlog: bringing them back.

use crate::error::{AdvisedCommand, Error, ErrorKind, Result};
use crate::nearest::did_you_mean;
use crate::operations::act::FORCE;
use crate::operations::{Arguments, Changes, Example, Function, Group, Operation, Opt, Param, Returns, Type};
use crate::text::Untrusted;
use crate::time::show_seconds;
use crate::value::Value;
use crate::world::{Gate, GuardName, Notice, Progress, TidbBinlogState, TidbRef, TidbServer, change, read};
use std::time::Duration;

/// How often a wait looks.
const EVERY: Duration = Duration::from_secs(1);

pub(super) const TABLE: &[Operation] = &[Operation {
    function: Function {
        name: "recover_tidb",
        group: Group::Act,
        params: &[Param::new("address", Type::Text)],
        options: &[
            Opt::new("wait", Type::Duration, "wait this long at most until no transaction that skipped is under way"),
            Opt::new("reset", Type::Bool, "forget transactions that skipped and never ended (default false)"),
            FORCE,
        ],
        returns: Returns::Map(&[
            ("address", Returns::Text),
            ("before", Returns::Text),
            ("after", Returns::Text),
            ("under_way", Returns::Integer),
            ("waited", Returns::Number),
        ]),
        changes: Changes::Cluster,
        guards: &[GuardName::NoPump],
        about: "Has a TiDB server write binlog again that skips it, because it found no Pump that took it \
                (`ignore-error`).\n\n`GET /binlog/recover` of its status port. What it has skipped is lost to every \
                Drainer: each downstream needs a new full backup and a checkpoint of that time. Take the backup once \
                `under_way` is 0: until then transactions are committed that skipped binlog; `wait` waits for that. \
                `address` is the one that `tidbs()` shows. Errors: `refused` by a guard, or when it skips none; \
                `rejected` with its own words, also when it skips again while it is waited for; `timeout`, \
                `unreachable`, `in_doubt`.",
        example: Example::within(
            "skipping-tidb",
            "let server = tidbs().find(|t| t.binlog_status == \"Skipping\");\n\
         recover_tidb(server.address, #{ wait: \"30m\" }).under_way == 0",
        ),
        ..Function::BASE
    },
    call: recover,
}];

fn servers(gate: &mut dyn Gate) -> Result<Vec<TidbServer>> {
    gate.ask(read::Tidbs)
}

/// The server with this address.
fn find(servers: &[TidbServer], address: &str) -> Result<TidbServer> {
    let is_it = |known: &str| known.eq_ignore_ascii_case(address);
    let is = |server: &&TidbServer| is_it(&server.address) || server.status_address.as_deref().is_some_and(is_it);
    servers.iter().find(is).cloned().ok_or_else(|| {
        let all = || servers.iter().map(|server| server.address.as_str());
        let hint = did_you_mean(address, all()).unwrap_or_else(|| match servers.is_empty() {
            true => "no TiDB server is registered in this cluster".to_owned(),
            false => format!("there are {}", all().collect::<Vec<_>>().join(", ")),
        });
        Error::not_found(format!("no TiDB server has the address `{address}`")).hint(hint)
    })
}

fn reference(server: &TidbServer) -> Result<TidbRef> {
    let address = Untrusted::from(server.address.as_str());
    match server.status_address.clone() {
        Some(status_address) => Ok(TidbRef { address, status_address }),
        None => {
            Err(Error::invalid(format!("the TiDB server {address} does not say on which port it tells its status"))
                .hint("by hand: curl http://HOST:10080/binlog/recover, with the status port of its configuration"))
        }
    }
}

fn state(gate: &mut dyn Gate, server: &TidbRef) -> Result<TidbBinlogState> {
    gate.ask(read::TidbBinlog { server: server.clone() })
}

/// Nothing is asked and nothing changed where there is nothing to recover.
fn skips(server: &TidbServer, state: TidbBinlogState) -> Result<()> {
    if state.skips || state.under_way > 0 {
        return Ok(());
    }
    let address = &server.address;
    Err(match server.binlog_status.as_str() {
        "Off" => Error::refused(format!("the TiDB server {address} does not skip binlog: its binlog is off"))
            .hint("to have it write binlog set binlog.enable in its configuration, and restart it"),
        _ => Error::refused(format!("the TiDB server {address} does not skip binlog: there is nothing to recover")),
    })
}

fn recover(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let found = find(&servers(gate)?, args.required_text("address")?)?;
    let server = reference(&found)?;
    let before = state(gate, &server)?;
    skips(&found, before)?;
    let reset = args.flag("reset").unwrap_or(false);
    let mut after = gate.force(change::RecoverTidb { server: server.clone(), reset }, &args.force())?;
    let lost =
        "what it has skipped is lost to every Drainer: each downstream needs a new full backup, and a checkpoint";
    gate.tell(Notice::Changed(format!("{server}: {}; {lost}", words(after))));
    let mut waited = Duration::ZERO;
    if let Some(patience) = args.duration("wait") {
        (after, waited) = until_over(gate, &server, patience)?;
    }
    let word = |state: TidbBinlogState| if state.skips { "skips" } else { "writes" };
    Ok(Value::map([
        ("address", server.address.into()),
        ("before", word(before).into()),
        ("after", word(after).into()),
        ("under_way", after.under_way.into()),
        ("waited", waited.as_secs_f64().into()),
    ]))
}

fn words(state: TidbBinlogState) -> String {
    match (state.skips, state.under_way) {
        (true, _) => "it skips binlog".to_owned(),
        (false, 0) => "it writes binlog, and no transaction that skipped is under way".to_owned(),
        (false, 1) => "it writes binlog, and 1 transaction that skipped is under way".to_owned(),
        (false, some) => format!("it writes binlog, and {some} transactions that skipped are under way"),
    }
}

/// Waits until no transaction that skipped is under way.
fn until_over(gate: &mut dyn Gate, server: &TidbRef, patience: Duration) -> Result<(TidbBinlogState, Duration)> {
    let began = gate.monotonic_ms()?;
    gate.wait_begins()?;
    let outcome = look_until_over(gate, server, patience, began);
    gate.wait_ends();
    gate.tell(Notice::ProgressEnd);
    outcome
}

fn look_until_over(
    gate: &mut dyn Gate,
    server: &TidbRef,
    patience: Duration,
    began: i64,
) -> Result<(TidbBinlogState, Duration)> {
    loop {
        let state = state(gate, server)?;
        let waited = Duration::from_millis(u64::try_from(gate.monotonic_ms()? - began).unwrap_or(0));
        if state.skips {
            let message = format!("the {server} skips binlog again: no Pump took what it wrote");
            return Err(Error::new(ErrorKind::Rejected, message)
                .hint("recover it again once a Pump takes writes; which one does")
                .command(AdvisedCommand::Doctor));
        }
        if state.under_way == 0 {
            return Ok((state, waited));
        }
        if waited >= patience {
            let time = show_seconds(waited.as_secs_f64());
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("the {server} is not done after {time}: {}", words(state)),
            )
            .hint(
                "it writes binlog by now; those that never end, after a crash, are forgotten with #{ reset: true }",
            ));
        }
        let progress = Progress::of(format!("waiting for the {server}")).figures(words(state));
        gate.tell(Notice::Progress(progress.after(waited, patience)));
        gate.ask(read::Sleep { time: EVERY.min(patience - waited) })?;
        gate.wait_goes_on();
    }
}
