//! TLS for etcd, PD and nodes alike; never silently plain.

use crate::support::certs::Certs;
use crate::support::etcd::Etcd;
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::{LiveWorld, pump};
use crate::support::pd_double::PdDouble;
use crate::support::{join_woken, record};
use binlogsh::error::ErrorKind;
use binlogsh::live::{LiveSettings, TlsFiles};
use binlogsh::node::State;
use binlogsh::world::{Acted, Action, Answer, Change, ProbeFinding, Read, Request};
use rustls::pki_types::pem::PemObject;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const H2: &[&[u8]] = &[b"h2"];

fn trusting(certs: &Certs) -> Option<TlsFiles> {
    TlsFiles::new(Some(certs.ca()), None, None).unwrap()
}

fn with_identity(certs: &Certs) -> Option<TlsFiles> {
    TlsFiles::new(Some(certs.ca()), Some(certs.client_cert()), Some(certs.client_key())).unwrap()
}

#[test]
fn etcd_pd_and_nodes_are_all_spoken_to_with_our_certificate() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let node = HttpDouble::start_with(Some(certs.server(true, &[])), |request| match request.path.as_str() {
        "/state/pump-0/pause" => Reply::verdict(200, "apply action pause success!"),
        _ => Reply::verdict(3, "invalide action probe"),
    });
    etcd.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", &node.address(), "online", 1, 1));
    // Whatever scheme the URL has, it is https.
    let mut live = LiveWorld::with_tls(&[pd.url().replace("https", "http")], 5 * SECOND, with_identity(&certs));

    let listing = live.list().unwrap();
    assert!(listing.tso.is_some(), "{:?}", listing.tso_error);
    let found = listing.records[0].node.clone();
    assert_eq!(live.probe(&found), ProbeFinding::State(State::Online));
    let acted = live.ask(Request::Change(Change::Act { node: found, action: Action::Pause })).unwrap();
    assert_eq!(acted, Answer::Acted(Acted::said("apply action pause success!")));
}

#[test]
fn a_server_of_another_authority_is_not_trusted() {
    let (etcd, certs, others) = (Etcd::start(), Certs::new(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(others.server(false, H2)));
    let node = HttpDouble::start_with(Some(others.server(false, &[])), |_| Reply::verdict(200, "done"));
    let mut live = LiveWorld::with_tls(&[pd.url()], 2 * SECOND, trusting(&certs));
    let error = live.fails(Request::Read(Read::Nodes));
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.to_lowercase().contains("certificate"), "{error}");
    let error =
        live.fails(Request::Change(Change::Act { node: pump("pump-0", &node.address()), action: Action::Pause }));
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.message.to_lowercase().contains("certificate"), "{error}");
    assert!(node.requests().is_empty());
}

#[test]
fn a_server_that_asks_for_a_certificate_refuses_us_without_one() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let mut live = LiveWorld::with_tls(&[pd.url()], 2 * SECOND, trusting(&certs));
    let error = live.fails(Request::Read(Read::Nodes));
    assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout), "{error}");
}

#[test]
fn with_tls_on_a_plain_server_gets_nothing() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let node = HttpDouble::start(|_| Reply::verdict(200, "apply action pause success!"));
    let mut live = LiveWorld::with_tls(&[etcd.url()], 2 * SECOND, trusting(&certs));
    assert!(matches!(live.fails(Request::Read(Read::Nodes)).kind, ErrorKind::Unreachable | ErrorKind::Timeout));
    let error =
        live.fails(Request::Change(Change::Act { node: pump("pump-0", &node.address()), action: Action::Pause }));
    assert_ne!(error.kind, ErrorKind::Rejected);
    assert!(!node.requests().iter().any(|request| request.method == "PUT"), "nothing went over in plain text");
}

#[test]
fn a_certificate_file_that_is_missing_or_no_certificate_is_named_at_first_use() {
    let certs = Certs::new();
    let missing = TlsFiles::new(Some(certs.ca()), Some("/nowhere/cert.pem".into()), Some(certs.client_key())).unwrap();
    let error = LiveWorld::with_tls(&["127.0.0.1:1"], SECOND, missing).fails(Request::Read(Read::Nodes));
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains("/nowhere/cert.pem"), "{error}");

    let swapped = TlsFiles::new(Some(certs.client_key()), None, None).unwrap();
    let error = LiveWorld::with_tls(&["127.0.0.1:1"], SECOND, swapped).fails(Request::Read(Read::Tso));
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("client.key"), "{error}");
}

/// What PD's and a node's connection say about a server that shows `config` to somebody who has `tls`.
fn told(
    config: Option<&Certs>,
    change: impl Fn(&mut rustls::ServerConfig),
    ask_client: bool,
    tls: Option<TlsFiles>,
) -> [String; 2] {
    let etcd = Etcd::start();
    let server = |alpn: &[&[u8]]| {
        config.map(|certs| {
            let mut config = (*certs.server(ask_client, alpn)).clone();
            change(&mut config);
            Arc::new(config)
        })
    };
    let pd = PdDouble::start_with(&etcd.url(), server(H2));
    let node = HttpDouble::start_with(server(&[]), |_| Reply::verdict(3, "invalide action probe"));
    told_by(&pd.url(), &node.address(), tls)
}

fn told_by(pd: &str, node: &str, tls: Option<TlsFiles>) -> [String; 2] {
    let pd =
        format!("http{}://{}", if tls.is_some() { "s" } else { "" }, pd.split_once("://").map_or(pd, |(_, at)| at));
    let mut live = LiveWorld::with_tls(&[pd], 40 * SECOND, tls);
    let began = Instant::now();
    let error = live.fails(Request::Read(Read::Nodes));
    assert!(
        began.elapsed() < 20 * SECOND,
        "what does not pass by itself is said at once: {:?} {error}",
        began.elapsed()
    );
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    let node = live.fails(Request::Change(Change::Act { node: pump("pump-0", node), action: Action::Pause }));
    assert!(matches!(node.kind, ErrorKind::Unreachable | ErrorKind::InDoubt), "{node}");
    for text in [&error.message, &node.message] {
        let rust = ["::", "Context", "Error(", "Other(", "os error", "DnsName", "fatal alert"]
            .iter()
            .find(|part| text.contains(**part));
        assert_eq!(rust, None, "text of Rust: {text}");
    }
    [error.message, node.message]
}

fn as_it_is(_: &mut rustls::ServerConfig) {}

#[track_caller]
fn both_say(told: [String; 2], words: &str) {
    for text in told {
        assert!(text.contains(words), "no `{words}`: {text}");
    }
}

#[test]
fn a_server_whose_own_certificate_is_the_trusted_one_is_trusted() {
    for authority in [true, false] {
        let (etcd, certs) = (Etcd::start(), Certs::self_signed(authority, |_| {}));
        let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(false, H2)));
        let node =
            HttpDouble::start_with(Some(certs.server(false, &[])), |_| Reply::verdict(3, "invalide action probe"));
        let mut live = LiveWorld::with_tls(&[pd.url()], 5 * SECOND, trusting(&certs));
        assert!(live.list().unwrap().tso.is_some());
        let node = pump("pump-0", &node.address());
        assert_eq!(live.probe(&node), ProbeFinding::State(State::Online));
        let Answer::Certificates(shown) = live.ask(Request::Read(Read::Certificates { nodes: vec![node] })).unwrap()
        else {
            panic!()
        };
        assert_eq!(shown.len(), 3, "the file's, PD's and the node's: {shown:?}");
    }
}

#[test]
fn a_trusted_certificate_counts_only_with_its_name_its_dates_and_its_purpose() {
    let of = |change: fn(&mut rcgen::CertificateParams)| {
        let certs = Certs::self_signed(true, change);
        told(Some(&certs), as_it_is, false, trusting(&certs))
    };
    both_say(
        of(|params| params.subject_alt_names = vec![dns("pd.example")]),
        "it is not for 127.0.0.1: its names are pd.example",
    );
    both_say(of(|params| params.subject_alt_names = vec![]), "it has no name");
    both_say(of(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 2)), "it expired at 2020-01-02T00:00:00Z");
    both_say(of(|params| params.not_before = rcgen::date_time_ymd(2100, 1, 2)), "it is not valid before 2100-01-02");
    let client = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]
    };
    both_say(of(client), "not for servers");
}

fn dns(name: &str) -> rcgen::SanType {
    rcgen::SanType::DnsName(name.try_into().unwrap())
}

#[test]
fn every_fault_of_a_servers_certificate_is_told_with_what_to_do() {
    let of = |change: fn(&mut rcgen::CertificateParams)| {
        let certs = Certs::with_server(change);
        told(Some(&certs), as_it_is, false, trusting(&certs))
    };
    both_say(of(|params| params.subject_alt_names = vec![dns("pd.example")]), "use one of its names");
    both_say(of(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 2)), "renew it, and restart the server");
    both_say(of(|params| params.not_before = rcgen::date_time_ymd(2100, 1, 2)), "compare this host's clock");
    let client = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]
    };
    both_say(of(client), "serverAuth");
    let (certs, others) = (Certs::new(), Certs::new());
    both_say(told(Some(&others), as_it_is, false, trusting(&certs)), "no authority in the CA file has signed it");
    let own = Certs::self_signed(true, |_| {});
    both_say(told(Some(&own), as_it_is, false, trusting(&certs)), "put it there as it is");
    both_say(told(Some(&certs), garbled, false, trusting(&certs)), "cannot be read as a certificate");
}

/// What both say of a server that shows the certificate in this file, to whom trusts the authority in that one. They were
/// made by `openssl`, since nothing here makes such as are not taken any more.
fn of_old(server: &str, authority: &str) -> [String; 2] {
    let path = |name: &str| crate::harness::project(&format!("tests/old_certificates/{name}.pem"));
    let shown = rustls::pki_types::CertificateDer::from_pem_file(path(server)).unwrap();
    let tls = TlsFiles::new(Some(path(authority)), None, None).unwrap();
    told(Some(&Certs::new()), |config| shows(config, shown.to_vec()), false, tls)
}

#[test]
fn old_algorithms_are_told_with_what_to_do() {
    both_say(of_old("signed_with_sha1", "authority"), "such as with SHA-1: have it made anew with SHA-256");
    both_say(
        of_old("rsa_1024", "authority"),
        "its RSA key has 1024 bits, and 2048 are needed: have key and certificate",
    );
    both_say(
        of_old("rsa_1024", "rsa_1024"),
        "its RSA key has 1024 bits, and 2048 are needed: have key and certificate",
    );
    both_say(
        of_old("signed_by_rsa_1024", "authority_rsa_1024"),
        "the authority CN=shortca has an RSA key of 1024 bits, and 2048 are needed",
    );
}

/// It shows what is no certificate.
fn garbled(config: &mut rustls::ServerConfig) {
    shows(config, vec![1, 2, 3]);
}

/// It shows this.
fn shows(config: &mut rustls::ServerConfig, certificate: Vec<u8>) {
    #[derive(Debug)]
    struct Garbled(Arc<rustls::sign::CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Garbled {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(self.0.clone())
        }
    }
    let key = rcgen::KeyPair::generate().unwrap().serialize_der();
    let key =
        rustls::crypto::ring::sign::any_supported_type(&rustls::pki_types::PrivateKeyDer::Pkcs8(key.into())).unwrap();
    config.cert_resolver = Arc::new(Garbled(Arc::new(rustls::sign::CertifiedKey::new(vec![certificate.into()], key))));
}

#[test]
fn what_a_server_says_about_our_certificate_is_told_with_what_to_do() {
    let (certs, others) = (Certs::new(), Certs::new());
    both_say(told(Some(&certs), as_it_is, true, trusting(&certs)), "asks for a certificate of ours");
    let of_another = TlsFiles::new(Some(certs.ca()), Some(others.client_cert()), Some(others.client_key())).unwrap();
    both_say(told(Some(&certs), as_it_is, true, of_another), "does not take our certificate");
    let ended = Certs::ending(&[("client", (2020, 1, 2))]);
    both_say(
        told(Some(&ended), as_it_is, true, with_identity(&ended)),
        "does not take our certificate: it has expired",
    );
}

#[test]
fn plain_text_and_tls_are_told_apart() {
    let certs = Certs::new();
    let plain = Answers::start(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request".to_vec());
    both_say(told_by(&plain.address, &plain.address, trusting(&certs)), "it speaks plain text there");
    both_say(told(Some(&certs), as_it_is, false, None), "it asks for TLS");
}

#[test]
fn a_server_that_ends_the_handshake_is_told_in_words() {
    let certs = Certs::new();
    for (alert, words) in
        [(70, "no version of TLS that we have"), (40, "no cipher or signature that both know"), (80, "look at its log")]
    {
        let server = Answers::start(vec![21, 3, 3, 0, 2, 2, alert]);
        both_say(told_by(&server.address, &server.address, trusting(&certs)), words);
    }
}

/// A server that answers whatever comes first with the same bytes.
struct Answers {
    address: String,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Answers {
    fn start(bytes: Vec<u8>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, ended) = (listener.local_addr().unwrap().to_string(), Arc::<AtomicBool>::default());
        let end = ended.clone();
        let serve = move |mut stream: std::net::TcpStream, bytes: Vec<u8>| {
            let mut first = [0; 4096];
            stream.set_read_timeout(Some(5 * SECOND)).unwrap();
            // Who has gone already needs no answer; who has not is waited for, so that nothing is reset.
            let _ = stream.read(&mut first).and_then(|_| stream.write_all(&bytes));
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read(&mut first);
        };
        let thread = std::thread::spawn(move || {
            let mut served = Vec::new();
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let (stream, bytes) = (stream.unwrap(), bytes.clone());
                served.push(std::thread::spawn(move || serve(stream, bytes)));
            }
            served.into_iter().for_each(|served| served.join().unwrap());
        });
        Self { address, ended, thread: Some(thread) }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            join_woken(thread, || drop(std::net::TcpStream::connect(&self.address)));
        }
    }
}

/// The error of a use of these files, none of which is good.
fn refused(ca: &Path, cert: &Path, key: &Path) -> binlogsh::error::Error {
    let files = TlsFiles::new(Some(ca.into()), Some(cert.into()), Some(key.into())).unwrap();
    let error = LiveSettings::new(&["127.0.0.1:1"], files).unwrap().check_files().unwrap_err();
    assert!(!format!("{error}").contains("::") && error.hint.is_some(), "{error}");
    error
}

/// A file that holds this.
fn written(certs: &Certs, content: &[u8]) -> PathBuf {
    let path = certs.ca().with_file_name("tried.pem");
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_key_that_cannot_be_used_is_told_with_what_it_is_and_what_to_do() {
    let (certs, others) = (Certs::new(), Certs::new());
    let file = |content: &[u8]| written(&certs, content);
    let says = |key: &Path, what: &str, to_do: &str| {
        let error = refused(&certs.ca(), &certs.client_cert(), key);
        let (text, hint) = (error.to_string(), error.hint.unwrap());
        assert!(text.contains(&key.display().to_string()) && text.contains(what), "no `{what}`: {text}");
        assert!(hint.contains(to_do), "no `{to_do}`: {hint}");
    };
    let pem = |path: &Path| std::fs::read_to_string(path).unwrap();
    let key = pem(&certs.client_key());
    let public = rcgen::KeyPair::from_pem(&key).unwrap().public_key_pem();
    says(&certs.client_cert(), "holds a certificate, and no key", "swapped");
    says(&others.client_key(), "does not belong to the certificate", "openssl x509 -in CERT -noout -pubkey");
    says(&certs.ca_key(), "is the key of the CA in", "the client's own key");
    says(&file(b""), "is empty", "failed");
    says(&file(b"\n  \n"), "is empty", "failed");
    says(&file(&rcgen::KeyPair::generate().unwrap().serialize_der()), "is DER (binary)", "openssl pkey -inform der");
    says(certs.ca().parent().unwrap(), "is a directory", "name the file");
    says(Path::new("/dev/null"), "is empty", "failed");
    says(Path::new("/dev/zero"), "is a device", "written into a file");
    says(&file(public.as_bytes()), "holds a public key", "private key");
    says(
        &file(b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"),
        "holds a request",
        "private key",
    );
    says(
        &file(b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
        "holds parameters only",
        "private key",
    );
    says(
        &file(b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"),
        "is an OpenSSH key",
        "certificate",
    );
    says(&file(key.replace("-----END", "--").as_bytes()), "ends before its last line", "copy it anew");
    says(&file(b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n"), "is damaged", "copy it anew");
    says(
        &file(b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"),
        "is of a kind that TLS does not take, or damaged",
        "P-256",
    );
    says(&file(b"key"), "is not PEM", "-----BEGIN");
    says(Path::new("/nowhere/client.key"), "cannot read the TLS key", "check the path");
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_with_what_it_is_and_what_to_do() {
    let certs = Certs::new();
    let file = |content: &[u8]| written(&certs, content);
    let pem = |path: &Path| std::fs::read_to_string(path).unwrap();
    let der = rustls::pki_types::CertificateDer::from_pem_slice(pem(&certs.client_cert()).as_bytes()).unwrap().to_vec();
    let says = |cert: &Path, what: &str, to_do: &str| {
        let error = refused(&certs.ca(), cert, &certs.client_key());
        let (text, hint) = (error.to_string(), error.hint.unwrap());
        assert!(text.contains(what) && hint.contains(to_do), "{text}; {hint}");
    };
    says(&certs.client_key(), "holds a key, and no certificate", "swapped");
    says(&file(&der), "is DER (binary)", "openssl x509 -inform der");
    says(&file(&[0x30, 0x82, 1, 1, 2, 1, 3, 0x30, 0, 0, 0, 0]), "is PKCS#12", "openssl pkcs12");
    says(
        &file(b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"),
        "holds a request",
        "authority",
    );
    says(
        &file(b"-----BEGIN TRUSTED CERTIFICATE-----\nMIIB\n-----END TRUSTED CERTIFICATE-----\n"),
        "OpenSSL's own form",
        "openssl x509",
    );
    says(
        &file((pem(&certs.ca()) + pem(&certs.client_cert()).as_str()).as_bytes()),
        "does not begin with the certificate of the key",
        "first",
    );
    let broken = file(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    let error = refused(&broken, &certs.client_cert(), &certs.client_key());
    assert!(error.message.contains("cannot be read (number 1 in it)"), "{error}");
}

#[test]
fn a_key_behind_its_parameters_is_taken() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let key = std::fs::read_to_string(certs.client_key()).unwrap();
    std::fs::write(
        certs.client_key(),
        format!("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{key}"),
    )
    .unwrap();
    let mut live = LiveWorld::with_tls(&[pd.url()], 5 * SECOND, with_identity(&certs));
    assert!(live.list().unwrap().tso.is_some());
}

#[test]
fn certificates_that_are_renewed_on_disk_are_used_by_new_connections() {
    let (etcd, certs, others) = (Etcd::start(), Certs::new(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let node = HttpDouble::start_with(Some(certs.server(true, &[])), |_| Reply::verdict(3, "invalide action probe"));
    let node = pump("pump-0", &node.address());
    // Ours is none of the cluster's, as one that has ended.
    let (cert, key) = (others.client_cert(), others.client_key());
    let files = TlsFiles::new(Some(certs.ca()), Some(cert.clone()), Some(key.clone())).unwrap();
    let mut live = LiveWorld::with_tls(&[pd.url()], 10 * SECOND, files);
    let error = live.fails(Request::Read(Read::Nodes));
    assert!(error.message.contains("does not take our certificate"), "{error}");
    assert!(matches!(live.probe(&node), ProbeFinding::Unknown(_)));
    assert_eq!(live.warnings(), [""; 0]);

    // Half of the pair is renewed: what was read before is used until the other half is there, and that is told once.
    std::fs::copy(certs.client_cert(), &cert).unwrap();
    assert!(matches!(live.probe(&node), ProbeFinding::Unknown(_)));
    assert!(matches!(live.probe(&node), ProbeFinding::Unknown(_)));
    let warnings = live.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("those from before are used") && warnings[0].contains("does not belong"),
        "{warnings:?}"
    );

    std::fs::copy(certs.client_key(), &key).unwrap();
    assert_eq!(live.probe(&node), ProbeFinding::State(State::Online));
    assert!(live.list().unwrap().tso.is_some());
}
