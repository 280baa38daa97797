//! What was probably meant by a command line that is none.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// The same error, with a tip that fits where ours is better than the usual one.
pub(super) fn with_tip(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let tip = match error.kind() {
        ErrorKind::UnknownArgument => text(&error, ContextKind::InvalidArg).and_then(|flag| parameter(&flag, args)),
        ErrorKind::InvalidSubcommand => {
            let word = text(&error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let is_file = word.contains('/') || word.ends_with(".rhai");
            if is_file {
                error.remove(ContextKind::SuggestedSubcommand);
            }
            let has_other = error.get(ContextKind::SuggestedSubcommand).is_some();
            (!has_other).then(|| format!("to run a script, write 'binlogsh run {word}'"))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// How the parameter of a script is given that stands there as if it were one of our flags.
fn parameter(flag: &str, args: &[OsString]) -> Option<String> {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let at = args.iter().position(|arg| arg.split('=').next() == Some(flag))?;
    let takes_parameters = args[..at].iter().any(|arg| matches!(arg.as_ref(), "run" | "rehearse"));
    let name = flag.strip_prefix("--").filter(|_| takes_parameters)?.replace('-', "_");
    let value = match args[at].split_once('=') {
        Some((_, value)) => Some(value),
        None => args.get(at + 1).map(AsRef::as_ref).filter(|next| !next.starts_with('-')),
    };
    Some(format!("a parameter of the script is given as '--param {name}={}'", value.unwrap_or("VALUE")))
}
