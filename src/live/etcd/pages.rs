//! A range of keys in pages at one revision, however large it is.
//!
//! A page that is too large for one answer is asked for with fewer keys, down to one; a value that no answer can hold is
//! named by its key, and hides no other.

use super::{Etcd, kv};
use crate::error::{Error, ErrorKind, Result};
use crate::live::answers::{is_compacted, is_too_large};
use crate::live::clock::Deadline;
use crate::live::failover::Refusal;
use crate::text::on_one_line;
use etcd_client::{GetOptions, GetResponse, KeyValue};

/// Keys per page. For every page etcd visits every key of the range again, so pages are few: some megabytes each, which
/// the raised limit of an answer takes.
const MOST_KEYS: i64 = 10_000;

/// A page of fewer bytes lets the next one have more keys.
const SMALL_PAGE: usize = super::MAX_ANSWER / 8;

/// How far a range has been read.
pub(super) struct RangePages<'a> {
    etcd: &'a Etcd,
    what: &'a str,
    from: Vec<u8>,
    end: Vec<u8>,
    /// 0: the newest, until the first answer tells it.
    revision: i64,
    /// Keys per page, as far as is known by now.
    size: i64,
    deadline: Deadline,
    more: bool,
}

/// What one step of the reading gave.
pub(super) enum RangePage {
    Keys(Vec<KeyValue>),
    /// A key whose value no answer can hold; it comes without.
    Oversized(KeyValue),
    /// The revision that the pages before were read at is compacted away.
    Compacted,
}

/// How much of each key is asked for.
#[derive(Clone, Copy)]
enum KeyPart {
    Whole,
    Key,
    /// How many there are.
    Count,
}

/// What etcd says to a question for some keys.
enum RangeAnswer {
    Keys(GetResponse),
    Compacted,
    TooLarge,
}

impl<'a> RangePages<'a> {
    /// The keys from `from` to `end` at the newest revision.
    pub(super) fn of(etcd: &'a Etcd, what: &'a str, from: &str, end: Vec<u8>, deadline: Deadline) -> Self {
        let from = from.as_bytes().to_vec();
        Self { etcd, what, from, end, revision: 0, size: MOST_KEYS, deadline, more: true }
    }

    /// The revision at which they are read; 0 before the first page.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    /// The next page, or `None` after the last.
    ///
    /// # Errors
    /// `unreachable` or `timeout`, naming every endpoint that was tried; `rejected` with etcd's words.
    pub(super) async fn next(&mut self) -> Result<Option<RangePage>> {
        while self.more {
            match self.ask(self.size, KeyPart::Whole).await? {
                RangeAnswer::Keys(page) => return Ok(Some(RangePage::Keys(self.taken(page)))),
                RangeAnswer::Compacted => return Ok(Some(RangePage::Compacted)),
                RangeAnswer::TooLarge if self.size > 1 => {
                    // A page may have room for many more keys than there are.
                    match self.ask(self.size, KeyPart::Count).await? {
                        RangeAnswer::Keys(counted) => {
                            self.stay_at(&counted);
                            self.size = (self.size.min(counted.count()) / 2).max(1);
                        }
                        RangeAnswer::Compacted => return Ok(Some(RangePage::Compacted)),
                        RangeAnswer::TooLarge => return Err(self.beyond_reading()),
                    }
                }
                RangeAnswer::TooLarge => return self.oversized().await.map(Some),
            }
        }
        Ok(None)
    }

    /// The first key that is left, without its value.
    async fn oversized(&mut self) -> Result<RangePage> {
        match self.ask(1, KeyPart::Key).await? {
            RangeAnswer::Keys(page) => {
                // What comes next is probably small.
                self.size = 2;
                let key = self.taken(page).pop();
                Ok(key.map_or_else(|| RangePage::Keys(Vec::new()), RangePage::Oversized))
            }
            RangeAnswer::Compacted => Ok(RangePage::Compacted),
            RangeAnswer::TooLarge => Err(self.beyond_reading()),
        }
    }

    /// The keys of `page`; the next one begins behind them.
    fn taken(&mut self, mut page: GetResponse) -> Vec<KeyValue> {
        self.stay_at(&page);
        let more = page.more();
        let keys = page.take_kvs();
        match keys.last() {
            Some(last) if more => self.from = [last.key(), &[0]].concat(),
            Some(_) | None => self.more = false,
        }
        if self.size < MOST_KEYS && keys.iter().map(|kv| kv.key().len() + kv.value().len()).sum::<usize>() < SMALL_PAGE
        {
            self.size = (self.size * 4).min(MOST_KEYS);
        }
        keys
    }

    /// All that is asked after the first answer is asked at its revision.
    fn stay_at(&mut self, answer: &GetResponse) {
        if self.revision == 0 {
            self.revision = answer.header().map_or(0, |header| header.revision());
        }
    }

    async fn ask(&self, limit: i64, part: KeyPart) -> Result<RangeAnswer> {
        let ask = |channel| {
            let options = GetOptions::new().with_range(self.end.clone()).with_revision(self.revision);
            let options = match part {
                KeyPart::Whole => options.with_limit(limit),
                KeyPart::Key => options.with_limit(limit).with_keys_only(),
                KeyPart::Count => options.with_count_only(),
            };
            // What was true at a revision stays so: the member need not ask the others again.
            let options = if self.revision > 0 { options.with_serializable() } else { options };
            let from = self.from.clone();
            async move {
                match kv(channel).await?.get(from, Some(options)).await {
                    Ok(page) => Ok(RangeAnswer::Keys(page)),
                    Err(etcd_client::Error::GRpcStatus(status)) if is_compacted(&status) => Ok(RangeAnswer::Compacted),
                    Err(etcd_client::Error::GRpcStatus(status)) if is_too_large(&status) => Ok(RangeAnswer::TooLarge),
                    Err(other) => Err(Refusal::from(other)),
                }
            }
        };
        Ok(self.etcd.ask(self.what, self.deadline, ask).await?.1)
    }

    fn beyond_reading(&self) -> Error {
        let from = String::from_utf8_lossy(&self.from);
        let from = on_one_line(&from);
        Error::new(
            ErrorKind::Rejected,
            format!("cannot {}: an answer without values is too large, from the key {from}", self.what),
        )
        .hint("give PD's own client URLs, or raise the largest message of whatever passes gRPC on between this host and PD")
    }
}
