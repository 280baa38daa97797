//! After the snapshot a rehearsal reaches nobody: every port of the cluster counts, and then the cluster is gone.

use super::{KEPT, LEAVES_A_DRAINER, rehearse_on};
use crate::harness::Shell;
use crate::support::cluster::LiveCluster;
use crate::support::eventually;
use crate::support::live::LiveWorld;
use binlogsh::rehearsal::Snapshot;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Hundreds of looks, of every sort, and changes of every sort.
const BUSY: &str = r#"
for i in 0..100 { pumps(); drainers(); probe(["pump-0", "drainer-1"]); status("pump-0"); commit_ts("drainer-1"); }
metrics("pump-1"); tidbs(); cluster(); tso(); now(); malformed();
pause_pump("pump-1", #{ wait: "1m" });
exec("true", [], #{ starts: ["pump-1"], takes: "10s" });
wait_for("pump-1", "online", "1m");
sleep("1h");
offline_drainer("drainer-0", #{ wait: "1m" });
forget_drainer("drainer-0", #{ force: ["alive"] });
offline_pump("pump-2", #{ wait: "10m" });
generate_meta();
print("done");
"#;

/// A script that is at work for longer than a test needs to look at it.
const LONG: &str = r#"for i in 0..20000 { pumps(); } pause_pump("pump-1", #{ wait: "1m" }); print("done");"#;

/// How many TCP sockets a process has.
fn tcp_sockets(pid: u32) -> usize {
    let tables =
        ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default());
    let inodes: Vec<&str> =
        tables.iter().flat_map(|table| table.lines()).filter_map(|line| line.split_whitespace().nth(9)).collect();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let targets =
        files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()?.into_os_string().into_string().ok());
    let sockets = targets.filter_map(|target| Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()));
    sockets.filter(|inode| inodes.contains(&inode.as_str())).count()
}

fn unchanged(cluster: &LiveCluster) -> bool {
    let mut kv = cluster.kv();
    let mut says = |key: &str, state: &str| {
        let record = kv.get(&format!("/tidb-binlog/v1/{key}")).map(|found| format!("{found:?}"));
        record.is_some_and(|record| record.contains(state))
    };
    says("pumps/pump-1", "online") && says("pumps/pump-2", "online") && says("drainers/drainer-0", "online")
}

#[test]
fn with_a_snapshot_no_connection_is_made_to_the_cluster_that_is_named() {
    let cluster = LiveCluster::sample("default");
    let mut live = LiveWorld::new(&[cluster.url()], Duration::from_secs(5));
    let snapshot = Snapshot::take(&mut live.world, Duration::from_secs(1)).unwrap();
    drop(live);
    let before = cluster.heard();
    for args in [
        &["--snapshot=kept.json"] as &[&str],
        &["--snapshot=kept.json", "--futures=50", "--allow-exec", "--yes"],
        &["--snapshot=kept.json", "--plan=plan.json"],
    ] {
        let shell = Shell::live(&cluster.url());
        snapshot.save(&shell.dir().join("kept.json")).unwrap();
        let ran = rehearse_on(shell, BUSY, args);
        assert!(ran.code == 0 || ran.code == 9, "{}", ran.stderr);
    }
    assert_eq!(cluster.heard(), before);
    assert!(unchanged(&cluster));
}

#[test]
fn what_the_nodes_hear_is_the_snapshot_alone_whatever_the_script_does() {
    let cluster = LiveCluster::sample("default");
    let mut live = LiveWorld::new(&[cluster.url()], Duration::from_secs(5));
    Snapshot::take(&mut live.world, Duration::from_secs(1)).unwrap();
    drop(live);
    let of_a_snapshot = cluster.asked_of_nodes();
    let looks = |line: &&String| line.starts_with("GET ") || line.ends_with("/probe");
    assert!(of_a_snapshot.len() >= 10 && of_a_snapshot.iter().all(|line| looks(&line)), "{of_a_snapshot:?}");
    let ran = rehearse_on(Shell::live(&cluster.url()), BUSY, &["--observe=1s", "--allow-exec", "--yes"]).succeeds();
    ran.stdout_contains("close pump-2: apply action close success!").stdout_contains("> done");
    let mut twice: Vec<String> = of_a_snapshot.iter().chain(&of_a_snapshot).cloned().collect();
    twice.sort();
    assert_eq!(cluster.asked_of_nodes(), twice);
    assert!(unchanged(&cluster));
}

#[test]
fn once_the_snapshot_is_there_nothing_is_heard_any_more_and_the_cluster_is_not_missed() {
    let cluster = LiveCluster::sample("default");
    let shell = Shell::live(&cluster.url()).arg("rehearse").arg("--observe=1s").arg("--save-snapshot=kept.json");
    let shell = shell.file("s.rhai", LONG).file("kept.json", "").arg("s.rhai");
    let kept = shell.dir().join("kept.json");
    let child = shell.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let is_kept = |path: &Path| std::fs::metadata(path).is_ok_and(|meta| meta.len() > 0);
    assert!(eventually(Duration::from_secs(30), || is_kept(&kept)), "no snapshot");
    let heard = cluster.heard();
    assert_eq!(tcp_sockets(child.id()), 0, "it has let go of the cluster");
    assert!(unchanged(&cluster));
    assert_eq!(cluster.heard(), heard, "what the test itself asks goes another way");
    // Whatever it would ask from now on, nobody would answer.
    drop(cluster);
    let ran = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success() && stdout.contains("> done"), "{stdout}\n{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_story_that_was_kept_is_told_without_the_cluster() {
    let kept = rehearse_on(Shell::sandbox("default"), LEAVES_A_DRAINER, &["--every-fault", "--faults=start_fails"]);
    let kept = kept.exits(9);
    let story = std::fs::read_to_string(kept.dir().join(KEPT)).unwrap();
    let shell = Shell::live("http://127.0.0.1:1").file("story.json", &story);
    rehearse_on(shell, LEAVES_A_DRAINER, &["--story=story.json"]).exits(9);
}
