//! `doctor -o openmetrics`: what one look finds, as gauges for the textfile collector of Prometheus's node_exporter.
//!
//! Nobody reads the exit code of a timer, and silence must not pass for health: a look that failed is a gauge as well, and the
//! exit code says only whether the document is whole, as `binlogsh doctor -o openmetrics > x.tmp && mv x.tmp x.prom` needs it.

use super::{Finding, fields, findings, language_settings, source};
use crate::cli::Doctor;
use crate::commands::compose::{CommandContext, Work, unattended_session};
use crate::error::{Error, ErrorKind, Result, ScriptError};
use crate::language::{Interpreter, Source};
use crate::output::Gauge;
use crate::pd_url::without_passwords;
use crate::session::Session;
use crate::value::{Fields, Value};
use crate::world::{Gate, read};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What the script that looks returns beside the findings.
const MEASURES_TOO: &str = "measures: doctor::measures(facts), cluster: facts.cluster";

/// The exit code once the document is written, whatever is in it.
const WRITTEN: u8 = 0;

/// Looks once and writes what was seen, or that there was no look. An error, and no document, is a wrong option or a signal.
pub(super) fn write(context: &CommandContext, args: &Doctor) -> Result<u8, ScriptError> {
    let source = source(args, MEASURES_TOO)?;
    let mut document = GaugeDocument::new(cluster_name(context));
    let session = unattended_session(context, Work::lines(None));
    let seen = match &session {
        Ok(session) => Measurements::look(session, &source),
        Err(error) => Err(error.clone().into()),
    };
    let time = session.ok().and_then(|session| {
        let gate: &mut dyn Gate = &mut *session.borrow_mut();
        gate.ask(read::Now).ok()
    });
    if let Some(time) = time {
        document.made(time.unix_ms);
    }
    match seen {
        Ok(seen) => document.tell(&seen),
        Err(error) if error.error.kind == ErrorKind::Interrupted => return Err(error),
        Err(error) => {
            document.failed(error.error.kind);
            context.output.error_with(&error, WRITTEN);
        }
    }
    context.output.gauges(&document.gauges());
    Ok(WRITTEN)
}

/// What the cluster is called where somebody has named it, so that documents of several have no line in common.
fn cluster_name(context: &CommandContext) -> String {
    let settings = &context.settings;
    let profile = settings.profile.clone().filter(|_| settings.is_of_profile);
    let deployment = settings.deployment.as_ref().map(|deployment| deployment.name.clone());
    // The one that was named may be nowhere.
    let named = [context.global.sandbox.clone(), profile, deployment, context.global.cluster.clone()];
    named.into_iter().flatten().next().unwrap_or_else(|| without_passwords(&settings.pd_urls.join(",")))
}

/// What one look has seen.
struct Measurements {
    found: Vec<Finding>,
    nodes: Vec<NodeMeasures>,
    /// PD's id of the cluster, if it told.
    cluster_id: Option<String>,
}

/// What was measured of a node; what is not known is missing.
struct NodeMeasures {
    kind: String,
    id: String,
    state: String,
    answer: String,
    lag: Option<f64>,
    heartbeat_age: Option<f64>,
    checkpoint: Option<f64>,
}

impl Measurements {
    fn look(session: &Rc<RefCell<Session>>, source: &Source) -> Result<Self, ScriptError> {
        let mut interpreter = Interpreter::new(session.clone(), language_settings()?);
        let prepared = interpreter.prepare(source)?;
        let mut seen = fields(interpreter.play(&prepared))?;
        let found = findings(&mut seen)?;
        let Some(Value::List(measures)) = seen.swap_remove("measures") else {
            return Err(Error::internal("doctor's own script measured nothing").into());
        };
        let cluster_id = match seen.swap_remove("cluster") {
            Some(Value::Int(id)) => Some(id.to_string()),
            Some(Value::Text(id)) => Some(id),
            _ => None,
        };
        Ok(Self { found, nodes: measures.iter().map(NodeMeasures::of).collect::<Result<_>>()?, cluster_id })
    }

    /// The kind of each node by its id; of an id that both kinds have it is not known whom a finding means.
    fn kinds(&self) -> BTreeMap<&str, &str> {
        let mut kinds = BTreeMap::new();
        for node in &self.nodes {
            kinds.entry(node.id.as_str()).and_modify(|kind| *kind = "").or_insert(node.kind.as_str());
        }
        kinds
    }
}

impl NodeMeasures {
    fn of(value: &Value) -> Result<Self> {
        let Value::Map(fields) = value else {
            return Err(Error::internal(format!("doctor's own script measured {}", value.type_name())));
        };
        let number = |name: &str| match fields.get(name) {
            Some(Value::Float(number)) => Some(*number),
            _ => None,
        };
        Ok(Self {
            kind: text(fields, "kind")?,
            id: text(fields, "id")?,
            state: text(fields, "state")?,
            answer: text(fields, "answer")?,
            lag: number("lag"),
            heartbeat_age: number("heartbeat_age"),
            checkpoint: number("checkpoint"),
        })
    }
}

fn text(fields: &Fields, name: &str) -> Result<String> {
    match fields.get(name) {
        Some(Value::Text(text)) => Ok(text.clone()),
        _ => Err(Error::internal(format!("doctor's own script measured no text `{name}`"))),
    }
}

/// The gauges, in the order of their document.
struct GaugeDocument {
    cluster: String,
    success: Gauge,
    failure: Gauge,
    made: Gauge,
    cluster_id: Gauge,
    finding: Gauge,
    state: Gauge,
    probe: Gauge,
    lag: Gauge,
    heartbeat_age: Gauge,
    checkpoint: Gauge,
}

impl GaugeDocument {
    fn new(cluster: String) -> Self {
        Self {
            cluster,
            success: Gauge::new(
                "binlogsh_doctor_success",
                "Whether doctor could look; if 0 nothing else is known of the cluster.",
            ),
            failure: Gauge::new("binlogsh_doctor_failure", "1 for the kind of error with which doctor failed."),
            made: Gauge::new(
                "binlogsh_doctor_made_timestamp_seconds",
                "When this was made, in seconds since 1970 by the clock of this host.",
            ),
            cluster_id: Gauge::new("binlogsh_doctor_cluster", "1 for the id that PD has of the cluster."),
            finding: Gauge::new(
                "binlogsh_doctor_finding",
                "How many findings of this kind there are; see docs/doctor.md.",
            ),
            state: Gauge::new("binlogsh_node_state", "1 for the state in the record of a node."),
            probe: Gauge::new(
                "binlogsh_node_probe",
                "1 for what a probe of a node found; offline ones are not probed.",
            ),
            lag: Gauge::new("binlogsh_node_lag_seconds", "How far the checkpoint of a node is behind the time of PD."),
            heartbeat_age: Gauge::new(
                "binlogsh_node_heartbeat_age_seconds",
                "How old the last heartbeat of a node is.",
            ),
            checkpoint: Gauge::new(
                "binlogsh_node_checkpoint_timestamp_seconds",
                "The maxCommitTS of a node in seconds since 1970: the checkpoint of a Drainer, the newest transaction of a Pump.",
            ),
        }
    }

    fn made(&mut self, unix_ms: i64) {
        let seconds = std::time::Duration::from_millis(u64::try_from(unix_ms).unwrap_or_default()).as_secs_f64();
        self.made.set([("cluster", &self.cluster)], seconds);
    }

    fn failed(&mut self, kind: ErrorKind) {
        self.success.set([("cluster", &self.cluster)], 0.0);
        self.failure.set([("cluster", &self.cluster), ("kind", kind.name())], 1.0);
    }

    fn tell(&mut self, seen: &Measurements) {
        let cluster = ("cluster", self.cluster.as_str());
        self.success.set([cluster], 1.0);
        if let Some(id) = &seen.cluster_id {
            self.cluster_id.set([cluster, ("cluster_id", id)], 1.0);
        }
        let kinds = seen.kinds();
        for finding in &seen.found {
            let kind = kinds.get(finding.node.as_str()).copied().unwrap_or_default();
            self.finding.count([
                cluster,
                ("severity", finding.severity()),
                ("finding", &finding.check),
                ("kind", kind),
                ("node", &finding.node),
                ("alert", &finding.alert),
            ]);
        }
        for node in &seen.nodes {
            let [kind, id] = [("kind", node.kind.as_str()), ("node", node.id.as_str())];
            self.state.set([cluster, kind, id, ("state", &node.state)], 1.0);
            if !node.answer.is_empty() {
                self.probe.set([cluster, kind, id, ("answer", &node.answer)], 1.0);
            }
            for (gauge, value) in [
                (&mut self.lag, node.lag),
                (&mut self.heartbeat_age, node.heartbeat_age),
                (&mut self.checkpoint, node.checkpoint),
            ] {
                if let Some(value) = value {
                    gauge.set([cluster, kind, id], value);
                }
            }
        }
    }

    fn gauges(self) -> [Gauge; 10] {
        let Self { success, failure, made, cluster_id, finding, state, probe, lag, heartbeat_age, checkpoint, .. } =
            self;
        [success, failure, made, cluster_id, finding, state, probe, lag, heartbeat_age, checkpoint]
    }
}
