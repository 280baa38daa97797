//! TiCDC's changefeeds and servers, as they stand in PD's etcd.
//!
//! A changefeed's JSON has the URI of its sink in it, and that the password: it goes no further than this file. Nothing that cannot
//! be read hides anything else.

use super::Etcd;
use super::gc::{list, too_large};
use crate::downstream::without_secrets;
use crate::error::{Error, Result};
use crate::live::clock::Deadline;
use crate::text::{Untrusted, on_one_line};
use crate::tso::Tso;
use crate::world::{Capture, Changefeed, Changefeeds, UNREADABLE};
use serde::Deserialize;
use std::collections::BTreeMap;

/// TiCDC keeps everything under this prefix.
const PREFIX: &str = "/tidb/cdc/";
/// Where there is no other, and where there was none yet.
const DEFAULT: &str = "default";
/// How long an error may be that is shown.
const SHOWN: usize = 500;

/// What we read of a changefeed's info; it has more. Whatever is no number or text is taken as not there.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct InfoValue {
    sink_uri: Option<serde_json::Value>,
    start_ts: Option<serde_json::Value>,
    target_ts: Option<serde_json::Value>,
    state: Option<serde_json::Value>,
    admin_job_type: Option<serde_json::Value>,
    error: Option<serde_json::Value>,
}

/// What we read of a changefeed's status.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StatusValue {
    checkpoint_ts: u64,
}

/// What we read of a server.
#[derive(Deserialize)]
struct CaptureValue {
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

/// What a key of TiCDC's is about.
#[derive(Debug, PartialEq, Eq)]
enum KeyOf<'a> {
    Info(FeedName<'a>),
    Status(FeedName<'a>),
    Capture { cluster: &'a str, id: &'a str },
    Other,
}

/// A changefeed by cluster, namespace and id.
type FeedName<'a> = (&'a str, &'a str, &'a str);

/// What a key is about, in both layouts: up to 6.1 there was one cluster and one namespace.
fn key_of(key: &str) -> KeyOf<'_> {
    let rest = key.strip_prefix(PREFIX).unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    match parts[..] {
        ["changefeed", "info", id] => KeyOf::Info((DEFAULT, DEFAULT, id)),
        ["job", id] => KeyOf::Status((DEFAULT, DEFAULT, id)),
        ["capture", id] => KeyOf::Capture { cluster: DEFAULT, id },
        // What stood there before it was upgraded.
        ["__backup__", ..] => KeyOf::Other,
        [cluster, "__cdc_meta__", "capture", id] => KeyOf::Capture { cluster, id },
        [cluster, namespace, "changefeed", "info", id] => KeyOf::Info((cluster, namespace, id)),
        [cluster, namespace, "changefeed", "status", id] => KeyOf::Status((cluster, namespace, id)),
        _ => KeyOf::Other,
    }
}

/// The changefeeds and the servers that are there.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried; `conflict` where etcd was compacted meanwhile.
pub(in crate::live) async fn changefeeds(etcd: &Etcd, deadline: Deadline) -> Result<Changefeeds> {
    let keys = list(etcd, PREFIX, deadline).await?;
    Ok(Changefeeds::found(keys.iter().map(|(key, value)| (key.as_str(), value.as_deref()))))
}

impl Changefeeds {
    /// What these keys tell, each with its value, if that can be read.
    pub fn found<'a>(keys: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        let mut feeds: BTreeMap<FeedName<'a>, Changefeed> = BTreeMap::new();
        let mut statuses = Vec::new();
        let mut captures = Vec::new();
        for (key, value) in keys {
            match key_of(key) {
                KeyOf::Info(name) => {
                    let read = value.ok_or_else(|| Error::invalid(too_large(key))).and_then(Changefeed::parse);
                    let feed = read.unwrap_or_else(|error| Changefeed {
                        state: UNREADABLE.into(),
                        error: Some(error.message.into()),
                        ..Changefeed::default()
                    });
                    let (cluster, namespace, id) = name;
                    feeds.insert(
                        name,
                        Changefeed { id: id.into(), namespace: namespace.into(), cluster: cluster.into(), ..feed },
                    );
                }
                KeyOf::Status(name) => statuses.push((name, value.and_then(checkpoint))),
                KeyOf::Capture { cluster, id } => captures.push(Capture::parse(cluster, id, value.unwrap_or_default())),
                KeyOf::Other => {}
            }
        }
        // A status without an info is what is left of one that was removed.
        for (name, checkpoint) in statuses {
            feeds.entry(name).and_modify(|feed| feed.checkpoint_ts = checkpoint);
        }
        captures.sort_by(|a: &Capture, b| (&a.cluster, &a.id).cmp(&(&b.cluster, &b.id)));
        Self { changefeeds: feeds.into_values().collect(), captures }
    }
}

fn checkpoint(status: &[u8]) -> Option<Tso> {
    let StatusValue { checkpoint_ts } = serde_json::from_slice(status).ok()?;
    given(checkpoint_ts)
}

/// A timestamp; 0 is none.
fn given(ts: u64) -> Option<Tso> {
    i64::try_from(ts).ok().map(Tso).filter(|ts| ts.is_given())
}

impl Changefeed {
    /// What the info of a changefeed says; its name stands in its key.
    ///
    /// # Errors
    /// `invalid` where it is not JSON. What stands there is not quoted: it has a password in it.
    pub fn parse(info: &[u8]) -> Result<Self> {
        let no_info = |column: usize| Error::invalid(format!("it is no JSON of a changefeed, from column {column} on"));
        // A list would be read as its fields in their order.
        if !info.trim_ascii_start().starts_with(b"{") {
            return Err(no_info(1));
        }
        let info: InfoValue = serde_json::from_slice(info).map_err(|error| no_info(error.column()))?;
        let number = |value: &Option<serde_json::Value>| value.as_ref().and_then(serde_json::Value::as_u64);
        let uri = info.sink_uri.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        let error = info.error.as_ref().filter(|error| !error.is_null());
        let state = info.state.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        Ok(Self {
            state: match state {
                "" => state_of_old(number(&info.admin_job_type), error.is_some()),
                state => state,
            }
            .into(),
            start_ts: number(&info.start_ts).and_then(given),
            target_ts: number(&info.target_ts).and_then(given),
            sink: without_secrets(uri).map(Untrusted::from),
            error: error.map(|error| words(error, uri).into()),
            ..Self::default()
        })
    }
}

/// The state where none stands there, as in the oldest versions: what its owner was last told.
fn state_of_old(admin_job_type: Option<u64>, has_error: bool) -> &'static str {
    match (admin_job_type.unwrap_or(0), has_error) {
        (1, false) => "stopped",
        (1, true) => "failed",
        (3, _) => "removed",
        (4, _) => "finished",
        (_, true) => "error",
        (_, false) => "normal",
    }
}

/// What is wrong with a changefeed: code and message, without a message that quotes the sink.
fn words(error: &serde_json::Value, uri: &str) -> String {
    let text = |name: &str| error.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (code, message) = (text("code"), text("message"));
    let quotes = message.contains("://") || secrets_in(uri).iter().any(|secret| message.contains(secret));
    let shown: String = match (code, quotes) {
        ("", true) => "its message is not shown: it quotes the sink".into(),
        (code, true) => format!("{code} (its message is not shown: it quotes the sink)"),
        ("", false) => message.to_owned(),
        (code, false) if message.contains(code) => message.to_owned(),
        (code, false) => format!("{code}: {message}"),
    };
    on_one_line(&shown).chars().take(SHOWN).collect()
}

/// What of `uri` may be a secret: what stands before the host in it, and what its options are set to. As it stands there, and with
/// `%` undone.
fn secrets_in(uri: &str) -> Vec<String> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    let password = user.split_once(':').map_or(user, |(_, password)| password);
    let options = rest.split(['?', '&']).skip(1).filter_map(|option| option.split_once('='));
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["password", "secret", "token", "key", "credential", "sas"].iter().any(|word| name.contains(word))
    };
    let all = options.filter(|(name, _)| is_secret(name)).map(|(_, value)| value).chain([password]);
    let all: Vec<&str> = all.filter(|secret| !secret.is_empty()).collect();
    let plain = all.iter().map(|secret| undone(secret));
    all.iter().map(|secret| (*secret).to_owned()).chain(plain).collect()
}

/// A text of a URI with `%` undone.
fn undone(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Capture {
    /// The server `id` of `cluster` of which `value` tells.
    pub fn parse(cluster: &str, id: &str, value: &[u8]) -> Self {
        let CaptureValue { address, version } =
            serde_json::from_slice(value).unwrap_or(CaptureValue { address: None, version: None });
        let there = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Untrusted::from);
        Self { id: id.into(), cluster: cluster.into(), address: there(address), version: there(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[(&str, &str)]) -> Changefeeds {
        Changefeeds::found(keys.iter().map(|(key, value)| (*key, Some(value.as_bytes()))))
    }

    #[test]
    fn both_layouts_are_read() {
        let info = r#"{"sink-uri":"mysql://root:hunter2@10.0.0.9:3306/","start-ts":5,"target-ts":0,"state":"normal","error":null}"#;
        let told = found(&[
            ("/tidb/cdc/__backup__/2/tidb/cdc/changefeed/info/old", info),
            ("/tidb/cdc/changefeed/info/a", info),
            ("/tidb/cdc/job/a", r#"{"resolved-ts":9,"checkpoint-ts":8,"admin-job-type":0}"#),
            ("/tidb/cdc/default/default/changefeed/info/b", info),
            ("/tidb/cdc/default/default/changefeed/status/b", r#"{"checkpoint-ts":7}"#),
            ("/tidb/cdc/two/team/changefeed/info/c", info),
            ("/tidb/cdc/two/team/changefeed/status/gone", r#"{"checkpoint-ts":7}"#),
            ("/tidb/cdc/two/__cdc_meta__/capture/x", r#"{"id":"x","address":"10.0.0.9:8300","version":"v7.5.0"}"#),
            ("/tidb/cdc/capture/y", "{not json"),
            ("/tidb/cdc/two/__cdc_meta__/owner/22318498f4dd6639", "x"),
        ]);
        let names: Vec<String> = told.changefeeds.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["changefeed a", "changefeed b", "changefeed c of two/team"]);
        let checkpoints: Vec<_> = told.changefeeds.iter().map(|feed| feed.checkpoint_ts).collect();
        assert_eq!(checkpoints, [Some(Tso(8)), Some(Tso(7)), None]);
        let first = &told.changefeeds[0];
        assert_eq!((first.start_ts, first.target_ts, first.error.clone()), (Some(Tso(5)), None, None));
        assert_eq!(first.sink.as_deref(), Some("mysql://10.0.0.9:3306/"));
        let captures: Vec<_> = told.captures.iter().map(|one| (one.id.as_str(), one.address.as_deref())).collect();
        assert_eq!(captures, [("y", None), ("x", Some("10.0.0.9:8300"))]);
    }

    #[test]
    fn what_cannot_be_read_is_a_changefeed_that_may_write() {
        let told = found(&[
            ("/tidb/cdc/default/default/changefeed/info/a", "{\"sink-uri\":\"mysql://root:hunter2@h/\""),
            ("/tidb/cdc/default/default/changefeed/info/b", "[]"),
            ("/tidb/cdc/default/default/changefeed/info/c", r#"{"sink-uri":7,"start-ts":"x","state":"later"}"#),
        ]);
        let states: Vec<_> = told.changefeeds.iter().map(|feed| feed.state.as_str()).collect();
        assert_eq!(states, ["unreadable", "unreadable", "later"]);
        assert!(told.changefeeds.iter().all(Changefeed::may_write));
        assert!(!format!("{told:?}").contains("hunter2"));
    }

    #[test]
    fn an_error_that_quotes_the_sink_is_told_by_its_code() {
        let told = |message: &str| {
            let info = serde_json::json!({
                "sink-uri": "mysql://root:hunt%65r2@h/?ssl-key=sesame", "state": "failed",
                "error": {"code": "CDC:ErrSinkURIInvalid", "message": message},
            });
            Changefeed::parse(info.to_string().as_bytes()).unwrap().error.unwrap().to_string()
        };
        assert_eq!(told("no such host"), "CDC:ErrSinkURIInvalid: no such host");
        for message in ["mysql://root:x@h", "password hunter2 is wrong", "hunt%65r2", "the key sesame"] {
            assert_eq!(told(message), "CDC:ErrSinkURIInvalid (its message is not shown: it quotes the sink)");
        }
    }

    #[test]
    fn the_oldest_have_no_state_of_their_own() {
        let state = |info: &str| Changefeed::parse(info.as_bytes()).unwrap().state.to_string();
        assert_eq!(state("{}"), "normal");
        assert_eq!(state(r#"{"admin-job-type":1}"#), "stopped");
        assert_eq!(state(r#"{"admin-job-type":1,"error":{"code":"x"}}"#), "failed");
        assert_eq!(state(r#"{"admin-job-type":0,"error":{"code":"x"}}"#), "error");
        assert_eq!(state(r#"{"admin-job-type":4}"#), "finished");
    }
}
