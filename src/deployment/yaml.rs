//! YAML as far as it is wanted: mappings, lists and texts under names that are asked for, each with its line.
//!
//! What stands under other names is passed over as it comes, and is never kept. No message quotes what stands in the file.

use crate::error::{Error, Result};
use crate::text::ShownPath;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use std::path::Path;

/// How deep what is wanted can stand; deeper there is nothing of interest.
const DEEPEST: usize = 8;

/// What stands somewhere.
#[derive(Debug)]
struct YamlValue {
    line: usize,
    shape: YamlShape,
}

#[derive(Debug)]
enum YamlShape {
    /// Nothing, `~` or `null`.
    Null,
    Text(String),
    List(Vec<YamlValue>),
    Map(Vec<(String, YamlValue)>),
    /// `*name`, which means what stands elsewhere.
    Alias,
    /// Too deep to be kept.
    Deep,
}

/// A file in YAML, of which some names were wanted.
#[derive(Debug)]
pub(super) struct YamlFile<'a> {
    source: &'a Path,
    top: YamlValue,
}

/// A place in it, with what stands there, if anything does.
#[derive(Clone, Debug)]
pub(super) struct YamlPlace<'a> {
    source: &'a Path,
    /// The way there: `topology.pump_servers[0].port`.
    path: String,
    /// The line of it, or of what it is missing in.
    line: usize,
    shape: Option<&'a YamlShape>,
}

impl<'a> YamlFile<'a> {
    /// Reads `text` and keeps what stands under the `wanted` names, wherever that is; under several of them with dots between, too.
    ///
    /// # Errors
    /// `invalid` with a line where it is no YAML, and where a wanted name stands twice.
    pub(super) fn read(source: &'a Path, text: &str, wanted: &[&str]) -> Result<Self> {
        let mut reader = YamlReader { source, wanted, parser: Parser::new_from_str(text) };
        loop {
            match reader.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (event, span) => return Ok(Self { source, top: reader.value(event, span, 0)? }),
            }
        }
    }

    /// All of it.
    pub(super) fn top(&self) -> YamlPlace<'_> {
        place(self.source, String::new(), &self.top)
    }
}

fn place<'a>(source: &'a Path, path: String, value: &'a YamlValue) -> YamlPlace<'a> {
    let shape = Some(&value.shape).filter(|shape| !matches!(shape, YamlShape::Null));
    YamlPlace { source, path, line: value.line, shape }
}

/// Takes the file apart.
struct YamlReader<'a> {
    source: &'a Path,
    wanted: &'a [&'a str],
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> YamlReader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(fault)) => Err(self.no_yaml(&fault)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The words of the parser may hold a letter of the file, and that may be one of a password.
    fn no_yaml(&self, fault: &ScanError) -> Error {
        let (line, column) = (fault.marker().line(), fault.marker().col() + 1);
        Error::invalid(format!("{}:{line}: it is not YAML from column {column} on", self.source.shown()))
    }

    /// What begins with `event`.
    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<YamlValue> {
        let shape = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null" | "Null" | "NULL") => {
                YamlShape::Null
            }
            Event::Scalar(text, ..) => YamlShape::Text(text.into_owned()),
            Event::Alias(_) => YamlShape::Alias,
            Event::SequenceStart(..) | Event::MappingStart(..) if depth >= DEEPEST => {
                self.pass_over(event)?;
                YamlShape::Deep
            }
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => YamlShape::Null,
        };
        Ok(YamlValue { line: span.start.line().max(1), shape })
    }

    fn list(&mut self, depth: usize) -> Result<YamlShape> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(YamlShape::List(items)),
                (event, span) => items.push(self.value(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<YamlShape> {
        let mut entries: Vec<(String, YamlValue)> = Vec::new();
        loop {
            let (key, span) = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(YamlShape::Map(entries)),
                found => found,
            };
            let name = match key {
                Event::Scalar(name, ..) if name.split('.').all(|part| self.wanted.contains(&part)) => {
                    Some(name.into_owned())
                }
                // A key may be anything, also a list.
                key => {
                    self.pass_over(key)?;
                    None
                }
            };
            let (event, at) = self.next()?;
            match name {
                None => self.pass_over(event)?,
                Some(name) => {
                    if let Some((_, first)) = entries.iter().find(|(known, _)| *known == name) {
                        let (source, line) = (self.source.shown(), span.start.line());
                        return Err(Error::invalid(format!(
                            "{source}:{line}: `{name}` stands there twice, first in line {}",
                            first.line
                        )));
                    }
                    let value = self.value(event, at, depth + 1)?;
                    entries.push((name, value));
                }
            }
        }
    }

    /// Passes over what begins with `event`, however deep it is.
    fn pass_over(&mut self, event: Event<'a>) -> Result<()> {
        let mut open = 0_usize;
        let mut event = event;
        loop {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => open += 1,
                Event::SequenceEnd | Event::MappingEnd => open = open.saturating_sub(1),
                Event::StreamEnd => return Ok(()),
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Alias(_)
                | Event::Scalar(..) => {}
            }
            if open == 0 {
                return Ok(());
            }
            event = self.next()?.0;
        }
    }
}

impl<'a> YamlPlace<'a> {
    /// What stands under `name` here.
    ///
    /// # Errors
    /// `invalid` where this is no mapping.
    pub(super) fn get(&self, name: &str) -> Result<YamlPlace<'a>> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let entries = match self.shape {
            None => return Ok(YamlPlace { path, ..self.clone() }),
            Some(YamlShape::Map(entries)) => entries,
            Some(_) => return Err(self.wrong("is no mapping")),
        };
        if entries.iter().any(|(key, _)| key == "<<") {
            return Err(self.wrong("takes over what stands elsewhere (`<<`), which tiup does not write"));
        }
        Ok(match entries.iter().find(|(key, _)| key == name) {
            Some((_, value)) => place(self.source, path, value),
            None => YamlPlace { path, shape: None, ..self.clone() },
        })
    }

    /// The items of the list here; none if there is none.
    ///
    /// # Errors
    /// `invalid` where this is no list.
    pub(super) fn items(&self) -> Result<Vec<YamlPlace<'a>>> {
        let item = |(at, value)| place(self.source, format!("{}[{at}]", self.path), value);
        match self.shape {
            None => Ok(Vec::new()),
            Some(YamlShape::List(items)) => Ok(items.iter().enumerate().map(item).collect()),
            Some(_) => Err(self.wrong("is no list")),
        }
    }

    /// The text here. An empty one is as good as none.
    ///
    /// # Errors
    /// `invalid` where something else stands.
    pub(super) fn text(&self) -> Result<Option<&'a str>> {
        match self.shape {
            None => Ok(None),
            Some(YamlShape::Text(text)) if text.is_empty() => Ok(None),
            Some(YamlShape::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong("is no text")),
        }
    }

    /// Whether something stands here.
    pub(super) fn is_there(&self) -> bool {
        self.shape.is_some()
    }

    /// An error about what stands here, or does not.
    pub(super) fn wrong(&self, why: &str) -> Error {
        let subject = if self.path.is_empty() { "it".to_owned() } else { format!("`{}`", self.path) };
        let why = if matches!(self.shape, Some(YamlShape::Alias)) {
            "means what stands elsewhere (`*`), which tiup does not write"
        } else {
            why
        };
        Error::invalid(format!("{}:{}: {subject} {why}", self.source.shown(), self.line))
    }
}
