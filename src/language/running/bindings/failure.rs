//! The type `Error`: what a script catches when a function of ours failed.

use crate::language::failure::Failure;
use crate::language::running::host::Host;
use crate::language::types::{ERROR, Property, unknown};
use rhai::{Dynamic, Engine, ImmutableString};
use std::rc::Rc;

/// Registers the type: its properties, and that it prints as it reads.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
    engine.register_type_with_name::<Failure>("Error");
    for Property { name, .. } in ERROR {
        engine.register_get(name, |failure: &mut Failure| field(failure, name).unwrap_or(Dynamic::UNIT));
    }
    let property = Rc::clone(host);
    engine.register_indexer_get(move |failure: &mut Failure, name: ImmutableString| {
        field(failure, &name).ok_or_else(|| property.raise(unknown("an Error", ERROR, &name)))
    });
    for name in ["to_string", "to_debug"] {
        engine.register_fn(name, |failure: &mut Failure| failure.to_string());
    }
}

fn field(failure: &Failure, name: &str) -> Option<Dynamic> {
    match name {
        "kind" => Some(failure.0.kind.name().into()),
        "message" => Some(failure.0.to_string().into()),
        "hint" => Some(failure.0.advice("").map_or(Dynamic::UNIT, Dynamic::from)),
        _ => None,
    }
}
