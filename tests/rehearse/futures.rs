//! Futures: the same seed gives the same answer, on one thread and on two, here and everywhere.

use super::{KEPT, LEAVES_A_DRAINER, json, no_result, rehearse};
use crate::harness::screen::{Screen, key};
use crate::harness::{Shell, project};
use crate::support::is_soak;
use binlogsh::interrupt::Interrupt;
use binlogsh::language::{ScriptSettings, Source};
use binlogsh::rehearsal::{Base, Bounds, Order, Subjects, Which, rehearse as rehearse_futures};
use binlogsh::sim::{HOUR, Scenario};
use binlogsh::world::{FaultKind, Notice, Notices};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn subjects(source: Source) -> Subjects {
    let (settings, interrupt) = (ScriptSettings::default(), Interrupt::default());
    Subjects { source, settings, scenario: Scenario::named("default").unwrap(), interrupt }
}

fn order(which: Which, jobs: usize) -> Order {
    Order { which, kinds: FaultKind::ALL.to_vec(), shard: (1, 1), jobs, notices: Arc::new(|_| {}) }
}

fn tally(subjects: &Subjects, base: &Base, which: Which, jobs: usize) -> String {
    serde_json::to_string(&rehearse_futures(subjects, base, &order(which, jobs)).unwrap()).unwrap()
}

fn base(subjects: &Subjects) -> Base {
    let bounds = Bounds { time: 100 * HOUR, calls: 1_000_000 };
    Base::play(&mut subjects.stage().unwrap(), bounds).unwrap()
}

#[test]
fn every_seed_gives_the_same_bytes_with_one_job_and_with_two() {
    // Short, so that many seeds take seconds: it acts, waits, and is careless enough to do harm.
    let short = r#"pause_drainer("drainer-0", #{ wait: "1m" });
        manual("replace it", #{ starts: ["drainer-0"], takes: "5s" });
        wait_for("drainer-0", "online", "20s");"#;
    let subjects = subjects(Source::new("short.rhai", short));
    let base = base(&subjects);
    let mut answers = std::collections::BTreeSet::new();
    let seeds = if is_soak() { 1_000 } else { 200 };
    for seed in 0..seeds {
        // More than a thread takes at a time for some of them, so that both have work.
        let count = if seed % 50 == 0 { 80 } else { 2 };
        let which = Which::Drawn { seed, count };
        let one = tally(&subjects, &base, which.clone(), 1);
        assert_eq!(one, tally(&subjects, &base, which, 2), "seed {seed}");
        answers.insert(one);
    }
    assert_eq!(answers.len(), seeds as usize, "each seed has an answer of its own");
}

#[test]
fn the_shipped_restart_gives_the_same_bytes_whatever_the_jobs() {
    let dir = project("scripts");
    let text = std::fs::read_to_string(dir.join("rolling_restart.rhai")).unwrap();
    let subjects = subjects(Source { root: Some(dir), ..Source::new("rolling_restart.rhai", text) });
    let base = base(&subjects);
    for seed in [0, 7, u64::MAX] {
        let which = Which::Drawn { seed, count: 66 };
        let one = tally(&subjects, &base, which.clone(), 1);
        assert!([2, 3, 8].iter().all(|jobs| tally(&subjects, &base, which.clone(), *jobs) == one), "seed {seed}");
    }
}

#[test]
fn the_program_prints_the_same_bytes_and_keeps_the_same_stories_whatever_the_jobs() {
    let of = |seed: &str, jobs: &str, format: &str| {
        let ran = rehearse(LEAVES_A_DRAINER, &["--futures=100", seed, jobs, "-o", format]).exits(9);
        let story = std::fs::read_to_string(ran.dir().join(KEPT)).unwrap();
        // The path of the story begins with the home of each.
        (ran.stdout.replace(&ran.dir().display().to_string(), "HOME"), story)
    };
    for seed in ["--seed=1", "--seed=2"] {
        for format in ["json", "table"] {
            assert_eq!(of(seed, "--jobs=1", format), of(seed, "--jobs=2", format), "{seed}");
        }
    }
    assert_ne!(of("--seed=1", "--jobs=1", "json"), of("--seed=2", "--jobs=1", "json"));
}

#[test]
fn every_fault_is_tried_and_the_answer_is_complete() {
    let ran = rehearse(LEAVES_A_DRAINER, &["--every-fault", "--faults=start_fails,slow_human", "-o", "json"]).exits(9);
    let tally = json(&ran);
    assert_eq!(tally["subject"]["futures"], "every fault at every event");
    assert_eq!(tally["subject"]["kinds"], serde_json::json!(["start_fails", "slow_human"]));
    let shortest = tally["shortest"].as_array().unwrap();
    assert!(shortest.iter().all(|story| story["faults"].as_array().unwrap().len() <= 1), "{shortest:?}");
    let futures = tally["futures"].as_u64().unwrap();
    let counted: u64 = tally["outcomes"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, futures);
    let quiet = rehearse("print(1)", &["--every-fault", "--faults=-pd_gone"]).succeeds();
    quiet.stdout_contains("No harm was done in any of them.");
}

#[test]
fn every_pair_is_tried_of_what_comes_to_something_of_its_own_and_what_is_left_out_is_said() {
    let of = |more: &[&str]| {
        let args = [&["--every-pair", "--faults=start_fails,slow_human,hang", "-o", "json"], more].concat();
        rehearse(LEAVES_A_DRAINER, &args).exits(9).stdout
    };
    let whole = of(&[]);
    let tally: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let about = tally["subject"]["futures"].as_str().unwrap().to_owned();
    let numbers: Vec<u64> = about.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [faults, all, without_effect, alike] = numbers[..] else { panic!("{about}") };
    let said = "come to the same as no fault, and";
    assert!(about.starts_with("every pair of ") && about.contains(said), "{about}");
    assert!(faults > 2 && without_effect > 0 && alike > 0 && faults + without_effect + alike == all, "{about}");
    assert_eq!(tally["futures"].as_u64().unwrap(), faults * (faults - 1) / 2);
    let shortest = tally["shortest"].as_array().unwrap();
    assert!(shortest.iter().all(|story| story["faults"].as_array().unwrap().len() <= 2), "{shortest:?}");
    // It is the same in parts, and with one thread.
    assert_eq!(of(&["--jobs=1"]), whole);
    let parts = ["--shard=1/2", "--shard=2/2"].map(|shard| of(&[shard]));
    let shell = Shell::new(&["rehearse", "-o", "json", "--merge", "1.json", "2.json"]);
    let shell = shell.file("1.json", &parts[0]).file("2.json", &parts[1]);
    assert_eq!(shell.go().exits(9).stdout, whole);
}

#[test]
fn the_shortest_story_is_told_and_kept_and_its_faults_are_needed() {
    let args = ["--every-fault", "--faults=start_fails", "--stories", "kept"];
    let shell = Shell::sandbox("default").file("kept/.keep", "");
    let ran = super::rehearse_on(shell, LEAVES_A_DRAINER, &args).exits(9);
    let file = ran.dir().join("kept/s.unnamed_leftover.story.json");
    assert!(file.is_file());
    let ran = ran.stdout_contains("unnamed_leftover: the shortest story needs 1 fault; future ");
    let ran = ran.stdout_contains("its shortest story is kept in kept/s.unnamed_leftover.story.json");
    ran.stdout_contains(" !! start_fails of drainer-0").stdout_contains("!!! unnamed_leftover: drainer-0");
}

#[test]
fn unless_told_otherwise_nothing_is_written_where_the_operator_stands() {
    for format in ["table", "json"] {
        let ran = rehearse(LEAVES_A_DRAINER, &["--every-fault", "--faults=start_fails", "-o", format]).exits(9);
        let here: Vec<_> = std::fs::read_dir(ran.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(here.iter().all(|name| name == "s.rhai" || name == ".local"), "{here:?}");
        let file = ran.dir().join(KEPT);
        assert!(file.is_file());
        let said = format!("its shortest story is kept in {}", file.display());
        assert!(ran.stdout.contains(&said) || ran.stderr.contains(&said), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn that_the_script_fails_without_any_fault_is_said() {
    let ran = rehearse("fail(\"at once\")", &["--futures=3"]).succeeds();
    ran.stderr_contains("warning: the script ends so without any fault: failed: at once");
    let ran = rehearse("exit(4)", &["--futures=3"]).succeeds();
    ran.stderr_contains("the script ends so without any fault: exit code 4");
    let ran = rehearse("exit(0)", &["--futures=3"]).succeeds();
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn ctrl_c_ends_a_million_futures_at_once_and_shows_what_was_found_so_far() {
    let shell = Shell::sandbox("default").file("s.rhai", LEAVES_A_DRAINER);
    let shell =
        ["rehearse", "s.rhai", "--futures=1000000", "--jobs=2", "--report=r.html"].into_iter().fold(shell, Shell::arg);
    let mut screen = Screen::open(shell, 120, 60);
    // Enough that some have done harm, and how fast it goes.
    screen.until(|text| {
        text.contains(" of 1000000 futures, ") && text.contains(" per second, about ") && text.contains(" left")
    });
    let told = Instant::now();
    screen.keys(key::CTRL_C);
    let text = screen.until(|text| text.contains("error[interrupted]"));
    assert_eq!(screen.code(), 130, "{text}");
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    let (played, _) = text.split_once(" of 1000000 futures of s.rhai (1000000 from seed 1)").unwrap();
    let played: u64 = played.rsplit(char::is_whitespace).next().unwrap().parse().unwrap();
    let harmful: u64 = {
        let (_, rest) = text.split_once("The script does harm in ").unwrap();
        rest.split_once(&format!(" of {played} futures.")).unwrap().0.parse().unwrap()
    };
    assert!((1..played).contains(&harmful) && played < 1_000_000, "{text}");
    assert!(
        text.contains("hint: what is shown is of the futures that were played until then; there is no report of them")
    );
    assert!(screen.shell.dir().join(KEPT).is_file() && !screen.shell.dir().join("r.html").exists());
}

#[test]
fn what_was_found_until_somebody_stopped_it_is_counted_and_says_what_is_missing() {
    let source = Source::new("s.rhai", LEAVES_A_DRAINER);
    let (subjects, raised) = (subjects(source), Interrupt::default());
    let subjects = Subjects { interrupt: raised.clone(), ..subjects };
    let base = base(&subjects);
    let whole = order(Which::Drawn { seed: 1, count: 200 }, 1);
    // At the second thing that is told: by then some have been played.
    let heard = AtomicUsize::new(0);
    let notices: Notices = Arc::new(move |notice| {
        if matches!(notice, Notice::Progress(_)) && heard.fetch_add(1, Ordering::SeqCst) == 1 {
            raised.raise(2);
        }
    });
    let tally = rehearse_futures(&subjects, &base, &Order { notices, ..whole }).unwrap();
    assert!(tally.futures > 0 && tally.unplayed > 0, "{tally:?}");
    assert_eq!(tally.futures + tally.unplayed, 200);
    assert_eq!(tally.outcomes.values().sum::<u64>(), tally.futures);
    assert!(!tally.shortest.is_empty(), "what does harm is named, with all of its faults");
    let text = serde_json::to_string(&tally).unwrap();
    let shell = Shell::new(&["rehearse", "--merge", "part.json"]).file("part.json", &text);
    let ran = shell.go().exits(9).stdout_contains(&format!("{} of 200 futures of s.rhai", tally.futures));
    ran.stderr_contains(&format!("these are not all futures: {} were not played", tally.unplayed));
}

#[test]
fn futures_in_which_nothing_happens_end_as_well_when_somebody_stops_them() {
    let raised = Interrupt::default();
    let subjects = Subjects { interrupt: raised.clone(), ..subjects(Source::new("s.rhai", "pumps()")) };
    let base = base(&subjects);
    let notices: Notices = Arc::new(move |notice| {
        if matches!(notice, Notice::Progress(_)) {
            raised.raise(2);
        }
    });
    // There is no DDL in this cluster.
    let order = Order { kinds: vec![FaultKind::Ddl], ..order(Which::Drawn { seed: 1, count: 100_000_000 }, 1) };
    let tally = rehearse_futures(&subjects, &base, &Order { notices, ..order }).unwrap();
    assert!(tally.unplayed > 0, "{tally:?}");
}

/// Loops for ever where `until` never becomes true.
fn looks(until: &str) -> String {
    format!(
        "let looks = 0;\nlet begin = now();\nloop {{\n  if pump(\"pump-1\").state == \"offline\" {{ break; }}\n  {until}\n  looks += 1;\n  sleep(\"5s\");\n}}\n"
    )
}

#[test]
fn what_never_ends_is_found_without_any_fault_and_in_every_future() {
    let args = ["--limit=2d", "--futures=10", "--faults=crash,hang,slow_human", "-o"];
    let ran = rehearse(&looks(""), &[&args[..], &["json"]].concat()).exits(9);
    let tally = json(&ran);
    let ended: u64 = tally["outcomes"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(how, _)| *how != "no end")
        .map(|(_, n)| n.as_u64().unwrap())
        .sum();
    assert_eq!(tally["harms"]["no_end"]["script"].as_u64().unwrap(), 10 - ended);
    let story = tally["shortest"].as_array().unwrap().iter().find(|story| story["kind"] == "no_end").unwrap();
    assert_eq!(story["faults"], serde_json::json!([]), "it needs none");
    // It is told as far as futures go.
    let told = rehearse(&looks(""), &[&args[..], &["table"]].concat()).exits(9);
    told.stdout_contains("no_end: the shortest story needs no fault at all")
        .stdout_contains("it goes on after 1d00h of virtual time");
}

#[test]
fn a_verdict_rests_on_no_repetition_however_long_a_loop_looks_at_the_same() {
    for until in ["if looks == 500 { break; }", "if now() - begin > 3000.0 { break; }", "if looks == 5000 { exit(3); }"]
    {
        let ran = rehearse(&looks(until), &["--futures=10", "-o", "json"]);
        assert!(ran.stdout.contains("\"outcomes\"") && !ran.stdout.contains("no_end"), "{until}: {}", ran.stdout);
    }
}

#[test]
fn options_for_futures_are_not_passed_over_in_silence_without_any() {
    for args in [&["--faults=crash"] as &[&str], &["--shard=1/2"], &["--jobs=2"], &["--seed=3"], &["--stories=."]] {
        let ran = rehearse("print(1)", args).exits(2).stderr_contains("--futures");
        no_result(&ran);
    }
}

#[test]
fn the_kinds_of_faults_that_stand_out_in_an_outcome_are_named() {
    let ran = rehearse("confirm(\"ready?\"); nodes();", &["--every-fault"]).succeeds();
    let refused = ran.stdout.lines().find(|line| line.starts_with("refused")).unwrap();
    assert!(refused.contains("human_refuses in "), "{refused}");
    let done = ran.stdout.lines().find(|line| line.starts_with("done")).unwrap();
    assert!(!done.contains("human_refuses"), "{done}");
    let kept = json(&rehearse("confirm(\"ready?\")", &["--every-fault", "-o", "json"]));
    assert!(kept["faults"]["refused"]["human_refuses"].as_u64().unwrap() > 0, "{}", kept["faults"]);
    assert_eq!(kept["faults"]["done"].get("human_refuses"), None);
}
