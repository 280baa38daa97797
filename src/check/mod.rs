//! Reads scripts without running them, and says what is wrong with them, or will be.
//!
//! A file per family of rules; each has its rows ([`Rule`]: name, severity, documentation, a script that it catches and
//! one that it leaves alone) beside the functions that find. The documentation and the tests come from those rows.
//! [`Checker`] puts the families together.
//!
//! This room knows scripts as [`crate::language::tree`] shows them and the functions as the language documents them. It
//! runs nothing, knows no cluster and prints nothing; modules are read by the language.

mod acting;
mod allow;
mod checker;
mod comparisons;
mod finding;
mod fix;
mod flow;
mod header;
mod names;
mod options;
mod pages;
mod parameters;
mod properties;
mod report;
mod rule;
mod sandbox;
mod script;
mod secrets;
mod types;
mod unused;
mod variables;
mod vocabulary;

pub use checker::{Checked, Checker};
pub use finding::{Fix, RuleFinding};
pub use fix::fixed;
pub use pages::{page, rules_markdown};
pub(crate) use report::{CheckReport, Unreadable};
pub use rule::{Rule, Severity};

use rule::Family;

/// Every family, in the order of the documentation.
const FAMILIES: &[Family] = &[
    header::FAMILY,
    names::FAMILY,
    properties::FAMILY,
    options::FAMILY,
    parameters::FAMILY,
    unused::FAMILY,
    secrets::FAMILY,
    acting::FAMILY,
    sandbox::FAMILY,
];

/// Every rule, in the order of the documentation. Those about silencing come after whatever can be silenced.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules).chain(allow::RULES)
}
