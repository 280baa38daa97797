//! The safe points of services that hold GC back, as PD keeps them in its etcd.

use super::pages::{RangePage, RangePages};
use super::{Etcd, end_of};
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::Deadline;
use crate::text::{Untrusted, on_one_line};
use crate::tso::Tso;
use crate::world::ServiceSafePoint;
use etcd_client::KeyValue;
use serde::Deserialize;

/// What PD keeps of a service.
#[derive(Deserialize)]
struct ServiceValue {
    service_id: String,
    /// Seconds since 1970 by PD's clock; the largest number: never.
    expired_at: i64,
    safe_point: u64,
}

/// The services of the cluster `id`, seen at PD's `now`, and a phrase for each key that cannot be read.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried; `conflict` where etcd was compacted meanwhile.
pub(in crate::live) async fn gc_services(
    etcd: &Etcd,
    id: u64,
    now: Option<Tso>,
    deadline: Deadline,
) -> Result<(Vec<ServiceSafePoint>, Vec<Untrusted>)> {
    let prefix = format!("/pd/{id}/gc/safe_point/service/");
    let (services, mut unread) = (list(etcd, &prefix, deadline).await?, Vec::new());
    let mut read = Vec::new();
    for (key, value) in services {
        let name = key.strip_prefix(&prefix).unwrap_or(&key).to_owned();
        match value.map(|value| ServiceSafePoint::parse(&name, &value, now)) {
            Some(Ok(service)) => read.push(service),
            Some(Err(error)) => unread.push(error.message.into()),
            None => unread.push(too_large(&key).into()),
        }
    }
    Ok((read, unread))
}

/// That a key has more in it than can be read.
pub(super) fn too_large(key: &str) -> String {
    format!("the key {} has more in it than can be read", on_one_line(key))
}

/// All keys that begin with `prefix`, which ends in a slash, with their values; `None` for a value that is too large.
///
/// # Errors
/// As [`gc_services`].
pub(super) async fn list(etcd: &Etcd, prefix: &str, deadline: Deadline) -> Result<Vec<(String, Option<Vec<u8>>)>> {
    let what = format!("list the keys of {prefix}");
    let mut pages = RangePages::of(etcd, &what, prefix, end_of(prefix), deadline);
    let name = |kv: &KeyValue| String::from_utf8_lossy(kv.key()).into_owned();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        match page {
            RangePage::Keys(keys) => all.extend(keys.iter().map(|kv| (name(kv), Some(kv.value().to_vec())))),
            RangePage::Oversized(kv) => all.push((name(&kv), None)),
            RangePage::Compacted => {
                let words = format!("cannot {what}: etcd compacted what was being read");
                return Err(Error::new(ErrorKind::Conflict, words).hint("try again"));
            }
        }
    }
    Ok(all)
}

impl ServiceSafePoint {
    /// What PD keeps as `value` of the service `name`, seen at PD's `now`.
    ///
    /// # Errors
    /// `invalid`, naming the service, where it is not PD's JSON.
    pub fn parse(name: &str, value: &[u8], now: Option<Tso>) -> Result<Self> {
        let wrong = |why: String| {
            let (name, why) = (on_one_line(name), on_one_line(&why).into_owned());
            Error::invalid(format!("the safe point of the service {name} cannot be read: {why}"))
        };
        let ServiceValue { service_id, expired_at, safe_point } =
            serde_json::from_slice(value).map_err(|error| wrong(error.to_string()))?;
        let Ok(safe_point) = i64::try_from(safe_point).map(Tso) else {
            return Err(wrong(format!("{safe_point} is no timestamp")));
        };
        Ok(Self {
            service: service_id.into(),
            safe_point,
            expires_ms: Some(expired_at).filter(|at| *at != i64::MAX).map(|at| at.saturating_mul(1000)),
            expired: match (expired_at, now) {
                (i64::MAX, _) => Some(false),
                (at, now) => now.map(|now| at < now.physical_ms().div_euclid(1000)),
            },
        })
    }
}
