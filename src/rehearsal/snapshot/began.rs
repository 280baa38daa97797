//! What no request tells of a cluster, and is known all the same of a simulated one: the scenario that it began as says it.

use super::unknown::UnknownFacts;
use crate::error::Result;
use crate::sim::{DrainerSpec, Fault, MILLISECOND, Micros, PumpSpec, Scenario, Span};
use crate::time::{Time, Zone};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Tells `found` what `began` says and no request shows, of all that was there at the beginning.
///
/// # Errors
/// `invalid` when either begins at no point in time.
pub(super) fn tell(began: &Scenario, found: &mut Scenario, unknown: &mut UnknownFacts) -> Result<()> {
    found.gc = began.gc;
    found.alarms.clone_from(&began.alarms);
    found.host.clone_from(&began.host);
    found.node_control.clone_from(&began.node_control);
    found.faults = to_come(began, found)?;
    let pumps: HashMap<&str, &PumpSpec> = began.pumps.iter().map(|spec| (spec.id.as_str(), spec)).collect();
    let disks: HashSet<String> = unknown.disks.iter().map(|id| id.as_str().to_owned()).collect();
    for pump in &mut found.pumps {
        if let Some(spec) = pumps.get(pump.id.as_str()) {
            (pump.supervisor, pump.drift_ppm, pump.retention) = (spec.supervisor, spec.drift_ppm, spec.retention);
            if disks.contains(pump.id.as_str()) {
                pump.disk = spec.disk;
            }
        }
    }
    unknown.retentions.retain(|id| !pumps.contains_key(id.as_str()));
    unknown.disks.retain(|id| !pumps.contains_key(id.as_str()));
    let drainers: HashMap<&str, &DrainerSpec> = began.drainers.iter().map(|spec| (spec.id.as_str(), spec)).collect();
    for drainer in &mut found.drainers {
        if let Some(spec) = drainers.get(drainer.id.as_str()) {
            (drainer.supervisor, drainer.drift_ppm, drainer.speed) = (spec.supervisor, spec.drift_ppm, spec.speed);
        }
    }
    unknown.speeds.retain(|id| !drainers.contains_key(id.as_str()));
    for tidb in &mut found.tidb {
        if let Some(spec) = began.tidb.iter().find(|spec| spec.address == tidb.address) {
            (tidb.ignore_error, tidb.writes_per_second) = (spec.ignore_error, spec.writes_per_second);
        }
    }
    Ok(())
}

/// The faults of `began` that are still to come in `found`.
fn to_come(began: &Scenario, found: &Scenario) -> Result<Vec<Fault>> {
    let start = |scenario: &Scenario| Time::parse(&scenario.start, Zone::Utc).map(|time| time.unix_ms);
    let passed: Micros = (start(found)? - start(began)?) * MILLISECOND;
    let later = |fault: &Fault| {
        let left = u64::try_from(fault.after.micros() - passed).ok().filter(|left| *left > 0)?;
        Some(Fault { after: Span(Duration::from_micros(left)), ..fault.clone() })
    };
    Ok(began.faults.iter().filter_map(later).collect())
}
