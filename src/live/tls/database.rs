//! TLS with a database, which has certificates and rules of its own: how much of the server's is verified is for whoever asks to say.

use super::pem::{PemFile, Role};
use super::verifier::{Verifier, is_of_the_name};
use super::{belong_together, trust, words};
use crate::error::Result;
use crate::secret::KeyPassword;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// What of a server's certificate is verified.
pub(in crate::live) enum Verified<'a> {
    /// Nothing: whoever answers is taken for the server.
    Nothing,
    /// That an authority in this file has signed it.
    Chain(&'a Path),
    /// That, and that it is for the name that was asked for.
    Name(&'a Path),
}

/// How connections to a database are made; `identity` is our own certificate and its key, where it asks for one.
///
/// # Errors
/// `local` or `invalid`, naming the file.
pub(in crate::live) fn for_database(
    verified: &Verified<'_>,
    identity: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>> {
    let mut authorities = Vec::new();
    let mut ca_path = Path::new("");
    let verifier: Arc<dyn ServerCertVerifier> = match verified {
        Verified::Nothing => LenientVerifier::new(None),
        Verified::Chain(ca) | Verified::Name(ca) => {
            let (verifier, trusted) = trust(ca)?;
            (authorities, ca_path) = (trusted, ca);
            match verified {
                Verified::Name(_) => verifier,
                Verified::Chain(_) | Verified::Nothing => LenientVerifier::new(Some(verifier)),
            }
        }
    };
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier);
    let Some((cert_path, key_path)) = identity else { return Ok(builder.with_no_client_auth().into()) };
    let (cert, key) = (PemFile::read(Role::Certificate, cert_path)?, PemFile::read(Role::Key, key_path)?);
    let (chain, private) = (cert.certificates()?, key.key(&KeyPassword::default())?);
    belong_together(&cert, &chain, &key, &private, (ca_path, &authorities))?;
    let config = builder.with_client_auth_cert(chain, private);
    Ok(config.map_err(|why| cert.bad("cannot be used with its key", "have both made anew").source(words(&why)))?.into())
}

/// Whoever has the key of the certificate that is shown: nobody on the way reads along who does not take the server's place.
#[derive(Debug)]
struct LenientVerifier {
    /// Who must have signed it, whatever its name; `None`: anybody.
    chain: Option<Arc<Verifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl LenientVerifier {
    fn new(chain: Option<Arc<Verifier>>) -> Arc<Self> {
        Arc::new(Self { chain, algorithms: ring::default_provider().signature_verification_algorithms })
    }
}

impl ServerCertVerifier for LenientVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // The name comes last: chain, dates and purpose are right.
            Err(why) if is_of_the_name(&why) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
