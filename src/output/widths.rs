//! How wide the columns of a table are where it has less room than it would like: what matters least shrinks first.

/// Between two columns.
pub(super) const GAP: usize = 2;

/// How narrow a column of texts may become, and how narrow one whose texts are long.
const TEXT: (usize, usize) = (12, 40);
/// A long text is given so much room that it has about so many lines.
const TEXT_LINES: usize = 3;
/// Before a text becomes narrower than this, ids and addresses do.
const EASY: usize = 24;
/// The same for a column of ids or addresses.
const WORD: (usize, usize) = (21, 32);
const WORD_LINES: usize = 3;

/// How a column bears being narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shrinks {
    /// Not at all: a number, an age, a state.
    Never,
    /// Only if texts have done so already: an id, an address.
    AsWord,
    /// First of all: texts, which read well on several lines, and nested values.
    AsText,
}

/// What a column needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// Its widest cell.
    pub(super) cells: usize,
    /// Its name.
    pub(super) name: usize,
    /// The widest part of its name, which may be cut where its words end.
    pub(super) name_part: usize,
    /// How it bears being narrow.
    pub(super) shrinks: Shrinks,
}

impl Need {
    fn natural(&self) -> usize {
        self.cells.max(self.name)
    }

    fn least(&self) -> usize {
        let of = |(least, most): (usize, usize), lines: usize| (self.cells / lines).clamp(least, most).min(self.cells);
        let cells = match self.shrinks {
            Shrinks::Never => self.cells,
            Shrinks::AsWord => of(WORD, WORD_LINES),
            Shrinks::AsText => of(TEXT, TEXT_LINES),
        };
        cells.max(self.name_part)
    }
}

/// How wide each column is in so much room, in the order of their importance; `None` where even the least is too much.
pub(super) fn fitted(needs: &[Need], room: Option<usize>) -> Option<Vec<usize>> {
    let mut widths: Vec<usize> = needs.iter().map(Need::natural).collect();
    let Some(room) = room else { return Some(widths) };
    let total = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP);
    let too_much = |widths: &[usize]| total(widths).saturating_sub(room);
    if too_much(&widths) > 0 {
        // A name on two lines costs nobody anything.
        widths = needs.iter().map(|need| need.cells.max(need.name_part)).collect();
    }
    let shrink_texts = |widths: &mut [usize], least: usize| {
        while too_much(widths) > 0
            && let Some(text) = widest_text(needs, widths, least)
        {
            widths[text] -= 1;
        }
    };
    shrink_texts(&mut widths, EASY);
    for at in (0..needs.len()).rev().filter(|at| needs[*at].shrinks == Shrinks::AsWord) {
        let spare = widths[at].saturating_sub(needs[at].least());
        widths[at] -= spare.min(too_much(&widths));
    }
    shrink_texts(&mut widths, 0);
    (too_much(&widths) == 0).then_some(widths)
}

/// Whether so much room is too little for the cells as they are.
pub(super) fn is_short_of(needs: &[Need], room: usize) -> bool {
    let total: usize = needs.iter().map(|need| need.cells.max(need.name_part) + GAP).sum();
    total.saturating_sub(GAP) > room
}

/// The widest column of texts that can still become narrower, but not than `least`; of equal ones the last.
fn widest_text(needs: &[Need], widths: &[usize], least: usize) -> Option<usize> {
    let can = |at: &usize| needs[*at].shrinks == Shrinks::AsText && widths[*at] > needs[*at].least().max(least);
    (0..needs.len()).filter(can).max_by_key(|at| widths[*at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(cells: usize, name: usize, shrinks: Shrinks) -> Need {
        Need { cells, name, name_part: name, shrinks }
    }

    #[test]
    fn names_give_way_first_then_texts_then_addresses_then_ids() {
        let (id, address) = (need(30, 2, Shrinks::AsWord), need(30, 7, Shrinks::AsWord));
        let (age, text) = (Need { name_part: 10, ..need(4, 13, Shrinks::Never) }, need(60, 3, Shrinks::AsText));
        let widths = |room| fitted(&[id, address, age, text], room);
        assert_eq!(widths(None), Some(vec![30, 30, 13, 60]));
        assert_eq!(widths(Some(139)), Some(vec![30, 30, 13, 60]));
        assert_eq!(widths(Some(138)), Some(vec![30, 30, 10, 60]));
        assert_eq!(widths(Some(100)), Some(vec![30, 30, 10, 24]));
        assert_eq!(widths(Some(90)), Some(vec![29, 21, 10, 24]));
        assert_eq!(widths(Some(80)), Some(vec![21, 21, 10, 22]));
        assert_eq!(widths(Some(78)), Some(vec![21, 21, 10, 20]));
        assert_eq!(widths(Some(77)), None);
    }

    #[test]
    fn of_two_texts_the_longer_gives_way() {
        let texts = [need(30, 4, Shrinks::AsText), need(90, 4, Shrinks::AsText)];
        assert_eq!(fitted(&texts, Some(82)), Some(vec![30, 50]));
        assert_eq!(fitted(&texts, Some(52)), Some(vec![20, 30]));
        assert_eq!(fitted(&texts, Some(20)), None);
    }
}
