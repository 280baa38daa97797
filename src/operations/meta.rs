//! Savepoints and secrets.

use crate::error::{Error, ErrorKind, Result};
use crate::operations::clock::fresh;
use crate::operations::{Arguments, Changes, Example, Function, Group, Operation, Opt, Param, Returns, Type};
use crate::savepoint;
use crate::text::ShownPath;
use crate::time::{Time, Zone};
use crate::value::Value;
use crate::world::{Gate, GuardName, Notice, SecretPrompt, change, read};
use std::path::{Path, PathBuf};

/// Where binlogctl writes its savepoint when not told.
pub const DEFAULT_DATA_DIR: &str = "binlog_position";

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "generate_meta",
            group: Group::Meta,
            params: &[Param::optional("time_zone", Type::Zone)],
            options: &[
                Opt::new("time_zone", Type::Zone, "also note the time in this zone"),
                Opt::new("data_dir", Type::Text, "the directory (default `binlog_position`)"),
                Opt::new("ts", Type::Ts, "this timestamp instead of a fresh one of PD"),
                Opt::new("force", Type::Guards, "`[\"exists\"]` to replace a savepoint that is there"),
            ],
            returns: Returns::Map(&[("commit_ts", Returns::Integer), ("time", Returns::Time), ("path", Returns::Text)]),
            changes: Changes::File,
            guards: &[GuardName::Exists],
            about: "Writes `{data_dir}/savepoint`, where a Drainer with a file or Kafka downstream begins to \
                    read.\n\nAtomic and durable; times stand in comments. A fresh timestamp is right only when no \
                    backup is involved: with one, give the backup's as `ts`. A MySQL or TiDB downstream keeps its \
                    checkpoint in the table `tidb_binlog.checkpoint` instead: start its Drainer with \
                    `initial-commit-ts`.",
            example: Example::new("generate_meta(\"Europe/Berlin\").commit_ts"),
            ..Function::BASE
        },
        call: generate_meta,
    },
    Operation {
        function: Function {
            name: "read_meta",
            group: Group::Meta,
            params: &[Param::new("dir", Type::Text)],
            returns: Returns::Map(&[
                ("commit_ts", Returns::Integer),
                ("time", Returns::Time),
                ("consistent", Returns::Maybe(&Returns::Bool)),
                ("schema_version", Returns::Maybe(&Returns::Integer)),
                ("problem", Returns::Maybe(&Returns::Text)),
            ]),
            about: "Reads `{dir}/savepoint`: ours, a Drainer's own, and the broken one that binlogctl writes with a \
                    time zone (`problem` says why a Drainer cannot load it, else it is `()`).\n\nErrors: `not_found`, \
                    `invalid`.",
            example: Example::new("generate_meta();\nread_meta(\"binlog_position\").time"),
            ..Function::BASE
        },
        call: read_meta,
    },
    Operation {
        function: Function {
            name: "encrypt",
            group: Group::Meta,
            params: &[Param::optional("text", Type::Secret)],
            options: &[Opt::new("force", Type::Guards, "`[\"public_key\"]` to use the key that everybody knows")],
            returns: Returns::Text,
            guards: &[GuardName::PublicKey],
            about: "Encrypts a password for a Drainer's configuration, under the key in `BINLOG_SECRET_KEY` \
                    (hex).\n\nWithout an argument the text is asked for without showing it, or read from standard \
                    input: so it stays out of history and process lists. A script takes it as a parameter of the type \
                    `secret`; a text that stands in a script or a line is kept nowhere, which is why a run of such a \
                    script needs its file to be resumed.",
            example: Example::new("encrypt(#{ force: [\"public_key\"] })"),
            ..Function::BASE
        },
        call: encrypt,
    },
];

fn generate_meta(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let zone = args.zone("time_zone");
    let dir = PathBuf::from(args.text("data_dir").unwrap_or(DEFAULT_DATA_DIR));
    let ts = match args.ts("ts") {
        Some(ts) => ts,
        None => fresh(gate)?,
    };
    let content = savepoint::render(ts, zone);
    gate.force(change::WriteSavepoint { dir: dir.clone(), content }, &args.force())?;
    let (time, path) = (Time::of_tso(ts, zone.unwrap_or_default()), dir.join("savepoint"));
    gate.tell(Notice::Changed(format!("wrote {}: initial-commit-ts = {ts} ({time})", path.shown())));
    Ok(Value::map([("commit_ts", ts.into()), ("time", time.into()), ("path", path.display().to_string().into())]))
}

fn read_meta(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let dir = Path::new(args.required_text("dir")?);
    let text = gate.ask(read::ReadSavepoint { dir: dir.to_owned() })?;
    let read = savepoint::parse(&text).map_err(|error| {
        let path = dir.join("savepoint");
        Error::new(ErrorKind::Invalid, format!("{} is no savepoint: {}", path.shown(), error.message))
    })?;
    Ok(Value::map([
        ("commit_ts", read.ts.into()),
        ("time", Time::of_tso(read.ts, Zone::Utc).into()),
        ("consistent", read.consistent.into()),
        ("schema_version", read.schema_version.into()),
        ("problem", read.problem.into()),
    ]))
}

fn encrypt(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let text = match args.secret("text") {
        Some(text) => text,
        None => gate.ask(SecretPrompt { prompt: "text to encrypt: ".into() })?,
    };
    gate.force(change::Encrypt { text }, &args.force()).map(Value::from)
}
