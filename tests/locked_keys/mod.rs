//! A key that is encrypted: opened by the password in a file or by whoever is there, in each form in which OpenSSL writes one.
//!
//! The files beside this one were written by OpenSSL 3.0; the password of each is `correct horse`.

use crate::harness::Shell;
use crate::harness::screen::Screen;
use crate::support::certs::Certs;
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::record;
use base64::Engine;
use binlogsh::error::{Error, ErrorKind};
use binlogsh::live::{LiveSettings, TlsFiles};
use binlogsh::secret::KeyPassword;
use pkcs8::der::asn1::OctetString;
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{EncryptedPrivateKeyInfoOwned, SecretDocument};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "correct horse";

fn fixture(name: &str) -> PathBuf {
    crate::harness::project("tests/locked_keys").join(name)
}

/// What becomes of the key `name`, with its password (or another text) in a file.
fn tried(name: &str, password: &str) -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, password).unwrap();
    let cert = fixture("cert.pem");
    let files = TlsFiles::new(Some(cert.clone()), Some(cert), Some(fixture(name))).unwrap();
    let files = files.map(|files| files.opened_by(KeyPassword::of_file(Some(file))));
    LiveSettings::new(&["127.0.0.1:1"], files).unwrap().check_files()
}

#[test]
fn what_openssl_writes_by_its_usual_ways_is_opened() {
    for name in ["aes256.pem", "sha1.pem", "scrypt.pem", "des3.pem"] {
        // An editor ends the line, somebody else's system ends it otherwise.
        for ending in ["", "\n", "\r\n", "\na second line\n"] {
            tried(name, &format!("{PASSWORD}{ending}")).unwrap();
        }
    }
}

#[test]
fn a_password_that_does_not_open_the_key_and_a_form_that_is_not_taken_are_told_apart() {
    for name in ["aes256.pem", "sha1.pem", "scrypt.pem"] {
        let error = tried(name, "correct donkey").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(name) && error.message.contains("/password does not open it"), "{error}");
        assert!(!error.message.contains("donkey"));
    }
    // As OpenSSL wrote them long ago; the last one would take a minute to open.
    for name in ["pbes1.pem", "traditional.pem", "rounds.pem"] {
        let error = tried(name, PASSWORD).unwrap_err();
        assert!(error.message.contains("encrypted in a way that is not taken here"), "{name}: {error}");
        assert!(error.hint.unwrap().contains("openssl pkcs8 -topk8 -v2 aes-256-cbc"));
    }
}

#[test]
fn a_file_with_no_password_in_it_is_told() {
    for (content, what) in
        [(&b""[..], "first line is empty"), (b"\nword\n", "first line is empty"), (b"\xff", "no UTF-8")]
    {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pw");
        std::fs::write(&file, content).unwrap();
        let cert = fixture("cert.pem");
        let files = TlsFiles::new(Some(cert.clone()), Some(cert), Some(fixture("aes256.pem"))).unwrap();
        let files = files.map(|files| files.opened_by(KeyPassword::of_file(Some(file))));
        let error = LiveSettings::new(&["127.0.0.1:1"], files).unwrap().check_files().unwrap_err();
        assert!(error.message.contains(what) && error.hint.is_some(), "{error}");
    }
    let shell = Shell::new(&["--pd-urls=https://127.0.0.1:9", "--ca=ca.pem", "--cert=c.pem", "--key=k.pem"]);
    let shell = ["ca.pem", "c.pem"].iter().fold(shell, |shell, name| copied(shell, &fixture("cert.pem"), name));
    let shell = copied(shell, &fixture("aes256.pem"), "k.pem").arg("--key-pass-file=nowhere");
    shell.eval("pumps()").fails(ErrorKind::NotFound).stderr_contains("the password of the key from nowhere");
}

fn copied(shell: Shell, from: &Path, name: &str) -> Shell {
    shell.file(name, &std::fs::read_to_string(from).unwrap())
}

/// A cluster that speaks to nobody without a certificate, and whoever has one whose key is encrypted.
struct Closed {
    _etcd: Etcd,
    _pd: PdDouble,
    certs: Certs,
    url: String,
}

impl Closed {
    fn start() -> Self {
        let (etcd, certs) = (Etcd::start(), Certs::new());
        let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, &[b"h2"])));
        etcd.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", "127.0.0.1:1", "paused", 1, 1));
        let key = std::fs::read(certs.client_key()).unwrap();
        std::fs::write(certs.client_key(), locked(&key)).unwrap();
        Self { _etcd: etcd, url: pd.url(), _pd: pd, certs }
    }

    fn shell(&self, command: &[&str]) -> Shell {
        let files =
            [("--ca", self.certs.ca()), ("--cert", self.certs.client_cert()), ("--key", self.certs.client_key())];
        let shell = Shell::new(command).arg("--pd-urls").arg(&self.url);
        files.iter().fold(shell, |shell, (name, file)| shell.arg(*name).arg(file.display().to_string()))
    }
}

/// The key `pem`, encrypted.
fn locked(pem: &[u8]) -> String {
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let by = Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt of a test", [7; 16]).unwrap();
    let data = by.encrypt(PASSWORD, key.secret_der()).unwrap();
    let locked = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: by.into(),
        encrypted_data: OctetString::new(data).unwrap(),
    };
    let der = SecretDocument::try_from(locked).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_bytes());
    format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}\n-----END ENCRYPTED PRIVATE KEY-----\n")
}

#[test]
fn a_cluster_is_spoken_to_with_an_encrypted_key_and_its_password_from_a_file() {
    let cluster = Closed::start();
    let with = |shell: Shell| shell.file("pw", PASSWORD).arg("--key-pass-file").arg("pw");
    with(cluster.shell(&[])).eval("pumps().len()").succeeds().stdout("1");
    with(cluster.shell(&["ctl", "--cmd=pumps"])).go().succeeds().stdout_contains("pump-0");
    let variable = cluster.shell(&[]).file("pw", PASSWORD).env("BINLOGSH_KEY_PASS_FILE", "pw");
    variable.eval("pumps().len()").succeeds().stdout("1");
    // A path in a profile counts from its file.
    let profile = format!(
        "[profiles.own]\npd-urls = [\"{}\"]\nca = \"{}\"\ncert = \"{}\"\nkey = \"{}\"\nkey-pass-file = \"pw\"\n",
        cluster.url,
        cluster.certs.ca().display(),
        cluster.certs.client_cert().display(),
        cluster.certs.client_key().display()
    );
    let profile = Shell::new(&["--config=c/config.toml", "--profile=own"]).file("c/config.toml", &profile);
    profile.file("c/pw", PASSWORD).eval("pumps().len()").succeeds().stdout("1");
    // Nobody is there who could be asked, and standard input is not taken for them.
    for command in [&["-e", "pumps()"][..], &["ctl", "--cmd=pumps"]] {
        let ran = cluster.shell(command).pipe(&format!("{PASSWORD}\n"));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        ran.stderr_contains("is encrypted, and its password is not known").stderr_contains("--key-pass-file");
    }
}

/// The password is asked for, for the so many-th time.
fn is_asked(screen: &Screen, times: usize) {
    screen.until(|text| text.matches("password of the key").count() == times && text.ends_with("client.key:"));
}

#[test]
fn in_a_terminal_its_password_is_asked_for_once_without_showing_it() {
    let cluster = Closed::start();
    let mut screen = Screen::open(cluster.shell(&[]), 200, 30);
    screen.until(|text| text.ends_with('>'));
    // Whatever looks in the background does not ask.
    screen.keys("1 + 1\r").shows("\n2\n");
    screen.keys("pumps().len()\r");
    is_asked(&screen, 1);
    screen.keys("correct donkey\r").shows("it does not open the key");
    is_asked(&screen, 2);
    screen.keys(&format!("{PASSWORD}\r")).shows("\n1\n");
    let text = screen.text();
    assert!(!text.contains("donkey") && !text.contains("horse"), "{text}");
    screen.keys("pumps()[0].id\r").shows("\npump-0\n");
    assert_eq!(screen.text().matches("password of the key").count(), 2, "{}", screen.text());

    let mut screen = Screen::open(cluster.shell(&["ctl", "--cmd=pumps"]), 200, 30);
    is_asked(&screen, 1);
    screen.keys(&format!("{PASSWORD}\r")).shows("pump-0");

    let mut screen = Screen::open(cluster.shell(&["-e", "pumps()"]), 200, 30);
    for asked in 1..=3 {
        is_asked(&screen, asked);
        screen.keys("wrong\r");
    }
    screen.shows("is not opened by what was typed");
}

#[test]
fn another_profile_takes_nothing_of_the_cluster_that_the_command_line_named() {
    let cluster = Closed::start();
    let config = "[profiles.plain]\npd-urls = [\"http://127.0.0.1:9\"]\n";
    let shell = cluster.shell(&["--config=c.toml"]).file("c.toml", config).file("pw", PASSWORD);
    let mut screen = Screen::open(shell.arg("--key-pass-file").arg("pw"), 120, 30);
    screen.until(|text| text.ends_with('>'));
    screen.keys(".profile plain\r").until(|text| text.contains("binlogsh(plain)") && text.ends_with('>'));
    screen.keys("40 + 2\r").shows("\n42\n");
    // A profile that cannot be gone to costs nobody their variables.
    screen.keys("let kept = 7; kept\r").shows("\n7\n");
    for (config, words) in [("[profiles", "not TOML"), ("[profiles.plain]\npd-urls = [\"https://a:1\"]\n", "needs TLS")]
    {
        std::fs::write(screen.shell.dir().join("c.toml"), config).unwrap();
        screen.keys(".profile plain\r").shows(words);
    }
    screen.keys("kept + 1\r").shows("\n8\n");
}
