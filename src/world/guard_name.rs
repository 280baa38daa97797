//! The names of the guards, by which operators force them.

use crate::nearest::named;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A condition under which an operation is not done unless forced by this name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum GuardName {
    /// No other Pump is online and answers.
    LastPump,
    /// Some Pump is closing.
    PumpClosing,
    /// A non-offline Drainer does not answer, is paused or does not advance.
    StuckDrainer,
    /// Another non-offline Pump is paused or dead.
    StuckPump,
    /// No non-offline Drainer: what was not consumed is lost.
    NoDrainer,
    /// The last non-offline Drainer.
    LastDrainer,
    /// The node may be alive.
    Alive,
    /// Writing this state does nothing useful.
    Pointless,
    /// `offline` for a Pump: no record can prove that all was consumed.
    LoseBinlog,
    /// The record is not `offline`.
    NotOffline,
    /// A Drainer still pulls from it.
    StillPulled,
    /// The last Pump's record.
    LastKey,
    /// A Drainer is close to what GC would remove.
    BehindGc,
    /// The node is closing: ended by a signal, it forgets that.
    ForgetsClose,
    /// The process would be killed, not stopped.
    Kills,
    /// An `offline` Pump starts at where the Drainers are by then.
    SkipsBinlog,
    /// A Drainer that says `online` is dead: a Pump that is new or was `offline` gives up.
    DeadDrainer,
    /// GC has removed what the Drainer has not read.
    GcOvertaken,
    /// A changefeed writes to the Drainer's downstream.
    ChangefeedWrites,
    /// GC would be held far in the past.
    HoldsLong,
    /// Nobody has read yet what GC is held for.
    NotTakenOver,
    /// No Pump is online and answers.
    NoPump,
    /// There is a savepoint already.
    Exists,
    /// No encryption key of our own is set.
    PublicKey,
}

/// What is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardClass {
    /// Binlog may be lost: refuses under `ctl` too.
    Loss,
    /// Something stands still or is misleading: a warning under `ctl`.
    Halt,
}

impl GuardName {
    /// All guards, in the order of the documentation.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word in scripts, messages and `BINLOGSH_FORCE`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// When it refuses, and why that matters.
    #[expect(clippy::too_many_lines, reason = "a text for each guard, and nothing else")]
    pub fn about(self) -> &'static str {
        match self {
            Self::LastPump => "no other Pump is online and answers: TiDB would stop, or silently skip binlog",
            Self::PumpClosing => {
                "some Pump is closing: it waits until every Drainer has read it, so it would never end, or be released \
                 without one of them"
            }
            Self::StuckDrainer => {
                "a Drainer does not answer, is paused or does not advance, or a key beneath the Drainers' prefix is no \
                 record: a Pump that closes waits for every Drainer"
            }
            Self::StuckPump => {
                "another Pump is paused, dead or closing, or a key beneath the Pumps' prefix is no record: the Drainers \
                 merge from all Pumps, so nothing would advance"
            }
            Self::NoDrainer => "no Drainer is registered: what the Pump holds was consumed by nobody and would be lost",
            Self::LastDrainer => "no other Drainer is left: binlog would be consumed by nobody",
            Self::Alive => {
                "the node may be alive: anything but a refused probe and a record that has not moved for 10 s"
            }
            Self::Pointless => "the node itself would write over this state, or others would wait for it again",
            Self::LoseBinlog => {
                "`offline` for a Pump: no record can prove that every Drainer has consumed all it holds"
            }
            Self::NotOffline => "the record is not `offline`",
            Self::StillPulled => "a Drainer still reads from the Pump, or cannot be asked",
            Self::LastKey => "it is the last Pump's record",
            Self::BehindGc => {
                "a Drainer is within a day of what GC would remove, or another Pump answers at the address"
            }
            Self::ForgetsClose => {
                "the node is closing: it ignores SIGTERM, is killed after 90 s, and has forgotten the close when it is \
                 started"
            }
            Self::Kills => {
                "the process would be killed, and not stopped in good order: its record goes on saying `online`"
            }
            Self::SkipsBinlog => {
                "an `offline` Pump is started: what it holds from before the Drainers' position is skipped for good"
            }
            Self::DeadDrainer => {
                "a Drainer says `online` and does not answer: a Pump that is new or was `offline` gives up, and goes offline"
            }
            Self::GcOvertaken => {
                "a Pump has removed what the Drainer has not read: started, it goes on with a hole, and its downstream needs a new \
                 backup"
            }
            Self::ChangefeedWrites => {
                "a changefeed writes to the Drainer's downstream, or may: both would apply everything, and neither in the order of \
                 the other"
            }
            Self::HoldsLong => {
                "GC would be held more than a day back: TiKV keeps every version since then, its disks fill and reads become slow"
            }
            Self::NotTakenOver => {
                "no changefeed that is `normal` has come past what GC is held at: it is collected before anybody has read it"
            }
            Self::NoPump => "no Pump is online and answers: the TiDB server would wait, and skip binlog again",
            Self::Exists => "the directory has a savepoint already",
            Self::PublicKey => "BINLOG_SECRET_KEY is not set: the key that everybody knows would be used",
        }
    }

    /// The guard called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        named(name)
    }
}

impl std::fmt::Display for GuardName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
