//! Functions that play with a simulated cluster.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::Group;
use crate::language::tree::ExprKind;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[SANDBOX_FUNCTION];

const SANDBOX_FUNCTION: Rule = Rule {
    name: "sandbox_function",
    severity: Severity::Warning,
    about: "A script calls a function that only a simulated cluster has: `kill`, `hang` or `fault`.",
    why: "In a sandbox and in a rehearsal it works; on a real cluster the run fails when it gets there. What somebody does \
          outside is asked for with `manual`, and what is to go wrong in a rehearsal belongs into its faults, or a test.",
    caught: "//! Replaces a Drainer that hangs.\nkill(\"drainer-0\");\nprint(probe(\"drainer-0\"));\n",
    left_alone: "//! Replaces a Drainer that hangs.\nstep(\"replace\", || {\n    \
                 manual(\"Kill and start drainer-0\", #{ starts: [\"drainer-0\"], takes: \"30s\" });\n    \
                 wait_for(\"drainer-0\", \"online\", \"1m\");\n});\n",
};

fn check(script: &Rc<Script>, words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    if script.is_test() {
        return;
    }
    script.parsed.tree.exprs(&mut |expr| {
        let (ExprKind::Call { name, .. } | ExprKind::Method { name, .. }) = &expr.kind else { return };
        let is_ours = !matches!(&expr.kind, ExprKind::Call { path, .. } if !path.is_empty());
        let plays = words.ours(name).is_some_and(|function| function.group == Group::Sandbox);
        if is_ours && plays && !script.defines(name) {
            let message = format!("`{name}` plays with a simulated cluster: on a real one the run fails here");
            let finding = RuleFinding::new(&SANDBOX_FUNCTION, expr.at, name, message);
            found.push(finding.hint(match name.as_str() {
                "fault" => "leave it out: `rehearse --every-fault` and tests make things go wrong",
                _ => "ask for it with manual(\"...\", #{ starts: [...], stops: [...] })",
            }));
        }
    });
}
