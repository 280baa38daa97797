//! What is in the way: each makes the checkpoint unknown, with a reason that says what to do, and nothing hangs.

use super::*;

/// A table of its own, with these rows.
fn with_rows(rows: &[(u64, &str)]) -> (Place, String) {
    let (server, place) = (mariadb(), Place::start());
    let schema = server.schema();
    server.make_table(&schema);
    rows.iter().for_each(|(id, row)| server.save(&schema, *id, row));
    (place, schema)
}

fn found(place: &Place, schema: &str) -> DownstreamCheckpoint {
    place.asks(in_table(mariadb(), schema, place.reader("")))
}

#[test]
fn the_row_of_our_cluster_counts_and_no_other() {
    let (place, schema) =
        with_rows(&[(1, r#"{"commitTS":11}"#), (ID, r#"{"consistent":true,"commitTS":12,"schema-version":3}"#)]);
    let saved = known(found(&place, &schema));
    assert_eq!((saved.commit_ts.0, saved.consistent, saved.schema_version), (12, Some(true), Some(3)));
    assert_eq!(saved.source, format!("{schema}.checkpoint at 127.0.0.1:{}", mariadb().port()));
    assert!(saved.read_at > saved.commit_ts);
    place.pd.set(|knobs| knobs.cluster_id = u64::MAX);
    unknown(found(&place, &schema), &["no row of this cluster (18446744073709551615)", "only of others: 1, 70123"]);
}

#[test]
fn an_empty_table_none_and_no_schema_are_told_apart() {
    let (place, schema) = with_rows(&[]);
    unknown(found(&place, &schema), &["has no row", "no Drainer has saved"]);
    mariadb().run(&format!("DROP TABLE {schema}.checkpoint"));
    unknown(found(&place, &schema), &["there is no table", &schema]);
    unknown(found(&place, "never`there"), &["never`there"]);
}

#[test]
fn rows_of_newer_versions_are_read_and_what_is_no_row_is_not() {
    let newer = r#"{"version":9,"commitTS":5,"consistent":false,"schema-version":7,"ts-map":{"primary-ts":1,"x":[1]},"more":null}"#;
    let (place, schema) = with_rows(&[(ID, newer)]);
    assert_eq!(known(found(&place, &schema)).schema_version, Some(7));
    for (row, words) in [
        ("", "no JSON"),
        ("{", "no JSON"),
        (r#"{"commitTs":5}"#, "no commitTS"),
        (r#"{"commitTS":-5}"#, "no timestamp"),
        (r#"{"commitTS":18446744073709551615}"#, "no timestamp"),
        (r#"{"commitTS":"hunter2"}"#, "another form"),
    ] {
        mariadb().save(&schema, ID, row);
        unknown(found(&place, &schema), &["the row of this cluster", words]);
    }
    mariadb().run(&format!("UPDATE {schema}.checkpoint SET checkPoint = NULL"));
    unknown(found(&place, &schema), &["is empty"]);
    mariadb().run(&format!("UPDATE {schema}.checkpoint SET checkPoint = REPEAT(' ', 9000000)"));
    unknown(found(&place, &schema), &["more than 65536 bytes"]);
}

#[test]
fn a_table_that_no_drainer_made_gives_no_checkpoint() {
    let (place, schema) = with_rows(&[]);
    let replace = |columns: &str, rows: &str| {
        mariadb().run(&format!("CREATE OR REPLACE TABLE {schema}.checkpoint ({columns})"));
        mariadb().run(&format!("INSERT INTO {schema}.checkpoint VALUES {rows}"));
    };
    replace("clusterID BIGINT UNSIGNED, checkPoint MEDIUMTEXT", &format!("({ID}, '{{}}'), ({ID}, '{{}}')"));
    unknown(found(&place, &schema), &["several rows"]);
    replace("a INT, b INT", "(1, 2)");
    unknown(found(&place, &schema), &["no table of checkpoints"]);
    replace("clusterID BIGINT UNSIGNED, checkPoint BLOB", &format!("({ID}, x'fffe')"));
    unknown(found(&place, &schema), &["no text"]);
}

#[test]
fn a_checkpoint_ahead_of_pds_time_is_not_believed() {
    let (place, schema) = with_rows(&[(ID, r#"{"commitTS":9000000000000000000}"#)]);
    unknown(found(&place, &schema), &["ahead of PD's time"]);
}

#[test]
fn a_login_that_is_refused_says_whose_and_not_with_what() {
    let (place, schema) = with_rows(&[]);
    let asks = |text: &str| place.asks(in_table(mariadb(), &schema, place.my_cnf(text)));
    unknown(asks("user = reader\npassword = hunter2"), &["refuses reader or the password", "Access denied"]);
    unknown(asks("user = blind\npassword = x"), &["blind may not read", "grant it SELECT"]);
    unknown(asks("password = hunter2"), &["nothing says how to log in"]);
    unknown(asks("user = reader\npassword = \"hunter2"), &["line 3", "quote"]);
    // Nobody is there to type one: an empty one is tried.
    unknown(asks("user = open"), &["has no row"]);
    let missing = place.dir.path().join("none.cnf");
    unknown(place.asks(in_table(mariadb(), &schema, missing)), &["cannot read", "none.cnf"]);
}

#[test]
fn a_database_that_is_down_slow_or_another_server_is_unknown_in_time() {
    let place = Place::start();
    let nobody = crate::support::free_port();
    unknown(place.asks(at(nobody, "s", place.reader(""))), &["cannot connect", "connection refused"]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let slow = place.asks_within(Duration::from_millis(300), at(port, "s", place.reader("")));
    unknown(slow, &["did not answer within 0.3 s"]);
}

#[test]
fn without_pd_nobody_knows_which_row_it_is() {
    let (place, schema) = with_rows(&[(ID, r#"{"commitTS":5}"#)]);
    place.pd.set_gone(true);
    let found = place.asks_within(Duration::from_millis(300), in_table(mariadb(), &schema, place.reader("")));
    unknown(found, &["only PD can say"]);
}

#[test]
fn what_nobody_configured_is_unknown_at_once() {
    let place = Place::start();
    place.pd.set_gone(true);
    unknown(place.asks(DownstreamProfile::default()), &["nothing says where", "downstreams"]);
    assert_eq!(place.pd.members_asked(), 0, "nobody is waited for");
}
