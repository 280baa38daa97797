//! Text as files and pipes hold it: with a byte order mark, in another encoding, or no text at all. And text from outside
//! as a message may hold it.

mod escaped;
mod sparkline;
mod untrusted;

pub use escaped::{deceives, drives_the_terminal, on_lines, on_one_line};
pub use sparkline::sparkline;
pub use untrusted::{ShownPath, Untrusted};

use crate::error::{Error, Result};
use std::borrow::Cow;

/// What some editors put before a text.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text in `bytes`, which are called `name`, without a byte order mark.
///
/// # Errors
/// `invalid`, saying what it is instead, and where.
pub fn decode(name: &str, mut bytes: Vec<u8>) -> Result<String> {
    let name = on_one_line(name);
    if let Some(encoding) = other_encoding(&bytes) {
        return Err(Error::invalid(format!("{name} is {encoding} text, and must be UTF-8"))
            .hint(format!("save it as UTF-8, or convert it: iconv -f {encoding} -t UTF-8")));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        Error::invalid(format!("{name} is not UTF-8 text: line {line} has a byte that means nothing in it"))
            .hint("save it as UTF-8, or is it the file that you meant?")
    })?;
    if let Some(at) = text.find('\0') {
        let line = line_at(text.as_bytes(), at);
        return Err(Error::invalid(format!("{name} is no text: line {line} has a NUL byte"))
            .hint("is it the file that you meant?"));
    }
    // Everything behind the first comment would be part of it, without a word.
    if text.contains('\r') && !text.contains('\n') && text.trim_end_matches('\r').contains('\r') {
        return Err(Error::invalid(format!("{name} has lines that end with a carriage return only"))
            .hint("save it with line feeds at the ends of its lines, as Linux does"));
    }
    Ok(text)
}

/// `text`, which somebody typed or handed over, without a byte order mark.
pub fn unmarked(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The encoding with two or four bytes to a letter that `bytes` are in, if they are.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    let is_zero = |at: usize| bytes.get(at) == Some(&0);
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        // Without a mark: letters of ASCII, each with a byte that is zero.
        [_, _, _, _, ..] if !is_zero(0) && is_zero(1) && !is_zero(2) && is_zero(3) => Some("UTF-16LE"),
        [_, _, _, _, ..] if is_zero(0) && !is_zero(1) && is_zero(2) && !is_zero(3) => Some("UTF-16BE"),
        _ => None,
    }
}

fn line_at(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// A text from outside in quotes, in which everything stands that a programmer's quotes escape, and what is not seen.
pub fn quoted(text: &str) -> String {
    on_one_line(&format!("{text:?}")).into_owned()
}

/// A text as scripts write it.
pub fn script_literal(text: &str) -> String {
    let mut written = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => written.extend(['\\', letter]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            letter if deceives(letter) => written.push_str(&format!("\\U{:08x}", u32::from(letter))),
            letter => written.push(letter),
        }
    }
    written.push('"');
    written
}

/// A word as a shell takes it: in quotes where it would read more into it.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=@%+".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', r"'\''")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(bytes: &[u8]) -> String {
        decode("x.rhai", bytes.to_vec()).unwrap_err().message
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(decode("x", b"\xef\xbb\xbfprint(1)\r\n".to_vec()).unwrap(), "print(1)\r\n");
        assert_eq!(decode("x", Vec::new()).unwrap(), "");
        assert_eq!(unmarked("\u{feff}1"), "1");
    }

    #[test]
    fn what_is_no_text_is_named() {
        let utf16 = |text: &str, mark: bool| -> Vec<u8> {
            let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        };
        assert_eq!(wrong(&utf16("print(1)", true)), "x.rhai is UTF-16 text, and must be UTF-8");
        assert_eq!(wrong(&utf16("print(1)", false)), "x.rhai is UTF-16LE text, and must be UTF-8");
        assert_eq!(wrong(b"\xfe\xff\0p"), "x.rhai is UTF-16 text, and must be UTF-8");
        assert_eq!(wrong(b"\0p\0r"), "x.rhai is UTF-16BE text, and must be UTF-8");
        assert_eq!(wrong(b"\xff\xfe\0\0p\0\0\0"), "x.rhai is UTF-32 text, and must be UTF-8");
        assert!(wrong(b"\xff\xfe\0").contains("not UTF-8 text: line 1"));
        assert_eq!(wrong(b"1\n2\n\0"), "x.rhai is no text: line 3 has a NUL byte");
        assert!(wrong(b"1\n\"K\xf6ln\"").contains("not UTF-8 text: line 2"));
        assert!(wrong(b"// a\rpause_pump(1)\r").contains("carriage return"));
    }
}
