//! What stands in etcd: a node's record in the exact format of the real ones, and keys that are no records.

use super::clock::{MILLISECOND, Micros};
use crate::node::{Kind, NodeRef, OwnFields, Record, RecordState, RecordText, State};
use crate::text::Untrusted;
use crate::tso::Tso;
use std::sync::Arc;

/// The value under a node's key.
#[derive(Clone, Debug)]
pub(crate) enum RecordBody {
    /// The node writes it as its heartbeat: computed when somebody looks.
    Live,
    /// Somebody wrote it once: the node before it stopped, or an operator.
    Fixed(Arc<Fixed>),
    /// Bytes that are no record.
    Raw(Arc<[u8]>),
}

/// A record that no heartbeat rewrites.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    pub(crate) state: RecordState,
    pub(crate) address: Arc<str>,
    pub(crate) max_commit_ts: Tso,
    pub(crate) update_ts: Tso,
    /// The `nodeId` in it, where it is another than the key's.
    pub(crate) other_id: Option<Untrusted>,
    /// The whole object as it was written, where it is not what a node writes itself.
    pub(crate) json: Option<RecordText>,
}

impl Fixed {
    /// As a node writes it itself.
    pub(crate) fn own(state: State, address: &Arc<str>, max_commit_ts: Tso, update_ts: Tso) -> Self {
        let address = Arc::clone(address);
        Self { state: state.into(), address, max_commit_ts, update_ts, other_id: None, json: None }
    }

    /// What `record` says.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            state: record.state.clone(),
            address: record.node.address.as_str().into(),
            max_commit_ts: record.max_commit_ts,
            update_ts: record.update_ts,
            other_id: record.other_id.clone(),
            json: Some(record.json.clone()),
        }
    }

    /// It as a record of the node `id`.
    pub(crate) fn record(&self, kind: Kind, id: &Arc<str>, mod_revision: i64) -> Record {
        let node = NodeRef { kind, id: id.as_ref().into(), address: self.address.as_ref().into() };
        let (max_commit_ts, update_ts) = (self.max_commit_ts, self.update_ts);
        let (state, other_id) = (self.state.clone(), self.other_id.clone());
        let json = self.json.clone().unwrap_or_else(|| {
            let (id, address, state) = (node.id.clone(), node.address.clone(), state.clone());
            RecordText::own(OwnFields { id, address, state, max_commit_ts, update_ts })
        });
        Record { node, state, max_commit_ts, update_ts, mod_revision, other_id, json }
    }
}

/// What stands under a node's key after somebody wrote `value` there.
pub(crate) fn written_body(key: &str, value: &[u8], revision: i64) -> RecordBody {
    match Record::parse(key, value, revision) {
        Ok(record) => RecordBody::Fixed(Arc::new(Fixed::of(&record))),
        Err(_) => RecordBody::Raw(value.into()),
    }
}

/// The timestamp of a virtual time: the microseconds within its millisecond are its logical part.
pub(crate) fn ts_at(start_ms: i64, time: Micros) -> Tso {
    Tso::from_parts(start_ms + time.div_euclid(MILLISECOND), time.rem_euclid(MILLISECOND))
}

/// The virtual time of a timestamp.
pub(crate) fn time_of(start_ms: i64, ts: Tso) -> Micros {
    (ts.physical_ms() - start_ms).saturating_mul(MILLISECOND).saturating_add(ts.logical().min(MILLISECOND - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_and_virtual_times_are_one_to_one() {
        for time in [-1_234_567, -1, 0, 999, 1_000, 86_400_000_001] {
            assert_eq!(time_of(1_700_000_000_000, ts_at(1_700_000_000_000, time)), time);
        }
    }
}
