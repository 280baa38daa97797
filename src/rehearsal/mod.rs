//! Rehearsals: a script against a simulated copy of a cluster, in virtual time, before anything is touched.
//!
//! A [`Stage`] is the copy and the script; each time it is played it starts from the same moment, with the faults that it
//! is given, and leaves a [`Played`]: what the script did and said, and what truly became of the cluster. From that come
//! the `Story` that people read, the [`Harm`] that was done, and, over thousands of plays with other faults, the
//! [`Tally`] of [`rehearse`]: how often which harm comes about, and the shortest story of each.
//!
//! The script passes the same gate as in a real run; only the world behind it is another. This room knows no network
//! and no real clock. It opens files for snapshots, plans, stories and reports.

mod draw;
mod files;
mod futures;
mod harm;
mod pairs;
mod plan;
mod play;
mod report;
mod saved;
mod snapshot;
mod stage;
mod story;
mod tally;
mod threads;
mod trace;
mod truth;

pub use draw::Drawer;
pub use files::check_target;
pub use futures::{Base, Order, Subjects, Which, judged, rehearse};
pub use harm::{Blame, Harm, HarmKind, Intended, judge};
pub use plan::{Basis, Plan, ScriptMark};
pub use play::Played;
pub(crate) use report::RehearsalReport;
pub use saved::SavedStory;
pub use snapshot::Snapshot;
pub use stage::Stage;
pub(crate) use story::Story;
pub use story::{StoryLine, StoryLineKind};
pub use tally::{Distribution, Shortest, Subject, Tally};
pub use trace::{AskedQuestion, AttemptedChange, Bounds, SaidNotice};
pub use truth::{ProcessState, Timeline, Truth};
