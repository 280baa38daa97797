//! What a node answers on its port, in the exact words of the real ones.
//!
//! A node checks the id in the path first, then its state, then the action: that is what makes a probe harmless.

use super::cluster::Cluster;
use super::etcd::as_json;
use super::process::{NodeIndex, ProcessStage};
use crate::node::{Kind, State};
use crate::tso::Tso;
use crate::world::{Action, DrainerStatus, PumpStatus};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How an HTTP exchange ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpOutcome {
    /// An answer.
    Response {
        /// The HTTP status; 200 even for a refused action.
        status: u16,
        /// Its content type.
        content_type: &'static str,
        /// Its body.
        body: String,
    },
    /// Nobody listens.
    Refused,
    /// The connection was taken and broken off.
    Reset,
    /// The connection was taken, and nothing comes.
    Silent,
}

/// Who is behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// A node that answers.
    Node(NodeIndex),
    /// A node that takes connections and stays silent.
    Silent(NodeIndex),
    /// A node about to exit.
    Reset,
    /// No process.
    Nobody,
}

/// What a node says to `PUT /state/{id}/{action}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateReply {
    /// It does it.
    Done(Action),
    /// It has another id.
    OtherId { kind: Kind, asked: String, own: String },
    /// It is not `online`.
    State { state: State, action: String },
    /// It is `online` and does not know the action.
    UnknownAction { kind: Kind, action: String },
}

impl StateReply {
    /// The code in the body.
    pub(crate) fn code(&self) -> u16 {
        if matches!(self, Self::Done(_)) { 200 } else { 3 }
    }
}

impl std::fmt::Display for StateReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let invalid = |kind: &Kind| if *kind == Kind::Pump { "invalide" } else { "invalid" };
        match self {
            Self::Done(action) => write!(f, "apply action {} success!", action.name()),
            Self::OtherId { kind, asked, own } => {
                write!(f, "{} nodeID {asked}, this pump's nodeID is {own}", invalid(kind))
            }
            Self::State { state, action } => write!(f, "this pump's state is {state}, apply {action} failed!"),
            Self::UnknownAction { kind, action } => write!(f, "{} action {action}", invalid(kind)),
        }
    }
}

impl Cluster {
    /// One HTTP exchange with whoever listens on `address`, now. What it does to the cluster happens, also when the
    /// answer is lost.
    pub fn http(&mut self, address: &str, method: &str, path: &str) -> HttpOutcome {
        let who = match self.behind(address) {
            Behind::Node(who) => who,
            Behind::Silent(who) => {
                if let Some((id, action)) = state_path(method, path) {
                    self.leave_request(who, id, action);
                }
                return HttpOutcome::Silent;
            }
            Behind::Reset => return HttpOutcome::Reset,
            Behind::Nobody => return HttpOutcome::Refused,
        };
        let loses = self.node(who).suffers.loses_answers > self.now;
        if let Some((id, action)) = state_path(method, path) {
            let said = self.put_state(who, id, action);
            let lost = loses && matches!(said, StateReply::Done(_));
            return if lost { HttpOutcome::Reset } else { coded(said.code(), &said.to_string(), Json::Null) };
        }
        match (who, method, path) {
            (_, "GET", "/metrics") => text("text/plain; version=0.0.4; charset=utf-8", self.metrics_text(who)),
            (_, "GET", "/status") => self.status_json(who),
            (NodeIndex::Drainer(_), "GET", "/commit_ts") => {
                let ts = self.ts_at(self.position_to_write(who)).0;
                coded(200, "get drainer's latest ts success!", json!({ "ts": ts }))
            }
            (NodeIndex::Pump(_), "GET", "/drainers") => text("application/json; charset=utf-8", self.drainers_json()),
            (NodeIndex::Pump(at), "POST", "/debug/gc/trigger") => {
                self.collect(at);
                if loses { HttpOutcome::Reset } else { text("text/plain; charset=utf-8", "trigger gc success".into()) }
            }
            (NodeIndex::Pump(at), "GET", path) if path.starts_with("/debug/binlog/") => {
                let ts = path.trim_start_matches("/debug/binlog/").parse().unwrap_or(0);
                text("text/plain; charset=utf-8", self.binlog_text(at, Tso(ts)))
            }
            _ => HttpOutcome::Response {
                status: 404,
                content_type: "text/plain; charset=utf-8",
                body: "404 page not found\n".into(),
            },
        }
    }

    /// Whether somebody takes connections at `address`.
    pub fn listens(&self, address: &str) -> bool {
        self.behind(address) != Behind::Nobody
    }

    /// Who is behind `address`.
    pub(crate) fn behind(&self, address: &str) -> Behind {
        let mut found = Behind::Nobody;
        for who in self.all_at(address) {
            let Some(process) = self.node(who).process else { continue };
            match (process.stage, process.hung) {
                (ProcessStage::Booting, _) => {}
                (_, true) | (ProcessStage::Notifying, _) => return Behind::Silent(who),
                (ProcessStage::Online | ProcessStage::Closing, false) => return Behind::Node(who),
                (ProcessStage::Ending, false) => found = Behind::Reset,
            }
        }
        found
    }

    /// What the node says to a change of state, and what it then does.
    pub(crate) fn put_state(&mut self, who: NodeIndex, id: &str, action: &str) -> StateReply {
        let node = self.node(who);
        let kind = node.kind;
        if *node.id != *id {
            return StateReply::OtherId { kind, asked: id.to_owned(), own: node.id.to_string() };
        }
        let state = node.true_state().unwrap_or(State::Online);
        if state != State::Online {
            return StateReply::State { state, action: action.to_owned() };
        }
        let Some(action) = action_called(action) else {
            return StateReply::UnknownAction { kind, action: action.to_owned() };
        };
        if node.suffers.refuses > self.now {
            return StateReply::State { state: State::Pausing, action: action.name().to_owned() };
        }
        self.act(who, action);
        StateReply::Done(action)
    }

    /// A request to a process that cannot answer just now lies in its socket until it can.
    pub(crate) fn leave_request(&mut self, who: NodeIndex, id: &str, action: &str) {
        if let Some(action) = action_called(action).filter(|_| *self.node(who).id == *id) {
            self.node_mut(who).pending.push(action);
        }
    }

    fn status_json(&mut self, who: NodeIndex) -> HttpOutcome {
        let body = match who {
            NodeIndex::Pump(at) => {
                let status = self.pump_status(at);
                let (records, _) = self.listing();
                let pumps = records.iter().filter(|record| record.node.kind == Kind::Pump);
                let all: Map<String, Json> =
                    pumps.map(|record| (record.node.id.as_str().to_owned(), as_json(record))).collect();
                json!({"status": all, "CommitTS": status.commit_ts.0, "Checkpoint": {}, "ErrMsg": status.error})
            }
            NodeIndex::Drainer(at) => {
                let status = self.drainer_status(at);
                json!({"PumpPos": status.pump_positions, "Synced": status.synced, "LastTS": status.last_ts.0, "TsMap": ""})
            }
        };
        text("application/json; charset=utf-8", body.to_string())
    }

    /// A Pump's `/status`.
    pub(crate) fn pump_status(&mut self, at: usize) -> PumpStatus {
        let closing = self.pumps[at].closing.is_some();
        let error = if closing { "context canceled" } else { "" };
        PumpStatus { commit_ts: self.tso().unwrap_or_default(), error: error.to_owned() }
    }

    /// A Drainer's `/status`.
    pub(crate) fn drainer_status(&self, at: usize) -> DrainerStatus {
        let drainer = &self.drainers[at];
        let reading = drainer.reading(&self.pumps, self.now);
        // One whose downstream sets the pace shows where it is.
        let looked = self.looked_at(at).filter(|_| reading.keeps_up && drainer.pace().is_none());
        let position = |source: &super::drainer::PumpSource| {
            let pump = &self.pumps[source.pump];
            let shown = match (looked, source.stuck_at, drainer.writes_apart) {
                // TiDB has written before the start as it does now.
                (Some(looked), None, Some(_)) if looked < 0 && pump.writable() => looked,
                (Some(looked), None, _) => pump.ticks.newest_by(looked).unwrap_or(reading.consumed),
                _ => reading.of(&self.pumps, source),
            };
            (pump.node.id.clone(), self.ts_at(shown))
        };
        DrainerStatus {
            pump_positions: drainer.sources.iter().map(position).collect(),
            synced: self.writes_per_second() == 0,
            last_ts: self.ts_at(self.position_to_write(NodeIndex::Drainer(at))),
        }
    }

    /// The Drainer records as a Pump shows them.
    pub(crate) fn drainers_json(&self) -> String {
        let (records, _) = self.listing();
        let drainers = records.iter().filter(|record| record.node.kind == Kind::Drainer);
        Json::Array(drainers.map(as_json).collect()).to_string()
    }

    /// What a Pump says of the binlog at a timestamp.
    pub(crate) fn binlog_text(&self, at: usize, ts: Tso) -> String {
        let (pump, time) = (&self.pumps[at], self.time_of(ts));
        match time <= pump.newest(self.now) && time >= pump.gc_ts {
            true => format!("tp:Commit start_ts:{} commit_ts:{} ", ts.0.saturating_sub(1), ts.0),
            false => "leveldb: not found".to_owned(),
        }
    }

    /// The samples of a node's `/metrics`, by name with labels.
    pub(crate) fn metrics(&self, who: NodeIndex) -> BTreeMap<String, f64> {
        let node = self.node(who);
        let started = node.process.map_or(0, |process| process.started);
        let ms = |time| self.unix_ms(time) as f64;
        let mut samples = BTreeMap::from([("process_start_time_seconds".to_owned(), ms(started) / 1000.0)]);
        match who {
            NodeIndex::Pump(at) => {
                let pump = &self.pumps[at];
                let size = |what| format!("binlog_pump_storage_storage_size_bytes{{type=\"{what}\"}}");
                // A process says 0 until it collects for the first time.
                let collected = if pump.collected_at > started { ms(pump.gc_ts) } else { 0.0 };
                samples.insert("binlog_pump_storage_gc_ts".into(), collected);
                samples.insert("binlog_pump_storage_max_commit_ts".into(), ms(pump.newest(self.now)));
                samples.insert(size("capacity"), pump.disk_capacity as f64);
                samples.insert(size("available"), pump.disk_available as f64);
            }
            NodeIndex::Drainer(_) => {
                samples.insert("binlog_drainer_checkpoint_tso".into(), ms(self.position_to_write(who)));
            }
        }
        samples
    }

    fn metrics_text(&self, who: NodeIndex) -> String {
        let mut body = String::new();
        let mut last = "";
        let samples = self.metrics(who);
        for (sample, value) in &samples {
            let name = sample.split('{').next().unwrap_or(sample);
            if name != last {
                let _ = writeln!(body, "# TYPE {name} gauge"); // writing to a string does not fail
                last = name;
            }
            let _ = writeln!(body, "{sample} {value}");
        }
        body
    }
}

fn action_called(name: &str) -> Option<Action> {
    [Action::Pause, Action::Close].into_iter().find(|action| action.name() == name)
}

/// The id and the action of `PUT /state/{id}/{action}`.
fn state_path<'a>(method: &str, path: &'a str) -> Option<(&'a str, &'a str)> {
    let (id, action) = path.strip_prefix("/state/")?.split_once('/')?;
    (method == "PUT").then_some((id, action))
}

/// The body of an answer with a code, indented by 2 as the real one.
fn coded(code: u16, message: &str, data: Json) -> HttpOutcome {
    let body = json!({ "message": message, "code": code, "data": data });
    text("application/json; charset=utf-8", serde_json::to_string_pretty(&body).unwrap_or_default())
}

fn text(content_type: &'static str, body: String) -> HttpOutcome {
    HttpOutcome::Response { status: 200, content_type, body }
}
