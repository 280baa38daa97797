//! The maintenance lock: one operator at a time, whoever uses this program on the cluster.
//!
//! A key in PD's etcd that lives as long as a lease. Both worlds write the same value under it and speak of it in the
//! same words; how the lease is kept alive is theirs.

use crate::error::{AdvisedCommand, Error, ErrorKind};
use crate::text::{Untrusted, quoted};
use crate::time::{Time, Zone, show_seconds};
use crate::world::Fence;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// Where the lock stands: beside what TiDB-Binlog keeps, not beneath it, since its listings take every key for a node.
pub const LOCK_KEY: &str = "/binlogsh/maintenance-lock";

/// How much of a value that is none of ours is shown.
const SHOWN: usize = 80;

/// Who takes the lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The user's name.
    pub user: Untrusted,
    /// The host's name.
    pub host: Untrusted,
    /// The process id on that host.
    pub pid: u32,
    /// The run's id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Untrusted>,
    /// The script, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Untrusted>,
    /// The version of this program.
    pub version: String,
}

impl Display for LockHolder {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}, pid {}", self.user, self.host, self.pid)?;
        if let Some(run) = &self.run {
            write!(f, ", run {run}")?;
        }
        if let Some(script) = &self.script {
            write!(f, ", script {script}")?;
        }
        Ok(())
    }
}

/// What stands under the key, as JSON.
#[derive(Serialize, Deserialize)]
struct LockValue {
    #[serde(flatten)]
    holder: LockHolder,
    /// When it was taken, by the holder's clock (RFC 3339).
    since: String,
}

impl LockHolder {
    /// The value under the lock's key for a holder who takes it at `since_ms` (milliseconds since 1970, UTC).
    pub fn value(&self, since_ms: i64) -> String {
        let value = LockValue { holder: self.clone(), since: Time::new(since_ms, Zone::Utc).to_string() };
        serde_json::to_string(&value).unwrap_or_default()
    }
}

/// Whose value stands under the lock's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockOwner {
    /// A session of this program.
    Holder {
        /// Who.
        holder: LockHolder,
        /// Since when, in milliseconds since 1970, UTC, by its own clock.
        since_ms: i64,
    },
    /// Something that this program did not write: its beginning.
    Foreign(String),
}

/// The life of the lease behind the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockLease {
    /// How long it lives after each sign of life.
    pub granted: Duration,
    /// How long it will live without another.
    pub left: Duration,
}

/// The lock as it stands in etcd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// The revision at which its key was created.
    pub create_revision: i64,
    /// Whose it is.
    pub owner: LockOwner,
    /// Its lease; without one it stays until somebody deletes it.
    pub lease: Option<LockLease>,
}

impl LockInfo {
    /// What `value` under the lock's key says.
    pub fn new(create_revision: i64, value: &[u8], lease: Option<LockLease>) -> Self {
        let ours = serde_json::from_slice::<LockValue>(value).ok().and_then(|LockValue { holder, since }| {
            let since = Time::parse(&since, Zone::Utc).ok()?;
            Some(LockOwner::Holder { holder, since_ms: since.unix_ms })
        });
        let owner = ours.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(value);
            LockOwner::Foreign(text.chars().take(SHOWN).collect())
        });
        Self { create_revision, owner, lease }
    }

    /// When its holder was last heard of, counted back from when this was read.
    pub fn last_sign_of_life(&self) -> Option<Duration> {
        self.lease.map(|lease| lease.granted.saturating_sub(lease.left))
    }

    /// The error of whoever wanted the lock, after having waited for `waited`.
    pub fn locked(&self, waited: Option<Duration>) -> Error {
        let waited = match waited {
            Some(time) => format!(" (waited {})", show_seconds(time.as_secs_f64())),
            None => String::new(),
        };
        let hint = match (&self.owner, waited.is_empty()) {
            (LockOwner::Foreign(_), _) => {
                format!("find out who wrote the key {LOCK_KEY}; if nobody needs it")
            }
            (_, true) => "to wait for it, start with --wait-lock 10m; to look only, with --read-only; the lock of a dead process goes by itself within seconds; \
                          if you cannot wait"
                .into(),
            (_, false) => {
                "ask its holder, or wait longer; if it must be taken away".into()
            }
        };
        Error::new(ErrorKind::Locked, format!("the maintenance lock is held by {self}{waited}"))
            .hint(hint)
            .command(AdvisedCommand::Unlock)
    }

    /// The error of whoever wanted to take away a lock that is another one by now.
    pub(crate) fn taken_meanwhile() -> Error {
        Error::new(
            ErrorKind::Conflict,
            "the maintenance lock was given back and taken again meanwhile: it was left alone",
        )
        .hint("look who holds it now")
    }
}

impl Display for LockInfo {
    /// Who, since when, and the last sign of life.
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match &self.owner {
            LockOwner::Holder { holder, since_ms } => {
                write!(f, "{holder}, since {}", Time::new(*since_ms, Zone::Utc).format("%Y-%m-%d %H:%M:%S UTC"))?;
            }
            LockOwner::Foreign(text) => write!(f, "something that is not binlogsh, whose value is {}", quoted(text))?,
        }
        match self.last_sign_of_life() {
            Some(time) => write!(f, "; last sign of life {} ago", show_seconds(time.as_secs_f64())),
            None => f.write_str("; it has no lease and will not go by itself"),
        }
    }
}

/// The error of whoever had the lock.
pub fn lock_lost(fence: &Fence) -> Error {
    Error::new(
        ErrorKind::LockLost,
        format!("the maintenance lock {} is not ours any more: nothing more was changed", fence.key),
    )
    .hint("see who holds it now; a run can be resumed once it is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> LockHolder {
        LockHolder {
            user: "ann".into(),
            host: "ops-1".into(),
            pid: 7,
            run: Some("r42".into()),
            script: Some("restart.rhai".into()),
            version: "0.1.0".into(),
        }
    }

    #[test]
    fn a_value_says_who_since_when_and_is_plain_json() {
        let value = ann().value(1_795_000_000_123);
        let lease = LockLease { granted: Duration::from_secs(30), left: Duration::from_secs(27) };
        let info = LockInfo::new(5, value.as_bytes(), Some(lease));
        assert_eq!(info.owner, LockOwner::Holder { holder: ann(), since_ms: 1_795_000_000_123 });
        let error = info.locked(None);
        assert_eq!(
            error.message,
            "the maintenance lock is held by ann@ops-1, pid 7, run r42, script restart.rhai, since 2026-11-18 \
             11:06:40 UTC; last sign of life 3.0s ago"
        );
        assert!(error.hint.unwrap().contains("--wait-lock"));
        let json: serde_json::Value = serde_json::from_str(&value).unwrap();
        assert_eq!((&json["user"], &json["since"]), (&"ann".into(), &"2026-11-18T11:06:40.123Z".into()));
    }

    #[test]
    fn what_is_no_value_of_ours_is_shown_and_not_guessed_at() {
        for value in ["", "mine", "{}", "{\"user\":\"ann\"}", "\u{1b}[2J"] {
            let info = LockInfo::new(5, value.as_bytes(), None);
            assert_eq!(info.owner, LockOwner::Foreign(value.into()));
            let text = info.to_string();
            assert!(text.contains(&format!("{value:?}")) && text.contains("will not go by itself"), "{text}");
        }
    }
}
