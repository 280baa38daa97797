//! What is asked of the cluster, how often, and what if nobody answers.

use super::{OBSERVED, list, of, pass, pump, same, sample};
use binlogsh::error::{ErrorKind, Result};
use binlogsh::node::{NodeRef, State};
use binlogsh::rehearsal::Snapshot;
use binlogsh::sim::{DrainerSpec, ProcessSpec, PumpSpec, Scenario, Simulated};
use binlogsh::world::{Action, Answer, Change, Fence, Read, Request, World};

#[test]
fn without_pd_there_is_no_snapshot() {
    let mut world = of(r#"{"version": 1, "faults": [{"kind": "pd_gone"}]}"#);
    let error = Snapshot::take(&mut world, OBSERVED).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("http://10.0.1.1:2379"), "{error}");
}

/// Notes what is asked.
struct Counting(Simulated, Vec<Request>);

impl World for Counting {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        self.1.push(request.clone());
        self.0.apply(request, fence)
    }
}

#[test]
fn a_snapshot_is_few_requests_however_many_nodes_there_are() {
    let mut scenario = Scenario::default();
    for at in 0..200 {
        scenario.pumps.push(PumpSpec::new(format!("pump-{at}"), format!("h{at}:1")));
        scenario.drainers.push(DrainerSpec::new(format!("drainer-{at}"), format!("h{at}:2")));
    }
    scenario.pumps[7].process = ProcessSpec::Hung;
    let mut world = Counting(Simulated::new(&scenario).unwrap(), Vec::new());
    let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
    assert_eq!(snapshot.scenario.pumps.len(), 200);
    assert_eq!(world.1.len(), 14);
    assert!(snapshot.scenario.assumed.len() < 15, "{:#?}", snapshot.scenario.assumed);
    let asked = |request: &Request| match request {
        Request::Read(Read::Status { nodes }) | Request::Read(Read::Metrics { nodes }) => Some(nodes.len()),
        _ => None,
    };
    assert_eq!(world.1.iter().filter_map(asked).collect::<Vec<_>>(), [399, 399], "the silent one is not waited for");
}

/// Somebody who pauses a node right after everybody was probed for the first time.
struct Meddling(Simulated, Option<NodeRef>);

impl World for Meddling {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let answer = self.0.apply(request, fence);
        if let (Request::Read(Read::Probe { .. }), Some(node)) =
            (request, self.1.take_if(|_| matches!(request, Request::Read(Read::Probe { .. }))))
        {
            self.0.apply(&Request::Change(Change::Act { node, action: Action::Pause }), None)?;
            pass(&mut self.0, 1);
        }
        answer
    }
}

#[test]
fn nodes_are_asked_again_when_a_state_was_changed_meanwhile() {
    let mut inner = sample("default");
    let node = list(&mut inner).records[1].node.clone();
    let mut world = Meddling(inner, Some(node));
    let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
    let paused = pump(&snapshot, "pump-1");
    assert_eq!((paused.record, paused.process), (Some(State::Paused), ProcessSpec::Dead));
    same("a Pump paused meanwhile", &mut world.0, &mut Simulated::new(&snapshot.scenario).unwrap());
}
