//! What stands before a port and decides what becomes of who comes there: it is passed on, sooner or later, or it is not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc as queue, oneshot, watch};
use tokio::time::{Instant, sleep_until};

/// What becomes of who comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Passage {
    /// All is passed on.
    Open,
    /// What the other side says comes so much later.
    Slow(Duration),
    /// Connections are taken, and nothing is passed on, as by a process that was stopped.
    Frozen,
    /// Nobody listens, and every connection ends.
    Refused,
}

/// A front before a port. It ends when it is dropped.
pub(crate) struct Front {
    address: SocketAddr,
    passage: watch::Sender<Passage>,
    connections: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// One before `backend`, on a port of an IP that is nobody else's, so that it can be left and taken again.
    pub(crate) fn start(ip: &str, backend: SocketAddr) -> Self {
        let (passage, connections) = (watch::Sender::new(Passage::Open), Arc::<AtomicUsize>::default());
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let (any, passages, counted) =
            (SocketAddr::new(ip.parse().unwrap(), 0), passage.subscribe(), connections.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = listen(any);
                let address = listener.local_addr().unwrap();
                tell.send(address).unwrap();
                tokio::select! {
                    () = accept(listener, address, backend, passages, counted) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { address: told.recv().unwrap(), passage, connections, stop: Some(stop), thread: Some(thread) }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on it does so, with those who are connected already as well.
    pub(crate) fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }

    /// How many connections it took.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    // Connections that ended a moment ago are no hindrance.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(1024).unwrap()
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    backend: SocketAddr,
    mut passages: watch::Receiver<Passage>,
    connections: Arc<AtomicUsize>,
) {
    let mut listening = Some(listener);
    loop {
        let refuses = *passages.borrow_and_update() == Passage::Refused;
        listening = if refuses { None } else { Some(listening.unwrap_or_else(|| listen(address))) };
        let accepted = async {
            match &listening {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = passages.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            accepted = accepted => {
                let Ok((stream, _)) = accepted else { continue };
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass(stream, backend, passages.clone()));
            }
        }
    }
}

/// Passes on what both sides say until one of them ends, or nobody is let through any more.
async fn pass(near: TcpStream, backend: SocketAddr, passages: watch::Receiver<Passage>) {
    let mut ends = passages.clone();
    let both = async {
        let mut opens = passages.clone();
        let _ = opens.wait_for(|passage| *passage != Passage::Frozen).await;
        let Ok(far) = TcpStream::connect(backend).await else { return };
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let ((near_reads, near_writes), (far_reads, far_writes)) = (near.into_split(), far.into_split());
        tokio::select! {
            () = copy(near_reads, far_writes, passages.clone(), false) => {}
            () = copy(far_reads, near_writes, passages.clone(), true) => {}
        }
    };
    tokio::select! {
        _ = ends.wait_for(|passage| *passage == Passage::Refused) => {}
        () = both => {}
    }
}

/// Copies one direction; `late` if that is the one which slowness is about.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passages: watch::Receiver<Passage>,
    late: bool,
) {
    let (put, mut taken) = queue::unbounded_channel::<(Instant, Vec<u8>)>();
    let mut reads = passages.clone();
    let read = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let _ = reads.wait_for(|passage| *passage != Passage::Frozen).await;
            let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
            let later = match *reads.borrow() {
                Passage::Slow(later) if late => later,
                Passage::Slow(_) | Passage::Open | Passage::Frozen | Passage::Refused => Duration::ZERO,
            };
            if put.send((Instant::now() + later, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    };
    let mut writes = passages;
    let write = async move {
        while let Some((when, bytes)) = taken.recv().await {
            sleep_until(when).await;
            let _ = writes.wait_for(|passage| *passage != Passage::Frozen).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, write);
}
