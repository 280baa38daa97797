//! Errors as people and programs read them.

use super::json::unable_to_deceive;
use crate::error::{Place, ScriptError};
use crate::text::on_lines;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

/// Kind and message, the line of the script with a caret, and what to do next.
pub fn for_people(error: &ScriptError, colors: bool) -> String {
    let paint = |code: &str, text: &str| match colors {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let what = &error.error;
    let label = paint("1;31", &format!("error[{}]", what.kind.name()));
    let mut text = format!("{label}: {}\n", on_lines(&what.to_string()));
    if let Some(place) = &error.place {
        text += &source_line(place, 1);
    }
    if let Some(place) = &error.called_from {
        text += "called from\n";
        text += &source_line(place, 1);
    }
    if let Some(step) = &error.step {
        text += &format!("in step `{}`\n", on_lines(step));
    }
    if let Some(hint) = &what.advice("") {
        text += &format!("{}: {}\n", paint("1;36", "hint"), on_lines(hint));
    }
    text
}

/// Something to look at in a script, as people read it: label and name, the line with carets, and what to do next.
pub fn remark_for_people(remark: &Pointed<'_>, colors: bool) -> String {
    let paint = |code: &str, text: &str| match colors {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let color = if remark.label == "error" { "1;31" } else { "1;33" };
    let label = paint(color, &format!("{}[{}]", remark.label, remark.name));
    let mut text = format!("{label}: {}\n{}", on_lines(remark.message), source_line(remark.place, remark.width));
    if let Some(hint) = remark.hint {
        text += &format!("{}: {}\n", paint("1;36", "hint"), on_lines(hint));
    }
    text
}

/// Something to look at in a script.
#[derive(Clone, Copy, Debug)]
pub struct Pointed<'a> {
    /// `error` or `warning`.
    pub label: &'a str,
    /// The name of what was found.
    pub name: &'a str,
    /// What is to be seen.
    pub message: &'a str,
    /// Where it begins.
    pub place: &'a Place,
    /// How many characters it takes.
    pub width: usize,
    /// What to do next.
    pub hint: Option<&'a str>,
}

/// `file:line:column`, the line itself and a caret beneath each of so many characters from the column on.
fn source_line(place: &Place, characters: usize) -> String {
    let column = place.column.map_or(String::new(), |column| format!(":{column}"));
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let file = on_lines(&place.file);
    let mut text = format!("{margin}--> {file}:{number}{column}\n");
    if place.text.trim().is_empty() {
        return text;
    }
    text += &format!("{margin} |\n{number} | {}\n", shown(&place.text).trim_end());
    if let Some(column) = place.column {
        let before: String = place.text.chars().take(column.saturating_sub(1)).collect();
        let marked: String = place.text.chars().skip(column.saturating_sub(1)).take(characters).collect();
        let carets = "^".repeat(shown(&marked).width().max(1));
        text += &format!("{margin} | {}{carets}\n", " ".repeat(shown(&before).width()));
    }
    text
}

/// A line of a script, its tabs as spaces so that the caret stands where it should.
fn shown(line: &str) -> String {
    on_lines(&line.replace('\t', "    ")).into_owned()
}

/// The same as one JSON object on one line: `{"error": {...}, "place": {...} or null, ...}`, with the exit code that the process
/// has because of it.
pub fn for_programs(error: &ScriptError, exit_code: u8) -> String {
    let what = &error.error;
    let object = json!({
        "error": {
            "kind": what.kind.name(),
            "message": what.message,
            "hint": what.advice(""),
            "source": what.source,
            "exit_code": exit_code,
        },
        "place": error.place,
        "called_from": error.called_from,
        "step": error.step,
    });
    unable_to_deceive(format!("{object}\n"))
}
