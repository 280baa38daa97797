//! Points in time and the zones they are shown in.

mod abbreviations;

use crate::error::{Error, Result};
use crate::text::on_one_line;
use crate::tso::Tso;
use chrono::{DateTime, Local, LocalResult, NaiveDateTime, Offset, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use std::str::FromStr;

/// A time zone: this host's, or one of IANA's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// UTC, which is what everything is shown in unless somebody says otherwise.
    #[default]
    Utc,
    /// This host's zone.
    Local,
    /// A zone of the IANA database.
    Named(Tz),
}

impl Zone {
    /// The zone called `name`: `UTC`, `Local`, or an IANA name in any case.
    ///
    /// # Errors
    /// `invalid`: with the zones that an abbreviation may mean, or the nearest names.
    pub fn from_name(name: &str) -> Result<Self> {
        if let Some(error) = abbreviations::refused(name) {
            return Err(error);
        }
        if name.eq_ignore_ascii_case("local") {
            return Ok(Self::Local);
        }
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::Utc);
        }
        let exact = Tz::from_str(name).ok();
        let found =
            exact.or_else(|| chrono_tz::TZ_VARIANTS.into_iter().find(|tz| tz.name().eq_ignore_ascii_case(name)));
        found.map(Self::Named).ok_or_else(|| {
            let names = zone_names();
            let hint = crate::nearest::did_you_mean(name, names);
            let error = Error::invalid(format!("`{}` is no time zone", on_one_line(name)));
            error.hint(hint.unwrap_or_else(|| "give an IANA name such as `Europe/Berlin`, `UTC` or `Local`".into()))
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Local => "Local",
            Self::Named(tz) => tz.name(),
        }
    }
}

/// The names of all time zones.
pub fn zone_names() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()).chain(["Local", "UTC"])
}

/// A point in time, to the millisecond, and the zone it is shown in.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// Where it is shown.
    pub zone: Zone,
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.unix_ms == other.unix_ms
    }
}

impl Time {
    /// `unix_ms` milliseconds since 1970, shown in `zone`.
    pub fn new(unix_ms: i64, zone: Zone) -> Self {
        Self { unix_ms, zone }
    }

    /// The physical time of `ts`.
    pub fn of_tso(ts: Tso, zone: Zone) -> Self {
        Self::new(ts.physical_ms(), zone)
    }

    /// Reads `2026-11-22 13:32:53`, with `T`, fractions, and an offset or a zone's name if there are any; without one the
    /// text is a wall time in `zone`. Of a wall time that occurs twice the earlier is meant. Also as Go prints it, with an
    /// offset, an abbreviation that then means nothing, and its monotonic clock: `2018-12-25 14:23:37 +0800 CST m=+0.1`.
    ///
    /// # Errors
    /// `invalid` when it is no time, a wall time that the zone skips, or in a zone that is not known or several.
    pub fn parse(text: &str, zone: Zone) -> Result<Self> {
        let bad = || {
            Error::invalid(format!("`{}` is no point in time", on_one_line(text)))
                .hint("write it as `2026-11-22 13:32:53` or `2026-11-22T13:32:53Z`")
        };
        let Written { wall, offset, zone: named } = Written::read(text).ok_or_else(bad)?;
        if let Some(seconds) = offset {
            return Ok(Self::new(wall.and_utc().timestamp_millis() - i64::from(seconds) * 1000, zone));
        }
        let lies_in = named.map(Zone::from_name).transpose()?.unwrap_or(zone);
        let unix_ms = match lies_in {
            Zone::Utc => earliest(wall.and_local_timezone(Utc)),
            Zone::Local => earliest(wall.and_local_timezone(Local)),
            Zone::Named(tz) => earliest(wall.and_local_timezone(tz)),
        };
        unix_ms.map(|unix_ms| Self::new(unix_ms, zone)).ok_or_else(|| {
            Error::invalid(format!("`{}` does not occur in {}", on_one_line(text), lies_in.name()))
                .hint("clocks were put forward over it: take a time before or after, or give an offset")
        })
    }

    /// Date and time in the zone with its offset, in `format` of chrono's `strftime`.
    pub fn format(&self, format: &str) -> String {
        match self.zone {
            Zone::Utc => formatted(Utc, self.unix_ms, |time| time.format(format).to_string()),
            Zone::Local => formatted(Local, self.unix_ms, |time| time.format(format).to_string()),
            Zone::Named(tz) => formatted(tz, self.unix_ms, |time| time.format(format).to_string()),
        }
    }
}

/// A time as it is written.
struct Written<'t> {
    wall: NaiveDateTime,
    /// Seconds ahead of UTC.
    offset: Option<i32>,
    /// The zone that stands behind it, if no offset does.
    zone: Option<&'t str>,
}

impl<'t> Written<'t> {
    /// Reads a date, a time, and behind them nothing, an offset, or a zone's name. Logs separate the date with `/`.
    fn read(text: &'t str) -> Option<Self> {
        let text = text.split(" m=").next()?.trim();
        let (date, rest) = text.split_once([' ', 'T', 't'])?;
        let rest = rest.trim_start();
        let clock_ends = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.' | ','));
        let (clock, behind) = rest.split_at(clock_ends.unwrap_or(rest.len()));
        let wall = format!("{}T{}", date.replace('/', "-"), clock.replace(',', "."));
        let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
        let wall = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&wall, format).ok())?;
        let mut words = behind.split_whitespace();
        let Some(first) = words.next() else { return Some(Self { wall, offset: None, zone: None }) };
        let offset = offset(first);
        // Go prints an offset once more where its zone has no abbreviation.
        let is_abbreviation = |word: &str| word.chars().all(char::is_alphabetic) || self::offset(word).is_some();
        match (offset, words.next(), words.next()) {
            (Some(_), None, None) => Some(Self { wall, offset, zone: None }),
            (Some(_), Some(word), None) if is_abbreviation(word) => Some(Self { wall, offset, zone: None }),
            (None, None, None) if first.starts_with(char::is_alphabetic) => {
                Some(Self { wall, offset: None, zone: Some(first) })
            }
            _ => None,
        }
    }
}

/// The seconds of `Z`, `+08:00`, `+0800` or `+08`.
fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i32>().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn earliest<Z: TimeZone>(result: LocalResult<DateTime<Z>>) -> Option<i64> {
    result.earliest().map(|time| time.timestamp_millis())
}

fn formatted<Z: TimeZone>(zone: Z, unix_ms: i64, show: impl Fn(DateTime<chrono::FixedOffset>) -> String) -> String {
    match zone.timestamp_millis_opt(unix_ms) {
        LocalResult::Single(time) => {
            let offset = time.offset().fix();
            show(time.with_timezone(&offset))
        }
        _ => format!("{unix_ms} ms since 1970"),
    }
}

impl std::fmt::Display for Time {
    /// RFC 3339, with milliseconds where there are any.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |time: DateTime<chrono::FixedOffset>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        f.write_str(&match self.zone {
            Zone::Utc => formatted(Utc, self.unix_ms, text),
            Zone::Local => formatted(Local, self.unix_ms, text),
            Zone::Named(tz) => formatted(tz, self.unix_ms, text),
        })
    }
}

/// Reads a duration: seconds as a number, or text such as `90`, `1.5s`, `300ms`, `5m`, `1h30m`, `7d`.
///
/// # Errors
/// `invalid` when it is none, negative or beyond a hundred years.
pub fn parse_duration(text: &str) -> Result<std::time::Duration> {
    let bad = || {
        Error::invalid(format!("`{}` is no duration", on_one_line(text)))
            .hint("write seconds as a number, or text such as \"300ms\", \"90s\", \"5m\", \"1h30m\", \"7d\"")
    };
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let factor = match rest[digits..unit_end].trim() {
            "" | "s" => 1.0,
            "ms" => 0.001,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(bad()),
        };
        seconds += number * factor;
        rest = &rest[unit_end..];
    }
    duration_of_seconds(seconds).ok_or_else(bad)
}

/// The duration of `seconds`, unless negative, not a number or beyond a hundred years.
pub fn duration_of_seconds(seconds: f64) -> Option<std::time::Duration> {
    const HUNDRED_YEARS: f64 = 100.0 * 366.0 * 86_400.0;
    (0.0..HUNDRED_YEARS).contains(&seconds).then(|| std::time::Duration::from_secs_f64(seconds))
}

/// A duration in seconds as people read it: `0.4s`, `42s`, `1m10s`, `3h05m`, `2d04h`.
pub fn show_seconds(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    if seconds < 9.95 {
        // By whole tenths: to write a fraction exactly takes several times as long, and tables are full of them.
        let tenths = (seconds * 10.0).round() as u64;
        return format!("{sign}{}.{}s", tenths / 10, tenths % 10);
    }
    format!("{sign}{}", show_whole_seconds(seconds.round() as u64))
}

/// The same of whole seconds: `3s`, `42s`, `1m10s`.
pub fn show_whole_seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_zone_names_the_nearest() {
        let error = Zone::from_name("Europe/Berln").unwrap_err();
        assert!(error.hint.unwrap().contains("Europe/Berlin"));
    }

    #[test]
    fn a_time_is_shown_in_its_zone() {
        let berlin = Zone::from_name("europe/berlin").unwrap();
        let time = Time::parse("2026-07-01 12:00:00", berlin).unwrap();
        assert_eq!(time.to_string(), "2026-07-01T12:00:00+02:00");
        assert_eq!(Time::new(time.unix_ms, Zone::Utc).to_string(), "2026-07-01T10:00:00Z");
    }

    #[test]
    fn a_wall_time_that_a_zone_skips_is_an_error() {
        let berlin = Zone::from_name("Europe/Berlin").unwrap();
        assert!(Time::parse("2026-03-29 02:30:00", berlin).is_err());
    }

    #[test]
    fn a_time_is_read_as_go_and_logs_print_it() {
        let shanghai = Time::parse("2018-12-25T06:23:37Z", Zone::Utc).unwrap().unix_ms;
        for text in [
            "2018-12-25 14:23:37 +0800 CST",
            "2018-12-25 14:23:37 +0800",
            "2018-12-25 14:23:37+08:00",
            "2018-12-25T14:23:37+0800",
            "2018-12-25 14:23:37 +08 +08",
            "2018-12-25 14:23:37.000000001 +0800 CST m=+0.123456789",
            "2018-12-25 14:23:37 Asia/Shanghai",
            "2018/12/25 14:23:37.000 +08:00",
            "2018-12-25 06:23:37 +0000 UTC",
            "2018-12-25 06:23:37 UTC",
            "2018-12-25 06:23:37 Z",
            "2018-12-25t06:23:37z",
            "2018-12-25 02:53:37 -0330 NST",
            "  2018-12-25 01:23:37 -0500 EST m=-2.5  ",
        ] {
            // The offset decides, whatever the zone is in which it would be read without.
            let read = Time::parse(text, Zone::from_name("Asia/Tokyo").unwrap());
            assert_eq!(read.map(|time| time.unix_ms), Ok(shanghai), "{text}");
        }
        let fraction = Time::parse("2026-11-22 13:32:51.25 +0000 UTC m=+0.1", Zone::Utc).unwrap();
        assert_eq!(fraction.unix_ms % 1000, 250);
        for bad in [
            "2018-12-25 14:23:37 +0800 CST and more",
            "2018-12-25 14:23:37 +2400",
            "2018-12-25 14:23:37 +8",
            "2018-12-25 14:23:37 0800",
            "2018-12-25 25:23:37 +0800",
            "2018-12-25",
            "14:23:37",
            "Tue Dec 25 14:23:37 2018",
            "",
        ] {
            assert!(Time::parse(bad, Zone::Utc).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_abbreviation_without_an_offset_is_refused_with_what_it_may_mean() {
        let error = Time::parse("2018-12-25 14:23:37 CST", Zone::Utc).unwrap_err();
        assert!(error.message.contains("Asia/Shanghai") && error.message.contains("America/Chicago"), "{error}");
    }

    #[test]
    fn durations_are_numbers_with_units() {
        let seconds = |text| parse_duration(text).unwrap().as_secs_f64();
        assert_eq!(seconds("1h30m"), 5400.0);
        assert_eq!(seconds("0.5"), 0.5);
        assert_eq!(seconds("300ms"), 0.3);
        for bad in ["", "m", "5x", "-3s", "1..2s", "1e400"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
