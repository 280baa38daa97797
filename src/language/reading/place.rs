//! Where in a script an error really comes from.
//!
//! Rhai reports the outermost position; the innermost is inside nested errors. For a closure of the script that fails
//! inside a module's function it names the module's file, and a line that may not exist there. So the source of each
//! frame is the one that defines the frame's function, and a position that a source does not have is not believed.

use crate::error::Place;
use crate::language::reading::sources::Sources;
use rhai::{EvalAltResult, Position};

/// Where an error comes from.
pub(crate) struct Places {
    /// Its innermost place.
    pub(crate) innermost: Option<Box<Place>>,
    /// The innermost place in the script that was run, if the other is in a module.
    pub(crate) called_from: Option<Box<Place>>,
}

/// The places of `error`, which came out of the source `key`.
pub(crate) fn of(error: &EvalAltResult, key: &str, sources: &Sources) -> Places {
    let (mut innermost, mut own, mut is_own) = (None, None, true);
    let (mut error, mut frame) = (error, key.to_owned());
    loop {
        if let Some(place) = at(error.position(), &frame, sources) {
            is_own = frame == key;
            if is_own {
                own = Some(place.clone());
            }
            innermost = Some(place);
        }
        (error, frame) = match error {
            EvalAltResult::ErrorInFunctionCall(function, said, inner, _) => {
                (inner, sources.defining(function, said, &frame))
            }
            EvalAltResult::ErrorInModule(module, inner, _) => (inner, module.clone()),
            _ => return Places { innermost, called_from: own.filter(|_| !is_own) },
        };
    }
}

/// The place at `position` of the source `key`, if it has one there.
pub(crate) fn at(position: Position, key: &str, sources: &Sources) -> Option<Box<Place>> {
    let known = sources.get(key)?;
    let text = known.line(position)?.to_owned();
    let column = position.position();
    Some(Box::new(Place { file: known.source.name.clone(), line: position.line()?, column, text }))
}

/// The place where `function` is called at `position`; Rhai says that this is in the source `said`, and is wrong for a
/// closure that another source's function calls: then it is where the line at that position has the call.
pub(crate) fn of_call(function: &str, said: &str, position: Position, sources: &Sources) -> Option<Box<Place>> {
    let calls = |key: &str| at(position, key, sources).filter(|place| place.text.contains(function));
    calls(said).or_else(|| sources.keys().iter().rev().find_map(|key| calls(key)))
}
