//! `runs show`: what a run did, in order.

use super::keep::Standing;
use super::list::is_going_on;
use super::{open, said};
use crate::commands::compose::CommandContext;
use crate::error::Result;
use crate::journal::store::LoadedRun;
use crate::journal::{Entry, Unfinished};
use crate::output::{Format, Output, Tone};
use crate::text::on_one_line;
use crate::time::{Time, Zone};
use crate::world::{Answer, Ask, Change, Choice, Request, SecretPrompt};
use serde_json::json;
use std::collections::BTreeSet;

/// Shows the run `id`.
pub(super) fn main(context: &CommandContext, id: &str) -> Result<u8> {
    let loaded = open()?.load(id)?;
    match context.output.format() {
        Format::Json | Format::JsonLines => context.output.document_line(&document(&loaded)),
        _ => told(&context.output, &loaded),
    }
    Ok(0)
}

/// What happened at one place of a journal.
enum Happened<'l> {
    /// Something was asked, and answered.
    Entry(&'l Entry),
    /// It ended the run, and was tried again.
    Again(&'l Entry),
    /// A change began, and nobody knows more.
    Began(&'l Unfinished),
}

impl Happened<'_> {
    fn seq(&self) -> u64 {
        match self {
            Self::Entry(entry) | Self::Again(entry) => entry.seq,
            Self::Began(began) => began.seq,
        }
    }

    fn step(&self) -> Option<&str> {
        match self {
            Self::Entry(entry) | Self::Again(entry) => entry.step.as_deref(),
            Self::Began(began) => began.step.as_deref(),
        }
    }
}

/// All of it, in order.
fn happened(loaded: &LoadedRun) -> Vec<Happened<'_>> {
    let mut all: Vec<Happened<'_>> = loaded.entries.iter().map(Happened::Entry).collect();
    all.extend(loaded.again.iter().map(Happened::Again));
    all.extend(loaded.left.iter().chain(&loaded.unfinished).map(Happened::Began));
    all.sort_by_key(Happened::seq);
    all
}

fn time(ms: i64) -> Time {
    Time::new(ms, Zone::Utc)
}

fn told(output: &Output, loaded: &LoadedRun) {
    let (head, line) = (&loaded.head, &loaded.line);
    output.told("", &on_one_line(&format!("Run {} of {}", head.id, head.script)), Tone::Strong);
    let cluster = head.cluster_id.map_or("an unknown cluster".to_owned(), |id| format!("cluster {id}"));
    let begun =
        format!("on {cluster}, begun {} by {} on {} (process {})", time(head.begun_ms), head.user, head.host, head.pid);
    output.told("  ", &on_one_line(&begun), Tone::Plain);
    let ended = line.ended_ms.map_or(String::new(), |ms| format!(" at {}", time(ms)));
    let code = line.exit_code.map_or(String::new(), |code| format!(", exit code {code}"));
    let deeds = said::deeds(&loaded.entries);
    output.told("  ", &format!("{}{ended}{code}: {deeds}", Standing::of(line).name()), Tone::Plain);
    if let Some(error) = &line.error {
        output.told("  ", &error.to_string(), Tone::Bad);
    }
    if let Some(why) = &line.why {
        output.told("  ", &on_one_line(&format!("abandoned: {why}")), Tone::Plain);
    }
    if !head.parameters.is_empty() {
        let all: Vec<String> = head.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        output.told("  parameters: ", &on_one_line(&all.join(", ")), Tone::Plain);
    }
    if !head.secrets.is_empty() {
        let all: Vec<&str> = head.secrets.keys().map(String::as_str).collect();
        output.told("  secret parameters: ", &all.join(", "), Tone::Plain);
    }
    if !head.modules.is_empty() {
        let all: BTreeSet<&str> = head.modules.iter().map(|module| module.name.as_str()).collect();
        output.told("  modules: ", &Vec::from_iter(all).join(", "), Tone::Plain);
    }
    if let Some(nodes) = said::listed(&said::left_by(loaded)) {
        output.told("  out of work through it: ", &nodes, Tone::Odd);
    }
    output.line("");
    journal(output, &happened(loaded), is_going_on(Standing::of(line)));
    if loaded.lost_tail > 0 {
        output.told("", &format!("{} more entries are lost with a damage of the store", loaded.lost_tail), Tone::Bad);
    }
}

/// The journal, a line for each change and answer; reads are counted.
fn journal(output: &Output, all: &[Happened<'_>], goes_on: bool) {
    let (mut step, mut reads) = (None, 0_usize);
    let counted = |reads: &mut usize| match std::mem::take(reads) {
        0 => {}
        1 => output.told("           ", "1 look", Tone::Faint),
        reads => output.told("           ", &format!("{reads} looks"), Tone::Faint),
    };
    for (at, one) in all.iter().enumerate() {
        let is_under_way = goes_on && at + 1 == all.len();
        if one.step() != step {
            counted(&mut reads);
            step = one.step();
            if let Some(step) = step {
                output.told("           ", &on_one_line(&format!("==> {step}")), Tone::Strong);
            }
        }
        match one {
            Happened::Entry(entry) if entry.request.is_look() => reads += 1,
            Happened::Entry(entry) => {
                counted(&mut reads);
                told_entry(output, entry, "");
            }
            Happened::Again(entry) => {
                counted(&mut reads);
                told_entry(output, entry, "; tried again");
            }
            Happened::Began(began) => {
                counted(&mut reads);
                let (stands, tone) = match is_under_way {
                    true if matches!(began.change, Change::Manual(_)) => ("under way: somebody is at it", Tone::Plain),
                    true => ("under way", Tone::Plain),
                    false => ("it began, and nobody knows more", Tone::Odd),
                };
                output.told(&head(began.at_ms, '-'), &format!("{}: {stands}", began.change), tone);
            }
        }
    }
    counted(&mut reads);
}

fn head(at_ms: Option<i64>, mark: char) -> String {
    let clock = at_ms.map_or_else(|| " ".repeat(8), |ms| time(ms).format("%H:%M:%S"));
    format!("{clock}  {mark} ")
}

fn told_entry(output: &Output, entry: &Entry, after: &str) {
    let is_answer = matches!(entry.request, Request::Ask(_));
    let by = entry.by.as_ref().map_or(String::new(), |by| format!(" (by {by})"));
    let (outcome, tone) = match &entry.outcome {
        Ok(answer) => (said(answer), Tone::Plain),
        Err(error) => (error.to_string(), Tone::Bad),
    };
    let text = format!("{}: {outcome}{by}{after}", what(&entry.request));
    output.told(&head(entry.at_ms, if is_answer { '?' } else { '-' }), &text, tone);
    for finding in &entry.findings {
        output.told("             ", finding, Tone::Faint);
    }
}

/// A request, in words.
fn what(request: &Request) -> String {
    match request {
        Request::Change(Change::BreakLock { seen, why }) => {
            format!("take the maintenance lock from {seen}, because {why}")
        }
        Request::Change(change) => change.to_string(),
        Request::Ask(Ask::Question(question)) => question.text.clone(),
        Request::Ask(Ask::Secret(SecretPrompt { prompt })) => prompt.clone(),
        Request::Play(play) => play.to_string(),
        Request::Read(_) | Request::Lock(_) | Request::WaitOver => serde_json::to_string(request).unwrap_or_default(),
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Acted(acted) => acted.message.to_string(),
        Answer::Swapped(record) => format!("the record says {}", record.state),
        Answer::Ran(ran) => format!("exit status {}", ran.status),
        Answer::Chosen(Choice::Yes) => "yes".into(),
        Answer::Chosen(Choice::All) => "yes to all of the step".into(),
        Answer::Chosen(Choice::No) => "no".into(),
        Answer::Secret(_) => "(secret)".into(),
        _ => "done".into(),
    }
}

/// For programs: all that is kept.
fn document(loaded: &LoadedRun) -> serde_json::Value {
    let (head, line, deeds) = (&loaded.head, &loaded.line, said::deeds(&loaded.entries));
    let at = |ms: Option<i64>| ms.map(|ms| time(ms).to_string());
    let entry = |entry: &Entry, again: bool| {
        let (result, error) = match &entry.outcome {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error)),
        };
        json!({
            "seq": entry.seq, "at": at(entry.at_ms), "step": entry.step, "request": entry.request, "answer": result,
            "error": error, "findings": entry.findings, "by": entry.by, "tried_again": again,
        })
    };
    let (goes_on, all) = (is_going_on(Standing::of(line)), happened(loaded));
    let last = all.last().map_or(0, Happened::seq);
    let entries: Vec<_> = all
        .iter()
        .map(|one| match one {
            Happened::Entry(one) => entry(one, false),
            Happened::Again(one) => entry(one, true),
            Happened::Began(began) => json!({
                "seq": began.seq, "at": at(began.at_ms), "step": began.step, "request": began.change,
                "findings": began.findings, "by": began.by, "in_doubt": !goes_on || began.seq != last,
                "under_way": goes_on && began.seq == last,
            }),
        })
        .collect();
    let out: Vec<String> = said::left_by(loaded).iter().map(ToString::to_string).collect();
    json!({
        "id": head.id, "kind": head.kind, "script": head.script, "text": head.text, "modules": head.modules,
        "parameters": head.parameters, "secret_parameters": head.secrets.keys().collect::<Vec<_>>(), "cluster_id": head.cluster_id.map(|id| id.to_string()), "user": head.user,
        "host": head.host, "pid": head.pid, "begun": at(Some(head.begun_ms)), "state": Standing::of(line).name(),
        "ended": at(line.ended_ms), "exit_code": line.exit_code, "error": line.error, "why": line.why,
        "changes": deeds.changes, "by_hand": deeds.by_hand,
        "out_of_work": out, "lost_entries": loaded.lost_tail, "entries": entries,
    })
}
