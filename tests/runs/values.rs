//! `runs()`: the runs as values.

use crate::harness::Shell;
use crate::support::cluster::LiveCluster;

#[test]
fn a_script_sees_what_was_done_and_a_rehearsal_sees_nothing() {
    let cluster = LiveCluster::sample("default");
    let done = Shell::live(&cluster.url()).yes().eval("pause_drainer(\"drainer-0\")").succeeds();
    let home = done.dir().display().to_string();
    let again = || Shell::live(&cluster.url()).env("HOME", &home);
    let code = "let all = runs(); `${all.len()} ${all[0].script} ${all[0].state} ${all[0].changes} ${all[0].in_doubt}`";
    again().eval(code).succeeds().stdout("1 -e done 1 false");
    let script = "//! Looks.\nprint(runs().len());\n";
    let ran = again().file("look.rhai", script).arg("rehearse").arg("look.rhai").arg("--observe=0").go().succeeds();
    assert!(ran.stdout.lines().any(|line| line.trim_end().ends_with('0')), "{}", ran.stdout);
    Shell::sandbox("default").env("HOME", &home).eval("runs().len()").succeeds().stdout("0");
}
