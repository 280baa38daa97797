//! A secret is in no file of ours: not in the store of runs or what is exported from it, not in the history, plans, reports,
//! stories and snapshots, whatever it came by; and a run that needs one goes on all the same.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use binlogsh::error::ErrorKind;
use rexpect::reader::Options;
use rexpect::session::spawn_with_options;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Of letters that JSON, Rhai and hexadecimal digits all write in their own way.
const SECRET: &str = "Zq7'vbn2ä\tLw9";

/// The same in a text of a script.
const WRITTEN: &str = r"Zq7'vbn2ä\tLw9";

/// A key of our own, so that no guard minds.
const KEY: &str = "00112233445566778899aabbccddeeff";

/// A cluster, and an operator's host: a directory for data, and one for scripts of theirs, which may hold what they like.
struct Place {
    cluster: LiveCluster,
    data: tempfile::TempDir,
    own: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let (data, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Self { cluster: LiveCluster::sample("default"), data, own }
    }

    fn at_home(&self, shell: Shell) -> Shell {
        shell.env("XDG_DATA_HOME", &self.data.path().display().to_string()).env("BINLOG_SECRET_KEY", KEY)
    }

    fn shell(&self) -> Shell {
        self.at_home(Shell::live(&self.cluster.url())).yes()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.own.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn runs(&self, args: &[&str]) -> Shell {
        args.iter().fold(self.shell().arg("runs"), |shell, arg| shell.arg(*arg))
    }

    fn id(&self) -> String {
        let listed = self.runs(&["-o", "json"]).go().succeeds();
        let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        rows[0]["id"].as_str().unwrap().to_owned()
    }

    /// Nothing that was kept of the last run has the secret in it, as a file, as it is shown or as it is exported; nor has
    /// anything that `ran` wrote.
    #[track_caller]
    fn keeps_none(&self, ran: &Ran) {
        let id = self.id();
        let exported = self.runs(&["export", &id, "run.json"]).go().succeeds();
        for shown in [self.runs(&["show", &id]).go(), self.runs(&["show", &id, "-o", "json"]).go()] {
            assert!(!holds(shown.stdout.as_bytes()), "{}", shown.stdout);
        }
        has_none(exported.dir());
        has_none(self.data.path());
        has_none(ran.dir());
        assert!(!holds(ran.stderr.as_bytes()), "{}", ran.stderr);
    }
}

/// The ways in which the secret may be written.
fn forms() -> Vec<Vec<u8>> {
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let json = serde_json::to_string(SECRET).unwrap();
    let mut all =
        vec![SECRET.to_owned(), WRITTEN.to_owned(), json.trim_matches('"').to_owned(), hex.to_uppercase(), hex];
    all.push(serde_json::to_string(WRITTEN).unwrap().trim_matches('"').to_owned());
    all.push(SECRET.replace('\'', "&#39;").replace('\t', "&#9;"));
    // Wherever it begins within three bytes, these letters are the same.
    for before in 0..3 {
        let coded = STANDARD.encode([&b"xxx"[..before], SECRET.as_bytes()].concat());
        all.push(coded[4..coded.len() - 4].to_owned());
    }
    // A part of it gives it away as well.
    all.push("vbn2".into());
    all.into_iter().map(String::into_bytes).collect()
}

fn holds(bytes: &[u8]) -> bool {
    forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

#[track_caller]
fn has_none(dir: &Path) {
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    assert!(!holds(&bytes), "{}: {}", entry.path().display(), String::from_utf8_lossy(&bytes));
                }
            }
        }
    }
}

#[test]
fn the_search_finds_a_secret_however_it_is_written() {
    for form in forms() {
        assert!(holds(&[b"before ".as_slice(), &form, b" behind"].concat()));
    }
    assert!(holds(STANDARD.encode(format!("so {SECRET} is")).as_bytes()) && !holds(b"nothing"));
}

#[test]
fn what_ctl_encrypts_is_kept_nowhere() {
    let place = Place::new();
    let url = place.cluster.url();
    for text in
        [&["-text", SECRET][..], &["--text", SECRET], &[&format!("-text={SECRET}")], &[&format!("--text={SECRET}")]]
    {
        let shell = place.at_home(Shell::new(&["ctl", "-pd-urls", &url, "-cmd", "encrypt"]));
        let ran =
            text.iter().fold(shell, |shell, word| shell.arg(*word)).go().succeeds().stdout_contains("encrypt text");
        place.keeps_none(&ran);
    }
    let shown = place.runs(&["show", &place.id(), "-o", "json"]).go().succeeds();
    shown.stdout_contains("-cmd encrypt --text=***");
}

#[test]
fn what_a_line_encrypts_is_kept_nowhere() {
    let place = Place::new();
    for code in [
        format!("encrypt(\"{WRITTEN}\")"),
        format!("\"{WRITTEN}\".encrypt()"),
        format!("let pw = \"{WRITTEN}\"; encrypt(pw)"),
        format!("fn seal(text) {{ encrypt(text) }} seal(`{SECRET}`)"),
        format!("encrypt(\"{WRITTEN}\"); throw \"no\""),
        format!("encrypt(\"x\"); encrypt(\"{WRITTEN}\", 1, 2)"),
        format!("encrypt(\"x\"); encrpyt(\"{WRITTEN}\")"),
    ] {
        let ran = place.shell().eval(&code);
        place.keeps_none(&ran);
    }
    let ran = place.shell().arg("-e").arg("encrypt(\"x\")").eval(&format!("encrypt('{}')", SECRET.replace('\'', "")));
    place.keeps_none(&ran);
    let ran = place.shell().pipe(&format!("// encrypt(\"{WRITTEN}\")\nprint(encrypt(\"{WRITTEN}\"));")).succeeds();
    place.keeps_none(&ran);
}

#[test]
fn what_is_encrypted_at_the_prompt_is_kept_nowhere() {
    let place = Place::new();
    let shell = place.at_home(Shell::live(&place.cluster.url()));
    let options = Options::new().timeout_ms(Some(20_000)).strip_ansi_escape_codes(true);
    let mut pty = spawn_with_options(shell.command(), options).unwrap();
    pty.exp_string("> ").unwrap();
    // It is all that is in the history, and goes.
    pty.send_line(&format!("let later = \"{WRITTEN}\";")).unwrap();
    pty.exp_string("> ").unwrap();
    pty.send_line("encrypt(later)").unwrap();
    pty.exp_string("taken out of the history").unwrap();
    pty.exp_string("> ").unwrap();
    for line in [
        format!("encrypt(\"{WRITTEN}\")"),
        format!("let again = \"{WRITTEN}\";"),
        format!("let x = \"{WRITTEN}\"; x.encrypt()"),
        format!("encrpyt(\"{WRITTEN}\")"),
        format!("encrypt \"{WRITTEN}\""),
        format!("binlogsh ctl -cmd encrypt -text {WRITTEN}"),
    ] {
        pty.send_line(&line).unwrap();
        pty.exp_string("not kept in the history").unwrap();
        pty.exp_string("> ").unwrap();
    }
    pty.send_line("encrypt(again)").unwrap();
    pty.exp_string("> ").unwrap();
    pty.send_line("encrypt()").unwrap();
    pty.exp_string("text to encrypt: ").unwrap();
    pty.send_line(&SECRET.replace('\t', " ")).unwrap();
    pty.exp_string("> ").unwrap();
    pty.send_line("500 + 55").unwrap();
    pty.exp_string("555").unwrap();
    pty.exp_string("> ").unwrap();
    pty.send_control('d').unwrap();
    pty.exp_eof().unwrap();
    has_none(shell.dir());
    has_none(place.data.path());
    let path = shell.dir().join(".local/state/binlogsh/history");
    let history = std::fs::read_to_string(&path).unwrap();
    for line in ["encrypt(later)", "encrypt(again)", "500 + 55"] {
        assert!(history.contains(line) && !history.contains("***"), "{history}");
    }
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Acts, waits until somebody writes the savepoint `go`, encrypts, and acts again.
fn work(go: &Path, secret: &str) -> String {
    format!(
        "//! Encrypts between two changes.\n\
         pause_drainer(\"drainer-1\", #{{ wait: \"30s\" }});\n\
         wait_until(\"somebody says so\", || {{ try {{ read_meta(\"{}\"); true }} catch {{ false }} }}, \"90s\");\n\
         let pw = {secret};\n\
         print(`${{pw}} ` + pw.len_if_text());\n\
         print(encrypt(pw).len());\n\
         pause_drainer(\"drainer-0\", #{{ wait: \"30s\" }});\n\
         fn len_if_text() {{ type_of(this) }}\n",
        go.display()
    )
}

impl Place {
    fn go(&self) -> PathBuf {
        self.own.path().join("go")
    }

    /// Runs the script until it waits, and kills it.
    fn killed(&self, shell: Shell) -> Shell {
        let mut child =
            shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("somebody says so")), "it did not come to wait");
        child.kill().unwrap();
        child.wait().unwrap();
        shell
    }

    /// Lets the script go on.
    fn say_go(&self) {
        std::fs::create_dir(self.go()).unwrap();
        std::fs::write(self.go().join("savepoint"), "commitTS = 1\n").unwrap();
    }

    fn resume(&self) -> Shell {
        self.runs(&["resume", &self.id()])
    }
}

#[test]
fn a_script_with_a_secret_in_it_goes_on_only_with_its_file_as_it_was() {
    let place = Place::new();
    let text = work(&place.go(), &format!("\"{WRITTEN}\""));
    let script = place.file("work.rhai", &text);
    has_none(place.killed(place.shell().arg("run").arg(&script)).dir());
    place.say_go();
    std::fs::write(&script, text.replace("Lw9", "other")).unwrap();
    let refused = place.resume().go().fails(ErrorKind::Invalid).stderr_contains("is not what it was");
    place.keeps_none(&refused.stderr_contains("--script FILE"));
    std::fs::remove_file(&script).unwrap();
    place.resume().go().fails(ErrorKind::NotFound).stderr_contains("secrets are not kept with a run");
    let elsewhere = place.file("elsewhere.rhai", &text);
    let ran = place.resume().arg("--script").arg(elsewhere).go().succeeds();
    place.keeps_none(&ran);
}

#[test]
fn a_module_with_a_secret_in_it_is_not_kept_either() {
    let place = Place::new();
    place.file("seal.rhai", "fn seal(text) { encrypt(text) }\nfn own() { seal(\"vbn2\") }");
    let text = format!(
        "//! Seals.\nimport \"seal\" as s;\ngenerate_meta(#{{ data_dir: \"meta\" }});\ns::seal(\"{WRITTEN}\");\ns::own();"
    );
    let script = place.file("work.rhai", &text);
    let ran = place.shell().run(&script, &[]).succeeds();
    place.keeps_none(&ran);
}

const PARAM: &str = "param(\"pw\", #{ type: \"secret\", about: \"of root\" })";

#[test]
fn a_secret_parameter_is_kept_nowhere_and_asked_for_again() {
    let place = Place::new();
    let script = place.file("work.rhai", &work(&place.go(), PARAM));
    let file = place.file("pw.txt", &format!("\u{feff}{SECRET}\r\n"));
    let begun = place.shell().arg("run").arg(&script).arg("--param-file").arg(format!("pw={file}"));
    has_none(place.killed(begun).dir());
    place.say_go();
    place.resume().pipe("another\n").fails(ErrorKind::Invalid).stderr_contains("`pw` is not the one");
    place
        .resume()
        .go()
        .fails(ErrorKind::Local)
        .stderr_contains("the secret `pw` is not given")
        .stderr_contains("--param-file pw=FILE");
    let ran = place.resume().pipe(&format!("{SECRET}\n")).succeeds().stdout_contains("*** Secret");
    place.keeps_none(&ran);
    let shown = place.runs(&["show", &place.id()]).go().succeeds();
    shown.stdout_contains("secret parameters: pw");
}

#[test]
fn a_secret_parameter_comes_from_a_file_a_variable_or_whoever_is_asked_and_not_from_the_command_line() {
    let script = format!("//! Seals.\nlet pw = {PARAM};\nprint(encrypt(pw).len());");
    let run =
        || Shell::sandbox("default").env("BINLOG_SECRET_KEY", KEY).file("s.rhai", &script).arg("run").arg("s.rhai");
    let long = STANDARD.encode([0; 17].iter().copied().chain(SECRET.bytes()).collect::<Vec<u8>>()).len().to_string();
    let given = |shell: Shell| shell.go().succeeds().stdout(&long);
    given(run().arg("--param-env").arg("pw=ROOT_PW").env("ROOT_PW", SECRET));
    given(run().file("pw", SECRET).arg("--param-file").arg("pw=pw"));
    given(run().file("pw", &format!("{SECRET}\n")).arg("--param-file").arg("pw=pw"));
    run().pipe(&format!("{SECRET}\n")).succeeds().stdout(&long);

    let refused = run().arg("-p").arg(format!("pw={SECRET}")).go().fails(ErrorKind::Invalid);
    assert!(!holds(refused.stderr.as_bytes()), "{}", refused.stderr);
    refused.stderr_contains("others can read the command line").stderr_contains("--param-env pw=VARIABLE");
    let missing = |shell: Shell, what: &str| drop(shell.go().exits(2).stderr_contains(what));
    missing(run().arg("--param-env").arg("pw=NOT_SET"), "the environment variable NOT_SET is not set");
    missing(run().arg("--param-env").arg("pw=EMPTY").env("EMPTY", ""), "the secret `pw` is empty");
    missing(run().arg("--param-env").arg("pwd=HOME").arg("--param-file").arg("pw=s.rhai"), "no such parameter");
    missing(run().file("a", "1").arg("--param-file").arg("pw=a").arg("--param-file").arg("pw=a"), "given twice");
    run()
        .arg("--param-file")
        .arg("pw=gone")
        .go()
        .fails(ErrorKind::NotFound)
        .stderr_contains("--param-file pw: cannot read gone");
    run().arg("--help").go().succeeds().stdout_contains("a secret: from --param-file or --param-env, or asked for");

    let plain =
        Shell::sandbox("default").file("s.rhai", "//! Shows.\nprint(param(\"n\", #{ type: \"integer\" }) + 1);");
    plain.file("n", "41\n").arg("run").arg("s.rhai").arg("--param-file").arg("n=n").go().succeeds().stdout("42");
}

#[test]
fn a_secret_parameter_is_asked_for_at_a_terminal_without_being_shown() {
    let place = Place::new();
    let script =
        place.file("work.rhai", &format!("//! Seals.\nlet pw = {PARAM};\nprint(`${{encrypt(pw).len()}} ok`);"));
    let shell = place.shell().arg("run").arg(&script);
    let options = Options::new().timeout_ms(Some(20_000)).strip_ansi_escape_codes(true);
    let mut pty = spawn_with_options(shell.command(), options).unwrap();
    pty.exp_string("pw (of root): ").unwrap();
    pty.send_line("Zq7vbn2").unwrap();
    let said = pty.exp_eof().unwrap();
    assert!(said.contains(" ok") && !said.contains("vbn2"), "{said}");
    has_none(place.data.path());
    has_none(shell.dir());
}

#[test]
fn a_secret_shows_itself_nowhere() {
    let show = "let pw = param(\"pw\", #{ type: \"secret\" });\n\
                print(pw); print(`${pw}`); print(\"\" + pw); debug(pw); json(#{ a: [pw] }); table([#{ pw: pw }]);\n\
                print([pw]); print(#{ pw: pw }); print(pw.to_string()); print(pw.to_debug());";
    let base = || Shell::sandbox("default").env("PW", SECRET).yes();
    let run = |code: &str| {
        base().file("s.rhai", &format!("//! Shows.\n{code}")).arg("run").arg("s.rhai").arg("--param-env").arg("pw=PW")
    };
    let mut all = vec![run(show).arg("-v").go().succeeds(), run(show).arg("-o").arg("json").go().succeeds()];
    for misuse in [
        "exec(\"echo\", [pw])",
        "confirm(pw)",
        "fail(pw)",
        "throw pw",
        "pw.len()",
        "pw + 1",
        "manual(pw)",
        "step(pw, || 1)",
        "pw.nothing",
    ] {
        all.push(run(&format!("let pw = param(\"pw\", #{{ type: \"secret\" }});\n{misuse};")).arg("--allow-exec").go());
    }
    for ran in all {
        assert!(!holds(ran.stdout.as_bytes()) && !holds(ran.stderr.as_bytes()), "{}\n{}", ran.stdout, ran.stderr);
        has_none(ran.dir());
    }
}

#[test]
fn a_rehearsal_keeps_no_secret_and_needs_none() {
    let place = Place::new();
    let file = place.file("pw.txt", SECRET);
    place.file("seal.rhai", "fn seal(text) { encrypt(text, #{ force: [\"public_key\"] }) }");
    let stops = "for pump in pumps() { pause_pump(pump, #{ force: [\"last_pump\"] }); }";
    for (secret, give) in [(format!("\"{WRITTEN}\""), false), (PARAM.to_owned(), true), (PARAM.to_owned(), false)] {
        let text = format!(
            "//! Harms.\nimport \"seal\" as s;\nlet pw = {secret};\ns::seal(pw); pause_drainer(\"drainer-1\"); encrypt(pw, #{{ force: [\"public_key\"] }});\n"
        );
        for (name, text) in [("kept.rhai", text.clone()), ("harm.rhai", format!("{text}{stops}"))] {
            let script = place.file(name, &text);
            let mut shell = Shell::sandbox("default").arg("rehearse").arg(&script).arg("--report").arg("report.html");
            shell = match name {
                "kept.rhai" => shell.arg("--plan").arg("plan.json").arg("--save-snapshot").arg("snapshot.json"),
                _ => shell.arg("--futures").arg("3").arg("--stories").arg("."),
            };
            if give {
                shell = shell.arg("--param-file").arg(format!("pw={file}"));
            }
            let ran = shell.go();
            assert!(ran.code == 0 || ran.code == 9, "{}", ran.stderr);
            assert!(!holds(ran.stdout.as_bytes()) && !holds(ran.stderr.as_bytes()), "{}\n{}", ran.stdout, ran.stderr);
            let kept = match name {
                "kept.rhai" => &["report.html", "plan.json", "snapshot.json"][..],
                _ => &["report.html", "harm.tidb_blocked.story.json"],
            };
            for file in kept {
                assert!(ran.dir().join(file).exists(), "no {file}\n{}\n{}", ran.stdout, ran.stderr);
            }
            has_none(ran.dir());
        }
    }
}

#[test]
fn a_test_of_a_script_gives_its_secrets_or_has_them_made_up() {
    let script = format!("//! Seals.\nlet pw = {PARAM};\nprint(encrypt(pw, #{{ force: [\"public_key\"] }}).len());");
    let test = "fn test_it(t) { t.run(\"s.rhai\"); t.expect_ok(); t.run(\"s.rhai\", #{ pw: \"x\" }); t.expect_ok(); }";
    Shell::new(&["test"]).file("s.rhai", &script).file("s_test.rhai", test).go().succeeds();
}

#[test]
fn what_was_typed_before_a_cut_is_asked_for_once_more() {
    let place = Place::new();
    // The guard refuses what was typed: the run is cut between the question and what is done with the answer.
    let script =
        place.file("work.rhai", "//! Seals.\ngenerate_meta(#{ data_dir: \"meta\" });\nprint(encrypt().len());");
    let begun = Shell::live(&place.cluster.url()).env("XDG_DATA_HOME", &place.data.path().display().to_string()).yes();
    begun.arg("run").arg(&script).pipe(&format!("{SECRET}\n")).fails(ErrorKind::Refused).stderr_contains("public_key");
    place.resume().pipe("another\n").fails(ErrorKind::Invalid).stderr_contains("not the text that was typed before");
    let ran = place.resume().pipe(&format!("{SECRET}\n")).succeeds();
    place.keeps_none(&ran);
}

#[test]
fn what_a_human_would_type_is_made_up_in_a_rehearsal_which_says_that_it_is_asked_for() {
    let shell = Shell::sandbox("default").file("s.rhai", "//! Seals.\nencrypt(#{ force: [\"public_key\"] });");
    shell.arg("rehearse").arg("s.rhai").go().succeeds().stdout_contains("would ask: text to encrypt");
}
