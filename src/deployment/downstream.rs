//! Where a Drainer writes to, by the settings that tiup gives it: its own, and those of all Drainers.

use super::yaml::YamlPlace;
use crate::downstream::{Downstream, DownstreamKind};

/// The downstream of the Drainer at `server`; `None` where its settings do not say all of it, or say it in a way that tiup does not
/// write. Nothing in them makes the file unreadable.
pub(super) fn of_drainer(server: &YamlPlace<'_>, topology: &YamlPlace<'_>) -> Option<Downstream> {
    let own = server.get("config").ok()?;
    let all = topology.get("server_configs").and_then(|configs| configs.get("drainer")).ok()?;
    let said = |way: &[&str]| Some(setting(&own, way)?.or(setting(&all, way)?));
    let db_type = said(&["syncer", "db-type"])?.unwrap_or("mysql");
    let downstream = |kind, hosts, database| Some(Downstream { kind, hosts, database });
    match db_type {
        "mysql" | "tidb" => {
            let host = said(&["syncer", "to", "host"])??;
            let port = said(&["syncer", "to", "port"])??.parse().ok()?;
            let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
            downstream(DownstreamKind::Database, vec![(bare.to_owned(), port)], None)
        }
        "kafka" => {
            let brokers = said(&["syncer", "to", "kafka-addrs"])??;
            let hosts = brokers.split(',').map(|broker| broker.trim().rsplit_once(':'));
            let hosts = hosts.map(|place| place.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?))));
            let topic = said(&["syncer", "to", "topic-name"])?.map(str::to_owned);
            downstream(DownstreamKind::Kafka, hosts.collect::<Option<_>>()?, topic)
        }
        "file" => downstream(DownstreamKind::Files, Vec::new(), None),
        "oracle" => downstream(DownstreamKind::Oracle, Vec::new(), None),
        _ => None,
    }
}

/// The text that stands that way in `config`, whose names may be joined by dots as tiup takes them; `None` where something else
/// stands there.
fn setting<'a>(config: &YamlPlace<'a>, way: &[&str]) -> Option<Option<&'a str>> {
    for length in (1..=way.len()).rev() {
        let found = config.get(&way[..length].join(".")).ok()?;
        if !found.is_there() {
            continue;
        }
        return match length == way.len() {
            true => found.text().ok(),
            false => setting(&found, &way[length..]),
        };
    }
    Some(None)
}
