//! GC's safe points as PD 6.6 keeps them: in etcd, so that another member that leads has them too.

use super::service::{RequestHeader, begin, frame, knobs, now, read_message, refuse, status};
use super::{Knobs, Leader, Shared};
use bytes::Bytes;
use etcd_client::{Client, GetOptions};
use h2::RecvStream;
use h2::server::SendResponse;
use prost::Message;
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering;

/// TiDB's own service, which is there for ever.
const GC_WORKER: &str = "gc_worker";
/// `pdpb.ErrorType`.
const NOT_BOOTSTRAPPED: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct HeaderError {
    #[prost(int32, tag = "1")]
    r#type: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, Message)]
struct ResponseHeader {
    #[prost(uint64, tag = "1")]
    cluster_id: u64,
    #[prost(message, optional, tag = "2")]
    error: Option<HeaderError>,
}

#[derive(Clone, PartialEq, Message)]
struct GetRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<RequestHeader>,
}

#[derive(Clone, PartialEq, Message)]
struct GetResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(uint64, tag = "2")]
    safe_point: u64,
}

#[derive(Clone, PartialEq, Message)]
struct UpdateRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<RequestHeader>,
    #[prost(bytes = "vec", tag = "2")]
    service_id: Vec<u8>,
    #[prost(int64, tag = "3")]
    ttl: i64,
    #[prost(uint64, tag = "4")]
    safe_point: u64,
}

#[derive(Clone, PartialEq, Message)]
struct UpdateResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(bytes = "vec", tag = "2")]
    service_id: Vec<u8>,
    #[prost(int64, tag = "3")]
    ttl: i64,
    #[prost(uint64, tag = "4")]
    min_safe_point: u64,
}

/// A service as PD keeps it.
#[derive(Clone, Debug, PartialEq)]
struct Service {
    id: String,
    expired_at: i64,
    safe_point: u64,
}

/// PD's etcd, as PD itself uses it.
struct Kept {
    client: Client,
    prefix: String,
}

impl Kept {
    async fn of(shared: &Shared, knobs: &Knobs) -> Option<Self> {
        let client = Client::connect([format!("http://{}", shared.backend)], None).await.ok()?;
        Some(Self { client, prefix: format!("/pd/{}/gc/safe_point", knobs.cluster_id) })
    }

    async fn safe_point(&mut self) -> u64 {
        let found = self.client.get(self.prefix.as_str(), None).await.unwrap();
        let hex = found.kvs().first().map_or("0".to_owned(), |kv| kv.value_str().unwrap().to_owned());
        u64::from_str_radix(&hex, 16).unwrap()
    }

    fn key(&self, service: &str) -> String {
        format!("{}/service/{service}", self.prefix)
    }

    async fn put(&mut self, service: &Service) {
        let Service { id, expired_at, safe_point } = service;
        let value = json!({"service_id": id, "expired_at": expired_at, "safe_point": safe_point});
        self.client.put(self.key(id), value.to_string(), None).await.unwrap();
    }

    async fn remove(&mut self, service: &str) {
        self.client.delete(self.key(service), None).await.unwrap();
    }

    /// The smallest that has not ended; those that have are forgotten, and TiDB's own is made where it is missing.
    async fn smallest(&mut self, now: i64) -> Service {
        let options = GetOptions::new().with_prefix();
        let found = self.client.get(self.key(""), Some(options)).await.unwrap();
        let parse = |value: &[u8]| {
            let json: Json = serde_json::from_slice(value).ok()?;
            let id = json["service_id"].as_str()?.to_owned();
            Some(Service { id, expired_at: json["expired_at"].as_i64()?, safe_point: json["safe_point"].as_u64()? })
        };
        let all: Vec<Service> = found.kvs().iter().filter_map(|kv| parse(kv.value())).collect();
        for gone in all.iter().filter(|service| service.expired_at < now) {
            self.remove(&gone.id).await;
        }
        let mut alive: Vec<Service> = all.iter().filter(|service| service.expired_at >= now).cloned().collect();
        if !all.iter().any(|service| service.id == GC_WORKER) {
            let safe_point = all.iter().map(|service| service.safe_point).min().unwrap_or(0);
            let worker = Service { id: GC_WORKER.into(), expired_at: i64::MAX, safe_point };
            self.put(&worker).await;
            alive.push(worker);
        }
        alive.into_iter().min_by_key(|service| service.safe_point).unwrap()
    }

    async fn update(&mut self, request: &UpdateRequest, now: i64) -> Service {
        let id = String::from_utf8_lossy(&request.service_id).into_owned();
        if request.ttl <= 0 {
            assert_ne!(id, GC_WORKER, "PD does not remove TiDB's own");
            self.remove(&id).await;
            return self.smallest(now).await;
        }
        let smallest = self.smallest(now).await;
        if request.safe_point < smallest.safe_point {
            return smallest;
        }
        self.put(&Service { id, expired_at: now.saturating_add(request.ttl), safe_point: request.safe_point }).await;
        self.smallest(now).await
    }
}

/// Why it does not answer, as a gRPC status.
fn status_of(knobs: &Knobs, header: Option<RequestHeader>) -> Option<(u32, String)> {
    let asked = header.unwrap_or_default().cluster_id;
    if knobs.leader != Leader::Me {
        return Some((14, "not leader".to_owned()));
    }
    (asked != knobs.cluster_id).then(|| (9, format!("mismatch cluster id, need {} but got {asked}", knobs.cluster_id)))
}

fn header_of(knobs: &Knobs) -> Option<ResponseHeader> {
    let error = (!knobs.bootstrapped)
        .then(|| HeaderError { r#type: NOT_BOOTSTRAPPED, message: "cluster is not bootstrapped".into() });
    Some(ResponseHeader { cluster_id: knobs.cluster_id, error })
}

fn answer(respond: SendResponse<Bytes>, message: &impl Message) -> Result<(), h2::Error> {
    let mut stream = begin(respond)?;
    stream.send_data(frame(message), false)?;
    stream.send_trailers(status(0, ""))
}

pub(super) async fn get_safe_point(
    shared: &Shared,
    mut body: RecvStream,
    respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let asked = read_message(&mut body, &mut Vec::new()).await?.unwrap_or_default();
    let knobs = knobs(shared).await;
    let header = GetRequest::decode(asked).unwrap_or_default().header;
    if let Some((code, words)) = status_of(&knobs, header) {
        return refuse(respond, code, &words);
    }
    let Some(mut kept) = Kept::of(shared, &knobs).await else { return refuse(respond, 14, "etcd is gone") };
    let safe_point = if knobs.bootstrapped { kept.safe_point().await } else { 0 };
    answer(respond, &GetResponse { header: header_of(&knobs), safe_point })
}

pub(super) async fn update_service(
    shared: &Shared,
    mut body: RecvStream,
    respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let asked = read_message(&mut body, &mut Vec::new()).await?.unwrap_or_default();
    shared.counts.holds.fetch_add(1, Ordering::SeqCst);
    let knobs = knobs(shared).await;
    let request = UpdateRequest::decode(asked).unwrap_or_default();
    if let Some((code, words)) = status_of(&knobs, request.header.clone()) {
        return refuse(respond, code, &words);
    }
    let header = header_of(&knobs);
    if !knobs.bootstrapped {
        return answer(respond, &UpdateResponse { header, ..UpdateResponse::default() });
    }
    let seconds = now(shared, &knobs).0.div_euclid(1000);
    let Some(mut kept) = Kept::of(shared, &knobs).await else { return refuse(respond, 14, "etcd is gone") };
    let smallest = kept.update(&request, seconds).await;
    let ttl = smallest.expired_at.saturating_sub(seconds);
    let (service_id, min_safe_point) = (smallest.id.into_bytes(), smallest.safe_point);
    answer(respond, &UpdateResponse { header, service_id, ttl, min_safe_point })
}
