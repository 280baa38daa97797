//! Documents that a parser takes, as trees, and what is done to them: fields removed, doubled and retyped, numbers at
//! the edges, odd texts, depth; and then to their bytes.

use crate::dice::Dice;
use serde_json::Value as Json;

/// A document before it is written in a form: names may come twice in it, and a number may be none.
#[derive(Clone, Debug)]
pub(super) enum Doc {
    /// A number, `true`, `null`: written as it is.
    Raw(String),
    Text(String),
    List(Vec<Doc>),
    Map(Vec<(String, Doc)>),
}

/// In which form a document is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Json,
    Toml,
    Yaml,
    /// As the wire of gRPC has it: names are the numbers of fields.
    Proto,
    /// One part behind the other.
    Parts,
}

/// Texts that are odd somewhere: empty, seen by nobody, of another script, with signs that mean something to some reader.
const ODD_TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "a\tb",
    "\u{1b}[2J",
    "\u{202e}x",
    "\u{feff}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{2028}",
    "é",
    "a\u{301}",
    "ſtate",
    "İ",
    "٣",
    "𝟙",
    "﷽",
    "a/b",
    "../..",
    "'",
    "\"",
    "`",
    "\\",
    "${x}",
    "{id}",
    "{",
    "}",
    "%FF",
    "%",
    "null",
    "true",
    "online",
    "*x",
    "&x",
    "<<",
    "#",
    "- ",
    ": ",
    "=",
    "[",
    "]]",
    ",",
    "-",
    ":",
    "://",
    "@",
    "host:8250",
    "[::1]:1",
    "5m",
    "2026-11-22T13:32:53Z",
];

/// Numbers where types end, or that some readers take and others do not.
const EDGES: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "0.5",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "1e18",
    "1.7976931348623157e308",
    "1e400",
    "-1e400",
    "5e-324",
    "1e-400",
    "NaN",
    "inf",
    "-.inf",
    "+1",
    "01",
    "0x10",
    "1_000",
    "1.",
    ".5",
];

pub(super) fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

pub(super) fn raw(value: impl ToString) -> Doc {
    Doc::Raw(value.to_string())
}

pub(super) fn map<const N: usize>(entries: [(&str, Doc); N]) -> Doc {
    Doc::Map(entries.map(|(name, doc)| (name.to_owned(), doc)).into())
}

/// The parts of a text.
pub(super) fn parts<const N: usize>(parts: [&str; N]) -> Doc {
    Doc::List(parts.map(text).into())
}

impl Doc {
    pub(super) fn of_json(json: &Json) -> Self {
        match json {
            Json::Null | Json::Bool(_) | Json::Number(_) => raw(json),
            Json::String(string) => text(string),
            Json::Array(items) => Self::List(items.iter().map(Self::of_json).collect()),
            Json::Object(entries) => {
                Self::Map(entries.iter().map(|(name, json)| (name.clone(), Self::of_json(json))).collect())
            }
        }
    }

    /// The same without some of its entries, those named `optional`, each as the dice fall.
    pub(super) fn with_some(mut self, dice: &mut Dice, optional: &[&str]) -> Self {
        if let Self::Map(entries) = &mut self {
            entries.retain(|(name, _)| !optional.contains(&name.as_str()) || dice.chance(60));
        }
        self
    }

    fn count(&self) -> usize {
        1 + match self {
            Self::Raw(_) | Self::Text(_) => 0,
            Self::List(items) => items.iter().map(Self::count).sum(),
            Self::Map(entries) => entries.iter().map(|(_, doc)| doc.count()).sum(),
        }
    }

    /// Its part number `n`, counted from itself on.
    fn part(&mut self, n: &mut usize) -> Option<&mut Self> {
        if *n == 0 {
            return Some(self);
        }
        *n -= 1;
        match self {
            Self::Raw(_) | Self::Text(_) => None,
            Self::List(items) => items.iter_mut().find_map(|item| item.part(n)),
            Self::Map(entries) => entries.iter_mut().find_map(|(_, doc)| doc.part(n)),
        }
    }

    /// Changes one of its parts.
    pub(super) fn alter(&mut self, dice: &mut Dice, form: Form) {
        let mut n = dice.below(self.count());
        let Some(part) = self.part(&mut n) else { return };
        match part {
            Self::Map(entries) if !entries.is_empty() && dice.chance(80) => alter_entries(entries, dice, form),
            Self::List(items) if !items.is_empty() && dice.chance(80) => alter_items(items, dice),
            Self::Raw(_) | Self::Text(_) | Self::List(_) | Self::Map(_) => *part = strange(dice, form),
        }
    }
}

fn alter_entries(entries: &mut Vec<(String, Doc)>, dice: &mut Dice, form: Form) {
    let (at, other) = (dice.below(entries.len()), dice.below(entries.len()));
    match dice.below(6) {
        0 | 1 => drop(entries.remove(at)),
        2 => {
            // The same name once more, with a value of its own or another's.
            let doc = entries[other].1.clone();
            entries.insert(other, (entries[at].0.clone(), doc));
        }
        3 => {
            let doc = entries[other].1.clone();
            entries[at].1 = doc;
        }
        4 => {
            let name = &mut entries[at].0;
            match dice.below(3) {
                0 => *name = name.to_uppercase(),
                1 => drop(name.pop()),
                _ => *name = dice.one(ODD_TEXTS).to_owned(),
            }
        }
        _ => entries.insert(at, (dice.one(ODD_TEXTS).to_owned(), strange(dice, form))),
    }
}

fn alter_items(items: &mut Vec<Doc>, dice: &mut Dice) {
    let (at, other) = (dice.below(items.len()), dice.below(items.len()));
    match dice.below(3) {
        0 => drop(items.remove(at)),
        1 => items.insert(at, items[other].clone()),
        _ => items.swap(at, other),
    }
}

/// Something that nobody expects anywhere.
fn strange(dice: &mut Dice, form: Form) -> Doc {
    match dice.below(40) {
        0..16 => raw(dice.one(EDGES)),
        16..30 => text(dice.one(ODD_TEXTS)),
        30 => Doc::List(Vec::new()),
        31 => Doc::Map(Vec::new()),
        32 => raw("null"),
        33 => raw("true"),
        34 => Doc::List(vec![raw(1), text("x")]),
        35 => map([("x", raw(1))]),
        36 => raw(deep(dice, form)),
        37 => text(dice.one(&["x", "é", "\n", "a:1,", "0"]).repeat(1 << dice.from(4, 12))),
        _ => text(format!("{}{}", dice.one(ODD_TEXTS), dice.one(ODD_TEXTS))),
    }
}

/// Nested up to 20,000 deep; mostly less, since that takes its time.
fn deep(dice: &mut Dice, form: Form) -> String {
    let depth = 1 << dice.weighted(&[(80, 4), (15, 8), (4, 11), (1, 14)]);
    let (open, close) = dice.one(match form {
        Form::Json => &[("[", "]"), ("{\"x\":", "}")],
        Form::Toml => &[("[", "]"), ("{x=", "}")],
        Form::Yaml => &[("[", "]"), ("{x: ", "}"), ("- ", ""), ("? ", "")],
        Form::Proto | Form::Parts => &[("[", "]"), ("{", "}"), ("(", ")")],
    });
    let closed = if dice.chance(80) { close.repeat(depth) } else { String::new() };
    format!("{}1{closed}", open.repeat(depth))
}

/// Changes some of the bytes.
pub(super) fn alter_bytes(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let end = bytes.len() + 1;
    let from = dice.below(end);
    let until = (from + dice.below(12)).min(bytes.len());
    match dice.below(7) {
        0 => drop(bytes.drain(from..until)),
        1 => bytes.insert(from, byte(dice)),
        2 => drop(bytes.splice(from..from, dice.one(ODD_TEXTS).bytes())),
        3 => drop(bytes.splice(from..until, dice.one(EDGES).bytes())),
        4 => bytes.truncate(from),
        5 => {
            let copied = bytes[from..until].to_vec();
            let at = dice.below(end);
            bytes.splice(at..at, copied);
        }
        _ if from < bytes.len() => bytes[from] ^= 1 << dice.below(8),
        _ => bytes.push(byte(dice)),
    }
}

fn byte(dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(256)).unwrap()
}

/// Bytes that nobody thought of: any, letters of ASCII, or `tokens` in any order.
pub(super) fn noise(dice: &mut Dice, tokens: &[&str]) -> Vec<u8> {
    let length = if dice.chance(98) { dice.below(40) } else { dice.below(4_000) };
    match dice.below(4) {
        0 => (0..length).map(|_| byte(dice)).collect(),
        1 => (0..length).map(|_| u8::try_from(dice.from(9, 126)).unwrap()).collect(),
        _ => {
            let token = |dice: &mut Dice| match dice.below(10) {
                0 => dice.one(ODD_TEXTS),
                1 => dice.one(EDGES),
                _ if tokens.is_empty() => dice.one(EDGES),
                _ => dice.one(tokens),
            };
            (0..1 + length / 3).flat_map(|_| token(dice).bytes().collect::<Vec<_>>()).collect()
        }
    }
}

/// Writes `doc` in `form`.
pub(super) fn written(doc: &Doc, form: Form) -> Vec<u8> {
    let mut bytes = Vec::new();
    match form {
        Form::Json => in_line(doc, form, &mut bytes),
        Form::Toml => toml(doc, &mut bytes),
        Form::Yaml => yaml(doc, 0, &mut bytes),
        Form::Proto => proto(doc, &mut bytes),
        Form::Parts => in_parts(doc, &mut bytes),
    }
    bytes
}

/// As JSON writes it, and TOML and YAML take it, but for one control character.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f")
}

fn separated<T>(items: &[T], bytes: &mut Vec<u8>, mut write: impl FnMut(&T, &mut Vec<u8>)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            bytes.extend(b", ");
        }
        write(item, bytes);
    }
}

/// All of it in one line, as JSON has it; and TOML within a table, with other signs in a map.
fn in_line(doc: &Doc, form: Form, bytes: &mut Vec<u8>) {
    match doc {
        Doc::Raw(raw) => bytes.extend(raw.bytes()),
        Doc::Text(text) => bytes.extend(quoted(text).bytes()),
        Doc::List(items) => {
            bytes.push(b'[');
            separated(items, bytes, |item, bytes| in_line(item, form, bytes));
            bytes.push(b']');
        }
        Doc::Map(entries) => {
            bytes.push(b'{');
            separated(entries, bytes, |(name, doc), bytes| {
                let begins =
                    if form == Form::Toml { format!("{} = ", toml_key(name)) } else { format!("{}: ", quoted(name)) };
                bytes.extend(begins.bytes());
                in_line(doc, form, bytes);
            });
            bytes.push(b'}');
        }
    }
}

/// A document of TOML: maps in it have a header each.
fn toml(doc: &Doc, bytes: &mut Vec<u8>) {
    match doc {
        Doc::Map(entries) => toml_table(entries, "", bytes),
        other => in_line(other, Form::Toml, bytes),
    }
}

fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_bare { name.to_owned() } else { quoted(name) }
}

fn toml_table(entries: &[(String, Doc)], path: &str, bytes: &mut Vec<u8>) {
    for (name, doc) in entries.iter().filter(|(_, doc)| !matches!(doc, Doc::Map(_))) {
        bytes.extend(format!("{} = ", toml_key(name)).bytes());
        in_line(doc, Form::Toml, bytes);
        bytes.push(b'\n');
    }
    for (name, doc) in entries {
        if let Doc::Map(inner) = doc {
            let path = if path.is_empty() { toml_key(name) } else { format!("{path}.{}", toml_key(name)) };
            bytes.extend(format!("[{path}]\n").bytes());
            toml_table(inner, &path, bytes);
        }
    }
}

/// In blocks, as tiup writes it.
fn yaml(doc: &Doc, depth: usize, bytes: &mut Vec<u8>) {
    let indent = "  ".repeat(depth);
    match doc {
        Doc::Raw(raw) => bytes.extend(format!(" {raw}\n").bytes()),
        Doc::Text(text) => bytes.extend(format!(" {}\n", yaml_text(text)).bytes()),
        Doc::List(items) if items.is_empty() => bytes.extend(b" []\n"),
        Doc::Map(entries) if entries.is_empty() => bytes.extend(b" {}\n"),
        Doc::List(items) => {
            if depth > 0 {
                bytes.push(b'\n');
            }
            for item in items {
                bytes.extend(format!("{indent}-").bytes());
                yaml(item, depth + 1, bytes);
            }
        }
        Doc::Map(entries) => {
            if depth > 0 {
                bytes.push(b'\n');
            }
            for (name, doc) in entries {
                bytes.extend(format!("{indent}{}:", yaml_text(name)).bytes());
                yaml(doc, depth + 1, bytes);
            }
        }
    }
}

fn yaml_text(text: &str) -> String {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    if is_plain && text.starts_with(|c: char| c.is_ascii_alphabetic()) { text.to_owned() } else { quoted(text) }
}

fn proto(doc: &Doc, bytes: &mut Vec<u8>) {
    match doc {
        // What is no message of its own.
        Doc::Raw(raw) => bytes.extend(raw.bytes()),
        Doc::Text(text) => bytes.extend(text.bytes()),
        Doc::List(items) => items.iter().for_each(|item| proto(item, bytes)),
        Doc::Map(entries) => entries.iter().for_each(|(name, doc)| proto_field(name, doc, bytes)),
    }
}

fn proto_field(name: &str, doc: &Doc, bytes: &mut Vec<u8>) {
    let tag = name.parse::<u64>().unwrap_or(15);
    match doc {
        Doc::List(items) => items.iter().for_each(|item| proto_field(name, item, bytes)),
        Doc::Raw(raw) => match raw.parse::<u64>().or_else(|_| raw.parse::<i64>().map(i64::cast_unsigned)) {
            Ok(number) => {
                varint(tag << 3, bytes);
                varint(number, bytes);
            }
            Err(_) => delimited(tag, raw.as_bytes(), bytes),
        },
        Doc::Text(text) => delimited(tag, text.as_bytes(), bytes),
        Doc::Map(_) => {
            let mut inner = Vec::new();
            proto(doc, &mut inner);
            delimited(tag, &inner, bytes);
        }
    }
}

fn delimited(tag: u64, inner: &[u8], bytes: &mut Vec<u8>) {
    varint(tag << 3 | 2, bytes);
    varint(inner.len() as u64, bytes);
    bytes.extend(inner);
}

fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn in_parts(doc: &Doc, bytes: &mut Vec<u8>) {
    match doc {
        Doc::Raw(part) | Doc::Text(part) => bytes.extend(part.bytes()),
        Doc::List(items) => items.iter().for_each(|item| in_parts(item, bytes)),
        Doc::Map(entries) => entries.iter().for_each(|(_, doc)| in_parts(doc, bytes)),
    }
}
