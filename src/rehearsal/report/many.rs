//! What many futures came to, as the page shows it.

use super::canvas::both;
use super::tale::{Length, Tale};
use super::{histogram, span};
use crate::rehearsal::harm::{Blame, HarmKind};
use crate::rehearsal::story::Story;
use crate::rehearsal::tally::{Distribution, Shortest, Tally};
use minijinja::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// What many futures came to.
#[derive(Serialize)]
pub(super) struct Many {
    futures: String,
    which: String,
    kinds: Vec<String>,
    harmful: String,
    harmful_share: String,
    unlucky: String,
    did_harm: bool,
    outcomes: Vec<OutcomeShare>,
    harms: Vec<HarmShares>,
    /// The most binlog that was given up knowingly.
    accepted: Option<String>,
    spreads: Vec<Spread>,
}

#[derive(Serialize)]
struct OutcomeShare {
    name: String,
    count: String,
    share: String,
    /// The share in tenths of a percent, as the length of a bar.
    bar: String,
}

#[derive(Serialize)]
struct HarmShares {
    name: &'static str,
    means: &'static str,
    script: String,
    bad_luck: String,
    accepted: String,
    is_bad: bool,
}

/// A distribution.
#[derive(Serialize)]
struct Spread {
    title: &'static str,
    least: String,
    median: String,
    most_of_all: String,
    greatest: String,
    chart: Value,
}

/// The shortest story of a harm.
#[derive(Serialize)]
pub(super) struct ShownHarm {
    name: &'static str,
    blame: &'static str,
    is_bad: bool,
    text: String,
    future: String,
    faults: usize,
    tale: Tale,
}

impl Many {
    pub(super) fn of(tally: &Tally) -> Self {
        let mut outcomes: Vec<(&String, &u64)> = tally.outcomes.iter().collect();
        outcomes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let outcome = |(name, count): (&String, &u64)| OutcomeShare {
            name: name.clone(),
            count: number(*count),
            share: share(*count, tally.futures),
            bar: bar(*count, tally.futures),
        };
        Self {
            futures: number(tally.futures),
            which: tally.subject.futures.clone(),
            kinds: tally.subject.kinds.clone(),
            harmful: number(tally.harmful),
            harmful_share: share(tally.harmful, tally.futures),
            unlucky: number(tally.unlucky),
            did_harm: tally.did_harm(),
            outcomes: outcomes.into_iter().map(outcome).collect(),
            harms: harms(tally),
            accepted: tally.accepted.quantile(1_000).map(span),
            spreads: [("Duration", &tally.duration), ("Replication stood still", &tally.halted)]
                .into_iter()
                .filter_map(|(title, lengths)| spread(title, lengths))
                .collect(),
        }
    }
}

fn harms(tally: &Tally) -> Vec<HarmShares> {
    let row = |(kind, blames): (&HarmKind, &BTreeMap<Blame, u64>)| {
        let count = |blame| blames.get(&blame).copied().unwrap_or(0);
        HarmShares {
            name: kind.name(),
            means: meaning(*kind),
            script: number(count(Blame::Script)),
            bad_luck: number(count(Blame::BadLuck)),
            accepted: number(count(Blame::Accepted)),
            is_bad: count(Blame::Script) > 0,
        }
    };
    let mut rows: Vec<HarmShares> = tally.harms.iter().map(row).collect();
    rows.sort_by_key(|row| !row.is_bad);
    rows
}

fn spread(title: &'static str, lengths: &Distribution) -> Option<Spread> {
    Some(Spread {
        title,
        least: span(lengths.quantile(0)?),
        median: span(lengths.quantile(500)?),
        most_of_all: span(lengths.quantile(990)?),
        greatest: span(lengths.quantile(1_000)?),
        chart: both(|layout| histogram::chart(layout, lengths, title)),
    })
}

/// The shortest stories, those that the script is to blame for first.
pub(super) fn shown(shortest: &[(&Shortest, Story)]) -> Vec<ShownHarm> {
    let mut all: Vec<ShownHarm> = shortest.iter().map(|(shortest, story)| ShownHarm::of(shortest, story)).collect();
    all.sort_by_key(|story| !story.is_bad);
    all
}

impl ShownHarm {
    fn of(shortest: &Shortest, story: &Story) -> Self {
        Self {
            name: shortest.kind.name(),
            blame: match shortest.blame {
                Blame::Script => "by the script",
                Blame::BadLuck => "bad luck",
                Blame::Accepted => "accepted",
            },
            is_bad: shortest.blame == Blame::Script,
            text: shortest.text.clone(),
            future: number(shortest.future),
            faults: shortest.faults.len(),
            tale: Tale::of(story, Length::Brief),
        }
    }
}

/// What a kind of harm is.
fn meaning(kind: HarmKind) -> &'static str {
    match kind {
        HarmKind::BinlogLost => "binlog that a Drainer still needed is gone, or was never written",
        HarmKind::TidbBlocked => "no Pump accepted TiDB's writes for more than 15 s",
        HarmKind::TwoDown => "two Pumps that are to come back were down through us at a time",
        HarmKind::RelabelledLive => "a state was written by hand over a live node, or released a closing Pump",
        HarmKind::UnnamedLeftover => {
            "something was left paused, closing, dead or standing still, and the result does not name it"
        }
        HarmKind::FalseSuccess => "the script ended as done, and its goal was not reached",
        HarmKind::Twice => "an effect was done again on a process that had been replaced already",
        HarmKind::NoEnd => "the script neither ends nor says what it waits for",
        HarmKind::AppliedTwice => "a Drainer and a changefeed both applied a DDL, or whatever was committed",
        HarmKind::RangeCollected => "TiKV collected what a changefeed was to read before it was there",
    }
}

/// A number with its thousands apart: `12,345`.
fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent, to the tenth; what is more than nothing is not shown as nothing.
fn share(count: u64, all: u64) -> String {
    match permille(count, all) {
        0 if count > 0 => "< 0.1 %".into(),
        1_000 if count < all => "> 99.9 %".into(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

fn bar(count: u64, all: u64) -> String {
    let tenths = permille(count, all).max(u64::from(count > 0) * 4);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn permille(count: u64, all: u64) -> u64 {
    let wide = (u128::from(count) * 1_000 + u128::from(all) / 2) / u128::from(all.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_outcome_is_not_shown_as_none() {
        assert_eq!(share(1, 100_000), "< 0.1 %");
        assert_eq!(share(99_999, 100_000), "> 99.9 %");
        assert_eq!(share(0, 0), "0.0 %");
        assert_eq!(number(1_234_567), "1,234,567");
    }
}
