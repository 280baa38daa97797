//! Looks at reports in Debian's chromium, at 1280 and 390 pixels, light and dark: nothing overflows, no word is cut or
//! covers another, all labels are there, and words stand out from what is behind them. Run by `make test-browser`.
//!
//! The pictures and pages stay in `target/browser/`, to be looked at.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and needs files and processes to look from outside"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The widths that are looked at: a desk, a phone.
const WIDTHS: [u32; 2] = [1280, 390];
/// The height of a picture.
const HEIGHT: u32 = 6_000;

/// A rehearsal to look at: its name, its script, its further arguments, and words that its report has.
struct Sight {
    name: &'static str,
    script: String,
    args: Vec<String>,
    labels: Vec<&'static str>,
}

fn shipped() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/rolling_restart.rhai")).unwrap()
}

/// The shipped script without its waits: it does harm.
fn broken() -> String {
    let lines = shipped();
    let kept: Vec<&str> = lines.lines().filter(|line| !line.contains("wait until it is back")).collect();
    kept.join("\n").replace("pause_pump(id, #{ wait: timeout })", "pause_pump(id)")
}

/// A cluster of so many nodes, with ids of a length that exists.
fn cluster(pumps: usize, drainers: usize) -> String {
    let node = |kind: &str, at: usize, net: u8, port: u16| {
        let address = format!("10.{net}.{}.{}:{port}", at / 200, at % 200 + 1);
        serde_json::json!({"id": format!("tidb-cluster-production-{kind}-{at}.example:{port}"), "address": address})
    };
    let pumps: Vec<_> = (0..pumps).map(|at| node("pump", at, 1, 8250)).collect();
    let drainers: Vec<_> = (0..drainers).map(|at| node("drainer", at, 2, 8249)).collect();
    serde_json::json!({"version": 1, "pumps": pumps, "drainers": drainers}).to_string()
}

fn sights(dir: &Path) -> Vec<Sight> {
    let sandbox = |name: &str, pumps, drainers| {
        let file = dir.join(format!("{name}.json"));
        fs::write(&file, cluster(pumps, drainers)).unwrap();
        format!("--sandbox={}", file.display())
    };
    let words =
        vec!["pump-0", "pump-1", "pump-2", "drainer-0", "drainer-1", "pump-0: pause", "acts", "process", "record"];
    let long_wait = r#"step("look", || pumps()); step("wait for a person", || sleep("4h")); step("pause", || pause_pump("pump-1"));
        step("wait again", || sleep("40s")); exit(3)"#;
    let everything = broken() + "\n// <script>alert(1)</script> " + &"a long line ".repeat(40);
    let future = |count: &str| vec!["--sandbox".to_owned(), "--futures".to_owned(), count.to_owned()];
    let sight = |name, script: &str, args: Vec<String>, labels: &[&'static str]| Sight {
        name,
        script: script.to_owned(),
        args,
        labels: labels.to_vec(),
    };
    vec![
        sight("base", &shipped(), vec!["--sandbox".into()], &words),
        sight("futures", &shipped(), future("200"), &words),
        sight("broken", &everything, future("300"), &["two_down", "harm", "<script>alert(1)</script>"]),
        sight("long", long_wait, vec!["--sandbox".into()], &["wait for a person", "4h00m", "exit 3"]),
        sight(
            "large",
            &shipped(),
            vec![sandbox("large", 60, 30)],
            &["60 Pumps", "36 more nodes that changed", "pump-59"],
        ),
        sight("no_nodes", "step(\"nothing\", || ());", vec![sandbox("none", 0, 0)], &["0 Pumps", "no Drainer"]),
    ]
}

/// Rehearses, and returns where the report is.
fn report(sight: &Sight, dir: &Path) -> PathBuf {
    let script = format!("{}.rhai", sight.name);
    let page = dir.join(format!("{}.html", sight.name));
    fs::write(dir.join(&script), &sight.script).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_binlogsh"));
    program.current_dir(dir).env_clear().env("HOME", dir).env("TZ", "UTC");
    program.arg("rehearse").arg(script).args(&sight.args).arg("--report").arg(&page);
    let ran = program.output().unwrap();
    assert!(page.is_file(), "{}: {}", sight.name, String::from_utf8_lossy(&ran.stderr));
    page
}

/// A page that shows the report in a frame of each width. A window is never as narrow as a phone; a frame is.
fn wrapper(page: &Path, widths: &[u32], script: &str) -> String {
    let frames = widths.iter().map(|width| {
        let style = format!("border:0;display:block;width:{width}px;height:{HEIGHT}px");
        format!("<iframe data-width=\"{width}\" style=\"{style}\" src=\"{}\"></iframe>", page.display())
    });
    format!("<!doctype html><body style=\"margin:0\">{}<script>{script}</script>", frames.collect::<String>())
}

fn chromium(dark: bool, width: u32, args: &[String]) -> Output {
    let mut browser = Command::new("timeout");
    browser.args(["120", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
    browser.arg("--allow-file-access-from-files").arg(format!("--window-size={width},{HEIGHT}"));
    browser.arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }));
    browser.args(args).output().unwrap()
}

/// What is wrong with a report, a line each.
fn problems(sight: &Sight, page: &Path, dark: bool) -> Vec<String> {
    let labels = serde_json::to_string(&sight.labels).unwrap().replace('<', "\\u003c");
    let script = format!("const DARK = {dark}; const LABELS = {labels};\n{}", include_str!("check.js"));
    let around = page.with_extension("check.html");
    fs::write(&around, wrapper(page, &WIDTHS, &script)).unwrap();
    let ran = chromium(dark, WIDTHS[0], &["--dump-dom".into(), format!("file://{}", around.display())]);
    let dom = String::from_utf8_lossy(&ran.stdout).into_owned();
    let found = dom.split_once("<pre id=\"problems\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    match found {
        Some(("none", _)) => Vec::new(),
        Some((problems, _)) => problems.lines().map(|line| format!("{} {line}", sight.name)).collect(),
        None => vec![format!("{}: no answer: {dom} {}", sight.name, String::from_utf8_lossy(&ran.stderr))],
    }
}

/// A picture of the report, to be looked at.
fn picture(sight: &Sight, page: &Path, dark: bool, width: u32) {
    let around = page.with_extension("picture.html");
    fs::write(&around, wrapper(page, &[width], "")).unwrap();
    let scheme = if dark { "dark" } else { "light" };
    let file = page.with_file_name(format!("{}-{width}-{scheme}.png", sight.name));
    let args = [format!("--screenshot={}", file.display()), format!("file://{}", around.display())];
    let ran = chromium(dark, width.max(520), &args);
    assert!(file.is_file(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn reports_are_readable_on_desks_and_phones_in_the_light_and_in_the_dark() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser");
    fs::create_dir_all(&dir).unwrap();
    let mut found = Vec::new();
    for sight in sights(&dir) {
        let page = report(&sight, &dir);
        for dark in [false, true] {
            found.extend(problems(&sight, &page, dark));
            WIDTHS.iter().for_each(|width| picture(&sight, &page, dark, *width));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
