//! What a Drainer's configuration says of where it saves its checkpoint.
//!
//! From TiDB-Binlog's source (`drainer/util.go`, `drainer/checkpoint/`), read and not tried: with `[syncer.to.checkpoint] type` empty
//! its `schema` counts and its `table` does not, and the place follows `db-type`: the downstream itself, or for `file`, `pb` and `kafka`
//! the file `savepoint` in the data directory.

use crate::error::{Error, Result};
use crate::text::{Untrusted, quoted};
use serde::{Deserialize, Serialize};

/// Where a Drainer saves where nothing else is said.
const SCHEMA: &str = "tidb_binlog";
const TABLE: &str = "checkpoint";

/// The sort of downstream where none is said (`-dest-db-type`).
const DB_TYPE: &str = "mysql";

/// MySQL's port.
pub(super) const MYSQL_PORT: u16 = 3306;

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
        let db_type = self.db_type.as_deref().filter(|name| !name.is_empty()).unwrap_or(DB_TYPE).to_ascii_lowercase();
        match db_type.as_str() {
            // The table of the configuration is not looked at then.
            "mysql" | "tidb" => Ok(self.table(&self.host, self.port, &None)),
            "file" | "pb" | "kafka" => Ok(CheckpointPlace::Savepoint(self.data_dir.clone())),
            "oracle" => Err(oracle()),
            other => Err(format!("its configuration has db-type = {}, which is not known here", quoted(other))),
        }
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
    to: DownstreamToml,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct DownstreamToml {
    host: Option<Untrusted>,
    port: Option<u16>,
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
    let DrainerToml { data_dir, syncer: SyncerToml { db_type, to } } = toml::from_str(text).map_err(wrong)?;
    let DownstreamToml { host, port, checkpoint } = to;
    Ok(DrainerSettings {
        db_type,
        host,
        port,
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

    #[test]
    fn no_password_is_in_an_error() {
        for text in ["[syncer.to]\npassword = \"hunter2\n", "[syncer.to]\nport = \"hunter2\"\n", "hunter2"] {
            let error = parse_toml(text).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.message.contains("line "), "{error}");
        }
    }
}
