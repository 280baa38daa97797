//! Configuration as the program reads it.

use crate::harness::Shell;
use binlogsh::error::ErrorKind;

/// A program with this configuration in its usual place.
fn configured(text: &str, args: &[&str]) -> Shell {
    Shell::new(args).file(".config/binlogsh/config.toml", text)
}

#[test]
fn a_misspelt_key_is_told_with_its_line_and_the_nearest_name() {
    configured("[profiles.live]\nprodution = true\n", &[])
        .eval("1")
        .fails(ErrorKind::Invalid)
        .stderr_contains("config.toml:2: profile `live` has no key `prodution`")
        .stderr_contains("did you mean `production`?");
}

#[test]
fn a_profile_says_where_the_cluster_is_and_how_results_look() {
    let text = "[profiles.live]\npd-urls = \"http://127.0.0.1:9\"\noutput = \"csv\"\n";
    configured(text, &["--profile", "live"]).eval("#{ a: 1 }").succeeds().stdout("a\n1");
    configured(text, &["--profile", "live"])
        .eval("pumps()")
        .fails(ErrorKind::Unreachable)
        .stderr_contains("127.0.0.1:9");
    configured(text, &["--profile", "live", "-o", "json"]).eval("1").succeeds().stdout("1");
    configured(text, &[]).env("BINLOGSH_PROFILE", "live").eval("1").succeeds().stdout("value\n1");
}

#[test]
fn an_unknown_profile_names_the_nearest() {
    configured("[profiles.live]\n", &["--profile", "lvie"])
        .eval("1")
        .fails(ErrorKind::Invalid)
        .stderr_contains("did you mean `live`?");
}

#[test]
fn a_file_that_was_named_must_be_there_and_the_usual_one_need_not() {
    Shell::sandbox("default").eval("1").succeeds();
    Shell::sandbox("default").arg("--config").arg("nope.toml").eval("1").fails(ErrorKind::NotFound);
    Shell::sandbox("default").env("BINLOGSH_CONFIG", "nope.toml").eval("1").fails(ErrorKind::NotFound);
}

#[test]
fn ctl_reads_no_profile() {
    let text = "default-profile = \"live\"\n[profiles.live]\npd-urls = \"http://127.0.0.1:10\"\n";
    configured(text, &["ctl", "-cmd", "pumps", "-pd-urls", "http://127.0.0.1:9"])
        .go()
        .exits(1)
        .stderr_contains("127.0.0.1:9");
    configured("not toml", &["ctl", "-V"]).go().succeeds();
}

#[test]
fn a_yes_for_a_profile_that_is_not_used_is_refused() {
    let text = "[profiles.live]\n[profiles.test]\n";
    for args in [&["--yes=foo"][..], &["--yes=live", "--profile", "test"], &["--yes=foo", "--sandbox"]] {
        configured(text, args)
            .eval("1")
            .fails(ErrorKind::Invalid)
            .stderr_contains("names a profile that is not used")
            .stderr_contains("--profile ");
    }
    configured(text, &["--yes=live", "--profile", "live"]).eval("1").succeeds().stdout("1");
    configured(text, &["--yes=foo"]).arg("doctor").go().exits(3).stderr_contains("--yes=foo");
}
