//! Our own host in a scenario: its clock, what it cannot reach, and the certificates that it meets.

use crate::error::{Error, Result};
use crate::text::on_one_line;
use crate::time::{Time, Zone};
use crate::world::{Certificate, CertificateRole};
use serde::{Deserialize, Serialize};

/// How our own host stands to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// How far its clock is ahead of PD's, in milliseconds; behind it if negative.
    #[serde(default)]
    pub clock_ms: i64,
    /// The URLs of PD and the addresses of nodes that it cannot reach, though they work.
    #[serde(default)]
    pub unreachable: Vec<String>,
    /// The certificates that it was given, and those that servers show it.
    #[serde(default)]
    pub certificates: Vec<CertificateSpec>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSpec {
    /// Whose it is.
    pub role: CertificateRole,
    /// The file that it is in, or the address of the server that shows it.
    pub place: String,
    /// Its subject.
    #[serde(default)]
    pub subject: String,
    /// Until when it is valid, RFC 3339.
    pub(crate) expires: String,
}

impl HostSpec {
    /// Whether there is nothing special about it.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Makes sure that it does not contradict itself.
    pub(super) fn check(&self) -> Result<()> {
        self.certificates().map(drop)
    }

    /// Its certificates.
    ///
    /// # Errors
    /// `invalid` when one expires at no point in time.
    pub(crate) fn certificates(&self) -> Result<Vec<Certificate>> {
        let certificate = |spec: &CertificateSpec| {
            let expires = Time::parse(&spec.expires, Zone::Utc).map_err(|error| {
                let place = on_one_line(&spec.place);
                let message = format!("the certificate of {place} expires at no point in time: {}", error.message);
                Error { message, ..error }
            })?;
            let CertificateSpec { role, place, subject, .. } = spec.clone();
            Ok(Certificate { role, place, subject, expires_ms: expires.unix_ms })
        };
        self.certificates.iter().map(certificate).collect()
    }
}
