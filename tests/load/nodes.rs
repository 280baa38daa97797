//! A cluster of very many nodes: everything that looks at it sees them all, and for ten times as many takes some ten times as long.

use super::ran::{Measured, measured};
use crate::harness::Shell;
use crate::harness::screen::{Screen, key};
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::{eventually, is_soak, record};
use binlogsh::node::Kind;
use std::time::Duration;

/// How many times as many the second cluster has.
const TIMES: usize = 10;

/// How many times as long something may take for each node of the second cluster as for each of the first.
const FACTOR: u32 = 3;

/// How many of the nodes are Drainers: what those know of each Pump is a matter of both.
const DRAINERS: usize = 10;

/// A machine that does something else meanwhile.
const HICCUP: Duration = Duration::from_secs(2);

/// PD before a real etcd with Pumps and a few Drainers; all are paused, nobody listens at their addresses, and one Pump is odd.
struct ManyNodes {
    count: usize,
    pd: PdDouble,
    _etcd: Etcd,
}

impl ManyNodes {
    fn new(count: usize) -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let now = pd.now();
        let put = |at: usize| {
            let (kind, word) = match at < count - DRAINERS {
                true => (Kind::Pump, "pump"),
                false => (Kind::Drainer, "drainer"),
            };
            let id = format!("{word}-{at:05}");
            let says = if at == count / 2 { "somebody-else" } else { &id };
            // Nobody listens at the port 1 of any address.
            let address = format!("127.{}.{}.{}:1", 1 + at / 62_500, 1 + at / 250 % 250, 1 + at % 250);
            (format!("{}{id}", kind.prefix()), record(says, &address, "paused", now, now))
        };
        etcd.kv().put_all(&(0..count).map(put).collect::<Vec<_>>());
        Self { count, pd, _etcd: etcd }
    }

    fn shell(&self) -> Shell {
        Shell::live(&self.pd.url()).arg("--timeout=10s")
    }

    fn pumps(&self) -> usize {
        self.count - DRAINERS
    }

    fn odd(&self) -> String {
        format!("pump-{:05}", self.count / 2)
    }

    /// All ids of Pumps, in order.
    fn ids(&self) -> impl Iterator<Item = String> {
        (0..self.pumps()).map(|at| format!("pump-{at:05}"))
    }

    /// `text` has a line for each Pump, in order, and of nobody else.
    fn are_all_in(&self, text: &str) {
        let mut lines = text.lines().filter_map(|line| line.find("pump-").map(|at| &line[at..at + 10]));
        for id in self.ids() {
            assert_eq!(lines.next(), Some(id.as_str()));
        }
        assert_eq!(lines.next(), None);
    }
}

/// One way to look at all nodes.
struct Look {
    name: &'static str,
    args: &'static [&'static str],
    /// The most memory that each node of the second cluster may take beyond what those of the first do, in KiB.
    memory: u64,
    is_right: fn(&ManyNodes, &Measured),
}

/// What was shown, if it ended well.
fn shown(ran: &Measured) -> &str {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout.trim_end()
}

fn json(ran: &Measured) -> serde_json::Value {
    serde_json::from_str(shown(ran)).unwrap()
}

const LOOKS: &[Look] = &[
    Look { name: "a table", args: &["-e", "pumps()"], memory: 20, is_right: |nodes, ran| nodes.are_all_in(shown(ran)) },
    Look {
        name: "csv",
        args: &["--output=csv", "-e", "pumps()"],
        memory: 20,
        is_right: |nodes, ran| {
            nodes.are_all_in(shown(ran));
            assert_eq!(shown(ran).lines().count(), 1 + nodes.pumps());
        },
    },
    Look {
        name: "json",
        args: &["--output=json", "-e", "pumps()"],
        memory: 20,
        is_right: |nodes, ran| {
            let all = json(ran);
            let ids = all.as_array().unwrap().iter().map(|pump| pump["id"].as_str().unwrap().to_owned());
            assert!(ids.eq(nodes.ids()));
        },
    },
    Look {
        name: "a filter",
        args: &[
            "-e",
            "print(`${pumps().filter(|p| p.odd != []).map(|p| p.id)} ${pumps().len()} ${drainers().len()} ${nodes().len()}`)",
        ],
        memory: 20,
        is_right: |nodes, ran| {
            let (odd, pumps) = (nodes.odd(), nodes.pumps());
            let ran = shown(ran).replace('"', "");
            let all: Vec<&str> =
                ran.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).collect();
            assert_eq!(all.join(" "), format!("{odd} {pumps} {DRAINERS} {}", nodes.count));
        },
    },
    Look {
        name: "one by its name",
        args: &["-e", "let all = listing().nodes; let last = all[all.len() - 1]; drainer(last.id).id"],
        memory: 20,
        is_right: |nodes, ran| assert_eq!(shown(ran), format!("drainer-{:05}", nodes.count - 1)),
    },
    Look {
        name: "ctl",
        args: &["ctl", "-cmd", "pumps"],
        memory: 20,
        is_right: |nodes, ran| {
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            nodes.are_all_in(&format!("{}{}", ran.stdout, ran.stderr));
        },
    },
    Look {
        name: "an inspection",
        args: &["-e", "let all = inspect(nodes(), []); [all.len(), all.filter(|n| n.answer == \"refused\").len()]"],
        memory: 40,
        is_right: |nodes, ran| {
            let count = nodes.count.to_string();
            assert_eq!(shown(ran).matches(&count).count(), 2, "{}", ran.stdout);
        },
    },
    Look {
        name: "doctor",
        args: &["--output=json", "doctor", "--observe=0"],
        memory: 60,
        is_right: |nodes, ran| {
            assert_eq!(ran.code, Some(2), "{}", ran.stderr);
            let found: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
            let of = |check: &str| found.iter().filter(|finding| finding["check"] == check).count();
            assert_eq!((of("paused_pump"), of("paused_drainer")), (nodes.pumps(), DRAINERS));
            let mut odd = found.iter().filter(|finding| finding["check"] == "other_node_id");
            assert_eq!(odd.next().unwrap()["node"], nodes.odd());
            assert!(odd.next().is_none());
        },
    },
    Look {
        name: "a view",
        args: &["watch", "--once"],
        memory: 60,
        is_right: |nodes, ran| {
            let table = shown(ran).lines().skip_while(|line| !line.starts_with("node ")).skip(1);
            let rows: Vec<&str> = table.take_while(|line| line.contains("r-") || line.contains("p-")).collect();
            assert_eq!(rows.len(), nodes.count);
            nodes.are_all_in(&rows.join("\n"));
        },
    },
];

#[test]
fn ten_times_as_many_nodes_are_all_seen_and_each_takes_as_long_as_one_of_fewer() {
    let few = ManyNodes::new(if is_soak() { 1_000 } else { 100 });
    let many = ManyNodes::new(few.count * TIMES);
    for look in LOOKS {
        let ran = [&few, &many].map(|nodes| {
            let shell = look.args.iter().fold(nodes.shell(), |shell, arg| shell.arg(*arg));
            let ran = measured(&shell);
            (look.is_right)(nodes, &ran);
            ran
        });
        grows_as_they_do(look.name, &ran, &many, look.memory);
    }
}

/// The second is not much slower for each node than the first, and takes no more than so many KiB for each node more.
fn grows_as_they_do(name: &str, [few, many]: &[Measured; 2], nodes: &ManyNodes, memory: u64) {
    println!("{name}: {:?} {:?}, {} and {} KiB", few.time, many.time, few.peak >> 10, many.peak >> 10);
    let times = u32::try_from(TIMES).unwrap() * FACTOR;
    assert!(many.time < few.time * times + HICCUP, "{name}: {:?} have become {:?}", few.time, many.time);
    let each = many.peak.saturating_sub(few.peak) / (nodes.count - nodes.count / TIMES) as u64;
    assert!(each < memory << 10, "{name}: {each} bytes for each node");
}

#[test]
fn a_cluster_of_many_nodes_is_kept_as_a_file_and_rehearsed_on() {
    let few = ManyNodes::new(if is_soak() { 1_000 } else { 50 });
    let many = ManyNodes::new(few.count * TIMES);
    let ran = [&few, &many].map(|nodes| {
        let shell = nodes.shell().file("s.rhai", "print(`${pumps().len()} ${drainers().len()}`);");
        let ran = measured(
            &["rehearse", "s.rhai", "--observe=0s", "--save-snapshot=kept.json"]
                .iter()
                .fold(shell, |shell, arg| shell.arg(*arg)),
        );
        let counts = format!("{} {DRAINERS}", nodes.pumps());
        assert!(shown(&ran).contains(&counts), "{} {}", ran.stdout, ran.stderr);
        ran
    });
    grows_as_they_do("a snapshot", &ran, &many, 100);
}

#[test]
fn ids_of_many_nodes_are_completed_at_the_prompt_and_in_a_shell() {
    let nodes = ManyNodes::new(if is_soak() { 10_000 } else { 1_000 });
    let begun = format!("{:04}", nodes.count / 20);
    let expected: Vec<String> = (0..10).map(|last| format!("pump-{begun}{last}")).collect();
    let line = format!("binlogsh --pd-urls={} ctl -cmd pause-pump -node-id pump-{begun}", nodes.pd.url());
    // Whoever answers late has nothing to offer: the terminal is not kept waiting.
    let completed = || {
        let shell = line.split(' ').fold(Shell::new(&["--"]), Shell::arg).env("_BINLOGSH_COMPLETE", "fish");
        shown(&measured(&shell)).lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(eventually(Duration::from_secs(60), || completed() == expected), "{:?}", completed());
    let mut screen = Screen::open(nodes.shell(), 120, 40);
    screen.until(|text| text.trim_end().ends_with('>'));
    screen.keys(&format!("pause_pump(\"pump-{begun}")).tabs(&expected[9]);
    assert!(expected.iter().all(|id| screen.text().contains(id)), "{}", screen.text());
    screen.keys(key::CTRL_C).until(|text| text.ends_with('>'));
    screen.keys("pumps().len() * 3\r").shows(&format!("\n{}\n", nodes.pumps() * 3));
}
