//! A real etcd process, or several that form a cluster.

use super::{eventually, free_port};
use etcd_client::{
    AlarmAction, AlarmOptions, AlarmType, Client, Compare, CompareOp, ConnectOptions, DeleteOptions, GetOptions,
    PutOptions, Txn, TxnOp,
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// How long etcd may take until it is there.
const READY: Duration = Duration::from_secs(20);

/// A running etcd. It is killed when this is dropped.
pub(crate) struct Etcd {
    child: Mutex<Child>,
    port: u16,
    dir: TempDir,
    args: Vec<String>,
}

/// The ports of one member.
struct Ports {
    client: u16,
    peer: u16,
}

impl Etcd {
    /// Starts one etcd and waits until it answers.
    pub(crate) fn start() -> Self {
        Self::cluster(1).remove(0)
    }

    /// Starts `size` members of one cluster and waits until each answers.
    pub(crate) fn cluster(size: usize) -> Vec<Self> {
        Self::cluster_with(size, &[])
    }

    /// Starts one etcd whose database may become so large.
    pub(crate) fn with_quota(bytes: usize) -> Self {
        Self::cluster_with(1, &["--quota-backend-bytes", &bytes.to_string()]).remove(0)
    }

    /// Starts one etcd that takes requests of so many bytes.
    pub(crate) fn with_large_requests(bytes: usize) -> Self {
        Self::cluster_with(1, &["--max-request-bytes", &bytes.to_string()]).remove(0)
    }

    fn cluster_with(size: usize, options: &[&str]) -> Vec<Self> {
        for _ in 0..5 {
            // A port that another process took meanwhile makes etcd exit at once: try others.
            let ports: Vec<_> = (0..size).map(|_| Ports { client: free_port(), peer: free_port() }).collect();
            let members: Vec<_> = (0..size).map(|at| Self::spawn(&ports, at, options)).collect();
            if members.iter().all(Self::is_ready) {
                return members;
            }
        }
        panic!("etcd does not start: is it installed?");
    }

    fn spawn(ports: &[Ports], at: usize, options: &[&str]) -> Self {
        // Memory, where there is some: nothing here must survive.
        let dir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        let cluster: Vec<_> =
            ports.iter().enumerate().map(|(at, p)| format!("m{at}=http://127.0.0.1:{}", p.peer)).collect();
        let client = format!("http://127.0.0.1:{}", ports[at].client);
        let peer = format!("http://127.0.0.1:{}", ports[at].peer);
        // One alone need not wait for others before it leads.
        let (heartbeat, election) = if ports.len() == 1 { ("10", "50") } else { ("100", "1000") };
        let data = dir.path().join("data").display().to_string();
        let (name, cluster) = (format!("m{at}"), cluster.join(","));
        let args = [
            ("--heartbeat-interval", heartbeat),
            ("--election-timeout", election),
            ("--name", &name),
            ("--logger", "zap"),
            ("--log-outputs", "stderr"),
            ("--log-level", "error"),
            ("--data-dir", &data),
            ("--listen-client-urls", &client),
            ("--advertise-client-urls", &client),
            ("--listen-peer-urls", &peer),
            ("--initial-advertise-peer-urls", &peer),
            ("--initial-cluster", &cluster),
            ("--initial-cluster-state", "new"),
        ];
        let args = args.into_iter().flat_map(|(name, value)| [name, value]).chain(options.iter().copied());
        let args: Vec<String> = args.map(str::to_owned).collect();
        Self { child: Mutex::new(process(&args, &dir)), port: ports[at].client, dir, args }
    }

    /// Ends it as SIGKILL does, starts it again with what it had on its disk, and waits until it answers.
    pub(crate) fn restart(&self) {
        self.kill();
        *self.child.lock().unwrap() = process(&self.args, &self.dir);
        assert!(self.is_ready(), "etcd does not start again");
    }

    /// Waits until it says that it is healthy; false if it exited.
    fn is_ready(&self) -> bool {
        let mut exited = false;
        let ready = eventually(READY, || {
            exited = self.child.lock().unwrap().try_wait().unwrap().is_some();
            exited || self.is_healthy()
        });
        assert!(ready, "etcd is not ready: {}", std::fs::read_to_string(self.dir.path().join("log")).unwrap());
        !exited
    }

    /// Whether it answers and has a leader.
    pub(crate) fn is_healthy(&self) -> bool {
        self.page("/health").is_some_and(|page| page.contains(r#""true""#))
    }

    /// Whether it says that it leads its cluster.
    pub(crate) fn is_leader(&self) -> bool {
        self.page("/metrics").is_some_and(|page| page.contains("\netcd_server_is_leader 1\n"))
    }

    /// What it answers to `GET path`.
    fn page(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process, and where it keeps its data: for who outlives whoever started it.
    pub(crate) fn left_behind(&self) -> (u32, PathBuf) {
        (self.child.lock().unwrap().id(), self.dir.path().to_owned())
    }

    /// Ends it, as SIGKILL does.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Freezes it: its port accepts connections and nothing answers.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn cont(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.lock().unwrap()), signal).unwrap();
    }

    /// A client of its own, to look from outside.
    pub(crate) fn kv(&self) -> Kv {
        Kv::new(&self.url())
    }
}

fn process(args: &[String], dir: &TempDir) -> Child {
    let log = File::create(dir.path().join("log")).unwrap();
    let etcd =
        Command::new("etcd").args(args).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    etcd.unwrap_or_else(|error| panic!("cannot start etcd ({error}): install the package etcd-server"))
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A plain blocking client of etcd.
pub(crate) struct Kv {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Kv {
    /// A client of the etcd at `url`.
    pub(crate) fn new(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = ConnectOptions::new().with_timeout(Duration::from_secs(10));
        let client = runtime.block_on(Client::connect([url], Some(options))).unwrap();
        Self { runtime, client }
    }

    /// Writes a key and returns the revision.
    pub(crate) fn put(&mut self, key: &(impl AsRef<[u8]> + ?Sized), value: impl Into<Vec<u8>>) -> i64 {
        let put = self.client.put(key.as_ref(), value, None::<PutOptions>);
        self.runtime.block_on(put).unwrap().header().unwrap().revision()
    }

    /// Writes a key, unless etcd says no just now. It may have been written all the same.
    pub(crate) fn try_put(&mut self, key: &str, value: impl Into<Vec<u8>>) -> bool {
        self.runtime.block_on(self.client.put(key, value, None::<PutOptions>)).is_ok()
    }

    /// Writes many keys, a hundred per transaction.
    pub(crate) fn put_all(&mut self, pairs: &[(String, String)]) {
        for some in pairs.chunks(100) {
            let puts: Vec<_> = some.iter().map(|(key, value)| TxnOp::put(key.as_str(), value.as_str(), None)).collect();
            self.runtime.block_on(self.client.txn(Txn::new().and_then(puts))).unwrap();
        }
    }

    /// How many leases there are.
    pub(crate) fn leases(&mut self) -> usize {
        self.runtime.block_on(self.client.leases()).unwrap().leases().len()
    }

    /// The value of a key and the revision of its last write.
    pub(crate) fn get(&mut self, key: &str) -> Option<(String, i64)> {
        let answer = self.runtime.block_on(self.client.get(key, None)).unwrap();
        answer.kvs().first().map(|kv| (kv.value_str().unwrap().to_owned(), kv.mod_revision()))
    }

    /// Every key beneath `prefix` with its value and the revision of its last write.
    pub(crate) fn range(&mut self, prefix: &str) -> Vec<(String, Vec<u8>, i64)> {
        let answer = self.runtime.block_on(self.client.get(prefix, Some(GetOptions::new().with_prefix()))).unwrap();
        let pair = |kv: &etcd_client::KeyValue| {
            (String::from_utf8_lossy(kv.key()).into_owned(), kv.value().to_vec(), kv.mod_revision())
        };
        answer.kvs().iter().map(pair).collect()
    }

    /// Every key beneath `prefix`, byte for byte.
    pub(crate) fn keys(&mut self, prefix: &str) -> Vec<Vec<u8>> {
        let options = GetOptions::new().with_prefix().with_keys_only();
        let answer = self.runtime.block_on(self.client.get(prefix, Some(options))).unwrap();
        answer.kvs().iter().map(|kv| kv.key().to_vec()).collect()
    }

    /// Writes a key if its last write was at `seen` (0: if it is not there), and returns the revision.
    pub(crate) fn put_if(&mut self, key: &str, value: Vec<u8>, seen: i64) -> Option<i64> {
        let as_seen = Compare::mod_revision(key, CompareOp::Equal, seen);
        let txn = Txn::new().when([as_seen]).and_then([TxnOp::put(key, value, None)]);
        let answer = self.runtime.block_on(self.client.txn(txn)).unwrap();
        answer.succeeded().then(|| answer.header().unwrap().revision())
    }

    /// Creates a key if it is not there; returns its create revision.
    pub(crate) fn create(&mut self, key: &str, value: &str) -> i64 {
        let absent = Compare::create_revision(key, CompareOp::Equal, 0);
        let txn = Txn::new().when([absent]).and_then([TxnOp::put(key, value, None)]);
        self.runtime.block_on(self.client.txn(txn)).unwrap().header().unwrap().revision()
    }

    /// Writes a key on a lease of its own that nobody keeps alive; returns the revision.
    pub(crate) fn put_on_lease(&mut self, key: &str, value: &str, ttl: i64) -> i64 {
        let lease = self.runtime.block_on(self.client.lease_grant(ttl, None)).unwrap().id();
        let put = self.client.put(key, value, Some(PutOptions::new().with_lease(lease)));
        self.runtime.block_on(put).unwrap().header().unwrap().revision()
    }

    /// Ends the lease of a key, as its server or its holder would.
    pub(crate) fn revoke_lease_of(&mut self, key: &str) {
        let lease = self.runtime.block_on(self.client.get(key, None)).unwrap().kvs()[0].lease();
        self.runtime.block_on(self.client.lease_revoke(lease)).unwrap();
    }

    /// Writes until etcd says that it is full.
    pub(crate) fn fill(&mut self) {
        let full = (0..1000).any(|at| {
            let put = self.client.put(format!("/filler/{at}"), vec![b'x'; 64 << 10], None::<PutOptions>);
            self.runtime.block_on(put).is_err_and(|error| error.to_string().contains("space exceeded"))
        });
        assert!(full, "it takes everything");
    }

    /// This member raises an alarm.
    pub(crate) fn raise(&mut self, alarm: AlarmType) {
        let mut options = AlarmOptions::new();
        options.with_member(self.member_id());
        self.runtime.block_on(self.client.alarm(AlarmAction::Activate, alarm, Some(options))).unwrap();
    }

    /// etcd's id of this member.
    pub(crate) fn member_id(&mut self) -> u64 {
        self.runtime.block_on(self.client.status()).unwrap().header().unwrap().member_id()
    }

    /// From now on etcd serves only those who have a password.
    pub(crate) fn ask_for_passwords(&mut self) {
        self.runtime.block_on(async {
            self.client.user_add("root", "secret", None).await.unwrap();
            self.client.user_grant_role("root", "root").await.unwrap();
            self.client.auth_enable().await.unwrap();
        });
    }

    /// How often a key was written since it was created.
    pub(crate) fn version_of(&mut self, key: &str) -> i64 {
        self.runtime.block_on(self.client.get(key, None)).unwrap().kvs()[0].version()
    }

    /// Whether this member leads.
    pub(crate) fn leads(&mut self) -> bool {
        let status = self.runtime.block_on(self.client.status()).unwrap();
        status.header().unwrap().member_id() == status.leader()
    }

    /// This member, which leads, hands that over to another one.
    pub(crate) fn hand_over(&mut self) {
        let own = self.runtime.block_on(self.client.status()).unwrap().leader();
        let members = self.runtime.block_on(self.client.member_list()).unwrap();
        let other = members.members().iter().map(|member| member.id()).find(|id| *id != own).unwrap();
        self.runtime.block_on(self.client.move_leader(other)).unwrap();
    }

    /// Deletes a key, and says whether it was there.
    pub(crate) fn delete(&mut self, key: &str) -> bool {
        self.runtime.block_on(self.client.delete(key, None::<DeleteOptions>)).unwrap().deleted() > 0
    }

    /// Forgets the history before `revision`.
    pub(crate) fn compact(&mut self, revision: i64) {
        self.runtime.block_on(self.client.compact(revision, None)).unwrap();
    }
}
