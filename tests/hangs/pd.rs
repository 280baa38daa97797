//! What PD's client port may do, which is etcd's too.

use super::hostile::Step::{Flood, Greet, Handshake, Hear, Reset, Silence, Trickle};
use super::hostile::{Behaviour, Step, plain, say, secret};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

/// The head of an answer of gRPC's, compressed as HPACK has it.
fn head() -> Vec<u8> {
    [&[0x88, 0x5f, 16][..], b"application/grpc"].concat()
}

/// The same with the end of the call: `status`.
fn end(status: &str) -> Vec<u8> {
    let length = u8::try_from(status.len()).unwrap();
    [&[0x40, 11][..], b"grpc-status", &[length], status.as_bytes()].concat()
}

/// A connection of HTTP/2 whose first call is answered with these frames, and then `what`.
fn call(name: &'static str, frames: &[Vec<u8>], what: Step) -> Behaviour {
    plain(name, &[Hear, say(settings()), Hear, say(frames.concat()), what])
}

pub(super) fn behaviours() -> Vec<Behaviour> {
    [transport(), calls(), messages(), tls()].concat()
}

fn transport() -> Vec<Behaviour> {
    let hear = |name, text: &[u8], what| plain(name, &[Hear, say(text), what]);
    vec![
        plain("hangs up at once", &[]),
        plain("is silent", &[Silence]),
        plain("resets", &[Reset]),
        plain("hangs up when it was greeted", &[Hear]),
        plain("floods", &[Flood(vec![0xff; 64])]),
        hear("is HTTP/1", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Silence),
        hear("is ssh", b"SSH-2.0-OpenSSH_9.2\r\n", Silence),
        hear("answers a TLS alert", &[21, 3, 3, 0, 2, 2, 40], Silence),
        hear("stops in its settings", &settings()[..5], Silence),
        plain("trickles settings", &[Hear, Trickle(settings())]),
        plain("floods settings", &[Hear, Flood(settings())]),
        plain("floods pings", &[Hear, say(settings()), Flood(frame(PING, 0, 0, &[0; 8]))]),
        hear("announces a frame beyond all", &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1], Silence),
        hear("goes away", &[settings(), frame(GO_AWAY, 0, 0, &[0; 8])].concat(), Silence),
    ]
}

fn calls() -> Vec<Behaviour> {
    vec![
        call("answers settings and no call", &[], Silence),
        plain("lets nobody call", &[Hear, say(frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 0])), Silence]),
        plain("takes no bytes", &[Hear, say(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])), Silence]),
        call("resets the call", &[frame(RST_STREAM, 0, 1, &[0, 0, 0, 2])], Silence),
        call("answers another call", &[frame(HEADERS, END_HEADERS, 9, &head())], Silence),
        call("compresses what is none", &[frame(HEADERS, END_HEADERS, 1, &[0xff; 32])], Silence),
        call("stops behind the head", &[frame(HEADERS, END_HEADERS, 1, &head())], Silence),
        call("never ends the head", &[frame(HEADERS, 0, 1, &head())], Flood(frame(CONTINUATION, 0, 1, &[0x88; 64]))),
        call("is a proxy's error", &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x8d])], Silence),
        call("has no message", &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &head())], Silence),
        call(
            "is busy for ever",
            &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[head(), end("14")].concat())],
            Silence,
        ),
    ]
}

fn messages() -> Vec<Behaviour> {
    let message =
        |name, data: &[u8], what| call(name, &[frame(HEADERS, END_HEADERS, 1, &head()), frame(DATA, 0, 1, data)], what);
    vec![
        message("stops in the message", &[0, 0, 0, 0, 9, 1], Silence),
        message("announces a message beyond all", &[0, 0xff, 0xff, 0xff, 0xff, 1], Silence),
        message("compresses the message", &[1, 0, 0, 0, 1, 1], Silence),
        message("trickles the message", &[0, 0, 1, 0, 0], Trickle(frame(DATA, 0, 1, &[0]))),
        message("floods the message", &[0, 0xff, 0xff, 0xff, 0xff], Flood(frame(DATA, 0, 1, &[0; 1024]))),
        message("floods empty frames", &[0, 0, 1, 0, 0], Flood(frame(DATA, 0, 1, &[]))),
        message("says what is no message", &[0, 0, 0, 0, 3, 0xff, 0xff, 0xff], Silence),
        message("opens its window for ever", &[0, 0, 1, 0, 0], Flood(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
    ]
}

fn tls() -> Vec<Behaviour> {
    vec![
        secret("is silent to TLS", &[Silence]),
        secret("answers TLS with garbage", &[Hear, say([0xff; 64]), Silence]),
        secret("stops in its certificate", &[Greet(400), Silence]),
        secret("has TLS and no HTTP/2", &[Handshake(None), Silence]),
        secret("is silent over TLS", &[Handshake(Some(b"h2")), Silence]),
        secret("hangs up over TLS", &[Handshake(Some(b"h2")), Hear]),
        secret("answers settings over TLS", &[Handshake(Some(b"h2")), Hear, say(settings()), Silence]),
    ]
}
