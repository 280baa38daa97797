//! `[profiles.NAME.downstreams.ID]`: where a Drainer saves how far it has come, and how to log in there.

use super::{Item, Reader};
use crate::downstream::{DownstreamProfile, DrainerSettings};
use crate::error::Result;
use crate::text::Untrusted;
use std::collections::BTreeMap;

const KEYS: [&str; 9] = ["my-cnf", "drainer-toml", "user", "db-type", "host", "port", "schema", "table", "data-dir"];

impl Reader<'_> {
    /// What is said of each Drainer, by id.
    ///
    /// # Errors
    /// `invalid` with file and line: a key that there is not, a wrong type.
    pub(super) fn downstreams(&self, item: &Item<'_, '_>) -> Result<BTreeMap<String, DownstreamProfile>> {
        let mut drainers = BTreeMap::new();
        for (id, value) in self.table_of(item)? {
            let item = Item { key: id.get_ref(), value: value.get_ref(), span: value.span() };
            drainers.insert(id.get_ref().to_string(), self.downstream(&item)?);
        }
        Ok(drainers)
    }

    fn downstream(&self, item: &Item<'_, '_>) -> Result<DownstreamProfile> {
        let mut profile = DownstreamProfile::default();
        let mut place = DrainerSettings::default();
        let mut is_kept_in_table = true;
        for item in self.items(self.table_of(item)?, &format!("the downstream of `{}`", item.key), &KEYS)? {
            let text = || self.text_of(&item).map(Untrusted::from).map(Some);
            match item.key {
                "my-cnf" => profile.my_cnf = Some(self.path_of(&item)?),
                "drainer-toml" => profile.drainer_toml = Some(self.path_of(&item)?),
                "user" => profile.user = Some(self.text_of(&item)?),
                "data-dir" => profile.data_dir = Some(self.text_of(&item)?),
                "db-type" => {
                    place.db_type = text()?;
                    is_kept_in_table = matches!(place.db_type.as_deref(), Some("mysql" | "tidb"));
                }
                "host" => place.checkpoint_host = text()?,
                "port" => place.checkpoint_port = Some(self.port_of(&item)?),
                "schema" => place.checkpoint_schema = text()?,
                _ => place.checkpoint_table = text()?,
            }
        }
        if place != DrainerSettings::default() {
            // The profile names the place of the checkpoint itself, whatever the rest goes to.
            place.checkpoint_type = is_kept_in_table.then(|| "mysql".into());
            profile.place = Some(place);
        }
        Ok(profile)
    }
}
