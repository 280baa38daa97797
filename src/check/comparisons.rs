//! Comparisons that can only come out one way.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Rule, Severity};
use crate::check::types::KnownType;
use crate::language::tree::{Expr, ExprKind};
use crate::nearest::names_of;
use crate::node::{Kind, State};

pub(super) const POINTLESS_COMPARISON: Rule = Rule {
    name: "pointless_comparison",
    severity: Severity::Error,
    about: "A comparison always comes out the same: a number with a text, a `Time` with something else, a `Node`'s state with a \
            word that is no state.",
    why: "What is not alike is compared as false, without a word: a check that should stop the script never does, and a \
          `filter` finds nobody. Lags and ages are numbers of seconds.",
    caught: "//! Makes sure that no Pump lags.\nfor pump in pumps() {\n    \
             ensure(!(pump.lag > \"30s\"), `${pump.id} lags`);\n}\n",
    left_alone: "//! Makes sure that no Pump lags.\nfor pump in pumps() {\n    \
                 ensure(!(pump.lag > 30.0), `${pump.id} lags`);\n}\n",
};

/// Looks at an operation by the types of its operands.
pub(super) fn look(operator: &str, operands: &[Expr], types: &[KnownType], found: &mut Vec<RuleFinding>) {
    let ([left, right], [of_left, of_right]) = (operands, types) else { return };
    let outcome = match operator {
        "==" | "<" | "<=" | ">" | ">=" => "false",
        "!=" => "true",
        _ => return,
    };
    for (one, of_one, of_other) in [(right, of_right, of_left), (left, of_left, of_right)] {
        if let Some(finding) = unlike(one, of_one, of_other, outcome).or_else(|| no_word(one, of_other)) {
            found.push(finding);
            return;
        }
    }
}

/// What is wrong with `one` where it has another type than what it is compared with.
fn unlike(one: &Expr, of_one: &KnownType, of_other: &KnownType, outcome: &str) -> Option<RuleFinding> {
    let always = format!("that is always {outcome}");
    let (what, then, hint) = match (of_other, of_one) {
        (KnownType::Number, KnownType::Text) => {
            ("a number is compared with a text", always.as_str(), "write the number: a lag or an age is in seconds")
        }
        (KnownType::Named("Time"), KnownType::Text) => {
            let hint = "make a point in time of it: tso_time(tso_at(\"...\"))";
            ("a point in time is compared with a text", "the run fails here", hint)
        }
        (KnownType::Named("Time"), KnownType::Number) => {
            let hint = "subtract: now() - time is a number of seconds";
            ("a point in time is compared with a number", always.as_str(), hint)
        }
        (KnownType::Word(_), KnownType::Number) => {
            ("a text is compared with a number", always.as_str(), "write the word between double quotes")
        }
        _ => return None,
    };
    Some(RuleFinding::new(&POINTLESS_COMPARISON, one.at, "", format!("{what}: {then}")).hint(hint))
}

/// What is wrong with `one` where it is a word that the property which it is compared with never has.
fn no_word(one: &Expr, of_other: &KnownType) -> Option<RuleFinding> {
    let (ExprKind::Text(word), KnownType::Word(property)) = (&one.kind, of_other) else { return None };
    let known: Vec<&str> = match *property {
        "state" => names_of::<State>(),
        _ => names_of::<Kind>(),
    };
    if known.contains(&word.as_str()) {
        return None;
    }
    let message = format!("the {property} of a Node is never \"{word}\"");
    let finding = RuleFinding::new(&POINTLESS_COMPARISON, one.at, &format!("\"{word}\""), message);
    Some(finding.meant(word, known.iter().copied(), format!("it is one of {}", known.join(", "))).without_fix())
}
