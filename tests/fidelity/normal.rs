//! What must differ between the simulator and sockets, and why: everything else is compared to the letter.

use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::node::Record;
use binlogsh::tso::Tso;
use binlogsh::world::{Acted, Answer, Inspected, Listing, Read, Request, StatusReport};
use std::collections::BTreeMap;

/// How `live` begins to say what it found out after an answer was lost, and what is compared in place of either's words.
pub(super) const LOST: &str = "the answer was lost";

/// One world's answers, freed of what must differ from the other's.
#[derive(Default)]
pub(super) struct Normal {
    /// The revision of every key when it was last seen.
    revisions: BTreeMap<String, i64>,
}

impl Normal {
    pub(super) fn result(&mut self, request: &Request, result: Result<Answer>) -> Result<Answer> {
        match result {
            // The simulator leaves in doubt what `live` finds out by a probe (docs/simulator.md, "What is left out").
            // `pair.rs` looks whether it is so.
            Ok(Answer::Acted(Acted { message, .. })) if message.starts_with(LOST) => Err(lost()),
            Ok(answer) => Ok(self.answer(request, answer)),
            Err(error) => Err(normal(error)),
        }
    }

    fn answer(&mut self, request: &Request, answer: Answer) -> Answer {
        match answer {
            Answer::Listing(listing) => Answer::Listing(self.listing(listing)),
            Answer::Swapped(record) => Answer::Swapped(self.record(record)),
            Answer::Timestamp(ts) if *request == Request::Read(Read::Tso) => Answer::Timestamp(given(ts)),
            Answer::Statuses(all) => {
                Answer::Statuses(all.into_iter().map(|one| one.map(status).map_err(normal)).collect())
            }
            Answer::Timestamps(all) => Answer::Timestamps(all.into_iter().map(|one| one.map_err(normal)).collect()),
            Answer::Metrics(all) => Answer::Metrics(all.into_iter().map(|one| one.map_err(normal)).collect()),
            Answer::Inspected(all) => Answer::Inspected(all.into_iter().map(inspected).collect()),
            other => other,
        }
    }

    fn listing(&mut self, listing: Listing) -> Listing {
        let mut listing = Listing {
            // Each etcd counts for itself.
            revision: 0,
            tso: listing.tso.map(given),
            tso_error: listing.tso_error.map(normal),
            ..listing
        };
        listing.records = listing.records.into_iter().map(|record| self.record(record)).collect();
        for key in &mut listing.malformed {
            key.mod_revision = self.moved(&key.key, key.mod_revision);
        }
        listing
    }

    fn record(&mut self, mut record: Record) -> Record {
        record.mod_revision = self.moved(&record.node.key(), record.mod_revision);
        record
    }

    /// Each etcd counts for itself. What means something is whether a record was written since it was last seen.
    fn moved(&mut self, key: &str, revision: i64) -> i64 {
        let before = self.revisions.insert(key.to_owned(), revision).unwrap_or(0);
        (revision - before).signum()
    }
}

/// PD gives no timestamp twice: how often it was asked before differs (by retries), the millisecond does not.
fn given(ts: Tso) -> Tso {
    Tso::from_parts(ts.physical_ms(), 0)
}

fn status(report: StatusReport) -> StatusReport {
    match report {
        StatusReport::Pump(mut pump) => {
            pump.commit_ts = given(pump.commit_ts);
            StatusReport::Pump(pump)
        }
        drainer @ StatusReport::Drainer(_) => drainer,
    }
}

fn inspected(mut one: Inspected) -> Inspected {
    one.status = one.status.map(|said| said.map(status).map_err(normal));
    one.metrics = one.metrics.map(|said| said.map_err(normal));
    one
}

fn lost() -> Error {
    Error::new(ErrorKind::InDoubt, LOST)
}

fn normal(error: Error) -> Error {
    let Error { kind, mut message, mut hint, command, .. } = error;
    match kind {
        // What a probe after it said stands in `live`'s words.
        ErrorKind::InDoubt => return lost(),
        // Which endpoints were tried, and what the system said of each, only `live` knows.
        ErrorKind::Unreachable if message.contains("no endpoint answered") || message.contains("no PD answered") => {
            (message, hint) = ("no PD answered".into(), None);
        }
        // The time-outs differ: the doubles' are short.
        ErrorKind::Timeout => cut(&mut message, "connected, and no answer in "),
        // A node of the other kind answers: the simulator knows who, `live` quotes what came.
        ErrorKind::Invalid => {
            cut(&mut message, "): ");
            hint = None;
        }
        // The revision is etcd's own.
        ErrorKind::Conflict => cut(&mut message, "was written again, at revision "),
        _ => {}
    }
    // What an I/O error said first, where `live` keeps it.
    Error { kind, message, hint, command, source: None, signal: None }
}

/// Leaves out what follows `words`.
fn cut(message: &mut String, words: &str) {
    if let Some(at) = message.find(words) {
        message.truncate(at + words.len());
    }
}
