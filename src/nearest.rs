//! "Did you mean ...?": the known names nearest to one that is not known.

/// A hint that names up to three known names close to `wrong`, best first, if any is close.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names = nearest(wrong, known);
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("did you mean `{one}`?")),
        [first @ .., last] => {
            let first = first.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Some(format!("did you mean {first} or `{last}`?"))
        }
    }
}

/// Up to three known names close to `wrong`, best first.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const CLOSE: f64 = 0.75;
    let lower = wrong.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
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
    }
}
