//! The socket on which the programs of a fleet talk to the test: a call is a list of words, the answer is lines.

use crate::support::join_woken;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The test's end of it. With it end all connections, and so all programs.
pub(super) struct ControlSocket {
    address: SocketAddr,
    shared: Arc<OpenCalls>,
    accepting: Option<JoinHandle<()>>,
}

/// The connections that are open.
#[derive(Default)]
struct OpenCalls {
    ended: AtomicBool,
    number: AtomicUsize,
    streams: Mutex<BTreeMap<usize, TcpStream>>,
}

/// A call that is answered. Its caller reads until this ends, be it in a panic.
struct Call {
    number: usize,
    open: Arc<OpenCalls>,
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(stream) = self.open.all().remove(&self.number) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl OpenCalls {
    fn all(&self) -> MutexGuard<'_, BTreeMap<usize, TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ControlSocket {
    /// Hands each call to `answer`, on a thread of its own.
    pub(super) fn start(answer: impl Fn(&[String], TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::<OpenCalls>::default());
        let (open, answer) = (shared.clone(), Arc::new(answer));
        let accept = move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if open.ended.load(Ordering::SeqCst) {
                    return;
                }
                let number = open.number.fetch_add(1, Ordering::SeqCst);
                open.all().insert(number, stream.try_clone().unwrap());
                let (answer, open) = (answer.clone(), open.clone());
                std::thread::spawn(move || {
                    let _ends = Call { number, open };
                    if let Some(words) = words(&stream) {
                        answer(&words, stream);
                    }
                });
            }
        };
        Self { address, shared, accepting: Some(std::thread::spawn(accept)) }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(accepting) = self.accepting.take() {
            join_woken(accepting, || drop(TcpStream::connect(self.address)));
        }
        for stream in self.shared.all().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// The words of a call: how many there are, then each, with a NUL after each.
fn words(stream: &TcpStream) -> Option<Vec<String>> {
    let mut input = BufReader::new(stream);
    let mut word = || {
        let mut bytes = Vec::new();
        let size = input.read_until(0, &mut bytes).ok().filter(|size| *size > 0)?;
        bytes.truncate(size - 1);
        String::from_utf8(bytes).ok()
    };
    let count: usize = word()?.parse().ok()?;
    (0..count).map(|_| word()).collect()
}

/// Calls the test from one of its programs.
pub(super) fn call(control: SocketAddr, words: &[&str]) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(control)?;
    let mut text = format!("{}\0", words.len());
    for word in words {
        text += word;
        text.push('\0');
    }
    stream.write_all(text.as_bytes())?;
    Ok(stream)
}
