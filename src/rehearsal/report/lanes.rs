//! What stands above the nodes of a timeline: the script's steps, what it did, what went wrong and which harm it did.

use super::axis::TimeAxis;
use super::canvas::{Anchor, Canvas};
use super::{fault_text, span};
use crate::rehearsal::story::{Story, StoryLine, StoryLineKind};
use crate::sim::Micros;

/// The height of a lane.
const LANE: f64 = 18.0;
/// How many faults and harms have a lane of their own; the story tells of all of them.
const LANES: usize = 8;
/// Between two words at least.
const APART: f64 = 6.0;

/// A step: its name, and from when to when.
pub(super) struct StepSpan<'a> {
    pub(super) name: &'a str,
    pub(super) from: Micros,
    pub(super) to: Micros,
}

/// The steps of a story: each lasts until the next one begins, the last one until the end.
pub(super) fn steps(story: &Story) -> Vec<StepSpan<'_>> {
    let begun: Vec<&StoryLine> = story.told.iter().filter(|told| told.kind == StoryLineKind::Step).collect();
    let ends = begun.iter().skip(1).map(|told| told.at).chain([story.ended_at]);
    begun.iter().zip(ends).map(|(told, to)| StepSpan { name: &told.text, from: told.at, to: to.max(told.at) }).collect()
}

/// The moments that are drawn through the nodes: when a fault began, when harm was done; each with its class.
pub(super) fn moments(story: &Story) -> Vec<(&'static str, Micros)> {
    let faults = story.faults.iter().take(LANES).map(|fault| ("fault-line", fault.after.micros()));
    faults.chain(story.harms.iter().take(LANES).map(|harm| ("harm-line", harm.at))).collect()
}

/// Draws all lanes from `top` down, and returns where they end.
pub(super) fn draw(canvas: &mut Canvas, frame: &TimeAxis<'_>, story: &Story, top: f64) -> f64 {
    let mut y = top;
    let steps = steps(story);
    if !steps.is_empty() {
        y += canvas.layout.font() + 3.0;
        numbers(canvas, frame, &steps, y - 4.0);
        bands(canvas, frame, &steps, y);
        caption(canvas, frame, y, "steps");
        y += LANE + 4.0;
    }
    if story.told.iter().any(|told| told.kind == StoryLineKind::Effect) {
        caption(canvas, frame, y, "acts");
        acts(canvas, frame, story, y + LANE / 2.0);
        y += LANE + 2.0;
    }
    for fault in story.faults.iter().take(LANES) {
        let from = fault.after.micros();
        let to = fault.lasts.map_or(Micros::MAX, |lasts| from.saturating_add(lasts.micros()));
        caption(canvas, frame, y, "fault");
        event(canvas, frame, y, (from, to), ("fault", &fault_text(fault)));
        y += LANE + 2.0;
    }
    for harm in story.harms.iter().take(LANES) {
        caption(canvas, frame, y, "harm");
        event(canvas, frame, y, (harm.at, harm.at), ("harm", harm.kind.name()));
        y += LANE + 2.0;
    }
    if story.harms.iter().any(|harm| harm.at > story.ended_at) {
        caption(canvas, frame, y, "end");
        event(canvas, frame, y, (story.ended_at, story.ended_at), ("ends", "the script ends"));
        y += LANE + 2.0;
    }
    y
}

/// What a lane is, in the column left of it.
fn caption(canvas: &mut Canvas, frame: &TimeAxis<'_>, y: f64, text: &str) {
    canvas.text("caption", (frame.left - APART, y + LANE - 5.0), Anchor::End, text);
}

/// The numbers of the steps, those that lie close together as one range.
fn numbers(canvas: &mut Canvas, frame: &TimeAxis<'_>, steps: &[StepSpan<'_>], foot: f64) {
    let mut groups: Vec<(usize, usize, f64)> = Vec::new();
    let text = |first: usize, last: usize| match first == last {
        true => first.to_string(),
        false => format!("{first}\u{2013}{last}"),
    };
    for (number, step) in (1..).zip(steps) {
        let x = frame.x(step.from);
        match groups.last_mut() {
            Some((first, last, begin)) if x < *begin + canvas.measure(&text(*first, *last)) + APART => *last = number,
            _ => groups.push((number, number, x)),
        }
    }
    // The last one moves to the left to stay inside; whom it would cover then it takes in.
    while let Some((first, last, x)) = groups.pop() {
        let x = x.min(frame.right - canvas.measure(&text(first, last)));
        match groups.last_mut() {
            Some((before, until, begin)) if x < *begin + canvas.measure(&text(*before, *until)) + APART => {
                *until = last
            }
            _ => {
                groups.push((first, last, x));
                break;
            }
        }
    }
    for (first, last, x) in groups {
        canvas.text("number", (x, foot), Anchor::Start, &text(first, last));
    }
}

/// The steps themselves, with their names where there is room.
fn bands(canvas: &mut Canvas, frame: &TimeAxis<'_>, steps: &[StepSpan<'_>], y: f64) {
    let mut drawn = f64::MIN;
    for (number, step) in (1..).zip(steps) {
        let (from, to) = (frame.x(step.from), frame.x(step.to).max(frame.x(step.from) + 1.5));
        if to - drawn < 1.0 {
            continue;
        }
        drawn = to;
        let class = if number % 2 == 0 { "step even" } else { "step odd" };
        let tip = format!("{number}. {}: from {} to {}", step.name, super::time(step.from), super::time(step.to));
        canvas.area(class, (from, y), (to - from, LANE), &tip);
        if canvas.measure(step.name) + APART <= to - from {
            canvas.text("step-name", (from + APART / 2.0, y + LANE - 5.0), Anchor::Start, step.name);
        }
    }
}

/// A diamond for what the script did; what lies close together has one.
fn acts(canvas: &mut Canvas, frame: &TimeAxis<'_>, story: &Story, y: f64) {
    let mut last: Option<(f64, String)> = None;
    for told in story.told.iter().filter(|told| told.kind == StoryLineKind::Effect) {
        let x = frame.x(told.at);
        let line = format!("{}: {}", super::time(told.at), told.text);
        match &mut last {
            Some((place, tip)) if x - *place < 6.0 => {
                if tip.lines().count() < 6 {
                    *tip += &format!("\n{line}");
                }
            }
            _ => {
                if let Some((place, tip)) = last.replace((x, line)) {
                    canvas.diamond("act", (place, y), &tip);
                }
            }
        }
    }
    if let Some((place, tip)) = last {
        canvas.diamond("act", (place, y), &tip);
    }
}

/// What lasts from a time to another, with its name in it or beside it.
fn event(canvas: &mut Canvas, frame: &TimeAxis<'_>, y: f64, (from, to): (Micros, Micros), (class, text): (&str, &str)) {
    let begin = frame.x(from);
    let end = frame.x(to).max(begin + 3.0).min(frame.right + 3.0);
    let lasts = if to > from && to < Micros::MAX { format!(" for {}", span(to - from)) } else { String::new() };
    canvas.area(class, (begin, y + 1.0), (end - begin, LANE - 2.0), &format!("{}: {text}{lasts}", super::time(from)));
    let foot = y + LANE - 5.0;
    let width = canvas.measure(text) + 2.0 * APART;
    let name = format!("{class}-name");
    if width <= end - begin {
        canvas.text(&name, (begin + APART, foot), Anchor::Start, text);
    } else if frame.right - end >= width || frame.right - end >= begin - frame.left {
        let fitted = canvas.fitted(text, frame.right - end - APART);
        canvas.text(&name, (end + APART, foot), Anchor::Start, &fitted);
    } else {
        let fitted = canvas.fitted(text, begin - frame.left - APART);
        canvas.text(&name, (begin - APART, foot), Anchor::End, &fitted);
    }
}
