//! Ten thousand nodes as a table that fits, against the same as CSV.

use crate::row::{Row, median};
use binlogsh::node::Record;
use binlogsh::operations::nodes::views;
use binlogsh::output::{Format, Look, render};
use binlogsh::tso::Tso;
use binlogsh::world::Listing;
use std::hint::black_box;
use std::time::Instant;

const NODES: i64 = 10_000;
const ROUNDS: usize = 15;

pub(crate) fn table_10000() -> Row {
    let now = Tso::from_parts(1_800_000_000_000, 0);
    let record = |at: i64| {
        let (id, ts) = (format!("pump-{at:05}"), now.0 - (at << 18));
        let json = format!(
            r#"{{"nodeId":"{id}","host":"{id}.example.com:8250","state":"online","maxCommitTS":{ts},"updateTS":{ts}}}"#
        );
        Record::parse(&format!("/tidb-binlog/v1/pumps/{id}"), json, at).unwrap()
    };
    let records = (0..NODES).map(record).collect();
    let listing = Listing { revision: NODES, tso: Some(now), tso_error: None, records, malformed: Vec::new() };
    let nodes = views(listing, None);
    let time = |format, width| {
        let begin = Instant::now();
        black_box(render(black_box(&nodes), format, Look { width, colors: false }));
        begin.elapsed().as_secs_f64() * 1000.0
    };
    let pair = || (time(Format::Table, Some(80)), time(Format::Csv, None));
    pair();
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(|_| pair()).collect();
    let of = |figure: fn(&(f64, f64)) -> f64| median(pairs.iter().map(figure).collect());
    Row::paired("table_10000", "ms", (of(|(table, _)| *table), of(|(_, csv)| *csv), of(|(table, csv)| table / csv)))
        .at_most(1.5)
}
