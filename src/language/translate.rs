//! Rhai's errors in our words: what, why, and what to do next.

use crate::error::{Error, ErrorKind};
use crate::language::docs;
use crate::language::failure::Failure;
use crate::language::settings::Limits;
use crate::nearest::did_you_mean;
use rhai::{Dynamic, EvalAltResult, LexError, ParseErrorType};

/// The names that an error may have misspelt.
pub(super) struct Vocabulary {
    /// Variables in scope, and modules.
    pub(super) variables: Vec<String>,
    /// Functions of the script and its modules, with the number of their parameters.
    pub(super) functions: Vec<(String, usize)>,
    /// Fields of maps that were seen.
    pub(super) fields: Vec<String>,
    /// Where a script that runs away is stopped.
    pub(super) limits: Limits,
}

impl Vocabulary {
    /// `error` in our words.
    pub(super) fn translate(&self, error: &EvalAltResult) -> Error {
        match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(thrown, _) => thrown_error(thrown),
            EvalAltResult::ErrorTerminated(token, _) => match token.read_lock::<Failure>() {
                Some(failure) => (*failure.0).clone(),
                None => Error::interrupted(None, "the script was stopped"),
            },
            EvalAltResult::ErrorParsing(error, _) => self.parsing(error),
            EvalAltResult::ErrorVariableNotFound(name, _) => self.no_variable(name),
            EvalAltResult::ErrorPropertyNotFound(name, _) => self.no_field(name),
            EvalAltResult::ErrorFunctionNotFound(call, _) => self.no_function(call),
            EvalAltResult::ErrorModuleNotFound(name, _) => self.no_module(name),
            EvalAltResult::ErrorMismatchDataType(wanted, given, _)
            | EvalAltResult::ErrorMismatchOutputType(wanted, given, _) => {
                Error::invalid(format!("this takes {}, not {}", of_type(wanted), of_type(given)))
            }
            EvalAltResult::ErrorArrayBounds(length, index, _) => {
                Error::invalid(format!("there is no element {index}: the array has {length}"))
                    .hint("elements count from 0; look at .len() first")
            }
            limit @ (EvalAltResult::ErrorTooManyOperations(_)
            | EvalAltResult::ErrorStackOverflow(_)
            | EvalAltResult::ErrorDataTooLarge(..)) => self.ran_away(limit),
            other => Error::invalid(plain(other)),
        }
    }

    /// An error of the compiler in our words.
    pub(super) fn parsing(&self, error: &ParseErrorType) -> Error {
        match error {
            ParseErrorType::VariableUndefined(name) => self.no_variable(name),
            ParseErrorType::ModuleUndefined(name) => self.no_module(name),
            ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) if word == "eval" => {
                Error::invalid("`eval` is not part of the language")
                    .hint("call a function, or import a module: a script must show what it does")
            }
            ParseErrorType::Reserved(word) => {
                Error::invalid(format!("`{word}` is a word that Rhai keeps for itself")).hint("choose another name")
            }
            ParseErrorType::UnexpectedEOF => Error::invalid("the script ends in the middle of something")
                .hint("look for a bracket or a text that is not closed"),
            other => Error::invalid(format!("this does not compile: {}", lowered(&other.to_string())))
                .hint("a bracket, comma or semicolon that is missing is often just before the place"),
        }
    }

    fn no_variable(&self, name: &str) -> Error {
        let error = Error::invalid(format!("there is no variable `{name}`"));
        if docs::names().any(|known| known == name) {
            return error.hint(format!("`{name}` is a function: call it, or name it in a text as in help(\"{name}\")"));
        }
        let known = self.variables.iter().map(String::as_str);
        error.hint(did_you_mean(name, known).unwrap_or_else(|| {
            "declare it with `let`; a function does not see the variables outside it, give them as arguments".into()
        }))
    }

    fn no_module(&self, name: &str) -> Error {
        let error = Error::invalid(format!("there is no module `{name}` here"));
        match crate::language::stdlib().any(|(known, _)| known == name) {
            true => error.hint(format!("import \"{name}\" as {name};")),
            false => {
                let known = self.variables.iter().map(String::as_str);
                error.hint(did_you_mean(name, known).unwrap_or_else(|| "import it first".into()))
            }
        }
    }

    fn no_field(&self, name: &str) -> Error {
        let error = Error::invalid(format!("the map has no field `{name}`"));
        if name == "kind" || name == "hint" {
            return error.hint("an error of the language itself, unlike those of our functions, has only `message`");
        }
        let known = self.fields.iter().map(String::as_str);
        error.hint(did_you_mean(name, known).unwrap_or_else(|| "print the map to see its fields".into()))
    }

    /// `call` is a name and the types of its arguments, or what a property was asked of.
    fn no_function(&self, call: &str) -> Error {
        let name = call.split([' ', '(']).next().unwrap_or(call);
        let plain_name = name.rsplit("::").next().unwrap_or(name);
        if let Some(signature) = docs::signature(name) {
            return Error::invalid(format!("{name}: takes {signature}, not {}", arguments(call)))
                .hint(format!("see help(\"{name}\")"));
        }
        let counts: Vec<String> = self
            .functions
            .iter()
            .filter(|(known, _)| known == plain_name)
            .map(|(_, count)| count.to_string())
            .collect();
        if !counts.is_empty() {
            return Error::invalid(format!(
                "`{name}` takes {} argument(s), not {}",
                counts.join(" or "),
                arguments(call)
            ))
            .hint("give as many as its `fn` has");
        }
        let ours: Vec<&str> = docs::names().collect();
        let known = ours.into_iter().chain(self.functions.iter().map(|(name, _)| name.as_str()));
        let error = Error::invalid(format!("there is no function `{name}` that takes {}", arguments(call)));
        error.hint(did_you_mean(plain_name, known).unwrap_or_else(|| "help() lists all functions".into()))
    }

    fn ran_away(&self, error: &EvalAltResult) -> Error {
        match error {
            EvalAltResult::ErrorTooManyOperations(_) => Error::invalid(format!(
                "stopped after {} steps of evaluation",
                self.limits.operations
            ))
            .hint(
                "is this loop without end? To wait for something use wait_until or sleep, which take no steps; if the \
                     script needs that many, raise BINLOGSH_MAX_OPERATIONS",
            ),
            EvalAltResult::ErrorStackOverflow(_) => {
                Error::invalid(format!("functions call each other more than {} deep", self.limits.call_levels))
                    .hint("does this recursion end? Use a loop")
            }
            EvalAltResult::ErrorDataTooLarge(what, _) => {
                Error::invalid(format!("a value grew too large: {}", lowered(what)))
                    .hint("does this loop add to it without end?")
            }
            other => Error::invalid(plain(other)),
        }
    }
}

/// What a script threw: an error of ours again, or anything else as its own failure.
fn thrown_error(thrown: &Dynamic) -> Error {
    if let Some(failure) = thrown.read_lock::<Failure>() {
        return (*failure.0).clone();
    }
    let message = match thrown.as_map_ref() {
        Ok(map) => map.get("message").map(Dynamic::to_string),
        Err(_) if thrown.is_unit() => Some("the script threw nothing".into()),
        Err(_) => None,
    };
    Error::new(ErrorKind::Failed, message.unwrap_or_else(|| thrown.to_string()))
}

/// The message of Rhai without its position, which has a place of its own.
fn plain(error: &EvalAltResult) -> String {
    let text = error.to_string();
    let end = text.rfind(" (line ").unwrap_or(text.len());
    lowered(&text[..end])
}

fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The arguments of a call as Rhai lists their types, in our words.
fn arguments(call: &str) -> String {
    let types = call.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    match types.is_empty() {
        true => "no arguments".into(),
        false => format!("({})", types.split(", ").map(of_type).collect::<Vec<_>>().join(", ")),
    }
}

/// A type of Rhai's in our words.
fn of_type(name: &str) -> &str {
    match name.trim() {
        "i64" => "an integer",
        "f64" => "a number",
        "bool" => "true or false",
        "()" => "nothing",
        "Fn" => "a function",
        "array" => "an array",
        "map" => "a map",
        "char" => "a letter",
        text if text.contains("tring") => "text",
        other => other,
    }
}

/// The names that a text declares, near enough to find the one that was meant.
pub(super) fn declared_in(text: &str) -> Vec<String> {
    let mut words =
        text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        if matches!(word, "let" | "const" | "for" | "as")
            && let Some(name) = words.next()
        {
            names.push(name.to_owned());
        }
    }
    names
}
