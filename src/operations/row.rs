//! The shape of a row: a name, what it takes and returns, its guards, its documentation, and the function itself.

use crate::error::Result;
use crate::nearest::names_of;
use crate::node::{Kind, State};
use crate::operations::{Arguments, Returns};
use crate::time::zone_names;
use crate::value::Value;
use crate::world::{FaultKind, Gate, GuardName, TidbBinlog};
use std::ops::RangeInclusive;

/// A function of the language, as everybody knows it who does not call it: help, the reference, completion, `check`.
#[derive(Debug)]
pub struct Function {
    /// The name in scripts.
    pub name: &'static str,
    /// The chapter of the reference it stands in.
    pub group: Group,
    /// What it takes, in order; those that can be left out come last.
    pub params: &'static [Param],
    /// What the trailing map may hold; empty if it takes none.
    pub options: &'static [Opt],
    /// What it returns.
    pub returns: Returns,
    /// What it changes.
    pub changes: Changes,
    /// The guards that its request has.
    pub guards: &'static [GuardName],
    /// What a call does to the course of a script.
    pub course: &'static [Course],
    /// The first line says what it does, the others shapes, units and errors.
    pub about: &'static str,
    /// Code that shows it, run by a test.
    pub example: Example,
}

/// A function, and what does it.
pub struct FunctionRow<Call> {
    /// What is known of it.
    pub function: Function,
    /// Does it.
    pub call: Call,
}

/// A function that goes through the gate.
pub type Operation = FunctionRow<fn(&mut dyn Gate, &Arguments) -> Result<Value>>;

impl Function {
    /// What rows begin with: takes, returns, changes nothing.
    pub(crate) const BASE: Self = Self {
        name: "",
        group: Group::Look,
        params: &[],
        options: &[],
        returns: Returns::Nothing,
        changes: Changes::Nothing,
        guards: &[],
        course: &[],
        about: "",
        example: Example::new(""),
    };

    /// Its call as people write it: `pause_pump(pump, [#{...}])`.
    pub fn signature(&self) -> String {
        let params = self.params.iter().map(Param::shown);
        let options = (!self.options.is_empty()).then(|| "[#{...}]".to_owned());
        format!("{}({})", self.name, params.chain(options).collect::<Vec<_>>().join(", "))
    }

    /// How many arguments it takes, with the trailing map.
    pub fn arguments(&self) -> RangeInclusive<usize> {
        self.required()..=self.params.len() + usize::from(!self.options.is_empty())
    }

    /// How many arguments have to be given.
    pub(crate) fn required(&self) -> usize {
        self.params.iter().filter(|param| !param.optional).count()
    }

    /// The option `name`.
    pub(crate) fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The first line of its documentation.
    pub fn summary(&self) -> &'static str {
        self.about.lines().next().unwrap_or_default()
    }
}

/// What a function changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Nothing.
    Nothing,
    /// The cluster itself, for which it needs the maintenance lock.
    Cluster,
    /// A file of this host.
    File,
    /// Whatever a human or a program does outside.
    Outside,
}

/// What a call does to the course of a script, beside what it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// A node itself is asked what it is.
    Probes,
    /// It waits, or goes on only if something holds.
    Waits,
    /// It asks the operator, or ends the script.
    Gates,
}

/// Code that shows how a function is used, and the sample cluster in which it runs.
#[derive(Debug)]
pub struct Example {
    /// A named sample of the simulator.
    pub scenario: &'static str,
    /// The code.
    pub code: &'static str,
}

impl Example {
    /// Code that runs in the default sample.
    pub const fn new(code: &'static str) -> Self {
        Self { scenario: "default", code }
    }

    /// Code that runs in the sample `scenario`.
    pub const fn within(scenario: &'static str, code: &'static str) -> Self {
        Self { scenario, code }
    }
}

/// The chapters of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Looking at the cluster.
    Look,
    /// Acting upon it.
    Act,
    /// Waiting.
    Wait,
    /// Timestamps and clocks.
    Time,
    /// Savepoints and secrets.
    Meta,
    /// Parameters, steps and questions.
    Steps,
    /// Output and help.
    Show,
    /// Playing with a sandbox.
    Sandbox,
}

impl Group {
    /// The chapter's title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Look => "Look",
            Self::Act => "Act",
            Self::Wait => "Wait",
            Self::Time => "Time",
            Self::Meta => "Savepoints and secrets",
            Self::Steps => "Steps",
            Self::Show => "Show",
            Self::Sandbox => "Sandbox only",
        }
    }
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Type,
    /// Whether it can be left out.
    pub optional: bool,
}

impl Param {
    /// A parameter that must be given.
    pub const fn new(name: &'static str, takes: Type) -> Self {
        Self { name, takes, optional: false }
    }

    /// A parameter that can be left out.
    pub const fn optional(name: &'static str, takes: Type) -> Self {
        Self { name, takes, optional: true }
    }

    /// As it stands in a signature.
    pub(crate) fn shown(&self) -> String {
        if self.optional { format!("[{}]", self.name) } else { self.name.to_owned() }
    }
}

/// A key of the trailing map.
#[derive(Debug)]
pub struct Opt {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Type,
    /// What it does, in a few words.
    pub about: &'static str,
}

impl Opt {
    /// The option `name`.
    pub const fn new(name: &'static str, takes: Type, about: &'static str) -> Self {
        Self { name, takes, about }
    }
}

/// What a parameter or option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A node's id, a `Node`, or `host:port` where only one node has it; of this kind, if one is given.
    Node(Option<Kind>),
    /// Several nodes.
    Nodes,
    /// One of the five states.
    State,
    /// Text.
    Text,
    /// Text, or a secret that a script was given as a parameter.
    Secret,
    /// Several texts.
    Texts,
    /// Several numbers, and `()` for those that are not known.
    Numbers,
    /// A whole number.
    Int,
    /// A timestamp of PD, as an integer.
    Ts,
    /// A timestamp as some record has it, which may be none of PD's.
    Stamp,
    /// A number, whole or not.
    Number,
    /// Seconds as a number, or text such as `"5m"`.
    Duration,
    /// Yes or no.
    Bool,
    /// Names of guards.
    Guards,
    /// A time zone's name.
    Zone,
    /// A kind of fault.
    Fault,
    /// `on` or `off`: whether TiDB writes binlog.
    TidbBinlog,
    /// A changefeed that is created outside.
    Changefeed,
    /// Whatever there is.
    Anything,
    /// A function of the script's, and when it is called.
    Closure(Called),
    /// A literal: text, a number, true or false.
    Literal,
    /// An array of literals.
    Literals,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Type {
    /// The words that it takes, or some that are usual; none where any text will do.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::State => names_of::<State>(),
            Self::Fault => names_of::<FaultKind>(),
            Self::TidbBinlog => names_of::<TidbBinlog>(),
            Self::Zone => zone_names().collect(),
            Self::Duration => vec!["10s", "30s", "1m", "5m", "30m", "2h"],
            Self::OneOf(words) => words.to_vec(),
            Self::Node(_)
            | Self::Nodes
            | Self::Text
            | Self::Secret
            | Self::Texts
            | Self::Numbers
            | Self::Int
            | Self::Number
            | Self::Ts
            | Self::Stamp
            | Self::Bool
            | Self::Guards
            | Self::Changefeed
            | Self::Anything
            | Self::Closure(_)
            | Self::Literal
            | Self::Literals => Vec::new(),
        }
    }

    /// What it takes, as messages and the reference say it.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Node(None) => "a node (its id, a Node, or its host:port)",
            Self::Node(Some(Kind::Pump)) => "a Pump (its id, a Node, or its host:port)",
            Self::Node(Some(Kind::Drainer)) => "a Drainer (its id, a Node, or its host:port)",
            Self::Nodes => "an array of nodes (a new one as #{ kind, id, address })",
            Self::State => "a state (\"online\", \"pausing\", \"paused\", \"closing\" or \"offline\")",
            Self::Text | Self::OneOf(_) => "text",
            Self::Secret => "text or a secret",
            Self::Texts => "an array of text",
            Self::Numbers => "an array of numbers, with () for what is not known",
            Self::Int => "an integer",
            Self::Number => "a number",
            Self::Ts | Self::Stamp => "a timestamp (an integer, as tso() gives)",
            Self::Duration => "a duration (seconds as a number, or text such as \"5m\")",
            Self::Bool => "true or false",
            Self::Guards => "an array of guard names",
            Self::Zone => "a time zone (\"Europe/Berlin\", \"UTC\", \"Local\")",
            Self::Fault => "a kind of fault (text)",
            Self::TidbBinlog => "\"on\" or \"off\"",
            Self::Changefeed => "a changefeed (#{ id, start_ts, sink })",
            Self::Anything => "any value",
            Self::Closure(_) => "a closure",
            Self::Literal => "text, integer, number or bool",
            Self::Literals => "array",
        }
    }
}

/// When a closure is called that a function is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// Once, as a step.
    AsStep,
    /// Again and again, until it is met.
    UntilMet,
}
