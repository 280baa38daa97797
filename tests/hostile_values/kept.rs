//! What is kept: reports, stories, runs and what is exported of them, scripts of a session; and names that files and settings have.

use super::*;
use std::collections::BTreeSet;

/// The elements of a page with the names of their attributes, nothing of what they say.
fn structure(page: &str) -> BTreeSet<String> {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, behind) = rest.split_once("</style>").unwrap();
    let mut all = BTreeSet::new();
    for part in [before, behind] {
        let mut rest = part;
        while let Some((_, tag)) = rest.split_once('<') {
            let mut is_quoted = false;
            let end = tag.find(|c| {
                is_quoted ^= c == '"';
                c == '>' && !is_quoted
            });
            let (tag, behind) = tag.split_at(end.unwrap());
            rest = behind;
            // What stands in quotes is text.
            let names: String = tag.split('"').step_by(2).collect();
            let mut words: Vec<&str> = names.split_whitespace().collect();
            words.sort_unstable();
            all.extend(words.into_iter().map(str::to_owned));
        }
    }
    all
}

const SCRIPT: &str = "//! Looks at everything.\n\
                      for node in nodes() { step(node.id, || print(`${node} ${node.state}`)); }\n\
                      table(nodes());\n\
                      for d in drainers() { try { pause_drainer(d); } catch (e) { print(`${e}`); } }\n";

/// A simulated cluster with each text for an id; of the same texts in harmless letters if `is_tame`.
fn scenario(is_tame: bool) -> String {
    let name = |at: usize, value: &str| if is_tame { format!("v{at:03}") } else { id(at, value) };
    let all: Vec<(usize, String)> = values().into_iter().enumerate().collect();
    let nodes = |all: &[(usize, String)], port: usize| {
        all.iter()
            .map(|(at, value)| serde_json::json!({ "id": name(*at, value), "address": format!("10.0.{}.{}:{port}", at / 200, at % 200) }))
            .collect::<Vec<_>>()
    };
    serde_json::json!({
        "version": 1, "start": "2026-11-22T12:00:00Z", "pd": [{ "name": "pd-0", "url": "http://10.1.1.1:2379" }],
        "pumps": nodes(&all, 8250), "drainers": nodes(&all[..20.min(all.len())], 8249),
    })
    .to_string()
}

#[test]
fn a_report_of_hostile_nodes_has_the_elements_of_any_other() {
    let report = |is_tame: bool| {
        let shell = Shell::new(&["--sandbox=c.json", "rehearse", "s.rhai", "--report", "r.html", "--plan", "p.json"]);
        let ran = shell
            .arg("--save-snapshot")
            .arg("kept.json")
            .file("c.json", &scenario(is_tame))
            .file("s.rhai", SCRIPT)
            .go();
        is_clean("stdout", &ran.stdout);
        is_clean("stderr", &ran.stderr);
        let page = std::fs::read_to_string(ran.dir().join("r.html")).unwrap_or_else(|_| panic!("{}", ran.stderr));
        (page, ran)
    };
    let (page, ran) = report(false);
    is_clean("the report", &page);
    let strange: Vec<String> = structure(&page).difference(&structure(&report(true).0)).cloned().collect();
    assert_eq!(strange, Vec::<String>::new(), "elements or attributes that no harmless report has");
    assert_eq!(page.matches("<script").count(), report(true).0.matches("<script").count());
    // The files for programs have each id.
    for file in ["kept.json", "p.json"] {
        let text = std::fs::read_to_string(ran.dir().join(file)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(ran.dir().join("kept.json")).unwrap()).unwrap();
    let ids: BTreeSet<&str> =
        kept["pumps"].as_array().unwrap().iter().map(|pump| pump["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), values().len());
    assert!(values().iter().enumerate().all(|(at, value)| ids.contains(id(at, value).as_str())));
}

#[test]
fn a_story_of_hostile_nodes_is_clean_and_can_be_told_again() {
    let stops = "//! Stops everybody.\nfor p in pumps() { pause_pump(p, #{ force: [\"last_pump\"] }); }";
    let shell = Shell::new(&["--sandbox=c.json", "rehearse", "s.rhai", "--futures=1", "--stories=."]);
    let mut cluster: serde_json::Value = serde_json::from_str(&scenario(false)).unwrap();
    cluster["pumps"].as_array_mut().unwrap().truncate(if is_soak() { 1000 } else { 45 });
    let cluster = cluster.to_string();
    let ran = shell.file("c.json", &cluster).file("s.rhai", stops).go();
    is_clean("stdout", &ran.stdout);
    is_clean("stderr", &ran.stderr);
    let stories: Vec<_> = std::fs::read_dir(ran.dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let story = stories.iter().find(|path| path.to_string_lossy().ends_with(".story.json"));
    let story = story.unwrap_or_else(|| panic!("no story: {}{}", ran.stdout, ran.stderr));
    let text = std::fs::read_to_string(story).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let again =
        Shell::new(&["rehearse", "s.rhai", "--story", "a.json"]).file("s.rhai", stops).file("a.json", &text).go();
    assert_eq!(again.code, 9, "{}", again.stderr);
    is_clean("again", &again.stdout);
    is_clean("again", &again.stderr);
}

#[test]
fn a_run_over_hostile_nodes_is_shown_exported_and_imported_as_it_was() {
    let cluster = HostileCluster::new();
    let script = "//! Forgets \u{1b}[2J.\ngenerate_meta(#{ data_dir: \"meta\" });\nlet all = pumps();\n\
                  for at in range(0, all.len(), STEP) { try { forget_pump(all[at].id); } catch (e) { print(`${e}`); } }\n\
                  throw pumps();";
    let script = script.replace("STEP", if is_soak() { "1" } else { "5" });
    let name = "odd\u{1b}]0;x\u{7}\n? yes.rhai";
    let home = Shell::new(&[]).file(name, &script);
    let at = home.dir().display().to_string();
    let ran = cluster.shell().env("HOME", &at).arg("run").arg(format!("{at}/{name}")).go();
    is_clean("run", &ran.stderr);
    is_clean("run", &ran.stdout);
    let runs = |args: &[&str], home: &str| {
        args.iter().fold(Shell::new(&["runs"]), |shell, arg| shell.arg(*arg)).env("HOME", home).go()
    };
    let listed = runs(&["-o", "json"], &at).succeeds();
    is_clean("runs", &listed.stdout);
    let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let run = rows[0]["id"].as_str().unwrap();
    for format in ["table", "vertical", "csv", "jsonl", "json"] {
        for args in [&["-o", format][..], &["show", run, "-o", format]] {
            let ran = runs(args, &at);
            is_clean(&format!("runs {args:?}"), &ran.stderr);
            is_clean(&format!("runs {args:?}"), &ran.stdout);
        }
    }
    let shown = runs(&["show", run, "-o", "json"], &at).succeeds().stdout;
    let exported = runs(&["export", run], &at).succeeds();
    is_clean("exported", &exported.stdout);
    let other = Shell::new(&[]).file("run.json", &exported.stdout);
    let elsewhere = other.dir().display().to_string();
    runs(&["import", &format!("{elsewhere}/run.json")], &elsewhere).succeeds();
    assert_eq!(runs(&["show", run, "-o", "json"], &elsewhere).succeeds().stdout, shown);
    // Each id of the journal is the one that the cluster has.
    let text = exported.stdout;
    for (at, value) in values().iter().enumerate() {
        assert!(text.contains(&format!("v{at:03}")), "{value:?}");
    }
}

#[test]
fn names_of_clusters_profiles_and_scripts_drive_no_terminal() {
    let names: Vec<String> =
        values().into_iter().filter(|name| !name.contains(['/', '\0']) && name.len() < 200).collect();
    let mut shell = Shell::new(&[]);
    let mut config = String::new();
    for name in names.iter().filter(|name| !["", ".", ".."].contains(&name.as_str())) {
        shell = shell.file(&format!(".tiup/storage/cluster/clusters/{name}/meta.yaml"), "topology: {\n");
        config += &format!("[profiles.{}]\npd-urls = \"http://127.0.0.1:1\"\n", toml_key(name));
    }
    let home = shell.file(".config/binlogsh/config.toml", &config);
    let at = home.dir().display().to_string();
    let go = |args: &[&str]| {
        let ran = Shell::new(args).env("HOME", &at).go();
        is_clean(&args.join(" "), &ran.stderr);
        is_clean(&args.join(" "), &ran.stdout);
        ran
    };
    for format in ["table", "vertical", "csv", "jsonl", "json"] {
        go(&["clusters", "-o", format]);
    }
    go(&["--profile=nobody", "-e", "1"]);
    go(&["--cluster=nobody", "-e", "pumps()"]);
    for name in some(names, 2) {
        go(&["--timeout=500ms", &format!("--profile={name}"), "-e", "print(cluster())"]);
        go(&[&format!("--cluster={name}"), "-e", "pumps()"]);
        go(&["--sandbox", "run", &format!("./{name}.rhai")]);
        go(&["--sandbox", "run", "health", "-p", &format!("{name}={name}")]);
        go(&["--sandbox", "-e", &name]);
        go(&["--sandbox", "-e", &format!("read_meta({})", json(&name))]);
        go(&["check", &format!("{name}.rhai")]);
        go(&["ctl", "-cmd", &name, "-node-id", &name]);
    }
}

/// A key as TOML has it: JSON's escapes are TOML's, but for what JSON leaves as it is.
fn toml_key(name: &str) -> String {
    json(name).replace('\u{7f}', "\\u007f")
}
