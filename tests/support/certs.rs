//! Certificates made on the spot: an authority, a server's for this host, a client's.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// The day so many days from now: year, month and day.
pub(crate) fn in_days(days: i64) -> (i32, u8, u8) {
    use chrono::Datelike;
    let day = (chrono::DateTime::UNIX_EPOCH
        + std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
        + chrono::TimeDelta::days(days))
    .date_naive();
    (day.year(), day.month() as u8, day.day() as u8)
}

/// An authority and what it signed, as PEM files in a directory that ends with this.
pub(crate) struct Certs {
    dir: TempDir,
}

impl Certs {
    /// Makes them anew: no two authorities know each other.
    pub(crate) fn new() -> Self {
        Self::ending(&[])
    }

    /// The same; `server`'s or `client`'s are valid until these days only.
    pub(crate) fn ending(ends: &[(&str, (i32, u8, u8))]) -> Self {
        Self::made(|name, params| {
            if let Some((_, (year, month, day))) = ends.iter().find(|(whose, _)| *whose == name) {
                params.not_after = rcgen::date_time_ymd(*year, *month, *day);
            }
        })
    }

    /// The same; the server's certificate is otherwise.
    pub(crate) fn with_server(change: impl Fn(&mut CertificateParams)) -> Self {
        Self::made(|name, params| {
            if name == "server" {
                change(params);
            }
        })
    }

    /// The same, with a name for the server and for the client: whoever has the CA's own is taken for self-signed by OpenSSL.
    pub(crate) fn named() -> Self {
        Self::made(|name, params| params.distinguished_name.push(rcgen::DnType::CommonName, name))
    }

    /// The same; the server's certificate is for these names alone.
    pub(crate) fn for_names(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Self::with_server(|params| {
            params.subject_alt_names = CertificateParams::new(names.clone()).unwrap().subject_alt_names
        })
    }

    /// A server that has signed its certificate itself, which is the trusted one; it may be marked as an authority's.
    pub(crate) fn self_signed(authority: bool, change: impl Fn(&mut CertificateParams)) -> Self {
        let certs = Self::new();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        if authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        change(&mut params);
        let own = params.self_signed(&key).unwrap().pem();
        for (file, content) in [("ca.pem", &own), ("server.pem", &own), ("server.key", &key.serialize_pem())] {
            std::fs::write(certs.dir.path().join(file), content).unwrap();
        }
        certs
    }

    fn made(change: impl Fn(&str, &mut CertificateParams)) -> Self {
        let dir = TempDir::new().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        std::fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
        std::fs::write(dir.path().join("ca.key"), key.serialize_pem()).unwrap();
        let issuer = Issuer::new(params, key);
        for (name, hosts) in [("server", vec!["127.0.0.1".to_owned(), "localhost".to_owned()]), ("client", vec![])] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(hosts).unwrap();
            change(name, &mut params);
            let signed = params.signed_by(&key, &issuer).unwrap();
            std::fs::write(dir.path().join(format!("{name}.pem")), signed.pem()).unwrap();
            std::fs::write(dir.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { dir }
    }

    /// The authority's certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// One of the files: `server.pem`, `server.key` and so on.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Its key.
    pub(crate) fn ca_key(&self) -> PathBuf {
        self.dir.path().join("ca.key")
    }

    /// A client's certificate.
    pub(crate) fn client_cert(&self) -> PathBuf {
        self.dir.path().join("client.pem")
    }

    /// Its key.
    pub(crate) fn client_key(&self) -> PathBuf {
        self.dir.path().join("client.key")
    }

    /// What a double serves with; with `ask_client` only to clients with a certificate of this authority.
    pub(crate) fn server(&self, ask_client: bool, alpn: &[&[u8]]) -> Arc<ServerConfig> {
        // An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let read = |name: &str| std::fs::read(self.dir.path().join(name)).unwrap();
        let certs = |name: &str| vec![CertificateDer::from_pem_slice(&read(name)).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(&read("server.key")).unwrap();
        let builder = ServerConfig::builder();
        let builder = if ask_client {
            let mut roots = RootCertStore::empty();
            roots.add(certs("ca.pem").remove(0)).unwrap();
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(certs("server.pem"), key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }
}
