//! The prompt as people see it: keys, and what is on the screen afterwards.

use crate::harness::screen::{Screen, key};
use crate::harness::{Shell, project};
use crate::support::cluster::LiveCluster;
use crate::support::eventually;
use binlogsh::node::Kind;
use binlogsh::world::LOCK_KEY;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};
use vt100::Color;

const HISTORY: &str = ".local/state/binlogsh/history";

fn paste(text: &str) -> String {
    format!("\x1b[200~{}\x1b[201~", text.replace('\n', "\r"))
}

#[test]
fn an_entry_of_several_lines_is_edited_as_one() {
    for (columns, rows) in [(120, 30), (80, 24), (40, 24)] {
        let mut screen = Screen::open(Shell::sandbox("default"), columns, rows);
        screen
            .ends("sandbox>")
            .keys("if true {\r  1000\r}")
            .ends("}")
            .keys(key::ENTER)
            .shows("\n1000\n")
            .ends("sandbox>");
        // The whole entry comes back; the arrow key walks inside it, and Enter in its middle adds a line.
        screen.keys(key::UP).ends("}").keys(key::UP).keys(key::END).keys(" + 1\r  ; 7");
        screen.until(|text| text.ends_with("sandbox> if true {\n  1000 + 1\n  ; 7\n}"));
        screen.keys(key::CTRL_C).ends("sandbox>");
    }
}

#[test]
fn wide_letters_and_long_lines_are_drawn_right_and_again_after_a_resize() {
    let mut screen = Screen::open(Shell::sandbox("default"), 40, 12);
    screen.ends("sandbox>").keys("let text = \"漢字漢字漢字漢字漢字漢字漢字\";");
    screen.until(|text| text.replace('\n', "").ends_with("sandbox> let text = \"漢字漢字漢字漢字漢字漢字漢字\";"));
    screen.keys(key::LEFT).keys(key::LEFT).keys("!").shows("字!\";").resize(200, 12);
    screen.until(|text| text.lines().last() == Some("sandbox> let text = \"漢字漢字漢字漢字漢字漢字漢字!\";"));
    screen.cursor_comes_to("sandbox> let text = \"".len() + 14 * 2 + 1);
    screen.keys(key::ENTER).ends("sandbox>").keys("text.len()\r").shows("\n15\n");
}

#[test]
fn an_entry_taller_than_the_screen_leaves_no_garbage() {
    let mut screen = Screen::open(Shell::sandbox("default"), 60, 10);
    let lines: Vec<String> = (1..=30).map(|n| format!("  let line_{n} = {n};")).collect();
    screen.ends("sandbox>").keys(&paste(&format!("{{\n{}\n  777\n}}", lines.join("\n"))));
    let shown = screen.until(|text| text.ends_with("  777\n}"));
    assert_eq!(shown.lines().count(), 10, "{shown}");
    assert!(shown.starts_with("  let line_23"), "{shown}");
    // To its top and down again.
    for _ in 0..40 {
        screen.keys("\x1b[A");
    }
    let top = screen.until(|text| text.starts_with("sandbox> {\n"));
    assert_eq!(top.matches("line_1 ").count(), 1, "{top}");
    screen.keys("\x1b[1;5F").keys("\x05");
    screen.keys(key::CTRL_C).ends("sandbox>");
    screen.keys("1 + 1\r").shows("\n2\n");
}

#[test]
fn a_paste_of_a_thousand_lines_is_one_entry() {
    let mut screen = Screen::sandbox("default");
    let lines: String = (0..1000).map(|n| format!("  x += {n};\n")).collect();
    screen.keys(&paste(&format!("let x = 0; {{\n{lines}}}; x"))).ends("}; x").keys(key::ENTER).shows("\n499500\n");
    // Without the brackets around it, too.
    let raw = format!("{{\r{}  888\r}}\r", "  let y = 1;\r".repeat(60));
    screen.keys(&raw).shows("\n888\n").ends("sandbox>");
}

#[test]
fn control_c_keeps_what_was_typed_in_reach_and_control_d_leaves_no_session_by_accident() {
    let mut screen = Screen::sandbox("default");
    screen
        .keys("pumps().map(")
        .ends("sandbox> pumps().map(")
        .keys(key::CTRL_C)
        .ends("sandbox>")
        .keys(key::UP)
        .ends("sandbox> pumps().map(");
    screen.keys(key::CTRL_C).ends("sandbox>").keys("step(\"x\", || {\r  1").shows("  1   step(name").keys(key::CTRL_D);
    screen
        .ends("sandbox>")
        .keys("1 + 1")
        .keys(key::CTRL_D)
        .keys("0")
        .ends("sandbox> 1 + 10")
        .keys("\r")
        .shows("\n11\n")
        .ends("sandbox>");
    screen.keys(key::CTRL_D);
    assert_eq!(screen.code(), 0);
    // What was cancelled is in no file.
    let history = std::fs::read_to_string(screen.shell.dir().join(HISTORY)).unwrap();
    assert!(history.contains("1 + 10") && !history.contains("map("), "{history}");
}

#[test]
fn a_stop_at_a_question_ends_the_line_and_not_the_prompt() {
    let mut screen = Screen::sandbox("default");
    screen.keys("pause_pump(\"pump-1\")\r").shows("[y/N/d/q/?]").keys(key::CTRL_C);
    screen.shows("what was asked about was not done").ends("sandbox>");
    screen.keys("pump(\"pump-1\").state\r").shows("\nonline\n");
    // A loop that was stopped a moment ago has nothing to do with the next question.
    screen.keys("print(\"in\" + \"side\"); loop { }\r").shows("\ninside").keys(key::CTRL_C);
    screen.shows("error[interrupted]: stopped by Ctrl-C").ends("sandbox>");
    screen.keys("pause_pump(\"pump-1\")\r").until(|text| text.trim_end().ends_with("[y/N/d/q/?]"));
    screen.keys(key::CTRL_C).ends("sandbox>").keys("40 + 2\r").shows("\n42\n");
}

#[test]
fn what_was_typed_before_a_question_is_no_answer() {
    let mut screen = Screen::sandbox("default");
    screen
        .keys("print(\"sl\" + \"ow\"); for i in 0..20000000 { } pause_pump(\"pump-1\")\r")
        .shows("\nslow")
        .keys("y\r");
    screen
        .shows("(what was typed before this question is dropped)")
        .until(|text| text.trim_end().ends_with("[y/N/d/q/?]"));
    screen.keys("n\r").shows("you said no").ends("sandbox>");
}

#[test]
fn completion_knows_what_a_place_takes() {
    let mut screen = Screen::sandbox("default");
    // Before anything was listed: the nodes come by themselves.
    screen.keys("pause_drainer(\"dr").keys(key::TAB).shows("sandbox> pause_drainer(\"drainer-").keys(key::TAB);
    screen.shows("drainer-0  drainer-1").keys("1").keys(key::TAB).shows("pause_drainer(\"drainer-1\"");
    screen.keys(", #{ w").keys(key::TAB).shows("#{ wait: ").keys("\"5").keys(key::TAB).shows("wait: \"5m\"");
    screen
        .keys(key::CTRL_C)
        .ends("sandbox>")
        .keys("pumps().filter(|p| p.heart")
        .keys(key::TAB)
        .shows("p.heartbeat_age");
    screen
        .keys(key::CTRL_C)
        .ends("sandbox>")
        .keys("let m = #{ first: 1 };\r")
        .ends("sandbox>")
        .keys("m.fi")
        .keys(key::TAB);
    screen
        .shows("sandbox> m.first")
        .keys(key::CTRL_C)
        .ends("sandbox>")
        .keys(".ou")
        .keys(key::TAB)
        .keys(" js")
        .keys(key::TAB);
    screen.shows("sandbox> .output json").keys(key::CTRL_C).ends("sandbox>").keys(".run rolling").keys(key::TAB);
    screen.shows("sandbox> .run rolling_restart").keys(" ").keys(key::TAB).shows("only=");
}

#[test]
fn the_signature_is_shown_while_arguments_are_typed_and_else_the_history_as_grey_text() {
    let mut screen = Screen::sandbox("default");
    screen.keys("update_pump(").shows("update_pump(‹pump›, state, [#{...}])").keys("\"pump-1\", ");
    screen.shows("update_pump(pump, ‹state›, [#{...}])").keys(key::CTRL_C).ends("sandbox>").keys("drainers().len()\r");
    screen.shows("\n2\n").ends("sandbox>").keys("drainers().l").ends("sandbox> drainers().len()").keys(key::RIGHT);
    screen.keys(" * 100\r").shows("\n200\n");
    // Up goes on with what was begun, and Ctrl-R finds it anywhere.
    screen.keys("7 + 7\r").shows("\n14\n").keys("drainers().le").keys(key::UP).ends("sandbox> drainers().len() * 100");
    screen.keys(key::CTRL_C).ends("sandbox>").keys(key::CTRL_R).keys("+ 7").shows("7 + 7").keys(key::CTRL_C);
}

#[test]
fn without_colours_a_hint_is_told_by_signs() {
    let mut screen = Screen::open(Shell::sandbox("default").env("NO_COLOR", "1"), 80, 24);
    screen.ends("sandbox>").keys("100 + 1\r").shows("\n101\n").keys("100").ends("sandbox> 100‹ + 1›");
    let mut plain = Screen::open(Shell::sandbox("default").env("TERM", "dumb"), 80, 24);
    plain.shows("sandbox>").keys("100 + 1\r").shows("101");
}

#[test]
fn colours_tell_what_acts_what_looks_and_what_nobody_knows() {
    let mut screen = Screen::sandbox("default");
    screen.keys("pumps(); pause_pump(; pmups()").shows("pmups()");
    assert_eq!(screen.look_of("pumps()"), (Color::Idx(6), false));
    assert_eq!(screen.look_of("pause_pump(;"), (Color::Idx(3), true));
    assert_eq!(screen.look_of("pmups()"), (Color::Idx(1), false));
}

#[test]
fn the_last_result_is_it_and_a_question_mark_explains() {
    let mut screen = Screen::sandbox("default");
    screen.keys("pumps()\r").shows("pump-2").keys("it.len() * 111\r").shows("\n333\n");
    screen.keys("let m = pump(\"pump-1\");\r").ends("sandbox>").keys("m?\r").shows(".max_commit_ts");
    screen.keys("last_pump?\r").shows("a guard").keys("pumps::others_online??\r").shows("fn others_online(pump) {");
}

#[test]
fn prompts_share_a_history_that_is_for_its_owner_only() {
    let shell = Shell::sandbox("default").file(HISTORY, "#V2\nfirst_of_all()\n");
    std::fs::write(shell.dir().join(HISTORY), b"#V2\nfirst_of_all()\n\xff\xfe bad\n").unwrap();
    let home = shell.dir().display().to_string();
    let mut one = Screen::open(shell, 80, 24);
    let mut other = Screen::open(Shell::sandbox("default").env("HOME", &home), 80, 24);
    one.ends("sandbox>").keys("11 + 11\r").shows("\n22\n").keys(" 33 + 33\r").shows("\n66\n");
    other
        .ends("sandbox>")
        .keys("1\r")
        .ends("sandbox>")
        .keys(key::CTRL_R)
        .keys("11 +")
        .shows("11 + 11")
        .keys(key::CTRL_C);
    other.ends("sandbox>").keys("let p = \"hush-hush\";\r").ends("sandbox>").keys("44 + 44\r").shows("\n88\n");
    other.keys("encrypt(p, #{ force: [\"public_key\"] })\r").shows("is taken out of the history");
    one.keys("55 + 55\r").shows("\n110\n").keys(".redact\r").shows("taken out of the history (it began with `55 `)");
    one.ends("sandbox>").keys(key::CTRL_D);
    one.code();
    let path = one.shell.dir().join(HISTORY);
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    for kept in ["first_of_all()", "11 + 11", "44 + 44", "bad"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    for gone in ["33 + 33", "hush-hush", "55 + 55"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_entry_can_be_edited_in_an_editor() {
    let shell = Shell::sandbox("default").file("editor", "#!/bin/sh\nprintf '%s + 1000' \"$(cat \"$1\")\" > \"$1\"\n");
    let editor = shell.dir().join("editor");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let shell = shell.env("EDITOR", &editor.display().to_string());
    let mut screen = Screen::open(shell, 80, 24);
    screen.ends("sandbox>").keys("7").keys(key::EDIT).ends("sandbox> 7 + 1000").keys("\r").shows("\n1007\n");
    screen.keys(".edit\r").ends("sandbox> 7 + 1000 + 1000").keys("\r").shows("\n2007\n");
}

#[test]
fn an_editor_that_fails_costs_nothing() {
    let mut screen = Screen::open(Shell::sandbox("default").env("EDITOR", "false"), 80, 24);
    screen.ends("sandbox>").keys("7 + 7").keys(key::EDIT).shows("the editor `false` failed");
    screen.ends("sandbox> 7 + 7").keys("\r").shows("\n14\n");
}

#[test]
fn a_run_takes_no_options_that_hold_for_the_whole_prompt() {
    let mut screen = Screen::open(Shell::sandbox("default").file("stop.rhai", "pause_pump(\"pump-1\");\n"), 120, 30);
    for option in ["--read-only", "--yes", "--sandbox", "--pd-urls http://127.0.0.1:1", "-o json"] {
        screen.ends("sandbox>").keys(&format!(".run stop.rhai {option}\r"));
        screen.shows("type `binlogsh --sandbox run SCRIPT`").ends("sandbox>").keys("\x0c");
        screen.until(|text| text == "sandbox>");
    }
    screen.keys("pump(\"pump-1\").state\r").shows("\nonline\n");
    // What is the command's own is taken.
    screen.keys(".rehearse ~/stop.rhai --futures 3\r").shows("3 futures");
}

#[test]
fn only_an_unclear_answer_is_a_no_after_some_tries() {
    let mut screen = Screen::open(Shell::sandbox("default"), 120, 60);
    screen.ends("sandbox>").keys("pause_drainer(\"drainer-0\")\r");
    for looked in 1..=6 {
        screen.until(|text| text.trim_end().ends_with("/q/?]"));
        screen.keys("d\r").until(|text| text.matches("it refuses when").count() == looked);
    }
    // What is wider than the terminal goes on in the next row at a word.
    screen.shows("or be\n      released without one of them\n");
    for unclear in 1..5 {
        screen.keys("what\r").until(|text| text.matches("or q to quit [y/N/d/q/?]").count() == unclear);
    }
    screen.keys("what\r").shows("no clear answer counts as no").shows("you said no").ends("sandbox>");
}

#[test]
fn what_was_tried_is_saved_as_a_script_that_is_checked_rehearsed_and_run() {
    let mut screen = Screen::sandbox("default");
    screen.keys("pause_pump(\"pump-1\", #{ wait: \"1m\" })\r").shows("[y/N/d/q/?]").keys("y\r").ends("sandbox>");
    screen.keys(".history\r").shows("   1  pause_pump").keys(".save pause.rhai 1\r").shows("pause.rhai is written");
    screen.keys(".save pause.rhai\r").shows("is there already, and stays as it is");
    screen.keys("start(\"pump-1\")\r").until(|text| text.trim_end().ends_with("[y/N/d/q/?]"));
    screen.keys("y\r").ends("sandbox>").keys(".run pause.rhai pump_1=pump-2\r");
    screen.shows("pause pump pump-2").until(|text| text.trim_end().ends_with("[y/N/a(ll of this step)/d/q/?]"));
    // What ends the run does not end the prompt.
    screen.keys(key::CTRL_C).shows("interrupted").ends("sandbox>").keys(".run pause.rhai pump_1=pump-2\r");
    screen.until(|text| text.trim_end().ends_with("[y/N/a(ll of this step)/d/q/?]"));
    screen.keys("y\r").ends("sandbox>").keys("pump(\"pump-2\").state\r").shows("\npaused\n");
    screen.keys(".load pause.rhai\r").until(|text| text.trim_end().ends_with("/q/?]"));
    screen.keys("n\r").ends("sandbox>").keys(".run --help\r").shows("Show every exchange");
    let checked =
        Shell::new(&["check"]).file("x", "").arg(screen.shell.dir().join("pause.rhai").display().to_string()).go();
    checked.succeeds();
}

#[test]
fn what_is_longer_than_the_screen_goes_through_the_pager() {
    let shell = Shell::sandbox("default").env("PAGER", "sed -n 's/^/paged /p' | head -3");
    let mut screen = Screen::open(shell, 80, 10);
    screen.ends("sandbox>").keys("help()\r").shows("paged Look").keys("1 + 1\r").shows("\n2\n");
    // What a pager leaves running keeps nobody waiting who has given it more than a pipe takes.
    let shell = Shell::sandbox("default").env("PAGER", "exec 3<&0; sleep 8 <&3 >/dev/null 2>&1 & exit 0");
    let mut screen = Screen::open(shell, 80, 10);
    let began = Instant::now();
    screen.ends("sandbox>").keys("let a = []; a.pad(9000, \"a line of some length\"); a\r1 + 1\r").shows("\n2\n");
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    let config = "[profiles.x]\npager = false\n";
    let shell =
        Shell::new(&["--profile=x", "--sandbox"]).file(".config/binlogsh/config.toml", config).env("PAGER", "false");
    let mut screen = Screen::open(shell, 80, 10);
    screen.ends("sandbox>").keys("help()\r").shows("help(\"NAME\") says more");
}

/// A home in which `eu` is production: the cluster of this id, at another address.
fn knows_production(cluster: &LiveCluster, args: &[&str]) -> Shell {
    let mut id = 0;
    cluster.pd().set(|knobs| id = knobs.cluster_id);
    let config = "default-profile = \"staging\"\n[profiles.staging]\npd-urls = \"http://127.0.0.1:1\"\n\
                  [profiles.eu]\npd-urls = \"http://127.0.0.1:2\"\nproduction = true\n";
    Shell::new(args)
        .file(".config/binlogsh/config.toml", config)
        .file(".local/state/binlogsh/clusters.json", &format!("{{\"eu\": {id}}}"))
}

#[test]
fn the_prompt_says_on_which_cluster_one_really_is() {
    let cluster = LiveCluster::sample("default");
    let shell = knows_production(&cluster, &["--pd-urls", &cluster.url()]);
    let mut screen = Screen::open(shell, 120, 24);
    // It is there before PD has said anything, and drawn again when it has.
    let host = cluster.url().replace("http://", "");
    screen.shows(&format!("binlogsh({host})#")).shows("this is cluster").shows(&format!("binlogsh({host})#4567>"));
    assert_eq!(screen.look_of("binlogsh(").0, Color::Idx(1));
    screen.keys("1 + 1\r").shows("\n2\n").shows("binlogsh(eu)#4567 PRODUCTION>");
    // The nodes were learnt meanwhile.
    screen.keys("pause_drainer(\"").tabs("drainer-0  drainer-1").keys(key::CTRL_C);
    screen.ends("binlogsh(eu)#4567 PRODUCTION>").keys("pause_drainer(\"drainer-0\")\r");
    screen.shows("of the profile `eu`, which is marked production. Type its name").keys("staging\r");
    screen.shows("you did not type the name of the profile `eu`");
    assert_eq!(cluster.recorded(Kind::Drainer, "drainer-0"), "online");
}

#[test]
fn the_prompt_names_who_works_on_the_cluster_and_how_long_a_command_took() {
    let cluster = LiveCluster::sample("default");
    let script = "step(\"hold\", || { pause_drainer(\"drainer-1\"); });\nsleep(\"60s\");";
    let held = Shell::live(&cluster.url()).yes().file("p.rhai", script).arg("run").arg("p.rhai");
    let mut other = held.command().stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    assert!(eventually(Duration::from_secs(20), || cluster.kv().get(LOCK_KEY).is_some()));
    let mut screen = Screen::open(Shell::live(&cluster.url()).arg("--read-only"), 160, 24);
    screen
        .shows("#4567 [read-only]>")
        .keys("sleep(\"1.2s\")\r")
        .shows("[read-only] [locked by")
        .shows(": p.rhai] [1.2s]>");
    other.kill().unwrap();
    other.wait().unwrap();
    // On a narrow terminal half of the line is left to type.
    let mut narrow = Screen::open(Shell::live(&cluster.url()).arg("--read-only"), 40, 24);
    narrow.keys("\r").until(|text| text.lines().last().is_some_and(|line| line.ends_with("#4567>")));
}

#[test]
fn a_rehearsal_at_a_sandbox_prompt_is_on_the_cluster_as_it_stands() {
    let mut screen = Screen::open(Shell::sandbox("default"), 150, 50);
    screen.ends("sandbox>").keys("let before = now(); hang(\"pump-0\");\r").ends("sandbox>");
    screen.keys(".rehearse rolling_restart\r").shows("pump-0 says online in its record, but a probe finds it silent");
    screen.ends("sandbox>").keys("\x0c").until(|text| text == "sandbox>");
    screen.keys(".run rolling_restart\r").shows("a probe finds it silent");
    screen.ends("sandbox>").keys("probe(\"pump-0\")\r").shows("\nsilent\n");
    // The session lost no time by it, and what no request tells is known all the same.
    screen.keys("now() - before < 30\r").shows("\ntrue\n").until(|text| !text.contains("its metrics do not tell"));
}

#[test]
fn an_entry_that_was_recalled_and_changed_stays_whatever_is_pressed() {
    let mut screen = Screen::sandbox("default");
    screen.keys("1 + 1\r").shows("\n2\n").ends("sandbox>").keys("3 + 3\r").shows("\n6\n").ends("sandbox>");
    screen.keys(key::UP).ends("sandbox> 3 + 3").keys(key::UP).ends("sandbox> 1 + 1").keys("0").ends("sandbox> 1 + 10");
    screen.keys(key::DOWN).keys(key::DOWN).keys("0").ends("sandbox> 1 + 100").keys("\r").shows("\n101\n");
}

#[test]
fn candidates_are_seen_above_an_entry_of_several_rows() {
    for columns in [25, 80, 120] {
        let mut screen = Screen::open(Shell::sandbox("default"), columns, 24);
        screen.ends("sandbox>").keys("if true {\r").shows("\n").keys("pause_pump(\"pump-").shows("pause_pump(\"pump-");
        screen.keys(key::TAB).shows("\npump-0  pump-1  pump-2\n");
        screen.until(|text| text.lines().last().is_some_and(|line| line.contains("pause_pump(\"pump-")));
    }
}

#[test]
fn an_array_is_explained_in_even_lines() {
    let mut screen = Screen::open(Shell::sandbox("default"), 80, 40);
    screen.ends("sandbox>").keys("let ps = pumps();\r").ends("sandbox>").keys("ps?\r").shows("ps: ").ends("sandbox>");
    let text = screen.until(|text| text.contains(".len()"));
    let members: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with('.')).collect();
    assert!(members.len() > 1 && members.iter().all(|line| line.starts_with("  .")), "{text}");
}

#[test]
fn a_question_shows_who_else_is_down_and_what_one_wants_to_know() {
    let mut screen = Screen::sandbox("default");
    screen.keys("pause_drainer(\"drainer-0\")\r").shows("[y/N/d/q/?]").keys("y\r").ends("sandbox>");
    screen.keys("pause_drainer(\"drainer-1\")\r").shows("just now: drainer drainer-0 is paused");
    screen.until(|text| text.trim_end().ends_with("[y/N/d/q/?]"));
    screen
        .keys("?\r")
        .shows("q  quit: what runs ends here")
        .until(|text| text.matches("Do it? [y/N/d/q/?]").count() == 3);
    screen
        .keys("d\r")
        .shows("it refuses when")
        .shows("(10.0.1.11:8250): online")
        .until(|text| text.matches("Do it? [y/N/d/q/?]").count() == 4);
    screen.keys("q\r").shows("you quit at a question").ends("sandbox>");
}

#[test]
fn the_guide_shows_the_prompt_as_it_is() {
    let guide = std::fs::read_to_string(project("docs/guide.md")).unwrap();
    let mut screen = Screen::open(Shell::sandbox("default"), 80, 14);
    // What stands there settles a moment after the last key.
    let is_shown =
        |text: &str| text.find("sandbox>").is_some_and(|at| guide.contains(&format!("```text\n{}\n```", &text[at..])));
    screen.ends("sandbox>").keys("pause_drainer(\"").keys(key::TAB).until(is_shown);
    screen.keys(key::CTRL_C).ends("sandbox>").keys("pause_drainer(\"drainer-0\");\r").shows("[y/N/d/q/?]").keys("y\r");
    // The time of what was asked goes with the next command.
    screen
        .ends("sandbox>")
        .keys("1 + 1\r")
        .shows("\n2\n")
        .ends("sandbox>")
        .keys("\x0c")
        .until(|text| text == "sandbox>");
    screen.keys("pause_pump(\"pump-1\")\r").until(is_shown);
}

#[test]
fn a_question_is_there_again_after_control_z() {
    let mut screen = in_bash(120);
    screen.keys("binlogsh --sandbox -e 'pause_drainer(\"drainer-0\").after'\r").shows("[y/N/d/q/?]").keys(key::CTRL_Z);
    screen.shows("Stopped").ends("bash$").keys("fg\r").until(|text| text.matches("[y/N/d/q/?]").count() == 2);
    screen.keys("y\r").shows("\npaused\n").ends("bash$");
}

#[test]
fn what_was_cancelled_stands_where_it_was_typed() {
    let mut screen = Screen::open(Shell::sandbox("default"), 80, 24);
    screen
        .ends("sandbox>")
        .keys("1 + 1\r")
        .shows("\n2\n")
        .ends("sandbox>")
        .keys("cancelled")
        .ends("sandbox> cancelled")
        .keys(key::CTRL_C);
    screen.ends("sandbox>").keys("2 + 2\r").shows("\n4\n").ends("sandbox>").keys(key::UP).ends("sandbox> 2 + 2");
    screen.keys(key::UP).ends("sandbox> cancelled").keys(key::UP).ends("sandbox> 1 + 1");
}

#[test]
fn what_was_cancelled_stands_where_it_was_typed_in_a_full_history_too() {
    let full: String = (0..2000).map(|n| format!("{n}\n")).collect();
    let shell = Shell::sandbox("default").file(HISTORY, &format!("#V2\n{full}"));
    let mut screen = Screen::open(shell, 80, 24);
    screen.ends("sandbox>").keys("cancelled").ends("sandbox> cancelled").keys(key::CTRL_C);
    for n in 2..5 {
        screen.ends("sandbox>").keys(&format!("{n} + {n}\r")).shows(&format!("\n{}\n", n + n));
    }
    screen.ends("sandbox>");
    for n in [4, 3, 2] {
        screen.keys(key::UP).ends(&format!("sandbox> {n} + {n}"));
    }
    screen.keys(key::UP).ends("sandbox> cancelled").keys(key::UP).ends("sandbox> 1999");
}

#[test]
fn whoever_holds_the_lock_of_the_history_holds_no_prompt_up() {
    let shell = Shell::sandbox("default").file(HISTORY, "#V2\n1 + 1\n");
    let path = shell.dir().join(HISTORY);
    let held = std::fs::File::open(&path).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut screen = Screen::open(shell, 100, 24);
    screen.ends("sandbox>").keys("20 + 2\r").shows("\n22\n").shows("another program holds the lock of the history");
    screen.ends("sandbox>").keys("30 + 3\r").shows("\n33\n").ends("sandbox>");
    rustix::fs::flock(&held, rustix::fs::FlockOperation::Unlock).unwrap();
    screen.keys("40 + 4\r").shows("\n44\n").ends("sandbox>");
    // What could not be written then is there now, in its place.
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "#V2\n1 + 1\n20 + 2\n30 + 3\n40 + 4\n");
}

#[test]
fn neither_a_secret_nor_what_failed_is_saved_or_listed_as_done() {
    let mut screen = Screen::open(Shell::sandbox("default"), 80, 24);
    screen.ends("sandbox>").keys("let word = \"hush-hush\";\r").ends("sandbox>").keys("nonsense(1)\r").ends("sandbox>");
    screen.keys("pumps().len()\r").shows("\n3\n").ends("sandbox>").keys("encrypt(word);\r").ends("sandbox>");
    screen.keys("1 + 1\r").shows("\n2\n").ends("sandbox>").keys("\x0c").until(|text| text == "sandbox>");
    screen.keys(".history\r").shows("   2! nonsense(1)").ends("sandbox>").until(|text| !text.contains("hush"));
    // Nor what begins with a space.
    screen.keys(" let quiet = 5;\r").ends("sandbox>").keys(".history quiet\r").shows("history quiet\n\nsandbox>");
    screen
        .keys(".save done.rhai\r")
        .shows("what failed is left out: 2, 4;")
        .shows("done.rhai is written")
        .ends("sandbox>");
    screen.keys(".save failed.rhai 2\r").shows("failed.rhai is written").ends("sandbox>");
    let failed = std::fs::read_to_string(screen.shell.dir().join("failed.rhai")).unwrap();
    assert!(failed.contains("// This failed at the prompt") && failed.contains("nonsense(1)"), "{failed}");
    let saved = std::fs::read_to_string(screen.shell.dir().join("done.rhai")).unwrap();
    assert!(!saved.contains("quiet"), "{saved}");
    assert!(!saved.contains("hush") && !saved.contains("nonsense") && saved.contains("pumps().len();"), "{saved}");
}

/// A `bash` in which the program is started by its name.
fn in_bash(columns: u16) -> Screen {
    let shell = Shell::new(&[]);
    let program = shell.command();
    let mut bash = shell.command_as("bash");
    let dir = std::path::Path::new(program.get_program()).parent().unwrap().display().to_string();
    bash.args(["--norc", "-i"]).env("PS1", "bash$ ").env("PATH", format!("{dir}:/usr/local/bin:/usr/bin:/bin"));
    let screen = Screen::of(shell, bash, columns, 24);
    screen.until(|text| text.ends_with("bash$"));
    screen
}

#[test]
fn control_z_stops_it_and_fg_goes_on_with_what_was_typed() {
    let mut screen = in_bash(80);
    screen.keys("binlogsh --sandbox\r").ends("sandbox>").keys("100 + 1").ends("sandbox> 100 + 1").keys(key::CTRL_Z);
    screen.shows("Stopped").ends("bash$").keys("stty -a | grep -c ' icanon'\r").shows("\n1\n").keys("fg\r");
    screen.ends("sandbox> 100 + 1").keys("0\r").shows("\n110\n").ends("sandbox>");
}

#[test]
fn a_question_is_asked_on_the_terminal_though_results_go_into_a_file() {
    let mut screen = in_bash(120);
    screen.keys("binlogsh --sandbox -e 'pause_drainer(\"drainer-0\").after' | tee log\r").shows("[y/N/d/q/?]");
    screen.keys("y\r").shows("\npaused\n").ends("bash$").keys("wc -l log\r").shows("\n1 log\n");
}

#[test]
fn a_wait_tells_how_long_it_takes_in_one_line_of_any_width() {
    let cluster = LiveCluster::sample("default");
    for columns in [120, 80, 40] {
        let code = "wait_for(\"drainer-0\", \"paused\", \"1m\")";
        let mut screen = Screen::open(Shell::new(&["--pd-urls", &cluster.url(), "-e", code]), columns, 24);
        // The time goes on also while nothing else is seen.
        for time in ["1s", "2s", "3s"] {
            screen.shows(&format!("{time} of 1m00s: waiting for drainer-0 to"));
        }
        assert_eq!(screen.text().lines().count(), 1, "{}", screen.text());
        screen.keys(key::CTRL_C).shows("error[interrupted]").until(|text| !text.contains("of 1m00s"));
    }
}

#[test]
fn a_byte_that_is_no_text_costs_only_what_was_being_typed() {
    let mut screen = Screen::sandbox("default");
    screen.keys("let kept = 5;\r").ends("sandbox>").bytes(b"1 + \xff").shows("that was no UTF-8").ends("sandbox>");
    screen.keys("kept + 1\r").shows("\n6\n");
}

#[test]
fn up_and_down_come_back_to_what_was_typed() {
    let mut screen = Screen::sandbox("default");
    screen.keys("let a1 = 1;\r").ends("sandbox>").keys("1 + 1\r").shows("\n2\n").ends("sandbox>");
    screen.keys("unsent").ends("sandbox> unsent").keys(key::UP).keys(key::DOWN).keys("!").ends("sandbox> unsent!");
    screen
        .keys(key::CTRL_C)
        .ends("sandbox>")
        .keys("let")
        .shows("sandbox> let")
        .keys(key::UP)
        .ends("sandbox> let a1 = 1;");
    screen.keys(key::DOWN).keys("?").ends("sandbox> let?");
}

#[test]
fn a_question_is_whole_where_results_go_into_a_pipe() {
    let mut screen = in_bash(120);
    // A reader that is slow, as `tee` may be.
    screen.keys("binlogsh --sandbox | while IFS= read -r line; do echo \"got $line\"; done\r").ends("sandbox>");
    screen.keys("pause_pump(\"pump-1\").after\r").shows("Do it? [y/N/d/q/?]").keys("y\r").shows("got paused");
}

#[test]
fn a_run_at_the_prompt_that_ends_half_way_says_how_to_go_on() {
    let cluster = LiveCluster::sample("default");
    let code = "//! Pauses.\nstep(\"pause\", || pause_pump(\"pump-1\", #{ wait: \"30s\" }));\nfail(\"enough\");\n";
    let shell = Shell::new(&["--pd-urls", &cluster.url()]).file("half.rhai", code);
    let mut screen = Screen::open(shell, 200, 40);
    screen.until(|text| text.ends_with('>'));
    screen.keys(".run half.rhai\r").shows("/q/?]").keys("y\r").shows("error[failed]: enough");
    screen.shows("out of work through this run: pump-1 is paused").shows("to go on with it: binlogsh --pd-urls");
}
