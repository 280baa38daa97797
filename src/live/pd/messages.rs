//! The few messages of PD's gRPC service that are spoken here, declared by hand with PD's field numbers.

use crate::live::failover::Refusal;
use crate::live::members::{same, usable};
use crate::live::settings::LiveSettings;
use crate::text::{Untrusted, on_one_line};
use crate::tso::Tso;
use crate::world::{ClusterInfo, PdMember, not_bootstrapped};

/// What every request begins with.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct RequestHeader {
    #[prost(uint64, tag = "1")]
    pub(in crate::live) cluster_id: u64,
}

/// What every answer begins with.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ResponseHeader {
    /// Which cluster it is of.
    #[prost(uint64, tag = "1")]
    pub cluster_id: u64,
    /// What PD complains of, if it does.
    #[prost(message, optional, tag = "2")]
    pub error: Option<HeaderError>,
}

/// What PD complains of; type 0 is nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HeaderError {
    /// 0 is nothing.
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// In words.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// Asks who is there; needs no cluster id.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct GetMembersRequest {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<RequestHeader>,
}

/// Who is there; the leader is absent during an election.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetMembersResponse {
    /// Of which cluster, and what is wrong.
    #[prost(message, optional, tag = "1")]
    pub header: Option<ResponseHeader>,
    /// All members.
    #[prost(message, repeated, tag = "2")]
    pub members: Vec<MemberMessage>,
    /// The one that leads.
    #[prost(message, optional, tag = "3")]
    pub leader: Option<MemberMessage>,
}

/// One member of PD.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MemberMessage {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its id in etcd.
    #[prost(uint64, tag = "2")]
    pub member_id: u64,
    /// Where it says that clients reach it.
    #[prost(string, repeated, tag = "4")]
    pub client_urls: Vec<String>,
}

/// Asks for `count` timestamps.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct TsoRequest {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<RequestHeader>,
    #[prost(uint32, tag = "2")]
    pub(in crate::live) count: u32,
}

/// The timestamps; `timestamp` is the last of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TsoResponse {
    /// Of which cluster, and what is wrong.
    #[prost(message, optional, tag = "1")]
    pub header: Option<ResponseHeader>,
    /// How many.
    #[prost(uint32, tag = "2")]
    pub count: u32,
    /// The last of them.
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Timestamp>,
}

/// Physical milliseconds since 1970, and a counter within the millisecond.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Timestamp {
    /// Milliseconds since 1970.
    #[prost(int64, tag = "1")]
    pub physical: i64,
    /// The counter, below 2^18.
    #[prost(int64, tag = "2")]
    pub logical: i64,
}

/// Asks up to where TiKV may have collected.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct GetGcSafePointRequest {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<RequestHeader>,
}

/// Up to where TiKV may have collected.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetGcSafePointResponse {
    /// Of which cluster, and what is wrong.
    #[prost(message, optional, tag = "1")]
    pub header: Option<ResponseHeader>,
    /// 0 while nothing was collected.
    #[prost(uint64, tag = "2")]
    pub safe_point: u64,
}

/// Sets the safe point of a service, or removes it with a time to live of 0.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::live) struct UpdateServiceGcSafePointRequest {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<RequestHeader>,
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::live) service_id: Vec<u8>,
    /// Seconds.
    #[prost(int64, tag = "3")]
    pub(in crate::live) ttl: i64,
    #[prost(uint64, tag = "4")]
    pub(in crate::live) safe_point: u64,
}

/// The smallest safe point that has not ended, and whose it is. One above what was asked for is a refusal.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateServiceGcSafePointResponse {
    /// Of which cluster, and what is wrong.
    #[prost(message, optional, tag = "1")]
    pub header: Option<ResponseHeader>,
    /// Whose it is.
    #[prost(bytes = "vec", tag = "2")]
    pub service_id: Vec<u8>,
    /// For how many seconds it lives.
    #[prost(int64, tag = "3")]
    pub ttl: i64,
    /// The smallest.
    #[prost(uint64, tag = "4")]
    pub min_safe_point: u64,
}

impl GetMembersResponse {
    /// The cluster that it tells of, its members by name.
    pub fn cluster(self) -> ClusterInfo {
        let id = self.header.unwrap_or_default().cluster_id;
        let member = |m: MemberMessage| PdMember { name: m.name, client_urls: m.client_urls };
        let mut members: Vec<PdMember> = self.members.into_iter().map(member).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        ClusterInfo { id, members, leader: self.leader.map(|leader| leader.name) }
    }

    /// The members' URLs as they can be asked from here, but for those that `settings` name already.
    pub fn other_urls(&self, settings: &LiveSettings) -> Vec<String> {
        let named = self.members.iter().flat_map(|member| &member.client_urls);
        let mut urls: Vec<String> = Vec::new();
        for url in named.filter_map(|url| usable(url, settings)) {
            if !settings.pd_urls().iter().chain(&urls).any(|known| same(settings, known, &url)) {
                urls.push(url);
            }
        }
        urls
    }
}

impl TsoResponse {
    /// The timestamp in it.
    ///
    /// # Errors
    /// What PD complains of, or that there is none or one that cannot be.
    pub fn time(&self) -> Result<Tso, Refusal> {
        complaint(self.header.as_ref())?;
        let time = self.timestamp.ok_or_else(|| Refusal::Elsewhere("an answer without a timestamp".into()))?;
        let Timestamp { physical, logical } = time;
        Tso::given(physical, logical).ok_or_else(|| {
            Refusal::Elsewhere(format!("an answer with a timestamp that cannot be ({physical} ms, {logical})"))
        })
    }
}

impl GetGcSafePointResponse {
    /// The safe point in it.
    ///
    /// # Errors
    /// What PD complains of, or that it is no timestamp.
    pub fn safe_point(&self) -> Result<Tso, Refusal> {
        bootstrapped(self.header.as_ref())?;
        position(self.safe_point)
    }
}

impl UpdateServiceGcSafePointResponse {
    /// The smallest safe point, and whose it is.
    ///
    /// # Errors
    /// What PD complains of, or that it is no timestamp.
    pub fn smallest(&self) -> Result<(Untrusted, Tso), Refusal> {
        bootstrapped(self.header.as_ref())?;
        Ok((String::from_utf8_lossy(&self.service_id).into_owned().into(), position(self.min_safe_point)?))
    }
}

/// A safe point as PD says it: some set one at the end of all time.
fn position(safe_point: u64) -> Result<Tso, Refusal> {
    let words = || format!("an answer with a safe point that cannot be ({safe_point})");
    i64::try_from(safe_point).map(Tso).map_err(|_| Refusal::Elsewhere(words()))
}

/// How PD's header says that no TiKV has ever joined it.
const NOT_BOOTSTRAPPED: i32 = 2;

/// What the header of an answer about GC complains of.
fn bootstrapped(header: Option<&ResponseHeader>) -> Result<(), Refusal> {
    match header.and_then(|header| header.error.as_ref()).map(|error| error.r#type) {
        Some(NOT_BOOTSTRAPPED) => Err(Refusal::Final(not_bootstrapped())),
        _ => complaint(header),
    }
}

/// What the header of an answer complains of.
///
/// # Errors
/// That, for others to answer.
pub(in crate::live) fn complaint(header: Option<&ResponseHeader>) -> Result<(), Refusal> {
    match header.and_then(|header| header.error.as_ref()).filter(|error| error.r#type != 0) {
        Some(error) => Err(Refusal::Elsewhere(on_one_line(&error.message).into_owned())),
        None => Ok(()),
    }
}
