//! The script, with what each of its lines did.

use super::time;
use crate::language::Source;
use crate::rehearsal::story::{Story, StoryLine};
use serde::Serialize;

/// How many deeds of a line are told one by one.
const DEEDS: usize = 6;

#[derive(Serialize)]
pub(super) struct ScriptLine {
    number: usize,
    text: String,
    /// What it did, if it acted.
    deeds: Vec<Deed>,
    /// How many more times it acted.
    more: usize,
}

/// What a line did, once.
#[derive(Serialize)]
struct Deed {
    at: String,
    text: String,
}

/// The lines of another file that acted.
#[derive(Serialize)]
pub(super) struct FileLines {
    file: String,
    lines: Vec<ScriptLine>,
}

fn line(number: usize, text: &str, acts: &[&StoryLine]) -> ScriptLine {
    let deeds = acts.iter().take(DEEDS).map(|told| Deed { at: time(told.at), text: told.text.clone() });
    ScriptLine { number, text: text.to_owned(), deeds: deeds.collect(), more: acts.len().saturating_sub(DEEDS) }
}

pub(super) fn script(script: &Source, story: &Story) -> Vec<ScriptLine> {
    let of = |number: usize| -> Vec<&StoryLine> {
        let here = |told: &&StoryLine| {
            told.place.as_ref().is_some_and(|place| place.file == script.name && place.line == number)
        };
        story.told.iter().filter(here).collect()
    };
    (1..).zip(script.text.lines()).map(|(number, text)| line(number, text, &of(number))).collect()
}

/// The lines of modules that acted.
pub(super) fn modules(script: &Source, story: &Story) -> Vec<FileLines> {
    let elsewhere = |told: &&StoryLine| told.place.as_ref().is_some_and(|place| place.file != script.name);
    let mut found: Vec<(&str, usize, &str, Vec<&StoryLine>)> = Vec::new();
    for told in story.told.iter().filter(elsewhere) {
        let Some(place) = &told.place else { continue };
        match found.iter_mut().find(|(file, number, ..)| *file == place.file && *number == place.line) {
            Some((.., acts)) => acts.push(told),
            None => found.push((&place.file, place.line, &place.text, vec![told])),
        }
    }
    found.sort_by_key(|(file, number, ..)| (*file, *number));
    let files = found.chunk_by(|a, b| a.0 == b.0);
    files
        .map(|lines| FileLines {
            file: lines.first().map_or("", |(file, ..)| file).to_owned(),
            lines: lines.iter().map(|(_, number, text, acts)| line(*number, text, acts)).collect(),
        })
        .collect()
}
