//! What the command line gives to a script: values of parameters, and where those stand that must not stand on it.

use crate::cli::ParamSources;
use crate::commands::compose::CommandContext;
use crate::commands::read_given;
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::journal::store::RunHead;
use crate::language::tree::Parser;
use crate::language::{ParamDoc, Source};
use crate::secret::Secret;
use crate::text::unmarked;
use indexmap::IndexMap;
use std::path::Path;

/// The values of a script's parameters.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Of those that everybody may see.
    pub parameters: IndexMap<String, String>,
    /// Of the others.
    pub secrets: IndexMap<String, Secret>,
}

/// What is given to the script `source`; `ask` has the secrets that are not.
///
/// # Errors
/// `invalid` for a secret on the command line itself, for one that is empty, for what is given twice; those of reading a
/// file, and of asking.
pub(super) fn given(
    context: &CommandContext,
    source: &Source,
    (params, sources): (&[(String, String)], &ParamSources),
    mut ask: impl FnMut(&ParamDoc) -> Result<Secret>,
) -> Result<Given> {
    // Why a script cannot be read is said when it is run.
    let declared = Parser::default().parse(source).ok().and_then(|parsed| parsed.doc.ok());
    let secrets: Vec<&ParamDoc> = declared.iter().flat_map(|doc| doc.secrets()).collect();
    let mut given = Given::default();
    for (name, value) in params {
        if let Some(secret) = secrets.iter().find(|secret| secret.name == *name) {
            return Err(secret.not_there());
        }
        given.take(name, value.clone())?;
    }
    for (name, value) in read(sources, &context.interrupt)? {
        match secrets.iter().any(|secret| secret.name == name) {
            true => given.take_secret(&name, value)?,
            false => given.take(&name, value)?,
        }
    }
    for secret in secrets {
        if !given.secrets.contains_key(&secret.name) {
            given.secrets.insert(secret.name.clone(), ask(secret)?);
        }
    }
    Ok(given)
}

/// The secrets of a run that goes on, which are those that it began with.
///
/// # Errors
/// `invalid` when one is another than it was; those of reading and asking.
pub(super) fn again(
    context: &CommandContext,
    head: &RunHead,
    key: &[u8; 16],
    sources: &ParamSources,
) -> Result<IndexMap<String, Secret>> {
    let mut given = Given::default();
    for (name, value) in read(sources, &context.interrupt)? {
        if !head.secrets.contains_key(&name) {
            return Err(Error::invalid(format!("the run {} began without a secret parameter `{name}`", head.id))
                .hint("a run goes on with the parameters that it had"));
        }
        given.take_secret(&name, value)?;
    }
    for (name, hash) in &head.secrets {
        if !given.secrets.contains_key(name) {
            given.secrets.insert(name.clone(), asked(context, name, "as when the run began")?);
        }
        if given.secrets.get(name).is_none_or(|secret| secret.hashed(key) != *hash) {
            return Err(Error::invalid(format!(
                "the secret `{name}` is not the one with which the run {} began",
                head.id
            ))
            .hint("resume it with that one; for another begin a new run"));
        }
    }
    Ok(given.secrets)
}

/// The secret that the operator types, unseen, or that comes on standard input.
///
/// # Errors
/// `local` when there is none, `invalid` when it is empty, `interrupted`.
pub(super) fn asked(context: &CommandContext, name: &str, about: &str) -> Result<Secret> {
    let prompt = if about.is_empty() { format!("{name}: ") } else { format!("{name} ({about}): ") };
    let hint = format!("give --param-file {name}=FILE or --param-env {name}=VARIABLE, or one line on standard input");
    let secret =
        context.output.console(context.interrupt.clone()).secret(&prompt).map_err(|error| match error.kind {
            ErrorKind::Local => {
                Error { message: format!("the secret `{name}` is not given: {}", error.message), ..error }.hint(hint)
            }
            _ => error,
        })?;
    match &secret {
        Secret::Plain(text) if text.is_empty() => Err(empty(name)),
        _ => Ok(secret),
    }
}

impl Given {
    fn take(&mut self, name: &str, value: String) -> Result<()> {
        match self.parameters.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(twice(name)),
        }
    }

    fn take_secret(&mut self, name: &str, value: String) -> Result<()> {
        if value.is_empty() {
            return Err(empty(name));
        }
        match self.secrets.insert(name.to_owned(), Secret::Plain(value)) {
            None => Ok(()),
            Some(_) => Err(twice(name)),
        }
    }
}

fn twice(name: &str) -> Error {
    Error::invalid(format!("the parameter `{name}` is given twice"))
}

fn empty(name: &str) -> Error {
    Error::invalid(format!("the secret `{name}` is empty"))
}

/// What stands in the files and variables that the command line names.
fn read(sources: &ParamSources, interrupt: &Interrupt) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for (name, file) in &sources.files {
        let text = read_given(Path::new(file), interrupt)
            .map_err(|error| Error { message: format!("--param-file {name}: {}", error.message), ..error })?;
        // The end of its last line is the file's, not the value's.
        let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        all.push((name.clone(), value.to_owned()));
    }
    for (name, variable) in &sources.env {
        let value = std::env::var(variable).map_err(|fault| {
            let why = match fault {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
            };
            Error::invalid(format!("--param-env {name}: the environment variable {variable} {why}"))
                .hint("name the variable, not its value; it must be exported")
        })?;
        all.push((name.clone(), unmarked(&value).to_owned()));
    }
    Ok(all)
}
