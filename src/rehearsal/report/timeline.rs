//! The timeline: what truly became of the process and the record of each node, over virtual time.

use super::axis::{self, TimeAxis};
use super::canvas::{Anchor, Canvas, Layout};
use super::scale::Scale;
use super::{lanes, span, time};
use crate::node::RecordState;
use crate::rehearsal::story::{Story, Track};
use crate::rehearsal::truth::ProcessState;
use crate::sim::Micros;
use unicode_width::UnicodeWidthStr;

/// So many nodes are all drawn; of more, only those that changed.
pub(super) const FEW: usize = 12;
/// The most columns of an id that a chart shows.
const ID_COLUMNS: usize = 30;
/// What is narrower than this is drawn together with its neighbours.
const SLIVER: f64 = 1.2;

/// A stretch of time in which a process or record was the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) state: &'static str,
}

/// What a process was until `end`.
pub(super) fn process(track: &Track, end: Micros) -> Vec<Segment> {
    segments(track.process.iter().map(|(at, being)| (*at, ProcessState::name(*being))), end)
}

/// What a record said until `end`.
pub(super) fn record(track: &Track, end: Micros) -> Vec<Segment> {
    let name = |state: &Option<RecordState>| match state {
        None => "none",
        Some(RecordState::Known(state)) => state.name(),
        Some(RecordState::Other(_)) => "odd",
    };
    segments(track.record.iter().map(|(at, state)| (*at, name(state))), end)
}

fn segments(changes: impl Iterator<Item = (Micros, &'static str)>, end: Micros) -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::new();
    for (from, state) in changes.filter(|(at, _)| *at <= end) {
        if let Some(last) = found.last_mut() {
            last.to = from;
        }
        found.push(Segment { from, to: end, state });
    }
    found.retain(|segment| segment.to > segment.from);
    found.dedup_by(|next, before| {
        let same = next.state == before.state;
        if same {
            before.to = next.to;
        }
        same
    });
    found
}

/// Whether anything became of a node until `end`.
pub(super) fn changed(track: &Track, end: Micros) -> bool {
    process(track, end).len() > 1 || record(track, end).len() > 1
}

/// Until when a story is drawn: until its end, or its last harm after it.
pub(super) fn end_of(story: &Story) -> Micros {
    story.harms.iter().map(|harm| harm.at).chain([story.ended_at]).max().unwrap_or(0)
}

/// Time as the charts of a story show it.
pub(super) fn scale_of(story: &Story) -> Scale {
    let told = story.told.iter().map(|told| told.at);
    let tracks = story
        .tracks
        .iter()
        .flat_map(|track| track.process.iter().map(|(at, _)| *at).chain(track.record.iter().map(|(at, _)| *at)));
    let faults = story.faults.iter().map(|fault| fault.after.micros());
    Scale::new(told.chain(tracks).chain(faults), end_of(story))
}

/// The sizes of the rows.
struct Rows {
    process: f64,
    record: f64,
    has_words: bool,
}

/// Where time begins in a chart of these tracks: right of their ids and of what each bar is.
pub(super) fn left(canvas: &Canvas, tracks: &[&Track]) -> f64 {
    let captions = canvas.measure("process") + 8.0;
    let columns = tracks.iter().map(|track| track.node.width()).max().unwrap_or(0).min(ID_COLUMNS);
    match canvas.layout {
        Layout::Wide => canvas.measure(&"x".repeat(columns)) + 16.0 + captions,
        Layout::Narrow => captions,
    }
}

/// Draws `tracks`, and above them what the script did.
pub(super) fn chart(layout: Layout, story: &Story, scale: &Scale, tracks: &[&Track], about: &str) -> String {
    let mut canvas = Canvas::new(layout);
    let frame = TimeAxis::new(scale, layout, left(&canvas, tracks));
    let rows = match tracks.len() {
        0..=FEW => Rows { process: 18.0, record: 16.0, has_words: true },
        _ => Rows { process: 12.0, record: 8.0, has_words: false },
    };
    let top = 2.0;
    let first = lanes::draw(&mut canvas, &frame, story, top) + 6.0;
    let mut y = first;
    let shared = shared_beginning(tracks);
    for track in tracks {
        y = node(&mut canvas, &frame, track, shared, &rows, y, end_of(story));
    }
    frame.draw(&mut canvas, top, y);
    for (class, at) in lanes::moments(story) {
        canvas.line(class, (frame.x(at), first), (frame.x(at), y));
    }
    canvas.done(y + axis::HEIGHT, about)
}

/// How many bytes all ids begin with, up to a separator: what tells them apart comes after it.
fn shared_beginning(tracks: &[&Track]) -> usize {
    let Some((first, rest)) = tracks.split_first() else { return 0 };
    let same = |id: &str| first.node.char_indices().zip(id.chars()).take_while(|((_, a), b)| a == b).count();
    let count = rest.iter().map(|track| same(&track.node)).min().unwrap_or(0);
    let shared: String = first.node.chars().take(count).collect();
    let separators: Vec<usize> = shared.match_indices(['-', '.', '_']).map(|(at, _)| at + 1).collect();
    // One more word than what differs is kept: `pump-7` says more than `7`.
    separators.iter().rev().nth(1).copied().unwrap_or(0)
}

/// Two bars for a node, process above record; returns where they end.
fn node(
    canvas: &mut Canvas,
    frame: &TimeAxis<'_>,
    track: &Track,
    shared: usize,
    rows: &Rows,
    top: f64,
    end: Micros,
) -> f64 {
    let font = canvas.layout.font();
    let mut y = top;
    match canvas.layout {
        Layout::Wide => {
            let width = frame.left - canvas.measure("process") - 16.0;
            let id = match canvas.measure(&track.node) > width {
                true if shared > 0 => canvas.fitted(&format!("\u{2026}{}", &track.node[shared..]), width),
                _ => canvas.fitted(&track.node, width),
            };
            canvas.text("node", (4.0, y + rows.process / 2.0 + font * 0.35), Anchor::Start, &id);
        }
        Layout::Narrow => {
            let id = canvas.fitted(&track.node, frame.right - 4.0);
            canvas.text("node", (4.0, y + font), Anchor::Start, &id);
            y += font + 5.0;
        }
    }
    let bars = [("process", process(track, end), rows.process), ("record", record(track, end), rows.record)];
    for (what, segments, height) in bars {
        if rows.has_words {
            let foot = y + height / 2.0 + font * 0.35;
            canvas.text("caption", (frame.left - 6.0, foot), Anchor::End, what);
        }
        bar(canvas, frame, (&track.node, what), &segments, (y, height, rows.has_words));
        y += height + 2.0;
    }
    y + if rows.has_words { 10.0 } else { 5.0 }
}

fn bar(
    canvas: &mut Canvas,
    frame: &TimeAxis<'_>,
    (id, what): (&str, &str),
    segments: &[Segment],
    (y, height, has_words): (f64, f64, bool),
) {
    let mut slivers: Vec<Segment> = Vec::new();
    for segment in segments {
        let (from, to) = (frame.x(segment.from), frame.x(segment.to));
        if to - from < SLIVER {
            slivers.push(*segment);
            continue;
        }
        squeezed(canvas, frame, (id, what), &mut slivers, (y, height));
        canvas.area(&format!("s-{}", segment.state), (from, y), (to - from, height), &tip(id, what, segment));
        let words = [format!("{} {}", segment.state, span(segment.to - segment.from)), segment.state.to_owned()];
        let fits = |words: &&String| canvas.measure(words) + 8.0 <= to - from;
        if let Some(words) = words.iter().find(fits).filter(|_| has_words) {
            let foot = y + height / 2.0 + canvas.layout.font() * 0.35;
            canvas.text(&format!("w-{}", segment.state), (from + 4.0, foot), Anchor::Start, words);
        }
    }
    squeezed(canvas, frame, (id, what), &mut slivers, (y, height));
}

/// Draws what is too narrow to be seen on its own.
fn squeezed(
    canvas: &mut Canvas,
    frame: &TimeAxis<'_>,
    (id, what): (&str, &str),
    slivers: &mut Vec<Segment>,
    (y, height): (f64, f64),
) {
    let (Some(first), Some(last)) = (slivers.first(), slivers.last()) else { return };
    let (from, to) = (frame.x(first.from), frame.x(last.to));
    let (class, tip) = match slivers.len() {
        1 => (format!("s-{}", first.state), tip(id, what, first)),
        count => {
            let tip = format!("{id}, {what}: {count} changes from {} to {}", time(first.from), time(last.to));
            ("s-mixed".to_owned(), tip)
        }
    };
    let width = (to - from).max(SLIVER).min(frame.right + 1.0 - from);
    canvas.area(&class, (from, y), (width, height), &tip);
    slivers.clear();
}

fn tip(id: &str, what: &str, segment: &Segment) -> String {
    let Segment { from, to, state } = *segment;
    format!("{id}, {what}: {state} from {} to {} ({})", time(from), time(to), span(to - from))
}
