//! The texts of a run's script and modules: what is kept of them, and how a run that goes on gets them back.
//!
//! A secret that stands in a text is not kept. The text that is kept cannot run then, so a run that goes on needs the
//! files again, and a hash shows that they are what they were.

use crate::commands::read_text;
use crate::error::{Error, Result};
use crate::journal::store::{RunHead, StoredModule};
use crate::language::{Masking, PinnedModule};
use crate::secret::Secret;
use crate::text::ShownPath;
use std::borrow::Cow;
use std::path::Path;

/// What is kept of `text`: the text without its secrets, and, if there are any, the hash of the whole.
pub(super) fn kept(text: &str, masking: &Masking, key: &[u8; 16]) -> (String, Option<Secret>) {
    match masking.masked(text) {
        Cow::Borrowed(text) => (text.to_owned(), None),
        Cow::Owned(masked) => (masked, Some(Secret::Plain(text.to_owned()).hashed(key))),
    }
}

/// What is kept of a module.
pub(super) fn stored(module: &PinnedModule, masking: &Masking, key: &[u8; 16]) -> StoredModule {
    let PinnedModule { importer, path, name, text } = module.clone();
    let (text, whole) = kept(&text, masking, key);
    StoredModule { importer, path, name, text, whole }
}

/// The whole texts of a run that goes on: of the script, which may lie at `elsewhere` now, and of its modules.
///
/// # Errors
/// `invalid` when a file that holds a secret is not what it was, and those of reading it.
pub(super) fn whole(head: &RunHead, key: &[u8; 16], elsewhere: Option<&Path>) -> Result<(String, Vec<PinnedModule>)> {
    let script = elsewhere.unwrap_or(Path::new(&head.script));
    let text = again(&head.text, head.whole.as_ref(), key, script)?;
    let module = |module: &StoredModule| {
        let StoredModule { importer, path, name, text, whole } = module.clone();
        let text = again(&text, whole.as_ref(), key, Path::new(&name))?;
        Ok(PinnedModule { importer, path, name, text })
    };
    Ok((text, head.modules.iter().map(module).collect::<Result<_>>()?))
}

/// The text of which `kept` is kept: itself, or what is in `file`, if its hash was taken.
fn again(kept: &str, whole: Option<&Secret>, key: &[u8; 16], file: &Path) -> Result<String> {
    let Some(hash) = whole else { return Ok(kept.to_owned()) };
    let why = format!("a secret stands in {}, and secrets are not kept with a run", file.shown());
    let hint = "put the file back as it was when the run began (--script FILE if it lies elsewhere now); the next script \
                takes its secret as a parameter: param(\"name\", #{ type: \"secret\" })";
    let text =
        read_text(file).map_err(|error| Error { message: format!("{why}: {}", error.message), ..error }.hint(hint))?;
    match Secret::Plain(text.clone()).hashed(key) == *hash {
        true => Ok(text),
        false => {
            Err(Error::invalid(format!("{why}: the file is needed to go on, and it is not what it was")).hint(hint))
        }
    }
}
