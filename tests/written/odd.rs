//! What is no file stands in its place, or a link to one.

use super::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

#[test]
fn what_is_no_file_is_not_written_and_nothing_is_left_behind() {
    each(0, &["pipe", "directory", "device", "nowhere"], |odd, writer| {
        if writer.reads {
            return;
        }
        let shell = writer.shell();
        let path = file(writer, shell.dir());
        let why = match odd {
            "pipe" => {
                mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
                "a pipe"
            }
            "directory" => {
                std::fs::create_dir(&path).unwrap();
                "a directory"
            }
            "device" => {
                symlink("/dev/full", &path).unwrap();
                "a device"
            }
            _ => {
                symlink("missing/file", &path).unwrap();
                "a link that leads nowhere"
            }
        };
        let before = path.symlink_metadata().unwrap().ino();
        let ran = shell.go();
        let ran = match writer.replaces {
            true => tells_of_it(ran, writer, why),
            false => ran.fails(ErrorKind::Conflict).stderr_contains(writer.path),
        };
        let path = file(writer, ran.dir());
        assert_eq!(path.symlink_metadata().unwrap().ino(), before, "{} {odd}", writer.name);
        nothing_is_left_behind(writer, ran.dir());
    });
}

#[test]
fn a_link_to_a_file_stays_when_the_file_is_written() {
    each(2, &[()], |(), writer| {
        if !writer.replaces {
            return;
        }
        let shell = writer.shell().file("there", &writer.old);
        let path = file(writer, shell.dir());
        drop(std::fs::remove_file(&path));
        symlink(shell.dir().join("there"), &path).unwrap();
        let ran = shell.go().exits(writer.code);
        assert!(file(writer, ran.dir()).is_symlink(), "{}", writer.name);
        let now = std::fs::read_to_string(ran.dir().join("there")).unwrap();
        assert!((writer.is_whole)(&now), "{}: {now}", writer.name);
        nothing_is_left_behind(writer, ran.dir());
    });
}

#[test]
fn whoever_may_read_a_file_may_read_what_is_written_in_its_place_and_nobody_else() {
    each(3, &[()], |(), writer| {
        // A copied script is there to be run by whoever works here.
        if !writer.replaces || writer.name == "scripts copy" {
            return;
        }
        let shell = writer.with_old();
        let path = file(writer, shell.dir());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let ran = shell.go().exits(writer.code);
        let path = file(writer, ran.dir());
        let now = std::fs::read_to_string(&path).unwrap();
        assert!((writer.is_whole)(&now), "{}: {now}", writer.name);
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640, "{}", writer.name);
    });
}
