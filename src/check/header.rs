//! Whether a script can be read at all: by the compiler, by people, and with all its modules.

use crate::check::finding::RuleFinding;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::error::Error;
use crate::language::tree::Spot;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[DOES_NOT_COMPILE, UNRESOLVED_IMPORT, MISSING_HEADER];

const DOES_NOT_COMPILE: Rule = Rule {
    name: "does_not_compile",
    severity: Severity::Error,
    about: "The script does not compile: nothing of it would run, and no other rule has looked at it.",
    why: "A run would end before its first step. The place is where the compiler noticed; what is missing often stands \
          just before it. The exit code of `check` is 2, since the rest of the script is unknown. It cannot be silenced.",
    caught: "//! Counts the Pumps.\nprint(`${pumps().len()} Pumps`;\n",
    left_alone: "//! Counts the Pumps.\nprint(`${pumps().len()} Pumps`);\n",
};

const UNRESOLVED_IMPORT: Rule = Rule {
    name: "unresolved_import",
    severity: Severity::Error,
    about: "A module that is imported does not exist, lies elsewhere than beneath the script, or does not compile.",
    why: "The run would end at the `import`. Modules are those of the library that comes with the program, and files \
          beside the script or beneath its directory, since a script's modules travel with it.",
    caught: "//! Lists the Pumps that are online.\nimport \"pumsp\" as pumps;\nprint(pumps::list(pumps::chosen(\"\")));\n",
    left_alone: "//! Lists the Pumps that are online.\nimport \"pumps\" as pumps;\nprint(pumps::list(pumps::chosen(\"\")));\n",
};

const MISSING_HEADER: Rule = Rule {
    name: "missing_header",
    severity: Severity::Warning,
    about: "The script does not begin with `//!` lines that say what it is for.",
    why: "`run SCRIPT --help` shows those lines, and whoever is called at night reads them first: what the script does, \
          when it is the right one, what it needs, what it will ask. Files of tests (`*_test.rhai`) need none.",
    caught: "print(pumps().len());\n",
    left_alone: "//! Counts the Pumps.\nprint(pumps().len());\n",
};

/// The script does not compile.
pub(super) fn broken(error: &Error, at: Spot) -> RuleFinding {
    let at = if at.line == 0 { Spot { line: 1, column: 1 } } else { at };
    RuleFinding::of_error(&DOES_NOT_COMPILE, at, "", error)
}

fn check(script: &Rc<Script>, _words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    for import in &script.imports {
        let (Some(path), Some(Err(error))) = (&import.path, &import.module) else { continue };
        let quoted = format!("\"{}\"", path.text);
        found.push(RuleFinding::of_error(&UNRESOLVED_IMPORT, path.at, &quoted, error));
    }
    let text = &script.source.text;
    let is_for_others = script.is_test() || script.is_module();
    if !is_for_others && !text.trim().is_empty() && crate::language::header(text).is_empty() {
        let line = if text.starts_with("#!") { 2 } else { 1 };
        found.push(
            RuleFinding::new(&MISSING_HEADER, Spot { line, column: 1 }, "", "nothing says what this script is for").hint(
                "begin with lines such as `//! Restarts Pumps one after the other.`: what, when, what it needs and asks",
            ),
        );
    }
}
