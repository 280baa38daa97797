//! All records at one revision, in pages, the good ones and the bad ones.

use super::{Etcd, end_of, kv};
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::Deadline;
use crate::live::failover::Refusal;
use crate::node::{Kind, Malformed, Record};
use crate::world::Listing;
use etcd_client::{GetOptions, GetResponse, KeyValue};
use tokio::task::{JoinHandle, spawn_blocking};
use tonic::Code;

/// Keys per page. For every page etcd visits every key of the range again, so pages are few: some megabytes each, which
/// the raised limit of an answer takes.
const PAGE: i64 = 10_000;

/// Keys that are parsed as one piece of work; several pieces are parsed at the same time.
const PIECE: usize = 5000;

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
    let mut from = Kind::Drainer.prefix().as_bytes().to_vec();
    let (mut revision, mut pieces) = (0, Vec::new());
    loop {
        let end = end_of(Kind::Pump.prefix());
        let Some(mut page) = page_from(etcd, "list the nodes", from, end, revision, deadline).await? else {
            return Ok(None);
        };
        if revision == 0 {
            revision = page.header().map_or(0, |header| header.revision());
        }
        let more = page.more();
        let keys = page.take_kvs();
        let last = keys.last().map(|kv| kv.key().to_vec());
        let mut keys = keys.into_iter();
        // They are parsed while the next page is on its way.
        while keys.len() > 0 {
            pieces.push(Piece::parse(keys.by_ref().take(PIECE).collect()));
        }
        match last.filter(|_| more) {
            Some(last) => from = [last.as_slice(), &[0]].concat(),
            None => break,
        }
    }
    let mut parsed = ParsedRecords::default();
    for piece in pieces {
        parsed.extend(piece.done().await?);
    }
    Ok(Some(parsed.into_listing(revision)))
}

/// Keys that are being parsed, or are already.
enum Piece {
    Here(ParsedRecords),
    Elsewhere(JoinHandle<ParsedRecords>),
}

impl Piece {
    /// A few keys are parsed on the spot, many on another thread.
    fn parse(keys: Vec<KeyValue>) -> Self {
        match keys.len() < PIECE {
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

/// A page of the keys from `from` to `end` at `revision` (0: the newest), or `None` if that was compacted away.
pub(super) async fn page_from(
    etcd: &Etcd,
    what: &str,
    from: Vec<u8>,
    end: Vec<u8>,
    revision: i64,
    deadline: Deadline,
) -> Result<Option<GetResponse>> {
    let ask = |channel| {
        let options = GetOptions::new().with_range(end.clone()).with_limit(PAGE).with_revision(revision);
        // What was true at a revision stays so: the member need not ask the others again.
        let options = if revision > 0 { options.with_serializable() } else { options };
        let from = from.clone();
        async move {
            match kv(channel).await?.get(from, Some(options)).await {
                Err(etcd_client::Error::GRpcStatus(status)) if status.code() == Code::OutOfRange => Ok(None),
                other => other.map(Some).map_err(Refusal::from),
            }
        }
    };
    Ok(etcd.ask(what, deadline, ask).await?.1)
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
        let is_nodes = |kv: &KeyValue| Kind::ALL.iter().any(|kind| kv.key().starts_with(kind.prefix().as_bytes()));
        for kv in keys.into_iter().filter(is_nodes) {
            match parse(kv) {
                Ok(record) => parsed.records.push(record),
                Err(malformed) => parsed.malformed.push(malformed),
            }
        }
        parsed
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
        Err(_) => Err(Error::invalid("the key is not text")),
    };
    record.map_err(|error| Malformed {
        key: String::from_utf8_lossy(&key).into_owned().into(),
        reason: error.to_string().into(),
        mod_revision,
    })
}
