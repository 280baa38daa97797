//! What is declared, and nobody uses.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::{Expr, ExprKind, Name, Part, Stmt};
use std::collections::BTreeSet;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[UNUSED_VARIABLE, UNUSED_IMPORT];

const UNUSED_VARIABLE: Rule = Rule {
    name: "unused_variable",
    severity: Severity::Warning,
    about: "A variable or constant is given a value, and nothing reads it.",
    why: "What was looked at before a change and is compared with nothing afterwards is mostly a check that was forgotten. A \
          name that begins with `_` says that it is so on purpose.",
    caught: "//! Restarts a Pump.\nlet before = started_at(\"pump-1\");\nprint(\"restarted\");\n",
    left_alone: "//! Restarts a Pump.\nlet before = started_at(\"pump-1\");\nprint(`it ran since ${before}`);\n",
};

const UNUSED_IMPORT: Rule = Rule {
    name: "unused_import",
    severity: Severity::Warning,
    about: "A module is imported, and nothing of it is used.",
    why: "Whoever reads the script looks for what it is needed for, and it is read and pinned by every run.",
    caught: "//! Counts Pumps.\nimport \"pumps\" as stock;\nprint(pumps().len());\n",
    left_alone: "//! Lists Pumps that can be stopped.\nimport \"pumps\" as stock;\nprint(stock::chosen(\"\"));\n",
};

fn check(script: &Rc<Script>, _words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    let used = Paths::of(script);
    // Whoever misspelt a name uses what seems unused.
    let is_misspelt = found.iter().any(|known| known.rule.severity == Severity::Error);
    if is_misspelt {
        return;
    }
    script.parsed.tree.walk(&mut |part| {
        let Part::Stmt(Stmt::Let { name, value, .. }) = part else { return };
        let is_read = script.variables().is_read(name.at) || used.constants.contains(&name.text);
        if !is_read && !name.text.starts_with('_') && !is_param(value) {
            let message = format!("nothing reads `{}`", name.text);
            let hint = format!("take it away, or call it `_{}`", name.text);
            found.push(RuleFinding::new(&UNUSED_VARIABLE, name.at, &name.text, message).hint(hint));
        }
    });
    for import in script.imports.iter().filter(|import| !used.modules.contains(&import.alias.text)) {
        // What has no name is imported for what it does; what cannot be read is told by another rule.
        if !import.alias.text.is_empty() && matches!(import.module, Some(Ok(_))) {
            let name = &import.alias;
            let message = format!("nothing of `{}` is used", name.text);
            found.push(RuleFinding::new(&UNUSED_IMPORT, name.at, &name.text, message).hint("take the import away"));
        }
    }
}

/// A parameter that nobody reads has a rule of its own.
fn is_param(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Call { path, name, .. } if path.is_empty() && name == "param")
}

/// What is named by a path.
struct Paths {
    /// The modules.
    modules: BTreeSet<String>,
    /// The constants of the file, by `global::NAME`.
    constants: BTreeSet<String>,
}

impl Paths {
    fn of(script: &Script) -> Self {
        let (mut modules, mut constants) = (BTreeSet::new(), BTreeSet::new());
        script.parsed.tree.exprs(&mut |expr| {
            let (path, name): (&[Name], &str) = match &expr.kind {
                ExprKind::Variable { path, name } | ExprKind::Call { path, name, .. } => (path, name),
                _ => return,
            };
            match path {
                [] => {}
                [only] if only.text == "global" => drop(constants.insert(name.to_owned())),
                [first, ..] => drop(modules.insert(first.text.clone())),
            }
        });
        Self { modules, constants }
    }
}
