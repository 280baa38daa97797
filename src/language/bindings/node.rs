//! The type `Node`: a Pump or Drainer as it was read, with the properties that the reference documents.

use crate::error::Error;
use crate::language::convert::{NodeValue, to_dynamic};
use crate::language::host::Host;
use crate::language::types::Property;
use crate::nearest::did_you_mean;
use crate::operations::Returns;
use crate::time::{Time, Zone};
use crate::value::Value;
use rhai::{Dynamic, Engine, ImmutableString};
use std::rc::Rc;

pub(in crate::language) const PROPERTIES: &[Property] = &[
    Property::new("id", Returns::Text, "the id in its key"),
    Property::new("kind", Returns::Kind, "`pump` or `drainer`"),
    Property::new(
        "state",
        Returns::State,
        "the record's state, which is what others act upon; `probe` tells the node's own",
    ),
    Property::new("address", Returns::Text, "`host:port`"),
    Property::new(
        "max_commit_ts",
        Returns::Integer,
        "Pump: the newest commit it holds. Drainer: everything up to it was consumed",
    ),
    Property::new("updated", Returns::Time, "the last heartbeat, by a clock of the node's own that drifts"),
    Property::new(
        "heartbeat_age",
        Returns::Maybe(&Returns::Number),
        "seconds from the last heartbeat to PD's now; () where PD's time is unknown or the record tells no time",
    ),
    Property::new(
        "lag",
        Returns::Maybe(&Returns::Number),
        "seconds from `max_commit_ts` to PD's now; () where PD's time is unknown or the record tells no position (0: nothing yet)",
    ),
    Property::new("odd", Returns::List(&Returns::Text), "what is odd about it"),
];

/// Registers the type: properties, comparison, text.
pub(super) fn register(engine: &mut Engine, host: &Rc<Host>) {
    engine.register_type_with_name::<NodeValue>("Node");
    for Property { name, .. } in PROPERTIES {
        let shapes = Rc::clone(host);
        engine.register_get(name, move |node: &mut NodeValue| to_dynamic(property(node, name), &shapes.shapes));
    }
    let (get, set) = (Rc::clone(host), Rc::clone(host));
    engine.register_indexer_get(move |node: &mut NodeValue, name: ImmutableString| {
        match PROPERTIES.iter().any(|known| known.name == name) {
            true => Ok(to_dynamic(property(node, &name), &get.shapes)),
            false => Err(get.raise(unknown(&name))),
        }
    });
    engine.register_indexer_set(move |node: &mut NodeValue, name: ImmutableString, _: Dynamic| {
        let error = match PROPERTIES.iter().any(|known| known.name == name) {
            true => Error::invalid(format!("a Node is what was read of {}: `{name}` cannot be set", node.id()))
                .hint("to compare write `==`; to change a node, act upon it: pause, offline, update; see help()"),
            false => unknown(&name),
        };
        Err::<(), _>(set.raise(error))
    });
    engine.register_fn("==", |a: NodeValue, b: NodeValue| a.record.node == b.record.node);
    engine.register_fn("!=", |a: NodeValue, b: NodeValue| a.record.node != b.record.node);
    engine.register_fn("to_string", |node: &mut NodeValue| node.id().to_owned());
    engine.register_fn("to_debug", |node: &mut NodeValue| {
        format!("{} {} ({}, {})", node.record.node.kind, node.id(), node.record.state, node.record.node.address)
    });
}

fn property(node: &NodeValue, name: &str) -> Value {
    let record = &node.record;
    match name {
        "id" => record.node.id.clone().into(),
        "kind" => record.node.kind.name().into(),
        "state" => record.state.name().into(),
        "address" => record.node.address.clone().into(),
        "max_commit_ts" => record.max_commit_ts.into(),
        "updated" => Time::of_tso(record.update_ts, Zone::Utc).into(),
        "heartbeat_age" => node.heartbeat_age.into(),
        "lag" => node.lag.into(),
        _ => node.odd.clone().into(),
    }
}

fn unknown(name: &str) -> Error {
    let known = PROPERTIES.iter().map(|known| known.name);
    let hint = did_you_mean(name, known.clone())
        .unwrap_or_else(|| format!("a Node has {}", known.collect::<Vec<_>>().join(", ")));
    Error::invalid(format!("a Node has no property `{name}`")).hint(hint)
}
