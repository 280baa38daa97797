//! What came of a script that a test ran.

use crate::error::{Error, ScriptError};
use crate::language::Ending;
use crate::node::{Kind, RecordState};
use crate::rehearsal::{Harm, Played, ProcessState, Story, Timeline, Truth};
use crate::sim::Cluster;
use crate::value::Value;
use crate::world::Notice;

/// What came of a script.
pub(super) struct RehearsedScript {
    played: Played,
    truth: Truth,
    /// As people read it.
    pub(super) story: Story,
}

impl RehearsedScript {
    pub(super) fn new(start: &Cluster, played: Played, truth: Truth, harms: &[Harm]) -> Self {
        let story = Story::of(start, &played, &truth, harms);
        Self { played, truth, story }
    }

    /// The error that ended it.
    pub(super) fn error(&self) -> Option<&ScriptError> {
        self.played.ending.as_ref().err()
    }

    /// The exit code that a real run would have had.
    pub(super) fn exit_code(&self) -> u8 {
        self.played.exit_code()
    }

    /// What it returned.
    pub(super) fn value(&self) -> Value {
        match &self.played.ending {
            Ok(Ending::Value(value)) => value.clone(),
            _ => Value::Unit,
        }
    }

    /// What it changed, or tried to, in order; what was refused says so.
    pub(super) fn effects(&self) -> Vec<String> {
        let told = self.played.acts.iter().filter_map(|act| {
            let effect = act.change.planned()?;
            Some(match &act.outcome {
                Ok(_) => effect.to_string(),
                Err(error) => format!("{effect}: {}", error.kind.name()),
            })
        });
        told.collect()
    }

    /// What it printed, a line each.
    pub(super) fn printed(&self) -> Vec<String> {
        let printed = self.played.said.iter().filter_map(|said| match &said.notice {
            Notice::Printed(line) => Some(line.clone()),
            _ => None,
        });
        printed.collect()
    }

    /// What the operator would have been asked.
    pub(super) fn asked(&self) -> Vec<String> {
        self.played.asked.iter().map(|asked| asked.text.clone()).collect()
    }

    /// What a node's record says in the end, a minute after the script's; `None` without one.
    pub(super) fn record(&self, id: &str) -> Result<Option<RecordState>, Error> {
        self.node(id).map(|node| node.record_at(self.played.after.now()).cloned())
    }

    /// What a node's process is in the end, a minute after the script's.
    pub(super) fn process(&self, id: &str) -> Result<ProcessState, Error> {
        self.node(id).map(|node| node.process_at(self.played.after.now()))
    }

    /// The ids of all nodes.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.truth.nodes.iter().map(|node| node.id.as_str())
    }

    fn node(&self, id: &str) -> Result<&Timeline, Error> {
        let named = |kind| self.truth.named(kind, id);
        named(Kind::Pump).or_else(|| named(Kind::Drainer)).ok_or_else(|| {
            let hint = crate::nearest::did_you_mean(id, self.ids());
            Error::not_found(format!("there is no node {id} in the test's cluster"))
                .hint(hint.unwrap_or_else(|| "name a Pump or a Drainer of its scenario".into()))
        })
    }
}
