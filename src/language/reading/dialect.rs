//! Which parts of Rhai we take, and what decides whether a text compiles.

use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, CorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Engine, OptimizationLevel, Token};

/// How much stack a script gets: enough for as many calls within calls as the limits allow, in a debug build and on a
/// small thread too. Only what is used of it takes memory.
pub(crate) const STACK: usize = 64 << 20;

/// Compiling takes a stack of its own where less than this is left.
pub(crate) const RED_ZONE: usize = 4 << 20;

/// How deep expressions may be nested, at the top and inside functions.
const EXPRESSION_DEPTHS: (usize, usize) = (64, 64);

/// An engine with what we take of Rhai's own functions: all but its clock.
pub(crate) fn bare() -> Engine {
    let mut engine = Engine::new_raw();
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    engine
}

/// An engine that compiles scripts as the one that runs them does, and can run none. Unless it is `strict`, it takes names that are
/// nowhere declared.
pub(crate) fn reading(strict: bool) -> Engine {
    let mut engine = Engine::new_raw();
    set_dialect(&mut engine);
    engine.set_strict_variables(strict);
    engine
}

/// What decides whether a text compiles, and to what.
///
/// Nothing is optimized, because Rhai's optimizer may call functions while it compiles, and a script must do nothing
/// before it runs.
pub(crate) fn set_dialect(engine: &mut Engine) {
    engine.set_optimization_level(OptimizationLevel::None);
    engine.disable_symbol("eval");
    free_default(engine);
    engine.set_max_expr_depths(EXPRESSION_DEPTHS.0, EXPRESSION_DEPTHS.1);
}

/// Rhai reserves the word `default` and does nothing with it; `param("name", #{ default: 3 })` needs it as a key.
#[expect(deprecated, reason = "Rhai's way to say that this call may change; its version is pinned")]
fn free_default(engine: &mut Engine) {
    engine.on_parse_token(|token, _, _| match token {
        Token::Reserved(word) if word.as_str() == "default" => Token::Identifier(word),
        other => other,
    });
}
