//! What could not be learnt of a cluster, and what is assumed for it, in sentences for people.

use crate::sim::{BinlogSpec, Scenario};
use crate::text::{Untrusted, on_one_line};

/// How many names a sentence lists at most.
const NAMES: usize = 6;

/// What a TiDB server is taken to write, in transactions per second.
pub(super) const WRITES_PER_SECOND: u32 = 20;

/// What is not known so far. Nodes that lack the same share a sentence.
#[derive(Default)]
pub(super) struct UnknownFacts {
    said: Vec<String>,
    /// Nodes whose start is not known.
    pub(super) starts: Vec<Untrusted>,
    /// Pumps whose retention is not known.
    pub(super) retentions: Vec<Untrusted>,
    /// Pumps whose disk is not known.
    pub(super) disks: Vec<Untrusted>,
    /// Drainers of which nothing shows how fast they could be.
    pub(super) speeds: Vec<Untrusted>,
    /// Keys that are no records, whose values no listing shows.
    pub(super) values: Vec<Untrusted>,
}

impl UnknownFacts {
    /// Adds a sentence, without a full stop; on one line, whatever the ids in it hold.
    pub(super) fn say(&mut self, sentence: String) {
        self.said.push(on_one_line(&sentence).into_owned());
    }

    /// All sentences: what concerns single nodes first, then what is never known of a live cluster like that of `scenario`.
    pub(super) fn sentences(self, scenario: Option<&Scenario>) -> Vec<String> {
        let shared = [
            ("start", self.starts, "its metrics do not tell, taken as an hour ago"),
            ("retention", self.retentions, "its metrics do not tell, taken as 7 days"),
            ("disk", self.disks, "its metrics do not tell, taken as 400 of 500 GiB free"),
            ("greatest speed", self.speeds, "nothing shows it, taken as without limit: a backlog is consumed at once"),
            ("value", self.values, "no listing shows that of what is no record, taken as other text that is none"),
        ];
        let shared = shared.into_iter().filter(|(_, names, _)| !names.is_empty());
        let shared = shared.map(|(what, names, assumed)| {
            let assumed = if names.len() > 1 { assumed.replacen("its", "their", 1) } else { assumed.to_owned() };
            format!("{what} of {}: {assumed}", list(&names))
        });
        self.said.into_iter().chain(shared).chain(scenario.into_iter().flat_map(never_known)).collect()
    }
}

/// What no request tells of any cluster.
fn never_known(scenario: &Scenario) -> Vec<String> {
    let mut sentences = Vec::new();
    if !scenario.pumps.is_empty() || !scenario.drainers.is_empty() {
        if scenario.node_control.as_ref().is_none_or(|control| control.restarts.is_none()) {
            sentences.push("whether a supervisor restarts nodes is not known: taken as none".to_owned());
        }
        sentences.push(
            "when within their intervals the nodes look at each other is not known: taken as the simulator's own times"
                .to_owned(),
        );
    }
    if !scenario.pumps.is_empty() {
        sentences.push("whether a Pump holds unresolved transactions is not known: taken as none".to_owned());
        sentences.push(
            "whether GC waits for Drainers (before 2.1.15 and 3.0.1) is not known: taken as by age alone".to_owned(),
        );
    }
    if scenario.tidb.iter().any(|tidb| tidb.binlog == BinlogSpec::On) {
        sentences.push(format!(
            "how many writes TiDB makes is not known: taken as {WRITES_PER_SECOND} per second for each server"
        ));
        sentences.push(
            "whether TiDB goes on without binlog when no Pump takes it (ignore-error) is not known: taken as no, it stops"
                .to_owned(),
        );
    }
    sentences
}

/// The first few names, and how many more there are.
fn list(names: &[Untrusted]) -> String {
    let first: Vec<String> = names.iter().take(NAMES).map(Untrusted::to_string).collect();
    match names.len() {
        ..=NAMES => first.join(", "),
        many => format!("{} and {} more", first.join(", "), many - NAMES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_nodes_that_lack_the_same_share_a_sentence() {
        let names = |count: usize| (0..count).map(|at| format!("p{at}").into()).collect::<Vec<_>>();
        assert_eq!(list(&names(2)), "p0, p1");
        assert_eq!(list(&names(9)), "p0, p1, p2, p3, p4, p5 and 3 more");
    }
}
