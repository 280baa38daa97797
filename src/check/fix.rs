//! Fixes what is beyond doubt.

use crate::check::finding::RuleFinding;
use crate::language::tree::Spot;

/// `text` with every fix of `findings` that still fits, and how many those are. Everything else stays as it is, byte for
/// byte.
pub fn fixed(text: &str, findings: &[RuleFinding]) -> (String, usize) {
    let mut fixes: Vec<(usize, &str, &str)> = findings
        .iter()
        .filter_map(|finding| {
            let fix = finding.fix.as_ref()?;
            let begins = offset(text, finding.at)?;
            text.get(begins..)?.starts_with(&fix.from).then_some((begins, fix.from.as_str(), fix.to.as_str()))
        })
        .collect();
    fixes.sort_unstable();
    fixes.dedup_by(|next, first| next.0 < first.0 + first.1.len());
    let mut fixed_text = String::with_capacity(text.len());
    let mut done = 0;
    for (begins, from, to) in &fixes {
        fixed_text.push_str(text.get(done..*begins).unwrap_or_default());
        fixed_text.push_str(to);
        done = begins + from.len();
    }
    fixed_text.push_str(text.get(done..).unwrap_or_default());
    (fixed_text, fixes.len())
}

/// Where `spot` is in `text`, in bytes.
fn offset(text: &str, spot: Spot) -> Option<usize> {
    let line = match spot.line.checked_sub(2) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
    };
    let letters = text.get(line..)?.char_indices();
    letters.map(|(at, _)| line + at).nth(spot.column.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::rules;

    #[test]
    fn only_what_stands_there_is_replaced() {
        let rule = rules().next().unwrap();
        let at = |line, column, word: &str| {
            RuleFinding::new(rule, Spot { line, column }, word, "").meant(word, ["state"], "")
        };
        let text = "ü.sate\r\nb.sate\n";
        let (fixed_text, count) =
            fixed(text, &[at(2, 3, "sate"), at(1, 3, "sate"), at(1, 3, "sate"), at(9, 1, "sate"), at(1, 1, "stat")]);
        assert_eq!((fixed_text.as_str(), count), ("ü.state\r\nb.state\n", 2));
    }
}
