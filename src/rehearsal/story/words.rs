//! Sentences for what was done and what happened.

use super::{StoryLine, StoryLineKind, is_told};
use crate::error::ErrorKind;
use crate::language::Ending;
use crate::rehearsal::play::Played;
use crate::rehearsal::trace::{AskedQuestion, AttemptedChange, SaidNotice};
use crate::sim::{Cluster, Fault, LogEntry, LogEvent, Micros, NodeIndex, SECOND};
use crate::text::Untrusted;
use crate::time::{Time, Zone, show_seconds};
use crate::value::Value;
use crate::world::{Answer, Change, Notice};

/// A virtual time as a story shows it.
pub(crate) fn time(at: Micros) -> String {
    show_seconds(((at / 100_000) as f64) / 10.0)
}

/// A length of time.
pub(super) fn span(length: Micros) -> String {
    show_seconds(((length + 50_000) / 100_000) as f64 / 10.0)
}

/// What the script did, said and asked, in its order.
pub(super) fn script(played: &Played) -> Vec<StoryLine> {
    let mut all: Vec<(usize, StoryLine)> = played.asked.iter().map(|asked| (asked.order, question(asked))).collect();
    all.extend(played.acts.iter().map(|act| (act.order, effect(act))));
    all.extend(played.said.iter().filter_map(|said| Some((said.order, line(said)?))));
    all.sort_by_key(|(order, _)| *order);
    all.into_iter().map(|(_, told)| told).collect()
}

fn question(asked: &AskedQuestion) -> StoryLine {
    let first = asked.text.lines().next().unwrap_or_default();
    StoryLine::new(asked.at, StoryLineKind::Asked, format!("would ask: {first}"))
}

fn effect(act: &AttemptedChange) -> StoryLine {
    let text = format!("{}: {}", change(&act.change), outcome(act));
    StoryLine { place: act.place.clone(), ..StoryLine::new(act.ended, StoryLineKind::Effect, text) }
}

/// What was said, as a line; what changed is told by the change itself.
fn line(said: &SaidNotice) -> Option<StoryLine> {
    let line = |kind, text: String| Some(StoryLine::new(said.at, kind, text));
    match &said.notice {
        Notice::StepBegan(name) => line(StoryLineKind::Step, name.clone()),
        Notice::Printed(text) => line(StoryLineKind::Printed, text.clone()),
        Notice::Warning(text) => line(StoryLineKind::Warning, text.clone()),
        Notice::Progress(progress) => line(StoryLineKind::Waiting, progress.to_string()),
        Notice::Shown(value) | Notice::ShownAsJson(value) => {
            let line = line(StoryLineKind::Printed, shown(value))?;
            Some(StoryLine { shown: Some(value.clone()), ..line })
        }
        Notice::Sleeping(_)
        | Notice::ProgressEnd
        | Notice::Acting(_)
        | Notice::Answered { .. }
        | Notice::Changed(_)
        | Notice::Begun(_)
        | Notice::Said { .. }
        | Notice::Traced { .. } => None,
    }
}

/// What a change does, with the ids of its nodes alone.
pub(crate) fn change(change: &Change) -> String {
    change.words(|node| node.id.to_string())
}

fn outcome(act: &AttemptedChange) -> String {
    match &act.outcome {
        Ok(Answer::Acted(acted)) => acted.message.to_string(),
        Ok(_) if act.change.outside().is_some() => {
            format!("done after {}", span(act.ended - act.begun))
        }
        Ok(_) => "done".into(),
        Err(error) => format!("{}: {error}", error.kind.name()),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::List(rows) if rows.len() == 1 => "(a table of 1 row)".into(),
        Value::List(rows) => format!("(a table of {} rows)", rows.len()),
        Value::Unit
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Secret(_)
        | Value::Time(_)
        | Value::Node(_)
        | Value::Map(_) => "(a table)".into(),
    }
}

/// What the cluster did on its own, and what was made to go wrong.
pub(super) fn happenings(start: &Cluster, played: &Played) -> Vec<StoryLine> {
    let after = &played.after;
    let log = &after.log()[start.log().len()..];
    let told = log.iter().filter(|entry| is_told(&entry.what)).map(|LogEntry { at, what }| {
        let is_fault = matches!(what, LogEvent::FaultBegan(_) | LogEvent::FaultEnded(_));
        StoryLine::new(
            *at,
            if is_fault { StoryLineKind::Fault } else { StoryLineKind::Cluster },
            happening_text(after, what),
        )
    });
    told.collect()
}

fn fault_name(fault: &Fault) -> String {
    match &fault.node {
        Some(node) => format!("{} of {node}", fault.kind.name()),
        None => fault.kind.name().to_owned(),
    }
}

/// A fault as a line of a story.
pub(crate) fn fault_text(fault: &Fault) -> String {
    match fault.lasts {
        Some(lasts) => format!("{}, for {}", fault_name(fault), span(lasts.micros())),
        None => fault_name(fault),
    }
}

fn happening_text(cluster: &Cluster, what: &LogEvent) -> String {
    let id = |who: &NodeIndex| Untrusted::from(cluster.id_of(*who));
    let pump = |at: &usize| Untrusted::from(cluster.id_of(NodeIndex::Pump(*at)));
    let drainer = |at: &usize| Untrusted::from(cluster.id_of(NodeIndex::Drainer(*at)));
    match what {
        LogEvent::Started(who) => format!("{} is started", id(who)),
        LogEvent::Notifying(who) => format!("{} registers, and tells the Drainers of itself", id(who)),
        LogEvent::Online(who) => format!("{} works", id(who)),
        LogEvent::Closing(who) => format!("{} closes: it waits until its binlog was read", id(who)),
        LogEvent::Exited { who, clean: true } => format!("the process of {} ends", id(who)),
        LogEvent::Exited { who, clean: false } => format!("the process of {} dies", id(who)),
        LogEvent::Hung(who) => format!("{} hangs", id(who)),
        LogEvent::Continued(who) => format!("{} goes on", id(who)),
        LogEvent::Recorded { who, state, by_hand: true } => format!("the record of {} is set {state} by hand", id(who)),
        LogEvent::Recorded { who, state, by_hand: false } => format!("{} writes {state}", id(who)),
        LogEvent::Retired(who) => format!("nobody needs {} any more", id(who)),
        LogEvent::Forgotten(who) => format!("the record of {} is gone", id(who)),
        LogEvent::LeftBehind { drainer: at, pump: of, from, to } => {
            format!("{} goes on without {} of binlog that {} held", drainer(at), span(to - from), pump(of))
        }
        LogEvent::Skipped { drainer: at, pump: of, from, to } => {
            format!("{} takes {} back and skips {} of its binlog", drainer(at), pump(of), span(to - from))
        }
        LogEvent::Hole { drainer: at, pump: of, from, to } => {
            format!("{} goes on with a hole: {} had collected {} of binlog", drainer(at), pump(of), span(to - from))
        }
        LogEvent::TidbSkips(_) => "a TiDB server finds no Pump, and skips binlog".into(),
        LogEvent::TidbStopped(_) => "a TiDB server finds no Pump, and stops".into(),
        LogEvent::TidbRecovers(_) => "a TiDB server that skipped binlog writes it again".into(),
        LogEvent::Ddl => "TiDB runs a DDL".into(),
        LogEvent::TikvCollected(until) => {
            format!("TiKV may have collected up to {}", Time::of_tso(*until, Zone::Utc))
        }
        LogEvent::ChangefeedCreated { feed, .. } => format!("the changefeed {} begins", cluster.changefeed_id(*feed)),
        LogEvent::ChangefeedTurned { feed, state } => {
            format!("the changefeed {} is {state}", cluster.changefeed_id(*feed))
        }
        LogEvent::PdGone => "PD answers nobody".into(),
        LogEvent::PdBack => "PD answers again".into(),
        // The story tells these in other ways, or not at all.
        LogEvent::FaultBegan(at) => fault_text(&cluster.faults()[*at]),
        LogEvent::FaultEnded(at) => format!("{} is over", fault_name(&cluster.faults()[*at])),
        LogEvent::Acted { who, action } => format!("{} does what it was told: {}", id(who), action.name()),
        LogEvent::Halted(at) => format!("replication of {} stands still", drainer(at)),
        LogEvent::Flowing(at) => format!("replication of {} goes on", drainer(at)),
        LogEvent::Writable(pumps) => format!("{pumps} Pumps take writes"),
        LogEvent::TidbWrites(true) => "TiDB writes binlog".into(),
        LogEvent::TidbWrites(false) => "TiDB writes no binlog".into(),
    }
}

/// How the script ended.
pub(super) fn ending(played: &Played) -> StoryLine {
    let text = match &played.ending {
        Ok(Ending::Value(_)) => "the script is done".into(),
        Ok(Ending::Exit(code)) => format!("the script ends with exit code {code}"),
        Err(error) if error.error.kind == ErrorKind::Failed => format!("the script fails: {}", error.error),
        Err(error) => format!("the script ends: {}: {}", error.error.kind.name(), error.error),
    };
    StoryLine::new(played.ended_at(), StoryLineKind::End, text)
}

/// Shorter than this, nobody speaks of it.
pub(super) const NOTICED: Micros = SECOND;
