//! TiKV's garbage collection as PD tells of it: up to where old versions may be gone, and who holds it back.
//!
//! PD keeps a *safe point* for each service that needs old versions. TiDB's own, `gc_worker`, moves on every ten minutes; what is
//! older than the smallest of all is collected. A hold of ours is one of these. Both worlds speak of it in the same words.

use crate::error::{Error, ErrorKind, Result};
use crate::text::Untrusted;
use crate::time::{Time, Zone, show_seconds};
use crate::tso::Tso;
use crate::world::{Answer, Change};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// How long a hold lives where nobody says.
pub(crate) const USUAL_HOLD: Duration = Duration::from_secs(3600);
/// A hold that lives shorter could not be renewed in time.
const SHORTEST_HOLD: Duration = Duration::from_secs(15);
/// As long as TiCDC holds at most: nobody needs to hold longer without being there.
const LONGEST_HOLD: Duration = Duration::from_secs(24 * 3600);

/// What the names of our holds begin with.
pub(crate) const HOLD_PREFIX: &str = "binlogsh-";

/// A service that holds GC back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSafePoint {
    /// Its name, such as `gc_worker`, `ticdc-default-..`.
    pub service: Untrusted,
    /// Up to where it lets GC collect; 0 where nothing was collected yet.
    pub safe_point: Tso,
    /// When it ends unless it is renewed, in milliseconds since 1970, UTC, by PD's clock; `None`: never.
    pub expires_ms: Option<i64>,
    /// Whether it has ended: PD no longer heeds it, and forgets it sooner or later. `None` where PD's time is not known.
    pub expired: Option<bool>,
}

impl Display for ServiceSafePoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.service, Position(self.safe_point))
    }
}

/// PD's safe points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GcSafePoints {
    /// Up to where TiKV may have collected, as PD's leader says; `None` where it does not say.
    pub safe_point: Option<Tso>,
    /// Who holds GC back, the smallest safe point first.
    pub services: Vec<ServiceSafePoint>,
    /// What could not be read, a phrase each.
    pub unread: Vec<Untrusted>,
}

impl GcSafePoints {
    /// All of it, in its order.
    pub fn new(safe_point: Option<Tso>, mut services: Vec<ServiceSafePoint>, unread: Vec<Untrusted>) -> Self {
        services.sort_by(|a, b| (a.safe_point, &a.service).cmp(&(b.safe_point, &b.service)));
        Self { safe_point, services, unread }
    }

    /// The smallest safe point that has not ended: GC goes no further.
    pub fn smallest(&self) -> Option<&ServiceSafePoint> {
        self.services.iter().find(|service| service.expired != Some(true))
    }
}

/// A hold of ours as PD took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GcHold {
    /// The service that PD knows us as.
    pub service: Untrusted,
    /// Up to where GC may collect.
    pub safe_point: Tso,
    /// For how long PD heeds it without a renewal.
    pub ttl: Duration,
}

impl GcHold {
    /// The hold that stands after `outcome` came of `change`, where `held` stood before.
    pub(crate) fn after(held: Option<Self>, change: &Change, outcome: &Result<Answer>) -> Option<Self> {
        match (change, outcome) {
            (Change::HoldGc { .. }, Ok(Answer::GcHeld(hold))) => Some(hold.clone()),
            (Change::ReleaseGc { service }, Ok(_)) => held.filter(|hold| !hold.is_released_by(service.as_ref())),
            (_, Err(error)) if error.kind == ErrorKind::HoldLost => None,
            (_, Ok(_) | Err(_)) => held,
        }
    }

    /// Whether it goes where `service`, or one's own hold, is released.
    pub(crate) fn is_released_by(&self, service: Option<&Untrusted>) -> bool {
        service.is_none_or(|service| self.service == *service)
    }

    /// The name of the hold of the run or session `id`.
    pub fn service_of(id: &str) -> Untrusted {
        format!("{HOLD_PREFIX}{id}").into()
    }

    /// Whether `service` is a hold of ours or of another run of this program.
    ///
    /// # Errors
    /// `invalid`: those of others are theirs.
    pub(crate) fn check_service(service: &Untrusted) -> Result<()> {
        match service.strip_prefix(HOLD_PREFIX) {
            Some(id) if !id.is_empty() => Ok(()),
            Some(_) | None => Err(Error::invalid(format!("{service} is no hold of binlogsh: it is left alone")).hint(
                "those of binlogsh begin with `binlogsh-`; `pd-ctl service-gc-safepoint delete` removes others'",
            )),
        }
    }
}

/// A timestamp with its time, for people.
struct Position(Tso);

impl Display for Position {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.0.is_given() {
            true => write!(f, "{} ({})", self.0.0, Time::of_tso(self.0, Zone::Utc)),
            false => write!(f, "{}", self.0.0),
        }
    }
}

/// Whether a hold may live for `ttl`.
///
/// # Errors
/// `invalid`: a hold has an end, and one that is too near is missed.
pub(crate) fn check_ttl(ttl: Duration) -> Result<()> {
    if (SHORTEST_HOLD..=LONGEST_HOLD).contains(&ttl) {
        return Ok(());
    }
    let shown = |time: Duration| show_seconds(time.as_secs_f64());
    Err(Error::invalid(format!(
        "a hold lives from {} to {} without being renewed, and not {}",
        shown(SHORTEST_HOLD),
        shown(LONGEST_HOLD),
        shown(ttl)
    ))
    .hint("it is renewed for as long as the run goes on: `ttl` is for how long it outlives the run"))
}

/// Whether GC can be held at `ts` at PD's `now`, where TiKV may have collected up to `safe_point`.
///
/// # Errors
/// `invalid` for what is no timestamp, or one of the future; `rejected` when GC has passed it.
pub(crate) fn check_hold(ts: Tso, now: Tso, safe_point: Tso) -> Result<()> {
    if !ts.is_given() {
        return Err(Error::invalid(format!("GC cannot be held at {}: PD has given no such timestamp", ts.0))
            .hint("name the checkpoint that must not be overtaken, minus 1"));
    }
    if ts > now {
        let ahead = show_seconds(ts.seconds_since(now).max(0.0));
        return Err(Error::invalid(format!(
            "GC cannot be held at {}: that is {ahead} ahead of PD's time",
            Position(ts)
        ))
        .hint("name a timestamp that PD has given, such as a checkpoint minus 1"));
    }
    if ts < safe_point {
        return Err(Error::new(
            ErrorKind::Rejected,
            format!(
                "GC cannot be held at {}: TiKV may have collected up to {} already, so the range may be gone",
                Position(ts),
                Position(safe_point)
            ),
        )
        .hint(RANGE_GONE));
    }
    Ok(())
}

/// What can be done where GC has passed what somebody needs.
const RANGE_GONE: &str = "who begins there may find a hole: let what is behind catch up first, or begin with a new full backup; \
                          `SET GLOBAL tidb_gc_life_time = '24h'` keeps GC from going on meanwhile";

/// The error of whoever wanted GC held at `ts`, and is told of a smallest safe point above it.
pub(crate) fn hold_refused(ts: Tso, service: &str, smallest: Tso) -> Error {
    Error::new(
        ErrorKind::Rejected,
        format!(
            "PD does not hold GC at {}: the smallest safe point is that of {}, at {}, so the range may have been collected",
            Position(ts),
            Untrusted::from(service),
            Position(smallest)
        ),
    )
    .hint(RANGE_GONE)
}

/// The error of whoever held GC at a timestamp.
pub fn hold_lost(hold: &GcHold, why: &str) -> Error {
    Error::new(
        ErrorKind::HoldLost,
        format!(
            "GC is not held at {} any more by {}: {why}; the range behind it may have been collected",
            Position(hold.safe_point),
            hold.service
        ),
    )
    .hint("see gc_safepoints() for who holds it now; what was to begin there must not: look for a hole first")
}

/// Why a hold is lost whose end has come.
pub(crate) fn not_renewed(ttl: Duration) -> String {
    format!("PD could not be told for {} that it is still needed", show_seconds(ttl.as_secs_f64()))
}

/// PD knows no GC where no TiKV ever joined.
pub(crate) fn not_bootstrapped() -> Error {
    Error::new(ErrorKind::Rejected, "PD is not bootstrapped: no TiKV has joined it yet, so there is no GC")
        .hint("check --pd-urls: is this the cluster that you mean?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(ms: i64) -> Tso {
        Tso::from_parts(ms, 0)
    }

    #[test]
    fn gc_is_held_only_where_it_has_not_been_and_time_has() {
        let (now, safe_point) = (ts(1_795_000_000_000), ts(1_794_999_000_000));
        check_hold(safe_point, now, safe_point).unwrap();
        check_hold(now, now, safe_point).unwrap();
        for (asked, kind, words) in [
            (Tso(0), ErrorKind::Invalid, "no such timestamp"),
            (Tso(-1), ErrorKind::Invalid, "no such timestamp"),
            (ts(1_795_000_060_000), ErrorKind::Invalid, "1m00s ahead of PD's time"),
            (ts(1_794_998_999_999), ErrorKind::Rejected, "may have collected up to"),
        ] {
            let error = check_hold(asked, now, safe_point).unwrap_err();
            assert_eq!(error.kind, kind);
            assert!(error.message.contains(words), "{error}");
        }
    }

    #[test]
    fn a_hold_has_an_end() {
        check_ttl(USUAL_HOLD).unwrap();
        for ttl in [Duration::ZERO, Duration::from_secs(14), Duration::from_secs(86_401), Duration::MAX] {
            assert_eq!(check_ttl(ttl).unwrap_err().kind, ErrorKind::Invalid);
        }
    }

    #[test]
    fn the_smallest_is_one_that_has_not_ended() {
        let service = |name: &str, at: i64, expired| ServiceSafePoint {
            service: name.into(),
            safe_point: Tso(at),
            expires_ms: None,
            expired,
        };
        let all = vec![service("b", 2, Some(false)), service("c", 3, None), service("a", 1, Some(true))];
        assert_eq!(GcSafePoints::new(None, all, Vec::new()).smallest().unwrap().service, "b");
    }
}
