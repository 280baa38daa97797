//! The TiDB servers, as they register themselves in the same etcd.

use super::pages::{RangePage, RangePages};
use super::{Etcd, end_of};
use crate::error::{Error, ErrorKind, Result};
use crate::text::on_one_line;
use crate::world::TidbServer;
use etcd_client::KeyValue;
use serde::Deserialize;

/// TiDB's servers register under this prefix, one key each; some versions keep more beneath a server's key.
const PREFIX: &str = "/tidb/server/info/";

/// What we read of TiDB's `ServerInfo`; it has more.
#[derive(Deserialize)]
struct ServerInfo {
    ip: String,
    listening_port: u16,
    #[serde(default)]
    status_port: Option<u16>,
    #[serde(default)]
    version: String,
    #[serde(default)]
    binlog_status: String,
}

/// The servers by address. A key that cannot be read is a warning and hides no other.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried.
pub(in crate::live) async fn tidbs(etcd: &Etcd) -> Result<Vec<TidbServer>> {
    let mut pages = RangePages::of(etcd, "list the TiDB servers", PREFIX, end_of(PREFIX), etcd.deadline());
    let mut servers = Vec::new();
    while let Some(page) = pages.next().await? {
        match page {
            RangePage::Keys(keys) => servers.extend(keys.iter().filter_map(|kv| server(etcd, kv))),
            RangePage::Oversized(key) => {
                let key = String::from_utf8_lossy(key.key()).into_owned();
                etcd.wire.warn(format!("the key {} has more in it than can be read", on_one_line(&key)));
            }
            RangePage::Compacted => {
                let words = "cannot list the TiDB servers: etcd compacted what was being read";
                return Err(Error::new(ErrorKind::Conflict, words).hint("try again"));
            }
        }
    }
    servers.sort_by(|a: &TidbServer, b| a.address.cmp(&b.address));
    Ok(servers)
}

fn server(etcd: &Etcd, kv: &KeyValue) -> Option<TidbServer> {
    let key = String::from_utf8_lossy(kv.key());
    TidbServer::registered(&key, kv.value()).unwrap_or_else(|error| {
        etcd.wire.warn(error.message);
        None
    })
}

impl TidbServer {
    /// The server that registered itself with `value` under `key`; `None` for what some versions keep beneath a server's key.
    ///
    /// # Errors
    /// `invalid`, naming the key, when the value is not a TiDB server's.
    pub fn registered(key: &str, value: &[u8]) -> Result<Option<Self>> {
        if key.strip_prefix(PREFIX).is_some_and(|behind| behind.contains('/')) {
            return Ok(None);
        }
        let info: ServerInfo = serde_json::from_slice(value).map_err(|error| {
            let (key, said) = (on_one_line(key), error.to_string());
            Error::invalid(format!("the key {key} is not a TiDB server's: {}", on_one_line(&said)))
        })?;
        let host = if info.ip.contains(':') { format!("[{}]", info.ip) } else { info.ip };
        let binlog_status = if info.binlog_status.is_empty() { "Unknown".into() } else { info.binlog_status };
        let address = format!("{host}:{}", info.listening_port);
        let status_address = info.status_port.filter(|port| *port != 0).map(|port| format!("{host}:{port}"));
        Ok(Some(Self { address, version: info.version, binlog_status, status_address }))
    }
}
