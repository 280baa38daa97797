//! Gauges for Prometheus, in text that two readers understand: OpenMetrics, and the older format of Prometheus, which is all
//! that the textfile collector of node_exporter reads.
//!
//! What only one of them takes is left out. The older one refuses the types `info`, `stateset` and `unknown`, the collector a file
//! with times; OpenMetrics refuses empty lines, comments, and text behind `# EOF`, which is a comment to the other. So there are gauges alone,
//! whose names end in none of the suffixes with a meaning (`_total`, `_info`, `_created`, `_bucket`, `_count`, `_sum`), and helps
//! without quotes and backslashes, which the two escape in different ways.

use crate::text::deceives;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The labels of one sample, each with its value, in the order in which they are written.
type Labels = Vec<(&'static str, String)>;

/// Values of one kind, which differ in their labels.
///
/// No two have the same labels: the collector would refuse them, and everything else that it has with them.
#[derive(Clone, Debug)]
pub struct Gauge {
    name: &'static str,
    help: &'static str,
    samples: BTreeMap<Labels, f64>,
}

impl Gauge {
    /// One without values so far.
    pub fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, samples: BTreeMap::new() }
    }

    /// Has `value` for these labels, in place of the one before.
    pub fn set<const N: usize>(&mut self, labels: [(&'static str, &str); N], value: f64) {
        self.samples.insert(Self::shown(labels), value);
    }

    /// Has one more for these labels.
    pub fn count<const N: usize>(&mut self, labels: [(&'static str, &str); N]) {
        *self.samples.entry(Self::shown(labels)).or_default() += 1.0;
    }

    fn shown<const N: usize>(labels: [(&'static str, &str); N]) -> Labels {
        labels.into_iter().map(|(name, value)| (name, label(value).into_owned())).collect()
    }
}

/// The document, in the order of `gauges` and, within each, of its labels.
pub(super) fn render(gauges: &[Gauge]) -> String {
    let mut text = String::new();
    for Gauge { name, help, samples } in gauges {
        text += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in samples {
            let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            text += &format!("{name}{{{}}} {value}\n", labels.join(","));
        }
    }
    text + "# EOF\n"
}

/// A value as it stands between quotes: three characters are escaped as both formats say. What would drive a terminal or hide is shown
/// as everywhere, since they have no escape for it.
fn label(value: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !matches!(c, '"' | '\\' | '\n') && !deceives(c);
    if value.chars().all(is_plain) {
        return Cow::Borrowed(value);
    }
    let mut whole = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        match c {
            '"' | '\\' => whole.extend(['\\', c]),
            '\n' => whole.push_str("\\n"),
            c if deceives(c) => whole.push_str(&format!("\\\\{}", c.escape_default().skip(1).collect::<String>())),
            c => whole.push(c),
        }
    }
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_both_formats_understand() {
        let mut up = Gauge::new("up", "Whether it is there.");
        up.set([("node", "b")], 0.0);
        up.set([("node", "a")], 0.25);
        up.set([("node", "b")], 1.0);
        let mut found = Gauge::new("found", "What was found.");
        found.count([("node", "a"), ("kind", "pump")]);
        found.count([("node", "a"), ("kind", "pump")]);
        let nothing = Gauge::new("nothing", "What nobody has.");
        insta::assert_snapshot!(render(&[up, nothing, found]), @r##"
        # HELP up Whether it is there.
        # TYPE up gauge
        up{node="a"} 0.25
        up{node="b"} 1
        # HELP nothing What nobody has.
        # TYPE nothing gauge
        # HELP found What was found.
        # TYPE found gauge
        found{node="a",kind="pump"} 2
        # EOF
        "##);
    }

    #[test]
    fn a_label_holds_whatever_it_is_given() {
        assert_eq!(label("pump-1 ü"), "pump-1 ü");
        assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
        assert_eq!(label("a\u{1b}[2J\r\u{202e}\u{200b}"), "a\\\\u{1b}[2J\\\\r\\\\u{202e}\\\\u{200b}");
    }
}
