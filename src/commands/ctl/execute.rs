//! From binlogctl's commands to our operations, and from what came of them to its lines and exit codes.

use super::flags::Flags;
use super::log::{Level, line, node_text};
use crate::commands::typed_on;
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::live::clock::Stopwatch;
use crate::nearest::{did_you_mean, names_of, parse_named};
use crate::node::{Kind, Node, State};
use crate::operations::nodes::forget_call;
use crate::operations::{self, Arguments, Function};
use crate::output::Output;
use crate::text::{Untrusted, on_one_line, shell_word};
use crate::time::Zone;
use crate::value::Value;
use crate::world::{Gate, GuardName};
use std::sync::Arc;
use std::time::Duration;

/// What the lines need to know of this host.
pub struct CtlHost<'a> {
    /// Milliseconds since 1970 just now.
    pub now: &'a dyn Fn() -> i64,
    /// Where times are shown.
    pub zone: Zone,
    /// `BINLOGSH_FORCE`, if it is set: names of guards, separated by commas.
    pub force: Option<String>,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// The options that name the cluster, as they are typed, for what is said to be typed next.
    pub cluster: String,
}

impl CtlHost<'_> {
    fn log(&self, output: &Output, level: Level, place: &str, message: &str, fields: &[(&str, String)]) {
        output.line(&line((self.now)(), self.zone, level, place, message, fields));
    }

    /// Tells that the flags cannot be used, as binlogctl does, and returns its exit code.
    pub fn unusable(&self, output: &Output, error: &Error) -> u8 {
        self.log(output, Level::Error, "main.go:43", "parse cmd flags", &[("error", error.to_string())]);
        output.error(&ScriptError::from(error.clone()));
        2
    }

    /// Tells that a command failed, as binlogctl does, and returns its exit code: 1, or that of a signal.
    ///
    /// `after` is how long an answer was waited for.
    pub fn failed(&self, output: &Output, command: &str, error: &Error, after: Duration) -> u8 {
        self.fatal(output, command, &CtlFailure::of_listing(error.clone(), after >= self.timeout))
    }

    fn fatal(&self, output: &Output, command: &str, failure: &CtlFailure) -> u8 {
        let fields = [("command", command.to_owned()), ("error", failure.words.clone())];
        self.log(output, Level::Fatal, "main.go:75", "fail to execute command", &fields);
        output.error(&typed_on(failure.error.clone().into(), &self.cluster));
        match failure.error.kind {
            ErrorKind::Interrupted => failure.error.exit_code(),
            _ => 1,
        }
    }
}

/// An error, and binlogctl's words for it.
struct CtlFailure {
    words: String,
    error: Error,
}

impl CtlFailure {
    fn of(error: Error) -> Self {
        Self { words: error.to_string(), error }
    }

    fn with_words(words: String, error: Error) -> Self {
        Self { words, error }
    }

    /// An error of the listing. What failed before the deadline, as a certificate that is not trusted does, says so itself.
    fn of_listing(error: Error, deadline_is_over: bool) -> Self {
        match error.kind {
            ErrorKind::Unreachable | ErrorKind::Timeout if deadline_is_over => {
                Self::with_words("context deadline exceeded".into(), error)
            }
            _ => Self::of(error),
        }
    }
}

/// Does what the flags say through `gate`, and returns the exit code: 0, 1 when it failed, 2 for an unknown guard in
/// `BINLOGSH_FORCE`, 128 and the signal when it was stopped.
pub fn execute(flags: &Flags, gate: &mut dyn Gate, output: &Output, host: &CtlHost<'_>) -> u8 {
    let force = match forced(host.force.as_deref()) {
        Ok(force) => force,
        Err(error) => return host.unusable(output, &error),
    };
    let mut command = CtlCommand { flags, gate, output, host, force };
    match command.run() {
        Ok(()) => 0,
        Err(failure) => host.fatal(output, &flags.command, &failure),
    }
}

fn forced(names: Option<&str>) -> Result<Vec<GuardName>> {
    let names = names.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| parse_named("guard (BINLOGSH_FORCE)", name)).collect()
}

/// All commands.
pub(in crate::commands) const COMMANDS: [&str; 10] = [
    "pumps",
    "drainers",
    "update-pump",
    "update-drainer",
    "pause-pump",
    "pause-drainer",
    "offline-pump",
    "offline-drainer",
    "generate_meta",
    "encrypt",
];

/// What stands in etcd.
#[derive(Default)]
struct Listed {
    nodes: Vec<Arc<Node>>,
    /// The keys that are no records, and why.
    malformed: Vec<(Untrusted, Untrusted)>,
}

/// One command under way.
struct CtlCommand<'a> {
    flags: &'a Flags,
    gate: &'a mut dyn Gate,
    output: &'a Output,
    host: &'a CtlHost<'a>,
    force: Vec<GuardName>,
}

impl CtlCommand<'_> {
    fn run(&mut self) -> Result<(), CtlFailure> {
        match self.flags.command.as_str() {
            "pumps" => self.list(Kind::Pump),
            "drainers" => self.list(Kind::Drainer),
            "update-pump" => self.update(Kind::Pump, "update_pump"),
            "update-drainer" => self.update(Kind::Drainer, "update_drainer"),
            "pause-pump" => self.tell(Kind::Pump, "pause_pump", "pause"),
            "pause-drainer" => self.tell(Kind::Drainer, "pause_drainer", "pause"),
            "offline-pump" => self.tell(Kind::Pump, "offline_pump", "close"),
            "offline-drainer" => self.tell(Kind::Drainer, "offline_drainer", "close"),
            "generate_meta" => self.generate_meta(),
            "encrypt" => self.encrypt(),
            other => {
                let hint = did_you_mean(other, COMMANDS).unwrap_or_else(|| format!("they are {}", COMMANDS.join(", ")));
                Err(CtlFailure::of(Error::invalid(format!("cmd {other} not supported")).hint(hint)))
            }
        }
    }

    /// Carries out the operation `name`.
    fn operate(&mut self, name: &str, values: Vec<Value>) -> Result<Value> {
        let row = operations::find(name)
            .ok_or_else(|| Error::internal(format!("ctl knows an operation `{name}` that is not in the table")))?;
        let values = values.into_iter().map(|value| only_own_guards(value, &row.function)).collect();
        let args = Arguments::check(&row.function, values)?;
        (row.call)(self.gate, &args)
    }

    /// The trailing map of an operation: these options, and the guards that are forced.
    fn options<const N: usize>(&self, options: [(&str, Value); N]) -> Value {
        let names: Vec<&str> = self.force.iter().map(|guard| guard.name()).collect();
        match Value::map(options) {
            Value::Map(mut fields) => {
                fields.insert("force".into(), names.into());
                Value::Map(fields)
            }
            other => other,
        }
    }

    /// Carries out the operation `name`, which begins with a question to the cluster.
    fn within_deadline(&mut self, name: &str, values: Vec<Value>) -> Result<Value, CtlFailure> {
        let watch = Stopwatch::start();
        self.operate(name, values).map_err(|error| CtlFailure::of_listing(error, watch.elapsed() >= self.host.timeout))
    }

    /// All that stands in etcd, with a warning for each key that is no record.
    fn look(&mut self) -> Result<Listed, CtlFailure> {
        let listing = self.within_deadline("listing", Vec::new())?;
        let listed = listed(listing);
        for (key, reason) in &listed.malformed {
            let typed = format!("binlogsh{} -e {}", self.host.cluster, shell_word(&forget_call(key)));
            self.output.warning(&format!(
                "the key {key} is no record ({reason}): it breaks binlogctl, Drainers, closing Pumps and TiDB; \
                 look at it, and delete it: {typed}"
            ));
        }
        Ok(listed)
    }

    fn list(&mut self, kind: Kind) -> Result<(), CtlFailure> {
        let of_kind = self.look()?.nodes.into_iter().filter(|node| node.record.node.kind == kind);
        let (hidden, shown): (Vec<Arc<Node>>, Vec<Arc<Node>>) =
            of_kind.partition(|node| node.record.state == State::Offline && !self.flags.show_offline_nodes);
        for node in &shown {
            let fields = [("type", kind.name().to_owned()), ("node", node_text(node, self.host.zone))];
            self.host.log(self.output, Level::Info, "nodes.go:53", "query node", &fields);
        }
        if !hidden.is_empty() {
            let count = hidden.len();
            self.output.remark(&format!("{count} offline {kind}(s) not shown: see -show-offline-nodes"));
        }
        Ok(())
    }

    /// The node that `-node-id` names: by its id only, as binlogctl does.
    fn named(&mut self, kind: Kind) -> Result<Arc<Node>, CtlFailure> {
        let id = self.flags.node_id.as_str();
        let listed = self.look()?;
        let found = listed.nodes.iter().find(|node| node.record.node.kind == kind && node.id() == id);
        found.cloned().ok_or_else(|| {
            let words = format!("key {}{id} in etcd not found", kind.prefix());
            CtlFailure::with_words(words.clone(), Error::not_found(words).hint(self.meant(kind, &listed)))
        })
    }

    /// What was probably meant by a `-node-id` that names no node of `kind`.
    fn meant(&self, kind: Kind, listed: &Listed) -> String {
        let id = self.flags.node_id.as_str();
        let (own, other): (Vec<&Arc<Node>>, Vec<&Arc<Node>>) =
            listed.nodes.iter().partition(|node| node.record.node.kind == kind);
        let ids: Vec<&Untrusted> = own.iter().map(|node| node.id()).collect();
        let here = own.iter().filter(|node| !id.is_empty() && node.record.node.address.eq_ignore_ascii_case(id));
        let here: Vec<&Untrusted> = here.map(|node| node.id()).collect();
        if let [first, ..] = here.as_slice() {
            return format!(
                "that is the address of {}: give the id, as in -node-id {}",
                in_words(&here),
                on_one_line(&shell_word(first))
            );
        }
        if listed.malformed.iter().any(|(key, _)| *key == format!("{}{id}", kind.prefix())) {
            return "that key is no record: repair it, or delete it".into();
        }
        if let Some(other) = other.iter().find(|node| node.id() == id) {
            let kind = other.record.node.kind;
            let verb = self.flags.command.split('-').next().unwrap_or_default();
            return format!("{} is a {kind}: -cmd {verb}-{kind}", other.id());
        }
        match did_you_mean(id, ids.iter().map(|id| id.as_str())) {
            Some(hint) => hint,
            None if id.is_empty() => "name the node with -node-id".into(),
            None if ids.is_empty() => format!("the cluster has no {kind}"),
            None => format!("there are {}", in_words(&ids)),
        }
    }

    fn update(&mut self, kind: Kind, operation: &str) -> Result<(), CtlFailure> {
        let state = &self.flags.state;
        if State::from_name(state).is_none() {
            let hint = format!("the states are {}", names_of::<State>().join(", "));
            return Err(CtlFailure::of(Error::invalid(format!("state {state} is illegal")).hint(hint)));
        }
        let node = self.named(kind)?;
        let values = vec![Value::Node(node), state.as_str().into(), self.options([])];
        self.operate(operation, values).map(drop).map_err(CtlFailure::of)
    }

    fn tell(&mut self, kind: Kind, operation: &str, action: &str) -> Result<(), CtlFailure> {
        let node = self.named(kind)?;
        let values = vec![Value::Node(node), self.options([])];
        self.operate(operation, values).map_err(CtlFailure::of)?;
        let fields = [("action", action.to_owned()), ("NodeID", self.flags.node_id.clone())];
        self.host.log(self.output, Level::Info, "nodes.go:123", "Apply action on node success", &fields);
        Ok(())
    }

    fn generate_meta(&mut self) -> Result<(), CtlFailure> {
        let zone = match self.flags.time_zone.as_str() {
            "" => Value::Unit,
            zone => zone.into(),
        };
        let data_dir = Value::from(self.flags.data_dir.as_str());
        let mut options = self.options([("data_dir", data_dir)]);
        if let (Value::Map(fields), zone @ Value::Text(_)) = (&mut options, zone) {
            fields.insert("time_zone".into(), zone);
        }
        let made = self.within_deadline("generate_meta", vec![options])?;
        let ts = match &made {
            Value::Map(fields) => fields.get("commit_ts"),
            _ => None,
        };
        let Some(Value::Int(ts)) = ts else {
            return Err(CtlFailure::of(Error::internal("generate_meta returned no timestamp")));
        };
        let fields = [("meta", format!("commitTS: {ts}"))];
        self.host.log(self.output, Level::Info, "meta.go:110", "save meta", &fields);
        Ok(())
    }

    fn encrypt(&mut self) -> Result<(), CtlFailure> {
        let mut values: Vec<Value> = self.flags.text.iter().map(|text| text.as_str().into()).collect();
        values.push(self.options([]));
        match self.operate("encrypt", values).map_err(CtlFailure::of)? {
            Value::Text(encrypted) => {
                let fields = [("encrypted", encrypted)];
                self.host.log(self.output, Level::Info, "encrypt.go:16", "encrypt text", &fields);
                Ok(())
            }
            other => Err(CtlFailure::of(Error::internal(format!("encrypt returned {}", other.type_name())))),
        }
    }
}

/// `BINLOGSH_FORCE` may stand in the environment for several commands: what is no guard of this one means nothing to it.
fn only_own_guards(value: Value, function: &Function) -> Value {
    let own =
        |name: &Value| matches!(name, Value::Text(name) if function.guards.iter().any(|guard| guard.name() == name));
    match value {
        Value::Map(mut options) => {
            if let Some(Value::List(names)) = options.get_mut("force") {
                names.retain(own);
            }
            Value::Map(options)
        }
        other => other,
    }
}

/// What the operation `listing` returns.
fn listed(listing: Value) -> Listed {
    let Value::Map(mut fields) = listing else { return Listed::default() };
    let mut list = |name: &str| match fields.shift_remove(name) {
        Some(Value::List(values)) => values,
        _ => Vec::new(),
    };
    let node = |value| if let Value::Node(node) = value { Some(node) } else { None };
    let key = |value| match value {
        Value::Map(fields) => match (fields.get("key"), fields.get("reason")) {
            (Some(Value::Text(key)), Some(Value::Text(reason))) => Some((key.as_str().into(), reason.as_str().into())),
            _ => None,
        },
        _ => None,
    };
    let nodes = list("nodes").into_iter().filter_map(node).collect();
    Listed { nodes, malformed: list("malformed").into_iter().filter_map(key).collect() }
}

fn in_words(ids: &[&Untrusted]) -> String {
    ids.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
