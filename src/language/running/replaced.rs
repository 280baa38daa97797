//! Functions of a script that would stand in the place of ours: Rhai takes the script's own without a word, and what reads as
//! `pause_pump` would pause nothing, or look at no guard.

use crate::error::Error;
use crate::language::function;
use crate::operations::Function;
use rhai::{AST, Position};

/// The function of ours that a script's own one called `name`, with so many parameters, stands before. One with a number of
/// parameters that ours does not take stands before nothing; called on a value (`id.pause_pump()`), that is one more argument.
pub fn replaces(name: &str, parameters: usize) -> Option<&'static Function> {
    function(name).filter(|ours| [parameters, parameters + 1].iter().any(|count| ours.arguments().contains(count)))
}

/// What is wrong with the first function of `ast` that replaces one of ours, and where it stands.
pub(super) fn replaced(ast: &AST) -> Option<(Error, Position)> {
    let own = ast
        .shared_lib()
        .iter_script_fn_info()
        .filter_map(|(_, _, name, count, defined)| Some((replaces(name, count)?, defined.body.start_position())));
    let (ours, at) = own.min_by_key(|(_, at)| (at.line(), at.position()))?;
    let message = format!(
        "the function `{}` of this file would stand in the place of the program's own: {}",
        ours.name,
        ours.signature()
    );
    Some((Error::invalid(message).hint("give it a name of its own"), at))
}
