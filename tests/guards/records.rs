//! Guards about records that are written or deleted by hand.

use super::situation::*;
use binlogsh::error::{ErrorKind, Result};
use binlogsh::node::{NodeRef, State};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::GuardName::*;
use binlogsh::world::{Answer, Change, Fence, Probe, ProbeFinding, Read, Request, World};

#[test]
fn alive_refuses_to_write_over_a_node_that_is_or_may_be_there() {
    let pause = r#"update_pump("pump-0", "paused", #{$})"#;
    let calm = Situation::sample("default");
    calm.refuses(pause, &[], &[Alive]).says(&[
        "write paused into the record of pump pump-0 (10.0.1.11:8250), whose record says online",
        "is alive, it answers as online: it would write its record again within two seconds",
        "may skip its binlog for good",
    ]);
    calm.refuses(r#"update_drainer("drainer-0", "paused", #{$})"#, &[], &[Alive]).says(&["answers as online"]);
    let hung = Situation::sample("default").first(r#"hang("pump-0")"#);
    hung.refuses(pause, &[], &[Alive])
        .says(&["unknown", "accepts connections and answers nothing (starting, or hung)"]);
    let reused = Situation::sample("duplicate-address");
    reused.refuses(r#"forget_pump("pump-old", #{$})"#, &[], &[Alive]).says(&["at its address answers pump-2"]);
    let closing = Situation::sample("closing-pump");
    let paused = r#"update_pump("pump-1", "paused", #{$})"#;
    closing.refuses(paused, &[], &[Alive]).says(&["answers as closing: it writes its record itself when it ends"]);
    Situation::sample("lost-pump").allows(r#"update_pump("pump-2", "paused", #{$})"#);
    Situation::sample("dead-drainer").allows(r#"update_drainer("drainer-1", "paused", #{$})"#);
}

#[test]
fn alive_sees_a_heartbeat_from_elsewhere() {
    let elsewhere = Situation::sample("default").prepared(|world| {
        let (records, _) = world.cluster().listing();
        let record = records.into_iter().find(|record| record.node.id == "pump-0").unwrap();
        let moved = record.json.shown().replace(record.node.address.as_str(), "10.9.9.9:8250");
        world.cluster_mut().put(&record.node.key(), moved.as_bytes());
    });
    let words = ["something still writes the record of pump pump-0 (10.9.9.9:8250): it may run elsewhere"];
    elsewhere.refuses(r#"update_pump("pump-0", "paused", #{$})"#, &[], &[Alive]).says(&words);
}

/// A world whose nodes answer only from the second probe on: they come up while they are watched.
struct ComesUp(Simulated, usize);

impl World for ComesUp {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let Request::Read(Read::Probe { nodes }) = request else { return self.0.apply(request, fence) };
        self.1 += 1;
        let finding = if self.1 > 1 { ProbeFinding::State(State::Online) } else { ProbeFinding::Refused };
        let probe = |node: &NodeRef| Probe { node: node.clone(), finding: finding.clone() };
        Ok(Answer::Probes(nodes.iter().map(probe).collect()))
    }
}

#[test]
fn alive_looks_once_more_after_it_has_watched() {
    let world = Simulated::new(&Scenario::named("lost-pump").unwrap()).unwrap();
    let (records, _) = world.cluster().listing();
    let seen = records.into_iter().find(|record| record.node.id == "pump-2").unwrap();
    let error =
        perform(ComesUp(world, 0), Request::Change(Change::SwapRecord { seen, state: State::Paused })).unwrap_err();
    assert_eq!((error.kind, named(&error)), (ErrorKind::Refused, sorted(&[Alive])));
    assert!(error.message.contains("came up while it was watched: a probe says online"), "{error}");
}

#[test]
fn pointless_says_what_a_hand_written_state_does_to_others() {
    let lost = Situation::sample("lost-pump");
    let online = r#"update_pump("pump-2", "online", #{$})"#;
    lost.refuses(online, &[Pointless], &[]).says(&["online by hand into the record of pump-2", "starts nothing"]);
    for state in ["pausing", "closing"] {
        let call = format!(r#"update_pump("pump-2", "{state}", #{{$}})"#);
        lost.refuses(&call, &[Pointless], &[]).says(&["no node ever acts upon it"]);
    }
    let old = with_old_pump(DRAINER);
    let words = ["it is offline, and every Drainer would wait for it again: replication would stand still"];
    old.refuses(r#"update_pump("pump-old", "paused", #{$})"#, &[Pointless], &[]).says(&words);
    let retired = r#"{"id": "drainer-1", "address": "d1:8249", "record": "offline", "process": "dead", "lag": "1h"}"#;
    let retired = Situation::of(PUMPS, &format!("{DRAINER}, {retired}"));
    let words = ["it is offline, and a Pump that closes would wait for it again, without end"];
    retired.refuses(r#"update_drainer("drainer-1", "paused", #{$})"#, &[Pointless], &[]).says(&words);
}

#[test]
fn lose_binlog_always_refuses_and_tells_what_is_known() {
    let offline = r#"update_pump("pump-2", "offline", #{$})"#;
    Situation::sample("lost-pump").refuses(offline, &[], &[LoseBinlog]).says(&[
        "what the Drainers have not read of pump pump-2 (10.0.1.13:8250) is lost for good",
        "no record can prove that they read all of it",
        "drainer-0 has passed its record, drainer-1 has passed its record",
    ]);
    let alive = r#"update_pump("pump-0", "offline", #{$})"#;
    Situation::sample("default").refuses(alive, &[], &[Alive, LoseBinlog]);
    let behind = Situation::of(
        r#"{"id": "pump-0", "address": "p0:8250"}, {"id": "pump-2", "address": "p2:8250", "process": "dead", "lag": "1h"}"#,
        r#"{"id": "drainer-0", "address": "d0:8249", "record": "paused", "process": "dead", "lag": "3h"}"#,
    );
    behind.refuses(offline, &[], &[LoseBinlog]).says(&["drainer-0 is 2h00m behind its record"]);
}

#[test]
fn not_offline_refuses_to_forget_a_node_that_is_counted_on() {
    let dead = Situation::sample("dead-drainer");
    dead.refuses(r#"forget_drainer("drainer-1", #{$})"#, &[NotOffline], &[]).says(&[
        "delete the key /tidb-binlog/v1/drainers/drainer-1 of drainer drainer-1 (10.0.1.22:8249), whose record says online",
        "take it offline first",
    ]);
    let lost = Situation::sample("lost-pump");
    lost.refuses(r#"forget_pump("pump-2", #{$})"#, &[NotOffline], &[LoseBinlog, StillPulled])
        .says(&["pump-2 is still pulled by drainer-0, drainer-1"]);
    with_old_pump(DRAINER).allows(r#"forget_pump("pump-old", #{$})"#);
}

#[test]
fn forgetting_a_drainer_that_is_counted_on_is_as_bad_as_setting_it_offline() {
    let forget = r#"forget_drainer("drainer-0", #{$})"#;
    let closing = Situation::sample("closing-pump");
    closing.refuses(forget, &[NotOffline], &[PumpClosing]).says(&["pump-1 is closing: it would be released"]);
    let paused = r#"{"id": "drainer-0", "address": "d0:8249", "record": "paused", "process": "dead", "lag": "1h"}"#;
    Situation::of(PUMPS, paused).refuses(forget, &[NotOffline], &[LastDrainer]).says(&["no other Drainer"]);
    let lost = r#"{"id": "pump-2", "address": "p2:8250", "record": "paused", "process": "dead", "lag": "1h"}"#;
    let lost = Situation::of(&format!("{PUMPS}, {lost}"), paused);
    lost.refuses(r#"forget_pump("pump-2", #{$})"#, &[NotOffline], &[LoseBinlog]);
}

#[test]
fn still_pulled_asks_every_drainer_itself() {
    let forget = r#"forget_pump("pump-old", #{$})"#;
    // With a key that is no record beneath the Pumps' prefix the Drainers never learn that a Pump went.
    let pulled = Situation::sample("lost-pump")
        .with_key(BROKEN_PUMP)
        .first(r#"update_pump("pump-2", "offline", #{ force: ["lose_binlog"] }); sleep(60)"#);
    pulled
        .refuses(r#"forget_pump("pump-2", #{$})"#, &[], &[StillPulled])
        .says(&["pump-2 is still pulled by drainer-0, drainer-1, which would wait"]);

    let dead = r#"{"id": "drainer-1", "address": "d1:8249", "process": "dead", "lag": "1h"}"#;
    let silent = ["unknown", "whether a Drainer still pulls from pump-old, since a probe of drainer-1 is refused"];
    with_old_pump(&format!("{DRAINER}, {dead}")).refuses(forget, &[], &[StillPulled]).says(&silent);
    let reused = r#"{"id": "drainer-1", "address": "d0:8249", "process": "dead", "lag": "1h"}"#;
    let other = ["since a probe of drainer-1 is other (drainer-0)"];
    with_old_pump(&format!("{DRAINER}, {reused}")).refuses(forget, &[], &[StillPulled]).says(&other);
    let hidden = with_old_pump(DRAINER).with_key(BROKEN_DRAINER);
    hidden.refuses(forget, &[], &[StillPulled]).says(&["since the key", BROKEN_DRAINER]);
    let paused = r#"{"id": "drainer-1", "address": "d1:8249", "record": "paused", "process": "dead", "lag": "1h"}"#;
    with_old_pump(&format!("{DRAINER}, {paused}")).allows(forget);
}

#[test]
fn last_key_keeps_the_record_that_tidb_needs_to_start() {
    let last = r#"{"id": "pump-0", "address": "p0:8250", "record": "offline", "process": "dead", "lag": "1d"}"#;
    let forget = r#"forget_pump("pump-0", #{$})"#;
    Situation::of(last, "")
        .refuses(forget, &[LastKey], &[])
        .says(&["the last Pump's record", "does not start without"]);
    let beside_a_broken_one = Situation::of(last, "").with_key(BROKEN_PUMP);
    beside_a_broken_one.refuses(forget, &[LastKey], &[]);
}
