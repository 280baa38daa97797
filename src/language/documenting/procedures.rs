//! `docs/procedures.md`: what the scripts that come with the program are for, from their own words.

use crate::language::documenting::shipped::{Shipped, shipped};
use crate::language::reading::parameter::ParamDoc;
use crate::value::Value;

/// What futures came of the scripts, as the soak measures it: rows of a table, beneath its head.
const FUTURES: &str = include_str!("futures.md");

/// What comes before the procedures.
const HEAD: &str = "\
# Procedures

Made by `binlogsh docs --procedures` from the scripts' own words. One script for each procedure that operators of
TiDB-Binlog really run, with the checks that no manual mentions. `binlogsh scripts` lists them, `binlogsh scripts show NAME`
prints one, `binlogsh scripts copy NAME` puts it into a directory of yours, to change it; `binlogsh rehearse NAME` tries it
on a copy of your cluster, and `binlogsh run NAME` runs it.

All of them read afresh right before they act, through guards that refuse what would do harm; they end at the first error,
with the step and the node in its message; and they end with success only once they have seen that the goal is reached:
states in the records, processes by a probe, Drainers that advance. A moment without an answer (PD elects a leader, a
node restarts) is waited for where nothing is decided by it. What another operator does meanwhile is theirs.

A script that was stopped goes on where it was when it runs again over its journal: it sees what it saw, does nothing twice,
and looks afresh from there on. What its guards look at is looked at again before the next change, however long that is
later; what only the script itself looked at before the cut is not, and the check at its end is what finds it.
";

/// The page as Markdown.
pub fn procedures_markdown() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n| | script | does |\n|---|---|---|\n");
    for script in shipped() {
        text.push_str(&format!("| {} | `{}` | {} |\n", script.letter, script.name, script.summary()));
    }
    for script in shipped() {
        text.push_str(&section(&script));
    }
    text.push_str(
        "\n## What futures came of them\n\n\
         Each script in its sample cluster, through 10,000 futures of seed 1 (crashes, hanging nodes, refusals, a PD that is \
         gone, another operator, a human who says no), and through every fault at every event. *By the script* is harm that it \
         could have seen coming; *bad luck* what nobody could have: most of it is another operator who writes `offline` over a \
         live Pump. `make soak` measures it again, and fails where it differs.\n\n\
         | script | futures | done | refused | timeout | unreachable | other ends | harm by the script | bad luck |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    text.push_str(FUTURES);
    text
}

fn section(script: &Shipped) -> String {
    let mut text = format!("\n## {}. {}\n\n", script.letter, script.name);
    let about = script.about();
    let lines = about.lines().map(|line| match line.split_once(": ") {
        Some((head @ ("When" | "Needs" | "Asks" | "Exit code" | "Known from"), rest)) => format!("**{head}:** {rest}"),
        _ => line.to_owned(),
    });
    text.push_str(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")));
    text.push_str("\n| parameter | is | default |\n|---|---|---|\n");
    for param in script.params_declared() {
        let about = param.about.as_deref().unwrap_or_default();
        text.push_str(&format!("| `{}` | {about} | {} |\n", param.name, default(&param)));
    }
    let params: String = script.params.iter().map(|(name, value)| format!(" -p {name}={value}")).collect();
    let sandbox = match script.sample {
        "default" => "--sandbox".to_owned(),
        sample => format!("--sandbox={sample}"),
    };
    text.push_str(&format!("\nTry it: `binlogsh {sandbox} rehearse {}{params}`\n", script.name));
    text
}

fn default(param: &ParamDoc) -> String {
    match &param.default {
        None => "must be given".into(),
        Some(Value::Text(text)) if text.is_empty() => "empty".into(),
        Some(Value::Text(text)) => format!("`{text}`"),
        Some(Value::Int(number)) => format!("`{number}`"),
        Some(Value::Float(number)) => format!("`{number}`"),
        Some(Value::Bool(flag)) => format!("`{flag}`"),
        Some(other) => other.type_name().into(),
    }
}
