//! What goes to which stream, and what of it a terminal gets.

use super::*;
use crate::world::Progress;
use std::io::{self, Write};
use std::time::Duration;

/// Keeps what is written.
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

/// Cannot be written to.
struct Fails(io::ErrorKind);

impl Write for Fails {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn streams(out: impl Write + Send + 'static, err: &Kept, err_is_terminal: bool) -> Streams {
    Streams {
        out: Box::new(out),
        err: Box::new(err.clone()),
        out_is_terminal: false,
        columns: None,
        err_is_terminal,
        out_colors: false,
        err_colors: false,
    }
}

fn waiting(id: &str, seen: &str, figures: &str) -> Progress {
    Progress { seen: seen.into(), ..Progress::of(format!("waiting for {id}")) }.figures(figures)
}

fn noticed(settings: Settings, err_is_terminal: bool) -> (String, String) {
    let (out, err) = (Kept::default(), Kept::default());
    let output = Output::on(streams(out.clone(), &err, err_is_terminal), settings);
    let notices = output.notices();
    notices(Notice::StepBegan("restart pump-0".into()));
    notices(Notice::Changed("pause pump-0".into()));
    notices(Notice::Progress(waiting("pump-0", "online", "")));
    notices(Notice::Progress(waiting("pump-0", "online", "")));
    notices(Notice::Progress(waiting("pump-0", "paused", "")));
    notices(Notice::Printed("from the script".into()));
    notices(Notice::ProgressEnd);
    notices(Notice::Warning("drainer-0 is odd".into()));
    notices(Notice::Traced {
        endpoint: "http://127.0.0.1:8250".into(),
        what: "PUT /state/pump-0/pause".into(),
        took: Duration::from_micros(3249),
        outcome: "ok".into(),
    });
    notices(Notice::ShownAsJson(Value::Int(1)));
    (out.text(), err.text())
}

#[test]
fn where_nobody_watches_progress_is_a_line_only_when_more_than_its_numbers_changed() {
    let (out, err) = (Kept::default(), Kept::default());
    let notices = Output::on(streams(out, &err, false), Settings::default()).notices();
    for (id, seen, figures) in
        [("pump-0", "online", "1s"), ("pump-0", "online", "2s"), ("pump-0", "paused", "3s"), ("pump-1", "paused", "4s")]
    {
        notices(Notice::Progress(waiting(id, seen, figures)));
    }
    notices(Notice::ProgressEnd);
    notices(Notice::Progress(waiting("pump-1", "paused", "1s")));
    // Whoever reads a log wants to know that it still waits.
    for (waited, figures) in [(1, "a"), (5, "b"), (11, "c"), (12, "d"), (75, "e")] {
        let time = Duration::from_secs(waited);
        notices(Notice::Progress(waiting("pump-2", "online", figures).after(time, Duration::from_secs(300))));
    }
    let lines = [
        "waiting for pump-0: online (1s)",
        "waiting for pump-0: paused (3s)",
        "waiting for pump-1: paused (4s)",
        "waiting for pump-1: paused (1s)",
        "1s of 5m00s: waiting for pump-2: online (a)",
        "11s of 5m00s: waiting for pump-2: online (c)",
        "1m15s of 5m00s: waiting for pump-2: online (e)",
    ];
    assert_eq!(err.text(), format!("{}\n", lines.join("\n")));
}

#[test]
fn results_go_to_standard_output_and_everything_else_to_standard_error() {
    let (out, err) = noticed(Settings { verbose: true, ..Settings::default() }, false);
    assert_snapshot!(out, @"
    from the script
    1
    ");
    assert_snapshot!(err, @"
    ==> restart pump-0
      - pause pump-0
    waiting for pump-0: online
    waiting for pump-0: paused
    warning: drainer-0 is odd
    [trace] PUT /state/pump-0/pause http://127.0.0.1:8250 3.2 ms ok
    ");
}

#[test]
fn the_last_value_is_a_document_with_timestamps_as_they_are_wished_for() {
    let shown = |value: &Value| {
        let out = Kept::default();
        let settings = Settings { format: Format::Json, timestamps: Timestamps::Text, ..Settings::default() };
        Output::on(streams(out.clone(), &Kept::default(), false), settings).last_value(value);
        serde_json::from_str::<serde_json::Value>(&out.text()).unwrap()
    };
    let json = r#"{"nodeId":"pump-0","host":"10.0.0.5:8250","state":"online","maxCommitTS":7}"#;
    let record = Record::parse("/tidb-binlog/v1/pumps/pump-0", json.as_bytes(), 7).unwrap();
    let node = Node { record, lag: None, heartbeat_age: None, odd: Vec::new() };
    assert_eq!(shown(&node.into())["max_commit_ts"], "7", "however small it is");
    assert_eq!(shown(&Value::Unit), serde_json::Value::Null);
}

#[test]
fn a_reader_that_left_is_no_fault_and_a_full_disk_is_one() {
    for (kind, is_fault) in [(io::ErrorKind::BrokenPipe, false), (io::ErrorKind::StorageFull, true)] {
        let output = Output::on(streams(Fails(kind), &Kept::default(), false), Settings::default());
        output.line("lost");
        let finished = output.finish();
        assert_eq!(finished.is_err(), is_fault, "{kind:?}");
        if let Err(error) = finished {
            assert_eq!(error.exit_code(), 8);
        }
    }
}

#[test]
fn what_was_stopped_is_told_on_a_line_of_its_own() {
    let told = |err_is_terminal| {
        let err = Kept::default();
        let output = Output::on(streams(Kept::default(), &err, err_is_terminal), Settings::default());
        output.error(&Error::interrupted(None, "stopped by Ctrl-C").into());
        err.text()
    };
    // The terminal has written `^C` there.
    assert!(told(true).starts_with("\r\x1b[Kerror[interrupted]: stopped"), "{:?}", told(true));
    assert!(told(false).starts_with("error[interrupted]: stopped"), "{:?}", told(false));
}
