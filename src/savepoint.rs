//! The savepoint file ("meta"): where a Drainer begins to read.
//!
//! TOML with one key that matters, `commitTS`. binlogctl appends bare lines of time to it, which a Drainer cannot
//! load; ours stand in comments.

use crate::error::{Error, Result};
use crate::text::on_one_line;
use crate::time::{Time, Zone};
use crate::tso::Tso;

const TIME: &str = "%Y-%m-%d %H:%M:%S %z";

/// The content of a savepoint for `ts`, with its time in UTC and in `zone` as comments.
pub fn render(ts: Tso, zone: Option<Zone>) -> String {
    let mut text = format!("commitTS = {ts}\n# {} UTC\n", Time::of_tso(ts, Zone::Utc).format(TIME));
    if let Some(zone) = zone {
        text.push_str(&format!("# {} ({})\n", Time::of_tso(ts, zone).format(TIME), zone.name()));
    }
    text
}

/// What a savepoint file says.
#[derive(Debug, PartialEq)]
pub struct Savepoint {
    /// Where the Drainer begins.
    pub ts: Tso,
    /// A Drainer's own file says whether downstream is consistent.
    pub consistent: Option<bool>,
    /// A Drainer's own file has the version of the schema.
    pub schema_version: Option<i64>,
    /// Why a Drainer cannot load it.
    pub problem: Option<String>,
}

/// Reads ours, a Drainer's own, and the broken one that binlogctl writes with a time zone.
///
/// # Errors
/// `invalid` when there is no `commitTS` in it, or it is no timestamp.
pub fn parse(text: &str) -> Result<Savepoint> {
    let no_ts = || Error::invalid("it has no line `commitTS = N` with a timestamp");
    match text.parse::<toml::Table>() {
        Ok(table) => {
            let ts = table.get("commitTS").and_then(toml::Value::as_integer).filter(|ts| *ts >= 0).ok_or_else(no_ts)?;
            Ok(Savepoint {
                ts: Tso(ts),
                consistent: table.get("consistent").and_then(toml::Value::as_bool),
                schema_version: table.get("schema-version").and_then(toml::Value::as_integer),
                problem: None,
            })
        }
        Err(error) => {
            let value = text.lines().find_map(|line| line.trim().strip_prefix("commitTS")?.trim().strip_prefix('='));
            let ts = value.and_then(|value| value.trim().parse().ok()).filter(|ts: &i64| *ts >= 0).ok_or_else(no_ts)?;
            Ok(Savepoint { ts: Tso(ts), consistent: None, schema_version: None, problem: Some(problem(text, &error)) })
        }
    }
}

/// Whether `text` holds a timestamp and its time and nothing else, as we and binlogctl write it: a Drainer's own has more.
pub fn is_bare(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    parse(text).is_ok()
        && lines.into_iter().all(|line| line.starts_with("commitTS") || line.starts_with(|c: char| c.is_ascii_digit()))
}

fn problem(text: &str, error: &toml::de::Error) -> String {
    let bare = |line: &&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with('#')
            && !line.contains('=')
            && line.starts_with(|c: char| c.is_ascii_digit())
    };
    let bare: Vec<&str> = text.lines().filter(bare).collect();
    match bare.first() {
        Some(line) => format!(
            "a Drainer cannot load it: `{}` is no TOML (binlogctl writes such lines with -time-zone); put `# ` before it",
            on_one_line(line.trim())
        ),
        None => format!("a Drainer cannot load it: {}", on_one_line(error.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_read_by_a_toml_parser() {
        let zone = Zone::from_name("Asia/Shanghai").unwrap();
        let text = render(Tso(400_962_745_252_184_065), Some(zone));
        assert_eq!(
            text,
            "commitTS = 400962745252184065\n# 2018-06-21 03:24:47 +0000 UTC\n# 2018-06-21 11:24:47 +0800 (Asia/Shanghai)\n"
        );
        let read = parse(&text).unwrap();
        assert_eq!((read.ts, read.problem), (Tso(400_962_745_252_184_065), None));
    }

    #[test]
    fn a_drainers_own_is_read() {
        let read = parse("commitTS = 5\nconsistent = true\nschema-version = 42\n").unwrap();
        assert_eq!((read.consistent, read.schema_version), (Some(true), Some(42)));
    }

    #[test]
    fn a_drainers_own_is_told_from_ours_and_from_binlogctls() {
        for bare in [render(Tso(5), None).as_str(), "commitTS = 5", "commitTS = 5\n2018-06-22 08:35:10 +0000 UTC\n"] {
            assert!(is_bare(bare), "{bare}");
        }
        for own in
            ["commitTS = 5\nconsistent = true", "commitTS = 5\nschema-version = 0\n", "[x]\ncommitTS = 5", "", "{"]
        {
            assert!(!is_bare(own), "{own}");
        }
    }

    #[test]
    fn binlogctls_broken_one_is_read_and_named_broken() {
        let text = "commitTS = 400962745252184065\n2018-06-22 08:35:10 +0000 UTC\n2018-06-22 16:35:10 +0800 CST\n";
        let read = parse(text).unwrap();
        assert_eq!(read.ts, Tso(400_962_745_252_184_065));
        assert!(read.problem.unwrap().contains("2018-06-22 08:35:10 +0000 UTC"));
    }

    #[test]
    fn a_file_without_a_timestamp_is_an_error() {
        for text in ["", "commitTS = \"x\"", "commitTS = -1", "{", "commitTS 5"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
