//! A story as lines of text: the time, a mark for what sort of thing happened, and what it was.

use super::{Story, StoryLine, StoryLineKind};
use crate::sim::Micros;
use crate::time::show_seconds;

impl Story {
    /// How many columns the times need.
    pub fn width(&self) -> usize {
        self.told.iter().map(|told| span(told.at).chars().count()).max().unwrap_or(0)
    }

    /// The story, line by line, without what the script showed as tables.
    pub fn lines(&self) -> Vec<String> {
        let width = self.width();
        let line = |told: &StoryLine| format!("{}{}", told.head(width), told.text.replace('\n', "\n      "));
        self.told.iter().map(line).collect()
    }
}

impl StoryLineKind {
    /// The mark before a line of a story.
    fn mark(self) -> &'static str {
        match self {
            Self::Step => "==>",
            Self::Effect => "  -",
            Self::Asked => "  ?",
            Self::Cluster => "   ",
            Self::Meaning => "  =",
            Self::Fault => " !!",
            Self::Waiting => "  .",
            Self::Printed => "  >",
            Self::Warning => "  *",
            Self::Harm => "!!!",
            Self::End => "===",
        }
    }
}

impl StoryLine {
    /// What stands before the text: the time, in so many columns, and a mark.
    pub fn head(&self, width: usize) -> String {
        format!("{:>width$} {} ", span(self.at), self.kind.mark())
    }
}

/// A length of time as a story says it: to a tenth of a second.
fn span(length: Micros) -> String {
    show_seconds((length / 100_000) as f64 / 10.0)
}
