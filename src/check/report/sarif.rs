//! SARIF 2.1.0, which code hosts show beside the lines.
//!
//! Columns count characters; a file is named by a URI, relative ones to wherever the check ran.

use crate::check::finding::RuleFinding;
use crate::check::report::{CheckReport, Unreadable};
use crate::check::rule::{Rule, Severity};
use crate::check::rules;
use crate::text::on_lines;
use serde_json::{Value, json};

pub(super) fn log(report: &CheckReport) -> Value {
    let rules: Vec<&Rule> = rules().collect();
    let results: Vec<Value> = report.findings().map(|(file, _, finding)| result(file, finding, &rules)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "binlogsh",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unreadable.is_empty(),
                "toolExecutionNotifications": report.unreadable.iter().map(notification).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn level(rule: &Rule) -> &'static str {
    match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.name,
        "shortDescription": { "text": rule.about },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{} {}", rule.about, rule.why) },
        "defaultConfiguration": { "level": level(rule) },
    })
}

fn result(file: &str, finding: &RuleFinding, rules: &[&Rule]) -> Value {
    let region = json!({
        "startLine": finding.at.line,
        "startColumn": finding.at.column,
        "endColumn": finding.at.column + finding.width,
    });
    let text = match &finding.hint {
        Some(hint) => format!("{}\n{hint}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.rule.name,
        "ruleIndex": rules.iter().position(|rule| rule.name == finding.rule.name),
        "level": level(finding.rule),
        "message": { "text": on_lines(&text) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": uri(file) }, "region": region.clone() },
        }],
    });
    if let Some(fix) = &finding.fix {
        result["fixes"] = json!([{
            "description": { "text": format!("write `{}`", fix.to) },
            "artifactChanges": [{
                "artifactLocation": { "uri": uri(file) },
                "replacements": [{ "deletedRegion": region, "insertedContent": { "text": fix.to } }],
            }],
        }]);
    }
    result
}

fn notification(file: &Unreadable) -> Value {
    json!({
        "level": "error",
        "message": { "text": file.error.to_string() },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&file.name) } } }],
    })
}

/// The name of a file as a URI reference: whatever cannot stand in one is percent-encoded.
fn uri(file: &str) -> String {
    let mut uri = String::from(if file.starts_with('/') { "file://" } else { "" });
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_a_uri() {
        assert_eq!(uri("scripts/a b.rhai"), "scripts/a%20b.rhai");
        assert_eq!(uri("/srv/ü.rhai"), "file:///srv/%C3%BC.rhai");
    }
}
