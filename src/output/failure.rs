//! Errors as people and programs read them.

use super::json::unable_to_drive;
use super::text::on_lines;
use crate::error::{Place, ScriptError};
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
        text += &source_line(place);
    }
    if let Some(step) = &error.step {
        text += &format!("in step `{}`\n", on_lines(step));
    }
    if let Some(hint) = &what.hint {
        text += &format!("{}: {}\n", paint("1;36", "hint"), on_lines(hint));
    }
    text
}

/// `file:line:column`, the line itself and a caret beneath the column.
fn source_line(place: &Place) -> String {
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
        text += &format!("{margin} | {}^\n", " ".repeat(shown(&before).width()));
    }
    text
}

/// A line of a script, its tabs as spaces so that the caret stands where it should.
fn shown(line: &str) -> String {
    on_lines(&line.replace('\t', "    ")).into_owned()
}

/// The same as one JSON object on one line: `{"error": {...}, "place": {...} or null}`.
pub fn for_programs(error: &ScriptError) -> String {
    let what = &error.error;
    let object = json!({
        "error": {
            "kind": what.kind.name(),
            "message": what.message,
            "hint": what.hint,
            "source": what.source,
            "exit_code": what.exit_code(),
        },
        "place": error.place,
        "step": error.step,
    });
    unable_to_drive(format!("{object}\n"))
}
