//! `doctor` on two hundred nodes behind sockets: with all answering, and with ten that are silent.

use crate::process::ours;
use crate::row::{Row, median};
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::record;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const OF_EACH_KIND: usize = 100;
const SILENT: usize = 10;
const RUNS: usize = 7;
/// How long a probe waits for an answer.
const PROBE_DEADLINE_MS: f64 = 1_000.0;

/// Two hundred nodes, PD's double and a real etcd with their records.
pub(crate) struct Nodes {
    etcd: Etcd,
    pd: PdDouble,
    records: Vec<(String, String)>,
}

impl Nodes {
    /// Of which so many Pumps take connections and say nothing.
    pub(crate) fn start(silent: usize) -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let positions: serde_json::Map<_, _> =
            (0..OF_EACH_KIND).map(|at| (format!("pump-{at:03}"), json!(pd.now()))).collect();
        let status = json!({ "PumpPos": positions, "Synced": false, "LastTS": pd.now(), "TsMap": "" }).to_string();
        let status: Arc<str> = status.into();
        let metrics: Arc<str> = metrics().into();
        let mut records = Vec::new();
        for at in 0..OF_EACH_KIND {
            for kind in ["pump", "drainer"] {
                let id = format!("{kind}-{at:03}");
                let is_silent = kind == "pump" && at < silent;
                let address = serve(is_silent, status.clone(), metrics.clone());
                // A minute ahead, so that nobody is behind while this runs.
                let ts = pd.now() + (60_000 << 18);
                let record = record(&id, &address, "online", ts, ts);
                records.push((format!("/tidb-binlog/v1/{kind}s/{id}"), record));
            }
        }
        etcd.kv().put_all(&records);
        Self { etcd, pd, records }
    }

    pub(crate) fn url(&self) -> String {
        self.pd.url()
    }

    /// Writes the records again, one after the other, each every two seconds, until it is told to end.
    pub(crate) fn beat_until(&self, is_over: &AtomicBool) {
        let mut kv = self.etcd.kv();
        let pause = Duration::from_secs(2) / u32::try_from(self.records.len()).unwrap();
        let begin = Instant::now();
        for (at, (key, record)) in (1..).zip(self.records.iter().cycle()) {
            if is_over.load(Ordering::SeqCst) {
                return;
            }
            kv.put(key, record.as_str());
            std::thread::sleep((pause * at).saturating_sub(begin.elapsed()));
        }
    }

    /// Milliseconds of the whole process, which ends with exit code `code`.
    fn doctor(&self, code: i32) -> f64 {
        let mut command: Command = ours();
        command.args(["--pd-urls", &self.pd.url(), "--output", "json", "doctor", "--observe", "0"]);
        let begin = Instant::now();
        let ran = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        let took = begin.elapsed().as_secs_f64() * 1000.0;
        assert_eq!(ran.status.code(), Some(code), "{}", String::from_utf8_lossy(&ran.stderr));
        let found: Vec<serde_json::Value> = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(found.len(), if code == 0 { 0 } else { SILENT }, "{found:#?}");
        took
    }

    fn median(&self, code: i32) -> f64 {
        self.doctor(code);
        median((0..RUNS).map(|_| self.doctor(code)).collect())
    }
}

/// A node's `/metrics`, as long as a real one's.
fn metrics() -> String {
    let mut text = String::from(
        "process_start_time_seconds 1.7e9\nbinlog_pump_storage_gc_ts 1.7e12\n\
         binlog_pump_storage_storage_size_bytes{type=\"available\"} 4.3e11\n",
    );
    for at in 0..400 {
        text += &format!("binlog_some_duration_seconds_bucket{{label=\"some\",le=\"{at}\"}} {at}\n");
    }
    text
}

/// A node on a port of its own: a thread that takes one request after the other, until this process ends.
fn serve(is_silent: bool, status: Arc<str>, metrics: Arc<str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let probe = json!({ "message": "invalid action probe", "code": 3, "data": null }).to_string();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            match is_silent {
                true => kept.push(stream),
                // Whoever asked may have gone: that is no concern of a double.
                false => drop(answer(stream, &probe, &status, &metrics)),
            }
        }
    });
    address
}

fn answer(mut stream: TcpStream, probe: &str, status: &str, metrics: &str) -> std::io::Result<()> {
    let (mut head, mut length) = ([0; 4096], 0);
    while !head[..length].ends_with(b"\r\n\r\n") && length < head.len() {
        match stream.read(&mut head[length..])? {
            0 => return Ok(()),
            more => length += more,
        }
    }
    let body = match &head[..length] {
        head if head.starts_with(b"GET /metrics") => metrics,
        head if head.starts_with(b"GET /status") => status,
        _ => probe,
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes())
}

pub(crate) fn doctor_200() -> Row {
    let ms = Nodes::start(0).median(0);
    Row::time("doctor_200", "ms", ms).at_most(1_000.0)
}

/// A probe's deadline, and 200 ms for everything else.
pub(crate) fn doctor_200_silent() -> Row {
    let ms = Nodes::start(SILENT).median(2);
    Row::time_beyond("doctor_200_silent", "ms", ms, PROBE_DEADLINE_MS).at_most(200.0)
}
