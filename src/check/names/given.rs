//! What a test does with what it is given.

use super::{NameCheck, UNDEFINED_FUNCTION, wrong_count};
use crate::check::finding::RuleFinding;
use crate::language::tree::Spot;
use std::collections::BTreeSet;

impl NameCheck<'_> {
    /// A call of `t.name(...)` in a test that is given `t`.
    pub(super) fn done_with_given(&self, name: &str, count: usize, at: Spot, found: &mut Vec<RuleFinding>) {
        let known = self.words.of_tests();
        let is_own = self.script.functions().iter().any(|f| f.name.text == name && f.params.len() == count);
        if known.is_empty() || is_own || known.contains(&(name, count)) {
            return;
        }
        let counts: Vec<_> =
            known.iter().filter(|(known, _)| *known == name).map(|(_, count)| *count..=*count).collect();
        found.push(match counts.is_empty() {
            true => {
                let message = format!("there is no function `{name}` of what a test is given");
                let names: BTreeSet<&str> = known.iter().map(|(name, _)| *name).collect();
                let all = names.iter().copied().collect::<Vec<_>>().join(", ");
                RuleFinding::new(&UNDEFINED_FUNCTION, at, name, message).meant(name, names, format!("it has {all}"))
            }
            false => wrong_count(&format!(".{name}"), &counts, None, count, at),
        });
    }
}
