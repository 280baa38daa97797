//! `[profiles.NAME.node-control]`: what is wrong in it is an error with its line, before anything is asked.

use crate::harness::Shell;
use binlogsh::error::ErrorKind;

/// The error of a profile with these lines of node control, the first of which is line 4.
fn fails(lines: &str) -> String {
    let text = format!("default-profile = \"a\"\n[profiles.a]\n[profiles.a.node-control]\n{lines}\n");
    let shell = Shell::new(&["--config", "config.toml", "--sandbox"]).file("config.toml", &text);
    shell.eval("1").fails(ErrorKind::Invalid).stderr
}

#[test]
fn what_is_wrong_names_file_line_and_what_to_write() {
    for (lines, says) in [
        ("user = \"tidb\"", "node-control has no `by`"),
        ("by = \"sytemd\"", "config.toml:4: `sytemd` is no preset of node control"),
        ("by = \"systemd-ssh\"\nusr = \"tidb\"", "config.toml:5: node-control has no key `usr`"),
        (
            "by = \"systemd-ssh\"\nnamespace = \"x\"",
            "config.toml:5: `namespace` means nothing to the preset `systemd-ssh`",
        ),
        ("by = \"kubernetes\"\nstop = [\"x\"]", "it is for `commands`"),
        ("by = \"commands\"", "none of the commands `start`, `stop` and `restart`"),
        ("by = \"commands\"\nstart = []", "config.toml:5: the command `start` has no program"),
        (
            "by = \"commands\"\nstart = [\"x\", \"{hots}\"]",
            "config.toml:5: \"{hots}\" has a place `{hots}` that there is not",
        ),
        ("by = \"systemd-ssh\"\nport = 70000", "config.toml:5: `port` takes a number from 1 to 65535"),
        ("by = \"systemd-ssh\"\nsudo = \"no\"", "config.toml:5: `sudo` takes true or false, not"),
        ("by = \"kubernetes\"\nstart-script = \"v3\"", "config.toml:5: `v3` is no start script"),
        ("by = \"commands\"\nstart = [\"x\"]\nends-by = \"kill\"", "config.toml:6: `kill` is no way to end a process"),
        ("by = \"commands\"\nstart = \"rc start\"", "config.toml:5: the command `start` takes a list"),
        ("by = \"systemd-ssh\"\nhost = \"\"", "config.toml:5: it is empty"),
        ("by = \"systemd-ssh\"\nuser = \"-oProxyCommand=x\"", "config.toml:5: `user` is no user's name"),
        ("by = \"systemd\"\nsystemd-mode = \"root\"", "config.toml:5: `root` is no mode of systemd"),
    ] {
        let said = fails(lines);
        assert!(said.contains(says), "{lines}: {said}");
    }
    assert!(fails("by = \"sytemd\"").contains("did you mean `systemd`"));
}

#[test]
fn tiup_needs_a_cluster_of_its_own() {
    let text = "[profiles.a]\npd-urls = \"http://127.0.0.1:1\"\n[profiles.a.node-control]\nby = \"tiup\"\n";
    let shell = Shell::new(&["--config", "config.toml", "--profile", "a"]).file("config.toml", text);
    shell.eval("pumps()").fails(ErrorKind::Invalid).stderr_contains("the profile names no cluster of it");
}

#[test]
fn a_cluster_of_tiup_that_cannot_be_read_is_told_to_whoever_goes_there_and_to_nobody_else() {
    let text = "default-profile = \"a\"\n[profiles.a]\ncluster = \"nope\"\n[profiles.a.node-control]\nby = \"tiup\"\n";
    let shell = || Shell::new(&["--config", "config.toml"]).file("config.toml", text);
    shell().eval("pumps()").fails(ErrorKind::NotFound).stderr_contains("nope");
    shell().arg("--sandbox").eval("1").succeeds();
    shell().arg("runs").go().succeeds();
}
