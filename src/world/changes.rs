//! What changes something: in the cluster, on this host, or outside.

use crate::error::{Error, ErrorKind};
use crate::node::{NodeRef, Record, State};
use crate::secret::Secret;
use crate::text::{ShownPath, Untrusted, on_one_line};
use crate::time::{Time, Zone, show_seconds};
use crate::tso::Tso;
use crate::world::query::requests;
use crate::world::{Acted, Control, Exec, GcHold, HOLD_PREFIX, LockInfo, NewChangefeed, ProgramEnd, TidbBinlogState};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::path::PathBuf;
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};

requests! {
    /// Something that is done: guards look at it, the policy decides about it, and the journal notes it before it is done.
    Change as Change, in change: "What can be done, each as a type that knows its reply."

    /// Tells a node to pause or to close. The reply is the node's own words.
    Act {
        /// The node.
        node: NodeRef,
        /// What it is told.
        action: Action,
    } => Acted(Acted);
    /// `POST /debug/gc/trigger` of a Pump. The reply is the Pump's own words.
    TriggerGc {
        /// The Pump.
        node: NodeRef,
    } => Acted(Acted);
    /// Has a TiDB server write binlog again that skips it: `GET /binlog/recover?op=nowait` of its status port.
    RecoverTidb {
        /// The server.
        server: TidbRef,
        /// Whether transactions that skipped and are under way are then forgotten (`op=reset`).
        reset: bool,
    } => TidbBinlog(TidbBinlogState);
    /// Writes `state` into a record if nothing but heartbeats has changed it since `seen`. The reply is the record as it was
    /// just written.
    SwapRecord {
        /// The record as it was read.
        seen: Record,
        /// Its new state.
        state: State,
    } => Swapped(Record);
    /// Deletes a key if its last write is the one seen; heartbeats do not excuse a difference.
    DeleteRecord {
        /// The key.
        key: String,
        /// The revision of its last write.
        mod_revision: i64,
    } => Done;
    /// Writes `{dir}/savepoint` atomically and durably, making the directory.
    WriteSavepoint {
        /// The directory.
        dir: PathBuf,
        /// The whole content.
        content: String,
    } => Done;
    /// Encrypts as TiDB-Binlog does, with `BINLOG_SECRET_KEY` or the public key. Changes nothing, but a guard may refuse it.
    /// The reply is base64.
    Encrypt {
        /// What to encrypt.
        text: Secret,
    } => Text(String);
    /// Has PD hold TiKV's garbage collection at `ts`, and keeps that alive until it is released or this world ends; then it ends
    /// by itself. The reply says what PD knows it by.
    HoldGc {
        /// What is newer stays; so does the newest version of each key that is not.
        ts: Tso,
        /// For how long PD heeds it after each sign of life.
        ttl: Duration,
    } => GcHeld(GcHold);
    /// Gives up a hold on garbage collection: our own, or that of another run of this program.
    ReleaseGc {
        /// What PD knows it by; `None` for our own.
        service: Option<Untrusted>,
    } => Done;
    /// Takes the maintenance lock away from whoever holds it; `conflict` when another one was taken meanwhile.
    BreakLock {
        /// The lock as the operator saw it.
        seen: LockInfo,
        /// Why.
        why: String,
    } => Done;
    @whole {
        /// Starts, stops or restarts a node's process by what supervises it. The reply says what was seen then.
        Control => Acted(Acted);
        /// Asks a human to do something outside, and waits until it was done.
        Manual => Done;
        /// Runs a program on this host and waits for its end, whatever its exit status.
        Exec => Ran(ProgramEnd);
    }
}

/// What a change does, which decides how it passes the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes the cluster: needs the maintenance lock, guards and consent.
    ChangesCluster,
    /// Takes the maintenance lock away from somebody: needs consent, and cannot need the lock.
    BreaksLock,
    /// Changes this host's files: needs guards and consent.
    ChangesHost,
    /// Something the human does outside: needs no lock and no guard, and is noted like a change.
    Manual,
    /// Runs a program: needs consent, no lock and no guard, and is noted like a change.
    Runs,
    /// Changes nothing, but a guard may refuse it.
    Nothing,
}

impl Effect {
    /// Whether it changes anything: in the cluster, on this host or outside.
    pub fn changes(self) -> bool {
        match self {
            Self::ChangesCluster | Self::BreaksLock | Self::ChangesHost | Self::Manual | Self::Runs => true,
            Self::Nothing => false,
        }
    }

    /// Whether it may change the cluster, directly or through a human or a program.
    pub(crate) fn concerns_cluster(self) -> bool {
        match self {
            Self::ChangesCluster | Self::Manual | Self::Runs => true,
            Self::BreaksLock | Self::ChangesHost | Self::Nothing => false,
        }
    }

    /// Whether the operator is asked for it by us: what a human does outside, the world itself asks them for.
    pub(crate) fn needs_consent(self) -> bool {
        match self {
            Self::ChangesCluster | Self::BreaksLock | Self::ChangesHost | Self::Runs => true,
            Self::Manual | Self::Nothing => false,
        }
    }
}

/// What is done outside, where this program does nothing itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoneOutside<'a> {
    /// The nodes whose processes are started.
    pub starts: &'a [NodeRef],
    /// The nodes whose processes are stopped.
    pub stops: &'a [NodeRef],
    /// The changefeed that is created.
    pub changefeed: Option<&'a NewChangefeed>,
}

impl Change {
    /// What it does.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Act { .. }
            | Self::TriggerGc { .. }
            | Self::RecoverTidb { .. }
            | Self::SwapRecord { .. }
            | Self::DeleteRecord { .. }
            | Self::HoldGc { .. }
            | Self::ReleaseGc { .. }
            | Self::Control(_) => Effect::ChangesCluster,
            Self::BreakLock { .. } => Effect::BreaksLock,
            Self::WriteSavepoint { .. } => Effect::ChangesHost,
            Self::Encrypt { .. } => Effect::Nothing,
            Self::Manual(_) => Effect::Manual,
            Self::Exec(_) => Effect::Runs,
        }
    }

    /// The nodes that it is done to.
    pub fn nodes(&self) -> Vec<&NodeRef> {
        match self {
            Self::Act { node, .. } | Self::TriggerGc { node } | Self::Control(Control { node, .. }) => vec![node],
            Self::SwapRecord { seen, .. } => vec![&seen.node],
            Self::Manual(Manual { starts, stops, retires, frees, .. }) => {
                [starts, stops, retires, frees].into_iter().flatten().collect()
            }
            Self::Exec(Exec { starts, stops, .. }) => starts.iter().chain(stops).collect(),
            Self::RecoverTidb { .. }
            | Self::DeleteRecord { .. }
            | Self::WriteSavepoint { .. }
            | Self::Encrypt { .. }
            | Self::HoldGc { .. }
            | Self::ReleaseGc { .. }
            | Self::BreakLock { .. } => Vec::new(),
        }
    }

    /// What something done outside, by a human or a program, does there; `None` for what we do ourselves.
    pub fn outside(&self) -> Option<DoneOutside<'_>> {
        match self {
            Self::Manual(Manual { starts, stops, changefeed, .. })
            | Self::Exec(Exec { starts, stops, changefeed, .. }) => {
                Some(DoneOutside { starts, stops, changefeed: changefeed.as_ref() })
            }
            Self::Act { .. }
            | Self::TriggerGc { .. }
            | Self::RecoverTidb { .. }
            | Self::SwapRecord { .. }
            | Self::DeleteRecord { .. }
            | Self::WriteSavepoint { .. }
            | Self::Encrypt { .. }
            | Self::HoldGc { .. }
            | Self::ReleaseGc { .. }
            | Self::BreakLock { .. }
            | Self::Control(_) => None,
        }
    }

    /// The keys of the records that it is about.
    pub fn keys(&self) -> Vec<String> {
        match self.record_key() {
            Some(key) => vec![key],
            None => self.nodes().into_iter().map(NodeRef::key).collect(),
        }
    }

    /// The key of the record that it writes or deletes by hand, if it does.
    pub(crate) fn record_key(&self) -> Option<String> {
        match self {
            Self::SwapRecord { seen, .. } => Some(seen.node.key()),
            Self::DeleteRecord { key, .. } => Some(key.clone()),
            Self::Act { .. }
            | Self::TriggerGc { .. }
            | Self::RecoverTidb { .. }
            | Self::WriteSavepoint { .. }
            | Self::Encrypt { .. }
            | Self::HoldGc { .. }
            | Self::ReleaseGc { .. }
            | Self::BreakLock { .. }
            | Self::Control(_)
            | Self::Manual(_)
            | Self::Exec(_) => None,
        }
    }

    /// As a plan has it: without what must differ from one run to the next (revisions, timestamps, a savepoint's content, how
    /// long something takes). `None` for what changes nothing.
    pub fn planned(&self) -> Option<Self> {
        Some(match self {
            Self::Encrypt { .. } => return None,
            Self::SwapRecord { seen, state } => {
                Self::SwapRecord { seen: Record::bare(seen.node.clone()), state: *state }
            }
            Self::DeleteRecord { key, .. } => Self::DeleteRecord { key: key.clone(), mod_revision: 0 },
            Self::WriteSavepoint { dir, .. } => Self::WriteSavepoint { dir: dir.clone(), content: String::new() },
            Self::HoldGc { ttl, .. } => Self::HoldGc { ts: Tso::default(), ttl: *ttl },
            // The name has a run's id in it.
            Self::ReleaseGc { service } => Self::ReleaseGc { service: service.as_ref().map(|_| HOLD_PREFIX.into()) },
            Self::Control(control) => Self::Control(Control::new(control.node.clone(), control.verb)),
            Self::Manual(work) => {
                let changefeed = work.changefeed.as_ref().map(NewChangefeed::planned);
                Self::Manual(Manual { takes: None, timeout: None, changefeed, ..work.clone() })
            }
            Self::Exec(exec) => {
                let changefeed = exec.changefeed.as_ref().map(NewChangefeed::planned);
                Self::Exec(Exec { takes: None, timeout: None, changefeed, ..exec.clone() })
            }
            Self::Act { .. } | Self::TriggerGc { .. } | Self::RecoverTidb { .. } | Self::BreakLock { .. } => {
                self.clone()
            }
        })
    }

    /// What it does and to whom: a phrase that names each node as `name` does.
    pub fn words(&self, name: impl Fn(&NodeRef) -> String) -> String {
        let parts = |parts: &[(&str, &[NodeRef])], last: &str| {
            let named = parts.iter().filter(|(_, nodes)| !nodes.is_empty()).map(|(verb, nodes)| {
                let names: Vec<String> = nodes.iter().map(&name).collect();
                format!("{verb} {}", names.join(", "))
            });
            let all: Vec<String> = named.chain((!last.is_empty()).then(|| last.to_owned())).collect();
            if all.is_empty() { String::new() } else { format!(" ({})", all.join("; ")) }
        };
        match self {
            Self::Act { node, action } => format!("{} {}", action.name(), name(node)),
            Self::TriggerGc { node } => format!("trigger GC of {}", name(node)),
            Self::Control(Control { node, verb, .. }) => format!("{verb} {}", name(node)),
            Self::RecoverTidb { server, reset } => {
                let then = if *reset { ", and forget the transactions that skipped it" } else { "" };
                format!("have the {server} write binlog again{then}")
            }
            Self::SwapRecord { seen, state } => format!("write {state} into the record of {}", name(&seen.node)),
            Self::DeleteRecord { key, .. } => format!("delete the key {}", on_one_line(key)),
            Self::WriteSavepoint { dir, .. } => {
                format!("write {}", dir.join("savepoint").shown())
            }
            Self::Encrypt { .. } => "encrypt a text".into(),
            Self::HoldGc { ts, ttl } => hold_words(*ts, *ttl),
            Self::ReleaseGc { service: None } => "release TiKV's garbage collection".into(),
            Self::ReleaseGc { service: Some(service) } => {
                format!("release TiKV's garbage collection that {service} holds")
            }
            Self::BreakLock { seen, .. } => format!("take the maintenance lock away from {seen}"),
            Self::Manual(Manual { text, starts, stops, retires, frees, tidb, changefeed, .. }) => {
                let tidb = match tidb {
                    Some(TidbBinlog::On) => "TiDB writes binlog afterwards",
                    Some(TidbBinlog::Off) => "TiDB writes no binlog afterwards",
                    None => "",
                };
                let last = joined(tidb, changefeed.as_ref());
                let nodes: [(&str, &[NodeRef]); 4] =
                    [("starts", starts), ("stops", stops), ("retires", retires), ("makes room for", frees)];
                format!("by hand: {text}{}", parts(&nodes, &last))
            }
            Self::Exec(exec) => {
                let nodes: [(&str, &[NodeRef]); 2] = [("starts", &exec.starts), ("stops", &exec.stops)];
                format!("run the program {exec}{}", parts(&nodes, &joined("", exec.changefeed.as_ref())))
            }
        }
    }
}

/// What it does and to whom: a phrase for people. Each node with its kind, id and address.
impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words(NodeRef::to_string))
    }
}

/// What a hold on GC is, in words. A plan has none of its time.
fn hold_words(ts: Tso, ttl: Duration) -> String {
    let ttl = show_seconds(ttl.as_secs_f64());
    let at = match ts.0 {
        0 => String::new(),
        1.. => format!(" at {} ({})", ts.0, Time::of_tso(ts, Zone::Utc)),
        ..0 => format!(" at {}", ts.0),
    };
    format!("hold TiKV's garbage collection{at}, for {ttl} after each sign of life")
}

/// What else is done outside, in words.
fn joined(first: &str, changefeed: Option<&NewChangefeed>) -> String {
    let created = changefeed.map(|new| format!("creates {new}"));
    [first].into_iter().filter(|text| !text.is_empty()).map(str::to_owned).chain(created).collect::<Vec<_>>().join("; ")
}

/// A TiDB server as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TidbRef {
    /// `host:port` for clients, by which people know it.
    pub address: Untrusted,
    /// `host:port` of its status port.
    pub status_address: String,
}

impl Display for TidbRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "TiDB server {}", self.address)
    }
}

/// What a node can be told over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Action {
    /// Stop for a while.
    Pause,
    /// Go offline for good.
    Close,
}

impl Action {
    /// The word in the path of the request.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Something a human does outside, and what it does to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manual {
    /// What to do.
    pub text: String,
    /// Nodes that it starts (or restarts).
    pub starts: Vec<NodeRef>,
    /// Nodes whose process it stops.
    pub stops: Vec<NodeRef>,
    /// Nodes that it retires: nobody needs their binlog or progress any more.
    pub retires: Vec<NodeRef>,
    /// Pumps on whose disks it makes room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frees: Vec<NodeRef>,
    /// Whether it makes TiDB stop or begin to write binlog.
    pub tidb: Option<TidbBinlog>,
    /// The changefeed that it creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changefeed: Option<NewChangefeed>,
    /// How long it usually takes.
    pub takes: Option<Duration>,
    /// How long it is waited for; see [`Manual::limit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

impl Manual {
    /// How long it is waited for where neither that nor what it usually takes is said.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(3600);

    /// How long it is waited for: as said, or ten times what it usually takes.
    pub fn limit(&self) -> Duration {
        let usual = self.takes.map_or(Self::TIMEOUT, |takes| takes.saturating_mul(10));
        self.timeout.unwrap_or(usual)
    }

    /// After how long what cannot be seen counts as done, by the word of whoever did it.
    pub(crate) const AFTER_WORD: Duration = Duration::from_secs(15);

    /// The error of whoever waited in vain for `waited`, and still misses this.
    pub(crate) fn not_seen(&self, waited: Duration, missing: &[Unseen]) -> Error {
        let (waited, missing) = (show_seconds(waited.as_secs_f64()), Unseen::listed(missing));
        Error::new(ErrorKind::Timeout, format!("\"{}\" was not seen to be done in {waited}: {missing}", self.text))
            .hint("find out why, in the log of what was to be started or stopped; once it is done, go on with the run")
    }
}

/// A node that a human was to start or stop, and that is not seen to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unseen {
    /// What is missing, with all that is seen of the node.
    pub(crate) text: String,
    /// Whether it can be seen from here at all: otherwise somebody's word has to do.
    pub(crate) can_be_seen: bool,
}

impl Unseen {
    /// Whether no more can be seen of the work, so that only the word of whoever did it tells that it is done.
    pub(crate) fn word_has_to_do(all: &[Self]) -> bool {
        all.iter().all(|one| !one.can_be_seen)
    }

    /// What is missing, as one text.
    pub(crate) fn listed(all: &[Self]) -> String {
        all.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Whether TiDB writes binlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TidbBinlog {
    /// It writes.
    On,
    /// It does not.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Request;

    #[test]
    fn work_by_hand_of_an_older_journal_is_the_same_request() {
        let older = r#"{"manual":{"text":"start it","starts":[],"stops":[],"retires":[],"tidb":null,"takes":{"secs":30,"nanos":0}}}"#;
        let request: Request = serde_json::from_str(older).unwrap();
        let takes = Some(Duration::from_secs(30));
        assert_eq!(
            request,
            Request::Change(Change::Manual(Manual { text: "start it".into(), takes, ..Manual::default() }))
        );
        assert_eq!(serde_json::to_string(&request).unwrap(), older, "and is written as it was");
    }

    #[test]
    fn work_by_hand_is_waited_for_ten_times_as_long_as_it_usually_takes() {
        let limit = |takes: Option<u64>, timeout: Option<u64>| {
            let (takes, timeout) = (takes.map(Duration::from_secs), timeout.map(Duration::from_secs));
            Manual { takes, timeout, ..Manual::default() }.limit().as_secs()
        };
        assert_eq!(limit(None, None), 3600);
        assert_eq!(limit(Some(30), None), 300);
        assert_eq!(limit(Some(30), Some(5)), 5);
    }
}
