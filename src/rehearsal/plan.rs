//! A plan: the effects that a rehearsal made, and the cluster on which it made them, as a readable file.
//!
//! A run that follows it does not begin when what it relied on has changed, and does nothing else. What must differ
//! between a rehearsal and a run (revisions, timestamps, heartbeats) is not in it.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

use crate::error::{Error, ErrorKind, Result};
use crate::journal::Entry;
use crate::language::masked;
use crate::policy::Planned;
use crate::rehearsal::files;
use crate::rehearsal::files::FileFormat;
use crate::text::{ShownPath, Untrusted, on_one_line};
use crate::time::{Time, Zone};
use crate::value::Value;
use crate::world::{Answer, Change, KnownCluster, KnownNode, Listing};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::collections::BTreeSet;
use std::hash::Hasher;
use std::path::Path;

/// The version of the format that this program reads and writes.
const VERSION: u32 = 2;

/// What to do about a file that is no plan.
const MAKE_ANOTHER: &str = "make it again with `binlogsh rehearse SCRIPT --plan FILE`";

/// What a rehearsal did, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    version: u32,
    /// PD's cluster id.
    pub cluster_id: u64,
    /// The script that was rehearsed.
    pub script: ScriptMark,
    /// PD's time at the start of the rehearsal, RFC 3339, if PD gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made_at: Option<String>,
    /// Every node of the cluster at the start.
    pub relied_on: Vec<KnownNode>,
    /// The keys that were no records.
    pub malformed: Vec<Untrusted>,
    /// What is done, in order.
    pub effects: Vec<Planned>,
}

/// Which script, and with which parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptMark {
    /// How it was called; for people, since a path may change.
    pub name: String,
    /// SipHash-2-4 (128 bits) of its text without the secrets in it, in hexadecimal: notices a change, proves nothing.
    pub(crate) digest: String,
    /// Its parameters, those that were not given as well.
    pub parameters: IndexMap<String, String>,
}

/// What a rehearsal began with.
pub struct Basis<'a> {
    /// The cluster at the start.
    pub listing: &'a Listing,
    /// PD's cluster id.
    pub cluster_id: u64,
    /// The script.
    pub script: ScriptMark,
}

impl ScriptMark {
    /// The mark of the script `name` with this text, called with these parameters.
    pub fn new(name: &str, text: &str, parameters: &IndexMap<String, String>) -> Self {
        let mut hasher = SipHasher24::new();
        hasher.write(masked(text).as_bytes());
        let digest = format!("{:032x}", hasher.finish128().as_u128());
        Self { name: name.to_owned(), digest, parameters: parameters.clone() }
    }
}

impl Plan {
    /// The plan of a rehearsal that began with `basis` and whose journal, of everything, has these entries. An effect
    /// relies on its nodes as the script saw them last before it.
    pub fn of(basis: Basis<'_>, entries: &[Entry]) -> Self {
        let mut seen = basis.listing;
        let mut effects = Vec::new();
        for entry in entries {
            match &entry.outcome {
                Ok(Answer::Listing(listing)) => seen = listing,
                Ok(_) => {
                    effects.extend(entry.request.change().and_then(|change| Planned::of(change, Some(seen))));
                }
                Err(_) => {}
            }
        }
        Self {
            version: VERSION,
            cluster_id: basis.cluster_id,
            script: basis.script,
            made_at: basis.listing.tso.map(|tso| Time::of_tso(tso, Zone::Utc).to_string()),
            relied_on: basis.listing.records.iter().map(KnownNode::of).collect(),
            malformed: basis.listing.malformed.iter().map(|malformed| malformed.key.clone()).collect(),
            effects,
        }
    }

    /// Reads the plan in the file `path`.
    ///
    /// # Errors
    /// `not_found` or `local` when it cannot be read; `invalid` when it is no plan, is cut short, is of another
    /// version or says what cannot be.
    pub fn read(path: &Path) -> Result<Self> {
        let text = files::read("the plan", path)?;
        Self::parse(&text).map_err(|error| Error { message: format!("{}: {}", path.shown(), error.message), ..error })
    }

    /// The plan that `text` is.
    ///
    /// # Errors
    /// `invalid` when it is none, is cut short, is of another version or says what cannot be.
    pub fn parse(text: &str) -> Result<Self> {
        let plan: Self = FileFormat { what: "plan", version: VERSION, again: MAKE_ANOTHER }.parse(text)?;
        plan.check_itself()?;
        Ok(plan)
    }

    /// Whether it contradicts itself, as only a file that was edited does.
    fn check_itself(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::invalid(format!("the plan cannot be: {what}")).hint(MAKE_ANOTHER));
        let twice = |nodes: &[KnownNode]| {
            let mut seen = BTreeSet::new();
            nodes.iter().find(|node| !seen.insert(node.key())).map(|node| format!("{} {}", node.kind, node.id))
        };
        if let Some(node) = twice(&self.relied_on) {
            return wrong(format!("it relies on {node} twice"));
        }
        for (at, effect) in self.effects.iter().enumerate() {
            if let Some(node) = twice(&effect.relied_on) {
                return wrong(format!("effect {} relies on {node} twice", at + 1));
            }
        }
        Ok(())
    }

    /// Whether a plan can be saved as `path`: to be asked before the work whose result it is.
    ///
    /// # Errors
    /// `local` when its directory is not there or cannot be written, or when it is itself a directory.
    pub fn check_target(path: &Path) -> Result<()> {
        files::check_target("the plan", path)
    }

    /// Writes it to `path`: afterwards it is there completely, or what was there before is.
    ///
    /// # Errors
    /// `local`, naming the path.
    pub fn save(&self, path: &Path) -> Result<()> {
        files::write_json("the plan", path, self)
    }

    /// Whether this script with these parameters is the one that was rehearsed.
    ///
    /// # Errors
    /// `conflict`, saying what differs.
    pub(crate) fn check_script(&self, script: &ScriptMark) -> Result<()> {
        let planned = &self.script;
        let mut differences = Vec::new();
        if planned.digest != script.digest {
            let (name, then) = (on_one_line(&script.name), on_one_line(&planned.name));
            differences.push(format!("the text of {name} is not that of {then} any more"));
        }
        let names: BTreeSet<&String> = planned.parameters.keys().chain(script.parameters.keys()).collect();
        for name in names {
            let (then, now) = (planned.parameters.get(name), script.parameters.get(name));
            if then != now {
                let show = |value: Option<&String>| match value {
                    Some(value) => format!("\"{}\"", on_one_line(value)),
                    None => "not given".to_owned(),
                };
                let name = on_one_line(name);
                differences.push(format!("the parameter `{name}` is {} (in the plan: {})", show(now), show(then)));
            }
        }
        self.agree(differences, "run what was rehearsed, or rehearse what is to be run")
    }

    /// Whether the cluster is still as it was at the start of the rehearsal. Heartbeats and revisions do not count.
    ///
    /// # Errors
    /// `conflict`, with every difference.
    pub fn check(&self, listing: &Listing, cluster_id: u64) -> Result<()> {
        if cluster_id != self.cluster_id {
            let difference =
                format!("this is the cluster {cluster_id}, the plan is of the cluster {}", self.cluster_id);
            return self.agree(vec![difference], "follow the plan on its own cluster, or rehearse on this one");
        }
        let then = KnownCluster { nodes: self.relied_on.clone(), malformed: self.malformed.iter().cloned().collect() };
        let differences = then.differences("the plan", &KnownCluster::of(listing));
        self.agree(differences, "find out who changed it; then rehearse again")
    }

    fn agree(&self, differences: Vec<String>, hint: &str) -> Result<()> {
        if differences.is_empty() {
            return Ok(());
        }
        let made = self.made_at.as_ref().map(|at| format!(" of {}", on_one_line(at))).unwrap_or_default();
        let what = format!("not begun: what the plan{made} relied on has changed\n  {}", differences.join("\n  "));
        Err(Error::new(ErrorKind::Conflict, what).hint(hint))
    }

    /// Whether following it runs a program.
    pub(crate) fn runs_programs(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect.what, Change::Exec(_)))
    }

    /// Whether following it starts or stops nodes without a human.
    pub(crate) fn controls_nodes(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect.what, Change::Control(_)))
    }

    /// Its effects as rows, for people.
    pub fn table(&self) -> Value {
        let row = |(at, effect): (usize, &Planned)| {
            let relied_on: Vec<String> = effect.relied_on.iter().map(KnownNode::to_string).collect();
            let number = i64::try_from(at + 1).unwrap_or(i64::MAX);
            Value::map([
                ("effect", number.into()),
                ("what", effect.what.to_string().into()),
                ("relies_on", relied_on.join("; ").into()),
            ])
        };
        Value::List(self.effects.iter().enumerate().map(row).collect())
    }
}
