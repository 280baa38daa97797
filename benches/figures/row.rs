//! A row of the table, and where the table goes.

use crate::yardstick;
use serde_json::json;
use std::path::Path;

/// Which side of its limit a figure must be on.
#[derive(Clone, Copy)]
pub(crate) enum Sense {
    /// At most the limit.
    Max,
    /// At least the limit.
    Min,
}

/// What a figure is compared with, since machines differ by three.
#[derive(Clone, Copy)]
enum Against {
    /// The same work by another program, or by ourselves in another way, in the same run.
    Peer(f64),
    /// How slow one core was just then.
    Yardstick(f64),
    /// Nothing: a size is the same everywhere.
    Nothing,
}

/// One figure.
pub(crate) struct Row {
    name: &'static str,
    /// The unit of `ours` and of a peer.
    unit: &'static str,
    ours: f64,
    against: Against,
    /// What the limit is about.
    value: f64,
    limit: f64,
    sense: Sense,
}

impl Row {
    /// A figure and a peer's; `value` is made of both, by pairs of runs.
    pub(crate) fn paired(name: &'static str, unit: &'static str, (ours, peer, value): (f64, f64, f64)) -> Self {
        Self { name, unit, ours, against: Against::Peer(peer), value, limit: 0.0, sense: Sense::Max }
    }

    /// A time without a peer: held over the yardstick.
    pub(crate) fn time(name: &'static str, unit: &'static str, ours: f64) -> Self {
        Self::over_the_yardstick(name, unit, ours, ours)
    }

    /// A time of which a part is the same everywhere, such as a deadline: the rest is held over the yardstick.
    pub(crate) fn time_beyond(name: &'static str, unit: &'static str, ours: f64, fixed: f64) -> Self {
        Self::over_the_yardstick(name, unit, ours, ours - fixed)
    }

    /// How much is done in a time: the slower the machine, the less is asked for.
    pub(crate) fn rate(name: &'static str, unit: &'static str, ours: f64) -> Self {
        let yardstick = yardstick::measure();
        let value = ours * yardstick;
        Self { name, unit, ours, against: Against::Yardstick(yardstick), value, limit: 0.0, sense: Sense::Min }
    }

    /// A size: the same everywhere.
    pub(crate) fn size(name: &'static str, unit: &'static str, ours: f64) -> Self {
        Self { name, unit, ours, against: Against::Nothing, value: ours, limit: 0.0, sense: Sense::Max }
    }

    fn over_the_yardstick(name: &'static str, unit: &'static str, ours: f64, part: f64) -> Self {
        let yardstick = yardstick::measure();
        let value = part / yardstick;
        Self { name, unit, ours, against: Against::Yardstick(yardstick), value, limit: 0.0, sense: Sense::Max }
    }

    /// It holds when its value is at most `limit`.
    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self { limit, sense: Sense::Max, ..self }
    }

    /// It holds when its value is at least `limit`.
    pub(crate) fn at_least(self, limit: f64) -> Self {
        Self { limit, sense: Sense::Min, ..self }
    }

    fn holds(&self) -> bool {
        match self.sense {
            Sense::Max => self.value <= self.limit,
            Sense::Min => self.value >= self.limit,
        }
    }

    fn sense(&self) -> &'static str {
        match self.sense {
            Sense::Max => "max",
            Sense::Min => "min",
        }
    }

    fn peer(&self) -> Option<f64> {
        match self.against {
            Against::Peer(peer) => Some(peer),
            Against::Yardstick(_) | Against::Nothing => None,
        }
    }

    fn yardstick(&self) -> Option<f64> {
        match self.against {
            Against::Yardstick(yardstick) => Some(yardstick),
            Against::Peer(_) | Against::Nothing => None,
        }
    }
}

pub(crate) fn print(rows: &[Row]) {
    let (figure, unit, ours, peer, yardstick) = ("figure", "unit", "ours", "peer", "yardstick");
    println!("{figure:18} {unit:>10} {ours:>12} {peer:>12} {yardstick:>9} {:>10} {:>14}  holds", "value", "limit");
    let shown = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.3}"));
    for row in rows {
        let (peer, yardstick) = (shown(row.peer()), shown(row.yardstick()));
        let limit = format!("{} {}", row.sense(), row.limit);
        let holds = if row.holds() { "yes" } else { "NO" };
        println!(
            "{:18} {:>10} {:>12.3} {peer:>12} {yardstick:>9} {:>10.3} {limit:>14}  {holds}",
            row.name, row.unit, row.ours, row.value
        );
    }
}

pub(crate) fn write(rows: &[Row]) {
    let list: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "unit": row.unit, "ours": row.ours, "peer": row.peer(),
                "yardstick": row.yardstick(), "value": row.value,
                "limit": row.limit, "sense": row.sense(), "holds": row.holds(),
            })
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
    std::fs::write(path, serde_json::to_string_pretty(&list).unwrap() + "\n").unwrap();
}

/// The middle of `figures`.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
