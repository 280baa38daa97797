//! The variables of the environment that are ours. One that nobody knows is an error, as in the configuration file: whoever
//! misspelt `BINLOGSH_PD_URLS` means another cluster than the default one.

use super::tiup;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// What all of them begin with.
const PREFIX: &str = "BINLOGSH_";

/// Names of guards that `ctl` is to force, separated by commas.
pub const FORCE: &str = "BINLOGSH_FORCE";

/// How results are written.
pub const OUTPUT: &str = "BINLOGSH_OUTPUT";

/// How JSON holds timestamps.
pub const TIMESTAMPS: &str = "BINLOGSH_TIMESTAMPS";

/// After how many steps a script has run away.
pub const MAX_OPERATIONS: &str = "BINLOGSH_MAX_OPERATIONS";

/// How much memory a script may hold, in MiB.
pub const MAX_MEMORY: &str = "BINLOGSH_MAX_MEMORY";

/// Those that say which cluster it is, whatever a profile says.
const CLUSTER: [&str; 7] = [
    "BINLOGSH_PD_URLS",
    "BINLOGSH_CLUSTER",
    "BINLOGSH_CA",
    "BINLOGSH_CERT",
    "BINLOGSH_KEY",
    "BINLOGSH_KEY_PASS_FILE",
    "BINLOGSH_PROXY",
];

/// Those of tiup that say where its clusters are.
const OF_TIUP: [&str; 2] = [tiup::DATA_DIR, tiup::HOME];

/// All of them.
const ALL: [&str; 16] = [
    CLUSTER[0],
    CLUSTER[1],
    CLUSTER[2],
    CLUSTER[3],
    CLUSTER[4],
    CLUSTER[5],
    CLUSTER[6],
    "BINLOGSH_PROFILE",
    "BINLOGSH_CONFIG",
    "BINLOGSH_TIMEOUT",
    "BINLOGSH_WAIT_LOCK",
    OUTPUT,
    TIMESTAMPS,
    MAX_OPERATIONS,
    MAX_MEMORY,
    FORCE,
];

/// Those that are set, and tiup's that matter to us; an empty one counts as not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process.
    ///
    /// # Errors
    /// As [`Variables::new`].
    pub fn of_this_process() -> Result<Self> {
        Self::new(std::env::vars_os())
    }

    /// Those among `all`.
    ///
    /// # Errors
    /// `invalid` for a variable that begins as ours do and is none, with the nearest name, and for one that is not text.
    pub fn new(all: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self> {
        let mut ours = BTreeMap::new();
        for (name, value) in all {
            let name = name.to_string_lossy();
            let is_of_tiup = OF_TIUP.contains(&name.as_ref());
            if value.is_empty() || !(is_of_tiup || name.starts_with(PREFIX)) {
                continue;
            }
            if !is_of_tiup && !ALL.contains(&name.as_ref()) {
                let known = || format!("names that begin with {PREFIX} are ours: {}", ALL.join(", "));
                return Err(Error::invalid(format!(
                    "the environment has {name}, which is no variable of this program"
                ))
                .hint(did_you_mean(&name, ALL).unwrap_or_else(known)));
            }
            let text = value.into_string().map_err(|_| {
                Error::invalid(format!("{name} is not text")).hint("it must be UTF-8: set it anew, or unset it")
            })?;
            ours.insert(name.into_owned(), text);
        }
        Ok(Self(ours))
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// Refuses the variables that say which cluster it is, where somebody wants that of `profile`.
    ///
    /// # Errors
    /// `invalid`, naming the first one.
    pub fn leave_the_cluster_to(&self, profile: &str) -> Result<()> {
        match CLUSTER.into_iter().find(|name| self.0.contains_key(*name)) {
            Some(name) => Err(Error::invalid(format!(
                "{name} is set, and stands before what the profile `{profile}` says"
            ))
            .hint(format!("leave, and begin with `env -u {} binlogsh --profile {profile}`", CLUSTER.join(" -u ")))),
            None => Ok(()),
        }
    }

    /// Refuses a variable that would be passed over in silence by `whom`.
    ///
    /// # Errors
    /// `invalid`, saying why.
    pub fn means_nothing_to(&self, whom: &str, name: &str, why: &str) -> Result<()> {
        match self.0.contains_key(name) {
            true => Err(Error::invalid(format!("{name} is set, and means nothing to {whom}: {why}"))
                .hint(format!("leave it out of the environment: `unset {name}`"))),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn read(all: &[(&str, &str)]) -> Result<Variables> {
        Variables::new(all.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn a_misspelt_variable_names_the_nearest() {
        let error = read(&[("HOME", "/root"), ("BINLOGSH_PD_URL", "http://a:1")]).unwrap_err();
        assert!(error.message.contains("BINLOGSH_PD_URL"), "{error}");
        assert_eq!(error.hint.as_deref(), Some("did you mean `BINLOGSH_PD_URLS`?"));
    }

    #[test]
    fn no_profile_is_gone_to_where_a_variable_names_another_cluster() {
        let error = read(&[("BINLOGSH_CA", "ca.pem")]).unwrap().leave_the_cluster_to("staging").unwrap_err();
        assert_eq!(error.message, "BINLOGSH_CA is set, and stands before what the profile `staging` says");
        assert_eq!(read(&[("BINLOGSH_OUTPUT", "json")]).unwrap().leave_the_cluster_to("staging"), Ok(()));
    }

    #[test]
    fn an_empty_one_is_not_set_and_one_that_is_not_text_is_refused() {
        let variables = read(&[("BINLOGSH_CA", ""), ("BINLOGSH_KEY", "k")]).unwrap();
        assert_eq!((variables.get("BINLOGSH_CA"), variables.get("BINLOGSH_KEY").as_deref()), (None, Some("k")));
        let error = Variables::new([("BINLOGSH_PD_URLS".into(), OsString::from_vec(vec![0xff]))]).unwrap_err();
        assert_eq!(error.message, "BINLOGSH_PD_URLS is not text");
    }
}
