//! The type `Error`: what a script catches when a function of ours failed.

use crate::error::Error;
use crate::language::failure::Failure;
use crate::language::host::Host;
use crate::nearest::did_you_mean;
use rhai::{Dynamic, Engine, ImmutableString};
use std::rc::Rc;

/// Name, type and meaning of each property.
pub(in crate::language) const PROPERTIES: [(&str, &str, &str); 3] = [
    ("kind", "text", "what sort of thing went wrong, such as `refused` or `unreachable`"),
    ("message", "text", "what, where and why"),
    ("hint", "text or ()", "what to do next"),
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
            let hint = did_you_mean(&name, PROPERTIES.map(|(known, ..)| known))
                .unwrap_or_else(|| "it has kind, message and hint".into());
            Err(unknown.raise(Error::invalid(format!("an Error has no property `{name}`")).hint(hint)))
        },
    );
    for name in ["to_string", "to_debug"] {
        engine.register_fn(name, |failure: &mut Failure| failure.to_string());
    }
}
