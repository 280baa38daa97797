//! Places in a text, as people, Rhai and byte offsets name them.

use rhai::Position;

/// A place in a text: both numbers from 1, the column in characters. A line of 0 is no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Spot {
    /// The place so many bytes behind the beginning of `text`.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        Lines::of(text).spot(byte)
    }

    /// The same place for Rhai, whose numbers end at 65,535.
    pub(crate) fn position(self) -> Position {
        let fits = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Position::new(fits(self.line), fits(self.column))
    }
}

impl From<Position> for Spot {
    fn from(position: Position) -> Self {
        Self { line: position.line().unwrap_or(0), column: position.position().unwrap_or(1) }
    }
}

/// Where the lines of a text begin, for whoever asks for many places in it.
pub(crate) struct Lines<'t> {
    text: &'t str,
    begins: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, begins: begins.collect() }
    }

    /// The place so many bytes behind the beginning.
    pub(crate) fn spot(&self, byte: usize) -> Spot {
        let line = self.begins.partition_point(|begins| *begins <= byte);
        Spot { line, column: self.before(byte).chars().count() + 1 }
    }

    /// What stands before that place on its line.
    pub(crate) fn before(&self, byte: usize) -> &'t str {
        let line = self.begins.partition_point(|begins| *begins <= byte);
        &self.text[self.begins[line - 1]..byte]
    }
}
