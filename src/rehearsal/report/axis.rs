//! The time axis that timelines and curves share: the same time stands at the same place in both.

use super::canvas::{Anchor, Canvas, Layout};
use super::scale::{Scale, mark_text};
use super::span;
use crate::sim::Micros;

/// The height of an axis below a chart.
pub(super) const HEIGHT: f64 = 40.0;
/// What is kept free at the right end.
const MARGIN: f64 = 10.0;

/// Where on a canvas time runs.
pub(super) struct TimeAxis<'a> {
    pub(super) scale: &'a Scale,
    pub(super) left: f64,
    pub(super) right: f64,
}

impl<'a> TimeAxis<'a> {
    /// Right of a column of `left` pixels.
    pub(super) fn new(scale: &'a Scale, layout: Layout, left: f64) -> Self {
        Self { scale, left, right: layout.width() - MARGIN }
    }

    /// Where a time is.
    pub(super) fn x(&self, at: Micros) -> f64 {
        self.left + self.scale.share(at) * (self.right - self.left)
    }

    /// Draws the axis below `bottom`, and its lines up to `top`.
    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64, bottom: f64) {
        canvas.line("axis", (self.left, bottom), (self.right, bottom));
        let foot = bottom + canvas.layout.font() + 4.0;
        let mut taken: Vec<(f64, f64)> = Vec::new();
        for stretch in self.scale.stretches.iter().filter(|stretch| stretch.is_shortened()) {
            let (from, to) = (self.x(stretch.from), self.x(stretch.to));
            let label = format!("\u{2248}{}", span(stretch.to - stretch.from));
            canvas.area(
                "gap",
                (from, top),
                (to - from, bottom - top),
                &format!("{label} in which nothing happens, shortened"),
            );
            canvas.put_behind();
            self.label(canvas, &mut taken, (from + to) / 2.0, foot, ("gap-mark", &label));
        }
        let room = canvas.measure("00m00s") + 14.0;
        for at in self.scale.marks(self.right - self.left, room) {
            let x = self.x(at);
            if self.label(canvas, &mut taken, x, foot, ("mark", &mark_text(at))) {
                canvas.line("grid", (x, top), (x, bottom + 4.0));
                canvas.put_behind();
            }
        }
        let about = "virtual time since the start";
        canvas.text("about-axis", ((self.left + self.right) / 2.0, foot + 17.0), Anchor::Middle, about);
    }

    /// A mark below the axis, if there is room for it.
    fn label(
        &self,
        canvas: &mut Canvas,
        taken: &mut Vec<(f64, f64)>,
        x: f64,
        foot: f64,
        (class, text): (&str, &str),
    ) -> bool {
        let half = canvas.measure(text) / 2.0 + 3.0;
        let middle = x.min(canvas.width() - half).max(half);
        let (from, to) = (middle - half, middle + half);
        if taken.iter().any(|(begin, end)| from < *end && to > *begin) {
            return false;
        }
        taken.push((from, to));
        canvas.text(class, (middle, foot), Anchor::Middle, text);
        true
    }
}
