use super::*;

const KEY: &str = "/tidb-binlog/v1/pumps/p0";

fn parse(json: impl Into<Vec<u8>>) -> Result<Record> {
    Record::parse(KEY, json, 7)
}

fn read(json: &str) -> Record {
    parse(json).unwrap()
}

fn relabelled(json: &str) -> String {
    String::from_utf8(read(json).with_state(State::Paused).unwrap().bytes().to_vec()).unwrap()
}

#[test]
fn a_state_is_written_and_everything_else_stays_byte_for_byte() {
    let deep = format!("{}1{}", "[".repeat(9_000), "]".repeat(9_000));
    for rest in [
        r#""note":1e400"#,
        r#""note":123456789012345678901234567890,"a":1.0,"b":1E5,"c":-0,"d":0.10e-2"#,
        r#""note":"\u0061\/\"\ud83d\ude00 é","half":"\ud800","half\udc00":1"#,
        r#""note":1,"note":2,"":{},"nested":{"state":"online","state":1}"#,
        r#""label":{"labels":{"zone":"a b"}} , "list" : [ { "state" : "online" } , null ]"#,
        r#""stat":1,"states":2,"_state":3"#,
        &format!(r#""deep":{deep}"#),
    ] {
        for (before, after) in [("{", r#","host":"h:1"}"#), (" {\n\t", "\r\n}\n")] {
            let with = |state: &str| format!("{before}\"state\" : {state} , {rest}{after}");
            assert_eq!(relabelled(&with(r#""online""#)), with(r#""paused""#));
            assert_eq!(relabelled(&with("null")), with(r#""paused""#), "a field that says nothing");
        }
    }
}

#[test]
fn every_name_that_a_reader_takes_for_the_state_is_written() {
    for (before, after) in [
        (r#"{"st\u0061te":"online","x":1}"#, r#"{"st\u0061te":"paused","x":1}"#),
        (r#"{"State":"online"}"#, r#"{"State":"paused"}"#),
        ("{\"\u{17f}tate\":\"online\"}", "{\"\u{17f}tate\":\"paused\"}"),
        (
            r#"{"state":"online","n":[1 ,2],"STATE":"x","state":null}"#,
            r#"{"state":"paused","n":[1 ,2],"STATE":"paused","state":"paused"}"#,
        ),
        (r#"{ "host": "h:1" }"#, r#"{ "host": "h:1" ,"state":"paused"}"#),
        ("{}", r#"{"state":"paused"}"#),
        ("{ } ", r#"{ "state":"paused"} "#),
        (" null", r#"{"state":"paused"}"#),
    ] {
        assert_eq!(relabelled(before), after);
        assert!(read(after).state == State::Paused, "{after}");
    }
}

#[test]
fn bytes_that_are_no_text_stay_as_they_are() {
    let record = parse(b"{\"host\":\"h\xff:1\",\"state\":\"on\xfeline\",\"\xf0\x9f\":1}".to_vec()).unwrap();
    assert_eq!((record.node.address.as_str(), record.state.name()), ("h\u{fffd}:1", "on\u{fffd}line"));
    let written = record.with_state(State::Offline).unwrap();
    assert_eq!(written.bytes(), b"{\"host\":\"h\xff:1\",\"state\":\"offline\",\"\xf0\x9f\":1}");
    let kept: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    assert_eq!(kept, record, "a journal gives it back");
}

/// By the rules of Go's `encoding/json`: `null` and what is missing leave a field empty, names have no case.
#[test]
fn what_other_readers_read_is_a_record() {
    for (json, state, address, max_commit_ts) in [
        (r#"{"nodeId":"p0","host":"h:1","state":"Online","maxCommitTS":5,"updateTS":6}"#, "Online", "h:1", 5),
        (r#"{"host":"h:1"}"#, "", "h:1", 0),
        (r#"{"HOST":"h:1","State":"online","MAXCOMMITTS":-1}"#, "online", "h:1", -1),
        (r#"{"host":null,"state":null,"isAlive":null,"score":null,"label":null,"maxCommitTS":null}"#, "", "", 0),
        (r#"{"state":"online","state":"paused","host":"a","host":null}"#, "paused", "a", 0),
        (r#"{"state":"\u006fn\ud800line","maxCommitTS":-0}"#, "on\u{fffd}line", "", 0),
        (r#"{"label":{"labels":{"zone":"z","none":null}},"score":-3,"isAlive":true}"#, "", "", 0),
        (r#"{"label":{"LABELS":null,"more":[1]},"maxCommitTS":9223372036854775807}"#, "", "", i64::MAX),
        ("null", "", "", 0),
        ("{}", "", "", 0),
    ] {
        let record = read(json);
        let found = (record.state.name(), record.node.address.as_str(), record.max_commit_ts.0);
        assert_eq!(found, (state, address, max_commit_ts), "{json}");
    }
}

#[test]
fn what_breaks_other_readers_is_no_record() {
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for json in [
        "",
        "{",
        "[]",
        "1",
        "\"x\"",
        "{}x",
        "{}{}",
        "\u{feff}{}",
        "{\"a\":01}",
        "{\"a\":\"\t\"}",
        "{a:1}",
        "{\"a\":1,}",
        r#"{"host":1}"#,
        r#"{"state":["online"]}"#,
        r#"{"nodeId":{}}"#,
        r#"{"maxCommitTS":"5"}"#,
        r#"{"maxCommitTS":1.0}"#,
        r#"{"updateTS":1e5}"#,
        r#"{"updatets":9223372036854775808}"#,
        r#"{"isAlive":1}"#,
        r#"{"isAlive":"true"}"#,
        r#"{"score":0.5}"#,
        r#"{"label":"x"}"#,
        r#"{"label":{"labels":{"a":1}}}"#,
        r#"{"state":"online","State":1}"#,
        &deep,
    ] {
        assert!(parse(json).is_err(), "{json:.60}");
    }
    assert!(parse(b"{\"host\":\"h\"\xff}".to_vec()).is_err(), "no text outside of texts");
}

#[test]
fn every_change_but_a_heartbeats_is_a_difference() {
    let before = r#"{"state":"online","host":"h:1","note":1e400,"maxCommitTS":1,"l":[1, {"a b":2}]}"#;
    let differences = |after: &str| read(before).differences(&read(after)).unwrap();
    assert_eq!(
        differences(r#"{"state":"online" , "host":"h:1","note":1e400,"updateTS":9,"l":[ 1,{"a b":2}]}"#),
        [""; 0]
    );
    let with = |note: &str| before.replace(r#""note":1e400"#, note);
    for note in [
        r#""note":1e401"#,
        r#""note":1e400,"note":1e400"#,
        r#""note":null"#,
        r#""NOTE":1e400"#,
        r#""more":1,"note":1e400"#,
    ] {
        assert!(!differences(&with(note)).is_empty(), "{note}");
    }
    assert_eq!(differences(&with(r#""note":2"#)), ["note: 1e400 -> 2"]);
    assert_eq!(differences(&before.replace("a b", "ab")), [r#"l: [1,{"a b":2}] -> [1,{"ab":2}]"#]);
}

#[test]
fn a_text_that_is_none_is_never_taken_for_one_without_fields() {
    let mut broken = read("{}");
    broken.json = b"{".to_vec().into();
    assert!(broken.with_state(State::Paused).is_err());
    assert!(broken.differences(&read("{}")).is_err());
    assert!(read("{}").differences(&broken).is_err());
}
