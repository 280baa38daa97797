//! The curves of how far behind each Drainer was.

use super::axis::{self, TimeAxis};
use super::canvas::{Anchor, Canvas, Layout};
use super::scale::{Scale, mark_text, step_for};
use super::{span, time};
use crate::rehearsal::story::{LagCurve, Story};
use crate::sim::{Micros, SECOND};
use serde::Serialize;

/// The height of the chart without its axis.
const HEIGHT: f64 = 150.0;
/// How many curves have a colour of their own; the rest share the last one.
const COLOURS: usize = 5;

/// Drainers that were equally far behind all the time, and their curve.
pub(super) struct Curve<'a> {
    drainers: Vec<String>,
    points: &'a [(Micros, Micros)],
}

/// A curve in words.
#[derive(Serialize)]
pub(super) struct LagRow {
    colour: usize,
    drainers: String,
    first: String,
    highest: String,
    when: String,
    last: String,
}

/// The curves of a story, those that went highest first.
pub(super) fn curves(story: &Story) -> Vec<Curve<'_>> {
    let mut curves: Vec<Curve<'_>> = Vec::new();
    for LagCurve { drainer, points } in story.lags.iter().filter(|curve| !curve.points.is_empty()) {
        match curves.iter_mut().find(|curve| curve.points == points.as_slice()) {
            Some(curve) => curve.drainers.push(drainer.to_string()),
            None => curves.push(Curve { drainers: vec![drainer.to_string()], points }),
        }
    }
    curves.sort_by_key(|curve| std::cmp::Reverse(curve.highest().1));
    curves
}

impl Curve<'_> {
    /// The highest point: when, and how far behind.
    fn highest(&self) -> (Micros, Micros) {
        self.points.iter().copied().max_by_key(|(at, lag)| (*lag, std::cmp::Reverse(*at))).unwrap_or((0, 0))
    }

    fn names(&self) -> String {
        match self.drainers.as_slice() {
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            all => all.join(", "),
        }
    }
}

fn colour(place: usize) -> usize {
    place.min(COLOURS)
}

/// The curves in words.
pub(super) fn rows(curves: &[Curve<'_>]) -> Vec<LagRow> {
    let row = |(place, curve): (usize, &Curve<'_>)| {
        let (at, highest) = curve.highest();
        let lag = |point: Option<&(Micros, Micros)>| span(point.map_or(0, |(_, lag)| *lag));
        LagRow {
            colour: colour(place),
            drainers: curve.names(),
            first: lag(curve.points.first()),
            highest: span(highest),
            when: time(at),
            last: lag(curve.points.last()),
        }
    };
    curves.iter().enumerate().map(row).collect()
}

/// Draws the curves, below a chart whose time begins at `left`.
pub(super) fn chart(layout: Layout, curves: &[Curve<'_>], scale: &Scale, left: f64, about: &str) -> String {
    let mut canvas = Canvas::new(layout);
    let highest = curves.iter().map(|curve| curve.highest().1).max().unwrap_or(0).max(SECOND);
    let step = step_for(highest, 4.0);
    let limit = (highest + step - 1) / step * step;
    let marks: Vec<Micros> = (0..=limit / step).map(|mark| mark * step).collect();
    let widest = marks.iter().map(|mark| canvas.measure(&mark_text(*mark))).fold(0.0, f64::max);
    let frame = TimeAxis::new(scale, layout, left.max(widest + 12.0));
    let top = canvas.layout.font() + 14.0;
    let bottom = top + HEIGHT;
    let y = |lag: Micros| bottom - (lag.clamp(0, limit) as f64 / limit as f64) * HEIGHT;
    let name = "behind PD's time";
    let begin = (frame.left - 6.0 - canvas.measure(name)).max(2.0);
    canvas.text("about-axis", (begin, canvas.layout.font()), Anchor::Start, name);
    for mark in marks {
        canvas.line("grid", (frame.left, y(mark)), (frame.right, y(mark)));
        canvas.put_behind();
        let foot = y(mark) + canvas.layout.font() * 0.35;
        canvas.text("mark", (frame.left - 6.0, foot), Anchor::End, &mark_text(mark));
    }
    for (place, curve) in curves.iter().enumerate().rev() {
        let points: Vec<(f64, f64)> = curve.points.iter().map(|(at, lag)| (frame.x(*at), y(*lag))).collect();
        let (at, lag) = curve.highest();
        let tip = format!("{}: at most {} behind, at {}", curve.names(), span(lag), time(at));
        canvas.curve(&format!("lag l{}", colour(place)), &thinned(&points), &tip);
    }
    frame.draw(&mut canvas, top, bottom);
    canvas.done(bottom + axis::HEIGHT, about)
}

/// Of the points that lie on one pixel, the first, the highest, the lowest and the last.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for pixel in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut chosen: Vec<(f64, f64)> =
            [pixel.first(), pixel.iter().min_by(by_height), pixel.iter().max_by(by_height), pixel.last()]
                .into_iter()
                .flatten()
                .copied()
                .collect();
        chosen.sort_by(|a, b| a.0.total_cmp(&b.0));
        chosen.dedup();
        kept.extend(chosen);
    }
    kept
}
