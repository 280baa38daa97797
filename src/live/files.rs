//! Savepoints on this host: the file that a Drainer begins from.

use crate::error::{Error, Result};
use crate::files::{self, FileMode, IfThere};
use crate::text::{ShownPath, decode};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The name of the file in its directory, which Drainer fixes.
pub(super) const SAVEPOINT: &str = "savepoint";

/// A savepoint is a few lines; what is larger is something else.
const MAX_SAVEPOINT: u64 = 1 << 20;

/// Reads `{dir}/savepoint`.
///
/// # Errors
/// `not_found` without one, `local` when it cannot be read, `invalid` when it cannot be a savepoint.
pub(super) fn read_savepoint(dir: &Path) -> Result<String> {
    let path = dir.join(SAVEPOINT);
    let bytes = files::read(&path, MAX_SAVEPOINT).map_err(|fault| match fault.is_missing() {
        true => Error::not_found(format!("there is no savepoint {}", path.shown()))
            .hint("a Drainer keeps its own in its data directory (`data.drainer`)"),
        false => fault.error(format!("cannot read the savepoint {}", path.shown())),
    })?;
    decode(&format!("the savepoint {}", path.shown()), bytes)
}

/// Writes `{dir}/savepoint`, making the directory: afterwards it is there completely or as it was, whatever happens.
///
/// # Errors
/// `local`, naming the path.
pub(super) fn write_savepoint(dir: &Path, content: &str) -> Result<()> {
    let path = dir.join(SAVEPOINT);
    let cannot = format!("cannot write the savepoint {}", path.shown());
    let hint = "give a directory that can be written, with `data_dir` (ctl: -data-dir)";
    // As binlogctl makes it: for its owner.
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|fault| Error::local(format!("{cannot}: making its directory")).source(fault).hint(hint))?;
    files::write(&path, content.as_bytes(), FileMode::Fresh(0o644), IfThere::Replace)
        .map_err(|fault| fault.error_or(cannot, hint))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "looks at what was written")]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_savepoint_is_written_whole_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        assert_eq!(read_savepoint(&deep).unwrap_err().kind, ErrorKind::NotFound);
        for content in ["commitTS = 1\n", "commitTS = 2\n"] {
            write_savepoint(&deep, content).unwrap();
            assert_eq!(read_savepoint(&deep).unwrap(), content);
        }
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&deep), mode(&dir.path().join("a"))), (0o700, 0o700));
        assert_eq!(mode(&deep.join("savepoint")), 0o644);
        let names: Vec<_> = std::fs::read_dir(&deep).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["savepoint"], "no temporary file is left");
    }

    #[test]
    fn a_failed_write_names_the_path_and_leaves_the_old_savepoint() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "not a directory").unwrap();
        let error = write_savepoint(&file, "commitTS = 1\n").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Local);
        assert!(error.message.contains(file.to_str().unwrap()), "{error}");
        // A directory in the savepoint's place makes the last step fail.
        std::fs::create_dir_all(dir.path().join("savepoint/x")).unwrap();
        assert_eq!(write_savepoint(dir.path(), "commitTS = 1\n").unwrap_err().kind, ErrorKind::Local);
        assert!(dir.path().join("savepoint/x").is_dir());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn what_is_no_text_is_no_savepoint() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("savepoint"), [0xff, 0xfe]).unwrap();
        assert_eq!(read_savepoint(dir.path()).unwrap_err().kind, ErrorKind::Invalid);
    }
}
