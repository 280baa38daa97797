//! Snapshots as files: what is read and what is refused, and what is left when writing fails.

use super::{OBSERVED, sample};
use binlogsh::error::ErrorKind;
use binlogsh::rehearsal::Snapshot;
use binlogsh::sim::{ProcessSpec, Scenario};
use std::path::Path;

fn save_in(dir: &Path, name: &str, text: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_file_that_is_no_snapshot_is_a_clear_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = Snapshot::take(&mut sample("default"), OBSERVED).unwrap();
    let good = dir.path().join("good.json");
    snapshot.save(&good).unwrap();
    let text = std::fs::read_to_string(&good).unwrap();
    assert_eq!(Snapshot::read(&good).unwrap(), snapshot);
    let mut cases: Vec<(String, Vec<u8>, &str)> = vec![
        ("empty.json".into(), Vec::new(), "it is empty"),
        ("binary".into(), vec![0xff, 0xfe, 0x00], "not UTF-8 text"),
        ("script.rhai".into(), b"pause_pump(\"pump-1\")".to_vec(), "cannot be read"),
        ("journal.json".into(), b"{\"version\": 1, \"seq\": 4}".to_vec(), "unknown field `seq`"),
        ("other.json".into(), b"[1, 2]".to_vec(), "cannot be read"),
        ("later.json".into(), text.replacen("\"version\": 1", "\"version\": 2, \"new\": 3", 1).into(), "version 2"),
        ("start.json".into(), text.replacen("\"start\": \"2026", "\"start\": \"soon", 1).into(), "no point in time"),
        ("twice.json".into(), text.replace("pump-1", "pump-0").into(), "the Pump pump-0 twice"),
        ("closing.json".into(), edited(&snapshot, |s| s.drainers[0].process = ProcessSpec::Closing), "\"closing\""),
        ("fault.json".into(), text.replace("\"faults\": []", "\"faults\": [{\"kind\": \"crash\"}]").into(), "`crash`"),
    ];
    for (at, part) in [1, 17, text.len() / 3, text.len() / 2, text.len() - 3].into_iter().enumerate() {
        cases.push((format!("cut-{at}.json"), text.as_bytes()[..part].to_vec(), "cannot be read"));
    }
    for (name, content, why) in cases {
        let path = save_in(dir.path(), &name, content);
        let error = Snapshot::read(&path).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{name}: {error}");
        assert!(error.message.contains(path.to_str().unwrap()), "{error}");
        assert!(error.message.contains(why), "{name}: {error}");
        assert!(error.hint.is_some(), "{name}");
        if name.starts_with("cut") {
            assert!(error.hint.unwrap().contains("ends too early"), "{name}");
        }
    }
    let error = Snapshot::read(dir.path()).unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("a directory"), "{error}");
    let error = Snapshot::read(&dir.path().join("nowhere.json")).unwrap_err();
    assert!(error.kind == ErrorKind::NotFound && error.message.contains("nowhere.json"), "{error}");
}

fn edited(snapshot: &Snapshot, edit: impl Fn(&mut Scenario)) -> Vec<u8> {
    let mut scenario = snapshot.scenario.clone();
    edit(&mut scenario);
    serde_json::to_vec(&scenario).unwrap()
}

#[test]
fn what_is_misspelt_in_a_snapshot_names_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = Snapshot::take(&mut sample("default"), OBSERVED).unwrap();
    let text = serde_json::to_string(&snapshot.scenario).unwrap();
    for (wrong, edit, right) in [
        ("\"record\":\"online\"", "\"record\":\"onlin\"", "`online`"),
        ("\"process\":\"running\"", "\"process\":\"runing\"", "`running`"),
        ("\"drainers\"", "\"draners\"", "`drainers`"),
        ("\"assumed\"", "\"assumes\"", "`assumed`"),
    ] {
        let path = save_in(dir.path(), "edited.json", text.replacen(wrong, edit, 1));
        let error = Snapshot::read(&path).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.hint.as_ref().unwrap().contains(right), "{error} {:?}", error.hint);
    }
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = Snapshot::take(&mut sample("default"), OBSERVED).unwrap();
    let nowhere = dir.path().join("nowhere/snapshot.json");
    let error = snapshot.save(&nowhere).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains(nowhere.to_str().unwrap()) && error.hint.is_some(), "{error}");
    // What cannot be renamed over: a directory with something in it.
    let old = dir.path().join("old.json");
    std::fs::create_dir_all(&old).unwrap();
    let inside = save_in(&old, "kept", "as it was");
    let error = snapshot.save(&old).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Local);
    assert_eq!(std::fs::read_to_string(inside).unwrap(), "as it was");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    // Over an older one, whole.
    let file = save_in(dir.path(), "file.json", "older ".repeat(100_000));
    snapshot.save(&file).unwrap();
    assert_eq!(Snapshot::read(&file).unwrap(), snapshot);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}
