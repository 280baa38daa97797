//! Puts the families of rules together.

use crate::check::finding::RuleFinding;
use crate::check::rule::Family;
use crate::check::script::{Script, ScriptReader};
use crate::check::vocabulary::ScriptVocabulary;
use crate::check::{FAMILIES, allow, header, names};
use crate::interrupt::Interrupt;
use crate::language::Source;
use std::path::PathBuf;
use std::rc::Rc;

/// Checks scripts; reads each module once.
pub struct Checker {
    reader: ScriptReader,
    words: ScriptVocabulary,
    interrupt: Interrupt,
}

/// What came of checking a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was found, from top to bottom.
    pub findings: Vec<RuleFinding>,
    /// Whether it compiles. If not there is one finding, and nobody knows what else is in it.
    pub compiles: bool,
}

/// Reading takes a stack of its own: scripts nest as deep as the compiler allows.
const STACK: usize = 64 << 20;

impl Default for Checker {
    fn default() -> Self {
        Self { reader: ScriptReader::default(), words: ScriptVocabulary::new(), interrupt: Interrupt::default() }
    }
}

impl Checker {
    /// Knows what can be done with what a test is given as well: names with parameters, `fault(kind, id)`.
    #[must_use]
    pub fn knowing_tests(mut self, signatures: impl IntoIterator<Item = &'static str>) -> Self {
        self.words.learn_tests(signatures);
        self
    }

    /// Heeds `interrupt` between the families of rules: what is checked then is not checked to its end.
    #[must_use]
    pub fn heeding(self, interrupt: &Interrupt) -> Self {
        Self { interrupt: interrupt.clone(), ..self }
    }

    /// Checks `source`. Its modules lie in its own directory, or beneath one of `roots`.
    pub fn check(&self, source: &Source, roots: &[PathBuf]) -> Checked {
        stacker::grow(STACK, || self.check_here(source, roots))
    }

    fn check_here(&self, source: &Source, roots: &[PathBuf]) -> Checked {
        let script = match self.reader.read(source, roots) {
            Ok(script) => script,
            Err((error, at)) => return Checked { findings: vec![header::broken(&error, at)], compiles: false },
        };
        let mut findings = self.findings(&script);
        allow::silence(&script, &mut findings);
        let is_told = findings.iter().any(|finding| names::is_refused(finding.rule));
        let untold = script.parsed.refused.as_ref().filter(|_| !is_told);
        // The compiler refused something that no rule has told of.
        findings.extend(untold.map(|(error, at)| header::broken(error, *at)));
        findings.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.rule.name.cmp(b.rule.name)));
        findings.dedup();
        Checked { findings, compiles: untold.is_none() }
    }

    fn findings(&self, script: &Rc<Script>) -> Vec<RuleFinding> {
        let mut found = Vec::new();
        let goes_on = |_: &&Family| self.interrupt.pending().is_none();
        FAMILIES.iter().take_while(goes_on).for_each(|family| (family.check)(script, &self.words, &mut found));
        found
    }
}
