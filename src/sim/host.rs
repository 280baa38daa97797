//! Our own host: what it sees otherwise than the cluster is.

use super::cluster::Cluster;
use super::http::Behind;
use super::scenario::HostSpec;
use crate::error::Result;
use crate::node::NodeRef;
use crate::world::{Ability, Certificate, Endpoint, EndsBy, FaultKind, Restarts, Supervision};

/// Our own host. It stays as it is.
#[derive(Clone, Debug)]
pub(crate) struct OwnHost {
    /// How far its clock is ahead of PD's, in milliseconds.
    pub(crate) clock_ms: i64,
    /// URLs and addresses that it cannot reach.
    unreachable: Vec<String>,
    /// The certificates that it was given, and those that servers show it.
    pub(crate) certificates: Vec<Certificate>,
}

impl OwnHost {
    /// The host of a scenario.
    ///
    /// # Errors
    /// `invalid` when a certificate expires at no point in time.
    pub(crate) fn of(spec: &HostSpec) -> Result<Self> {
        let HostSpec { clock_ms, unreachable, .. } = spec.clone();
        Ok(Self { clock_ms, unreachable, certificates: spec.certificates()? })
    }

    fn reaches(&self, place: &str) -> bool {
        !self.unreachable.iter().any(|unreachable| unreachable.eq_ignore_ascii_case(place))
    }
}

/// What a sandbox starts and stops without more ado.
fn of_a_sandbox() -> Supervision {
    Supervision {
        by: "the sandbox".to_owned(),
        stands_in: false,
        start: Ability::By(None),
        stop: Ability::By(None),
        restart: Ability::By(None),
        ends_by: EndsBy::Sigterm,
        restarts: None,
        between: None,
    }
}

impl Cluster {
    /// How the process of `node` is started and stopped.
    pub(crate) fn supervision(&self, node: &NodeRef) -> Supervision {
        self.node_control.as_ref().map_or_else(of_a_sandbox, |control| control.supervision(node))
    }

    /// Which processes are started again by what controls them, if anybody says.
    pub(crate) fn restarts(&self) -> Option<Restarts> {
        self.node_control.as_ref().and_then(|control| control.restarts)
    }

    /// Whether a fault of `kind` can come to anything here.
    pub(crate) fn can_meet(&self, kind: FaultKind) -> bool {
        match kind {
            FaultKind::ControlFails | FaultKind::ControlDoesNothing => self.node_control.is_some(),
            FaultKind::Ddl => self.has_ddls,
            FaultKind::GcRunsAhead | FaultKind::ChangefeedFails | FaultKind::ChangefeedStops => self.tikv_gc_matters(),
            _ => true,
        }
    }

    /// Who is behind `address` for our own host.
    pub(crate) fn behind_for_us(&self, address: &str) -> Behind {
        if self.host.reaches(address) { self.behind(address) } else { Behind::Nobody }
    }

    /// PD's endpoints, by member. We were given all of them.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let urls = members.iter().flat_map(|member| member.client_urls.iter().map(move |url| (*member, url)));
        let endpoint = |(member, url): (&crate::world::PdMember, &String)| {
            let trouble = (!self.host.reaches(url)).then(|| "connection refused".to_owned());
            Endpoint { url: url.clone(), member: Some(member.name.clone()), given: true, trouble }
        };
        urls.map(endpoint).collect()
    }
}
