//! "Did you mean ...?": the known names nearest to one that is not known.

use crate::error::{Error, Result};
use crate::text::on_one_line;
use strum::VariantArray;

/// The names of all variants of `T`.
pub fn names_of<T: VariantArray + Into<&'static str> + Copy>() -> Vec<&'static str> {
    T::VARIANTS.iter().map(|one| (*one).into()).collect()
}

/// The variant of `T` called `name`.
pub fn named<T: VariantArray + Into<&'static str> + Copy>(name: &str) -> Option<T> {
    T::VARIANTS.iter().copied().find(|one| Into::<&'static str>::into(*one) == name)
}

/// The variant of `T`, which is a `what`, called `name`.
///
/// # Errors
/// `invalid`, with the nearest names or all that there are.
pub fn parse_named<T: VariantArray + Into<&'static str> + Copy>(what: &str, name: &str) -> Result<T> {
    named(name).ok_or_else(|| {
        let names = names_of::<T>();
        let hint = did_you_mean(name, names.iter().copied());
        Error::invalid(format!("`{}` is no {what}", on_one_line(name)))
            .hint(hint.unwrap_or_else(|| format!("write one of {}", names.join(", "))))
    })
}

/// A hint that names up to three known names close to `wrong`, best first, if any is close.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names = nearest(wrong, known);
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("did you mean `{}`?", on_one_line(one))),
        [first @ .., last] => {
            let first = first.iter().map(|name| format!("`{}`", on_one_line(name))).collect::<Vec<_>>().join(", ");
            Some(format!("did you mean {first} or `{}`?", on_one_line(last)))
        }
    }
}

/// Up to three known names close to `wrong`, best first.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const CLOSE: f64 = 0.75;
    /// Whoever wrote so many times as much as a name has, or so much less, meant another one.
    const AS_LONG: usize = 4;
    let lower = wrong.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .filter(|name| wrong.len() <= AS_LONG * name.len() && name.len() <= AS_LONG * wrong.len())
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= CLOSE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.into_iter().filter(|(score, _)| *score > best - 0.06).take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        assert_eq!(nearest("pmp-1", ["pump-1", "drainer-0"]), ["pump-1"]);
        assert_eq!(did_you_mean("zzz", ["pump-1"]), None);
        assert_eq!(did_you_mean(&"pump-1".repeat(100_000), ["pump-1"]), None);
    }
}
