//! A server that goes as far as it is told, and then does what no server should.

use crate::support::certs::Certs;
use crate::support::join_woken;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// One thing that it does with a connection.
#[derive(Clone)]
pub(super) enum Step {
    /// Waits for something to come, and takes it.
    Hear,
    /// Makes TLS, whole; offers this protocol.
    Handshake(Option<&'static [u8]>),
    /// Answers TLS's greeting with the first so many bytes of what belongs there.
    Greet(usize),
    Say(Vec<u8>),
    /// Says it a byte at a time, and that again and again.
    Trickle(Vec<u8>),
    /// Says it again and again, as fast as it is taken.
    Flood(Vec<u8>),
    /// Says nothing more, and does not hang up.
    Silence,
    /// Ends the connection with what came unread, so that the system resets it.
    Reset,
}

/// What it does with each connection; at the end it hangs up.
#[derive(Clone)]
pub(super) struct Behaviour {
    pub(super) name: &'static str,
    /// Whether it is asked over TLS.
    pub(super) tls: bool,
    pub(super) steps: Vec<Step>,
}

/// A behaviour in plain text.
pub(super) fn plain(name: &'static str, steps: &[Step]) -> Behaviour {
    Behaviour { name, tls: false, steps: steps.to_vec() }
}

/// A behaviour that is asked over TLS.
pub(super) fn secret(name: &'static str, steps: &[Step]) -> Behaviour {
    Behaviour { name, tls: true, steps: steps.to_vec() }
}

/// Bytes that are said.
pub(super) fn say(text: impl AsRef<[u8]>) -> Step {
    Step::Say(text.as_ref().to_vec())
}

/// A server that behaves so. It ends when it is dropped.
pub(super) struct Hostile {
    address: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    steps: Vec<Step>,
    configs: [Arc<ServerConfig>; 2],
    ended: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Hostile {
    pub(super) fn start(behaviour: &Behaviour, certs: &Certs) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            steps: behaviour.steps.clone(),
            configs: [certs.server(false, &[]), certs.server(false, &[b"h2"])],
            ended: AtomicBool::new(false),
            streams: Mutex::default(),
        });
        let own = shared.clone();
        let thread = std::thread::spawn(move || {
            let mut served = Vec::new();
            for stream in listener.incoming() {
                if own.ended.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), own) = (stream, own.clone()) else { continue };
                own.streams.lock().unwrap().push(stream.try_clone().unwrap());
                served.push(std::thread::spawn(move || {
                    let _ = stream.set_nodelay(true);
                    // Whoever asked may have gone: that ends it as well.
                    let _ = own.serve(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                }));
            }
            served.into_iter().for_each(|served| served.join().unwrap());
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// `127.0.0.1:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let wake = || {
            drop(TcpStream::connect(&self.address));
            self.shared.streams.lock().unwrap().iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        };
        if let Some(thread) = self.thread.take() {
            join_woken(thread, wake).unwrap();
        }
    }
}

impl Shared {
    fn serve(&self, tcp: &TcpStream) -> std::io::Result<()> {
        let mut stream: Box<dyn Stream + '_> = Box::new(tcp);
        let mut buffer = [0; 16 << 10];
        for step in &self.steps {
            match step {
                Step::Hear => {
                    let _ = stream.read(&mut buffer)?;
                }
                Step::Handshake(protocol) => {
                    let config = self.configs[usize::from(protocol.is_some())].clone();
                    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
                    while tls.conn.is_handshaking() {
                        tls.conn.complete_io(&mut tls.sock)?;
                    }
                    stream = Box::new(tls);
                }
                Step::Greet(size) => {
                    let mut connection = ServerConnection::new(self.configs[1].clone()).unwrap();
                    connection.read_tls(&mut &*tcp)?;
                    drop(connection.process_new_packets());
                    let mut flight = Vec::new();
                    connection.write_tls(&mut flight)?;
                    flight.truncate(*size);
                    stream.write_all(&flight)?;
                }
                Step::Say(bytes) => stream.write_all(bytes).and_then(|()| stream.flush())?,
                Step::Trickle(bytes) => loop {
                    for byte in bytes {
                        stream.write_all(&[*byte])?;
                        stream.flush()?;
                        std::thread::sleep(Duration::from_millis(50));
                    }
                },
                Step::Flood(bytes) => {
                    let many = bytes.repeat((16 << 10) / bytes.len() + 1);
                    loop {
                        stream.write_all(&many)?;
                    }
                }
                Step::Silence => {
                    while tcp.peek(&mut buffer)? > 0 {
                        // What comes is taken, so that whoever speaks is not stopped by a full window.
                        let _ = (&mut &*tcp).read(&mut buffer)?;
                    }
                }
                Step::Reset => {
                    tcp.peek(&mut buffer)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
