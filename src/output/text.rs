//! Text that cannot drive the terminal: an id from etcd may hold anything.

use std::borrow::Cow;

/// The text with every control character escaped, line ends and tabs included.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| drives_the_terminal(c) || matches!(c, '\n' | '\t'))
}

/// The text with every control character escaped but line ends and tabs.
pub fn on_lines(text: &str) -> Cow<'_, str> {
    escaped(text, drives_the_terminal)
}

/// Control characters, and those that reorder what a terminal shows; not line ends and tabs.
pub(super) fn drives_the_terminal(c: char) -> bool {
    let reorders = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || (c.is_control() && !matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Almost every text is plain, and every cell of every table comes by here.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match bad(c) {
            true => whole.extend(c.escape_default()),
            false => whole.push(c),
        }
    }
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(on_one_line("a\x1b[2Jb\r\n\u{9b}1m\u{202e}"), "a\\u{1b}[2Jb\\r\\n\\u{9b}1m\\u{202e}");
        assert_eq!(on_lines("two\n\tlines\x07"), "two\n\tlines\\u{7}");
        assert!(matches!(on_lines("plain, with ü and 木"), Cow::Borrowed(_)));
    }
}
