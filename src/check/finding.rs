//! What was found, and where.

use crate::check::rule::Rule;
use crate::error::Error;
use crate::language::tree::Spot;
use crate::nearest::did_you_mean;

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// The rule.
    pub rule: &'static Rule,
    /// Where it begins.
    pub at: Spot,
    /// How many characters it takes, one at least.
    pub width: usize,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What to do about it, as one sentence.
    pub hint: Option<String>,
    /// What would fix it, where that is beyond doubt.
    pub fix: Option<Fix>,
}

/// The characters of the finding become these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What stands there now.
    pub from: String,
    /// What shall stand there.
    pub to: String,
}

impl RuleFinding {
    /// `rule` found something: what stands at `at` and is called `word`.
    pub(super) fn new(rule: &'static Rule, at: Spot, word: &str, message: impl Into<String>) -> Self {
        Self { rule, at, width: word.chars().count().max(1), message: message.into(), hint: None, fix: None }
    }

    /// `rule` found the error of another one who read the script, with what that says to do.
    pub(super) fn of_error(rule: &'static Rule, at: Spot, word: &str, error: &Error) -> Self {
        Self { hint: error.hint.clone(), ..Self::new(rule, at, word, error.to_string()) }
    }

    /// The same, saying what to do about it.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, naming those of `known` that may have been meant by `word`, or else saying `otherwise`. If only one can
    /// have been meant, that fixes it.
    #[must_use]
    pub(super) fn meant<'a>(
        mut self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl Into<String>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        self.fix = only_near(word, &known).map(|to| Fix { from: word.to_owned(), to: to.to_owned() });
        self.hint = Some(match &self.fix {
            Some(fix) => format!("did you mean `{}`?", fix.to),
            None => did_you_mean(word, known).unwrap_or_else(|| otherwise.into()),
        });
        self
    }

    /// The same, which only a person may fix.
    #[must_use]
    pub(super) fn without_fix(mut self) -> Self {
        self.fix = None;
        self
    }
}

/// The one of `known` that is a slip of the finger away from `word`; none if there are several.
fn only_near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut near = known.iter().filter(|name| is_near(word, name));
    let first = near.next()?;
    near.all(|other| other == first).then_some(*first)
}

/// Whether `word` is a slip of the finger away from `name`: one letter in a short word, two in a longer one. Anything may
/// be meant by two letters.
pub(super) fn is_near(word: &str, name: &str) -> bool {
    let slips = match word.chars().count() {
        0..=2 => return false,
        3..=5 => 1,
        _ => 2,
    };
    word != name && strsim::osa_distance(word, name) <= slips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_without_a_rival_mends_a_word() {
        assert_eq!(only_near("pause_pmp", &["pause_pump", "pumps"]), Some("pause_pump"));
        assert_eq!(only_near("pumpz", &["pump", "pumps"]), None);
        assert_eq!(only_near("state", &["state"]), None);
        assert_eq!(only_near("sate", &["state", "lag"]), Some("state"));
    }
}
