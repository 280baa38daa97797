//! How fast the model goes: a cluster in which something happens all the time.

use super::clock::{Micros, SECOND};
use super::cluster::Cluster;
use super::scenario::Scenario;
use crate::error::Result;
use crate::node::Kind;
use crate::world::Action;

/// How many Pumps it has.
const PUMPS: usize = 64;

/// Runs 64 Pumps that all close and all wait, once a second, for a paused Drainer, until `events` scheduled events
/// have happened, and returns how many really did. Whoever calls it takes the time.
///
/// # Errors
/// None but a defect in the scenario that is written here.
pub fn scheduled_events(events: u64) -> Result<u64> {
    let pump = |at: usize| format!(r#"{{"id": "pump-{at}", "address": "10.0.1.1:{}"}}"#, 8250 + at);
    let pumps: Vec<String> = (0..PUMPS).map(pump).collect();
    let drainer = r#"{"id": "drainer-0", "address": "10.0.1.2:8249", "record": "paused", "process": "dead"}"#;
    let scenario = format!(r#"{{"version": 1, "pumps": [{}], "drainers": [{drainer}]}}"#, pumps.join(", "));
    let mut cluster = Cluster::new(&Scenario::parse(&scenario)?)?;
    for at in 0..PUMPS {
        if let Some(who) = cluster.find(Kind::Pump, &format!("pump-{at}")) {
            cluster.advance_to(Micros::try_from(at).unwrap_or(0) * 13_000 + SECOND);
            cluster.act(who, Action::Close);
        }
    }
    while cluster.events() < events {
        cluster.advance_to(cluster.now() + 1_000 * SECOND);
    }
    Ok(cluster.events())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_measured_cluster_has_something_to_do() {
        assert!(super::scheduled_events(100_000).unwrap() >= 100_000);
    }
}
