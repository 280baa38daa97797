//! What is written as an argument of a function, and in the map at the end of its call.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::{Expr, ExprKind};
use crate::language::{Function, Type, takes_word};
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[UNKNOWN_OPTION, WRONG_ARGUMENT];

const UNKNOWN_OPTION: Rule = Rule {
    name: "unknown_option",
    severity: Severity::Error,
    about: "A function of the program has no such option, or no guard of that name to force.",
    why: "The call is refused before it does anything, which may be in the middle of a maintenance. `help(\"NAME\")` lists \
          the options and guards of a function.",
    caught: "//! Stops a Drainer.\nstep(\"pause\", || pause_drainer(\"drainer-0\", #{ wiat: \"1m\" }));\n",
    left_alone: "//! Stops a Drainer.\nstep(\"pause\", || pause_drainer(\"drainer-0\", #{ wait: \"1m\" }));\n",
};

const WRONG_ARGUMENT: Rule = Rule {
    name: "wrong_argument",
    severity: Severity::Error,
    about: "A text is none of the words that its parameter or option takes: no state, no duration, no time zone, no fault.",
    why: "The call is refused before it does anything, which may be in the middle of a maintenance. `help(\"NAME\")` says \
          what each parameter takes.",
    caught: "//! Waits for a Drainer.\nwait_for(\"drainer-0\", \"onlin\", \"1m\");\n",
    left_alone: "//! Waits for a Drainer.\nwait_for(\"drainer-0\", \"online\", \"1m\");\n",
};

fn check(script: &Rc<Script>, words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    script.parsed.tree.exprs(&mut |expr| {
        let (name, receiver, args) = match &expr.kind {
            ExprKind::Call { path, name, args } if path.is_empty() => (name, None, args),
            ExprKind::Method { name, receiver, args } => (name, Some(&**receiver), args),
            _ => return,
        };
        let Some(function) = words.ours(name).filter(|_| !script.defines(name)) else { return };
        for (param, given) in function.params.iter().zip(receiver.into_iter().chain(args)) {
            found.extend(wrong(function, (param.name, param.takes), given));
        }
        if function.options.is_empty() {
            return;
        }
        if let Some(Expr { kind: ExprKind::Map(options), .. }) = args.last() {
            for (option, value) in options {
                let known: Vec<&str> = function.options.iter().map(|option| option.name).collect();
                if !known.contains(&option.text.as_str()) {
                    let message = format!("{name} has no option `{}`", option.text);
                    let otherwise = format!("its options are {}", known.join(", "));
                    let finding = RuleFinding::new(&UNKNOWN_OPTION, option.at, &option.text, message);
                    found.push(finding.meant(&option.text, known, otherwise));
                } else if option.text == "force" {
                    guards(function, value, found);
                } else if let Some(param) = function.option(&option.text) {
                    found.extend(wrong(function, (param.name, param.takes), value));
                }
            }
        }
    });
}

/// What is wrong with the text that the parameter or option `name` is given.
fn wrong(function: &Function, (name, takes): (&str, Type), given: &Expr) -> Option<RuleFinding> {
    let text = given.text().filter(|text| !takes_word(takes, text))?;
    let message = format!("{}: `{name}` takes {}, and `{text}` is none", function.name, takes.expected());
    let finding = RuleFinding::new(&WRONG_ARGUMENT, given.at, &format!("\"{text}\""), message);
    let words = takes.words();
    // The state of a node, or how long to wait, is a person's decision.
    Some(finding.meant(text, words.iter().copied(), format!("such as {}", words.join(", "))).without_fix())
}

/// Looks at the names of the guards that are forced.
fn guards(function: &Function, forced: &Expr, found: &mut Vec<RuleFinding>) {
    let ExprKind::Array(names) = &forced.kind else { return };
    let guards: Vec<&str> = function.guards.iter().map(|guard| guard.name()).collect();
    for name in names {
        let Some(text) = name.text().filter(|text| !guards.contains(text)) else { continue };
        let message = format!("{} has no guard `{text}`", function.name);
        let otherwise = match guards.is_empty() {
            true => "it has none".to_owned(),
            false => format!("its guards are {}", guards.join(", ")),
        };
        let finding = RuleFinding::new(&UNKNOWN_OPTION, name.at, &format!("\"{text}\""), message);
        // To override a guard is a person's decision.
        found.push(finding.meant(text, guards.iter().copied(), otherwise).without_fix());
    }
}
