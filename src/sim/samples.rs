//! The sample clusters of the sandbox: interesting situations, by name.

use super::scenario::Scenario;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;

/// A sample: its name, a line about it, its file.
type Sample = (&'static str, &'static str, &'static str);

/// All samples, the default one first.
const SAMPLES: [Sample; 16] = [
    (
        "default",
        "three Pumps, two Drainers, two TiDB servers that write; all is well",
        include_str!("samples/default.json"),
    ),
    ("paused-drainer", "drainer-0 is paused", include_str!("samples/paused-drainer.json")),
    (
        "closing-pump",
        "pump-1 closes and waits for drainer-0, which is paused",
        include_str!("samples/closing-pump.json"),
    ),
    ("dead-drainer", "drainer-1 is dead, and its record says online", include_str!("samples/dead-drainer.json")),
    (
        "duplicate-address",
        "pump-2 came to the address of an older, dead pump-old",
        include_str!("samples/duplicate-address.json"),
    ),
    (
        "lost-pump",
        "the host of pump-2 is gone for good, its record says online",
        include_str!("samples/lost-pump.json"),
    ),
    (
        "lagging-drainer",
        "drainer-1 is days behind, and GC overtakes it within hours",
        include_str!("samples/lagging-drainer.json"),
    ),
    (
        "malformed-record",
        "keys that are no records: every other reader's listing fails",
        include_str!("samples/malformed-record.json"),
    ),
    ("skipping-tidb", "one TiDB server skips binlog", include_str!("samples/skipping-tidb.json")),
    ("no-drainer", "three Pumps, and no Drainer yet", include_str!("samples/no-drainer.json")),
    ("full-disk", "the disk of pump-1 is almost full: it refuses writes", include_str!("samples/full-disk.json")),
    ("hung-drainer", "drainer-0 hangs: it connects and answers nothing", include_str!("samples/hung-drainer.json")),
    ("crashed", "pump-1 and drainer-0 are dead, their records say online", include_str!("samples/crashed.json")),
    ("old-records", "records of nodes that went offline weeks ago", include_str!("samples/old-records.json")),
    ("ticdc", "TiCDC is there with a changefeed, beside a Drainer", include_str!("samples/ticdc.json")),
    ("empty", "PD alone, no node yet", include_str!("samples/empty.json")),
];

/// The names of the samples, with a line about each.
pub fn scenario_names() -> Vec<(&'static str, &'static str)> {
    SAMPLES.iter().map(|(name, about, _)| (*name, *about)).collect()
}

impl Scenario {
    /// The sample called `name`.
    ///
    /// # Errors
    /// `not_found` with the nearest names and the whole list.
    pub fn named(name: &str) -> Result<Self> {
        match SAMPLES.iter().find(|(sample, ..)| *sample == name) {
            Some((_, _, text)) => Self::parse(text),
            None => {
                let names = || SAMPLES.iter().map(|(sample, ..)| *sample);
                let list = format!("the samples are {}", names().collect::<Vec<_>>().join(", "));
                let hint = did_you_mean(name, names()).map_or(list.clone(), |near| format!("{near} {list}"));
                Err(Error::not_found(format!("there is no sample cluster `{name}`")).hint(hint))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Cluster;

    #[test]
    fn every_sample_is_a_cluster_that_runs_for_a_day() {
        for (name, ..) in SAMPLES {
            let mut cluster = Cluster::new(&Scenario::named(name).unwrap()).unwrap();
            cluster.advance_to(24 * crate::sim::HOUR);
        }
    }

    #[test]
    fn a_misspelt_sample_names_the_nearest() {
        assert!(Scenario::named("pausd-drainer").unwrap_err().hint.unwrap().contains("`paused-drainer`"));
    }
}
