//! What becomes of the records while somebody watches.

use crate::node::{Malformed, Record};
use crate::text::Untrusted;
use crate::world::Listing;
use serde::{Deserialize, Serialize};

/// What has become of the records, and of the maintenance lock, since a revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordEvents {
    /// Up to which revision of etcd it tells; the next question begins there.
    pub revision: i64,
    /// All records at that revision, where what happened in between is not known: at first, and after the history was
    /// compacted away.
    pub anew: Option<Listing>,
    /// What happened, in its order.
    pub events: Vec<RecordEvent>,
}

/// Something that happened to a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordEvent {
    /// A record was written: by a heartbeat, or with something new in it.
    Written(Record),
    /// What was written is no record.
    Malformed(Malformed),
    /// The key was deleted.
    Deleted {
        /// The whole key.
        key: Untrusted,
    },
    /// The maintenance lock may have been taken or given back.
    Lock,
}

impl Listing {
    /// Brings it to where `told` reaches.
    pub fn follow(&mut self, told: RecordEvents) {
        if let Some(anew) = told.anew {
            *self = anew;
        }
        for event in told.events {
            match event {
                RecordEvent::Written(record) => {
                    let key = record.node.key();
                    self.malformed.retain(|other| other.key != *key);
                    self.put(record);
                }
                RecordEvent::Malformed(malformed) => {
                    self.remove(&malformed.key);
                    self.malformed.push(malformed);
                    self.malformed.sort_by(|one, other| one.key.cmp(&other.key));
                }
                RecordEvent::Deleted { key } => self.remove(&key),
                RecordEvent::Lock => {}
            }
        }
        self.revision = told.revision;
    }

    /// Puts a record in the place of the one under its key, or where a new one belongs.
    fn put(&mut self, record: Record) {
        let place = |other: &Record| (other.node.kind, &other.node.id).cmp(&(record.node.kind, &record.node.id));
        match self.records.binary_search_by(place) {
            Ok(at) => self.records[at] = record,
            Err(at) => self.records.insert(at, record),
        }
    }

    fn remove(&mut self, key: &str) {
        self.records.retain(|record| record.node.key() != key);
        self.malformed.retain(|malformed| malformed.key.as_str() != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, state: &str, revision: i64) -> Record {
        let id = key.rsplit('/').next().unwrap();
        let json = format!(r#"{{"nodeId":"{id}","host":"{id}:8250","state":"{state}"}}"#);
        Record::parse(key, json, revision).unwrap()
    }

    fn told(revision: i64, events: Vec<RecordEvent>) -> RecordEvents {
        RecordEvents { revision, anew: None, events }
    }

    #[test]
    fn a_listing_that_follows_events_is_what_a_fresh_one_would_be() {
        let (pump, drainer) = ("/tidb-binlog/v1/pumps/p", "/tidb-binlog/v1/drainers/d");
        let mut listing = Listing {
            revision: 1,
            tso: None,
            tso_error: None,
            records: vec![record(drainer, "online", 1)],
            malformed: vec![],
        };
        listing.follow(told(2, vec![RecordEvent::Written(record(pump, "online", 2))]));
        let ids = |listing: &Listing| -> Vec<String> {
            listing.records.iter().map(|record| record.node.id.as_str().to_owned()).collect()
        };
        assert_eq!(ids(&listing), ["p", "d"], "Pumps come first");

        let broken = Malformed { key: pump.into(), reason: "not JSON".into(), mod_revision: 3 };
        listing.follow(told(3, vec![RecordEvent::Malformed(broken.clone())]));
        assert_eq!((ids(&listing), &listing.malformed), (vec!["d".to_owned()], &vec![broken]));

        listing.follow(told(4, vec![RecordEvent::Written(record(pump, "paused", 4)), RecordEvent::Lock]));
        assert_eq!((listing.records.len(), listing.malformed.len(), listing.revision), (2, 0, 4));
        listing.follow(told(5, vec![RecordEvent::Deleted { key: drainer.into() }]));
        assert_eq!(ids(&listing), ["p"]);

        let anew = Listing { revision: 9, records: vec![], ..listing.clone() };
        listing.follow(RecordEvents { revision: 9, anew: Some(anew), events: vec![] });
        assert_eq!((ids(&listing), listing.revision), (vec![], 9));
    }
}
