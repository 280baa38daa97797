//! A story as the page shows it: its charts, its steps, and everything that is told.

use super::canvas::{Canvas, both};
use super::{fault_text, lag, lanes, span, time, timeline};
use crate::rehearsal::story::{Difference, Story, StoryLineKind, Track};
use crate::text::on_one_line;
use minijinja::Value;
use serde::Serialize;

/// How many nodes a chart shows.
const NODES: usize = 24;
/// How many lines of the story without faults are told.
const LINES: usize = 4_000;
/// How many lines of each other story are told.
const FEWER_LINES: usize = 400;

/// How much of a story is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// As much as a page can hold.
    Full,
    /// As much as one of many stories may take.
    Brief,
}

/// A story as the page shows it.
#[derive(Serialize)]
pub(super) struct Tale {
    timeline: Option<Value>,
    /// Charts of the nodes that changed and that the first chart has no room for.
    more_timelines: Vec<Value>,
    more_nodes: usize,
    /// Nodes that changed and are in no chart.
    left_out: usize,
    /// Nodes that stayed as they were and are in no chart.
    untouched: Vec<Untouched>,
    untouched_count: usize,
    steps: Vec<StepRow>,
    lags: Option<Value>,
    lag_rows: Vec<lag::LagRow>,
    told: Vec<TaleLine>,
    untold: usize,
    differences: Vec<DifferenceRow>,
    faults: Vec<String>,
    harms: Vec<HarmRow>,
}

/// Nodes that were the same all the time.
#[derive(Serialize)]
struct Untouched {
    kind: &'static str,
    process: &'static str,
    record: &'static str,
    nodes: Vec<String>,
}

#[derive(Serialize)]
struct StepRow {
    name: String,
    from: String,
    took: String,
}

#[derive(Serialize)]
struct TaleLine {
    at: String,
    class: &'static str,
    kind: &'static str,
    text: String,
    place: Option<String>,
}

#[derive(Serialize)]
struct DifferenceRow {
    node: String,
    what: String,
    before: String,
    after: String,
}

#[derive(Serialize)]
struct HarmRow {
    at: String,
    kind: &'static str,
    text: String,
}

impl Tale {
    pub(super) fn of(story: &Story, length: Length) -> Self {
        let scale = timeline::scale_of(story);
        let end = timeline::end_of(story);
        let all_are_drawn = story.tracks.len() <= timeline::FEW;
        let is_drawn = |track: &&Track| all_are_drawn || timeline::changed(track, end);
        let (drawn, untouched): (Vec<&Track>, Vec<&Track>) = story.tracks.iter().partition(is_drawn);
        let mut charts = drawn.chunks(NODES).map(|tracks| {
            let about = about(story, tracks);
            both(|layout| timeline::chart(layout, story, &scale, tracks, &about))
        });
        // Without any node the steps are drawn all the same.
        let first = charts
            .next()
            .unwrap_or_else(|| both(|layout| timeline::chart(layout, story, &scale, &[], &about(story, &[]))));
        let more_timelines: Vec<Value> = if length == Length::Full { charts.collect() } else { Vec::new() };
        let beyond = drawn.len().saturating_sub(NODES);
        let first_drawn = drawn.chunks(NODES).next().unwrap_or_default();
        let curves = lag::curves(story);
        let lag_about = format!("How far behind PD's time {} Drainers were over virtual time", story.lags.len());
        let lines = if length == Length::Full { LINES } else { FEWER_LINES };
        Self {
            timeline: Some(first),
            more_nodes: if more_timelines.is_empty() { 0 } else { beyond },
            left_out: if more_timelines.is_empty() { beyond } else { 0 },
            more_timelines,
            untouched: groups(&untouched, end),
            untouched_count: untouched.len(),
            steps: steps(story),
            lags: (!curves.is_empty()).then(|| {
                both(|layout| {
                    lag::chart(layout, &curves, &scale, timeline::left(&Canvas::new(layout), first_drawn), &lag_about)
                })
            }),
            lag_rows: lag::rows(&curves),
            told: told(story, lines),
            untold: story.told.len().saturating_sub(lines),
            differences: story.differences.iter().map(difference_row).collect(),
            faults: story
                .faults
                .iter()
                .map(|fault| format!("{}: {}", time(fault.after.micros()), fault_text(fault)))
                .collect(),
            harms: harms(story),
        }
    }
}

/// What a timeline shows, for those who cannot see it.
fn about(story: &Story, tracks: &[&Track]) -> String {
    let nodes: Vec<String> = tracks.iter().map(|track| track.node.to_string()).collect();
    let nodes = if nodes.is_empty() { "no node".to_owned() } else { nodes.join(", ") };
    format!(
        "Process and record of {nodes} over {} of virtual time, below the steps of the script",
        span(story.ended_at)
    )
}

fn groups(tracks: &[&Track], end: i64) -> Vec<Untouched> {
    let mut found: Vec<Untouched> = Vec::new();
    for track in tracks {
        let process = timeline::process(track, end).first().map_or("down", |segment| segment.state);
        let record = timeline::record(track, end).first().map_or("none", |segment| segment.state);
        let kind = track.kind.title();
        let same = |group: &&mut Untouched| (group.kind, group.process, group.record) == (kind, process, record);
        match found.iter_mut().find(same) {
            Some(group) => group.nodes.push(track.node.to_string()),
            None => found.push(Untouched { kind, process, record, nodes: vec![track.node.to_string()] }),
        }
    }
    found
}

fn steps(story: &Story) -> Vec<StepRow> {
    let row = |step: lanes::StepSpan<'_>| StepRow {
        name: step.name.to_owned(),
        from: time(step.from),
        took: span(step.to - step.from),
    };
    lanes::steps(story).into_iter().map(row).collect()
}

/// Ids and addresses come from outside; none of them begins a line of the page.
fn difference_row(difference: &Difference) -> DifferenceRow {
    DifferenceRow {
        node: difference.node.to_string(),
        what: difference.what.clone(),
        before: on_one_line(&difference.before).into_owned(),
        after: on_one_line(&difference.after).into_owned(),
    }
}

fn told(story: &Story, lines: usize) -> Vec<TaleLine> {
    let line = |told: &crate::rehearsal::story::StoryLine| {
        let (class, kind) = word(told.kind);
        let place = told.place.as_ref().map(|place| format!("line {}", place.line));
        TaleLine { at: time(told.at), class, kind, text: told.text.clone(), place }
    };
    story.told.iter().take(lines).map(line).collect()
}

/// The class of a line of a story, and the word for it.
fn word(kind: StoryLineKind) -> (&'static str, &'static str) {
    match kind {
        StoryLineKind::Fault => ("fault", "fault"),
        StoryLineKind::Step => ("step", "step"),
        StoryLineKind::Asked => ("asked", "question"),
        StoryLineKind::Effect => ("effect", "act"),
        StoryLineKind::Cluster => ("cluster", "cluster"),
        StoryLineKind::Meaning => ("meaning", "means"),
        StoryLineKind::Waiting => ("waiting", "waits"),
        StoryLineKind::Printed => ("printed", "prints"),
        StoryLineKind::Warning => ("warning", "warning"),
        StoryLineKind::Harm => ("harm", "harm"),
        StoryLineKind::End => ("end", "end"),
    }
}

fn harms(story: &Story) -> Vec<HarmRow> {
    let row = |harm: &crate::rehearsal::harm::Harm| HarmRow {
        at: time(harm.at),
        kind: harm.kind.name(),
        text: harm.text.clone(),
    };
    story.harms.iter().map(row).collect()
}
