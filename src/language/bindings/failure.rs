//! The type `Error`: what a script catches when a function of ours failed.

use crate::error::Error;
use crate::language::failure::Failure;
use crate::language::host::Host;
use crate::language::types::Property;
use crate::nearest::did_you_mean;
use crate::operations::Returns;
use rhai::{Dynamic, Engine, ImmutableString};
use std::rc::Rc;

pub(in crate::language) const PROPERTIES: &[Property] = &[
    Property::new("kind", Returns::Text, "what sort of thing went wrong, such as `refused` or `unreachable`"),
    Property::new("message", Returns::Text, "what, where and why"),
    Property::new("hint", Returns::Maybe(&Returns::Text), "what to do next"),
];

/// Registers the type: its properties, and that it prints as it reads.
pub(super) fn register(engine: &mut Engine, host: &Rc<Host>) {
    engine.register_type_with_name::<Failure>("Error");
    engine.register_get("kind", |failure: &mut Failure| failure.0.kind.name());
    engine.register_get("message", |failure: &mut Failure| failure.0.to_string());
    engine.register_get("hint", |failure: &mut Failure| match failure.0.advice("") {
        Some(hint) => Dynamic::from(hint),
        None => Dynamic::UNIT,
    });
    let unknown = Rc::clone(host);
    engine.register_indexer_get(
        move |_: &mut Failure, name: ImmutableString| -> Result<Dynamic, Box<rhai::EvalAltResult>> {
            let hint = did_you_mean(&name, PROPERTIES.iter().map(|known| known.name))
                .unwrap_or_else(|| "it has kind, message and hint".into());
            Err(unknown.raise(Error::invalid(format!("an Error has no property `{name}`")).hint(hint)))
        },
    );
    for name in ["to_string", "to_debug"] {
        engine.register_fn(name, |failure: &mut Failure| failure.to_string());
    }
}
