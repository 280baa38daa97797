//! The type `Node`: a Pump or Drainer as it was read, with the properties that the reference documents.

use crate::error::Error;
use crate::language::convert::{NodeValue, to_dynamic};
use crate::language::running::host::Host;
use crate::language::types::{NODE, Property, unknown};
use crate::value::{Value, node_field};
use rhai::{Dynamic, Engine, ImmutableString};
use std::rc::Rc;

/// Registers the type: properties, comparison, text.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
    engine.register_type_with_name::<NodeValue>("Node");
    for Property { name, .. } in NODE {
        let shapes = Rc::clone(host);
        let property = move |node: &mut NodeValue| node_field(node, name).unwrap_or(Value::Unit);
        engine.register_get(name, move |node: &mut NodeValue| to_dynamic(property(node), &shapes.shapes));
    }
    let (get, set) = (Rc::clone(host), Rc::clone(host));
    engine.register_indexer_get(move |node: &mut NodeValue, name: ImmutableString| match node_field(node, &name) {
        Some(property) => Ok(to_dynamic(property, &get.shapes)),
        None => Err(get.raise(unknown("a Node", NODE, &name))),
    });
    engine.register_indexer_set(move |node: &mut NodeValue, name: ImmutableString, _: Dynamic| {
        let error = match NODE.iter().any(|known| known.name == name) {
            true => Error::invalid(format!("a Node is what was read of {}: `{name}` cannot be set", node.id()))
                .hint("to compare write `==`; to change a node, act upon it: pause, offline, update; see help()"),
            false => unknown("a Node", NODE, &name),
        };
        Err::<(), _>(set.raise(error))
    });
    engine.register_fn("==", |a: NodeValue, b: NodeValue| a.record.node == b.record.node);
    engine.register_fn("!=", |a: NodeValue, b: NodeValue| a.record.node != b.record.node);
    engine.register_fn("to_string", |node: &mut NodeValue| node.id().to_string());
    engine.register_fn("to_debug", |node: &mut NodeValue| {
        format!("{} {} ({}, {})", node.record.node.kind, node.id(), node.record.state, node.record.node.address)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NODE_FIELDS;

    #[test]
    fn what_is_documented_is_what_there_is() {
        assert_eq!(NODE.iter().map(|known| known.name).collect::<Vec<_>>(), NODE_FIELDS);
    }
}
