//! A whole session with every secret that the program can be given, and a search through everything that it leaves behind: its
//! home with store, history, plans, reports and stories, what it wrote where it was told, what it said, and what the programs that
//! it began were given.

use crate::harness::screen::{Screen, key};
use crate::harness::{Ran, Shell};
use crate::node_control::Commanded;
use crate::support::certs::Certs;
use crate::support::cluster::own_ip;
use crate::support::proxies::Proxy;
use crate::support::tiup::{PASSWORD, meta_with, meta_yaml};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// How many letters of a secret in a row give it away.
const PIECE: usize = 8;

/// Texts that nobody may find, by what they are.
struct Secrets {
    all: BTreeMap<&'static str, String>,
}

impl Secrets {
    const NAMES: [&str; 15] = [
        "control",
        "asked",
        "literal",
        "ctl",
        "param-file",
        "param-env",
        "param-asked",
        "pd-password",
        "proxy-variable",
        "proxy-profile",
        "key",
        "env",
        "tiup",
        "script",
        "sink",
    ];

    /// Letters and digits, so that no form of writing changes them.
    fn new() -> Self {
        let random = || {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).unwrap();
            bytes.map(|byte| format!("{byte:02x}")).concat()
        };
        // The key is hexadecimal; what else is not has letters that it never has.
        let text = |name: &str| match name {
            "key" => random(),
            _ => random().chars().map(|c| char::from(c as u8 + if c.is_ascii_digit() { 25 } else { 10 })).collect(),
        };
        Self { all: Self::NAMES.into_iter().map(|name| (name, text(name))).collect() }
    }

    fn get(&self, name: &str) -> &str {
        &self.all[name]
    }
}

/// Finds secrets in bytes, whatever they stand in.
struct Search {
    /// By their first bytes: whose they are, and how they go on.
    pieces: HashMap<[u8; PIECE], Vec<(&'static str, Vec<u8>)>>,
}

/// Every way in which `text` may be written that is not as it is, and how many bytes of it in a row are no chance.
fn forms(text: &str) -> Vec<(Vec<u8>, usize)> {
    // Of hexadecimal digits there are many everywhere.
    let least = if text.bytes().all(|byte| byte.is_ascii_hexdigit()) { 16 } else { PIECE };
    let each = |write: &dyn Fn(u8) -> String| text.bytes().map(write).collect::<String>().into_bytes();
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let mut all = vec![
        (text.as_bytes().to_vec(), least),
        (text.bytes().rev().collect(), least),
        (text.to_uppercase().into_bytes(), least),
        (text.to_lowercase().into_bytes(), least),
        (each(&|byte| format!("{byte:02x}")), 24),
        (each(&|byte| format!("{byte:02X}")), 24),
        (each(&|byte| format!("%{byte:02x}")), 24),
        (each(&|byte| format!("%{byte:02X}")), 24),
        (each(&|byte| format!("\\u{byte:04x}")), 36),
        (each(&|byte| format!("\\x{byte:02x}")), 24),
        (each(&|byte| format!("&#{byte};")), 30),
        (each(&|byte| format!("{byte},")), 32),
        (wide(u16::to_le_bytes), 16),
        (wide(u16::to_be_bytes), 16),
    ];
    // Wherever it begins within three bytes, these letters are the same.
    for before in 0..3 {
        let coded = STANDARD.encode([&b"xxx"[..before], text.as_bytes()].concat());
        all.push((coded.as_bytes()[4..coded.len() - 4].to_vec(), 14));
    }
    all
}

impl Search {
    fn new(secrets: &Secrets) -> Self {
        let mut pieces: HashMap<_, Vec<_>> = HashMap::new();
        for (name, text) in &secrets.all {
            for (form, least) in forms(text) {
                for piece in form.windows(least) {
                    let first: [u8; PIECE] = piece[..PIECE].try_into().unwrap();
                    pieces.entry(first).or_default().push((*name, piece[PIECE..].to_vec()));
                }
            }
        }
        Self { pieces }
    }

    /// The secrets of which a part stands in `bytes`.
    fn found(&self, bytes: &[u8]) -> BTreeSet<&'static str> {
        let packed: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ"];
        assert!(!packed.iter().any(|magic| bytes.starts_with(magic)), "something is packed, and cannot be searched");
        let mut all = BTreeSet::new();
        for (at, first) in bytes.windows(PIECE).enumerate() {
            let Some(known) = self.pieces.get(first) else { continue };
            let rest = &bytes[at + PIECE..];
            all.extend(known.iter().filter(|(_, end)| rest.starts_with(end)).map(|(name, _)| *name));
        }
        all
    }

    /// What is found in each file beneath `dir`, and in the names of files.
    fn beneath(&self, dir: &Path, given: &[PathBuf]) -> BTreeMap<PathBuf, BTreeSet<&'static str>> {
        let (mut found, mut open) = (BTreeMap::new(), vec![dir.to_owned()]);
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(&dir).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if given.contains(&path) {
                    continue;
                }
                let mut here = self.found(path.as_os_str().as_encoded_bytes());
                match entry.file_type().unwrap() {
                    kind if kind.is_dir() => open.push(path.clone()),
                    kind if kind.is_file() => here.extend(self.found(&std::fs::read(&path).unwrap())),
                    _ => {}
                }
                found.insert(path, here);
            }
        }
        found
    }
}

#[test]
fn the_search_finds_a_part_of_each_secret_however_it_is_written() {
    let secrets = Secrets::new();
    let search = Search::new(&secrets);
    for (name, text) in &secrets.all {
        for (form, least) in forms(text) {
            let part = &form[form.len() - least..];
            let found = search.found(&[b"before ".as_slice(), part, b" behind"].concat());
            assert_eq!(found, BTreeSet::from([*name]), "{}", String::from_utf8_lossy(part));
        }
        let coded = STANDARD.encode(format!("so {text} is"));
        assert_eq!(search.found(coded.as_bytes()), BTreeSet::from([*name]));
    }
    assert_eq!(
        search.found(&std::fs::read(env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.lock").unwrap()),
        BTreeSet::new()
    );
}

/// A session of an operator: their home, what they keep beside it, and what was said.
struct Operator {
    secrets: Secrets,
    search: Search,
    _place: Commanded,
    home: tempfile::TempDir,
    /// What they give to the program: it may hold what it likes.
    given: tempfile::TempDir,
    /// What the programs were given that ours began.
    seen: tempfile::TempDir,
    said: Vec<(String, Vec<u8>)>,
    url: String,
}

impl Operator {
    fn new() -> Self {
        let secrets = Secrets::new();
        let search = Search::new(&secrets);
        let place = Commanded::sample("default");
        let dir = || tempfile::tempdir().unwrap();
        let url = place.cluster.url();
        let sink = secrets.get("sink");
        let uri = format!("mysql://root:{sink}@10.0.2.7:3306/?ssl-key={sink}");
        let error = serde_json::json!({"code": "CDC:ErrX", "message": format!("cannot open {uri}: {sink}")});
        let info = serde_json::json!({"sink-uri": uri, "start-ts": 5, "state": "failed", "error": error});
        let cut = format!("{{\"sink-uri\":\"{uri}\"");
        for (id, info) in [("whole", info.to_string()), ("cut", cut)] {
            place.cluster.kv().put(&format!("/tidb/cdc/default/default/changefeed/info/{id}"), info);
        }
        Self { secrets, search, _place: place, home: dir(), given: dir(), seen: dir(), said: Vec::new(), url }
    }

    fn secret(&self, name: &str) -> String {
        self.secrets.get(name).to_owned()
    }

    /// A file of theirs; its path.
    fn give(&self, name: &str, text: &str) -> String {
        let path = self.given.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn shell(&self, args: &[&str]) -> Shell {
        let shell = Shell::new(args).env("HOME", self.home.path().to_str().unwrap());
        shell.env("BINLOG_SECRET_KEY", self.secrets.get("key")).env("BINLOG_TOKEN", self.secrets.get("env"))
    }

    /// What a call said, and what it left in its directory.
    fn note(&mut self, what: &str, ran: &Ran) {
        self.said.push((format!("stdout of {what}"), ran.stdout.clone().into_bytes()));
        self.said.push((format!("stderr of {what}"), ran.stderr.clone().into_bytes()));
        for (path, found) in self.search.beneath(ran.dir(), &[]) {
            let bytes = found.iter().flat_map(|name| self.secrets.get(name).bytes()).collect();
            self.said.push((format!("{} of {what}", path.display()), bytes));
        }
    }

    fn go(&mut self, args: &[&str], input: &str) -> Ran {
        let ran = self.shell(args).pipe(input);
        self.note(&args.join(" ").chars().take(60).collect::<String>(), &ran);
        ran
    }

    /// A program that writes down what it is given: its arguments, its variables, and what it reads.
    fn spy(&self, name: &str) -> String {
        let out = self.seen.path().join(name).display().to_string();
        format!("cat /proc/self/environ /proc/$$/environ /proc/$$/cmdline - > {out}; echo seen")
    }

    /// Where which secrets are.
    fn found(&self, given: &[PathBuf]) -> BTreeMap<String, BTreeSet<&'static str>> {
        let mut all: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        for (what, bytes) in &self.said {
            all.entry(what.clone()).or_default().extend(self.search.found(bytes));
        }
        for dir in [&self.home, &self.seen] {
            let files = self.search.beneath(dir.path(), given).into_iter();
            all.extend(files.map(|(path, found)| (path.display().to_string(), found)));
        }
        all.retain(|_, found| !found.is_empty());
        all
    }
}

/// The script of the session: it is given all that a script can be given.
fn script(operator: &Operator) -> String {
    let secret = |name: &str| format!("param(\"{name}\", #{{ type: \"secret\" }})");
    format!(
        "//! Does what scripts do.\n\
         print(`control ${{param(\"control\")}}`);\n\
         generate_meta(#{{ data_dir: \"meta\", force: [\"exists\"] }});\n\
         let a = {}; let b = {}; let c = {}; print([a, b, c]); debug(a); step(\"seal\", || encrypt(a).len());\n\
         print(encrypt(b).len() + encrypt(c).len() + encrypt(\"{}\").len());\n\
         try {{ fail(a) }} catch (e) {{ print(`${{e}}`) }}\n\
         try {{ a.nothing }} catch (e) {{ print(`${{e}}`) }}\n\
         exec(\"sh\", [\"-c\", \"{}\"], #{{ env: [\"BINLOG_TOKEN\"] }});\n\
         exec(\"sh\", [\"-c\", \"{}\"]);\n\
         try {{ restart(\"pump-1\"); }} catch (e) {{ print(`${{e}}`) }}\n\
         table(changefeeds()); print(changefeeds()); debug(changefeeds()); table(gc_safepoints().services);\n\
         table(nodes()); try {{ print(deployment()); }} catch {{ }}\n\
         wait_until(\"somebody says so\", || {{ try {{ read_meta(\"{}/go\"); true }} catch {{ false }} }}, \"90s\");\n",
        secret("a"),
        secret("b"),
        secret("c"),
        operator.secret("script"),
        operator.spy("with-env"),
        operator.spy("without-env"),
        operator.given.path().display(),
    )
}

impl Operator {
    /// What tiup keeps, and a profile with a proxy and with node control.
    fn settle(&self, proxy: &Proxy) -> Vec<PathBuf> {
        let meta =
            meta_with(&self.url, &["10.0.1.11:8250"], &["10.0.1.21:8249"]).replace(PASSWORD, self.secrets.get("tiup"));
        let control = format!("by = \"commands\"\nrestart = [\"sh\", \"-c\", \"{}; exit 9\"]\n", self.spy("control"));
        let config = format!(
            "[profiles.here]\ncluster = \"prod\"\n[profiles.here.node-control]\n{control}\n[profiles.far]\npd-urls = \"{}\"\nproxy = \"socks5://op:{}@{}\"\n",
            self.url,
            self.secrets.get("proxy-profile"),
            proxy.address(),
        );
        let files = [(meta_yaml("prod"), meta), (".config/binlogsh/config.toml".to_owned(), config)];
        files
            .map(|(name, text)| {
                let path = self.home.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
                path
            })
            .into()
    }

    /// A run with everything, killed while it waits.
    fn killed_run(&mut self) {
        let text = script(self);
        let script = self.give("work.rhai", &text);
        let file = format!("a={}", self.give("a", self.secrets.get("param-file")));
        let control = format!("control={}", self.secrets.get("control"));
        let args =
            ["--profile=here", "-v", "--yes", "--allow-exec", "--allow-node-control", "--timeout=5s", "run", &script];
        let params = ["-p", &control, "--param-file", &file, "--param-env", "b=B_OF_MINE"];
        let shell = self.shell(&[&args[..], &params].concat()).env("B_OF_MINE", self.secrets.get("param-env"));
        let mut command = shell.command();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, format!("{}\n", self.secrets.get("param-asked")).as_bytes()).unwrap();
        drop(stdin);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        let came = lines.by_ref().any(|line| {
            said += &line;
            said.push('\n');
            line.contains("somebody says so")
        });
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(came, "it did not come to wait: {said}{}", String::from_utf8_lossy(&output.stdout));
        self.said.push(("stderr of the killed run".into(), said.into_bytes()));
        self.said.push(("stdout of the killed run".into(), output.stdout));
        // What lies there now, with the log of a store that nobody closed.
        for (path, found) in self.search.beneath(&self.home.path().join(".local"), &[]) {
            let bytes = found.iter().flat_map(|name| self.secrets.get(name).bytes()).collect();
            self.said.push((format!("{} after the kill", path.display()), bytes));
        }
    }

    /// The run that was killed: gone on with, shown and exported.
    fn resumed_run(&mut self) {
        let file = format!("a={}", self.give("a", self.secrets.get("param-file")));
        std::fs::create_dir(self.given.path().join("go")).unwrap();
        self.give("go/savepoint", "commitTS = 1\n");
        let listed = self.go(&["runs", "-o", "json"], "").succeeds();
        let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        let id = rows[0]["id"].as_str().unwrap().to_owned();
        let ran = self.shell(&[
            "--profile=here",
            "-v",
            "--yes",
            "--allow-exec",
            "--allow-node-control",
            "runs",
            "resume",
            &id,
            "--param-file",
            &file,
            "--param-env",
            "b=B_OF_MINE",
        ]);
        let ran =
            ran.env("B_OF_MINE", self.secrets.get("param-env")).pipe(&format!("{}\n", self.secrets.get("param-asked")));
        self.note("resume", &ran);
        ran.succeeds();
        for args in [
            &["runs"][..],
            &["runs", "show", &id],
            &["runs", "show", &id, "-o", "json"],
            &["runs", "export", &id],
            &["runs", "export", &id, "run.json"],
        ] {
            self.go(args, "");
        }
    }

    /// Rehearsals, tests, checks: what they keep lies where they are told.
    fn rehearses(&mut self) {
        let text = script(self);
        let text: String =
            text.lines().filter(|line| !line.starts_with("wait_until")).map(|line| format!("{line}\n")).collect();
        let script = self.give("rehearsed.rhai", &text);
        let file = format!("a={}", self.give("a", self.secrets.get("param-file")));
        for more in [
            &["--report", "r.html", "--plan", "p.json", "--save-snapshot", "s.json"][..],
            &["--futures", "2", "--stories", ".", "--report", "r.html"],
            &["-o", "json"],
        ] {
            let args = [
                "--sandbox",
                "--allow-exec",
                "rehearse",
                &script,
                "-p",
                "control=x",
                "--param-file",
                &file,
                "--param-env",
                "b=B_OF_MINE",
            ];
            let shell = self.shell(&[&args[..], more].concat()).env("B_OF_MINE", self.secrets.get("param-env"));
            let ran = shell.pipe(&format!("{}\n", self.secrets.get("param-asked")));
            self.note(&format!("rehearse {}", more.join(" ")), &ran);
        }
        let test = self.give("work_test.rhai", "fn test_it(t) { t.run(\"rehearsed.rhai\"); t.expect_ok(); }");
        self.go(&["test", &test, "--junit", "j.xml"], "");
        self.go(&["check", &script], "");
        self.go(&["check", "--sarif", &script], "");
    }

    /// Lines, looks, and what goes wrong with each sort of login.
    fn looks(&mut self, proxy: &Proxy) {
        let (url, literal) = (self.url.clone(), format!("encrypt(\"{}\")", self.secrets.get("literal")));
        let ctl = self.secret("ctl");
        let pd = format!("http://root:{}@127.0.0.1:2379", self.secrets.get("pd-password"));
        let by = format!("socks5://op:{}@{}", self.secrets.get("proxy-variable"), proxy.address());
        let misspelt = literal.replace("encrypt", "encrpyt");
        for args in [
            &["--profile=here", "--yes", "-v", "-e", &literal][..],
            &["--profile=here", "--yes", "-v", "-e", &misspelt],
            &["ctl", "-pd-urls", &url, "-cmd", "encrypt", "-text", &ctl],
            &["ctl", "-pd-urls", &pd, "-cmd", "pumps"],
            &["-v", "--pd-urls", &pd, "-e", "pumps()"],
            &["--profile=far", "-v", "-e", "pumps().len()"],
            &["--profile=far", "doctor", "--observe=0"],
            &["--profile=here", "doctor", "--observe=0", "-o", "json"],
            &["--profile=here", "watch", "--once"],
            &["--profile=here", "-o", "json", "-e", "deployment()"],
            &["clusters"],
            &["clusters", "-o", "json"],
        ] {
            self.go(args, "");
        }
        for line in ["--yes", "-v"] {
            let shell = self.shell(&["--pd-urls", &url, line, "-e", "generate_meta(#{ data_dir: \"proxied\" })"]);
            let ran = shell.env("BINLOGSH_PROXY", &by).go();
            self.note("a line by a proxy", &ran);
        }
        let wrong = format!("socks5://op:{}x@{}", self.secrets.get("proxy-variable"), proxy.address());
        let ran = self.shell(&["--pd-urls", &url, "-v", "-e", "pumps()"]).env("BINLOGSH_PROXY", &wrong).go();
        self.note("a proxy with another password", &ran);
        let asked =
            self.shell(&["--", "binlogsh", "--proxy", &by, "--profile", ""]).env("_BINLOGSH_COMPLETE", "fish").go();
        self.note("completion", &asked);
    }

    /// A prompt, with all that is typed there. What is typed as it is stands on the screen: whoever types it sees it.
    fn types(&mut self) {
        let asked = self.secret("asked");
        let shell = self.shell(&["--profile=here", "--yes"]);
        let mut screen = Screen::open(shell, 200, 50);
        screen.until(|text| text.ends_with('>'));
        screen
            .keys("encrypt()\r")
            .shows("text to encrypt:")
            .keys(&format!("{asked}\r"))
            .keys("print(\"as\" + \"ked\")\r")
            .shows("\nasked\n");
        self.said.push(("the terminal after a question".into(), screen.bytes_shown()));
        let literal = self.secret("literal");
        for line in [
            format!("encrypt(\"{literal}\").len()"),
            format!("let later = \"{literal}\";"),
            "encrypt(later).len()".into(),
            format!("encrpyt(\"{literal}\")"),
            format!("binlogsh ctl -cmd encrypt -text {literal}"),
            "generate_meta(#{ data_dir: \"typed\" })".into(),
        ] {
            screen
                .keys(&format!("{line}\r"))
                .keys("print(\"do\" + \"ne\")\r")
                .shows("\ndone\n")
                .keys("\x0c")
                .until(|text| !text.contains("done"));
        }
        let saved = self.seen.path().join("saved.rhai");
        screen.keys(&format!(".save {}\r", saved.display())).shows("is written").until(|text| text.ends_with('>'));
        screen.keys(key::CTRL_D);
        assert_eq!(screen.code(), 0);
        assert!(saved.exists());
        for (path, found) in self.search.beneath(screen.shell.dir(), &[]) {
            let bytes = found.iter().flat_map(|name| self.secrets.get(name).bytes()).collect();
            self.said.push((format!("{} of the prompt", path.display()), bytes));
        }
    }
}

#[test]
fn no_secret_is_in_anything_that_a_session_leaves_behind() {
    let mut operator = Operator::new();
    let proxy = Proxy::start_for(Some(("op", operator.secrets.get("proxy-variable"))), &[(own_ip(), own_ip())]);
    let given = operator.settle(&proxy);
    operator.killed_run();
    operator.resumed_run();
    operator.rehearses();
    operator.looks(&proxy);
    operator.types();
    let mut found = operator.found(&given);
    // The one that was printed is found where it was kept and said: so the search does find.
    let control: BTreeSet<&str> = BTreeSet::from(["control"]);
    let holds = |part: &str| found.iter().any(|(place, found)| place.contains(part) && found.contains("control"));
    for part in ["runs.db", "stdout of the killed run", "stdout of runs export"] {
        assert!(holds(part), "the control is not in {part}: {found:?}");
    }
    assert!(operator.seen.path().join("control").exists() && operator.seen.path().join("without-env").exists());
    // Whom the option `env` names has its value.
    assert_eq!(found.remove(operator.seen.path().join("with-env").to_str().unwrap()), Some(BTreeSet::from(["env"])));
    found.values_mut().for_each(|found| found.retain(|name| !control.contains(name)));
    found.retain(|_, found| !found.is_empty());
    assert_eq!(found, BTreeMap::new(), "these were found");
}

#[test]
fn a_private_key_is_read_and_told_nowhere() {
    let certs = Certs::new();
    let (ca, cert, key) = (certs.ca(), certs.client_cert(), certs.client_key());
    let text = std::fs::read_to_string(&key).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.len() > 20 && !line.starts_with('-')).collect();
    assert!(!lines.is_empty());
    let broken = text.replacen("BEGIN", "BEGUN", 1);
    for key_text in [text.as_str(), &broken, lines[0]] {
        let shell =
            Shell::new(&["-v", "--pd-urls", "https://127.0.0.1:1", "--timeout=2s"]).file("given/key.pem", key_text);
        let shell = shell
            .arg("--ca")
            .arg(ca.display().to_string())
            .arg("--cert")
            .arg(cert.display().to_string())
            .arg("--key")
            .arg("given/key.pem");
        let ran = shell.arg("-e").arg("pumps()").go();
        assert_ne!(ran.code, 0);
        std::fs::remove_file(ran.dir().join("given/key.pem")).unwrap();
        let mut left = ran.stdout.clone().into_bytes();
        left.extend(ran.stderr.bytes());
        for entry in walk(ran.dir()) {
            left.extend(std::fs::read(entry).unwrap());
        }
        for line in &lines {
            for piece in line.as_bytes().windows(12) {
                assert!(!left.windows(12).any(|window| window == piece), "{}", ran.stderr);
            }
        }
    }
}

/// Every file beneath it.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
