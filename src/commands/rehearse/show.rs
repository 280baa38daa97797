//! What a rehearsal looks like on the terminal.

use crate::output::{Format, Output};
use crate::rehearsal::{Blame, Distribution, HarmKind, Shortest, Story, Subjects, Tally, ToldKind};
use crate::sim::Micros;
use crate::time::show_seconds;
use crate::value::Value;
use std::path::PathBuf;

fn span(length: Micros) -> String {
    show_seconds((length / 100_000) as f64 / 10.0)
}

/// The mark before a line of a story.
fn mark(kind: ToldKind) -> &'static str {
    match kind {
        ToldKind::Step => "==>",
        ToldKind::Effect => "  -",
        ToldKind::Asked => "  ?",
        ToldKind::Cluster => "   ",
        ToldKind::Meaning => "  =",
        ToldKind::Fault => " !!",
        ToldKind::Waiting => "  .",
        ToldKind::Printed => "  >",
        ToldKind::Warning => "  *",
        ToldKind::Harm => "!!!",
        ToldKind::End => "===",
    }
}

fn lines(story: &Story) -> Vec<String> {
    let width = story.told.iter().map(|told| span(told.at).chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for told in &story.told {
        let mut parts = told.text.lines();
        let first = parts.next().unwrap_or_default();
        lines.push(format!("{:>width$} {} {first}", span(told.at), mark(told.kind)));
        lines.extend(parts.map(|more| format!("{:>width$}     {more}", "")));
    }
    lines
}

/// A whole story, with what it comes to.
pub(super) fn story(output: &Output, subjects: &Subjects, story: &Story) {
    if output.format() == Format::Json {
        output.line(&serde_json::to_string(story).unwrap_or_default());
        return;
    }
    output.line(&format!("Rehearsal of {} on {}", subjects.source.name, about(subjects)));
    for assumed in &subjects.scenario.assumed {
        output.line(&format!("  assumed: {assumed}"));
    }
    output.line("");
    for line in lines(story) {
        output.line(&line);
    }
    output.line("");
    if story.differences.is_empty() {
        output.line("In the end every node is as it was.");
    } else {
        output.line("In the end, otherwise than at the start:");
        let rows = story.differences.iter().map(|differs| {
            Value::map([
                ("node", differs.node.as_str().into()),
                ("kind", differs.kind.name().into()),
                ("what", differs.what.as_str().into()),
                ("before", differs.before.as_str().into()),
                ("after", differs.after.as_str().into()),
            ])
        });
        output.value(&Value::List(rows.collect()));
    }
    output.line("");
    output.line(&totals(story));
}

fn about(subjects: &Subjects) -> String {
    let scenario = &subjects.scenario;
    let nodes = format!("{} Pumps, {} Drainers", scenario.pumps.len(), scenario.drainers.len());
    format!("cluster {} ({nodes}), from {} on", scenario.cluster_id, scenario.start)
}

fn totals(story: &Story) -> String {
    let totals = &story.totals;
    let blocked = match totals.blocked {
        0 => String::new(),
        blocked => format!(", TiDB without a Pump for {}", span(blocked)),
    };
    format!(
        "Took {}; replication stood still for {}{blocked}; {} change(s), {} by hand, {} question(s); exit code {}",
        span(totals.duration),
        span(totals.halted),
        totals.writes,
        totals.by_hand,
        totals.questions,
        story.exit_code
    )
}

/// The shortest story of a harm.
pub(super) fn shortest(output: &Output, shortest: &Shortest, story: &Story) {
    output.line("");
    output.line(&format!(
        "{}: the shortest story needs {} fault(s); future {}",
        shortest.kind.name(),
        shortest.faults.len(),
        shortest.future
    ));
    for line in lines(story) {
        output.line(&line);
    }
}

/// What many futures came to.
pub(super) fn tally(output: &Output, tally: &Tally, files: &[(HarmKind, PathBuf)]) {
    if output.format() == Format::Json {
        output.line(&serde_json::to_string(tally).unwrap_or_default());
        return;
    }
    output.line(&format!("{} futures of {} ({})", tally.futures, tally.subject.script, tally.subject.futures));
    output.line("");
    let rows = tally.outcomes.iter().map(|(outcome, count)| {
        let share = share(*count, tally.futures);
        Value::map([("outcome", outcome.as_str().into()), ("futures", number(*count)), ("share", share.into())])
    });
    output.value(&Value::List(rows.collect()));
    output.line("");
    let rows = [("duration", &tally.duration), ("replication halted", &tally.halted)];
    output.value(&Value::List(rows.map(|(name, lengths)| distribution(name, lengths)).to_vec()));
    output.line("");
    if tally.harms.is_empty() {
        output.line("No harm was done in any of them.");
        return;
    }
    let rows = tally.harms.iter().map(|(kind, blames)| {
        let count = |blame| number(blames.get(&blame).copied().unwrap_or(0));
        Value::map([
            ("harm", kind.name().into()),
            ("by the script", count(Blame::Script)),
            ("bad luck", count(Blame::BadLuck)),
            ("accepted", count(Blame::Accepted)),
        ])
    });
    output.value(&Value::List(rows.collect()));
    output.line("");
    if let Some(most) = tally.accepted.quantile(1_000) {
        output.line(&format!("Given up knowingly: at most {} of binlog", span(most)));
    }
    output.line(&match tally.did_harm() {
        true => format!("The script does harm in {} of {} futures.", tally.harmful, tally.futures),
        false => format!("The script does no harm of its own; in {} futures it has bad luck.", tally.unlucky),
    });
    for story in tally.shortest.iter().filter(|story| story.blame == Blame::BadLuck) {
        let faults: Vec<String> = story.faults.iter().map(fault_text).collect();
        output.line(&format!("  bad luck: {}: {} ({})", story.kind.name(), story.text, faults.join("; ")));
    }
    for (kind, file) in files {
        output.line(&format!("  {}: the shortest story is kept in {}", kind.name(), file.display()));
    }
}

fn fault_text(fault: &crate::sim::Fault) -> String {
    let node = fault.node.as_ref().map_or(String::new(), |node| format!(" of {node}"));
    let lasts = fault.lasts.map_or(String::new(), |lasts| format!(" for {}", span(lasts.micros())));
    format!("{}{node} at {}{lasts}", fault.kind.name(), span(fault.after.micros()))
}

fn number(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A share in percent, with two digits after the point.
fn share(count: u64, all: u64) -> String {
    let hundredths = (u128::from(count) * 10_000).checked_div(u128::from(all)).unwrap_or(0);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn distribution(name: &str, lengths: &Distribution) -> Value {
    let at = |permille| lengths.quantile(permille).map_or_else(String::new, span);
    Value::map([
        ("", name.into()),
        ("min", at(0).into()),
        ("median", at(500).into()),
        ("p99", at(990).into()),
        ("max", at(1_000).into()),
    ])
}
