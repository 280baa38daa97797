//! The Rhai engine: which parts of it we take, where it stops, and what it tells.

use crate::language::bindings;
use crate::language::host::Host;
use crate::language::library::Library;
use crate::world::Notice;
use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, CorePackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, OptimizationLevel, Token};
use std::rc::Rc;

/// How deep expressions may be nested, at the top and inside functions.
const EXPRESSION_DEPTHS: (usize, usize) = (64, 64);

/// An engine with what we take of Rhai's own functions: all but its clock.
pub(super) fn bare() -> Engine {
    let mut engine = Engine::new_raw();
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    engine
}

/// An engine that compiles scripts and runs none: for what they say of themselves.
pub(super) fn for_reading() -> Engine {
    let mut engine = bare();
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_expr_depths(EXPRESSION_DEPTHS.0, EXPRESSION_DEPTHS.1);
    free_default(&mut engine);
    engine
}

/// An engine with everything bound.
///
/// Nothing is optimized, because Rhai's optimizer may call functions while it compiles, and a script must do nothing
/// before it runs.
pub(super) fn build(host: &Rc<Host>) -> Engine {
    let mut engine = bare();
    set_dialect(&mut engine);
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    set_limits(&mut engine, host);
    tell(&mut engine, host);
    bindings::register(&mut engine, host);
    engine.set_module_resolver(Library::new(Rc::clone(host)));
    engine
}

/// An engine that compiles scripts as [`build`]'s does, and can run none. Unless it is `strict`, it takes names that are
/// nowhere declared.
pub(super) fn reading(strict: bool) -> Engine {
    let mut engine = Engine::new_raw();
    set_dialect(&mut engine);
    engine.set_strict_variables(strict);
    engine
}

/// What decides whether a text compiles, and to what.
fn set_dialect(engine: &mut Engine) {
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

fn set_limits(engine: &mut Engine, host: &Rc<Host>) {
    let limits = &host.settings.limits;
    engine.set_max_operations(limits.operations);
    engine.set_max_call_levels(limits.call_levels);
    engine.set_max_string_size(limits.text);
    engine.set_max_array_size(limits.array);
    engine.set_max_map_size(limits.map);
    let host = Rc::clone(host);
    engine.on_progress(move |_| host.must_stop().then_some(Dynamic::UNIT));
}

fn tell(engine: &mut Engine, host: &Rc<Host>) {
    let (print, debug) = (Rc::clone(host), Rc::clone(host));
    engine.on_print(move |text| print.tell(Notice::Printed(text.to_owned())));
    engine.on_debug(move |text, _, place| debug.tell(Notice::Printed(format!("{text} ({place})"))));
}
