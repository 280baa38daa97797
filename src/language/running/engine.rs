//! The engine that runs scripts: everything is bound to it, it stops where it is told, and it tells what is printed.

use crate::language::reading::dialect::{bare, set_dialect};
use crate::language::running::bindings;
use crate::language::running::host::Host;
use crate::language::running::library::Library;
use crate::world::Notice;
use rhai::{Dynamic, Engine, EvalContext};
use std::rc::Rc;

/// How many steps are between two looks at what is left of the stack.
const BETWEEN_LOOKS_AT_STACK: u64 = 16;

/// An engine with everything bound.
pub(crate) fn build(host: &Rc<Host>) -> Engine {
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

fn set_limits(engine: &mut Engine, host: &Rc<Host>) {
    let limits = &host.settings.limits;
    engine.set_max_operations(limits.operations);
    engine.set_max_call_levels(limits.call_levels);
    let (steps, variables) = (Rc::clone(host), Rc::clone(host));
    engine.on_progress(move |step| {
        if step.is_multiple_of(BETWEEN_LOOKS_AT_STACK) {
            steps.memory.look_at_stack();
        }
        steps.must_stop().then_some(Dynamic::UNIT)
    });
    look_at_variables(engine, move |context| variables.memory.look_at_depth(context));
}

/// Whenever a script uses a variable, `look` sees where it is.
#[expect(deprecated, reason = "Rhai's way to say that this call may change; its version is pinned")]
fn look_at_variables(engine: &mut Engine, look: impl Fn(&EvalContext<'_, '_, '_, '_, '_, '_>) + 'static) {
    engine.on_var(move |_, _, context| {
        look(&context);
        Ok(None)
    });
}

fn tell(engine: &mut Engine, host: &Rc<Host>) {
    let (print, debug) = (Rc::clone(host), Rc::clone(host));
    engine.on_print(move |text| print.tell(Notice::Printed(text.to_owned())));
    engine.on_debug(move |text, _, place| debug.tell(Notice::Printed(format!("{text} ({place})"))));
}
