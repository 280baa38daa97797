use super::*;
use std::path::PathBuf;

fn parsed(line: &[&str]) -> Cli {
    let args = std::iter::once("binlogsh").chain(line.iter().copied()).map(OsString::from);
    parse(args).unwrap()
}

fn refused(line: &[&str]) -> Instead {
    let args = std::iter::once("binlogsh").chain(line.iter().copied()).map(OsString::from);
    parse(args).unwrap_err()
}

fn script(path: &str) -> Option<Command> {
    Some(Command::Run(Run { script: Some(path.into()), ..Run::default() }))
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_sandbox_may_have_a_name_or_a_file_or_neither() {
    let sandbox = |line: &[&str]| {
        let cli = parsed(line);
        (cli.global.sandbox.unwrap_or_default(), cli.command, cli.codes.eval)
    };
    let none = || (None, vec![]);
    let with = |name: &str, (command, eval): (Option<Command>, Vec<String>)| (name.to_owned(), command, eval);
    assert_eq!(sandbox(&["--sandbox"]), with("default", none()));
    assert_eq!(sandbox(&["--sandbox", "paused-drainer"]), with("paused-drainer", none()));
    assert_eq!(sandbox(&["--sandbox", "run", "x.rhai"]), with("default", (script("x.rhai"), vec![])));
    assert_eq!(sandbox(&["--sandbox=run", "run", "x.rhai"]), with("run", (script("x.rhai"), vec![])));
    assert_eq!(sandbox(&["--sandbox=my.toml", "run", "x.rhai"]), with("my.toml", (script("x.rhai"), vec![])));
    assert_eq!(sandbox(&["--sandbox", "my.toml", "run", "x.rhai"]), with("my.toml", (script("x.rhai"), vec![])));
    assert_eq!(sandbox(&["--sandbox", "-e", "1"]), with("default", (None, vec!["1".into()])));
    assert_eq!(sandbox(&["-e", "--sandbox", "--sandbox", "a"]), with("a", (None, vec!["--sandbox".into()])));
    assert_eq!(sandbox(&["--profile", "p", "--sandbox", "a"]), with("a", none()));
    assert_eq!(sandbox(&["run", "--sandbox", "x.rhai"]), with("default", (script("x.rhai"), vec![])));
    assert_eq!(sandbox(&["run", "x.rhai", "--sandbox=a"]), with("a", (script("x.rhai"), vec![])));
}

#[test]
fn yes_may_name_a_profile() {
    assert_eq!(parsed(&["--yes"]).global.yes, Some(None));
    assert_eq!(parsed(&["run", "x", "--yes=live"]).global.yes, Some(Some("live".into())));
    assert_eq!(parsed(&["--yes", "run", "x"]).command, script("x"));
    assert_eq!(refused(&["--yes", "--read-only"]).exit_code, 2);
}

#[test]
fn run_takes_parameters_and_its_help_is_the_script_s() {
    let cli = parsed(&["run", "-", "--param", "only=pump-1", "-p", "text=a=b", "--help"]);
    let params = vec![("only".into(), "pump-1".into()), ("text".into(), "a=b".into())];
    assert_eq!(cli.command, Some(Command::Run(Run { script: Some("-".into()), params, help: true, ..Run::default() })));
    assert!(refused(&["run", "--help"]).was_asked_for());
    assert_eq!(refused(&["run"]).exit_code, 2);
    assert!(refused(&["run", "x", "--param", "only"]).text.contains("NAME=VALUE"));
    assert!(help_of("run", false).contains("--param"));
}

#[test]
fn the_short_help_has_a_line_for_each_flag_and_the_long_one_says_more() {
    for line in [&["-h"][..], &["run", "-h"], &["rehearse", "-h"], &["doctor", "-h"], &["test", "-h"], &["check", "-h"]]
    {
        let help = refused(line);
        assert!(help.was_asked_for(), "{line:?}");
        let options = help.text.lines().skip_while(|line| *line != "Options:");
        let wrapped: Vec<&str> = options.filter(|line| line.starts_with("          ")).collect();
        assert!(wrapped.is_empty(), "{line:?}: {wrapped:#?}");
    }
    let (short, long) = (refused(&["rehearse", "-h"]).text, refused(&["rehearse", "--help"]).text);
    assert!(long.lines().count() > short.lines().count() + 20, "{short}");
}

#[test]
fn a_parameter_given_as_a_flag_is_shown_as_it_is_given() {
    let tip = |line: &[&str]| refused(line).text;
    assert!(tip(&["rehearse", "x", "--window", "5m"]).contains("'--param window=5m'"));
    assert!(tip(&["run", "x.rhai", "--only-one=pump-1"]).contains("'--param only_one=pump-1'"));
    assert!(tip(&["run", "x.rhai", "--loud"]).contains("'--param loud=VALUE'"));
    assert!(!tip(&["doctor", "--loud"]).contains("--param"));
}

#[test]
fn a_script_in_the_place_of_a_command_is_shown_as_it_is_run() {
    let tip = |word: &str| refused(&[word]).text;
    assert!(tip("v4.rhai").contains("'binlogsh run v4.rhai'"), "{}", tip("v4.rhai"));
    assert!(tip("./docs").contains("'binlogsh run ./docs'"), "{}", tip("./docs"));
    assert!(tip("rolling_restart").contains("'binlogsh run rolling_restart'"));
    assert!(tip("dctor").contains("doctor") && !tip("dctor").contains("run dctor"));
}

#[test]
fn everything_behind_ctl_belongs_to_it() {
    let flags = |line: &[&str]| Some(Command::Ctl { flags: line.iter().map(OsString::from).collect() });
    assert_eq!(parsed(&["ctl", "-cmd", "pumps", "--output", "x"]).command, flags(&["-cmd", "pumps", "--output", "x"]));
    assert_eq!(parsed(&["ctl", "-help"]).command, flags(&["-help"]));
    assert_eq!(parsed(&["ctl", "-V"]).command, flags(&["-V"]));
    assert_eq!(parsed(&["ctl"]).command, flags(&[]));
    assert_eq!(parsed(&["-vocsv", "ctl", "--pd-urls=x", "-cmd=pumps"]).command, flags(&["--pd-urls=x", "-cmd=pumps"]));
    assert_eq!(parsed(&["-vo", "csv", "--sandbox", "x", "ctl", "--read-only"]).command, flags(&["--read-only"]));
    assert_eq!(refused(&["-o", "ctl", "--pd-urls=x"]).exit_code, 2);
    let linked = parse(["/usr/bin/binlogctl", "-cmd=pumps", "--sandbox"].map(OsString::from)).unwrap();
    assert_eq!(linked.command, flags(&["-cmd=pumps", "--sandbox"]));
}

#[test]
fn what_is_wrong_is_told_with_exit_code_2_and_what_was_asked_for_with_0() {
    let wrong = refused(&["--ouput", "json"]);
    assert!(wrong.text.contains("--output") && !wrong.was_asked_for(), "{}", wrong.text);
    assert!(refused(&["-o", "jsn"]).text.contains("json"));
    assert!(refused(&["-e", "1", "docs"]).text.contains("cannot stand together"));
    let help = refused(&["--help"]);
    assert!(help.text.contains("--sandbox[=<NAME|FILE>]") && help.was_asked_for(), "{}", help.text);
    assert_eq!(refused(&["--version"]).text, format!("binlogsh {BUILD}"));
}

#[test]
fn an_option_counts_before_a_command_and_behind_it_and_two_that_differ_are_refused() {
    let urls = |line: &[&str]| parsed(line).global.pd_urls;
    assert_eq!(urls(&["--pd-urls", "a:1", "run", "x"]).as_deref(), Some("a:1"));
    assert_eq!(urls(&["run", "x", "--pd-urls", "a:1"]).as_deref(), Some("a:1"));
    assert_eq!(urls(&["--pd", "a:1", "runs", "show", "x", "--pd-urls", "a:1"]).as_deref(), Some("a:1"));
    for line in [
        &["--pd-urls", "a:1", "run", "x", "--pd-urls", "b:1"][..],
        &["--profile=a", "runs", "show", "x", "--profile=b"],
        &["--yes", "run", "x", "--yes=live"],
    ] {
        let text = refused(line).text;
        assert!(text.contains("is given twice, before the command and behind it"), "{line:?}: {text}");
    }
}

#[test]
fn options_that_say_different_things_are_refused_wherever_they_stand() {
    for line in [
        &["--read-only", "run", "x", "--yes"][..],
        &["--yes", "run", "x", "--read-only"],
        &["--sandbox", "run", "x", "--pd-urls", "a:1"],
        &["--pd-urls", "a:1", "run", "x", "--sandbox"],
        &["--sandbox", "--ca", "ca.pem", "-e", "1"],
        &["--output", "json", "check", "x", "--sarif"],
    ] {
        assert_eq!(refused(line).exit_code, 2, "{line:?}");
    }
}

#[test]
fn check_takes_files_or_explains() {
    let check = |line: &[&str]| match parsed(line).command {
        Some(Command::Check(check)) => check,
        _ => Check::default(),
    };
    assert_eq!(check(&["check", "a", "-", "--fix"]).files, [PathBuf::from("a"), "-".into()]);
    assert_eq!(check(&["check", "--explain"]).explain, Some(None));
    assert_eq!(check(&["check", "--explain", "missing_header"]).explain, Some(Some("missing_header".into())));
    assert_eq!(refused(&["check"]).exit_code, 2);
    assert_eq!(refused(&["check", "a", "--sarif", "--output", "json"]).exit_code, 2);
}

#[test]
fn help_is_a_command_as_well() {
    let text = |args: &[&str]| {
        let instead = parse(["binlogsh"].iter().chain(args).map(OsString::from)).unwrap_err();
        assert_eq!(instead.exit_code, 0);
        instead.text
    };
    assert_eq!(text(&["help"]), text(&["--help"]));
    assert_eq!(text(&["help", "run"]), text(&["run", "--help"]));
    assert_eq!(text(&["help", "scripts", "copy"]), text(&["scripts", "copy", "--help"]));
}
