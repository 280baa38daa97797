//! The log of what truly happened, which no request shows: what a rehearsal judges harm by.

use super::clock::Micros;
use super::process::NodeIndex;
use crate::node::RecordState;
use crate::tso::Tso;
use crate::world::Action;

/// Something that truly happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When, in microseconds since the scenario's start.
    pub at: Micros,
    /// What.
    pub what: LogEvent,
}

/// What can truly happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// A node's process was started.
    Started(NodeIndex),
    /// A Pump is registered and waits for the Drainers to hear of it.
    Notifying(NodeIndex),
    /// A node works.
    Online(NodeIndex),
    /// A Pump was told to close.
    Closing(NodeIndex),
    /// A process ended; `clean` when it meant to.
    Exited {
        /// Whose.
        who: NodeIndex,
        /// Exit status 0: no supervisor restarts it.
        clean: bool,
    },
    /// A node does what it was told over HTTP: at once, or when it can again.
    Acted {
        /// Which.
        who: NodeIndex,
        /// What it was told.
        action: Action,
    },
    /// A process was stopped by SIGSTOP.
    Hung(NodeIndex),
    /// It goes on.
    Continued(NodeIndex),
    /// A state was written into a record: by the node as it went, or by hand.
    Recorded {
        /// Whose record.
        who: NodeIndex,
        /// The state.
        state: RecordState,
        /// Somebody else than the node wrote it.
        by_hand: bool,
    },
    /// A human retired it: nobody needs its binlog or its progress any more.
    Retired(NodeIndex),
    /// A record was deleted.
    Forgotten(NodeIndex),
    /// A Drainer goes on without a Pump that is `offline` and held binlog that it had not read: unless the Pump and
    /// the Drainer come back, it is lost to it.
    LeftBehind {
        /// The Drainer's place.
        drainer: usize,
        /// The Pump's place.
        pump: usize,
        /// Up to where it had read the Pump.
        from: Micros,
        /// The newest binlog that the Pump held.
        to: Micros,
    },
    /// A Drainer took a Pump back after it had dropped it and skips binlog of it for good.
    Skipped {
        /// The Drainer's place.
        drainer: usize,
        /// The Pump's place.
        pump: usize,
        /// Up to where it had read the Pump.
        from: Micros,
        /// From where on it reads again.
        to: Micros,
    },
    /// A Pump collected binlog that a Drainer had not read: it goes on with a hole.
    Hole {
        /// The Drainer's place.
        drainer: usize,
        /// The Pump's place.
        pump: usize,
        /// Up to where it had read.
        from: Micros,
        /// Where the Pump's binlog begins now.
        to: Micros,
    },
    /// A TiDB server found no writable Pump and skips binlog from now on.
    TidbSkips(usize),
    /// A TiDB server that skipped binlog was told to write it again.
    TidbRecovers(usize),
    /// A TiDB server found no writable Pump and stopped.
    TidbStopped(usize),
    /// Replication of the Drainer at this place stands still: it consumes nothing more, whatever TiDB writes.
    Halted(usize),
    /// It goes on.
    Flowing(usize),
    /// So many Pumps take TiDB's writes from now on.
    Writable(usize),
    /// TiDB servers are to write binlog from now on, or none of them is any more: somebody switched it on or off.
    TidbWrites(bool),
    /// TiDB committed a DDL, which stands in the binlog.
    Ddl,
    /// TiKV may have collected up to there, and somebody else than TiDB has to do with that.
    TikvCollected(Tso),
    /// A changefeed was created.
    ChangefeedCreated {
        /// Its place.
        feed: usize,
        /// What it begins behind.
        start_ts: Tso,
    },
    /// A changefeed stops, fails or goes on.
    ChangefeedTurned {
        /// Its place.
        feed: usize,
        /// TiCDC's word for what it is now.
        state: &'static str,
    },
    /// The fault at this place of [`Cluster::faults`](super::Cluster::faults) begins. One that can do nothing at its time never does.
    FaultBegan(usize),
    /// It ends; whether what it did is undone depends on what happened meanwhile.
    FaultEnded(usize),
    /// PD answers nobody.
    PdGone,
    /// PD answers again.
    PdBack,
}
