//! The table of the nodes: which columns there is room for, and what stands in them.

use super::cluster::{FULL_DISK_GIB, GC_SOON_HOURS};
use super::picture::NodePicture;
use crate::node::{Kind, State};
use crate::output::{Tone, node_cell};
use crate::text::{on_one_line, sparkline};
use crate::time::show_seconds;
use crate::world::ProbeFinding;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
pub(super) const GAP: usize = 2;

/// A sparkline has so many columns at least, and at most one for each quarter of a minute that is kept.
const SPARK: (usize, usize) = (8, 20);

/// The title of the drawn lags.
const LAGS: &str = "last 5m";

/// The title of what is odd.
pub(super) const ODD: &str = "odd";

/// What is odd has so many columns at least, where it needs them.
const ODD_COLUMNS: usize = 28;

/// At this lag a sparkline is at its highest, if none is higher.
const FULL_SECONDS: f64 = 10.0;

/// One column.
pub(super) struct NodeColumn {
    pub(super) title: &'static str,
    pub(super) cells: Vec<(String, Tone)>,
    /// How wide it is at least, and likes to be.
    least: usize,
    likes: usize,
    pub(super) width: usize,
    pub(super) to_the_right: bool,
    /// Whether its end matters, where it has to be cut: what is newest stands there.
    pub(super) keeps_its_end: bool,
    /// Those with a lower number come first where there is little room.
    rank: u8,
}

impl NodeColumn {
    fn new(title: &'static str, rank: u8, cells: Vec<(String, Tone)>) -> Self {
        let widest = cells.iter().map(|(text, _)| text.width()).max().unwrap_or(0);
        let likes = widest.max(title.width());
        Self { title, cells, least: likes, likes, width: 0, to_the_right: false, keeps_its_end: false, rank }
    }

    fn at_least(mut self, least: usize) -> Self {
        self.least = least.min(self.likes);
        self
    }

    fn liking(mut self, width: usize) -> Self {
        self.likes = self.likes.max(width);
        self
    }

    fn wide(mut self, width: usize) -> Self {
        self.likes = self.likes.max(width);
        self.least = self.least.max(width);
        self
    }

    fn with_end(mut self) -> Self {
        self.keeps_its_end = true;
        self
    }

    fn right(mut self) -> Self {
        self.to_the_right = true;
        self
    }
}

/// How wide columns are at least on a screen, where what stands in them changes and they are to keep their places.
const STEADY: [(&str, usize); 7] =
    [("record", 8), ("probe", 9), ("lag", 6), (LAGS, SPARK.0), ("beat", 6), ("gc in", 7), (ODD, ODD_COLUMNS)];

/// The columns of one frame that `width` has room for: those in which something stands.
pub(super) fn columns_of_text(nodes: &[&NodePicture], width: usize) -> Vec<NodeColumn> {
    let says_something = |column: &NodeColumn| column.cells.iter().any(|(text, _)| !text.trim().is_empty());
    fit(columns(nodes).into_iter().filter(|column| column.rank <= 4 || says_something(column)).collect(), width)
}

/// The columns of a frame that is followed by others.
pub(super) fn columns_on_screen(nodes: &[&NodePicture], width: usize) -> Vec<NodeColumn> {
    let steady = |column: NodeColumn| match STEADY.iter().find(|(title, _)| *title == column.title) {
        Some((_, least)) => column.wide(*least),
        None => column,
    };
    fit(columns(nodes).into_iter().map(steady).collect(), width)
}

/// All columns, in their order.
fn columns(nodes: &[&NodePicture]) -> Vec<NodeColumn> {
    let cells = |cell: fn(&NodePicture) -> (String, Tone)| nodes.iter().map(|node| cell(node)).collect::<Vec<_>>();
    let of_record = |name: &'static str| nodes.iter().map(|node| node_cell(&node.node, name)).collect::<Vec<_>>();
    vec![
        NodeColumn::new("node", 1, cells(|node| (node.node.id().to_string(), Tone::Plain))).at_least(14),
        NodeColumn::new("kind", 10, of_record("kind")),
        NodeColumn::new("record", 2, of_record("state")),
        NodeColumn::new("probe", 3, cells(probe)),
        NodeColumn::new("lag", 4, of_record("lag")).right(),
        NodeColumn::new(LAGS, 6, cells(spark)).liking(SPARK.1).at_least(SPARK.0).with_end(),
        NodeColumn::new("beat", 7, of_record("heartbeat_age")).right(),
        NodeColumn::new("gc in", 8, cells(gc)).right(),
        NodeColumn::new("disk left", 9, cells(disk)).right(),
        NodeColumn::new(ODD, 5, cells(odd)).at_least(ODD_COLUMNS),
    ]
}

/// Gives the room away: first to those that matter most what they need, then what they like.
fn fit(mut all: Vec<NodeColumn>, width: usize) -> Vec<NodeColumn> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| all[*at].rank);
    let mut left = width + GAP;
    for at in &order {
        let column = &mut all[*at];
        // The first is there in any case, cut if it must be.
        let wanted = if column.rank == 1 { column.least.min(width) } else { column.least };
        if wanted + GAP <= left {
            column.width = wanted;
            left -= wanted + GAP;
        }
    }
    for at in order {
        let column = &mut all[at];
        if column.width > 0 {
            let more = (column.likes - column.width).min(left);
            column.width += more;
            left -= more;
        }
    }
    all.retain(|column| column.width > 0);
    all
}

/// One number is no line.
fn spark(node: &NodePicture) -> (String, Tone) {
    if node.lags.len() < 2 {
        return (String::new(), Tone::Plain);
    }
    (sparkline(&node.lags, FULL_SECONDS), Tone::Note)
}

/// The word for what a probe found, and how much that matters beside the record.
fn probe(node: &NodePicture) -> (String, Tone) {
    let is_online = node.node.record.state == State::Online;
    match &node.probe {
        None => ("-".into(), Tone::Faint),
        Some(finding) if node.is_old => (format!("{} ?", finding.word()), Tone::Faint),
        Some(ProbeFinding::State(State::Online)) => ("online".into(), Tone::Good),
        Some(ProbeFinding::State(state)) => (format!("{state} ~"), Tone::Odd),
        Some(ProbeFinding::Refused) if is_online => ("refused !".into(), Tone::Bad),
        Some(ProbeFinding::Refused) => ("refused".into(), Tone::Faint),
        Some(ProbeFinding::Silent) => ("silent !".into(), Tone::Bad),
        Some(ProbeFinding::Other(_)) => ("other !".into(), Tone::Bad),
        Some(ProbeFinding::Unknown(_)) => ("unknown !".into(), Tone::Bad),
    }
}

fn disk(node: &NodePicture) -> (String, Tone) {
    match node.free_gib {
        None => (String::new(), Tone::Plain),
        Some(gib) if gib < FULL_DISK_GIB => (format!("{gib:.0} GiB !"), Tone::Bad),
        Some(gib) => (format!("{gib:.0} GiB"), Tone::Plain),
    }
}

fn gc(node: &NodePicture) -> (String, Tone) {
    match node.gc_hours {
        None => (String::new(), Tone::Plain),
        Some(hours) if hours <= 0.0 => ("overtaken !".into(), Tone::Bad),
        Some(hours) if hours < GC_SOON_HOURS => (format!("{} !", show_seconds(hours * 3600.0)), Tone::Odd),
        Some(hours) => (show_seconds(hours * 3600.0), Tone::Plain),
    }
}

fn odd(node: &NodePicture) -> (String, Tone) {
    match node.odd.is_empty() {
        true => (String::new(), Tone::Plain),
        false => (format!("! {}", on_one_line(&node.odd.join("; "))), Tone::Odd),
    }
}

/// How many Pumps and Drainers there are, and how many of them are odd.
pub(super) fn counted(nodes: &[NodePicture]) -> String {
    let count = |kind: Kind| nodes.iter().filter(|node| node.node.record.node.kind == kind).count();
    let word = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let odd = nodes.iter().filter(|node| !node.odd.is_empty()).count();
    let odd = if odd == 0 { String::new() } else { format!(", {odd} odd") };
    format!("{}, {}{odd}", word(count(Kind::Pump), "Pump"), word(count(Kind::Drainer), "Drainer"))
}
