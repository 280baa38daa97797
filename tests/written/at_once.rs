//! Several processes write the same file, or one is killed while it does.

use super::*;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Ends what it began, whatever happens.
struct Begun(Child);

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn begin(shell: &Shell) -> Begun {
    let mut command = shell.command();
    Begun(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The exit code, once it has ended.
fn code(begun: &mut Begun) -> i32 {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(120) {
        if let Some(status) = begun.0.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never ended")
}

#[test]
fn whoever_is_killed_while_writing_leaves_the_old_file_or_the_new_one() {
    let around = Around::new();
    let all = writers(&around);
    let is_tried = |writer: &&Writer<'_>| writer.replaces && (is_soak() || writer.name == "scripts copy");
    for writer in all.iter().filter(is_tried) {
        let shell = writer.with_old();
        let path = file(writer, shell.dir());
        let (mut lives, mut seen_old, mut seen_new) = (Duration::from_micros(100), 0, 0);
        // From dead before it wrote to done before it was killed, in steps small enough to meet the writing.
        for round in 0..160 {
            std::fs::write(&path, &writer.old).unwrap();
            let mut begun = begin(&shell);
            std::thread::sleep(lives);
            begun.0.kill().unwrap();
            begun.0.wait().unwrap();
            let now = std::fs::read_to_string(&path).unwrap();
            match now == writer.old {
                true => seen_old += 1,
                false => {
                    assert!((writer.is_whole)(&now), "{}, round {round}: {} bytes", writer.name, now.len());
                    seen_new += 1;
                }
            }
            if seen_new == 5 {
                break;
            }
            lives = (lives * 11 / 10).min(Duration::from_secs(5));
        }
        assert!(seen_old > 0 && seen_new == 5, "{}: {seen_old} old ones, {seen_new} new ones", writer.name);
    }
}

#[test]
fn several_processes_that_write_one_file_leave_the_whole_of_one() {
    each(1, &[()], |(), writer| {
        if writer.reads {
            return;
        }
        let shell = writer.shell();
        let mut all: Vec<Begun> = (0..4).map(|_| begin(&shell)).collect();
        let codes: Vec<i32> = all.iter_mut().map(code).collect();
        // Where none may take another's place, the first one wins.
        let well = codes.iter().filter(|code| **code == writer.code).count();
        assert_eq!(well, if writer.replaces { 4 } else { 1 }, "{}: {codes:?}", writer.name);
        let now = std::fs::read_to_string(file(writer, shell.dir())).unwrap();
        assert!((writer.is_whole)(&now), "{}: {} bytes", writer.name, now.len());
        nothing_is_left_behind(writer, shell.dir());
    });
}
