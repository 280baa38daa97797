//! All records at one revision, in pages, the good ones and the bad ones.

use super::{Etcd, end_of, gets, kv, reads};
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
const PIECE: usize = 2500;

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
async fn list_once(etcd: &Etcd, deadline: Deadline) -> Result<Option<Listing>> {
    // One transaction: the first pages of both kinds cost one round trip, and are of one revision.
    let ask = |channel| async move {
        let firsts = Kind::ALL.map(|kind| {
            let options = GetOptions::new().with_range(end_of(kind.prefix())).with_limit(PAGE);
            (kind.prefix().to_owned(), Some(options))
        });
        Ok(kv(channel).await?.txn(reads(firsts.into())).await?)
    };
    let (_, response) = etcd.ask("list the nodes", deadline, ask).await?;
    let revision = response.header().map_or(0, |header| header.revision());
    let mut pieces = Vec::new();
    for (kind, mut page) in Kind::ALL.into_iter().zip(gets(&response)) {
        loop {
            let more = page.more();
            let keys = page.take_kvs();
            let last = keys.last().map(|kv| kv.key().to_vec());
            let mut keys = keys.into_iter();
            while keys.len() > 0 {
                pieces.push(Piece::parse(keys.by_ref().take(PIECE).collect()));
            }
            let Some(last) = last.filter(|_| more) else { break };
            // The next page is on its way while this one is parsed.
            match next_page(etcd, kind, last, revision, deadline).await? {
                Some(next) => page = next,
                None => return Ok(None),
            }
        }
    }
    let mut parsed = Parsed::default();
    for piece in pieces {
        parsed.extend(piece.done().await?);
    }
    Ok(Some(parsed.into_listing(revision)))
}

/// Keys that are being parsed, or are already.
enum Piece {
    Here(Parsed),
    Elsewhere(JoinHandle<Parsed>),
}

impl Piece {
    /// A few keys are parsed on the spot, many on another thread.
    fn parse(keys: Vec<KeyValue>) -> Self {
        match keys.len() < PIECE {
            true => Self::Here(Parsed::of(keys)),
            false => Self::Elsewhere(spawn_blocking(move || Parsed::of(keys))),
        }
    }

    async fn done(self) -> Result<Parsed> {
        match self {
            Self::Here(parsed) => Ok(parsed),
            Self::Elsewhere(work) => work.await.map_err(|e| Error::internal("reading records failed").source(e)),
        }
    }
}

async fn next_page(
    etcd: &Etcd,
    kind: Kind,
    mut after: Vec<u8>,
    revision: i64,
    deadline: Deadline,
) -> Result<Option<GetResponse>> {
    // The smallest key that is greater.
    after.push(0);
    page_from(etcd, "list the nodes", after, end_of(kind.prefix()), revision, deadline).await
}

/// A page of the keys from `from` to `end` at `revision`, or `None` if that was compacted away.
pub(super) async fn page_from(
    etcd: &Etcd,
    what: &str,
    from: Vec<u8>,
    end: Vec<u8>,
    revision: i64,
    deadline: Deadline,
) -> Result<Option<GetResponse>> {
    let ask = |channel| {
        // What was true at a revision stays so: the member need not ask the others again.
        let options =
            GetOptions::new().with_range(end.clone()).with_limit(PAGE).with_revision(revision).with_serializable();
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

/// Keys read so far.
#[derive(Default)]
struct Parsed {
    records: Vec<Record>,
    malformed: Vec<Malformed>,
}

impl Parsed {
    fn of(keys: Vec<KeyValue>) -> Self {
        let mut parsed = Self::default();
        for kv in keys {
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
        key: String::from_utf8_lossy(&key).into_owned(),
        reason: error.to_string(),
        mod_revision,
    })
}
