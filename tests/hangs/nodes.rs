//! What a node's port may do.

use super::hostile::Step::{Flood, Greet, Handshake, Hear, Reset, Silence, Trickle};
use super::hostile::{Behaviour, plain, say, secret};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// An answer with this beginning, and then `what`.
fn answer(name: &'static str, text: &str, what: super::hostile::Step) -> Behaviour {
    plain(name, &[Hear, say(text), what])
}

/// An answer with this beginning, and then the end of the connection.
fn ends(name: &'static str, text: &str) -> Behaviour {
    plain(name, &[Hear, say(text)])
}

pub(super) fn behaviours() -> Vec<Behaviour> {
    [transport(), heads(), bodies(), tls()].concat()
}

fn transport() -> Vec<Behaviour> {
    vec![
        plain("hangs up at once", &[]),
        plain("is silent", &[Silence]),
        plain("resets", &[Reset]),
        plain("hangs up when it was asked", &[Hear]),
        plain("says garbage before it is asked", &[say([0xff; 64]), Silence]),
        plain("floods before it is asked", &[Flood(vec![0xff; 64])]),
        answer("answers a TLS alert", "\u{15}\u{3}\u{3}\0\u{2}\u{2}(", Silence),
        answer("is ssh", "SSH-2.0-OpenSSH_9.2\r\n", Silence),
        answer("is MySQL", "J\0\0\0\n5.7.25-TiDB-v5.0.0\0", Silence),
        plain("speaks HTTP/2", &[Hear, say([0, 0, 0, 4, 0, 0, 0, 0, 0]), Silence]),
    ]
}

fn heads() -> Vec<Behaviour> {
    vec![
        answer("stops in the status line", "HTTP/1.1 20", Silence),
        answer("stops in the head", "HTTP/1.1 200 OK\r\nDate: ", Silence),
        answer("trickles the head", "HTTP/1.1 200 OK\r\nX: ", Trickle(vec![b'x'])),
        answer("never ends the head", "HTTP/1.1 200 OK\r\n", Flood(bytes("X: y\r\n"))),
        answer("never ends a line of the head", "HTTP/1.1 200 OK\r\nX: ", Flood(bytes("xxxx"))),
        answer("says to go on for ever", "", Flood(bytes("HTTP/1.1 100 Continue\r\n\r\n"))),
        answer("says to go on, and no more", "HTTP/1.1 100 Continue\r\n\r\n", Silence),
        answer("changes the protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", Silence),
        answer("is HTTP/3", "HTTP/3.0 200 OK\r\n\r\n", Silence),
        ends("is HTTP/0.9", "invalid action probe"),
        ends("has a length below zero", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        ends("has a length beyond all", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        ends("has two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        answer("leads to itself", "HTTP/1.1 302 Found\r\nLocation: /status\r\n\r\n", Silence),
    ]
}

fn bodies() -> Vec<Behaviour> {
    vec![
        answer("has no body", HEAD, Silence),
        answer("stops in the body", &format!("{HEAD}{{\"code\":"), Silence),
        ends("hangs up in the body", &format!("{HEAD}{{\"code\":")),
        answer("trickles the body", HEAD, Trickle(vec![b' '])),
        answer("trickles a body without length", "HTTP/1.1 200 OK\r\n\r\n", Trickle(vec![b' '])),
        answer("floods a body without length", "HTTP/1.1 200 OK\r\n\r\n", Flood(vec![b' '])),
        answer("floods the body of an error", "HTTP/1.1 500 No\r\n\r\n", Flood(vec![b'x'])),
        answer("floods chunks", CHUNKED, Flood(bytes("1\r\nx\r\n"))),
        answer("trickles chunks", CHUNKED, Trickle(bytes("1\r\nx\r\n"))),
        answer("stops in a chunk", &format!("{CHUNKED}ffff\r\nx"), Silence),
        answer("has a chunk beyond all", &format!("{CHUNKED}ffffffffffffffff\r\nx"), Silence),
        ends("has a chunk of no size", &format!("{CHUNKED}zz\r\n")),
        answer("never ends behind its chunks", &format!("{CHUNKED}0\r\n"), Flood(bytes("X: y\r\n"))),
        ends("answers nothing", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ends("answers half", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"code\""),
        ends("answers what is no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\u{fe}\0"),
    ]
}

fn tls() -> Vec<Behaviour> {
    vec![
        secret("is silent to TLS", &[Silence]),
        secret("hangs up on TLS", &[Hear]),
        secret("resets TLS", &[Reset]),
        secret("answers TLS with garbage", &[Hear, say([0xff; 64]), Silence]),
        secret("answers TLS in plain text", &[Hear, say(HEAD), Silence]),
        secret("stops in the greeting of TLS", &[Greet(40), Silence]),
        secret("stops in its certificate", &[Greet(400), Silence]),
        secret("hangs up in its certificate", &[Greet(400)]),
        secret("floods the handshake", &[Hear, Flood(vec![22, 3, 3, 0, 4, 0, 0, 0, 0])]),
        secret("stops in an alert", &[Hear, say([21, 3, 3, 0, 2, 2]), Silence]),
        secret("is silent over TLS", &[Handshake(None), Silence]),
        secret("hangs up over TLS", &[Handshake(None), Hear]),
        secret("stops in the head over TLS", &[Handshake(None), Hear, say("HTTP/1.1 20"), Silence]),
        secret("floods over TLS", &[Handshake(None), Hear, say("HTTP/1.1 200 OK\r\n\r\n"), Flood(vec![b' '])]),
    ]
}
