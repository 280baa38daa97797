//! PD with three members: each is a real etcd, PD's double before it, and a front before both, so that a whole member can
//! be killed, frozen and slowed.
//!
//! Whoever leads the etcds leads PD. While nobody does, the members go on to name the one that led before, as PD's do.

use super::cluster::own_ip;
use super::etcd::{Etcd, Kv};
use super::eventually;
use super::front::{Front, Passage};
use super::pd_double::{Leader, PdDouble};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked who leads, while nobody is known to.
const LOOK: Duration = Duration::from_millis(50);
/// No election takes longer.
const ELECTION: Duration = Duration::from_secs(30);

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Condition {
    Well,
    Frozen,
    Killed,
}

struct QuorumMember {
    etcd: Etcd,
    pd: PdDouble,
    front: Front,
    condition: Mutex<Condition>,
}

impl QuorumMember {
    fn url(&self) -> String {
        format!("http://{}", self.front.address())
    }

    fn is_well(&self) -> bool {
        *self.condition.lock().unwrap() == Condition::Well
    }
}

/// Three members. They end when this is dropped.
pub(crate) struct Quorum {
    shared: Arc<Shared>,
    election: Option<JoinHandle<()>>,
}

struct Shared {
    members: Vec<QuorumMember>,
    leader: AtomicUsize,
    ended: AtomicBool,
}

impl Quorum {
    /// Waits until one of them leads.
    pub(crate) fn start() -> Self {
        let ip = own_ip();
        let member = |etcd: Etcd| {
            let pd = PdDouble::start(&etcd);
            let front = Front::start(&ip, pd.url().trim_start_matches("http://").parse().unwrap());
            QuorumMember { etcd, pd, front, condition: Mutex::new(Condition::Well) }
        };
        let members: Vec<_> = Etcd::cluster(3).into_iter().map(member).collect();
        let shared = Shared { members, leader: AtomicUsize::new(usize::MAX), ended: AtomicBool::new(false) };
        assert!(eventually(ELECTION, || shared.elect()), "nobody leads");
        let shared = Arc::new(shared);
        let own = shared.clone();
        let election = std::thread::spawn(move || {
            while !own.ended.load(Ordering::SeqCst) {
                if !own.members[own.leader.load(Ordering::SeqCst)].is_well() {
                    own.elect();
                }
                std::thread::sleep(LOOK);
            }
        });
        Self { shared, election: Some(election) }
    }

    fn member(&self, at: usize) -> &QuorumMember {
        &self.shared.members[at]
    }

    /// The client URL of a member.
    pub(crate) fn url(&self, at: usize) -> String {
        self.member(at).url()
    }

    /// The client URLs, that of the member `first` first.
    pub(crate) fn urls_from(&self, first: usize) -> Vec<String> {
        (0..3).map(|at| self.url((first + at) % 3)).collect()
    }

    /// Who leads, once somebody does.
    pub(crate) fn leader(&self) -> usize {
        let known = || self.shared.leader.load(Ordering::SeqCst);
        assert!(eventually(ELECTION, || self.member(known()).is_well()), "nobody leads");
        known()
    }

    /// One who does not lead.
    pub(crate) fn follower(&self) -> usize {
        (self.leader() + 1) % 3
    }

    /// Its host is gone.
    pub(crate) fn kill(&self, at: usize) {
        *self.member(at).condition.lock().unwrap() = Condition::Killed;
        self.member(at).front.set(Passage::Refused);
        self.member(at).etcd.kill();
    }

    /// Its process is stopped: its port takes connections, and nothing answers.
    pub(crate) fn freeze(&self, at: usize) {
        *self.member(at).condition.lock().unwrap() = Condition::Frozen;
        self.member(at).front.set(Passage::Frozen);
        self.member(at).etcd.stop();
    }

    /// Whatever its port says comes so much later.
    pub(crate) fn slow(&self, at: usize, later: Duration) {
        self.member(at).front.set(Passage::Slow(later));
    }

    /// Its connections end, and it takes no new ones; the member itself goes on.
    pub(crate) fn cut(&self, at: usize) {
        self.member(at).front.set(Passage::Refused);
    }

    /// It is well again, whatever it was.
    pub(crate) fn cure(&self, at: usize) {
        let member = self.member(at);
        let before = std::mem::replace(&mut *member.condition.lock().unwrap(), Condition::Well);
        match before {
            Condition::Well => {}
            Condition::Frozen => member.etcd.cont(),
            Condition::Killed => member.etcd.restart(),
        }
        member.front.set(Passage::Open);
    }

    /// Waits until every member is well and follows one leader.
    pub(crate) fn settle(&self) {
        self.leader();
        let healthy = || self.shared.members.iter().filter(|member| member.is_well()).all(|m| m.etcd.is_healthy());
        assert!(eventually(ELECTION, healthy), "a member is not healthy");
    }

    /// A client of a member that is well, past its front.
    pub(crate) fn kv(&self) -> Kv {
        self.shared.members.iter().find(|member| member.is_well()).unwrap().etcd.kv()
    }
}

impl Shared {
    /// Looks who leads, and makes all PDs say so.
    fn elect(&self) -> bool {
        let leads = |member: &QuorumMember| member.is_well() && member.etcd.is_leader();
        let Some(leader) = self.members.iter().position(leads) else { return false };
        for (at, member) in self.members.iter().enumerate() {
            let others = self.members.iter().enumerate().filter(|(other, _)| *other != at);
            let others = others.map(|(other, member)| (format!("member-{other}"), member.url())).collect();
            member.pd.set(|knobs| {
                knobs.advertised = Some(member.url());
                knobs.leader = if at == leader { Leader::Me } else { Leader::Other(self.members[leader].url()) };
                knobs.others = others;
            });
        }
        self.leader.store(leader, Ordering::SeqCst);
        true
    }
}

impl Drop for Quorum {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(election) = self.election.take() {
            let _ = election.join();
        }
    }
}
