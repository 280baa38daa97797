//! The secrets that a prompt has come to know, and whether an entry holds one.

use crate::language::text_values;
use std::collections::BTreeSet;
use std::fmt;

/// What is shorter stands in too many entries by chance.
const SHORTEST: usize = 3;

/// A part of a secret that is shorter is found only where it is a whole text.
const SHORTEST_WITHIN: usize = 8;

/// Secrets, in memory only and as long as the prompt lives.
#[derive(Default)]
pub(super) struct KnownSecrets {
    /// What was encrypted.
    whole: BTreeSet<String>,
    /// Texts that a secret was put together from.
    parts: BTreeSet<String>,
}

impl KnownSecrets {
    pub(super) fn learn_whole(&mut self, secrets: impl IntoIterator<Item = String>) {
        self.whole.extend(secrets.into_iter().filter(|secret| secret.chars().count() >= SHORTEST));
    }

    pub(super) fn learn_parts(&mut self, parts: impl IntoIterator<Item = String>) {
        self.parts.extend(parts.into_iter().filter(|part| part.chars().count() >= SHORTEST));
    }

    /// Takes the parts out that `known` has.
    pub(super) fn without_parts_of(&mut self, known: &Self) {
        self.parts.retain(|part| !known.parts.contains(part));
    }

    pub(super) fn add(&mut self, others: &Self) {
        self.whole.extend(others.whole.iter().cloned());
        self.parts.extend(others.parts.iter().cloned());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.parts.is_empty()
    }

    /// Whether one of them stands in `entry`: as it is, or as the language or a shell reads the texts in it.
    pub(super) fn stand_in(&self, entry: &str) -> bool {
        if self.is_empty() || self.are_within(entry) {
            return !self.is_empty();
        }
        let is_said = |text: &String| self.parts.contains(text) || self.are_within(text);
        let words = shlex::split(entry).unwrap_or_default();
        text_values(entry).iter().any(is_said) || words.iter().any(|word| self.are_within(word))
    }

    fn are_within(&self, text: &str) -> bool {
        let mut parts = self.parts.iter().filter(|part| part.chars().count() >= SHORTEST_WITHIN);
        self.whole.iter().any(|secret| text.contains(secret.as_str())) || parts.any(|part| text.contains(part.as_str()))
    }
}

/// Says how many, and none of them.
impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownSecrets").field("count", &(self.whole.len() + self.parts.len())).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let mut known = KnownSecrets::default();
        known.learn_whole(["hush\"4711\\08'15".to_owned(), "it".to_owned()]);
        for entry in [
            r#"print("hush\"4711\\08'15")"#,
            r#"print("so: hush\x224711\u005c08'15!")"#,
            r#"print("hush""4711\\08'15")"#,
            r#"print(`hush"4711\08'15`)"#,
            r#"print(`${pumps()}hush"4711\08'15${1}`)"#,
            r##"print(#"hush"4711\08'15"#)"##,
            r###"print("#{x}" + "hush\"4711\\08'15"###,
            r#"1 // once print("hush\"4711\\08'15")"#,
            r#".run x.rhai note="hush\"4711\\08'15""#,
            r#".run x.rhai note='hush"4711\08'"'"15"#,
        ] {
            assert!(known.stand_in(entry), "{entry}");
        }
        for entry in ["print(\"hush4711\")", "it", "print(\"hush", "\"\\x2", "`${", "'"] {
            assert!(!known.stand_in(entry), "{entry}");
        }
        assert!(!format!("{known:?}").contains("hush"));
    }

    #[test]
    fn a_short_part_of_a_secret_is_found_only_as_a_whole_text() {
        let mut known = KnownSecrets::default();
        known.learn_parts(["let".to_owned(), "hush47110815".to_owned()]);
        for (entry, is_found) in
            [("let x = 1", false), ("x(\"let\")", true), ("x(\"letter\")", false), ("x(hush47110815)", true)]
        {
            assert_eq!(known.stand_in(entry), is_found, "{entry}");
        }
    }
}
