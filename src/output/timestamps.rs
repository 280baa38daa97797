//! Timestamps of PD in JSON: whole numbers beyond 2^53, which programs that know floating point only round in silence.

use crate::error::Result;
use crate::nearest::parse_named;
use serde_json::Value as Json;
use strum::{IntoStaticStr, VariantArray};

/// How JSON holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Timestamps {
    /// As numbers.
    #[default]
    Number,
    /// As text: the digits.
    Text,
}

/// The largest whole number up to which floating point knows all.
const EXACT: u64 = 1 << 53;

impl Timestamps {
    /// All of them, in the order of the documentation.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word for it on the command line and in the configuration.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The one called `name`.
    ///
    /// # Errors
    /// `invalid`, with those that there are.
    pub fn from_name(name: &str) -> Result<Self> {
        parse_named("way to write timestamps", name)
    }

    /// `document` with its timestamps in this way. A script's timestamps are numbers like others, so every whole number that
    /// would be rounded is text: none is ever wrong, whatever it means.
    pub fn applied(self, document: Json) -> Json {
        match (self, document) {
            (Self::Number, document) => document,
            (Self::Text, Json::Number(number)) => match is_rounded(&number) {
                true => Json::String(number.to_string()),
                false => Json::Number(number),
            },
            (Self::Text, Json::Array(items)) => items.into_iter().map(|item| self.applied(item)).collect(),
            (Self::Text, Json::Object(fields)) => {
                Json::Object(fields.into_iter().map(|(name, value)| (name, self.applied(value))).collect())
            }
            (Self::Text, other @ (Json::Null | Json::Bool(_) | Json::String(_))) => other,
        }
    }
}

fn is_rounded(number: &serde_json::Number) -> bool {
    let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    size.is_some_and(|size| size > EXACT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_that_would_be_rounded_are_text_wherever_they_stand() {
        let all = json!([
            9_007_199_254_740_992_i64,
            9_007_199_254_740_993_i64,
            -9_007_199_254_740_993_i64,
            u64::MAX,
            1e300,
            1.5
        ]);
        let text = json!([
            9_007_199_254_740_992_i64,
            "9007199254740993",
            "-9007199254740993",
            "18446744073709551615",
            1e300,
            1.5
        ]);
        assert_eq!(Timestamps::Text.applied(all.clone()), text);
        assert_eq!(Timestamps::Number.applied(all.clone()), all);
        let nested = json!({"a": [{"ts": 470_641_375_911_346_178_i64}], "b": null, "c": true, "d": "x"});
        let shown = Timestamps::Text.applied(nested);
        assert_eq!(shown, json!({"a": [{"ts": "470641375911346178"}], "b": null, "c": true, "d": "x"}));
    }
}
