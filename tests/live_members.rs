//! One URL is given, and PD's other members are learned: whoever was named on the command line may go away.

use crate::harness::Shell;
use crate::support::certs::Certs;
use crate::support::etcd::Etcd;
use crate::support::eventually;
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::LiveWorld;
use crate::support::pd_double::{CLUSTER_ID, Leader, PdDouble};
use crate::support::{free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::live::{LiveSettings, TlsFiles};
use binlogsh::node::State;
use binlogsh::world::{Answer, Change, Endpoint, LOCK_KEY, LockHolder, LockRequest, Read, Request, World};
use std::io::{BufRead, BufReader, Read as _};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const PUMP_0: &str = "/tidb-binlog/v1/pumps/pump-0";

/// Three members of PD, each with its etcd. The first leads, and is the one that is given.
struct Members {
    etcds: Vec<Etcd>,
    pds: Vec<PdDouble>,
}

impl Members {
    fn start() -> Self {
        let etcds = Etcd::cluster(3);
        let pds: Vec<PdDouble> = etcds.iter().map(PdDouble::start).collect();
        let members = Self { etcds, pds };
        members.lead(0);
        members
    }

    /// The member `at` leads, and all say so.
    fn lead(&self, at: usize) {
        let urls: Vec<String> = self.pds.iter().map(PdDouble::url).collect();
        for (own, pd) in self.pds.iter().enumerate() {
            pd.set(|knobs| {
                knobs.leader = if own == at { Leader::Me } else { Leader::Other(urls[at].clone()) };
                let others = urls.iter().enumerate().filter(|(other, _)| *other != own);
                knobs.others = others.map(|(other, url)| (format!("member-{other}"), url.clone())).collect();
            });
        }
    }

    fn given(&self) -> String {
        self.pds[0].url()
    }

    /// The given member's host is gone, and another one leads.
    fn lose_the_given(&self) {
        self.pds[0].set_gone(true);
        self.etcds[0].kill();
        self.lead(1);
        // The test's own clients know no patience.
        assert!(eventually(30 * SECOND, || self.etcds[1..].iter().all(Etcd::is_healthy)));
    }

    /// A client of a member that stays.
    fn kv(&self) -> crate::support::etcd::Kv {
        self.etcds[2].kv()
    }
}

/// A world that has learned who PD's members are.
fn world(members: &Members) -> LiveWorld {
    let mut live = LiveWorld::new(&[members.given()], 5 * SECOND);
    assert!(live.list().unwrap().tso.is_some());
    live
}

fn pump_0(address: &str, state: &str) -> String {
    record("pump-0", address, state, 5, 5)
}

fn endpoints(live: &mut LiveWorld) -> Vec<Endpoint> {
    match live.ask(Request::Read(Read::Endpoints)).unwrap() {
        Answer::Endpoints(endpoints) => endpoints,
        other => panic!("no endpoints: {other:?}"),
    }
}

#[test]
fn reads_and_writes_go_on_when_the_given_member_has_gone() {
    let members = Members::start();
    members.kv().put(PUMP_0, pump_0("h:1", "online"));
    let mut live = world(&members);

    members.lose_the_given();

    let listing = live.list().unwrap();
    assert_eq!(listing.records.len(), 1);
    assert!(listing.tso.is_some(), "{:?}", listing.tso_error);
    assert!(matches!(live.ask(Request::Read(Read::Tso)).unwrap(), Answer::Timestamp(_)));
    let swap = Request::Change(Change::SwapRecord { seen: listing.records[0].clone(), state: State::Paused });
    live.ask(swap).unwrap();
    assert_eq!(members.kv().get(PUMP_0).unwrap().0, pump_0("h:1", "paused"));
    let seen = endpoints(&mut live);
    let own: Vec<_> = seen.iter().map(|e| (e.url.clone(), e.given, e.trouble.is_none())).collect();
    let url = |at: usize| members.pds[at].url();
    assert_eq!(own, [(url(0), true, false), (url(1), false, true), (url(2), false, true)]);
}

#[test]
fn a_learned_member_is_asked_whose_it_is_now_and_then_and_not_before_every_question() {
    let members = Members::start();
    members.kv().put(PUMP_0, pump_0("h:1", "online"));
    let mut live = world(&members);
    members.lose_the_given();
    live.list().unwrap();
    let asked = || members.pds.iter().map(PdDouble::members_asked).sum::<usize>();
    let (before, began) = (asked(), Instant::now());
    let mut reads = 0;
    // A quick machine has read a hundred times before the first two seconds are over.
    while (reads < 100 || asked() == before) && began.elapsed() < 10 * SECOND {
        assert!(live.list().unwrap().tso.is_some());
        reads += 1;
    }
    // Once in two seconds, for the listing and for the time.
    let more = asked() - before;
    assert!(more > 0 && more <= 4 + 2 * began.elapsed().as_secs() as usize && more < reads, "{more} of {reads} reads");
}

#[test]
fn a_watch_goes_on_when_the_given_member_goes() {
    let members = Members::start();
    members.kv().put(PUMP_0, pump_0("h:1", "online"));
    let mut live = world(&members);
    let after = live.list().unwrap().revision;
    let change = std::thread::scope(|threads| {
        let waiting = threads.spawn(|| live.ask(Request::Read(Read::Changes { after, patience: 30 * SECOND })));
        // The watch has begun.
        assert!(eventually(10 * SECOND, || members.pds[0].passed_on() >= 3));
        members.lose_the_given();
        members.kv().put(PUMP_0, pump_0("h:1", "paused"));
        waiting.join().unwrap()
    });
    let Answer::Listing(listing) = change.unwrap() else { panic!("no listing") };
    assert_eq!(listing.records[0].state, State::Paused);
}

#[test]
fn the_maintenance_lock_is_kept_when_the_given_member_goes() {
    let members = Members::start();
    let settings = LiveSettings::new(&[members.given()], None).unwrap().lock_ttl(4 * SECOND);
    let mut live = LiveWorld::of(settings);
    assert!(live.list().unwrap().tso.is_some());
    let (user, host, version) = ("us".into(), "here".into(), "1".into());
    let holder = LockHolder { user, host, pid: 1, run: None, script: None, version };
    let lock = Request::Lock(LockRequest::Take { holder, wait: None });
    let Answer::Locked(fence) = live.ask(lock.clone()).unwrap() else { panic!("no lock") };
    let began = Instant::now();
    members.lose_the_given();
    let mut kv = members.kv();
    // For twice as long as its lease lives without us.
    while began.elapsed() < 8 * SECOND {
        assert!(kv.get(LOCK_KEY).is_some(), "lost after {:?}", began.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
    live.world.apply(&lock, Some(&fence)).unwrap();
}

#[test]
fn a_wait_goes_on_when_the_given_member_goes() {
    let members = Members::start();
    let node = HttpDouble::start(|_| Reply::verdict(3, "invalide action probe"));
    members.kv().put(PUMP_0, pump_0(&node.address(), "paused"));
    let shell =
        Shell::live(&members.given()).arg("-e").arg(r#"wait_for("pump-0", "online", "40s"); pump("pump-0").state"#);
    let mut program = shell.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It waits: it has seen the record, and watches.
    assert!(eventually(20 * SECOND, || members.pds[0].timestamps_asked() >= 1 && members.pds[0].passed_on() >= 2));
    members.lose_the_given();
    members.kv().put(PUMP_0, pump_0(&node.address(), "online"));
    let lines: Vec<String> = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    let mut errors = String::new();
    program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(program.wait().unwrap().success(), "{lines:?}\n{errors}");
    assert_eq!(lines, ["online"]);
}

#[test]
fn ctl_goes_on_when_the_given_member_goes() {
    let members = Arc::new(Members::start());
    let lost = members.clone();
    // The member goes at the moment when the program has listed the nodes and tells one of them.
    let node = HttpDouble::start(move |request| match request.path.as_str() {
        "/state/pump-0/pause" => {
            lost.lose_the_given();
            Reply::verdict(200, "apply action pause success!")
        }
        _ => Reply::verdict(3, "invalide action probe"),
    });
    let another = HttpDouble::start(|_| Reply::verdict(3, "invalide action probe"));
    members.kv().put(PUMP_0, pump_0(&node.address(), "online"));
    members.kv().put("/tidb-binlog/v1/pumps/pump-1", record("pump-1", &another.address(), "online", 5, 5));
    let ran = Shell::new(&["ctl", "-cmd", "pause-pump", "-node-id", "pump-0", "-pd-urls", &members.given()]).go();
    let ran = ran.exits(0);
    assert!(ran.stdout.contains("Apply action on node success"), "{}", ran.stdout);
    assert!(members.kv().get(LOCK_KEY).is_none(), "the lock was given back to another member");
}

#[test]
fn a_url_of_no_use_that_pd_names_costs_nothing_and_is_never_asked_first() {
    let (etcd, other_etcd) = (Etcd::start(), Etcd::start());
    let (given, good) = (PdDouble::start(&etcd), PdDouble::start(&etcd));
    let stranger = PdDouble::start(&other_etcd);
    stranger.set(|knobs| knobs.cluster_id = CLUSTER_ID + 1);
    let silent = HttpDouble::start(|_| Reply::Silent);
    let useless = [
        format!("http://{}.example:2379", "x".repeat(64)),
        format!("http://127.0.0.1:{}", free_port()),
        format!("http://{}", silent.address()),
        stranger.url(),
        good.url().replace("http", "https"),
        "nonsense".to_owned(),
    ];
    let name = |url: &String| (format!("member of {url}"), url.clone());
    given.set(|knobs| {
        knobs.others = useless.iter().map(name).collect();
        knobs.others.push(name(&good.url()));
    });
    let mut live = LiveWorld::new(&[given.url()], 5 * SECOND);
    let began = Instant::now();
    for _ in 0..20 {
        assert!(live.list().unwrap().tso.is_some());
    }
    assert!(began.elapsed() < 2 * SECOND, "{:?}", began.elapsed());
    let heard = || silent.traffic().connections() + stranger.connections() + good.connections();
    assert_eq!(heard(), 0, "nobody else was asked");
    let trouble = endpoints(&mut live).into_iter().find(|endpoint| endpoint.url == stranger.url()).unwrap().trouble;
    assert!(trouble.unwrap().contains("another cluster"));

    given.set_gone(true);
    let began = Instant::now();
    live.list().unwrap();
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    assert!(good.passed_on() > 0);
    assert_eq!((stranger.passed_on(), stranger.timestamps_asked()), (0, 0), "nothing goes to another cluster");
}

#[test]
fn of_urls_of_two_clusters_only_those_of_whoever_answered_first_are_asked() {
    let (etcd, other_etcd) = (Etcd::start(), Etcd::start());
    let (first, second, stranger) = (PdDouble::start(&etcd), PdDouble::start(&etcd), PdDouble::start(&other_etcd));
    stranger.set(|knobs| knobs.cluster_id = CLUSTER_ID + 1);
    let mut live = LiveWorld::new(&[first.url(), stranger.url(), second.url()], 2 * SECOND);
    stranger.set_gone(true);
    second.set_gone(true);
    live.list().unwrap();
    live.ask(Request::Read(Read::Cluster)).unwrap();
    stranger.set_gone(false);
    second.set_gone(false);
    first.set_gone(true);
    for _ in 0..3 {
        live.list().unwrap();
    }
    assert!(second.passed_on() > 0);
    second.set_gone(true);
    let error = live.fails(Request::Read(Read::Nodes));
    assert!(error.message.contains("another cluster"), "{error}");
    assert_eq!((stranger.passed_on(), stranger.timestamps_asked()), (0, 0), "nothing goes to another cluster");
}

#[test]
fn nothing_is_sent_to_a_learned_url_of_another_cluster_even_when_it_is_the_last_one() {
    let (etcd, other_etcd) = (Etcd::start(), Etcd::start());
    let (given, stranger) = (PdDouble::start(&etcd), PdDouble::start(&other_etcd));
    stranger.set(|knobs| knobs.cluster_id = CLUSTER_ID + 1);
    given.set(|knobs| knobs.others = vec![("pd-1".into(), stranger.url())]);
    let mut live = LiveWorld::new(&[given.url()], 2 * SECOND);
    live.list().unwrap();
    given.set_gone(true);
    let began = Instant::now();
    let error = live.fails(Request::Read(Read::Nodes));
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout), "{error}");
    assert!(error.message.contains("(named by PD)") && error.message.contains("another cluster"), "{error}");
    assert_eq!((stranger.passed_on(), stranger.timestamps_asked()), (0, 0));
}

#[test]
fn time_comes_by_our_own_url_where_the_leader_advertises_one_of_no_use() {
    let (etcd, silent) = (Etcd::start(), HttpDouble::start(|_| Reply::Silent));
    for useless in [
        format!("http://{}.example:2379", "x".repeat(64)),
        format!("http://127.0.0.1:{}", free_port()),
        format!("http://{}", silent.address()),
        "https://127.0.0.1:2379".into(),
        "nonsense".into(),
    ] {
        let pd = PdDouble::start(&etcd);
        pd.set(|knobs| knobs.advertised = Some(useless.clone()));
        let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
        let began = Instant::now();
        for _ in 0..10 {
            let listing = live.list().unwrap();
            assert!(listing.tso.is_some(), "{useless}: {:?}", listing.tso_error);
            assert!(matches!(live.ask(Request::Read(Read::Tso)).unwrap(), Answer::Timestamp(_)));
        }
        // Who is silent keeps the first question waiting for a moment, and no later one.
        assert!(began.elapsed() < 3 * SECOND, "{useless}: {:?}", began.elapsed());
    }
}

#[test]
fn a_learned_member_is_verified_like_the_given_one() {
    let (etcd, certs, others) = (Etcd::start(), Certs::new(), Certs::new());
    let start = |certs: &Certs| PdDouble::start_with(&etcd.url(), Some(certs.server(false, &[b"h2"])));
    let (given, good, false_one) = (start(&certs), start(&certs), start(&others));
    let name = |pd: &PdDouble| (pd.url(), pd.url());
    given.set(|knobs| knobs.others = vec![name(&false_one), name(&good)]);
    let tls = TlsFiles::new(Some(certs.ca()), None, None).unwrap();
    let mut live = LiveWorld::with_tls(&[given.url()], 5 * SECOND, tls);
    assert!(live.list().unwrap().tso.is_some());
    given.set_gone(true);
    live.list().unwrap();
    assert!(good.passed_on() > 0);
    assert_eq!((false_one.passed_on(), false_one.members_asked()), (0, 0), "whoever is not trusted hears nothing");
}

#[test]
fn a_restart_of_the_only_member_is_lived_through() {
    let etcd = Etcd::start();
    let pd = Arc::new(PdDouble::start(&etcd));
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    for first in [true, false] {
        // A process that has not connected yet, and one that has.
        if !first {
            live.list().unwrap();
        }
        pd.set_gone(true);
        let restarted = pd.clone();
        let restart = std::thread::spawn(move || {
            std::thread::sleep(1200 * Duration::from_millis(1));
            restarted.set_gone(false);
        });
        live.list().unwrap();
        assert!(matches!(live.ask(Request::Read(Read::Tso)).unwrap(), Answer::Timestamp(_)));
        restart.join().unwrap();
    }
}
