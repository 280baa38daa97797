//! Where binlog or a changefeed is written to: what can be said of it without its secrets, and whether two are the same.

use super::is_loopback;
use super::settings::{DbType, DrainerSettings, MYSQL_PORT};
use crate::error::{Error, Result};
use crate::text::on_one_line;
use std::net::IpAddr;

/// What sort of thing is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownstreamKind {
    /// MySQL, MariaDB or TiDB.
    Database,
    /// Kafka.
    Kafka,
    /// Oracle, to which no changefeed writes.
    Oracle,
    /// Files: of a directory or of an object store.
    Files,
}

/// Where something is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downstream {
    /// What it is.
    pub kind: DownstreamKind,
    /// Its hosts, an IPv6 address without brackets, and ports; several for the brokers of Kafka.
    pub hosts: Vec<(String, u16)>,
    /// The database or the topic, where one is named.
    pub database: Option<String>,
}

/// Whether two downstreams are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// They are.
    Same,
    /// They are not.
    Different,
    /// Nobody can tell from what is written of them: why.
    Unknown(String),
}

/// The usual port of a broker of Kafka.
const BROKER_PORT: u16 = 9092;

/// A sink's URI in its parts, secrets apart.
struct SinkUri<'a> {
    scheme: String,
    hosts: Vec<(&'a str, Option<u16>)>,
    path: &'a str,
}

impl<'a> SinkUri<'a> {
    /// The parts of `uri`; `None` where it is not certain which part is which: a password that was not escaped can look like
    /// anything.
    fn read(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let starts_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts_well || !scheme.chars().all(is_scheme) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        // Behind the host there is no `@` but one that a password had in it.
        if behind.contains('@') {
            return None;
        }
        let places = authority.rsplit_once('@').map_or(authority, |(_, places)| places);
        let hosts = match places {
            "" => Vec::new(),
            places => places.split(',').map(place).collect::<Option<Vec<_>>>()?,
        };
        let path = behind.split(['?', '#']).next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~' | '%');
        path.chars().all(is_plain).then(|| Self { scheme: scheme.to_ascii_lowercase(), hosts, path })
    }

    fn kind(&self) -> Option<DownstreamKind> {
        match self.scheme.as_str() {
            "mysql" | "mysql+ssl" | "mariadb" | "tidb" | "tidb+ssl" => Some(DownstreamKind::Database),
            "kafka" | "kafka+ssl" => Some(DownstreamKind::Kafka),
            "file" | "local" | "s3" | "gcs" | "gs" | "azblob" | "azure" | "noop" => Some(DownstreamKind::Files),
            _ => None,
        }
    }

    fn without_secrets(&self) -> String {
        let host = |(host, port): &(&str, Option<u16>)| {
            let host = if host.contains(':') { format!("[{host}]") } else { (*host).to_owned() };
            port.map_or(host.clone(), |port| format!("{host}:{port}"))
        };
        let hosts: Vec<String> = self.hosts.iter().map(host).collect();
        format!("{}://{}{}", self.scheme, hosts.join(","), self.path)
    }
}

/// A host and its port.
fn place(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, behind.strip_prefix(':').or(if behind.is_empty() { Some("") } else { None })?)
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    let port = match port {
        "" => None,
        port if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
        _ => return None,
    };
    (!host.is_empty() && host.chars().all(is_host)).then_some((host, port))
}

/// The URI of a sink without user, password and everything that stands behind `?`, where keys and passwords stand too; `None`
/// where it is not certain which part is which.
pub fn without_secrets(uri: &str) -> Option<String> {
    SinkUri::read(uri).map(|uri| uri.without_secrets())
}

impl Downstream {
    /// What a Drainer with these settings writes to; `None` where they do not say all of it: the host of a database, which is
    /// then one that only the Drainer's own environment tells, brokers, which ZooKeeper may be asked for, or a sort that nobody knows.
    pub fn of_drainer(settings: &DrainerSettings) -> Option<Self> {
        let of = |kind, hosts, database| Some(Self { kind, hosts, database });
        match settings.db_type() {
            DbType::Mysql | DbType::Tidb => {
                let host = settings.host.as_deref()?;
                let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
                if bare.is_empty() {
                    return None;
                }
                of(DownstreamKind::Database, vec![(bare.to_owned(), settings.database_port())], None)
            }
            DbType::Kafka => {
                let topic = settings.topic_name.as_deref().filter(|topic| !topic.is_empty()).map(str::to_owned);
                of(DownstreamKind::Kafka, brokers(settings)?, topic)
            }
            DbType::File => of(DownstreamKind::Files, Vec::new(), None),
            DbType::Oracle => of(DownstreamKind::Oracle, Vec::new(), None),
            DbType::Other(_) => None,
        }
    }

    /// What the URI of a sink names, with or without its secrets; `None` where that is not certain, or of a sort that we do
    /// not know.
    pub fn of_sink(uri: &str) -> Option<Self> {
        let uri = SinkUri::read(uri)?;
        let kind = uri.kind()?;
        let usual = match kind {
            DownstreamKind::Database => MYSQL_PORT,
            DownstreamKind::Kafka => BROKER_PORT,
            DownstreamKind::Oracle | DownstreamKind::Files => 0,
        };
        let hosts: Vec<_> = uri.hosts.iter().map(|(host, port)| ((*host).to_owned(), port.unwrap_or(usual))).collect();
        let is_named = !hosts.is_empty() || kind == DownstreamKind::Files;
        let database = Some(uri.path.trim_matches('/')).filter(|path| !path.is_empty()).map(str::to_owned);
        is_named.then_some(Self { kind, hosts, database })
    }

    /// What a sink's URI names that has no user, password and options.
    ///
    /// # Errors
    /// `invalid` for what has any of them, which is not quoted, or names nothing that is known.
    pub(crate) fn of_bare_sink(uri: &str) -> Result<Self> {
        if without_secrets(uri).as_deref() != Some(uri) {
            return Err(Error::invalid("this is no plain URI of a sink, which has scheme, host, port and path alone")
                .hint("write it as mysql://HOST:PORT/, without user, password and options: what a script is given is kept"));
        }
        Self::of_sink(uri).ok_or_else(|| {
            Error::invalid(format!("the sink {} is of a sort that is not known here", on_one_line(uri)))
                .hint("known are mysql, tidb, mariadb, kafka, and files: file, s3, gcs, azure")
        })
    }

    /// The URI of a sink that is the same; `None` where a changefeed cannot write there, or to a place that has no such name.
    pub(crate) fn sink(&self) -> Option<String> {
        let scheme = match self.kind {
            DownstreamKind::Database => "mysql",
            DownstreamKind::Kafka => "kafka",
            DownstreamKind::Oracle | DownstreamKind::Files => return None,
        };
        let hosts = self.hosts.iter().map(|(host, port)| (host.as_str(), Some(*port))).collect();
        let path = format!("/{}", self.database.as_deref().unwrap_or_default());
        Some(SinkUri { scheme: scheme.to_owned(), hosts, path: &path }.without_secrets())
    }

    /// Whether this one and `other` are the same: host, port and database. Names are compared as they are written; what is a
    /// name here and an address there, or a loopback address, may be anything.
    pub fn is_same(&self, other: &Self) -> Sameness {
        if self.kind != other.kind {
            return Sameness::Different;
        }
        if let (Some(one), Some(two)) = (&self.database, &other.database)
            && one != two
        {
            return Sameness::Different;
        }
        match self.kind {
            // A Drainer's files lie on its own host, a changefeed's are written by TiCDC in a format of its own.
            DownstreamKind::Files => Sameness::Unknown("both write files, and where those are is not compared".into()),
            DownstreamKind::Database | DownstreamKind::Kafka | DownstreamKind::Oracle => self.has_same_host(other),
        }
    }

    fn has_same_host(&self, other: &Self) -> Sameness {
        let pairs = || self.hosts.iter().flat_map(|one| other.hosts.iter().map(move |two| (one, two)));
        let all: Vec<Sameness> = pairs().map(|(one, two)| same_place(one, two)).collect();
        if all.contains(&Sameness::Same) {
            return Sameness::Same;
        }
        let unknown = all.into_iter().find(|one| matches!(one, Sameness::Unknown(_)));
        match (unknown, self.kind) {
            (Some(unknown), _) => unknown,
            // Brokers that nobody named may be of the same cluster.
            (None, DownstreamKind::Kafka) => {
                Sameness::Unknown("they name other brokers, which may be of one Kafka".into())
            }
            (None, DownstreamKind::Database | DownstreamKind::Oracle | DownstreamKind::Files) => Sameness::Different,
        }
    }
}

/// Whether two places, each a host and a port, are one.
fn same_place((one, one_port): &(String, u16), (two, two_port): &(String, u16)) -> Sameness {
    if one_port != two_port {
        return Sameness::Different;
    }
    let name = |host: &str| host.trim_end_matches('.').to_ascii_lowercase();
    let (one_name, two_name) = (name(one), name(two));
    match (one_name.parse::<IpAddr>(), two_name.parse::<IpAddr>()) {
        _ if is_loopback(&one_name) || is_loopback(&two_name) => {
            Sameness::Unknown(format!("{one} and {two}: a loopback address is another host's for everybody"))
        }
        (Ok(one), Ok(two)) if one == two => Sameness::Same,
        (Ok(_), Ok(_)) => Sameness::Different,
        (Err(_), Err(_)) if one_name == two_name => Sameness::Same,
        (Err(_), Err(_)) if begins_with(&one_name, &two_name) || begins_with(&two_name, &one_name) => {
            Sameness::Unknown(format!("{one} and {two} may be one host, one of them in short"))
        }
        (Err(_), Err(_)) => Sameness::Different,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
            Sameness::Unknown(format!("{one} and {two}: one is an address and the other a name"))
        }
    }
}

/// The brokers that are written there, all of them or none.
fn brokers(settings: &DrainerSettings) -> Option<Vec<(String, u16)>> {
    if settings.zookeeper_addrs.as_deref().is_some_and(|addresses| !addresses.is_empty()) {
        return None;
    }
    let written = settings.kafka_addrs.as_deref().filter(|addresses| !addresses.is_empty())?;
    let broker = |place: &str| {
        let (host, port) = self::place(place.trim())?;
        Some((host.to_owned(), port.unwrap_or(BROKER_PORT)))
    };
    written.split(',').map(broker).collect()
}

fn begins_with(long: &str, short: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_is_shown_without_user_password_and_options() {
        for (uri, shown) in [
            ("mysql://root:hunter2@10.0.0.9:3306/?worker-count=16", "mysql://10.0.0.9:3306/"),
            ("mysql://root:p@ss:w@db-1/", "mysql://db-1/"),
            ("tidb://10.0.0.9", "tidb://10.0.0.9"),
            ("kafka://a:9092,b:9093/topic?sasl-password=hunter2", "kafka://a:9092,b:9093/topic"),
            ("mysql://u:hunter2@[fd00::1]:3306/", "mysql://[fd00::1]:3306/"),
            ("s3://bucket/prefix?secret-access-key=hunter2", "s3://bucket/prefix"),
        ] {
            assert_eq!(without_secrets(uri).as_deref(), Some(shown));
            assert_eq!(without_secrets(shown).as_deref(), Some(shown), "what has none stays as it is");
        }
    }

    #[test]
    fn what_may_be_a_part_of_a_password_is_not_shown_at_all() {
        for uri in [
            "mysql://root:hunt/er2@10.0.0.9:3306/",
            "mysql://root:hunt?er2@10.0.0.9:3306/",
            "mysql://root:hunt#er2@10.0.0.9:3306/",
            "mysql://root:hunter2",
            "root:hunter2@tcp(10.0.0.9:3306)/",
            "mysql:root:hunter2@h",
            "mysql://u:hunter2@h:3306x/",
            "",
        ] {
            assert_eq!(without_secrets(uri), None, "{uri}");
        }
    }

    #[test]
    fn what_a_drainer_writes_to_is_known_where_its_settings_say_all_of_it() {
        let of = |json: &str| Downstream::of_drainer(&serde_json::from_str(json).unwrap());
        let database = |host: &str, port| {
            Some(Downstream { kind: DownstreamKind::Database, hosts: vec![(host.into(), port)], database: None })
        };
        assert_eq!(of(r#"{"host": "h"}"#), database("h", 3306));
        assert_eq!(of(r#"{"db_type": "tidb", "host": "[fd00::1]", "port": 4000}"#), database("fd00::1", 4000));
        let brokers = vec![("a".to_owned(), 9092), ("b".to_owned(), 9093)];
        assert_eq!(
            of(r#"{"db_type": "kafka", "kafka_addrs": "a, b:9093", "topic_name": "t"}"#),
            Some(Downstream { kind: DownstreamKind::Kafka, hosts: brokers, database: Some("t".into()) })
        );
        assert_eq!(of(r#"{"db_type": "pb"}"#).unwrap().kind, DownstreamKind::Files);
        assert_eq!(of(r#"{"db_type": "oracle"}"#).unwrap().kind, DownstreamKind::Oracle);
        for unknown in [
            "{}",
            r#"{"port": 3306}"#,
            r#"{"db_type": "kafka"}"#,
            r#"{"db_type": "kafka", "kafka_addrs": "a:x"}"#,
            r#"{"db_type": "kafka", "kafka_addrs": "a", "zookeeper_addrs": "z:2181"}"#,
            r#"{"db_type": "later", "host": "h"}"#,
        ] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_a_drainer_writes_to_has_the_name_of_a_sink() {
        for sink in ["mysql://10.0.0.9:3306/", "mysql://[fd00::1]:4000/", "kafka://a:9092,b:9093/t"] {
            assert_eq!(Downstream::of_bare_sink(sink).unwrap().sink().as_deref(), Some(sink));
        }
        assert_eq!(Downstream::of_bare_sink("s3://bucket/a").unwrap().sink(), None);
        for secret in ["mysql://root:hunter2@h/", "mysql://h/?password=hunter2", "hunter2"] {
            assert!(!Downstream::of_bare_sink(secret).unwrap_err().to_string().contains("hunter2"));
        }
    }

    #[test]
    fn downstreams_are_the_same_by_host_port_and_database() {
        let same = |one: &str, two: &str| Downstream::of_sink(one).unwrap().is_same(&Downstream::of_sink(two).unwrap());
        use Sameness::{Different, Same};
        assert_eq!(same("mysql://u:p@10.0.0.9:3306/", "tidb://10.0.0.9"), Same);
        assert_eq!(same("mysql://DB-1:3306/", "mysql://db-1.:3306/"), Same);
        assert_eq!(same("mysql://10.0.0.9:3306/", "mysql://10.0.0.9:3307/"), Different);
        assert_eq!(same("mysql://10.0.0.9:3306/a", "mysql://10.0.0.9:3306/b"), Different);
        assert_eq!(same("mysql://10.0.0.9:3306/", "mysql://10.0.0.9:3306/b"), Same);
        assert_eq!(same("mysql://10.0.0.9:3306/", "kafka://10.0.0.9:3306/t"), Different);
        assert_eq!(same("kafka://a,b/t", "kafka://b:9092/t"), Same);
        assert_eq!(same("kafka://a/t", "kafka://a/u"), Different);
        assert_eq!(same("mysql://h/", "mysql://h:3306/"), Same, "the usual port may be left out");
        for (one, two) in [
            ("mysql://db-1/", "mysql://10.0.0.9/"),
            ("mysql://db-1/", "mysql://db-1.example/"),
            ("mysql://127.0.0.1/", "mysql://127.0.0.1/"),
            ("mysql://localhost/", "mysql://db-1/"),
            ("kafka://a/t", "kafka://b/t"),
            ("s3://bucket/a", "file:///a"),
        ] {
            assert!(matches!(same(one, two), Sameness::Unknown(_)), "{one} {two}");
        }
    }
}
