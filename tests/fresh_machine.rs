//! What a new, minimal machine lacks is named before anything is built, and no test takes it for granted.

use crate::harness::project;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Programs that tests and benches may start: a minimal Debian has them, or `.ci/tools` sees to it that they are there.
const STARTED: [&str; 13] = [
    "sh",
    "bash",
    "zsh",
    "fish",
    "true",
    "timeout",
    "setsid",
    "git",
    "etcd",
    "etcdctl",
    "ssh",
    "ssh-keygen",
    "microsocks",
];

fn installed(program: &str) -> PathBuf {
    let dirs = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(program));
    dirs.into_iter().find(|path| path.exists()).unwrap()
}

/// A machine on which just a few programs are found, `apt-get` not among them.
struct Machine {
    dir: TempDir,
}

impl Machine {
    /// With what `.ci/tools` itself needs, and a Rust toolchain.
    fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(machine.bin()).unwrap();
        for program in ["bash", "readlink", "id"] {
            symlink(installed(program), machine.bin().join(program)).unwrap();
        }
        machine.program("cargo")
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    /// A program that is found, and that nobody runs.
    fn program(self, name: &str) -> Self {
        let path = self.bin().join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// A program that does what `other` does. A link, since what was just written cannot be run while another test forks.
    fn program_like(self, name: &str, other: &str) -> Self {
        symlink(installed(other), self.bin().join(name)).unwrap();
        self
    }

    fn file(self, name: &str) -> Self {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
        self
    }

    /// What `.ci/tools NEEDS...` says: its exit code and its words.
    fn tools(&self, needs: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(self.bin().join("bash"));
        command.arg(project(".ci/tools")).args(needs).env_clear().env("PATH", self.bin());
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    }
}

/// What `.ci/within SECONDS bash -c CODE` says on both streams, and its exit code.
fn within(seconds: &str, code: &str) -> (Option<i32>, String) {
    let out = Command::new(project(".ci/within")).args([seconds, "bash", "-c", code]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + String::from_utf8_lossy(&out.stderr).as_ref();
    (out.status.code(), said)
}

#[test]
fn tests_that_take_too_long_are_ended_and_those_that_had_begun_are_named() {
    let slow = ["hangs", "is slow"].map(|name| format!("echo 'test {name} has been running for over 60 seconds'"));
    let (code, said) = within("1", &format!("{}; {}; echo 'test is slow ... ok'; sleep 300; true", slow[0], slow[1]));
    assert_eq!(code, Some(124), "{said}");
    let (_, report) = said.split_once("tests that had begun:\n").unwrap();
    assert!(report.starts_with("  hangs\nprocesses") && report.contains(" sleep 300 "), "{said}");
    assert_eq!(within("300", "echo all is well; exit 3"), (Some(3), "all is well\n".into()));
}

#[test]
fn a_protoc_without_its_own_types_is_not_enough() {
    let (code, said) = Machine::new().program("protoc").tools(&["protoc"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("google/protobuf/descriptor.proto"), "{said}");
    assert!(said.contains("libprotobuf-dev") && !said.contains("protobuf-compiler"), "{said}");
    let whole = Machine::new().program("protoc").file("include/google/protobuf/descriptor.proto");
    assert_eq!(whole.tools(&["protoc"]), (Some(0), String::new()));
}

#[test]
fn a_compiler_without_the_headers_of_libc_is_not_enough() {
    let (code, said) = Machine::new().program_like("cc", "false").tools(&["cc"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stdio.h") && said.contains("libc6-dev") && !said.contains("gcc"), "{said}");
    assert_eq!(Machine::new().program_like("cc", "true").tools(&["cc"]), (Some(0), String::new()));
}

#[test]
fn sshd_is_found_where_no_path_of_a_user_leads() {
    assert_eq!(Machine::new().tools(&["sshd"]), (Some(0), String::new()), "the tests of ssh need it");
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let (code, said) = Machine::new().tools(&["protoc", "cc", "etcd", "etcdctl", "bash", "zsh", "fish", "ssh"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(
            "protobuf-compiler libprotobuf-dev gcc libc6-dev etcd-server etcd-client zsh fish openssh-client"
        ),
        "{said}"
    );
}

#[test]
fn tests_and_benches_start_no_program_that_a_minimal_debian_lacks() {
    let mut seen = 0;
    for source in sources(&project("tests")).into_iter().chain(sources(&project("benches"))) {
        let text = std::fs::read_to_string(&source).unwrap();
        for call in text.split("Command::new(\"").skip(1) {
            let program = call.split('"').next().unwrap();
            seen += 1;
            assert!(STARTED.contains(&program), "{} starts `{program}`", source.display());
        }
    }
    assert!(seen > 3, "the search finds nothing any more");
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false if path.extension().is_some_and(|end| end == "rs") => vec![path],
            false => Vec::new(),
        })
        .filter(|path| !path.ends_with("fresh_machine.rs"))
        .collect()
}
