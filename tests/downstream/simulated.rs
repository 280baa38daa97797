//! The simulated Drainer saves as the facts say.

use binlogsh::downstream::SavedRow;
use binlogsh::node::Kind;
use binlogsh::sim::{Cluster, DdlSpec, LogEvent, Micros, NodeIndex, SECOND, Scenario, Signal, Span};
use binlogsh::tso::Tso;

fn cluster(ddls: Option<DdlSpec>) -> (Cluster, NodeIndex) {
    let cluster = Cluster::new(&Scenario { ddls, ..Scenario::named("default").unwrap() }).unwrap();
    let who = cluster.find(Kind::Drainer, "drainer-0").unwrap();
    (cluster, who)
}

fn saved(cluster: &Cluster, who: NodeIndex) -> SavedRow {
    let NodeIndex::Drainer(at) = who else { panic!("no Drainer") };
    cluster.saved_downstream(at).unwrap()
}

fn pass(cluster: &mut Cluster, time: Micros) {
    let until = cluster.now() + time;
    cluster.advance_to(until);
}

#[test]
fn a_row_says_consistent_from_a_clean_end_until_the_first_save_of_the_next_process() {
    let (mut cluster, who) = cluster(None);
    pass(&mut cluster, 20 * SECOND);
    let before = saved(&cluster, who);
    assert_eq!(before.consistent, Some(false));
    let address = cluster.address_of(who).to_owned();
    cluster.http(&address, "PUT", "/state/drainer-0/pause");
    pass(&mut cluster, 5 * SECOND);
    let clean = saved(&cluster, who);
    assert_eq!(clean.consistent, Some(true));
    let record = cluster.record(who).unwrap().max_commit_ts;
    assert!(clean.commit_ts >= record && clean.commit_ts >= before.commit_ts, "{clean:?} {record}");

    cluster.start(who, None);
    pass(&mut cluster, SECOND);
    assert_eq!(saved(&cluster, who), clean, "it has saved nothing yet");
    pass(&mut cluster, 20 * SECOND);
    let after = saved(&cluster, who);
    assert_eq!(after.consistent, Some(false));
    assert!(after.commit_ts > clean.commit_ts);

    cluster.signal(who, Signal::Kill);
    pass(&mut cluster, SECOND);
    assert_eq!(saved(&cluster, who).consistent, Some(false));
}

#[test]
fn a_ddl_is_saved_at_once_at_just_its_commit_and_moves_the_version() {
    let at = 12 * SECOND + 345_678;
    let ddls = DdlSpec { at: vec![Span(std::time::Duration::from_micros(at as u64))], every: None, schema_version: 7 };
    let (mut cluster, who) = cluster(Some(ddls));
    cluster.advance_to(at - 1);
    assert_eq!(saved(&cluster, who).schema_version, Some(7));
    let (ddl, mut rows): (Tso, Vec<SavedRow>) = (cluster.ts_at(at), Vec::new());
    while cluster.now() < at + 15 * SECOND {
        pass(&mut cluster, 10_000);
        let row = saved(&cluster, who);
        if rows.last() != Some(&row) {
            rows.push(row);
        }
    }
    assert!(rows.iter().any(|row| row.commit_ts == ddl && row.schema_version == Some(8)), "{rows:?}");
    assert!(rows.iter().all(|row| row.schema_version == Some(if row.commit_ts < ddl { 7 } else { 8 })), "{rows:?}");
    assert!(rows.last().unwrap().commit_ts > ddl, "{rows:?}");
    assert!(cluster.log().iter().any(|entry| entry.at == at && entry.what == LogEvent::Ddl));
}

#[test]
fn ddls_come_again_and_again_and_never_while_tidb_writes_no_binlog() {
    let ddls = DdlSpec { at: Vec::new(), every: Some(Span::seconds(30)), schema_version: 1 };
    let (mut cluster, who) = cluster(Some(ddls));
    pass(&mut cluster, 100 * SECOND);
    assert_eq!(saved(&cluster, who).schema_version, Some(4));
    cluster.set_tidb_binlog(binlogsh::world::TidbBinlog::Off);
    pass(&mut cluster, 100 * SECOND);
    assert_eq!(saved(&cluster, who).schema_version, Some(4));
}

#[test]
fn where_tidb_writes_all_the_time_a_ddl_is_saved_by_itself_all_the_same() {
    let mut scenario = Scenario::named("default").unwrap();
    scenario.tidb.iter_mut().for_each(|tidb| tidb.writes_per_second = 100);
    let at = 21 * SECOND + 111_111;
    scenario.ddls =
        Some(DdlSpec { at: vec![Span(std::time::Duration::from_micros(at as u64))], every: None, schema_version: 1 });
    let mut cluster = Cluster::new(&scenario).unwrap();
    let who = cluster.find(Kind::Drainer, "drainer-0").unwrap();
    let mut seen = false;
    while cluster.now() < at + 10 * SECOND {
        pass(&mut cluster, 20_000);
        seen |= saved(&cluster, who).commit_ts == cluster.ts_at(at);
    }
    assert!(seen && saved(&cluster, who).commit_ts > cluster.ts_at(at));
    let address = cluster.address_of(who).to_owned();
    cluster.http(&address, "PUT", "/state/drainer-0/pause");
    pass(&mut cluster, 5 * SECOND);
    assert_eq!(saved(&cluster, who).consistent, Some(true));
}
