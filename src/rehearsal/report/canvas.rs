//! What every chart is drawn with: two layouts, boxes and words in SVG. Colours are classes, so that they follow the
//! reader's scheme; the words are in a monospaced font, so that their width is known.

use crate::text::on_one_line;
use minijinja::Value;
use svg::Node;
use svg::node::element::{Element, Group, Line, Rectangle, SVG, Text, Title};
use unicode_width::UnicodeWidthStr;

/// How wide a column of the monospaced font is, as a share of its height.
const COLUMN: f64 = 0.61;

/// The layouts that every chart is drawn in; a page shows the one that suits its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// For desks.
    Wide,
    /// For phones.
    Narrow,
}

impl Layout {
    pub(super) const ALL: [Layout; 2] = [Self::Wide, Self::Narrow];

    /// The width of a chart.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Wide => 1080.0,
            Self::Narrow => 344.0,
        }
    }

    /// The height of its words.
    pub(super) fn font(self) -> f64 {
        match self {
            Self::Wide => 12.0,
            Self::Narrow => 11.0,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Wide => "chart wide",
            Self::Narrow => "chart narrow",
        }
    }
}

/// Where a word stands: its place is the left end, the middle or the right end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A chart that is being drawn.
pub(super) struct Canvas {
    pub(super) layout: Layout,
    behind: Vec<Element>,
    parts: Vec<Element>,
}

impl Canvas {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, behind: Vec::new(), parts: Vec::new() }
    }

    pub(super) fn width(&self) -> f64 {
        self.layout.width()
    }

    /// How wide `text` is.
    pub(super) fn measure(&self, text: &str) -> f64 {
        text.width() as f64 * self.layout.font() * COLUMN
    }

    /// `text`, or as much of its beginning and end as fits into `width`; nothing where not even a few letters do.
    pub(super) fn fitted(&self, text: &str, width: f64) -> String {
        if self.measure(text) <= width {
            return text.to_owned();
        }
        let room = (width / self.measure("x")) as usize;
        if room < 5 {
            return String::new();
        }
        let (mut head, mut tail) = (String::new(), String::new());
        for letter in text.chars() {
            if head.width() + letter.to_string().width() > room / 2 {
                break;
            }
            head.push(letter);
        }
        for letter in text.chars().rev() {
            if tail.width() + letter.to_string().width() + head.width() + 1 > room {
                break;
            }
            tail.insert(0, letter);
        }
        format!("{head}\u{2026}{tail}")
    }

    /// Words, on a line whose foot is at `y`.
    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let words = Text::new(on_one_line(text))
            .set("class", class)
            .set("x", tenth(x))
            .set("y", tenth(y))
            .set("text-anchor", anchor);
        self.parts.push(words.into());
    }

    /// A box with a tip that says all there is to say of it.
    pub(super) fn area(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), tip: &str) {
        let mut area = Rectangle::new().set("class", class).set("x", tenth(x)).set("y", tenth(y));
        area = area.set("width", tenth(width)).set("height", tenth(height));
        if !tip.is_empty() {
            area = area.add(Title::new(on_one_line(tip)));
        }
        self.parts.push(area.into());
    }

    /// A straight line.
    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let line = Line::new().set("class", class).set("x1", tenth(x1)).set("y1", tenth(y1));
        self.parts.push(line.set("x2", tenth(x2)).set("y2", tenth(y2)).into());
    }

    /// Puts what was drawn last behind everything else.
    pub(super) fn put_behind(&mut self) {
        self.behind.extend(self.parts.pop());
    }

    /// A line through points.
    pub(super) fn curve(&mut self, class: &str, points: &[(f64, f64)], tip: &str) {
        let places: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", tenth(*x), tenth(*y))).collect();
        let mut curve = Element::new("polyline");
        curve.assign("class", class);
        curve.assign("points", places.join(" "));
        curve.append(Title::new(on_one_line(tip)));
        self.parts.push(curve);
    }

    /// A small diamond around a point.
    pub(super) fn diamond(&mut self, class: &str, (x, y): (f64, f64), tip: &str) {
        let mut diamond = Element::new("polygon");
        let corner = |dx: f64, dy: f64| format!("{},{}", tenth(x + dx), tenth(y + dy));
        let corners = [corner(0.0, -5.0), corner(5.0, 0.0), corner(0.0, 5.0), corner(-5.0, 0.0)];
        diamond.assign("class", class);
        diamond.assign("points", corners.join(" "));
        diamond.append(Title::new(on_one_line(tip)));
        self.parts.push(diamond);
    }

    /// The chart, so high, with what it shows in a sentence.
    pub(super) fn done(self, height: f64, about: &str) -> String {
        let mut group = Group::new();
        for part in self.behind.into_iter().chain(self.parts) {
            group = group.add(part);
        }
        let (width, height) = (self.layout.width(), tenth(height));
        let chart = SVG::new()
            .set("class", self.layout.class())
            .set("viewBox", format!("0 0 {width} {height}"))
            .set("role", "img")
            .set("aria-label", on_one_line(about).into_owned())
            .add(Title::new(on_one_line(about)))
            .add(group);
        chart.to_string()
    }
}

/// Both layouts of a chart, as the page takes them.
pub(super) fn both(draw: impl Fn(Layout) -> String) -> Value {
    Value::from_safe_string(Layout::ALL.map(draw).join("\n"))
}

/// A place to the tenth: finer is not seen, and the same on every machine.
fn tenth(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}
