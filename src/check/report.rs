//! What came of checking several files, for programs.

mod sarif;

use crate::check::checker::Checked;
use crate::check::finding::RuleFinding;
use crate::check::rule::Severity;
use crate::error::Error;
use serde_json::{Value, json};

/// What came of checking several files.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckReport {
    /// The name and text of each script, and what was found in it.
    pub scripts: Vec<(String, String, Checked)>,
    /// The files that could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// A file that could not be read.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    /// As it was named.
    pub name: String,
    /// Why.
    pub error: Error,
}

impl CheckReport {
    /// Every finding, with the name and the text of its script.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&str, &str, &RuleFinding)> {
        self.scripts.iter().flat_map(|(name, text, checked)| {
            checked.findings.iter().map(|finding| (name.as_str(), text.as_str(), finding))
        })
    }

    /// How many findings are errors, and how many warnings.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let errors = self.findings().filter(|(_, _, finding)| finding.rule.severity == Severity::Error).count();
        (errors, self.findings().count() - errors)
    }

    /// 0 if nothing was found, 1 if something was, 2 if a file cannot be read or does not compile.
    pub(crate) fn exit_code(&self) -> u8 {
        let is_unknown = !self.unreadable.is_empty() || self.scripts.iter().any(|(_, _, checked)| !checked.compiles);
        match (is_unknown, self.findings().next().is_some()) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    }

    /// Everything as one document.
    pub(crate) fn json(&self) -> Value {
        let finding = |(file, _, finding): (&str, &str, &RuleFinding)| {
            json!({
                "rule": finding.rule.name,
                "severity": finding.rule.severity.name(),
                "file": file,
                "line": finding.at.line,
                "column": finding.at.column,
                "end_column": finding.at.column + finding.width,
                "message": finding.message,
                "hint": finding.hint,
                "fix": finding.fix.as_ref().map(|fix| &fix.to),
            })
        };
        let unreadable = |file: &Unreadable| json!({ "file": file.name, "kind": file.error.kind.name(), "message": file.error.to_string() });
        let (errors, warnings) = self.counts();
        json!({
            "findings": self.findings().map(finding).collect::<Vec<_>>(),
            "unreadable": self.unreadable.iter().map(unreadable).collect::<Vec<_>>(),
            "scripts": self.scripts.len(),
            "errors": errors,
            "warnings": warnings,
        })
    }

    /// Everything as a log of SARIF 2.1.0. Names of files that are not absolute are left as they were given.
    pub(crate) fn sarif(&self) -> Value {
        sarif::log(self)
    }
}
