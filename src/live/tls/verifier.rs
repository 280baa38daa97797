//! How a server's certificate is verified: by its chain to an authority that we trust, or because it is itself one of the
//! certificates that we were told to trust.
//!
//! The second is what Go does, and so what a cluster knows whose servers show self-signed certificates: such a one is
//! often marked as an authority, and no chain to itself. It must be the same, byte for byte; name, dates and purpose
//! count as always.
//!
//! A certificate for `*.basic-pump` is for `basic-pump-0.basic-pump`, as Go has it and as tidb-operator's manual has them made;
//! what we verify with takes no name of two parts for a wildcard, as that of a whole top-level domain would be.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, ExtendedKeyPurpose, OtherError, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

/// How many bits an RSA key must have.
const SHORTEST_RSA: usize = 2048;

/// The certificates that a server shows, its own first.
type ShownChain = Arc<Mutex<Vec<CertificateDer<'static>>>>;

/// Verifies by chain, or by what is trusted itself.
#[derive(Clone, Debug)]
pub(in crate::live) struct Verifier {
    chain: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
    /// Where what the server shows is kept, trusted or not, if somebody wants to see it.
    shown: Option<ShownChain>,
}

impl Verifier {
    pub(super) fn new(chain: Arc<WebPkiServerVerifier>, trusted: Vec<CertificateDer<'static>>) -> Self {
        Self { chain, trusted, shown: None }
    }

    /// The same for one connection, keeping in `shown` what its server shows.
    pub(in crate::live) fn keeping(&self, shown: ShownChain) -> Self {
        Self { shown: Some(shown), ..self.clone() }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(shown) = &self.shown {
            let chain = std::iter::once(end_entity).chain(intermediates).map(|shown| shown.clone().into_owned());
            *shown.lock().unwrap_or_else(PoisonError::into_inner) = chain.collect();
        }
        if let Some(short) = ShortKey::of(end_entity, false) {
            return Err(short.into());
        }
        match self.chain.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => {
                let signers = intermediates.iter().chain(&self.trusted);
                let mut short = signers.filter_map(|signer| ShortKey::of(signer, true));
                Err(short.next().map_or(CertificateError::BadSignature.into(), Into::into))
            }
            Err(_) if self.trusted.contains(end_entity) => itself(end_entity, name, now),
            // The name comes last: chain, dates and purpose are right.
            Err(why) if is_of_the_name(&why) && has_short_wildcard(end_entity, name) => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// An RSA key that is too short to be believed.
#[derive(Debug)]
pub(super) struct ShortKey {
    pub(super) bits: usize,
    /// Of the authority of this name; otherwise of the server itself.
    pub(super) authority: Option<String>,
}

impl ShortKey {
    /// The key in `certificate`, if it is one.
    fn of(certificate: &CertificateDer<'_>, is_authority: bool) -> Option<Self> {
        let (_, x509) = parse_x509_certificate(certificate).ok()?;
        let PublicKey::RSA(key) = x509.public_key().parsed().ok()? else { return None };
        let bits = key.key_size();
        let authority = is_authority.then(|| x509.subject().to_string());
        (bits < SHORTEST_RSA).then_some(Self { bits, authority })
    }
}

impl std::fmt::Display for ShortKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.authority {
            None => write!(f, "its RSA key has {} bits", self.bits)?,
            Some(name) => write!(f, "the authority {name} has an RSA key of {} bits", self.bits)?,
        }
        write!(f, ", and {SHORTEST_RSA} are needed: have key and certificate made anew")
    }
}

impl std::error::Error for ShortKey {}

impl From<ShortKey> for Error {
    fn from(short: ShortKey) -> Self {
        CertificateError::Other(OtherError(Arc::new(short))).into()
    }
}

/// Verifies a certificate that is trusted itself: its dates, what it is for, and its name.
fn itself(certificate: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<ServerCertVerified, Error> {
    let (_, x509) = parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let at = |time: x509_parser::time::ASN1Time| {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0)))
    };
    let (not_before, not_after) = (at(x509.validity().not_before), at(x509.validity().not_after));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    for_servers(&x509)?;
    match verify_server_name(&ParsedCertificate::try_from(certificate)?, name) {
        Err(why) if !(is_of_the_name(&why) && has_short_wildcard(certificate, name)) => Err(why),
        Err(_) | Ok(()) => Ok(ServerCertVerified::assertion()),
    }
}

/// Whether it is nothing but the name that is wrong.
pub(super) fn is_of_the_name(why: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(why, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// Whether the certificate has `*.SERVICE` for a name `POD.SERVICE`.
fn has_short_wildcard(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = name else { return false };
    let Some((pod, service)) = name.as_ref().split_once('.') else { return false };
    let Ok((_, x509)) = parse_x509_certificate(certificate) else { return false };
    let Ok(Some(names)) = x509.subject_alternative_name() else { return false };
    let fits = |own: &str| own.strip_prefix("*.").is_some_and(|own| own.eq_ignore_ascii_case(service));
    let fits = |own: &GeneralName<'_>| matches!(own, GeneralName::DNSName(own) if fits(own));
    !pod.is_empty() && !service.contains('.') && names.value.general_names.iter().any(fits)
}

/// A certificate that says what it is for must be for servers.
fn for_servers(x509: &X509Certificate<'_>) -> Result<(), Error> {
    let purposes = x509.extended_key_usage().map_err(|_| CertificateError::BadEncoding)?;
    let Some(purposes) = purposes.map(|extension| extension.value) else { return Ok(()) };
    if purposes.any || purposes.server_auth {
        return Ok(());
    }
    let presented = if purposes.client_auth { vec![ExtendedKeyPurpose::ClientAuth] } else { Vec::new() };
    Err(CertificateError::InvalidPurposeContext { required: ExtendedKeyPurpose::ServerAuth, presented }.into())
}
