//! The type `Error`: what a script catches when a function of ours failed.

use crate::error::Error;
use crate::language::failure::Failure;
use crate::language::running::host::Host;
use crate::language::types::ERROR;
use crate::nearest::did_you_mean;
use rhai::{Dynamic, Engine, ImmutableString};
use std::rc::Rc;

/// Registers the type: its properties, and that it prints as it reads.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
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
            let hint = did_you_mean(&name, ERROR.iter().map(|known| known.name))
                .unwrap_or_else(|| "it has kind, message and hint".into());
            Err(unknown.raise(Error::invalid(format!("an Error has no property `{name}`")).hint(hint)))
        },
    );
    for name in ["to_string", "to_debug"] {
        engine.register_fn(name, |failure: &mut Failure| failure.to_string());
    }
}
