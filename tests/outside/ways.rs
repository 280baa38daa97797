//! What holds a connection for long or begins one of its own goes the same way as everything else: the watch of etcd, the
//! lock's lease, failover to PD's members, the live view, what a shell completes.

use super::{MEMBER, Outside, SERVICE, certs, shell};
use crate::support::cluster::own_ip;
use crate::support::etcd::Etcd;
use crate::support::live::LiveWorld;
use crate::support::pd_double::{Leader, PdDouble};
use crate::support::proxies::Proxy;
use crate::support::{eventually, record};
use binlogsh::address_map::AddressMap;
use binlogsh::live::{LiveSettings, TlsFiles};
use binlogsh::node::State;
use binlogsh::proxy_url::ProxyUrl;
use binlogsh::world::{Answer, Change, LOCK_KEY, LockHolder, LockRequest, Read, RecordEvent, Request, World};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// PD's members of one cluster, each behind a name of its own, with TLS.
struct NamedMembers {
    etcds: Vec<Etcd>,
    pds: Vec<PdDouble>,
    names: Vec<String>,
    places: Vec<String>,
    certs: crate::support::certs::Certs,
}

impl NamedMembers {
    /// Three members, of which the first leads.
    fn start() -> Self {
        let (etcds, certs) = (Etcd::cluster(3), certs());
        let names: Vec<String> = (0..3).map(|at| MEMBER.replace("pd-0", &format!("pd-{at}"))).collect();
        let places: Vec<String> = names.iter().map(|_| format!("{}:2379", own_ip())).collect();
        let start = |(etcd, place): (&Etcd, &String)| {
            PdDouble::start_at(place, &etcd.url(), Some(certs.server(false, &[b"h2"])))
        };
        let pds = etcds.iter().zip(&places).map(start).collect();
        let members = Self { etcds, pds, names, places, certs };
        members.lead(0);
        members
    }

    fn lead(&self, at: usize) {
        let url = |at: usize| format!("https://{}", self.names[at]);
        for (own, pd) in self.pds.iter().enumerate() {
            pd.set(|knobs| {
                knobs.advertised = Some(url(own));
                knobs.leader = if own == at { Leader::Me } else { Leader::Other(url(at)) };
                let others = (0..3).filter(|other| *other != own);
                knobs.others = others.map(|other| (format!("pd-{other}"), url(other))).collect();
            });
        }
    }

    /// A world that was given the first member's name, reached as `reached` says.
    fn world(&self, (map, proxy): (AddressMap, Option<ProxyUrl>)) -> LiveWorld {
        let tls = TlsFiles::new(Some(self.certs.ca()), None, None).unwrap();
        let settings = LiveSettings::new(&[&self.names[0]], tls).unwrap().lock_ttl(4 * SECOND);
        LiveWorld::of(settings.reached_by(map, proxy))
    }

    /// All that is held for long goes on when the member that was given goes.
    fn are_gone_on_with(&self, mut live: LiveWorld) {
        let mut kv = self.etcds[2].kv();
        let key = "/tidb-binlog/v1/pumps/pump-0";
        kv.put(key, record("pump-0", "h:1", "online", 5, 5));
        assert!(live.list().unwrap().tso.is_some());
        let (user, host, version) = ("us".into(), "here".into(), "1".into());
        let holder = LockHolder { user, host, pid: 1, run: None, script: None, version };
        let lock = Request::Lock(LockRequest::Take { holder, wait: None });
        let Answer::Locked(fence) = live.ask(lock.clone()).unwrap() else { panic!("no lock") };
        let events = |after| Request::Read(Read::Events { after, patience: 30 * SECOND });
        let Answer::Events(told) = live.ask(events(0)).unwrap() else { panic!("no events") };

        self.pds[0].set_gone(true);
        self.etcds[0].kill();
        self.lead(1);
        assert!(eventually(30 * SECOND, || self.etcds[1..].iter().all(Etcd::is_healthy)));
        let mut kv = self.etcds[2].kv();
        kv.put(key, record("pump-0", "h:1", "paused", 6, 6));
        let mut after = told.revision;
        let paused =
            |event: &RecordEvent| matches!(event, RecordEvent::Written(record) if record.state == State::Paused);
        let began = Instant::now();
        while began.elapsed() < 30 * SECOND {
            let Answer::Events(told) = live.ask(events(after)).unwrap() else { panic!("no events") };
            after = told.revision;
            let listed =
                told.anew.iter().flat_map(|listing| &listing.records).any(|record| record.state == State::Paused);
            if listed || told.events.iter().any(paused) {
                break;
            }
        }
        let listing = live.list().unwrap();
        assert_eq!(listing.records[0].state, State::Paused);
        assert!(listing.tso.is_some(), "{:?}", listing.tso_error);
        let swap = Request::Change(Change::SwapRecord { seen: listing.records[0].clone(), state: State::Online });
        live.ask(swap).unwrap();
        assert!(kv.get(LOCK_KEY).is_some(), "its lease was kept");
        live.world.apply(&lock, Some(&fence)).unwrap();
    }
}

#[test]
fn watch_lock_and_time_go_on_through_a_map_when_the_given_member_goes() {
    let members = NamedMembers::start();
    let mut map = AddressMap::default();
    members.names.iter().zip(&members.places).for_each(|(name, place)| map.add(name, place).unwrap());
    members.are_gone_on_with(members.world((map, None)));
}

#[test]
fn watch_lock_and_time_go_on_through_a_proxy_when_the_given_member_goes() {
    let members = NamedMembers::start();
    let host = |address: &String| address.rsplit_once(':').unwrap().0.to_owned();
    let hosts: Vec<_> = members.places.iter().map(host).zip(members.names.iter().map(host)).collect();
    let proxy = Proxy::start(&hosts);
    members.are_gone_on_with(members.world((AddressMap::default(), Some(ProxyUrl::parse(&proxy.url()).unwrap()))));
}

#[test]
fn the_live_view_and_what_a_shell_completes_come_the_same_way() {
    let (forwarded, inside) = (Outside::forwarded(true), Outside::in_its_network(true));
    let proxy = Proxy::start(&inside.hosts());
    for (outside, lines) in [(&forwarded, forwarded.map()), (&inside, format!("proxy = \"{}\"\n", proxy.url()))] {
        let profile = outside.profile(&lines);
        let ran = shell(&profile).arg("watch").arg("--once").go().succeeds();
        assert!(ran.stdout.contains("basic-pump-2:8250"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("unknown"), "{}", ran.stdout);
        // It has 200 ms, which a machine under load may need for itself.
        let line = ["--", "binlogsh", "--profile", "pods", "ctl", "-cmd", "pause-pump", "-node-id", "basic-pump-"];
        let completes = || {
            let home = crate::harness::Shell::new(&line).file(".config/binlogsh/config.toml", &profile);
            home.env("_BINLOGSH_COMPLETE", "fish").go().succeeds().stdout.contains("basic-pump-1:8250")
        };
        assert!(eventually(20 * SECOND, completes), "{SERVICE} is reached for whoever completes");
    }
}
