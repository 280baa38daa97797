//! A row of the table, and where the table goes.

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

/// One figure.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The unit of `ours` and `peer`.
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    pub(crate) peer: Option<f64>,
    /// The ratio, or ours without a peer: what the limit is about.
    pub(crate) value: f64,
    pub(crate) limit: f64,
    pub(crate) sense: Sense,
}

impl Row {
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
}

pub(crate) fn print(rows: &[Row]) {
    println!("{:16} {:>10} {:>12} {:>12} {:>10} {:>14}  holds", "figure", "unit", "ours", "peer", "value", "limit");
    for row in rows {
        let peer = row.peer.map_or("-".to_owned(), |peer| format!("{peer:.3}"));
        let limit = format!("{} {}", row.sense(), row.limit);
        let holds = if row.holds() { "yes" } else { "NO" };
        println!(
            "{:16} {:>10} {:>12.3} {peer:>12} {:>10.3} {limit:>14}  {holds}",
            row.name, row.unit, row.ours, row.value
        );
    }
}

pub(crate) fn write(rows: &[Row]) {
    let list: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "unit": row.unit, "ours": row.ours, "peer": row.peer, "value": row.value,
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
