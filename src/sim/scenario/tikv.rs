//! TiKV's garbage collection and TiCDC, as a scenario has them.

use super::Span;
use crate::downstream::without_secrets;
use crate::error::{Error, Result};
use crate::text::{Untrusted, quoted};
use serde::{Deserialize, Serialize};

/// TiKV's garbage collection and TiCDC at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TikvSpec {
    /// `tidb_gc_life_time`; left out: ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gc_life_time: Option<Span>,
    /// Who holds GC back beside TiDB and TiCDC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceSpec>,
    /// TiCDC's servers, `host:port` each; without one no changefeed can be created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Untrusted>,
    /// TiCDC's changefeeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changefeeds: Vec<ChangefeedSpec>,
}

/// A service that holds GC back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// Its name.
    pub service: Untrusted,
    /// How far behind the start its safe point lies.
    #[serde(default = "Span::zero")]
    pub behind: Span,
    /// For how long PD heeds it; left out: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
}

/// A changefeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangefeedSpec {
    /// Its id.
    pub id: Untrusted,
    /// Where it writes to, without user and password; left out: nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<Untrusted>,
    /// `normal`, `stopped` or `failed`.
    #[serde(default = "normal")]
    pub state: String,
    /// How far behind the start its checkpoint is.
    #[serde(default = "Span::zero")]
    pub behind: Span,
}

fn normal() -> String {
    "normal".into()
}

impl TikvSpec {
    /// Whether there is nothing to say of it.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Makes sure that it does not contradict itself.
    ///
    /// # Errors
    /// `invalid`, naming the changefeed.
    pub(super) fn check(&self) -> Result<()> {
        for feed in &self.changefeeds {
            if !["normal", "stopped", "failed"].contains(&feed.state.as_str()) {
                return Err(Error::invalid(format!("the changefeed {} is {}", feed.id, quoted(&feed.state)))
                    .hint("write \"normal\", \"stopped\" or \"failed\""));
            }
            let is_bare = |sink: &Untrusted| without_secrets(sink).is_some_and(|bare| bare == sink.as_str());
            if !feed.sink.as_ref().is_none_or(is_bare) {
                return Err(Error::invalid(format!("the sink of the changefeed {} is no plain URI", feed.id)).hint(
                    "write scheme, host and port, such as mysql://10.0.0.9:3306/, without user, password and options",
                ));
            }
        }
        Ok(())
    }
}
