//! Passing everything else on to the real etcd, streams and trailers included.

use super::service::refuse;
use super::{Loss, Shared};
use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// The way to the real etcd, shared by the streams of one connection.
pub(super) type Backend = Arc<Mutex<Option<SendRequest<Bytes>>>>;

/// Passes the request on to etcd, and etcd's answer back.
pub(super) async fn pass_on(
    shared: &Shared,
    backend: Backend,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let loss = shared.loss(request.uri().path());
    match loss {
        Some(Loss::Request) => {
            respond.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        }
        Some(Loss::RequestHeld) => return std::future::pending().await,
        Some(Loss::Answer | Loss::AnswerHeld) | None => {}
    }
    let Some(sender) = sender(shared, &backend).await else {
        return refuse(respond, 14, "the etcd behind the double is gone");
    };
    let Ok(mut sender) = sender.ready().await else {
        return refuse(respond, 14, "the etcd behind the double is gone");
    };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut onwards = Request::builder().method(parts.method).uri(format!("http://{}{path}", shared.backend));
    if let Some(headers) = onwards.headers_mut() {
        headers.extend(parts.headers);
    }
    let (response, upstream) = sender.send_request(onwards.body(()).unwrap(), false)?;
    let up = tokio::spawn(copy(body, upstream));
    let back = async {
        let (head, body) = response.await?.into_parts();
        match loss {
            Some(Loss::Answer) => return Err(Reason::INTERNAL_ERROR.into()),
            Some(Loss::AnswerHeld) => return std::future::pending().await,
            Some(Loss::Request | Loss::RequestHeld) | None => {}
        }
        let mut answer = Response::builder().status(head.status);
        if let Some(headers) = answer.headers_mut() {
            headers.extend(head.headers);
        }
        let over = body.is_end_stream();
        let stream = respond.send_response(answer.body(()).unwrap(), over)?;
        if over { Ok(()) } else { copy(body, stream).await }
    };
    let result = back.await;
    up.abort();
    if let Err(error) = &result {
        respond.send_reset(error.reason().unwrap_or(Reason::CANCEL));
    }
    result
}

/// A way to etcd, made anew when the last one broke.
async fn sender(shared: &Shared, backend: &Backend) -> Option<SendRequest<Bytes>> {
    let mut backend = backend.lock().await;
    if let Some(sender) = &*backend
        && sender.clone().ready().await.is_ok()
    {
        return Some(sender.clone());
    }
    let stream = TcpStream::connect(shared.backend).await.ok()?;
    let _ = stream.set_nodelay(true);
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 22);
    let (sender, connection) = builder.handshake::<_, Bytes>(stream).await.ok()?;
    tokio::spawn(connection);
    *backend = Some(sender.clone());
    Some(sender)
}

/// Copies data and trailers until the end; an end of either side ends the other.
async fn copy(mut from: RecvStream, mut to: SendStream<Bytes>) -> Result<(), h2::Error> {
    loop {
        let data = tokio::select! {
            data = from.data() => data,
            _ = std::future::poll_fn(|cx| to.poll_reset(cx)) => return Err(Reason::CANCEL.into()),
        };
        match data {
            Some(Ok(data)) => {
                from.flow_control().release_capacity(data.len())?;
                to.send_data(data, false)?;
            }
            Some(Err(error)) => {
                to.send_reset(Reason::CANCEL);
                return Err(error);
            }
            None => break,
        }
    }
    match from.trailers().await? {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    }
}
