//! Text on lines that are not too long: cut at blanks where there are some, else where a value in it ends.

use std::borrow::Cow;
use textwrap::WordSeparator;
use textwrap::core::{Word, break_words};
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_width::UnicodeWidthStr;

/// Where a word that is too long is cut rather than anywhere: between the members of a nested value first, then between
/// the parts of an id or an address.
const BORDERS: [&[char]; 2] = [&[',', ';'], &['.', ':', '/', '-', '_', '=', '@', '{', '[']];

/// How many columns of a terminal a text takes.
pub(super) fn columns_of(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.width(),
    }
}

/// The line in parts of at most `room` columns, without the blanks at which it was cut; as it is without a `room`.
pub(super) fn wrapped(line: &str, room: Option<usize>) -> Vec<Cow<'_, str>> {
    let Some(room) = room.filter(|room| columns_of(line) > *room) else { return vec![line.into()] };
    let words = WordSeparator::AsciiSpace.find_words(line).flat_map(|word| parts(word, room, &BORDERS));
    let words = break_words(words, room.max(1));
    wrap_first_fit(&words, &[room as f64]).into_iter().map(joined).collect()
}

/// The word in parts that fit, as far as it has borders.
fn parts<'a>(word: Word<'a>, room: usize, borders: &[&[char]]) -> Vec<Word<'a>> {
    let Some((first, others)) = borders.split_first().filter(|_| columns_of(word.word) > room) else {
        return vec![word];
    };
    let mut all: Vec<Word<'a>> = word.word.split_inclusive(*first).map(Word::from).collect();
    if let Some(last) = all.last_mut() {
        last.whitespace = word.whitespace;
    }
    all.into_iter().flat_map(|part| parts(part, room, others)).collect()
}

fn joined<'a>(words: &[Word<'a>]) -> Cow<'a, str> {
    match words {
        [] => "".into(),
        [one] => one.word.into(),
        [first @ .., last] => {
            let mut line: String = first.iter().flat_map(|word| [word.word, word.whitespace]).collect();
            line.push_str(last.word);
            line.into()
        }
    }
}

/// A page, as of the help: each line that is too long goes on below its last column, or has it below where that is too
/// narrow; then so have the lines around it.
pub(super) fn page(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_owned() };
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let blocks = lines.chunk_by(|line, next| line.is_empty() == next.is_empty()).map(|block| {
        let is_narrow = |line: &&str| column(line).is_some_and(|at| columns_of(&line[..at]) > width * 3 / 5);
        let has_below = block.iter().filter(|line| columns_of(line) > width).any(is_narrow);
        block.iter().flat_map(|line| hanging(line, width, has_below)).collect::<Vec<_>>().join("\n")
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// Where the last column of a line begins: two blanks or more lie before it.
fn column(line: &str) -> Option<usize> {
    let text = line.trim_start();
    text.rfind("  ").map(|at| line.len() - text.len() + at + 2)
}

fn hanging(line: &str, width: usize, has_below: bool) -> Vec<String> {
    let margin = line.len() - line.trim_start().len();
    match column(line) {
        Some(at) if has_below => {
            let mut lines = under(&line[..margin], line[margin..at].trim_end(), margin + 2, width);
            lines.extend(under(&" ".repeat(margin + 4), &line[at..], margin + 4, width));
            lines
        }
        _ if columns_of(line) <= width => vec![line.to_owned()],
        Some(at) => under(&line[..at], &line[at..], columns_of(&line[..at]), width),
        None => under(&line[..margin], &line[margin..], margin, width),
    }
}

/// The rest in lines, the first of them behind the head.
fn under(head: &str, rest: &str, indent: usize, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent).max(1);
    let lines = wrapped(rest, Some(room)).into_iter().enumerate();
    lines.map(|(at, part)| if at == 0 { format!("{head}{part}") } else { format!("{:indent$}{part}", "") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, room: usize) -> Vec<Cow<'_, str>> {
        let lines = wrapped(text, Some(room));
        assert!(lines.iter().all(|line| columns_of(line) <= room.max(2)), "{lines:?}");
        let (all, whole) = (lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(all, whole, "nothing is lost");
        lines
    }

    #[test]
    fn text_is_cut_at_words_and_a_long_word_where_a_part_of_it_ends() {
        assert_eq!(lines("two  words more", 10), ["two  words", "more"]);
        assert_eq!(lines("pump-0.tidb-binlog.svc:8250", 12), ["pump-0.tidb-", "binlog.svc:", "8250"]);
        assert_eq!(lines(r#"{"leader":"pd-0","ids":[1,2]}"#, 18), [r#"{"leader":"pd-0","#, r#""ids":[1,2]}"#]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("日本語のドレイナー", 6), ["日本語", "のドレ", "イナー"]);
        assert_eq!(lines("日本", 1).concat(), "日本", "what is wider than its room is there all the same");
        assert_eq!(wrapped("a long line", None), ["a long line"]);
    }

    #[test]
    fn a_page_goes_on_below_its_last_column() {
        let text =
            "Look\n  pumps()   All Pumps, read afresh from etcd.\n  nodes()   All.\n\n  a line that is quite long";
        let beside = "Look\n  pumps()   All Pumps,\n            read afresh\n            from etcd.\n  nodes()   All.\n\n  \
                      a line that is quite\n  long";
        assert_eq!(page(text, Some(24)), beside);
        let below = "Look\n  pumps()\n      All Pumps,\n      read\n      afresh\n      from etcd.\n  nodes()\n      All.\n\n  \
                     a line that is\n  quite long";
        assert_eq!(page(text, Some(16)), below);
        assert_eq!(page(text, None), text);
    }
}
