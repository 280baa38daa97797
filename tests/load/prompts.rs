//! One prompt that is typed at for very long, while etcd comes and goes.

use super::ran::{number, open_files};
use crate::harness::Shell;
use crate::harness::screen::{ended, set_size};
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::{eventually, is_soak, record};
use rexpect::process::PtyProcess;
use std::fs::File;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many lines are typed ahead of their answers.
const AHEAD: usize = 20;

/// Somebody who types at a prompt, and what the terminal has got since the last look.
struct Typist {
    process: PtyProcess,
    keys: File,
    said: Arc<Mutex<String>>,
    /// Kept, for the home it lives in.
    shell: Shell,
}

impl Typist {
    fn open(shell: Shell) -> Self {
        let mut process = PtyProcess::new(shell.command()).unwrap();
        process.set_kill_timeout(Some(500));
        let (keys, mut bytes) = (process.get_file_handle().unwrap(), process.get_file_handle().unwrap());
        // So wide that no line is wrapped.
        set_size(&keys, 300, 50);
        let said = Arc::<Mutex<String>>::default();
        let heard = said.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            while let Ok(count @ 1..) = bytes.read(&mut buffer) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let typist = Self { process, keys, said, shell };
        typist.hears("> ");
        typist
    }

    fn types(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\r").as_bytes()).unwrap();
    }

    /// The same at once: a line that is typed is drawn again with each key.
    fn pastes(&mut self, line: &str) {
        self.keys.write_all(format!("\x1b[200~{line}\x1b[201~\r").as_bytes()).unwrap();
    }

    /// Waits for `part`, and returns all that was said up to there.
    #[track_caller]
    fn hears(&self, part: &str) -> String {
        let mut heard = String::new();
        let found = eventually(PATIENCE, || {
            let mut said = self.said.lock().unwrap();
            let end = said.find(part).map(|at| at + part.len());
            heard.extend(end.map(|end| said.drain(..end).collect::<String>()));
            end.is_some()
        });
        assert!(found, "`{part}` was never said, but {:?}", self.said.lock().unwrap());
        heard
    }

    fn pid(&self) -> i32 {
        rustix::termios::tcgetpgrp(&self.keys).unwrap().as_raw_pid()
    }
}

/// What a prompt takes of its host.
#[derive(Debug)]
struct Taken {
    /// Of memory, in KiB.
    memory: u64,
    threads: u64,
    files: usize,
}

impl Taken {
    fn by(typist: &Typist) -> Self {
        let pid = typist.pid();
        let (memory, threads) = (number(pid, "VmRSS").unwrap(), number(pid, "Threads").unwrap());
        Self { memory, threads, files: open_files(u32::try_from(pid).unwrap()) }
    }
}

/// What is typed as the line number `n`, and what is said then and not while it is typed.
fn line(n: usize) -> (String, String) {
    let told = 1_000_000 + n;
    match n % 10 {
        0 => (format!("let x{} = {n}; `=${{{told} + 0}}`", n % 7), format!("={told}")),
        1 => (format!("`=${{pumps().len() + {}}}`", told - 3), format!("={told}")),
        2 => (format!("{told} + 0;"), String::new()),
        3 => (format!("throw `no ${{{told} + 0}}`"), format!("no {told}")),
        4 => (format!("nothing_{told}"), format!("nothing_{told}`")),
        5 => (format!("[1, 2].filter(|one| one == {n}).len() + {told}"), String::new()),
        6 => (format!("it; `=${{{told} + 0}}`"), format!("={told}")),
        7 => ("pumps?".to_owned(), String::new()),
        8 => (format!("fn one() {{ {n} }} `=${{one() * 0 + {told}}}`"), format!("={told}")),
        _ => (format!("drainers().len() + {told}"), String::new()),
    }
}

/// Enters the lines from `from` to `to`, one of twenty key by key, and hears the answer of each that has one of its own.
fn type_lines(typist: &mut Typist, from: usize, to: usize) {
    for first in (from..to).step_by(AHEAD) {
        let lines: Vec<_> = (first..to.min(first + AHEAD)).map(line).collect();
        for (at, (text, _)) in lines.iter().enumerate() {
            match at {
                0 => typist.types(text),
                _ => typist.pastes(text),
            }
        }
        for (_, told) in lines.iter().filter(|(_, told)| !told.is_empty()) {
            typist.hears(told);
        }
    }
}

#[test]
fn a_prompt_that_is_typed_at_for_long_takes_no_more_and_lives_through_restarts_of_etcd() {
    let (count, restarts) = if is_soak() { (100_000, 10) } else { (400, 1) };
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    for at in 0..3 {
        let id = format!("pump-{at}");
        etcd.kv().put(&format!("/tidb-binlog/v1/pumps/{id}"), record(&id, "127.1.1.1:1", "paused", 5, 5));
    }
    let mut typist = Typist::open(Shell::live(&pd.url()).arg("--timeout=2s"));
    type_lines(&mut typist, 0, count / 10);
    let early = Taken::by(&typist);
    let (mut from, each) = (count / 10, count * 9 / 10 / restarts);
    for restart in 0..restarts {
        // Lines that come while it is away are answered by what is wrong.
        etcd.kill();
        typist.types(&format!("`pumps ${{pumps().len()}} of {restart}`"));
        let said = typist.hears("error[");
        assert!(!said.contains(&format!("pumps 3 of {restart}")), "{said}");
        typist.hears(pd.url().trim_start_matches("http://"));
        typist.types(&format!("`still ${{{restart} + 500}}`"));
        typist.hears(&format!("still {}", restart + 500));
        etcd.restart();
        type_lines(&mut typist, from, from + each / 2);
        // Nobody knows in which line it went away here.
        etcd.restart();
        type_lines(&mut typist, from + each / 2, from + each);
        from += each;
    }
    let late = Taken::by(&typist);
    println!("{early:?} after {} lines, {late:?} after {from}", count / 10);
    // Of few lines all are in reach still: of the 2,000 newest.
    let margin = if is_soak() { 2 << 10 } else { 4 << 10 };
    assert!(late.memory < early.memory + margin, "{early:?} has become {late:?}");
    // A connection that is just made anew has two ends for a moment; one that each restart leaves behind is many.
    assert!(late.threads <= early.threads && late.files <= early.files + 4, "{early:?} has become {late:?}");
    typist.types(".exit");
    ended(&typist.process);
    let state = typist.shell.dir().join(".local/state/binlogsh");
    let history = std::fs::read_to_string(state.join("history")).unwrap();
    // The newest 2,000 entries; it is made shorter once there are 500 more.
    assert!(history.lines().count() <= 2_501, "{}", history.lines().count());
    // Whoever only looks has no run.
    assert!(!state.join("runs.db").exists());
}
