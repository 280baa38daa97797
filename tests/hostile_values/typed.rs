//! The prompt in a terminal: what reaches it, byte for byte.

use super::*;
use crate::harness::screen::{Screen, key};
use crate::support::eventually;
use std::time::Duration;

/// What a line editor and colours need: `ESC [`, numbers, and a letter of these; and `ESC [ ?` for the cursor and pastes.
const ALLOWED: &str = "mABCDEFGHJKPhlntrsu";

/// What an entry that is typed or comes from the history may not have either: its letters are the operator's own, seen or not.
fn drives_the_terminal(letter: char) -> bool {
    let reorders = matches!(u32::from(letter), 0x61c | 0x200e..=0x200f | 0x202a..=0x202e | 0x2066..=0x2069);
    reorders || letter.is_control() && !matches!(letter, '\n' | '\t')
}

/// Nothing that the program wrote to the terminal drives it but for what a line editor needs.
#[track_caller]
fn drives_nothing(bytes: &[u8], bad: fn(char) -> bool) {
    let text = String::from_utf8_lossy(bytes);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        let near = || text[at..].chars().take(40).collect::<String>();
        if letter == '\u{1b}' {
            assert_eq!(letters.next().map(|(_, next)| next), Some('['), "{:?}", near());
            let end = letters.find(|(_, c)| !c.is_ascii_digit() && !";?>".contains(*c)).map(|(_, end)| end);
            assert!(end.is_some_and(|end| ALLOWED.contains(end)), "{:?}", near());
            continue;
        }
        assert!(letter == '\r' || !bad(letter), "{letter:?} in {:?}", near());
    }
    // What looks as ours does is known by what stands before it.
    let raw = values().into_iter().enumerate().map(|(at, value)| id(at, &value));
    raw.filter(|id| id.chars().any(bad)).for_each(|id| assert!(!text.contains(&id), "{id:?} as it is"));
}

/// The prompt has done what it was told. What is typed while it works may be dropped, and is typed again.
fn comes_to(screen: &mut Screen, end: &str) {
    for _ in 0..60 {
        screen.keys(&format!("print(\"it \" + \"is {end}\")\r"));
        if eventually(Duration::from_secs(1), || screen.text().contains(&format!("it is {end}"))) {
            return;
        }
    }
    panic!("it never came to {end}: {}", screen.text());
}

#[test]
fn no_text_from_outside_drives_the_terminal_of_a_prompt() {
    let cluster = HostileCluster::new();
    let mut screen = Screen::open(Shell::live(&cluster.pd.url()), 300, 60);
    screen.until(|text| text.ends_with('>'));
    for (code, end) in [
        ("nodes()", "one"),
        ("pumps().map(|p| p.id)", "two"),
        ("drainers().map(|d| d.state)", "three"),
        ("for d in drainers() { print(d); print(d.state); }", "four"),
        ("for d in drainers() { try { fail(d.state) } catch (e) { print(`${e}`) } }", "five"),
        ("status(drainers().filter(|d| d.id < \"d010\"))", "six"),
    ] {
        screen.keys(&format!("{code}\r"));
        comes_to(&mut screen, end);
    }
    screen.keys("pause_pump(pumps()[0])\r").until(|text| text.contains("[y/N") || text.contains("error["));
    screen.keys(key::CTRL_C);
    comes_to(&mut screen, "asked");
    screen.keys(".output json\r");
    comes_to(&mut screen, "json");
    screen.keys("nodes()\r");
    comes_to(&mut screen, "all");
    drives_nothing(&screen.bytes_shown(), deceives);
}

/// As the history keeps an entry.
fn kept(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n")
}

#[test]
fn an_entry_of_the_history_drives_no_terminal() {
    // From within an entry of several lines the arrow goes on with what stands before the cursor, and passes others by.
    let texts: Vec<String> =
        values().into_iter().filter(|text| !text.contains(['\0', '\r', '\n']) && text.len() < 1000).collect();
    let texts = some(texts, 25);
    let entries: Vec<String> = texts.iter().map(|text| format!("// {text} end")).collect();
    let file: String = std::iter::once("#V2\n".to_owned()).chain(entries.iter().map(|one| kept(one) + "\n")).collect();
    let shell = Shell::sandbox("default").file(".local/state/binlogsh/history", &file);
    let mut screen = Screen::open(shell, 200, 50);
    screen.until(|text| text.ends_with("sandbox>"));
    for _ in &texts {
        // One by one: many keys at once are taken for a paste.
        let before = screen.bytes_shown().len();
        screen.keys(key::UP);
        assert!(eventually(Duration::from_secs(20), || screen.bytes_shown().len() > before));
    }
    let first =
        texts[0].chars().map(|letter| if drives_the_terminal(letter) { '?' } else { letter }).collect::<String>();
    let wanted = format!("// {first} end");
    assert!(eventually(Duration::from_secs(20), || String::from_utf8_lossy(&screen.bytes_shown()).contains(&wanted)));
    drives_nothing(&screen.bytes_shown(), drives_the_terminal);
    assert_eq!(std::fs::read_to_string(screen.shell.dir().join(".local/state/binlogsh/history")).unwrap(), file);
}
