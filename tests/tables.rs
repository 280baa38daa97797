//! Tables on screens of several widths, as whoever sits before one sees them.

use crate::harness::Shell;
use insta::assert_snapshot;

const WIDTHS: [usize; 4] = [120, 80, 60, 40];

/// What a command shows on a screen of so many columns.
fn screen(sample: &str, args: &[&str], width: usize) -> String {
    let shell = args.iter().fold(Shell::sandbox(sample), |shell, arg| shell.arg(*arg));
    let shown = shell.env("COLUMNS", &width.to_string()).go().stdout;
    let wide = shown.lines().find(|line| line.chars().count() > width);
    assert_eq!(wide, None, "wider than {width}: {shown}");
    shown
}

#[test]
fn everything_that_is_a_table_fits_every_screen() {
    let script = "step(\"look\", || table(nodes()));";
    for width in WIDTHS {
        for args in [
            &["-e", "pumps()"][..],
            &["-e", "nodes()"],
            &["-e", "pump(\"pump-1\")"],
            &["-e", "listing()"],
            &["-e", "help()"],
            &["-e", "help(\"offline_pump\")"],
            &["docs"],
            &["doctor", "--observe=0s"],
            &["run", "health", "--param", "watch=1s"],
        ] {
            assert!(!screen("malformed-record", args, width).is_empty(), "{args:?}");
            assert!(!screen("closing-pump", args, width).is_empty(), "{args:?}");
        }
        let shell = Shell::sandbox("closing-pump").file("look.rhai", script).arg("rehearse").arg("look.rhai");
        let story = shell.env("COLUMNS", &width.to_string()).go().succeeds().stdout;
        assert_eq!(story.lines().find(|line| line.chars().count() > width), None, "wider than {width}: {story}");
    }
}

#[test]
fn pumps_on_a_wide_screen() {
    let pumps = |width| screen("closing-pump", &["-e", "pumps()"], width);
    assert_snapshot!(pumps(120), @"
    id      kind  state   address            lag  heartbeat_age  odd
    pump-0  pump  online  10.0.1.11:8250    1.8s           1.3s
    pump-1  pump  online  10.0.1.12:8250  10m02s         10m02s  ! no heartbeat for 10m02s: probe it; 10m02s behind
    pump-2  pump  online  10.0.1.13:8250    2.5s           1.8s
    ");
    assert_snapshot!(pumps(80), @"
    id      state   address            lag  heartbeat_  odd
                                                   age
    pump-0  online  10.0.1.11:8250    1.8s        1.3s
    pump-1  online  10.0.1.12:8250  10m02s      10m02s  ! no heartbeat for 10m02s:
                                                        probe it; 10m02s behind
    pump-2  online  10.0.1.13:8250    2.5s        1.8s
    ");
}

#[test]
fn pumps_on_a_narrow_screen() {
    let pumps = |width| screen("closing-pump", &["-e", "pumps()"], width);
    assert_snapshot!(pumps(60), @"
    ************************** 1. row **************************
               id: pump-0
            state: online
          address: 10.0.1.11:8250
              lag: 1.8s
    heartbeat_age: 1.3s
    ************************** 2. row **************************
               id: pump-1
            state: online
          address: 10.0.1.12:8250
              lag: 10m02s
    heartbeat_age: 10m02s
              odd: ! no heartbeat for 10m02s: probe it; 10m02s
                   behind
    ************************** 3. row **************************
               id: pump-2
            state: online
          address: 10.0.1.13:8250
              lag: 2.5s
    heartbeat_age: 1.8s
    ");
    assert_snapshot!(pumps(40), @"
    **************** 1. row ****************
               id: pump-0
            state: online
          address: 10.0.1.11:8250
              lag: 1.8s
    heartbeat_age: 1.3s
    **************** 2. row ****************
               id: pump-1
            state: online
          address: 10.0.1.12:8250
              lag: 10m02s
    heartbeat_age: 10m02s
              odd: ! no heartbeat for
                   10m02s: probe it; 10m02s
                   behind
    **************** 3. row ****************
               id: pump-2
            state: online
          address: 10.0.1.13:8250
              lag: 2.5s
    heartbeat_age: 1.8s
    ");
}

#[test]
fn what_doctor_finds_on_every_screen() {
    let found = |width| screen("paused-drainer", &["doctor", "--observe=0s"], width);
    assert_snapshot!(found(80), @r#"
    warning   drainer-0: is paused, 2h00m behind PD's time [paused_drainer]
              impact:   no Pump keeps binlog for it: what GC deletes before it is
                        back is missing downstream, and no Pump can close meanwhile
              fix:      start it again: binlogsh --sandbox=paused-drainer run
                        after_crash --param also=drainer-0; on another host:
                        binlogsh --sandbox=paused-drainer run move_drainer --param
                        drainer=drainer-0 --param to=NEW_DRAINER --param
                        address=HOST:PORT; if nobody needs it:
                        update_drainer("drainer-0", "offline")
              alert:    Drainer_server_is_down
    1 warning; nothing was watched
    "#);
    assert_snapshot!(found(40), @r#"
    warning   drainer-0: is paused, 2h00m
              behind PD's time
              [paused_drainer]
              impact:   no Pump keeps binlog
                        for it: what GC
                        deletes before it is
                        back is missing
                        downstream, and no
                        Pump can close
                        meanwhile
              fix:      start it again:
                        binlogsh --sandbox=
                        paused-drainer run
                        after_crash --param
                        also=drainer-0; on
                        another host:
                        binlogsh --sandbox=
                        paused-drainer run
                        move_drainer --param
                        drainer=drainer-0
                        --param
                        to=NEW_DRAINER
                        --param
                        address=HOST:PORT;
                        if nobody needs it:
                        update_
                        drainer("drainer-0",
                        "offline")
              alert:    Drainer_server_is_
                        down
    1 warning; nothing was watched
    "#);
}

#[test]
fn a_page_of_the_help_on_every_screen() {
    let page = |width| screen("default", &["docs", "pump_drainers"], width);
    assert_snapshot!(page(80), @r#"
    pump_drainers(pump) -> text

      The Drainers as a Pump sees them (its `/drainers`), as JSON.

    Example
      pump_drainers("pump-0")
    "#);
    assert_snapshot!(page(40), @r#"
    pump_drainers(pump) -> text

      The Drainers as a Pump sees them (its
      `/drainers`), as JSON.

    Example
      pump_drainers("pump-0")
    "#);
}

#[test]
fn where_nobody_says_how_wide_it_is_a_table_is_as_wide_as_it_likes() {
    let shown = Shell::sandbox("closing-pump").eval("pumps()").succeeds().stdout;
    assert_eq!(shown.lines().count(), 4, "{shown}");
    let shown = Shell::sandbox("closing-pump").env("COLUMNS", "wide").eval("pumps()").succeeds().stdout;
    assert_eq!(shown.lines().count(), 4, "{shown}");
}

#[test]
fn what_a_table_leaves_out_is_seen_as_it_says() {
    let gone = |at: usize| {
        format!(
            r#"{{"id": "gone-{at}", "address": "10.0.2.{at}:8250", "record": "offline", "process": "dead", "lag": "20d", "uptime": "20d"}}"#
        )
    };
    let pumps: Vec<String> =
        (0..6).map(gone).chain([r#"{"id": "pump-0", "address": "10.0.1.11:8250"}"#.into()]).collect();
    let scenario = format!(
        r#"{{"version": 1, "about": "old", "cluster_id": 7, "start": "2026-11-22T12:00:00Z",
            "pd": [{{"name": "pd-0", "url": "http://10.0.1.1:2379"}}], "pumps": [{}], "drainers": []}}"#,
        pumps.join(", ")
    );
    let eval = |code: &str| Shell::sandbox("old.json").file("old.json", &scenario).eval(code).succeeds().stdout;
    let table = eval("pumps()");
    assert!(!table.contains("gone-"), "{table}");
    let (_, says) = table.split_once("see them with ").unwrap();
    let shown = eval(says.trim_end().strip_suffix(')').unwrap());
    assert_eq!(shown.matches("gone-").count(), 6, "{shown}");
    assert_eq!(eval("pumps().len()"), "7\n");
    assert_eq!(eval("json(pumps().map(|pump| pump.id))").matches("gone-").count(), 6);
}

#[test]
fn no_text_of_a_csv_file_is_a_formula() {
    let code = r#"table([#{ a: "=1+1", b: -1, c: "-x", d: "+1", e: "@x", f: "\tx", g: -0.5, h: "a=b", "=i": "" }])"#;
    let shown = Shell::sandbox("default").arg("--output=csv").eval(code).succeeds().stdout;
    assert_eq!(shown, "a,b,c,d,e,f,g,h,'=i\n'=1+1,-1,'-x,'+1,'@x,'\tx,-0.5,a=b,\n");
    let shown = Shell::sandbox("default").arg("--output=csv").eval("\"=1+1\"").succeeds().stdout;
    assert_eq!(shown, "value\n'=1+1\n");
}
