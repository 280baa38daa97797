//! kill -9 at any moment: what began is there, what is there is whole.

use super::*;
use binlogsh::journal::store::RunFilter;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Where the child that is to be killed writes.
const CHILD: &str = "BINLOGSH_TEST_STORE_CHILD";

/// The child: reads, begins, does, as fast as it can, and says on standard output what it has begun and done.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(file) = std::env::var_os(CHILD) else { return };
    let round = u8::try_from(number("BINLOGSH_TEST_STORE_ROUND").unwrap()).unwrap();
    let mut journal = script(Path::new(&file), round);
    let say = |word: &str, n: u64| writeln!(std::io::stdout(), "{word} {n}").unwrap();
    for n in 0..100_000 {
        (0..n % 5).for_each(|i| read(&mut journal, n * 10 + i));
        begin(&mut journal, n);
        say("began", n);
        finish_change(&mut journal, n);
        say("done", n);
    }
}

/// Runs the child, kills it after `lines` of its lines, and returns the changes that it said had begun, and were done.
fn kill_after(file: &Path, round: u8, lines: usize) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::kill::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, file)
        .env("BINLOGSH_TEST_STORE_ROUND", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let (mut began, mut done) = (0, 0);
    let mut take = |line: String| {
        began += u64::from(line.starts_with("began"));
        done += u64::from(line.starts_with("done"));
    };
    said.by_ref().filter(|line| line.starts_with("began") || line.starts_with("done")).take(lines).for_each(&mut take);
    child.kill().unwrap();
    said.for_each(&mut take);
    child.wait().unwrap();
    (began, done)
}

#[test]
fn after_kill_9_every_change_that_began_is_there_and_at_most_the_last_lacks_its_end() {
    let (_dir, file) = place();
    let rounds = u8::try_from(number("BINLOGSH_SOAK").map_or(50, |times| (50 * times).min(250))).unwrap();
    for round in 1..=rounds {
        let (began, done) = kill_after(&file, round, 1 + usize::from(round) * 7 % 40);
        let loaded = open(&file).load(&id(round)).unwrap();
        let changes =
            loaded.entries.iter().filter(|entry| matches!(entry.request, Request::Change(Change::Act { .. }))).count()
                as u64;
        let unfinished = u64::from(loaded.unfinished.is_some());
        assert!(changes + unfinished >= began, "round {round}: {began} began, {changes} + {unfinished} are there");
        assert!(changes + unfinished <= began + 1, "round {round}: {changes} + {unfinished} are there, {began} began");
        assert!(changes >= done, "round {round}: {done} were done, {changes} are");
        assert_eq!((loaded.left.len(), loaded.lost_tail), (0, 0), "round {round}");
        assert_eq!(loaded.line.unfinished, unfinished == 1, "round {round}");
        let expected: Vec<String> = (0..changes)
            .flat_map(|n| (0..n % 5).map(move |i| format!("read {}", n * 10 + i)).chain([format!("did pump-{n}")]))
            .collect();
        assert_eq!(outcomes(&loaded.entries)[..expected.len()], expected, "round {round}");
    }
    assert_eq!(open(&file).runs(&RunFilter::default()).unwrap().len(), usize::from(rounds));
}
