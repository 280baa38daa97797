//! Log lines as binlogctl writes them: `[time] [LEVEL] [file:line] ["message"] [field=value] ...`.
//!
//! The place in binlogctl's source is part of the line, since scripts may look for it.

use crate::error::Result;
use crate::node::Node;
use crate::time::{Time, Zone};
use chrono::TimeZone;
use std::fmt::Write;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// The flags cannot be used.
    Error,
    /// The command failed.
    Fatal,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

/// One line: `unix_ms` in `zone`, the place in binlogctl's source, the message, the fields in their order.
pub fn line(unix_ms: i64, zone: Zone, level: Level, place: &str, message: &str, fields: &[(&str, String)]) -> String {
    let time = Time::new(unix_ms, zone).format("%Y/%m/%d %H:%M:%S%.3f %:z");
    let mut text = format!("[{time}] [{}] [{place}] [{}]", level.name(), field_text(message));
    for (name, value) in fields {
        text += &format!(" [{name}={}]", field_text(value));
    }
    text
}

/// A node as binlogctl writes it; the time has whole seconds.
pub(super) fn node_text(node: &Node, zone: Zone) -> String {
    let record = &node.record;
    format!(
        "{{NodeID: {}, Addr: {}, State: {}, MaxCommitTS: {}, UpdateTime: {}}}",
        record.node.id.as_str(),
        record.node.address.as_str(),
        record.state.name(),
        record.max_commit_ts,
        go_time(record.update_ts.physical_ms(), zone)
    )
}

/// A time as Go prints it: `2026-11-22 13:32:51 +0000 UTC`.
fn go_time(unix_ms: i64, zone: Zone) -> String {
    let abbreviation = match zone {
        Zone::Utc => "UTC".to_owned(),
        Zone::Named(tz) => {
            tz.timestamp_millis_opt(unix_ms).single().map_or_else(String::new, |time| time.format("%Z").to_string())
        }
        Zone::Local => Time::new(unix_ms, zone).format("%z"),
    };
    format!("{} {abbreviation}", Time::new(unix_ms, zone).format("%Y-%m-%d %H:%M:%S %z"))
}

/// This host's zone by name, so that times show its abbreviation; `Local` where it has none.
pub fn host_zone() -> Zone {
    let set = std::env::var("TZ").ok().map(|zone| zone.trim_start_matches(':').to_owned());
    let named = |name: &String| -> Result<Zone> { Zone::from_name(name) };
    let usual = || iana_time_zone::get_timezone().ok();
    set.filter(|zone| !zone.is_empty()).or_else(usual).and_then(|name| named(&name).ok()).unwrap_or(Zone::Local)
}

/// A text in a field: quoted when it has a space, a control character, `\`, `"`, `[`, `]` or `=`.
fn field_text(text: &str) -> String {
    let needs_quotes = |c: char| c <= ' ' || matches!(c, '\\' | '"' | '[' | ']' | '=' | '\u{7f}'..='\u{9f}');
    if !text.contains(needs_quotes) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '\\' | '"' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Writing to a String cannot fail.
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Record;

    /// 2026-11-22 13:32:53.136 UTC.
    const NOW: i64 = 1_795_354_373_136;

    fn pump() -> Node {
        let json = br#"{"nodeId":"pump-0","host":"127.0.0.1:8250","state":"online","maxCommitTS":470641375911346178,"updateTS":470641376500000000}"#;
        let record = Record::parse("/tidb-binlog/v1/pumps/pump-0", json, 1).unwrap();
        Node { record, lag: None, heartbeat_age: None, odd: vec![] }
    }

    #[test]
    fn lines_are_byte_for_byte_those_of_binlogctl() {
        let node = [("type", "pump".into()), ("node", node_text(&pump(), Zone::Utc))];
        assert_eq!(
            line(NOW, Zone::Utc, Level::Info, "nodes.go:53", "query node", &node),
            "[2026/11/22 13:32:53.136 +00:00] [INFO] [nodes.go:53] [\"query node\"] [type=pump] \
             [node=\"{NodeID: pump-0, Addr: 127.0.0.1:8250, State: online, MaxCommitTS: 470641375911346178, \
             UpdateTime: 2026-11-22 13:32:52 +0000 UTC}\"]"
        );
        let action = [("action", "pause".into()), ("NodeID", "pump-1".into())];
        assert_eq!(
            line(NOW + 76_609, Zone::Utc, Level::Info, "nodes.go:123", "Apply action on node success", &action),
            "[2026/11/22 13:34:09.745 +00:00] [INFO] [nodes.go:123] [\"Apply action on node success\"] \
             [action=pause] [NodeID=pump-1]"
        );
        let meta = [("meta", "commitTS: 470641376802897921".into())];
        assert_eq!(
            line(NOW + 80, Zone::Utc, Level::Info, "meta.go:110", "save meta", &meta),
            "[2026/11/22 13:32:53.216 +00:00] [INFO] [meta.go:110] [\"save meta\"] \
             [meta=\"commitTS: 470641376802897921\"]"
        );
        let encrypted = [("encrypted", "RVvYZPP1lI5Rnsm5dt42YEAYRDabzUE=".into())];
        assert_eq!(
            line(NOW + 392, Zone::Utc, Level::Info, "encrypt.go:16", "encrypt text", &encrypted),
            "[2026/11/22 13:32:53.528 +00:00] [INFO] [encrypt.go:16] [\"encrypt text\"] \
             [encrypted=\"RVvYZPP1lI5Rnsm5dt42YEAYRDabzUE=\"]"
        );
    }

    #[test]
    fn times_are_those_of_the_host_s_zone() {
        let berlin = Zone::from_name("Europe/Berlin").unwrap();
        assert!(node_text(&pump(), berlin).ends_with("UpdateTime: 2026-11-22 14:32:52 +0100 CET}"));
        assert!(line(NOW, berlin, Level::Fatal, "x", "y", &[]).starts_with("[2026/11/22 14:32:53.136 +01:00] [FATAL]"));
    }

    #[test]
    fn a_field_is_quoted_when_it_must_be() {
        for plain in ["pump-1", "10.0.0.5:8250", "ü"] {
            assert_eq!(field_text(plain), plain);
        }
        assert_eq!(field_text("a b"), "\"a b\"");
        assert_eq!(field_text("a=b"), "\"a=b\"");
        assert_eq!(field_text("[a]"), "\"[a]\"");
        assert_eq!(field_text("say \"hi\"\\\n\x1b"), "\"say \\\"hi\\\"\\\\\\n\\u001b\"");
    }
}
