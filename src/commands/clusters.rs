//! `clusters`: the clusters that tiup deployed from here, and what is wrong with what it knows of each.

use super::compose::CommandContext;
use crate::config::{DeployedClusters, Variables};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::node::Kind;
use crate::operations::deployment_value;
use crate::output::Columns;
use crate::text::shell_word;
use crate::value::{Fields, Value};

/// A row of the table.
const COLUMNS: &[&str] = &["name", "version", "pd", "pumps", "drainers", "tls", "profile", "wrong"];

/// Shows all of them. Nobody is asked; what cannot be read is shown with the reason.
pub(super) fn main(context: &CommandContext) -> Result<u8> {
    let variables = Variables::of_this_process()?;
    let tiup = DeployedClusters::of(&|name| variables.get(name))?;
    let names = tiup.names()?;
    let all: Vec<ListedCluster> = names.iter().map(|name| ListedCluster::of(name, &tiup, context)).collect();
    let row = if context.output.format().is_for_programs() { ListedCluster::fields } else { ListedCluster::cells };
    let figures = &["pumps", "drainers"];
    context.output.rows(all.iter().map(row).collect(), Columns { figures, spare: &["version", "tls"], names: COLUMNS });
    match all.iter().find(|one| one.known.is_ok()) {
        Some(one) => context.output.remark(&format!("go to one with `binlogsh --cluster {}`", shell_word(one.name))),
        None if all.is_empty() => context.output.remark(&format!(
            "tiup has no clusters in {}\nhint: they are those of the user who deployed them: run it as that one, or set TIUP_HOME to their \
             directory",
            tiup.place()
        )),
        None => {}
    }
    Ok(0)
}

/// A cluster, and what there is to say of it.
struct ListedCluster<'a> {
    name: &'a str,
    known: Result<Deployment>,
    /// The profiles that name it.
    profiles: Vec<&'a str>,
}

impl<'a> ListedCluster<'a> {
    fn of(name: &'a str, tiup: &DeployedClusters, context: &'a CommandContext) -> Self {
        let is_named = |cluster: &&crate::config::ProfileCluster| cluster.cluster.as_deref() == Some(name);
        let profiles = context.settings.clusters.iter().filter(is_named).map(|cluster| cluster.profile.as_str());
        Self { name, known: tiup.read(name), profiles: profiles.collect() }
    }

    /// What is wrong with what tiup knows of it, a sentence each.
    fn wrong(&self) -> Vec<String> {
        let known = match &self.known {
            Ok(known) => known,
            Err(error) => return vec![error.to_string()],
        };
        let scale_out = || {
            format!("a scale-out has begun and not ended: tiup cluster scale-out {} --stage2", shell_word(self.name))
        };
        let cut_off = || "its meta.yaml may be cut off: `monitoring_servers` is missing behind the nodes".to_owned();
        let scale_out = known.unfinished_scale_out.then(scale_out);
        scale_out.into_iter().chain(known.may_be_cut_off.then(cut_off)).collect()
    }

    fn cells(&self) -> Value {
        let of = |cell: &dyn Fn(&Deployment) -> Value| self.known.as_ref().map_or(Value::Unit, cell);
        let count = |kind| of(&|known| i64::try_from(known.of(kind).count()).unwrap_or(i64::MAX).into());
        Value::map([
            ("name", self.name.into()),
            ("version", of(&|known| known.version.as_ref().map_or(Value::Unit, |version| version.as_str().into()))),
            ("pd", of(&|known| known.pd_urls.join(", ").into())),
            ("pumps", count(Kind::Pump)),
            ("drainers", count(Kind::Drainer)),
            ("tls", of(&|known| if known.tls.is_some() { "yes".into() } else { "no".into() })),
            ("profile", self.profiles.join(", ").into()),
            ("wrong", self.wrong().join("; ").into()),
        ])
    }

    /// For programs: all that is known.
    fn fields(&self) -> Value {
        let texts = |texts: Vec<Value>| Value::from(texts);
        let mut fields: Fields = match self.known.as_ref().map(deployment_value) {
            Ok(Value::Map(fields)) => fields,
            Ok(_) | Err(_) => [("name".to_owned(), Value::from(self.name))].into_iter().collect(),
        };
        fields.insert("profiles".into(), texts(self.profiles.iter().map(|profile| (*profile).into()).collect()));
        fields.insert("wrong".into(), texts(self.wrong().into_iter().map(Value::from).collect()));
        let hint = self.known.as_ref().err().and_then(|error: &Error| error.hint.clone());
        fields.insert("hint".into(), hint.map_or(Value::Unit, Value::from));
        Value::Map(fields)
    }
}
