//! Text that can neither drive the terminal nor pretend to be other text: an id from etcd may hold anything.

use std::borrow::Cow;

/// The text with everything escaped that would make it look like other text: control characters, line ends and tabs
/// included, what reorders, and what is not seen.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| deceives(c) || is_selector(c) || matches!(c, '\n' | '\t'))
}

/// The same for text that has lines of its own: line ends, tabs and the selectors of emoji stay.
pub fn on_lines(text: &str) -> Cow<'_, str> {
    escaped(text, deceives)
}

/// What shows a text as other than it is, or does something where it should be shown; not line ends and tabs.
pub fn deceives(c: char) -> bool {
    drives_the_terminal(c) || is_unseen(c)
}

/// Control characters, and those that reorder what a terminal shows; not line ends and tabs.
pub fn drives_the_terminal(c: char) -> bool {
    let reorders = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// What takes no place on a screen, or only a blank one, and what other programs take for the end of a line.
fn is_unseen(c: char) -> bool {
    let has_no_width = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    let is_blank =
        matches!(c, '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}');
    let ends_a_line = matches!(c, '\u{2028}' | '\u{2029}');
    let annotates = matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}');
    let is_tag = matches!(c, '\u{e0000}'..='\u{e0fff}');
    has_no_width || is_blank || ends_a_line || annotates || is_tag
}

/// Chooses how the letter before it looks.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}')
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

    #[test]
    fn what_nobody_sees_is_shown() {
        let unseen = "a\u{200b}\u{ad}\u{feff}\u{2028}\u{3164}\u{e0041}b";
        for shown in [on_one_line(unseen), on_lines(unseen)] {
            assert_eq!(shown, "a\\u{200b}\\u{ad}\\u{feff}\\u{2028}\\u{3164}\\u{e0041}b");
        }
        assert_eq!(on_one_line("pump-1\u{fe0f}"), "pump-1\\u{fe0f}", "two ids that look alike are not");
        assert_eq!(on_lines("⚠\u{fe0f} careful"), "⚠\u{fe0f} careful");
    }
}
