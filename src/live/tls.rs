//! The certificates as the two transports want them: gRPC (tonic) and HTTP (reqwest).
//!
//! Both stand on rustls with the one provider that is installed here: two providers beside each other panic.

use crate::error::{Error, Result};
use crate::live::settings::TlsFiles;
use crate::world::CertificateRole;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// How connections are made: plain, or with these certificates.
pub(super) struct Tls {
    /// For gRPC; `None` is plain.
    pub(super) grpc: Option<ClientTlsConfig>,
    /// For HTTP; without TLS it trusts nobody.
    pub(super) http: ClientConfig,
    /// How a server's certificate is verified; `None` is plain.
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates in the files.
    pub(super) given: Vec<Given>,
}

/// A certificate that we were given.
pub(super) struct Given {
    pub(super) role: CertificateRole,
    pub(super) file: PathBuf,
    pub(super) certificate: CertificateDer<'static>,
}

impl Tls {
    /// Reads the files, if there are any.
    ///
    /// # Errors
    /// `local` for a file that cannot be read, `invalid` for one that is not PEM; both name it.
    pub(super) fn load(files: Option<&TlsFiles>) -> Result<Self> {
        // An error means that it is installed already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some(files) = files else {
            let http = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
            return Ok(Self { grpc: None, http, verifier: None, given: Vec::new() });
        };
        let ca = read("CA", &files.ca)?;
        let mut roots = RootCertStore::empty();
        let mut given = Vec::new();
        for certificate in certificates("CA", &files.ca, &ca)? {
            roots.add(certificate.clone()).map_err(|e| unusable("CA", &files.ca).source(e))?;
            given.push(Given { role: CertificateRole::Authority, file: files.ca.clone(), certificate });
        }
        let roots = Arc::new(roots);
        let verifier = WebPkiServerVerifier::builder(roots.clone()).build();
        let verifier = Some(verifier.map_err(|e| unusable("CA", &files.ca).source(e))?);
        let http = ClientConfig::builder().with_root_certificates(roots);
        let grpc = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&ca));
        let Some((cert_path, key_path)) = &files.identity else {
            return Ok(Self { grpc: Some(grpc), http: http.with_no_client_auth(), verifier, given });
        };
        let (cert, key) = (read("certificate", cert_path)?, read("key", key_path)?);
        let chain = certificates("certificate", cert_path, &cert)?;
        given.extend(chain.iter().map(|certificate| {
            let certificate = certificate.clone();
            Given { role: CertificateRole::Own, file: cert_path.clone(), certificate }
        }));
        let private = PrivateKeyDer::from_pem_slice(&key).map_err(|e| unusable("key", key_path).source(e))?;
        let http = http.with_client_auth_cert(chain, private).map_err(|e| {
            unusable("certificate", cert_path).source(format!("with its key {}: {e}", key_path.display()))
        })?;
        Ok(Self { grpc: Some(grpc.identity(Identity::from_pem(&cert, &key))), http, verifier, given })
    }

    /// `https` or `http`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.grpc.is_some() { "https" } else { "http" }
    }
}

#[expect(clippy::disallowed_methods, reason = "certificates are this room's files")]
fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        Error::local(format!("cannot read the TLS {what} {}: {e}", path.display()))
            .hint("check the path and who may read the file")
    })
}

fn certificates(what: &str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|e| unusable(what, path).source(e))?;
    if found.is_empty() {
        return Err(unusable(what, path).source("there is no certificate in it"));
    }
    Ok(found)
}

fn unusable(what: &str, path: &Path) -> Error {
    Error::invalid(format!("the TLS {what} {} cannot be used", path.display())).hint("it must be a PEM file")
}
