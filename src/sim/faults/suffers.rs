//! What lasts: until when a node, or we, suffer what.

use crate::sim::clock::Micros;

/// Until when a node suffers what; a time that is over means not at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suffers {
    /// HTTP requests that change something are refused.
    pub(crate) refuses: Micros,
    /// HTTP requests that change something are carried out and their answers lost.
    pub(crate) loses_answers: Micros,
    /// The state that it writes as it goes does not arrive.
    pub(crate) loses_record: Micros,
    /// A process that is started ends with an error.
    pub(crate) start_fails: Micros,
    /// A process that is started comes up only then.
    pub(crate) slow_start: Micros,
}

impl Suffers {
    pub(crate) const NOTHING: Self = Self {
        refuses: Micros::MIN,
        loses_answers: Micros::MIN,
        loses_record: Micros::MIN,
        start_fails: Micros::MIN,
        slow_start: Micros::MIN,
    };
}

/// Until when our host or its human suffer what. The cluster goes on meanwhile: only [`Simulated`] looks at it.
///
/// [`Simulated`]: crate::sim::Simulated
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    /// Every request of ours to PD or etcd takes longer.
    pub(crate) slow_etcd: Micros,
    /// Every request of ours to PD or etcd fails.
    pub(crate) etcd_fails: Micros,
    /// The human does nothing of what they are asked.
    pub(crate) slow_human: Micros,
    /// The human says no.
    pub(crate) human_refuses: Micros,
}

impl Outside {
    pub(crate) const NOTHING: Self =
        Self { slow_etcd: Micros::MIN, etcd_fails: Micros::MIN, slow_human: Micros::MIN, human_refuses: Micros::MIN };
}
