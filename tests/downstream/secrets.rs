//! The password of a database: it is typed or stands in a my.cnf, and is seen nowhere.

use crate::harness::Shell;
use crate::harness::screen::Screen;
use crate::support::cluster::LiveCluster;
use crate::support::mariadb::{PASSWORD, mariadb};
use std::path::Path;

fn shell(cluster: &LiveCluster, schema: &str, more: &str) -> Shell {
    let config = format!(
        "default-profile = \"p\"\n[profiles.p]\npd-urls = \"{}\"\n[profiles.p.downstreams.drainer-0]\nhost = \"127.0.0.1\"\nport = \
         {}\nschema = \"{schema}\"\nuser = \"reader\"\n{more}",
        cluster.url(),
        mariadb().port()
    );
    Shell::new(&["--config=c.toml"]).file("c.toml", &config)
}

fn with_row() -> (LiveCluster, String) {
    let schema = mariadb().schema();
    mariadb().make_table(&schema);
    mariadb().save(&schema, crate::support::pd_double::CLUSTER_ID, r#"{"commitTS":5}"#);
    (LiveCluster::sample("default"), schema)
}

/// No file beneath `dir` but the my.cnf has the password in it.
fn is_kept_nowhere(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            is_kept_nowhere(&path);
        } else if !path.ends_with("my.cnf") {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(7).any(|part| part == b"hunter2"), "{}", path.display());
        }
    }
}

#[test]
fn a_password_is_typed_once_and_shown_nowhere() {
    let (cluster, schema) = with_row();
    let mut screen = Screen::open(shell(&cluster, &schema, ""), 220, 30);
    screen.until(|text| text.ends_with('>'));
    screen.keys("checkpoint(\"drainer-0\").why\r");
    screen.until(|text| {
        text.contains("password of reader@127.0.0.1:") && text.ends_with("(a checkpoint is read there):")
    });
    screen.keys("hunter2 wrong\r").shows("refuses reader or the password");
    // What was refused is asked for again.
    screen.keys("checkpoint(\"drainer-0\").commit_ts\r");
    screen.until(|text| text.matches("password of reader@127.0.0.1:").count() == 2);
    screen.keys(&format!("{PASSWORD}\r")).shows("\n5\n");
    screen.keys("checkpoint(\"drainer-0\").commit_ts + 1\r").shows("\n6\n");
    assert!(!screen.text().contains("hunter2"), "{}", screen.text());
    assert_eq!(screen.text().matches("password of reader@127.0.0.1:").count(), 2, "{}", screen.text());
    is_kept_nowhere(screen.shell.dir());
}

#[test]
fn what_stands_in_a_my_cnf_is_neither_shown_traced_nor_kept() {
    let (cluster, schema) = with_row();
    let my_cnf = format!("[client]\nuser = reader\npassword = {}\n", super::my_cnf_quoted(PASSWORD));
    let wrong = my_cnf.replace("hunter2", "hunter2x");
    for (text, commits) in [(my_cnf, true), (wrong, false)] {
        let script =
            "print(checkpoint(\"drainer-0\")); pause_drainer(\"drainer-1\"); print(json(checkpoint(\"drainer-0\")));";
        let shell = shell(&cluster, &schema, "").file("my.cnf", &text).file("s.rhai", script);
        let ran = shell.arg("-v").arg("--yes").arg("--my-cnf=my.cnf").run("s.rhai", &[]).succeeds();
        assert_eq!(
            ran.stdout.contains("\"commit_ts\": 5") || ran.stderr.contains("commit_ts\": 5"),
            commits,
            "{}{}",
            ran.stdout,
            ran.stderr
        );
        assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("the checkpoint of a Drainer"), "{}", ran.stderr);
        is_kept_nowhere(ran.dir());
        cluster.start_process(binlogsh::node::Kind::Drainer, "drainer-1");
        assert!(crate::support::eventually(std::time::Duration::from_secs(20), || {
            cluster.recorded(binlogsh::node::Kind::Drainer, "drainer-1") == "online"
        }));
    }
}
