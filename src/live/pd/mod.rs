//! PD itself: who its members are, and its timestamps.
//!
//! Timestamps come from the leader only. Who that is, and the cluster's id, are asked for once and again whenever PD
//! says that they have changed.

mod messages;

use messages::{
    GetGcSafePointRequest, GetMembersRequest, RequestHeader, TsoRequest, UpdateServiceGcSafePointRequest, complaint,
};
pub use messages::{
    GetGcSafePointResponse, GetMembersResponse, HeaderError, MemberMessage, ResponseHeader, Timestamp, TsoResponse,
    UpdateServiceGcSafePointResponse,
};

use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::{Deadline, pause};
use crate::live::etcd::Etcd;
use crate::live::failover::{Again, AskingPlan, Attempt, EndpointUrl, FirstAnswer, Refusal, Unanswered, one, race};
use crate::live::members::{address_of, same, usable};
use crate::live::nodes::each;
use crate::live::pace::LONGEST;
use crate::live::wire::Wire;
use crate::text::{Untrusted, on_one_line};
use crate::tso::Tso;
use crate::world::{ClusterInfo, Endpoint};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// How long to wait before asking again during an election.
const ELECTION_PAUSE: Duration = Duration::from_millis(100);

/// How often it is looked whether another leads, while the one that does says nothing.
const LEADER_LOOK: Duration = Duration::from_millis(500);

/// How many such looks a short time-out has at least; how often a listing tries a leader that cannot be reached.
pub(super) const LEADER_TRIES: u32 = 3;

/// PD's gRPC service, through the same connections as etcd's.
pub(super) struct Pd {
    etcd: Arc<Etcd>,
    membership: Mutex<Option<Membership>>,
}

/// What the leader is asked with.
#[derive(Clone)]
struct Membership {
    cluster_id: u64,
    /// The leader's URLs as it advertises them.
    leader: Vec<String>,
    /// Who answered for it last.
    gave: Option<EndpointUrl>,
}

/// What a member says to what only the leader answers.
enum LeaderAnswer<T> {
    Given(T),
    /// Our cluster id is another one's.
    Mismatch(String),
}

impl Pd {
    /// Connects nothing.
    pub(super) fn new(etcd: Arc<Etcd>) -> Self {
        Self { etcd, membership: Mutex::default() }
    }

    /// The cluster's id, members and leader; without a leader if an election lasts longer than `deadline`.
    ///
    /// # Errors
    /// `unreachable` or `timeout`, naming every endpoint that was tried.
    pub(super) async fn cluster(&self, deadline: Deadline) -> Result<ClusterInfo> {
        loop {
            let answer = self.members(deadline).await?;
            if answer.leader.is_some() || deadline.left() < ELECTION_PAUSE {
                return Ok(answer.cluster());
            }
            pause(ELECTION_PAUSE).await;
        }
    }

    /// The cluster's id, whoever leads.
    ///
    /// # Errors
    /// `unreachable` or `timeout`, naming every endpoint that was tried.
    pub(super) async fn cluster_id(&self, deadline: Deadline) -> Result<u64> {
        Ok(self.members(deadline).await?.header.unwrap_or_default().cluster_id)
    }

    /// The names of the members, by etcd's ids of them.
    ///
    /// # Errors
    /// `unreachable` or `timeout`, naming every endpoint that was tried.
    pub(super) async fn names(&self, deadline: Deadline) -> Result<HashMap<u64, String>> {
        Ok(self.members(deadline).await?.members.into_iter().map(|member| (member.member_id, member.name)).collect())
    }

    /// A timestamp from the leader. One that cannot be reached is tried so many times, and until the deadline without
    /// `tries`: whoever starts it again has some seconds.
    ///
    /// # Errors
    /// `unreachable` or `timeout`, naming every endpoint that was tried.
    pub(super) async fn tso(&self, deadline: Deadline, tries: Option<u32>) -> Result<Tso> {
        self.ask_leader("get a timestamp from PD's leader", deadline, tries, get_timestamp).await
    }

    /// Up to where TiKV may have collected.
    ///
    /// # Errors
    /// As [`Pd::tso`]; `rejected` where PD is not bootstrapped.
    pub(super) async fn gc_safe_point(&self, deadline: Deadline, tries: Option<u32>) -> Result<Tso> {
        self.ask_leader("get the GC safe point from PD's leader", deadline, tries, get_gc_safe_point).await
    }

    /// Sets the safe point of `service` for `ttl` seconds, or removes it with 0. Returns the smallest safe point there is, and
    /// whose it is: PD has not set one that is below it, and says nothing else of that.
    ///
    /// # Errors
    /// As [`Pd::gc_safe_point`].
    pub(super) async fn hold_gc(
        &self,
        service: &str,
        safe_point: Tso,
        ttl: i64,
        deadline: Deadline,
    ) -> Result<(Untrusted, Tso)> {
        let ask = |channel, cluster_id| {
            let request = UpdateServiceGcSafePointRequest {
                header: Some(RequestHeader { cluster_id }),
                service_id: service.as_bytes().to_vec(),
                ttl,
                safe_point: u64::try_from(safe_point.0).unwrap_or(0),
            };
            update_service_gc_safe_point(channel, request)
        };
        self.ask_leader("hold GC through PD's leader", deadline, None, ask).await
    }

    /// Asks the leader. One that cannot be reached is tried so many times, and until the deadline without `tries`.
    ///
    /// # Errors
    /// As [`Pd::tso`].
    async fn ask_leader<T, F, W>(&self, what: &str, deadline: Deadline, tries: Option<u32>, ask: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(Channel, u64) -> W,
        W: Future<Output = Result<LeaderAnswer<T>, Refusal>> + Send + 'static,
    {
        let (mut failures, mut mismatched) = (0, false);
        loop {
            let membership = self.membership(deadline).await?;
            let ask = |source: &EndpointUrl, channel: Channel| {
                let ours = self.etcd.members.clone().ours(source.clone(), channel.clone());
                let answer = ask(channel, membership.cluster_id);
                async move {
                    ours.await?;
                    answer.await
                }
            };
            let pace = AskingPlan { together: false, again: Again::Patient, patience: LONGEST };
            let sources = self.sources(&membership);
            let said = tokio::select! {
                biased;
                said = race(&self.etcd.wire, &sources, pace, deadline, what, ask) => said,
                () = self.is_replaced(&membership, deadline) => continue,
            };
            let error = match said {
                Ok(FirstAnswer { source, answer: LeaderAnswer::Given(given), .. }) => {
                    self.remember(source);
                    return Ok(given);
                }
                Ok(FirstAnswer { source, answer: LeaderAnswer::Mismatch(words), .. }) if mismatched => {
                    let message = format!("cannot {what}: {} says {words}", source.url);
                    return Err(Error::new(ErrorKind::Rejected, message)
                        .hint("the PD URLs lead to more than one cluster: check them"));
                }
                Ok(FirstAnswer { answer: LeaderAnswer::Mismatch(_), .. }) => {
                    mismatched = true;
                    self.forget();
                    continue;
                }
                Err(Unanswered::Nobody(attempts)) => {
                    if !attempts.iter().any(is_election) {
                        failures += 1;
                    }
                    leader_error(&membership, attempts, what)
                }
                Err(unanswered) => return Err(unanswered.into_error(what)),
            };
            self.forget();
            if tries.is_some_and(|tries| failures >= tries) || deadline.left() < ELECTION_PAUSE {
                return Err(error);
            }
            pause(ELECTION_PAUSE).await;
        }
    }

    /// Ends when another leads than the one of `membership`. One that is silent is about to be replaced, one that is slow is
    /// not: so it is waited for, and looked meanwhile.
    async fn is_replaced(&self, membership: &Membership, deadline: Deadline) {
        let look = LEADER_LOOK.min(self.etcd.wire.settings.timeout / LEADER_TRIES);
        loop {
            pause(look).await;
            // Whoever does not tell now may do so later; the deadline is that of the question itself.
            let Ok(answer) = self.members(deadline).await else { continue };
            let Some(leader) = &answer.leader else { continue };
            if urls_of(leader) != membership.leader {
                self.lead(&answer, leader);
                return;
            }
        }
    }

    /// Where to ask the leader: who answered last, the leader's own URLs as far as they are of use here, then the
    /// others, one of which may lead to it by another name.
    fn sources(&self, membership: &Membership) -> Vec<EndpointUrl> {
        let known = self.etcd.endpoints();
        let leader = membership.leader.iter().filter_map(|url| usable(url, &self.etcd.wire.settings)).map(|url| {
            let known = known.iter().find(|source| same(&self.etcd.wire.settings, &source.url, &url)).cloned();
            known.unwrap_or(EndpointUrl { url, learned: true })
        });
        let mut sources: Vec<EndpointUrl> = Vec::new();
        for source in membership.gave.iter().cloned().chain(leader).chain(known.iter().cloned()) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    /// Remembers who answered for the leader.
    fn remember(&self, source: EndpointUrl) {
        if let Some(membership) = &mut *self.membership.lock().unwrap_or_else(PoisonError::into_inner) {
            membership.gave = Some(source);
        }
    }

    fn forget(&self) {
        *self.membership.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The cluster's id and its leader, as known or asked for anew; waits while there is no leader.
    async fn membership(&self, deadline: Deadline) -> Result<Membership> {
        let known = self.membership.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        loop {
            let answer = self.members(deadline).await?;
            if let Some(leader) = &answer.leader {
                return Ok(self.lead(&answer, leader));
            }
            if deadline.left() < ELECTION_PAUSE {
                return Err(Error::new(ErrorKind::Timeout, "PD has no leader: an election did not end in time")
                    .hint("check whether a majority of PD's members runs"));
            }
            pause(ELECTION_PAUSE).await;
        }
    }

    /// Remembers who leads.
    fn lead(&self, answer: &GetMembersResponse, leader: &MemberMessage) -> Membership {
        let cluster_id = answer.header.clone().unwrap_or_default().cluster_id;
        let found = Membership { cluster_id, leader: urls_of(leader), gave: None };
        *self.membership.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        found
    }

    /// Whether each endpoint answers: those of the settings, and those that the members name beside them, but names that are
    /// known inside the cluster only. All are asked at the same time; a second is enough for whoever is there.
    ///
    /// # Errors
    /// `internal` only: whatever an endpoint does is an answer.
    pub(super) async fn endpoints(&self, deadline: Deadline) -> Result<Vec<Endpoint>> {
        let settings = &self.etcd.wire.settings;
        let deadline = deadline.at_most(settings.probe_timeout);
        let answer = self.members(deadline).await.unwrap_or_default();
        let (cluster_id, members) = (answer.header.map(|header| header.cluster_id), answer.members);
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let mut add = |url: &str, member: Option<&str>, given: bool| {
            let known = endpoints.iter_mut().find(|known| same(settings, &known.url, url));
            match known {
                Some(known) => known.member = known.member.take().or(member.map(str::to_owned)),
                None => endpoints.push(Endpoint {
                    url: url.trim_end_matches('/').to_owned(),
                    member: member.map(str::to_owned),
                    given,
                    trouble: None,
                }),
            }
        };
        settings.pd_urls.iter().for_each(|url| add(url, None, true));
        for member in &members {
            member.client_urls.iter().for_each(|url| add(url, Some(&member.name), false));
        }
        // Those that were learned before, if nobody tells now.
        self.etcd.members.urls().iter().for_each(|url| add(url, None, false));
        let dialer = &self.etcd.wire.dialer;
        dialer.prepare(endpoints.iter().map(|endpoint| address_of(&endpoint.url))).await;
        let mut seen = Vec::new();
        for endpoint in endpoints {
            if endpoint.given || !dialer.is_inner_name(address_of(&endpoint.url)).await {
                seen.push(endpoint);
            }
        }
        let mut endpoints = seen;
        let urls: Vec<String> = endpoints.iter().map(|endpoint| endpoint.url.clone()).collect();
        let ask = |url| {
            let wire = self.etcd.wire.clone();
            async move { trouble_with(&wire, url, cluster_id, deadline.at_most(wire.settings.probe_timeout)).await }
        };
        for (endpoint, trouble) in endpoints.iter_mut().zip(each(&urls, ask).await?) {
            endpoint.trouble = trouble;
        }
        Ok(endpoints)
    }

    async fn members(&self, deadline: Deadline) -> Result<GetMembersResponse> {
        let asking = self.etcd.members.ask();
        let (url, answer) = self.etcd.ask("get PD's members", deadline, get_members).await?;
        asking.answered(&url, &answer, &self.etcd.wire.settings);
        Ok(answer)
    }
}

/// A member's URLs as it advertises them.
fn urls_of(member: &MemberMessage) -> Vec<String> {
    member.client_urls.iter().map(|url| url.trim_end_matches('/').to_owned()).collect()
}

/// Why the endpoint `url` does not answer for PD's cluster `cluster_id`; `None` if it does.
async fn trouble_with(wire: &Wire, url: String, cluster_id: Option<u64>, deadline: Deadline) -> Option<String> {
    match one(wire, &url, deadline, "get PD's members", get_members).await {
        Ok(answer) => {
            let own = answer.header.map(|header| header.cluster_id);
            let other = own.filter(|own| cluster_id.is_some_and(|cluster_id| cluster_id != *own));
            other.map(|other| format!("it belongs to another cluster ({other})"))
        }
        Err(refusal) => Some(refusal.words().unwrap_or_else(|error| error.message)),
    }
}

/// Whether PD says that its leader is another one, or none.
fn is_election(attempt: &Attempt) -> bool {
    attempt.words.contains("not leader") || attempt.words.contains("no leader")
}

fn leader_error(membership: &Membership, attempts: Vec<Attempt>, what: &str) -> Error {
    let leader = membership.leader.join(", ");
    Unanswered::Nobody(attempts)
        .into_error(what)
        .hint(format!("PD says that its leader is at {leader}: it must be reachable from here"))
}

type Client = tonic::client::Grpc<Channel>;

async fn ready(channel: Channel) -> Result<Client, Status> {
    let mut client = Client::new(channel);
    client.ready().await.map_err(|e| Status::from_error(Box::new(e)))?;
    Ok(client)
}

/// Asks PD who its members are.
pub(super) async fn get_members(channel: Channel) -> Result<GetMembersResponse, Refusal> {
    let path = PathAndQuery::from_static("/pdpb.PD/GetMembers");
    let request = Request::new(GetMembersRequest { header: None });
    let answer: tonic::Response<GetMembersResponse> =
        ready(channel).await?.unary(request, path, ProstCodec::default()).await.map_err(no_pd)?;
    let answer = answer.into_inner();
    complaint(answer.header.as_ref())?;
    Ok(answer)
}

/// An etcd without PD around it knows nothing of PD's service.
fn no_pd(status: Status) -> Refusal {
    match status.code() {
        Code::Unimplemented => Refusal::Final(
            Error::new(ErrorKind::Unreachable, "what answers is not PD: it does not know PD's service")
                .source(status.message())
                .hint("give PD's client URLs, not those of another etcd"),
        ),
        _ => status.into(),
    }
}

async fn get_timestamp(channel: Channel, cluster_id: u64) -> Result<LeaderAnswer<Tso>, Refusal> {
    let path = PathAndQuery::from_static("/pdpb.PD/Tso");
    let request = TsoRequest { header: Some(RequestHeader { cluster_id }), count: 1 };
    match stream_one(ready(channel).await?, request, path).await {
        Ok(answer) => answer.time().map(LeaderAnswer::Given),
        Err(status) => mismatch(status),
    }
}

/// What a status says that is no answer.
fn mismatch<T>(status: Status) -> Result<LeaderAnswer<T>, Refusal> {
    match status.code() {
        Code::FailedPrecondition if status.message().contains("mismatch cluster id") => {
            Ok(LeaderAnswer::Mismatch(on_one_line(status.message()).into_owned()))
        }
        _ => Err(status.into()),
    }
}

async fn get_gc_safe_point(channel: Channel, cluster_id: u64) -> Result<LeaderAnswer<Tso>, Refusal> {
    let path = PathAndQuery::from_static("/pdpb.PD/GetGCSafePoint");
    let request = Request::new(GetGcSafePointRequest { header: Some(RequestHeader { cluster_id }) });
    let answer: Result<tonic::Response<GetGcSafePointResponse>, Status> =
        ready(channel).await?.unary(request, path, ProstCodec::default()).await;
    match answer {
        Ok(answer) => answer.into_inner().safe_point().map(LeaderAnswer::Given),
        Err(status) => mismatch(status),
    }
}

async fn update_service_gc_safe_point(
    channel: Channel,
    request: UpdateServiceGcSafePointRequest,
) -> Result<LeaderAnswer<(Untrusted, Tso)>, Refusal> {
    let path = PathAndQuery::from_static("/pdpb.PD/UpdateServiceGCSafePoint");
    let answer: Result<tonic::Response<UpdateServiceGcSafePointResponse>, Status> =
        ready(channel).await?.unary(Request::new(request), path, ProstCodec::default()).await;
    match answer {
        Ok(answer) => answer.into_inner().smallest().map(LeaderAnswer::Given),
        Err(status) => mismatch(status),
    }
}

/// Sends one request on the stream, and takes the one answer to it.
async fn stream_one(mut client: Client, request: TsoRequest, path: PathAndQuery) -> Result<TsoResponse, Status> {
    let requests = Request::new(tonic::codegen::tokio_stream::once(request));
    let mut answers = client.streaming(requests, path, ProstCodec::default()).await?.into_inner();
    answers.message().await?.ok_or_else(|| Status::unavailable("the stream ended without a timestamp"))
}
