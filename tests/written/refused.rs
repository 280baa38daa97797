//! No room, no permission, nothing that can be written at all.

use super::*;
use rustix::process::{geteuid, getuid};
use std::fs::{File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Somebody who is nobody else on a host.
const NOBODY: u32 = 65_534;

/// Begins the program where no file may grow: as on a full disk, each write fails.
pub(super) fn without_room(shell: Shell) -> Ran {
    let program = env!("CARGO_BIN_EXE_binlogsh");
    shell.go_with(|command| {
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\"", program]).args(args);
        limited.current_dir(command.get_current_dir().unwrap()).env_clear();
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        *command = limited;
    })
}

#[test]
fn on_a_full_disk_a_file_stays_as_it_was_and_what_was_found_out_is_told() {
    each(0, &[()], |(), writer| {
        let shell = if writer.replaces { writer.with_old() } else { writer.shell() };
        let before = names(&directory(writer, shell.dir()));
        let ran = without_room(shell);
        // A change is not made where nobody could say later that it was; and the store lies on that disk, too.
        if ["clusters", "runs export"].contains(&writer.name) {
            ran.fails(ErrorKind::Local).stderr_contains("the store of runs").stderr_contains("is it full?");
            return;
        }
        let ran = tells_of_it(ran, writer, "make room");
        assert!(ran.stdout.contains(writer.tells), "{}: {}", writer.name, ran.stdout);
        if writer.replaces {
            assert_eq!(std::fs::read_to_string(file(writer, ran.dir())).unwrap(), writer.old, "{}", writer.name);
        }
        assert_eq!(names(&directory(writer, ran.dir())), before, "{}", writer.name);
    });
}

/// Everything beneath `dir` belongs to nobody else.
fn give_away(dir: &Path) {
    chown(dir, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => give_away(&entry.path()),
            false => chown(entry.path(), Some(NOBODY), Some(NOBODY)).unwrap(),
        }
    }
}

/// Begins the program as somebody who may not write into `closed`; root may write everywhere, and so becomes somebody else.
fn as_somebody(shell: Shell, closed: &Path, prepare: impl FnOnce(&Path, bool)) -> Ran {
    assert_eq!(geteuid(), getuid());
    let is_root = geteuid().is_root();
    if is_root {
        give_away(shell.dir());
    }
    prepare(shell.dir(), is_root);
    if is_root {
        chown(closed, Some(0), Some(0)).unwrap();
    }
    let mode = if is_root { 0o755 } else { 0o555 };
    std::fs::set_permissions(closed, Permissions::from_mode(mode)).unwrap();
    // The program may lie where only root comes to; it is open here.
    let program = File::open(env!("CARGO_BIN_EXE_binlogsh")).unwrap();
    let ran = shell.go_with(|command| {
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut other = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
        other.args(args).current_dir(command.get_current_dir().unwrap()).env_clear();
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if is_root {
            other.uid(NOBODY).gid(NOBODY);
        }
        *command = other;
    });
    std::fs::set_permissions(closed, Permissions::from_mode(0o755)).unwrap();
    ran
}

#[test]
fn without_permission_a_file_stays_as_it_was() {
    each(1, &[()], |(), writer| {
        let shell = if writer.replaces { writer.with_old() } else { writer.shell() };
        let closed = directory(writer, shell.dir());
        let before = names(&closed);
        let ran = as_somebody(shell, &closed, |_, _| {});
        let ran = tells_of_it(ran, writer, "Permission denied");
        if writer.replaces {
            assert_eq!(std::fs::read_to_string(file(writer, ran.dir())).unwrap(), writer.old, "{}", writer.name);
        }
        assert_eq!(names(&directory(writer, ran.dir())), before, "{}", writer.name);
    });
}

#[test]
fn what_a_group_may_do_with_a_file_is_no_other_groups() {
    // Another group may do what everybody may.
    for (mode, of_others) in [(0o660, 0o600), (0o664, 0o644), (0o750, 0o700)] {
        let shell = Shell::new(&["--sandbox", "rehearse", "s.rhai", "--plan", "plan.json"]);
        let shell = shell.file("s.rhai", "1").file("plan.json", "old").file("closed/other", "");
        let closed = shell.dir().join("closed");
        let ran = as_somebody(shell, &closed, |dir, is_root| {
            let plan = dir.join("plan.json");
            std::fs::set_permissions(&plan, Permissions::from_mode(mode)).unwrap();
            if is_root {
                chown(plan, Some(1001), Some(2000)).unwrap();
            }
        });
        let plan = ran.succeeds().dir().join("plan.json").metadata().unwrap();
        // Whoever is not of its group writes a file of their own; the one of the test itself keeps its group.
        let is_other = plan.uid() == NOBODY;
        let (now, expected) = (plan.mode() & 0o7777, if is_other { of_others } else { mode });
        assert_eq!(now, expected, "{now:o} instead of {expected:o}");
    }
}

#[test]
fn what_the_system_lets_nobody_write_is_an_error_before_the_work_begins() {
    for option in ["--report", "--plan", "--save-snapshot"] {
        for place in ["/proc/self/out", "/sys/out", "/dev/null/out", "missing/out"] {
            let shell = Shell::new(&["--sandbox", "rehearse", "s.rhai", option, place]);
            let ran = shell.file("s.rhai", "print(\"looked\")").go().fails(ErrorKind::Local);
            let ran = ran.stderr_contains("cannot write").stderr_contains(place).stderr_contains("hint: ");
            assert!(!ran.stdout.contains("looked"), "{option} {place}");
            if !is_soak() {
                break;
            }
        }
    }
}
