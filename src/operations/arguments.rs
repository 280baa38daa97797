//! The arguments of one call, checked against its row, with typed access.

use crate::downstream::without_secrets;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::nearest::{named, names_of};
use crate::node::{Kind, Node, NodeRef, State};
use crate::operations::{Function, Param, Type};
use crate::secret::Secret;
use crate::time::Zone;
use crate::tso::Tso;
use crate::value::{Fields, Value};
use crate::world::{FaultKind, GuardName, NewChangefeed, TidbBinlog};
use std::sync::Arc;
use std::time::Duration;
use strum::VariantArray;

/// The arguments of one call. Made by [`Arguments::check`], which says what is wrong in the function's own words.
pub struct Arguments {
    function: &'static Function,
    values: Vec<Value>,
    options: Fields,
}

/// How a node was named.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeName {
    /// By id or by `host:port`.
    Text(String),
    /// By a `Node`.
    Node(Arc<Node>),
    /// By all that one would find in its record, which it need not have yet.
    New(NodeRef),
}

impl Arguments {
    /// Checks `values` against the row: their number, their types, and the keys of a trailing map.
    ///
    /// # Errors
    /// `invalid`, naming the function, the argument, what it takes and what was given.
    pub fn check(function: &'static Function, mut values: Vec<Value>) -> Result<Self> {
        let options = match values.last() {
            Some(Value::Map(_)) if !function.options.is_empty() => match values.pop() {
                Some(Value::Map(options)) => options,
                _ => Fields::new(),
            },
            _ => Fields::new(),
        };
        if let Some(param) = function.params.get(values.len()).filter(|param| !param.optional && !options.is_empty()) {
            // What was meant for it stands in the place of the options.
            let takes = format!("`{}` takes {}, not a map", param.name, param.takes.expected());
            return Err(wrong_call(function, takes));
        }
        if values.len() < function.required() || values.len() > function.params.len() {
            return Err(wrong_call(function, format!("takes {}, not {} argument(s)", arity(function), values.len())));
        }
        for (at, value) in values.iter().enumerate() {
            fits_param(function, at, value)?;
        }
        for (name, value) in &options {
            let Some(option) = function.option(name) else {
                let known = function.options.iter().map(|option| option.name);
                let error = Error::invalid(format!("{} has no option `{name}`", function.name));
                return Err(error.hint(
                    did_you_mean(name, known.clone())
                        .unwrap_or_else(|| format!("its options are {}", known.collect::<Vec<_>>().join(", "))),
                ));
            };
            let own = |guard: &GuardName| function.guards.contains(guard);
            let fitting = match option.takes {
                Type::Guards => fits_guards(value, GuardName::ALL.iter().copied().filter(own).collect()),
                takes => fits(takes, value),
            };
            if let Err(why) = fitting {
                return Err(wrong_call(function, format!("option `{name}` takes {}, {why}", option.takes.expected())));
            }
        }
        Ok(Self { function, values, options })
    }

    /// Whether the parameter `name` was given.
    pub fn given(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let at = self.function.params.iter().position(|param| param.name == name);
        let given = at.and_then(|at| self.values.get(at));
        given.or_else(|| self.options.get(name)).filter(|value| **value != Value::Unit)
    }

    fn missing(&self, name: &str) -> Error {
        Error::internal(format!("{} reads the argument `{name}`, which its row does not require", self.function.name))
    }

    /// The text of `name`, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The text of the required parameter `name`.
    ///
    /// # Errors
    /// `internal` if the row does not require it.
    pub fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| self.missing(name))
    }

    /// The secret `name`, if it was given, be it as a text.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        match self.value(name) {
            Some(Value::Secret(secret)) => Some(secret.clone()),
            Some(Value::Text(text)) => Some(Secret::Plain(text.clone())),
            _ => None,
        }
    }

    /// The texts of `name`; none if it was not given.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        match self.value(name) {
            Some(Value::List(list)) => list.iter().filter_map(text).collect(),
            _ => Vec::new(),
        }
    }

    /// The numbers of `name`, with nothing for those that are not known; none if it was not given.
    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        let number = |value: &Value| match value {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        match self.value(name) {
            Some(Value::List(list)) => list.iter().map(number).collect(),
            _ => Vec::new(),
        }
    }

    /// The integer `name`, if it was given.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The number `name`, if it was given.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Some(Value::Int(number)) => Some(*number as f64),
            Some(Value::Float(number)) => Some(*number),
            _ => None,
        }
    }

    /// The timestamp `name`, if it was given.
    pub fn ts(&self, name: &str) -> Option<Tso> {
        self.int(name).map(Tso)
    }

    /// The flag `name`, if it was given.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// The duration `name`, if it was given.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.value(name).and_then(|value| value.duration().ok())
    }

    /// The state `name`, if it was given.
    pub fn state(&self, name: &str) -> Option<State> {
        self.text(name).and_then(State::from_name)
    }

    /// The zone `name`, if it was given.
    pub fn zone(&self, name: &str) -> Option<Zone> {
        self.text(name).and_then(|text| Zone::from_name(text).ok())
    }

    /// The kind of fault `name`, if it was given.
    pub fn fault(&self, name: &str) -> Option<FaultKind> {
        self.text(name).and_then(named)
    }

    /// Whether TiDB writes binlog, if `name` was given.
    pub fn tidb(&self, name: &str) -> Option<TidbBinlog> {
        self.text(name).and_then(named)
    }

    /// The changefeed `name`, if it was given.
    pub fn changefeed(&self, name: &str) -> Option<NewChangefeed> {
        match self.value(name) {
            Some(Value::Map(fields)) => new_changefeed(fields).ok(),
            _ => None,
        }
    }

    /// How the node `name` was named, if it was given.
    pub fn node(&self, name: &str) -> Option<NodeName> {
        self.value(name).and_then(node_name)
    }

    /// How the nodes `name` were named; none if it was not given.
    pub fn nodes(&self, name: &str) -> Vec<NodeName> {
        match self.value(name) {
            Some(Value::List(list)) => list.iter().filter_map(node_name).collect(),
            Some(one) => node_name(one).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The guards in the option `force`.
    pub fn force(&self) -> Vec<GuardName> {
        let names = match self.value("force") {
            Some(Value::List(names)) => names.as_slice(),
            _ => &[],
        };
        let named = |value: &Value| match value {
            Value::Text(name) => GuardName::from_name(name),
            _ => None,
        };
        names.iter().filter_map(named).collect()
    }
}

fn node_name(value: &Value) -> Option<NodeName> {
    match value {
        Value::Text(text) => Some(NodeName::Text(text.clone())),
        Value::Node(node) => Some(NodeName::Node(node.clone())),
        Value::Map(fields) => new_node(fields).ok().map(NodeName::New),
        _ => None,
    }
}

/// A node that has no record yet, or is to have another address; otherwise the end of the sentence "takes X, ...".
fn new_node(fields: &Fields) -> std::result::Result<NodeRef, String> {
    const WANTED: &str = "#{ kind: \"pump\" or \"drainer\", id, address: \"host:port\" }";
    let text = |name: &str| match fields.get(name) {
        Some(Value::Text(text)) if !text.is_empty() => Ok(text.as_str()),
        _ => Err(format!("and a map in it must be {WANTED}")),
    };
    if let Some(other) = fields.keys().find(|name| !["kind", "id", "address"].contains(&name.as_str())) {
        return Err(format!("and a map in it has no `{other}`: it must be {WANTED}"));
    }
    let (kind, id, address) = (text("kind")?, text("id")?, text("address")?);
    let kind = Kind::ALL.iter().copied().find(|known| known.name() == kind);
    let kind = kind.ok_or_else(|| format!("and a map in it must be {WANTED}"))?;
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(1..)) => Ok(NodeRef { kind, id: id.into(), address: address.into() }),
        _ => Err(format!("and `{address}` is no host:port")),
    }
}

/// A changefeed that is created outside; otherwise the end of the sentence "takes X, ...". Its sink has nothing in it that must not
/// be kept.
fn new_changefeed(fields: &Fields) -> std::result::Result<NewChangefeed, String> {
    if let Some(other) = fields.keys().find(|name| !["id", "start_ts", "sink"].contains(&name.as_str())) {
        return Err(format!("and it has no `{other}`"));
    }
    let id = match fields.get("id") {
        Some(Value::Text(id)) if is_id_of_changefeed(id) => id.as_str().into(),
        Some(Value::Text(_)) => {
            return Err("and its `id` must be letters and digits with single dashes between them".into());
        }
        _ => return Err("and it has no text as its `id`".into()),
    };
    let start_ts = match fields.get("start_ts") {
        Some(Value::Int(ts)) if *ts > 0 => Tso(*ts),
        _ => return Err("and it has no timestamp as its `start_ts`".into()),
    };
    let sink = match fields.get("sink") {
        None | Some(Value::Unit) => None,
        Some(Value::Text(sink)) if without_secrets(sink).as_ref() == Some(sink) => Some(sink.as_str().into()),
        Some(Value::Text(_)) => {
            return Err("and its `sink` must be scheme, host, port and path alone: leave out user, password and options, which \
                        would be kept"
                .into());
        }
        Some(_) => return Err("and its `sink` is no text".into()),
    };
    Ok(NewChangefeed { id, start_ts, sink })
}

/// As TiCDC takes it.
fn is_id_of_changefeed(id: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    id.len() <= 128 && id.split('-').all(is_part)
}

/// Whether `value` is what the parameter of `function` at `at` takes.
///
/// # Errors
/// `invalid`, in the function's own words.
pub fn fits_param(function: &Function, at: usize, value: &Value) -> Result<()> {
    let Some(param) = function.params.get(at) else { return Ok(()) };
    fits(param.takes, value)
        .map_err(|why| wrong_call(function, format!("`{}` takes {}, {why}", param.name, param.takes.expected())))
}

/// Whether `text` is one of the words that `takes` has; where any text will do, it is.
pub fn takes_word(takes: Type, text: &str) -> bool {
    match takes {
        Type::State | Type::Fault | Type::TidbBinlog | Type::Zone | Type::Duration => {
            fits(takes, &Value::from(text)).is_ok()
        }
        Type::Node(_)
        | Type::Nodes
        | Type::Text
        | Type::Secret
        | Type::Texts
        | Type::Numbers
        | Type::Int
        | Type::Number
        | Type::Ts
        | Type::Stamp
        | Type::Bool
        | Type::Guards
        | Type::Changefeed
        | Type::Anything
        | Type::Closure(_)
        | Type::Literal
        | Type::Literals
        | Type::OneOf(_) => true,
    }
}

fn is_number_or_nothing(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_) | Value::Unit)
}

/// Whether `value` is what `takes` says; otherwise the end of the sentence "takes X, ...".
fn fits(takes: Type, value: &Value) -> std::result::Result<(), String> {
    let not = || Err(format!("not {}", value.type_name()));
    match (takes, value) {
        (Type::Node(kind), Value::Node(node)) => match kind {
            Some(kind) if kind != node.record.node.kind => {
                Err(format!("and {} is a {}", node.id(), node.record.node.kind.title()))
            }
            _ => Ok(()),
        },
        (Type::Node(_) | Type::Nodes, Value::Text(text)) if text.is_empty() => Err("not empty text".into()),
        (Type::Node(_) | Type::Text | Type::OneOf(_) | Type::Secret, Value::Text(_))
        | (Type::Secret, Value::Secret(_))
        | (Type::Int | Type::Stamp, Value::Int(_))
        | (Type::Number, Value::Int(_) | Value::Float(_))
        | (Type::Bool, Value::Bool(_)) => Ok(()),
        (Type::Texts, Value::List(list)) => match list.iter().find(|item| !matches!(item, Value::Text(_))) {
            Some(other) => Err(format!("not {} in it", other.type_name())),
            None => Ok(()),
        },
        (Type::Numbers, Value::List(list)) => match list.iter().find(|item| !is_number_or_nothing(item)) {
            Some(other) => Err(format!("not {} in it", other.type_name())),
            None => Ok(()),
        },
        (Type::Nodes, Value::List(list)) => list.iter().try_for_each(|item| match item {
            Value::Map(fields) => new_node(fields).map(drop),
            item => fits(Type::Node(None), item),
        }),
        (Type::Nodes, Value::Text(_) | Value::Node(_)) => Ok(()),
        (Type::Changefeed, Value::Map(fields)) => new_changefeed(fields).map(drop),
        (Type::Ts, Value::Int(ts)) if *ts >= 0 => Ok(()),
        (Type::Ts, Value::Int(ts)) => Err(format!("and {ts} is negative")),
        (Type::Duration, Value::Int(_) | Value::Float(_) | Value::Text(_)) => {
            value.duration().map(drop).map_err(|error| format!("and {}", error.message))
        }
        (Type::State, Value::Text(text)) => known::<State>(text),
        (Type::Fault, Value::Text(text)) => known::<FaultKind>(text),
        (Type::TidbBinlog, Value::Text(text)) => known::<TidbBinlog>(text),
        (Type::Zone, Value::Text(text)) => Zone::from_name(text).map(drop).map_err(|error| match error.hint {
            Some(hint) => format!("and {}; {hint}", error.message),
            None => format!("and {}", error.message),
        }),
        _ => not(),
    }
}

/// Whether `value` is an array of names of the function's `own` guards.
fn fits_guards(value: &Value, own: Vec<GuardName>) -> std::result::Result<(), String> {
    let names: Vec<&str> = own.into_iter().map(GuardName::name).collect();
    match value {
        Value::List(list) => list.iter().try_for_each(|item| match item {
            Value::Text(text) => among(text, &names),
            other => Err(format!("not {} in it", other.type_name())),
        }),
        other => Err(format!("not {}", other.type_name())),
    }
}

fn known<T: VariantArray + Into<&'static str> + Copy>(text: &str) -> std::result::Result<(), String> {
    among(text, &names_of::<T>())
}

fn among(text: &str, names: &[&'static str]) -> std::result::Result<(), String> {
    if names.contains(&text) {
        return Ok(());
    }
    let hint = did_you_mean(text, names.iter().copied()).unwrap_or_else(|| format!("one of {}", names.join(", ")));
    Err(format!("and `{text}` is none; {hint}"))
}

fn arity(function: &Function) -> String {
    match function.params.len() {
        0 => "no arguments".into(),
        _ => {
            let names = function.params.iter().map(Param::shown);
            format!("({})", names.collect::<Vec<_>>().join(", "))
        }
    }
}

fn wrong_call(function: &Function, what: String) -> Error {
    Error::invalid(format!("{}: {what}", function.name)).hint(format!("see help(\"{}\")", function.name))
}
