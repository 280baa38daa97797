//! `x?` and `x??`: what a word is, and the text that it stands for.

use crate::commands::topics::topics;
use crate::error::{Error, Result};
use crate::language::{ValueType, page, shipped, stdlib, usual_alias};
use crate::shell::PromptVocabulary;

/// What is known of `word`; with `source`, the text of the module's function, module or script.
pub(super) fn explain(word: &str, source: bool, words: &PromptVocabulary) -> Result<String> {
    let word = word.trim_end_matches("()");
    if source {
        return source_of(word).ok_or_else(|| {
            Error::not_found(format!("there is no source of `{word}` to show")).hint(
                "modules, their functions (`pumps::drain`) and scripts have one: see help() and `binlogsh scripts`",
            )
        });
    }
    let variable = words.variables.get(word).map(|value| of_variable(word, value));
    match (variable, page(word, &topics())) {
        (Some(variable), _) => Ok(variable),
        (None, Ok(page)) => Ok(page),
        (None, Err(error)) => match source_of(word) {
            Some(text) => Ok(about(&text)),
            None => Err(error),
        },
    }
}

/// What a variable is, and what stands behind its dot.
fn of_variable(name: &str, value: &ValueType) -> String {
    let members: Vec<String> = value
        .members()
        .into_iter()
        .map(|(name, is_called)| format!(".{name}{}", if is_called { "()" } else { "" }))
        .collect();
    format!("{name}: {}\n\n  {}", value.name(), members.join(", "))
}

/// The `//!` text at the beginning of a script.
fn about(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.starts_with("#!")).take_while(|line| line.starts_with("//!"));
    lines.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>().join("\n")
}

fn source_of(word: &str) -> Option<String> {
    if let Some((alias, function)) = word.split_once("::") {
        let (_, text) = stdlib().find(|(module, _)| usual_alias(module) == alias)?;
        return function_in(text, function);
    }
    let bare = word.strip_suffix(".rhai").unwrap_or(word);
    let script = shipped().find(|script| script.name == bare).map(|script| script.text);
    let module = || stdlib().find(|(module, _)| *module == bare || usual_alias(module) == bare).map(|(_, text)| text);
    script.or_else(module).map(|text| text.trim_end().to_owned())
}

/// A function of a module, with the comment before it.
fn function_in(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &&str| {
        let rest = line.trim_start_matches("private ").strip_prefix("fn ");
        rest.is_some_and(|rest| rest.split('(').next() == Some(name))
    };
    let at = lines.iter().position(begins)?;
    let first = lines[..at].iter().rposition(|line| !line.starts_with("///")).map_or(0, |before| before + 1);
    let last = lines[at..].iter().position(|line| *line == "}").map_or(lines.len(), |end| at + end + 1);
    Some(lines[first..last].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_the_library_is_shown_with_its_comment() {
        let text = source_of("pumps::others_online").unwrap();
        assert!(text.starts_with("///") && text.contains("fn others_online(pump) {") && text.ends_with('}'), "{text}");
        assert!(source_of("rolling_restart").unwrap().contains("step("));
        assert_eq!(source_of("pumps::nothing"), None);
    }
}
