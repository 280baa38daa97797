//! A story that was kept as a file: told again as it was, or a clear error.

use super::{KEPT, LEAVES_A_DRAINER, no_result, rehearse, rehearse_on};
use crate::harness::{Ran, Shell};
use binlogsh::error::ErrorKind;
use serde_json::{Value as Json, json};

/// A story that a rehearsal has kept, and what it told.
fn kept() -> (String, String) {
    let ran = rehearse(LEAVES_A_DRAINER, &["--every-fault", "--faults=start_fails"]).exits(9);
    let story = std::fs::read_to_string(ran.dir().join(KEPT)).unwrap();
    (story, ran.stdout)
}

fn tell(story: &str, script: &str) -> Ran {
    rehearse_on(Shell::new(&[]).file("story.json", story), script, &["--story", "story.json"])
}

fn edited(story: &str, edit: impl FnOnce(&mut Json)) -> String {
    let mut json = serde_json::from_str(story).unwrap();
    edit(&mut json);
    json.to_string()
}

#[test]
fn a_story_that_was_kept_is_told_again_as_it_was() {
    let (story, told) = kept();
    let (_, shortest) = told.split_once("the shortest story needs").unwrap();
    let again = tell(&story, LEAVES_A_DRAINER).exits(9);
    for line in shortest.lines().skip(1) {
        assert!(again.stdout.contains(line), "no `{line}` in {}", again.stdout);
    }
    assert!(!again.stderr.contains("warning"), "{}", again.stderr);
}

#[test]
fn a_script_that_is_another_by_now_is_a_warning_and_one_that_is_mended_ends_with_0() {
    let (story, _) = kept();
    let other = format!("{LEAVES_A_DRAINER}\n// looked at");
    tell(&story, &other).exits(9).stderr_contains("warning: the script is not as it was when the story was kept");
    let mended = LEAVES_A_DRAINER.replace("something went wrong", "drainer-0 does not come back");
    let ran = tell(&story, &mended).succeeds();
    ran.stderr_contains("not as it was").stderr_contains("unnamed_leftover does not come about any more");
}

#[test]
fn the_parameters_of_a_story_come_from_its_file() {
    let script =
        format!("let text = param(\"text\");\n{}", LEAVES_A_DRAINER.replace("\"something went wrong\"", "text"));
    let args = ["--every-fault", "--faults=start_fails", "--param=text=oh dear"];
    let ran = rehearse(&script, &args).exits(9);
    let story = std::fs::read_to_string(ran.dir().join(KEPT)).unwrap();
    tell(&story, &script).exits(9).stdout_contains("the script fails: oh dear");
    let shell = Shell::new(&[]).file("story.json", &story);
    let named = rehearse_on(shell, &script, &["--story=story.json", "--param=text=drainer-0 is gone"]);
    named.succeeds().stdout_contains("drainer-0 is gone");
}

#[test]
fn a_file_that_is_no_story_is_a_clear_error_before_anything_is_told() {
    let (story, _) = kept();
    let wrong = |text: &str, why: &str| {
        let ran = tell(text, LEAVES_A_DRAINER).fails(ErrorKind::Invalid).stderr_contains("story.json");
        let ran = ran.stderr_contains(why).stderr_contains("hint");
        no_result(&ran);
    };
    for length in [1, story.len() / 3, story.len() - 3] {
        wrong(&story[..length], "cut short");
    }
    wrong("", "it is empty");
    wrong("[]", "this is no story");
    wrong("{}", "missing field `version`");
    wrong(&edited(&story, |json| json["version"] = json!(2)), "version 2");
    wrong(&edited(&story, |json| json["fualts"] = json!([])), "did you mean `faults`?");
    wrong(&edited(&story, |json| json["harm"] = json!("binlog_lots")), "did you mean `binlog_lost`?");
    wrong(&edited(&story, |json| json["faults"][0]["node"] = json!("drainer-9")), "drainer-9");
    wrong(&edited(&story, |json| json["faults"][0]["kind"] = json!("start_fail")), "did you mean `start_fails`?");
    wrong(&edited(&story, |json| json["scenario"]["pumps"][1]["id"] = json!("pump-0")), "pump-0 twice");
    wrong(&edited(&story, |json| json["scenario"]["version"] = json!(9)), "version 9");
    let ran = rehearse_on(Shell::new(&[]), LEAVES_A_DRAINER, &["--story=nowhere.json"]);
    ran.fails(ErrorKind::NotFound).stderr_contains("nowhere.json");
    let ran = rehearse_on(Shell::sandbox("default").file("story.json", &story), "print(1)", &["--story=story.json"]);
    ran.fails(ErrorKind::Invalid).stderr_contains("--story and --sandbox are two clusters");
}

#[test]
fn a_story_can_have_a_report_and_where_it_cannot_be_written_is_found_before() {
    let (story, _) = kept();
    let shell = || Shell::new(&[]).file("story.json", &story);
    let ran = rehearse_on(shell(), LEAVES_A_DRAINER, &["--story=story.json", "--report=story.html"]).exits(9);
    assert!(std::fs::read_to_string(ran.dir().join("story.html")).unwrap().contains("unnamed_leftover"));
    let ran = rehearse_on(shell(), LEAVES_A_DRAINER, &["--story=story.json", "--report=missing/x.html"]);
    let ran = ran.fails(ErrorKind::Local).stderr_contains("cannot write the report missing/x.html");
    no_result(&ran);
}

#[test]
fn a_missing_directory_for_stories_is_found_before_the_work() {
    let begun = std::time::Instant::now();
    let ran = rehearse(LEAVES_A_DRAINER, &["--futures=1000000", "--stories=missing"]).fails(ErrorKind::Local);
    assert!(begun.elapsed().as_secs() < 10);
    no_result(&ran);
    ran.stderr_contains("missing");
}
