//! TiCDC as PD's etcd tells of it: changefeeds, and the servers that are there.

use crate::error::Error;
use crate::text::{Untrusted, on_one_line};
use crate::tso::Tso;
use crate::world::Unseen;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};

/// A changefeed. What is secret in its sink never becomes part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changefeed {
    /// Its id.
    pub id: Untrusted,
    /// Its namespace; `default` up to 6.1.
    pub namespace: Untrusted,
    /// The TiCDC cluster that it belongs to; `default` up to 6.1.
    pub cluster: Untrusted,
    /// `normal`, `warning`, `pending`, `error`, `failed`, `stopped`, `finished`, `removed`, whatever later versions say, or
    /// `unreadable`.
    pub state: Untrusted,
    /// What it began behind.
    pub start_ts: Option<Tso>,
    /// Up to where everything is downstream.
    pub checkpoint_ts: Option<Tso>,
    /// Where it is to end.
    pub target_ts: Option<Tso>,
    /// Where it writes to, without user, password and options; `None` where that is not certain.
    pub sink: Option<Untrusted>,
    /// What is wrong with it, or with what stands in etcd of it.
    pub error: Option<Untrusted>,
}

/// The state of a changefeed whose keys cannot be read.
pub(crate) const UNREADABLE: &str = "unreadable";

impl Changefeed {
    /// Whether it writes, or would again by itself: all but those that somebody or something has ended. One that cannot be
    /// read may.
    pub fn may_write(&self) -> bool {
        !matches!(self.state.as_str(), "stopped" | "failed" | "finished" | "removed")
    }
}

impl Display for Changefeed {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "changefeed {}", self.id)?;
        match (self.cluster.as_str(), self.namespace.as_str()) {
            ("default", "default") => Ok(()),
            ("default", _) => write!(f, " of {}", self.namespace),
            _ => write!(f, " of {}/{}", self.cluster, self.namespace),
        }
    }
}

/// A server of TiCDC that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Its id.
    pub id: Untrusted,
    /// The TiCDC cluster that it belongs to.
    pub cluster: Untrusted,
    /// Where it listens; `None` where its key cannot be read.
    pub address: Option<Untrusted>,
    /// Its version, if it says that.
    pub version: Option<Untrusted>,
}

/// What TiCDC does here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changefeeds {
    /// By cluster, namespace and id.
    pub changefeeds: Vec<Changefeed>,
    /// By cluster and id.
    pub captures: Vec<Capture>,
}

/// A changefeed that something done outside creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewChangefeed {
    /// Its id.
    pub id: Untrusted,
    /// What it begins behind.
    pub start_ts: Tso,
    /// Where it writes to, without user, password and options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<Untrusted>,
}

impl NewChangefeed {
    /// As a plan has it: where it begins is another timestamp each time.
    pub(crate) fn planned(&self) -> Self {
        Self { start_ts: Tso::default(), ..self.clone() }
    }

    /// Whether this was created: one of its name is `there` that began where it was to.
    pub(crate) fn is_among(&self, there: &[Changefeed]) -> bool {
        there.iter().any(|feed| feed.id == self.id && feed.start_ts == Some(self.start_ts))
    }

    /// What is missing while it is not among those that are `there`, as whoever waits for it says, and `why` if that is known.
    pub(crate) fn missing(&self, there: &[Changefeed], why: Option<&str>) -> Option<Unseen> {
        if self.is_among(there) {
            return None;
        }
        let (is, can_be_seen) = match there.iter().find(|feed| feed.id == self.id).map(|feed| feed.start_ts) {
            None => ("is not there".to_owned(), true),
            Some(Some(ts)) => (format!("is there, and begins behind {}, not behind {}", ts.0, self.start_ts.0), true),
            Some(None) => ("is there, and does not say where it begins".to_owned(), false),
        };
        let why = why.map_or(String::new(), |why| format!(" ({})", on_one_line(why)));
        Some(Unseen { text: format!("the changefeed {} {is}{why}", self.id), can_be_seen })
    }

    /// That nobody can tell whether it is there, as whoever waits for it says.
    pub(crate) fn unknown(&self, error: &Error) -> Unseen {
        let why = on_one_line(&error.to_string()).into_owned();
        Unseen {
            text: format!("whether the changefeed {} is there cannot be read ({why})", self.id),
            can_be_seen: true,
        }
    }
}

impl Display for NewChangefeed {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "the changefeed {}", self.id)?;
        if self.start_ts.is_given() {
            write!(f, " behind {}", self.start_ts.0)?;
        }
        self.sink.as_ref().map_or(Ok(()), |sink| write!(f, " to {sink}"))
    }
}
