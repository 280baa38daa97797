use super::*;
use crate::commands::ctl::parse;
use crate::node::{Malformed, Record};
use crate::output::{Settings, Streams};
use crate::secret::Secret;
use crate::tso::Tso;
use crate::world::{Acted, Answer, Ask, Change, Listing, Notice, Read, Request};
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// A cluster that answers from a list; what it was told is kept.
struct Cluster {
    answer: fn(&Request) -> Result<Answer>,
    told: Vec<(Request, Vec<GuardName>)>,
    output: Output,
}

impl Gate for Cluster {
    fn perform(&mut self, request: Request, force: &[GuardName]) -> Result<Answer> {
        let answer = (self.answer)(&request);
        self.told.push((request, force.to_vec()));
        answer
    }

    fn tell(&mut self, notice: Notice) {
        (self.output.notices())(notice);
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a user sees.
struct Seen {
    code: u8,
    out: String,
    err: String,
    told: Vec<(Request, Vec<GuardName>)>,
}

fn ctl_forcing(force: Option<&str>, line: &[&str], answer: fn(&Request) -> Result<Answer>) -> Seen {
    let flags = parse(&line.iter().map(OsString::from).collect::<Vec<_>>()).unwrap();
    let (out, err) = (Kept::default(), Kept::default());
    let streams = Streams {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        out_is_terminal: false,
        columns: None,
        err_is_terminal: false,
        out_colors: false,
        err_colors: false,
    };
    let output = Output::on(streams, Settings::default());
    let mut cluster = Cluster { answer, told: Vec::new(), output: output.clone() };
    let now = || 1_795_354_373_136;
    let host = CtlHost {
        now: &now,
        zone: Zone::Utc,
        force: force.map(str::to_owned),
        timeout: Duration::ZERO,
        cluster: " --pd-urls http://a:1".into(),
    };
    let code = execute(&flags, &mut cluster, &output, &host);
    let out = out.text().replace("[2026/11/22 13:32:53.136 +00:00] ", "");
    Seen { code, out, err: err.text(), told: cluster.told }
}

fn ctl(line: &[&str], answer: fn(&Request) -> Result<Answer>) -> Seen {
    ctl_forcing(None, line, answer)
}

fn record(kind: Kind, id: &str, state: &str) -> Record {
    let json = format!(
        r#"{{"nodeId":"{id}","host":"127.0.0.1:8250","state":"{state}","maxCommitTS":470641375911346178,"updateTS":470641376500000000}}"#
    );
    Record::parse(&format!("{}{id}", kind.prefix()), json.as_bytes(), 1).unwrap()
}

fn listing() -> Answer {
    Answer::Listing(Listing {
        revision: 1,
        tso: Some(Tso(470_641_376_802_897_921)),
        tso_error: None,
        records: vec![
            record(Kind::Pump, "pump-0", "online"),
            record(Kind::Pump, "pump-1", "online"),
            record(Kind::Pump, "pump-2", "offline"),
        ],
        malformed: vec![Malformed {
            key: "/tidb-binlog/v1/pumps/broken".into(),
            reason: "not JSON".into(),
            mod_revision: 3,
        }],
    })
}

fn healthy(request: &Request) -> Result<Answer> {
    Ok(match request {
        Request::Read(Read::Nodes) => listing(),
        Request::Change(Change::Act { .. }) => Answer::Acted(Acted::said("apply action pause success!")),
        Request::Change(Change::SwapRecord { .. }) => Answer::Swapped(record(Kind::Pump, "pump-1", "paused")),
        Request::Read(Read::Tso) => Answer::Timestamp(Tso(470_641_376_802_897_921)),
        Request::Change(Change::WriteSavepoint { .. }) => Answer::Done,
        Request::Ask(Ask::Secret(_)) => Answer::Secret(Secret::Plain("typed".into())),
        Request::Change(Change::Encrypt { .. }) => Answer::Text("RVvYZPP1lI5Rnsm5dt42YEAYRDabzUE=".into()),
        other => return Err(Error::internal(format!("not expected: {other:?}"))),
    })
}

#[test]
fn nodes_are_listed_a_line_each_and_hidden_ones_are_counted_on_standard_error() {
    let seen = ctl(&[], healthy);
    insta::assert_snapshot!(seen.out, @r#"
    [INFO] [nodes.go:53] ["query node"] [type=pump] [node="{NodeID: pump-0, Addr: 127.0.0.1:8250, State: online, MaxCommitTS: 470641375911346178, UpdateTime: 2026-11-22 13:32:52 +0000 UTC}"]
    [INFO] [nodes.go:53] ["query node"] [type=pump] [node="{NodeID: pump-1, Addr: 127.0.0.1:8250, State: online, MaxCommitTS: 470641375911346178, UpdateTime: 2026-11-22 13:32:52 +0000 UTC}"]
    "#);
    insta::assert_snapshot!(seen.err, @r#"
    warning: the key /tidb-binlog/v1/pumps/broken is no record (not JSON): it breaks binlogctl, Drainers, closing Pumps and TiDB; look at it, and delete it: binlogsh --pd-urls http://a:1 -e 'forget_pump("broken")'
    1 offline pump(s) not shown: see -show-offline-nodes
    "#);
    assert_eq!(seen.code, 0);
    let all = ctl(&["-cmd", "pumps", "-show-offline-nodes"], healthy);
    assert!(all.out.contains("NodeID: pump-2") && !all.err.contains("not shown"));
}

#[test]
fn a_pause_is_told_in_binlogctl_s_words() {
    let seen = ctl(&["-cmd", "pause-pump", "-node-id", "pump-1"], healthy);
    insta::assert_snapshot!(seen.out, @r#"[INFO] [nodes.go:123] ["Apply action on node success"] [action=pause] [NodeID=pump-1]"#);
    assert_eq!(seen.code, 0);
}

#[test]
fn a_refused_pause_is_exit_1_with_the_node_s_words() {
    let seen = ctl(&["-cmd", "pause-pump", "-node-id", "pump-1"], |request| match request {
        Request::Change(Change::Act { .. }) => {
            Err(Error::new(ErrorKind::Rejected, "this pump's state is closing, apply pause failed!"))
        }
        other => healthy(other),
    });
    insta::assert_snapshot!(seen.out, @r#"[FATAL] [main.go:75] ["fail to execute command"] [command=pause-pump] [error="this pump's state is closing, apply pause failed!"]"#);
    assert_eq!(seen.code, 1);
}

#[test]
fn guards_are_forced_by_name() {
    let line = ["-cmd", "update-pump", "-node-id", "pump-1", "-state", "offline"];
    let forced = ctl_forcing(Some("alive, lose_binlog"), &line, healthy);
    assert_eq!((forced.code, forced.out.as_str()), (0, ""));
    assert_eq!(forced.told.last().unwrap().1, [GuardName::Alive, GuardName::LoseBinlog]);
    let unknown = ctl_forcing(Some("alve"), &line, healthy);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean `alive`?") && unknown.told.is_empty());
}

#[test]
fn a_node_is_named_by_its_id_only() {
    for id in ["nope", "127.0.0.1:8250", ""] {
        let seen = ctl(&["-cmd", "offline-pump", "-node-id", id], healthy);
        let words = format!("[error=\"key /tidb-binlog/v1/pumps/{id} in etcd not found\"]");
        assert!(seen.out.contains(&words), "{}", seen.out);
        assert_eq!(seen.code, 1);
        assert!(seen.told.iter().all(|(request, _)| *request == Request::Read(Read::Nodes)));
    }
}

#[test]
fn what_was_probably_meant_is_named() {
    let hint = |line: &[&str]| {
        let seen = ctl(line, healthy);
        seen.err.lines().find_map(|line| line.strip_prefix("hint: ").map(str::to_owned)).unwrap_or(seen.err)
    };
    let pause = |id| hint(&["-cmd", "pause-pump", "-node-id", id]);
    assert_eq!(hint(&["-cmd", "offline-drainers"]), "did you mean `offline-drainer`?");
    assert!(hint(&["-cmd", "frobnicate"]).starts_with("they are pumps, drainers, update-pump"));
    assert!(pause("127.0.0.1:8250").starts_with("that is the address of pump-0, pump-1, pump-2: give the id"));
    assert_eq!(pause("pmp-1"), "did you mean `pump-1`?");
    assert_eq!(pause("broken"), "that key is no record: repair it, or delete it");
    assert_eq!(pause(""), "name the node with -node-id");
    assert_eq!(
        hint(&["-cmd=update-drainer", "-node-id=pump-1", "-state=paused"]),
        "pump-1 is a pump: -cmd update-pump"
    );
}

#[test]
fn failures_have_binlogctl_s_words_and_ours_on_standard_error() {
    let unknown = ctl(&["-cmd", "frobnicate"], healthy);
    assert_eq!(
        unknown.out,
        "[FATAL] [main.go:75] [\"fail to execute command\"] [command=frobnicate] [error=\"cmd frobnicate not supported\"]\n"
    );
    let state = ctl(&["-cmd", "update-pump", "-node-id", "pump-1", "-state", "bogus"], healthy);
    assert!(state.out.ends_with("[error=\"state bogus is illegal\"]\n"), "{}", state.out);
    let gone = ctl(&["-cmd", "drainers"], |_| {
        Err(Error::new(ErrorKind::Timeout, "http://127.0.0.1:1 did not answer within 5 s"))
    });
    assert!(gone.out.ends_with("[error=\"context deadline exceeded\"]\n"), "{}", gone.out);
    assert!(gone.err.contains("http://127.0.0.1:1 did not answer within 5 s"), "{}", gone.err);
    let zone = ctl(&["-cmd", "generate_meta", "-time-zone", "Europe/Berln"], healthy);
    assert_eq!(zone.code, 1);
    assert!(zone.err.contains("Europe/Berlin"), "{}", zone.err);
    let stopped = ctl(&["-cmd", "pumps"], |_| Err(Error::interrupted(Some(15), "stopped by SIGTERM")));
    assert_eq!(stopped.code, 143);
}

#[test]
fn a_savepoint_is_told_with_its_timestamp() {
    let seen = ctl(&["-cmd", "generate_meta", "-data-dir", "d", "-time-zone", "Asia/Shanghai"], healthy);
    assert_eq!(seen.out, "[INFO] [meta.go:110] [\"save meta\"] [meta=\"commitTS: 470641376802897921\"]\n");
    let written = seen.told.iter().find_map(|(request, _)| match request {
        Request::Change(Change::WriteSavepoint { dir, content }) => Some((dir.clone(), content.clone())),
        _ => None,
    });
    let (dir, content) = written.unwrap();
    assert_eq!(dir.to_str(), Some("d"));
    assert!(content.lines().filter(|line| !line.starts_with('#')).count() == 1, "{content}");
}

#[test]
fn a_text_to_encrypt_is_asked_for_when_it_is_not_given() {
    let encrypted = "[INFO] [encrypt.go:16] [\"encrypt text\"] [encrypted=\"RVvYZPP1lI5Rnsm5dt42YEAYRDabzUE=\"]\n";
    let asked = ctl(&["-cmd", "encrypt"], healthy);
    assert_eq!(asked.out, encrypted);
    assert!(asked.told.iter().any(|(request, _)| matches!(request, Request::Ask(Ask::Secret(_)))));
    let given = ctl(&["-cmd", "encrypt", "-text="], healthy);
    assert_eq!((given.out.as_str(), given.told.len()), (encrypted, 1));
}
