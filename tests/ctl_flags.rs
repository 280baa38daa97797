//! `ctl`, and the program under the name `binlogctl`: flags, lines and exit codes.

use crate::harness::{Ran, Shell};
use std::os::unix::fs::symlink;

fn ctl(args: &[&str]) -> Ran {
    let shell = args.iter().fold(Shell::new(&["ctl"]), |shell, arg| shell.arg(*arg));
    shell.go()
}

#[test]
fn a_bad_flag_is_exit_2_with_go_s_words() {
    let ran = ctl(&["-frob", "x"]).exits(2).stderr_contains("flag provided but not defined: -frob");
    assert!(ran.stderr.contains("Usage of binlogctl:") && ran.stdout.is_empty());
}

#[test]
fn help_and_version_are_exit_0() {
    ctl(&["-help"]).succeeds().stderr_contains("-show-offline-nodes");
    ctl(&["-V"]).succeeds().stdout_contains("Release Version: ");
}

#[test]
fn flags_that_cannot_be_used_are_exit_2_with_a_line_on_standard_output() {
    for args in [&["pumps"][..], &["-pd-urls", "nowhere"], &["-ssl-cert", "a.pem"], &["-ssl-ca", "/nope.pem"]] {
        ctl(args).exits(2).stdout_contains("[ERROR] [main.go:43] [\"parse cmd flags\"] [error=");
    }
}

#[test]
fn a_cluster_that_does_not_answer_is_told_in_binlogctl_s_words() {
    let ran = ctl(&["-cmd", "drainers", "-pd-urls", "http://127.0.0.1:9"]).exits(1);
    let line =
        "[FATAL] [main.go:75] [\"fail to execute command\"] [command=drainers] [error=\"context deadline exceeded\"]";
    assert!(ran.stdout.trim_end().ends_with(line), "{}", ran.stdout);
    assert!(ran.stderr.contains("127.0.0.1:9"), "{}", ran.stderr);
}

#[test]
fn an_unknown_command_is_exit_1() {
    ctl(&["-cmd", "frobnicate"]).exits(1).stdout_contains("[error=\"cmd frobnicate not supported\"]");
}

#[test]
fn a_text_to_encrypt_comes_from_standard_input_and_shows_nowhere() {
    let shell = Shell::new(&["ctl", "-cmd", "encrypt"]).env("BINLOG_SECRET_KEY", "00112233445566778899aabbccddeeff");
    let ran = shell.pipe("hush\nnext").succeeds().stdout_contains("[\"encrypt text\"] [encrypted=");
    assert!(!ran.stdout.contains("hush") && !ran.stderr.contains("hush"));
    let public = Shell::new(&["ctl", "-cmd", "encrypt", "-text", "x"]).go();
    public.succeeds().stderr_contains("warning: public_key");
}

#[test]
fn an_unknown_guard_to_force_is_exit_2() {
    let shell = Shell::new(&["ctl", "-cmd", "encrypt", "-text", "x"]).env("BINLOGSH_FORCE", "publik_key");
    shell.go().exits(2).stderr_contains("did you mean `public_key`?");
}

#[test]
fn under_the_name_of_binlogctl_it_is_binlogctl() {
    let shell = Shell::new(&["-cmd=frobnicate"]);
    let link = shell.dir().join("binlogctl");
    symlink(env!("CARGO_BIN_EXE_binlogsh"), &link).unwrap();
    let output = shell.command_as(&link).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("cmd frobnicate not supported"));
}
