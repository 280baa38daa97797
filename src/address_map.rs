//! Where a `host:port` is reached that others know by another name: a cluster's own names, which lead nowhere from outside,
//! to ports that are forwarded here.
//!
//! `"{pod}.basic-pump:8250" = "127.0.0.1:1825{n}"`: `{pod}` stands for one part of a name, without dots, and `{n}` for the
//! number at its end, as pods of a StatefulSet have it. Entries without either are taken literally and come first.

use crate::error::{Error, Result};
use crate::pd_url::authority;
use crate::text::on_one_line;
use std::net::Ipv6Addr;

const HINT: &str = "write `\"NAME:PORT\" = \"HOST:PORT\"`; `{pod}` in the name stands for one part of it, as in \
                    `\"{pod}.basic-pump:8250\" = \"127.0.0.1:1825{n}\"`, and `{n}` for the number at its end";

/// The map, in the order in which it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressMap {
    entries: Vec<MapEntry>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MapEntry {
    /// As they were written.
    from: String,
    to: String,
    name: NamePattern,
    /// The port that it is for; all without one.
    port: Option<String>,
}

/// Which hosts a line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NamePattern {
    /// This one.
    Literal(String),
    /// Those with anything between these.
    Around { before: String, hole: Hole, after: String },
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    /// One part of a name.
    Pod,
    /// A number.
    Number,
}

impl Hole {
    const ALL: [Self; 2] = [Self::Pod, Self::Number];

    fn text(self) -> &'static str {
        match self {
            Self::Pod => "{pod}",
            Self::Number => "{n}",
        }
    }

    fn takes(self, text: &str) -> bool {
        let fits = |c: char| match self {
            Self::Pod => c.is_ascii_alphanumeric() || c == '-' || c == '_',
            Self::Number => c.is_ascii_digit(),
        };
        !text.is_empty() && text.chars().all(fits)
    }
}

impl AddressMap {
    /// The map with one more line.
    ///
    /// # Errors
    /// `invalid`: a line that nobody understands, that can never lead anywhere, or that leads two names to one address.
    pub fn add(&mut self, from: &str, to: &str) -> Result<()> {
        let entry = MapEntry::parse(from, to).map_err(|why| {
            let (from, to) = (on_one_line(from), on_one_line(to));
            let message = format!("the address map cannot lead `{from}` to `{to}`: {why}");
            Error::invalid(message).hint(HINT)
        })?;
        for other in &self.entries {
            if other.from.eq_ignore_ascii_case(from) {
                return Err(Error::invalid(format!("the address map has `{}` twice", on_one_line(from)))
                    .hint("leave one of them out"));
            }
            if other.port.is_some() && entry.port.is_some() && other.is_literal() && entry.is_literal() {
                let (own, others) = (entry.target(from, ""), other.target(&other.from, ""));
                if is_one_place(&own, &others) {
                    return Err(two_to_one(&other.from, from, to));
                }
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Whether it leads nothing anywhere.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where `address` (`host:port`) is reached; `None` where the map does not say.
    ///
    /// # Errors
    /// Why the line for it leads nowhere.
    pub fn lead(&self, address: &str) -> Result<Option<String>, String> {
        // What is written out comes before what only fits, and a port of its own before all ports.
        let rank = |entry: &MapEntry| (!entry.is_literal(), entry.port.is_none());
        let fitting = self.entries.iter().filter_map(|entry| Some((entry, entry.fits(address)?)));
        let Some((entry, hole)) = fitting.min_by_key(|(entry, _)| rank(entry)) else { return Ok(None) };
        let target = entry.target(address, &hole);
        match authority(&target) {
            Ok(_) => Ok(Some(target)),
            Err(why) => Err(format!(
                "the address map leads it to `{target}` (`\"{}\" = \"{}\"`), which cannot be used: {why}",
                entry.from, entry.to
            )),
        }
    }
}

/// The error of a map that leads `one` and `other` to `target`.
pub fn two_to_one(one: &str, other: &str, target: &str) -> Error {
    Error::invalid(format!("the address map leads both {one} and {other} to {target}"))
        .hint("each needs an address of its own, or one of them is asked in the place of the other: see `addresses` in the profile")
}

/// An address as it is the same for all who write it otherwise.
pub fn place(address: &str) -> String {
    let address = address.to_ascii_lowercase();
    address.strip_prefix("localhost:").map_or(address.clone(), |port| format!("127.0.0.1:{port}"))
}

/// Whether two addresses are one.
pub fn is_one_place(one: &str, other: &str) -> bool {
    place(one) == place(other)
}

impl MapEntry {
    fn parse(from: &str, to: &str) -> Result<Self, String> {
        let (host, port) = parts(from);
        let name = NamePattern::parse(host)?;
        let entry = Self { from: from.to_owned(), to: to.to_owned(), name, port: port.map(str::to_owned) };
        let sample = entry.sample();
        authority(&sample).map_err(|why| format!("of the name, {why}"))?;
        let (to_host, to_port) = parts(to);
        if to_port.is_some() && port.is_none() {
            return Err("it would lead all ports of the name to one: write the port behind the name too".into());
        }
        let has = |hole: Hole| to.contains(hole.text());
        match &entry.name {
            NamePattern::Literal(_) if Hole::ALL.into_iter().any(has) => {
                return Err("the name has no `{pod}` or `{n}`, so the address can have none".into());
            }
            NamePattern::Around { hole: Hole::Number, .. } if has(Hole::Pod) => {
                return Err("the name has no `{pod}`, so the address can have none".into());
            }
            NamePattern::Around { .. } if !Hole::ALL.into_iter().any(has) => {
                return Err("it would lead every name that fits to one address: put `{pod}` or `{n}` into it".into());
            }
            NamePattern::Literal(_) | NamePattern::Around { .. } => {}
        }
        if to_host.is_empty() {
            return Err("the address has no host".into());
        }
        authority(&entry.target(&sample, "pod-1")).map_err(|why| format!("of the address, {why}"))?;
        Ok(entry)
    }

    /// An address that it is for.
    fn sample(&self) -> String {
        let host = match &self.name {
            NamePattern::Literal(host) => host.clone(),
            NamePattern::Around { before, after, hole: Hole::Pod } => format!("{before}pod-1{after}"),
            NamePattern::Around { before, after, hole: Hole::Number } => format!("{before}1{after}"),
        };
        format!("{host}:{}", self.port.as_deref().unwrap_or("1"))
    }

    fn is_literal(&self) -> bool {
        matches!(self.name, NamePattern::Literal(_))
    }

    /// What stands in the place of the placeholder, if the line is for `address`.
    fn fits(&self, address: &str) -> Option<String> {
        let (host, port) = parts(address);
        if self.port.as_deref().is_some_and(|own| Some(own) != port) {
            return None;
        }
        let host = host.to_ascii_lowercase();
        match &self.name {
            NamePattern::Literal(own) => own.eq_ignore_ascii_case(&host).then(String::new),
            NamePattern::Around { before, hole, after } => {
                let inner = host.strip_prefix(&before.to_ascii_lowercase())?;
                let inner = inner.strip_suffix(&after.to_ascii_lowercase())?;
                let numbered = !self.to.contains(Hole::Number.text()) || !number(inner).is_empty();
                (hole.takes(inner) && numbered).then(|| inner.to_owned())
            }
        }
    }

    /// Where it leads `address`, in which `inner` stands in the place of the placeholder.
    fn target(&self, address: &str, inner: &str) -> String {
        let to = self.to.replace(Hole::Pod.text(), inner).replace(Hole::Number.text(), number(inner));
        match (parts(&to).1, parts(address).1) {
            (None, Some(port)) => format!("{to}:{port}"),
            _ => to,
        }
    }
}

impl NamePattern {
    fn parse(host: &str) -> Result<Self, String> {
        let found: Vec<(usize, Hole)> = Hole::ALL
            .into_iter()
            .flat_map(|hole| host.match_indices(hole.text()).map(move |(at, _)| (at, hole)))
            .collect();
        match found.as_slice() {
            [] => Ok(Self::Literal(host.to_owned())),
            [(at, hole)] => Ok(Self::Around {
                before: host[..*at].to_owned(),
                hole: *hole,
                after: host[at + hole.text().len()..].to_owned(),
            }),
            _ => Err("the name has more than one placeholder: `{pod}` has its number in `{n}` already".into()),
        }
    }
}

/// Host and port, if it has one.
fn parts(text: &str) -> (&str, Option<&str>) {
    if text.ends_with(']') || text.parse::<Ipv6Addr>().is_ok() {
        return (text, None);
    }
    text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
}

/// The digits at the end of a pod's name.
fn number(pod: &str) -> &str {
    &pod[pod.trim_end_matches(|c: char| c.is_ascii_digit()).len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> AddressMap {
        let mut map = AddressMap::default();
        lines.iter().for_each(|(from, to)| map.add(from, to).unwrap());
        map
    }

    fn led(map: &AddressMap, address: &str) -> Option<String> {
        map.lead(address).unwrap()
    }

    #[test]
    fn pods_are_led_by_their_name_or_their_number() {
        let map = map(&[
            ("basic-pd:2379", "127.0.0.1:12379"),
            ("{pod}.basic-pump:8250", "127.0.0.1:1825{n}"),
            ("drainer-{n}.drainer:8249", "127.0.1.{n}:8249"),
            ("{pod}.basic-tidb-peer", "{pod}.basic-tidb-peer.tidb.svc"),
            ("[fd00::1]:1", "[::1]:2"),
        ]);
        for (address, target) in [
            ("basic-pd:2379", Some("127.0.0.1:12379")),
            ("BASIC-PD:2379", Some("127.0.0.1:12379")),
            ("basic-pd:2380", None),
            ("basic-pump-0.basic-pump:8250", Some("127.0.0.1:18250")),
            ("basic-pump-2.Basic-Pump:8250", Some("127.0.0.1:18252")),
            ("basic-pump-2.x.basic-pump:8250", None),
            ("basic-pump.basic-pump:8250", None),
            (".basic-pump:8250", None),
            ("drainer-11.drainer:8249", Some("127.0.1.11:8249")),
            ("drainer-x.drainer:8249", None),
            ("basic-tidb-0.basic-tidb-peer:10080", Some("basic-tidb-0.basic-tidb-peer.tidb.svc:10080")),
            ("[fd00::1]:1", Some("[::1]:2")),
        ] {
            assert_eq!(led(&map, address).as_deref(), target, "{address}");
        }
    }

    #[test]
    fn what_is_written_out_comes_before_a_pattern_and_a_port_before_all_ports() {
        let map = map(&[("{pod}.p:1", "127.0.0.1:100{n}"), ("a-0.p", "h"), ("a-0.p:1", "h:7"), ("{pod}.p", "z{n}")]);
        assert_eq!(led(&map, "a-0.p:1").unwrap(), "h:7");
        assert_eq!(led(&map, "a-0.p:2").unwrap(), "h:2");
        assert_eq!(led(&map, "a-1.p:1").unwrap(), "127.0.0.1:1001");
        assert_eq!(led(&map, "a-1.p:2").unwrap(), "z1:2");
    }

    #[test]
    fn a_line_that_can_lead_nowhere_says_why() {
        for (from, to, why) in [
            ("a:1", "b", None),
            ("a", "b:1", Some("all ports of the name to one")),
            ("a:0", "b:1", Some("of the name, its port is no number")),
            ("", "b:1", Some("of the name, its host is no name")),
            ("a:1", "", Some("the address has no host")),
            ("a:1", "b:99999", Some("of the address, its port is no number")),
            ("a:1", "http://b:1", Some("of the address, ")),
            ("a:1", "b:1{n}", Some("the name has no `{pod}` or `{n}`")),
            ("{n}.a:1", "{pod}:1", Some("the name has no `{pod}`")),
            ("{pod}.a:1", "b:1", Some("every name that fits to one address")),
            ("{pod}.{n}:1", "b:{n}", Some("more than one placeholder")),
            ("{pods}.a:1", "b:1", Some("of the name, its host is no name")),
            ("{pod}.a:{n}", "b:1{n}", Some("of the name, its port is no number")),
        ] {
            let said = AddressMap::default().add(from, to);
            match why {
                None => said.unwrap(),
                Some(why) => {
                    let error = said.unwrap_err();
                    assert!(error.message.contains(why) && error.hint.is_some(), "{from} {to}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_number_too_large_for_its_port_is_told_with_its_line() {
        let why = map(&[("{pod}.p:1", "127.0.0.1:1825{n}")]).lead("a-10.p:1").unwrap_err();
        assert!(why.contains("`127.0.0.1:182510`") && why.contains("\"{pod}.p:1\""), "{why}");
    }

    #[test]
    fn two_names_to_one_address_are_refused() {
        let mut map = map(&[("a:1", "127.0.0.1:5"), ("b", "h"), ("c", "h")]);
        for (from, to, both) in
            [("d:2", "localhost:5", "both a:1 and d:2 to localhost:5"), ("A:1", "x:1", "`A:1` twice")]
        {
            let error = map.add(from, to).unwrap_err();
            assert!(error.message.contains(both), "{error}");
        }
        map.add("d:2", "127.0.0.1:6").unwrap();
    }
}
