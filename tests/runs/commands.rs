//! `runs show`, `abandon`, `export`, `import`, `prune`.

use super::*;
use binlogsh::error::ErrorKind;

#[test]
fn a_run_moves_to_another_data_directory_and_goes_on_there() {
    let place = Place::new();
    place.cut_off();
    place.say_go();
    let (id, file) = (place.id(), place.dir.path().join("run.json"));
    let file = file.display().to_string();
    place.runs(&["export", &id, &file]).go().succeeds().stderr_contains("abandon it here");
    place.runs(&["export", &id, &file]).go().fails(ErrorKind::Conflict).stderr_contains("is not there yet");
    let other = tempfile::tempdir().unwrap();
    let runs = |args: &[&str]| {
        args.iter().fold(place.shell_with(other.path()).yes().arg("runs"), |shell, arg| shell.arg(*arg)).go()
    };
    runs(&["import", &file]).succeeds().stderr_contains(&format!("runs resume {id}"));
    runs(&["import", &file]).succeeds();
    runs(&["resume", &id]).succeeds().stdout_contains("all is done");
    assert_eq!(place.told_to_pause(), 2);
    runs(&[]).succeeds().stdout_contains("done");
    place.runs(&["abandon", &id, "--why", "moved"]).go().succeeds();
    place.resume().fails(ErrorKind::Refused).stderr_contains("abandoned: moved");
}

#[test]
fn the_list_of_runs_and_a_run_fit_every_screen() {
    let place = Place::new();
    place.shell().yes().eval(r#"pause_pump("pump-1", #{ wait: "30s" })"#).succeeds();
    let id = place.id();
    for columns in ["120", "80", "60", "40"] {
        for args in [&[][..], &["show", &id]] {
            let shown = place.runs(args).env("COLUMNS", columns).go().succeeds().stdout;
            let wide = shown.lines().find(|line| line.chars().count() > columns.parse().unwrap());
            assert_eq!(wide, None, "wider than {columns}: {shown}");
        }
    }
    let narrow = place.runs(&[]).env("COLUMNS", "80").go().succeeds().stdout;
    assert_eq!(narrow.lines().count(), 2, "a table still, without the cluster that all have: {narrow}");
    let table = place.runs(&[]).go().succeeds().stdout;
    let (names, row) = table.trim_end().split_once('\n').unwrap();
    let end = |line: &str, part: &str| line.find(part).unwrap() + part.len();
    let age = row.split_whitespace().find(|word| word.ends_with('s') && word.contains('.')).unwrap();
    assert_eq!(end(names, " age"), end(row, &format!(" {age}")), "ages stand to the right: {table}");
}

#[test]
fn what_was_typed_and_ctl_did_can_be_read_afterwards() {
    let place = Place::new();
    place.shell().yes().eval(r#"pumps(); pause_pump("pump-1", #{ wait: "30s" })"#).succeeds();
    let id = place.id();
    let shown = place.runs(&["show", &id[..15]]).go().succeeds();
    shown.stdout_contains("of -e").stdout_contains("pause pump pump-1").stdout_contains("(by --yes)");
    let shown = place.runs(&["show", &id, "-o", "json"]).go().succeeds();
    let run: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(run["kind"], "prompt");
    assert_eq!(run["entries"].as_array().unwrap().len(), 1, "no reads: {}", shown.stdout);
    place.resume().fails(ErrorKind::Refused).stderr_contains("is no script's");
    let url = place.cluster.url();
    let ctl = |shell: Shell| {
        shell.arg("ctl").arg("-pd-urls").arg(&url).arg("-cmd").arg("pause-drainer").arg("-node-id").arg("drainer-1")
    };
    ctl(place.shell()).go().succeeds();
    place.runs(&[]).go().succeeds().stdout_contains("ctl");
}

#[test]
fn whoever_stops_a_script_is_told_what_it_leaves_out_of_work() {
    let place = Place::new();
    let said = place.stop();
    let of =
        |text: &str| said.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {said:?}"));
    let left = of("out of work through this run: drainer-1 is paused");
    assert!(of("error[interrupted]") < left && left < of("to go on with it: binlogsh --pd-urls "), "{said:?}");
    let shown = place.runs(&["show", &place.id()]).go().succeeds();
    shown.stdout_contains("out of work through it: drainer-1 is paused");
    place.say_go();
    let id = place.id();
    let done = place.resume().succeeds().stderr_contains(&format!("done: 2 changes, kept as the run {id}"));
    done.stderr_contains("out of work through this run: drainer-1 is paused; drainer-0 is paused");
    let shown = place.runs(&["show", &place.id(), "-o", "json"]).go().succeeds();
    let run: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(run["out_of_work"], serde_json::json!(["drainer-1 is paused", "drainer-0 is paused"]));
}

#[test]
fn in_a_sandbox_it_is_said_as_well_and_of_looking_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        let file = dir.path().join("work.rhai");
        std::fs::write(&file, text).unwrap();
        Shell::sandbox("default").yes().arg("run").arg(file.display().to_string()).go()
    };
    let failed = run("//! x\npause_pump(\"pump-1\", #{ wait: \"1m\" }); pause_drainer(\"drainer-0\"); fail(\"no\")");
    failed
        .fails(ErrorKind::Failed)
        .stderr_contains("out of work through this run: pump-1 is paused; drainer-0 is paused");
    let done = run(
        "//! x\npause_pump(\"pump-1\", #{ wait: \"1m\" });\nmanual(\"go\", #{ starts: [\"pump-1\"] }); wait_for(\"pump-1\", \"online\", \"1m\");",
    );
    let said = done.succeeds().stderr;
    assert!(said.ends_with("done: 1 change, 1 task by hand\n"), "{said}");
    assert!(!run("//! x\npumps();").succeeds().stderr.contains("done"));
}

#[test]
fn a_run_that_is_going_on_is_not_abandoned() {
    let place = Place::new();
    let (mut child, _) = place.half_way();
    let (id, abandon) = (place.id(), || place.runs(&["abandon", &place.id(), "--why", "enough"]).go());
    abandon().fails(ErrorKind::Locked).stderr_contains(&format!("the run {id} is going on: process {}", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    abandon().succeeds();
}

#[test]
fn looking_keeps_no_run() {
    let place = Place::new();
    place.shell().eval("pumps().len()").succeeds();
    place.runs(&[]).go().succeeds();
    assert!(!place.dir.path().join("binlogsh").exists(), "nothing was written");
}

#[test]
fn ctl_goes_on_where_nothing_can_be_kept_and_a_script_does_not_begin() {
    let place = Place::new();
    let data = place.dir.path().join("binlogsh");
    std::fs::write(&data, "a file where the directory should be").unwrap();
    let url = place.cluster.url();
    let ctl =
        place.shell().arg("ctl").arg("-pd-urls").arg(&url).arg("-cmd").arg("pause-pump").arg("-node-id").arg("pump-1");
    ctl.go().succeeds().stderr_contains("this is not kept among the runs");
    place.say_go();
    let before = place.told_to_pause();
    place.work().go().fails(ErrorKind::Local).stderr_contains("binlogsh");
    assert_eq!(place.told_to_pause(), before);
}

#[test]
fn old_runs_are_pruned_and_a_cut_off_one_is_not() {
    let place = Place::new();
    place.cut_off();
    place.shell().yes().eval(r#"pause_pump("pump-1")"#).fails(ErrorKind::Locked);
    place.shell().yes().arg("--wait-lock=2m").eval(r#"pause_pump("pump-1")"#).succeeds();
    place.runs(&["prune", "--older-than", "90d"]).go().succeeds().stderr_contains("removed 0 runs");
    place.runs(&["prune", "--older-than", "0s"]).go().succeeds().stderr_contains("removed 1 run ");
    place.runs(&[]).go().succeeds().stdout_contains("cut-off");
    place.runs(&["prune", "--older-than", "long"]).go().fails(ErrorKind::Invalid).stderr_contains("--older-than");
    place.runs(&["show", "2099"]).go().fails(ErrorKind::NotFound).stderr_contains("there is no run `2099`");
    place
        .runs(&["abandon", &place.id(), "--why", " "])
        .go()
        .fails(ErrorKind::Invalid)
        .stderr_contains("--why says nothing");
}
