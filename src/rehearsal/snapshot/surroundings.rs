//! What is around the nodes: PD, TiDB servers, and keys that are no records.

use super::observe::Observed;
use super::unknown::{UnknownFacts, WRITES_PER_SECOND};
use crate::deployment::Deployment;
use crate::error::Result;
use crate::node::Malformed;
use crate::sim::{BinlogSpec, ChangefeedSpec, KeySpec, PdMemberSpec, ServiceSpec, Span, TidbSpec, TikvSpec};
use crate::text::on_one_line;
use crate::tso::Tso;
use crate::world::{Changefeed, ClusterInfo, ServiceSafePoint, TidbServer};
use std::time::Duration;

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

/// Who holds TiKV's garbage collection back, and TiCDC.
pub(super) fn tikv(observed: &Observed, unknown: &mut UnknownFacts) -> TikvSpec {
    let span = |ms: i64| Span(Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    let behind = |ts: Tso| span(observed.age_ms(ts));
    let mut spec = TikvSpec::default();
    match &observed.gc {
        Ok(found) => {
            // TiDB's own and TiCDC's are the simulator's.
            let is_others = |one: &&ServiceSafePoint| {
                one.service.as_str() != "gc_worker" && !one.service.starts_with("ticdc-") && one.expired != Some(true)
            };
            let service = |one: &ServiceSafePoint| ServiceSpec {
                service: one.service.clone(),
                behind: behind(one.safe_point),
                ttl: one.expires_ms.map(|ms| span(ms - observed.now.physical_ms())),
            };
            spec.services = found.services.iter().filter(is_others).map(service).collect();
            found.unread.iter().for_each(|what| unknown.say(format!("of TiKV's garbage collection: {what}")));
        }
        Err(error) => unknown.say(format!("who holds TiKV's garbage collection back: taken as nobody, since {error}")),
    }
    match &observed.changefeeds {
        Ok(found) => {
            spec.servers = found.captures.iter().filter_map(|capture| capture.address.clone()).collect();
            let lasting =
                found.changefeeds.iter().filter(|feed| !matches!(feed.state.as_str(), "finished" | "removed"));
            spec.changefeeds = lasting.map(|feed| changefeed(feed, &behind, unknown)).collect();
        }
        Err(error) => unknown.say(format!("which changefeeds there are: taken as none, since {error}")),
    }
    spec
}

/// A changefeed in one of the states that the simulator has.
fn changefeed(feed: &Changefeed, behind: &dyn Fn(Tso) -> Span, unknown: &mut UnknownFacts) -> ChangefeedSpec {
    let state = match feed.state.as_str() {
        known @ ("normal" | "stopped" | "failed") => known,
        other => {
            unknown.say(format!("what becomes of the {feed}, which is {}: taken as normal", on_one_line(other)));
            "normal"
        }
    };
    let checkpoint = feed.checkpoint_ts.or(feed.start_ts);
    ChangefeedSpec {
        id: feed.id.clone(),
        sink: feed.sink.clone(),
        state: state.to_owned(),
        behind: checkpoint.map_or_else(Span::zero, behind),
    }
}

/// Keys that are no records. What was wrong with each stands in its place, which is no record either.
pub(super) fn malformed(keys: &[Malformed], unknown: &mut UnknownFacts) -> Vec<KeySpec> {
    unknown.values.extend(keys.iter().map(|malformed| malformed.key.clone()));
    keys.iter()
        .map(|malformed| KeySpec { key: malformed.key.clone().into(), value: malformed.reason.clone().into() })
        .collect()
}
