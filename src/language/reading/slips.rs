//! Slips of those who come from a command line: texts without quotes, calls without brackets.

use crate::error::Place;
use crate::language::functions;
use rhai::Token;

/// The word at `place` that reads as `name - ...` and was meant as a text: an argument such as `pump-1`.
pub(crate) fn text_without_quotes(place: &Place, name: &str) -> Option<String> {
    let start = place.column?.checked_sub(1)?;
    let before: String = place.text.chars().take(start).collect();
    // What is called like a function of ours, such as `pump`, is an id wherever it stands.
    let is_argument = before.trim_end().ends_with(['(', ',', '[']) || functions::names().any(|known| known == name);
    let in_word = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let word: String = place.text.chars().skip(start).take_while(in_word).collect();
    let goes_on = word.strip_prefix(name)?.strip_prefix('-')?.starts_with(char::is_alphanumeric);
    (is_argument && goes_on && word.ends_with(char::is_alphanumeric)).then_some(word)
}

/// The word that begins at `place`.
pub(crate) fn word_at(place: &Place) -> Option<String> {
    let rest = place.text.chars().skip(place.column?.checked_sub(1)?);
    let word: String = rest.take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    word.starts_with(char::is_alphabetic).then_some(word)
}

/// The word of the language at `place` that is used as a name: `until: 3`, `until = 3`.
pub(crate) fn keyword_as_name(place: &Place) -> Option<String> {
    let word = word_at(place)?;
    let from = place.column?.checked_sub(1)? + word.chars().count();
    let behind: String = place.text.chars().skip(from).collect();
    let behind = behind.trim_start();
    let is_named = behind.starts_with(':') || (behind.starts_with('=') && !behind.starts_with("=="));
    (is_named && Token::lookup_symbol_from_syntax(&word).is_some()).then_some(word)
}

/// Whether what stands at `place` is declared there: `let match = 1`.
pub(crate) fn is_declared(place: &Place) -> bool {
    let before: String = place.text.chars().take(place.column.unwrap_or(1).saturating_sub(1)).collect();
    let last = before.split_whitespace().next_back();
    matches!(last, Some("let" | "const" | "fn" | "for" | "as"))
}

/// What is written for a word that other languages have.
pub(crate) fn meant_by(word: &str) -> Option<&'static str> {
    Some(match word {
        "and" => "and is `&&`",
        "or" => "or is `||`",
        "not" => "not is `!`",
        "then" | "do" | "begin" => "a block stands between `{` and `}`",
        "elif" | "elsif" | "elseif" => "otherwise if is `else if`",
        "def" | "function" | "func" | "sub" => "a function is `fn name(a, b) { ... }`",
        "var" | "local" | "my" | "set" | "auto" => "a variable is made with `let x = 1`",
        "foreach" => "over each is `for x in list { ... }`",
        "null" | "nil" | "None" | "NULL" | "undefined" => "nothing is `()`",
        "True" | "TRUE" => "it is `true`",
        "False" | "FALSE" => "it is `false`",
        "case" | "match" => "it is `switch x { 1 => a, _ => b }`",
        "rem" | "REM" => "a comment begins with `//`",
        _ => return None,
    })
}

/// What is written for a word of other languages at `place`, or right before it.
pub(crate) fn word_of_others(place: &Place) -> Option<&'static str> {
    let start = place.column?.checked_sub(1)?;
    let before: String = place.text.chars().take(start).collect();
    let last = before.trim_end().rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
    let at = word_at(place).and_then(|word| meant_by(&word));
    at.or_else(|| meant_by(last.filter(|word| before.trim_end().ends_with(word))?))
}

/// How the function just before `place` is called, if one of ours stands there and something follows without a bracket.
pub(crate) fn call_without_brackets(place: &Place) -> Option<String> {
    let start = place.column?.checked_sub(1)?;
    let before: String = place.text.chars().take(start).collect();
    let follows = place.text.chars().nth(start)?;
    let name = before.trim_end().rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?;
    let is_apart = before.ends_with(char::is_whitespace) && (follows.is_alphanumeric() || follows == '"');
    let signature = functions::function(name).filter(|_| is_apart)?.signature();
    Some(format!("arguments stand in brackets, and texts between double quotes: {signature}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, column: usize) -> Place {
        Place { file: "<prompt>".into(), line: 1, column: Some(column), text: text.into() }
    }

    #[test]
    fn an_argument_with_a_dash_is_a_text() {
        assert_eq!(text_without_quotes(&at("pump(pump-1)", 6), "pump").as_deref(), Some("pump-1"));
        assert_eq!(text_without_quotes(&at("probe([ip-10.0-1, x])", 8), "ip").as_deref(), Some("ip-10.0-1"));
        assert_eq!(text_without_quotes(&at("pump-1", 1), "pump").as_deref(), Some("pump-1"));
        assert_eq!(text_without_quotes(&at("print(lag - 1)", 7), "lag"), None);
        assert_eq!(text_without_quotes(&at("let x = lag-1", 9), "lag"), None);
        assert_eq!(text_without_quotes(&at("pump(pump)", 6), "pump"), None);
    }

    #[test]
    fn a_function_with_a_word_behind_it_is_a_call() {
        let hint = |text, column| call_without_brackets(&at(text, column));
        assert!(hint("pause_pump pump-1", 12).is_some_and(|hint| hint.ends_with("pause_pump(pump, [#{...}])")));
        assert!(hint("pump \"pump-1\"", 6).is_some());
        assert_eq!(hint("run x.rhai", 5), None);
        assert_eq!(hint("pumps() pumps()", 9), None);
    }
}
