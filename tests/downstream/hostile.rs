//! Servers that are no MySQL, or one that wants more than it should get.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// A server that does this with one connection. It ends when it is dropped.
struct Rogue {
    port: u16,
    heard: Option<JoinHandle<Vec<u8>>>,
}

impl Rogue {
    fn start(work: impl FnOnce(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            work(&mut stream);
            let mut heard = Vec::new();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            // Whoever is there may have hung up already.
            let _ = stream.read_to_end(&mut heard);
            heard
        });
        Self { port, heard: Some(heard) }
    }

    /// Everything that it was told.
    fn heard(mut self) -> Vec<u8> {
        self.heard.take().unwrap().join().unwrap()
    }
}

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [&length[..3], &[sequence], payload].concat()
}

/// How a server greets that knows this way to log in; the length of what the password is mixed with may be any.
fn greeting(plugin: &str, length: u8, flags: u32) -> Vec<u8> {
    let [a, b, c, d] = flags.to_le_bytes();
    let mut payload = vec![10];
    payload.extend(b"8.0.0\0\x01\0\0\0abcdefgh\0");
    payload.extend([a, b, 45, 2, 0, c, d, length]);
    payload.extend([0; 10]);
    payload.extend(b"ijklmnopqrst\0");
    payload.extend(plugin.as_bytes());
    payload.push(0);
    packet(0, &payload)
}

/// CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
const FLAGS: u32 = 0x200 | 0x8000 | 0x8_0000;

fn asks(place: &Place, port: u16, more: &str) -> DownstreamCheckpoint {
    place.asks_within(
        Duration::from_secs(2),
        at(port, "s", place.my_cnf(&format!("user = u\npassword = hunter2\n{more}"))),
    )
}

/// What is left to say once somebody has asked for rows.
type Reply = fn(&mut TcpStream);

/// Takes one packet.
fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).unwrap();
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    stream.read_exact(&mut payload).unwrap();
    payload
}

#[test]
fn what_is_no_mysql_is_told_as_that() {
    let place = Place::start();
    let mut cases: Vec<(Vec<u8>, &str)> = vec![
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "MySQL"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "MySQL"),
        (packet(0, &[]), "not MySQL's protocol"),
        (packet(0, &[10]), "not MySQL's protocol"),
        (packet(0, &[9, 1, 2, 3]), "not MySQL's protocol"),
        (packet(7, b"\x0a"), "not MySQL's protocol"),
        (vec![0xff, 0xff, 0xff, 0], "16777215 bytes"),
        (greeting("mysql_native_password", 200, FLAGS), "not MySQL's protocol"),
        (greeting("mysql_native_password", 21, 0), "older than MySQL 5.5"),
        (Vec::new(), "closed the connection"),
    ];
    let blocked = [&[0xff, 0x69, 0x04][..], b"Host '1.2.3.4' is blocked\nbecause"].concat();
    cases.push((packet(0, &blocked), "Host '1.2.3.4' is blocked\\nbecause"));
    for (bytes, words) in cases {
        let rogue = Rogue::start(move |stream| {
            stream.write_all(&bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        });
        unknown(asks(&place, rogue.port, ""), &[words]);
        assert!(rogue.heard().is_empty(), "{words}: it was told something");
    }
}

#[test]
fn whoever_floods_or_trickles_is_left_in_time() {
    let place = Place::start();
    let flood = Rogue::start(|stream| {
        let noise = packet(0, &[0; 60_000]);
        while stream.write_all(&noise).is_ok() {}
    });
    unknown(asks(&place, flood.port, ""), &["not MySQL's protocol"]);
    let trickle = Rogue::start(|stream| {
        for byte in greeting("mysql_native_password", 21, FLAGS).iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    });
    unknown(asks(&place, trickle.port, ""), &["did not answer within"]);
}

#[test]
fn rows_without_end_files_and_columns_are_not_taken() {
    let place = Place::start();
    let answers: [(&str, Reply); 4] = [
        ("more rows", |stream| {
            stream.write_all(&packet(1, &[1])).unwrap();
            stream.write_all(&packet(2, b"column")).unwrap();
            stream.write_all(&packet(3, &[0xfe, 0, 0, 0, 0])).unwrap();
            for sequence in (4..=255).chain(0..=255).cycle() {
                if stream.write_all(&packet(sequence, b"\x02{}")).is_err() {
                    return;
                }
            }
        }),
        ("a file of this host", |stream| stream.write_all(&packet(1, b"\xfb/etc/passwd")).unwrap()),
        ("not MySQL's protocol", |stream| stream.write_all(&packet(1, &[200])).unwrap()),
        ("not MySQL's protocol", |stream| {
            stream.write_all(&packet(1, &[1])).unwrap();
            stream.write_all(&packet(2, b"column")).unwrap();
            stream.write_all(&packet(3, &[0xfe, 0, 0, 0, 0])).unwrap();
            stream.write_all(&packet(4, b"\x7fshort")).unwrap();
        }),
    ];
    for (words, answer) in answers {
        let rogue = Rogue::start(move |stream| {
            stream.write_all(&greeting("mysql_native_password", 21, FLAGS)).unwrap();
            hear(stream);
            stream.write_all(&packet(2, &[0, 0, 0, 2, 0, 0, 0])).unwrap();
            hear(stream);
            answer(stream);
        });
        unknown(asks(&place, rogue.port, ""), &[words]);
    }
}

#[test]
fn a_password_goes_in_clear_to_nobody_who_has_not_shown_who_they_are() {
    let place = Place::start();
    let has_password = |heard: &[u8]| heard.windows(7).any(|part| part == b"hunter2");
    for (ask, words) in
        [(vec![1, 4], "shown who it is"), (b"\xfemysql_clear_password\0".to_vec(), "mysql_clear_password")]
    {
        let rogue = Rogue::start(move |stream| {
            stream.write_all(&greeting("caching_sha2_password", 21, FLAGS)).unwrap();
            let response = hear(stream);
            assert!(!response.windows(7).any(|part| part == b"hunter2"));
            stream.write_all(&packet(2, &ask)).unwrap();
        });
        unknown(asks(&place, rogue.port, ""), &[words]);
        assert!(!has_password(&rogue.heard()));
    }
    // Nor is TLS done without because the server says that it has none.
    for mode in ["REQUIRED", "VERIFY_CA"] {
        let ca = format!("ssl-mode = {mode}\nssl-ca = {}", mariadb().certs.ca().display());
        let rogue = Rogue::start(|stream| stream.write_all(&greeting("mysql_native_password", 21, FLAGS)).unwrap());
        unknown(asks(&place, rogue.port, &ca), &["it has no TLS", mode]);
        assert!(rogue.heard().is_empty());
    }
}

#[test]
fn a_login_that_does_not_end_is_ended() {
    let place = Place::start();
    let rogue = Rogue::start(|stream| {
        stream.write_all(&greeting("caching_sha2_password", 21, FLAGS)).unwrap();
        hear(stream);
        for sequence in 2..20 {
            if stream.write_all(&packet(sequence, &[1, 3])).is_err() {
                return;
            }
        }
    });
    unknown(asks(&place, rogue.port, ""), &["does not come to an end"]);
}
