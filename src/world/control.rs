//! Starting and stopping the processes of nodes from outside, as the supervisor of their hosts does it.

use crate::error::{Error, ErrorKind};
use crate::node::NodeRef;
use crate::time::show_seconds;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};

/// What is done to a node's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ProcessVerb {
    /// Starts it; nothing happens to one that runs.
    Start,
    /// Ends it.
    Stop,
    /// Ends it, if there is one, and starts it.
    Restart,
}

impl ProcessVerb {
    /// All of them.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word in scripts and profiles.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether it ends the process that runs.
    pub(crate) fn ends(self) -> bool {
        match self {
            Self::Start => false,
            Self::Stop | Self::Restart => true,
        }
    }
}

impl Display for ProcessVerb {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Starts, stops or restarts a node's process. It is done once record, probe and start time say so, whatever the program
/// says that was told to do it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Whose process.
    pub node: NodeRef,
    /// What is done to it.
    pub verb: ProcessVerb,
    /// How long it usually takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<Duration>,
    /// How long it is waited for; see [`Control::limit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

impl Control {
    /// How long it is waited for where nothing else is said: a unit that does not stop is killed after 90 s.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(180);

    /// This, with nothing said of its time.
    pub fn new(node: NodeRef, verb: ProcessVerb) -> Self {
        Self { node, verb, takes: None, timeout: None }
    }

    /// How long it is waited for: as said, or ten times what it usually takes, if that is longer than usual.
    pub fn limit(&self) -> Duration {
        let usual = self.takes.map_or(Self::TIMEOUT, |takes| takes.saturating_mul(10).max(Self::TIMEOUT));
        self.timeout.unwrap_or(usual)
    }

    /// The error of everybody who must not start and stop nodes unasked.
    pub(crate) fn not_allowed(&self) -> Error {
        let Self { node, verb, .. } = self;
        Error::refused(format!("not done: {verb} {node}: without a question, nodes are started and stopped only with --allow-node-control"))
            .hint("read what the script does, and start it with --allow-node-control if you agree; or answer the questions in a terminal, without --yes")
    }

    /// The error of whoever waited in vain for `waited`, and still misses this; `more` is what else was found out, a line each.
    pub(crate) fn not_seen(&self, waited: Duration, missing: &str, more: &[String]) -> Error {
        let waited = show_seconds(waited.as_secs_f64());
        let more: String = more.iter().map(|line| format!("\n  {line}")).collect();
        Error::new(
            ErrorKind::Timeout,
            format!("{} {} was not seen to be done in {waited}: {missing}{more}", self.verb, self.node),
        )
        .hint("the command has ended, and this is not seen: look at the node before you try again, or give it a longer timeout")
    }
}

/// How a process is ended by what is told to stop it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum EndsBy {
    /// In good order, as a pause does it; a closing Pump ignores it, and is killed after a while.
    #[default]
    Sigterm,
    /// At once: its record stays as it was.
    Sigkill,
}

/// Which processes that have ended a supervisor starts again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Restarts {
    /// None.
    Never,
    /// Those that failed or were killed.
    OnFailure,
    /// All, those that were paused or closed too.
    Always,
}

/// Whether a verb can be done to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// By this command, as one would type it; `None` where nothing is run, as in a simulated cluster.
    By(Option<String>),
    /// It cannot, for this reason.
    Cannot(String),
}

/// How the process of a node is started and stopped from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// By what, for people: `systemd over ssh`.
    pub by: String,
    /// Whether it starts and stops what a human would otherwise be asked to.
    pub stands_in: bool,
    /// How it starts.
    pub start: Ability,
    /// How it stops.
    pub stop: Ability,
    /// How it restarts.
    pub restart: Ability,
    /// How it ends a process.
    pub ends_by: EndsBy,
    /// Which processes it starts by itself; `None` where nobody says.
    pub restarts: Option<Restarts>,
    /// Where the address map leads instead of the node's own port: what listens there may refuse in the node's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<String>,
}

impl Supervision {
    /// How it does `verb`.
    pub fn ability(&self, verb: ProcessVerb) -> &Ability {
        match verb {
            ProcessVerb::Start => &self.start,
            ProcessVerb::Stop => &self.stop,
            ProcessVerb::Restart => &self.restart,
        }
    }

    /// Whether it can do `verb`.
    pub(crate) fn can(&self, verb: ProcessVerb) -> bool {
        match self.ability(verb) {
            Ability::By(_) => true,
            Ability::Cannot(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Kind;

    #[test]
    fn it_is_waited_for_at_least_as_long_as_a_unit_may_take_to_stop() {
        let node = NodeRef { kind: Kind::Pump, id: "p".into(), address: "p:1".into() };
        let limit = |takes: Option<u64>, timeout: Option<u64>| {
            let (takes, timeout) = (takes.map(Duration::from_secs), timeout.map(Duration::from_secs));
            Control { takes, timeout, ..Control::new(node.clone(), ProcessVerb::Stop) }.limit().as_secs()
        };
        assert_eq!(limit(None, None), 180);
        assert_eq!(limit(Some(5), None), 180, "a unit that does not stop is killed after 90 s");
        assert_eq!(limit(Some(60), None), 600);
        assert_eq!(limit(Some(60), Some(7)), 7);
    }
}
