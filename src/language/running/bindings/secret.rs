//! The type `Secret`: a text that a script can hand on, and never sees.

use crate::secret::Secret;
use rhai::Engine;

/// Registers the type: it prints as `***`.
pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Secret>("Secret");
    engine.register_fn("to_string", |secret: &mut Secret| secret.to_string());
    engine.register_fn("to_debug", |secret: &mut Secret| secret.to_string());
}
