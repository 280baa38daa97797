//! Rhai's errors in our words: what, why, and what to do next.

use crate::error::{Error, ErrorKind, Place};
use crate::language::extent::Extent;
use crate::language::failure::Failure;
use crate::language::functions;
use crate::language::reading::imported::Imported;
use crate::language::reading::slips;
use crate::language::settings::Limits;
use crate::nearest::did_you_mean;
use crate::operations::Function;
use rhai::{Dynamic, EvalAltResult, LexError, ParseErrorType};

/// The names that an error may have misspelt.
#[derive(Default)]
pub(crate) struct Vocabulary {
    /// Variables in scope, or declared somewhere.
    pub(crate) variables: Vec<String>,
    /// Those of them that are constants.
    pub(crate) constants: Vec<String>,
    /// What was imported.
    pub(crate) modules: Vec<Imported>,
    /// Functions of the script and its modules, with the names of their parameters.
    pub(crate) functions: Vec<(String, Vec<String>)>,
    /// Fields of maps that were seen.
    pub(crate) fields: Vec<String>,
    /// Where a script that runs away is stopped.
    pub(crate) limits: Limits,
}

impl Vocabulary {
    /// Learns the names that a text declares, near enough to find the one that was meant.
    pub(crate) fn learn_from(&mut self, text: &str) {
        let mut words =
            text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let declares = matches!(word, "let" | "const" | "for" | "as");
            let Some(name) = words.clone().next().filter(|_| declares).map(str::to_owned) else { continue };
            match word {
                "as" => self.modules.push(Imported { name, functions: Vec::new() }),
                "const" => {
                    self.constants.push(name.clone());
                    self.variables.push(name);
                }
                _ => self.variables.push(name),
            }
        }
    }

    /// `error`, which comes from `place`, in our words.
    pub(crate) fn translate(&self, error: &EvalAltResult, place: Option<&Place>) -> Error {
        match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(thrown, _) => thrown_error(thrown),
            EvalAltResult::ErrorTerminated(token, _) => match token.read_lock::<Failure>() {
                Some(failure) => (*failure.0).clone(),
                None => Error::interrupted(None, "the script was stopped"),
            },
            EvalAltResult::ErrorParsing(error, _) => self.parsing(error, place),
            EvalAltResult::ErrorVariableNotFound(name, _) => self.no_variable(name, place),
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

    /// An error of the compiler at `place` in our words.
    pub(crate) fn parsing(&self, error: &ParseErrorType, place: Option<&Place>) -> Error {
        match error {
            ParseErrorType::VariableUndefined(name) => self.no_variable(name, place),
            ParseErrorType::ModuleUndefined(name) => self.no_module(name),
            ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) if word == "eval" => {
                Error::invalid("`eval` is not part of the language")
                    .hint("call a function, or import a module: a script must show what it does")
            }
            ParseErrorType::Reserved(word) if place.is_some_and(slips::is_declared) => kept_by_rhai(word),
            ParseErrorType::Reserved(word) => reserved(word),
            ParseErrorType::VariableExpected if let Some(word) = place.and_then(slips::word_at) => kept_by_rhai(&word),
            _ if let Some(hint) = place.and_then(slips::word_of_others) => {
                Error::invalid(format!("this does not compile: {}", lowered(&error.to_string()))).hint(hint)
            }
            _ if let Some(word) = place.and_then(slips::keyword_as_name) => kept_by_rhai(&word),
            ParseErrorType::UnexpectedEOF => Error::invalid("the script ends in the middle of something")
                .hint("look for a bracket or a text that is not closed"),
            ParseErrorType::BadInput(LexError::MalformedChar(text)) => {
                let text = text.trim_matches('\'');
                Error::invalid("this does not compile: single quotes hold one letter")
                    .hint(format!("a text stands between double quotes: \"{text}\""))
            }
            ParseErrorType::BadInput(LexError::UnterminatedString) => {
                Error::invalid("this does not compile: a text is not closed on its line")
                    .hint("close it with a double quote; a text of several lines stands between backquotes")
            }
            other => {
                let hint = place.and_then(slips::call_without_brackets).unwrap_or_else(|| {
                    "a bracket, comma or semicolon that is missing is often just before the place".into()
                });
                Error::invalid(format!("this does not compile: {}", lowered(&other.to_string()))).hint(hint)
            }
        }
    }

    fn no_variable(&self, name: &str, place: Option<&Place>) -> Error {
        let error = Error::invalid(format!("there is no variable `{name}`"));
        if let Some(text) = place.and_then(|place| slips::text_without_quotes(place, name)) {
            return error.hint(format!("a text stands between double quotes: \"{text}\""));
        }
        if let Some(signature) = functions::function(name).map(Function::signature) {
            return error.hint(format!(
                "`{name}` is a function: call it as {signature}, or name it in a text as in help(\"{name}\")"
            ));
        }
        if self.constants.iter().any(|known| known == name) {
            return error.hint(format!(
                "a function does not see the constants outside it: write `global::{name}`, or give it `{name}` as an argument"
            ));
        }
        if self.variables.iter().any(|known| known == name) {
            return error.hint(format!(
                "a function does not see the variables outside it, or what is declared further down: give it `{name}` as \
                 an argument"
            ));
        }
        if self.modules.iter().any(|module| module.name == name) {
            return error.hint(format!("`{name}` is a module: its functions are called as in {name}::NAME()"));
        }
        if let Some(hint) = slips::meant_by(name) {
            return error.hint(hint);
        }
        let known = self.variables.iter().map(String::as_str);
        error.hint(did_you_mean(name, known).unwrap_or_else(|| {
            format!("declare it with `let`; if it is meant as a text, that stands between double quotes: \"{name}\"")
        }))
    }

    fn no_module(&self, name: &str) -> Error {
        let error = Error::invalid(format!("there is no module `{name}` here"));
        match crate::language::stdlib().any(|(known, _)| known == name) {
            true => error.hint(format!("import \"{name}\" as {name};")),
            false => {
                let known = self.modules.iter().map(|module| module.name.as_str());
                error.hint(did_you_mean(name, known).unwrap_or_else(|| "import it first".into()))
            }
        }
    }

    /// A function that the module `module` does not have, if it was imported.
    fn no_function_of(&self, module: &str, name: &str) -> Option<Error> {
        let imported = self.modules.iter().find(|imported| imported.name == module)?;
        let all: Vec<&str> = imported.functions.iter().map(|function| function.name.as_str()).collect();
        let hint = did_you_mean(name, all.iter().copied()).unwrap_or_else(|| format!("it has {}", all.join(", ")));
        Some(Error::invalid(format!("the module `{module}` has no function `{module}::{name}`")).hint(hint))
    }

    fn no_field(&self, name: &str) -> Error {
        let error = Error::invalid(format!("the map has no field `{name}`"));
        if name == "kind" || name == "hint" {
            return error.hint("an error of the language itself, unlike those of our functions, has only `message`");
        }
        let known = self.fields.iter().map(String::as_str);
        error.hint(did_you_mean(name, known).unwrap_or_else(|| "print the map to see its fields".into()))
    }

    /// The parameters of each function that is called by `name`: in the module that it names, if that was imported.
    fn of_this_name(&self, name: &str) -> Vec<&Vec<String>> {
        let (module, plain) = name.rsplit_once("::").unwrap_or(("", name));
        let mut found: Vec<&Vec<String>> = match self.modules.iter().rev().find(|imported| imported.name == module) {
            Some(imported) => {
                imported.functions.iter().filter(|known| known.name == plain).map(|known| &known.params).collect()
            }
            None => self.functions.iter().filter(|(known, _)| known == plain).map(|(_, params)| params).collect(),
        };
        // Rhai knows them in no order.
        found.sort_by_key(|params| (params.len(), *params));
        found
    }

    /// `call` is a name and the types of its arguments, or what a property was asked of.
    fn no_function(&self, call: &str) -> Error {
        let name = call.split([' ', '(']).next().unwrap_or(call);
        let plain_name = name.rsplit("::").next().unwrap_or(name);
        if let Some(signature) = functions::function(name).map(Function::signature) {
            return Error::invalid(format!("{name}: takes {signature}, not {}", arguments(call)))
                .hint(format!("see help(\"{name}\")"));
        }
        let known = self.of_this_name(name);
        if !known.is_empty() {
            let counts: Vec<String> = known.iter().map(|params| params.len().to_string()).collect();
            let calls: Vec<String> = known.iter().map(|params| format!("{name}({})", params.join(", "))).collect();
            let message = format!("`{name}` takes {} argument(s), not {}", counts.join(" or "), arguments(call));
            return Error::invalid(message).hint(format!("call it as {}", calls.join(" or ")));
        }
        if let Some(error) = name.split_once("::").and_then(|(module, name)| self.no_function_of(module, name)) {
            return error;
        }
        let ours: Vec<&str> = functions::names().collect();
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

/// How long what a script threw may be, in bytes, to be shown.
const LONGEST: usize = 1 << 20;

/// What a script threw: an error of ours again, or anything else as its own failure.
fn thrown_error(thrown: &Dynamic) -> Error {
    if let Some(failure) = thrown.read_lock::<Failure>() {
        return (*failure.0).clone();
    }
    if Extent::to_write(LONGEST).take(thrown).is_err() {
        let what = of_type(thrown.type_name());
        return Error::new(ErrorKind::Failed, format!("the script threw {what} that is too large to be shown"));
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

/// A word that is no name: a function of ours without its brackets, or a word of other languages.
fn reserved(word: &str) -> Error {
    match (functions::function(word).map(Function::signature), slips::meant_by(word)) {
        (Some(signature), _) => Error::invalid(format!("`{word}` is a function, and is called with brackets"))
            .hint(format!("call it as {signature}")),
        (None, Some(hint)) => Error::invalid(format!("`{word}` is no word of the language")).hint(hint),
        (None, None) => kept_by_rhai(word),
    }
}

fn kept_by_rhai(word: &str) -> Error {
    Error::invalid(format!("`{word}` is a word that Rhai keeps for itself"))
        .hint("choose another name; as the name of a field it stands between double quotes")
}
