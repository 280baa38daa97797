//! The file of the history: shared by every prompt of this user, for its owner only, and never lost for one bad line.
#![expect(clippy::disallowed_methods, reason = "the history is this room's file")]

use crate::error::{Error, Result};
use crate::text::ShownPath;
use rustix::fs::{FlockOperation, OFlags, flock};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

/// How many entries are kept.
pub(super) const MOST: usize = 2000;

/// Larger files are no history.
const LARGEST: u64 = 64 << 20;

/// What to do with a file that is none.
const AWAY: &str = "move it away: a new one is made";

/// The first line of a file in which an entry of several lines is one line.
const HEADER: &str = "#V2";

/// The file, and how it looked when it was read last.
pub(super) struct HistoryFile {
    path: PathBuf,
    seen: Option<(u64, SystemTime)>,
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
        let mut file = self.locked(FlockOperation::LockShared)?;
        let entries = self.entries(&mut file)?;
        self.seen = now;
        Ok(Some(entries))
    }

    /// Adds an entry, unless it is the newest already.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    pub(super) fn add(&mut self, entry: &str) -> Result<()> {
        self.change(|entries| {
            if entries.last().is_some_and(|last| last == entry) {
                return false;
            }
            entries.push(entry.to_owned());
            true
        })
    }

    /// Takes every entry out that `is_out`, whoever entered it; how many there were.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    pub(super) fn take_out(&mut self, is_out: impl Fn(&str) -> bool) -> Result<usize> {
        let mut gone = 0;
        self.change(|entries| {
            let before = entries.len();
            entries.retain(|entry| !is_out(entry));
            gone = before - entries.len();
            gone > 0
        })?;
        Ok(gone)
    }

    /// Takes the newest entry out, and returns it.
    ///
    /// # Errors
    /// `local` when it cannot be written.
    pub(super) fn take_last(&mut self) -> Result<Option<String>> {
        let mut last = None;
        self.change(|entries| {
            last = entries.pop();
            last.is_some()
        })?;
        Ok(last)
    }

    /// Changes the entries under a lock, in place: the file stays the one that other prompts have locked. Its old end is cut
    /// off last, so that whatever stops us leaves no entry out.
    fn change(&mut self, change: impl FnOnce(&mut Vec<String>) -> bool) -> Result<()> {
        let mut file = self.locked(FlockOperation::LockExclusive)?;
        let mut entries = self.entries(&mut file)?;
        if !change(&mut entries) {
            return Ok(());
        }
        let too_many = entries.len().saturating_sub(MOST);
        let mut text = format!("{HEADER}\n");
        for entry in &entries[too_many..] {
            text.push_str(&entry.replace('\\', "\\\\").replace('\n', "\\n"));
            text.push('\n');
        }
        let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(text.as_bytes()));
        written.and_then(|()| file.set_len(text.len() as u64)).map_err(|fault| self.broken("written", fault))
    }

    fn locked(&self, how: FlockOperation) -> Result<File> {
        // A pipe would wait for somebody at its other end.
        let at_once = OFlags::NONBLOCK.bits() as i32;
        let file = OpenOptions::new().read(true).write(true).custom_flags(at_once).open(&self.path);
        let file = file.map_err(|fault| self.broken("opened", fault))?;
        let about = file.metadata().map_err(|fault| self.broken("read", fault))?;
        if !about.is_file() || about.len() > LARGEST {
            let what = if about.is_file() { "larger than any history" } else { "no file" };
            return Err(Error::local(format!("{} is {what}, and stays as it is", self.path.shown())).hint(AWAY));
        }
        flock(&file, how).map_err(|errno| self.broken("locked", errno.into()))?;
        Ok(file)
    }

    fn entries(&self, file: &mut File) -> Result<Vec<String>> {
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(|fault| self.broken("read", fault))?;
        if bytes.contains(&0) {
            return Err(Error::local(format!("{} is no history, and stays as it is", self.path.shown())).hint(AWAY));
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(match text.strip_prefix(HEADER) {
            Some(rest) => rest.lines().filter(|line| !line.is_empty()).map(unescaped).collect(),
            None => text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        })
    }

    fn broken(&self, done: &str, fault: std::io::Error) -> Error {
        Error::local(format!("the history {} cannot be {done}", self.path.display())).source(fault)
    }
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            letter => text.push(letter),
        }
    }
    text
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
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(HistoryFile::new(path).news().unwrap_err().message.contains("larger than any history"));
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
