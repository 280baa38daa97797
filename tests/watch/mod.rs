//! The live view: what is on the screen, and what its keys do.

mod live;
mod terminal;

use crate::harness::screen::{Screen, key};
use crate::harness::{Shell, project};
use crate::support::{eventually, processor_time};
use insta::assert_snapshot;
use std::time::Duration;

/// One frame as text, on a screen of so many columns.
fn frame(sample: &str, columns: usize) -> String {
    let shell = Shell::sandbox(sample).env("COLUMNS", &columns.to_string()).arg("watch").arg("--once");
    let text = shell.go().succeeds().stdout;
    let wide = text.lines().find(|line| line.chars().count() > columns);
    assert_eq!(wide, None, "wider than {columns}: {text}");
    without_tenths(&text)
}

/// Real time passes in a sandbox: what is told in tenths of a second is told by signs.
fn without_tenths(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_tenths = |at: usize| {
        let part = letters.get(at..at + 4).unwrap_or_default();
        matches!(part, [whole, '.', tenth, 's'] if whole.is_ascii_digit() && tenth.is_ascii_digit())
    };
    let shown = |(at, letter): (usize, &char)| match is_tenths(at) || at >= 2 && is_tenths(at - 2) {
        true => '#',
        false => *letter,
    };
    letters.iter().enumerate().map(shown).collect()
}

/// The view of the sandbox `sample`.
fn view(sample: &str, columns: u16, rows: u16) -> Screen {
    let mut screen = Screen::open(Shell::sandbox(sample).arg("watch"), columns, rows);
    screen.shows("? help");
    screen
}

#[test]
fn readme_and_guide_show_a_frame_as_it_is() {
    let text = frame("closing-pump", 100);
    for page in ["README.md", "docs/guide.md"] {
        let page = std::fs::read_to_string(project(page)).unwrap();
        assert!(without_tenths(&page).contains(&format!("{text}```")), "this is to stand there:\n{text}");
    }
}

#[test]
fn a_frame_on_a_wide_screen() {
    assert_snapshot!(frame("closing-pump", 120), @"
    sandbox closing-pump  3 Pumps, 2 Drainers, 1 odd  2026-11-22 12:00:00 UTC
    maintenance lock: free
    node       kind     record    probe         lag    beat  gc in  disk left  odd
    pump-0     pump     online    online       #.#s    #.#s           400 GiB
    pump-1     pump     online    closing ~  10m02s  10m02s           400 GiB  ! it is closing, and its record says online;…
    pump-2     pump     online    online       #.#s    #.#s           400 GiB
    drainer-0  drainer  paused ~  refused     2h00m   2h00m  6d22h
    drainer-1  drainer  online    online       #.#s    #.#s  7d00h
    odd
    pump-1: it is closing, and its record says online; no heartbeat for 10m02s: probe it; 10m02s behind
    positions of Drainers in each Pump, behind when asked
    drainer-1: pump-1 #.#s, pump-0 #.#s, pump-2 #.#s
    pump-1 closes: drainer-0 has 1h49m to read
    ");
    assert_snapshot!(frame("closing-pump", 80), @"
    sandbox closing-pump  3 Pumps, 2 Drainers, 1 odd  2026-11-22 12:00:00 UTC
    maintenance lock: free
    node       record    probe         lag    beat  odd
    pump-0     online    online       #.#s    #.#s
    pump-1     online    closing ~  10m02s  10m02s  ! it is closing, and its record…
    pump-2     online    online       #.#s    #.#s
    drainer-0  paused ~  refused     2h00m   2h00m
    drainer-1  online    online       #.#s    #.#s
    odd
    pump-1: it is closing, and its record says online; no heartbeat for 10m02s:
      probe it; 10m02s behind
    positions of Drainers in each Pump, behind when asked
    drainer-1: pump-1 #.#s, pump-0 #.#s, pump-2 #.#s
    pump-1 closes: drainer-0 has 1h49m to read
    ");
}

#[test]
fn a_frame_on_a_narrow_screen() {
    assert_snapshot!(frame("closing-pump", 60), @"
    sandbox closing-pump  3 Pumps, 2 Drainers, 1 odd
    maintenance lock: free
    node       record    probe         lag    beat  gc in
    pump-0     online    online       #.#s    #.#s
    pump-1     online    closing ~  10m02s  10m02s
    pump-2     online    online       #.#s    #.#s
    drainer-0  paused ~  refused     2h00m   2h00m  6d22h
    drainer-1  online    online       #.#s    #.#s  7d00h
    odd
    pump-1: it is closing, and its record says online; no
      heartbeat for 10m02s: probe it; 10m02s behind
    positions of Drainers in each Pump, behind when asked
    drainer-1: pump-1 #.#s, pump-0 #.#s, pump-2 #.#s
    pump-1 closes: drainer-0 has 1h49m to read
    ");
    assert_snapshot!(frame("closing-pump", 40), @"
    sandbox closing-pump
    maintenance lock: free
    node       record    probe         lag
    pump-0     online    online       #.#s
    pump-1     online    closing ~  10m02s
    pump-2     online    online       #.#s
    drainer-0  paused ~  refused     2h00m
    drainer-1  online    online       #.#s
    odd
    pump-1: it is closing, and its record
      says online; no heartbeat for 10m02s:
      probe it; 10m02s behind
    positions of Drainers in each Pump, beh…
    drainer-1: pump-1 #.#s and 2 more
    pump-1 closes: drainer-0 has 1h49m to r…
    ");
}

#[test]
fn a_frame_shows_what_breaks_the_readers_of_the_cluster() {
    let text = frame("malformed-record", 120);
    assert!(text.contains("no record: /tidb-binlog/v1/"), "{text}");
    assert!(frame("empty", 80).contains("no Pump and no Drainer has a record"));
}

#[test]
fn nothing_is_shown_for_programs_and_nobody_there_is_an_error() {
    Shell::sandbox("default").arg("-o").arg("json").arg("watch").arg("--once").go().exits(2).stderr_contains("nodes()");
    let nobody = Shell::new(&["--pd-urls=http://127.0.0.1:1"]).arg("watch").arg("--once").go();
    nobody.exits(4).stderr_contains("127.0.0.1:1");
    Shell::sandbox("default").arg("watch").go().exits(2).stderr_contains("needs a terminal").stderr_contains("--once");
}

#[test]
fn the_view_fits_every_screen() {
    for (columns, rows) in [(200, 50), (120, 30), (80, 24), (60, 20), (40, 12), (20, 6)] {
        let mut screen = Screen::open(Shell::sandbox("closing-pump").arg("watch"), columns, rows);
        let text = screen.until(|text| text.contains("node") && text.contains("q quit"));
        assert!(text.contains("pump-0") && text.lines().count() <= usize::from(rows), "{text}");
        screen.keys("q");
        assert_eq!(screen.code(), 0);
    }
}

#[test]
fn keys_choose_filter_and_show() {
    let mut screen = view("closing-pump", 100, 30);
    screen.shows("pump-1 closes: drainer-0");
    screen.keys("/drainer").shows("/drainer_").until(|text| !text.contains("pump-2   "));
    screen.keys(key::ENTER).shows("/drainer  (Esc shows all)").keys("\x1b").shows("pump-2   ");
    screen.keys("g").keys(key::DOWN).shows("pump-1 at 10.0.1.12:8250");
    screen.keys(key::ENTER).shows("context canceled").shows("binlog_pump_storage_gc_ts");
    screen.keys("q").shows("positions of Drainers");
    screen.keys("d").shows("is closing and waits for drainer-0").shows("impact");
    screen.keys("q").shows("positions of Drainers").keys("?").shows("choose a node");
    screen.keys("q").shows("positions of Drainers").keys("p").shows("pump-1 was asked less than 10s ago");
    screen.keys("G").shows("drainer-1 at ").keys("g").shows("pump-0 at ");
    screen.resize(40, 20).until(|text| text.contains("pump-0") && !text.contains("last 5m"));
    screen.keys(key::CTRL_C);
    assert_eq!(screen.code(), 0);
}

#[test]
fn a_key_that_comes_together_with_another_size_is_heard() {
    for _ in 0..3 {
        let shell = Shell::sandbox("default").arg("watch").arg("--interval=200ms");
        let mut screen = Screen::open(shell.arg("for i in 0..12_000_000 { } `value ${40 + 2}`"), 100, 30);
        screen.shows("value 42");
        // While the value is worked out nobody looks what came.
        let before = processor_time(screen.pid());
        assert!(eventually(Duration::from_secs(20), || processor_time(screen.pid()) > before + 15));
        screen.resize(80, 20).keys("q");
        assert_eq!(screen.code(), 0);
    }
}

#[test]
fn a_key_that_has_only_begun_holds_nothing_up() {
    let mut screen = view("default", 100, 24);
    // Alt-[, with which an arrow begins.
    screen.keys("\x1b[");
    let second = screen.text().lines().next().unwrap().to_owned();
    screen.until(|text| text.lines().next().unwrap() != second);
    let pid = rustix::process::Pid::from_raw(screen.pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(screen.code(), 143);
}

#[test]
fn the_time_of_a_sandbox_can_run_faster() {
    let mut screen = view("default", 100, 24);
    screen.keys("fff").shows("time x600");
    screen.until(|text| text.contains(" 12:2") || text.contains(" 12:3"));
    screen.keys("q");
    assert_eq!(screen.code(), 0);
}

#[test]
fn a_call_is_taken_along_to_the_prompt() {
    let mut screen = view("default", 100, 24);
    screen.keys(key::DOWN).shows("pump-1 at ").keys("a").shows("about pump-1").shows("pause_pump(\"pump-1\")");
    screen.keys(key::DOWN).keys(key::ENTER).ends("sandbox> offline_pump(\"pump-1\")");
    screen.keys(key::CTRL_C).ends("sandbox>").keys(key::CTRL_D);
    assert_eq!(screen.code(), 0);
}

#[test]
fn the_prompt_s_view_is_of_the_same_sandbox_and_leads_back() {
    let mut screen = Screen::sandbox("default");
    screen.keys("kill(\"pump-2\"); let mine = 7;\r").shows("let mine = 7;\nsandbox>");
    screen.keys(".watch\r").shows("refused !").shows("? help");
    screen.keys("a").shows("about pump-0").keys(key::ENTER).ends("sandbox> pause_pump(\"pump-0\")");
    screen.keys(key::CTRL_C).ends("sandbox>").keys("mine\r").shows("\n7\n");
    screen.keys(".watch pumps().len()\r").shows("UTC  pumps().len()").shows("\n3");
    screen.keys("q").ends("sandbox>");
}

#[test]
fn an_expression_is_evaluated_again_and_its_mistakes_are_told() {
    let shell = || Shell::sandbox("default").arg("watch");
    shell().arg("--once").arg("pump(\"pump-1\").state").go().succeeds().stdout("online");
    let broken = Shell::sandbox("malformed-record").arg("watch").arg("--once").arg("pumps().len()").go().succeeds();
    broken.stdout_contains("warning: the key ");
    shell().arg("--once").arg("pmups()").go().exits(2).stderr_contains("pumps");
    shell().arg("--once").arg("pause_pump(\"pump-1\")").go().exits(3).stderr_contains("read-only");
    let screen = Screen::open(shell().arg("--interval=1s").arg("now()"), 80, 10);
    let first = screen.until(|text| text.contains("UTC  now()") && text.lines().count() > 1);
    screen.until(|text| text != first && text.contains("now()"));
}
