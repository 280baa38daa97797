//! Entries of the prompt as a script: what was tried out by hand becomes something that can be versioned, checked, rehearsed.

use crate::error::{Error, Result};
use crate::language::lexer::{Token, TokenKind, all_tokens};
use crate::language::{Changes, function, masked};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

/// How long a saved script waits for a change that goes on after its call.
const WAIT: &str = "\"5m\"";

/// The entries that `which` names, such as `3-7` or `4`; all of them if it is empty.
///
/// # Errors
/// `invalid`.
pub(super) fn chosen<'e>(entries: &'e [String], which: &str) -> Result<&'e [String]> {
    if which.is_empty() {
        return Ok(entries);
    }
    let (from, to) = which.split_once('-').unwrap_or((which, which));
    let range = from.trim().parse::<usize>().ok().zip(to.trim().parse::<usize>().ok());
    let found = range.filter(|(from, _)| *from > 0).and_then(|(from, to)| entries.get(from - 1..to));
    found.filter(|found| !found.is_empty()).ok_or_else(|| {
        Error::invalid(format!("there are no entries {which}: they go from 1 to {}", entries.len()))
            .hint(".history shows them with their numbers")
    })
}

/// A script that does what `entries` did: a parameter for each of the `nodes` that occurs, a step around what changes
/// something, a wait where a change goes on after its call. Commands of the prompt and what is secret are left out.
pub(super) fn script(entries: &[String], nodes: &[String]) -> String {
    let code = |entry: &&String| !entry.trim_start().starts_with('.') && !entry.trim_end().ends_with('?');
    let code: Vec<String> = entries.iter().filter(code).map(|entry| masked(entry).into_owned()).collect();
    let mut params = BTreeMap::new();
    let body: Vec<String> = code.iter().map(|entry| statement(&waiting(entry), nodes, &mut params)).collect();
    let mut text = String::from("//! Saved from the prompt: say here what it is for.\n\n");
    for (id, name) in &params {
        let _ = writeln!(text, "let {name} = param(\"{name}\", #{{ about: \"the node {id}\", default: \"{id}\" }});");
    }
    if !params.is_empty() {
        text.push('\n');
    }
    format!("{text}{}\n", body.join("\n"))
}

/// An entry as a statement, with parameters in the place of ids.
fn statement(entry: &str, nodes: &[String], params: &mut BTreeMap<String, String>) -> String {
    let tokens = all_tokens(entry);
    let acts = tokens.iter().enumerate().any(|(at, _)| acting(entry, &tokens, at).is_some());
    let name = tokens.iter().enumerate().find_map(|(at, _)| acting(entry, &tokens, at));
    let declares = tokens.first().is_some_and(|first| matches!(first.of(entry), "fn" | "private" | "import" | "step"));
    let (text, semicolon) = (with_params(entry, &tokens, nodes, params), |text: &str| match text.trim_end() {
        text if text.ends_with([';', '}']) => text.to_owned(),
        text => format!("{text};"),
    });
    if !acts || declares {
        return semicolon(&text);
    }
    let name = name.unwrap_or_default();
    match (text.trim_start().strip_prefix("let "), text.split_once('=')) {
        // A variable has to live on behind the step.
        (Some(_), Some((variable, value))) => {
            format!("{variable}= step(\"{name}\", || {});", value.trim().trim_end_matches(';'))
        }
        _ => format!("step(\"{name}\", || {{\n    {}\n}});", semicolon(&text).replace('\n', "\n    ")),
    }
}

/// The name of the function that is called at `at`, if it changes something.
fn acting<'e>(entry: &'e str, tokens: &[Token], at: usize) -> Option<&'e str> {
    let name = tokens[at].of(entry);
    let is_call = tokens[at].kind == TokenKind::Word && tokens.get(at + 1).is_some_and(|next| next.of(entry) == "(");
    (is_call && function(name).is_some_and(|known| known.changes != Changes::Nothing)).then_some(name)
}

/// `entry`, in which every call that can wait for its change and was not told to does so.
fn waiting(entry: &str) -> String {
    let tokens = all_tokens(entry);
    let mut inserts: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let known = acting(entry, &tokens, at).and(function(token.of(entry)));
        let Some(known) = known.filter(|known| known.option("wait").is_some()) else { continue };
        let mut depth = 0;
        let (mut commas, mut end) = (0, None);
        for (next, inner) in tokens.iter().enumerate().skip(at + 1) {
            match inner.of(entry) {
                "(" | "[" | "{" | "#{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                "," if depth == 1 => commas += 1,
                _ => {}
            }
            if depth == 0 {
                end = Some(tokens[next].range.start);
                break;
            }
        }
        if commas + 1 == known.params.len() {
            inserts.extend(end);
        }
    }
    let mut text = entry.to_owned();
    for at in inserts.into_iter().rev() {
        text.insert_str(at, &format!(", #{{ wait: {WAIT} }}"));
    }
    text
}

fn with_params(entry: &str, tokens: &[Token], nodes: &[String], params: &mut BTreeMap<String, String>) -> String {
    let mut text = entry.to_owned();
    let texts: Vec<Range<usize>> =
        tokens.iter().filter(|token| token.kind == TokenKind::Text).map(|token| token.range.clone()).collect();
    for range in texts.into_iter().rev() {
        let id = entry[range.clone()].trim_matches('"');
        if nodes.iter().any(|node| node == id) {
            let name = params.entry(id.to_owned()).or_insert_with(|| variable(id));
            text.replace_range(range, name);
        }
    }
    text
}

/// A name for the parameter that holds the id of a node.
fn variable(id: &str) -> String {
    let name: String = id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    match name.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("node_{name}"),
        false => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Checker;
    use crate::language::Source;

    fn saved(entries: &[&str]) -> String {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        script(&entries, &["pump-1".into(), "drainer-0".into()])
    }

    #[test]
    fn what_was_tried_by_hand_is_a_script_that_check_has_nothing_to_say_about() {
        let text = saved(&[
            "pumps()",
            ".output json",
            "pumps?",
            "let who = pump(\"pump-1\")",
            "let done = pause_pump(\"pump-1\")",
            "if done.after == \"paused\" {\n  pause_drainer(\"drainer-0\", #{ wait: \"1m\" })\n}",
        ]);
        insta::assert_snapshot!(text);
        let found = Checker::default().check(&Source::new("saved.rhai", text), &[]);
        assert!(found.findings.is_empty(), "{:?}", found.findings);
    }

    #[test]
    fn entries_are_chosen_by_their_numbers() {
        let all: Vec<String> = ["a", "b", "c"].map(String::from).into();
        assert_eq!(chosen(&all, "2-3").unwrap(), ["b", "c"]);
        assert_eq!(chosen(&all, "1").unwrap(), ["a"]);
        for wrong in ["0", "4", "3-2", "x"] {
            assert!(chosen(&all, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_secret_is_saved() {
        assert!(!saved(&["encrypt(\"hush\", #{ force: [\"public_key\"] })"]).contains("hush"));
    }
}
