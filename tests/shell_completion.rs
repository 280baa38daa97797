//! Tab in bash, zsh and fish: what is on the screen then, and that nothing else has happened.

use crate::harness::screen::{Screen, key};
use crate::harness::{Ran, Shell, project};
use crate::support::cluster::LiveCluster;
use crate::support::eventually;
use crate::support::tiup::{meta_of, meta_yaml};
use binlogsh::journal::store::Store;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A shell that people type in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Bash,
    Zsh,
    Fish,
}

const SORTS: [Sort; 3] = [Sort::Bash, Sort::Zsh, Sort::Fish];

impl Sort {
    /// What it reads first: the line of the guide, a short prompt, and no more than that.
    fn setting(self) -> (&'static str, &'static str) {
        match self {
            Self::Bash => (
                "rc",
                "stty echo; bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'\n\
                 source <(binlogsh docs --completions bash)\nPS1='$ '\n",
            ),
            Self::Zsh => (
                ".zshrc",
                "unsetopt LIST_AMBIGUOUS PROMPT_SP BEEP; autoload -Uz compinit; compinit -D\n\
                 source <(binlogsh docs --completions zsh)\nPS1='$ '\n",
            ),
            Self::Fish => (
                ".config/fish/config.fish",
                "set -g fish_greeting; set -g fish_autosuggestion_enabled 0; function fish_prompt; echo -n '$ '; end\n\
                 binlogsh docs --completions fish | source\n",
            ),
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Bash => {
                let mut bash = Command::new("bash");
                bash.args(["--noprofile", "--rcfile", "rc", "-i"]);
                bash
            }
            Self::Zsh => {
                let mut zsh = Command::new("zsh");
                zsh.args(["-d", "-i"]);
                zsh
            }
            Self::Fish => {
                let mut fish = Command::new("fish");
                fish.arg("-i");
                fish
            }
        }
    }

    /// The shell at its prompt, in the home of `home`, where our program is called `binlogsh` and `binlogctl`.
    fn open(self, home: Shell) -> Screen {
        let (file, text) = self.setting();
        let home = home.file(file, text);
        let programs = home.dir().join("bin");
        std::fs::create_dir_all(&programs).unwrap();
        // Without it fish has a process of its own make it from all man pages.
        std::fs::create_dir_all(home.dir().join(".local/share/fish/generated_completions")).unwrap();
        for name in ["binlogsh", "binlogctl"] {
            symlink(env!("CARGO_BIN_EXE_binlogsh"), programs.join(name)).unwrap();
        }
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut command = self.command();
        command.current_dir(home.dir()).env_clear().env("HOME", home.dir()).env("PATH", path);
        command.env("TERM", "xterm").env("LANG", "C.UTF-8").env("TZ", "UTC");
        let screen = Screen::of(home, command, 100, 40);
        screen.until(|text| text.ends_with('$'));
        screen
    }
}

/// Does the same in every shell.
fn in_every_shell(home: impl Fn() -> Shell, go: impl Fn(Sort, Tabs)) {
    for sort in SORTS {
        go(sort, Tabs(sort.open(home())));
    }
}

/// Ctrl-U and Ctrl-L: the line, then the screen. Ctrl-C would also take away what is typed right behind it.
const CLEAR: &str = "\x15\x0c";

/// Somebody who types and presses Tab.
struct Tabs(Screen);

impl Tabs {
    /// Types, presses Tab, and sees this line in the end.
    #[track_caller]
    fn becomes(&mut self, typed: &str, line: &str) -> &mut Self {
        self.0.keys(typed).keys(key::TAB);
        self.0.until(|text| text.lines().any(|shown| shown.trim_end() == format!("$ {line}").trim_end()));
        self
    }

    /// Types, presses Tab, and sees each of these.
    #[track_caller]
    fn lists(&mut self, typed: &str, parts: &[&str]) -> &mut Self {
        self.0.keys(typed).keys(key::TAB);
        self.0.until(|text| parts.iter().all(|part| text.contains(part)));
        self
    }

    /// Gives the line up.
    fn gives_up(&mut self) -> &mut Self {
        self.0.keys(CLEAR);
        self.0.until(|text| text == "$");
        self
    }

    /// Lets the shell do it.
    #[track_caller]
    fn shows(&mut self, part: &str) -> &mut Self {
        self.0.keys(key::ENTER);
        self.0.until(|text| text.contains(part) && text.ends_with('$'));
        self
    }
}

/// What the program itself says to a shell that completes `line`: candidates as fish reads them.
fn asked(home: Shell, line: &str) -> Ran {
    let home = line.split(' ').fold(home.arg("--"), Shell::arg);
    let ran = home.env("_BINLOGSH_COMPLETE", "fish").go().succeeds();
    assert_eq!(ran.stderr, "", "{line}");
    ran
}

/// The candidates alone.
fn names(home: Shell, line: &str) -> Vec<String> {
    asked(home, line).stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

fn home() -> Shell {
    Shell::new(&[])
}

/// Every file beneath `dir`, with its bytes.
fn files_beneath(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let beneath = entries.flat_map(|path| match path.is_dir() {
        true => files_beneath(&path),
        false => vec![(path.clone(), std::fs::read(&path).unwrap())],
    });
    let mut files: Vec<_> = beneath.collect();
    files.sort();
    files
}

/// The file of a cluster whose Pumps are called so.
fn scenario_of(ids: &[&str]) -> String {
    let text = std::fs::read_to_string(project("src/sim/samples/no-drainer.json")).unwrap();
    let mut scenario: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pump = |(n, id): (usize, &&str)| serde_json::json!({ "id": id, "address": format!("10.0.1.{}:8250", n + 11), "uptime": "6d", "supervisor": true });
    scenario["pumps"] = ids.iter().enumerate().map(pump).collect();
    scenario.to_string()
}

const SAYS: &str = "let only = param(\"only\", #{ about: \"ids\", default: \"\" });\nprint(`<${only}>`);\n";

#[test]
fn every_shell_completes_commands_scripts_parameters_and_their_values() {
    in_every_shell(home, |_, mut tabs| {
        let line = "binlogsh --sandbox=paused-drainer";
        tabs.becomes("binlogsh --sandbox=pau", line)
            .becomes("reh", &format!("{line} rehearse"))
            .becomes("roll", &format!("{line} rehearse rolling_restart"))
            .becomes("--param on", &format!("{line} rehearse rolling_restart --param only="))
            .lists("pum", &["pump-0", "pump-1", "pump-2"])
            .becomes("1", &format!("{line} rehearse rolling_restart --param only=pump-1"));
    });
}

#[test]
fn a_list_goes_on_behind_its_comma_and_within_quotes() {
    in_every_shell(home, |_, mut tabs| {
        let line = "binlogsh --sandbox run rolling_restart --param";
        tabs.becomes(
            &format!("{line} only=pump-0,drainer-1,pump-2,drai"),
            &format!("{line} only=pump-0,drainer-1,pump-2,drainer-0"),
        )
        .gives_up()
        .becomes(
            &format!("{line} 'only=pump-0,pump-1,drainer-0,drainer-1,pu"),
            &format!("{line} 'only=pump-0,pump-1,drainer-0,drainer-1,pump-2'"),
        );
    });
}

#[test]
fn zsh_and_fish_say_what_a_name_is() {
    for sort in [Sort::Zsh, Sort::Fish] {
        let mut tabs = Tabs(sort.open(home()));
        tabs.lists("binlogsh scripts show ", &["rolling_restart", "Restarts Pumps one after"]);
    }
}

#[test]
fn flags_of_ctl_are_completed_with_one_dash_also_under_the_name_binlogctl() {
    in_every_shell(home, |_, mut tabs| {
        tabs.becomes("binlogsh --sandbox ctl -cm", "binlogsh --sandbox ctl -cmd")
            .becomes("pause-d", "binlogsh --sandbox ctl -cmd pause-drainer")
            .becomes("-node", "binlogsh --sandbox ctl -cmd pause-drainer -node-id")
            .lists("", &["drainer-0", "drainer-1"])
            .gives_up()
            .becomes("binlogctl -cmd=offline-p", "binlogctl -cmd=offline-pump")
            .becomes("-ssl-k", "binlogctl -cmd=offline-pump -ssl-key");
    });
}

#[test]
fn a_file_with_a_blank_in_its_name_is_one_word() {
    in_every_shell(
        || home().file("my script.rhai", SAYS).file("my notes.txt", ""),
        |_, mut tabs| {
            tabs.becomes("binlogsh --sandbox run my", r"binlogsh --sandbox run my\ script.rhai")
                .becomes("--param o", r"binlogsh --sandbox run my\ script.rhai --param only=")
                .becomes("drainer-0,drai", r"binlogsh --sandbox run my\ script.rhai --param only=drainer-0,drainer-1")
                .shows("<drainer-0,drainer-1>");
        },
    );
}

#[test]
fn a_path_from_somebody_s_home_stays_one_and_one_in_quotes_goes_on() {
    in_every_shell(
        || home().file("notes/my.rhai", SAYS).file("notes/other.rhai", SAYS),
        |sort, mut tabs| {
            tabs.becomes("binlogsh run ~/no", "binlogsh run ~/notes/").becomes("m", "binlogsh run ~/notes/my.rhai");
            let (first, then) = match sort {
                // Readline closes the quote when there is one candidate, and takes it away again.
                Sort::Bash => ("\"notes/\"", "notes/my.rhai"),
                Sort::Zsh => ("\"notes/", "\"notes/my.rhai\""),
                Sort::Fish => ("\"notes/", "\"notes/my.rhai\""),
            };
            tabs.gives_up().becomes("binlogsh run \"no", &format!("binlogsh run {first}"));
            tabs.becomes("m", &format!("binlogsh run {then}"));
        },
    );
}

#[test]
fn no_shell_runs_what_an_id_says() {
    let ids = [
        "x$(touch owned)",
        "y`touch owned`",
        "z;touch owned",
        "a b",
        "it's \"q\"",
        "co:lon",
        "no!w",
        "t{1,2}",
        "g*",
        "back\\s",
    ];
    let shell = || home().file("odd.json", &scenario_of(&ids)).file("say.rhai", SAYS);
    in_every_shell(shell, |sort, mut tabs| {
        for id in ids {
            tabs.0.keys(&format!("binlogsh --sandbox=odd.json run say.rhai --param only={}", &id[..1])).keys(key::TAB);
            tabs.shows(&format!("\n<{id}>\n")).gives_up();
        }
        assert!(!tabs.0.shell.dir().join("owned").exists(), "{sort:?}");
    });
}

#[test]
fn what_drives_the_terminal_or_ends_a_line_is_not_offered() {
    let ids = ["new\nline", "tab\tbed", "bell\u{7}", "turn\u{202e}ed", "fine"];
    let shell = home().file("odd.json", &scenario_of(&ids)).file("say.rhai", SAYS).file("two\nlines.rhai", SAYS);
    assert_eq!(names(shell, "binlogsh --sandbox=odd.json run say.rhai --param only="), ["only=fine"]);
    let shell = home().file("two\nlines.rhai", SAYS).file("two.rhai", SAYS);
    assert_eq!(names(shell, "binlogsh run tw"), ["two.rhai"]);
}

#[test]
fn every_place_has_its_names() {
    let config = "[profiles.live]\npd-urls = \"http://a:1\"\nproduction = true\n[profiles.lab]\n";
    let script = "let how = param(\"how\", #{ about: \"in which way\", choices: [\"fast\", \"slow\"], default: \"slow\" });\n\
                  let secret = param(\"word\", #{ about: \"the password\", type: \"secret\" });\n\
                  let sure = param(\"sure\", #{ about: \"whether\", default: false });\n";
    let shell = || home().file(".config/binlogsh/config.toml", config).file("mine.rhai", script).file("mine.txt", "");
    let shell = || shell().file(&meta_yaml("prod"), &meta_of("http://pd:2379")).file(&meta_yaml("prod-eu"), "broken");
    for (line, expected) in [
        ("binlogsh run scale", &["scale_in_to_zero", "scale_out"][..]),
        ("binlogsh run mine", &["mine.rhai"]),
        ("binlogsh check mi", &["mine.rhai"]),
        ("binlogsh run mine.rhai --param ", &["how=", "sure="]),
        ("binlogsh run mine.rhai -p sure=true -p ", &["how="]),
        ("binlogsh run mine.rhai --param how=", &["how=fast", "how=slow"]),
        ("binlogsh run mine.rhai --param sure=", &["sure=false", "sure=true"]),
        ("binlogsh run mine.rhai --param-file wo", &["word="]),
        ("binlogsh run mine.rhai --param-file word=mine.t", &["word=mine.txt"]),
        ("binlogsh run mine.rhai --param-env word=HOM", &["word=HOME"]),
        ("binlogsh rehearse rolling_restart --param takes=3", &["takes=30s", "takes=30m"]),
        ("binlogsh --profile l", &["lab", "live"]),
        ("binlogsh --cluster pro", &["prod", "prod-eu"]),
        ("binlogsh ctl -cluster=pro", &["-cluster=prod", "-cluster=prod-eu"]),
        ("binlogsh run mine.rhai --yes=li", &["--yes=live"]),
        ("binlogsh --sandbox hung", &["hung-drainer"]),
        ("binlogsh rehearse mine.rhai --faults crash,fl", &["crash,flap"]),
        ("binlogsh rehearse mine.rhai --faults -crash,-fl", &["-crash,-flap"]),
        ("binlogsh check --explain undefined_m", &["undefined_module"]),
        ("binlogsh scripts show rolling_restart.r", &[]),
        ("binlogsh scripts copy rol", &["rolling_restart"]),
        ("binlogsh docs last_p", &["last_pump"]),
        ("binlogsh docs pumps::dr", &["pumps::drain"]),
        ("binlogsh docs --completions z", &["zsh"]),
        ("binlogsh runs --state cut", &["cut-off"]),
        ("binlogsh --output jso", &["json", "jsonl"]),
        ("binlogsh run --pd a:1 scale_o", &["scale_out"]),
        ("binlogsh ctl -ca x -profile la", &["lab"]),
        ("binlogsh run --yes scale_o", &["scale_out"]),
        ("binlogsh help rehe", &["rehearse"]),
        ("binlogsh ctl --state=paus", &["--state=pausing", "--state=paused"]),
        ("binlogsh ctl -time-zone Asia/Shang", &["Asia/Shanghai"]),
        ("binlogsh --sandbox=old-records ctl -cmd pause-pump -node-id pump-o", &["pump-old"]),
        ("binlogctl -sandbox=old-records -node-id drainer-o", &["drainer-old"]),
        ("binlogsh run --sandbox=old-records clean_up --param only=pump-o", &["only=pump-old"]),
        ("binlogsh run clean_up --sandbox --param only=pump-o", &[]),
    ] {
        assert_eq!(names(shell(), line), expected, "{line}");
    }
    asked(shell(), "binlogsh --profile li").stdout("live\thttp://a:1, production");
    asked(shell(), "binlogsh --cluster prod").stdout_contains("prod\thttp://pd:2379\nprod-eu\t");
}

#[test]
fn nothing_is_written_and_nothing_said_about_what_cannot_be_read() {
    let shell =
        || home().file(".config/binlogsh/config.toml", "[profiles.live]\nnonsense = 1\n").file("bad.rhai", "let let");
    for line in [
        "binlogsh --profile ",
        "binlogsh run rolling_restart --param only=",
        "binlogsh ctl -node-id ",
        "binlogsh runs show 2",
        "binlogsh run bad.rhai --param o",
        "binlogsh --config nowhere.toml run rolling_restart --param only=",
        "binlogsh --sandbox=nothing run rolling_restart --param only=",
        "binlogsh --param x run rolling_restart --param only=",
        "binlogsh rehearse rolling_restart --story 2",
    ] {
        let shell = shell();
        let before = files_beneath(shell.dir());
        let ran = asked(shell, line).stdout("");
        assert_eq!(files_beneath(ran.dir()), before, "{line}");
    }
    // What is no shell of ours is no reason to say something either.
    let ran = Shell::new(&["--", "binlogsh", ""]).env("_BINLOGSH_COMPLETE", "csh").go().exits(1).stdout("");
    assert_eq!(ran.stderr, "");
    Shell::sandbox("default").env("COMPLETE", "bash").eval("1 + 1").succeeds().stdout("2");
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
    for line in [
        "binlogsh --config pipe --profile ",
        "binlogsh run ./pipe --param ",
        "binlogsh --sandbox=./pipe run rolling_restart --param only=",
    ] {
        let shell = home();
        mknodat(CWD, shell.dir().join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        asked(shell, line).stdout("");
    }
}

#[test]
fn runs_are_offered_by_their_ids_with_what_became_of_them_and_the_store_is_only_read() {
    let (cluster, data) = (LiveCluster::sample("default"), tempfile::tempdir().unwrap());
    let with_data = |shell: Shell| shell.env("XDG_DATA_HOME", &data.path().display().to_string());
    let ran = |name: &str, text: &str| with_data(Shell::live(&cluster.url())).yes().file(name, text).run(name, &[]);
    ran("all.rhai", "step(\"one\", || pause_drainer(\"drainer-1\", #{ wait: \"30s\" }));").succeeds();
    // While somebody has the store open, the second run stands in its log alone.
    let open = Store::open(&data.path().join("binlogsh/runs.db")).unwrap();
    ran("half.rhai", "step(\"one\", || pause_drainer(\"drainer-0\", #{ wait: \"30s\" })); throw \"enough\";").exits(1);
    let look = || {
        let before = files_beneath(data.path());
        let found = |line: &str| asked(with_data(home()), line).stdout;
        let shown = found("binlogsh runs show 2");
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains("\thalf.rhai: failed, 1 change"), "{shown}");
        assert!(lines[1].contains("\tall.rhai: done, 1 change"), "{shown}");
        for line in ["binlogsh runs resume 2", "binlogsh runs abandon 2"] {
            assert_eq!(found(line).trim_end(), lines[0], "{line}");
        }
        assert_eq!(found("binlogsh runs show x"), "");
        assert!(files_beneath(data.path()) == before, "the store was written to");
        before.len()
    };
    let files = look();
    drop(open);
    assert!(look() < files, "there was no log");
}

#[test]
fn the_nodes_of_the_cluster_are_offered_that_the_line_or_a_profile_names() {
    let cluster = LiveCluster::sample("default");
    let config = format!("[profiles.lab]\npd-urls = \"{}\"\n", cluster.url());
    let shell = || home().file(".config/binlogsh/config.toml", &config);
    for (line, expected) in [
        (format!("binlogsh --pd-urls {} run rolling_restart --param only=pump-", cluster.url()), "only=pump-1"),
        (format!("binlogsh run rolling_restart --pd {} --param only=pump-", cluster.url()), "only=pump-1"),
        ("binlogsh --profile lab run decommission_pump --param pump=".into(), "pump=pump-1"),
        ("binlogsh ctl -profile=lab -cmd pause-drainer -node-id ".into(), "drainer-1"),
    ] {
        // A machine that does many other things may not answer in time.
        let answers = || names(shell(), &line).iter().any(|name| name == expected);
        assert!(eventually(Duration::from_secs(30), answers), "{line}");
    }
}

#[test]
fn a_silent_cluster_takes_nothing_away_but_its_nodes() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("binlogsh --pd-urls http://{} run rolling_restart --param", silent.local_addr().unwrap());
    in_every_shell(home, |_, mut tabs| {
        tabs.0.keys(&format!("{line} only=")).keys(key::TAB);
        tabs.becomes(" --param ti", &format!("{line} only= --param timeout="));
        assert!(!tabs.0.text().contains("pump-"), "{}", tabs.0.text());
    });
}
