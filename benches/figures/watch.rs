//! The live view of two hundred nodes whose heartbeats go on.

use crate::doctor::Nodes;
use crate::process::ours;
use crate::prompt::Terminal;
use crate::row::Row;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So long it is looked at, after so long in which it begins.
const LOOKED_AT: Duration = Duration::from_secs(30);
const BEGINS: Duration = Duration::from_secs(5);

/// The milliseconds of a core that it takes in each second: a hundredth of a core is ten.
pub(crate) fn watch_200_cpu() -> Row {
    let nodes = Nodes::start(0);
    let is_over = AtomicBool::new(false);
    let ms = std::thread::scope(|scope| {
        scope.spawn(|| nodes.beat_until(&is_over));
        let mut command = ours();
        command.args(["--pd-urls", &nodes.url(), "watch"]);
        let mut terminal = Terminal::open(command, (120, 40));
        terminal.until(|written| written.contains("pump-000"));
        std::thread::sleep(BEGINS);
        let (before, begin) = (used_ms(terminal.pid()), Instant::now());
        std::thread::sleep(LOOKED_AT);
        let used = used_ms(terminal.pid()) - before;
        is_over.store(true, Ordering::SeqCst);
        used / begin.elapsed().as_secs_f64()
    });
    Row::time("watch_200_cpu", "ms/s", ms).at_most(30.0)
}

/// The milliseconds of a core that the threads of a process have used.
fn used_ms(pid: i32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let used = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("schedstat")).unwrap();
        stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
    };
    threads.map(Result::unwrap).map(used).sum()
}
