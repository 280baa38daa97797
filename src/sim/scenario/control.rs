//! What starts and stops the nodes of a scenario from outside.

use crate::node::{Kind, NodeRef};
use crate::world::{Ability, EndsBy, ProcessVerb, Restarts, Supervision};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How nodes are started and stopped without a human.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeControlSpec {
    /// By what, for people: `systemd over ssh`.
    pub by: String,
    /// What it cannot do to any node, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cannot: BTreeMap<ProcessVerb, String>,
    /// The nodes that it does not know, each as `KIND ID`, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, String>,
    /// How it ends a process.
    #[serde(default)]
    pub ends_by: EndsBy,
    /// Which processes it starts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Restarts>,
}

impl NodeControlSpec {
    /// What a snapshot of nodes that are controlled like this has: what holds of the first one that it knows, and what it does
    /// not know. `None` where nothing controls any of them.
    pub(crate) fn of(nodes: &[(NodeRef, Option<Supervision>)]) -> Option<Self> {
        let can_anything = |supervision: &Supervision| ProcessVerb::ALL.iter().any(|verb| supervision.can(*verb));
        let known = nodes.iter().filter_map(|(_, supervision)| supervision.as_ref()).filter(|one| one.stands_in);
        let first = known.clone().find(|supervision| can_anything(supervision)).or_else(|| known.clone().next())?;
        let cannot = |verb: &ProcessVerb| match first.ability(*verb) {
            Ability::By(_) => None,
            Ability::Cannot(why) => Some((*verb, why.clone())),
        };
        let unknown = |(node, supervision): &(NodeRef, Option<Supervision>)| {
            let why = match supervision {
                None => "nothing starts or stops it".to_owned(),
                Some(supervision) if can_anything(supervision) => return None,
                Some(supervision) => match &supervision.start {
                    Ability::Cannot(why) => why.clone(),
                    Ability::By(_) => return None,
                },
            };
            Some((name_of(node), why))
        };
        Some(Self {
            by: first.by.clone(),
            cannot: ProcessVerb::ALL.iter().filter_map(cannot).collect(),
            unknown: nodes.iter().filter_map(unknown).collect(),
            ends_by: first.ends_by,
            restarts: first.restarts,
        })
    }

    /// How `node` is started and stopped.
    pub(crate) fn supervision(&self, node: &NodeRef) -> Supervision {
        let ability = |verb| {
            let why = self.unknown.get(&name_of(node)).or_else(|| self.cannot.get(&verb));
            why.map_or(Ability::By(None), |why| Ability::Cannot(why.clone()))
        };
        Supervision {
            by: self.by.clone(),
            stands_in: true,
            start: ability(ProcessVerb::Start),
            stop: ability(ProcessVerb::Stop),
            restart: ability(ProcessVerb::Restart),
            ends_by: self.ends_by,
            restarts: self.restarts,
            between: None,
        }
    }
}

fn name_of(node: &NodeRef) -> String {
    name_in_spec(node.kind, &node.id)
}

/// What a node is called in [`NodeControlSpec::unknown`].
pub(super) fn name_in_spec(kind: Kind, id: &str) -> String {
    format!("{kind} {id}")
}
