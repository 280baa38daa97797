//! SOCKS5 proxies: a real one, and some that fail in the ways there are.

use super::{eventually, free_port, join_woken};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// What gives `microsocks` a name server of its own, which is a file.
const NSS_WRAPPER: &str = "libnss_wrapper.so";

/// A running `microsocks`. It is killed when this is dropped.
pub(crate) struct Proxy {
    child: Child,
    port: u16,
    login: Option<(String, String)>,
    /// Holds the names that it knows.
    _dir: TempDir,
}

impl Proxy {
    /// One that everybody may use, and that knows where these names are (IP and name).
    pub(crate) fn start(hosts: &[(String, String)]) -> Self {
        Self::start_for(None, hosts)
    }

    /// The same, for this user and password alone.
    pub(crate) fn start_for(login: Option<(&str, &str)>, hosts: &[(String, String)]) -> Self {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("hosts");
        let lines: String = hosts.iter().map(|(ip, name)| format!("{ip} {name}\n")).collect();
        std::fs::write(&file, lines).unwrap();
        for _ in 0..5 {
            let port = free_port();
            let mut command = Command::new("microsocks");
            command.args(["-i", "127.0.0.1", "-p", &port.to_string()]).env("NSS_WRAPPER_HOSTS", &file);
            command.env("LD_PRELOAD", NSS_WRAPPER).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some((user, password)) = login {
                command.args(["-u", user, "-P", password]);
            }
            let Ok(mut child) = command.spawn() else { panic!("microsocks does not start: is it installed?") };
            let is_there = || TcpStream::connect(("127.0.0.1", port)).is_ok();
            let ready = eventually(Duration::from_secs(10), || is_there() || child.try_wait().unwrap().is_some());
            if ready && child.try_wait().unwrap().is_none() {
                let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
                return Self { child, port, login, _dir: dir };
            }
        }
        panic!("microsocks finds no port");
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How it is given to the program.
    pub(crate) fn url(&self) -> String {
        let login = self.login.as_ref().map(|(user, password)| format!("{user}:{password}@")).unwrap_or_default();
        format!("socks5://{login}{}", self.address())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a false proxy does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Falsehood {
    /// Says nothing.
    Silent,
    /// Reads so many bytes and ends the connection, with a reset if something is left unread.
    Ends(usize),
    /// Says these pieces, each once something more was read.
    Says(Vec<Vec<u8>>),
}

/// A false proxy. It ends when it is dropped.
pub(crate) struct FalseProxy {
    address: SocketAddr,
    shared: Arc<FalseShared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct FalseShared {
    stopped: AtomicBool,
    connections: AtomicUsize,
    /// Those that hear nothing, kept open.
    kept: Mutex<Vec<TcpStream>>,
}

impl FalseProxy {
    /// One that does just this with whoever comes.
    pub(crate) fn start(falsehood: Falsehood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::<FalseShared>::default());
        let inside = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if inside.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), falsehood, inside) = (stream, falsehood.clone(), inside.clone()) else { continue };
                inside.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || inside.deceive(stream, falsehood));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// How it is given to the program.
    pub(crate) fn url(&self) -> String {
        format!("socks5://{}", self.address)
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl FalseShared {
    fn deceive(&self, mut stream: TcpStream, falsehood: Falsehood) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        match falsehood {
            Falsehood::Silent => self.kept.lock().unwrap().push(stream),
            Falsehood::Ends(bytes) => drop(stream.read_exact(&mut vec![0; bytes])),
            Falsehood::Says(pieces) => {
                for piece in pieces {
                    let mut heard = [0; 512];
                    if !stream.read(&mut heard).is_ok_and(|read| read > 0) || stream.write_all(&piece).is_err() {
                        return;
                    }
                }
                // Whoever hears it ends it.
                while stream.read(&mut [0; 512]).is_ok_and(|read| read > 0) {}
            }
        }
    }
}

impl Drop for FalseProxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.kept.lock().unwrap().clear();
        if let Some(thread) = self.thread.take() {
            join_woken(thread, || drop(TcpStream::connect(self.address)));
        }
    }
}
