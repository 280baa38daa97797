//! Two hundred texts that somebody wrote to do harm, wherever the cluster or a file can hold a text: no output is driven by one, no
//! line or column forged, and what is for programs gives each back as it is.
//!
//! Every fifth of them is tried, and of these some where each costs a process or keystrokes; under `BINLOGSH_SOAK` all.

mod completed;
mod kept;
mod shown;
mod typed;
mod values;

use crate::harness::Shell;
use crate::support::etcd::Etcd;
use crate::support::http_double::{HttpDouble, HttpRequest, Reply};
use crate::support::pd_double::PdDouble;
use crate::support::{free_port, is_soak, record};
use binlogsh::node::Kind;
use std::sync::Arc;
use values::values;

/// All of them, or so many in `make test`: the first of each part.
fn some<T>(all: Vec<T>, count: usize) -> Vec<T> {
    let step = if is_soak() { 1 } else { all.len().div_ceil(count) };
    all.into_iter().step_by(step).collect()
}

/// The id that has the text `at` in it, and is told from all others by how it begins. What has a slash is nobody's id.
fn id(at: usize, value: &str) -> String {
    format!("v{at:03}{}", value.replace('/', "|"))
}

/// PD before a real etcd in which every Pump has a hostile id, and every Drainer the same text for its address, its state, its label
/// and what its port says.
struct HostileCluster {
    pd: PdDouble,
    _node: HttpDouble,
    _etcd: Etcd,
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// What stands between the quotes.
fn inside(json: &str) -> &str {
    &json[1..json.len() - 1]
}

impl HostileCluster {
    fn new() -> Self {
        let all = Arc::new(values());
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let words = Arc::clone(&all);
        let node = HttpDouble::start(move |request| says(&words, request));
        let words_at = node.address();
        let nobody = format!("127.0.0.1:{}", free_port());
        let (mut kv, now) = (etcd.kv(), pd.now());
        for (at, value) in all.iter().enumerate() {
            let own = id(at, value);
            kv.put(&format!("{}{own}", Kind::Pump.prefix()), record(inside(&json(&own)), &nobody, "online", now, now));
            let host = json(if at % 2 == 0 { value } else { &words_at });
            let value = json(value);
            let labels = format!("{{\"labels\":{{{value}:{value}}}}}");
            let drainer = format!(
                "{{\"nodeId\":\"d{at:03}\",\"host\":{host},\"state\":{value},\"label\":{labels},\"maxCommitTS\":{now},\"updateTS\":{now}}}"
            );
            kv.put(&format!("{}d{at:03}", Kind::Drainer.prefix()), drainer);
        }
        Self { pd, _node: node, _etcd: etcd }
    }

    fn shell(&self) -> Shell {
        Shell::live(&self.pd.url()).yes()
    }
}

/// What a node's port answers: a text from the list that its path names, or the first one.
fn says(all: &[String], request: &HttpRequest) -> Reply {
    let named = request.path.split('/').find_map(|part| part.strip_prefix('d')?.get(..3)?.parse::<usize>().ok());
    let value = all.get(named.unwrap_or(0)).map_or("", String::as_str);
    match request.path.as_str() {
        "/metrics" => Reply::ok(format!("# {value}\n")),
        "/status" => Reply::ok(json(value)),
        _ => Reply::verdict(1, value),
    }
}

/// Whether a terminal, a spreadsheet or an eye takes it for something else, or for nothing. Written down here, and not asked of the program.
fn deceives(letter: char) -> bool {
    let is_unseen = matches!(
        u32::from(letter),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164
            | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff
    );
    is_unseen || letter.is_control() && !matches!(letter, '\n' | '\t')
}

/// Nothing in it is unseen or moves the cursor, but the ends of lines.
#[track_caller]
fn is_clean(what: &str, text: &str) {
    let bad = text.char_indices().find(|(_, c)| deceives(*c));
    if let Some((at, bad)) = bad {
        let near: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what}: {bad:?} behind {near:?}");
    }
}
