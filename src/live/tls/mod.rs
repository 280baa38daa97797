//! The certificates, as both transports use them: gRPC (tonic) and HTTP (hyper).
//!
//! They stand on rustls with the one provider that is installed here: two providers beside each other panic.

mod database;
mod locked;
mod pem;
mod renewed;
mod verifier;
mod words;

pub(super) use database::{Verified, for_database};
pub(super) use locked::ask_for_password;
pub(super) use renewed::RenewedTls;
pub(super) use verifier::Verifier;
pub(super) use words::{NO_HTTP2, keeps_out, words};

use crate::error::{Error, Result};
use crate::live::settings::TlsFiles;
use crate::world::CertificateRole;
use pem::{KINDS, PemFile, Role};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How connections are made: plain, or with these certificates.
pub(super) struct Tls {
    /// For gRPC and HTTP; without TLS it trusts nobody.
    pub(super) config: Arc<ClientConfig>,
    /// How a server's certificate is verified; `None` is plain.
    pub(super) verifier: Option<Arc<Verifier>>,
    /// The certificates in the files.
    pub(super) given: Vec<GivenCertificate>,
}

/// A certificate that we were given.
pub(super) struct GivenCertificate {
    pub(super) role: CertificateRole,
    pub(super) file: PathBuf,
    pub(super) certificate: CertificateDer<'static>,
}

impl Tls {
    /// Reads the files, if there are any.
    ///
    /// # Errors
    /// `local` for a file that cannot be read, `invalid` for one that holds something else; both name it and say what to
    /// do.
    pub(super) fn load(files: Option<&TlsFiles>) -> Result<Self> {
        // An error means that it is installed already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some(files) = files else {
            let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
            return Ok(Self { config: config.into(), verifier: None, given: Vec::new() });
        };
        let (verifier, authorities) = trust(&files.ca)?;
        let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier.clone());
        let given = |role, file: &Path, certificates: &[CertificateDer<'static>]| {
            let given = certificates.iter().cloned();
            given.map(|certificate| GivenCertificate { role, file: file.to_owned(), certificate }).collect::<Vec<_>>()
        };
        let mut all = given(CertificateRole::Authority, &files.ca, &authorities);
        let Some((cert_path, key_path)) = &files.identity else {
            let config = builder.with_no_client_auth().into();
            return Ok(Self { config, verifier: Some(verifier), given: all });
        };
        let (cert, key) = (PemFile::read(Role::Certificate, cert_path)?, PemFile::read(Role::Key, key_path)?);
        let (chain, private) = (cert.certificates()?, key.key(&files.password)?);
        belong_together(&cert, &chain, &key, &private, (&files.ca, &authorities))?;
        all.extend(given(CertificateRole::Own, cert_path, &chain));
        let config = builder
            .with_client_auth_cert(chain, private)
            .map_err(|why| cert.bad("cannot be used with its key", "have both made anew").source(words(&why)))?;
        Ok(Self { config: config.into(), verifier: Some(verifier), given: all })
    }

    /// For a connection over TLS; `None` is plain.
    pub(super) fn client(&self) -> Option<Arc<ClientConfig>> {
        self.verifier.is_some().then(|| self.config.clone())
    }
}

/// Whom the CA file makes us trust, and the certificates in it.
fn trust(path: &Path) -> Result<(Arc<Verifier>, Vec<CertificateDer<'static>>)> {
    let file = PemFile::read(Role::Authority, path)?;
    let trusted = file.certificates()?;
    let mut roots = RootCertStore::empty();
    for (at, certificate) in trusted.iter().enumerate() {
        roots.add(certificate.clone()).map_err(|_| {
            file.bad(
                &format!("holds a certificate that cannot be read (number {} in it)", at + 1),
                "take it out, or have it made anew: it must be X.509 version 3",
            )
        })?;
    }
    let chain = WebPkiServerVerifier::builder(Arc::new(roots)).build();
    let chain = chain.map_err(|_| file.bad("holds no certificate that can be trusted", "give the CA's certificate"))?;
    Ok((Arc::new(Verifier::new(chain, trusted.clone())), trusted))
}

/// Makes sure that the key is the one of the first certificate.
fn belong_together(
    cert: &PemFile,
    chain: &[CertificateDer<'static>],
    key: &PemFile,
    private: &PrivateKeyDer<'static>,
    (ca_path, authorities): (&Path, &[CertificateDer<'static>]),
) -> Result<(), Error> {
    let private = rustls::crypto::ring::sign::any_supported_type(private)
        .map_err(|_| key.bad("is of a kind that TLS does not take, or damaged", KINDS))?;
    if chain.first().is_some_and(|own| is_of(own, &private)) {
        return Ok(());
    }
    if chain.iter().any(|later| is_of(later, &private)) {
        return Err(cert.bad(
            "does not begin with the certificate of the key",
            "put the client's own certificate first, then those that signed it",
        ));
    }
    if authorities.iter().any(|authority| is_of(authority, &private)) {
        return Err(key.bad(
            &format!("is the key of the CA in {}, not of the certificate", ca_path.display()),
            "give the client's own key, and keep the CA's away from this host",
        ));
    }
    Err(key.bad(
        "does not belong to the certificate",
        "give the pair that was made together: `openssl pkey -in KEY -pubout` and `openssl x509 -in CERT -noout -pubkey` \
         print the same for it",
    ))
}

/// Whether the key is a certificate's; one whose public half is not known is taken.
fn is_of(certificate: &CertificateDer<'static>, key: &Arc<dyn SigningKey>) -> bool {
    use rustls::{Error as Tls, InconsistentKeys::Unknown};
    let pair = CertifiedKey::new(vec![certificate.clone()], key.clone());
    matches!(pair.keys_match(), Ok(()) | Err(Tls::InconsistentKeys(Unknown)))
}
