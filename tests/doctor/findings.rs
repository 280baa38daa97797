//! Every finding, from `findings.json`: a scenario that shows it, and one near to it that does not.

use super::{doctor, found};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The name of the finding, its severity, and whom it is about.
    pub(super) check: String,
    severity: String,
    node: String,
    /// The alert rule that fires for the same cause; none if it is empty.
    #[serde(default)]
    alert: String,
    /// What its words have in them.
    says: Vec<String>,
    #[serde(default)]
    pub(super) options: Vec<String>,
    /// What is changed in the sample so that it is found.
    pub(super) with: Json,
    /// What is changed so that it is not.
    without: Json,
}

/// Findings that no scenario of the simulator shows: `live.rs` shows them.
const LIVE_ONLY: [&str; 2] = ["no_time", "unknown"];

pub(super) fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("findings.json")).unwrap()
}

pub(super) fn look(changes: &Json, options: &[String]) -> (i32, Vec<Json>) {
    let shell = options.iter().fold(doctor(changes).arg("--output=json"), |shell, option| shell.arg(option));
    let ran = shell.go();
    (ran.code, found(&ran))
}

/// The exit code that belongs to `findings`.
fn code(findings: &[Json]) -> i32 {
    let worst = findings.iter().map(|finding| if finding["severity"] == "critical" { 2 } else { 1 });
    worst.max().unwrap_or(0)
}

#[test]
fn every_finding_is_made_where_it_is_due() {
    for Case { check, severity, node, alert, says, options, with, .. } in cases() {
        let (exit, findings) = look(&with, &options);
        let one = findings.iter().find(|one| one["check"] == *check && one["node"] == *node);
        let one = one.unwrap_or_else(|| panic!("no {check} of {node} with {with}: {findings:#?}"));
        assert_eq!(one["severity"], *severity, "{check} with {with}: {one:#}");
        assert_eq!(one["alert"], *alert, "{check} with {with}: {one:#}");
        let text = ["what", "otherwise", "remedy"].map(|field| one[field].as_str().unwrap()).join("\n");
        for part in says {
            assert!(text.contains(&part), "{check} with {with} does not say `{part}`:\n{text}");
        }
        assert_eq!(exit, code(&findings), "{check}: {findings:#?}");
    }
}

#[test]
fn no_finding_is_made_where_it_is_not_due() {
    for Case { check, options, without, .. } in cases() {
        let (exit, findings) = look(&without, &options);
        let one = findings.iter().find(|one| one["check"] == *check);
        assert!(one.is_none(), "{check} without reason, with {without}: {one:#?}");
        assert_eq!(exit, code(&findings), "{check}: {findings:#?}");
    }
}

#[test]
fn a_cluster_in_which_all_is_well_has_no_findings() {
    for observe in ["0", "10s", "60s", "1h"] {
        let (exit, findings) = look(&serde_json::json!({}), &[format!("--observe={observe}")]);
        assert_eq!((exit, findings), (0, vec![]), "{observe}");
    }
}

/// The names of the findings that the library can make.
fn checks() -> BTreeSet<String> {
    let modules = binlogsh::language::stdlib().filter(|(module, _)| module.starts_with("doctor/"));
    let text: String = modules.map(|(_, text)| text).collect();
    let makers = ["findings::critical(\"", "findings::warning(\""];
    let named = makers.iter().flat_map(|maker| text.split(maker).skip(1));
    named.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The alert rules of TiDB's monitoring for Pumps, Drainers and what TiDB writes to them: those of `binlog.rules.yml`, those over
/// probes of their ports, and the last one of `tidb.rules.yml`.
const ALERTS: [&str; 10] = [
    "binlog_pump_storage_error_count",
    "binlog_drainer_checkpoint_high_delay",
    "binlog_pump_write_binlog_rpc_duration_seconds_bucket",
    "binlog_pump_storage_write_binlog_duration_time_bucket",
    "binlog_pump_storage_available_size_less_than_20G",
    "binlog_drainer_execute_duration_time_more_than_10s",
    "binlog_drainer_checkpoint_tso_no_change_for_1m",
    "Pump_server_is_down",
    "Drainer_server_is_down",
    "TiDB_binlog_error_total",
];

#[test]
fn every_alert_that_operators_know_is_in_the_documentation_and_findings_name_no_other() {
    let documented = include_str!("../../docs/doctor.md");
    for alert in ALERTS {
        assert!(documented.contains(&format!("| `{alert}` |")), "{alert} is not in docs/doctor.md");
    }
    for Case { check, alert, .. } in cases() {
        assert!(alert.is_empty() || ALERTS.contains(&alert.as_str()), "{check}: {alert}");
        let row =
            documented.lines().find(|line| alert.is_empty() || line.starts_with(&format!("| `{alert}` |"))).unwrap();
        assert!(alert.is_empty() || row.contains(&format!("`{check}`")), "{check} does not stand beside {alert}");
    }
}

#[test]
fn every_finding_has_scenarios_and_a_line_in_the_documentation() {
    let cases: BTreeSet<String> = cases().into_iter().map(|case| case.check).collect();
    let documented = include_str!("../../docs/doctor.md");
    for check in checks() {
        assert!(cases.contains(&check) || LIVE_ONLY.contains(&check.as_str()), "{check} has no scenario");
        assert!(documented.contains(&format!("| `{check}` |")), "{check} is not in docs/doctor.md");
    }
    assert!(cases.is_subset(&checks()), "{cases:?}");
}
