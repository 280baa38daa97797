//! A live world on what the other files start, and short ways to ask it.

use binlogsh::deployment::Deployment;
use binlogsh::downstream::Downstreams;
use binlogsh::error::{Error, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::live::{Live, LiveSettings, TlsFiles};
use binlogsh::node::{Kind, NodeRef};
use binlogsh::world::{Answer, Listing, Notice, Notices, ProbeFinding, Read, Request, World};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A live world, whoever can interrupt it, and the notices that it gave.
pub(crate) struct LiveWorld {
    pub(crate) world: Live,
    pub(crate) interrupt: Interrupt,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl LiveWorld {
    /// The cluster at `urls`, with a time-out of `timeout`.
    pub(crate) fn new<U: AsRef<str>>(urls: &[U], timeout: Duration) -> Self {
        Self::with_tls(urls, timeout, None)
    }

    /// The same over TLS.
    pub(crate) fn with_tls<U: AsRef<str>>(urls: &[U], timeout: Duration, tls: Option<TlsFiles>) -> Self {
        Self::of(LiveSettings::new(urls, tls).unwrap().timeout(timeout).unwrap())
    }

    /// The cluster of `settings`.
    pub(crate) fn of(settings: LiveSettings) -> Self {
        let (interrupt, notices) = (Interrupt::default(), Arc::<Mutex<Vec<Notice>>>::default());
        let sink = notices.clone();
        let tell: Notices = Arc::new(move |notice| sink.lock().unwrap().push(notice));
        Self { world: Live::new(settings, tell, interrupt.clone(), None), interrupt, notices }
    }

    /// The same, where a deployment tool knows this of the cluster.
    pub(crate) fn knowing(self, deployment: Deployment) -> Self {
        Self { world: self.world.with_deployment(Box::new(move || Ok(deployment.clone()))), ..self }
    }

    /// The same, where Drainers save so how far they have come.
    pub(crate) fn saving(self, downstreams: Downstreams) -> Self {
        Self { world: self.world.with_downstreams(downstreams), ..self }
    }

    /// Asks without a fence.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Answer> {
        self.world.apply(&request, None)
    }

    /// The error of a request that must fail.
    pub(crate) fn fails(&mut self, request: Request) -> Error {
        match self.ask(request) {
            Ok(answer) => panic!("it did not fail: {answer:?}"),
            Err(error) => error,
        }
    }

    /// All records.
    pub(crate) fn list(&mut self) -> Result<Listing> {
        match self.ask(Request::Read(Read::Nodes))? {
            Answer::Listing(listing) => Ok(listing),
            other => panic!("no listing: {other:?}"),
        }
    }

    /// What one node says of itself.
    pub(crate) fn probe(&mut self, node: &NodeRef) -> ProbeFinding {
        match self.ask(Request::Read(Read::Probe { nodes: vec![node.clone()] })).unwrap() {
            Answer::Probes(mut probes) => probes.remove(0).finding,
            other => panic!("no probes: {other:?}"),
        }
    }

    /// The notices so far.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.notices.lock().unwrap().clone()
    }

    /// The warnings so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |notice| if let Notice::Warning(text) = notice { Some(text) } else { None };
        self.notices().into_iter().filter_map(warning).collect()
    }
}

/// A Pump at `address`.
pub(crate) fn pump(id: &str, address: &str) -> NodeRef {
    NodeRef { kind: Kind::Pump, id: id.into(), address: address.into() }
}

/// A Drainer at `address`.
pub(crate) fn drainer(id: &str, address: &str) -> NodeRef {
    NodeRef { kind: Kind::Drainer, id: id.into(), address: address.into() }
}
