//! A cluster as it was found, ready to be simulated.
//!
//! `observe` asks the world, `nodes` and `pace` make of what came back how each node stands, `unknown` gathers what could
//! not be learnt and what is assumed for it. The result is a scenario like any other; `docs/simulator.md` says what is
//! asked and what is assumed.

mod began;
mod nodes;
mod observe;
mod pace;
mod surroundings;
mod unknown;

use crate::error::{Error, Result};
use crate::rehearsal::files;
use crate::sim::{Cluster, Scenario, Simulated};
use crate::text::ShownPath;
use crate::time::{Time, Zone, show_seconds};
use crate::world::World;
use nodes::SnapshotNodes;
use observe::Observed;
use std::path::Path;
use std::time::Duration;
use unknown::UnknownFacts;

/// How far a Drainer may begin in the simulator from where it was found without a word about it, in milliseconds.
const NEAR_MS: i64 = 3_000;

/// What these files are called in messages.
const WHAT: &str = "the snapshot";

/// A cluster as it was found, ready to be simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// How it stood, and (in `assumed`) what could not be learnt of it.
    pub scenario: Scenario,
}

impl Snapshot {
    /// Looks at the cluster through `world`, the records twice with `observe` between, and says what it could not
    /// learn. Changes nothing; a node that does not answer is a finding, not an error.
    ///
    /// # Errors
    /// `unreachable` or `timeout` when PD or its etcd does not answer, `interrupted`.
    pub fn take(world: &mut dyn World, observe: Duration) -> Result<Self> {
        Self::look(world, observe, None)
    }

    /// Of a simulated cluster as it stands, and all that no request tells by the scenario that it began as. The cluster is
    /// a copy: that it is watched costs nobody time.
    ///
    /// # Errors
    /// As `take`: what goes wrong in it just then goes wrong for whoever looks.
    pub(crate) fn of_sandbox(cluster: Cluster, began: &Scenario, observe: Duration) -> Result<Self> {
        Self::look(&mut Simulated::from_cluster(cluster), observe, Some(began))
    }

    fn look(world: &mut dyn World, observe: Duration, began: Option<&Scenario>) -> Result<Self> {
        let observed = Observed::look(world, observe)?;
        let mut unknown = UnknownFacts::default();
        let SnapshotNodes { pumps, drainers, mut keys } = SnapshotNodes::of(&observed, &mut unknown);
        let start = Time::new(observed.now.physical_ms(), Zone::Utc).to_string();
        keys.extend(surroundings::malformed(&observed.malformed, &mut unknown));
        let mut scenario = Scenario {
            about: format!("the cluster {} as it was found at {start}", observed.cluster.id),
            cluster_id: observed.cluster.id,
            pd: surroundings::members(&observed.cluster, &mut unknown),
            tidb: surroundings::tidbs(&observed.tidbs, &mut unknown),
            deployment: surroundings::deployment(&observed.deployment, &mut unknown),
            tikv: surroundings::tikv(&observed, &mut unknown),
            start,
            pumps,
            drainers,
            keys,
            node_control: observed.node_control.clone(),
            ..Scenario::default()
        };
        if let Some(began) = began {
            began::tell(began, &mut scenario, &mut unknown)?;
        }
        for sentence in taken_back(&scenario)? {
            unknown.say(sentence);
        }
        scenario.assumed = unknown.sentences(began.is_none().then_some(&scenario));
        Ok(Self { scenario })
    }

    /// Reads a snapshot, or any other scenario, from the file `path`.
    ///
    /// # Errors
    /// `not_found`, `local`, or `invalid` when it is none, or one that contradicts itself: each names the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = files::read(WHAT, path)?;
        let named = |error: Error| {
            let message = format!("cannot use {WHAT} {}: {}", path.shown(), error.message);
            Error { message, ..Error::invalid("") }.hint(error.hint.unwrap_or_else(|| "take it anew".into()))
        };
        Self::parse(&text).map_err(named)
    }

    /// The snapshot, or any other scenario, that `text` is.
    ///
    /// # Errors
    /// When it is none, or one that contradicts itself.
    pub fn parse(text: &str) -> Result<Self> {
        let scenario = Scenario::parse(text)?;
        Cluster::new(&scenario)?;
        Ok(Self { scenario })
    }

    /// Writes it to the file `path`: afterwards it is there completely, or as it was.
    ///
    /// # Errors
    /// `local`, naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        files::write_json(WHAT, path, &self.scenario)
    }
}

/// The Drainers that cannot begin where they were found, since a simulated one is never ahead of a Pump that it reads.
fn taken_back(scenario: &Scenario) -> Result<Vec<String>> {
    let cluster = Cluster::new(scenario)?;
    let back = |drainer: &crate::sim::DrainerSpec| {
        let who = cluster.find(crate::node::Kind::Drainer, &drainer.id)?;
        let by_ms = (-drainer.lag.micros() - cluster.position(who)) / crate::sim::MILLISECOND;
        let sentence = || {
            let by = show_seconds(by_ms as f64 / 1000.0);
            format!(
                "drainer {} ({}) is ahead of a Pump that it should wait for: taken back by {by}",
                drainer.id, drainer.address
            )
        };
        (by_ms > NEAR_MS).then(sentence)
    };
    Ok(scenario.drainers.iter().filter_map(back).collect())
}
