//! What `help` knows beside the language: kinds of harm, rules of `check`.

use crate::check::{self, rules};
use crate::language::Topic;
use crate::rehearsal::HarmKind;

/// All of it.
pub(super) fn topics() -> Vec<Topic> {
    let harm = |kind: HarmKind| {
        let text = format!(
            "{}: a kind of harm, which `binlogsh rehearse SCRIPT --futures N` looks for\n\n  {}",
            kind.name(),
            kind.about()
        );
        Topic { name: kind.name(), text }
    };
    let rule = |rule: &'static check::Rule| {
        let text = format!("{}: a rule of `binlogsh check`\n\n  {}\n\n  {}", rule.name, rule.about, rule.why);
        Topic { name: rule.name, text }
    };
    HarmKind::ALL.iter().copied().map(harm).chain(rules().map(rule)).collect()
}
