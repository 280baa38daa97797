//! Sentences for what was done and what happened.

use super::{Told, ToldKind, is_told, kind_of};
use crate::error::ErrorKind;
use crate::language::Ending;
use crate::rehearsal::play::Played;
use crate::rehearsal::trace::{Act, Asked, Said};
use crate::sim::{Cluster, Fault, Happening, Micros, SECOND, What};
use crate::time::show_seconds;
use crate::value::Value;
use crate::world::{Answer, Manual, Notice, Request};

/// A virtual time as a story shows it.
pub(crate) fn time(at: Micros) -> String {
    show_seconds(((at / 100_000) as f64) / 10.0)
}

/// A length of time.
pub(super) fn span(length: Micros) -> String {
    show_seconds(((length + 50_000) / 100_000) as f64 / 10.0)
}

/// What the script did, said and asked, in its order.
pub(super) fn script(played: &Played) -> Vec<Told> {
    let mut all: Vec<(usize, Told)> = played.asked.iter().map(|asked| (asked.order, question(asked))).collect();
    all.extend(played.acts.iter().map(|act| (act.order, effect(act))));
    all.extend(played.said.iter().filter_map(|said| Some((said.order, line(said)?))));
    all.sort_by_key(|(order, _)| *order);
    all.into_iter().map(|(_, told)| told).collect()
}

fn question(asked: &Asked) -> Told {
    let first = asked.text.lines().next().unwrap_or_default();
    Told::new(asked.at, ToldKind::Asked, format!("would ask: {first}"))
}

fn effect(act: &Act) -> Told {
    let text = format!("{}: {}", request(&act.request), outcome(act));
    Told { place: act.place.clone(), ..Told::new(act.ended, ToldKind::Effect, text) }
}

fn line(said: &Said) -> Option<Told> {
    let kind = kind_of(&said.notice)?;
    match &said.notice {
        Notice::StepBegan(text) | Notice::Printed(text) | Notice::Warning(text) | Notice::Progress(text) => {
            Some(Told::new(said.at, kind, text.clone()))
        }
        Notice::Shown(value) | Notice::ShownAsJson(value) => {
            Some(Told { shown: Some(value.clone()), ..Told::new(said.at, kind, shown(value)) })
        }
        _ => None,
    }
}

/// What a change does, in a few words.
pub(crate) fn request(request: &Request) -> String {
    match request {
        Request::Act { node, action } => format!("{} {}", action.name(), node.id),
        Request::TriggerGc { node } => format!("trigger GC of {}", node.id),
        Request::RecoverTidb { server, .. } => format!("have the {server} write binlog again"),
        Request::SwapRecord { seen, state } => format!("write {state} into the record of {}", seen.node.id),
        Request::DeleteRecord { key, .. } => format!("delete {key}"),
        Request::WriteSavepoint { dir, .. } => format!("write {}/savepoint", dir.display()),
        Request::Manual(work) => by_hand(work),
        Request::Exec(program) => format!("run {program}"),
        other => format!("{other:?}"),
    }
}

fn by_hand(work: &Manual) -> String {
    let named = |nodes: &[crate::node::NodeRef], verb: &str| {
        let ids: Vec<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("{verb} {}", ids.join(", ")))
    };
    let parts: Vec<String> =
        [(&work.starts, "starts"), (&work.stops, "stops"), (&work.retires, "retires"), (&work.frees, "makes room for")]
            .into_iter()
            .filter_map(|(nodes, verb)| named(nodes, verb))
            .collect();
    match parts.is_empty() {
        true => format!("by hand: {}", work.text),
        false => format!("by hand: {} ({})", work.text, parts.join("; ")),
    }
}

fn outcome(act: &Act) -> String {
    match &act.outcome {
        Ok(Answer::Acted { message }) => message.clone(),
        Ok(_) if matches!(act.request, Request::Manual(_) | Request::Exec(_)) => {
            format!("done after {}", span(act.ended - act.begun))
        }
        Ok(_) => "done".into(),
        Err(error) => format!("{}: {error}", error.kind.name()),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::List(rows) => format!("(a table of {} rows)", rows.len()),
        _ => "(a table)".into(),
    }
}

/// What the cluster did on its own, and what was made to go wrong.
pub(super) fn happenings(start: &Cluster, played: &Played) -> Vec<Told> {
    let after = &played.after;
    let log = &after.log()[start.log().len()..];
    let told = log.iter().filter(|happening| is_told(&happening.what)).map(|Happening { at, what }| match what {
        What::FaultBegan(fault) => Told::new(*at, ToldKind::Fault, fault_text(&after.faults()[*fault])),
        What::FaultEnded(fault) => {
            Told::new(*at, ToldKind::Fault, format!("{} is over", fault_name(&after.faults()[*fault])))
        }
        what => Told::new(*at, ToldKind::Cluster, happening_text(after, what)),
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

fn happening_text(cluster: &Cluster, what: &What) -> String {
    let id = |who: &crate::sim::Who| cluster.id_of(*who).to_owned();
    let pump = |at: &usize| cluster.id_of(crate::sim::Who::Pump(*at)).to_owned();
    let drainer = |at: &usize| cluster.id_of(crate::sim::Who::Drainer(*at)).to_owned();
    match what {
        What::Started(who) => format!("{} is started", id(who)),
        What::Notifying(who) => format!("{} registers, and tells the Drainers of itself", id(who)),
        What::Online(who) => format!("{} works", id(who)),
        What::Closing(who) => format!("{} closes: it waits until its binlog was read", id(who)),
        What::Exited { who, clean: true } => format!("the process of {} ends", id(who)),
        What::Exited { who, clean: false } => format!("the process of {} dies", id(who)),
        What::Hung(who) => format!("{} hangs", id(who)),
        What::Continued(who) => format!("{} goes on", id(who)),
        What::Recorded { who, state, by_hand: true } => format!("the record of {} is set {state} by hand", id(who)),
        What::Recorded { who, state, by_hand: false } => format!("{} writes {state}", id(who)),
        What::Retired(who) => format!("nobody needs {} any more", id(who)),
        What::Forgotten(who) => format!("the record of {} is gone", id(who)),
        What::LeftBehind { drainer: at, pump: of, from, to } => {
            format!("{} goes on without {} of binlog that {} held", drainer(at), span(to - from), pump(of))
        }
        What::Skipped { drainer: at, pump: of, from, to } => {
            format!("{} takes {} back and skips {} of its binlog", drainer(at), pump(of), span(to - from))
        }
        What::Hole { drainer: at, pump: of, from, to } => {
            format!("{} goes on with a hole: {} had collected {} of binlog", drainer(at), pump(of), span(to - from))
        }
        What::TidbSkips(_) => "a TiDB server finds no Pump, and skips binlog".into(),
        What::TidbStopped(_) => "a TiDB server finds no Pump, and stops".into(),
        What::TidbRecovers(_) => "a TiDB server that skipped binlog writes it again".into(),
        What::PdGone => "PD answers nobody".into(),
        What::PdBack => "PD answers again".into(),
        other => format!("{other:?}"),
    }
}

/// How the script ended.
pub(super) fn ending(played: &Played) -> Told {
    let text = match &played.ending {
        Ok(Ending::Value(_)) => "the script is done".into(),
        Ok(Ending::Exit(code)) => format!("the script ends with exit code {code}"),
        Err(error) if error.error.kind == ErrorKind::Failed => format!("the script fails: {}", error.error),
        Err(error) => format!("the script ends: {}: {}", error.error.kind.name(), error.error),
    };
    Told::new(played.ended_at(), ToldKind::End, text)
}

/// Shorter than this, nobody speaks of it.
pub(super) const NOTICED: Micros = SECOND;
