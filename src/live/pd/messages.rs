//! The few messages of PD's gRPC service that are spoken here, declared by hand with PD's field numbers.

/// What every request begins with.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct RequestHeader {
    #[prost(uint64, tag = "1")]
    pub(in crate::live) cluster_id: u64,
}

/// What every answer begins with.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::live) struct ResponseHeader {
    #[prost(uint64, tag = "1")]
    pub(in crate::live) cluster_id: u64,
    #[prost(message, optional, tag = "2")]
    pub(in crate::live) error: Option<HeaderError>,
}

/// What PD complains of; type 0 is nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::live) struct HeaderError {
    #[prost(int32, tag = "1")]
    pub(in crate::live) r#type: i32,
    #[prost(string, tag = "2")]
    pub(in crate::live) message: String,
}

/// Asks who is there; needs no cluster id.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct GetMembersRequest {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<RequestHeader>,
}

/// Who is there; the leader is absent during an election.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::live) struct GetMembersResponse {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<ResponseHeader>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::live) members: Vec<MemberMessage>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::live) leader: Option<MemberMessage>,
}

/// One member of PD.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::live) struct MemberMessage {
    #[prost(string, tag = "1")]
    pub(in crate::live) name: String,
    #[prost(uint64, tag = "2")]
    pub(in crate::live) member_id: u64,
    #[prost(string, repeated, tag = "4")]
    pub(in crate::live) client_urls: Vec<String>,
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
pub(in crate::live) struct TsoResponse {
    #[prost(message, optional, tag = "1")]
    pub(in crate::live) header: Option<ResponseHeader>,
    #[prost(uint32, tag = "2")]
    pub(in crate::live) count: u32,
    #[prost(message, optional, tag = "3")]
    pub(in crate::live) timestamp: Option<Timestamp>,
}

/// Physical milliseconds since 1970, and a counter within the millisecond.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(in crate::live) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(in crate::live) physical: i64,
    #[prost(int64, tag = "2")]
    pub(in crate::live) logical: i64,
}
