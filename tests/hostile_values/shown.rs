//! Every form in which something is shown.

use super::*;
use binlogsh::text::on_lines;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// The ids of all Pumps, and the states of all Drainers.
fn ids() -> Vec<String> {
    values().iter().enumerate().map(|(at, value)| id(at, value)).collect()
}

/// What a spreadsheet is given: nothing that it runs, and what drives a terminal as people read it, since CSV has no signs for that.
fn as_csv_has_it(text: &str) -> String {
    let text = on_lines(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.into_owned() }
}

/// The fields of each row, as RFC 4180 has them.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut field)),
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    assert!(!is_quoted && field.is_empty(), "the last row has no end");
    rows
}

#[test]
fn what_is_for_programs_gives_each_text_back() {
    let cluster = HostileCluster::new();
    let (ids, states): (BTreeSet<String>, BTreeSet<String>) =
        (ids().into_iter().collect(), values().into_iter().collect());
    let shown =
        |format: &str, code: &str| cluster.shell().arg(format!("--output={format}")).eval(code).succeeds().stdout;
    for (code, wanted) in [("pumps().map(|p| p.id)", &ids), ("drainers().map(|d| d.state)", &states)] {
        let text = shown("json", code);
        is_clean(code, &text);
        assert_eq!(&serde_json::from_str::<BTreeSet<String>>(&text).unwrap(), wanted, "{code}");
        let text = shown("jsonl", code);
        is_clean(code, &text);
        let all = text.lines().flat_map(|line| match serde_json::from_str(line).unwrap() {
            serde_json::Value::Array(all) => all,
            one => vec![one],
        });
        assert_eq!(&all.map(|one| one.as_str().unwrap().to_owned()).collect::<BTreeSet<String>>(), wanted, "{code}");
    }
    // Whole nodes, with all that they have.
    let text = shown("json", "nodes()");
    is_clean("nodes", &text);
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap().len(), 2 * values().len());
    for line in shown("jsonl", "for node in nodes() { table([node]); }").lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    for (code, wanted) in [
        ("pumps().map(|p| #{ id: p.id, last: 1 })", &ids),
        ("drainers().map(|d| #{ state: d.state, last: 1 })", &states),
    ] {
        let rows = csv(&shown("csv", code));
        assert!(rows.iter().all(|row| row.len() == 2 && ["1", "last"].contains(&row[1].as_str())), "{rows:?}");
        let had: BTreeSet<String> = rows[1..].iter().map(|row| row[0].clone()).collect();
        let wanted: BTreeSet<String> = wanted.iter().map(|text| as_csv_has_it(text)).collect();
        assert_eq!(had, wanted, "{code}");
    }
}

#[test]
fn what_people_read_has_a_line_for_each_and_its_columns_where_they_are() {
    let cluster = HostileCluster::new();
    let shown = |format: &str, code: &str| cluster.shell().arg(format!("--output={format}")).eval(code).succeeds();
    let ran = shown("table", "nodes()");
    is_clean("table", &ran.stdout);
    is_clean("table", &ran.stderr);
    let all = values();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    for (at, own) in ids().iter().enumerate() {
        let begins = [format!("v{at:03}"), format!("d{at:03}")];
        for begin in begins {
            let own_lines = lines.iter().filter(|line| line.starts_with(&begin)).count();
            assert_eq!(own_lines, 1, "{begin}: {own:?}");
        }
    }
    // A line is a node's, the header, or what stands below; none begins with what a text brought along.
    let strange = lines.iter().filter(|line| !line.is_empty() && !line.starts_with("id") && !is_of_node(line));
    assert_eq!(strange.collect::<Vec<_>>(), Vec::<&&str>::new());
    // What is behind a text stands in its own column.
    let ran = shown("table", "pumps().map(|p| #{ id: p.id, last: 77777 })");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let place = lines[0].find("last").unwrap();
    let rows: Vec<&&str> = lines[1..].iter().filter(|line| is_of_node(line)).collect();
    assert_eq!(rows.len(), all.len());
    for row in rows {
        let before = row.trim_end().strip_suffix("77777").unwrap_or_else(|| panic!("{row}"));
        assert!(before.width() + 1 >= place.min(before.width() + 1), "{row}");
    }
    for format in ["vertical", "table"] {
        let ran = shown(format, "drainers()");
        is_clean(format, &ran.stdout);
        assert!(all.iter().enumerate().all(|(at, _)| ran.stdout.contains(&format!("d{at:03}"))), "{format}");
    }
}

fn is_of_node(line: &str) -> bool {
    let mut letters = line.chars();
    matches!(letters.next(), Some('v' | 'd')) && letters.take(3).all(|letter| letter.is_ascii_digit())
}

#[test]
fn what_nodes_answer_and_what_errors_and_questions_say_stays_on_its_line() {
    let cluster = HostileCluster::new();
    let code = "for d in drainers() { try { pause_drainer(d, #{ force: [\"unreadable_records\", \"duplicate\"] }); } catch (e) { print(`E ${e}`); } }\n\
                for p in pumps() { try { pause_pump(p.id + \"x\"); } catch (e) { print(`E ${e.message}`); } }\n\
                for f in status(drainers()) { print(`S ${f}`); }\n\
                for f in probe(drainers()) { print(`P ${f}`); }\n\
                for d in drainers() { print(`N ${d}`); }";
    let script = cluster.shell().file("s.rhai", code).arg("-v").arg("run").arg("s.rhai");
    let ran = script.go();
    assert!(ran.code == 0 || ran.code == 2, "{} {}", ran.code, ran.stderr);
    is_clean("stdout", &ran.stdout);
    is_clean("stderr", &ran.stderr);
    let forged = ["? stop", "warning: nothing", "error[failed]: all", "--- stdout"];
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        assert!(!forged.iter().any(|forged| line.trim_start().starts_with(forged)), "{line}");
    }
    let lines = |head: &str| ran.stdout.lines().filter(|line| line.starts_with(head)).count();
    assert_eq!((lines("E "), lines("N ")), (2 * values().len(), values().len()), "{}", ran.stderr);
}

#[test]
fn a_script_that_says_each_text_drives_no_terminal() {
    let all = serde_json::to_string(&values()).unwrap();
    let code = "let all = parse_json(param(\"all\"));\n\
                for text in all { print(text); step(text, || 1); debug(text); confirm(text); table([#{ a: text }]); json([text]);\n\
                  try { fail(text); } catch (e) { print(`${e}`); }\n\
                  try { exec(text, [text]); } catch (e) { print(`${e}`); }\n\
                  try { wait_until(text, || text, 0); } catch (e) { print(`${e}`); }\n\
                  let m = #{}; m[text] = text; print(m); print([text]); table([m]); }\n\
                throw all;";
    for format in ["table", "vertical", "csv", "jsonl", "json"] {
        let shell = Shell::sandbox("default").yes().arg("--allow-exec").arg(format!("--output={format}"));
        let shell =
            shell.file("s.rhai", code).file("all", &all).arg("run").arg("s.rhai").arg("--param-file").arg("all=all");
        let ran = shell.go();
        assert_ne!(ran.code, 0);
        is_clean(format, &ran.stderr);
        match format {
            "jsonl" => {
                ran.stdout.lines().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).unwrap()))
            }
            _ => is_clean(format, &ran.stdout),
        }
    }
}

#[test]
fn looks_of_other_commands_are_clean() {
    let cluster = HostileCluster::new();
    let go = |args: &[&str]| Shell::new(args).env("BINLOGSH_PD_URLS", &cluster.pd.url()).env("COLUMNS", "100").go();
    for args in [
        &["doctor", "--observe=0"][..],
        &["--output=json", "doctor", "--observe=0"],
        &["--output=openmetrics", "doctor", "--observe=0"],
        &["watch", "--once"],
        &["ctl", "-cmd", "pumps"],
        &["ctl", "-cmd", "drainers"],
        &["run", "health"],
    ] {
        let ran = go(args);
        let what = args.join(" ");
        is_clean(&what, &ran.stdout);
        is_clean(&what, &ran.stderr);
        match args[0] {
            "--output=json" => drop(serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()),
            "--output=openmetrics" => is_openmetrics(&ran.stdout),
            "watch" => {
                let wide = ran.stdout.lines().find(|line| line.width() > 100);
                assert_eq!(wide, None, "a line is wider than the screen");
            }
            _ => {}
        }
    }
}

/// Each line is a comment or a gauge with a number, whose labels end where they should.
#[track_caller]
fn is_openmetrics(text: &str) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(number.parse::<f64>().is_ok(), "{line}");
        let Some((_, labels)) = name.split_once('{') else { continue };
        let (mut is_quoted, mut letters, mut end) = (false, labels.chars(), 0);
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if is_quoted => assert!(matches!(letters.next(), Some('\\' | '"' | 'n')), "{line}"),
                '"' => is_quoted = !is_quoted,
                '}' if !is_quoted => end += 1,
                _ => {}
            }
        }
        assert!(!is_quoted && end == 1 && labels.ends_with('}'), "{line}");
    }
}
