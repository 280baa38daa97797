//! All records at one revision, in pages, the good ones and the bad ones.

use super::{Etcd, end_of, gets, kv, reads};
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::Deadline;
use crate::live::failover::Refusal;
use crate::node::{Kind, Malformed, Record};
use crate::world::Listing;
use etcd_client::{GetOptions, GetResponse, KeyValue};
use tokio::task::spawn_blocking;
use tonic::Code;

/// Keys per page: small enough for etcd's limit of 4 MiB an answer, large enough that pages do not count.
const PAGE: i64 = 500;

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
    let (mut parsed, mut behind) = (Parsed::default(), Vec::new());
    for (kind, mut page) in Kind::ALL.into_iter().zip(gets(&response)) {
        while page.more() {
            let Some(last) = page.kvs().last().map(|kv| kv.key().to_vec()) else { break };
            // The next page is on its way while this one is parsed.
            let keys = page.take_kvs();
            behind.push(spawn_blocking(move || Parsed::of(keys)));
            match next_page(etcd, kind, last, revision, deadline).await? {
                Some(next) => page = next,
                None => return Ok(None),
            }
        }
        parsed.extend(Parsed::of(page.take_kvs()));
    }
    for part in behind {
        parsed.extend(part.await.map_err(|e| Error::internal("reading records failed").source(e))?);
    }
    Ok(Some(parsed.into_listing(revision)))
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
        let options = GetOptions::new().with_range(end.clone()).with_limit(PAGE).with_revision(revision);
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
            match parse(&kv) {
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
pub(super) fn parse(kv: &KeyValue) -> Result<Record, Malformed> {
    let key = String::from_utf8_lossy(kv.key()).into_owned();
    let record = match std::str::from_utf8(kv.key()) {
        Ok(_) => Record::parse(&key, kv.value(), kv.mod_revision()),
        Err(_) => Err(Error::invalid("the key is not text")),
    };
    record.map_err(|error| Malformed { key, reason: error.to_string(), mod_revision: kv.mod_revision() })
}
