//! The report: one page for a browser, with everything in it, that shows what a rehearsal came to.
//!
//! The page is a template (`report.html`, `report.css`) that is filled with a view of the rehearsal; charts are drawn as
//! SVG, each in a wide and a narrow layout. It fetches nothing and needs no script. Whatever comes from outside (ids,
//! the script, messages) is text and stays text: the template engine and the SVG builder escape it, and what nobody would
//! see of it is shown. The same rehearsal gives the same bytes. Knows nothing of how the rehearsal was played.

mod axis;
mod canvas;
mod histogram;
mod lag;
mod lanes;
mod listing;
mod many;
mod scale;
mod tale;
mod timeline;

use crate::error::{Error, Result};
use crate::language::Source;
use crate::rehearsal::files;
use crate::rehearsal::story::{Story, time};
use crate::rehearsal::tally::{Shortest, Tally};
use crate::sim::{Fault, MILLISECOND, Micros, SECOND, Scenario};
use crate::text::on_lines;
use crate::time::show_seconds;
use many::{Many, ShownHarm};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, escape_formatter};
use serde::Serialize;
use std::path::Path;
use tale::{Length, Tale};

/// The page's name, by whose ending the template engine knows how to escape.
const PAGE: &str = "report.html";

/// Everything that a report shows.
pub(crate) struct RehearsalReport<'a> {
    /// The script, without the secrets that stand in it.
    pub script: &'a Source,
    /// The cluster that it was rehearsed on.
    pub scenario: &'a Scenario,
    /// The story without faults.
    pub base: &'a Story,
    /// What many futures came to, if there were any.
    pub tally: Option<&'a Tally>,
    /// The shortest story of each harm.
    pub shortest: Vec<(&'a Shortest, Story)>,
}

/// What the template is filled with.
#[derive(Serialize)]
struct Page<'a> {
    style: &'static str,
    script: &'a str,
    cluster_id: String,
    about: &'a str,
    start: &'a str,
    pumps: usize,
    drainers: usize,
    outcome: &'a str,
    exit_code: u8,
    error: Option<&'a str>,
    facts: Vec<Fact>,
    base: Tale,
    many: Option<Many>,
    shortest: Vec<ShownHarm>,
    lines: Vec<listing::ScriptLine>,
    modules: Vec<listing::FileLines>,
}

/// A number that stands for itself.
#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

impl RehearsalReport<'_> {
    /// The page.
    ///
    /// # Errors
    /// `internal`: the template is broken.
    pub(crate) fn html(&self) -> Result<String> {
        let broken =
            |error: minijinja::Error| Error::internal("the report cannot be written").source(format!("{error:#}"));
        let mut pages = Environment::new();
        pages.set_undefined_behavior(UndefinedBehavior::Strict);
        pages.set_syntax(SyntaxConfig::builder().trim_blocks(true).build().map_err(broken)?);
        pages.set_formatter(|out, state, value| match value.as_str().filter(|_| !value.is_safe()) {
            Some(text) => escape_formatter(out, state, &on_lines(text).as_ref().into()),
            None => escape_formatter(out, state, value),
        });
        pages.add_template(PAGE, include_str!("report.html")).map_err(broken)?;
        pages.get_template(PAGE).and_then(|page| page.render(Serde(self.page()))).map_err(broken)
    }

    /// Writes the page, whole or not at all.
    ///
    /// # Errors
    /// As [`RehearsalReport::html`]; `local` when the file cannot be written: what was there before is then intact.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        files::write("the report", path, &self.html()?)
    }

    fn page(&self) -> Page<'_> {
        Page {
            style: include_str!("report.css"),
            script: &self.script.name,
            cluster_id: self.scenario.cluster_id.to_string(),
            about: &self.scenario.about,
            start: &self.scenario.start,
            pumps: self.scenario.pumps.len(),
            drainers: self.scenario.drainers.len(),
            outcome: &self.base.outcome,
            exit_code: self.base.exit_code,
            error: self.base.error.as_deref(),
            facts: facts(self.base),
            base: Tale::of(self.base, Length::Full),
            many: self.tally.map(Many::of),
            shortest: many::shown(&self.shortest),
            lines: listing::script(self.script, self.base),
            modules: listing::modules(self.script, self.base),
        }
    }
}

fn facts(story: &Story) -> Vec<Fact> {
    let totals = &story.totals;
    let fact = |name, value| Fact { name, value };
    vec![
        fact("takes", span(totals.duration)),
        fact("replication stands still", span(totals.halted)),
        fact("TiDB without a Pump", span(totals.blocked)),
        fact("changes", totals.writes.to_string()),
        fact("tasks by hand", totals.by_hand.to_string()),
        fact("questions asked", totals.questions.to_string()),
    ]
}

/// A length of time in words; below a second in milliseconds.
fn span(length: Micros) -> String {
    if (0..SECOND).contains(&length) {
        return match length / MILLISECOND {
            0 => "0s".into(),
            some => format!("{some}ms"),
        };
    }
    show_seconds((length.saturating_add(50_000) / 100_000) as f64 / 10.0)
}

/// A fault in words.
fn fault_text(fault: &Fault) -> String {
    let mut text = fault.kind.name().to_owned();
    if let Some(node) = &fault.node {
        text += &format!(" of {node}");
    }
    if let Some(lasts) = fault.lasts {
        text += &format!(" for {}", span(lasts.micros()));
    }
    text
}
