//! What a rehearsal looks like on the terminal.

use crate::output::{Output, Tone};
use crate::rehearsal::{Blame, Distribution, HarmKind, Shortest, Story, StoryLineKind, Subjects, Tally};
use crate::sim::Micros;
use crate::text::ShownPath;
use crate::time::show_seconds;
use crate::value::Value;
use std::path::PathBuf;

fn span(length: Micros) -> String {
    show_seconds((length / 100_000) as f64 / 10.0)
}

/// How much a line of a story matters.
fn tone(kind: StoryLineKind) -> Tone {
    match kind {
        StoryLineKind::Step | StoryLineKind::End => Tone::Strong,
        StoryLineKind::Meaning => Tone::Note,
        StoryLineKind::Waiting => Tone::Faint,
        StoryLineKind::Fault | StoryLineKind::Warning => Tone::Odd,
        StoryLineKind::Harm => Tone::Bad,
        StoryLineKind::Effect | StoryLineKind::Asked | StoryLineKind::Cluster | StoryLineKind::Printed => Tone::Plain,
    }
}

fn lines(output: &Output, story: &Story) {
    let width = story.width();
    for told in &story.told {
        let head = told.head(width);
        match &told.shown {
            Some(value) => output.told_value(&head, value),
            None => output.told(&head, &told.text, tone(told.kind)),
        }
    }
}

/// A whole story, with what it comes to.
pub(super) fn story(output: &Output, subjects: &Subjects, story: &Story) {
    if output.format().is_for_programs() {
        output.document_line(&serde_json::to_value(story).unwrap_or_default());
        return;
    }
    output.told("", &format!("Rehearsal of {}", subjects.source.name), Tone::Strong);
    output.told("  ", &about(subjects), Tone::Plain);
    for assumed in &subjects.scenario.assumed {
        output.told("  assumed: ", assumed, Tone::Plain);
    }
    output.line("");
    lines(output, story);
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
    output.told("", &totals(story), Tone::Strong);
}

fn about(subjects: &Subjects) -> String {
    let scenario = &subjects.scenario;
    let pumps = counted(scenario.pumps.len() as u64, "Pump", "Pumps");
    let drainers = counted(scenario.drainers.len() as u64, "Drainer", "Drainers");
    format!("on a copy of cluster {} ({pumps}, {drainers}) at {}", scenario.cluster_id, scenario.start)
}

/// A number and what it is of.
fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        0 => format!("no {many}"),
        count => format!("{count} {many}"),
    }
}

fn totals(story: &Story) -> String {
    let totals = &story.totals;
    let halted = match totals.halted {
        0 => "replication never stood still".to_owned(),
        halted => format!("replication stood still for {}", span(halted)),
    };
    let blocked = match totals.blocked {
        0 => String::new(),
        blocked => format!(", TiDB without a Pump for {}", span(blocked)),
    };
    format!(
        "Took {}; {halted}{blocked}; {}, {} by hand, {}; exit code {}",
        span(totals.duration),
        counted(totals.writes as u64, "change", "changes"),
        counted(totals.by_hand as u64, "task", "tasks"),
        counted(totals.questions as u64, "question", "questions"),
        story.exit_code
    )
}

/// The shortest story of a harm.
pub(super) fn shortest(output: &Output, shortest: &Shortest, story: &Story) {
    output.line("");
    let needs = match shortest.faults.len() as u64 {
        0 => "no fault at all".to_owned(),
        faults => counted(faults, "fault", "faults"),
    };
    let title = format!("{}: the shortest story needs {needs}; future {}", shortest.kind.name(), shortest.future);
    output.told("", &title, Tone::Strong);
    lines(output, story);
}

/// What many futures came to.
pub(super) fn tally(output: &Output, tally: &Tally, files: &[(HarmKind, PathBuf)]) {
    if output.format().is_for_programs() {
        output.json_text(&serde_json::to_string(tally).unwrap_or_default());
        for (kind, file) in files {
            output.remark(&format!("{}: its shortest story is kept in {}", kind.name(), file.shown()));
        }
        return;
    }
    output.told("", &title(tally), Tone::Strong);
    if tally.futures == 0 {
        return;
    }
    output.line("");
    let rows = tally.outcomes.iter().map(|(outcome, count)| {
        let faults = tally.standing_out(outcome).into_iter();
        let faults: Vec<String> =
            faults.map(|(kind, with)| format!("{} in {}", kind.name(), share(with, *count))).collect();
        Value::map([
            ("outcome", outcome.as_str().into()),
            ("futures", number(*count)),
            ("share", share(*count, tally.futures).into()),
            ("faults that stand out", faults.join(", ").into()),
        ])
    });
    output.value(&Value::List(rows.collect()));
    output.line("");
    let rows = [("duration", &tally.duration), ("replication halted", &tally.halted)];
    output.value(&Value::List(rows.map(|(name, lengths)| distribution(name, lengths)).to_vec()));
    output.line("");
    if tally.harms.is_empty() {
        output.told("", "No harm was done in any of them.", Tone::Strong);
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
    verdict(output, tally);
    for (kind, file) in files {
        let text = format!("its shortest story is kept in {}", file.shown());
        output.told(&format!("  {}: ", kind.name()), &text, Tone::Plain);
    }
}

fn title(tally: &Tally) -> String {
    let futures = match tally.unplayed {
        0 => counted(tally.futures, "future", "futures"),
        unplayed => format!("{} of {} futures", tally.futures, tally.futures.saturating_add(unplayed)),
    };
    format!("{futures} of {} ({})", tally.subject.script, tally.subject.futures)
}

/// What the script is to blame for, and what it is not.
fn verdict(output: &Output, tally: &Tally) {
    if let Some(most) = tally.accepted.quantile(1_000) {
        output.told("", &format!("Given up knowingly: at most {} of binlog", span(most)), Tone::Plain);
    }
    match tally.did_harm() {
        true => {
            let all = counted(tally.futures, "future", "futures");
            output.told("", &format!("The script does harm in {} of {all}.", tally.harmful), Tone::Bad);
        }
        false => {
            let unlucky = counted(tally.unlucky, "future", "futures");
            let text = format!("The script does no harm of its own; in {unlucky} it has bad luck.");
            output.told("", &text, Tone::Strong);
        }
    }
    for story in tally.shortest.iter().filter(|story| story.blame == Blame::BadLuck) {
        let faults: Vec<String> = story.faults.iter().map(fault_text).collect();
        let text = format!("{}: {} ({})", story.kind.name(), story.text, faults.join("; "));
        output.told("  bad luck: ", &text, Tone::Plain);
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
