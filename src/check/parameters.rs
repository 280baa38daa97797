//! The parameters of a script.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::variables::ScriptVariables;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::{Expr, ExprKind, Part, Spot, Stmt};
use std::collections::BTreeSet;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[UNDECLARED_PARAMETER, UNUSED_PARAMETER];

const UNDECLARED_PARAMETER: Rule = Rule {
    name: "undeclared_parameter",
    severity: Severity::Error,
    about: "A parameter is read that the script does not declare by literals.",
    why: "`run SCRIPT --help` and the check of `--param` read the declarations without running the script: name and options \
          of `param` are literals, and stand in the script itself. A module gets what it needs as arguments.",
    caught: "//! Shows a node.\nlet name = \"pump\";\nlet id = param(name, #{ about: \"the Pump\" });\nprint(id);\n",
    left_alone: "//! Shows a node.\nlet id = param(\"pump\", #{ about: \"the Pump\" });\nprint(id);\n",
};

const UNUSED_PARAMETER: Rule = Rule {
    name: "unused_parameter",
    severity: Severity::Warning,
    about: "A parameter is declared, and nothing reads it.",
    why: "Whoever gives it believes that it does something: a timeout that is never used waits for ever, or not at all.",
    caught: "//! Waits for a Pump.\nlet timeout = param(\"timeout\", #{ default: \"5m\" });\nwait_for(\"pump-1\", \"online\");\n",
    left_alone: "//! Waits for a Pump.\nlet timeout = param(\"timeout\", #{ default: \"5m\" });\nwait_for(\"pump-1\", \"online\", timeout);\n",
};

fn check(script: &Rc<Script>, _words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    if let Err((error, at)) = &script.parsed.doc
        && !is_told(script, *at, found)
    {
        found.push(RuleFinding::of_error(&UNDECLARED_PARAMETER, *at, "param", error));
    }
    if script.is_module() {
        for (_, at) in read_by(script) {
            let message = "a module has no parameters: only the script itself declares them";
            found.push(
                RuleFinding::new(&UNDECLARED_PARAMETER, at, "param", message)
                    .hint("read it in the script, and give it to the function as an argument"),
            );
        }
    } else {
        read_by_modules(script, found);
    }
    unused(script, script.variables(), found);
}

/// Whether something was found in the options of the declaration at `at` already.
fn is_told(script: &Script, at: Spot, found: &[RuleFinding]) -> bool {
    let mut is_told = false;
    script.parsed.tree.exprs(&mut |expr| {
        if let ExprKind::Call { args, .. } = &expr.kind
            && expr.at == at
            && let Some(Expr { kind: ExprKind::Map(options), .. }) = args.last()
        {
            is_told |= options.iter().any(|(option, _)| found.iter().any(|finding| finding.at == option.at));
        }
    });
    is_told
}

/// The parameters that `script` itself reads by a plain text, and where.
fn read_by(script: &Script) -> Vec<(String, Spot)> {
    let mut read = Vec::new();
    script.parsed.tree.exprs(&mut |expr| {
        if let Some(Some(name)) = param_of(expr) {
            read.push((name.to_owned(), expr.at));
        }
    });
    read
}

/// The name in a call of `param`; none in it if it is no literal.
fn param_of(expr: &Expr) -> Option<Option<&str>> {
    match &expr.kind {
        ExprKind::Call { path, name, args } if path.is_empty() && name == "param" => {
            Some(args.first().and_then(Expr::text))
        }
        _ => None,
    }
}

fn read_by_modules(script: &Rc<Script>, found: &mut Vec<RuleFinding>) {
    let own: BTreeSet<String> = read_by(script).into_iter().map(|(name, _)| name).collect();
    for import in &script.imports {
        let (Some(path), Some(Ok(module))) = (&import.path, &import.module) else { continue };
        for (name, at) in read_by(module).into_iter().filter(|(name, _)| !own.contains(name)) {
            let place = format!("{}:{}", module.source.name, at.line);
            let message =
                format!("this module reads the parameter `{name}` ({place}), which the script does not declare");
            let quoted = format!("\"{}\"", path.text);
            found.push(
                RuleFinding::new(&UNDECLARED_PARAMETER, path.at, &quoted, message)
                    .hint(format!("declare it here: param(\"{name}\", #{{ about: \"...\" }})")),
            );
        }
    }
}

fn unused(script: &Script, variables: &ScriptVariables, found: &mut Vec<RuleFinding>) {
    let mut never = |param: &Expr, name: &str, at: Spot, word: &str| {
        if param_of(param).is_some() {
            let message = format!("the parameter `{name}` is declared, and nothing reads it");
            found.push(RuleFinding::new(&UNUSED_PARAMETER, at, word, message).hint("use it, or take it away"));
        }
    };
    let named = |param: &Expr| param_of(param).flatten().unwrap_or_default().to_owned();
    script.parsed.tree.walk(&mut |part| {
        if let Part::Stmt(Stmt::Let { name, value, .. }) = part
            && !variables.is_read(name.at)
        {
            never(value, &named(value), name.at, &name.text);
        }
    });
    for stmt in &script.parsed.tree.body {
        if let Stmt::Expr(value) = stmt {
            never(value, &named(value), value.at, "param");
        }
    }
}
