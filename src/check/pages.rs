//! `docs/rules.md`: a section for each rule, from its row.

use crate::check::rule::Rule;
use crate::check::rules;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;

/// What stands before the rules.
const HEAD: &str = "\
# Rules of `binlogsh check`

Made by `binlogsh check --explain` from the rows of the rules.

`binlogsh check FILE...` reads scripts without running them; of a directory it reads every `*.rhai` beneath it. It needs no
cluster. The exit code is 0 if nothing is found, 1 if something is, and 2 if a file cannot be read or does not compile; the
others are checked all the same. `--output json` and `--sarif` write the findings for programs. `--fix` fixes misspelt names
where only one name can have been meant; it never writes a name that changes the cluster.

An *error* fails when the script gets there, or does something else than it says. A *warning* runs, and an operator may come
to harm.

A rule is silenced where it is wrong, with a reason, by a comment on the line or above it:

```rhai
// check: allow act_outside_step: one change needs no step
pause_drainer(\"drainer-0\", #{ wait: \"1m\" });
```
";

/// The page of all rules, as Markdown.
pub fn rules_markdown() -> String {
    let mut text = format!("{HEAD}\n| rule | severity | finds |\n|---|---|---|\n");
    for rule in rules() {
        text.push_str(&format!("| [`{0}`](#{0}) | {1} | {2} |\n", rule.name, rule.severity.name(), rule.about));
    }
    for rule in rules() {
        text.push('\n');
        text.push_str(&section(rule));
    }
    text
}

/// The section of the rule `name`, as Markdown.
///
/// # Errors
/// `not_found` with the nearest names.
pub fn page(name: &str) -> Result<String> {
    match rules().find(|rule| rule.name == name) {
        Some(rule) => Ok(section(rule)),
        None => {
            let hint = did_you_mean(name, rules().map(|rule| rule.name));
            Err(Error::not_found(format!("there is no rule `{name}`"))
                .hint(hint.unwrap_or_else(|| "`binlogsh check --explain` shows all rules".into())))
        }
    }
}

fn section(rule: &Rule) -> String {
    format!(
        "## {}\n\n*{}.* {}\n\n{}\n\nCaught:\n\n```\n{}```\n\nLeft alone:\n\n```\n{}```\n",
        rule.name,
        rule.severity.name(),
        rule.about,
        rule.why,
        rule.caught,
        rule.left_alone,
    )
}
