//! What a Drainer's configuration says of its downstream, of what it leaves out, and of where it saves its checkpoint.
//!
//! From TiDB-Binlog's source (`drainer/config.go`, `drainer/util.go`, `drainer/checkpoint/`), read and not tried: `pb` is another name
//! of `file`. With `[syncer.to.checkpoint] type` empty its `schema` counts and its `table` does not, and the place follows `db-type`: the
//! downstream itself, or for `file` and `kafka` the file `savepoint` in the data directory.

use crate::error::{Error, Result};
use crate::text::{Untrusted, quoted};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use strum::{IntoStaticStr, VariantArray};

/// Where a Drainer saves where nothing else is said.
const SCHEMA: &str = "tidb_binlog";
const TABLE: &str = "checkpoint";

/// The sort of downstream where none is said (`-dest-db-type`).
const DB_TYPE: &str = "mysql";

/// MySQL's port.
pub(super) const MYSQL_PORT: u16 = 3306;

/// The schemas that a Drainer leaves out where nothing is said (`-ignore-schemas`).
const USUAL_IGNORED: [&str; 3] = ["information_schema", "performance_schema", "mysql"];

/// A setting by which a Drainer leaves something out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ReplicationFilter {
    /// Only these schemas.
    ReplicateDoDb,
    /// Only these tables.
    ReplicateDoTable,
    /// None of these schemas, where they are others than a Drainer leaves out by itself.
    IgnoreSchemas,
    /// None of these tables.
    IgnoreTable,
    /// None of the transactions with these commit timestamps.
    IgnoreTxnCommitTs,
}

impl ReplicationFilter {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Those that `leaves_out` something, in this order.
    pub(crate) fn those<E>(
        leaves_out: impl Fn(Self) -> std::result::Result<bool, E>,
    ) -> std::result::Result<Vec<Self>, E> {
        let mut found = Vec::new();
        for filter in Self::VARIANTS {
            if leaves_out(*filter)? {
                found.push(*filter);
            }
        }
        Ok(found)
    }
}

/// What sort of downstream a Drainer writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbType<'a> {
    /// MySQL or MariaDB.
    Mysql,
    /// TiDB.
    Tidb,
    /// Kafka, as protobuf.
    Kafka,
    /// Files for Reparo, as protobuf.
    File,
    /// Oracle.
    Oracle,
    /// Another word.
    Other(&'a str),
}

/// What there is of it in a Drainer's configuration, without users and passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainerSettings {
    /// `syncer.db-type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_type: Option<Untrusted>,
    /// `syncer.to.host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Untrusted>,
    /// `syncer.to.port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `syncer.to.kafka-addrs`: `host:port` each, with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka_addrs: Option<Untrusted>,
    /// `syncer.to.zookeeper-addrs`: whoever is asked for Kafka's addresses, before those that are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zookeeper_addrs: Option<Untrusted>,
    /// `syncer.to.topic-name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_name: Option<Untrusted>,
    /// `syncer.to.sync-mode`: 1 writes all columns, 2 those that are downstream; left out or 0, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_mode: Option<i64>,
    /// Which settings leave something out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<ReplicationFilter>,
    /// Whether `syncer.table-migrate-rule` gives schemas or tables other names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renames: bool,
    /// `syncer.to.checkpoint.type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_type: Option<Untrusted>,
    /// `syncer.to.checkpoint.schema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_schema: Option<Untrusted>,
    /// `syncer.to.checkpoint.table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_table: Option<Untrusted>,
    /// `syncer.to.checkpoint.host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_host: Option<Untrusted>,
    /// `syncer.to.checkpoint.port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_port: Option<u16>,
    /// `data-dir`: where its savepoint is, on its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<Untrusted>,
}

/// Where a Drainer saves its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointPlace {
    /// In a table of MySQL, MariaDB or TiDB.
    Table(TablePlace),
    /// In `{data_dir}/savepoint` on its host; the directory, if it is said.
    Savepoint(Option<Untrusted>),
}

/// A table in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePlace {
    /// The database's host as the Drainer names it; `None` where nobody says.
    pub host: Option<Untrusted>,
    /// Its port.
    pub port: u16,
    /// The schema.
    pub schema: Untrusted,
    /// The table.
    pub table: Untrusted,
}

impl DrainerSettings {
    /// Where the checkpoint is.
    ///
    /// # Errors
    /// Why it cannot be read there, as a phrase: Oracle, or a sort of downstream that is not known.
    pub fn place(&self) -> std::result::Result<CheckpointPlace, String> {
        let word = |setting: &Option<Untrusted>| setting.as_deref().unwrap_or_default().to_ascii_lowercase();
        match word(&self.checkpoint_type).as_str() {
            "" => self.place_by_db_type(),
            "mysql" | "tidb" => Ok(self.table(&self.checkpoint_host, self.checkpoint_port, &self.checkpoint_table)),
            "oracle" => Err(oracle()),
            other => Err(format!("its configuration has checkpoint.type = {}, which is not known here", quoted(other))),
        }
    }

    fn place_by_db_type(&self) -> std::result::Result<CheckpointPlace, String> {
        match self.db_type() {
            // The table of the configuration is not looked at then.
            DbType::Mysql | DbType::Tidb => Ok(self.table(&self.host, self.port, &None)),
            DbType::File | DbType::Kafka => Ok(CheckpointPlace::Savepoint(self.data_dir.clone())),
            DbType::Oracle => Err(oracle()),
            DbType::Other(word) => {
                Err(format!("its configuration has db-type = {}, which is not known here", quoted(word)))
            }
        }
    }

    /// What sort of downstream it is; where nothing is said, a Drainer's own default.
    pub fn db_type(&self) -> DbType<'_> {
        let word = self.db_type.as_deref().filter(|word| !word.is_empty()).unwrap_or(DB_TYPE);
        let known = [
            ("mysql", DbType::Mysql),
            ("tidb", DbType::Tidb),
            ("kafka", DbType::Kafka),
            ("file", DbType::File),
            ("pb", DbType::File),
            ("oracle", DbType::Oracle),
        ];
        known
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map_or(DbType::Other(word), |(_, known)| known)
    }

    /// The port of its database, which is MySQL's where nothing is said.
    pub fn database_port(&self) -> u16 {
        self.port.filter(|port| *port > 0).unwrap_or(MYSQL_PORT)
    }

    /// Whether `ignore-schemas` is what a Drainer has by itself.
    pub(crate) fn usual_schemas(ignored: &str) -> bool {
        let mut names: Vec<String> = ignored.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        names.len() == USUAL_IGNORED.len() && USUAL_IGNORED.iter().all(|usual| names.iter().any(|name| name == usual))
    }

    fn table(&self, host: &Option<Untrusted>, port: Option<u16>, table: &Option<Untrusted>) -> CheckpointPlace {
        let or = |setting: &Option<Untrusted>, usual: &str| {
            setting.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| usual.into())
        };
        CheckpointPlace::Table(TablePlace {
            host: host.clone().filter(|host| !host.is_empty()),
            port: port.filter(|port| *port > 0).unwrap_or(MYSQL_PORT),
            schema: or(&self.checkpoint_schema, SCHEMA),
            table: or(table, TABLE),
        })
    }
}

fn oracle() -> String {
    "its checkpoint is in Oracle (table tidb_binlog_checkpoint), which is not read here: ask it with your own client"
        .to_owned()
}

/// `drainer.toml`, as far as it is wanted: what stands under other names never becomes a value.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct DrainerToml {
    data_dir: Option<Untrusted>,
    syncer: SyncerToml,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct SyncerToml {
    db_type: Option<Untrusted>,
    ignore_schemas: Option<Untrusted>,
    ignore_table: Option<toml::Value>,
    ignore_txn_commit_ts: Option<toml::Value>,
    replicate_do_db: Option<toml::Value>,
    replicate_do_table: Option<toml::Value>,
    table_migrate_rule: Option<toml::Value>,
    to: DownstreamToml,
}

impl SyncerToml {
    fn filters(&self) -> Vec<ReplicationFilter> {
        let leaves_out = |filter| {
            Ok::<_, Infallible>(match filter {
                ReplicationFilter::ReplicateDoDb => has_any(self.replicate_do_db.as_ref()),
                ReplicationFilter::ReplicateDoTable => has_any(self.replicate_do_table.as_ref()),
                ReplicationFilter::IgnoreSchemas => {
                    self.ignore_schemas.as_deref().is_some_and(|names| !DrainerSettings::usual_schemas(names))
                }
                ReplicationFilter::IgnoreTable => has_any(self.ignore_table.as_ref()),
                ReplicationFilter::IgnoreTxnCommitTs => has_any(self.ignore_txn_commit_ts.as_ref()),
            })
        };
        let Ok(filters) = ReplicationFilter::those(leaves_out);
        filters
    }
}

/// Whether something is listed there; what is no list is more than a Drainer takes, and surely not nothing.
fn has_any(value: Option<&toml::Value>) -> bool {
    value.is_some_and(|value| value.as_array().is_none_or(|items| !items.is_empty()))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct DownstreamToml {
    host: Option<Untrusted>,
    port: Option<u16>,
    kafka_addrs: Option<Untrusted>,
    zookeeper_addrs: Option<Untrusted>,
    topic_name: Option<Untrusted>,
    sync_mode: Option<i64>,
    checkpoint: CheckpointToml,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct CheckpointToml {
    #[serde(rename = "type")]
    kind: Option<Untrusted>,
    schema: Option<Untrusted>,
    table: Option<Untrusted>,
    host: Option<Untrusted>,
    port: Option<u16>,
}

/// See [`super::parse_drainer_toml`].
pub(super) fn parse_toml(text: &str) -> Result<DrainerSettings> {
    // The parser's own words may hold what stands there, and that may be a password.
    let wrong = |error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
        Error::invalid(format!(
            "it is no configuration of a Drainer: line {line} is no TOML, or holds a value of another type"
        ))
        .hint("copy the drainer.toml that the Drainer was started with")
    };
    let DrainerToml { data_dir, syncer } = toml::from_str(text).map_err(wrong)?;
    let (filters, renames) = (syncer.filters(), has_any(syncer.table_migrate_rule.as_ref()));
    let DownstreamToml { host, port, kafka_addrs, zookeeper_addrs, topic_name, sync_mode, checkpoint } = syncer.to;
    Ok(DrainerSettings {
        db_type: syncer.db_type,
        host,
        port,
        kafka_addrs,
        zookeeper_addrs,
        topic_name,
        sync_mode,
        filters,
        renames,
        checkpoint_type: checkpoint.kind,
        checkpoint_schema: checkpoint.schema,
        checkpoint_table: checkpoint.table,
        checkpoint_host: checkpoint.host,
        checkpoint_port: checkpoint.port,
        data_dir,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> std::result::Result<CheckpointPlace, String> {
        parse_toml(text).unwrap().place()
    }

    fn table(host: Option<&str>, port: u16, schema: &str, table: &str) -> CheckpointPlace {
        let host = host.map(Into::into);
        CheckpointPlace::Table(TablePlace { host, port, schema: schema.into(), table: table.into() })
    }

    #[test]
    fn without_a_type_the_downstream_has_the_checkpoint_and_the_table_does_not_count() {
        let text = "[syncer]\ndb-type = \"tidb\"\n[syncer.to]\nhost = \"db\"\nport = 4000\npassword = \"p\"\n\
                    [syncer.to.checkpoint]\nschema = \"s\"\ntable = \"t\"\nhost = \"other\"\n";
        assert_eq!(place(text), Ok(table(Some("db"), 4000, "s", "checkpoint")));
        assert_eq!(place(""), Ok(table(None, 3306, "tidb_binlog", "checkpoint")));
    }

    #[test]
    fn with_a_type_the_checkpoint_has_a_place_of_its_own() {
        let text =
            "[syncer]\ndb-type = \"kafka\"\n[syncer.to.checkpoint]\ntype = \"mysql\"\nhost = \"h\"\ntable = \"t\"\n";
        assert_eq!(place(text), Ok(table(Some("h"), 3306, "tidb_binlog", "t")));
    }

    #[test]
    fn files_and_kafka_have_a_savepoint() {
        for kind in ["file", "pb", "kafka"] {
            let text = format!("data-dir = \"/data\"\n[syncer]\ndb-type = \"{kind}\"\n");
            assert_eq!(place(&text), Ok(CheckpointPlace::Savepoint(Some("/data".into()))));
        }
    }

    #[test]
    fn oracle_and_what_nobody_knows_are_unknown_with_a_reason() {
        for text in [
            "[syncer]\ndb-type = \"oracle\"\n",
            "[syncer.to.checkpoint]\ntype = \"oracle\"\n",
            "[syncer]\ndb-type = \"flash\"\n",
            "[syncer.to.checkpoint]\ntype = \"x\"\n",
        ] {
            assert!(place(text).is_err_and(|why| why.len() > 20), "{text}");
        }
    }

    fn filters(text: &str) -> Vec<&'static str> {
        parse_toml(text).unwrap().filters.into_iter().map(ReplicationFilter::name).collect()
    }

    #[test]
    fn filters_and_renames_are_those_that_leave_something_out() {
        let text = "[syncer]\nignore-txn-commit-ts = [1]\nignore-schemas = \"mysql,logs\"\nreplicate-do-db = [\"a\"]\n\
                    [[syncer.replicate-do-table]]\ndb-name = \"a\"\ntbl-name = \"~^t\"\n[[syncer.ignore-table]]\ndb-name = \"a\"\n\
                    tbl-name = \"b\"\n[[syncer.table-migrate-rule]]\n[syncer.table-migrate-rule.source]\nschema = \"a\"\n\
                    [syncer.to]\nsync-mode = 2\n";
        let all = ["replicate-do-db", "replicate-do-table", "ignore-schemas", "ignore-table", "ignore-txn-commit-ts"];
        assert_eq!(filters(text), all);
        let settings = parse_toml(text).unwrap();
        assert!(settings.renames && settings.sync_mode == Some(2));
        for plain in [
            "",
            "[syncer]\nignore-schemas = \"INFORMATION_SCHEMA, PERFORMANCE_SCHEMA,mysql\"\n",
            "[syncer]\nignore-txn-commit-ts = []\nreplicate-do-db = []\nignore-table = []\ntable-migrate-rule = []\n",
        ] {
            let settings = parse_toml(plain).unwrap();
            assert!(settings.filters.is_empty() && !settings.renames, "{settings:?}");
        }
        assert_eq!(filters("[syncer]\nignore-schemas = \"INFORMATION_SCHEMA\"\n"), ["ignore-schemas"]);
    }

    #[test]
    fn a_sort_of_downstream_has_its_default_and_its_other_names() {
        let db_type =
            |word: &str| format!("{:?}", parse_toml(&format!("[syncer]\ndb-type = \"{word}\"")).unwrap().db_type());
        assert_eq!(["", "MySQL", "tidb", "pb", "file"].map(db_type), ["Mysql", "Mysql", "Tidb", "File", "File"]);
        assert_eq!(["kafka", "oracle", "flash"].map(db_type), ["Kafka", "Oracle", "Other(\"flash\")"]);
    }

    #[test]
    fn no_password_is_in_an_error() {
        for text in ["[syncer.to]\npassword = \"hunter2\n", "[syncer.to]\nport = \"hunter2\"\n", "hunter2"] {
            let error = parse_toml(text).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.message.contains("line "), "{error}");
        }
    }
}
