//! Until when certificates are valid: those that we were given, and those that servers show us.
//!
//! A server shows its certificate in every handshake, and one that has expired ends it. So a handshake is made for its own
//! sake, as trusting as every other, and what the server showed is kept whether it is trusted or not.

use crate::error::Result;
use crate::live::clock::{Deadline, within};
use crate::live::connect::secured;
use crate::live::members::address_of;
use crate::live::nodes::each;
use crate::live::tls::Verifier;
use crate::live::trouble::trouble;
use crate::live::wire::Wire;
use crate::node::NodeRef;
use crate::world::{Certificate, CertificateRole};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::codegen::StdError;
use x509_parser::parse_x509_certificate;

/// Those in the files, then that of each of PD's endpoints and of each of `nodes` which shows one; none without TLS.
///
/// # Errors
/// `internal` only: a server that shows none is left out.
pub(super) async fn certificates(wire: &Arc<Wire>, nodes: &[NodeRef]) -> Result<Vec<Certificate>> {
    let tls = wire.tls.now();
    let Some(verifier) = tls.verifier.clone() else { return Ok(Vec::new()) };
    let given = tls.given.iter();
    let given = given.filter_map(|given| read(given.role, &given.file.display().to_string(), &given.certificate));
    let mut found: Vec<Certificate> = given.collect();
    let endpoints = wire.settings.pd_urls.iter().map(|url| address_of(url));
    let mut addresses: Vec<String> = Vec::new();
    for address in endpoints.chain(nodes.iter().map(|node| node.address.as_str())) {
        if !addresses.iter().any(|known| known == address) {
            addresses.push(address.to_owned());
        }
    }
    let ask = |address: String| {
        let (wire, verifier, config) = (wire.clone(), verifier.clone(), ClientConfig::clone(&tls.config));
        async move { shown(&wire, &verifier, config, &address).await }
    };
    found.extend(each(&addresses, ask).await?.into_iter().flatten());
    Ok(found)
}

/// The certificate that the server at `address` shows: of its chain the one that ends first.
async fn shown(wire: &Wire, verifier: &Verifier, mut config: ClientConfig, address: &str) -> Option<Certificate> {
    let shown = Arc::new(Mutex::default());
    config.dangerous().set_certificate_verifier(Arc::new(verifier.keeping(shown.clone())));
    let exchange = wire.exchange(address, "TLS handshake");
    let handshake = async {
        let tcp = wire.dialer.connect(address).await?;
        secured(Arc::new(config), address, tcp).await.map(drop).map_err(StdError::from)
    };
    let deadline = Deadline::after(wire.settings.probe_timeout);
    exchange.ended(match within(deadline, handshake).await {
        Some(Ok(())) => "ok".to_owned(),
        Some(Err(fault)) => trouble(fault.as_ref()).words,
        None => "no answer".to_owned(),
    });
    let chain = std::mem::take(&mut *shown.lock().unwrap_or_else(PoisonError::into_inner));
    let read = chain.iter().filter_map(|certificate| read(CertificateRole::Server, address, certificate));
    read.min_by_key(|certificate| certificate.expires_ms)
}

/// What a certificate says of itself; `None` for what is none.
fn read(role: CertificateRole, place: &str, certificate: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, x509) = parse_x509_certificate(certificate).ok()?;
    let expires_ms = x509.validity().not_after.timestamp().saturating_mul(1000);
    Some(Certificate { role, place: place.to_owned(), subject: x509.subject().to_string(), expires_ms })
}
