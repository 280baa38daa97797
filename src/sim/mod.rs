//! The simulated cluster: PD, Pumps, Drainers and TiDB servers as a discrete-event model with a virtual clock.
//!
//! [`Cluster`] is the state machine: it advances to a time, answers HTTP, shows etcd's keys and takes writes to them.
//! [`Simulated`] is the world around it: it carries out requests, each of which takes some virtual time. A
//! [`Scenario`] says how a cluster stands at the start.
//!
//! The model is written from recordings of real processes (`tests/recorded/`) and from the facts that
//! `docs/simulator.md` numbers; what it leaves out is named there. It knows no real clock, no file, no network, no
//! terminal; the same scenario and the same requests give the same answers, everywhere.

mod build;
mod checkpoint;
mod clock;
mod cluster;
mod drainer;
mod etcd;
mod faults;
mod flow;
mod host;
mod http;
mod lifecycle;
mod log;
mod merging;
mod process;
mod pump;
mod record;
mod samples;
mod scenario;
mod simulated;
mod ticks;
mod tidb;
mod tikv;
mod truth;

pub use clock::{HOUR, MILLISECOND, MINUTE, Micros, SECOND};
pub use cluster::Cluster;
pub use etcd::KeyValue;
pub use http::HttpOutcome;
pub use log::{LogEntry, LogEvent};
pub use process::{NodeIndex, ProcessStage, Signal};
pub use samples::scenario_names;
pub use scenario::{
    BinlogSpec, CertificateSpec, ChangefeedSpec, DdlSpec, DiskSpec, DrainerSpec, Fault, GcRule, HostSpec, KeySpec,
    NodeControlSpec, PdMemberSpec, Phases, ProcessSpec, PumpSpec, Scenario, ServiceSpec, Span, TidbSpec, TikvSpec,
};
pub(crate) use scenario::{FileVersion, MOST_DRIFT_PPM, misspelt};
pub use simulated::Simulated;
pub(crate) use simulated::{no_end, no_end_in_time};
