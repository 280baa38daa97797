//! A script that is not what it was when it was stopped: it is found out before anything is done.

use super::cuts::{Case, Points, Shared, copy_store};
use binlogsh::error::ErrorKind;
use binlogsh::language::Source;
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::{Change, Request};
use std::cell::RefCell;
use std::rc::Rc;

/// Looks and changes, each at its own node.
const LINES: [&str; 12] = [
    r#"let a = probe("pump-0");"#,
    r#"pause_drainer("drainer-0", #{ wait: "1m" });"#,
    r#"let b = probe("pump-1");"#,
    r#"let c = started_at("pump-2");"#,
    r#"manual("start drainer-0", #{ starts: ["drainer-0"], takes: "5s" });"#,
    r#"wait_for("drainer-0", "online", "1m");"#,
    r#"let d = status("drainer-1");"#,
    r#"confirm("go on?");"#,
    r#"generate_meta(#{ data_dir: "meta" });"#,
    r#"let e = commit_ts("drainer-1");"#,
    r#"pause_pump("pump-1", #{ wait: "1m" });"#,
    r#"let f = tidbs().len();"#,
];

/// What may come before a line.
const EXTRAS: [&str; 10] = [
    "cluster();",
    "tso();",
    r#"probe("drainer-1");"#,
    r#"pump_drainers("pump-2");"#,
    r#"pause_pump("pump-2", #{ wait: "1m" });"#,
    r#"offline_pump("pump-0");"#,
    r#"update_drainer("drainer-1", "paused");"#,
    r#"manual("something else");"#,
    r#"confirm("really?");"#,
    r#"sleep("3s");"#,
];

/// What may stand in the place of something else.
const REPLACED: [(&str, &str); 9] = [
    ("pump-0", "pump-2"),
    ("pump-1", "pump-0"),
    ("pump-2", "pump-1"),
    ("drainer-0", "drainer-1"),
    ("drainer-1", "drainer-0"),
    ("go on?", "go on!"),
    ("\"meta\"", "\"other\""),
    ("start drainer-0", "start it"),
    ("\"5s\"", "\"6s\""),
];

/// Where the run was stopped: it is telling `pump-1` to pause.
const CUT_IN: usize = 10;

fn script(lines: &[String]) -> Source {
    Source::new("work.rhai", lines.join("\n"))
}

/// The script with something else in its first lines: a line is gone, done twice, exchanged with another, aimed at
/// another node, or another one comes before it. What is asked is otherwise than it was, in every one of them.
fn mutations() -> Vec<(String, Source)> {
    let lines: Vec<String> = LINES.iter().map(|line| (*line).to_owned()).collect();
    let mut all = Vec::new();
    let mut add = |what: String, mutated: Vec<String>| all.push((what, script(&mutated)));
    for at in 0..CUT_IN {
        let with = |change: &dyn Fn(&mut Vec<String>)| {
            let mut mutated = lines.clone();
            change(&mut mutated);
            mutated
        };
        add(format!("without line {at}"), with(&|lines| drop(lines.remove(at))));
        add(format!("line {at} twice"), with(&|lines| lines.insert(at, lines[at].clone())));
        for other in at + 1..=CUT_IN {
            add(format!("lines {at} and {other} exchanged"), with(&|lines| lines.swap(at, other)));
        }
        for extra in EXTRAS {
            add(format!("`{extra}` before line {at}"), with(&|lines| lines.insert(at, extra.into())));
        }
        for (from, to) in REPLACED {
            if lines[at].contains(from) {
                add(format!("{to} for {from} in line {at}"), with(&|lines| lines[at] = lines[at].replace(from, to)));
            }
        }
        add(format!("ends before line {at} with another change"), {
            let mut mutated = lines[..at].to_vec();
            mutated.push(r#"forget_pump("pump-1");"#.into());
            mutated
        });
        add(format!("line {at} in a loop"), with(&|lines| lines[at] = format!("for i in 0..2 {{ {} }}", lines[at])));
        add(format!("line {at} only if nobody is online"), {
            with(&|lines| lines[at] = format!("if pumps().is_empty() {{ {} }}", lines[at]))
        });
    }
    all
}

#[test]
fn a_script_that_does_something_else_than_its_journal_is_found_out_before_any_effect() {
    let lines: Vec<String> = LINES.iter().map(|line| (*line).to_owned()).collect();
    let case = Case::of(script(&lines), Scenario::named("default").unwrap());
    let point = case
        .first_point_of(|request| matches!(request, Request::Change(Change::Act { node, .. }) if node.id == "pump-1"));
    let cuts = [0, 45].map(|gap| case.cut_off(point, gap));
    let mut rounds = 0;
    for (what, mutated) in mutations() {
        for (cluster, left) in &cuts {
            let dir = tempfile::tempdir().unwrap();
            copy_store(left.path(), dir.path());
            let world = Rc::new(RefCell::new(Simulated::from_cluster(cluster.borrow().cluster().clone())));
            let journal = case.take_up(dir.path(), &world, &what);
            let before = format!("{:?}", world.borrow().cluster().log());
            let points = Shared::<Points>::default();
            let error = case.play_instead(&mutated, &world, &journal, &points).expect_err(&what);
            assert_eq!(error.kind, ErrorKind::Diverged, "{what}: {error}");
            assert!(error.message.contains("journal: ") && error.message.contains("script:  "), "{what}: {error}");
            assert_eq!(points.borrow().asked(), 0, "{what}: the world was asked");
            assert_eq!(format!("{:?}", world.borrow().cluster().log()), before, "{what}");
            assert!(world.borrow().savepoints().is_empty(), "{what}");
            rounds += 1;
        }
    }
    assert!(rounds >= 300, "{rounds}");
}
