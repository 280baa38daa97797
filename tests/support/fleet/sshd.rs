//! OpenSSH's own server, at the ssh port of every host of a fleet: a real one for each connection, as a socket unit of
//! systemd starts it. None is left once its connection ends.
//!
//! It lets in whoever runs the test, with a key made for it, and needs nothing of this machine beside its program: its home
//! and the doubles of `systemctl` and `sudo` are the test's.

use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::{eventually, join_woken};

/// Where Debian has it; it wants to be called by its whole name.
const SSHD: &str = "/usr/sbin/sshd";
/// What it wants to be there when root starts it, and what a service's start would make.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

/// How the server of a host treats who comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reception {
    /// As it should.
    #[default]
    LetsIn,
    /// It takes the connection and never says a word.
    Silent,
    /// It knows no key, and would like a password.
    WantsPassword,
    /// It has another host key than it had.
    AnotherKey,
}

/// The servers of a fleet.
pub(super) struct SshServers {
    servers: Vec<Server>,
    reception: Arc<Mutex<Reception>>,
}

struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<Vec<Session>>>,
}

/// What became of a connection.
enum Session {
    /// A server of its own has it.
    Served(Child),
    /// It is open, and nobody has it.
    Ignored(#[expect(dead_code, reason = "held so that it stays open")] TcpStream),
}

impl SshServers {
    /// A server for each of these addresses, with a directory of its host each, in which it finds `bin` and `home`. Keys and
    /// the list of known hosts are in `keys`.
    pub(super) fn start(hosts: Vec<(TcpListener, PathBuf)>, keys: &Path) -> Self {
        assert!(Path::new(SSHD).exists(), "there is no {SSHD}: install the package openssh-server");
        if geteuid().is_root() {
            std::fs::create_dir_all(PRIVILEGE_SEPARATION).unwrap();
        }
        std::fs::create_dir_all(keys).unwrap();
        for name in ["host", "another", "id_rsa"] {
            make_key(&keys.join(name));
        }
        let public = std::fs::read_to_string(keys.join("host.pub")).unwrap();
        let public: Vec<&str> = public.split(' ').take(2).collect();
        let mut known = String::new();
        let reception = Arc::<Mutex<Reception>>::default();
        let mut servers = Vec::new();
        for (listener, dir) in hosts {
            let address = listener.local_addr().unwrap();
            known += &format!("[{}]:{} {}\n", address.ip(), address.port(), public.join(" "));
            for reception in [Reception::LetsIn, Reception::WantsPassword, Reception::AnotherKey] {
                std::fs::write(dir.join(config_of(reception)), config(&dir, keys, reception)).unwrap();
            }
            servers.push(Server::start(listener, dir, reception.clone()));
        }
        std::fs::write(keys.join("known_hosts"), known).unwrap();
        Self { servers, reception }
    }

    pub(super) fn receive(&self, reception: Reception) {
        *self.reception.lock().unwrap() = reception;
    }
}

impl Server {
    fn start(listener: TcpListener, dir: PathBuf, reception: Arc<Mutex<Reception>>) -> Self {
        let (address, ended) = (listener.local_addr().unwrap(), Arc::<AtomicBool>::default());
        let is_over = ended.clone();
        let accepting = std::thread::spawn(move || {
            let mut sessions: Vec<Session> = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                sessions.retain_mut(|session| match session {
                    Session::Served(server) => server.try_wait().unwrap().is_none(),
                    Session::Ignored(_) => true,
                });
                let reception = *reception.lock().unwrap();
                sessions.push(match reception {
                    Reception::Silent => Session::Ignored(stream),
                    Reception::LetsIn | Reception::WantsPassword | Reception::AnotherKey => {
                        Session::Served(serve(stream, &dir, reception))
                    }
                });
            }
            sessions
        });
        Self { address, ended, accepting: Some(accepting) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let accepting = self.accepting.take();
        let wake = || drop(TcpStream::connect(self.address));
        let sessions = accepting.and_then(|accepting| join_woken(accepting, wake)).unwrap_or_default();
        for session in sessions {
            let Session::Served(mut server) = session else { continue };
            // It ends its own processes with it.
            let _ = kill_process(Pid::from_child(&server), Signal::TERM);
            if !eventually(Duration::from_secs(5), || server.try_wait().is_ok_and(|ended| ended.is_some())) {
                let _ = server.kill();
                let _ = server.wait();
            }
        }
    }
}

fn serve(stream: TcpStream, dir: &Path, reception: Reception) -> Child {
    let socket = || Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
    let log = File::options().create(true).append(true).open(dir.join("sshd.log")).unwrap();
    let mut command = Command::new(SSHD);
    command.arg("-i").arg("-e").arg("-f").arg(dir.join(config_of(reception)));
    command.stdin(socket()).stdout(socket()).stderr(log).spawn().unwrap()
}

fn config_of(reception: Reception) -> &'static str {
    match reception {
        Reception::LetsIn | Reception::Silent => "sshd_config",
        Reception::WantsPassword => "sshd_config.password",
        Reception::AnotherKey => "sshd_config.another",
    }
}

fn config(dir: &Path, keys: &Path, reception: Reception) -> String {
    let (dir, keys) = (dir.display(), keys.display());
    let host_key = if reception == Reception::AnotherKey { "another" } else { "host" };
    let (authorized, password) = match reception {
        Reception::WantsPassword => ("none".to_owned(), "yes"),
        Reception::LetsIn | Reception::Silent | Reception::AnotherKey => (format!("{keys}/id_rsa.pub"), "no"),
    };
    // The home keeps the shell from reading the files of whoever runs the test.
    format!(
        "HostKey {keys}/{host_key}\nAuthorizedKeysFile {authorized}\nPasswordAuthentication {password}\n\
         KbdInteractiveAuthentication no\nPermitRootLogin yes\nStrictModes no\nUsePAM no\nPidFile none\nPrintMotd no\n\
         PrintLastLog no\nUseDNS no\nSetEnv PATH={dir}/bin:/usr/bin:/bin HOME={dir}/home\n"
    )
}

/// A key without a passphrase, at this path.
fn make_key(path: &Path) {
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path).output();
    let made =
        made.unwrap_or_else(|error| panic!("cannot start ssh-keygen ({error}): install the package openssh-client"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// The name of the user who runs the test, whom the servers let in.
pub(super) fn own_user() -> String {
    let uid = geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let own =
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|user| user.get(2) == Some(&uid.as_str()));
    own.map(|user| user[0].to_owned())
        .or_else(|| std::env::var("USER").ok())
        .unwrap_or_else(|| panic!("nobody has the uid {uid}"))
}
