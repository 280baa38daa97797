//! `run SCRIPT`: a saved script, or one on standard input.

use crate::cli::{self, Run};
use crate::commands::compose::{House, announce, session};
use crate::commands::evaluate::language_settings;
use crate::commands::{read_standard_input, read_text};
use crate::error::{Error, Result, ScriptError};
use crate::journal::Memory;
use crate::language::{Ending, Interpreter, ScriptDoc, Settings, Source};
use crate::output::to_json;
use indexmap::IndexMap;
use std::path::Path;

/// Runs the script, or tells what it is for.
pub(super) fn main(house: &House, run: Run) -> Result<u8, ScriptError> {
    let Some(script) = run.script else {
        house.output.line(&cli::help_of("run"));
        return Ok(0);
    };
    let source = read(&script)?;
    let settings = Settings { parameters: parameters(run.params)?, ..language_settings()? };
    let mut interpreter = Interpreter::new(session(house, Memory::of_everything())?, settings);
    if run.help {
        house.output.line(&help("run", &script, &interpreter.describe(&source)?));
        return Ok(0);
    }
    announce(house);
    // What a script returns is its own affair: it shows what it wants to be seen.
    match interpreter.run(&source)? {
        Ending::Value(_) => Ok(0),
        Ending::Exit(code) => Ok(code),
    }
}

pub(super) fn read(script: &Path) -> Result<Source> {
    if script == Path::new("-") {
        return Ok(Source::new("<stdin>", read_standard_input()?));
    }
    let text = read_text(script)?;
    let root = script.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Source { root: Some(root.to_owned()), ..Source::new(script.display().to_string(), text) })
}

pub(super) fn parameters(params: Vec<(String, String)>) -> Result<IndexMap<String, String>> {
    let mut map = IndexMap::new();
    for (name, value) in params {
        if map.insert(name.clone(), value).is_some() {
            return Err(Error::invalid(format!("the parameter `{name}` is given twice")));
        }
    }
    Ok(map)
}

/// The script's own `--help`.
pub(super) fn help(command: &str, script: &Path, doc: &ScriptDoc) -> String {
    let mut text = format!("{}\n\nUsage: binlogsh {command} {}", doc.about.trim(), script.display());
    for param in &doc.params {
        text.push_str(&match &param.default {
            Some(_) => format!(" [--param {}=...]", param.name),
            None => format!(" --param {}=...", param.name),
        });
    }
    text.push('\n');
    let width = doc.params.iter().map(|param| param.name.len()).max().unwrap_or(0);
    if width > 0 {
        text.push_str("\nParameters:\n");
    }
    for param in &doc.params {
        let about = param.about.as_deref().unwrap_or_default();
        text.push_str(&format!("  {:width$}  {about}", param.name));
        if let Some(default) = &param.default {
            text.push_str(&format!(" [default: {}]", to_json(default)));
        }
        if !param.choices.is_empty() {
            let choices: Vec<String> = param.choices.iter().map(|choice| to_json(choice).to_string()).collect();
            text.push_str(&format!(" [one of: {}]", choices.join(", ")));
        }
        text.push('\n');
    }
    text
}
