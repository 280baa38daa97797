//! A disk that is full, a store that cannot be written, is locked, newer or no store at all.

use super::*;
use binlogsh::error::ErrorKind;
use binlogsh::journal::store::RunFilter;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Where the child of a test works, and what it does there.
const CHILD: &str = "BINLOGSH_TEST_STORE_FAULT";

/// Runs the test `name` again in a process of its own.
fn child(name: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("store::faults::{name}"), "--nocapture"]).env(CHILD, file);
    command
}

fn check(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + String::from_utf8_lossy(&output.stderr).as_ref();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_store_that_is_locked_is_waited_for_five_seconds_then_an_error() {
    let (_dir, file) = place();
    act(&mut script(&file, 1), 1);
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    let mut journal = script(&file, 2);
    let error = journal.began(&change(1), &[], None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains("another process has had it locked for 5 s"), "{error}");
    assert!(error.message.contains(&file.display().to_string()), "{error}");
    assert!(began.elapsed() >= Duration::from_secs(5));
    other.execute_batch("ROLLBACK").unwrap();
    // The change was not applied, so nothing of it is kept; the next one is.
    act(&mut journal, 2);
    drop(journal);
    assert_eq!(outcomes(&open(&file).load(&id(2)).unwrap().entries), ["did pump-2"]);
}

#[test]
fn whoever_sets_a_store_aside_and_is_stopped_then_holds_nobody_up_for_ever() {
    let (_dir, file) = place();
    act(&mut script(&file, 1), 1);
    let lock = std::fs::File::options().write(true).open(file.with_extension("db.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let began = Instant::now();
    let mut journal = script(&file, 2);
    let error = journal.began(&change(1), &[], None).unwrap_err();
    assert!(error.message.contains("another process has had it locked for 5 s"), "{error}");
    assert!(began.elapsed() >= Duration::from_secs(5));
    drop(lock);
    act(&mut script(&file, 3), 1);
}

#[test]
fn a_lock_that_is_let_go_meanwhile_is_no_error() {
    let (_dir, file) = place();
    act(&mut script(&file, 1), 1);
    let (locked, wait) = mpsc::channel();
    let path = file.clone();
    let holder = std::thread::spawn(move || {
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        locked.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        other.execute_batch("COMMIT").unwrap();
    });
    wait.recv().unwrap();
    act(&mut script(&file, 2), 1);
    holder.join().unwrap();
    assert_eq!(open(&file).runs(&RunFilter::default()).unwrap().len(), 2);
}

/// No file of this process, or of what it becomes, may grow over 256 KiB: it gets an error there, no signal.
#[test]
fn a_full_disk_is_an_error_and_nothing_is_half_written() {
    let Some(file) = std::env::var_os(CHILD) else {
        let (_dir, file) = place();
        let limit = r#"trap "" XFSZ; ulimit -f 512; exec "$0" "$@""#;
        let inner = child("a_full_disk_is_an_error_and_nothing_is_half_written", &file);
        let mut limited = Command::new("sh");
        limited.args(["-c", limit]).arg(inner.get_program()).args(inner.get_args()).env(CHILD, &file);
        check(&mut limited);
        let full = open(&file).load(&id(1)).unwrap();
        assert_eq!((full.unfinished, full.lost_tail), (None, 0));
        // With room again it goes on.
        let mut resumed = open(&file).resume(&id(1), claim(99, &nobody)).unwrap();
        act(&mut resumed, 100_000);
        return;
    };
    let mut journal = script(Path::new(&file), 1);
    let refused = (0..10_000).find_map(|n| {
        (0..5).for_each(|i| read(&mut journal, n * 10 + i));
        match journal.began(&change(n), &[], None) {
            Err(error) => Some((n, error)),
            Ok(()) => journal.done(Entry::new(change(n).into(), Ok(acted()))).err().map(|error| (n, error)),
        }
    });
    let (_, error) = refused.unwrap();
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains("runs.db"), "{error}");
}

#[test]
fn a_full_disk_before_the_first_change_is_an_error() {
    let Some(file) = std::env::var_os(CHILD) else {
        let (dir, file) = place();
        let limit = r#"trap "" XFSZ; ulimit -f 8; exec "$0" "$@""#;
        let inner = child("a_full_disk_before_the_first_change_is_an_error", &file);
        let mut limited = Command::new("sh");
        limited.args(["-c", limit]).arg(inner.get_program()).args(inner.get_args()).env(CHILD, &file);
        check(&mut limited);
        let left: Vec<_> =
            std::fs::read_dir(dir.path().join("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["runs.db.lock"]);
        return;
    };
    let error = script(Path::new(&file), 1).began(&change(1), &[], None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains("runs.db"), "{error}");
}

/// As somebody else than root, whom no permission stops.
#[test]
fn a_store_that_is_not_ours_to_write_is_an_error_that_names_it() {
    const NAME: &str = "a_store_that_is_not_ours_to_write_is_an_error_that_names_it";
    let Some(file) = std::env::var_os(CHILD) else {
        let (dir, file) = place();
        act(&mut script(&file, 1), 1);
        let allow = |path: &Path, mode| {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(path, permissions).unwrap();
        };
        allow(dir.path(), 0o755);
        let mut stranger = child(NAME, &file);
        if rustix::process::geteuid().is_root() {
            // The test's program may lie where a stranger cannot look.
            let copy = dir.path().join("suite");
            std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
            allow(&copy, 0o755);
            let mut other = Command::new(copy);
            other.args(stranger.get_args()).env(CHILD, &file).current_dir("/").uid(65_534).gid(65_534);
            stranger = other;
        }
        for (mode, name) in [(0o555, "runs.db"), (0o444, "runs.db.lock")] {
            allow(&file.with_file_name(name), mode);
        }
        allow(file.parent().unwrap(), 0o555);
        let before = std::fs::read(&file).unwrap();
        check(&mut stranger);
        assert_eq!(std::fs::read(&file).unwrap(), before);
        allow(file.parent().unwrap(), 0o755);
        return;
    };
    let file = Path::new(&file);
    for error in [
        script(file, 2).began(&change(1), &[], None).unwrap_err(),
        script(&file.with_file_name("other.db"), 2).began(&change(1), &[], None).unwrap_err(),
        script(&file.with_file_name("deeper").join("other.db"), 2).began(&change(1), &[], None).unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Local);
        assert!(error.message.contains(&file.parent().unwrap().display().to_string()), "{error}");
        assert!(error.hint.is_some());
    }
}

#[test]
fn a_newer_store_is_refused_and_not_touched() {
    let (_dir, file) = place();
    act(&mut script(&file, 1), 1);
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let before = std::fs::read(&file).unwrap();
    let errors = [Store::open(&file).err().unwrap(), script(&file, 2).began(&change(1), &[], None).unwrap_err()];
    for error in errors {
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains("it is of version 7, this one knows 1"), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn what_is_no_store_is_set_aside_by_the_next_run_and_kept_as_it_was() {
    let database = |file: &Path| {
        rusqlite::Connection::open(file).unwrap().execute_batch("CREATE TABLE accounts (id)").unwrap();
    };
    type Make<'m> = &'m dyn Fn(&Path);
    let contents: [Make<'_>; 3] =
        [&|file| std::fs::write(file, "no database").unwrap(), &|file| std::fs::write(file, "").unwrap(), &database];
    for make in contents {
        let (_dir, file) = place();
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        make(&file);
        let before = std::fs::read(&file).unwrap();
        let error = Store::open(&file).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Local);
        assert!(error.message.contains(&format!("{} is damaged", file.display())), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
        let mut journal = script(&file, 1);
        act(&mut journal, 1);
        let kept = file.with_file_name("runs.db.damaged-20261123-121502");
        assert_eq!(journal.set_aside(), Some(kept.as_path()));
        assert_eq!(std::fs::read(&kept).unwrap(), before);
        assert_eq!(open(&file).runs(&RunFilter::default()).unwrap().len(), 1);
    }
}

#[test]
fn a_damaged_store_is_not_set_aside_under_somebody_who_has_it_open() {
    let (_dir, file) = place();
    act(&mut script(&file, 1), 1);
    let store = open(&file);
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "application_id", 7).unwrap();
    let error = script(&file, 2).began(&change(1), &[], None).unwrap_err();
    assert!(error.message.contains("while another process has it open"), "{error}");
    drop(store);
    act(&mut script(&file, 2), 1);
}

#[test]
fn a_log_without_its_database_is_not_taken_for_the_new_ones() {
    let (_dir, file) = place();
    let mut journal = script(&file, 1);
    act(&mut journal, 1);
    let log = file.with_file_name("runs.db-wal");
    let copy = std::fs::read(&log).unwrap();
    drop(journal);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&log, &copy).unwrap();
    act(&mut script(&file, 2), 1);
    assert_eq!(open(&file).runs(&RunFilter::default()).unwrap().len(), 1);
    assert_eq!(std::fs::read(file.with_file_name("runs.db-wal.orphan")).unwrap(), copy);
}
