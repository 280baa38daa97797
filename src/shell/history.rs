//! The file of the history: shared by every prompt of this user, for its owner only, and never lost for one bad line, a full disk
//! or a kill in the middle of a write.
//!
//! An entry is added in one stroke behind the others, and taken out by writing line ends over it, in its place: neither touches any
//! other entry, and the second needs no room. What is too long is written anew beside it and renamed.
#![expect(clippy::disallowed_methods, reason = "the history is this room's file, and its lock is waited for a moment")]

use crate::error::{Error, Result};
use crate::files::{self, FileMode, IfThere};
use crate::text::ShownPath;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How many entries are kept.
pub(super) const MOST: usize = 2000;

/// How many more lines the file may have before it is written anew.
const SLACK: usize = 500;

/// Larger files are no history.
const LARGEST: usize = 64 << 20;

/// The longest entry, as it is written: of such ones there are still many in a file.
const LONGEST: usize = 8 << 20;

/// What to do with a file that is none.
const AWAY: &str = "move it away: a new one is made";

/// The first line of a file in which an entry of several lines is one line.
const HEADER: &str = "#V2";

/// How often the file may be replaced by others while it is opened.
const TRIES: usize = 20;

/// How long somebody else may hold its lock: as many pauses, of so long. A prompt holds it for a moment, and nobody waits for more.
const PAUSES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// The file, and how it looked when it was read last.
pub(super) struct HistoryFile {
    path: PathBuf,
    seen: Option<(u64, SystemTime)>,
}

/// What stands in the file.
struct HistoryLines {
    /// Whether it is as we write it.
    is_ours: bool,
    /// Each entry and where it stands, without the end of its line.
    entries: Vec<(Range<usize>, String)>,
    /// All lines, those that were taken out as well.
    count: usize,
    len: usize,
    /// Somebody was stopped before the end of the last line.
    is_open: bool,
}

impl HistoryLines {
    fn of(bytes: &[u8]) -> Self {
        let is_ours = bytes.starts_with(HEADER.as_bytes());
        let (mut entries, mut at, mut count) = (Vec::new(), 0, 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let place = at..at + line.strip_suffix(b"\n").unwrap_or(line).len();
            let is_header = is_ours && at == 0;
            at += line.len();
            count += 1;
            if !place.is_empty() && !is_header {
                let text = String::from_utf8_lossy(&bytes[place.clone()]);
                let text = text.strip_suffix('\r').unwrap_or(&text);
                // Where a system went down while it wrote there are zeros.
                let text = text.trim_matches('\0');
                let entry = if is_ours { unescaped(text) } else { text.to_owned() };
                entries.extend((!text.is_empty()).then_some((place, entry)));
            }
        }
        let is_open = !bytes.is_empty() && !bytes.ends_with(b"\n");
        Self { is_ours, entries, count, len: bytes.len(), is_open }
    }

    fn newest(&self) -> &[(Range<usize>, String)] {
        &self.entries[self.entries.len().saturating_sub(MOST)..]
    }

    /// The newest as they are written, as many as leave room for others.
    fn written(&self) -> String {
        let (mut len, mut all) = (0, Vec::new());
        for (_, entry) in self.newest().iter().rev() {
            let line = written(entry);
            len += line.len();
            if len > LARGEST / 2 {
                break;
            }
            all.push(line);
        }
        all.push(format!("{HEADER}\n"));
        all.into_iter().rev().collect()
    }
}

impl HistoryFile {
    /// The file at `path`, which exists.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// All entries, the newest last, if somebody has changed the file since they were read. What is no UTF-8 is shown with
    /// the sign for that.
    ///
    /// # Errors
    /// `local` when it cannot be read.
    pub(super) fn news(&mut self) -> Result<Option<Vec<String>>> {
        let now = std::fs::metadata(&self.path).and_then(|data| Ok((data.len(), data.modified()?))).ok();
        if now.is_none() || now == self.seen {
            return Ok(None);
        }
        let (_file, lines) = self.opened(FlockOperation::NonBlockingLockShared)?;
        self.seen = now;
        Ok(Some(lines.newest().iter().map(|(_, entry)| entry.clone()).collect()))
    }

    /// Whether it ever takes this entry.
    ///
    /// # Errors
    /// `local` when it is too long.
    pub(super) fn takes(entry: &str) -> Result<()> {
        let is_short = written(entry).len() <= LONGEST;
        let too_long = || Error::local(format!("an entry of more than {} MiB is in no history", LONGEST >> 20));
        is_short.then_some(()).ok_or_else(too_long)
    }

    /// Adds an entry, unless it is the newest already.
    ///
    /// # Errors
    /// `local` when it cannot be written; what was there is as it was.
    pub(super) fn add(&mut self, entry: &str) -> Result<()> {
        Self::takes(entry)?;
        let (file, mut lines) = self.opened(FlockOperation::NonBlockingLockExclusive)?;
        if lines.entries.last().is_some_and(|(_, last)| last == entry) {
            return Ok(());
        }
        let line = written(entry);
        if (!lines.is_ours && lines.len > 0) || lines.len + line.len() >= LARGEST {
            lines.entries.push((0..0, entry.to_owned()));
            return self.renew(&lines);
        }
        let before = match (lines.is_ours, lines.is_open) {
            (false, _) => format!("{HEADER}\n"),
            (true, true) => "\n".to_owned(),
            (true, false) => String::new(),
        };
        let end = lines.len as u64;
        if let Err(fault) = file.write_all_at(format!("{before}{line}").as_bytes(), end) {
            // What came of it goes again.
            return file.set_len(end).and(Err(fault)).map_err(|fault| self.broken("written", fault));
        }
        if lines.count > MOST + SLACK {
            lines.entries.push((0..0, entry.to_owned()));
            // The entry is kept; a file that is too long stays so until there is room.
            drop(self.renew(&lines));
        }
        Ok(())
    }

    /// Takes every entry out that `is_out`, whoever entered it; how many there were.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    pub(super) fn take_out(&mut self, is_out: impl Fn(&str) -> bool) -> Result<usize> {
        let (file, lines) = self.opened(FlockOperation::NonBlockingLockExclusive)?;
        let gone: Vec<&Range<usize>> =
            lines.entries.iter().filter(|(_, entry)| is_out(entry)).map(|(place, _)| place).collect();
        gone.iter().try_for_each(|place| self.blank(&file, place))?;
        Ok(gone.len())
    }

    /// Takes the newest entry out, and returns it.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    pub(super) fn take_last(&mut self) -> Result<Option<String>> {
        let (file, mut lines) = self.opened(FlockOperation::NonBlockingLockExclusive)?;
        let Some((place, last)) = lines.entries.pop() else { return Ok(None) };
        self.blank(&file, &place)?;
        Ok(Some(last))
    }

    /// Writes line ends over what stands there: lines without an entry are none.
    fn blank(&self, file: &File, place: &Range<usize>) -> Result<()> {
        let ends = vec![b'\n'; place.len()];
        file.write_all_at(&ends, place.start as u64).map_err(|fault| self.broken("written", fault))
    }

    /// Puts a file with the newest entries into its place; whoever waits for the lock of the old one finds the new one.
    fn renew(&self, lines: &HistoryLines) -> Result<()> {
        let put = files::write(&self.path, lines.written().as_bytes(), FileMode::Exactly(0o600), IfThere::Replace);
        put.map_err(|fault| fault.error_or(format!("the history {} cannot be written", self.path.shown()), AWAY))
    }

    /// The file under a lock, and what stands in it.
    fn opened(&self, how: FlockOperation) -> Result<(File, HistoryLines)> {
        for _ in 0..TRIES {
            let file = self.locked(how)?;
            let (ours, now) = (file.metadata(), std::fs::metadata(&self.path));
            let (ours, now) = ours.and_then(|ours| Ok((ours, now?))).map_err(|fault| self.broken("read", fault))?;
            // Another prompt may have put a new one there while this one waited.
            if (ours.dev(), ours.ino()) == (now.dev(), now.ino()) {
                let lines = self.lines(&file)?;
                return Ok((file, lines));
            }
        }
        Err(Error::local(format!("the history {} is replaced again and again", self.path.shown()))
            .hint("see which program does that"))
    }

    fn locked(&self, how: FlockOperation) -> Result<File> {
        // A pipe would wait for somebody at its other end.
        let at_once = OFlags::NONBLOCK.bits() as i32;
        let file = OpenOptions::new().read(true).write(true).custom_flags(at_once).open(&self.path);
        let file = file.map_err(|fault| self.broken("opened", fault))?;
        let about = file.metadata().map_err(|fault| self.broken("read", fault))?;
        if !about.is_file() || about.len() > LARGEST as u64 {
            let what = if about.is_file() { "larger than any history" } else { "no file" };
            return Err(Error::local(format!("{} is {what}, and stays as it is", self.path.shown())).hint(AWAY));
        }
        for _ in 0..PAUSES {
            match flock(&file, how) {
                Ok(()) => return Ok(file),
                Err(Errno::WOULDBLOCK | Errno::INTR) => std::thread::sleep(PAUSE),
                Err(errno) => return Err(self.broken("locked", errno.into())),
            }
        }
        Err(Error::local(format!("another program holds the lock of the history {}", self.path.shown()))
            .hint("see with `lslocks` which one; it is tried again with the next entry"))
    }

    fn lines(&self, file: &File) -> Result<HistoryLines> {
        let mut bytes = Vec::new();
        file.take(LARGEST as u64).read_to_end(&mut bytes).map_err(|fault| self.broken("read", fault))?;
        // Ours is one, whatever damage is in it.
        if bytes.contains(&0) && !bytes.starts_with(HEADER.as_bytes()) {
            return Err(Error::local(format!("{} is no history, and stays as it is", self.path.shown())).hint(AWAY));
        }
        Ok(HistoryLines::of(&bytes))
    }

    fn broken(&self, done: &str, fault: std::io::Error) -> Error {
        Error::local(format!("the history {} cannot be {done}", self.path.shown())).source(fault)
    }
}

/// An entry as it stands in the file.
fn written(entry: &str) -> String {
    let escapes = [('\\', "\\\\"), ('\n', "\\n"), ('\r', "\\r"), ('\0', "\\0")];
    escapes.into_iter().fold(entry.to_owned(), |line, (letter, escape)| line.replace(letter, escape)) + "\n"
}

fn unescaped(line: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(line.len()), line);
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        let mut letters = behind.chars();
        text.push(match letters.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('0') => '\0',
            Some(other) => other,
            None => '\\',
        });
        rest = letters.as_str();
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history");
        std::fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    #[test]
    fn two_prompts_share_it_and_an_entry_of_several_lines_is_one() {
        let (_dir, path) = file(b"");
        let (mut one, mut other) = (HistoryFile::new(path.clone()), HistoryFile::new(path));
        one.add("a").unwrap();
        other.add("if x {\n  \"\\n\"\n}").unwrap();
        one.add("c").unwrap();
        one.add("c").unwrap();
        assert_eq!(other.news().unwrap().unwrap(), ["a", "if x {\n  \"\\n\"\n}", "c"]);
        assert_eq!(other.news().unwrap(), None);
        one.take_out(|entry| entry.contains("if x")).unwrap();
        assert_eq!(other.news().unwrap().unwrap(), ["a", "c"]);
        assert_eq!(one.take_last().unwrap().as_deref(), Some("c"));
    }

    #[test]
    fn a_line_that_is_not_utf8_stops_nothing_and_loses_nothing_else() {
        let (_dir, path) = file(b"#V2\nbefore\n\xff\xfe\nbehind\n");
        let mut history = HistoryFile::new(path);
        history.add("new").unwrap();
        let all = history.news().unwrap().unwrap();
        assert_eq!((all[0].as_str(), all[2].as_str(), all[3].as_str()), ("before", "behind", "new"));
    }

    #[test]
    fn every_entry_is_read_as_it_was_written_and_damage_costs_no_other() {
        let (_dir, path) = file(b"#V2\nbefore\n\0\0\0\0\nbe\0hind\n\0\0\0");
        let mut history = HistoryFile::new(path);
        let hostile = ["a\0b", "\0", "\r", "c\r", "\\0 \\r \\n \\", "#V2", " ", "\u{feff}x"];
        for entry in hostile {
            history.add(entry).unwrap();
        }
        let all = history.news().unwrap().unwrap();
        assert_eq!(all[..2], ["before", "be\0hind"]);
        assert_eq!(all[2..], hostile);
    }

    #[test]
    fn very_long_entries_never_make_it_larger_than_a_history_is() {
        let long = "x".repeat(LONGEST - 1);
        let (_dir, path) =
            file(format!("#V2\nfirst\n{}", format!("{long}\n").repeat(LARGEST / LONGEST - 1)).as_bytes());
        let mut history = HistoryFile::new(path.clone());
        let last = format!("last{}", &long[4..]);
        history.add(&last).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < LARGEST as u64 / 2 + 10);
        let all = history.news().unwrap().unwrap();
        assert!(all.len() == LARGEST / LONGEST / 2 && all.last() == Some(&last), "{}", all.len());
        assert!(history.add(&(last + "x")).unwrap_err().message.contains("in no history"));
    }

    #[test]
    fn whoever_holds_its_lock_holds_nobody_up() {
        let (_dir, path) = file(b"#V2\nfirst\n");
        let held = File::open(&path).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        let mut history = HistoryFile::new(path);
        for error in [history.news().unwrap_err(), history.add("second").unwrap_err()] {
            assert!(error.message.starts_with("another program holds the lock"), "{error}");
        }
        flock(&held, FlockOperation::Unlock).unwrap();
        history.add("second").unwrap();
        assert_eq!(history.news().unwrap().unwrap(), ["first", "second"]);
    }

    #[test]
    fn what_is_no_history_is_neither_read_nor_written() {
        let (_dir, path) = file(b"PK\x03\x04\x00\x00");
        let error = HistoryFile::new(path.clone()).add("new").unwrap_err();
        assert!(error.message.ends_with("is no history, and stays as it is"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"PK\x03\x04\x00\x00");
        // What has no end is not read to it.
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let error = HistoryFile::new(path.clone()).add("new").unwrap_err();
        assert!(error.message.ends_with("is no file, and stays as it is"), "{error}");
        std::fs::remove_file(&path).unwrap();
        File::create(&path).unwrap().set_len(LARGEST as u64 + 1).unwrap();
        assert!(HistoryFile::new(path).news().unwrap_err().message.contains("larger than any history"));
    }

    #[test]
    fn an_entry_that_is_added_or_taken_out_touches_no_other() {
        let (_dir, path) = file(b"#V2\nfirst\n\xff\xfe bad\nhalf an ent");
        let mut history = HistoryFile::new(path.clone());
        history.add("two\nlines").unwrap();
        history.add("last").unwrap();
        assert_eq!(history.take_out(|entry| entry.starts_with("two")).unwrap(), 1);
        // The end of a line that had none, those in the place of the entry, and its own.
        let ends = vec![b'\n'; 1 + "two\\nlines".len() + 1];
        let before = b"#V2\nfirst\n\xff\xfe bad\nhalf an ent".as_slice();
        assert_eq!(std::fs::read(&path).unwrap(), [before, &ends, b"last\n"].concat());
        assert_eq!(history.news().unwrap().unwrap()[2..], ["half an ent", "last"]);
        assert_eq!(history.take_last().unwrap().as_deref(), Some("last"));
        // One that is an empty file begins as all do.
        let (_dir, path) = file(b"");
        HistoryFile::new(path.clone()).add("one").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"#V2\none\n");
    }

    #[test]
    fn whoever_waits_for_a_history_that_is_written_anew_gets_the_new_one() {
        let (_dir, path) = file(b"#V2\n");
        let adding = |who: usize| {
            let mut history = HistoryFile::new(path.clone());
            for n in 0..2 * SLACK {
                // Who is never let in within a moment tries again.
                let is_added = (0..100).any(|_| history.add(&format!("{who} {n}")).is_ok());
                assert!(is_added, "{who} {n}");
            }
        };
        std::thread::scope(|scope| (0..3).for_each(|who| drop(scope.spawn(move || adding(who)))));
        let all = HistoryFile::new(path.clone()).news().unwrap().unwrap();
        assert_eq!(all.len(), MOST);
        // Of everybody the last ones, none left out.
        for who in 0..3 {
            let own: Vec<usize> =
                all.iter().filter_map(|entry| entry.strip_prefix(&format!("{who} "))?.parse().ok()).collect();
            let first = 2 * SLACK - own.len();
            assert!(own.iter().copied().eq(first..2 * SLACK), "{who}: {own:?}");
        }
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_oldest_entries_go_when_there_are_too_many() {
        let (_dir, path) = file(b"");
        let mut history = HistoryFile::new(path.clone());
        let all: String = (0..MOST).map(|n| format!("line {n}\n")).collect();
        std::fs::write(&path, all).unwrap();
        history.add("new").unwrap();
        let all = history.news().unwrap().unwrap();
        assert_eq!((all.len(), all[0].as_str(), all[MOST - 1].as_str()), (MOST, "line 1", "new"));
    }
}
