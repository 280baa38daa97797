//! What is around the nodes: PD, TiDB servers, and keys that are no records.

use super::unknown::{UnknownFacts, WRITES_PER_SECOND};
use crate::deployment::Deployment;
use crate::error::Result;
use crate::node::Malformed;
use crate::sim::{BinlogSpec, KeySpec, PdMemberSpec, TidbSpec};
use crate::world::{ClusterInfo, TidbServer};

/// PD's members, the leader first.
pub(super) fn members(cluster: &ClusterInfo, unknown: &mut UnknownFacts) -> Vec<PdMemberSpec> {
    let mut members = cluster.members.clone();
    members.sort_by_key(|member| Some(&member.name) != cluster.leader.as_ref());
    if let (None, Some(first)) = (&cluster.leader, members.first()) {
        unknown.say(format!("PD had no leader just then: taken as {}", first.name));
    }
    members.into_iter().map(|member| PdMemberSpec { name: member.name, url: member.client_urls.join(",") }).collect()
}

/// The TiDB servers. One that skips goes on without binlog, as it has proved.
pub(super) fn tidbs(servers: &[TidbServer], unknown: &mut UnknownFacts) -> Vec<TidbSpec> {
    let spec = |server: &TidbServer| {
        let binlog = match server.binlog_status.as_str() {
            "On" => BinlogSpec::On,
            "Off" => BinlogSpec::Off,
            "Skipping" => BinlogSpec::Skipping,
            "Unknown" => BinlogSpec::Unknown,
            other => {
                unknown
                    .say(format!("what \"{other}\" means for the binlog of TiDB {}: taken as Unknown", server.address));
                BinlogSpec::Unknown
            }
        };
        TidbSpec {
            address: server.address.clone(),
            version: server.version.clone(),
            binlog,
            ignore_error: binlog == BinlogSpec::Skipping,
            writes_per_second: WRITES_PER_SECOND,
            status_address: server.status_address.clone(),
        }
    };
    servers.iter().map(spec).collect()
}

/// What a deployment tool knows of it.
pub(super) fn deployment(known: &Result<Option<Box<Deployment>>>, unknown: &mut UnknownFacts) -> Option<Deployment> {
    match known {
        Ok(known) => known.as_deref().cloned(),
        Err(error) => {
            unknown.say(format!("what tiup knows of the cluster: taken as nothing, since {error}"));
            None
        }
    }
}

/// Keys that are no records. What was wrong with each stands in its place, which is no record either.
pub(super) fn malformed(keys: &[Malformed], unknown: &mut UnknownFacts) -> Vec<KeySpec> {
    unknown.values.extend(keys.iter().map(|malformed| malformed.key.clone()));
    keys.iter()
        .map(|malformed| KeySpec { key: malformed.key.clone().into(), value: malformed.reason.clone().into() })
        .collect()
}
