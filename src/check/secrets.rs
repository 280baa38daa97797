//! Secrets that stand in a script.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::Masking;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[SECRET_IN_SCRIPT];

const SECRET_IN_SCRIPT: Rule = Rule {
    name: "secret_in_script",
    severity: Severity::Warning,
    about: "What `encrypt` is given stands in the script as a text.",
    why: "Whoever can read the script, its backups and its history in git can read the secret. The program keeps and shows it \
          nowhere, so that a run that was stopped needs the script's file to go on, unchanged. As a parameter of the type \
          `secret` it is asked for, or comes from a file or a variable.",
    caught: "//! Encrypts a password for a Drainer.\nlet password = \"pa55\";\nprint(encrypt(password));\n",
    left_alone: "//! Encrypts a password for a Drainer.\nlet password = param(\"password\", #{ type: \"secret\" });\n\
                 print(encrypt(password));\n",
};

fn check(script: &Rc<Script>, _words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    if script.is_test() {
        return;
    }
    let family = script.family();
    let texts: Vec<&str> = family.iter().map(|script| script.source.text.as_str()).collect();
    for at in Masking::of(&texts).secrets_in(&script.source.text) {
        let message = "this is a secret, and everybody who has the script can read it";
        found.push(
            RuleFinding::new(&SECRET_IN_SCRIPT, at, "", message)
                .hint("take it as a parameter: param(\"name\", #{ type: \"secret\" })"),
        );
    }
}
