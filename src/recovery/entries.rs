//! Entries of a journal about Pumps, for this room's tests.

use crate::journal::Entry;
use crate::node::{Kind, NodeRef, Record};
use crate::world::{Acted, Action, Answer, Change, Listing, Manual, Read, Request};

/// The Pump `id`.
pub(super) fn node(id: &str) -> NodeRef {
    NodeRef { kind: Kind::Pump, id: id.into(), address: format!("{id}:1").into() }
}

/// A listing of Pumps with their states.
pub(super) fn listing(states: &[(&str, &str)]) -> Listing {
    let record = |(id, state): &(&str, &str)| {
        let json = format!(
            r#"{{"nodeId":"{id}","host":"{id}:1","state":"{state}","maxCommitTS":262144000,"updateTS":262144000}}"#
        );
        Record::parse(&format!("{}{id}", Kind::Pump.prefix()), json.as_bytes(), 7).unwrap()
    };
    let records = states.iter().map(record).collect();
    Listing { revision: 9, tso: None, tso_error: None, records, malformed: Vec::new() }
}

/// The run saw that listing.
pub(super) fn looked(states: &[(&str, &str)]) -> Entry {
    Entry::new(Request::Read(Read::Nodes), Ok(Answer::Listing(listing(states))))
}

/// It told a Pump to pause, which said yes.
pub(super) fn paused(id: &str) -> Entry {
    let outcome = Ok(Answer::Acted(Acted::said("success")));
    Entry::new(Request::Change(Change::Act { node: node(id), action: Action::Pause }), outcome)
}

/// A human started and stopped Pumps.
pub(super) fn by_hand(starts: &[&str], stops: &[&str]) -> Entry {
    let nodes = |ids: &[&str]| ids.iter().map(|id| node(id)).collect();
    let work = Manual { starts: nodes(starts), stops: nodes(stops), ..Manual::default() };
    Entry::new(Request::Change(Change::Manual(work)), Ok(Answer::Done))
}
