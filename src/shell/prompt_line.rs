//! The text before an entry: where one is, and what is to be known before anything is typed.

use unicode_width::UnicodeWidthStr;

/// What stands in the place of the end of a cluster id that is not known yet.
const UNKNOWN: &str = "????";

/// The prompt, from what must be said to what can be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptLine {
    /// The cluster: `sandbox`, or `binlogsh(staging)`.
    pub place: String,
    /// The cluster id, if the place is a real cluster: not known yet, or known.
    pub id: Option<Option<u64>>,
    /// Whether it says that changes are made in production.
    pub production: bool,
    /// Whether it is red.
    pub is_red: bool,
    /// What else is to be known, the most important first: `read-only`, who holds the lock, how long it took.
    pub states: Vec<String>,
}

impl PromptLine {
    /// The text, without colours. With the last four digits of the cluster id it has always the same width.
    pub(super) fn text(&self) -> String {
        let id = match self.id {
            None => String::new(),
            Some(None) => format!("#{UNKNOWN}"),
            Some(Some(id)) => format!("#{:04}", id % 10_000),
        };
        let production = if self.production { " PRODUCTION" } else { "" };
        let states: String = self.states.iter().map(|state| format!(" [{state}]")).collect();
        format!("{}{id}{production}{states}> ", self.place)
    }

    /// As it fits into so many columns: what matters least goes first, and a third of the line is left for typing.
    pub(super) fn fitting(mut self, columns: usize) -> Self {
        while self.width() > columns * 2 / 3 && !self.states.is_empty() {
            self.states.pop();
        }
        self
    }

    pub(super) fn width(&self) -> usize {
        self.text().width()
    }

    /// The text, in colours if there are any: production is red.
    pub(super) fn shown(&self, colors: bool) -> String {
        let text = self.text();
        match (colors, self.is_red) {
            (false, _) => text,
            (true, true) => format!("\x1b[1;31m{text}\x1b[0m"),
            (true, false) => format!("\x1b[1;32m{text}\x1b[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_one_is_and_as_much_of_the_rest_as_fits() {
        let states = vec!["read-only".to_owned(), "3.2s".to_owned()];
        let line = PromptLine { place: "binlogsh(eu)".into(), id: Some(None), production: true, is_red: true, states };
        assert_eq!(line.text(), "binlogsh(eu)#???? PRODUCTION [read-only] [3.2s]> ");
        let known = PromptLine { id: Some(Some(7_012_340_042)), ..line.clone() };
        assert_eq!((known.text(), known.width()), (known.text(), line.width()));
        assert!(known.text().contains("#0042"));
        assert_eq!(line.clone().fitting(70).text(), "binlogsh(eu)#???? PRODUCTION [read-only]> ");
        assert_eq!(line.fitting(40).text(), "binlogsh(eu)#???? PRODUCTION> ");
    }
}
