//! PD's own service, frame by frame. Its messages are declared apart from the program's: two mistakes would have to agree.

use super::{Knobs, Leader, Shared};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Response};
use prost::Message;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

#[derive(Clone, PartialEq, Message)]
pub(super) struct RequestHeader {
    #[prost(uint64, tag = "1")]
    pub(super) cluster_id: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResponseHeader {
    #[prost(uint64, tag = "1")]
    pub(super) cluster_id: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Member {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    member_id: u64,
    #[prost(string, repeated, tag = "3")]
    peer_urls: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    client_urls: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct GetMembersResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(message, repeated, tag = "2")]
    members: Vec<Member>,
    #[prost(message, optional, tag = "3")]
    leader: Option<Member>,
    #[prost(message, optional, tag = "4")]
    etcd_leader: Option<Member>,
}

#[derive(Clone, PartialEq, Message)]
struct TsoRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<RequestHeader>,
    #[prost(uint32, tag = "2")]
    count: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    physical: i64,
    #[prost(int64, tag = "2")]
    logical: i64,
}

#[derive(Clone, PartialEq, Message)]
struct TsoResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(uint32, tag = "2")]
    count: u32,
    #[prost(message, optional, tag = "3")]
    timestamp: Option<Timestamp>,
}

/// The knobs as they are now, after the time that an answer takes.
pub(super) async fn knobs(shared: &Shared) -> Knobs {
    let knobs = shared.knobs.lock().unwrap().clone();
    if knobs.silent {
        std::future::pending::<()>().await;
    }
    if !knobs.latency.is_zero() {
        tokio::time::sleep(knobs.latency).await;
    }
    knobs
}

pub(super) async fn get_members(
    shared: &Shared,
    mut body: RecvStream,
    respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    while read_message(&mut body, &mut Vec::new()).await?.is_some() {}
    let knobs = knobs(shared).await;
    let own = knobs.advertised.clone().unwrap_or_else(|| shared.url.clone());
    let mut members = vec![("pd-0".to_owned(), own)];
    members.extend(knobs.others.clone());
    let member = |at: usize, name: &str, url: &str| Member {
        name: name.to_owned(),
        member_id: if at == 0 { knobs.member_id } else { at as u64 + 1 },
        peer_urls: Vec::new(),
        client_urls: vec![url.to_owned()],
    };
    let members: Vec<_> = members.iter().enumerate().map(|(at, (name, url))| member(at, name, url)).collect();
    let leader = match &knobs.leader {
        Leader::Me => Some(members[0].clone()),
        Leader::Nobody => None,
        Leader::Other(url) => Some(
            members.iter().find(|m| m.client_urls.contains(url)).cloned().unwrap_or_else(|| member(99, "other", url)),
        ),
    };
    let header = Some(ResponseHeader { cluster_id: knobs.cluster_id });
    let answer = GetMembersResponse { header, members, etcd_leader: leader.clone(), leader };
    let mut stream = begin(respond)?;
    stream.send_data(frame(&answer), false)?;
    stream.send_trailers(status(0, ""))
}

pub(super) async fn tso(shared: &Shared, mut body: RecvStream, respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut buffer = Vec::new();
    let mut respond = Some(respond);
    let mut stream: Option<SendStream<Bytes>> = None;
    while let Some(message) = read_message(&mut body, &mut buffer).await? {
        shared.counts.timestamps.fetch_add(1, Ordering::SeqCst);
        let request = TsoRequest::decode(message).unwrap_or_default();
        let knobs = knobs(shared).await;
        let asked = request.header.unwrap_or_default().cluster_id;
        let refusal = if knobs.leader != Leader::Me {
            Some((14, "not leader".to_owned()))
        } else if asked != knobs.cluster_id {
            Some((9, format!("mismatch cluster id, need {} but got {asked}", knobs.cluster_id)))
        } else {
            None
        };
        match (refusal, &mut stream, respond.take()) {
            (Some((code, words)), Some(stream), _) => return stream.send_trailers(status(code, &words)),
            (Some((code, words)), None, Some(respond)) => return refuse(respond, code, &words),
            (None, _, respond) => {
                if let Some(respond) = respond {
                    stream = Some(begin(respond)?);
                }
                let (physical, logical) = now(shared, &knobs);
                let timestamp = Some(Timestamp { physical, logical });
                let header = Some(ResponseHeader { cluster_id: knobs.cluster_id });
                if let Some(stream) = &mut stream {
                    stream.send_data(frame(&TsoResponse { header, count: request.count, timestamp }), false)?;
                }
            }
            (Some(_), None, None) => return Ok(()),
        }
    }
    match (stream, respond) {
        (Some(mut stream), _) => stream.send_trailers(status(0, "")),
        (None, Some(respond)) => refuse(respond, 0, ""),
        (None, None) => Ok(()),
    }
}

/// Physical milliseconds and logical counter.
pub(super) fn now(shared: &Shared, knobs: &Knobs) -> (i64, i64) {
    if let Some(clock) = &knobs.clock {
        return clock();
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let logical = shared.logical.fetch_add(1, Ordering::SeqCst) % (1 << 18);
    (i64::try_from(since.as_millis()).unwrap() + knobs.offset_ms, logical)
}

/// The next message of a gRPC stream, or `None` at its end.
pub(super) async fn read_message(body: &mut RecvStream, buffer: &mut Vec<u8>) -> Result<Option<Bytes>, h2::Error> {
    loop {
        if let Some(length) = buffer.get(1..5) {
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if buffer.len() >= 5 + length {
                let message = buffer.drain(..5 + length).skip(5).collect::<Vec<_>>();
                return Ok(Some(message.into()));
            }
        }
        match body.data().await {
            None => return Ok(None),
            Some(data) => {
                let data = data?;
                body.flow_control().release_capacity(data.len())?;
                buffer.extend_from_slice(&data);
            }
        }
    }
}

pub(super) fn frame(message: &impl Message) -> Bytes {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), &body].concat().into()
}

pub(super) fn status(code: u32, words: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    trailers.insert("grpc-message", HeaderValue::from_str(&words.replace(' ', "%20")).unwrap());
    trailers
}

pub(super) fn begin(mut respond: SendResponse<Bytes>) -> Result<SendStream<Bytes>, h2::Error> {
    let response = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    respond.send_response(response, false)
}

/// An answer without a message: what gRPC calls trailers only.
pub(super) fn refuse(mut respond: SendResponse<Bytes>, code: u32, words: &str) -> Result<(), h2::Error> {
    let mut response = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    response.headers_mut().extend(status(code, words));
    respond.send_response(response, true).map(drop)
}
