//! Every file that the program writes, whatever stands in its way: it is there whole, or as it was, and whoever wanted it is told.
//!
//! Of the pairs of a file and a way of failing every fourth is tried, under `BINLOGSH_SOAK` all of them.

mod at_once;
mod odd;
mod prompt;
mod refused;
mod store;

use crate::harness::{Ran, Shell, project};
use crate::support::cluster::LiveCluster;
use crate::support::is_soak;
use binlogsh::error::ErrorKind;
use std::path::{Path, PathBuf};

/// How it is told that a file could not be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    /// The command ends with an error, before it does anything if it can be known then.
    Error,
    /// A test that fails, as others do.
    Verdict,
    /// A warning, and the work goes on: what is remembered is a convenience.
    Warning,
}

/// A command line that writes a file.
struct Writer<'a> {
    around: &'a Around,
    name: &'static str,
    args: Vec<String>,
    /// The file, from the home.
    path: &'static str,
    /// What stands there before.
    old: String,
    /// Whether it may take the place of another.
    replaces: bool,
    failing: Failing,
    /// Whether it reads that file first.
    reads: bool,
    /// How it ends where all is well.
    code: i32,
    /// What it says on standard output also where the file cannot be written in the end.
    tells: &'static str,
    is_whole: IsWhole,
}

/// Whether a text is all that is written.
type IsWhole = fn(&str) -> bool;

impl<'a> Writer<'a> {
    fn new(around: &'a Around, name: &'static str, args: &[&str], path: &'static str, is_whole: IsWhole) -> Self {
        Self {
            around,
            name,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            path,
            old: "old\n".repeat(1000),
            replaces: true,
            failing: Failing::Error,
            reads: false,
            code: 0,
            tells: "",
            is_whole,
        }
    }

    /// In a home that has what it needs, and nothing where it writes but its directory.
    fn shell(&self) -> Shell {
        let mut shell = Shell::new(&[]).file("s.rhai", "print(\"looked\"); 1").file("here/other", "");
        shell = shell.file("s_test.rhai", "fn test_it(t) { t.run(\"s.rhai\"); t.expect_ok(); }");
        shell = shell.file("here/own_test.rhai", "fn test_it(t) { t.run(\"../s.rhai\"); t.expect_story(); }");
        shell = shell.file("harm.rhai", "for p in pumps() { pause_pump(p, #{ force: [\"last_pump\"] }); }");
        if self.reads {
            shell = shell.file(self.path, &self.old);
        }
        let shell = self.args.iter().fold(shell, |shell, arg| shell.arg(arg));
        let path = shell.dir().join(self.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.prepare(shell)
    }

    /// What stands outside the command line.
    fn prepare(&self, shell: Shell) -> Shell {
        let url = self.around.cluster.url();
        let config = format!("default-profile = \"here\"\n[profiles.here]\npd-urls = \"{url}\"\n");
        let shell = shell.file(".config/binlogsh/config.toml", &config);
        let shell = if self.name == "savepoint" { shell.env("BINLOGSH_FORCE", "exists") } else { shell };
        let to = shell.dir().join(".local/share/binlogsh");
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(self.around.store.dir().join(".local/share/binlogsh")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        shell
    }

    /// The same, with the old file.
    fn with_old(&self) -> Shell {
        let shell = self.shell();
        shell.file(self.path, &self.old)
    }
}

/// A cluster, and a store with a run of it.
struct Around {
    cluster: LiveCluster,
    store: Ran,
    run: String,
}

impl Around {
    fn new() -> Self {
        let cluster = LiveCluster::sample("default");
        let store = Shell::live(&cluster.url()).yes().eval("generate_meta(#{ data_dir: \"here\" })").succeeds();
        let home = store.dir().display().to_string();
        let listed = Shell::new(&["runs", "-o", "json"]).env("HOME", &home).go().succeeds().stdout;
        let rows: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let run = rows[0]["id"].as_str().unwrap().to_owned();
        Self { cluster, store, run }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object())
}

/// Every command line that writes a file of its own.
fn writers(around: &Around) -> Vec<Writer<'_>> {
    [rehearsed(around), of_scripts(around), of_clusters(around)].into_iter().flatten().collect()
}

/// What comes of rehearsals and tests.
fn rehearsed(around: &Around) -> Vec<Writer<'_>> {
    let new = |name, args: &[&str], path, is_whole: IsWhole| Writer::new(around, name, args, path, is_whole);
    let rehearse = |option: &'static str, is_whole: IsWhole| {
        let writer = new(option, &["--sandbox", "rehearse", "s.rhai", option, "here/out"], "here/out", is_whole);
        Writer { tells: "looked", ..writer }
    };
    let stories = ["--sandbox", "rehearse", "harm.rhai", "--futures", "1", "--stories", "here"];
    let update = ["test", "--update", "here/own_test.rhai"];
    vec![
        Writer {
            tells: "1 passed",
            ..new("junit", &["test", "s_test.rhai", "--junit", "here/out"], "here/out", |text| {
                text.trim_end().ends_with("</testsuites>")
            })
        },
        rehearse("--plan", is_json),
        Writer { tells: "", ..rehearse("--save-snapshot", is_json) },
        rehearse("--report", |text| text.trim_end().ends_with("</html>")),
        Writer {
            code: 9,
            tells: "tidb_blocked",
            ..new("stories", &stories, "here/harm.tidb_blocked.story.json", is_json)
        },
        Writer {
            tells: "1 failed",
            failing: Failing::Verdict,
            reads: true,
            ..new("test --update", &update, "here/snapshots/own_test.test_it.story", |text| {
                text.contains("looked") && text.ends_with('\n')
            })
        },
    ]
}

/// Scripts, and what describes them.
fn of_scripts(around: &Around) -> Vec<Writer<'_>> {
    let new = |name, args: &[&str], path, is_whole: IsWhole| Writer::new(around, name, args, path, is_whole);
    vec![
        new("scripts copy", &["scripts", "copy", "health", "here", "--force"], "here/health.rhai", |text| {
            text == std::fs::read_to_string(project("scripts/health.rhai")).unwrap()
        }),
        new("docs --man", &["docs", "--man", "here"], "here/binlogsh.1", |text| text.contains(".SH")),
        new("docs --definitions", &["docs", "--definitions", "here"], "here/binlogsh.d.rhai", |text| {
            text.contains("fn pumps()")
        }),
        Writer {
            reads: true,
            old: format!("//! Looks.\npmups();\n{}", "// as it was\n".repeat(1000)),
            ..new("check --fix", &["check", "--fix", "here/s.rhai"], "here/s.rhai", |text| {
                text.contains("\npumps();") && text.ends_with("was\n")
            })
        },
    ]
}

/// What is kept of a cluster, and of what was done there.
fn of_clusters(around: &Around) -> Vec<Writer<'_>> {
    let new = |name, args: &[&str], path, is_whole: IsWhole| Writer::new(around, name, args, path, is_whole);
    let url = around.cluster.url();
    let savepoint = ["ctl", "-pd-urls", &url, "-cmd", "generate_meta", "-data-dir", "here"];
    let change = "generate_meta(#{ data_dir: \"elsewhere\", force: [\"exists\"] })";
    vec![
        Writer {
            replaces: false,
            ..new("runs export", &["runs", "export", &around.run, "here/out"], "here/out", |text| {
                is_json(text) && text.contains("\"seal\"")
            })
        },
        new("savepoint", &savepoint, "here/savepoint", |text| text.starts_with("commitTS = ") && text.ends_with('\n')),
        Writer {
            failing: Failing::Warning,
            reads: true,
            old: "{\"other\": 5}".into(),
            ..new(
                "clusters",
                &["--profile=here", "--yes", "-e", change],
                ".local/state/binlogsh/clusters.json",
                |text| is_json(text) && text.contains("\"other\"") && text.contains("\"here\""),
            )
        },
    ]
}

/// What a directory has in it.
fn names(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The file that `writer` writes, in this home.
fn file(writer: &Writer<'_>, home: &Path) -> PathBuf {
    home.join(writer.path)
}

fn directory(writer: &Writer<'_>, home: &Path) -> PathBuf {
    file(writer, home).parent().unwrap().to_owned()
}

/// No file that was only meant to become another.
#[track_caller]
fn nothing_is_left_behind(writer: &Writer<'_>, home: &Path) {
    let names = names(&directory(writer, home));
    assert!(!names.iter().any(|name| name.starts_with(".binlogsh-")), "{}: {names:?}", writer.name);
}

/// Calls `one` for each of `ways` with every writer, or with every fourth in `make test`, from the one at `first` on.
fn each<W: Copy>(first: usize, ways: &[W], one: impl Fn(W, &Writer<'_>)) {
    let around = Around::new();
    let all = writers(&around);
    let step = if is_soak() { 1 } else { 4 };
    for (at, way) in ways.iter().enumerate() {
        all.iter().skip((first + at) % step).step_by(step).for_each(|writer| one(*way, writer));
    }
}

/// It is said that this file was not written, and why, and what to do; and how it ends is known.
#[track_caller]
fn tells_of_it(ran: Ran, writer: &Writer<'_>, why: &str) -> Ran {
    let said = format!("{}: {}\n{}", writer.name, ran.stderr, ran.stdout);
    match writer.failing {
        Failing::Error => {
            let code = match (writer.name, writer.code) {
                // As binlogctl does.
                ("savepoint", _) => 1,
                (_, 0) => i32::from(ErrorKind::Local.exit_code()),
                (_, code) => code,
            };
            assert!(ran.code == code || ran.code == i32::from(ErrorKind::Local.exit_code()), "{said}");
            assert!(ran.stderr.contains("error[local]") && ran.stderr.contains("hint: "), "{said}");
        }
        Failing::Verdict => assert!(ran.code == 1 && ran.stdout.contains("FAIL"), "{said}"),
        Failing::Warning => {
            assert_eq!(ran.code, 0, "{said}");
            assert!(ran.stderr.contains("warning: "), "{said}");
        }
    }
    let place = if writer.name == "stories" { "here/" } else { writer.path };
    assert!(said.contains(place) && said.contains(why), "no `{why}` in {said}");
    ran
}
