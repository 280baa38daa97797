//! The row that a Drainer saves of itself: JSON in the column `checkPoint`, such as
//! `{"consistent":false,"commitTS":414529105591271429,"ts-map":{},"schema-version":52}` (TiDB-Binlog's source, read and not tried).

use crate::error::{Error, Result};
use crate::tso::Tso;
use serde::Deserialize;
use serde_json::Number;

/// No row is longer, in bytes: a few dozen are usual.
pub(crate) const LONGEST: usize = 64 << 10;

/// What a saved row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedRow {
    /// Everything up to and including it is downstream.
    pub commit_ts: Tso,
    /// Whether nothing beyond it is; rows of versions before 3.0 do not say.
    pub consistent: Option<bool>,
    /// The version of the schema at that point; rows of versions before 4.0 do not say.
    pub schema_version: Option<i64>,
}

/// What is wanted of the row; newer versions may have more.
#[derive(Deserialize)]
struct RowJson {
    #[serde(rename = "commitTS")]
    commit_ts: Option<Number>,
    consistent: Option<bool>,
    #[serde(rename = "schema-version")]
    schema_version: Option<Number>,
}

impl SavedRow {
    /// Reads what stands in the column.
    ///
    /// # Errors
    /// `invalid`: it is too long, no such JSON, has no `commitTS`, or a number is none that can be.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("the checkpoint has more than {LONGEST} bytes: no Drainer wrote it")));
        }
        let row: RowJson = serde_json::from_str(text).map_err(|error| {
            let what = if error.is_data() { "another form than a Drainer gives it" } else { "no JSON" };
            Error::invalid(format!("the checkpoint is {what}, at character {}", error.column()))
        })?;
        let Some(commit_ts) = row.commit_ts else {
            return Err(Error::invalid("the checkpoint has no commitTS"));
        };
        let commit_ts = commit_ts.as_i64().filter(|ts| *ts > 0);
        let commit_ts = commit_ts.ok_or_else(|| Error::invalid("the commitTS of the checkpoint is no timestamp"))?;
        let schema_version = match row.schema_version {
            None => None,
            Some(version) => Some(version.as_i64().filter(|version| *version >= 0).ok_or_else(|| {
                Error::invalid("the schema-version of the checkpoint is no number that a schema can have")
            })?),
        };
        Ok(Self { commit_ts: Tso(commit_ts), consistent: row.consistent, schema_version })
    }

    /// As a Drainer writes it.
    pub fn render(&self) -> String {
        let mut fields = serde_json::Map::new();
        fields.extend(self.consistent.map(|consistent| ("consistent".to_owned(), consistent.into())));
        fields.insert("commitTS".to_owned(), self.commit_ts.0.into());
        fields.insert("ts-map".to_owned(), serde_json::Map::new().into());
        fields.extend(self.schema_version.map(|version| ("schema-version".to_owned(), version.into())));
        serde_json::Value::Object(fields).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: &str = r#"{"consistent":false,"commitTS":414529105591271429,"ts-map":{},"schema-version":52}"#;

    #[test]
    fn a_drainers_row_is_read_and_written_as_it_is() {
        let row = SavedRow::parse(NEWEST).unwrap();
        let expected =
            SavedRow { commit_ts: Tso(414_529_105_591_271_429), consistent: Some(false), schema_version: Some(52) };
        assert_eq!((row, row.render().as_str()), (expected, NEWEST));
    }

    #[test]
    fn rows_of_older_versions_lack_fields_and_newer_ones_have_more() {
        let old = SavedRow::parse(r#"{"commitTS":5,"ts-map":{}}"#).unwrap();
        assert_eq!((old.consistent, old.schema_version), (None, None));
        let new = r#"{"commitTS":5,"consistent":true,"schema-version":0,"version":2,"more":[{"commitTS":9}],"ts-map":{"primary-ts":1}}"#;
        let new = SavedRow::parse(new).unwrap();
        assert_eq!((new.commit_ts, new.consistent, new.schema_version), (Tso(5), Some(true), Some(0)));
    }

    #[test]
    fn what_no_drainer_wrote_is_an_error_that_does_not_quote_it() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"commitTS":null}"#,
            r#"{"commitTS":"hunter2"}"#,
            r#"{"commitTS":-1}"#,
            r#"{"commitTS":0}"#,
            r#"{"commitTS":1.5}"#,
            r#"{"commitTS":18446744073709551615}"#,
            r#"{"commitTS":99999999999999999999999}"#,
            r#"{"commitTS":1,"commitTS":2}"#,
            r#"{"commitTS":1,"consistent":"hunter2"}"#,
            r#"{"commitTS":1,"schema-version":-3}"#,
        ] {
            let error = SavedRow::parse(text).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        assert!(SavedRow::parse(&" ".repeat(LONGEST + 1)).is_err());
    }
}
