//! The programs with which people start and stop nodes, as doubles: each asks the test what to say and do.
//!
//! They are scripts that stand first in the path of who logs in, so that the test's process alone acts. Only bash is needed.

mod kubectl;
mod systemctl;
mod tiup;

use super::supervisor::Supervised;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What tiup and Kubernetes call the cluster of a fleet.
pub(crate) const CLUSTER: &str = "fleet";
/// The namespace of its pods.
pub(crate) const NAMESPACE: &str = "binlog";

/// How programs that are told to start or stop something go by that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Obedience {
    /// They do it, and say what became of it.
    #[default]
    Full,
    /// They never come to an end.
    Hangs,
    /// They say that it was done, and do nothing.
    InWordsOnly,
    /// They do it to the next node of the same kind.
    ToAnother,
    /// They do nothing, say this on standard error, and end with this exit status.
    Fails(u8, String),
}

/// How the programs of a fleet behave.
#[derive(Clone, Debug)]
pub(crate) struct ProgramKnobs {
    /// What becomes of what they are told to do.
    pub(crate) obedience: Obedience,
    /// `sudo` asks for a password.
    pub(crate) sudo_asks: bool,
    /// The units are those of the user, and not the system's.
    pub(crate) user_units: bool,
    /// How long Kubernetes waits until it kills the container of a deleted pod.
    pub(crate) grace: Duration,
    /// How long tiup waits for a port.
    pub(crate) tiup_waits: Duration,
}

impl Default for ProgramKnobs {
    fn default() -> Self {
        Self {
            obedience: Obedience::Full,
            sudo_asks: false,
            user_units: false,
            grace: Duration::from_secs(30),
            tiup_waits: Duration::from_secs(120),
        }
    }
}

/// All programs of a fleet.
pub(super) struct Programs {
    nodes: Arc<Supervised>,
    knobs: Mutex<ProgramKnobs>,
    calls: Mutex<Vec<String>>,
    ended: AtomicBool,
}

/// A call of one of them.
struct ProgramCall<'a> {
    /// On which host; on all of them at once if that is empty.
    host: &'a str,
    name: &'a str,
    /// It has root's rights.
    is_root: bool,
    args: Vec<&'a str>,
}

/// What a program says and how it ends.
#[derive(Default)]
struct Said {
    lines: String,
    code: u8,
}

impl Said {
    fn out(mut self, line: impl AsRef<str>) -> Self {
        self.say("out", line.as_ref());
        self
    }

    fn err(mut self, line: impl AsRef<str>) -> Self {
        self.say("err", line.as_ref());
        self
    }

    fn say(&mut self, word: &str, text: &str) {
        for line in text.split('\n') {
            self.lines += &format!("{word} {line}\n");
        }
    }

    fn exit(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

/// A program that fails with this on standard error.
fn fails(code: u8, text: impl AsRef<str>) -> Said {
    Said::default().err(text).exit(code)
}

impl Programs {
    pub(super) fn new(nodes: Arc<Supervised>) -> Self {
        Self { nodes, knobs: Mutex::default(), calls: Mutex::default(), ended: AtomicBool::new(false) }
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut ProgramKnobs)) {
        change(&mut self.knobs.lock().unwrap());
    }

    pub(super) fn knobs(&self) -> ProgramKnobs {
        self.knobs.lock().unwrap().clone()
    }

    /// The calls so far, in order.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Nothing hangs any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Does what a program was called for: on which host, its name, who became root by `sudo`, its arguments.
    pub(super) fn answer(&self, words: &[String], mut stream: TcpStream) {
        let [host, name, sudo, args @ ..] = words else { panic!("no program calls with {words:?}") };
        self.calls.lock().unwrap().push([std::slice::from_ref(name), args].concat().join(" "));
        let args = args.iter().map(String::as_str).collect();
        let call = ProgramCall { host, name, is_root: !sudo.is_empty(), args };
        if call.name == "sudo" {
            return self.sudo(&call, &mut stream);
        }
        let said = match call.name {
            "systemctl" => self.systemctl(&call),
            "journalctl" => self.journalctl(&call),
            "tiup" => self.tiup(&call),
            "kubectl" => self.kubectl(&call),
            other => fails(127, format!("bash: line 1: {other}: command not found")),
        };
        // Whoever called may have been killed.
        let _ = stream.write_all(format!("{}exit {}\n", said.lines, said.code).as_bytes());
    }

    /// What a change does to these units, or what is said in its place: `None` where it is to be done as it is told.
    fn instead(&self, units: &mut [usize]) -> Option<Said> {
        match self.knobs().obedience {
            Obedience::Full => None,
            Obedience::Hangs => {
                while !self.ended.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Some(Said::default().exit(255))
            }
            Obedience::InWordsOnly => Some(Said::default()),
            Obedience::ToAnother => {
                for unit in units {
                    *unit = self.next_of_its_kind(*unit);
                }
                None
            }
            Obedience::Fails(code, text) => Some(fails(code, text)),
        }
    }

    fn next_of_its_kind(&self, at: usize) -> usize {
        let all: Vec<_> = self.nodes.units().collect();
        let next = (1..all.len()).map(|step| (at + step) % all.len()).find(|next| all[*next].kind == all[at].kind);
        next.unwrap_or(at)
    }

    /// `sudo [-n] [-u USER] [--] PROGRAM ARGS`: becomes that program, or says that it wants a password.
    fn sudo(&self, call: &ProgramCall<'_>, stream: &mut TcpStream) {
        let mut skip = 0;
        let mut asks_nobody = false;
        while let Some(option) = call.args.get(skip).filter(|arg| arg.starts_with('-')) {
            skip += 1;
            match *option {
                "-n" | "--non-interactive" => asks_nobody = true,
                "-u" | "--user" => skip += 1,
                "--" => break,
                _ => {}
            }
        }
        let said = match (self.knobs().sudo_asks, asks_nobody) {
            (false, _) => format!("become {}\n", skip + 1),
            (true, true) => "err sudo: a password is required\nexit 1\n".to_owned(),
            (true, false) => {
                "err sudo: a terminal is required to read the password; either use the -S option to read from \
                              standard input or configure an askpass helper\nerr sudo: a password is required\nexit 1\n"
                    .to_owned()
            }
        };
        let _ = stream.write_all(said.as_bytes());
    }
}

/// Puts scripts of these names into `bin`, which call the test from `host`.
pub(super) fn install(bin: &Path, host: &str, control: SocketAddr, names: &[&str]) {
    std::fs::create_dir_all(bin).unwrap();
    for name in names {
        let text = SCRIPT
            .replace("ADDRESS", &format!("{}/{}", control.ip(), control.port()))
            .replace("HOST", host)
            .replace("NAME", name);
        let path = bin.join(name);
        // Whole and closed before it has its name: what is being written cannot be run.
        let draft = bin.join(format!(".{name}"));
        std::fs::write(&draft, text).unwrap();
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&draft, &path).unwrap();
    }
}

const SCRIPT: &str = r#"#!/bin/bash
# A double: the test says what it says, and does what it does.
exec 3<>/dev/tcp/ADDRESS || exit 255
printf '%s\0' "$(($# + 4))" program 'HOST' 'NAME' "${SUDO_USER-}" "$@" >&3
while IFS= read -r line <&3; do
    case $line in
        'out '*) printf '%s\n' "${line#out }" ;;
        'err '*) printf '%s\n' "${line#err }" >&2 ;;
        'become '*) exec 3>&-; SUDO_USER=somebody exec "${@:${line#become }}" ;;
        'exit '*) exit "${line#exit }" ;;
    esac
done
exit 255
"#;
