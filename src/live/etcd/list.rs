//! All records at one revision, in pages, the good ones and the bad ones.

use super::pages::{RangePage, RangePages};
use super::{Etcd, MAX_ANSWER, end_of};
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::Deadline;
use crate::node::{Kind, Malformed, Record, key_name};
use crate::world::Listing;
use etcd_client::KeyValue;
use tokio::task::{JoinHandle, spawn_blocking};

/// Keys that are parsed as one piece of work; several pieces are parsed at the same time.
const PIECE: usize = 5000;

/// So many bytes of values are much.
const MUCH: usize = 4 << 20;

/// How often a listing begins anew when its revision was compacted away under it.
const RESTARTS: usize = 3;

/// Lists both prefixes. PD's time is not part of it.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried.
pub(in crate::live) async fn list(etcd: &Etcd, deadline: Deadline) -> Result<Listing> {
    for _ in 0..RESTARTS {
        if let Some(listing) = list_once(etcd, deadline).await? {
            return Ok(listing);
        }
    }
    Err(Error::new(ErrorKind::Conflict, "cannot list the nodes: etcd compacts faster than they can be read")
        .hint("see who compacts etcd so often, and try again"))
}

/// One listing, or `None` if its revision was compacted away meanwhile.
///
/// Both prefixes are read as the one range that holds them: one request for almost every cluster, at one revision.
async fn list_once(etcd: &Etcd, deadline: Deadline) -> Result<Option<Listing>> {
    let (from, end) = (Kind::Drainer.prefix(), end_of(Kind::Pump.prefix()));
    let mut pages = RangePages::of(etcd, "list the nodes", from, end, deadline);
    let mut pieces = Vec::new();
    while let Some(page) = pages.next().await? {
        match page {
            RangePage::Keys(keys) => {
                let mut keys = keys.into_iter();
                // They are parsed while the next page is on its way.
                while keys.len() > 0 {
                    pieces.push(Piece::parse(keys.by_ref().take(PIECE).collect()));
                }
            }
            RangePage::Oversized(key) => pieces.push(Piece::Here(ParsedRecords::without_value(key))),
            RangePage::Compacted => return Ok(None),
        }
    }
    let mut parsed = ParsedRecords::default();
    for piece in pieces {
        parsed.extend(piece.done().await?);
    }
    Ok(Some(parsed.into_listing(pages.revision())))
}

/// Keys that are being parsed, or are already.
enum Piece {
    Here(ParsedRecords),
    Elsewhere(JoinHandle<ParsedRecords>),
}

impl Piece {
    /// A little is parsed on the spot, much on another thread.
    fn parse(keys: Vec<KeyValue>) -> Self {
        match keys.len() < PIECE && keys.iter().map(|kv| kv.value().len()).sum::<usize>() < MUCH {
            true => Self::Here(ParsedRecords::of(keys)),
            false => Self::Elsewhere(spawn_blocking(move || ParsedRecords::of(keys))),
        }
    }

    async fn done(self) -> Result<ParsedRecords> {
        match self {
            Self::Here(parsed) => Ok(parsed),
            Self::Elsewhere(work) => work.await.map_err(|e| Error::internal("reading records failed").source(e)),
        }
    }
}

/// Records read so far; a key between the two prefixes is nobody's here.
#[derive(Default)]
struct ParsedRecords {
    records: Vec<Record>,
    malformed: Vec<Malformed>,
}

impl ParsedRecords {
    fn of(keys: Vec<KeyValue>) -> Self {
        let mut parsed = Self::default();
        for kv in keys.into_iter().filter(is_of_a_node) {
            match parse(kv) {
                Ok(record) => parsed.records.push(record),
                Err(malformed) => parsed.malformed.push(malformed),
            }
        }
        parsed
    }

    /// Of a key whose value cannot be read.
    fn without_value(kv: KeyValue) -> Self {
        let reason = format!("its value has more than the {} MiB that can be read of one", MAX_ANSWER >> 20);
        let malformed = is_of_a_node(&kv).then(|| malformed(kv.key(), kv.mod_revision(), reason));
        Self { records: Vec::new(), malformed: malformed.into_iter().collect() }
    }

    fn extend(&mut self, other: Self) {
        self.records.extend(other.records);
        self.malformed.extend(other.malformed);
    }

    fn into_listing(mut self, revision: i64) -> Listing {
        self.records.sort_by(|a, b| a.node.cmp(&b.node));
        self.malformed.sort_by(|a, b| a.key.cmp(&b.key));
        Listing { revision, tso: None, tso_error: None, records: self.records, malformed: self.malformed }
    }
}

/// The record that `kv` holds, or what is wrong with it.
pub(super) fn parse(kv: KeyValue) -> Result<Record, Malformed> {
    let mod_revision = kv.mod_revision();
    let (key, value) = kv.into_key_value();
    let record = match std::str::from_utf8(&key) {
        Ok(key) => Record::parse(key, value, mod_revision),
        Err(_) => Err(Error::invalid("the key is not text: it is named here by its bytes")),
    };
    record.map_err(|error| malformed(&key, mod_revision, error.to_string()))
}

fn malformed(key: &[u8], mod_revision: i64, reason: String) -> Malformed {
    Malformed { key: key_name(key).into(), reason: reason.into(), mod_revision }
}

fn is_of_a_node(kv: &KeyValue) -> bool {
    Kind::ALL.iter().any(|kind| kv.key().starts_with(kind.prefix().as_bytes()))
}
