//! Where in a script an error really comes from.
//!
//! Rhai reports the outermost position; the innermost is inside nested errors. For a closure of the script that fails
//! inside a module's function it names the module's file, and a line that may not exist there. So the source of each
//! frame is the one that defines the frame's function, and a position that a source does not have is not believed.

use crate::error::Place;
use crate::language::sources::Sources;
use rhai::{EvalAltResult, Position};

/// The innermost place of `error`, which came out of the source `key`.
pub(super) fn innermost(error: &EvalAltResult, key: &str, sources: &Sources) -> Option<Box<Place>> {
    let inner = match error {
        EvalAltResult::ErrorInFunctionCall(function, said, inner, _) => {
            innermost(inner, &sources.defining(function, said, key), sources)
        }
        EvalAltResult::ErrorInModule(module, inner, _) => innermost(inner, module, sources),
        _ => None,
    };
    inner.or_else(|| at(error.position(), key, sources))
}

/// The place at `position` of the source `key`, if it has one there.
pub(super) fn at(position: Position, key: &str, sources: &Sources) -> Option<Box<Place>> {
    let known = sources.get(key)?;
    let text = known.line(position)?.to_owned();
    let column = position.position();
    Some(Box::new(Place { file: known.source.name.clone(), line: position.line()?, column, text }))
}

/// The place where `function` is called at `position`; Rhai says that this is in the source `said`, and is wrong for a
/// closure that another source's function calls: then it is where the line at that position has the call.
pub(super) fn of_call(function: &str, said: &str, position: Position, sources: &Sources) -> Option<Box<Place>> {
    let calls = |key: &str| at(position, key, sources).filter(|place| place.text.contains(function));
    calls(said).or_else(|| sources.keys().iter().rev().find_map(|key| calls(key)))
}
