//! The report: one page that holds everything, in which nothing from outside is more than text.

use crate::harness::{Ran, Shell, project};
use binlogsh::error::ErrorKind;
use std::path::Path;

fn shipped() -> String {
    std::fs::read_to_string(project("scripts/rolling_restart.rhai")).unwrap()
}

/// The shipped script without its waits: it does harm.
fn broken() -> String {
    let text = shipped();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("wait until it is back")).collect();
    kept.join("\n").replace("pause_pump(id, #{ wait: timeout })", "pause_pump(id)").replace("starts: [id], ", "")
}

fn rehearsal(script: &str, args: &[&str]) -> Shell {
    let mut shell = Shell::sandbox("default").arg("rehearse").file("script.rhai", script).arg("script.rhai");
    for arg in args {
        shell = shell.arg(*arg);
    }
    shell.arg("--report").arg("report.html")
}

fn page(ran: &Ran) -> String {
    std::fs::read_to_string(ran.dir().join("report.html")).unwrap()
}

/// The tags of a page in their order, without what stands in attributes; texts in which `<` begins no tag do not exist
/// in it, since they are escaped.
fn tags(page: &str) -> Vec<&str> {
    let after_style = page.split_once("</style>").unwrap();
    let parts = [after_style.0.split_once("<style>").unwrap().0, after_style.1];
    parts.iter().flat_map(|part| part.split('<').skip(1)).map(|tag| tag.split_once('>').unwrap().0).collect()
}

/// Every tag that is opened is closed, in the right order.
#[track_caller]
fn is_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(page) {
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || ["meta", "br"].contains(&name) {
            continue;
        }
        match tag.starts_with('/') {
            true => assert_eq!(open.pop(), Some(name), "closes </{name}>"),
            false => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "left open");
}

#[test]
fn a_report_shows_every_node_and_every_step() {
    let ran = rehearsal(&shipped(), &[]).go().succeeds();
    let page = page(&ran);
    is_balanced(&page);
    let pumps = ["pump-0", "pump-1", "pump-2"];
    for node in pumps.iter().chain(&["drainer-0", "drainer-1"]) {
        assert!(page.contains(&format!(">{node}</text>")), "{node} has no track");
    }
    for pump in pumps {
        for step in ["look", "pause", "replace and start", "wait until it is back"] {
            assert!(page.contains(&format!("<td>{pump}: {step}</td>")), "{pump}: {step}");
        }
    }
    for words in ["7301234567890123456", "check that all are online", "Lag of the Drainers", "virtual time"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_report_marks_the_lines_that_acted_with_what_they_did() {
    let ran = rehearsal(&shipped(), &[]).go().succeeds();
    let page = page(&ran);
    let acted: Vec<&str> =
        page.split("<li class=\"acted\">").skip(1).map(|line| line.split("</li>").next().unwrap()).collect();
    assert_eq!(acted.len(), 2, "{acted:?}");
    assert!(acted[0].contains("pause_pump(id") && acted[0].contains("pause pump-0: apply action pause success!"));
    assert!(acted[1].contains("manual("), "{}", acted[1]);
}

#[test]
fn a_report_tells_what_futures_came_to_and_the_shortest_stories() {
    let ran = rehearsal(&broken(), &["--futures", "60"]).go().exits(9);
    let page = page(&ran);
    is_balanced(&page);
    for words in ["60 futures", "two_down", "by the script", "median", "Event by event", "kinds of faults"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_report_fetches_nothing_and_needs_no_script() {
    let ran = rehearsal(&broken(), &["--futures", "40"]).go();
    let page = page(&ran);
    for tag in tags(&page) {
        let name = tag.split([' ', '\n', '/']).next().unwrap();
        let fetches = ["script", "link", "img", "image", "iframe", "object", "embed", "use", "base"];
        assert!(!fetches.contains(&name), "<{tag}>");
        assert!(!tag.contains(" src=") && !tag.contains(" on"), "<{tag}>");
        if let Some((_, target)) = tag.split_once("href=\"") {
            assert!(target.starts_with('#'), "<{tag}>");
        }
    }
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!style.contains("@import") && !style.replace("url(#", "").contains("url("), "the style fetches");
}

#[test]
fn whatever_comes_from_outside_is_text() {
    let evil = r#"<script>alert("1")</script>"#;
    // An id has no slash.
    let id = r#"<img onerror="1">&amp;"#;
    let cluster = serde_json::json!({
        "version": 1, "about": evil,
        "pumps": [{"id": id, "address": "10.0.0.1:8250"}, {"id": "pump-b", "address": "10.0.0.2:8250"}],
        "drainers": [{"id": "<b>drainer", "address": "10.0.0.3:8249"}],
    });
    let script = format!("// {evil}\nstep(`{evil}`, || pause_pump(`{id}`));\nprint(`{evil}`);\nfail(`{evil}`);\n");
    let shell = Shell::new(&["--sandbox", "evil.json", "rehearse", "script.rhai", "--report", "report.html"]);
    let ran = shell.file("evil.json", &cluster.to_string()).file("script.rhai", &script).go().exits(1);
    let page = page(&ran);
    is_balanced(&page);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>drainer"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 6);
    assert!(page.contains("&lt;img onerror="));
}

#[test]
fn the_same_rehearsal_gives_the_same_report() {
    let write = || page(&rehearsal(&broken(), &["--futures", "40", "--jobs", "2"]).go());
    assert_eq!(write(), write());
}

#[test]
fn a_report_of_a_cluster_without_nodes_says_so() {
    let shell = Shell::new(&["--sandbox=empty", "rehearse", "script.rhai", "--report", "report.html"]);
    let ran = shell.file("script.rhai", "print(1);").go().succeeds();
    let page = page(&ran);
    is_balanced(&page);
    assert!(page.contains("0 Pumps, 0 Drainers") && page.contains("There is no Drainer."));
}

#[test]
fn nodes_that_stay_as_they_are_are_folded_and_pages_stay_small() {
    let node = |kind: &str, at: usize| serde_json::json!({"id": format!("{kind}-{at}"), "address": format!("10.0.{}.{}:8250", kind.len(), at)});
    let pumps: Vec<_> = (0..200).map(|at| node("pump", at)).collect();
    let drainers: Vec<_> = (0..50).map(|at| node("drainer", at)).collect();
    let cluster = serde_json::json!({"version": 1, "pumps": pumps, "drainers": drainers});
    let shell = Shell::new(&["--sandbox", "large.json", "rehearse", "script.rhai", "--report", "report.html"]);
    let script = r#"step("one", || pause_pump("pump-7"));"#;
    let ran = shell.file("large.json", &cluster.to_string()).file("script.rhai", script).go().succeeds();
    let page = page(&ran);
    is_balanced(&page);
    assert!(page.contains("249 nodes that stayed as they were") && page.contains(">pump-7</text>"));
    assert!(!page.contains(">pump-8</text>") && page.contains("pump-8, "));
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
}

#[test]
fn a_missing_directory_is_found_before_the_work() {
    let shell = Shell::sandbox("default").file("script.rhai", r#"print("was rehearsed");"#);
    let ran = shell.arg("rehearse").arg("script.rhai").arg("--report").arg("nowhere/report.html").go();
    let ran = ran.fails(ErrorKind::Local).stderr_contains("cannot write the report nowhere/report.html").stdout("");
    assert!(!Path::new(ran.dir()).join("nowhere").exists());
}

#[test]
fn a_report_replaces_what_was_there_only_as_a_whole() {
    let shell = rehearsal("print(1);", &[]).file("report.html", "old");
    let ran = shell.go().succeeds();
    assert!(page(&ran).starts_with("<!DOCTYPE html>"));
    let shell = rehearsal("this is no script", &[]).file("report.html", "old");
    let ran = shell.go().exits(2);
    assert_eq!(page(&ran), "old");
}
