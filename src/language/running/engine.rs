//! The engine that runs scripts: everything is bound to it, it stops where it is told, and it tells what is printed.

use crate::language::reading::dialect::{bare, set_dialect};
use crate::language::running::bindings;
use crate::language::running::host::Host;
use crate::language::running::library::Library;
use crate::world::Notice;
use rhai::{Dynamic, Engine};
use std::rc::Rc;

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
